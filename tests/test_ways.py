"""The same numbers whichever way a notebook is run: the command, plain papermill, and Run All."""

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import pytest

PROJECT = Path(__file__).parent.parent
NOTEBOOKS = ("executive_summary", "loyalty", "support_ops", "customer_value")
DESCRIPTION = "application/vnd.kpi+json"


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A copy of the project's notebooks and params, with the month's report built by the command."""
    root = tmp_path_factory.mktemp("project")
    for folder in ("notebooks", "params"):
        shutil.copytree(PROJECT / folder, root / folder, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    run([sys.executable, "-m", "kpi_lib.cli", "report", "2024-05"], root)
    return root


def run(command, folder):
    """Run a command; once more where another took the port that Jupyter had found free before its kernel could."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if "ZMQError: Address already in use" in done.stderr:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def shown(executed):
    """Everything that a notebook displayed, as the plain data of its outputs and the words of its figures."""
    cells = [cell for cell in nbformat.read(executed, as_version=4).cells if cell.cell_type == "code"]
    outputs = [output for cell in cells for output in cell.outputs if output.output_type != "stream"]
    return [output.data.get(DESCRIPTION) or output.metadata.get("image/svg+xml") for output in outputs]


def on_cards(executed):
    """The numbers on the cards that a notebook displayed, by their titles."""
    blocks = [block for block in shown(executed) if isinstance(block, dict)]
    return {card["title"]: card["value"] for block in blocks for card in block.get("cards", [])}


def test_every_way_of_running_a_notebook_shows_the_same(root):
    """Each notebook is run without the command, and each way runs more than one; each run measures the company anew."""
    papermill = [sys.executable, "-m", "papermill", "--no-progress-bar", "--log-level", "ERROR"]
    run_all = [sys.executable, "-m", "jupyter", "execute", "--inplace"]
    shutil.copytree(root / "notebooks", root / "by_hand")
    from_root = {name: root / f"{name}.root.ipynb" for name in ("executive_summary", "customer_value")}
    inside = {name: root / f"{name}.inside.ipynb" for name in ("loyalty", "customer_value")}
    by_hand = {name: root / "by_hand" / f"{name}.ipynb" for name in ("support_ops", "loyalty")}
    work = [
        ([*papermill, f"notebooks/{name}.ipynb", str(to), "-p", "period", "2024-05"], root)
        for name, to in from_root.items()
    ]
    work += [([*papermill, f"{name}.ipynb", str(to)], root / "notebooks") for name, to in inside.items()]
    work += [([*run_all, to.name], to.parent) for to in by_hand.values()]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda each: run(*each), work))
    assert {*from_root, *inside, *by_hand} == set(NOTEBOOKS)
    for name, way in (each for ways in (from_root, inside, by_hand) for each in ways.items()):
        expected = shown(root / "reports" / "2024-05" / f"{name}.ipynb")
        assert len(expected) > 3
        assert shown(way) == expected, f"{name} shows something else in {way.name}"


def test_another_period_shows_other_numbers(root):
    before = on_cards(root / "reports" / "2024-05" / "loyalty.ipynb")
    command = ["papermill", "--no-progress-bar", "--log-level", "ERROR", "notebooks/loyalty.ipynb", "april.ipynb"]
    run([sys.executable, "-m", *command, "-p", "period", "2024-04"], root)
    after = on_cards(root / "april.ipynb")
    assert after.keys() == before.keys() != set()
    assert after != before

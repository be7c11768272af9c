"""The same numbers whichever way a notebook is run: the command, plain papermill, and Run All."""

import json
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
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def shown(executed):
    """Everything that a notebook displayed, as the plain data of its outputs and the words of its figures."""
    cells = [cell for cell in nbformat.read(executed, as_version=4).cells if cell.cell_type == "code"]
    outputs = [output for cell in cells for output in cell.outputs if output.output_type != "stream"]
    return [output.data.get(DESCRIPTION) or output.metadata.get("image/svg+xml") for output in outputs]


def test_every_way_of_running_a_notebook_shows_the_same(root):
    papermill = [sys.executable, "-m", "papermill", "--no-progress-bar", "--log-level", "ERROR"]
    run_all = [sys.executable, "-m", "jupyter", "execute", "--inplace"]
    shutil.copytree(root / "notebooks", root / "by_hand")
    work = []
    for name in NOTEBOOKS:
        work.append(([*papermill, f"notebooks/{name}.ipynb", f"{name}.root.ipynb", "-p", "period", "2024-05"], root))
        work.append(([*papermill, f"{name}.ipynb", f"../{name}.inside.ipynb"], root / "notebooks"))
        work.append(([*run_all, f"{name}.ipynb"], root / "by_hand"))
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda each: run(*each), work))
    for name in NOTEBOOKS:
        expected = shown(root / "reports" / "2024-05" / f"{name}.ipynb")
        assert len(expected) > 3
        ways = (root / f"{name}.root.ipynb", root / f"{name}.inside.ipynb", root / "by_hand" / f"{name}.ipynb")
        for way in ways:
            assert shown(way) == expected, f"{name} shows something else in {way.name}"


def test_another_period_shows_other_numbers(root):
    before = json.dumps(shown(root / "reports" / "2024-05" / "loyalty.ipynb"))
    scorecard = root / "reports" / "2024-05" / "scorecard.parquet"
    command = ["papermill", "--no-progress-bar", "--log-level", "ERROR", "notebooks/loyalty.ipynb", "april.ipynb"]
    run([sys.executable, "-m", *command, "-p", "period", "2024-04"], root)
    assert scorecard.exists()
    assert json.dumps(shown(root / "april.ipynb")) != before

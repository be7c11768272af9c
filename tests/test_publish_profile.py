"""Where the time goes: what a build writes down, and the table that shows it."""

from io import StringIO

from publish_books import built, notebook
from rich.console import Console

from kpi_lib.publish import Progress, manifest, profile


def test_a_build_writes_down_its_stages_and_notebooks(tmp_path):
    page = notebook(tmp_path, "page", ["# Page", "print(period)"])
    progress = Progress()
    with progress.stage("tables"):
        pass
    outcome = built(tmp_path, page, progress=progress)
    timings = manifest.read(outcome.folder)["timings"]
    assert set(timings) == {"tables", "prepare", "notebooks", "pages", "html", "pdf", "each", "kernels"}
    assert set(outcome.timings) == set(timings) | {"swap"}  # the manifest is in what is swapped
    assert 0 < timings["kernels"]["page"] < timings["each"]["page"] <= timings["notebooks"]
    assert timings["html"] + timings["pdf"] <= timings["pages"] + 0.02  # each is rounded


def test_a_stage_is_of_the_build_that_it_was_done_for(tmp_path):
    page = notebook(tmp_path, "page", ["# Page"])
    progress = Progress()
    with progress.stage("tables"):
        pass
    first, second = (built(tmp_path, page, progress=progress).timings for _ in range(2))
    assert "tables" in first
    assert "tables" not in second


def test_the_seconds_of_several_builds_are_added_up():
    one = {"tables": 1.0, "notebooks": 2.0, "each": {"loyalty": 1.5}, "kernels": {"loyalty": 0.5}}
    other = {"notebooks": 3.0, "each": {"loyalty": 1.0, "support_ops": 2.0}, "unchanged": 0.25}
    assert profile.together([one, other]) == {
        "tables": 1.0,
        "notebooks": 5.0,
        "each": {"loyalty": 2.5, "support_ops": 2.0},
        "kernels": {"loyalty": 0.5},
        "unchanged": 0.25,
    }


def test_the_table_names_each_with_its_seconds():
    timings = {"tables": 1, "numbers": 2, "prepare": 2.5, "notebooks": 4, "each": {"loyalty": 3.25}}
    timings |= {"kernels": {"loyalty": 0.5}, "pages": 1, "pdf": 0.75}
    out = StringIO()
    profile.show(timings, "2024-05", Console(file=out, width=80))
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in out.getvalue().splitlines() if "│" in line]
    assert rows == [
        ["tables", "", "1.00"],
        ["prepare", "", "2.50"],
        ["", "numbers", "2.00"],
        ["notebooks", "", "4.00"],
        ["", "loyalty", "3.25"],
        ["", "until its kernel was ready", "0.50"],
        ["pages", "", "1.00"],
        ["", "pdf", "0.75"],
    ]

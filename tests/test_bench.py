"""The benchmark's arithmetic: figures of several rounds, the table, and what it finds out about what ran."""

import json
import subprocess
import sys
from datetime import datetime

import pytest

from bench import again, company, measure, profile, slices
from bench.__main__ import PARTS, keep, main, table
from bench.measure import Run, figure, ratios


def costs(wall, cpu, others=0.0):
    return Run(wall, cpu, others)


def test_a_figure_tells_minimum_median_and_maximum_and_how_many_rounds_are_within_the_bound():
    made = figure("again / cold", [0.05, 0.09, 0.06, 0.07, 0.08], bound=0.08)
    assert (made["minimum"], made["median"], made["maximum"]) == (0.05, 0.07, 0.09)
    assert made["within"] == 4


def test_a_ratio_is_taken_inside_each_round():
    found = [
        {"ours": costs(10, 12), "stock": costs(40, 24)},
        {"ours": costs(30, 12), "stock": costs(60, 48)},
    ]
    wall, cpu = ratios("report / stock", found, "ours", "stock", bound=0.3)
    assert wall["values"] == [0.25, 0.5]
    assert wall["within"] == 1
    assert wall["seconds"] == {"ours": [10, 30], "stock": [40, 60]}
    assert cpu["values"] == [0.5, 0.25]
    assert cpu["bound"] is None


def test_commands_one_after_the_other_add_up():
    both = Run(2, 1, 0, 500, "a") + Run(3, 2, 1, 400, "b")
    assert both == Run(5, 3, 1, 500, "ab")


def test_a_round_runs_all_steps_and_every_other_one_backwards():
    order = []
    steps = {name: lambda name=name: order.append(name) or costs(1, 1) for name in "abc"}
    found = measure.rounds("trial", 2, steps)
    assert "".join(order) == "abccba"
    assert [list(each) for each in found] == [["a", "b", "c"], ["c", "b", "a"]]


def test_a_command_is_charged_for_the_cpu_of_its_children():
    busy = "import time\nwhile time.process_time() < 0.3: pass"
    shell = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {busy!r}])"
    assert measure.run([sys.executable, "-c", shell]).cpu > 0.3


def test_the_memory_of_children_counts_as_well():
    holds = "held = b'x' * 200_000_000; print('held', flush=True); input()"
    shell = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {holds!r}])"
    with subprocess.Popen([sys.executable, "-c", shell], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        held = measure.memory(process.pid)
        process.communicate(b"\n")
    assert 200_000_000 < held < 300_000_000


def test_a_command_that_fails_is_no_measurement():
    with pytest.raises(measure.FailedError, match="out of order"):
        measure.run([sys.executable, "-c", "import sys; sys.exit('out of order')"])


def test_results_of_a_part_leave_those_of_the_others(tmp_path):
    file = tmp_path / "results.json"
    for part, value in (("startup", 0.1), ("again", 0.05), ("startup", 0.2)):
        keep(part, {"repeats": 1, "seconds": 2, "figures": [figure(part, [value])]}, file)
    kept = json.loads(file.read_text())
    assert [(part, said["figures"][0]["median"]) for part, said in kept.items()] == [("again", 0.05), ("startup", 0.2)]
    assert datetime.fromisoformat(kept["again"]["date"]).tzinfo
    assert kept["again"]["machine"]["cores"] > 0


def test_the_table_says_what_is_at_most_and_what_was():
    said = {
        "date": "2026-11-01",
        "machine": {"cores": 2, "memory_gigabytes": 24, "python": "3.11"},
        "repeats": 2,
        "seconds": 9,
        "figures": [figure("a slice", [1.0, 1.5], unit="s", bound=1.2, note="of 200")],
    }
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table({"slices": said}).splitlines()]
    assert ["a slice", "1.2 s", "1.0 s", "1.25 s", "1.5 s", "1 of 2", "of 200"] in rows


def test_a_part_that_fails_is_told_of_and_the_others_are_measured(tmp_path, monkeypatch, capsys):
    def fails(repeats):
        raise measure.FailedError("no Pango")

    monkeypatch.setattr("bench.__main__.RESULTS", tmp_path / "results.json")
    monkeypatch.setattr("bench.report.cold", fails)
    monkeypatch.setattr("bench.startup.startup", lambda repeats: [figure("`kpi --help`", [0.1] * repeats)])
    assert main(["report", "startup", "--repeats", "2"]) == 1
    told = capsys.readouterr()
    assert "report: no Pango" in told.err
    assert "| `kpi --help` |" in (tmp_path / "results.md").read_text()
    assert "| `kpi --help` |" in told.out


def test_an_unknown_part_is_refused_with_the_names_of_all(capsys):
    with pytest.raises(SystemExit):
        main(["speed"])
    said = capsys.readouterr().err
    assert all(part in said for part in PARTS)


def test_an_edit_of_a_notebook_changes_its_code_and_not_what_it_does(tmp_path):
    notebook = tmp_path / "a.ipynb"
    notebook.write_text(json.dumps({"cells": [{"cell_type": "code", "source": ["a = 1\n", "a"]}]}))
    for remark in ("first", "second"):
        company.edit(notebook, remark)
    assert json.loads(notebook.read_text())["cells"][0]["source"] == "a = 1\na\n# second"


def test_every_change_can_be_made_to_the_sample_company(tmp_path):
    copied = tmp_path / "params"
    copied.mkdir()
    (copied / "report.yaml").write_text((measure.ROOT / "params/report.yaml").read_text())
    before = (copied / "report.yaml").read_text()
    for name in ("one target changed", "one threshold changed", "the brand's colour changed"):
        again.CHANGES[name](tmp_path)
    after = (copied / "report.yaml").read_text()
    assert sum(old != new for old, new in zip(before.splitlines(), after.splitlines(), strict=True)) == 3


def test_a_slice_beyond_the_first():
    run = {"1 brief": costs(60, 50), "11 brief": costs(80, 90)}
    first, cpu, ratio = slices.beyond([run], 11, "brief", "executive summary", 1.2)
    assert (first["median"], cpu["median"]) == (2, 4)
    assert ratio["median"] == pytest.approx(2 / 60, abs=1e-4)


def test_the_time_of_notebooks_is_shared_out_by_kernels_and_cells():
    whole = {"imports": 2.0, "notebooks": 10.0}
    cells = {"figures drawn": 3.0, "the rest": 1.0}
    timings = {"each": {"a": 6.0, "b": 4.0}, "kernels": {"a": 1.0, "b": 1.0}}
    shared = profile.split(whole, cells, timings)
    assert {name: round(seconds, 9) for name, seconds in shared.items()} == {
        "imports": 2,
        "notebooks: kernels started": 2,
        "notebooks: figures drawn": 6,
        "notebooks: the rest": 2,
    }


@pytest.mark.parametrize(
    ("files", "kind"),
    [
        (["kpi_lib/publish/build.py", "kpi_lib/scorecard.py", "sqlglot/generator.py"], "expressions compiled to SQL"),
        (["kpi_lib/publish/build.py", "kpi_lib/publish/execute.py", "papermill/execute.py"], "notebooks"),
        (["kpi_lib/publish/build.py", "kpi_lib/publish/render.py", "nbconvert/html.py"], "HTML"),
        (["kpi_lib/publish/render.py", "kpi_lib/publish/pdf.py"], "PDF"),
        (["kpi_lib/report.py", "seaborn/utils.py", "pandas/core.py"], "figures drawn"),
        (["kpi_lib/publish/build.py"], "the rest"),
    ],
)
def test_what_a_thread_does_is_told_by_its_stack(files, kind):
    known = {"kind_of": profile.kind_of, "frame": sys._getframe}
    code = "found = kind_of(frame())"
    for file in reversed(files):
        code = f"exec(compile({code!r}, '/somewhere/{file}', 'exec'))"
    exec(code, known)
    assert known["found"] == kind

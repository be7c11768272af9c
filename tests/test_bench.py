"""The benchmark's arithmetic: figures of several rounds, the table, and what it finds out about what ran."""

import json
import subprocess
import sys
from datetime import datetime
from types import SimpleNamespace

import pytest

from bench import again, company, measure, profile, slices
from bench.__main__ import PARTS, main, table
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
    assert Run(2, 1, 0, 500) + Run(3, 2, 1, 400) == Run(5, 3, 1, 500)


def test_the_peak_of_a_process_is_its_own_not_that_of_who_started_it():
    much = 300_000_000
    held = b"x" * much
    asked = "from bench.measure import own_peak; print(own_peak())"
    done = subprocess.run([sys.executable, "-c", asked], cwd=measure.ROOT, capture_output=True, check=True)
    assert int(done.stdout) < much < measure.own_peak()
    del held


def test_a_round_runs_all_steps_and_every_other_one_backwards():
    order = []
    steps = {name: lambda name=name: order.append(name) or costs(1, 1) for name in "abc"}
    found = list(measure.rounds("trial", range(2), steps))
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


def stands_in(monkeypatch, part, cpu):
    """Let rounds of a part cost a CPU second, then two, ...; its figures are those seconds."""
    module = SimpleNamespace(
        measured=lambda numbers, **options: ({part: costs(1, cpu * (number + 1))} for number in numbers),
        figures=lambda found, **options: [figure(part, [each[part].cpu for each in found])],
    )
    monkeypatch.setitem(sys.modules, f"bench.{part}", module)
    return module


@pytest.fixture
def results(tmp_path, monkeypatch):
    file = tmp_path / "results.json"
    monkeypatch.setattr("bench.__main__.RESULTS", file)
    return lambda: {
        part: [value for said in kept["figures"] for value in said["values"]]
        for part, kept in json.loads(file.read_text()).items()
    }


def test_results_of_a_part_leave_those_of_the_others_and_stand_in_the_order_of_the_parts(results, monkeypatch):
    for part, cpu in (("startup", 1), ("again", 5), ("startup", 2)):
        stands_in(monkeypatch, part, cpu)
        main([part, "--repeats", "1"])
    assert list(results().items()) == [("again", [5]), ("startup", [2])]


def test_rounds_are_added_to_those_that_are_kept(results, monkeypatch):
    stands_in(monkeypatch, "startup", 1)
    main(["startup", "--repeats", "2"])
    main(["startup", "--repeats", "1", "--add"])
    assert results() == {"startup": [1, 2, 3]}
    main(["startup", "--repeats", "1"])
    assert results() == {"startup": [1]}


def test_rounds_before_one_that_fails_are_kept(results, monkeypatch, capsys):
    def two(numbers):
        yield from ({"startup": costs(1, 1)}, {"startup": costs(1, 1)})
        raise measure.FailedError("out of memory")

    stands_in(monkeypatch, "startup", 1).measured = two
    assert main(["startup"]) == 1
    assert "out of memory" in capsys.readouterr().err
    assert results() == {"startup": [1, 1]}


def test_rounds_of_another_size_are_not_added(results, monkeypatch, capsys):
    stands_in(monkeypatch, "large", 1)
    main(["large", "--repeats", "1", "--scale", "1000"])
    assert main(["large", "--repeats", "1", "--scale", "2000", "--add"]) == 1
    assert "{'scale': 2000} cannot be added to those with {'scale': 1000}" in capsys.readouterr().err
    assert results() == {"large": [1]}


def test_a_round_is_kept_with_its_date_its_commit_and_the_machine(results, monkeypatch, tmp_path):
    monkeypatch.setattr(measure, "commit", lambda: "abc1234")
    stands_in(monkeypatch, "startup", 1)
    main(["startup", "--repeats", "1"])
    kept = json.loads((tmp_path / "results.json").read_text())["startup"]
    assert kept["rounds"][0]["machine"]["cores"] > 0
    assert datetime.fromisoformat(kept["rounds"][0]["date"]).tzinfo
    assert kept["rounds"][0]["commit"] == "abc1234"
    assert "one round of abc1234" in (tmp_path / "results.md").read_text()


def test_the_commit_is_marked_where_what_is_measured_differs_from_it(tmp_path, monkeypatch):
    monkeypatch.setattr(measure, "ROOT", tmp_path)
    assert measure.commit() == ""
    (tmp_path / "kpi_lib").mkdir()
    given = ("-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-q", "--allow-empty", "-m", "a")
    for command in (("init", "-q"), given):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    head = measure.commit()
    assert len(head) >= 7
    (tmp_path / "results.json").touch()
    assert measure.commit() == head
    (tmp_path / "kpi_lib/new.py").touch()
    assert measure.commit() == f"{head}, changed"


def test_the_table_says_what_is_at_most_and_what_was():
    machine = {"cores": 2, "memory_gigabytes": 24, "python": "3.11"}
    kept = {"machine": machine, "runs": {"a step": costs(10, 10, others=1).kept}}
    said = {
        "rounds": [{"date": "2026-11-01", "commit": "a"} | kept, {"date": "2026-11-02", "commit": "b"} | kept],
        "figures": [figure("a slice", [1.0, 1.5], unit="s", bound=1.2, note="of 200")],
    }
    lines = table({"slices": said}).splitlines()
    assert "2026-11-02, 2 cores, 24 GB, Python 3.11, 2 rounds of a, b; others had up to 5% of it" in lines
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    assert ["a slice", "1.2 s", "1.0 s", "1.25 s", "1.5 s", "1 of 2", "of 200"] in rows


def test_a_figure_beyond_its_bound_is_told_of_and_is_no_success(results, monkeypatch, capsys):
    part = stands_in(monkeypatch, "startup", 1)
    part.figures = lambda found, **options: [
        figure("help", [each["startup"].cpu for each in found], unit="s", bound=0.25),
        figure("list", [0.2, 0.2, 0.9], unit="s", bound=0.25),
    ]
    assert main(["startup", "--repeats", "1"]) == 1
    assert "startup: help is 1.0 s, at most 0.25 s was wanted" in capsys.readouterr().err
    part.figures = lambda found, **options: [figure("help", [0.2], unit="s", bound=0.25)]
    assert main(["startup", "--repeats", "1"]) == 0


def test_a_part_that_fails_is_told_of_and_the_others_are_measured(results, tmp_path, monkeypatch, capsys):
    def fails(numbers):
        raise measure.FailedError("no Pango")

    stands_in(monkeypatch, "report", 1).measured = fails
    stands_in(monkeypatch, "startup", 1)
    assert main(["report", "startup", "--repeats", "2"]) == 1
    told = capsys.readouterr()
    assert "report: no Pango" in told.err
    assert "| startup |" in (tmp_path / "results.md").read_text()
    assert "| startup |" in told.out


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

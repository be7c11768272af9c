"""The reports of many audiences: one that goes wrong keeps no other, and what was made when a run ended stands."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import standing_reports
from kernel_runs import alive, eventually
from standing_reports import BOB, PAGE, SLICE

from kpi_lib import assembly
from kpi_lib.publish import manifest

standing, may = standing_reports.standing, standing_reports.may  # fixtures
OTHER = {"name": "consumers", "to": [BOB], "where": {"segment": standing_reports.CONSUMER}}


def test_one_audience_that_cannot_be_built_is_told_of_and_the_others_are(may):
    wrong = SLICE | {"name": "martians", "where": {"segment": "Martians"}}
    typo = SLICE | {"name": "typo", "where": {"segmen": "Martians"}}
    may.audiences(typo, SLICE, wrong, OTHER)
    (may.report / "audiences" / "enterprise" / "executive_summary.html").unlink()
    done = may.kpi("report", "2024-05", "--audience", "all")
    assert done.code == 2
    assert "martians: " in done.err
    assert "no segment 'Martians' in the data" in done.err
    assert "audience 'typo': no cut 'segmen'" in done.err
    there = {path.parent.name for path in may.report.glob("audiences/*/executive_summary.html")}
    assert {"enterprise", "consumers"} <= there
    assert "martians" not in there


def test_what_goes_wrong_with_the_numbers_of_one_audience_is_told_and_the_others_are_built(may, monkeypatch):
    def fails(self, edition, really=assembly.Scorecards._slice):
        if edition.audience.name == "enterprise":
            raise MemoryError("too many rows")
        return really(self, edition)

    monkeypatch.setattr(assembly.Scorecards, "_slice", fails)
    may.audiences(SLICE, OTHER)
    for jobs in ("1", "2"):
        done = may.kpi("report", "2024-05", "--audience", "all", "--no-cache", "--jobs", jobs)
        assert (done.code, "kpi: enterprise: MemoryError: too many rows" in done.err) == (70, True)
        assert "reports/2024-05/audiences/consumers" in done.out


def test_all_audiences_are_a_list_were_it_of_one(may):
    assert len(json.loads(may.kpi("report", "2024-05", "--audience", "all", "--json").out)) == 1
    assert json.loads(may.kpi("report", "2024-05", "--json").out)["period"] == "2024-05"


def test_audiences_that_stand_are_not_built_again(may):
    may.audiences(SLICE, OTHER)
    first = json.loads(may.kpi("report", "2024-05", "--audience", "all", "--json").out)
    assert [(each["audience"], each["changed"]) for each in first] == [
        (None, False),
        ("enterprise", False),
        ("consumers", True),
    ]
    again = json.loads(may.kpi("report", "2024-05", "--audience", "all", "--json").out)
    assert not any(each["changed"] for each in again)


def test_the_profile_of_many_names_the_measuring_of_their_numbers_and_adds_up_all(may):
    may.audiences(SLICE, OTHER)
    done = may.kpi("report", "2024-05", "--audience", "all", "--no-cache", "--jobs", "2", "--profile")
    assert done.code == 0
    seconds = [
        manifest.read(may.report / "audiences" / name)["timings"]["numbers of audiences"]
        for name in ("enterprise", "consumers")
    ]
    assert max(seconds) > 0
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in done.err.splitlines() if "│" in line]
    told = [float(row[2]) for row in rows if row[0] == "numbers of audiences"]
    assert told == [*seconds, pytest.approx(sum(seconds), abs=0.006)]
    assert "numbers of audiences: done, 2 scorecards, " in done.err
    assert "3 reports, of which several run at once" in done.err


def test_a_process_that_dies_takes_one_report_with_it(may):
    kill = """
import psutil
if audience == "enterprise":
    next(each for each in psutil.Process().parents() if "spawn_main" in " ".join(each.cmdline())).kill()
"""
    may.audiences(SLICE, OTHER)
    may.page([*PAGE, kill])
    done = may.kpi("report", "2024-05", "--audience", "all", "--jobs", "2")
    assert done.code == 1
    assert done.err.splitlines()[-1] == "kpi: enterprise: the process that built it ended (often: out of memory)"
    assert manifest.read(may.report / "audiences" / "consumers")["status"] == "whole"
    assert "reports/2024-05/audiences/consumers" in done.out.splitlines()[-1]


def test_a_bug_in_a_worker_is_told_as_one_and_the_others_are_built(may):
    lock = may.report / "audiences" / ".locks" / "enterprise"
    lock.unlink(missing_ok=True)
    lock.mkdir()  # which nobody reckons with
    (may.report / "audiences" / "enterprise" / "executive_summary.html").unlink()
    may.audiences(SLICE, OTHER)
    done = may.kpi("report", "2024-05", "--audience", "all", "--jobs", "2")
    assert (done.code, "kpi: enterprise: IsADirectoryError" in done.err) == (70, True)
    assert manifest.read(may.report / "audiences" / "consumers")["status"] == "whole"


@pytest.mark.parametrize(("end", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130)], ids=["killed", "interrupted"])
def test_a_run_that_was_ended_leaves_no_process_and_goes_on_where_it_was(may, end, code):
    may.audiences(SLICE, OTHER)
    wait, scratch = may.folder / "wait", may.folder / "scratch"
    pids = scratch / "pids"
    page = f"""
import os
from pathlib import Path
if audience == "consumers" and Path({str(wait)!r}).exists():
    Path(os.environ["TMPDIR"], "pids").write_text(f"{{os.getpid()}} {{os.getppid()}}\\n")
    Path({str(wait)!r}).read_text()
"""
    may.page([*PAGE, page])
    os.mkfifo(wait)  # which nobody writes to
    scratch.mkdir()
    command = f"""
import signal
from pathlib import Path
from types import SimpleNamespace
from standing_reports import Project
signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell's background jobs ignore
may = Project(SimpleNamespace(folder=Path({str(may.folder)!r})))
raise SystemExit(may.kpi("report", "2024-05", "--audience", "all", "--jobs", "2").code)
"""
    other = may.report / "audiences" / "enterprise" / manifest.NAME
    before = other.stat().st_mtime_ns
    run = subprocess.Popen(
        [sys.executable, "-c", command],
        cwd=Path(__file__).parent,
        env=os.environ | {"TMPDIR": str(scratch)},
        stdout=subprocess.PIPE,
    )
    try:
        eventually(lambda: pids.exists() and pids.read_text().endswith("\n"), 60)
        eventually(lambda: other.stat().st_mtime_ns > before, 60)
        run.send_signal(end)
        run.communicate(timeout=60)  # returns when nobody that it started holds its output any more
    finally:
        run.kill()
    eventually(lambda: not any(map(alive, map(int, pids.read_text().split()))))
    assert run.returncode == code
    eventually(lambda: list(scratch.glob("kpi-*")) == [])
    wait.unlink()
    stood = {path: path.stat().st_mtime_ns for path in (may.report / manifest.NAME, other)}
    again = json.loads(may.kpi("report", "2024-05", "--audience", "all", "--json").out)
    assert [each["status"] for each in again] == ["whole"] * 3
    assert [each["changed"] for each in again] == [False, False, True]
    assert {path: path.stat().st_mtime_ns for path in stood} == stood
    assert sorted(path.name for path in may.report.glob("audiences/.*")) == [".company.json", ".locks"]

"""What differs between two scorecards, as printed, and why; and how another version of the code is asked."""

import subprocess
from types import SimpleNamespace

import pandas as pd
import pytest
from small_scorecard import row

from kpi_lib import difference
from kpi_lib.errors import KpiError

OLD_COMMAND = """
import json, sys
row = {"kpi": "nps", "period": sys.argv[2], "cut": None, "value": 28.0, "told": sys.argv[1:]}
print(json.dumps([row, row | {"cut": "channel"}]))
"""


def frame(*rows):
    return pd.DataFrame(rows)


def told(then, now, why=difference.of_versions):
    found = difference.differences(frame(*then), frame(*now), "EUR", why)
    return [(each["title"], each["then"], each["now"], each["change"], each["why"]) for each in found]


def test_a_number_that_is_printed_otherwise_is_told_with_its_change():
    same = row(kpi="csat", title="Satisfaction", value=80.0, unit="percent")
    then = [row(value=29.1), same]
    now = [row(value=31.2, definition="ffffffff"), same | {"value": 80.04}]
    assert told(then, now) == [
        ("Net Promoter Score", "29.1", "31.2", "up 2.1\N{NO-BREAK SPACE}points", ["definition changed"])
    ]


def test_numbers_with_the_same_definition_differ_by_what_is_around_it():
    assert told([row(value=29.1)], [row(value=29.0)])[0][-1] == ["the same definition, other code around it"]


def test_what_has_no_number_says_why_and_has_no_change():
    small = row(status="small_sample", value=50.0)
    assert told([small], [row(value=31.2)])[0][1:4] == ("– (small sample)", "31.2", "")
    assert told([small], [small | {"value": 60.0}]) == []


def test_what_is_declared_since_and_what_is_no_longer():
    old, new = row(kpi="old", title="Old"), row(kpi="new", title="New")
    assert told([old], [new]) == [
        ("New", "–", "31.2", "", ["declared since"]),
        ("Old", "31.2", "–", "", ["no longer declared"]),
    ]


def test_two_periods_are_hard_to_compare_when_one_is_provisional():
    april, may = row(period="2024-04", value=29.1), row(provisional=True)
    assert told([april], [may], difference.of_periods)[0][-1] == ["one of them provisional"]
    assert told([april | {"provisional": True}], [may], difference.of_periods)[0][-1] == ["provisional"]
    assert told([april], [row()], difference.of_periods)[0][-1] == []


def test_the_result_is_plain_data_with_the_numbers_themselves():
    found = difference.differences(frame(row(value=29.1)), frame(row(value=31.2)), "EUR", difference.of_versions)
    assert (found[0]["kpi"], found[0]["unit"], found[0]["value_then"], found[0]["value_now"]) == (
        "nps",
        "points",
        29.1,
        31.2,
    )


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository whose first version has a command of its own, and whose second has none."""
    root = tmp_path / "project"
    (root / "kpi_lib").mkdir(parents=True)

    def git(*words):
        who = ("-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *who, *words], cwd=root, check=True, capture_output=True)

    git("init", "--quiet")
    (root / "kpi_lib" / "__init__.py").touch()
    (root / "kpi_lib" / "cli.py").write_text(OLD_COMMAND)
    git("add", ".")
    git("commit", "--quiet", "-m", "one")
    git("tag", "v1")
    (root / "kpi_lib" / "cli.py").write_text("raise SystemExit('kpi: this version is broken')")
    git("commit", "--quiet", "-am", "two")
    monkeypatch.setattr(difference, "ROOT", root)
    return root


PARAMS = SimpleNamespace(path="/somewhere/report.yaml")


def test_another_version_measures_the_same_data_with_its_own_code(repository):
    rows = difference.measured_by("v1", PARAMS, "2024-05", "2024-07-02T06:00+02:00")
    assert rows["value"].tolist() == [28.0]  # totals alone
    assert rows["told"].iloc[0] == [
        *("values", "2024-05", "--format", "json", "--params", "/somewhere/report.yaml"),
        *("--as-of", "2024-07-02T06:00+02:00"),
    ]


def test_a_version_that_cannot_measure_says_what_it_said(repository):
    with pytest.raises(KpiError, match="the code of 'HEAD' could not measure 2024-05: this version is broken"):
        difference.measured_by("HEAD", PARAMS, "2024-05", "2024-07-02T06:00+02:00")


@pytest.mark.parametrize("version", ["v2", "--help", "", "v1 HEAD"])
def test_a_version_that_is_not_there_is_refused(repository, version):
    with pytest.raises(KpiError, match="there is no version"):
        difference.measured_by(version, PARAMS, "2024-05", "2024-07-02T06:00+02:00")


def test_nothing_is_left_in_the_repository(repository):
    def state():
        status = subprocess.run(["git", "status", "--porcelain"], cwd=repository, capture_output=True, text=True)
        return status.stdout, sorted(path.name for path in (repository / ".git").iterdir())

    before = state()
    difference.measured_by("v1", PARAMS, "2024-05", "2024-07-02T06:00+02:00")
    assert state() == before


def test_without_a_repository_it_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(difference, "ROOT", tmp_path)
    with pytest.raises(KpiError, match="no git repository"):
        difference.measured_by("v1", PARAMS, "2024-05", "2024-07-02T06:00+02:00")

"""When settings change, what reads them is measured again, and all else is what it was."""

import re
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from kpi_lib import renewal, scorecard, source
from kpi_lib.contract import TABLES
from kpi_lib.errors import KpiError
from kpi_lib.facts import FACTS, sources_of
from kpi_lib.kpi import with_parents
from kpi_lib.period import Period

MAY = Period.parse("2024-05")
COMMON = {"company", "time_zone", "currency"}  # on which every number may depend: with another, all are measured
OF_ALL_TICKETS = {"thresholds.first_contact_days", "thresholds.repeat_contact_days"}  # columns that few facts look at


KPIS = scorecard.needed_for(["csat", "nps", "agent_target_attainment"])


@pytest.fixture(autouse=True)
def few_kpis(monkeypatch):
    """Have few KPIs, that no others need be measured."""
    monkeypatch.setattr(renewal, "registry", lambda: KPIS)


def measuring(company):
    """Return what measures a company's KPIs, and the list of what it was asked for."""
    asked = []

    def measure(kpis):
        asked.append(set(kpis))
        loaded = company.loaded()
        return scorecard.measure(source.open(loaded), loaded, MAY, kpis)

    return measure, asked


@pytest.fixture
def answered(company):
    """Ten answers about satisfaction of which half are a four, and ten of how likely people are to recommend."""
    for score in (5, 4):
        for number in range(5):
            company.survey("csat", score, customer=f"c{number}")
            company.survey("nps", 2 * score, customer=f"c{number}")
    return company


def value(card, kpi):
    rows = card.frame[(card.frame["kpi"] == kpi) & (card.frame["period"] == "2024-05") & card.frame["cut"].isna()]
    return rows["value"].item()


def same(card, other):
    """Hold two scorecards to be the same, with all that they say of themselves."""
    pd.testing.assert_frame_equal(card.frame, other.frame, rtol=1e-9)
    assert card.about == other.about


def test_a_setting_that_few_read_has_these_measured_and_the_rest_kept(answered):
    measure, asked = measuring(answered)
    before = measure(KPIS)
    answered.params(thresholds={"top_scores": {5: 5}})
    now = renewal.renewed(before, answered.loaded(), measure)
    assert (value(before, "csat"), value(now, "csat")) == (100, 50)
    assert asked[1:] == [set(with_parents(renewal.stale(before.about, answered.loaded()), KPIS))]
    assert "csat" in asked[1]
    assert "nps" not in asked[1]
    same(now, measure(KPIS))


def test_a_target_and_a_language_have_nothing_measured(answered):
    measure, _ = measuring(answered)
    before = measure(KPIS)
    answered.params(targets={"csat": {"at_least": 101}}, language="ru")
    now = renewal.renewed(before, answered.loaded(), lambda _: pytest.fail("nothing is to be measured"))
    verdicts = now.frame[now.frame["cut"].isna() & (now.frame["period"] == "2024-05")].set_index("kpi")["verdict"]
    assert (verdicts["csat"], verdicts["nps"]) == ("missed", "no_target")
    same(now, measure(KPIS))


def test_a_scorecard_of_an_unknown_definition_is_measured_whole(answered):
    measure, _ = measuring(answered)
    card = measure(KPIS)
    told = {address: about | {"definition": "00000000"} for address, about in card.about["kpis"].items()}
    assert renewal.stale(card.about | {"kpis": told}, answered.loaded()) == set(KPIS)
    assert renewal.stale(card.about | {"kpis": {}}, answered.loaded()) == set(KPIS)


def test_when_agents_would_be_named_in_two_ways_everything_is_measured(company):
    company.ticket("2024-05-06 10:00", "2024-05-06 10:05")
    measure, asked = measuring(company)
    card = measure(KPIS)
    frame, kept = card.frame.copy(), card.frame.index[card.frame["kpi"] == "nps"]
    frame.loc[kept[0], ["cut", "member"]] = ["agent", "Agent ABCDEF"]
    frame.loc[kept[1], ["cut", "member"]] = ["agent", "Agent ABCDEFG"]
    company.params(thresholds={"agent_target_minutes": 3})
    now = renewal.renewed(replace(card, frame=frame), company.loaded(), measure)
    assert [len(each) for each in asked] == [len(KPIS), 1, len(KPIS)]
    pd.testing.assert_frame_equal(now.frame, measure(KPIS).frame, rtol=1e-9)


class Watched:
    """A section of params that notes which of its values are read."""

    def __init__(self, section, seen, path=""):
        self._section, self._seen, self._path = section, seen, path

    def __getattr__(self, name):
        found = getattr(self._section, name)
        if name not in type(self._section).model_fields:
            return found
        if hasattr(found, "model_fields_set"):
            return Watched(found, self._seen, f"{self._path}{name}.")
        self._seen.add(f"{self._path}{name}")
        return found


@pytest.fixture(scope="module")
def everything(company_in, tmp_path_factory):
    """The facts' view of a company with all tables."""
    made = company_in(tmp_path_factory.mktemp("everything"))
    made.table(*TABLES)
    made.ticket("2024-05-06 10:00", customer="c1", problem_id="P1")
    made.call("2024-05-06 10:00")
    made.call("2024-05-06 11:00", outcome="blocked")
    loaded = made.loaded()
    opened = source.open(loaded)
    return lambda: scorecard.data(opened, loaded, MAY.trailing(2))


@pytest.mark.parametrize("name", sorted(FACTS))
def test_a_fact_reads_no_setting_that_it_does_not_declare(everything, name):
    data, seen = everything(), set()
    data.params = Watched(data.params, seen)
    columns = set(data.fact(name).columns)
    undeclared = seen - set(FACTS[name].params) - COMMON
    assert undeclared <= OF_ALL_TICKETS
    assert not (undeclared and {"followed_up", "watched", "next_contact_at"} & columns)


@pytest.mark.parametrize("name", sorted(FACTS))
def test_the_code_of_a_fact_is_all_that_makes_its_rows(everything, name):
    data, ran = everything(), set()
    home = Path(FACTS[name].function.__code__.co_filename).parent
    common = {str(home / "data.py"), str(home / "calendar.py")}  # what all facts are made with

    def noted(frame, event, _):
        code = frame.f_code
        if event == "call" and code.co_filename not in common and Path(code.co_filename).parent == home:
            ran.add(code.co_qualname)

    sys.setprofile(noted)
    try:
        data.fact(name)
    finally:
        sys.setprofile(None)
    ran = {each for each in ran if re.fullmatch(r"\w+", each)}  # no method, and nothing within a function
    assert name in ran
    told = sources_of(name)
    assert [each for each in sorted(ran) if f"def {each}(" not in told] == []


def test_what_watches_params_sees_what_is_read(everything):
    data, seen = everything(), set()
    data.params = Watched(data.params, seen)
    assert data.params.get("thresholds.backlog_hours") == 72
    assert data.params.thresholds.full_time_hours == 40
    assert seen == {"thresholds.full_time_hours"}


def test_a_file_that_is_no_scorecard_says_nothing_of_itself(tmp_path):
    pd.DataFrame({"kpi": []}).to_parquet(tmp_path / "other.parquet")
    with pytest.raises(KpiError, match="is no scorecard"):
        scorecard.Scorecard.read_about(tmp_path / "other.parquet")

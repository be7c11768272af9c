import os
from pathlib import Path

import pandas as pd
import pytest

from kpi_lib import params, source

LOG = "uci_incidents/incident_event_log_raw_strings.parquet"
EXAMPLE = Path(__file__).parent.parent / "params" / "examples" / "servicenow.yaml"
MINUTES = pd.Timedelta(minutes=1)

pytestmark = pytest.mark.skipif(
    not (Path(os.environ.get("KPI_EXAMPLES", "-")) / LOG).is_file(), reason=f"KPI_EXAMPLES names no folder with {LOG}"
)


@pytest.fixture(scope="module")
def opened():
    return source.open(params.load(EXAMPLE))


@pytest.fixture(scope="module")
def tickets(opened):
    return opened.tables["tickets"].to_pandas().set_index("ticket_id")


@pytest.fixture(scope="module")
def events(opened):
    return opened.tables["ticket_events"].to_pandas().sort_values(["at", "event_id"])


@pytest.fixture(scope="module")
def log():
    return pd.read_parquet(Path(os.environ["KPI_EXAMPLES"]) / LOG)


def times(events, **values):
    """The first instant of a kind of event by ticket."""
    for column, value in values.items():
        events = events[events[column] == value]
    return events.groupby("ticket_id")["at"].first()


@pytest.fixture(scope="module")
def april(tickets, events):
    """The incidents opened in April 2016: created, resolved, closed, escalated."""
    frame = tickets[(tickets["created_at"] >= "2016-04-01") & (tickets["created_at"] < "2016-05-01")][["created_at"]]
    return frame.assign(
        resolved=times(events, to_value="resolved"),
        closed=times(events, to_value="closed"),
        escalated=times(events, kind="escalate"),
    )


def test_april_2016_has_the_recorded_number_of_incidents(april):
    assert len(april) == 7934


def test_the_median_of_the_resolved_is_the_recorded_one(april):
    waits = april["resolved"] - april["created_at"]
    assert waits.median() == 260 * MINUTES
    assert waits.mean() / MINUTES / 60 == pytest.approx(146.012, abs=0.001)


def test_half_of_all_incidents_were_resolved_or_closed_within_419_minutes(april):
    waits = (april["resolved"].fillna(april["closed"]) - april["created_at"]) / MINUTES
    assert ((waits <= 418).mean(), (waits <= 419).mean()) < (0.5, 1)
    assert (waits <= 419).mean() >= 0.5
    assert 100 * (waits <= 30 * 24 * 60).mean() == pytest.approx(96.12, abs=0.005)


def test_a_reassignment_is_an_escalation(april):
    assert 100 * april["escalated"].notna().mean() == pytest.approx(40.89, abs=0.005)
    within_14_days = april["escalated"] - april["created_at"] <= pd.Timedelta(days=14)
    assert 100 * within_14_days.mean() < 40.89


def test_a_question_mark_is_a_missing_value(tickets, events, log):
    assert (log == "?").any(axis=None)
    assert not (tickets == "?").any(axis=None)
    assert not (events == "?").any(axis=None)
    last = log.drop_duplicates("number", keep="last").set_index("number")
    assert tickets["problem_id"].notna().sum() == (last["problem_id"] != "?").sum()


def test_an_incident_without_resolved_at_is_closed_by_a_person(tickets, events):
    unresolved = set(tickets.index) - set(times(events, to_value="resolved").index)
    assert len(unresolved) == 1556
    closed = events[events["to_value"] == "closed"].set_index("ticket_id")
    assert set(closed.loc[sorted(unresolved), "actor"]) == {"agent"}
    assert set(closed.loc[~closed.index.isin(unresolved), "actor"]) == {"system"}


def test_the_last_contact_type_counts(tickets, log):
    numbered = log.assign(step=log["sys_mod_count"].astype(int)).sort_values("step", kind="stable")
    kinds = numbered.groupby("number")["contact_type"].agg(["nunique", "last"])
    changed = kinds[kinds["nunique"] > 1]["last"]
    assert len(changed) == 5
    words = {
        "Phone": "phone",
        "Email": "email",
        "Self service": "self_service",
        "IVR": "phone",
        "Direct opening": "in_person",
    }
    assert list(tickets.loc[changed.index, "channel"]) == list(changed.map(words))


def test_days_come_before_months_and_the_first_and_last_months_are_partial(tickets):
    months = tickets["created_at"].dt.strftime("%Y-%m").value_counts()
    assert tickets["created_at"].min() == pd.Timestamp("2016-02-29 01:16", tz="UTC")
    assert (months["2016-02"], months["2016-03"], months["2017-02"]) == (207, 8995, 55)
    assert months.sum() == 24918


def test_every_reopening_is_an_event(events, log):
    reopened = events[events["to_value"] == "open"]
    assert len(reopened) == 331
    assert reopened["ticket_id"].nunique() == log[log["reopen_count"] != "0"]["number"].nunique() == 275


def test_the_source_says_what_it_left_out(opened):
    tables, checks = opened.quality()
    dropped = {entry["table"]: entry["dropped"] for entry in tables if entry["present"]}
    assert dropped == {"tickets": {}, "ticket_events": {"before the ticket was created": 1}}
    assert [check["level"] for check in checks] == ["drop"]

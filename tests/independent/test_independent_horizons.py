"""A month that the extract came too early for, and the month before it as it stood at the same age."""

from typing import Any

import pandas as pd
import pytest
from by_hand import Figures, agree, kaplan_meier, quantile, share
from known import AS_OF, Known, within

A_MONTH_EARLIER = pd.Timestamp("2024-06-02T06:00+02:00")


@pytest.fixture(scope="module")
def before(extract) -> Known:
    """What was known of May when May was as old as June is now."""
    return Known(extract, A_MONTH_EARLIER)


def observed(known: Known, since: pd.Series, days: int) -> pd.Series:
    """Which rows have been watched for so many days."""
    return since + pd.Timedelta(days=days) <= known.as_of


def resolution_rate(known: Known, month: str) -> Figures:
    rows = known.created(month)
    rows = rows[observed(known, rows["created_at"], 30)]
    return share(rows["resolved_at"] - rows["created_at"] <= pd.Timedelta(days=30))


def escalation_rate(known: Known, month: str) -> Figures:
    rows, events = known.created(month), known.events
    rows = rows[observed(known, rows["created_at"], 14)]
    first = events[events["kind"] == "escalate"].groupby("ticket_id")["at"].min().reindex(rows.index)
    return share(first - rows["created_at"] <= pd.Timedelta(days=14))


def first_contact_resolution(known: Known, month: str) -> Figures:
    rows = known.first_contacts
    rows = rows[within(rows["resolved_at"], month) & (rows["replies"] > 0) & rows["customer_id"].notna()]
    rows = rows[observed(known, rows["resolved_at"], 7)]
    return share(rows["one"] & ~rows["back"], rows["customer_id"])


@pytest.mark.parametrize("measure", [resolution_rate, escalation_rate, first_contact_resolution])
def test_rows_not_watched_long_enough_are_left_out(known: Known, before: Known, june, measure: Any) -> None:
    row = june[measure.__name__]
    agree(row, measure(known, "2024-06") | {"previous": measure(before, "2024-05")["value"]})
    assert (row["provisional"], row["verdict"]) == (True, "withheld")


def test_what_is_not_over_is_watched_until_the_extract(known: Known, june) -> None:
    rows = known.created("2024-06")
    for address, until, tickets in (
        ("resolution_time", "resolved_at", rows),
        ("first_response_time", "first_reply_at", rows[~rows["live"]]),
    ):
        end = tickets[until].fillna(tickets["resolved_at"]).fillna(AS_OF)
        curve = kaplan_meier((end - tickets["created_at"]).dt.total_seconds(), tickets[until].notna())
        assert curve.ended < curve.watched
        agree(june[address], quantile(curve, 0.5, 60))
        agree(june[f"{address}.p90"], quantile(curve, 0.9, 60))
        assert not june[address]["provisional"]

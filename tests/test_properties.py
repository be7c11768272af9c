"""What holds of any data: small companies made up by hypothesis."""

import random
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kpi_lib import scorecard

FEW = settings(max_examples=4, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
START = datetime(2024, 3, 1)
hours = st.integers(0, 24 * 120)
spans = st.integers(1, 24 * 60)


def at(hour: int) -> str:
    return (START + timedelta(hours=hour)).isoformat()


@st.composite
def subscription(draw):
    began, lasted = draw(hours), draw(st.none() | spans)
    return {
        "customer": draw(st.sampled_from("abcdefgh")),
        "started": at(began),
        "ended": lasted and at(began + lasted),
        "mrr": draw(st.sampled_from([0, 10, 25])),
    }


@st.composite
def ticket(draw):
    """A ticket's hours: created, and by how much later each status follows."""
    steps = draw(st.lists(st.tuples(spans, st.sampled_from(["open", "pending", "resolved", "closed"])), max_size=4))
    columns = {"channel": draw(st.sampled_from(["email", "chat", None])), "customer": draw(st.sampled_from("abc"))}
    return draw(hours), draw(st.none() | spans), steps, columns | {"is_spam": draw(st.integers(0, 5)) == 0}


def add(company, made) -> None:
    created, replied, steps, columns = made
    added = company.ticket(at(created), replied and at(created + replied), **columns)
    hour = created
    for later, status in steps:
        hour += later
        company.event(added, at(hour), "status", to_value=status)


def fresh(company) -> Any:
    """The company without the rows of the example before."""
    company.rows.clear()
    company.lead("2022-01-01")
    company.lead("2024-08-31")
    company.params()
    return company


def numbers(card: scorecard.Scorecard) -> list[dict[str, Any]]:
    """What a scorecard says, without what hangs on the order of a file's rows."""
    kept = ["kpi", "period", "cut", "member", "value", "numerator", "denominator", "n", "low", "high", "status"]
    return scorecard.records(card.frame[kept].round(9))


@FEW
@given(st.lists(subscription(), min_size=1, max_size=25))
def test_retention_and_churn_are_100(company, subscriptions):
    fresh(company)
    for made in subscriptions:
        company.subscription(**made)
    card = company.card("churn_rate", "retention_rate", "churn_rate.count")
    values = {(row["kpi"], row["period"]): row for row in scorecard.records(card.frame)}
    for (address, period), row in values.items():
        other = values["retention_rate", period]
        if address == "churn_rate" and row["value"] is not None:
            assert row["value"] + other["value"] == pytest.approx(100)
            assert row["numerator"] + other["numerator"] == row["denominator"] == other["denominator"]
            assert values["churn_rate.count", period]["value"] == row["numerator"]
        elif address == "churn_rate":
            assert other["value"] is None


@FEW
@given(st.lists(ticket(), min_size=1, max_size=20))
def test_created_less_resolved_and_reopened_is_the_change_of_the_open(company, tickets):
    fresh(company)
    for made in tickets:
        add(company, made)
    card = company.card("open_cases", "open_cases.net_flow", "open_cases.daily_mean", period="2024-08")
    values = {(row["kpi"], row["period"]): row["value"] for row in scorecard.records(card.frame)}
    months = [f"2024-0{month}" for month in range(2, 9)]
    for before, month in pairwise(months):
        grown = (values["open_cases", month] or 0) - (values["open_cases", before] or 0)
        assert (values["open_cases.net_flow", month] or 0) == grown, month
        assert (values["open_cases.daily_mean", month] or 0) <= len(tickets)


MEASURED = ("nps", "ticket_volume", "tickets_by_channel", "first_response_time", "resolution_time", "open_cases",
            "first_contact_resolution", "escalation_rate")  # fmt: skip
answers = st.lists(st.tuples(st.integers(0, 10), hours, st.sampled_from("abcd")), min_size=1, max_size=12)


@settings(FEW, max_examples=2)
@given(st.lists(ticket(), min_size=3, max_size=15), answers, st.randoms(use_true_random=False))
def test_order_copies_and_excluded_rows_change_nothing_and_intervals_contain_values(
    company, tickets, scores, shuffled: random.Random
):
    fresh(company)
    company.customer("a")
    for made in tickets:
        add(company, made)
    for score, hour, customer in scores:
        company.survey("nps", score, at(hour), customer=customer, sent_at=at(hour))
    card = company.card(*MEASURED)
    for row in scorecard.records(card.frame):
        for end, sign in (("low", 1), ("high", -1)):
            if row["value"] is not None and row[end] is not None:
                assert sign * row[end] <= sign * row["value"], row["kpi"]
    before = numbers(card)

    company.customer("zed", is_test=True)
    company.ticket(at(5), at(6), at(7), customer="zed", channel="fax")
    company.survey("nps", 0, at(7), customer="zed", sent_at=at(7))
    for rows in company.rows.values():
        rows += [dict(row) for row in shuffled.sample(rows, len(rows) // 2)]
        shuffled.shuffle(rows)
    company.params()
    assert numbers(company.card(*MEASURED)) == before

"""What holds of any data: small companies made up by hypothesis."""

import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kpi_lib import scorecard
from kpi_lib.contract import TABLES
from kpi_lib.intervals import adjusted_wald, garwood, wilson

FEW = settings(max_examples=6, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
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


VALUE = ("clv", "customer_lifetime_cost", "customer_lifetime_profit")


@FEW
@given(st.lists(subscription(), min_size=1, max_size=25), st.integers(0, 500))
def test_retention_and_churn_are_100_and_profit_is_value_less_cost(company, subscriptions, spent):
    fresh(company)
    for made in subscriptions:
        company.subscription(**made)
    company.cost(spent)
    value, cost, profit = VALUE
    card = company.card("churn_rate", "retention_rate", "churn_rate.count", *VALUE)
    values = {(row["kpi"], row["period"]): row for row in scorecard.records(card.frame)}
    for (address, period), row in values.items():
        if address == profit and row["value"] is not None:
            assert row["value"] == pytest.approx(values[value, period]["value"] - values[cost, period]["value"])
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


def hold_together(card: scorecard.Scorecard) -> None:
    """Hold what must be true of the numbers of any month together."""
    frame = card.frame[card.frame["kpi"] == "tickets_by_channel"].dropna(subset="value")
    for _, shares in frame.groupby("period"):
        assert shares["value"].sum() == pytest.approx(100)
        assert shares["numerator"].sum() == shares["denominator"].iloc[0]
    values = {(row["kpi"], row["period"]): row["value"] for row in scorecard.records(card.frame) if not row["cut"]}
    for (address, period), value in values.items():
        longer = values.get((f"{address}.p90", period))
        assert longer is None or longer >= value
        if address == "nps" and value is not None:
            kinds = [values[f"nps.{kind}", period] for kind in ("promoters", "passives", "detractors")]
            assert (sum(kinds), kinds[0] - kinds[2]) == pytest.approx((100, value))


@settings(FEW, max_examples=3)
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
    hold_together(card)
    before = numbers(card)

    company.customer("zed", is_test=True)
    company.ticket(at(5), at(6), at(7), customer="zed", channel="fax")
    company.survey("nps", 0, at(7), customer="zed", sent_at=at(7))
    for rows in company.rows.values():
        rows += [dict(row) for row in shuffled.sample(rows, len(rows) // 2)]
        shuffled.shuffle(rows)
    company.params()
    assert numbers(company.card(*MEASURED)) == before


def years_later(company, years: int) -> None:
    """Move the whole history, as it was in UTC, by years."""
    for table, rows in company.rows.items():
        instants = [column.name for column in TABLES[table].columns if column.type.startswith("timestamp")]
        for row in rows:
            for name in (name for name in instants if row.get(name)):
                then = datetime.fromisoformat(row[name])
                row[name] = then.replace(year=then.year + years, tzinfo=UTC).isoformat()
    company.as_of = f"{2024 + years}-09-01T00:00+00:00"
    company.params(time_zone="UTC")


@settings(FEW, max_examples=3)
@given(st.lists(ticket(), min_size=3, max_size=15), st.lists(subscription(), min_size=1, max_size=10))
def test_a_year_later_the_same_history_has_the_same_numbers(company, tickets, subscriptions):
    fresh(company)
    for made in tickets:
        add(company, made)
    for made in subscriptions:
        company.subscription(**made)
    said = []
    for years in (0, 1):
        years_later(company, years)
        year = 2024 + years
        found = numbers(company.card(*MEASURED, "churn_rate", "open_cases.net_flow", period=f"{year}-05"))
        said.append([row | {"period": row["period"][5:]} for row in found if row["period"].startswith(str(year))])
    company.as_of = "2024-09-01T00:00+02:00"
    company.params(time_zone="Europe/Berlin")
    assert said[0]
    assert said[0] == said[1]


calls = st.lists(st.tuples(st.booleans(), st.integers(0, 120), hours), min_size=1, max_size=25)


@settings(FEW, max_examples=4)
@given(calls, st.lists(st.integers(1, 120), min_size=2, max_size=2))
def test_a_longer_target_is_met_more_often_up_to_all_who_were_not_abandoned(company, calls, targets):
    fresh(company)
    for answered, queue, hour in calls:
        company.call(at(hour), queue, "answered" if answered else "abandoned_queue")
    measured = ("service_level", "service_level.all_offered", "abandonment_rate", "abandonment_rate.all")
    before: dict[Any, float] = {}
    for target in (*sorted(targets), 1e9):
        company.params(thresholds={"service_level_seconds": {"phone": target}})
        rows = scorecard.records(company.card(*measured).frame)
        values = {(row["kpi"], row["period"]): row["value"] for row in rows if row["value"] is not None}
        for key, value in values.items():
            assert 0 <= value <= 100
            if key[0].startswith("service_level"):
                assert value >= before.get(key, 0), target
        before = values
    for (address, period), value in before.items():
        if address == "service_level":
            assert value == pytest.approx(100 - before["abandonment_rate", period])
            assert before["service_level.all_offered", period] == pytest.approx(
                100 - before["abandonment_rate.all", period]
            )
            assert before["abandonment_rate", period] <= before["abandonment_rate.all", period]


@given(st.integers(0, 60), st.integers(0, 60), st.integers(1, 60), st.integers(2, 20))
def test_intervals_contain_the_value_and_shrink_with_n(plus, minus, rest, times):
    of = plus + minus + rest
    for limits, value in (
        (lambda factor: wilson(np.array(factor * plus), np.array(factor * of)), plus / of),
        (lambda factor: adjusted_wald(np.array(factor * plus), np.array(factor * minus), np.array(factor * of)), None),
        (lambda factor: np.array(garwood(np.array(float(factor * of)))) / factor, of),
    ):
        (low, high), (lower, higher) = limits(times), limits(1)
        assert high - low < higher - lower
        assert value is None or low - 1e-12 <= value <= high + 1e-12

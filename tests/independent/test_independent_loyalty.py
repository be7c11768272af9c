"""Loyalty, computed a second time from the sample company's files."""

import pandas as pd
import pytest
from by_hand import agree, net, ratio, share, wilson
from known import ZONE, Known, bounds, members, within

MONTHS = pytest.mark.parametrize("month", ["2024-04", "2024-05"])


def satisfied(answers: pd.DataFrame) -> dict[str, float]:
    """CSAT on the scale of 1 to 5, of answers that cluster by customer."""
    return share(answers["score"] >= 4, answers["customer_id"])


@MONTHS
def test_csat(known: Known, row, month: str) -> None:
    answers = known.answers(month, "csat")
    agree(row("csat", month), satisfied(answers))
    for member, rows in members(answers, "channel", "segment", "team"):
        agree(row("csat", month, **member), satisfied(rows))
    person = answers["customer_id"].fillna(answers["survey_id"])
    placed = 25 * (answers["score"] - 1)
    agree(row("csat.mean", month), ratio(placed, pd.Series(1.0, index=answers.index), person))


@MONTHS
def test_csat_by_ticket(known: Known, row, month: str) -> None:
    resolved = known.resolved(month).index
    answers = known.rows("surveys", "answered_at")
    answers = answers[(answers["kind"] == "csat") & answers["score"].notna() & answers["ticket_id"].isin(resolved)]
    agree(row("csat.by_ticket", month), satisfied(answers))


@MONTHS
def test_nps(known: Known, row, month: str) -> None:
    answers = known.answers(month, "nps").sort_values(["answered_at", "survey_id"])
    latest = answers.drop_duplicates("customer_id", keep="last")
    assert len(latest) < len(answers)
    agree(row("nps", month), net(latest["score"]))
    for member, rows in members(latest, "survey_channel", "segment"):
        agree(row("nps", month, **member), net(rows["score"]))
    agree(row("nps.promoters", month), share(latest["score"] >= 9))
    agree(row("nps.passives", month), share(latest["score"].between(7, 8)))
    agree(row("nps.detractors", month), share(latest["score"] <= 6))
    agree(row("nps.transactional", month), net(known.answers(month, "nps_tx")["score"]))


class Base:
    """Who was a customer over a month: spells of subscriptions that follow each other within a day."""

    def __init__(self, known: Known, month: str) -> None:
        start, end = bounds(month)
        self.subscriptions, self.spells = known.subscriptions, known.spells
        self.start, self.end = self.active(start), self.active(end)
        during = self.spells[(self.spells["start"] < end) & (self.spells["end"] > start)]
        self.during = set(during["customer_id"])
        first = during[during["start"] <= start]
        self.interrupted = set(first.loc[first["end"] <= end, "customer_id"])
        self.lost = self.start - self.end
        ended = self.subscriptions[self.subscriptions["ended_at"] <= end].sort_values(["ended_at", "subscription_id"])
        self.reasons = ended.groupby("customer_id")["end_reason"].last()

    def active(self, instant: pd.Timestamp) -> set[str]:
        there = (self.spells["start"] <= instant) & (self.spells["end"] > instant)
        return set(self.spells.loc[there, "customer_id"])

    def revenue(self, instant: pd.Timestamp) -> pd.Series:
        """Monthly revenue by customer at an instant."""
        rows = self.subscriptions
        rows = rows[(rows["started_at"] <= instant) & ~(rows["ended_at"] <= instant)]
        return rows.groupby("customer_id")["mrr"].sum()

    def share(self, customers: set[str], of: set[str]) -> dict[str, float]:
        return share(pd.Series([customer in customers for customer in sorted(of)]))


@MONTHS
def test_churn_and_retention(known: Known, row, month: str) -> None:
    base = Base(known, month)
    agree(row("churn_rate", month), base.share(base.lost, base.start))
    agree(row("retention_rate", month), base.share(base.end, base.start))
    assert row("churn_rate", month)["value"] + row("retention_rate", month)["value"] == pytest.approx(100, abs=1e-12)
    agree(row("churn_rate.count", month), {"value": len(base.lost)})
    agree(row("churn_rate.returned", month), {"value": len(base.interrupted & base.end)})
    agree(row("churn_rate.early", month), {"value": len(base.during - base.start - base.end)})
    for reason in ("voluntary", "payment"):
        gone = {customer for customer in base.lost if base.reasons[customer] == reason}
        agree(row(f"churn_rate.{reason}", month), base.share(gone, base.start))
    everybody = pd.Series(sorted(base.during))
    there, kept = everybody.isin(base.start).astype(float), everybody.isin(base.end).astype(float)
    agree(row("retention_rate.source_formula", month), ratio(kept - (1 - there), there, scale=100))


@MONTHS
def test_churn_over_a_year(known: Known, row, month: str) -> None:
    base = Base(known, month)
    rates = [len(base.lost) / len(base.start), *(limit / 100 for limit in wilson(len(base.lost), len(base.start)))]
    yearly = [100 * (1 - (1 - rate) ** 12) for rate in rates]
    agree(row("churn_rate.annualised", month), dict(zip(("value", "low", "high"), yearly, strict=True)))


@MONTHS
def test_churn_of_revenue(known: Known, row, month: str) -> None:
    base, (start, end) = Base(known, month), bounds(month)
    before, after = base.revenue(start), base.revenue(end)
    lost = (before - after.reindex(before.index).fillna(0)).clip(lower=0)
    agree(row("churn_rate.revenue", month), ratio(lost, before, scale=100) | {"n": len(before)})


@MONTHS
def test_churn_by_kind_of_customer(known: Known, row, month: str) -> None:
    base = Base(known, month)
    for member, rows in members(known.customers.loc[sorted(base.start)], "segment", "acquisition_channel"):
        agree(row("churn_rate", month, **member), base.share(base.lost, set(rows.index)))


def test_months_are_bounded_in_the_company_s_zone() -> None:
    assert bounds("2024-04")[1] - bounds("2024-04")[0] == pd.Timedelta(days=30)
    assert bounds("2024-03")[1] - bounds("2024-03")[0] == pd.Timedelta(days=31) - pd.Timedelta(hours=1)
    instants = pd.to_datetime(["2024-04-30T21:59:59Z", "2024-04-30T22:00:00Z"]).to_series().dt.tz_convert(ZONE)
    assert within(instants, "2024-05").tolist() == [False, True]

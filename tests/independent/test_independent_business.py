"""Customers, orders and leads, computed a second time from the sample company's files."""

import pandas as pd
import pytest
from by_hand import Figures, agree, cost_of_each, kaplan_meier, share
from known import ZONE, Known, bounds, by_day, members, within

MONTHS = pytest.mark.parametrize("month", ["2024-04", "2024-05"])
SAME_VISIT = pd.Timedelta(minutes=30)
MARKETING = ["media", "salary", "software"]
DAY = pd.Timedelta(days=1)
WATCHED_DAYS = 90


def plain(figures: Figures) -> Figures:
    """A figure without its limits."""
    return {name: figures[name] for name in ("value", "numerator", "denominator")}


def customers_during(known: Known, month: str) -> pd.DataFrame:
    """Customers with a subscription at any time of a month."""
    start, end = bounds(month)
    there = known.spells[(known.spells["start"] < end) & (known.spells["end"] > start)]
    return known.customers.loc[sorted(set(there["customer_id"]))]


def engagements(known: Known, month: str) -> pd.DataFrame:
    """What active customers did with the brand in a month; the pages of one visit are one."""
    rows = known.rows("engagement_events", "at").sort_values(["customer_id", "at"])
    pages = rows[rows["kind"] == "site_visit"]
    since = pages.groupby("customer_id")["at"].diff()
    rows["again"] = rows.index.isin(pages.index[since <= SAME_VISIT])
    rows = rows[within(rows["at"], month) & rows["customer_id"].isin(customers_during(known, month).index)]
    return rows.assign(day=rows["at"].dt.tz_convert(ZONE).dt.strftime("%Y-%m-%d"))


@MONTHS
def test_customer_engagement(known: Known, row, month: str) -> None:
    people, rows = customers_during(known, month), engagements(known, month)
    engaged = people.index.to_series().isin(set(rows["customer_id"]))
    agree(row("customer_engagement", month), share(engaged))
    for member, group in members(people, "segment", "country"):
        agree(row("customer_engagement", month, **member), share(engaged[group.index]))
    agree(row("customer_engagement.frequency", month), {"value": (~rows["again"]).sum() / engaged.sum()})
    each_day = rows.groupby("day")["customer_id"].nunique().sum() / pd.Period(month).days_in_month
    agree(row("customer_engagement.stickiness", month), {"value": 100 * each_day / engaged.sum()})


@MONTHS
def test_referral_rate(known: Known, row, month: str) -> None:
    won = known.customers[within(known.customers["first_paid_at"], month)]
    referred = won["referral_program"].notna()
    agree(row("referral_rate", month), share(referred))
    for member, group in members(won, "segment", "country"):
        agree(row("referral_rate", month, **member), share(referred[group.index]))
    agree(row("referral_rate.count", month), {"value": int(referred.sum())})
    active = sum(((known.spells["start"] <= at) & (known.spells["end"] > at)).sum() for at in bounds(month)) / 2
    agree(row("referral_rate.per_active", month), {"value": 100 * referred.sum() / active})


def orders(known: Known) -> pd.DataFrame:
    """Days on which a customer bought something that was not taken back, in order."""
    rows = known.rows("transactions", "occurred_at")
    rows = rows[rows["customer_id"].isin(known.customers.index)]
    back = rows[rows["kind"].isin(["refund", "chargeback"])].groupby("refunds_transaction_id")["amount"].sum()
    bought = rows[rows["kind"] == "purchase"]
    bought = bought.assign(
        net=bought["amount"] + bought["transaction_id"].map(back).fillna(0),
        day=bought["occurred_at"].dt.tz_convert(ZONE).dt.normalize(),
    )
    days = bought.groupby(["customer_id", "day"]).agg(net=("net", "sum"), at=("occurred_at", "min")).reset_index()
    days = days[days["net"].round(9) > 0].sort_values(["customer_id", "day"])
    return days.assign(earlier=days.groupby("customer_id").cumcount())


@MONTHS
def test_repeat_customer_rate(known: Known, row, month: str) -> None:
    bought = orders(known)
    latest = bought[within(bought["day"], month)].groupby("customer_id")["earlier"].max()
    agree(row("repeat_customer_rate", month), share(latest > 0))
    for member, group in members(known.customers.loc[latest.index], "segment", "country"):
        agree(row("repeat_customer_rate", month, **member), share((latest > 0)[group.index]))


@MONTHS
def test_second_order_within_ninety_days(known: Known, row, month: str) -> None:
    bought = orders(known)
    bought["next"] = bought.groupby("customer_id")["at"].shift(-1)
    first = bought[(bought["earlier"] == 0) & within(bought["day"], month)]
    waited = (first["next"].fillna(known.as_of) - first["at"]) / DAY
    curve = kaplan_meier(waited, first["next"].notna())
    agree(row("repeat_customer_rate.within_90_days", month), {"value": curve.at(WATCHED_DAYS)[0]})


def leads(known: Known) -> pd.DataFrame:
    """Leads without bots; of leads with one contact the first."""
    rows = known.rows("leads", "created_at")
    rows = rows[~rows["is_bot"]].sort_values(["created_at", "lead_id"])
    return rows[rows["contact_hash"].isna() | ~rows["contact_hash"].duplicated()]


@MONTHS
def test_cost_per_lead(known: Known, row, month: str) -> None:
    costs = known.costs(month, "acquisition")
    marketing = costs.loc[costs["category"].isin(MARKETING), "spent"].sum()
    created = leads(known)
    created = created[within(created["created_at"], month)]
    agree(row("cost_per_lead", month), cost_of_each(marketing, by_day(created["created_at"], month)))
    qualified = created[created["qualified_at"] <= known.as_of]
    agree(row("cost_per_lead.qualified", month), {"value": marketing / len(qualified)})
    converted = created["converted_at"].where(created["converted_at"] <= known.as_of)
    waited = (converted.fillna(known.as_of) - created["created_at"]) / DAY
    share_won = kaplan_meier(waited, converted.notna()).at(WATCHED_DAYS)[0]
    agree(row("cost_per_lead.conversion", month), {"value": share_won})

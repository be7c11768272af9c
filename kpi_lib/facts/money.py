"""Facts about money: what support, service and acquisition cost, and what customers bought."""

from datetime import date
from typing import Any

from kpi_lib.facts.customers import CUTS
from kpi_lib.facts.data import Data, fact
from kpi_lib.period import Period

RATES = ("currency", "fx", "acquisition.lag_months")


def _by_center(rows: Any, keys: list[str]) -> Any:
    return rows.group_by([*keys, "center"]).aggregate(amount=rows.amount.sum())


@fact(anchor="E", needs=("costs",), cuts=("center", "category", "channel"), summary=_by_center, params=RATES)
def cost_days(data: Data) -> Any:
    """One row per cost and period: the part of it that falls on the period's days, spread evenly over its own.

    Acquisition spend is that of the days `acquisition.lag_months` earlier.
    """
    import ibis

    costs = data.table("costs")
    rows = costs.mutate(money=data.money(costs.amount, costs.currency))
    first, last = _epoch_days(rows.period_start), _epoch_days(rows.period_end)
    rows = rows.mutate(first_day=first, last_day=last)
    parts = []
    for period in data.calendar.periods:
        earlier = _months_earlier(period, data.params.acquisition.lag_months)
        lagging = rows.center == "acquisition"
        begin = lagging.ifelse(_ordinal(earlier[0]), _ordinal(period.first_day))
        end = lagging.ifelse(_ordinal(earlier[1]), _ordinal(period.last_day))
        dated = rows.mutate(begin=begin, end=end)
        inside = dated.filter((dated.first_day <= dated.end) & (dated.last_day >= dated.begin))
        days = ibis.least(inside.last_day, inside.end) - ibis.greatest(inside.first_day, inside.begin) + 1
        share = days.cast("float64") / (inside.last_day - inside.first_day + 1).cast("float64").nullif(0.0)
        parts.append(inside.mutate(period=ibis.literal(str(period)), amount=inside.money * share))
    return ibis.union(*parts) if len(parts) > 1 else parts[0]


@fact(anchor="S", needs=("transactions",), cuts=CUTS, params=RATES[:2])
def customer_purchases(data: Data) -> Any:
    """One row per customer who had bought by the period's end: `value`, what it paid less what it got back."""
    import ibis

    transactions = data.table("transactions")
    rows = transactions.mutate(money=data.money(transactions.amount, transactions.currency))
    numbers = {str(period): number for number, period in enumerate(data.calendar.periods)}
    before = rows.filter(rows.occurred_at < ibis.literal(data.calendar.periods[0].bounds(data.calendar.zone)[0]))
    inside = data.timed(rows, rows.occurred_at)
    dated = before.select("customer_id", "kind", "money", number=ibis.literal(-1, "int64")).union(
        inside.select("customer_id", "kind", "money", number=inside.period.cases(*numbers.items()).cast("int64"))
    )
    dated = dated.group_by("customer_id", "number").aggregate(
        money=dated.money.sum(), purchases=(dated.kind == "purchase").sum()
    )
    periods = data.calendar.table.select("period")
    periods = periods.mutate(until=periods.period.cases(*numbers.items()).cast("int64"))
    joined = dated.join(periods, dated.number <= periods.until)
    rows = joined.group_by("customer_id", "period").aggregate(
        value=joined.money.sum(), purchases=joined.purchases.sum()
    )
    rows = rows.filter(rows.purchases > 0)
    if not data.has("customers"):
        return rows
    customers = data.table("customers")
    profile = customers.select(
        *CUTS, customer="customer_id", excluded=(customers.is_test | customers.is_staff).ifelse("test", None)
    )
    return rows.left_join(profile, rows.customer_id == profile.customer).drop("customer")


def _months_earlier(period: Period, months: int) -> tuple[date, date]:
    """Return first and last day of the months that lie `months` before those of the period."""
    first, last = (Period.containing(day).shift(-months) for day in (period.first_day, period.last_day))
    return first.first_day, last.last_day


def _ordinal(day: date) -> int:
    return day.toordinal() - 719163  # days since 1970


def _epoch_days(day: Any) -> Any:
    return day.cast("timestamp('UTC', 6)").epoch_seconds().cast("int64") // 86400

"""Facts about what customers bought: how often, how lately and for how much, up to the end of a period."""

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from kpi_lib.facts.buyers import LEAST_PAID
from kpi_lib.facts.calendar import epoch_day
from kpi_lib.facts.customers import CUTS, with_cohort, with_profile
from kpi_lib.facts.data import Data, fact
from kpi_lib.period import Period

HOLDOUT_MONTHS = 6
MOST_BY_DAY = 50_000  # customers of one part whose times are kept to the day; of more, to the week
BINS = 50.0  # of mean orders, for each factor of e


def _histories(rows: Any, keys: list[str]) -> Any:
    """Return customers grouped by how often and how lately they ordered, now and before the holdout, and by spend.

    `kind` tells the three apart. Spend is grouped in steps of 2 % of the mean order.
    """
    import ibis

    spenders = rows.filter((rows.frequency > 0) & (rows.spend > LEAST_PAID))
    log_spend = spenders.spend.ln()
    spenders = spenders.mutate(log_spend=log_spend, spend_bin=(log_spend * BINS).floor())
    spends = spenders.group_by([*keys, "frequency", "spend_bin"]).aggregate(
        customers=spenders.count(), amount=spenders.spend.sum(), other=spenders.log_spend.sum()
    )
    spends = spends.mutate(recency=ibis.literal(0.0), age=ibis.literal(0.0)).drop("spend_bin")
    now = _by_history(rows.mutate(amount=rows.first_order, other=rows.first_order * rows.first_order), keys)
    held = rows.select(
        *keys,
        **{name: rows[f"held_{name}"] for name in ("frequency", "recency", "age")},
        amount=rows.later.cast("float64"),
        other=ibis.literal(0.0),
    )
    columns = (*keys, "frequency", "recency", "age", "customers", "amount", "other")
    parts = {"orders": now, "holdout": _by_history(held, keys), "spend": spends}
    return ibis.union(*(part.select(*columns, kind=ibis.literal(kind)) for kind, part in parts.items()))


def _by_history(rows: Any, keys: list[str]) -> Any:
    import ibis

    rows = rows.filter(rows.frequency.notnull())
    step = (rows.count().over(ibis.window(group_by=keys)) > MOST_BY_DAY).ifelse(7, 1)
    rows = rows.mutate(step=step)
    rows = rows.mutate(recency=rows.recency // rows.step, age=rows.age // rows.step)
    groups = rows.group_by([*keys, "frequency", "recency", "age", "step"]).aggregate(
        customers=rows.count(), amount=rows.amount.sum(), other=rows.other.sum()
    )
    step = groups.step.cast("float64")
    middle = {name: groups[name].cast("float64") * step + (step - 1.0) * 0.5 for name in ("recency", "age")}
    return groups.mutate(**middle)


@fact(anchor="S", needs=("transactions",), cuts=(*CUTS, "cohort"), summary=_histories, params=("currency", "fx"))
def customer_purchases(data: Data) -> Any:
    """One row per customer who had bought by the period's end: `value`, what it paid less what it got back.

    An order is what was bought on a local day less what was given back of it, when something is left. `frequency` are
    the orders after the first, null without any; `recency` and `age` the days from the first to the last and to the
    period's end; `spend` the mean of the orders after the first. `held_*` is the same six months before the last
    period's end, and `later` how many orders came since. `cohort` is the month of the first purchase.
    """
    return data.shared("purchases so far", _purchases)


def _purchases(data: Data) -> Any:
    import ibis

    entries = data.shared("purchase_entries", _entries)
    ends, before = _ends(data)
    each = [_until(entries, end, before).mutate(period=ibis.literal(period)) for period, end in ends.items()]
    known = ("frequency", "recency", "age")
    held = _until(entries, before, before).select(
        held_customer="customer_id", held_period=ibis.literal([*ends][-1]), **{f"held_{name}": name for name in known}
    )
    rows = ibis.union(*each)
    same = (rows.customer_id == held.held_customer) & (rows.period == held.held_period)
    rows = rows.left_join(held, same).drop("held_customer", "held_period")
    return with_profile(data, with_cohort(data, rows))


def _until(entries: Any, end: int, before: int) -> Any:
    """Return one row per customer, of what was known on a day; `later` are orders since the day `before`.

    Each day by itself needs no more memory than one of them.
    """
    days = entries.filter((entries.booked <= end) & (entries.changed.isnull() | (entries.changed > end)))
    order = days.order_day.notnull() & (days.net > LEAST_PAID)
    days = days.mutate(kept=order.ifelse(days.order_day, None), unlinked=days.order_day.isnull().ifelse(days.net, 0.0))
    rows = days.group_by("customer_id").aggregate(
        value=days.net.sum(),
        purchases=days.purchases.sum(),
        unlinked=days.unlinked.sum(),
        first_since=days.first_at.min(),
        frequency=days.kept.count() - 1,
        first_day=days.kept.min(),
        last_day=days.kept.max(),
        first_order=days.net.argmin(days.kept),
        paid=days.net.sum(where=days.kept.notnull()),
        later=(days.kept > before).sum(),
    )
    rows = rows.filter(rows.purchases > 0)
    rows = rows.mutate(
        frequency=rows.frequency.nullif(-1), recency=rows.last_day - rows.first_day, age=end - rows.first_day
    ).drop("first_day", "last_day")
    again = rows.frequency > 0
    return rows.mutate(
        first_order=again.ifelse(rows.first_order, rows.first_order + rows.unlinked),
        spend=(rows.paid - rows.first_order + rows.unlinked) / rows.frequency.cast("float64").nullif(0.0),
    ).drop("unlinked", "paid")


def _entries(data: Data) -> Any:
    """Return what is left of each customer's order of a day, `booked` when it came to that and until it `changed`.

    Without an `order_day`: the money that belongs to no order.
    """
    import ibis

    rows = data.table("transactions")
    rows = rows.mutate(money=data.money(rows.amount, rows.currency), bought=rows.kind == "purchase")
    rows = data.calendar.dated(rows, rows.occurred_at)
    orders = rows.filter(rows.bought).select(order_of="transaction_id", order_on="day")
    rows = rows.left_join(orders, rows.refunds_transaction_id == orders.order_of)
    rows = rows.mutate(order_day=rows.bought.ifelse(rows.day, rows.order_on), booked=rows.day)
    days = rows.group_by("customer_id", "order_day", "booked").aggregate(
        money=rows.money.sum(), bought=rows.bought.sum(), at=rows.occurred_at.min(where=rows.bought)
    )
    order = ["customer_id", "order_day"]
    so_far = ibis.window(group_by=order, order_by="booked", preceding=None, following=0)
    return days.mutate(
        net=days.money.sum().over(so_far),
        purchases=days.bought.sum().over(so_far),
        first_at=days["at"].min().over(so_far),
        changed=days.booked.lead(1).over(ibis.window(group_by=order, order_by="booked")),
    ).drop("money", "bought", "at")


def _ends(data: Data) -> tuple[dict[str, int], int]:
    """Return the last known day of each period, and the one half a year before the last of them."""
    today = data.as_of.astimezone(ZoneInfo(data.calendar.zone)).date()
    last = {str(period): min(period.last_day, today) for period in data.calendar.periods}
    return {period: epoch_day(day) for period, day in last.items()}, epoch_day(_months_before([*last.values()][-1]))


def _months_before(day: date) -> date:
    """Return the day that lies `HOLDOUT_MONTHS` before; of an end of month the end of that month."""
    import pandas as pd

    month = Period.containing(day)
    if day == month.last_day:
        return month.shift(-HOLDOUT_MONTHS).last_day
    return (pd.Timestamp(day) - pd.DateOffset(months=HOLDOUT_MONTHS)).date()

"""Facts about customers: who was there, who left, who came, and for how long."""

from typing import Any

from kpi_lib.facts.calendar import whole_seconds
from kpi_lib.facts.data import Data, fact

CUTS = ("segment", "country", "acquisition_channel")
RATES = ("currency", "fx")
FAR = "2200-01-01T00:00:00+00:00"


@fact(
    anchor="X",
    needs=("subscriptions",),
    cuts=("plan", "segment", "country", "acquisition_channel", "tenure_band"),
    optional={"subscriptions.end_reason": ("left_for",)},
    params=RATES,
)
def customer_periods(data: Data) -> Any:
    """One row per customer and period in which it was active at any time.

    Active is to have a running subscription with a price; a gap of up to a day is none. `at_start` and `at_end` are the
    instants that bound the period.
    """
    import ibis

    spells = data.shared("customer_spells", _spells)
    periods = data.calendar.table
    rows = spells.join(
        periods, (spells.since <= periods.end) & (spells.until.isnull() | (spells.until > periods.start))
    )
    at_start = rows.since <= rows.start
    at_end = rows.until.isnull() | (rows.until > rows.end)
    inside = rows.since < rows.end
    rows = rows.mutate(starts=at_start, lasts=at_end, inside=inside)
    rows = rows.group_by("customer_id", "period").aggregate(
        at_start=rows.starts.sum() > 0,
        at_end=rows.lasts.sum() > 0,
        at_any_time=rows.inside.sum() > 0,
        spells=rows.inside.sum(),
        came=(~rows.starts & rows.inside).sum() > 0,
        left_for=rows.end_reason.max(where=rows.starts),
        start=rows.start.max(),
    )
    rows = rows.mutate(lost=rows.at_start & ~rows.at_end)
    rows = rows.left_join(data.shared("revenue", _revenue), ["customer_id", "period"]).drop(
        "customer_id_right", "period_right"
    )
    rows = rows.mutate(
        revenue_at_start=rows.revenue_at_start.fill_null(0.0),
        revenue_lost=ibis.greatest(rows.revenue_at_start.fill_null(0.0) - rows.revenue_at_end.fill_null(0.0), 0.0),
    )
    first = spells.group_by(first_of="customer_id").aggregate(first_since=spells.since.min())
    rows = rows.left_join(first, rows.customer_id == first.first_of).drop("first_of")
    days = (whole_seconds(rows.start) - whole_seconds(rows.first_since)) // 86400
    band = ibis.cases((days < 90, "1 under 3 months"), (days < 365, "2 under 1 year"), else_="3 over 1 year")
    rows = rows if data.has("subscriptions", "end_reason") else rows.drop("left_for")
    return _with_profile(data, rows.mutate(tenure_band=band))


@fact(anchor="E", needs=("customers",), cuts=(*CUTS, "referral_program"))
def customers_won(data: Data) -> Any:
    """One row per customer, when it first paid."""
    customers = data.table("customers")
    rows = customers.mutate(excluded=_insider(customers))
    return data.timed(rows, rows.first_paid_at)


def _tenures(rows: Any, keys: list[str]) -> Any:
    return rows.group_by([*keys, "tenure_days", "lost"]).aggregate(
        customers=rows.count(),
        active_at_start=rows.at_start.sum(),
        active_at_end=rows.at_end.sum(),
        revenue=rows.revenue_at_end.sum(),
        revenue_squares=(rows.revenue_at_end * rows.revenue_at_end).sum(),
    )


@fact(
    anchor="S",
    needs=("subscriptions",),
    cuts=("segment", "plan", "acquisition_channel", "country"),
    summary=_tenures,
    params=RATES,
)
def customer_histories(data: Data) -> Any:
    """One row per customer and period: its history up to the period's end.

    `tenure_days` runs from the first start to the end of the period, or to the last end of a customer who is `lost`;
    `revenue_at_end` is what it pays a month at the period's end.
    """
    spells = data.shared("customer_spells", _spells)
    rows = spells.join(data.calendar.table, spells.since <= data.calendar.table.end)
    at_start = (rows.since <= rows.start) & (rows.until.isnull() | (rows.until > rows.start))
    rows = rows.mutate(lasts=rows.until.isnull() | (rows.until > rows.end), starts=at_start)
    rows = rows.group_by("customer_id", "period").aggregate(
        first_since=rows.since.min(),
        last_until=rows.until.max(),
        end=rows.end.max(),
        at_start=rows.starts.sum() > 0,
        at_end=rows.lasts.sum() > 0,
    )
    watched = rows.at_end.ifelse(rows.end, rows.last_until)
    rows = rows.mutate(
        lost=~rows.at_end, tenure_days=(whole_seconds(watched) - whole_seconds(rows.first_since)) // 86400
    )
    rows = rows.left_join(data.shared("revenue", _revenue), ["customer_id", "period"]).drop(
        "customer_id_right", "period_right"
    )
    return _with_profile(data, rows.mutate(revenue_at_end=rows.revenue_at_end.fill_null(0.0)))


def _paying(data: Data) -> Any:
    """Return the subscriptions with a price."""
    rows = data.table("subscriptions")
    return rows.mutate(revenue=data.money(rows.mrr, rows.currency)).filter(rows.mrr > 0)


def _spells(data: Data) -> Any:
    """Return each customer's unbroken stretches of paying: `since`, `until` (null while running), `end_reason`."""
    import ibis

    rows = _paying(data)
    rows = rows.mutate(ends=rows.ended_at.fill_null(ibis.literal(FAR, "timestamp('UTC', 6)")))
    earlier = ibis.window(group_by="customer_id", order_by=["started_at", "subscription_id"], preceding=(None, 1))
    rows = rows.mutate(before=rows.ends.max().over(earlier))
    new = rows.before.isnull() | (rows.started_at > rows.before + ibis.interval(days=1))
    rows = rows.mutate(new=new.ifelse(1, 0))
    in_order = ibis.window(
        group_by="customer_id", order_by=["started_at", "subscription_id"], preceding=None, following=0
    )
    rows = rows.mutate(spell=rows.new.sum().over(in_order))
    whole = ibis.window(group_by=["customer_id", "spell"])
    rows = rows.mutate(spell_ends=rows.ends.max().over(whole))
    spells = rows.group_by("customer_id", "spell").aggregate(
        since=rows.started_at.min(),
        ends=rows.ends.max(),
        end_reason=rows.end_reason.max(where=rows.ends == rows.spell_ends),
    )
    still = spells.ends >= ibis.literal(FAR, "timestamp('UTC', 6)")
    return spells.mutate(until=still.ifelse(None, spells.ends))


def _revenue(data: Data) -> Any:
    """Return what each customer pays a month at the start and at the end of each period."""
    rows = _renewed(_paying(data))
    periods = data.calendar.table
    rows = rows.join(
        periods, (rows.started_at <= periods.end) & (rows.paid_until.isnull() | (rows.paid_until > periods.start))
    )
    at_start = (rows.started_at <= rows.start).ifelse(rows.revenue, 0.0)
    at_end = (rows.paid_until.isnull() | (rows.paid_until > rows.end)).ifelse(rows.revenue, 0.0)
    return rows.group_by("customer_id", "period").aggregate(
        revenue_at_start=at_start.sum(), revenue_at_end=at_end.sum()
    )


def _renewed(rows: Any) -> Any:
    """Return the subscriptions with `paid_until`: the end, or the next start of a customer who is away for a day."""
    import ibis

    starts = rows.select(starter="customer_id", next_start="started_at")
    ended = rows.filter(rows.ended_at.notnull())
    gaps = ended.join(
        starts,
        (ended.customer_id == starts.starter)
        & (starts.next_start > ended.ended_at)
        & (starts.next_start <= ended.ended_at + ibis.interval(days=1)),
    )
    gaps = gaps.group_by(renewed="subscription_id").aggregate(next_start=gaps.next_start.min())
    rows = rows.left_join(gaps, rows.subscription_id == gaps.renewed)
    return rows.mutate(paid_until=rows.next_start.fill_null(rows.ended_at)).drop("renewed", "next_start")


def _with_profile(data: Data, rows: Any) -> Any:
    """Add segment, country, acquisition channel, the plan of the latest subscription, and who is not to be counted."""
    import ibis

    subscriptions = data.table("subscriptions")
    latest_first = ibis.window(group_by="customer_id", order_by=[ibis.desc("started_at"), ibis.desc("subscription_id")])
    plans = subscriptions.mutate(back=ibis.row_number().over(latest_first))
    plans = plans.filter(plans.back == 0).select(plan_of="customer_id", plan="plan")
    rows = rows.left_join(plans, rows.customer_id == plans.plan_of).drop("plan_of")
    if not data.has("customers"):
        return rows
    customers = data.table("customers")
    profile = customers.select(*CUTS, customer="customer_id", excluded=_insider(customers))
    return rows.left_join(profile, rows.customer_id == profile.customer).drop("customer")


def _insider(customers: Any) -> Any:
    return (customers.is_test | customers.is_staff).ifelse("test", None)

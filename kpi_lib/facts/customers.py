"""Facts about customers: who was there, who left, who came, and for how long."""

from typing import Any

from kpi_lib.facts.calendar import INSTANT, epoch_day, whole_seconds
from kpi_lib.facts.data import Data, fact
from kpi_lib.facts.ticket_history import plain_tickets, with_plan

CUTS = ("segment", "country", "acquisition_channel")
RATES = ("currency", "fx")
PAYING = (*RATES, "thresholds.payment_grace_days")
FAR = "2200-01-01T00:00:00+00:00"
SAME_VISIT_SECONDS = 30 * 60
TICKET_DAYS = 30


@fact(
    anchor="X",
    needs=("subscriptions",),
    cuts=("plan", "segment", "country", "acquisition_channel", "tenure_band", "cohort", "had_ticket"),
    optional={
        "subscriptions.end_reason": ("left_for",),
        "engagement_events": ("engaged", "engagements", "active_day_share"),
        "tickets": ("had_ticket",),
    },
    params=PAYING,
)
def customer_periods(data: Data) -> Any:
    """One row per customer and period in which it was active at any time.

    Active is to have a running subscription with a price; a gap of up to a day is none. `at_start` and `at_end` are the
    instants that bound the period. `had_ticket` is said of the 30 days before the period; engagement of the period.
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
    rows = _with_engagement(data, rows) if data.has("engagement_events") else rows
    rows = _with_ticket(data, rows) if data.has("tickets") else rows
    return with_plan(data, with_profile(data, with_cohort(data, rows.mutate(tenure_band=band))))


@fact(
    anchor="E",
    needs=("customers",),
    cuts=(*CUTS, "referral_program"),
    optional={"customers.referral_program": ("referral_program", "referred")},
)
def customers_won(data: Data) -> Any:
    """One row per customer, when it first paid; who refers itself is not `referred`."""
    customers = data.table("customers")
    itself = (customers.referrer_customer_id == customers.customer_id).fill_null(False)
    rows = customers.mutate(excluded=_insider(customers), referred=customers.referral_program.notnull() & ~itself)
    rows = rows if data.has("customers", "referral_program") else rows.drop("referral_program", "referred")
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
    cuts=("segment", "plan", "acquisition_channel", "cohort", "country"),
    summary=_tenures,
    params=PAYING,
)
def customer_histories(data: Data) -> Any:
    """One row per customer and period: its history up to the period's end, or to the extract if that is earlier.

    `tenure_days` runs from the first start to the end of the period, or to the last end of a customer who is `lost`;
    `revenue_at_end` is what it pays a month at the period's end; `cohort` is the month of the first start.
    """
    import ibis

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
    seen = ibis.least(rows.end, ibis.literal(data.as_of, INSTANT))
    watched = rows.at_end.ifelse(seen, rows.last_until)
    rows = rows.mutate(
        lost=~rows.at_end, tenure_days=(whole_seconds(watched) - whole_seconds(rows.first_since)) // 86400
    )
    rows = rows.left_join(data.shared("revenue", _revenue), ["customer_id", "period"]).drop(
        "customer_id_right", "period_right"
    )
    rows = with_cohort(data, rows.mutate(revenue_at_end=rows.revenue_at_end.fill_null(0.0)))
    return with_plan(data, with_profile(data, rows))


def _paying(data: Data) -> Any:
    """Return the subscriptions with a price; one that ended for a failed payment ends when its grace days are over."""
    rows = data.table("subscriptions")
    rows = rows.mutate(revenue=data.money(rows.mrr, rows.currency)).filter(rows.mrr > 0)
    grace = data.params.thresholds.payment_grace_days
    return _with_grace(rows, grace, data) if grace else rows


def _with_grace(rows: Any, days: int, data: Data) -> Any:
    """Move the ends for a failed payment: to the end of the grace days, or the customer's next start within them.

    While the grace days run at the time of the extract, the subscription has not ended.
    """
    import ibis

    failed = rows.filter(rows.end_reason == "payment").mutate(over=rows.ended_at + ibis.interval(days=days))
    starts = rows.select(starter="customer_id", next_start="started_at")
    again = failed.left_join(
        starts,
        (failed.customer_id == starts.starter)
        & (starts.next_start >= failed.ended_at)
        & (starts.next_start < failed.over),
    )
    moved = again.group_by(failed="subscription_id", over="over").aggregate(next_start=again.next_start.min())
    moved = moved.select("failed", over=moved.next_start.fill_null(moved.over))
    rows = rows.left_join(moved, rows.subscription_id == moved.failed)
    over = (rows.over > ibis.literal(data.as_of, INSTANT)).ifelse(None, rows.over)
    return rows.mutate(ended_at=rows.failed.isnull().ifelse(rows.ended_at, over)).drop("failed", "over")


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


def _with_engagement(data: Data, rows: Any) -> Any:
    """Add what each customer did with us in each period; `active_day_share` is over the days that have ended."""
    import ibis

    events = data.table("engagement_events")
    events = events.mutate(visit=events.kind == "site_visit")
    before = ibis.window(group_by=["customer_id", "visit"], order_by=["at", "event_id"])
    pause = whole_seconds(events.at) - whole_seconds(events.at.lag(1).over(before))
    events = events.mutate(session=~events.visit | (pause > SAME_VISIT_SECONDS).fill_null(True))
    timed = data.timed(events, events.at)
    days = timed.group_by("customer_id", "period", "day").aggregate(sessions=timed.session.sum())
    ended = {str(period): data.calendar.days(period) for period in data.calendar.periods}
    last, count = (
        days.period.cases(*((name, of(known)) for name, known in ended.items()))
        for of in (lambda known: epoch_day(known[-1]), len)
    )
    days = days.mutate(share=(days.day <= last).ifelse(1.0, 0.0) / count.cast("float64").nullif(0.0))
    done = days.group_by("customer_id", "period").aggregate(
        engagements=days.sessions.sum(), active_day_share=days.share.sum()
    )
    rows = rows.left_join(done, ["customer_id", "period"]).drop("customer_id_right", "period_right")
    return rows.mutate(engaged=rows.engagements.notnull())


def _with_ticket(data: Data, rows: Any) -> Any:
    """Add whether a customer had asked for help in the days before the period."""
    import ibis

    tickets, periods = plain_tickets(data), data.calendar.table
    asked = tickets.filter(tickets.excluded.isnull() & tickets.by_customer & tickets.customer_id.notnull())
    asked = asked.select(asker="customer_id", asked_at="created_at")
    near = asked.join(
        periods,
        (asked.asked_at < periods.start) & (asked.asked_at >= periods.start - ibis.interval(days=TICKET_DAYS)),
    )
    near = near.select("asker", asked_before="period").distinct()
    rows = rows.left_join(near, (rows.customer_id == near.asker) & (rows.period == near.asked_before))
    return rows.mutate(had_ticket=rows.asker.notnull().ifelse("yes", "no")).drop("asker", "asked_before")


def with_cohort(data: Data, rows: Any) -> Any:
    """Add the local month of each customer's first start."""
    return data.calendar.with_month(rows, rows.first_since, "cohort")


def with_profile(data: Data, rows: Any) -> Any:
    """Add segment, country and acquisition channel of each customer, and who is not to be counted."""
    if not data.has("customers"):
        return rows
    customers = data.table("customers")
    profile = customers.select(*CUTS, customer="customer_id", excluded=_insider(customers))
    return rows.left_join(profile, rows.customer_id == profile.customer).drop("customer")


def _insider(customers: Any) -> Any:
    return (customers.is_test | customers.is_staff).ifelse("test", None)

"""Facts about tickets. Their state at any instant is rebuilt from ticket_events, never read from a status column."""

from datetime import timedelta
from typing import Any

from kpi_lib.facts.calendar import whole_seconds
from kpi_lib.facts.data import Data, fact

CUTS = ("channel", "type", "issue", "priority", "team", "tier", "product", "segment", "country", "weekday", "hour")
FROM_EVENTS = (
    "first_reply_at",
    "last_reply_at",
    "replies",
    "assigned",
    "level_2_at",
    "level_3_at",
    "escalated_at",
    "first_resolved_at",
    "resolved_at",
    "resolved_by",
    "had_resolved_event",
    "reopened_at",
    "pending_seconds",
    "given_up",
    "followed_up",
    "watched",
    "switched",
    "live",
)
TRACKING = {"ticket_events.handle_seconds": ("handle_seconds",)}
EVENTS = {"ticket_events": FROM_EVENTS} | TRACKING
DONE = ("resolved", "closed")
UNKNOWN_LEVEL = 99
FOLLOW_UP = ("thresholds.first_contact_days",)


@fact(anchor="C", needs=("tickets",), cuts=CUTS, optional=EVENTS, params=FOLLOW_UP)
def tickets_created(data: Data) -> Any:
    """One row per valid customer-initiated ticket, at its creation."""
    return data.timed(by_customers(tickets(data)), tickets(data).created_at)


@fact(anchor="E", needs=("tickets", "ticket_events"), cuts=(*CUTS, "resolved_by"), optional=TRACKING, params=FOLLOW_UP)
def tickets_resolved(data: Data) -> Any:
    """One row per valid ticket, at its final resolution: the last one that no reopening followed."""
    return data.timed(tickets(data), tickets(data).resolved_at)


@fact(anchor="E", needs=("tickets", "ticket_events"), cuts=CUTS)
def tickets_replied(data: Data) -> Any:
    """One row per valid customer-initiated ticket, at the first reply by a person."""
    return data.timed(by_customers(tickets(data)), tickets(data).first_reply_at)


@fact(
    anchor="E",
    needs=("tickets or calls",),
    cuts=("channel", "type", "priority", "team", "segment", "country", "weekday", "hour"),
    optional={"calls": ("offered",)},
    params=("hours.days", "hours.holidays"),
)
def contacts(data: Data) -> Any:
    """One row per request: a valid customer-initiated ticket, or an inbound call not linked to one.

    Calls that were abandoned in the queue are in it with `answered` false.
    """
    import ibis

    said = ("type", "priority", "team")
    columns = ("period", "day", "weekday", "hour", "channel", *said, "segment", "country", "excluded", "answered")
    parts = []
    if data.has("tickets"):
        rows = by_customers(tickets(data)).mutate(answered=ibis.literal(True))
        parts.append(data.timed(rows, rows.created_at).select(columns))
    if data.has("calls"):
        calls = data.fact("calls_offered")
        unlinked = calls.filter(calls.ticket_id.isnull())
        parts.append(unlinked.mutate(**{name: ibis.null("string") for name in said}).select(columns))
    rows = ibis.union(*parts) if len(parts) > 1 else parts[0]
    return rows.mutate(offered=ibis.literal(True)) if data.has("calls") else rows


@fact(
    anchor="S",
    needs=("tickets", "ticket_events"),
    cuts=("channel", "type", "priority", "team", "segment", "status", "age_band", "country"),
)
def open_at_end(data: Data) -> Any:
    """One row per ticket and period at whose end it was open, with its age then."""
    import ibis

    spells = open_spells(data)
    rows = spells.filter(spells.at_end)
    hours = (rows.end_seconds - whole_seconds(rows.created_at)) // 3600
    band = ibis.cases(
        (hours < 24, "under 1 day"), (hours < 72, "1 to 3 days"), (hours < 168, "3 to 7 days"), else_="over 7 days"
    )
    return rows.mutate(age_hours=hours, age_band=band)


@fact(
    anchor="S", needs=("tickets", "ticket_events"), cuts=("channel", "type", "priority", "team", "segment", "country")
)
def open_spells(data: Data) -> Any:
    """One row per stretch of a ticket in one open state and period that it touches.

    `opened` and `closed` tell that the ticket became open, or was resolved, in the period by this stretch; `day_ends`
    how many local midnights that end a day of the period it was open at.
    """
    states = data.shared("ticket_states", _states)
    periods = data.calendar.table
    rows = states.join(
        periods,
        (states.since < periods.end) & (states.until.isnull() | (states.until >= periods.start)),
    )
    start, end = whole_seconds(rows.start), whole_seconds(rows.end)
    since, until = whole_seconds(rows.since), whole_seconds(rows.until)
    rows = rows.mutate(
        end_seconds=end,
        at_end=rows.until.isnull() | (rows.until >= rows.end),
        opened=rows.became_open & (since >= start),
        closed=(rows.becomes_done & (until < end)).fill_null(False),
    )
    midnights = _midnights(data)
    spent = rows.join(
        midnights,
        (rows.period == midnights.of_period)
        & (rows.since < midnights.midnight)
        & (rows.until.isnull() | (rows.until >= midnights.midnight)),
    )
    counted = spent.group_by("period", "ticket_id", "state_number").aggregate(day_ends=spent.count())
    joined = rows.left_join(counted, ["period", "ticket_id", "state_number"])
    return joined.mutate(day_ends=joined.day_ends.fill_null(0)).drop(
        "period_right", "ticket_id_right", "state_number_right"
    )


def tickets(data: Data) -> Any:
    """Return one wide row per ticket: its customer, why it is excluded, and what its events say, computed once."""
    return data.shared("tickets", _wide)


def plain_tickets(data: Data) -> Any:
    """Return one row per ticket with its customer and why it is excluded, without what its events say."""
    return data.built("plain tickets", _plain)


def by_customers(rows: Any) -> Any:
    """Return the rows with those that customers did not initiate excluded."""
    return rows.mutate(
        excluded=rows.by_customer.ifelse(rows.excluded, rows.excluded.fill_null("not initiated by a customer"))
    )


def with_customer(data: Data, rows: Any) -> Any:
    """Return the rows with their customer's `segment`, `country` and `is_insider` (a test or staff customer)."""
    import ibis

    if not data.has("customers"):
        return rows.mutate(segment=ibis.null("string"), country=ibis.null("string"), is_insider=ibis.literal(False))
    customers = data.table("customers")
    known = customers.select(
        customer="customer_id",
        segment="segment",
        country="country",
        insider=customers.is_test | customers.is_staff,
    )
    joined = rows.left_join(known, rows.customer_id == known.customer)
    return joined.mutate(is_insider=joined.insider.fill_null(False)).drop("customer", "insider")


def _wide(data: Data) -> Any:
    rows = plain_tickets(data)
    if not data.has("ticket_events"):
        return rows
    ends = _summary_of_statuses(data).cache()
    return _with_follow_up(data, _with_events(data, rows, ends), ends)


def _plain(data: Data) -> Any:
    import ibis

    rows = with_customer(data, data.table("tickets"))
    reasons = (
        (rows.is_test | rows.is_insider, "test"),
        (rows.is_deleted, "deleted"),
        (rows.is_spam, "spam"),
        (rows.merged_into_id.notnull(), "merged into another"),
    )
    return rows.mutate(
        excluded=ibis.cases(*reasons, else_=None),
        by_customer=rows.initiated_by == "customer",
        issue=rows.type.fill_null(rows.problem_id),
        tier=rows.tier.cast("string"),
        level=rows.tier,
    )


def _with_events(data: Data, rows: Any, ends: Any) -> Any:
    import ibis

    events = data.table("ticket_events")
    reply = (events.kind == "public_reply") & (events.actor == "agent")
    escalation = events.kind == "escalate"
    level = (
        escalation.ifelse(events.to_value, None).try_cast("int64")
        if _can_try(events)
        else events.to_value.cast("int64")
    )
    said = (events.kind == "customer_message") & events.channel.notnull()
    summary = events.group_by(of_ticket=events.ticket_id).aggregate(
        first_reply_at=events.at.min(where=reply),
        last_reply_at=events.at.max(where=reply),
        replies=events.count(where=reply),
        assigned=(events.kind == "assign").sum() > 0,
        escalated_at=events.at.min(where=escalation),
        level_2_at=events.at.min(where=escalation & (level >= 2)),
        level_3_at=events.at.min(where=escalation & (level >= 3)),
        lowest_escalation=level.min(where=escalation),
        **({"handle_seconds": events.handle_seconds.sum()} if data.has("ticket_events", "handle_seconds") else {}),
        lowest_channel=events.channel.min(where=said),
        highest_channel=events.channel.max(where=said),
    )
    joined = rows.left_join(summary, rows.ticket_id == summary.of_ticket).drop("of_ticket")
    joined = joined.left_join(ends, joined.ticket_id == ends.status_of).drop("status_of")
    other = (joined.lowest_channel != joined.channel) | (joined.highest_channel != joined.channel)
    live = ibis.literal(False)
    if data.has("calls"):
        calls = data.table("calls")
        linked = (
            calls.filter(calls.ticket_id.notnull() & (calls.direction == "inbound"))
            .group_by(linked_to="ticket_id")
            .aggregate(
                lowest_call=calls.channel.min(),
                highest_call=calls.channel.max(),
                answered_at=calls.offered_at.min(where=calls.outcome == "answered"),
            )
        )
        joined = joined.left_join(linked, joined.ticket_id == linked.linked_to).drop("linked_to")
        other = (
            other.fill_null(False) | (joined.lowest_call != joined.channel) | (joined.highest_call != joined.channel)
        )
        live = (joined.answered_at <= joined.created_at).fill_null(False)
    began = ibis.least(joined.level.fill_null(UNKNOWN_LEVEL), (joined.lowest_escalation - 1).fill_null(UNKNOWN_LEVEL))
    return joined.mutate(
        level=began.nullif(UNKNOWN_LEVEL),  # exports often hold the tier a ticket has reached, not where it began
        replies=joined.replies.fill_null(0),
        assigned=joined.assigned.fill_null(False),
        switched=other.fill_null(False),
        live=live,
    )


def _can_try(events: Any) -> bool:
    return events.get_backend().name in ("duckdb", "pyspark")


def _statuses(data: Data) -> Any:
    """Return each status event, numbered, with whether it resolves or reopens its ticket and until when it holds."""
    import ibis

    events = data.table("ticket_events")
    rows = events.filter((events.kind == "status") & events.to_value.notnull())
    in_order = ibis.window(group_by="ticket_id", order_by=["at", "event_id"])
    rows = rows.mutate(
        done=rows.to_value.isin(DONE),
        before=rows.to_value.lag(1).over(in_order).fill_null("open"),
        until=rows.at.lead(1).over(in_order),
        number=ibis.row_number().over(in_order),
    )
    was_done = rows.before.isin(DONE)
    kept = ("ticket_id", "at", "number", "to_value", "actor", "before", "until")
    return rows.select(*kept, resolution=rows.done & ~was_done, reopening=~rows.done & was_done)


def _summary_of_statuses(data: Data) -> Any:
    import ibis

    rows = data.shared("statuses", _statuses)
    unattended = rows.actor.isin(("system", "bot")) & (rows.before == "pending")
    pending = whole_seconds(rows.until.fill_null(ibis.literal(data.as_of, "timestamp('UTC', 6)"))) - whole_seconds(
        rows.at
    )
    summary = rows.group_by(status_of="ticket_id").aggregate(
        first_resolved_at=rows.at.min(where=rows.resolution),
        last_resolved_at=rows.at.max(where=rows.resolution),
        resolutions=rows.resolution.sum(),
        reopenings=rows.reopening.sum(),
        reopened_at=rows.at.min(where=rows.reopening),
        had_resolved_event=(rows.to_value == "resolved").sum() > 0,
        pending_seconds=(rows.to_value == "pending").ifelse(pending, 0).sum(),
        resolved_by=rows.actor.argmax(rows.number, where=rows.resolution),
        given_up=unattended.argmax(rows.number, where=rows.resolution),
    )
    is_done = summary.resolutions > summary.reopenings
    return summary.mutate(
        resolved_at=is_done.ifelse(summary.last_resolved_at, None),
        resolved_by=is_done.ifelse(summary.resolved_by, None),
        given_up=is_done & summary.given_up.fill_null(False),
    ).drop("last_resolved_at", "resolutions", "reopenings")


def _with_follow_up(data: Data, rows: Any, ends: Any) -> Any:
    """Add whether the same customer came back on the same issue within the days of first contact resolution.

    `watched` is false where these days have not passed since the resolution.
    """
    import ibis

    days = data.params.thresholds.first_contact_days
    plain = plain_tickets(data)
    plain = plain.filter(plain.customer_id.notnull()).mutate(topic=plain.issue.fill_null(""))
    valid = plain.filter(plain.excluded.isnull() & plain.by_customer)
    later = valid.select(later_customer="customer_id", later_topic="topic", later_at="created_at")
    resolved = ends.filter(ends.resolved_at.notnull()).select("resolved_at", ticket="status_of")
    ended = plain.inner_join(resolved, plain.ticket_id == resolved.ticket)
    ended = ended.select("ticket_id", "customer_id", "topic", "resolved_at")
    followed = ended.join(
        later,
        (ended.customer_id == later.later_customer)
        & (ended.topic == later.later_topic)
        & (later.later_at > ended.resolved_at)
        & (later.later_at <= ended.resolved_at + ibis.interval(days=days)),
    )
    followed = followed.select(followed_ticket="ticket_id").distinct()
    joined = rows.left_join(followed, rows.ticket_id == followed.followed_ticket)
    seen = ibis.literal(data.as_of - timedelta(days=days), "timestamp('UTC', 6)")
    return joined.mutate(
        followed_up=joined.followed_ticket.notnull(), watched=(joined.resolved_at <= seen).fill_null(True)
    ).drop("followed_ticket")


def _states(data: Data) -> Any:
    """Return each stretch of a ticket in one open state: `since`, `until`, and whether it begins or ends openness."""
    import ibis

    rows = tickets(data)
    kept = ("ticket_id", "created_at", "channel", "type", "priority", "team", "segment", "country", "excluded")
    statuses = data.shared("statuses", _statuses)
    first = rows.select("ticket_id", at="created_at", number=ibis.literal(-1, "int64"), status=ibis.literal("open"))
    states = first.union(statuses.select("ticket_id", "at", "number", status="to_value"))
    in_order = ibis.window(group_by="ticket_id", order_by=["at", "number"])
    states = states.mutate(
        until=states.at.lead(1).over(in_order),
        then=states.status.lead(1).over(in_order),
        before=states.status.lag(1).over(in_order),
        state_number=ibis.row_number().over(in_order),
    )
    states = states.filter(~states.status.isin(DONE)).mutate(
        became_open=states.before.fill_null("closed").isin(DONE), becomes_done=states.then.fill_null("open").isin(DONE)
    )
    states = states.select("ticket_id", "until", "status", "became_open", "becomes_done", "state_number", since="at")
    return states.inner_join(rows.select(*kept), "ticket_id")


def _midnights(data: Data) -> Any:
    """Return the instant at which each day of each period ends, as far as the data reaches."""
    import ibis
    import pandas as pd

    from kpi_lib.period import midnight

    rows = []
    for period in data.calendar.periods:
        for number in range((period.last_day - period.first_day).days + 1):
            day = period.first_day + pd.Timedelta(days=number + 1)
            rows.append({"of_period": str(period), "midnight": midnight(day, data.calendar.zone)})
    frame = pd.DataFrame(rows)
    frame = frame[frame["midnight"] <= data.as_of]
    return data.built(
        "midnights", lambda _: ibis.memtable(frame, schema={"of_period": "string", "midnight": "timestamp('UTC', 6)"})
    )

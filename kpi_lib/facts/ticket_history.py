"""What is known of each ticket: its customer, why it is excluded, and what its events say, computed once."""

from datetime import timedelta
from typing import Any

from kpi_lib.engine import computed
from kpi_lib.facts.calendar import whole_seconds
from kpi_lib.facts.data import Data

DONE = ("resolved", "closed")
UNKNOWN_LEVEL = 99
IN_ORDER = ["place", "at", "event_id"]  # of words
# columns that others have been made of: a table of many tickets is kept without them
SAID_ELSEWHERE = ("initiated_by", "is_spam", "is_test", "is_deleted", "is_insider", "left_out", "loaded_at")
EXTREMES = ("lowest_escalation", "lowest_channel", "highest_channel")
OF_CALLS = ("lowest_call", "highest_call", "answered_at")


def tickets(data: Data) -> Any:
    """Return one wide row per ticket: its customer, why it is excluded, and what its events say, computed once."""
    return data.shared("tickets", _wide)


def plain_tickets(data: Data) -> Any:
    """Return one row per ticket with its customer and why it is excluded, without what its events say."""
    return data.shared("plain tickets", _plain)


def with_customer(data: Data, rows: Any) -> Any:
    """Return the rows with `segment`, `country` and `plan` of their customer and `is_insider`: a test or staff one."""
    import ibis

    rows = with_plan(data, rows)
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


def with_plan(data: Data, rows: Any) -> Any:
    """Return the rows with the `plan` of their customer's latest subscription."""
    import ibis

    if not data.has("subscriptions"):
        return rows.mutate(plan=ibis.null("string"))
    latest_first = ibis.window(group_by="customer_id", order_by=[ibis.desc("started_at"), ibis.desc("subscription_id")])
    plans = data.table("subscriptions").mutate(back=ibis.row_number().over(latest_first))
    plans = plans.filter(plans.back == 0).select(plan_of="customer_id", plan="plan")
    return rows.left_join(plans, rows.customer_id == plans.plan_of).drop("plan_of")


def _wide(data: Data) -> Any:
    """Join what events say first, which is narrow, and the tickets' many columns last.

    Each step is computed by itself: all at once would need more memory than many tickets leave, and be spilled to disk.
    """
    rows = plain_tickets(data)
    if not data.has("ticket_events"):
        return rows
    ends = computed(_summary_of_statuses(data))
    said = computed(_summary_of_events(data))
    for of_some in (ends, computed(_contacts_after(data, ends)), computed(_assignees(data, ends))):
        said = said.left_join(of_some, said.of_ticket == of_some.ticket).drop("ticket")
    said = computed(said)
    return _with_said(data, rows.left_join(said, rows.ticket_id == said.of_ticket).drop("of_ticket"))


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
    ).drop(*SAID_ELSEWHERE)


def _summary_of_events(data: Data) -> Any:
    events = data.table("ticket_events")
    reply = (events.kind == "public_reply") & (events.actor == "agent")
    escalation = events.kind == "escalate"
    level = (
        escalation.ifelse(events.to_value, None).try_cast("int64")
        if _can_try(events)
        else events.to_value.cast("int64")
    )
    said = (events.kind == "customer_message") & events.channel.notnull()
    return events.group_by(of_ticket=events.ticket_id).aggregate(
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


def _with_said(data: Data, rows: Any) -> Any:
    """Return tickets joined with what their events say, with what follows from both and from their calls."""
    import ibis

    other = (rows.lowest_channel != rows.channel) | (rows.highest_channel != rows.channel)
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
        rows = rows.left_join(linked, rows.ticket_id == linked.linked_to).drop("linked_to")
        other = other.fill_null(False) | (rows.lowest_call != rows.channel) | (rows.highest_call != rows.channel)
        live = (rows.answered_at <= rows.created_at).fill_null(False)
    began = ibis.least(rows.level.fill_null(UNKNOWN_LEVEL), (rows.lowest_escalation - 1).fill_null(UNKNOWN_LEVEL))
    seen = ibis.literal(data.as_of - timedelta(days=data.params.thresholds.first_contact_days), "timestamp('UTC', 6)")
    return rows.mutate(
        level=began.nullif(UNKNOWN_LEVEL),  # exports often hold the tier a ticket has reached, not where it began
        replies=rows.replies.fill_null(0),
        assigned=rows.assigned.fill_null(False),
        switched=other.fill_null(False),
        live=live,
        followed_up=rows.followed_up.fill_null(False),
        watched=(rows.resolved_at <= seen).fill_null(True),
    ).drop(*EXTREMES, *(OF_CALLS if data.has("calls") else ()))


def _can_try(events: Any) -> bool:
    return events.get_backend().name in ("duckdb", "pyspark")


def statuses(data: Data) -> Any:
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

    rows = data.shared("statuses", statuses)
    unattended = rows.actor.isin(("system", "bot")) & (rows.before == "pending")
    pending = whole_seconds(rows.until.fill_null(ibis.literal(data.as_of, "timestamp('UTC', 6)"))) - whole_seconds(
        rows.at
    )
    summary = rows.group_by(ticket="ticket_id").aggregate(
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


def _assignees(data: Data, ends: Any) -> Any:
    """Return whom each resolved ticket was assigned to at its final resolution; null when it had been taken away."""
    import ibis

    events = data.table("ticket_events")
    rows = events.filter(events.kind == "assign")
    resolved = ends.filter(ends.resolved_at.notnull()).select("ticket", "resolved_at")
    rows = rows.inner_join(resolved, rows.ticket_id == resolved.ticket)
    latest_first = ibis.window(group_by="ticket_id", order_by=[ibis.desc("at"), ibis.desc("event_id")])
    rows = rows.filter(rows.at <= rows.resolved_at).mutate(back=ibis.row_number().over(latest_first))
    return rows.filter(rows.back == 0).select("ticket", agent="to_value")


def _contacts_after(data: Data, ends: Any) -> Any:
    """Return whether and when the same customer came back after a ticket's final resolution.

    `followed_up` is a new ticket on the same issue within the days of first contact resolution; `next_contact_at` is
    the next ticket of the same type, within the days of a repeat.
    """
    import ibis

    limits = data.params.thresholds
    plain = plain_tickets(data)
    plain = plain.filter(plain.customer_id.notnull())
    valid = plain.filter(plain.excluded.isnull() & plain.by_customer)
    later = valid.select(later_customer="customer_id", later_issue="issue", later_type="type", later_at="created_at")
    resolved = ends.filter(ends.resolved_at.notnull()).select("ticket", "resolved_at")
    ended = plain.inner_join(resolved, plain.ticket_id == resolved.ticket)
    ended = ended.select("ticket", "customer_id", "issue", "type", "resolved_at")
    longest = ibis.interval(days=max(limits.first_contact_days, limits.repeat_contact_days))
    next_ones = ended.join(
        later,
        (ended.customer_id == later.later_customer)
        & (later.later_at > ended.resolved_at)
        & (later.later_at <= ended.resolved_at + longest),
    )
    on_issue = next_ones.issue.fill_null("") == next_ones.later_issue.fill_null("")
    soon = next_ones.later_at <= next_ones.resolved_at + ibis.interval(days=limits.first_contact_days)
    in_time = next_ones.later_at <= next_ones.resolved_at + ibis.interval(days=limits.repeat_contact_days)
    of_type = next_ones.type.fill_null("") == next_ones.later_type.fill_null("")
    return next_ones.group_by("ticket").aggregate(
        followed_up=(on_issue & soon).sum() > 0,
        next_contact_at=next_ones.later_at.min(where=of_type & in_time),
    )


def words(data: Data, tickets: Any) -> Any:
    """Return what customers and people said to each other: `ticket_id, at`, `ours` or the customer's.

    `tickets` are those whose creation is a word, each once, with `by_customer` and `created_at`. The customer's
    creation of a ticket is the first word, even if a reply seems to be a moment earlier; `place` and `event_id` put the
    words of a ticket in order. What bots and systems say is none. Words in a ticket that has been merged belong to the
    one it was merged into from then on; if that is merged too, they stay there.
    """
    import ibis

    events = _after_merges(data, data.table("ticket_events"))
    theirs = (events.kind == "customer_message") & (events.actor == "customer")
    ours = (events.kind == "public_reply") & (events.actor == "agent")
    later = events.mutate(ours=ours, place=ibis.literal(1, "int64")).filter(theirs | ours)
    first = tickets.filter(tickets.by_customer).select("ticket_id", at="created_at")
    first = first.mutate(ours=ibis.literal(False), place=ibis.literal(0, "int64"), event_id=ibis.literal(""))
    columns = ("ticket_id", "at", "ours", "place", "event_id")
    return later.select(columns).union(first.select(columns))


def _after_merges(data: Data, events: Any) -> Any:
    tickets = data.table("tickets")
    merged = tickets.select("merged_at", "merged_into_id", secondary="ticket_id").filter(tickets.merged_at.notnull())
    events = events.left_join(merged, (events.ticket_id == merged.secondary) & (events.at >= merged.merged_at))
    return events.mutate(ticket_id=events.merged_into_id.fill_null(events.ticket_id))

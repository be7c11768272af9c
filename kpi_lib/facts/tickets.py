"""Facts about tickets and requests: created, first replied to, resolved."""

from typing import Any

from kpi_lib.facts.business import configured, with_business_seconds
from kpi_lib.facts.data import Data, NotAvailableError, fact
from kpi_lib.facts.ticket_history import tickets

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
    "agent",
    "next_contact_at",
)
TRACKING = {"ticket_events.handle_seconds": ("handle_seconds",)}
EVENTS: dict[str, tuple[str, ...]] = {"ticket_events": FROM_EVENTS, **TRACKING}
BUSINESS: dict[str, tuple[str, ...]] = {"params.hours": ("business_reply_seconds", "business_resolution_seconds")}
PROBLEMS: dict[str, tuple[str, ...]] = {
    "tickets.problem_id": ("problem", "problem_tickets", "problem_is_of_several", "linked")
}
FOLLOW_UP = ("thresholds.first_contact_days", "thresholds.repeat_contact_days")


def _how_many(rows: Any, keys: list[str]) -> Any:
    return rows.group_by(keys).aggregate(tickets=rows.count())


@fact(
    anchor="C",
    needs=("tickets",),
    cuts=(*CUTS, "plan"),
    optional=EVENTS | BUSINESS | PROBLEMS,
    summary=_how_many,
    params=FOLLOW_UP,
)
def tickets_created(data: Data) -> Any:
    """One row per valid customer-initiated ticket, at its creation; business time where the desk's hours are known.

    `problem` is what it is about: the problem it is linked to, or else its type and product. `problem_tickets` of the
    period are about the same, and `problem_is_of_several` customers.
    """
    rows = _with_problems(data, requested(data))
    if not (data.has("ticket_events") and configured(data)):
        return rows
    resolved = rows.resolved_at.fill_null(data.as_of)
    return with_business_seconds(
        data,
        rows,
        "created_at",
        business_reply_seconds=rows.first_reply_at.fill_null(resolved),
        business_resolution_seconds=resolved,
    )


@fact(
    anchor="E",
    needs=("tickets", "ticket_events"),
    cuts=(*CUTS, "plan", "agent", "resolved_by"),
    optional=TRACKING,
    params=FOLLOW_UP,
)
def tickets_resolved(data: Data) -> Any:
    """One row per valid ticket, at its final resolution: the last one that no reopening followed."""
    return data.timed(tickets(data), tickets(data).resolved_at)


@fact(anchor="E", needs=("tickets", "ticket_events"))
def problems_resolved(data: Data) -> Any:
    """One row per problem and period in which a valid ticket linked to it was resolved, on the first such day."""
    if not data.has("tickets", "problem_id"):
        raise NotAvailableError("tickets.problem_id")
    rows = tickets_resolved(data)
    rows = rows.filter(rows.problem_id.notnull() & rows.excluded.isnull())
    return rows.group_by("period", "problem_id").aggregate(day=rows.day.min())


@fact(anchor="E", needs=("tickets", "ticket_events"), cuts=CUTS, params=FOLLOW_UP)
def tickets_replied(data: Data) -> Any:
    """One row per valid customer-initiated ticket, at the first reply by a person."""
    return data.timed(by_customers(tickets(data)), tickets(data).first_reply_at)


@fact(
    anchor="E",
    needs=("tickets or calls",),
    cuts=("channel", "type", "priority", "team", "segment", "country", "weekday", "hour", "weekday_hour"),
    optional={"calls": ("offered",)},
    params=("hours.days", "hours.holidays"),
)
def contacts(data: Data) -> Any:
    """One row per request: a valid customer-initiated ticket, or an inbound call not linked to one.

    Calls that were abandoned in the queue are in it with `answered` false. `weekday_hour` is weekday and hour in one
    cut, such as `1 mon 09`.
    """
    import ibis

    said = ("type", "priority", "team")
    columns = (
        *("period", "day", "weekday", "hour", "weekday_hour", "customer_id", "channel", *said, "segment", "country"),
        *("excluded", "answered"),
    )
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


def requested(data: Data) -> Any:
    """Return one row per ticket at its creation, those that customers did not initiate excluded."""
    return data.timed(by_customers(tickets(data)), tickets(data).created_at)


def _with_problems(data: Data, rows: Any) -> Any:
    known = data.has("tickets", "problem_id")
    if not (known or (data.has("tickets", "type") and data.has("tickets", "product"))):
        return rows
    rows = rows.mutate(problem=rows.problem_id.fill_null(rows.type + " of " + rows.product))
    rows = rows.mutate(linked=rows.problem_id.notnull()) if known else rows
    counted = rows.filter(rows.problem.notnull() & rows.excluded.isnull())
    counted = counted.mutate(requester=counted.customer_id.fill_null("ticket " + counted.ticket_id))
    problems = counted.group_by(in_period="period", about="problem").aggregate(
        problem_tickets=counted.count(),
        problem_is_of_several=counted.requester.min() != counted.requester.max(),
    )
    joined = rows.left_join(problems, (rows.period == problems.in_period) & (rows.problem == problems.about))
    return joined.drop("in_period", "about")


def by_customers(rows: Any) -> Any:
    """Return the rows with those that customers did not initiate excluded."""
    return rows.mutate(
        excluded=rows.by_customer.ifelse(rows.excluded, rows.excluded.fill_null("not initiated by a customer"))
    )

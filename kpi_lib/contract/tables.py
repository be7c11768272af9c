"""The declarations of the twelve tables."""

from dataclasses import replace
from typing import Any

from kpi_lib.contract.declare import (
    DAY,
    FLAG,
    INSTANT,
    NUMBER,
    TEXT,
    WHOLE,
    Condition,
    Rows,
    Rule,
    Table,
    Tables,
    default,
    optional,
    required,
)

CHANNELS = ("email", "chat", "web", "phone", "social", "messaging", "sms", "app", "self_service", "in_person", "other")
STATUSES = ("open", "pending", "hold", "resolved", "closed")
EVENTS = ("created", "customer_message", "public_reply", "internal_note", "status", "assign", "escalate", "merge")
OUTCOMES = ("answered", "abandoned_queue", "abandoned_ivr", "blocked", "voicemail", "callback")
COSTS = ("salary", "hardware", "rent", "telecom", "software", "media", "other")


def _negative(level: str, *names: str) -> tuple[Rule, ...]:
    def below_zero(name: str) -> Condition:
        return lambda t: t[name] < 0

    return tuple(Rule(level, f"{name} is negative", below_zero(name)) for name in names)


def _waited_unknown(said: str, outcome: str) -> Rule:
    return Rule(
        "warning",
        f"{said} without a time in the queue",
        lambda t: (t.outcome == outcome) & (t.direction == "inbound") & t.queue_seconds.isnull(),
        f"without queue_seconds a call that was {said} is in no wait and no service level",
    )


def _before_creation(events: Rows, tables: Tables) -> Rows:
    import ibis

    created = tables["tickets"].select(of_ticket="ticket_id", created_at="created_at")
    joined = events.join(created, events.ticket_id == created.of_ticket)
    return joined.filter(joined.at < joined.created_at - ibis.interval(seconds=60)).select(events.columns)


def _never_created(tickets: Rows, tables: Tables) -> Rows:
    events = tables["ticket_events"]
    return tickets.anti_join(events.filter(events.kind == "created"), "ticket_id")


def _over_refunded(transactions: Rows, tables: Tables) -> Rows:
    given = transactions.filter(transactions.refunds_transaction_id.notnull() & (transactions.amount < 0))
    refunds = given.group_by(of_purchase="refunds_transaction_id").agg(refunded=given.amount.sum())
    joined = transactions.join(refunds, transactions.transaction_id == refunds.of_purchase)
    return joined.filter(joined.amount + joined.refunded < -0.005).select(transactions.columns)


def _overlapping(shifts: Rows, tables: Tables) -> Rows:
    import ibis

    earlier = ibis.window(group_by="agent_id", order_by=["start_at", "shift_id"], preceding=(None, 1))
    busy = shifts.mutate(busy_until=shifts.end_at.max().over(earlier))
    return busy.filter(busy.busy_until > busy.start_at).select(shifts.columns)


def _weightless(reviews: Rows, tables: Tables) -> Rows:
    weights = reviews.group_by("review_id").agg(weight=reviews.weight.sum())
    return reviews.semi_join(weights.filter(weights.weight == 0), "review_id")


def _off_scale(t: Rows) -> Any:
    return (t.score < t.scale_min) | (t.score > t.scale_max)


def _sign_is_wrong(t: Rows) -> Any:
    given_back = t.kind.isin(["refund", "chargeback"])
    return ((t.kind == "purchase") & (t.amount < 0)) | (given_back & (t.amount > 0))


def _scale_is_missing(t: Rows) -> Any:
    return t.score.notnull() & (t.scale_min.isnull() | t.scale_max.isnull() | (t.scale_min >= t.scale_max))


def _not_an_nps_score(t: Rows) -> Any:
    return t.kind.isin(["nps", "nps_tx"]) & ((t.score != t.score.floor()) | (t.score < 0) | (t.score > 10))


def _unusual_nps_scale(t: Rows) -> Any:
    return t.kind.isin(["nps", "nps_tx"]) & t.score.notnull() & ((t.scale_min != 0) | (t.scale_max != 10))


_DECLARED = (
    Table(
        "customers",
        "a customer",
        key=("customer_id",),
        event_time=("first_seen_at",),
        ends={"first_paid_at": ()},
        foreign={"referrer_customer_id": "customers"},
        columns=(
            required("customer_id"),
            required("first_seen_at", INSTANT),
            optional("first_paid_at", INSTANT),
            *map(optional, ("segment", "country", "acquisition_channel", "referral_program", "referrer_customer_id")),
            default("is_test", False),
            default("is_staff", False),
        ),
        rules=(
            Rule("warning", "paid before first seen", lambda t: t.first_paid_at < t.first_seen_at),
            Rule("warning", "referred by itself", lambda t: t.referrer_customer_id == t.customer_id),
        ),
    ),
    Table(
        "subscriptions",
        "a customer's subscription to a plan; several may overlap",
        key=("subscription_id",),
        event_time=("started_at",),
        ends={"ended_at": ("end_reason",)},
        foreign={"customer_id": "customers"},
        columns=(
            required("subscription_id"),
            required("customer_id"),
            required("started_at", INSTANT),
            optional("ended_at", INSTANT),
            required("plan", null="warning"),
            required("mrr", NUMBER),
            required("currency"),
            optional("end_reason", TEXT, ("voluntary", "payment", "other")),
        ),
        rules=(
            Rule(
                "drop", "ended before it started", lambda t: t.ended_at <= t.started_at, "ended_at is after started_at"
            ),
            *_negative("error", "mrr"),
        ),
    ),
    Table(
        "transactions",
        "a purchase, or money given back",
        key=("transaction_id",),
        event_time=("occurred_at",),
        foreign={"customer_id": "customers", "refunds_transaction_id": "transactions"},
        columns=(
            required("transaction_id"),
            required("customer_id"),
            required("occurred_at", INSTANT),
            required("kind", TEXT, ("purchase", "refund", "chargeback", "credit")),
            required("amount", NUMBER),
            required("currency"),
            optional("cost", NUMBER),
            optional("refunds_transaction_id"),
        ),
        rules=(
            Rule("error", "sign disagrees with kind", _sign_is_wrong, "purchases are positive, refunds negative"),
            Rule("warning", "refunded more than was paid", across=_over_refunded, shown=("amount",)),
        ),
    ),
    Table(
        "tickets",
        "a request for help; its state comes from ticket_events, never from a current-status column",
        key=("ticket_id",),
        event_time=("created_at",),
        ends={"merged_at": ("merged_into_id",)},
        foreign={"customer_id": "customers", "merged_into_id": "tickets"},
        columns=(
            required("ticket_id"),
            optional("customer_id"),
            required("created_at", INSTANT),
            optional("channel", TEXT, CHANNELS),
            *map(optional, ("type", "priority", "product", "team")),
            optional("tier", WHOLE),
            optional("tags"),
            default("initiated_by", "customer", TEXT, ("customer", "agent", "system")),
            optional("problem_id"),
            *(default(name, False) for name in ("is_spam", "is_test", "is_deleted")),
            optional("merged_into_id"),
            optional("merged_at", INSTANT),
        ),
        rules=(
            Rule("warning", "no created event", across=_never_created, needs=("ticket_events",), shown=("created_at",)),
        ),
    ),
    Table(
        "ticket_events",
        "something that happened to a ticket",
        key=("event_id",),
        event_time=("at",),
        foreign={"ticket_id": "tickets"},
        columns=(
            required("event_id"),
            required("ticket_id"),
            required("at", INSTANT),
            required("kind", TEXT, EVENTS),
            required("actor", TEXT, ("customer", "agent", "bot", "system")),
            optional("channel", TEXT, CHANNELS),
            optional("agent_id"),
            optional("to_value"),
            optional("handle_seconds", WHOLE),
        ),
        rules=(
            Rule(
                "drop",
                "before the ticket was created",
                message="more than 60 seconds earlier than its ticket",
                across=_before_creation,
                needs=("tickets",),
                shown=("ticket_id", "at"),
            ),
            Rule(
                "error",
                "unknown status",
                lambda t: (t.kind == "status") & ~t.to_value.fill_null("").isin(STATUSES),
                f"to_value of a status event is one of {', '.join(STATUSES)}",
            ),
            Rule(
                "warning",
                "escalated to no tier",
                lambda t: (t.kind == "escalate") & ~t.to_value.fill_null("").re_search("^[0-9]+$"),
                "to_value of an escalate event is the number of a tier",
            ),
            *_negative("drop", "handle_seconds"),
        ),
    ),
    Table(
        "calls",
        "a live contact: a phone call or a chat",
        key=("call_id",),
        event_time=("offered_at",),
        foreign={"customer_id": "customers", "ticket_id": "tickets"},
        columns=(
            required("call_id"),
            required("channel", TEXT, CHANNELS, null="warning"),
            required("queue", null="warning"),
            *map(optional, ("customer_id", "ticket_id", "agent_id")),
            required("offered_at", INSTANT),
            required("outcome", TEXT, OUTCOMES),
            *(optional(f"{part}_seconds", WHOLE) for part in ("queue", "talk", "hold", "wrap")),
            default("direction", "inbound", TEXT, ("inbound", "outbound")),
        ),
        rules=(
            *_negative("drop", "queue_seconds", "talk_seconds", "hold_seconds", "wrap_seconds"),
            Rule(
                "warning",
                "answered by nobody",
                lambda t: (t.outcome == "answered") & (t.agent_id.isnull() | t.talk_seconds.isnull()),
                "an answered call has an agent and a talk time",
            ),
            *(
                _waited_unknown(said, outcome)
                for said, outcome in (("answered", "answered"), ("abandoned", "abandoned_queue"))
            ),
            Rule("warning", "blocked after queueing", lambda t: (t.outcome == "blocked") & (t.queue_seconds > 0)),
        ),
    ),
    Table(
        "surveys",
        "an invitation to answer, with its answer if there is one",
        key=("survey_id",),
        event_time=("sent_at", "answered_at"),
        ends={"answered_at": ("score",)},
        foreign={"customer_id": "customers", "ticket_id": "tickets"},
        columns=(
            required("survey_id"),
            required("kind", TEXT, ("csat", "ces", "nps", "nps_tx", "other")),
            optional("customer_id"),
            optional("ticket_id"),
            optional("sent_at", INSTANT),
            default("delivered", True),
            required("channel", null="warning"),
            optional("answered_at", INSTANT),
            optional("score", NUMBER),
            required("scale_min", NUMBER, null="allowed"),
            required("scale_max", NUMBER, null="allowed"),
            default("higher_is_better", True),
        ),
        rules=(
            Rule("error", "score without a scale", _scale_is_missing, "scale_min is below scale_max"),
            Rule("drop", "score outside its scale", _off_scale),
            Rule("drop", "not an NPS score", _not_an_nps_score, "a whole number from 0 to 10"),
            Rule("warning", "unusual NPS scale", _unusual_nps_scale, "9 and 10 are promoters all the same"),
            Rule("drop", "answered before it was sent", lambda t: t.answered_at < t.sent_at),
            Rule(
                "warning",
                "half an answer",
                lambda t: t.score.isnull() != t.answered_at.isnull(),
                "an answer has a score and answered_at; with one of them it counts nowhere",
            ),
        ),
    ),
    Table(
        "qa_reviews",
        "a category of a colleague's review of a ticket",
        key=("review_id", "category"),
        event_time=("reviewed_at",),
        foreign={"ticket_id": "tickets"},
        columns=(
            *map(required, ("review_id", "ticket_id", "agent_id", "reviewer_id")),
            required("reviewed_at", INSTANT),
            required("category"),
            optional("score", NUMBER),
            *(required(name, NUMBER) for name in ("scale_min", "scale_max", "weight")),
            required("is_critical", FLAG),
            default("sampling", "random", TEXT, ("random", "targeted")),
        ),
        rules=(
            *_negative("error", "weight"),
            Rule("error", "scale is empty", lambda t: t.scale_min >= t.scale_max, "scale_min is below scale_max"),
            Rule("drop", "score outside its scale", _off_scale),
            Rule("drop", "reviewed by the agent", lambda t: t.agent_id == t.reviewer_id),
            Rule("warning", "no weight in any category", across=_weightless, shown=("weight",)),
        ),
    ),
    Table(
        "costs",
        "an amount spent evenly over the days from period_start to period_end, both included",
        key=("cost_id",),
        event_time=(),
        columns=(
            required("cost_id"),
            required("center", TEXT, ("support", "acquisition", "serve")),
            required("category", TEXT, COSTS),
            optional("channel"),
            required("period_start", DAY),
            required("period_end", DAY),
            required("amount", NUMBER),
            required("currency"),
        ),
        rules=(Rule("error", "ends before it starts", lambda t: t.period_end < t.period_start),),
    ),
    Table(
        "leads",
        "somebody who may become a customer",
        key=("lead_id",),
        event_time=("created_at",),
        ends={"qualified_at": (), "converted_at": ()},
        foreign={"customer_id": "customers"},
        columns=(
            required("lead_id"),
            required("created_at", INSTANT),
            required("channel", null="warning"),
            optional("qualified_at", INSTANT),
            optional("customer_id"),
            optional("converted_at", INSTANT),
            optional("contact_hash"),
            default("is_bot", False),
        ),
        rules=(Rule("warning", "converted before it was created", lambda t: t.converted_at < t.created_at),),
    ),
    Table(
        "agent_shifts",
        "a stretch of an agent's planned day",
        key=("shift_id",),
        event_time=("start_at",),
        columns=(
            required("shift_id"),
            required("agent_id"),
            required("team", null="warning"),
            required("tier", WHOLE, null="warning"),
            required("start_at", INSTANT),
            required("end_at", INSTANT),
            required("activity", TEXT, ("available", "break", "training", "meeting", "absent")),
            default("paid", True),
        ),
        rules=(
            Rule("drop", "ended before it started", lambda t: t.end_at <= t.start_at),
            Rule("warning", "overlaps another shift", across=_overlapping, shown=("agent_id", "start_at")),
        ),
    ),
    Table(
        "engagement_events",
        "a sign that a customer uses the product; tickets and calls never stand here",
        key=("event_id",),
        event_time=("at",),
        foreign={"customer_id": "customers"},
        columns=(
            required("event_id"),
            required("customer_id"),
            required("at", INSTANT),
            required("kind", TEXT, ("site_visit", "login", "social", "email_open", "other")),
        ),
    ),
)
TABLES: dict[str, Table] = {
    table.name: replace(table, columns=(*table.columns, optional("left_out"), optional("loaded_at", INSTANT)))
    for table in _DECLARED
}

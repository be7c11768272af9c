"""The twelve tables that every number is computed from: their columns, their rules, and the rows that break them.

A rule of level `error` stops the run, `warning` is printed on the data page, `drop` leaves the row out and counts it.
Conditions are Ibis expressions that are true for a broken row; Ibis itself is imported only when one is used.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

TEXT, NUMBER, WHOLE, FLAG, INSTANT, DAY = "string", "float64", "int64", "boolean", "timestamp('UTC', 6)", "date"
CHANNELS = ("email", "chat", "web", "phone", "social", "messaging", "sms", "app", "self_service", "in_person", "other")
STATUSES = ("open", "pending", "hold", "resolved", "closed")

Rows = Any  # an Ibis table
Tables = Mapping[str, Rows]


@dataclass(frozen=True)
class Column:
    """A column: its Ibis type, what stands in when an export has none, and the words it may hold.

    `need` is required, optional (then null) or default. `null` says what a missing value is: allowed, warning, error.
    """

    name: str
    type: str = TEXT
    need: str = "optional"
    default: Any = None
    vocabulary: tuple[str, ...] = ()
    null: str = "allowed"


@dataclass(frozen=True)
class Rule:
    """What a row may not be: `broken(rows)` is a condition, `across(rows, tables)` gives the broken rows themselves."""

    name: str
    level: str
    message: str
    columns: tuple[str, ...] = ()
    broken: Callable[[Rows], Any] | None = None
    across: Callable[[Rows, Tables], Rows] | None = None
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """One table: what a row is, its key, its columns, and the instants that say whether a row has happened yet.

    `event_time` is the first of these columns that is not null; a row later than the extract is left out. `ends` are
    read as null when later than the extract, with the columns that hang on them. `foreign` keys name their table.
    """

    name: str
    row: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    event_time: tuple[str, ...]
    ends: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    foreign: Mapping[str, str] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()

    def column(self, name: str) -> Column:
        """Return the declaration of a column."""
        return next(column for column in self.columns if column.name == name)


def _required(name: str, type: str = TEXT, *, vocabulary: tuple[str, ...] = (), null: str = "error") -> Column:
    return Column(name, type, "required", None, vocabulary, null)


def _optional(name: str, type: str = TEXT, *, vocabulary: tuple[str, ...] = ()) -> Column:
    return Column(name, type, "optional", None, vocabulary)


def _default(name: str, value: Any, type: str = FLAG, *, vocabulary: tuple[str, ...] = ()) -> Column:
    return Column(name, type, "default", value, vocabulary)


def _error(name: str, message: str, *columns: str, **test: Any) -> Rule:
    return Rule(name, "error", message, columns, **test)


def _warning(name: str, message: str, *columns: str, **test: Any) -> Rule:
    return Rule(name, "warning", message, columns, **test)


def _drop(name: str, message: str, *columns: str, **test: Any) -> Rule:
    return Rule(name, "drop", message, columns, **test)


def _negative(level: str, *columns: str) -> tuple[Rule, ...]:
    return tuple(
        Rule(
            f"{name} is negative",
            level,
            "durations, amounts and weights start at 0",
            (name,),
            lambda t, c=name: t[c] < 0,
        )
        for name in columns
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
    given = given.group_by(of="refunds_transaction_id").agg(refunded=given.amount.sum())
    joined = transactions.join(given, transactions.transaction_id == given.of)
    return joined.filter(joined.amount + joined.refunded < -0.005).select(transactions.columns)


def _overlapping(shifts: Rows, tables: Tables) -> Rows:
    import ibis

    earlier = ibis.window(group_by="agent_id", order_by=["start_at", "shift_id"], following=-1)
    ran_until = shifts.mutate(ran_until=shifts.end_at.max().over(earlier))
    return ran_until.filter(ran_until.ran_until > ran_until.start_at).select(shifts.columns)


def _weightless(reviews: Rows, tables: Tables) -> Rows:
    weights = reviews.group_by("review_id").agg(weight=reviews.weight.sum())
    return reviews.semi_join(weights.filter(weights.weight == 0), "review_id")


_TABLES = (
    Table(
        "customers",
        "a customer",
        ("customer_id",),
        (
            _required("customer_id"),
            _required("first_seen_at", INSTANT),
            _optional("first_paid_at", INSTANT),
            *(_optional(name) for name in ("segment", "country", "acquisition_channel", "referral_program")),
            _optional("referrer_customer_id"),
            _default("is_test", False),
            _default("is_staff", False),
        ),
        event_time=("first_seen_at",),
        ends={"first_paid_at": ()},
        foreign={"referrer_customer_id": "customers"},
        rules=(
            _warning(
                "paid before first seen",
                "first_paid_at is before first_seen_at",
                "first_seen_at",
                "first_paid_at",
                broken=lambda t: t.first_paid_at < t.first_seen_at,
            ),
            _warning(
                "refers to itself",
                "a customer cannot be referred by the same customer",
                "referrer_customer_id",
                broken=lambda t: t.referrer_customer_id == t.customer_id,
            ),
        ),
    ),
    Table(
        "subscriptions",
        "a subscription of a customer to a plan; several may overlap",
        ("subscription_id",),
        (
            _required("subscription_id"),
            _required("customer_id"),
            _required("started_at", INSTANT),
            _optional("ended_at", INSTANT),
            _required("plan", null="warning"),
            _required("mrr", NUMBER),
            _required("currency"),
            _optional("end_reason", vocabulary=("voluntary", "payment", "other")),
        ),
        event_time=("started_at",),
        ends={"ended_at": ("end_reason",)},
        foreign={"customer_id": "customers"},
        rules=(
            _drop(
                "ended before it started",
                "ended_at is not after started_at",
                "started_at",
                "ended_at",
                broken=lambda t: t.ended_at <= t.started_at,
            ),
            *_negative("error", "mrr"),
        ),
    ),
    Table(
        "transactions",
        "a purchase, or money given back",
        ("transaction_id",),
        (
            _required("transaction_id"),
            _required("customer_id"),
            _required("occurred_at", INSTANT),
            _required("kind", vocabulary=("purchase", "refund", "chargeback", "credit")),
            _required("amount", NUMBER),
            _required("currency"),
            _optional("cost", NUMBER),
            _optional("refunds_transaction_id"),
        ),
        event_time=("occurred_at",),
        foreign={"customer_id": "customers", "refunds_transaction_id": "transactions"},
        rules=(
            _error(
                "sign disagrees with kind",
                "a purchase is not negative, a refund or chargeback not positive: turn the sign in the mapping",
                "kind",
                "amount",
                broken=lambda t: (
                    ((t.kind == "purchase") & (t.amount < 0)) | (t.kind.isin(["refund", "chargeback"]) & (t.amount > 0))
                ),
            ),
            _warning(
                "refunded more than paid",
                "its refunds add up to more than the amount of the purchase",
                "amount",
                across=_over_refunded,
            ),
        ),
    ),
    Table(
        "tickets",
        "a request for help; its state comes from ticket_events, never from a current-status column",
        ("ticket_id",),
        (
            _required("ticket_id"),
            _optional("customer_id"),
            _required("created_at", INSTANT),
            _optional("channel", vocabulary=CHANNELS),
            *(_optional(name) for name in ("type", "priority", "product", "team")),
            _optional("tier", WHOLE),
            _optional("tags"),
            _default("initiated_by", "customer", TEXT, vocabulary=("customer", "agent", "system")),
            _optional("problem_id"),
            _default("is_spam", False),
            _default("is_test", False),
            _default("is_deleted", False),
            _optional("merged_into_id"),
            _optional("merged_at", INSTANT),
        ),
        event_time=("created_at",),
        ends={"merged_at": ("merged_into_id",)},
        foreign={"customer_id": "customers", "merged_into_id": "tickets"},
        rules=(
            _warning(
                "no created event",
                "every ticket has an event of kind created",
                "created_at",
                across=_never_created,
                needs=("ticket_events",),
            ),
        ),
    ),
    Table(
        "ticket_events",
        "something that happened to a ticket",
        ("event_id",),
        (
            _required("event_id"),
            _required("ticket_id"),
            _required("at", INSTANT),
            _required(
                "kind",
                vocabulary=(
                    *("created", "customer_message", "public_reply", "internal_note"),
                    *("status", "assign", "escalate", "merge"),
                ),
            ),
            _required("actor", vocabulary=("customer", "agent", "bot", "system")),
            _optional("channel", vocabulary=CHANNELS),
            _optional("agent_id"),
            _optional("to_value"),
            _optional("handle_seconds", WHOLE),
        ),
        event_time=("at",),
        foreign={"ticket_id": "tickets"},
        rules=(
            _drop(
                "before the ticket was created",
                "an event is at most 60 seconds earlier than its ticket",
                "ticket_id",
                "at",
                across=_before_creation,
                needs=("tickets",),
            ),
            _warning(
                "unknown status",
                f"to_value of a status event is one of {', '.join(STATUSES)}",
                "to_value",
                broken=lambda t: (t.kind == "status") & ~t.to_value.fill_null("").isin(STATUSES),
            ),
            _warning(
                "escalated to no tier",
                "to_value of an escalate event is a tier's number",
                "to_value",
                broken=lambda t: (t.kind == "escalate") & ~t.to_value.fill_null("").re_search("^[0-9]+$"),
            ),
            *_negative("drop", "handle_seconds"),
        ),
    ),
    Table(
        "calls",
        "a live contact: a phone call or a chat",
        ("call_id",),
        (
            _required("call_id"),
            _required("channel", vocabulary=CHANNELS, null="warning"),
            _required("queue", null="warning"),
            _optional("customer_id"),
            _optional("ticket_id"),
            _optional("agent_id"),
            _required("offered_at", INSTANT),
            _required(
                "outcome",
                vocabulary=("answered", "abandoned_queue", "abandoned_ivr", "blocked", "voicemail", "callback"),
            ),
            *(_optional(f"{part}_seconds", WHOLE) for part in ("queue", "talk", "hold", "wrap")),
            _default("direction", "inbound", TEXT, vocabulary=("inbound", "outbound")),
        ),
        event_time=("offered_at",),
        foreign={"customer_id": "customers", "ticket_id": "tickets"},
        rules=(
            *_negative("drop", "queue_seconds", "talk_seconds", "hold_seconds", "wrap_seconds"),
            _warning(
                "answered by nobody",
                "an answered call has an agent and a talk time",
                "agent_id",
                "talk_seconds",
                broken=lambda t: (t.outcome == "answered") & (t.agent_id.isnull() | t.talk_seconds.isnull()),
            ),
            _warning(
                "blocked in the queue",
                "a blocked call never queued",
                "queue_seconds",
                broken=lambda t: (t.outcome == "blocked") & (t.queue_seconds > 0),
            ),
        ),
    ),
    Table(
        "surveys",
        "an invitation to answer, with its answer if there is one",
        ("survey_id",),
        (
            _required("survey_id"),
            _required("kind", vocabulary=("csat", "ces", "nps", "nps_tx", "other")),
            _optional("customer_id"),
            _optional("ticket_id"),
            _optional("sent_at", INSTANT),
            _default("delivered", True),
            _required("channel", null="warning"),
            _optional("answered_at", INSTANT),
            _optional("score", NUMBER),
            _required("scale_min", NUMBER, null="allowed"),
            _required("scale_max", NUMBER, null="allowed"),
            _default("higher_is_better", True),
        ),
        event_time=("sent_at", "answered_at"),
        ends={"answered_at": ("score",)},
        foreign={"customer_id": "customers", "ticket_id": "tickets"},
        rules=(
            _error(
                "score without a scale",
                "scale_min is below scale_max on every row with a score",
                "scale_min",
                "scale_max",
                broken=lambda t: (
                    t.score.notnull() & (t.scale_min.isnull() | t.scale_max.isnull() | (t.scale_min >= t.scale_max))
                ),
            ),
            _drop(
                "score outside its scale",
                "the score lies between scale_min and scale_max",
                "score",
                "scale_min",
                "scale_max",
                broken=lambda t: (t.score < t.scale_min) | (t.score > t.scale_max),
            ),
            _drop(
                "not an NPS score",
                "an NPS score is a whole number from 0 to 10",
                "kind",
                "score",
                broken=lambda t: (
                    t.kind.isin(["nps", "nps_tx"]) & ((t.score != t.score.floor()) | (t.score < 0) | (t.score > 10))
                ),
            ),
            _warning(
                "unusual NPS scale",
                "NPS is asked from 0 to 10; the classes 9-10, 7-8 and below are used all the same",
                "scale_min",
                "scale_max",
                broken=lambda t: (
                    t.kind.isin(["nps", "nps_tx"]) & t.score.notnull() & ((t.scale_min != 0) | (t.scale_max != 10))
                ),
            ),
            _drop(
                "answered before it was sent",
                "answered_at is before sent_at",
                "sent_at",
                "answered_at",
                broken=lambda t: t.answered_at < t.sent_at,
            ),
            _warning(
                "answered without a score",
                "a comment without a score is not an answer, a score without answered_at belongs to no period",
                "answered_at",
                "score",
                broken=lambda t: t.score.isnull() != t.answered_at.isnull(),
            ),
        ),
    ),
    Table(
        "qa_reviews",
        "a category of a review of a ticket by a colleague",
        ("review_id", "category"),
        (
            _required("review_id"),
            _required("ticket_id"),
            _required("agent_id"),
            _required("reviewer_id"),
            _required("reviewed_at", INSTANT),
            _required("category"),
            _optional("score", NUMBER),
            _required("scale_min", NUMBER),
            _required("scale_max", NUMBER),
            _required("weight", NUMBER),
            _required("is_critical", FLAG),
            _default("sampling", "random", TEXT, vocabulary=("random", "targeted")),
        ),
        event_time=("reviewed_at",),
        foreign={"ticket_id": "tickets"},
        rules=(
            *_negative("error", "weight"),
            _error(
                "scale is empty",
                "scale_min is below scale_max",
                "scale_min",
                "scale_max",
                broken=lambda t: t.scale_min >= t.scale_max,
            ),
            _drop(
                "score outside its scale",
                "the score lies between scale_min and scale_max",
                "score",
                "scale_min",
                "scale_max",
                broken=lambda t: (t.score < t.scale_min) | (t.score > t.scale_max),
            ),
            _drop(
                "reviewed by the agent",
                "nobody reviews their own ticket",
                "agent_id",
                "reviewer_id",
                broken=lambda t: t.agent_id == t.reviewer_id,
            ),
            _warning("no weight", "the weights of a review add up to more than 0", "weight", across=_weightless),
        ),
    ),
    Table(
        "costs",
        "an amount spent over the days from period_start to period_end, both included",
        ("cost_id",),
        (
            _required("cost_id"),
            _required("center", vocabulary=("support", "acquisition", "serve")),
            _required("category", vocabulary=("salary", "hardware", "rent", "telecom", "software", "media", "other")),
            _optional("channel"),
            _required("period_start", DAY),
            _required("period_end", DAY),
            _required("amount", NUMBER),
            _required("currency"),
        ),
        event_time=(),
        rules=(
            _error(
                "ends before it starts",
                "period_end is before period_start",
                "period_start",
                "period_end",
                broken=lambda t: t.period_end < t.period_start,
            ),
        ),
    ),
    Table(
        "leads",
        "somebody who may become a customer",
        ("lead_id",),
        (
            _required("lead_id"),
            _required("created_at", INSTANT),
            _required("channel", null="warning"),
            _optional("qualified_at", INSTANT),
            _optional("customer_id"),
            _optional("converted_at", INSTANT),
            _optional("contact_hash"),
            _default("is_bot", False),
        ),
        event_time=("created_at",),
        ends={"qualified_at": (), "converted_at": ()},
        foreign={"customer_id": "customers"},
        rules=(
            _warning(
                "converted before it was created",
                "converted_at is before created_at",
                "created_at",
                "converted_at",
                broken=lambda t: t.converted_at < t.created_at,
            ),
        ),
    ),
    Table(
        "agent_shifts",
        "a stretch of an agent's planned day",
        ("shift_id",),
        (
            _required("shift_id"),
            _required("agent_id"),
            _required("team", null="warning"),
            _required("tier", WHOLE, null="warning"),
            _required("start_at", INSTANT),
            _required("end_at", INSTANT),
            _required("activity", vocabulary=("available", "break", "training", "meeting", "absent")),
            _default("paid", True),
        ),
        event_time=("start_at",),
        rules=(
            _drop(
                "ended before it started",
                "end_at is not after start_at",
                "start_at",
                "end_at",
                broken=lambda t: t.end_at <= t.start_at,
            ),
            _warning("overlaps", "two shifts of an agent overlap", "agent_id", "start_at", across=_overlapping),
        ),
    ),
    Table(
        "engagement_events",
        "a sign that a customer uses the product; tickets and calls never stand here",
        ("event_id",),
        (
            _required("event_id"),
            _required("customer_id"),
            _required("at", INSTANT),
            _required("kind", vocabulary=("site_visit", "login", "social", "email_open", "other")),
        ),
        event_time=("at",),
        foreign={"customer_id": "customers"},
    ),
)
TABLES: dict[str, Table] = {table.name: table for table in _TABLES}

"""What the sample company's customers answer when asked, and how colleagues rate the work."""

import numpy as np
import pyarrow as pa

from kpi_lib.sample.clock import (
    DAY,
    DESK_START,
    END,
    MONTH_STARTS,
    NEVER,
    Array,
    after_working,
    loaded,
    month_index,
    month_of,
    stream,
)
from kpi_lib.sample.columns import amounts, constant, ids, instants, text
from kpi_lib.sample.customers import THIS_MONTH, Customers
from kpi_lib.sample.stories import story
from kpi_lib.sample.tickets import CHANNELS, CHAT, PHONE, Tickets

KINDS = ("csat", "ces", "nps", "nps_tx")
CSAT, CES, NPS, NPS_TX = range(4)
WAYS = ("email", "app", "sms", "web")
SCALES = np.array([[1, 5], [1, 7], [0, 10], [0, 10]])
RECOMMENDS = np.cumsum([0.02, 0.01, 0.01, 0.02, 0.02, 0.04, 0.05, 0.12, 0.20, 0.25])
EASE = np.cumsum([0.03, 0.04, 0.06, 0.10, 0.20, 0.32])
CATEGORIES = ("tone", "solution", "process", "compliance")
WEIGHTS = np.array([1.0, 3.0, 1.0, 2.0])
FIRST = int(month_of(np.array([DESK_START]))[0])
Rows = dict[str, Array]


def _after_tickets(them: Tickets) -> Rows:
    """Invitations about a resolved ticket, and who answers when."""
    generator = stream("ticket surveys")
    chance = generator.random((8, len(them.number)))
    sent = them.finally_resolved + 900 + (chance[0] * 2700).astype(np.int64)
    asked = them.valid & (sent < END) & ~them.late
    parts = [(CSAT, chance[1] < 0.92), (CES, chance[2] < 0.18), (NPS_TX, chance[3] < 0.09)]
    kinds = np.concatenate([np.full(int((asked & which).sum()), kind) for kind, which in parts])
    of = np.concatenate([np.flatnonzero(asked & which) for _, which in parts])
    size = len(of)
    chance, delay = generator.random((3, size)), generator.exponential(0.6, size)
    way = np.select([them.channel[of] == CHAT, them.channel[of] == PHONE], [1, 2], 0)
    way = np.where(chance[0] < 0.15, 3, way)
    delivered = chance[1] < 0.97
    reply = chance[2] / np.array([0.285, 0.25, 0.27, 0.24])[kinds]
    at = sent[of] + DAY * (kinds == CES)
    rows = {
        "kind": kinds,
        "of": of,
        "customer": them.customer[of],
        "way": way,
        "sent": at,
        "delivered": delivered,
        "reply": np.where(delivered, reply, 9.0),
        "answered": at + 60 + (delay * DAY).astype(np.int64),
    }
    return {name: values[at < END] for name, values in rows.items()}


def _relations(them: Customers) -> Rows:
    """Each member is asked once a quarter how likely a recommendation is; a few answer again through an open link."""
    generator = stream("relational surveys")
    who, when = [], []
    for month in range(FIRST, THIS_MONTH):
        members = them.members(int(MONTH_STARTS[month]))
        members = members[(members % 3 == month % 3) & (generator.random(len(members)) < 0.75)]
        start, end = MONTH_STARTS[month], MONTH_STARTS[month + 1]
        at = after_working(start + (generator.random(len(members)) * (end - start - DAY)).astype(np.int64), 60)
        who.append(members)
        when.append(np.minimum(at, end - 60))
    customer, sent = np.concatenate(who), np.concatenate(when)
    size = len(sent)
    delivered = generator.random(size) < 0.965
    reply = np.where(delivered, generator.random(size) / 0.24, 9.0)
    answered = sent + (generator.exponential(1.3, size) * DAY).astype(np.int64) + 120
    again = np.flatnonzero((reply < 1) & (generator.random(size) < 0.03))
    fresh = np.concatenate([np.zeros(size, bool), np.ones(len(again), bool)])
    order = np.concatenate([np.arange(size), again])
    more = np.where(fresh, 4 * DAY, 0)
    return {
        "kind": np.full(len(order), NPS),
        "of": np.full(len(order), -1),
        "customer": customer[order],
        "way": np.where(fresh, 3, (customer[order] % 4 == 0).astype(np.int64)),
        "sent": np.where(fresh, NEVER, sent[order]),
        "delivered": delivered[order],
        "reply": reply[order],
        "answered": answered[order] + more,
    }


def _planned_answers(rows: Rows, channel: Array) -> None:
    """Before and in the month of the channel shift, take as many answers of each channel as the story says.

    Answers from the month before these until their end arrive in the month of the invitation.
    """
    shift = story("channel_shift")
    month, asked = month_of(np.minimum(rows["sent"], END)), month_index(shift.start)
    near = (rows["kind"] == CSAT) & (month >= asked - 2) & (month <= asked)
    rows["answered"] = np.where(near, np.minimum(rows["answered"], MONTH_STARTS[month + 1] - 1), rows["answered"])
    for which, answers in ((asked - 1, shift.details["answers_before"]), (asked, shift.details["answers"])):
        for number, name in enumerate(CHANNELS):
            those = np.flatnonzero((rows["kind"] == CSAT) & (month == which) & (channel == number))
            those = those[np.argsort(rows["reply"][those], kind="stable")]
            rows["reply"][those] = np.where(np.arange(len(those)) < answers[name], 0.0, 1.0)


def _satisfied(rows: Rows, them: Tickets, channel: Array, answered: Array, tell: bool) -> Array:
    """Which answers are content, by quota for each month and channel: those first who waited least."""
    generator = stream("satisfaction")
    shift = story("channel_shift")
    of = rows["of"]
    hours = np.minimum(them.finally_resolved - them.created, 30 * DAY)[of] / 3600
    mood = generator.normal(size=len(of)) - 0.25 * np.log1p(hours) - 0.5 * (them.reopened < NEVER)[of]
    mood -= 0.3 * (them.escalated > 0)[of]
    month = month_of(np.minimum(rows["answered"], END))
    happy = np.zeros(len(of), bool)
    asked = month_index(shift.start)
    for one in range(FIRST, THIS_MONTH + 1):
        drift = generator.normal(size=len(CHANNELS)) * 1.2
        for number, name in enumerate(CHANNELS):
            rate = float(shift.details["satisfied_before"][name])
            if tell and one in (asked - 1, asked):
                rate += shift.details["each_channel"] * (one == asked)
            else:
                rate += drift[number]
            those = np.flatnonzero(answered & (rows["kind"] == CSAT) & (month == one) & (channel == number))
            happy[those[np.argsort(-mood[those], kind="stable")[: round(rate / 100 * len(those))]]] = True
    return happy


def _scores(rows: Rows, happy: Array, generator: np.random.Generator) -> Array:
    """The score each would give."""
    size = len(happy)
    chance = generator.random(size)
    content, unhappy = np.where(chance < 0.66, 5, 4), np.where(chance < 0.45, 3, np.where(chance < 0.7, 2, 1))
    ease, recommends = 1 + np.searchsorted(EASE, chance), np.searchsorted(RECOMMENDS, chance)
    return np.select([rows["kind"] == CSAT, rows["kind"] == CES], [np.where(happy, content, unhappy), ease], recommends)


def surveys(them: Tickets, customers: Customers, tell: bool) -> pa.Table:
    """The table of survey invitations and their answers."""
    parts = [_after_tickets(them), _relations(customers)]
    rows = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    channel = np.where(rows["of"] >= 0, them.channel[rows["of"]], -1)
    if tell:
        _planned_answers(rows, channel)
    answered = (rows["reply"] < 1) & (rows["answered"] < END)
    score = _scores(rows, _satisfied(rows, them, channel, answered, tell), stream("scores"))
    happened = np.where(rows["sent"] < NEVER, rows["sent"], rows["answered"])
    there = np.flatnonzero((rows["sent"] < NEVER) | answered)
    order = there[np.argsort(happened[there], kind="stable")]
    rows = {name: values[order] for name, values in rows.items()}
    answered, score, kind = answered[order], score[order], rows["kind"]
    return pa.table(
        {
            "survey_id": ids("Q", np.arange(1, len(order) + 1), 6),
            "kind": text(kind, KINDS),
            "customer_id": ids("C", np.where(rows["customer"] < 0, -1, rows["customer"] + 1), 5),
            "ticket_id": ids("T", np.where(rows["of"] < 0, -1, them.number[rows["of"]]), 6),
            "sent_at": instants(rows["sent"]),
            "delivered": pa.array(rows["delivered"]),
            "channel": text(rows["way"], WAYS),
            "answered_at": instants(np.where(answered, rows["answered"], NEVER)),
            "score": amounts(score, answered),
            "scale_min": amounts(SCALES[kind, 0]),
            "scale_max": amounts(SCALES[kind, 1]),
            "higher_is_better": constant(True, len(order)),
            "loaded_at": instants(loaded(happened[order])),
        }
    )


def qa_reviews(them: Tickets) -> pa.Table:
    """The table of reviews: four categories a ticket, mostly of tickets drawn at random."""
    generator = stream("reviews")
    chance = generator.random((3, len(them.number)))
    at = after_working(np.minimum(them.finally_resolved, END), 3600 + chance[0] * 120_000)
    worked = them.valid & ~them.by_bot & ~them.late & (at < END)
    targeted = worked & (chance[1] > 0.985) & ((them.escalated > 0) | (them.reopened < NEVER) | (chance[2] < 0.3))
    of = np.flatnonzero((worked & (chance[1] < 0.042)) | targeted)
    of = of[np.argsort(at[of], kind="stable")]
    skill = generator.normal(size=64)[them.agent[of]] * 0.25
    review, category = np.repeat(np.arange(len(of)), len(CATEGORIES)), np.tile(np.arange(len(CATEGORIES)), len(of))
    level = 4.35 + skill[review] - 0.35 * targeted[of][review] + 0.75 * generator.normal(size=len(review))
    rated = generator.random(len(review)) > np.array([0.02, 0.03, 0.12, 0.08])[category]
    critical = category == CATEGORIES.index("compliance")
    score = np.clip(np.round(level + 0.4 * critical), 1, 5)
    ticket = of[review]
    return pa.table(
        {
            "review_id": ids("R", review + 1, 5),
            "ticket_id": ids("T", them.number[ticket], 6),
            "agent_id": ids("A", them.agent[ticket] + 1, 2),
            "reviewer_id": ids("B", 1 + (them.number[ticket] % 3), 2),
            "reviewed_at": instants(at[ticket]),
            "category": text(category, CATEGORIES),
            "score": amounts(score, rated),
            "scale_min": amounts(np.full(len(review), 1.0)),
            "scale_max": amounts(np.full(len(review), 5.0)),
            "weight": amounts(WEIGHTS[category]),
            "is_critical": pa.array(critical),
            "sampling": text(targeted[ticket].astype(np.int64), ("random", "targeted")),
            "loaded_at": instants(loaded(at[ticket])),
        }
    )

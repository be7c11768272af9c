"""The sample company's tickets: what is asked, by whom, over which channel, and how each one goes."""

from dataclasses import dataclass, fields, replace

import numpy as np
import pyarrow as pa

from kpi_lib.sample.clock import (
    CLOSES,
    DAY,
    DESK_DAY,
    DESK_START,
    END,
    HOLIDAY,
    IS_OPEN,
    LAST_DAY,
    MIDNIGHTS,
    MONTH_STARTS,
    NEVER,
    OPENS,
    WEEKDAYS,
    Array,
    after_working,
    between_working,
    instant,
    loaded,
    month_of,
    stream,
    within,
)
from kpi_lib.sample.columns import ids, instants, text, whole
from kpi_lib.sample.customers import Customers
from kpi_lib.sample.staff import TEAMS, TIERS, Staff
from kpi_lib.sample.stories import story

CHANNELS = ("email", "chat", "web", "phone")
EMAIL, CHAT, WEB, PHONE = range(4)
MIX = np.array([0.29, 0.29, 0.11, 0.31])
TYPES = ("order status", "return", "billing", "product question", "technical", "account", "damage", "other")
TYPE_LIMITS = np.array([0.22, 0.38, 0.53, 0.67, 0.79, 0.89, 0.96])
TYPE_TEAM = np.array([0, 0, 1, 0, 2, 1, 0, 0])
PRODUCTS = ("tents", "boots", "jackets", "backpacks", "membership")
PRIORITIES = ("low", "normal", "high", "urgent")
ORIGINS = ("customer", "agent", "system")
WEEK = np.array([1.25, 1.15, 1.10, 1.10, 1.00, 0.45, 0.30])
EVENING = np.array([2, 1, 1, 1, 1, 2, 5, 10, 16, 20, 20, 18, 15, 15, 16, 16, 15, 14, 14, 15, 16, 13, 9, 5])
LIVE_DAY = np.array([0.0, 0.13, 0.28, 0.41, 0.50, 0.58, 0.67, 0.76, 0.84, 0.90, 0.95, 0.98, 1.0])


@dataclass(frozen=True)
class Tickets:
    """Tickets as columns in order of creation; `number` is the ticket's own, instants are NEVER if nothing happens."""

    number: Array
    created: Array
    channel: Array
    live: Array
    customer: Array
    type: Array
    product: Array
    priority: Array
    origin: Array
    problem: Array
    spam: Array
    test: Array
    deleted: Array
    merged_into: Array
    merged_at: Array
    by_bot: Array
    expired: Array
    escalated: Array
    rounds: Array
    agent: Array
    second_agent: Array
    replied: Array
    escalated_at: Array
    resolved: Array
    reopened: Array
    resolved_again: Array
    late: Array

    def only(self, which: Array) -> "Tickets":
        """Some of the tickets."""
        return replace(self, **{one.name: getattr(self, one.name)[which] for one in fields(self)})

    @property
    def valid(self) -> Array:
        """Which are a customer's own request: no spam, test, deleted or merged ticket."""
        return ~(self.spam | self.test | self.deleted | (self.merged_into >= 0)) & (self.origin == 0)

    @property
    def finally_resolved(self) -> Array:
        """When each was resolved for good."""
        return np.where(self.reopened < NEVER, self.resolved_again, self.resolved)


def contacts_a_day(monthly: float, generator: np.random.Generator) -> Array:
    """How many requests come on each day: growth, the week, holidays, a busy December, and chance."""
    day = np.arange(len(WEEKDAYS))
    growth = 1 + 0.0125 * (day - DESK_DAY) / 30.4
    season = 1 + 0.12 * np.isin((month_of(MIDNIGHTS) + 5) % 12, [11, 0])
    expected = monthly / 30.4 * 7 * WEEK[WEEKDAYS] / WEEK.sum() * growth * season * np.where(HOLIDAY, 0.35, 1.0)
    counts = generator.poisson(expected * np.exp(0.05 * generator.normal(size=len(day))))
    counts[:DESK_DAY] = 0
    counts[LAST_DAY + 1 :] = 0
    return counts


def moments(day: Array, live: Array, chance: Array) -> Array:
    """Instants on these days: live contacts in opening hours, written ones by the clock of the evening curve."""
    hours = np.interp(chance, np.concatenate([[0], np.cumsum(EVENING) / EVENING.sum()]), np.arange(25))
    share = np.interp(chance, LIVE_DAY, np.linspace(0, 1, len(LIVE_DAY)))
    open_hours = OPENS[day] + share * (CLOSES - OPENS)[day]
    return MIDNIGHTS[day] + (np.where(live, open_hours, hours) * 3600).astype(np.int64)


def _channels(day: Array, chance: Array, tell: bool) -> Array:
    shift = story("channel_shift")
    channel = np.searchsorted(np.cumsum(MIX)[:-1], chance)
    if tell:
        answers = np.array([shift.details["answers"][name] for name in CHANNELS], float)
        shifted = np.searchsorted(np.cumsum(answers / answers.sum())[:-1], chance)
        channel = np.where(within(MIDNIGHTS[day], shift.start, shift.end), shifted, channel)
    return np.where(IS_OPEN[day] | (channel == EMAIL) | (channel == WEB), channel, EMAIL)


def _requesters(generator: np.random.Generator, them: Customers, created: Array) -> Array:
    """Members, some more often than others; now and then somebody who has left, or nobody known."""
    often = generator.gamma(1.0, 1.0, len(them.segment)) * np.array([1.0, 1.4, 2.2])[them.segment]
    chance, stranger = generator.random(len(created)), generator.random(len(created))
    customer = np.full(len(created), -1)
    month = month_of(created)
    for one in np.unique(month):
        members = them.members(int(MONTH_STARTS[one]))
        rows = np.flatnonzero(month == one)
        weight = np.cumsum(often[members])
        customer[rows] = members[np.searchsorted(weight, chance[rows] * weight[-1])]
    former = stranger > 0.96
    customer[former] = (chance[former] * np.searchsorted(them.first_paid[them.role == 0], DESK_START)).astype(np.int64)
    customer[stranger < 0.015] = -1
    return customer


def _problems(generator: np.random.Generator, created: Array, kind: Array, product: Array) -> Array:
    """Half of a type's tickets on a product belong to one problem for some days."""
    problem = np.full(len(created), -1)
    linked = generator.random(len(created)) < 0.5
    for number in range(160):
        start = DESK_START + number * 5 * DAY
        length = int(generator.integers(3, 20)) * DAY
        what, on = generator.integers(0, 7), generator.integers(0, len(PRODUCTS))
        hit = (created >= start) & (created < start + length) & (kind == what) & (product == on) & linked
        problem[hit] = number
    return problem


def _outage(channel: Array, created: Array, chance: Array, tell: bool) -> tuple[Array, Array]:
    """While the chat is down some of its visitors write an email, and some give up and leave no ticket."""
    outage = story("chat_outage")
    kept, by_email = outage.details["tickets_kept"], outage.details["tickets_by_email"]
    turned = (channel == CHAT) & within(created, outage.start, outage.end) & (chance > kept) & tell
    gone = turned & (chance > kept + by_email)
    return np.where(turned, EMAIL, channel), gone


def _merges(rows: dict[str, Array], chance: Array, barred: Array) -> None:
    """A few tickets repeat one that the same customer sent shortly before, and are merged into it."""
    created = rows["created"]
    first = np.arange(len(created)) - 1 - (chance * 1e6).astype(np.int64) % 25
    second = (chance < 0.016) & (rows["channel"] != PHONE) & ~barred & (first > 0)
    second &= ~second[first] & ~barred[first] & (rows["customer"][first] >= 0)
    rows["customer"] = np.where(second, rows["customer"][first], rows["customer"])
    rows["type"] = np.where(second, rows["type"][first], rows["type"])
    at = created + 900 + (chance / 0.016 * 7200).astype(np.int64)
    second &= at < END
    rows["merged_into"] = np.where(second, rows["number"][first], -1)
    rows["merged_at"] = np.where(second, at, NEVER)


def _requests(generator: np.random.Generator, them: Customers, tell: bool) -> tuple[dict[str, Array], Array]:
    """What is asked, when, how and by whom; and which requests the outage loses."""
    counts = contacts_a_day(3050, generator)
    day = np.repeat(np.arange(len(counts)), counts)
    channel = _channels(day, generator.random(len(day)), tell)
    created = moments(day, (channel == CHAT) | (channel == PHONE), generator.random(len(day)))
    order = np.argsort(created, kind="stable")
    order = order[created[order] < END - 600]
    created, size = created[order], len(order)
    chance = generator.random((9, size))
    channel, gone = _outage(channel[order], created, chance[0], tell)
    written = (channel == EMAIL) | (channel == WEB)
    spam = written & (chance[3] < 0.03)
    test = chance[3] > 0.996
    deleted = (chance[3] > 0.992) & ~test
    hour = (created - MIDNIGHTS[day[order]]) // 3600
    staffed = IS_OPEN[day[order]] & (hour >= OPENS[day[order]]) & (hour < CLOSES[day[order]])
    origin = np.where((chance[4] < 0.12) & staffed, 1, np.where(chance[4] > 0.98, 2, 0))
    staffers = np.flatnonzero(them.role > 0)
    customer = np.where(
        test, staffers[(chance[5] * len(staffers)).astype(np.int64)], _requesters(generator, them, created)
    )
    rows = {
        "number": np.arange(1, size + 1),
        "created": created,
        "channel": channel,
        "customer": np.where(spam, -1, customer),
        "type": np.searchsorted(TYPE_LIMITS, chance[1]),
        "product": np.searchsorted([0.22, 0.44, 0.66, 0.82], chance[2]),
        "priority": np.searchsorted([0.15, 0.80, 0.95], chance[7]),
        "origin": np.where(channel == EMAIL, origin, 0),
        "spam": spam,
        "test": test,
        "deleted": deleted,
    }
    _merges(rows, chance[6], spam | test | deleted | gone)
    rows["problem"] = _problems(generator, created, rows["type"], rows["product"])
    own = ~(spam | test | deleted) & (rows["origin"] == 0) & (rows["merged_into"] < 0)
    outage = story("chat_outage")
    down = within(created, outage.start, outage.end) & tell
    rows["live"] = own & ((channel == PHONE) | ((channel == CHAT) & (chance[8] < 0.75) & ~down))
    rows["down"] = (channel == CHAT) & down
    return rows, gone


def _first_reply(generator: np.random.Generator, rows: dict[str, Array]) -> Array:
    """When a person first answers: at once in a live contact, after some work time in writing."""
    created, noise = rows["created"], generator.normal(size=len(rows["created"]))
    urgency = np.array([1.4, 1.0, 0.7, 0.4])[rows["priority"]]
    wait = (
        60 * urgency * np.select([rows["channel"] == CHAT, rows["channel"] == WEB], [4, 55], 45) * np.exp(1.05 * noise)
    )
    late = 60 * story("chat_outage").details["first_reply_minutes"] * np.exp(0.4 * noise)
    soon = created + 10 + np.exp(3.2 + 0.7 * noise).astype(np.int64)
    return np.where(rows["live"], soon, after_working(created, np.where(rows["down"], late, wait)))


def _course(rows: dict[str, Array], agents: Staff) -> dict[str, Array]:
    """How each request goes: first reply, rounds of messages, escalation, resolution, and some reopened after it."""
    generator = stream("courses")
    created, size = rows["created"], len(rows["created"])
    replied = _first_reply(generator, rows)
    chance, noise = generator.random((10, size)), generator.normal(size=size)
    team = TYPE_TEAM[rows["type"]]
    written = (rows["channel"] == CHAT) | (rows["channel"] == WEB)
    by_bot = written & ~rows["live"] & ~rows["down"] & (chance[0] < 0.22)
    escalated = np.where(chance[1] < 0.085, np.where((chance[1] < 0.018) | (TIERS[team] == 2), 3, 2), 0)
    escalated[by_bot] = 0
    expired = (chance[3] > 0.965) & (escalated == 0) & ~by_bot
    rounds = np.searchsorted([0.60, 0.83, 0.93, 0.98], chance[2])
    rounds = np.where(expired | by_bot, 0, np.maximum(rounds, escalated > 0))
    at_once = (rounds == 0) & (chance[3] < 0.45)
    work = np.exp(np.log(11 * 3600) + 1.15 * noise + 0.35 * (escalated > 0) + 0.15 * rounds)
    resolved = after_working(replied, np.where(at_once, 120 + work / 200, work))
    resolved = np.where(expired, replied + 7 * DAY, np.maximum(resolved, replied + 120))
    resolved = np.where(chance[4] < 0.0015, NEVER, resolved)
    resolved = np.where(by_bot, created + 300 + (chance[4] * 900).astype(np.int64), resolved)
    reopens = (chance[5] < 0.042) & (resolved < NEVER) & ~expired
    reopened = resolved + 600 + (chance[6] * 3.5 * DAY).astype(np.int64)
    again = after_working(np.where(reopens, reopened, created), 3600 + work / 2)
    climbs = between_working(replied, np.minimum(resolved, replied + 20 * DAY), 0.1 + 0.3 * chance[7])
    climbs = np.where(escalated > 0, climbs, NEVER)
    agent = agents.pick(team, replied, chance[8])
    second = agents.pick(np.where(escalated > 0, escalated, team), np.where(escalated > 0, climbs, replied), chance[9])
    return {
        "by_bot": by_bot,
        "expired": expired,
        "escalated": escalated,
        "rounds": rounds,
        "agent": agent,
        "second_agent": np.where(escalated > 0, second, agent),
        "replied": np.where(by_bot, NEVER, replied),
        "escalated_at": climbs,
        "resolved": resolved,
        "reopened": np.where(reopens, reopened, NEVER),
        "resolved_again": np.where(reopens, again, NEVER),
    }


def _late(them: Tickets) -> Array:
    """Which tickets miss the first extract: written ones of customers who asked nothing else since the middle of April.

    So nothing of May depends on them, and no call, merge or survey of the first extract names one.
    """
    late = story("late_tickets")
    month = within(them.created, late.start, late.end)
    recent = them.created >= instant(late.start) - 47 * DAY
    requests = np.bincount(them.customer[recent & (them.customer >= 0)], minlength=int(them.customer.max()) + 1)
    alone = (them.customer >= 0) & (requests[them.customer] == 1)
    fit = np.flatnonzero(month & alone & them.valid & ((them.channel == EMAIL) | (them.channel == WEB)))
    chosen = stream("late").permutation(fit)[: round(late.effect / 100 * month.sum())]
    return np.isin(np.arange(len(month)), chosen)


def tickets_of(them: Customers, agents: Staff, tell: bool) -> Tickets:
    """Every ticket and how it goes, whatever the extract holds of it."""
    rows, gone = _requests(stream("tickets"), them, tell)
    course = _course(rows, agents)
    del rows["down"]
    kept = Tickets(**rows, **course, late=np.zeros(len(gone), bool)).only(~gone)
    return replace(kept, late=_late(kept)) if tell else kept


def tickets(them: Tickets, tell: bool) -> pa.Table:
    """The table of tickets as the second extract holds it."""
    generator = stream("ticket table")
    size = len(them.number)
    climbed = them.escalated_at < END
    team = np.where(climbed, np.where(them.escalated == 3, 3, 2), TYPE_TEAM[them.type])
    tags = np.searchsorted([0.85, 0.93, 0.97], generator.random(size)) - 1
    untyped = generator.random(size) < 0.03
    table = pa.table(
        {
            "ticket_id": ids("T", them.number, 6),
            "customer_id": ids("C", np.where(them.customer < 0, -1, them.customer + 1), 5),
            "created_at": instants(them.created),
            "channel": text(them.channel, CHANNELS),
            "type": text(np.where(untyped, -1, them.type), TYPES),
            "priority": text(them.priority, PRIORITIES),
            "product": text(np.where(untyped, -1, them.product), PRODUCTS),
            "team": text(team, TEAMS),
            "tier": whole(TIERS[team]),
            "tags": text(tags, ("gift", "press", "wholesale")),
            "initiated_by": text(them.origin, ORIGINS),
            "problem_id": ids("P", np.where(untyped, -1, them.problem), 3),
            "is_spam": pa.array(them.spam),
            "is_test": pa.array(them.test),
            "is_deleted": pa.array(them.deleted),
            "merged_into_id": ids("T", them.merged_into, 6),
            "merged_at": instants(them.merged_at),
            "loaded_at": instants(late_load(loaded(them.created), them.late)),
        }
    )
    if not tell:
        return table
    twice = story("duplicated_rows")
    month = np.flatnonzero(within(them.created, twice.start, twice.end))
    copies = generator.permutation(month)[: int(twice.effect)]
    return table.take(pa.array(np.sort(np.concatenate([np.arange(size), copies]))))


def late_load(loads: Array, late: Array) -> Array:
    """Load times, with that of the second extract for what comes late."""
    return np.where(late, instant(story("late_tickets").details["extract"], 4), loads)

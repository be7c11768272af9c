"""The sample company's live contacts: the calls and chats behind tickets, and those that leave none."""

import numpy as np
import pyarrow as pa

from kpi_lib.sample.clock import (
    END,
    IS_OPEN,
    MONTH_STARTS,
    Array,
    day_of,
    loaded,
    month_of,
    stream,
    within,
)
from kpi_lib.sample.columns import ids, instants, text, whole
from kpi_lib.sample.customers import Customers
from kpi_lib.sample.staff import Staff
from kpi_lib.sample.stories import story
from kpi_lib.sample.tickets import CHANNELS, CHAT, PHONE, TYPE_LIMITS, TYPE_TEAM, Tickets, contacts_a_day, moments

OUTCOMES = ("answered", "abandoned_queue", "abandoned_ivr", "blocked", "voicemail", "callback")
ANSWERED, ABANDONED, IVR, BLOCKED, VOICEMAIL, CALLBACK = range(6)
QUEUES = ("general", "billing", "technical")
Rows = dict[str, Array]


def _of_tickets(them: Tickets, generator: np.random.Generator) -> Rows:
    """The answered contact behind every live ticket."""
    of = them.only(them.live)
    chat = of.channel == CHAT
    pressed = _waits(generator, of.created, of.channel)
    wait = np.where(chat, of.replied - of.created, pressed)
    return {
        "offered": np.where(chat, of.created, of.created - wait),
        "channel": of.channel,
        "team": TYPE_TEAM[of.type],
        "customer": of.customer,
        "ticket": of.number,
        "agent": of.agent,
        "outcome": np.full(len(wait), ANSWERED),
        "queue": wait,
        "outbound": np.zeros(len(wait), bool),
    }


def _waits(generator: np.random.Generator, at: Array, channel: Array) -> Array:
    """Seconds in the queue: nothing for some, longer on busy days."""
    busy = np.exp(0.35 * stream("busy").normal(size=len(IS_OPEN)))[day_of(at)]
    wait = generator.exponential(size=len(at)) * np.where(channel == CHAT, 34, 17) * busy
    return np.where(generator.random(len(at)) < 0.25, 0, wait).astype(np.int64)


def _visitors(generator: np.random.Generator, them: Customers, at: Array) -> Array:
    """Members who get in touch, and some whom nobody recognises."""
    chance = generator.random(len(at))
    known = generator.random(len(at)) < 0.9
    customer = np.full(len(at), -1)
    month = month_of(at)
    for one in np.unique(month):
        rows = np.flatnonzero((month == one) & known)
        members = them.members(int(MONTH_STARTS[one]))
        customer[rows] = members[(chance[rows] * len(members)).astype(np.int64)]
    return customer


def _endings(chance: Array, closed: Array, wait: Array, patience: Array, short: Array, outbound: Array) -> Array:
    """How each contact ends on an ordinary day."""
    outcome = np.where((patience < wait) | short, ABANDONED, ANSWERED)
    outcome = np.where(
        chance < 0.03, IVR, np.where(chance < 0.045, CALLBACK, np.where(chance < 0.05, BLOCKED, outcome))
    )
    return np.where(outbound, ANSWERED, np.where(closed, VOICEMAIL, outcome))


def _without_ticket(them: Customers, agents: Staff, tell: bool, generator: np.random.Generator) -> Rows:
    """Contacts that leave no ticket: settled at once, abandoned, blocked, or left on the machine."""
    counts = contacts_a_day(4500, generator)
    counts = np.where(IS_OPEN, counts, counts // 6)
    day = np.repeat(np.arange(len(counts)), counts)
    at = np.sort(moments(day, np.ones(len(day), bool), generator.random(len(day))))
    at = at[at < END - 600]
    size = len(at)
    chance = generator.random((5, size))
    channel = np.where((chance[0] < 0.42) & IS_OPEN[day_of(at)], CHAT, PHONE)
    wait, patience = _waits(generator, at, channel), 6 + (generator.exponential(200, size)).astype(np.int64)
    short = (chance[1] < 0.012) & (wait > 5)
    outbound = (chance[1] > 0.96) & (channel == PHONE) & IS_OPEN[day_of(at)]
    outcome = _endings(chance[2], ~IS_OPEN[day_of(at)], wait, patience, short, outbound)
    hung_up = np.where(short, 1 + (chance[4] * 5).astype(np.int64), patience)
    outage = story("chat_outage")
    down = np.flatnonzero((channel == CHAT) & within(at, outage.start, outage.end) & tell)
    if len(down):
        blocked = round(outage.details["blocked_percent"] / 100 * len(down))
        abandoned = round(outage.effect / 100 * (len(down) - blocked))
        fate = stream("outage").permutation(
            np.repeat([BLOCKED, ABANDONED, ANSWERED], [blocked, abandoned, len(down) - blocked - abandoned])
        )
        outcome[down] = fate
        hung_up[down] = outage.details["patience_seconds"] // 2 + patience[down]
        wait[down] = outage.details["patience_seconds"] + hung_up[down]
    queue = np.where(outcome == ABANDONED, hung_up, wait)
    queue = np.where(outcome == CALLBACK, 20 + queue, queue)
    team = TYPE_TEAM[np.searchsorted(TYPE_LIMITS, chance[3])]
    answering = np.where((team == 2) & (chance[0] * 100 % 1 < 0.35), 3, team)  # specialists take technical calls too
    return {
        "offered": at,
        "channel": channel,
        "team": team,
        "customer": _visitors(generator, them, at),
        "ticket": np.full(size, -1),
        "agent": np.where(outcome == ANSWERED, agents.pick(answering, at, chance[4]), -1),
        "outcome": outcome,
        "queue": np.where(np.isin(outcome, (IVR, BLOCKED, VOICEMAIL)) | outbound, -1, queue),
        "outbound": outbound,
    }


def calls(them: Tickets, customers: Customers, agents: Staff, tell: bool) -> pa.Table:
    """The table of calls and chats."""
    generator = stream("calls")
    linked = _of_tickets(them, stream("ticket calls"))
    plain = _without_ticket(customers, agents, tell, generator)
    order = np.argsort(np.concatenate([linked["offered"], plain["offered"]]), kind="stable")
    rows = {name: np.concatenate([linked[name], plain[name]])[order] for name in linked}
    size, chat, answered = len(order), rows["channel"] == CHAT, rows["outcome"] == ANSWERED
    generator = stream("talks")
    talk = np.exp(np.log(np.where(chat, 520, 370)) + 0.55 * generator.normal(size=size)).astype(np.int64)
    hold = np.where((generator.random(size) < 0.25) & ~chat, generator.exponential(75, size), 0)
    wrap = generator.exponential(np.where(chat, 40, 70))
    return pa.table(
        {
            "call_id": ids("N", np.arange(1, size + 1), 6),
            "channel": text(rows["channel"], CHANNELS),
            "queue": text(rows["team"], QUEUES),
            "customer_id": ids("C", np.where(rows["customer"] < 0, -1, rows["customer"] + 1), 5),
            "ticket_id": ids("T", rows["ticket"], 6),
            "agent_id": ids("A", np.where(rows["agent"] < 0, -1, rows["agent"] + 1), 2),
            "offered_at": instants(rows["offered"]),
            "outcome": text(rows["outcome"], OUTCOMES),
            "queue_seconds": whole(rows["queue"]),
            "talk_seconds": whole(np.where(answered, talk, -1)),
            "hold_seconds": whole(np.where(answered, hold, -1)),
            "wrap_seconds": whole(np.where(answered, wrap, -1)),
            "direction": text(rows["outbound"].astype(np.int64), ("inbound", "outbound")),
            "loaded_at": instants(loaded(rows["offered"])),
        }
    )

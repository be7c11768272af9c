"""What happens to the sample company's tickets, one row an event."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from kpi_lib.sample.clock import DAY, END, NEVER, Array, between_working, loaded, stream
from kpi_lib.sample.columns import ids, instants, text, whole
from kpi_lib.sample.staff import AGENTS, Staff
from kpi_lib.sample.tickets import CHANNELS, CHAT, TIERS, TYPE_TEAM, WEB, Tickets, late_load

KINDS = (*("created", "customer_message", "public_reply", "internal_note", "status", "assign", "escalate", "merge"),)
ACTORS = ("customer", "agent", "bot", "system")
VALUES = (
    "open",
    "pending",
    "hold",
    "resolved",
    "closed",
    "2",
    "3",
    *(f"A{number:02}" for number in range(1, AGENTS + 1)),
)
FIRST_AGENT = VALUES.index("A01")
CLOSED_AFTER = 4 * DAY


class Log:
    """Collects events of many tickets at a time; what lies after the last load has not happened yet."""

    def __init__(self, them: Tickets, agents: Staff) -> None:
        self.them = them
        self.agents = agents
        self.parts: list[tuple[Array, ...]] = []

    def add(
        self,
        which: Array,
        at: Array,
        kind: str,
        actor: str,
        agent: Array | None = None,
        to: Array | str | None = None,
        handle: Array | None = None,
        channel: Array | None = None,
    ) -> None:
        """Add an event to each ticket where `which` is true; the other columns are of all tickets."""
        row = np.flatnonzero(which & (at < END))
        nothing = np.full(len(row), -1)

        def of(values: Array | None) -> Array:
            return nothing if values is None else values[row]

        value = np.full(len(row), VALUES.index(to)) if isinstance(to, str) else of(to)
        step = np.full(len(row), len(self.parts))
        by = of(agent) if actor != "agent" or agent is None else self.agents.on_duty(agent[row], at[row])
        what, who = np.full(len(row), KINDS.index(kind)), np.full(len(row), ACTORS.index(actor))
        self.parts.append((row, at[row], step, what, who, by, value, of(handle), of(channel)))

    def status(self, which: Array, at: Array, to: str, actor: str, agent: Array | None = None) -> None:
        """Add a change of status."""
        self.add(which, at, "status", actor, agent, to)


Effort = Callable[[float], Array]


def _conversation(log: Log, effort: Effort, generator: np.random.Generator, handled: Array) -> None:
    """First reply, the rounds of messages that follow it, and what agents note and pass on meanwhile."""
    them = log.them
    size = len(them.number)
    first, again = them.agent, them.second_agent
    log.add(handled & ~them.live, them.replied, "public_reply", "agent", first, handle=effort(960))
    log.add(handled & them.live, them.replied, "public_reply", "agent", first)
    end = np.where(them.resolved < NEVER, them.resolved, them.replied + 20 * DAY)
    waits = handled & (them.rounds > 0)
    held = waits & (generator.random(size) < 0.06)
    pending = (waits & ~held & (generator.random(size) < 0.7)) | (them.expired & handled)
    log.status(held, them.replied + 1, "hold", "agent", first)
    log.status(pending, them.replied + 1, "pending", "agent", first)
    switched = np.where(generator.random(size) < 0.06, (them.channel + 1) % 3, -1)
    for number in range(int(them.rounds.max())):
        rows = handled & (them.rounds > number)
        share = (number + 0.5) / np.maximum(them.rounds, 1)
        message = between_working(them.replied + 5, end - 5, share * 0.9)
        log.add(rows, message, "customer_message", "customer", channel=switched if number == 0 else None)
        if number == 0:
            log.status(rows & (held | pending), message, "open", "customer")
        last = rows & (them.rounds == number + 1) & (them.resolved < NEVER)
        answer = np.where(last, end - 2, between_working(message, end - 3, np.full(size, 0.3)))
        by = np.where(answer > them.escalated_at, again, first)
        log.add(rows, answer, "public_reply", "agent", by, handle=effort(760))
    noted = handled & (generator.random(size) < 0.3)
    log.add(
        noted,
        between_working(them.replied, end, np.full(size, 0.05)),
        "internal_note",
        "agent",
        first,
        handle=effort(140),
    )
    tier = TIERS[TYPE_TEAM[them.type]]
    for level in (2, 3):
        rows = handled & (them.escalated >= level) & (tier < level)
        at = them.escalated_at + 600 * ((level == 3) & (tier == 1))
        log.add(rows, at, "escalate", "agent", first, str(level), effort(150))
    moved = them.escalated_at + 900
    log.add(handled & (them.escalated > 0), moved, "assign", "system", again, FIRST_AGENT + again)


def _endings(log: Log, effort: Effort, valid: Array) -> None:
    """Resolutions by people, bots and the clock, reopened tickets, and the closing some days later."""
    them = log.them
    last = them.second_agent
    resolved = valid & (them.resolved < NEVER)
    log.status(resolved & them.by_bot, them.resolved, "resolved", "bot")
    log.status(resolved & them.expired, them.resolved, "resolved", "system")
    log.status(resolved & ~them.by_bot & ~them.expired, them.resolved, "resolved", "agent", last)
    reopened = valid & (them.reopened < NEVER)
    log.add(reopened, them.reopened, "customer_message", "customer")
    log.status(reopened, them.reopened, "open", "customer")
    log.add(reopened, them.resolved_again - 30, "public_reply", "agent", last, handle=effort(760))
    log.status(reopened, them.resolved_again, "resolved", "agent", last)
    log.status(resolved, them.finally_resolved + CLOSED_AFTER, "closed", "system")
    ended = them.spam | them.test | them.deleted
    log.status(ended & (them.merged_into < 0), them.created + 5400, "closed", "agent", them.agent)
    merged = them.merged_into >= 0
    log.add(merged, them.merged_at, "merge", "agent", them.agent)
    log.status(merged, them.merged_at, "closed", "system")


def ticket_events(them: Tickets, agents: Staff) -> pa.Table:
    """The table of ticket events as the second extract holds it."""
    generator = stream("events")
    size = len(them.number)

    def effort(typical: float) -> Array:
        return np.exp(np.log(typical) + 0.5 * generator.normal(size=size)).astype(np.int64)

    log = Log(them, agents)
    valid = ~(them.spam | them.test | them.deleted) & (them.merged_into < 0)
    proactive = valid & (them.origin == 1)
    log.add(them.origin == 0, them.created, "created", "customer")
    log.add(them.origin == 1, them.created, "created", "agent", them.agent)
    log.add(them.origin == 2, them.created, "created", "system")
    log.add(proactive, them.created, "public_reply", "agent", them.agent, handle=effort(240))
    greeted = (them.channel == WEB) | ((them.channel == CHAT) & ~them.live)
    log.add(greeted & valid, them.created + 4, "public_reply", "bot")
    assigned = them.created + np.minimum(
        10 + (generator.random(size) * 1200).astype(np.int64), (them.replied - them.created) // 2
    )
    log.add(valid & ~them.by_bot, assigned, "assign", "system", them.agent, FIRST_AGENT + them.agent)
    _conversation(log, effort, generator, valid & ~them.by_bot)
    _endings(log, effort, valid)
    row, at, step, kind, actor, agent, value, handle, channel = (
        np.concatenate(part) for part in zip(*log.parts, strict=True)
    )
    order = np.lexsort((step, row, at))
    row, at, kind, actor = row[order], at[order], kind[order], actor[order]
    values = text(value[order], VALUES)
    into = pa.compute.if_else(pa.array(kind == KINDS.index("merge")), ids("T", them.merged_into[row], 6), values)
    return pa.table(
        {
            "event_id": ids("E", np.arange(1, len(order) + 1), 7),
            "ticket_id": ids("T", them.number[row], 6),
            "at": instants(at),
            "kind": text(kind, KINDS),
            "actor": text(actor, ACTORS),
            "channel": text(channel[order], CHANNELS),
            "agent_id": ids("A", np.where(agent[order] < 0, -1, agent[order] + 1), 2),
            "to_value": into,
            "handle_seconds": whole(handle[order]),
            "loaded_at": instants(late_load(loaded(at), them.late[row])),
        }
    )

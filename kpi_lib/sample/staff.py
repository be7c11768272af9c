"""The sample company's agents: teams, tiers, who works on which day, and their shifts."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from kpi_lib.sample.clock import DAYS, DESK_DAY, IS_OPEN, LAST_DAY, MIDNIGHTS, WEEKDAYS, Array, day_of, loaded, stream
from kpi_lib.sample.columns import ids, instants, text, whole

TEAMS = ("general", "billing", "technical", "specialists")
TIERS = np.array([1, 1, 2, 3])
TEAM_SIZES = (13, 6, 5, 2)
AGENTS = sum(TEAM_SIZES)
ACTIVITIES = ("available", "break", "training", "meeting", "absent")
HOUR = 3600


@dataclass(frozen=True)
class Staff:
    """Agents' teams, and for every day who is there (`present`) or has the day off with pay (`absent`)."""

    team: Array
    present: Array
    absent: Array
    choices: Array
    counts: Array

    def pick(self, team: Array, at: Array, chance: Array) -> Array:
        """An agent of each team who works on the day of each instant."""
        day = day_of(at)
        count = self.counts[day, team]
        return self.choices[day, team, np.minimum((chance * count).astype(np.int64), count - 1)]

    def on_duty(self, agent: Array, at: Array) -> Array:
        """The agent, or on a day off a colleague of the same team."""
        chance = (agent * 0.37 + at * 0.618) % 1.0
        return np.where(self.present[day_of(at), agent], agent, self.pick(self.team[agent], at, chance))


def staff() -> Staff:
    """The agents: a few are hired or leave along the way."""
    generator = stream("staff")
    team = np.repeat(np.arange(len(TEAMS)), TEAM_SIZES)
    days = np.arange(len(DAYS))[:, None]
    hired = np.where(np.arange(AGENTS) % 5 == 3, DESK_DAY + generator.integers(60, 600, AGENTS), 0)
    left = np.where(np.arange(AGENTS) % 15 == 7, DESK_DAY + generator.integers(200, 500, AGENTS), len(DAYS))
    employed = (days >= hired) & (days < left) & IS_OPEN[:, None]
    weekday = employed & (WEEKDAYS < 5)[:, None]
    absent = weekday & (generator.random((len(DAYS), AGENTS)) < 0.09)
    saturday = employed & (WEEKDAYS == 5)[:, None] & ((np.arange(AGENTS) + days // 7) % 3 == 0)
    present = (weekday & ~absent) | saturday
    choices = np.zeros((len(DAYS), len(TEAMS), max(TEAM_SIZES)), np.int64)
    counts = np.zeros((len(DAYS), len(TEAMS)), np.int64)
    for number in range(len(TEAMS)):
        members = np.flatnonzero(team == number)
        there = present[:, members]
        order = np.argsort(~there, axis=1, kind="stable")
        count = there.sum(axis=1)
        latest = np.maximum.accumulate(np.where(count > 0, np.arange(len(DAYS)), 0))  # nobody there: the day before
        choices[:, number, : len(members)] = members[order][latest]
        counts[:, number] = np.maximum(count[latest], 1)
    return Staff(team, present, absent, choices, counts)


def agent_shifts(them: Staff) -> pa.Table:
    """The table of shifts: each worked day is work, a break, work, and now and then a meeting or a training."""
    generator = stream("shifts")
    known = np.zeros((len(DAYS), 1), bool)
    known[DESK_DAY : LAST_DAY + 1] = True
    day, agent = np.nonzero(them.present & known)
    saturday = WEEKDAYS[day] == 5
    late = (agent + day // 7) % 2 == 1
    first = np.where(saturday, 9.0, np.where(late, 11.5, 8.0))
    length = np.where(saturday, 7.0, np.where(agent % 6 == 5, 6.0, 8.5))
    third = np.where((WEEKDAYS[day] == 1) & ~saturday, 3, np.where(generator.random(len(day)) < 0.04, 2, -1))
    special = np.where(third == 2, 2.0, np.where(third == 3, 1.0, 0.0))
    middle, last = first + np.where(length > 6, 4.0, 3.0), first + length
    work, pause = np.zeros_like(day), np.ones_like(day)
    rows = [
        (day, agent, first, first + special, third),
        (day, agent, first + special, middle, work),
        (day, agent, middle, middle + 0.5, pause),
        (day, agent, middle + 0.5, last, work),
    ]
    day_off, off = np.nonzero(them.absent & known)
    rows.append((day_off, off, np.full(len(off), 8.0), np.full(len(off), 16.0), np.full(len(off), 4)))
    days, agents, starts, ends, whats = (np.concatenate(part) for part in zip(*rows, strict=True))
    real = np.flatnonzero(ends > starts)
    order = real[np.lexsort((starts[real], agents[real], days[real]))]
    midnight, agents, whats = MIDNIGHTS[days[order]], agents[order], whats[order]
    start = midnight + (starts[order] * HOUR).astype(np.int64)
    return pa.table(
        {
            "shift_id": ids("H", np.arange(1, len(order) + 1), 6),
            "agent_id": ids("A", agents + 1, 2),
            "team": text(them.team[agents], TEAMS),
            "tier": whole(TIERS[them.team[agents]]),
            "start_at": instants(start),
            "end_at": instants(midnight + (ends[order] * HOUR).astype(np.int64)),
            "activity": text(whats, ACTIVITIES),
            "paid": pa.array(whats != 1),
            "loaded_at": instants(loaded(start)),
        }
    )

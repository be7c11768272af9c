"""Who the sample company's customers are, when each comes, leaves and returns, and what they subscribe to."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa

from kpi_lib.sample.clock import (
    DAY,
    END,
    MONTH,
    MONTH_STARTS,
    NEVER,
    Array,
    instant,
    loaded,
    month_index,
    stream,
)
from kpi_lib.sample.columns import amounts, constant, ids, instants, text
from kpi_lib.sample.stories import story

SEGMENTS = ("consumer", "small_business", "enterprise")
COUNTRIES = ("DE", "AT", "CH", "NL", "FR")
ACQUISITION = ("search", "social", "display", "referral", "organic")
PLANS = ("basic", "plus", "pro")
PRICES = np.array([19.0, 39.0, 99.0])
SEATS = np.array([1.0, 1.4, 3.0])
PLAN_LIMITS = np.array([[0.55, 0.90], [0.20, 0.70], [0.0, 0.25]])
MONTHLY_CHURN = np.array([0.0275, 0.0255, 0.0170])
THIS_MONTH = len(MONTH_STARTS) - 2  # July 2024, of which two days are known
STAFF, TESTS = 20, 15
SECOND_PROGRAM = instant(date(2023, 1, 1))


@dataclass(frozen=True)
class Customers:
    """Customers as columns, and the spells of their membership; staff and test accounts come last, without spells."""

    first_seen: Array
    first_paid: Array
    segment: Array
    country: Array
    channel: Array
    referrer: Array
    role: Array
    spell_customer: Array
    spell_start: Array
    spell_end: Array

    def members(self, at: int) -> Array:
        """Who is a member at an instant, each once, in order."""
        return np.sort(self.spell_customer[(self.spell_start <= at) & (self.spell_end > at)])

    def happenings(self, generator: np.random.Generator, monthly: Array, since: int) -> tuple[Array, Array]:
        """Customers and instants of something each member does so many times a month, from an instant on."""
        start, end = np.maximum(self.spell_start, since), np.minimum(self.spell_end, END)
        length = np.maximum(end - start, 0)
        times = generator.poisson(length / MONTH * monthly[self.spell_customer])
        row = np.repeat(np.arange(len(start)), times)
        at = start[row] + (generator.random(len(row)) * length[row]).astype(np.int64)
        order = np.argsort(at, kind="stable")
        return self.spell_customer[row][order], at[order]


def _newcomers(generator: np.random.Generator) -> Array:
    """First payments of everyone who ever joins, in order: steady growth, more in spring and before Christmas."""
    months = np.arange(THIS_MONTH + 1)
    season = 1 + 0.08 * np.isin((months + 5) % 12, [3, 4, 10, 11])
    counts = generator.poisson((215 + 2.1 * months) * season)
    month = np.repeat(months, counts)
    length = MONTH_STARTS[month + 1] - MONTH_STARTS[month]
    joined = np.sort(MONTH_STARTS[month] + (generator.random(len(month)) * (length - DAY)).astype(np.int64))
    return joined[joined < END - DAY]


def _leavers(generator: np.random.Generator, month: int, group: Array, since: Array, segment: int, tell: bool) -> Array:
    """Who of a segment's members leaves in a month: young memberships more often."""
    rate = MONTHLY_CHURN[segment] * (1 + 0.06 * generator.normal())
    rise = story("price_rise")
    if tell and SEGMENTS[segment] == rise.member and month_index(rise.start) <= month < month_index(rise.end):
        rate = MONTHLY_CHURN[segment] * rise.effect
    young = np.where(MONTH_STARTS[month] - since[group] < 3 * MONTH, 2.0, 1.0)
    haste = generator.exponential(size=len(group)) / young
    return group[np.argsort(haste, kind="stable")[: round(rate * len(group))]]


def _spells(generator: np.random.Generator, joined: Array, segment: Array, tell: bool) -> tuple[Array, Array, Array]:
    """Memberships from start to end, month by month: leaving, returning later, and short breaks."""
    since = np.full(len(joined), NEVER)
    returns = np.full(len(joined), -1)
    joined_month = np.searchsorted(MONTH_STARTS, joined, side="right") - 1
    spells: list[tuple[Array, Array, Array]] = []

    def leave(who: Array, at: Array) -> None:
        spells.append((who, since[who], at))
        since[who] = NEVER

    for month in range(THIS_MONTH + 1):
        start, end = int(MONTH_STARTS[month]), int(MONTH_STARTS[month + 1])
        members = np.flatnonzero(since < NEVER)
        leavers = np.concatenate(
            [
                _leavers(generator, month, members[segment[members] == kind], since, kind, tell)
                for kind in range(len(SEGMENTS))
            ]
        )
        at = generator.integers(start + 3600, end, len(leavers))
        if month == THIS_MONTH:  # what is known of the rest of the month: cancellations for a term's end
            known = (at < END) | (generator.random(len(at)) < 0.3)
            leavers, at = leavers[known], at[known]
        leave(leavers, at)
        back = generator.random(len(leavers)) < 0.12
        returns[leavers[back]] = month + 1 + generator.geometric(0.25, int(back.sum()))
        returning = np.flatnonzero(returns == month)
        since[returning] = generator.integers(start + 3600, min(end, END), len(returning))
        pausing = np.setdiff1d(members, leavers)
        pausing = pausing[generator.random(len(pausing)) < 0.0008]
        at = generator.integers(start + 3600, start + 15 * DAY, len(pausing))
        if month < THIS_MONTH:
            leave(pausing, at)
            since[pausing] = at + generator.integers(3 * DAY, 8 * DAY, len(pausing))
        new = np.flatnonzero(joined_month == month)
        since[new] = joined[new]
        early = new[(generator.random(len(new)) < 0.015) & (joined[new] < min(end, END) - 2 * DAY)]
        leave(
            early, since[early] + (generator.random(len(early)) * (min(end, END) - DAY - since[early])).astype(int) + 1
        )
    staying = np.flatnonzero(since < NEVER)
    leave(staying, np.full(len(staying), NEVER))
    who, starts, ends = (np.concatenate(part) for part in zip(*spells, strict=True))
    return who, starts, ends


def company(tell: bool) -> Customers:
    """Everyone who ever was a customer."""
    generator = stream("customers")
    joined = _newcomers(generator)
    size = len(joined)
    extra = STAFF + TESTS
    segment = np.searchsorted([0.60, 0.90], generator.random(size + extra))
    country = np.searchsorted([0.60, 0.72, 0.80, 0.91], generator.random(size + extra))
    channel = np.searchsorted([0.30, 0.48, 0.58, 0.73], generator.random(size + extra))
    seen = joined - (generator.exponential(12, size) * DAY).astype(np.int64) - 600
    referrer = (generator.random(size + extra) * np.arange(size + extra)).astype(np.int64)
    referrer[(channel != ACQUISITION.index("referral")) | (np.arange(size + extra) < 100)] = -1
    spells = _spells(stream("spells"), joined, segment[:size], tell)
    return Customers(
        first_seen=np.concatenate([seen, np.full(extra, MONTH_STARTS[1])]),
        first_paid=np.concatenate([joined, np.full(extra, NEVER)]),
        segment=segment,
        country=country,
        channel=channel,
        referrer=referrer,
        role=np.repeat([0, 1, 2], [size, STAFF, TESTS]),
        spell_customer=spells[0],
        spell_start=spells[1],
        spell_end=spells[2],
    )


def customers(them: Customers) -> pa.Table:
    """The table of customers."""
    size = len(them.first_seen)
    program = np.where(them.referrer < 0, -1, (them.first_seen > SECOND_PROGRAM).astype(np.int64))
    return pa.table(
        {
            "customer_id": ids("C", np.arange(1, size + 1), 5),
            "first_seen_at": instants(them.first_seen),
            "first_paid_at": instants(them.first_paid),
            "segment": text(them.segment, SEGMENTS),
            "country": text(them.country, COUNTRIES),
            "acquisition_channel": text(them.channel, ACQUISITION),
            "referral_program": text(program, ("bring-a-friend", "trail-mates")),
            "referrer_customer_id": ids("C", np.where(them.referrer < 0, -1, them.referrer + 1), 5),
            "is_test": pa.array(them.role == 2),
            "is_staff": pa.array(them.role == 1),
            "loaded_at": instants(loaded(them.first_seen)),
        }
    )


def subscriptions(them: Customers, tell: bool) -> pa.Table:
    """The table of subscriptions: a spell is one, or two after a change of plan; some members add a second."""
    generator = stream("subscriptions")
    who, start, end = them.spell_customer, them.spell_start, them.spell_end
    plans = np.array(
        [np.searchsorted(PLAN_LIMITS[kind], generator.random(len(them.segment))) for kind in range(len(SEGMENTS))]
    )
    plan = plans[them.segment, np.arange(len(them.segment))][who]
    reason = np.searchsorted([0.72, 0.92], generator.random(len(who)))
    known_end = np.minimum(end, END)
    length = known_end - start
    part = start + (length * generator.uniform(0.2, 0.8, len(who))).astype(np.int64)
    changes = (generator.random(len(who)) < 1 - np.exp(-0.008 * length / MONTH)) & (length > 60 * DAY)
    adds = (generator.random(len(who)) < 0.04) & (length > 60 * DAY) & ~changes
    up = generator.random(len(who)) < 0.7
    other = np.where((plan == 0) | ((plan == 1) & up), plan + 1, plan - 1)
    first_end, first_reason = np.where(changes, part, end), np.where(changes, 2, reason)
    second = changes | adds
    rows = {
        "who": np.concatenate([who, who[second]]),
        "start": np.concatenate([start, part[second]]),
        "end": np.concatenate([first_end, end[second]]),
        "plan": np.concatenate([plan, other[second]]),
        "reason": np.concatenate([first_reason, reason[second]]),
    }
    discount = np.where(generator.random(len(them.segment)) < 0.1, 0.9, 1.0)
    seats = SEATS[them.segment] * generator.uniform(0.9, 1.1, len(them.segment))
    seats = np.where(them.segment == 0, 1.0, seats)
    order = np.argsort(rows["start"], kind="stable")
    rows = {name: values[order] for name, values in rows.items()}
    price = PRICES[rows["plan"]] * discount[rows["who"]] * seats[rows["who"]]
    rise = story("price_rise").details
    if tell:
        price = np.where(rows["start"] >= instant(rise["from"]), price * rise["price_factor"], price)
    size = len(order)
    return pa.table(
        {
            "subscription_id": ids("S", np.arange(1, size + 1), 5),
            "customer_id": ids("C", rows["who"] + 1, 5),
            "started_at": instants(rows["start"]),
            "ended_at": instants(rows["end"]),
            "plan": text(rows["plan"], PLANS),
            "mrr": amounts(np.round(price, 2)),
            "currency": constant("EUR", size),
            "end_reason": text(np.where(rows["end"] < NEVER, rows["reason"], -1), ("voluntary", "payment", "other")),
            "loaded_at": instants(loaded(rows["start"])),
        }
    )

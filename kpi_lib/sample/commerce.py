"""The sample company's shop, its leads, what members do in the app, and what all of it costs."""

from collections.abc import Iterator
from datetime import date, timedelta

import numpy as np
import pyarrow as pa

from kpi_lib.sample.clock import DAY, DESK_START, END, LAUNCH, NEVER, instant, loaded, stream
from kpi_lib.sample.columns import amounts, constant, ids, instants, text
from kpi_lib.sample.customers import ACQUISITION, Customers

LEADS_PER_CONVERSION = 3.2
ENGAGEMENT = ("site_visit", "login", "email_open", "social", "other")


def transactions(them: Customers) -> pa.Table:
    """The table of purchases, and of refunds and chargebacks linked to them."""
    generator = stream("transactions")
    size = len(them.segment)
    often = generator.gamma(1.2, 0.28, size) * np.array([1.0, 1.3, 2.0])[them.segment]
    basket = 1 / generator.gamma(4, 1 / 200, size) * np.array([1.0, 1.6, 3.5])[them.segment]
    who, at = them.happenings(generator, often, 0)
    paid = np.round(basket[who] * generator.gamma(4, 1 / 4, len(who)) + 5, 2)
    cost = np.round(paid * generator.uniform(0.48, 0.62, len(who)), 2)
    back_at = at + (generator.uniform(3, 28, len(who)) * DAY).astype(np.int64)
    kind = np.searchsorted([0.06, 0.0625], generator.random(len(who)))
    share = np.where((kind == 1) | (generator.random(len(who)) < 0.7), 1.0, 0.4)
    back = np.flatnonzero((kind < 2) & (back_at < END))
    rows = {
        "who": np.concatenate([who, who[back]]),
        "at": np.concatenate([at, back_at[back]]),
        "kind": np.concatenate([np.zeros(len(who), np.int64), kind[back] + 1]),
        "amount": np.concatenate([paid, -np.round(paid[back] * share[back], 2)]),
        "cost": np.concatenate([cost, np.zeros(len(back))]),
        "of": np.concatenate([np.full(len(who), -1), back]),
    }
    order = np.argsort(rows["at"], kind="stable")
    number = np.empty(len(order), np.int64)
    number[order] = np.arange(1, len(order) + 1)
    rows = {name: values[order] for name, values in rows.items()}
    return pa.table(
        {
            "transaction_id": ids("X", np.arange(1, len(order) + 1), 6),
            "customer_id": ids("C", rows["who"] + 1, 5),
            "occurred_at": instants(rows["at"]),
            "kind": text(rows["kind"], ("purchase", "refund", "chargeback")),
            "amount": amounts(rows["amount"]),
            "currency": constant("EUR", len(order)),
            "cost": amounts(rows["cost"], rows["kind"] == 0),
            "refunds_transaction_id": ids("X", np.where(rows["of"] < 0, -1, number[rows["of"]]), 6),
            "loaded_at": instants(loaded(rows["at"])),
        }
    )


def leads(them: Customers) -> pa.Table:
    """The table of leads: those who became customers, those who did not, bots, and people who asked twice."""
    generator = stream("leads")
    won = np.flatnonzero((them.first_seen >= DESK_START) & (them.role == 0))
    won = won[generator.random(len(won)) < 0.9]
    lost = round(len(won) * LEADS_PER_CONVERSION)
    created = np.concatenate([them.first_seen[won], generator.integers(DESK_START, END - 60, lost)])
    converted = np.concatenate([them.first_paid[won], np.full(lost, NEVER)])
    qualified = created + (generator.exponential(4, len(created)) * DAY).astype(np.int64)
    qualified[len(won) :][generator.random(lost) > 0.35] = NEVER
    qualified = np.where(np.minimum(qualified, converted) < END, np.minimum(qualified, converted), NEVER)
    bot = np.concatenate([np.zeros(len(won), bool), generator.random(lost) < 0.07])
    person = np.arange(len(created))
    twice = len(won) + np.flatnonzero(generator.random(lost) < 0.04)
    person[twice] = person[twice - 1]
    contact = generator.integers(0, 1 << 62, len(created))[person]
    channel = np.concatenate([them.channel[won], np.searchsorted([0.34, 0.58, 0.74, 0.82], generator.random(lost))])
    customer = np.concatenate([won, np.full(lost, -2)])
    order = np.argsort(created, kind="stable")
    return pa.table(
        {
            "lead_id": ids("L", np.arange(1, len(order) + 1), 6),
            "created_at": instants(created[order]),
            "channel": text(channel[order], ACQUISITION),
            "qualified_at": instants(np.where(bot, NEVER, qualified)[order]),
            "customer_id": ids("C", customer[order] + 1, 5),
            "converted_at": instants(converted[order]),
            "contact_hash": pa.array([f"{number:016x}" for number in contact[order].tolist()]),
            "is_bot": pa.array(bot[order]),
            "loaded_at": instants(loaded(created[order])),
        }
    )


def engagement_events(them: Customers) -> pa.Table:
    """The table of visits, logins and the like, by members."""
    generator = stream("engagement")
    often = generator.gamma(0.7, 4.0, len(them.segment))
    who, at = them.happenings(generator, often, DESK_START)
    kind = np.searchsorted([0.48, 0.78, 0.92, 0.98], generator.random(len(who)))
    return pa.table(
        {
            "event_id": ids("V", np.arange(1, len(who) + 1), 7),
            "customer_id": ids("C", who + 1, 5),
            "at": instants(at),
            "kind": text(kind, ENGAGEMENT),
            "loaded_at": instants(loaded(at)),
        }
    )


Cost = tuple[str, str, str | None, date, date, float]


def _months() -> Iterator[tuple[int, date, date]]:
    """Each month of the desk's tables: its number, first and last day."""
    first = LAUNCH.replace(year=2022, month=5)
    for number in range(26):
        after = (first + timedelta(days=32)).replace(day=1)
        yield number, first, after - timedelta(days=1)
        first = after


def _costs(generator: np.random.Generator) -> Iterator[Cost]:
    """Monthly amounts, and one invoice a year that is paid in advance."""
    for number, first, last in _months():

        def about(amount: float, growth: float = 1 + 0.006 * number) -> float:
            return round(amount * growth * (1 + 0.02 * float(generator.normal())), 2)

        yield "support", "salary", None, first, last, about(59_000)
        yield "support", "hardware", None, first, last, about(1_900)
        yield "support", "rent", None, first, last, 5_200.0
        yield "support", "telecom", None, first, last, about(2_300)
        for channel, amount in zip(ACQUISITION, (17_000, 11_500, 7_000, 3_200), strict=False):
            category = "other" if channel == "referral" else "media"
            yield "acquisition", category, channel, first, last, about(amount)
        yield "acquisition", "salary", None, first, last, about(16_500)
        yield "acquisition", "software", None, first, last, about(1_800)
        yield "serve", "other", None, first, last, about(38_000)
        yield "serve", "software", None, first, last, about(6_500)
    for year in (2022, 2023, 2024):
        invoice = 33_000.0 + 2_500 * (year - 2022)
        yield "support", "software", None, date(year, 5, 1), date(year + 1, 4, 30), invoice
    yield "support", "rent", None, date(2024, 7, 1), date(2024, 7, 31), 5_200.0


def costs() -> pa.Table:
    """The table of costs."""
    rows = sorted(_costs(stream("costs")), key=lambda row: (row[3], row[0], row[1], row[2] or ""))
    center, category, channel, start, end, amount = zip(*rows, strict=True)
    booked = [
        instant(first if (last - first).days > 31 else min(last, date(2024, 6, 30)))
        for first, last in zip(start, end, strict=True)
    ]
    return pa.table(
        {
            "cost_id": ids("K", np.arange(1, len(rows) + 1), 4),
            "center": pa.array(center),
            "category": pa.array(category),
            "channel": pa.array(channel, pa.string()),
            "period_start": pa.array(start),
            "period_end": pa.array(end),
            "amount": amounts(np.array(amount)),
            "currency": constant("EUR", len(rows)),
            "loaded_at": instants(loaded(np.array(booked) + DAY)),
        }
    )

"""How value is spread and what the model predicted a year ago, computed a second time from the sample's files."""

import numpy as np
import pandas as pd
import pytest
from by_hand import Z, kaplan_meier
from known import Known, bounds

from kpi_lib.scorecard import Scorecard

START, END = bounds("2023-05")[1], bounds("2024-05")[1]


def there(known: Known, instant: pd.Timestamp) -> set[str]:
    """Customers with a subscription that runs at an instant."""
    spells = known.spells[(known.spells["start"] <= instant) & (known.spells["end"] > instant)]
    return set(spells["customer_id"])


def test_spread_of_what_was_paid(known: Known, card: Scorecard) -> None:
    rows = known.rows("transactions", "occurred_at")
    rows = rows[(rows["occurred_at"] < END) & rows["customer_id"].isin(known.customers.index)]
    bought = rows[rows["kind"] == "purchase"]["customer_id"].unique()
    paid = np.sort(rows[rows["customer_id"].isin(bought)].groupby("customer_id")["amount"].sum().to_numpy())
    found = card.about["value"]["spread"]
    assert found["customers"] == len(paid)
    assert found["median"] == pytest.approx(np.median(paid))
    assert found["mean"] == pytest.approx(paid.mean())
    place = np.arange(len(paid)) * 10 // len(paid)
    assert [tenth["total"] for tenth in found["tenths"]] == pytest.approx(np.bincount(place, paid))
    bars = found["bars"]
    assert (bars["start"], bars["width"]) == (0, 200)  # 24 bars of 200, and not of 100, reach the 95th percentile
    edges = [*(bars["width"] * np.arange(len(bars["customers"]))), np.inf]
    assert bars["customers"] == np.histogram(paid, edges)[0].tolist()


def test_customers_still_there_after_a_year(known: Known, card: Scorecard) -> None:
    spells = known.spells[known.spells["start"] < START]
    tenures = spells.groupby("customer_id").agg({"start": "min", "end": "max"})
    days = (tenures["end"].clip(upper=START) - tenures["start"]).dt.days
    lost = tenures["end"] <= START
    curve = kaplan_meier(days, lost)
    rate, longest = lost.sum() / days.sum(), days.max()

    def survival(day: float) -> float:
        place = np.searchsorted(curve.times, day, side="right") - 1
        return (curve.survival[place] if place >= 0 else 1.0) * np.exp(-rate * max(day - longest, 0))

    stays = np.array([survival(day + 366) / survival(day) for day in days[~lost]])  # of a leap year
    found = card.about["value"]["holdout"]
    track = found["tracks"]["customers"]
    assert (found["start"], found["periods"][-1], found["customers"]) == ("2023-05", "2024-05", (~lost).sum())
    assert track["expected"][-1] == pytest.approx(stays.sum())
    assert track["actual"][-1] == len(there(known, START) & there(known, END))
    by_chance = Z * np.sqrt((stays * (1 - stays)).sum())
    assert by_chance < stays.sum() - track["low"][-1] < 3 * by_chance


def test_revenue_still_there_after_a_year(known: Known, card: Scorecard) -> None:
    track = card.about["value"]["holdout"]["tracks"]["revenue"]
    for instant, amount in ((START, track["start"]), (END, track["actual"][-1])):
        rows = known.subscriptions[known.subscriptions["customer_id"].isin(there(known, START))]
        rows = rows[(rows["started_at"] <= instant) & ~(rows["ended_at"] <= instant)]
        assert amount == pytest.approx(rows["mrr"].sum())

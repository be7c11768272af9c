"""What customers are worth and cost, computed a second time from the sample company's files."""

import numpy as np
import pandas as pd
import pytest
from by_hand import agree, cost_of_each, kaplan_meier, ratio
from known import Known, bounds, by_day, members, within

MONTHS = pytest.mark.parametrize("month", ["2024-04", "2024-05"])
HORIZON, DISCOUNT = 36, 0.12
DAYS_OF_A_MONTH = 365.25 / 12
PAID = ["search", "social", "display"]


def discounted(known: Known, month: str, people: pd.Index) -> np.ndarray:
    """Months that a new customer is expected to stay, one by one and discounted.

    A tenure runs from the first start to the last end in whole days; who is there at the month's end is still watched.
    """
    end = bounds(month)[1]
    spells = known.spells[(known.spells["start"] < end) & known.spells["customer_id"].isin(people)]
    tenures = spells.groupby("customer_id").agg({"start": "min", "end": "max"})
    days = (tenures["end"].clip(upper=end) - tenures["start"]).dt.days
    curve = kaplan_meier(days / DAYS_OF_A_MONTH, tenures["end"] <= end)
    months = np.arange(HORIZON)
    place = np.searchsorted(curve.times, months, side="right") - 1
    survival = np.where(place < 0, 1.0, curve.survival[np.maximum(place, 0)])
    return survival / (1 + DISCOUNT) ** (months / 12)


def active(known: Known, instant: pd.Timestamp, people: pd.Index) -> pd.DataFrame:
    """Subscriptions of these customers that run at an instant."""
    rows = known.subscriptions[known.subscriptions["customer_id"].isin(people)]
    return rows[(rows["started_at"] <= instant) & ~(rows["ended_at"] <= instant)]


def worth(known: Known, month: str, people: pd.Index) -> float:
    """Lifetime value: monthly revenue of a customer at the month's end times the months to come."""
    there = active(known, bounds(month)[1], people)
    return there["mrr"].sum() / there["customer_id"].nunique() * discounted(known, month, people).sum()


def serving(known: Known, month: str) -> float:
    """What it costs to support and serve a customer for a month."""
    counts = [active(known, instant, known.customers.index)["customer_id"].nunique() for instant in bounds(month)]
    return (known.spent(month, "support") + known.spent(month, "serve")) / (sum(counts) / 2)


def won(known: Known, month: str) -> pd.DataFrame:
    """Customers who first paid in a month."""
    return known.customers[within(known.customers["first_paid_at"], month)]


@MONTHS
def test_lifetime_value(known: Known, row, month: str) -> None:
    customers = known.customers
    value = worth(known, month, customers.index)
    agree(row("clv", month), {"value": value})
    agree(row("clv.subscription", month), {"value": value})
    for member, people in members(customers, "segment"):
        agree(row("clv.subscription", month, **member), {"value": worth(known, month, people.index)})


@MONTHS
def test_value_realised(known: Known, row, month: str) -> None:
    rows = known.rows("transactions", "occurred_at")
    rows = rows[(rows["occurred_at"] < bounds(month)[1]) & rows["customer_id"].isin(known.customers.index)]

    def realised(paid: pd.DataFrame) -> dict[str, float]:
        amounts = paid.groupby("customer_id")["amount"].sum()
        return ratio(amounts, pd.Series(1.0, index=amounts.index))

    agree(row("clv.realised", month), realised(rows))
    for member, people in members(known.customers, "segment", "acquisition_channel"):
        agree(row("clv.realised", month, **member), realised(rows[rows["customer_id"].isin(people.index)]))


@MONTHS
def test_acquisition_cost(known: Known, row, month: str) -> None:
    costs, customers = known.costs(month, "acquisition"), won(known, month)
    agree(row("cac", month), cost_of_each(costs["spent"].sum(), by_day(customers["first_paid_at"], month)))
    paid = costs.loc[costs["channel"].isin(PAID), "spent"].sum()
    came = customers.loc[customers["acquisition_channel"].isin(PAID), "first_paid_at"]
    agree(row("cac.paid", month), cost_of_each(paid, by_day(came, month)))


@MONTHS
def test_lifetime_profit(known: Known, row, month: str) -> None:
    people = known.customers.index
    months = discounted(known, month, people)
    value, cost = worth(known, month, people), serving(known, month) * months.sum()
    acquired = known.spent(month, "acquisition") / len(won(known, month))
    agree(row("customer_lifetime_cost", month), {"value": cost})
    agree(row("customer_lifetime_profit", month), {"value": value - cost})
    agree(row("customer_lifetime_profit.after_acquisition", month), {"value": value - cost - acquired})
    agree(row("ltv_cac_ratio", month), {"value": (value - cost) / acquired})
    agree(row("ltv_cac_ratio.gap", month), {"value": value - acquired})
    agree(row("ltv_cac_ratio.revenue", month), {"value": value / acquired})
    earned = ((value - cost) / months.sum() * months).cumsum()
    agree(row("ltv_cac_ratio.payback_months", month), {"value": int(np.argmax(earned >= acquired)) + 1})

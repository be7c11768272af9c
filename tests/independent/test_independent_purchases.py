"""The worth of a buyer, fitted a second time: the likelihoods as they are published, and a search without slopes."""

import numpy as np
import pandas as pd
import pytest
from known import ZONE, Known, bounds
from scipy.integrate import quad
from scipy.optimize import minimize
from scipy.special import betaincinv, gammaln

MONTHS = pytest.mark.parametrize("month", ["2024-04", "2024-05"])
MONTH = 365.25 / 12  # days
HORIZON, DISCOUNT = 36, 0.12  # months, and for a year


def histories(known: Known, month: str) -> pd.DataFrame:
    """Customers who have bought by a month's end: orders after the first, their days, the first order and the mean."""
    rows = known.rows("transactions", "occurred_at")
    rows = rows[(rows["occurred_at"] < bounds(month)[1]) & rows["customer_id"].isin(known.customers.index)]
    rows = rows.assign(day=rows["occurred_at"].dt.tz_convert(ZONE).dt.tz_localize(None).dt.normalize())
    bought = rows[rows["kind"] == "purchase"]
    of_order = rows["refunds_transaction_id"].map(bought.set_index("transaction_id")["day"])
    rows["order"] = rows["day"].where(rows["kind"] == "purchase", of_order)
    net = rows.groupby(["customer_id", "order"])["amount"].sum().round(9)
    orders = net[net > 0].reset_index().groupby("customer_id")
    last = bounds(month)[1].tz_convert(ZONE).tz_localize(None).normalize() - pd.Timedelta(days=1)
    first, latest = orders["order"].min(), orders["order"].max()
    unlinked = rows[rows["order"].isna()].groupby("customer_id")["amount"].sum().reindex(first.index).fillna(0)
    lasted, age = (latest - first).dt.days, (last - first).dt.days
    people = pd.DataFrame({"again": orders.size() - 1.0, "lasted": lasted, "known": age})
    once, paid = orders["amount"].first(), orders["amount"].sum() + unlinked
    people["first"] = once.where(people["again"] > 0, paid)
    return people.assign(mean=(paid - once) / people["again"].where(people["again"] > 0))


def highest(log_likelihood, start: list[float]) -> np.ndarray:
    """The positive parameters at which it is highest (Nelder and Mead, 1965)."""
    how = {"xatol": 1e-9, "fatol": 1e-9, "maxiter": 10_000, "maxfev": 10_000, "adaptive": True}
    found = minimize(lambda logs: -log_likelihood(*np.exp(logs)), np.log(start), method="Nelder-Mead", options=how)
    assert found.success
    return np.exp(found.x)


def buying(people: pd.DataFrame) -> np.ndarray:
    """Parameters of BG/NBD in months (Fader, Hardie and Lee 2005, equation 6)."""
    groups = people.groupby(["again", "lasted", "known"]).size().reset_index(name="count")
    x, last, age = groups["again"].to_numpy(), groups["lasted"].to_numpy() / MONTH, groups["known"].to_numpy() / MONTH

    def log_likelihood(r: float, alpha: float, a: float, b: float) -> float:
        drawn = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
        kept = gammaln(a + b) + gammaln(b + x) - gammaln(b) - gammaln(a + b + x)
        stays = (alpha + age) ** -(r + x)
        left = np.where(x > 0, a / np.where(x > 0, b + x - 1, 1.0) * (alpha + last) ** -(r + x), 0.0)
        return float((groups["count"] * (drawn + kept + np.log(stays + left))).sum())

    return highest(log_likelihood, [1, 5, 1, 3])


def orders_within(parameters: np.ndarray, months: float) -> float:
    """Orders after the first to expect: (1 - exp(-L p t)) / p at rate L and chance p to leave, averaged over both."""
    r, alpha, a, b = parameters

    def of_those(place: float) -> float:
        leaves = max(betaincinv(a, b, place), 1e-12)
        return -np.expm1(-r * np.log1p(leaves * months / alpha)) / leaves

    return quad(of_those, 0, 1, limit=200)[0]


def spending(people: pd.DataFrame) -> float:
    """The mean order of Gamma-Gamma (Fader and Hardie 2013, equations 1a and 5)."""
    some = people[(people["again"] > 0) & (people["mean"].round(9) > 0)]
    x, mean = some["again"].to_numpy(), some["mean"].to_numpy()

    def log_likelihood(p: float, q: float, v: float) -> float:
        shape = p * x
        sums = gammaln(shape + q) - gammaln(shape) - gammaln(q) + q * np.log(v)
        return float((sums + (shape - 1) * np.log(mean) + shape * np.log(x) - (shape + q) * np.log(x * mean + v)).sum())

    p, q, v = highest(log_likelihood, [3, 3, float(mean.mean())])
    return float(p * v / (q - 1))


@MONTHS
def test_value_from_purchases(known: Known, row, month: str) -> None:
    people = histories(known, month)
    parameters = buying(people)
    by = [orders_within(parameters, end) for end in range(HORIZON + 1)]
    orders = (np.diff(by) * (1 + DISCOUNT) ** -((np.arange(HORIZON) + 0.5) / 12)).sum()
    found = row("clv.purchases", month)
    assert found["status"] == "ok"
    assert found["n"] == len(people)
    assert found["value"] == pytest.approx(people["first"].mean() + orders * spending(people), rel=1e-3)

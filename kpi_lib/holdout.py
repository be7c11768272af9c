"""Whether the lifetime model holds: fitted on what was known a year before, it predicts the year that has passed since.

For subscriptions who is still there and what they pay a month, for purchases the orders that come. Both have limits for
what chance brings to customers and for what the fit does not know.
"""

from typing import Any

import numpy as np
import pandas as pd

from kpi_lib.facts import FACTS, Data, NotAvailableError
from kpi_lib.facts.data import STACK, TOTAL
from kpi_lib.intervals import MINIMUM_CLUSTERS, Z
from kpi_lib.lifetime import risk_set
from kpi_lib.period import Period
from kpi_lib.purchasing import LEAST_REPEATERS, Fit, chance_alive, fit_orders, orders_to_come

LEAST_DAYS = 365  # of history before the year that is predicted
MOST_ORDERS = 2000  # of one customer in a year
WEEK = 7


def of(data: Data) -> dict[str, Any] | None:
    """Return what the company's model predicted a year ago and what came; None when there is nothing to check it by.

    `model`, `start` and `periods` that were predicted, the number of `customers` and a track each of `customers` and
    `revenue`, or of `orders`: what it was at the `start`, and by period `expected, low, high, actual`.
    """
    model = data.params.customer_value.model
    if model == "realised":
        return None
    start = data.calendar.periods[-1].year_before
    after = [period for period in data.calendar.periods if start < period]
    after = [period for period in after if period.bounds(data.calendar.zone)[1] <= data.as_of]
    if not after:
        return None
    try:
        found = {"subscription": _subscriptions, "purchases": _purchases}[model](data, start, after)
    except NotAvailableError:
        return None
    return found and {"model": model, "start": str(start), "periods": [str(period) for period in after], **found}


def staying(
    tenures: pd.DataFrame, ahead: list[int], weights: Any, squares: Any
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return how much of the weight of the active (customers, revenue) is expected after so many days, with limits.

    `tenures` has `tenure_days, lost, customers`; of the groups with a weight, `squares` are the sums of its squares. A
    customer with a tenure of u days is there d days ahead with S(u + d) / S(u), S as in the lifetime value. Variance:
    binomial for the customers, and Greenwood's terms of the steps of S, each for all whose way leads over it.
    """
    risk = risk_set(tenures)
    days, greenwood, rate = risk.days, risk.greenwood, risk.rate
    with np.errstate(divide="ignore"):
        hazard = np.concatenate([[0.0], -np.log1p(-risk.lost / risk.at_risk).cumsum()])
    there = np.asarray(weights, float) > 0
    weight, square = np.asarray(weights, float)[there], np.asarray(squares, float)[there]
    tenure = tenures["tenure_days"].to_numpy(float)[there]
    begin = np.searchsorted(days, tenure, side="right")
    means, errors = [], []
    for further in ahead:
        end = np.searchsorted(days, tenure + further, side="right")
        beyond = np.clip(tenure + further - days[-1], 0, further)
        share = np.exp(hazard[begin] - hazard[end] - rate * beyond)
        ways = np.bincount(begin, weight * share, len(days) + 1) - np.bincount(end, weight * share, len(days) + 1)
        fitted = float((ways.cumsum()[:-1] ** 2 * greenwood).sum())
        means.append(float((weight * share).sum()))
        errors.append(float((square * share * (1 - share)).sum()) + fitted)
    mean, half = np.array(means), Z * np.sqrt(errors)
    return mean, np.maximum(mean - half, 0.0), np.minimum(mean + half, weight.sum())


def ordering(histories: pd.DataFrame, fit: Fit, ahead: list[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return how many orders to expect of customers with these histories so many days ahead, with limits.

    `histories` has `frequency, recency, age, customers`. The fit's error is that of the farthest day, as a share.
    """
    names = ("frequency", "recency", "age", "customers")
    frequency, recency, age, customers = (histories[name].to_numpy(float) for name in names)

    def expected(parameters: np.ndarray, days: int) -> float:
        return float(customers @ orders_to_come(parameters, frequency, recency, age, days))

    mean = np.array([expected(fit.parameters, days) for days in ahead])
    unsure = fit.relative_error(lambda parameters: expected(parameters, ahead[-1]))
    half = Z * np.sqrt(chance(histories, fit.parameters, ahead) + (unsure * mean) ** 2)
    return mean, np.maximum(mean - half, 0.0), mean + half


def chance(histories: pd.DataFrame, parameters: np.ndarray, ahead: list[int]) -> np.ndarray:
    """Return the variance of the orders of all customers within so many days, given BG/NBD's parameters.

    Of a customer who has not left, the k-th order comes if the rate brings k of them (negative binomial) and the
    customer stayed after each of the k - 1 before (beta). Ages are taken to the week.
    """
    r, alpha, a, b = parameters
    x, recency, age = (histories[name].to_numpy(float) for name in ("frequency", "recency", "age"))
    alive = chance_alive(parameters, x, recency, age)
    customers = histories["customers"].to_numpy(float)
    groups = pd.DataFrame({"x": x, "week": age // WEEK, "once": customers * alive, "twice": customers * alive**2})
    groups = groups.groupby(["x", "week"], as_index=False).sum()
    shape = r + groups["x"].to_numpy()[:, None]
    middle = (groups["week"].to_numpy()[:, None] + 0.5) * WEEK
    share = np.array(ahead, float) / (alpha + middle + np.array(ahead, float))
    just = (1 - share) ** shape
    more, stays, orders, squares = 1 - just, np.ones_like(shape), np.zeros_like(share), np.zeros_like(share)
    for number in range(1, MOST_ORDERS):
        orders, squares = orders + more * stays, squares + (2 * number - 1) * more * stays
        if (number * more * stays).max() < 1e-6:
            break
        just = just * (shape + number - 1) / number * share
        more = more - just
        stays = stays * (b + groups["x"].to_numpy()[:, None] + number - 1)
        stays = stays / (a + b + groups["x"].to_numpy()[:, None] + number - 1)
    once, twice = (groups[name].to_numpy()[:, None] for name in ("once", "twice"))
    return np.asarray((once * squares - twice * orders**2).sum(axis=0))


def _subscriptions(data: Data, start: Period, after: list[Period]) -> dict[str, Any] | None:
    then = _at(data, "customer_histories", start)
    there = then[~then["lost"].astype(bool)]
    enough = there["customers"].sum() >= MINIMUM_CLUSTERS and then["tenure_days"].max() >= LEAST_DAYS
    if not enough or not then["lost"].any():
        return None
    rows = _counted(data, "customer_histories")
    known = rows.filter((rows.period == str(start)) & rows.at_end).select(known_customer="customer_id")
    later = rows.filter(rows.at_end & rows.period.isin(list(map(str, after))))
    later = later.join(known, later.customer_id == known.known_customer)
    actual = later.group_by("period").aggregate(customers=later.count(), revenue=later.revenue_at_end.sum())
    came = _by_period(actual, after)
    ahead = [(period.last_day - start.last_day).days for period in after]
    still = then["customers"].where(~then["lost"].astype(bool), 0)
    tracks = {
        "customers": _track(still.sum(), staying(then, ahead, still, still), came["customers"]),
        "revenue": _track(
            then["revenue"].sum(), staying(then, ahead, then["revenue"], then["revenue_squares"]), came["revenue"]
        ),
    }
    return {"customers": int(still.sum()), "tracks": tracks}


def _purchases(data: Data, start: Period, after: list[Period]) -> dict[str, Any] | None:
    then = _at(data, "customer_purchases", start, "orders")
    enough = then.loc[then["frequency"] > 0, "customers"].sum() >= LEAST_REPEATERS
    if not enough or then["age"].max() < LEAST_DAYS:
        return None
    fit = fit_orders(then["frequency"], then["recency"], then["age"], then["customers"])
    if fit is None:
        return None
    rows = _counted(data, "customer_purchases")
    before = rows.filter((rows.period == str(start)) & rows.frequency.notnull())
    before = before.select(known_customer="customer_id", known_frequency="frequency")
    later = rows.filter(rows.period.isin(list(map(str, after))))
    later = later.join(before, later.customer_id == before.known_customer)
    came = later.mutate(orders=later.frequency.fill_null(0) - later.known_frequency)
    actual = came.group_by("period").aggregate(orders=came.orders.sum())
    ahead = [(period.last_day - start.last_day).days for period in after]
    track = _track(0.0, ordering(then, fit, ahead), _by_period(actual, after)["orders"])
    return {"customers": int(then["customers"].sum()), "tracks": {"orders": track}}


def _counted(data: Data, name: str) -> Any:
    rows = data.fact(name)
    return rows.filter(rows.excluded.isnull()) if "excluded" in rows.columns else rows


def _at(data: Data, name: str, period: Period, kind: str = "") -> pd.DataFrame:
    """Return the small frame of a model, or a kind of its rows, as it was at the end of a period."""
    rows = _counted(data, name)
    stacked = data.stacked(rows.filter(rows.period == str(period)), [TOTAL])
    query: Any = FACTS[name].summary(stacked, STACK)  # type: ignore[misc]
    frame: pd.DataFrame = (query.filter(query.kind == kind) if kind else query).to_pandas()
    return frame.sort_values(list(frame.columns)).reset_index(drop=True)


def _by_period(query: Any, periods: list[Period]) -> pd.DataFrame:
    return query.to_pandas().set_index("period").reindex(list(map(str, periods))).fillna(0.0)


def _track(start: float, limits: tuple[np.ndarray, np.ndarray, np.ndarray], actual: pd.Series) -> dict[str, Any]:
    names = ("expected", "low", "high")
    predicted = {name: [float(number) for number in of] for name, of in zip(names, limits, strict=True)}
    return {"start": float(start), **predicted, "actual": [float(number) for number in actual]}

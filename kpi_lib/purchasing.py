"""Customers who buy when they like: how often they order again and what an order is worth, by maximum likelihood.

How often: BG/NBD (Fader, Hardie and Lee 2005). A customer orders at a rate of its own and after any order but the first
may be gone for good; rates are gamma, chances to leave beta distributed. How much: Gamma-Gamma (Fader and Hardie 2013).
Histories come grouped, as arrays with one element a group and the number of `customers` in each.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from kpi_lib.facts.purchases import HOLDOUT_MONTHS
from kpi_lib.lifetime import DAYS_PER_MONTH, Estimate, mean_of, normal_draws, not_estimable

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

LEAST_REPEATERS = 100
MOST_CORRELATED = 0.3
HOLDOUT_DAYS = HOLDOUT_MONTHS * DAYS_PER_MONTH
STEP = 1e-4  # of numerical derivatives, in the logarithm of a parameter
FARTHEST = 15.0  # a parameter that runs off by so many powers of e is not determined by the data
NEWTON_STEPS = 2  # the first goes to the maximum, the second takes the curvature there
FLAT = 0.01  # a likelihood as flat as this says nothing about a parameter: its logarithm has an error of 10


@dataclass(frozen=True, eq=False)
class Fit:
    """Parameters at the maximum of a likelihood, with the covariance of their logarithms."""

    parameters: np.ndarray
    covariance: np.ndarray
    log_likelihood: float

    def relative_error(self, quantity: Callable[[np.ndarray], Any]) -> float:
        """Return the standard error of the logarithm of a positive quantity of the parameters, to first order."""
        import numpy as np

        slopes = _slopes(lambda logs: np.log(quantity(np.exp(logs))), np.log(self.parameters))
        return float(np.sqrt(slopes @ self.covariance @ slopes))


def fit_orders(frequency: Any, recency: Any, age: Any, customers: Any) -> Fit | None:
    """Fit BG/NBD: parameters r, alpha, a, b; None when the data do not determine them.

    `frequency` counts the orders after a customer's first, `recency` is the time from its first to its last order and
    `age` that from its first order to the end of the watch; alpha comes in the same unit of time.
    """
    import numpy as np
    from scipy.special import digamma, gammaln

    frequency, recency, age, customers = (np.asarray(each, float) for each in (frequency, recency, age, customers))
    unit = float(np.average(age, weights=customers)) or 1.0
    until, last = age / unit, recency / unit
    orders, place = np.unique(frequency, return_inverse=True)
    again, by_orders = frequency > 0, np.bincount(place, customers)
    earlier = np.where(again, frequency - 1, 0.0)

    def surface(logs: np.ndarray) -> tuple[float, np.ndarray]:
        r, alpha, a, b = np.exp(logs)
        shape = r + frequency
        log_until, log_last = np.log(alpha + until), np.log(alpha + last)
        staying = -shape * log_until
        leaving = np.where(again, np.log(a) - np.log(b + earlier) - shape * log_last, -np.inf)
        either = np.logaddexp(staying, leaving)
        gone = np.exp(leaving - either)
        counted = gammaln(r + orders) + gammaln(b + orders) - gammaln(a + b + orders)
        counted = counted + gammaln(a + b) - gammaln(b) - gammaln(r) + r * np.log(alpha)
        total = _sum(by_orders, counted) + _sum(customers, either)
        left, weighted = _sum(customers, gone), customers * gone
        both = digamma(a + b) - digamma(a + b + orders)
        slopes = np.array(
            [
                _sum(by_orders, digamma(r + orders) - digamma(r) + np.log(alpha))
                - _sum(customers, log_until + gone * (log_last - log_until)),
                _sum(customers, r / alpha - shape * ((1 - gone) / (alpha + until) + gone / (alpha + last))),
                _sum(by_orders, both) + left / a,
                _sum(by_orders, both + digamma(b + orders) - digamma(b)) - _sum(weighted, again / (b + earlier)),
            ]
        )
        return total, slopes * np.exp(logs)

    pace = 0.5 * float(customers.sum()) / max(_sum(customers, frequency), 1.0)
    fit = _fitted(surface, np.log([0.5, pace, 0.5, 1.5]), np.array([1.0, unit, 1.0, 1.0]), customers.sum())
    return fit and _per_unit(fit, _sum(customers, frequency), unit)


def fit_spend(frequency: Any, mean: Any, log_mean: Any, customers: Any) -> Fit | None:
    """Fit Gamma-Gamma on customers with one repeat order or more: parameters p, q, v; None when not determined.

    `mean` is a customer's mean repeat order, above 0, and `log_mean` its logarithm; a group has the averages of both.
    """
    import numpy as np
    from scipy.special import digamma, gammaln

    frequency, mean, log_mean, customers = (np.asarray(each, float) for each in (frequency, mean, log_mean, customers))
    unit = float(np.average(mean, weights=customers))
    mean, log_mean, log_frequency = mean / unit, log_mean - np.log(unit), np.log(frequency)

    def surface(logs: np.ndarray) -> tuple[float, np.ndarray]:
        p, q, v = np.exp(logs)
        shape, sums = p * frequency, frequency * mean + v
        log_sums = np.log(sums)
        each = gammaln(shape + q) - gammaln(shape) - gammaln(q) + q * np.log(v) - log_mean
        each = each + shape * (log_mean + log_frequency) - (shape + q) * log_sums
        after = digamma(shape + q)
        slopes = np.array(
            [
                _sum(customers, frequency * (after - digamma(shape) + log_mean + log_frequency - log_sums)),
                _sum(customers, after - digamma(q) + np.log(v) - log_sums),
                _sum(customers, q / v - (shape + q) / sums),
            ]
        )
        return _sum(customers, each), slopes * np.exp(logs)

    fit = _fitted(surface, np.log([3.0, 3.0, 0.7]), np.array([1.0, 1.0, unit]), customers.sum())
    return fit and _per_unit(fit, float(customers.sum()), unit)


def lifetime_value(histories: pd.DataFrame, horizon: int, annual_discount: float) -> Estimate:
    """Return the revenue to expect from a new customer over `horizon` months, discounted to its first order.

    `histories` has `kind, frequency, recency, age, customers, amount, other`: `orders` by days with the sums of first
    orders and their squares; `spend` with the sums of mean orders and their logarithms; `holdout` with the orders that
    came since. The orders of a month are discounted from its middle. Draws: to first order normal in the logarithms.
    """
    import numpy as np

    kind = histories["kind"].to_numpy(object)
    now = histories[kind == "orders"]
    repeaters = int(now["customers"].to_numpy()[now["frequency"].to_numpy() > 0].sum())
    if repeaters < LEAST_REPEATERS:
        return not_estimable(f"only {repeaters} customers ordered again; {LEAST_REPEATERS} are needed")
    buying = fit_orders(now["frequency"], now["recency"], now["age"], now["customers"])
    if buying is None:
        return not_estimable("BG/NBD: these orders do not determine how often customers come and when they leave")
    spend = histories[kind == "spend"]
    members = spend["customers"].to_numpy(float)
    spending = fit_spend(spend["frequency"], spend["amount"] / members, spend["other"] / members, members)
    if spending is None or spending.parameters[1] <= 1:
        return not_estimable("Gamma-Gamma: these orders do not determine a mean value")
    months = np.arange(horizon)
    discount = (1 + annual_discount) ** (-(months + 0.5) / 12)

    def accumulated(parameters: np.ndarray) -> np.ndarray:
        ends = orders_of_new(parameters, np.arange(horizon + 1) * DAYS_PER_MONTH)
        return np.asarray((np.diff(ends) * discount).cumsum())

    curve, buyers = accumulated(buying.parameters), float(now["customers"].sum())
    error = buying.relative_error(lambda parameters: accumulated(parameters)[-1])
    orders = Estimate(float(curve[-1]), _draws("orders", float(curve[-1]), error), buyers, _said(spend), curve)
    price = mean_order(spending.parameters)
    value = Estimate(price, _draws("order value", price, spending.relative_error(mean_order)), buyers)
    first = mean_of(now["amount"].sum(), now["other"].sum(), buyers, "first order")
    return replace(orders * value + first, method=_said(spend) + _checked(histories[kind == "holdout"]))


def orders_of_new(parameters: np.ndarray, time: Any) -> np.ndarray:
    """Return how many more orders to expect of a customer within `time` of its first."""
    import numpy as np
    from scipy.special import hyp2f1

    r, alpha, a, b = _apart(parameters)
    share = np.asarray(time, float) / (alpha + np.asarray(time, float))
    series = hyp2f1(a + b - 1 - r, a - 1, a + b - 1, share)
    return np.asarray((a + b - 1) / (a - 1) * (1 - (1 - share) ** (a - 1) * series))


def orders_to_come(parameters: np.ndarray, frequency: Any, recency: Any, age: Any, time: float) -> np.ndarray:
    """Return how many orders to expect within `time` from now of customers with these histories."""
    import numpy as np
    from scipy.special import hyp2f1

    r, alpha, a, b = _apart(parameters)
    frequency, recency, age = (np.asarray(each, float) for each in (frequency, recency, age))
    share, size = time / (alpha + age + time), a + b + frequency - 1
    staying = size / (a - 1) * (1 - (1 - share) ** (a - 1) * hyp2f1(a + b - 1 - r, a - 1, size, share))
    return np.asarray(staying * chance_alive(parameters, frequency, recency, age))


def chance_alive(parameters: np.ndarray, frequency: Any, recency: Any, age: Any) -> np.ndarray:
    """Return the chance that customers with these histories have not left; of one without a second order it is 1."""
    import numpy as np

    r, alpha, a, b = _apart(parameters)
    earlier = np.where(frequency > 0, frequency - 1, 0.0)
    log_odds = np.log(a) - np.log(b + earlier) + (r + frequency) * np.log((alpha + age) / (alpha + recency))
    return np.asarray(1 / (1 + np.where(frequency > 0, np.exp(np.minimum(log_odds, 700)), 0.0)))


def mean_order(parameters: np.ndarray) -> float:
    """Return the mean value of an order over all customers; it exists for q above 1."""
    p, q, v = parameters
    return float(p * v / (q - 1))


def _said(spend: pd.DataFrame) -> str:
    """Return the names of the models, and how frequency and value go together where they should not."""
    import numpy as np

    members, mean = spend["customers"], spend["amount"] / spend["customers"]
    covariance = np.cov(spend["frequency"], mean, fweights=members.astype(int))
    together = float(covariance[0, 1] / math.sqrt(covariance[0, 0] * covariance[1, 1] or math.inf))
    far = f" (order value goes with frequency, r = {together:.2f}, which they leave out)"
    return "BG/NBD and Gamma-Gamma" + far * (abs(together) > MOST_CORRELATED)


def _checked(held: pd.DataFrame) -> str:
    """Return what the model, fitted on what was known half a year before, expected to come, and what came."""
    if held.empty:
        return ""
    frequency, recency, age = (held[name].to_numpy(float) for name in ("frequency", "recency", "age"))
    enough = held.loc[held["frequency"] > 0, "customers"].sum() >= LEAST_REPEATERS
    fit = fit_orders(frequency, recency, age, held["customers"]) if enough else None
    if fit is None:
        return "; no holdout: six months before there was too little to fit"
    expected = _sum(
        held["customers"].to_numpy(float), orders_to_come(fit.parameters, frequency, recency, age, HOLDOUT_DAYS)
    )
    return f"; holdout of 6 months: {expected:,.0f} orders expected, {held['amount'].sum():,.0f} came"


def _draws(name: str, value: float, error: float) -> np.ndarray:
    import numpy as np

    return np.asarray(value * np.exp(normal_draws(name, 0.0, error)))


def _apart(parameters: np.ndarray) -> np.ndarray:
    """Return BG/NBD's parameters a hair away from a = 1 and a + b = 1, where its formulas are 0 / 0."""
    import numpy as np

    r, alpha, a, b = parameters
    a += 1e-6 * (abs(a - 1) < 1e-6)
    b += 2e-6 * (abs(a + b - 1) < 1e-6)
    return np.array([r, alpha, a, b])


def _per_unit(fit: Fit, densities: float, unit: float) -> Fit:
    """Return the fit with the likelihood that it has when what was divided by `unit` is not."""
    return replace(fit, log_likelihood=fit.log_likelihood - densities * math.log(unit))


def _fitted(
    surface: Callable[[Any], tuple[float, Any]], start: np.ndarray, units: np.ndarray, size: float
) -> Fit | None:
    """Return the maximum of the log-likelihood of `size` customers over the logarithms of its parameters.

    The parameters are then taken in `units`. Newton's method makes it exact: where the search stops depends on
    rounding, and so on the order in which an engine adds up.
    """
    import numpy as np
    from scipy.optimize import minimize

    with np.errstate(all="ignore"):  # of trials that go too far; they are not taken
        found = minimize(_downhill(surface, size), start, jac=True, method="BFGS", options={"gtol": 1e-7})
    if not np.isfinite(found.fun) or np.abs(found.x - start).max() > FARTHEST:
        return None
    logs = found.x
    for _ in range(NEWTON_STEPS):
        curvature = -_slopes(lambda at: surface(at)[1], logs)
        curvature = (curvature + curvature.T) / 2
        if np.linalg.eigvalsh(curvature)[0] <= FLAT:
            return None
        covariance = np.linalg.inv(curvature)
        logs = logs + covariance @ surface(logs)[1]
    if np.abs(logs - found.x).max() > 0.01:
        return None
    return Fit(np.exp(logs) * units, covariance, surface(logs)[0])


def _downhill(surface: Callable[[Any], tuple[float, Any]], size: float) -> Callable[[Any], tuple[float, Any]]:
    def mean(logs: np.ndarray) -> tuple[float, Any]:
        height, slopes = surface(logs)
        return -height / size, -slopes / size

    return mean


def _sum(customers: Any, values: Any) -> float:
    """Return the sum over customers, in one thread: to share out so little among several takes far longer."""
    import numpy as np

    return float(np.einsum("i,i->", customers, values))


def _slopes(quantity: Callable[[Any], Any], at: np.ndarray) -> np.ndarray:
    """Return the derivatives of a quantity by each coordinate, by central differences."""
    import numpy as np

    steps = STEP * np.eye(len(at))
    return np.array([(quantity(at + step) - quantity(at - step)) / (2 * STEP) for step in steps])

"""How long customers stay and what they are worth: survival by month of tenure, discounted, with its uncertainty.

Estimates carry draws, so that what is computed from several of them (profit = value - cost) keeps what they share:
the same lifetimes stand behind both. Draws are seeded by name and are the same in every run.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

DRAWS = 2000
DAYS_PER_MONTH = 365.25 / 12


@dataclass(frozen=True, eq=False)
class Estimate:
    """One number with draws from its sampling distribution; arithmetic on estimates works on both.

    Without draws its uncertainty is unknown, and so is that of whatever is computed from it; plain numbers are exact.
    `curve` is, for a lifetime model, the value accumulated by each month. `months` is the length of the period, `days`
    those of it that have ended.
    `missing` is the status of an estimate without a value.
    """

    value: float
    draws: np.ndarray | None = None
    n: float = math.nan
    method: str = ""
    curve: np.ndarray | None = None
    months: int = 1
    missing: str = "undefined"
    days: int = 1

    def __add__(self, other: Any) -> Estimate:
        return self._with(other, operator.add)

    def __sub__(self, other: Any) -> Estimate:
        return self._with(other, operator.sub)

    def __mul__(self, other: Any) -> Estimate:
        return self._with(other, operator.mul)

    def __truediv__(self, other: Any) -> Estimate:
        return self._with(other, _divided)

    def __pow__(self, other: Any) -> Estimate:
        return self._with(other, operator.pow)

    def __rsub__(self, other: Any) -> Estimate:
        return self._with(other, lambda mine, given: given - mine)

    def __rmul__(self, other: Any) -> Estimate:
        return self._with(other, operator.mul)

    def limits(self) -> tuple[float, float]:
        """Return the central 95 % of the draws, widened to contain the value; not a number without draws."""
        import numpy as np

        from kpi_lib.intervals import LEVEL

        if self.draws is None or math.isnan(self.value) or not np.isfinite(self.draws).all():
            return math.nan, math.nan
        low, high = _quantiles(self.draws, 0.5 - LEVEL / 2, 0.5 + LEVEL / 2)
        return min(float(low), self.value), max(float(high), self.value)

    def _with(self, other: Any, do: Callable[[Any, Any], Any]) -> Estimate:
        import numpy as np

        exact = not isinstance(other, Estimate)
        theirs = Estimate(float(other)) if exact else other
        draws = None
        if self.draws is not None and (exact or theirs.draws is not None):
            draws = np.asarray(do(self.draws, theirs.value if exact else theirs.draws))
        curve = None
        if self.curve is not None or theirs.curve is not None:
            mine = self.value if self.curve is None else self.curve
            curve = np.asarray(do(mine, theirs.value if theirs.curve is None else theirs.curve))
        return Estimate(
            float(do(self.value, theirs.value)),
            draws,
            float(np.fmin(self.n, theirs.n)),
            self.method or theirs.method,
            curve,
            self.months,
            next((each.missing for each in (self, theirs) if math.isnan(each.value)), "undefined"),
            self.days,
        )


NOTHING = Estimate(math.nan, missing="not_estimable")


def not_estimable(why: str) -> Estimate:
    """Return an estimate without a value, and the reason as its method."""
    return replace(NOTHING, method=why)


def first_month_reaching(curve: np.ndarray | None, amount: float) -> Estimate:
    """Return the first month (1, 2, ...) by whose end the accumulated curve is at least `amount`; nothing if none."""
    import numpy as np

    if curve is None or math.isnan(amount) or not (curve >= amount).any():
        return NOTHING
    return Estimate(float(np.argmax(curve >= amount) + 1), method="first month of the curve")


@dataclass(frozen=True, eq=False)
class RiskSet:
    """By tenure in days: how many customers leave or are seen no further, how many are lost, how many were there."""

    days: np.ndarray
    leaving: np.ndarray
    lost: np.ndarray
    at_risk: np.ndarray

    @property
    def greenwood(self) -> np.ndarray:
        """The terms of Greenwood's variance of the product-limit estimate."""
        import numpy as np

        left = self.at_risk - self.lost
        return np.divide(self.lost, self.at_risk * left, out=np.zeros_like(self.lost), where=left > 0)

    @property
    def rate(self) -> float:
        """How many are lost for each day that a customer stays, which goes on after the longest tenure."""
        return float(self.lost.sum()) / max(float((self.days * self.leaving).sum()), 1.0)


def risk_set(tenures: pd.DataFrame) -> RiskSet:
    """Return who was there how long, of groups with `tenure_days, lost, customers`."""
    import numpy as np

    days, place = np.unique(tenures["tenure_days"].to_numpy(float), return_inverse=True)
    customers, gone = tenures["customers"].to_numpy(float), tenures["lost"].to_numpy(bool)
    leaving, lost = (np.bincount(place, counted, len(days)) for counted in (customers, customers * gone))
    return RiskSet(days, leaving, lost, leaving[::-1].cumsum()[::-1])


def discounted_months(tenures: pd.DataFrame, horizon: int, annual_discount: float) -> Estimate:
    """Return the expected number of months a customer stays within `horizon`, each discounted to today.

    `tenures` has `tenure_days, lost, customers`. The sum over months t = 0 .. horizon-1 of S(t) / (1 + discount)^(t/12)
    with the Kaplan-Meier survival S; after the longest tenure seen the overall hazard goes on. Variance by Greenwood's
    terms, as for a restricted mean. Its curve is the running sum.
    """
    import numpy as np

    from kpi_lib.intervals import MINIMUM_CLUSTERS

    risk = risk_set(tenures)
    days, n = risk.days, float(risk.leaving.sum())
    if not len(days) or risk.lost.sum() == 0:
        return not_estimable("nobody has left yet")
    survival = np.cumprod(1 - risk.lost / risk.at_risk)
    months = np.arange(horizon)
    position = np.searchsorted(days, months * DAYS_PER_MONTH, side="right")
    alive = np.concatenate([[1.0], survival])[position]
    beyond = np.maximum(months * DAYS_PER_MONTH - days[-1], 0)
    alive = alive * np.exp(-beyond * risk.rate)
    terms = alive / (1 + annual_discount) ** (months / 12)
    total = float(terms.sum())
    still_to_come = np.append(terms[::-1].cumsum()[::-1], 0.0)
    after = still_to_come[np.searchsorted(position, np.arange(len(days)), side="right")]
    error = math.sqrt(float((after**2 * risk.greenwood).sum()))
    draws = normal_draws("discounted months", total, error) if n >= MINIMUM_CLUSTERS else None
    return Estimate(total, draws, n, "Kaplan-Meier lifetime, seeded draws", np.cumsum(terms))


def mean_of(total: float, squares: float, n: float, name: str) -> Estimate:
    """Return a mean from its sums, with normal draws of its standard error."""
    if n <= 0:
        return Estimate(math.nan)
    mean = total / n
    variance = max(squares / n - mean**2, 0.0) / max(n - 1, 1)
    return Estimate(mean, normal_draws(name, mean, math.sqrt(variance)), n)


def normal_draws(name: str, mean: float, error: float) -> np.ndarray:
    """Return draws from a normal distribution; the same name gives the same underlying draws."""
    return mean + error * _standard(name)


@cache
def _standard(name: str) -> np.ndarray:
    import numpy as np

    seed = int.from_bytes(sha256(name.encode()).digest()[:8])
    return np.random.default_rng(seed).standard_normal(DRAWS)


def from_limits(name: str, value: float, low: float, high: float, **known: Any) -> Estimate:
    """Return an estimate whose draws have the given 95 % limits, each side of the value with its own spread."""
    import numpy as np

    from kpi_lib.intervals import Z

    if math.isnan(low) or math.isnan(high):
        return Estimate(value, **known)
    standard = normal_draws(name, 0.0, 1.0)
    spread = np.where(standard < 0, value - low, high - value) / Z
    return Estimate(value, value + standard * spread, **known)


def _quantiles(draws: np.ndarray, *shares: float) -> list[float]:
    """Return what `numpy.quantile` does, to the last bit; it takes most of its time for a general case."""
    import numpy as np

    places = [share * (len(draws) - 1) for share in shares]
    below = [int(place) for place in places]
    ordered = np.partition(draws, sorted({*below, *(min(each + 1, len(draws) - 1) for each in below)}))
    found = []
    for place, least in zip(places, below, strict=True):
        low, high, part = float(ordered[least]), float(ordered[min(least + 1, len(draws) - 1)]), place - least
        found.append(low + (high - low) * part if part < 0.5 else high - (high - low) * (1 - part))
    return found


def _divided(top: Any, bottom: Any) -> Any:
    import numpy as np

    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.asarray(bottom) == 0, np.nan, np.divide(top, bottom))

"""Textbook estimators, written apart from the product's own."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2, norm, t

Z = float(norm.ppf(0.975))
Limits = tuple[float, float]
Figures = dict[str, float]


def agree(row: Mapping[str, Any], expected: Figures) -> None:
    """Hold a row of the scorecard against what was found here, figure by figure."""
    found = {name: row[name] for name in expected}
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-9, nan_ok=True)


def share(hits: pd.Series, clusters: pd.Series | None = None) -> Figures:
    """A share in percent, with Wilson's limits."""
    count, of = int(hits.sum()), len(hits)
    size = None if clusters is None else clustered_size(hits.astype(float), clusters)
    low, high = wilson(count, of, size)
    return {"value": 100 * count / of, "numerator": count, "denominator": of, "n": of, "low": low, "high": high}


def net(scores: pd.Series) -> Figures:
    """A net promoter score, with the adjusted Wald limits."""
    promoters, detractors, of = int((scores >= 9).sum()), int((scores <= 6).sum()), len(scores)
    low, high = adjusted_wald(promoters, detractors, of)
    figures = {"numerator": promoters - detractors, "denominator": of, "n": of, "low": low, "high": high}
    return {"value": 100 * (promoters - detractors) / of} | figures


def ratio(amounts: pd.Series, of: pd.Series, clusters: pd.Series | None = None, scale: float = 1) -> Figures:
    """A ratio of two sums, with the limits of the delta method from the sums of each cluster and Student's t."""
    value = amounts.sum() / of.sum()
    left = amounts - value * of
    left = left if clusters is None else left.groupby(clusters).sum()
    count = len(left)
    half = t.ppf(0.975, count - 1) * np.sqrt(count / (count - 1) * (left**2).sum()) / of.sum()
    limits = {"low": scale * (value - half), "high": scale * (value + half)}
    return {"value": scale * value, "numerator": amounts.sum(), "denominator": of.sum()} | limits


def cost_of_each(spent: float, days: pd.Series) -> Figures:
    """An amount for each of the things that were counted by day, with limits of an overdispersed Poisson count."""
    count = days.sum()
    wider = np.sqrt(max(1.0, days.var() / days.mean()))
    fewest = count - (count - chi2.ppf(0.025, 2 * count) / 2) * wider
    most = count + (chi2.ppf(0.975, 2 * count + 2) / 2 - count) * wider
    limits = {"low": spent / most, "high": spent / fewest}
    return {"value": spent / count, "numerator": spent, "denominator": count} | limits


def quantile(curve: "Curve", of: float, unit: float) -> Figures:
    """The time by which a share has ended, with log-log limits, in units of so many seconds."""
    value, low, high = (part / unit for part in curve.quantile(of))
    enough = curve.watched >= {0.5: 30, 0.9: 100}[of]
    return {"value": value, **_limits(low, high, enough)} | curve.counts


def mean(curve: "Curve", days: float, unit: float) -> Figures:
    """The mean restricted to so many days, in units of so many seconds."""
    value, low, high = (part / unit for part in curve.mean(days * 86400))
    enough = curve.watched >= 400 and (curve.lost < days * 86400).sum() <= curve.watched / 10
    return {"value": value, **_limits(low, high, enough)} | curve.counts


def _limits(low: float, high: float, enough: bool) -> Figures:
    """Limits, where there are enough rows for them."""
    return {"low": low, "high": high} if enough else {"low": float("nan"), "high": float("nan")}


def wilson(count: float, of: float, effective: float | None = None) -> Limits:
    """Wilson's score interval of a share in percent (Wilson, 1927); `effective` is the size that clustering leaves."""
    share, size = count / of, effective or of
    middle = (share + Z**2 / (2 * size)) / (1 + Z**2 / size)
    half = Z / (1 + Z**2 / size) * np.sqrt(share * (1 - share) / size + Z**2 / (4 * size**2))
    return 100 * (middle - half), 100 * (middle + half)


def clustered_size(hits: pd.Series, clusters: pd.Series) -> float:
    """How many independent rows are worth as much as these clustered ones: n / deff, where deff is at least 1.

    Student's t of one less than the clusters allows for their small number (Korn and Graubard, 1998).
    """
    share, size = hits.mean(), len(hits)
    alone = clusters.isna()
    names = clusters.where(~alone, "row " + hits.index.astype(str).to_series(index=hits.index))
    totals = (hits - share).groupby(names).sum()
    if share in (0, 1) or len(totals) in (1, size):
        return size  # nothing varies, or there is nothing that it could vary with
    between = len(totals) / (len(totals) - 1) * (totals**2).sum() / size**2
    few = (t.ppf(0.975, len(totals) - 1) / Z) ** 2
    return size / max(1.0, between / (share * (1 - share) / size)) / few


def adjusted_wald(promoters: int, detractors: int, answers: int) -> Limits:
    """Rocks's interval of a net promoter score (2016): three quarters of an answer more on each side, three in all."""
    size = answers + 3
    high, low = (promoters + 0.75) / size, (detractors + 0.75) / size
    half = Z * np.sqrt((high + low - (high - low) ** 2) / size)
    return 100 * max(-1.0, high - low - half), 100 * min(1.0, high - low + half)


@dataclass(frozen=True)
class Curve:
    """A Kaplan-Meier curve with Greenwood's variance: a row for each time at which something ended."""

    times: np.ndarray
    at_risk: np.ndarray
    events: np.ndarray
    survival: np.ndarray
    lost: np.ndarray  # the waits that were not seen to end
    watched: int
    ended: int

    @property
    def counts(self) -> Figures:
        """How many there are, and for how many it ended."""
        return {"numerator": self.ended, "denominator": self.watched, "n": self.watched}

    @property
    def error(self) -> np.ndarray:
        """Greenwood's standard error."""
        with np.errstate(divide="ignore", invalid="ignore"):
            parts = self.events / (self.at_risk * (self.at_risk - self.events))
            return self.survival * np.sqrt(np.cumsum(parts))

    def quantile(self, share: float) -> tuple[float, float, float]:
        """The time by which this share has ended, with log-log limits (Brookmeyer and Crowley, 1982)."""
        left = 1 - share + 1e-9
        upper, lower = self.limits
        return self._first(self.survival <= left), self._first(lower <= left), self._first(upper <= left)

    @property
    def limits(self) -> tuple[np.ndarray, np.ndarray]:
        """The log-log limits of the survival, upper and lower; there are none where nobody is left."""
        with np.errstate(divide="ignore", invalid="ignore"):
            spread = Z * self.error / np.abs(self.survival * np.log(self.survival))
            return self.survival ** np.exp(-spread), self.survival ** np.exp(spread)

    def _first(self, reached: np.ndarray) -> float:
        return float(self.times[np.argmax(reached)]) if reached.any() else float("nan")

    def at(self, time: float) -> tuple[float, float, float]:
        """The share that has ended by a time, in percent, with log-log limits."""
        row = np.flatnonzero(self.times <= time)[-1]
        upper, lower = self.limits
        return 100 * (1 - self.survival[row]), 100 * (1 - upper[row]), 100 * (1 - lower[row])

    def mean(self, until: float) -> tuple[float, float, float]:
        """The mean restricted to `until`, with Greenwood's limits."""
        inside = self.times < until
        edges = np.concatenate([[0.0], self.times[inside], [until]])
        steps = np.diff(edges) * np.concatenate([[1.0], self.survival[inside]])
        ahead = steps[::-1].cumsum()[::-1][1:]
        events, risk = self.events[inside], self.at_risk[inside]
        last = risk == events
        weight = np.where(last, 0.0, events / (risk * np.where(last, 1.0, risk - events)))
        half = Z * np.sqrt((ahead**2 * weight).sum())
        return float(steps.sum()), float(steps.sum() - half), float(steps.sum() + half)


def kaplan_meier(waits: pd.Series, ended: pd.Series) -> Curve:
    """The product-limit estimate (Kaplan and Meier, 1958) of waits, of which only some have ended."""
    table = pd.DataFrame({"wait": waits.to_numpy(float), "ended": ended.to_numpy(bool)}).groupby("wait")["ended"]
    events, leaving = table.sum().to_numpy(float), table.size().to_numpy(float)
    times = np.array(sorted(set(waits.to_numpy(float))))
    at_risk = leaving[::-1].cumsum()[::-1]
    happened = events > 0
    survival = np.cumprod(1 - events / at_risk)
    kept = (part[happened] for part in (times, at_risk, events, survival))
    lost = waits.to_numpy(float)[~ended.to_numpy(bool)]
    return Curve(*kept, lost=lost, watched=len(waits), ended=int(ended.sum()))


def smallest_reaching(seconds: pd.Series, of: float) -> float:
    """The smallest of the values that at least such a share of them does not exceed."""
    ordered = np.sort(seconds.to_numpy(float))
    return float(ordered[int(np.ceil(of * len(ordered) - 1e-9)) - 1])

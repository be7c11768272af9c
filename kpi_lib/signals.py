"""Signal or noise: is a period like those before it, or did something happen?

Natural process limits are the mean of the earlier periods and 2.66 times their mean moving range to either side, which
is three standard deviations (Wheeler, Understanding Variation, 1993). What is compared depends on the number:

* a share, by its own denominator each period: Laney's p-prime (Quality Engineering 14, 2002), so that neither a small
  month nor thousands of cases raise an alarm;
* a count of what happened, per day: a February is a tenth shorter than a March, which is no news. What stands open at
  the end of a period does not grow with its length and is compared as it is;
* all else as it is.

A level that drifts is wider than its steps, so where the standard deviation is the larger, it takes the place of the
moving range. A period that was beyond its limits does not widen those of the periods after it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtr

from kpi_lib.facts.data import ANCHORS
from kpi_lib.intervals import signal_bar
from kpi_lib.period import Period

Numbers = NDArray[np.float64]
Columns = Mapping[str, NDArray[Any]]

TEXTS = ("kpi", "period", "unit", "status", "method", "anchor", "provisional", "headline")  # and flags
NUMBERS = ("value", "numerator", "denominator")
LEAST = 8  # earlier periods; with fewer there are no limits
RATE = 0.05  # the share of false ones that is allowed among the signals of one scorecard
BEYOND, RUN, NEAR = "beyond a limit", "eight on one side", "three of four near a limit"
_LIMIT, _NEAR = 3.0, 1.5  # standard deviations; near is nearer to a limit than to the mean
_RANGE = 1.128  # the mean range of two, in standard deviations
_FREEDOM = 0.62  # degrees of freedom of a moving range, for each period more than one


@dataclass(frozen=True)
class Judgement:
    """How a KPI's last period compares with those before it; `low`, `high` and `rules` are by period, oldest first.

    `spread` is the standard deviation of its ordinary variation in the KPI's own unit, `deviation` the distance from
    the earlier mean in such units, and `chance` how often a period like the earlier ones would lie so far off.
    """

    history: int
    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)
    rules: list[str] = field(default_factory=list)
    spread: float | None = None
    deviation: float | None = None
    chance: float | None = None
    stands_out: bool = False

    @property
    def rule(self) -> str:
        """The rule that the last period breaks, if any."""
        return self.rules[-1] if self.rules else ""


@dataclass(frozen=True)
class Signals:
    """The judgement of each KPI of a scorecard, and which headline numbers were judged and which stand out."""

    judgements: Mapping[str, Judgement]
    judged: tuple[str, ...]
    standing_out: tuple[str, ...]


@dataclass(frozen=True)
class _Series:
    """Values as they are compared: with what they weigh, and what turns them into the KPI's own unit again."""

    values: Numbers
    weights: Numbers
    factors: Numbers
    is_share: bool

    def deviations(self, base: Iterable[int]) -> tuple[float, Numbers]:
        """Return the mean over the periods `base`, and one standard deviation of each period."""
        base = list(base)
        mean = float(np.average(self.values[base], weights=self.weights[base]))
        noise = np.ones(len(self.values))
        if self.is_share:
            noise = np.sqrt(max(mean * (1 - mean), 0.0) / np.where(self.weights > 0, self.weights, np.nan))
        if not noise[base].all():
            return mean, 0 * noise
        steps = (self.values[base] - mean) / noise[base]
        return mean, noise * max(np.abs(np.diff(steps)).mean() / _RANGE, steps.std(ddof=1))


def judge(rows: pd.DataFrame) -> Judgement:
    """Judge the last of a KPI's periods by the earlier ones; `rows` has one row a period, oldest first."""
    return _judge(_columns(rows))


def _judge(rows: Columns) -> Judgement:
    usable = (rows["status"] == "ok") & ~rows["provisional"].astype(bool) & ~np.isnan(rows["value"])
    series, last = _series(rows), len(usable) - 1
    base = _ordinary(series, np.flatnonzero(usable[:last]).tolist())
    history = int(usable[:last].sum())
    if len(base) < LEAST:
        return Judgement(history)
    mean, spread = series.deviations(base)
    if not spread[base].all():
        return Judgement(history)
    off = np.full(len(usable), np.nan)
    off[usable] = ((series.values - mean) / np.where(spread > 0, spread, np.nan))[usable]
    low, high = ((mean + side * _LIMIT * spread) * series.factors for side in (-1, 1))
    if rows["unit"][usable][0] != "points" and (series.values[usable] >= 0).all():
        low = np.maximum(low, 0)
    if series.is_share:
        high = np.minimum(high, series.factors)
    found = Judgement(history, low.tolist(), high.tolist(), _rules(off), float((spread * series.factors)[last]))
    if not usable[last]:
        return found
    of_mean = series.weights[last] / series.weights[base].sum()  # the mean is uncertain too
    far = abs(off[last]) / np.sqrt(1 + of_mean)
    chance = 2 * float(stdtr(_FREEDOM * (len(base) - 1), -far))
    return replace(found, deviation=float(off[last]), chance=chance)


def of_scorecard(frame: pd.DataFrame, period: str) -> Signals:
    """Judge all totals of `period`; what stands out does so by Benjamini and Hochberg over the headline numbers.

    At most one in twenty of the signals of a scorecard is then chance, on average, however many numbers there are.
    Other readings are held to the bar that the headline numbers set.
    """
    totals = frame.loc[frame["cut"].isna() & (frame["period"] <= period)].sort_values(["kpi", "period"])
    columns = _columns(totals)
    kpis = columns["kpi"]
    starts = [0, *(1 + np.flatnonzero(kpis[1:] != kpis[:-1])), len(kpis)] if len(kpis) else []
    judgements = {
        str(kpis[start]): _judge({name: column[start:end] for name, column in columns.items()})
        for start, end in pairwise(starts)
    }
    headlines = set(kpis[columns["headline"].astype(bool)])
    chances = {kpi: found.chance for kpi, found in judgements.items() if found.chance is not None}
    judged = tuple(kpi for kpi in chances if kpi in headlines)
    bar = signal_bar([chances[kpi] for kpi in judged], RATE)
    judgements = {kpi: replace(found, stands_out=chances.get(kpi, 1.0) <= bar) for kpi, found in judgements.items()}
    return Signals(judgements, judged, tuple(kpi for kpi in judged if judgements[kpi].stands_out))


def _columns(rows: pd.DataFrame) -> Columns:
    """Return what of some rows is looked at as arrays, numbers with NaN for what is not there."""
    return {name: rows[name].to_numpy(object) for name in TEXTS} | {
        name: rows[name].to_numpy(float, na_value=np.nan) for name in NUMBERS
    }


def _series(rows: Columns) -> _Series:
    values, part, of = (rows[name] for name in NUMBERS)
    ones, last = np.ones(len(values)), {name: column[-1] for name, column in rows.items()}
    shares = 100 * part / np.where(of > 0, of, np.nan)
    known = ~np.isnan(values)
    if last["unit"] == "percent" and known.any() and np.allclose(values[known], shares[known], rtol=0, atol=1e-6):
        return _Series(values / 100, np.where(known, of, 0.0), 100 * ones, True)
    if _is_flow(last):
        days = np.array([_days(Period.parse(period)) for period in rows["period"]], float)
        return _Series(values / days, ones, days, False)
    return _Series(values, ones, ones, False)


def is_count(row: Mapping[str, Any] | pd.Series) -> bool:
    """Tell whether a number is a count, and not the mean of one."""
    return bool(row["unit"] == "count" and row["method"] == "census" and pd.isna(row["denominator"]))


def _is_flow(row: Mapping[str, Any] | pd.Series) -> bool:
    """Tell whether a number counts what happened in the period, so that a longer one has more of it."""
    return is_count(row) and not str(row["anchor"]).startswith(ANCHORS["S"].partition("{")[0])


def _days(period: Period) -> int:
    return (period.last_day - period.first_day).days + 1


def _ordinary(series: _Series, places: list[int]) -> list[int]:
    """Return those of the places that were not beyond the limits of the places before them."""
    base = places[:LEAST]
    for place in places[LEAST:]:
        mean, spread = series.deviations(base)
        if abs(series.values[place] - mean) <= _LIMIT * spread[place] or not spread[place]:
            base = [*base, place]
    return base


def _rules(off: Numbers) -> list[str]:
    """Return the rule that each period breaks, the gravest one; periods without a value are passed over."""
    rules, seen = [""] * len(off), [place for place in range(len(off)) if not np.isnan(off[place])]
    for count, place in enumerate(seen, 1):
        side = np.sign(off[place])
        back = side * off[seen[:count]]
        if back[-1] > _LIMIT:
            rules[place] = BEYOND
        elif count >= LEAST and (back[-LEAST:] > 0).all():
            rules[place] = RUN
        elif back[-1] > _NEAR and (back[-4:] > _NEAR).sum() >= 3:
            rules[place] = NEAR
    return rules

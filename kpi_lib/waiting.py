"""Waiting times: how long until something happens, when for some rows it has not happened yet.

The product-limit estimate (Kaplan and Meier 1958) is summed in the engine: rows become counts by whole second, window
functions walk over them, and only quantiles, their limits and the restricted mean come back, one row a group, or of the
whole curve a fixed number of its steps.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from kpi_lib.engine import computed
from kpi_lib.estimate import CENSUS, Estimator, condition
from kpi_lib.facts.calendar import whole_seconds

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

TOLERANCE = 1e-9
RESTRICTED_DAYS = 30
AIMED, WEIGHTED, LONGEST = "aimed", "weighted", "longest"  # kinds of waiting time beside the plain one
SECONDS = {"minutes": 60.0, "seconds": 1.0, "days": 86400.0}
MINIMUM_ROWS = {"median": 30, "p90": 100, "mean": 400}  # from here on 95 % limits hold in 92 to 98 % of cases
MOST_LOST = 0.1  # of the rows that a restricted mean with limits is over: with more gone early, the tail is guesswork
CURVE_STEPS = 180  # that are kept of a curve, which is nowhere off by more than a 180th
MARKS = (10, 20, 60, 300, 900, 3600, *(n * 3600 for n in (4, 8, 24, 72, 168, 720)))  # seconds at which it is exact
_PARTS = 1_000_000  # a target that differs by row is one unit of scaled time, cut in this many


@dataclass(frozen=True)
class Waiting(Estimator):
    """Time from `start` `until` something happens; rows where it has not are still waiting, not missing.

    `lost` is when a row stops being watched without the event; else it is watched until `as_of`. `less` are seconds to
    subtract; what comes just before `start`, as clocks differ, took 0 seconds. `of` restricts the rows; a row counts
    `weight` times where that is given, and then there are no limits. Value and limits come in the KPI's unit of time.
    Interval: log-log limits with Greenwood's variance (Brookmeyer and Crowley 1982), from `MINIMUM_ROWS` on. `mean` is
    the restricted mean over 30 days.
    """

    READINGS: ClassVar[tuple[str, ...]] = ("p90", "mean")
    start: Any
    until: Any = None
    lost: Any = None
    of: Any = None
    less: Any = None
    target_seconds: Any = None
    weight: Any = None
    readings: dict[str, str] = field(default_factory=dict)

    @property
    def interval(self) -> str:
        return "Kaplan-Meier, weighted; no limits" if self.kind == WEIGHTED else "Kaplan-Meier, log-log limits"

    @property
    def kind(self) -> str:
        """How `product_limit` must sum: at a target, with weights, or plainly ("")."""
        return AIMED if self.target_seconds is not None else WEIGHTED if self.weight is not None else ""

    def within(self, seconds: Any) -> Waiting:
        """Return instead the percentage for whom it happens within `seconds`, which may differ by row."""
        return Waiting(self.start, self.until, self.lost, self.of, self.less, seconds, readings=self.readings)

    def rows(self, as_of: datetime) -> dict[str, Any]:
        """Return per-row `seconds` watched, whether the event `finished` them, and the condition `counted`."""
        import ibis

        finished = self.until.notnull()
        lost = ibis.literal(as_of, "timestamp('UTC', 6)") if self.lost is None else self.lost.fill_null(as_of)
        seconds = whole_seconds(finished.ifelse(self.until, lost)) - whole_seconds(self.start)
        if self.less is not None:
            seconds = seconds - self.less.fill_null(0)
        return self._counted(ibis.greatest(seconds, 0), finished, self.start.notnull())

    def _counted(self, seconds: Any, finished: Any, counted: Any) -> dict[str, Any]:
        if self.target_seconds is not None:
            target = self.target_seconds.cast("float64")
            counted = counted & target.notnull()
            seconds = (seconds.cast("float64") * _PARTS / target).ceil().cast("int64")
        return {
            "seconds": seconds,
            "finished": finished,
            "counted": counted if self.of is None else counted & condition(self.of),
        }

    def estimate(self, sums: pd.DataFrame, reading: str = "", unit: str = "minutes") -> pd.DataFrame:
        """Turn what `product_limit` returned into value and limits in `unit`."""
        from kpi_lib.intervals import frame, unless

        n, events = sums["n"].to_numpy(float), sums["events"].to_numpy(float)
        counts = {"n": n, "numerator": events, "denominator": n}
        if self.target_seconds is not None:
            return self._share_within(sums, counts)
        scale = SECONDS[unit]
        reading = reading or getattr(self, "quantile", "median")
        low: Any = math.nan
        high: Any = math.nan
        method: Any = CENSUS
        if reading == "mean":
            value, low, high, method = _restricted_mean(sums, n)
        elif reading == "longest":
            value = sums[reading].to_numpy(float)
        else:
            value, low, high = (sums[f"{reading}{limit}"].to_numpy(float) for limit in ("", "_low", "_high"))
            method = self.interval
        minimum = MINIMUM_ROWS.get(reading, 0)
        low, high, method = unless(n < minimum, f"not estimable: n < {minimum}", low, high, method)
        if self.kind == WEIGHTED:
            low, high, method = math.nan, math.nan, self.interval
        laid = frame(sums, value / scale, low=low / scale, high=high / scale, method=method, **counts)
        laid.loc[(n > 0) & laid["value"].isna(), "status"] = "not_estimable"
        return laid

    def _share_within(self, sums: pd.DataFrame, counts: dict[str, Any]) -> pd.DataFrame:
        import numpy as np

        from kpi_lib.intervals import Z, frame, wilson

        survival = np.where(counts["n"] > 0, sums["at_target"].fillna(1.0).to_numpy(float), np.nan)
        with np.errstate(divide="ignore", invalid="ignore"):
            spread = Z * np.sqrt(sums["at_target_variance"].to_numpy(float)) / np.abs(np.log(survival))
            low, high = 1 - survival ** np.exp(-spread), 1 - survival ** np.exp(spread)
        none, everyone = survival == 1, survival == 0
        known = np.where(none, sums["beyond"].to_numpy(float), sums["within"].to_numpy(float))
        score_low, score_high = wilson(np.where(none, 0.0, known), known)
        low, high = np.where(none | everyone, score_low, low), np.where(none | everyone, score_high, high)
        unseen = none & ~(sums["beyond"].to_numpy(float) > 0)  # nobody was watched up to the target
        value = np.where(unseen, np.nan, 100 * (1 - survival))
        laid = frame(sums, value, low=100 * low, high=100 * high, method=self.interval, **counts)
        laid.loc[(counts["n"] > 0) & unseen, "status"] = "not_estimable"
        return laid


def _restricted_mean(sums: pd.DataFrame, n: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return value, limits and method; no value where rows are still waiting that were not watched long enough."""
    import numpy as np

    from kpi_lib.intervals import Z, unless

    area, spread = sums["area"].to_numpy(float), Z * np.sqrt(sums["area_variance"].to_numpy(float))
    unseen = (sums["still"].to_numpy(float) > TOLERANCE) & ~sums["followed"].to_numpy(bool)
    lost, method = sums["lost"].to_numpy(float) > MOST_LOST * n, f"restricted mean, {RESTRICTED_DAYS} days"
    why = f"not estimable: over {100 * MOST_LOST:g} % not followed for {RESTRICTED_DAYS} days"
    return np.where(unseen, np.nan, area), *unless(lost, why, np.maximum(area - spread, 0), area + spread, method)


@dataclass(frozen=True)
class Lasting(Waiting):
    """A duration given as a number of seconds; `finished` says for which rows it is complete (all, when left out).

    `quantile` is `median`, `p90` or `longest`, the largest of all, which is a census.
    """

    finished: Any = None
    quantile: str = "median"

    @property
    def interval(self) -> str:
        return CENSUS if self.quantile == "longest" else super().interval

    @property
    def kind(self) -> str:
        """How `product_limit` must sum: the longest of all needs no curve."""
        return LONGEST if self.quantile == "longest" and not self.readings else super().kind

    def rows(self, as_of: datetime) -> dict[str, Any]:
        import ibis

        seconds = ibis.greatest(self.start.cast("float64").floor().cast("int64"), 0)
        finished = self.start.notnull() if self.finished is None else self.finished
        return self._counted(seconds, finished, self.start.notnull())


def product_limit(rows: Any, keys: list[str], kind: str = "") -> Any:
    """Return one row a group with quantiles, limits and restricted mean of `rows` (keys, seconds, finished).

    `rows` is an Ibis table of the counted rows alone. `AIMED` gives only the survival at one unit of scaled time;
    `WEIGHTED` counts each row `weight` times; `LONGEST` gives only how many they are and the longest.
    """

    if kind == LONGEST:
        counts = {"n": rows.count(), "events": rows.finished.sum(), "longest": rows.seconds.max()}
        return rows.group_by(keys).aggregate(**counts)

    def summed(rows: Any, keys: list[str]) -> Any:
        steps = _steps(rows, keys, kind)
        return _at_target(steps, keys) if kind == AIMED else _quantiles(_surviving(steps, keys), keys)

    return _numbered(rows, keys, summed)


def curve(rows: Any, keys: list[str]) -> Any:
    """Return for each group at most `CURVE_STEPS` + 1 steps of its survival curve and those that hold at `MARKS`.

    Columns are the keys, `seconds` from which the `survival` holds, its Greenwood `variance` on the log scale, and over
    the whole group `n` and `longest`. Of steps within the same part of the height the first comes back.
    """
    return _numbered(rows, keys, _chosen_steps)


def _numbered(rows: Any, keys: list[str], make: Callable[[Any, list[str]], Any]) -> Any:
    """Return what is made of the rows by the keys; DuckDB is given a number for them, which it sorts much faster."""
    import ibis

    if rows.get_backend().name != "duckdb":
        return make(rows, keys)
    curves = rows.select(*keys).distinct()
    curves = computed(curves.mutate(curve=ibis.row_number().over(ibis.window(order_by=keys))))
    same = [rows[key].identical_to(curves[key]) for key in keys]
    rows = rows.inner_join(curves, same, rname="{name}_of_curve")
    made = make(rows.drop(*keys, *(f"{key}_of_curve" for key in keys)), ["curve"])
    return made.inner_join(curves, "curve").drop("curve")


def _chosen_steps(rows: Any, keys: list[str]) -> Any:
    import ibis

    steps = _surviving(_steps(rows, keys, ""), keys)
    holding = [(steps.seconds <= mark) & (steps.until.isnull() | (steps.until > mark)) for mark in MARKS]
    whole = ibis.window(group_by=keys)
    steps = steps.mutate(
        height=(steps.survival * CURVE_STEPS - TOLERANCE).ceil().cast("int64"),
        holds=sum(held.ifelse(2**place, 0) for place, held in enumerate(holding)),
        n=steps.leaving.sum().over(whole),
        longest=steps.seconds.max().over(whole),
    )
    chosen = steps.group_by([*keys, "height", "holds"]).aggregate(
        seconds=steps.seconds.min(),
        survival=steps.survival.max(),
        variance=steps.variance.min(),
        n=steps.n.max(),
        longest=steps.longest.max(),
    )
    return chosen.drop("height", "holds")


def drawn(steps: pd.DataFrame) -> dict[str, Any]:
    """Return the steps of one curve as plain lists `seconds`, `waiting`, `low`, `high`, the longest wait at its end.

    `waiting` is the share from 0 to 1 that still waits after so many seconds; limits as of the quantiles, from as many
    rows on.
    """
    import numpy as np
    import pandas as pd

    from kpi_lib.intervals import Z

    steps = steps.sort_values("seconds", kind="stable")
    last = steps.tail(1).assign(seconds=steps["longest"])
    steps = pd.concat([steps, last]).drop_duplicates("seconds")
    survival, variance = (steps[name].to_numpy(float) for name in ("survival", "variance"))
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = Z * np.sqrt(variance) / np.abs(np.log(survival))
        limits = survival ** np.exp(spread), survival ** np.exp(-spread)
    unsure = (survival >= 1) | (survival <= 0) | (steps["n"].to_numpy(float) < MINIMUM_ROWS["median"])
    low, high = (
        [None if none else round(float(at), 6) for at, none in zip(each, unsure, strict=True)] for each in limits
    )
    seconds, waiting = ([round(float(at), 6) for at in each] for each in (steps["seconds"], survival))
    return {"seconds": seconds, "waiting": waiting, "low": low, "high": high}


def _steps(rows: Any, keys: list[str], kind: str) -> Any:
    """Return a row for each second in which something happens: at risk, events, and what they take off the curve."""
    import ibis

    rows = rows.mutate(seconds=ibis.least(rows.seconds, _PARTS + 1)) if kind == AIMED else rows
    counted = {"events": rows.count(where=rows.finished), "leaving": rows.count()}
    if kind == WEIGHTED:
        counted = {"events": rows.finished.ifelse(rows.weight, 0.0).sum(), "leaving": rows.weight.sum()}
    steps = rows.group_by([*keys, "seconds"]).aggregate(**counted)
    steps = steps.mutate(events=steps.events.cast("float64"), leaving=steps.leaving.cast("float64"))
    following = {} if kind == AIMED else {"until": steps.seconds.lag(1).over(_backwards(keys))}
    steps = steps.mutate(at_risk=steps.leaving.sum().over(_from_the_end(keys)), **following)
    dying = (steps.events > 0) & (steps.events < steps.at_risk - TOLERANCE)
    surviving = ibis.greatest(steps.at_risk - steps.events, 0.0).nullif(0.0)
    return steps.mutate(
        log_step=dying.ifelse((surviving / steps.at_risk).ln(), 0.0),
        greenwood=dying.ifelse(steps.events / (steps.at_risk * surviving), 0.0),
        all_gone=steps.events >= steps.at_risk - TOLERANCE,
    )


def _backwards(keys: list[str], **frame: Any) -> Any:
    import ibis

    return ibis.window(group_by=keys, order_by=ibis.desc("seconds"), **frame)


def _from_the_end(keys: list[str]) -> Any:
    """Return the window of a step and all later ones: backwards, as to add on is less work than to take away."""
    return _backwards(keys, preceding=None, following=0)


def _surviving(steps: Any, keys: list[str]) -> Any:
    """Add the survival after each step and Greenwood's variance of its logarithm."""
    import ibis

    so_far = ibis.window(group_by=keys, order_by="seconds", preceding=None, following=0)
    log_survival = steps.log_step.sum().over(so_far)
    steps = steps.mutate(log_survival=log_survival, variance=steps.greenwood.sum().over(so_far))
    return steps.mutate(survival=steps.all_gone.ifelse(0.0, steps.log_survival.exp()))


def _quantiles(steps: Any, keys: list[str]) -> Any:
    import ibis

    from kpi_lib.intervals import Z

    horizon = RESTRICTED_DAYS * 86400  # the curve holds from each step to the next, or to here
    since, until = (ibis.least(at, horizon).cast("float64") for at in (steps.seconds, steps.until.fill_null(horizon)))
    steps = steps.mutate(area_after=ibis.greatest(until - since, 0.0) * steps.survival)
    steps = steps.mutate(after=steps.area_after.sum().over(_from_the_end(keys)))
    first = ibis.least(steps.seconds.min(), horizon).cast("float64")
    columns = {
        "n": steps.leaving.sum(),
        "events": steps.events.sum(),
        "longest": steps.seconds.max(),
        "area": first + steps.area_after.sum(),
        "area_variance": (steps.seconds <= horizon).ifelse(steps.after * steps.after * steps.greenwood, 0.0).sum(),
        "lost": (steps.leaving - steps.events).sum(where=steps.seconds < horizon),
        "still": (steps.until.isnull() & (steps.seconds < horizon)).ifelse(steps.survival, 0.0).sum(),
    }
    for name, level in (("median", 0.5), ("p90", 0.9)):
        reached = steps.survival <= 1 - level + TOLERANCE
        columns[name] = steps.seconds.min(where=reached)
        sure = (steps.variance > 0) & ~steps.all_gone
        distance = steps.log_survival.abs().nullif(0.0)
        spread = steps.variance.sqrt() * Z / distance
        offset = (-math.log(1 - level) / distance).ln()
        columns[f"{name}_low"] = steps.seconds.min(where=sure & (spread >= offset - TOLERANCE))
        columns[f"{name}_high"] = steps.seconds.min(where=sure & (-spread >= offset - TOLERANCE))
    return steps.group_by(keys).aggregate(**columns)


def _at_target(steps: Any, keys: list[str]) -> Any:
    within = steps.seconds <= _PARTS
    sums = steps.group_by(keys).aggregate(
        n=steps.leaving.sum(),
        events=steps.events.sum(),
        within=steps.events.sum(where=within),
        beyond=steps.leaving.sum(where=~within),
        ends=(within & steps.all_gone).sum(),
        log_survival=steps.log_step.sum(where=within),
        at_target_variance=steps.greenwood.sum(where=within),
    )
    survival = (sums.ends > 0).ifelse(0.0, sums.log_survival.exp())
    return sums.select(*keys, "n", "events", "within", "beyond", "at_target_variance", at_target=survival)

"""Estimators: a KPI's shape. Each knows the sums it needs from the engine, its value and its interval.

An estimator is built from row expressions of a fact. `sums()` names the columns to be added up per group; `estimate()`
turns the fetched sums, one row a group, into value and interval (`intervals.py`). Rows never leave the engine. Waiting
times, which need more than sums, are in `waiting.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

from kpi_lib.errors import UnknownNameError, did_you_mean

if TYPE_CHECKING:
    import pandas as pd

CENSUS = "census"


@dataclass(frozen=True)
class Estimator:
    """What all shapes share: the rows they are over (`of`), the cluster their rows come in, and further readings."""

    READINGS: ClassVar[tuple[str, ...]] = ()

    def companions(self, **said: str) -> Estimator:
        """Report further readings of the same estimator, each under `id.name`, with the words that describe it."""
        for name in said:
            if name not in self.READINGS:
                raise UnknownNameError(
                    f"no reading {name!r} of {type(self).__name__}{did_you_mean(name, self.READINGS)}"
                )
        return replace(self, readings=said)  # type: ignore[call-arg]

    @property
    def interval(self) -> str:
        """How limits are made; `census` where there are none, as nothing is sampled."""
        return CENSUS

    def sums(self) -> dict[str, Any]:
        """Return the row expressions (numbers or conditions) to be summed per group."""
        raise NotImplementedError

    def pair(self) -> tuple[Any, Any] | None:
        """Return numerator and denominator expressions whose moments by cluster the interval needs."""
        return None

    def estimate(self, sums: pd.DataFrame, reading: str = "") -> pd.DataFrame:
        """Turn sums (one row a group) into the columns `intervals.COLUMNS`."""
        raise NotImplementedError


@dataclass(frozen=True)
class Count(Estimator):
    """How many rows of the fact there are, or meet a condition: a census, without sampling error."""

    of: Any
    readings: dict[str, str] = field(default_factory=dict)

    def sums(self) -> dict[str, Any]:
        return {"n": condition(self.of)}

    def estimate(self, sums: pd.DataFrame, reading: str = "") -> pd.DataFrame:
        from kpi_lib import intervals

        return intervals.frame(sums, sums["n"], numerator=sums["n"], n=sums["n"], method=CENSUS)


@dataclass(frozen=True)
class Distinct(Estimator):
    """How many different values of a column there are among the rows that meet `of`: a census, right in every cut.

    The column `cluster` names must have a value in each of these rows.
    """

    cluster: str
    of: Any
    readings: dict[str, str] = field(default_factory=dict)

    def sums(self) -> dict[str, Any]:
        return {"n": condition(self.of)}

    def pair(self) -> tuple[Any, Any] | None:
        return (condition(self.of),) * 2

    def estimate(self, sums: pd.DataFrame, reading: str = "") -> pd.DataFrame:
        from kpi_lib import intervals

        different = sums["groups"]
        return intervals.frame(sums, different, numerator=different, n=different, method=CENSUS)


@dataclass(frozen=True)
class PerMember(Distinct):
    """How many rows there are, on average, for each different value of the column `cluster`."""

    @property
    def interval(self) -> str:
        return _delta_method(self.cluster)

    def estimate(self, sums: pd.DataFrame, reading: str = "") -> pd.DataFrame:
        from kpi_lib import intervals

        rows, members = sums["n"].to_numpy(float), sums["groups"].to_numpy(float)
        moments = sums.assign(y=rows, x=members, xx=members, xy=rows)
        low, high, method = intervals.delta(moments, self.interval, clustered=True)
        value = intervals.over(rows, members)
        return intervals.frame(
            sums, value, numerator=rows, denominator=members, n=members, low=low, high=high, method=method
        )


@dataclass(frozen=True)
class Total(Estimator):
    """The sum of an amount: a census, without sampling error."""

    amount: Any
    of: Any = None
    readings: dict[str, str] = field(default_factory=dict)

    def sums(self) -> dict[str, Any]:
        amount = self.amount.cast("float64")
        counted = amount.notnull() if self.of is None else self.of & amount.notnull()
        return {"total": counted.ifelse(amount, 0.0), "n": counted}

    def estimate(self, sums: pd.DataFrame, reading: str = "") -> pd.DataFrame:
        from kpi_lib import intervals

        return intervals.frame(sums, sums["total"], numerator=sums["total"], n=sums["n"], method=CENSUS)


@dataclass(frozen=True)
class PerPeriod:
    """A denominator that belongs to the period and not to rows: its `days` or `working_days`."""

    name: str


@dataclass(frozen=True)
class Share(Estimator):
    """The percentage of rows that meet a condition: Wilson's interval, widened by the design effect of the clusters."""

    hit: Any
    of: Any = None
    cluster: str | None = None
    readings: dict[str, str] = field(default_factory=dict)

    @property
    def interval(self) -> str:
        return f"Wilson, clustered by {said(self.cluster)}" if self.cluster else "Wilson"

    def sums(self) -> dict[str, Any]:
        of = condition(self.hit if self.of is None else self.of)
        if self.of is None:  # as a number: engines read NOT x IS NOT NULL as NOT (x IS NOT NULL)
            return {"k": self.hit, "n": self.hit.cast("int32").notnull()}
        return {"k": self.hit & of, "n": of}

    def pair(self) -> tuple[Any, Any] | None:
        sums = self.sums()
        return (sums["k"], sums["n"]) if self.cluster else None

    def estimate(self, sums: pd.DataFrame, reading: str = "") -> pd.DataFrame:
        from kpi_lib import intervals

        k, n = sums["k"].to_numpy(float), sums["n"].to_numpy(float)
        effect = intervals.design_effect(sums.assign(y=k, x=n)) if self.cluster else 1.0
        low, high = intervals.wilson(k, n, effect)
        return intervals.frame(
            sums,
            100 * intervals.over(k, n),
            numerator=k,
            denominator=n,
            n=n,
            low=100 * low,
            high=100 * high,
            method=self.interval,
        )


@dataclass(frozen=True)
class Net(Estimator):
    """The share of one kind less the share of the other, in points: adjusted-Wald interval (Rocks 2016)."""

    READINGS: ClassVar[tuple[str, ...]] = ("promoters", "passives", "detractors")
    plus: Any
    minus: Any
    of: Any
    readings: dict[str, str] = field(default_factory=dict)

    @property
    def interval(self) -> str:
        return "adjusted Wald"

    def sums(self) -> dict[str, Any]:
        return {"p": self.plus & self.of, "d": self.minus & self.of, "n": condition(self.of)}

    def estimate(self, sums: pd.DataFrame, reading: str = "") -> pd.DataFrame:
        from kpi_lib import intervals

        p, d, n = (sums[name].to_numpy(float) for name in ("p", "d", "n"))
        if reading:
            k = {"promoters": p, "passives": n - p - d, "detractors": d}[reading]
            return Share(None).estimate(sums.assign(k=k))
        low, high = intervals.adjusted_wald(p, d, n)
        return intervals.frame(
            sums,
            100 * intervals.over(p - d, n),
            numerator=p - d,
            denominator=n,
            n=n,
            low=100 * low,
            high=100 * high,
            method=self.interval,
        )


@dataclass(frozen=True)
class Mean(Estimator):
    """The mean of a quantity over rows: delta method over the clusters, or over rows when there are 400 or more."""

    amount: Any
    of: Any = None
    cluster: str | None = None
    readings: dict[str, str] = field(default_factory=dict)

    @property
    def interval(self) -> str:
        return _delta_method(self.cluster)

    def sums(self) -> dict[str, Any]:
        amount, counted = self._parts()
        squares = {} if self.cluster else {"yy": counted.ifelse(amount * amount, 0.0)}
        return {"y": counted.ifelse(amount, 0.0), "x": counted, **squares}

    def pair(self) -> tuple[Any, Any] | None:
        sums = self.sums()
        return (sums["y"], sums["x"]) if self.cluster else None

    def estimate(self, sums: pd.DataFrame, reading: str = "") -> pd.DataFrame:
        from kpi_lib import intervals

        y, n = sums["y"].to_numpy(float), sums["x"].to_numpy(float)
        if not self.cluster:
            sums = sums.assign(groups=n, xx=n, xy=y)
        low, high, method = intervals.delta(sums, self.interval, bool(self.cluster))
        return intervals.frame(
            sums, intervals.over(y, n), numerator=y, denominator=n, n=n, low=low, high=high, method=method
        )

    def _parts(self) -> tuple[Any, Any]:
        amount = self.amount.cast("float64")
        return amount, amount.notnull() if self.of is None else self.of & amount.notnull()


@dataclass(frozen=True)
class Ratio(Estimator):
    """One sum over another, perhaps of another fact, or over the days of the period.

    `cluster` names a column that both sides have, for a delta-method interval over its values; `process` gives the
    count on one side a quasi-Poisson interval with the day-to-day dispersion (Garwood's limits, widened).
    """

    numerator: Any
    denominator: Any
    scale: float = 1.0
    cluster: str | None = None
    process: bool = False
    readings: dict[str, str] = field(default_factory=dict)

    @property
    def interval(self) -> str:
        if self.process:
            return "quasi-Poisson count by day"
        return CENSUS if isinstance(self.denominator, PerPeriod) else _delta_method(self.cluster)

    def sums(self) -> dict[str, Any]:
        top, bottom = self.pair() or (_one(self.numerator), None)
        named = {"y": top} | ({} if bottom is None else {"x": bottom})
        if self._rowwise():
            y, x = _float(top), _float(bottom)
            named |= {"yy": y * y, "xx": x * x, "xy": y * x, "rows": self.denominator.sums()["n"]}
        if self.process and isinstance(self.numerator, Total):
            named["recorded"] = self.numerator.sums()["n"]
        return named

    def pair(self) -> tuple[Any, Any] | None:
        if isinstance(self.denominator, PerPeriod):
            return None
        return _one(self.numerator), _one(self.denominator)

    def _rowwise(self) -> bool:
        return not (self.cluster or self.process or isinstance(self.denominator, PerPeriod))

    def estimate(self, sums: pd.DataFrame, reading: str = "") -> pd.DataFrame:
        import numpy as np

        from kpi_lib import intervals

        y = sums["y"].to_numpy(float)
        x = sums[self.denominator.name if isinstance(self.denominator, PerPeriod) else "x"].to_numpy(float)
        if "recorded" in sums:  # a period without a single entry is one that nobody has entered yet
            y = intervals.over(y, sums["recorded"] > 0)
        value, low, high, n = self.scale * intervals.over(y, x), None, None, x
        method: Any = CENSUS
        if self.process:
            counts_above = isinstance(self.numerator, Count)
            count = y if counts_above else x
            limits = intervals.garwood(count, sums["dispersion"].to_numpy(float))
            low, high = [intervals.over(limit, x) if counts_above else intervals.over(y, limit) for limit in limits]
            low, high = (low, high) if counts_above else (high, low)
            low, high, n = self.scale * low, self.scale * high, count
            few = np.isnan(low) | np.isnan(high)
            low, high, method = intervals.unless(few, "not estimable: too few for two limits", low, high, self.interval)
        elif self.cluster or self._rowwise():
            sums = sums if self.cluster else sums.assign(groups=sums["rows"])
            low, high, method = intervals.delta(sums, self.interval, bool(self.cluster))
            low, high, n = self.scale * low, self.scale * high, x if self.cluster else sums["rows"]
        elif isinstance(self.denominator, PerPeriod):
            n = y
        return intervals.frame(sums, value, numerator=y, denominator=x, n=n, low=low, high=high, method=method)


@dataclass(frozen=True)
class ByMember:
    """Makes a table KPI: each member of `cut` is a row, and there is no total.

    A Count is written as the member's share of all, in percent, with the count as numerator.
    """

    estimator: Estimator
    cut: str


def said(cluster: str) -> str:
    """Return a cluster column in words."""
    return cluster.removesuffix("_id").replace("_", "-")


def _delta_method(cluster: str | None) -> str:
    return f"delta method by {said(cluster)}" if cluster else "delta method"


def by_channel(row: Any, mapping: dict[str, float]) -> Any:
    """Return the value that params give a row's channel; null for a channel that is not in the mapping."""
    return row.channel.cases(*mapping.items(), else_=None)


def condition(of: Any) -> Any:
    """Return the condition that a row counts: `of` itself, or true for each row of a fact."""
    return getattr(of, "every", of)


def _one(part: Any) -> Any:
    """Return the single sum of a Count or Total."""
    return next(iter(part.sums().values()))


def _float(value: Any) -> Any:
    return value.ifelse(1.0, 0.0) if value.type().is_boolean() else value.cast("float64")

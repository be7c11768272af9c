"""Evaluates declarations over facts: one grouped query a fact, one more a cut, and only aggregates come back.

The result is a frame with one row a number: `kpi` (the address), `period`, `cut`, `member` and the columns of an
estimate. Comparing, judging and storing them is the scorecard's.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from kpi_lib.derive import derived, modelled
from kpi_lib.estimate import ByMember, Estimator, PerPeriod, Ratio, Share
from kpi_lib.facts import FACTS, Data, NotAvailableError
from kpi_lib.intervals import COLUMNS
from kpi_lib.kpi import Kpi
from kpi_lib.waiting import RESTRICTED_DAYS, Waiting, product_limit

NO_MEMBER = "(none)"
SMALL_SAMPLE = 5


@dataclass
class _Scan:
    """What is asked of one fact in one cut: sums, moments over clusters, waiting times."""

    table: Any
    cut: str | None
    sums: dict[str, Any] = field(default_factory=dict)
    pairs: dict[str, dict[str, tuple[Any, Any]]] = field(default_factory=dict)
    by_cluster: dict[str, dict[str, Any]] = field(default_factory=dict)
    fetched: dict[Any, pd.DataFrame] = field(default_factory=dict)

    def keys(self, table: Any) -> dict[str, Any]:
        """Return the expressions to group by."""
        return {"period": table.period} | ({} if self.cut is None else {"member": table[self.cut].cast("string")})

    def run(self) -> None:
        """Fetch the sums, then the moments of each cluster column."""
        if self.sums:
            query = self.table.group_by(**self.keys(self.table)).aggregate(
                **{name: expression.sum() for name, expression in self.sums.items()}
            )
            self.fetched["sums"] = self.indexed(query.to_pandas())
        for cluster, pairs in self.pairs.items():
            self.fetched[cluster] = self.indexed(self._moments(cluster, pairs).to_pandas())
        for cluster, sums in self.by_cluster.items():
            query = self.table.group_by(**self.keys(self.table), cluster=self.table[cluster]).aggregate(
                **{name: expression.sum() for name, expression in sums.items()}
            )
            self.fetched[f"by {cluster}"] = self.indexed(query.to_pandas(), "cluster")

    def _moments(self, cluster: str, pairs: dict[str, tuple[Any, Any]]) -> Any:
        inner = {f"{name}_{part}": pair[place].sum() for name, pair in pairs.items() for place, part in enumerate("yx")}
        groups = self.table.group_by(**self.keys(self.table), cluster=self.table[cluster]).aggregate(**inner)
        outer: dict[str, Any] = {}
        for name in pairs:
            y, x = (groups[f"{name}_{part}"].cast("float64") for part in "yx")
            outer |= {
                f"{name}_groups": ((y != 0) | (x != 0)).sum(),
                f"{name}_yy": (y * y).sum(),
                f"{name}_xx": (x * x).sum(),
                f"{name}_xy": (y * x).sum(),
            }
        return groups.group_by([name for name in ("period", "member") if name in groups.columns]).aggregate(**outer)

    def indexed(self, frame: pd.DataFrame, *more: str) -> pd.DataFrame:
        """Return a fetched frame by period and member, its numbers as float64."""
        frame["member"] = NO_MEMBER if self.cut is None else frame["member"].astype(object).fillna(NO_MEMBER)
        numbers = frame.columns.difference(["period", "member", *more])
        frame[numbers] = frame[numbers].astype("float64")
        return frame.set_index(["period", "member", *more]).sort_index()


@dataclass
class _Task:
    """One declaration with its estimator, over the tables of its facts."""

    kpi: Kpi
    estimator: Estimator
    tables: list[Any]
    table_cut: str | None
    matured: list[Any]

    @property
    def name(self) -> str:
        return self.kpi.address.replace(".", "__")

    def cuts(self) -> list[str | None]:
        """Return the groupings to compute: the total and each cut that every fact has."""
        if self.table_cut:
            return [self.table_cut]
        return [None, *(cut for cut in self.kpi.cuts if all(cut in table.columns for table in self.tables))]


def evaluate(data: Data, kpis: Iterable[Kpi], first: dict[str, datetime | None], *, cuts: bool = True) -> pd.DataFrame:
    """Compute every number of `kpis` over the periods of the data's calendar.

    `first` is the first event of each table; periods that end before it are `not_available`, as is what needs a table
    that is not there. With `cuts=False` only totals and the members of table KPIs.
    """
    kpis = list(kpis)
    tasks, rows = _tasks(data, [kpi for kpi in kpis if not (kpi.model or kpi.of)])
    scans: dict[tuple[str, str | None], _Scan] = {}
    waiting: dict[tuple[str, str | None, bool], list[_Task]] = {}
    for task in tasks:
        for cut in task.cuts() if cuts or task.table_cut else [None]:
            if isinstance(task.estimator, Waiting):
                aimed = task.estimator.target_seconds is not None
                waiting.setdefault((task.kpi.facts[0], cut, aimed), []).append(task)
            else:
                _ask(scans, task, cut)
    for scan in scans.values():
        scan.run()
    waits: dict[tuple[str, str | None], pd.DataFrame] = {}
    for (_, cut, aimed), group in waiting.items():
        waits |= {(name, cut): sums for name, sums in _waited(data, group, cut, aimed).items()}
    excluded = _excluded(data, tasks)
    for task in tasks:
        for cut in task.cuts() if cuts or task.table_cut else [None]:
            sums = waits[task.name, cut] if isinstance(task.estimator, Waiting) else _collected(scans, task, cut, data)
            rows += _rows(data, task, cut, sums, excluded)
    rows += modelled(data, [kpi for kpi in kpis if kpi.model], cuts=cuts)
    frame = _settled(pd.concat(rows, ignore_index=True), data, kpis, first)
    return pd.concat([frame, derived(frame, [kpi for kpi in kpis if kpi.of], data)], ignore_index=True).drop(
        columns="estimate"
    )


def _tasks(data: Data, kpis: list[Kpi]) -> tuple[list[_Task], list[pd.DataFrame]]:
    tasks, rows = [], []
    for kpi in kpis:
        try:
            tables = [_valid(data.fact(name)) for name in kpi.facts]
            made = kpi.function(
                *(FACTS[name].row(table) for name, table in zip(kpi.facts, tables, strict=True)),
                **kpi.given(data.params),
            )
        except NotAvailableError as error:
            rows += [
                unavailable(data, f"{kpi.address}.{reading}" if reading else kpi.address, str(error))
                for reading in ("", *kpi.readings)
            ]
            continue
        cut = made.cut if isinstance(made, ByMember) else None
        matured = [_matured(kpi, table, data) for table in tables]
        tasks.append(_Task(kpi, made.estimator if cut else made, tables, cut, matured))
    return tasks, rows


def unavailable(data: Data, address: str, why: str) -> pd.DataFrame:
    """Return the rows of a KPI whose tables are not there."""
    return pd.DataFrame(
        [
            {"kpi": address, "period": str(period), "status": "not_available", "method": why}
            for period in data.calendar.periods
        ]
    )


def _valid(table: Any) -> Any:
    return table.filter(table.excluded.isnull()) if "excluded" in table.columns else table


def _matured(kpi: Kpi, table: Any, data: Data) -> Any:
    """Return the condition that a row's outcome has been observed for the KPI's horizon."""
    if kpi.horizon is None:
        return None
    return table.at_seconds <= int(data.as_of.timestamp()) - int(data.params.get(kpi.horizon)) * 86400


def _masked(expression: Any, mask: Any) -> Any:
    if mask is None:
        return expression
    return expression & mask if expression.type().is_boolean() else mask.ifelse(expression, 0)


def _side(expression: Any, tables: list[Any]) -> int:
    """Return which of the tables an expression is over."""
    relations = expression.op().relations
    return next((place for place, table in enumerate(tables) if table.op() in relations), 0)


def _ask(scans: dict[tuple[str, str | None], _Scan], task: _Task, cut: str | None) -> None:
    """Add what a task needs to the scans of its facts."""

    def scan(place: int) -> _Scan:
        return scans.setdefault((task.kpi.facts[place], cut), _Scan(task.tables[place], cut))

    for name, expression in task.estimator.sums().items():
        place = _side(expression, task.tables)
        scan(place).sums[f"{task.name}_{name}"] = _masked(expression, task.matured[place])
    cluster, pair = getattr(task.estimator, "cluster", None), task.estimator.pair()
    if pair is None:
        return
    if cluster and len(task.tables) > 1:
        for part, expression in zip("yx", pair, strict=True):
            sums = scan(_side(expression, task.tables)).by_cluster.setdefault(cluster, {})
            sums[f"{task.name}_{part}"] = expression
    elif cluster:
        masked = tuple(_masked(expression, task.matured[0]) for expression in pair)
        scan(0).pairs.setdefault(cluster, {})[task.name] = masked
    elif getattr(task.estimator, "process", False):
        count = pair[0] if pair[0].type().is_boolean() else pair[1]
        scan(_side(count, task.tables)).pairs.setdefault("day", {})[task.name] = (count, count)


def _collected(scans: dict[Any, _Scan], task: _Task, cut: str | None, data: Data) -> pd.DataFrame:
    """Return a task's sums and moments, one row for each period and member there is."""
    found, moments = [], []
    for fact in task.kpi.facts:
        for kind, frame in scans[fact, cut].fetched.items():
            mine = frame[[column for column in frame.columns if column.startswith(f"{task.name}_")]]
            if len(mine.columns) and str(kind).startswith("by "):
                moments.append(mine)
            elif len(mine.columns):
                found.append(mine)
    if len(moments) == 2:
        found.append(_cross_moments(moments[0].join(moments[1], how="outer").fillna(0.0), task.name))
    sums = pd.concat(found, axis=1)
    sums.columns = sums.columns.str.removeprefix(f"{task.name}_")
    sums = _every_period(sums, data).fillna(0.0)
    if getattr(task.estimator, "process", False):
        sums["dispersion"] = _dispersion(sums, task.estimator)
    return sums


def _cross_moments(sums: pd.DataFrame, name: str) -> pd.DataFrame:
    y, x = sums[f"{name}_y"], sums[f"{name}_x"]
    parts = pd.DataFrame({"groups": (y != 0) | (x != 0), "yy": y * y, "xx": x * x, "xy": y * x}).astype("float64")
    return parts.add_prefix(f"{name}_").groupby(level=["period", "member"]).sum()


def _dispersion(sums: pd.DataFrame, estimator: Any) -> pd.Series:
    """Return the variance of the daily counts over their mean: 1 for a Poisson process."""
    count = sums["x"] if "total" not in estimator.denominator.sums() else sums["y"]
    days = sums["days"]
    variance = (sums["xx"] - count**2 / days) / (days - 1).clip(lower=1)
    return (variance / (count / days).where(count > 0)).fillna(1.0).clip(lower=1.0)


def _every_period(sums: pd.DataFrame, data: Data) -> pd.DataFrame:
    """Return the frame with a row for every member in every period, and what belongs to the period itself."""
    members = sums.index.get_level_values("member").unique()
    names = [str(period) for period in data.calendar.periods]
    index = pd.MultiIndex.from_product([names, members if len(members) else [NO_MEMBER]], names=["period", "member"])
    constants = data.calendar.constants
    return sums.reindex(index).join(constants, on="period")


def _waited(data: Data, tasks: list[_Task], cut: str | None, aimed: bool) -> dict[str, pd.DataFrame]:
    """Return by task what the product-limit sums of its waiting time are; one query for all tasks of a fact and cut."""
    parts = [_watched(data, task, cut) for task in tasks]
    rows = parts[0].union(*parts[1:]) if len(parts) > 1 else parts[0]
    member = [] if cut is None else ["member"]
    fetched = product_limit(rows, ["task", "period", *member], target=aimed).to_pandas()
    ends = {str(period): period.bounds(data.calendar.zone)[1] for period in data.calendar.periods}
    followed = {name: data.as_of >= end + timedelta(days=RESTRICTED_DAYS) for name, end in ends.items()}
    found = {}
    for task in tasks:
        mine = fetched[fetched["task"] == task.name].drop(columns="task")
        sums = _every_period(_Scan(task.tables[0], cut).indexed(mine.copy()), data)
        sums[["n", "events"]] = sums[["n", "events"]].fillna(0.0)
        sums["followed"] = sums.index.get_level_values("period").map(followed).to_numpy(bool)
        found[task.name] = sums
    return found


def _watched(data: Data, task: _Task, cut: str | None) -> Any:
    import ibis

    waiting, table = task.estimator, task.tables[0]
    assert isinstance(waiting, Waiting)
    parts = waiting.rows(data.as_of)
    counted = table.filter(_masked(parts["counted"], task.matured[0]))
    member = {} if cut is None else {"member": counted[cut].cast("string")}
    watched = {"seconds": parts["seconds"], "finished": parts["finished"]}
    return counted.select(task=ibis.literal(task.name), period=counted.period, **member, **watched)


def _rows(
    data: Data, task: _Task, cut: str | None, sums: pd.DataFrame, excluded: dict[str, dict[str, Any]]
) -> list[pd.DataFrame]:
    """Return the numbers of a task in one cut: its headline and its readings."""
    estimator, kpi, made = task.estimator, task.kpi, []
    if task.table_cut and "k" not in sums.columns:
        sums = sums.assign(k=sums["n"], n=sums.groupby("period")["n"].transform("sum"))
        estimator = Share(None)
    for reading in ("", *estimator.readings):  # type: ignore[attr-defined]
        unit = {"unit": kpi.unit} if isinstance(estimator, Waiting) else {}
        frame = estimator.estimate(sums, reading, **unit).reset_index()
        frame["kpi"], frame["cut"] = f"{kpi.address}.{reading}" if reading else kpi.address, cut
        frame["census"] = estimator.census or isinstance(getattr(estimator, "denominator", None), PerPeriod)
        if isinstance(estimator, Ratio) and (frame["method"] == "census").all():
            frame["census"] = True
        if cut is None:
            frame["member"] = None
            frame["excluded"] = [_reasons(excluded, task, period) for period in frame["period"]]
        made.append(frame)
    return made


def _excluded(data: Data, tasks: list[_Task]) -> dict[str, dict[str, Any]]:
    """Return by fact and period how many rows were left out, and why."""
    counted: dict[str, dict[str, Any]] = {}
    for fact in {fact for task in tasks for fact in task.kpi.facts}:
        table = data.fact(fact)
        if "excluded" not in table.columns:
            continue
        left_out = table.filter(table.excluded.notnull())
        rows = left_out.group_by("period", "excluded").aggregate(rows=left_out.count())
        counted[fact] = {
            period: dict(zip(part["excluded"], part["rows"].astype(int), strict=True))
            for period, part in rows.to_pandas().sort_values("excluded").groupby("period")
        }
    horizons = {(task.kpi.facts[0], task.kpi.horizon): task for task in tasks if task.kpi.horizon}
    for (fact, horizon), task in horizons.items():
        young = task.tables[0].filter(~task.matured[0])
        found = young.group_by("period").aggregate(rows=young.count()).to_pandas()
        counted[f"{fact} {horizon}"] = dict(zip(found["period"], found["rows"].astype(int), strict=True))
    return counted


def _reasons(excluded: dict[str, dict[str, Any]], task: _Task, period: str) -> str:
    reasons: dict[str, int] = {}
    for fact in task.kpi.facts:
        reasons |= excluded.get(fact, {}).get(period, {})
    if young := excluded.get(f"{task.kpi.facts[0]} {task.kpi.horizon}", {}).get(period):
        reasons["not yet observed long enough"] = young
    return json.dumps(reasons)


def _settled(frame: pd.DataFrame, data: Data, kpis: list[Kpi], first: dict[str, datetime | None]) -> pd.DataFrame:
    """Set the statuses that do not depend on the estimator: outside the data, and too few to say."""
    frame = frame.reindex(columns=["kpi", "period", "cut", "member", *COLUMNS, "excluded", "census", "estimate"])
    outside = pd.Series(False, index=frame.index)
    facts = {kpi.address: kpi.facts for kpi in kpis}
    for address, group in frame.groupby("kpi"):
        names = facts.get(str(address)) or facts.get(str(address).rpartition(".")[0], ())
        for period in data.calendar.periods:
            if _outside(names, period.bounds(data.calendar.zone), data, first):
                outside[group.index[group["period"] == str(period)]] = True
    outside &= frame["status"] != "not_available"
    frame.loc[outside, [column for column in COLUMNS if column not in ("method", "status")]] = np.nan
    frame.loc[outside, ["status", "method"]] = ["not_available", "outside the data"]
    frame.loc[outside, "estimate"] = None
    few = (frame["status"] == "ok") & (frame["n"] < SMALL_SAMPLE) & ~frame["census"].eq(True)
    frame.loc[few, "status"] = "small_sample"
    return frame.drop(columns="census")


def _outside(facts: tuple[str, ...], bounds: Any, data: Data, first: dict[str, datetime | None]) -> bool:
    """Whether a period lies before the data of one of the facts, or after the extract."""
    begins = []
    for fact in facts:
        dated = [first[table] for table in FACTS[fact].needs[0].split(" or ") if first.get(table) is not None]
        if not dated:
            return True
        begins.append(min(dated))  # type: ignore[type-var]
    return bounds[0] >= data.as_of or any(bounds[1] <= begin for begin in begins)

"""Evaluates declarations over facts: one scan of each fact for all of its KPIs in all cuts.

The result is a frame with one row a number: `kpi` (the address), `period`, `cut`, `member` and the columns of an
estimate, with the `slice` it is of. Comparing, judging and storing them is the scorecard's.
"""

from base64 import b32encode
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import reduce
from hashlib import sha256
from operator import or_
from typing import Any

import numpy as np
import pandas as pd

from kpi_lib.derive import Summaries, derived, summarised, unavailable
from kpi_lib.estimate import CENSUS, ByMember, Count, Estimator, Share
from kpi_lib.facts import FACTS, Data, NotAvailableError
from kpi_lib.facts.data import SLICE, TOTAL
from kpi_lib.intervals import COLUMNS
from kpi_lib.kpi import Kpi
from kpi_lib.language import NO_MEMBER
from kpi_lib.layout import SUMS, Fetched, Layout
from kpi_lib.scan import INDEX, Scan
from kpi_lib.waiting import RESTRICTED_DAYS, WEIGHTED, Waiting

SMALL_SAMPLE, OF_A_PERSON = 5, {"agent": 20}  # cases: fewer say nothing, of the members of a cut


@dataclass
class _Task:
    """One declaration with its estimator, over the scans of its facts; `asked` tells where its sums will be."""

    kpi: Kpi
    estimator: Estimator
    scans: list[Scan]
    cuts: list[str]
    by_member: bool
    asked: list[tuple[Scan, str, dict[str, str]]] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()

    def ask(self, data: Data) -> None:
        """Add what the estimator needs to the scans of the facts."""
        reasons = [_reasons_against(self.kpi, scan.table, data) for scan in self.scans]
        for reason, condition in reasons[0].items():
            self.left_out[reason] = self.scans[0].column(condition)
            self.scans[0].query(SUMS, []).columns[self.left_out[reason]] = None
        counted = [~reduce(or_, each.values()) if each else None for each in reasons]
        if isinstance(self.estimator, Waiting):
            parts = self.estimator.rows(data.as_of)
            seconds = _masked(parts["counted"], counted[0]).ifelse(parts["seconds"], None)
            weights = [self.estimator.weight] if self.estimator.kind == WEIGHTED else []
            self.scans[0].wait(self.kpi.address, self.cuts, self.estimator.kind, seconds, parts["finished"], *weights)
            return
        for name, expression in self.estimator.sums().items():
            place = self._side(expression)
            self._sum(self.scans[place], SUMS, {name: _masked(expression, counted[place])})
        cluster, pair = getattr(self.estimator, "cluster", None), self.estimator.pair()
        if pair is None:
            return
        if cluster and len(self.scans) > 1:
            for part, expression in zip("yx", pair, strict=True):
                self._sum(self.scans[self._side(expression)], f"by {cluster}", {part: expression}, cluster)
        elif cluster:
            self._moments(self.scans[0], cluster, [_masked(expression, counted[0]) for expression in pair])
        elif getattr(self.estimator, "process", False):
            count = pair[0] if pair[0].type().is_boolean() else pair[1]
            self._moments(self.scans[self._side(count)], "day", [count, count])

    def _sum(self, scan: Scan, kind: str, expressions: dict[str, Any], cluster: str = "") -> None:
        columns = {name: scan.column(expression) for name, expression in expressions.items()}
        scan.query(kind, self.cuts, cluster).columns |= dict.fromkeys(columns.values())
        self.asked.append((scan, kind, columns))

    def _moments(self, scan: Scan, cluster: str, pair: list[Any]) -> None:
        y, x = (scan.column(expression) for expression in pair)
        query = scan.query(cluster, self.cuts, cluster)
        query.columns |= {y: None, x: None}
        query.pairs[y, x] = None
        self.asked.append((scan, cluster, {part: f"{y}_{x}_{part}" for part in ("groups", "yy", "xx", "xy")}))

    def _side(self, expression: Any) -> int:
        """Return which of the facts an expression is over."""
        relations = expression.op().relations
        return next((place for place, scan in enumerate(self.scans) if scan.table.op() in relations), 0)

    def sums(self, counted: Fetched) -> tuple[pd.DataFrame, Layout]:
        """Return the sums and moments, or what is known of the waiting times, of every member in every period."""
        data, first = counted.data, self.scans[0]
        if isinstance(self.estimator, Waiting):
            layout, sums = counted.laid(first, self.cuts, [(self.kpi.address, None)])
            sums[["n", "events"]] = sums[["n", "events"]].fillna(0.0)
            ends = {str(period): period.bounds(data.calendar.zone)[1] for period in data.calendar.periods}
            followed = {name: data.as_of >= end + timedelta(days=RESTRICTED_DAYS) for name, end in ends.items()}
            return sums.assign(followed=np.resize(list(followed.values()), len(sums))), layout
        if len(self.scans) == 1:
            layout, sums = counted.laid(first, self.cuts, [(kind, columns) for _, kind, columns in self.asked])
        else:
            together = self._of_several(counted)
            layout = counted.layout(together.index, self.cuts)
            sums = layout.laid(together.to_numpy(), list(together))
        sums = sums.fillna(0.0)
        if getattr(self.estimator, "process", False):
            sums["dispersion"] = _dispersion(sums, self.estimator)
        return sums, layout

    def _of_several(self, counted: Fetched) -> pd.DataFrame:
        """Return the sums of two facts beside each other, and the moments of clusters that both have."""
        found: list[pd.DataFrame] = []
        by_cluster: list[pd.DataFrame] = []
        for scan, kind, columns in self.asked:
            frame = counted.of(scan, kind, self.cuts)[list(columns.values())].astype("float64")
            (by_cluster if "cluster" in frame.index.names else found).append(frame.set_axis(list(columns), axis=1))
        if by_cluster:
            found.append(_cross_moments(by_cluster[0].join(by_cluster[1], how="outer").fillna(0.0)))
        return _with_something(pd.concat(found, axis=1))


@dataclass(frozen=True)
class Counted:
    """What the engine has added up of some declarations, of all slices at once."""

    kpis: list[Kpi]
    first: dict[str, datetime | None]
    cuts: bool
    tasks: list[_Task]
    missing: dict[str, str]  # why an address is not available
    summaries: Summaries
    curves: dict[str, Any]

    def numbers(self, data: Data) -> pd.DataFrame:
        """Compute the numbers of the data's slices, some or all of those that were counted."""
        rows = [unavailable(data, name, why) for name, why in self.missing.items()]
        counted = Fetched(data)
        for task in self.tasks:
            rows += _rows(task, *task.sums(counted), counted)
        rows += self.summaries.modelled(data)
        needs = {kpi.address: _needs(kpi) for kpi in self.kpis} | {task.kpi.address: task.needs for task in self.tasks}
        frame = _settled(pd.concat(rows, ignore_index=True), data, needs, self.first)
        frame = pd.concat([frame, derived(frame, [kpi for kpi in self.kpis if kpi.of], data)], ignore_index=True)
        tables = {kpi.address for kpi in self.kpis if kpi.table_cut}
        asked_for = self.cuts | frame["cut"].isna() | frame["kpi"].isin(tables)
        frame = frame[asked_for].drop(columns="estimate").reset_index(drop=True)
        return frame.astype(dict.fromkeys([SLICE, "kpi", "period", "cut", "member"], "category"))


def count(
    data: Data, kpis: Iterable[Kpi], first: dict[str, datetime | None], *, cuts: bool = True, curves: bool = False
) -> Counted:
    """Ask the engine for all that the numbers of `kpis` are made from, over the periods of the data's calendar.

    `first` is the first event of each table; periods that end before it are `not_available`, as is what needs a table
    that is not there. With `cuts=False` only totals and the members of table KPIs. With `curves` also the survival
    curves of waiting times, by slice, KPI and period.
    """
    kpis = list(kpis)
    scans: dict[str, Scan] = {}
    wanted = {kpi.address: list(kpi.cuts) if cuts else [] for kpi in kpis}
    for kpi in kpis:
        if kpi.table and not cuts:
            wanted |= {parent: [kpi.table] for parent in kpi.of}
    tasks, missing = _tasks(data, [kpi for kpi in kpis if not (kpi.model or kpi.of)], scans, wanted)
    drawn: dict[str, Any] = {}
    for task in tasks:
        task.ask(data)
        if curves and (name := _curve_of(task)):
            task.scans[0].curved[task.kpi.address] = name
    for scan in scans.values():
        scan.run()
        for apart, curve in scan.curves.items():
            drawn.setdefault(apart, {}).update(curve)
    summaries = summarised(data, [kpi for kpi in kpis if kpi.model], cuts=cuts)
    return Counted(kpis, first, cuts, tasks, missing, summaries, drawn)


def _tasks(
    data: Data, kpis: list[Kpi], scans: dict[str, Scan], wanted: dict[str, list[str]]
) -> tuple[list[_Task], dict[str, str]]:
    tasks: list[_Task] = []
    missing: dict[str, str] = {}
    for kpi in kpis:
        try:
            over = [scans.get(name) or Scan(data, data.fact_of_slices(name)) for name in kpi.facts]
            facts = [FACTS[name].row(scan.table) for name, scan in zip(kpi.facts, over, strict=True)]
            made = kpi.function(*facts, **kpi.given(data.params))
        except NotAvailableError as error:
            names = [kpi.address, *(f"{kpi.address}.{reading}" for reading in kpi.readings)]
            missing |= dict.fromkeys(names, str(error))
            continue
        scans |= dict(zip(kpi.facts, over, strict=True))
        needs = (*_needs(kpi), *(table for fact in facts for table in sorted(fact.used)))
        shared = [cut for cut in wanted[kpi.address] if all(cut in scan.table.columns for scan in over)]
        if isinstance(made, ByMember):
            tasks.append(_Task(kpi, made.estimator, over, [made.cut], True, needs=needs))
        else:
            tasks.append(_Task(kpi, made, over, [TOTAL, *shared], False, needs=needs))
    return tasks, missing


def _curve_of(task: _Task) -> str:
    """Return the KPI whose survival curve a waiting time draws: its own, or of a median the headline's; "" for none."""
    headline, _, reading = task.kpi.address.partition(".")
    plain = isinstance(task.estimator, Waiting) and not task.estimator.kind and not task.by_member
    return headline if plain and task.kpi.better == "lower" and reading in ("", "median") else ""


def _reasons_against(kpi: Kpi, table: Any, data: Data) -> dict[str, Any]:
    """Return the conditions under which a KPI leaves a row out: not observed for its horizon, or of nobody known."""
    reasons = {}
    if kpi.horizon:
        seen = int(data.as_of.timestamp()) - int(data.params.get(kpi.horizon)) * 86400
        reasons["not yet observed long enough"] = table.at_seconds > seen
    if kpi.known:
        reasons[f"unknown {kpi.known.removesuffix('_id')}"] = table[kpi.known].isnull()
    return reasons


def _masked(expression: Any, mask: Any) -> Any:
    if mask is None:
        return expression
    return expression & mask if expression.type().is_boolean() else mask.ifelse(expression, 0)


def _cross_moments(sums: pd.DataFrame) -> pd.DataFrame:
    y, x = sums["y"], sums["x"]
    parts = pd.DataFrame({"groups": (y != 0) | (x != 0), "yy": y * y, "xx": x * x, "xy": y * x}).astype("float64")
    return parts.groupby(level=INDEX).sum()


def _dispersion(sums: pd.DataFrame, estimator: Any) -> pd.Series:
    """Return the variance of the daily counts over their mean: 1 for a Poisson process."""
    count = sums["x"] if "total" not in estimator.denominator.sums() else sums["y"]
    days = sums["days"]
    variance = (sums["xx"] - count**2 / days) / (days - 1).clip(lower=1)
    return (variance / (count / days).where(count > 0)).fillna(1.0).clip(lower=1.0)


def _with_something(sums: pd.DataFrame) -> pd.DataFrame:
    """Return the sums of two facts without members of which neither counts anything: channels of other KPIs' costs."""
    counted = sums.ne(0) & sums.notna()
    members = [sums.index.get_level_values(name) for name in (SLICE, "cut", "member")]
    return sums[counted.any(axis=1).groupby(members).transform("any")]


def _rows(task: _Task, sums: pd.DataFrame, layout: Layout, counted: Fetched) -> list[pd.DataFrame]:
    """Return the numbers of a task: its headline and its readings, in all cuts."""
    estimator, kpi, made = task.estimator, task.kpi, []
    if task.by_member and isinstance(estimator, Count):
        sums = sums.assign(k=sums["n"], n=layout.over_members(sums["n"]))
        estimator = Share(None)
    keys = layout.keys | {"excluded": layout.beside_totals(counted.reasons(task.scans, task.left_out))}
    for reading in ("", *estimator.readings):  # type: ignore[attr-defined]
        unit = {"unit": kpi.unit} if isinstance(estimator, Waiting) else {}
        frame = estimator.estimate(sums, reading, **unit)
        address = f"{kpi.address}.{reading}" if reading else kpi.address
        census = estimator.interval == CENSUS
        said = keys | {"kpi": np.full(len(sums), address, object), "census": np.full(len(sums), census)}
        columns = {name: pd.Series(given, dtype=given.dtype) for name, given in said.items()}
        made.append(pd.concat([pd.DataFrame(columns), frame], axis=1))
    return made


def _needs(kpi: Kpi) -> tuple[str, ...]:
    return tuple(need for fact in kpi.facts for need in FACTS[fact].needs)


def _settled(
    frame: pd.DataFrame, data: Data, needs: dict[str, tuple[str, ...]], first: dict[str, datetime | None]
) -> pd.DataFrame:
    """Set the statuses that do not depend on the estimator: outside the data, and too few to say."""
    frame = frame.reindex(columns=[SLICE, "kpi", "period", "cut", "member", *COLUMNS, "excluded", "census", "estimate"])
    outside = {
        (address, str(period))
        for address in frame["kpi"].unique()
        for period in data.calendar.periods
        if _outside(
            needs.get(address) or needs.get(address.rpartition(".")[0], ()),
            period.bounds(data.calendar.zone),
            data,
            first,
        )
    }
    gone = pd.MultiIndex.from_frame(frame[["kpi", "period"]]).isin(outside) & (frame["status"] != "not_available")
    frame.loc[gone, [column for column in COLUMNS if column not in ("method", "status")]] = np.nan
    frame.loc[gone, ["status", "method"]] = ["not_available", "outside the data"]
    frame.loc[gone, "estimate"] = None
    enough = frame["cut"].map(OF_A_PERSON).astype("float64").fillna(SMALL_SAMPLE)
    few = (frame["status"] == "ok") & (frame["n"] < enough) & ~frame["census"].eq(True)
    frame.loc[few, "status"] = "small_sample"
    frame["member"] = _without_names(frame["member"], frame["cut"] == "agent", data.params.company)
    return frame.drop(columns="census")


def _without_names(members: pd.Series, of_agents: pd.Series, company: str) -> pd.Series:
    """Return members with a pseudonym for each agent: the same in every month, and of two never the same."""
    agents = sorted(set(members[of_agents].dropna()) - {NO_MEMBER})
    hashes = {agent: b32encode(sha256(f"{company}|{agent}".encode()).digest()).decode() for agent in agents}
    length = next(size for size in range(6, 52) if len({each[:size] for each in hashes.values()}) == len(agents))
    named = members[of_agents].map(lambda agent: f"Agent {hashes[agent][:length]}" if agent in hashes else agent)
    return members.where(~of_agents, named)


def _outside(needs: tuple[str, ...], bounds: Any, data: Data, first: dict[str, datetime | None]) -> bool:
    """Whether a period ends before one of the needed tables begins, or starts after the extract."""
    begins = []
    for need in needs:
        dated = [begin for table in need.split(" or ") if (begin := first.get(table)) is not None]
        if not dated:
            return True
        begins.append(min(dated))
    return bounds[0] >= data.as_of or any(bounds[1] <= begin for begin in begins)

"""KPIs that are computed from others, and models: both work on estimates that carry draws."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise, product
from typing import Any

import numpy as np
import pandas as pd

from kpi_lib.facts import FACTS, Data, NotAvailableError
from kpi_lib.facts.data import SLICE, TOTAL, fetched
from kpi_lib.intervals import COLUMNS
from kpi_lib.kpi import Kpi
from kpi_lib.language import NO_MEMBER
from kpi_lib.lifetime import DRAWS, Estimate, from_limits

KEYS = [SLICE, "cut", "period", "member"]
WORSE = ("not_available", "not_estimable", "undefined", "small_sample", "ok")


@dataclass(frozen=True)
class Summaries:
    """The small frames that models are given, of all slices at once, by fact."""

    known: list[tuple[Kpi, list[str]]]  # with the cuts that are asked for
    missing: dict[str, str]
    frames: dict[str, pd.DataFrame]

    def modelled(self, data: Data) -> list[pd.DataFrame]:
        """Compute the model KPIs of the data's slices, for each period and member."""
        rows = [unavailable(data, name, why) for name, why in self.missing.items()]
        frames = {name: frame[frame[SLICE].isin(data.apart)] for name, frame in self.frames.items()}
        by_period = {name for kpi, _ in self.known if not kpi.table for name in kpi.facts}
        parts = {name: _parts(frames[name], KEYS) for name in by_period}
        tables = {name: _parts(frames[name], KEYS[:2]) for kpi, _ in self.known if kpi.table for name in kpi.facts}
        given: dict[tuple[Any, ...], list[pd.DataFrame]] = {}
        for kpi, asked in self.known:
            if kpi.table:
                for apart in data.apart:
                    key = apart, kpi.facts, kpi.table
                    if key not in given:
                        found = [tables[name].get((apart, kpi.table), frames[name].iloc[:0]) for name in kpi.facts]
                        given[key] = _given(data, found)
                    rows.append(_of_members(data, kpi, given[key]).assign(slice=apart))
                continue
            groups = [(parts[name], frames[name].iloc[:0]) for name in kpi.facts]
            by_slice = data.slices.cut if data.slices else None
            for apart in data.apart:
                made = {cut: list(_of_model(data, kpi, groups, apart, cut)) for cut in asked if cut != by_slice}
                if by_slice in asked:  # its one member there is the slice itself
                    made[by_slice] = [row | {"cut": by_slice, "member": apart} for row in made[TOTAL]]
                rows.append(pd.DataFrame([row for of_cut in made.values() for row in of_cut]))
        return rows


def _parts(frame: pd.DataFrame, keys: list[str]) -> dict[tuple[str, ...], pd.DataFrame]:
    """Return the rows of a sorted frame by the values of its first columns."""
    codes = np.stack([frame[name].cat.codes.to_numpy() for name in keys])
    starts = np.flatnonzero((codes[:, 1:] != codes[:, :-1]).any(axis=0)) + 1
    ends = [0, *starts.tolist(), len(frame)] if len(frame) else []
    first = frame[keys].iloc[ends[:-1]].astype(object)
    return {
        key: frame.iloc[start:end]
        for key, (start, end) in zip(first.itertuples(index=False, name=None), pairwise(ends), strict=True)
    }


def summarised(data: Data, kpis: list[Kpi], *, cuts: bool) -> Summaries:
    """Fetch what the model KPIs are given: one small frame a fact, by slice, cut, period and member."""
    known: list[tuple[Kpi, list[str]]] = []
    missing: dict[str, str] = {}
    wanted: dict[str, dict[str, None]] = {}
    for kpi in kpis:
        try:
            tables = [data.fact_of_slices(name) for name in kpi.facts]
        except NotAvailableError as error:
            missing[kpi.address] = str(error)
            continue
        shared = [cut for cut in kpi.cuts if cuts and all(cut in table.columns for table in tables)]
        asked = [kpi.table] if kpi.table else [TOTAL, *shared]
        known.append((kpi, asked))
        of_itself = {data.slices.cut} if data.slices else set()  # whose one member is the slice as a whole
        for name in kpi.facts:
            wanted.setdefault(name, {}).update(dict.fromkeys(cut for cut in asked if cut not in of_itself))
    return Summaries(known, missing, {name: _summary(data, name, list(asked)) for name, asked in wanted.items()})


def unavailable(data: Data, address: str, why: str) -> pd.DataFrame:
    """Return the rows of a KPI whose tables are not there."""
    keys = [(apart, str(period)) for apart in data.apart for period in data.calendar.periods]
    return pd.DataFrame(keys, columns=[SLICE, "period"]).assign(kpi=address, status="not_available", method=why)


def _of_model(
    data: Data, kpi: Kpi, groups: list[tuple[Any, pd.DataFrame]], apart: str, cut: str
) -> Iterator[dict[str, Any]]:
    known = {member for of, by, _, member in groups[0][0] if (of, by) == (apart, cut)}
    members = [NO_MEMBER] if cut == TOTAL else sorted(known)
    named, settings = {"kpi": kpi.address, "slice": apart, "cut": cut or None}, kpi.given(data.params)
    for period, name in [(period, str(period)) for period in data.calendar.periods]:
        for member in members:
            given = [parts.get((apart, cut, name, member), nothing) for parts, nothing in groups]
            for part in given:
                part.attrs["months"] = period.months
            estimate = kpi.function(*given, **settings) if len(given[0]) else Estimate(math.nan, n=0)
            yield named | {"period": name, "member": member if cut else None} | _as_row(estimate)


def _given(data: Data, frames: list[pd.DataFrame]) -> list[pd.DataFrame]:
    """Return what table models are given of a slice: all periods and members at once."""
    given = [frame.drop(columns=["cut", SLICE]).reset_index(drop=True) for frame in frames]
    given = [frame.astype(dict.fromkeys(["period", "member"], object)) for frame in given]
    ends = {str(period): period.bounds(data.calendar.zone)[1] for period in data.calendar.periods}
    for frame in given:
        frame.attrs["periods"] = list(ends)
        frame.attrs["complete"] = {name: data.as_of >= end for name, end in ends.items()}
    return given


def _of_members(data: Data, kpi: Kpi, given: list[pd.DataFrame]) -> pd.DataFrame:
    """Return the rows of a table model."""
    try:
        made = kpi.function(*given, **kpi.given(data.params))
    except NotAvailableError as error:
        return unavailable(data, kpi.address, str(error))
    value = made["value"].astype("float64")
    known = {"status": np.where(value.isna(), "undefined", "ok"), "method": "model"} | {
        name: made[name] for name in made.columns
    }
    made = made.assign(**known, kpi=kpi.address, cut=kpi.table)
    told = set(made["period"])
    without = [str(period) for period in data.calendar.periods if str(period) not in told]
    if not without:
        return made
    nothing = pd.DataFrame({"period": without}).assign(
        kpi=kpi.address, status="undefined", method="nothing to tell apart"
    )
    return pd.concat([made, nothing], ignore_index=True)


def _summary(data: Data, name: str, cuts: list[str]) -> pd.DataFrame:
    """Fetch the small frame of a fact, by cut, period and member."""
    rows, summary = data.fact(name), FACTS[name].summary
    if summary is None:
        raise NotImplementedError(f"fact {name!r} has no summary for a model")
    rows = rows.filter(rows.excluded.isnull()) if "excluded" in rows.columns else rows
    frame = fetched(summary(data.stacked(data.sliced(rows), cuts), data.keys), cuts)
    frame = frame.astype(dict.fromkeys(KEYS, "category"))
    return frame.sort_values(list(frame.columns)).reset_index(drop=True)


def derived(frame: pd.DataFrame, kpis: list[Kpi], data: Data) -> pd.DataFrame:
    """Compute the KPIs that are functions of others, each after those it is derived from."""
    lengths = data.calendar.constants[["months", "days"]].to_dict("index")
    known: dict[str, dict[tuple[Any, ...], dict[str, Any]]] = {}
    wanted = {name for kpi in kpis for name in kpi.of}
    cuts = {cut for kpi in kpis for cut in (*kpi.cuts, kpi.table)}
    given = frame[frame["kpi"].isin(wanted) & (frame["cut"].isna() | frame["cut"].isin(cuts))]
    columns = {name: given[name].tolist() for name in given}
    for values in zip(*columns.values(), strict=True):
        row = dict(zip(columns, values, strict=True))
        known.setdefault(row["kpi"], {})[_key(row)] = row
    rows: list[dict[str, Any]] = []
    waiting = list(kpis)
    while waiting:
        ready = [kpi for kpi in waiting if not any(parent in (other.address for other in waiting) for parent in kpi.of)]
        for kpi in ready:
            parents = [known.get(parent, {}) for parent in kpi.of]
            of_kind = _table_of if kpi.table else _of_parents
            made = of_kind(kpi, parents, data, lengths)
            known[kpi.address] = {_key(row): row for row in made}
            rows += made
        waiting = [kpi for kpi in waiting if kpi not in ready]
    return pd.DataFrame(rows, columns=[*frame.columns]) if rows else frame.iloc[:0]


def _of_parents(
    kpi: Kpi, parents: list[dict[Any, dict[str, Any]]], data: Data, lengths: dict[Any, Any]
) -> list[dict[str, Any]]:
    chosen = data.params.get(kpi.choose) if kpi.choose else None
    made = []
    keys = sorted({key for parent in parents for key in parent}, key=str)
    for key in keys:
        apart, period, cut, member = key
        if cut is not None and (
            cut not in kpi.cuts or (chosen is None and not all(key in parent for parent in parents))
        ):
            continue
        given = [parent.get(key, {"status": "not_available"}) for parent in parents]
        counted = [
            row for name, row in zip(kpi.of, given, strict=True) if chosen is None or name.endswith(f".{chosen}")
        ]
        status = min((row["status"] for row in counted), key=WORSE.index)
        named = {"slice": apart, "kpi": kpi.address, "period": period, "cut": cut, "member": member}
        row = named | {"excluded": None}
        if status in ("ok", "small_sample"):
            made.append(row | _judged(_combined(kpi, given, lengths[period], data), status))
        else:
            why = next((part.get("method") for part in counted if part["status"] == status), "")
            made.append(row | {"status": status, "method": why, "estimate": None})
    return made


@dataclass(frozen=True)
class Part:
    """A member's number beside the number of all, as a derived table KPI sees it."""

    row: dict[str, Any]
    total: dict[str, Any]

    @property
    def clearly(self) -> int:
        """1 or -1 where the member's interval lies above or below the number of all; else 0."""
        low, high, value = self.row.get("low"), self.row.get("high"), self.total.get("value")
        if low is None or high is None or value is None or self.row["status"] != "ok":
            return 0
        return int(low > value) - int(high < value)


def _table_of(
    kpi: Kpi, parents: list[dict[Any, dict[str, Any]]], data: Data, lengths: dict[Any, Any]
) -> list[dict[str, Any]]:
    """Return the rows of a derived table KPI: its function is given a Part of each parent, or None."""
    there = (key for parent in parents for key, row in parent.items() if row.get("n", 0) > 0)
    keys = sorted({key for key in there if key[2] == kpi.table}, key=str)
    without = {"kpi": kpi.address, "status": "not_available", "method": f"nothing is known by {kpi.table}"}
    nowhere = set(product(data.apart, lengths)) - {key[:2] for key in keys}
    made = [without | {"slice": apart, "period": period} for apart, period in sorted(nowhere)]
    for key in keys:
        apart, period, cut, member = key
        parts = [
            Part(parent[key], parent.get((apart, period, None, None), {})) if key in parent else None
            for parent in parents
        ]
        named = {"slice": apart, "kpi": kpi.address, "period": period, "cut": cut, "member": member, "excluded": None}
        made.append(dict.fromkeys(COLUMNS, math.nan) | kpi.function(*parts) | named | {"estimate": None})
    return made


def _combined(kpi: Kpi, rows: list[dict[str, Any]], length: dict[str, Any], data: Data) -> Estimate:
    estimates = [_estimate(row, length) for row in rows]
    result = kpi.function(*estimates, **kpi.given(data.params))
    if len(rows) == 1 and rows[0].get("low") == rows[0].get("low") and rows[0].get("low") is not None:
        ends = [
            kpi.function(Estimate(rows[0][end], **length), **kpi.given(data.params)).value for end in ("low", "high")
        ]
        draws = np.repeat(sorted(ends), DRAWS // 2)  # of two points, so that these ends are its limits
        return Estimate(result.value, draws, result.n, estimates[0].method)
    return result


def _estimate(row: dict[str, Any], length: dict[str, int]) -> Estimate:
    if isinstance(row.get("estimate"), Estimate):
        return replace(row["estimate"], **length)
    value, low, high = (row.get(name, math.nan) for name in ("value", "low", "high"))
    known = {"n": row.get("n", math.nan), "method": row.get("method") or ""} | length
    return from_limits(str(row.get("kpi")), *(math.nan if x is None else x for x in (value, low, high)), **known)


def _judged(estimate: Estimate, status: str) -> dict[str, Any]:
    row = _as_row(estimate)
    return row | ({"status": status} if row["status"] == "ok" else {})


def _as_row(estimate: Estimate) -> dict[str, Any]:
    low, high = estimate.limits()
    missing = math.isnan(estimate.value)
    status = estimate.missing if missing else "ok"
    method = estimate.method or "derived"
    known = {"value": estimate.value, "n": estimate.n, "low": low, "high": high, "method": method, "status": status}
    return dict.fromkeys(COLUMNS, math.nan) | known | {"estimate": None if missing else estimate, "excluded": None}


def _key(row: dict[str, Any]) -> tuple[Any, ...]:
    parts = (row.get(name) for name in ("cut", "member"))
    return (row[SLICE], row["period"], *(None if part is None or part != part else part for part in parts))

"""KPIs that are computed from others, and models: both work on estimates that carry draws."""

import math
from typing import Any

import numpy as np
import pandas as pd

from kpi_lib.facts import FACTS, Data, NotAvailableError
from kpi_lib.intervals import COLUMNS
from kpi_lib.kpi import Kpi
from kpi_lib.lifetime import Estimate, from_limits

WORSE = ("not_available", "not_estimable", "undefined", "small_sample", "ok")


def modelled(data: Data, kpis: list[Kpi], *, cuts: bool) -> list[pd.DataFrame]:
    """Compute the model KPIs: each is given one small frame a fact, for each period and member."""
    rows = []
    for kpi in kpis:
        try:
            tables = [data.fact(name) for name in kpi.facts]
        except NotAvailableError as error:
            names = [str(period) for period in data.calendar.periods]
            rows.append(
                pd.DataFrame({"kpi": kpi.address, "period": names, "status": "not_available", "method": str(error)})
            )
            continue
        shared = [cut for cut in kpi.cuts if all(cut in table.columns for table in tables)] if cuts else []
        for cut in (None, *shared):
            rows.append(_of_model(data, kpi, tables, cut))
    return rows


def _of_model(data: Data, kpi: Kpi, tables: list[Any], cut: str | None) -> pd.DataFrame:
    frames = [_summary(name, table, cut) for name, table in zip(kpi.facts, tables, strict=True)]
    keys = ["period"] if cut is None else ["period", "member"]
    parts = [dict(list(frame.groupby(keys))) for frame in frames]
    members = [None] if cut is None else sorted(set(frames[0]["member"]))
    made = []
    for period in data.calendar.periods:
        for member in members:
            key = (str(period),) if cut is None else (str(period), member)
            given = [groups.get(key, frame.iloc[:0]) for groups, frame in zip(parts, frames, strict=True)]
            for part in given:
                part.attrs["months"] = period.months
            estimate = kpi.function(*given, **kpi.given(data.params)) if len(given[0]) else Estimate(math.nan, n=0)
            made.append({"kpi": kpi.address, "period": str(period), "cut": cut, "member": member} | _as_row(estimate))
    return pd.DataFrame(made)


def _summary(name: str, table: Any, cut: str | None) -> pd.DataFrame:
    """Fetch the small frame of a fact; a fact without a summary of its own is summed by its cost center."""
    rows = table.filter(table.excluded.isnull()) if "excluded" in table.columns else table
    keys = ["period"] if cut is None else ["period", "member"]
    if cut is not None:
        rows = rows.mutate(member=rows[cut].cast("string").fill_null("(none)"))
    summary = FACTS[name].summary
    if summary is None:
        raise NotImplementedError(f"fact {name!r} has no summary for a model")
    frame = summary(rows, keys).to_pandas()
    return frame.sort_values(list(frame.columns)).reset_index(drop=True)


def derived(frame: pd.DataFrame, kpis: list[Kpi], data: Data) -> pd.DataFrame:
    """Compute the KPIs that are functions of others, each after those it is derived from."""
    months = {str(period): period.months for period in data.calendar.periods}
    known: dict[str, dict[tuple[Any, ...], dict[str, Any]]] = {}
    wanted = {name for kpi in kpis for name in kpi.of}
    for row in frame[frame["kpi"].isin(wanted)].to_dict("records"):
        known.setdefault(row["kpi"], {})[_key(row)] = row
    rows: list[dict[str, Any]] = []
    waiting = list(kpis)
    while waiting:
        ready = [kpi for kpi in waiting if not any(parent in (other.address for other in waiting) for parent in kpi.of)]
        for kpi in ready:
            made = _of_parents(kpi, [known.get(parent, {}) for parent in kpi.of], data, months)
            known[kpi.address] = {_key(row): row for row in made}
            rows += made
        waiting = [kpi for kpi in waiting if kpi not in ready]
    return pd.DataFrame(rows, columns=[*frame.columns]) if rows else frame.iloc[:0]


def _of_parents(
    kpi: Kpi, parents: list[dict[Any, dict[str, Any]]], data: Data, months: dict[str, int]
) -> list[dict[str, Any]]:
    chosen = data.params.customer_value.model if kpi.address == "clv" else None
    made = []
    keys = sorted({key for parent in parents for key in parent}, key=str)
    for key in keys:
        period, cut, member = key
        if cut is not None and (
            cut not in kpi.cuts or (chosen is None and not all(key in parent for parent in parents))
        ):
            continue
        given = [parent.get(key, {"status": "not_available"}) for parent in parents]
        counted = [
            row for name, row in zip(kpi.of, given, strict=True) if chosen is None or name.endswith(f".{chosen}")
        ]
        status = min((row["status"] for row in counted), key=WORSE.index)
        row = {"kpi": kpi.address, "period": period, "cut": cut, "member": member, "excluded": None}
        if status in ("ok", "small_sample"):
            made.append(row | _judged(_combined(kpi, given, months[period], data), status))
        else:
            why = next((part.get("method") for part in counted if part["status"] == status), "")
            made.append(row | {"status": status, "method": why, "estimate": None})
    return made


def _combined(kpi: Kpi, rows: list[dict[str, Any]], months: int, data: Data) -> Estimate:
    estimates = [_estimate(row, months) for row in rows]
    result = kpi.function(*estimates, **kpi.given(data.params))
    if len(rows) == 1 and rows[0].get("low") == rows[0].get("low") and rows[0].get("low") is not None:
        ends = [
            kpi.function(Estimate(rows[0][end], months=months), **kpi.given(data.params)).value
            for end in ("low", "high")
        ]
        return Estimate(result.value, np.repeat(sorted(ends), 1000), result.n, estimates[0].method)
    return result


def _estimate(row: dict[str, Any], months: int) -> Estimate:
    if isinstance(row.get("estimate"), Estimate):
        return row["estimate"]
    value, low, high = (row.get(name, math.nan) for name in ("value", "low", "high"))
    known = {"n": row.get("n", math.nan), "method": row.get("method") or "", "months": months}
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
    return (
        row["period"],
        *(None if row[name] is None or row[name] != row[name] else row[name] for name in ("cut", "member")),
    )

"""Whether the tables reach the end of a period, by the source's own limits or by how often they usually have rows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from kpi_lib.contract import PLANNED
from kpi_lib.params import Freshness
from kpi_lib.period import parse_instant

PATIENCE, LEAST = timedelta(days=4), 2  # rows to tell a table's usual pace by


@dataclass(frozen=True)
class Reach:
    """How far a table reaches: `days` before the period's end, and whether that is too early."""

    table: str
    said: str
    level: Literal["", "warning", "error"] = ""
    days: int = 0


def reaches(
    tables: Iterable[Mapping[str, Any]], end: datetime, as_of: datetime, limits: Mapping[str, Freshness]
) -> list[Reach]:
    """Return how far each table reaches, from what a source or scorecard says about its tables.

    With limits of its own a table may end so many hours before the period. Without, its silence is too long when it is
    ten times the usual one, and at least four days. When the period is not over in the extract, no table reaches it.
    """
    return [_reach(table, end, as_of, limits.get(table["table"])) for table in tables]


def _reach(table: Mapping[str, Any], end: datetime, as_of: datetime, limit: Freshness | None) -> Reach:
    name = table["table"]
    if name in PLANNED:
        return Reach(name, "planned ahead")
    if not table["last"] or (table["rows"] < LEAST and not limit):
        return Reach(name, "has no rows", "error") if limit else Reach(name, "too few rows to tell")
    first, last = parse_instant(table["first"]), parse_instant(table["last"])
    days = max((end - last).days, 1)
    level: Literal["", "warning", "error"] = "error" if as_of < end else _level(end - last, limit)
    if not limit and end - last > max(PATIENCE, 10 * (last - first) / table["rows"]):
        level = "error"
    if not level:
        return Reach(name, "reaches its end")
    return Reach(name, f"{'ENDS' if level == 'error' else 'ends'} {days} days before", level, days)


def _level(gap: timedelta, limit: Freshness | None) -> Literal["", "warning", "error"]:
    hours = gap / timedelta(hours=1)
    if limit and limit.error_after_hours is not None and hours > limit.error_after_hours:
        return "error"
    return "warning" if limit and limit.warn_after_hours is not None and hours > limit.warn_after_hours else ""

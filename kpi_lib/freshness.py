"""Whether the tables reach the end of a period, by the source's own limits or by how often they usually have rows."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from kpi_lib.contract import PLANNED
from kpi_lib.language import MEMBERS
from kpi_lib.params import Freshness, Params, load_source
from kpi_lib.period import Period, parse_instant

PATIENCE = timedelta(days=4)  # a long weekend, of a company that has not said when its desk is open
LEAST = 2  # rows to tell a table's usual pace by


@dataclass(frozen=True)
class Reach:
    """How far a table reaches: `days` before the period's end, and whether that is too early."""

    table: str
    said: str
    level: Literal["", "warning", "error"] = ""
    days: int = 0


def patience(params: Params, period: Period) -> timedelta:
    """Return how long before the end of a period a busy table may end: its last row is of the last working day."""
    if not params.has_hours:
        return PATIENCE
    off: Container[date] = ()
    if params.hours.holidays:
        import holidays

        off = holidays.country_holidays(params.hours.holidays, years=period.last_day.year)
    days = (period.last_day - timedelta(days=number) for number in range((period.last_day - period.first_day).days))
    worked = (day for day in days if MEMBERS["weekday"][day.weekday()] in params.hours.days and day not in off)
    last = next(worked, period.last_day)
    return period.bounds(params.time_zone)[1] - datetime.combine(last, time(), ZoneInfo(params.time_zone))


def of_period(tables: Iterable[Mapping[str, Any]], as_of: datetime, params: Params, period: Period) -> list[Reach]:
    """Return how far each table reaches towards the end of a period, by the limits of the company's own source."""
    end, limits = period.bounds(params.time_zone)[1], load_source(params.source).freshness
    return reaches(tables, end, as_of, limits, patience(params, period))


def reaches(
    tables: Iterable[Mapping[str, Any]],
    end: datetime,
    as_of: datetime,
    limits: Mapping[str, Freshness],
    patience: timedelta = PATIENCE,
) -> list[Reach]:
    """Return how far each table reaches, from what a source or scorecard says about its tables.

    With limits of its own a table may end so many hours before the period. Without, its silence is too long when it is
    ten times the usual one and longer than `patience`. When the period is not over in the extract, no table reaches it.
    """
    return [_reach(table, end, as_of, limits.get(table["table"]), patience) for table in tables]


def _reach(
    table: Mapping[str, Any], end: datetime, as_of: datetime, limit: Freshness | None, patience: timedelta
) -> Reach:
    name = table["table"]
    if name in PLANNED:
        return Reach(name, "planned ahead")
    if not table["last"] or (table["rows"] < LEAST and not limit):
        return Reach(name, "has no rows", "error") if limit else Reach(name, "too few rows to tell")
    first, last = parse_instant(table["first"]), parse_instant(table["last"])
    days = max((end - last).days, 1)
    level: Literal["", "warning", "error"] = "error" if as_of < end else _level(end - last, limit)
    if not limit and end - last > max(patience, 10 * (last - first) / table["rows"]):
        level = "error"
    if not level:
        return Reach(name, "reaches its end")
    return Reach(name, f"{'ENDS' if level == 'error' else 'ends'} {days} days before", level, days)


def _level(gap: timedelta, limit: Freshness | None) -> Literal["", "warning", "error"]:
    hours = gap / timedelta(hours=1)
    if limit and limit.error_after_hours is not None and hours > limit.error_after_hours:
        return "error"
    return "warning" if limit and limit.warn_after_hours is not None and hours > limit.warn_after_hours else ""

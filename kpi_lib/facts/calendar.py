"""The only place that knows the time zone: periods, days, weekdays and hours as bounds on whole seconds of UTC.

Period, day, weekday and hour come from one small shared table of quarter-hours, since every zone's offset is a multiple
of 15 minutes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from kpi_lib.language import MEMBERS
from kpi_lib.period import Period

if TYPE_CHECKING:
    from kpi_lib.params import Hours

QUARTER_HOUR = 900
DAY = 86400
YEAR_1990 = 631152000  # no instant of the data lies before
FAR = 2**40
INSTANT = "timestamp('UTC', 6)"
WEEKDAYS = MEMBERS["weekday"]


@dataclass(frozen=True)
class Calendar:
    """The periods of a trend, oldest first and without gaps, in a company's time zone and working week.

    `until` is the instant up to which things are known: of a period that is still running only days that ended count.
    """

    periods: tuple[Period, ...]
    zone: str
    hours: Hours
    until: datetime | None = None

    @cached_property
    def bounds(self) -> list[tuple[str, int, int]]:
        """Each period with its half-open bounds in whole seconds since 1970."""
        seconds = ((period, *period.bounds(self.zone)) for period in self.periods)
        return [(str(period), int(start.timestamp()), int(end.timestamp())) for period, start, end in seconds]

    def days(self, period: Period) -> list[date]:
        """Return the days of a period that have ended; the first of them in any case."""
        count = (period.last_day - period.first_day).days + 1
        days = [period.first_day + timedelta(days=number) for number in range(count)]
        if self.until is None:
            return days
        today = self.until.astimezone(ZoneInfo(self.zone)).date()
        return [day for day in days if day < today] or days[:1]

    @cached_property
    def table(self) -> Any:
        """The periods as rows `period, start, end`."""
        import ibis
        import pandas as pd

        rows = [(str(period), *period.bounds(self.zone)) for period in self.periods]
        schema = {"period": "string", "start": INSTANT, "end": INSTANT}
        return ibis.memtable(pd.DataFrame(rows, columns=list(schema)), schema=schema)

    @cached_property
    def slots(self) -> Any:
        """The quarter-hours as rows `slot, period, day, weekday, hour, weekday_hour`.

        `day` counts local days since 1970; `weekday_hour` is the hour of the week, such as `1 mon 09`.
        """
        import ibis
        import pandas as pd

        start, end = self.bounds[0][1], self.bounds[-1][2]
        seconds = pd.RangeIndex(start, end, QUARTER_HOUR)
        local = pd.to_datetime(seconds, unit="s", utc=True).tz_convert(self.zone)
        days = pd.Series(local.date).map(epoch_day)
        weekdays = [f"{number + 1} {WEEKDAYS[number]}" for number in local.day_of_week]
        hours = [f"{hour:02d}" for hour in local.hour]
        frame = pd.DataFrame(
            {
                "slot": seconds // QUARTER_HOUR,
                "period": [name for name, start, end in self.bounds for _ in range(start, end, QUARTER_HOUR)],
                "day": days.to_numpy(),
                "weekday": weekdays,
                "hour": hours,
                "weekday_hour": [f"{weekday} {hour}" for weekday, hour in zip(weekdays, hours, strict=True)],
            }
        )
        numbers = ("slot", "day")
        return ibis.memtable(frame, schema={name: "int64" if name in numbers else "string" for name in frame.columns})

    def timed(self, table: Any, seconds: Any) -> Any:
        """Return the rows whose instant lies in one of the periods, with the columns of `slots` and `at_seconds`."""
        rows = table.mutate(at_seconds=seconds, slot=seconds // QUARTER_HOUR)
        return rows.inner_join(self.slots, "slot").drop("slot")

    def dated(self, table: Any, instant: Any) -> Any:
        """Return the rows with their local `day`, counted from 1970; also those that lie outside the periods."""
        rows = table.mutate(second=whole_seconds(instant))
        rows = rows.mutate(utc_day=rows.second // DAY).inner_join(self.utc_days, "utc_day")
        return rows.mutate(day=_local_day(rows)).drop("second", *self.utc_days.columns)

    def with_month(self, table: Any, instant: Any, name: str) -> Any:
        """Return the rows with the local month of an instant, such as 2024-05; null after the last period."""
        months = self.months.rename({name: "month"})
        rows = table.mutate(second=whole_seconds(instant))
        rows = rows.mutate(utc_day_of=rows.second // DAY)
        rows = rows.left_join(self.utc_days, rows.utc_day_of == self.utc_days.utc_day)
        rows = rows.mutate(local_day_of=_local_day(rows)).drop("second", "utc_day_of", *self.utc_days.columns)
        rows = rows.left_join(months, rows.local_day_of == months.local_day)
        return rows.drop("local_day_of", "local_day")

    @cached_property
    def utc_days(self) -> Any:
        """The UTC days since 1990, each with the zone's offset `before` and `after` the second `switch`."""
        import ibis
        import pandas as pd

        now = self.bounds[-1][2] if self.until is None else max(self.bounds[-1][2], int(self.until.timestamp()))
        seconds = pd.RangeIndex(YEAR_1990, (now // DAY + 2) * DAY, 2 * QUARTER_HOUR)
        utc = pd.to_datetime(seconds, unit="s", utc=True)
        ahead = utc.tz_convert(self.zone).tz_localize(None) - utc.tz_localize(None)
        frame = pd.DataFrame({"second": seconds, "utc_day": seconds // DAY, "ahead": ahead // pd.Timedelta(seconds=1)})
        days = frame.groupby("utc_day")["ahead"].agg(before="first", after="last").reset_index()
        switches = frame[frame["ahead"].ne(frame["ahead"].shift())].groupby("utc_day")["second"].last()
        days["switch"] = days["utc_day"].map(switches).fillna(FAR)
        return ibis.memtable(days.astype("int64"), schema=dict.fromkeys(days.columns, "int64"))

    @cached_property
    def months(self) -> Any:
        """The local days since 1990, counted from 1970, with their `month`, up to that of the last period."""
        import ibis
        import pandas as pd

        last = Period.containing(self.periods[-1].last_day).last_day
        days = pd.date_range("1990-01-01", last, freq="D")
        frame = pd.DataFrame({"local_day": (days - pd.Timestamp(0)).days, "month": days.strftime("%Y-%m")})
        return ibis.memtable(frame, schema={"local_day": "int64", "month": "string"})

    @cached_property
    def working_days(self) -> dict[str, int]:
        """Days of each period on which the desk works: its weekdays less the public holidays."""
        off = _holidays(self.hours.holidays, self.periods[0].first_day.year, self.periods[-1].last_day.year)
        return {
            str(period): sum(WEEKDAYS[day.weekday()] in self.hours.days and day not in off for day in self.days(period))
            for period in self.periods
        }

    @cached_property
    def open_slots(self) -> Any:
        """The quarter-hours with how long the desk has been open, in seconds: `slot, before, opens, closes`.

        `before` is the time open from the first period's start to the slot's; the desk is open from `opens` to `closes`
        within the slot. They reach to `until`.
        """
        import ibis
        import numpy as np
        import pandas as pd

        start, end = self.bounds[0][1], self.bounds[-1][2]
        end = max(end, int(self.until.timestamp()) + QUARTER_HOUR) if self.until else end
        shifts = self._shifts(start, end)
        times, passed = np.array(shifts, dtype="int64").reshape(-1), np.zeros(2 * len(shifts), dtype="int64")
        passed[1::2] = np.diff(times)[::2].cumsum()
        passed[2::2] = passed[1:-1:2]
        seconds = np.arange(start // QUARTER_HOUR * QUARTER_HOUR, end, QUARTER_HOUR)
        before, after = (
            np.interp(at, times, passed) if len(shifts) else np.zeros(len(at))
            for at in (seconds, seconds + QUARTER_HOUR)
        )
        place = np.minimum(np.searchsorted(times[::2], seconds + QUARTER_HOUR, side="left") - 1, len(shifts))
        opens = (
            np.where(after > before, np.clip(times[::2][place] - seconds, 0, QUARTER_HOUR), 0)
            if len(shifts)
            else before
        )
        frame = pd.DataFrame(
            {"slot": seconds // QUARTER_HOUR, "before": before, "opens": opens, "closes": opens + after - before}
        ).astype("int64")
        return ibis.memtable(frame, schema=dict.fromkeys(frame.columns, "int64"))

    def _shifts(self, start: int, end: int) -> list[tuple[int, int]]:
        """Return when the desk opens and closes, in whole seconds since 1970, on each day from start to end."""
        zone = ZoneInfo(self.zone)
        first, last = (datetime.fromtimestamp(at, zone).date() for at in (start, end))
        off = _holidays(self.hours.holidays, first.year, last.year)
        days = (first + timedelta(days=number) for number in range((last - first).days + 1))
        return [
            (_at(day, self.hours.open, zone), _at(day, self.hours.close, zone))
            for day in days
            if WEEKDAYS[day.weekday()] in self.hours.days and day not in off
        ]

    @cached_property
    def constants(self) -> Any:
        """A frame by period with what belongs to a period and not to rows: `days`, `working_days`, `months`."""
        import pandas as pd

        names = [str(period) for period in self.periods]
        return pd.DataFrame(
            {
                "days": [len(self.days(period)) for period in self.periods],
                "working_days": [self.working_days[name] for name in names],
                "months": [period.months for period in self.periods],
            },
            index=pd.Index(names, name="period"),
        )


def epoch_day(day: date) -> int:
    """Return how many days after the first of 1970 a day is."""
    return (day - date(1970, 1, 1)).days


def _at(day: date, clock: str, zone: ZoneInfo) -> int:
    """Return a local time of a day as whole seconds since 1970; 24:00 is the next midnight."""
    hours, minutes = map(int, clock.split(":"))
    day, hours = (day + timedelta(days=1), 0) if hours == 24 else (day, hours)
    return int(datetime(day.year, day.month, day.day, hours, minutes, tzinfo=zone).timestamp())


def whole_seconds(instant: Any) -> Any:
    """Return an instant as whole seconds since 1970, the same on every engine.

    Some engines have fractions of a second here; to truncate the instant first takes DuckDB five times as long.
    """
    return instant.epoch_seconds().floor().cast("int64")


def _local_day(rows: Any) -> Any:
    return (rows.second + (rows.second < rows.switch).ifelse(rows.before, rows.after)) // DAY


def _holidays(country: str | None, first: int, last: int) -> Any:
    if country is None:
        return ()
    import holidays

    return holidays.country_holidays(country, years=range(first, last + 1))

"""The period a report is about: a month, a quarter or a year, and its bounds in the company's time zone.

Plain integers do the arithmetic, so that asking for a period needs neither pandas nor Ibis.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from kpi_lib.errors import PeriodError

TREND = 13  # periods: the one that is reported and those before it, back to the same a year earlier
_SPELLING = re.compile(r"([12][0-9]{3})(?:-(?:(0[1-9]|1[0-2])|Q([1-4])))?", re.ASCII)
_NEARLY = re.compile(r"\s*([12][0-9]{3})[-/. ]?(?:([0-9]{1,2})|[qQ]([1-4]))\s*", re.ASCII)


@dataclass(frozen=True, order=True)
class Period:
    """A calendar month (`months` 1), quarter (3) or year (12); `ordinal` counts them from year 0."""

    months: int
    ordinal: int

    @classmethod
    def parse(cls, text: str) -> "Period":
        """Read `2024-05`, `2024-Q2` or `2024`; anything else is a PeriodError that says what was meant."""
        if found := _SPELLING.fullmatch(str(text)):
            year, month, quarter = found.groups()
            if month:
                return cls(1, int(year) * 12 + int(month) - 1)
            if quarter:
                return cls(3, int(year) * 4 + int(quarter) - 1)
            return cls(12, int(year))
        raise PeriodError(
            f"{text!r} is not a period{_hint(str(text))} (a month 2024-05, a quarter 2024-Q2, a year 2024)"
        )

    @classmethod
    def containing(cls, day: date, months: int = 1) -> "Period":
        """Return the period of `months` months that `day` lies in."""
        return cls(months, (day.year * 12 + day.month - 1) // months)

    def __str__(self) -> str:
        first = self.first_day
        if self.months == 1:
            return f"{first:%Y-%m}"
        return f"{first.year}-Q{(first.month + 2) // 3}" if self.months == 3 else str(first.year)

    @property
    def label(self) -> str:
        """The period as people say it: `May 2024`, `Q2 2024`, `2024`."""
        first = self.first_day
        if self.months == 1:
            return f"{MONTHS[first.month - 1]} {first.year}"
        return f"Q{(first.month + 2) // 3} {first.year}" if self.months == 3 else str(first.year)

    @property
    def first_day(self) -> date:
        """The first day of the period."""
        year, month = divmod(self.ordinal * self.months, 12)
        return date(year, month + 1, 1)

    @property
    def last_day(self) -> date:
        """The last day of the period."""
        return self.shift(1).first_day - timedelta(days=1)

    def shift(self, count: int) -> "Period":
        """Return the period `count` periods later (earlier when negative)."""
        return Period(self.months, self.ordinal + count)

    @property
    def previous(self) -> "Period":
        """The period just before."""
        return self.shift(-1)

    @property
    def year_before(self) -> "Period":
        """The same period a year earlier."""
        return self.shift(-12 // self.months)

    def trailing(self, count: int) -> list["Period"]:
        """Return the `count` periods that end with this one, oldest first."""
        return [self.shift(back) for back in range(1 - count, 1)]

    def bounds(self, zone: str) -> tuple[datetime, datetime]:
        """Return the half-open `[start, end)` of the period in `zone`, as UTC instants."""
        return midnight(self.first_day, zone), midnight(self.shift(1).first_day, zone)


def midnight(day: date, zone: str) -> datetime:
    """Return the first instant of a local day as a UTC instant."""
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def parse_instant(text: str) -> datetime:
    """Read an ISO instant that states its offset; without one it could mean several moments and is refused."""
    try:
        instant = datetime.fromisoformat(str(text))
    except ValueError:
        raise PeriodError(f"as_of {text!r} is not an instant such as 2024-07-02T06:00+02:00") from None
    if instant.tzinfo is None:
        raise PeriodError(f"as_of {text!r} has no offset: write {instant.isoformat(timespec='minutes')}+00:00 for UTC")
    return instant.astimezone(UTC)


def _hint(text: str) -> str:
    if not (found := _NEARLY.fullmatch(text)):
        return ""
    year, month, quarter = found.groups()
    if quarter:
        return f" - did you mean '{year}-Q{quarter}'?"
    return f" - did you mean '{year}-{int(month):02d}'?" if 1 <= int(month) <= 12 else ""


MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]  # fixed English names: strftime would follow the machine's locale

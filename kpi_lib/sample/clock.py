"""The sample company's time: days and months in Berlin, opening hours, nightly loads; instants are UTC seconds."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

SEED = 20240531
FIRST_MONTH = "2022-05"
LAST_MONTH = "2024-06"
AS_OF = "2024-07-02T06:00+02:00"
ZONE = ZoneInfo("Europe/Berlin")
LAUNCH = date(2019, 6, 1)  # the first customers; the help desk's tables begin in FIRST_MONTH
NEVER = 1 << 40
DAY = 86_400
MONTH = 365.25 / 12 * DAY
HOLIDAYS = {(1, 1), (5, 1), (10, 3), (12, 24), (12, 25), (12, 26)}


def instant(day: date, hour: int = 0) -> int:
    """UTC seconds of a local hour."""
    return int(datetime(day.year, day.month, day.day, hour, tzinfo=ZONE).timestamp())


DAYS = [LAUNCH + timedelta(days=i) for i in range((date(2024, 9, 1) - LAUNCH).days)]
MIDNIGHTS = np.array([instant(day) for day in DAYS])
LOADS = np.array([instant(day, 4) for day in DAYS])
MONTH_STARTS = np.array([instant(day) for day in DAYS if day.day == 1])
WEEKDAYS = np.array([day.weekday() for day in DAYS])
HOLIDAY = np.array([(day.month, day.day) in HOLIDAYS for day in DAYS])
OPENS = np.where(WEEKDAYS < 5, 8, 9)
CLOSES = np.where(WEEKDAYS < 5, 20, 16)
IS_OPEN = (WEEKDAYS < 6) & ~HOLIDAY
DESK_DAY = DAYS.index(date.fromisoformat(f"{FIRST_MONTH}-01"))
DESK_START = int(MIDNIGHTS[DESK_DAY])
END = instant(date(2024, 7, 2), 4)  # the last nightly load before AS_OF: nothing later is in the first extract
LAST_DAY = DAYS.index(date(2024, 7, 1))

_EDGES = np.array(
    [
        instant(day, hour)
        for day, hours, is_open in zip(DAYS, zip(OPENS, CLOSES, strict=True), IS_OPEN, strict=True)
        if is_open
        for hour in map(int, hours)
    ]
)
# Closed hours pass a thousand times slower, so that working time can be turned back into instants.
_WORKED = np.concatenate([[0.0], np.cumsum(np.diff(_EDGES) * np.tile([1, 0.001], len(_EDGES))[: len(_EDGES) - 1])])


def stream(name: str) -> np.random.Generator:
    """Random numbers of one table's own, so that a story about one table leaves the others alone."""
    return np.random.default_rng([SEED, *name.encode()])


def spread(generator: np.random.Generator, size: int) -> Array:
    """Uniform numbers in random order that are spaced evenly: the share below x is x, not only in expectation."""
    return (generator.permutation(size) + 0.5) / max(size, 1)


def day_of(instants: Array) -> Array:
    """Index in DAYS of the local day."""
    return np.searchsorted(MIDNIGHTS, instants, side="right") - 1


def month_of(instants: Array) -> Array:
    """Index of the local month, counted from the launch."""
    return np.searchsorted(MONTH_STARTS, instants, side="right") - 1


def month_index(day: date) -> int:
    """Index of the month that a day lies in, counted from the launch."""
    return (day.year - LAUNCH.year) * 12 + day.month - LAUNCH.month


def within(instants: Array, start: date, end: date) -> Array:
    """Which instants lie in these local days, the last one left out."""
    return (instants >= instant(start)) & (instants < instant(end))


def after_working(instants: Array, seconds: Array | float) -> Array:
    """The instants when so many seconds of opening hours have passed."""
    return np.interp(np.interp(instants, _EDGES, _WORKED) + seconds, _WORKED, _EDGES).astype(np.int64)


def between_working(start: Array, end: Array, share: Array) -> Array:
    """The instants when this share of the opening hours between two instants has passed."""
    first, last = np.interp(start, _EDGES, _WORKED), np.interp(end, _EDGES, _WORKED)
    return np.clip(np.interp(first + (last - first) * share, _WORKED, _EDGES).astype(np.int64), start, end)


def loaded(instants: Array) -> Array:
    """When the next nightly load brings a row of these instants; the first extract's last load at the latest."""
    return np.minimum(LOADS[np.searchsorted(LOADS, instants)], END)

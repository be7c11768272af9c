"""Units: how a value is rounded and printed, and how a change is said."""

import math
from dataclasses import dataclass

from kpi_lib.language import ENGLISH, MINUS, SPACE, Language, forms, message

Forms = tuple[str, str]  # of a message, for one and for several


@dataclass(frozen=True)
class Unit:
    """A unit's decimals, how a number of it is said, and how a difference of two, if not by the number."""

    decimals: int
    said: Forms | None = None
    difference: Forms | None = None


_MONTHS = forms("{count} month", "{count} months")
_POINTS = forms("{count} point", "{count} points")
_SHORTLY = forms("{count} % point", "{count} % points")  # where room is short
UNITS = {
    "percent": Unit(1, None, forms("{count} percentage point", "{count} percentage points")),
    "points": Unit(1, None, _POINTS),
    "count": Unit(0),
    "minutes": Unit(0),
    "seconds": Unit(0),
    "days": Unit(0),
    "months": Unit(0, _MONTHS, _MONTHS),
    "currency": Unit(2),
    "ratio": Unit(2),
    "score": Unit(2),
}
FEW = 100  # below that a mean count shows a decimal
SECONDS = {"days": 86400, "minutes": 60, "seconds": 1}
NONE = "–"
CLOCK = {
    message("{count} d"): 86400,
    message("{count} h"): 3600,
    message("{count} min"): 60,
    message("{count} s"): 1,
}
LONG = {_MONTHS: 30 * 86400}  # in seconds too, to be sorted


def rounded(value: float | None, unit: str) -> float | None:
    """Round to what is printed; a large amount of money or a long wait has fewer decimals than a small one."""
    if value is None or math.isnan(value):
        return None
    if scale := SECONDS.get(unit):
        return _whole_seconds(value * scale) / scale
    return float(round(value, _decimals(value, unit))) + 0.0  # + 0.0: no negative zero is printed


def printed(
    value: float | None,
    unit: str,
    currency: str = "",
    *,
    decimals: int | None = None,
    trim: bool = False,
    language: Language = ENGLISH,
) -> str:
    """Return the value with its unit as people write it: `86.4%`, `1 h 12 min`, `EUR 1,204`; `–` for no value.

    `trim` drops decimals that are all zero: a target is written `30`, not `30.0`.
    """
    number = rounded(value, unit)
    if number is None:
        return NONE
    if scale := SECONDS.get(unit):
        return duration(number * scale, language)
    places = _decimals(number, unit) if decimals is None else decimals
    places = 0 if trim and round(number, places) == int(number) else places
    if unit == "currency":
        return language.money(number, currency, places)
    if unit == "percent":
        return language.percent(number, places)
    if said := UNITS[unit].said:
        return language.many(*said, number, decimals=places)
    return language.number(number, places)


def exact(value: float | None, unit: str) -> str:
    """Return the bare number to two decimals, a whole number to none, for those who compare it with another's."""
    if value is None or math.isnan(value):
        return NONE
    return f"{value:,.{0 if unit == 'count' and value == int(value) else 2}f}"


def change(
    now: float | None,
    before: float | None,
    unit: str,
    currency: str = "",
    *,
    short: bool = False,
    language: Language = ENGLISH,
) -> str:
    """Say how a printed value differs from an earlier printed one: `up 2.1 percentage points`, `unchanged`.

    Empty when one of them is unknown. `short` says % points for percentage points.
    """
    new, old = rounded(now, unit), rounded(before, unit)
    if new is None or old is None:
        return ""
    if printed(new, unit) == printed(old, unit):
        return language.say("unchanged")
    places = _decimals(new, unit)
    amount = difference(abs(new - old), unit, currency, decimals=places, short=short, language=language)
    return language.say("up {amount}", amount=amount) if new > old else language.say("down {amount}", amount=amount)


def difference(
    amount: float,
    unit: str,
    currency: str = "",
    *,
    decimals: int | None = None,
    short: bool = False,
    language: Language = ENGLISH,
) -> str:
    """Return a difference of two values with its unit: percentages differ by percentage points.

    `decimals` are those of the values compared; without them, what the amount itself would have.
    """
    if said := UNITS[unit].difference:
        places = UNITS[unit].decimals
        number = round(amount, places)
        return language.many(*(_SHORTLY if short and unit == "percent" else said), number, decimals=places)
    return printed(amount, unit, currency, decimals=decimals, language=language)


def duration(seconds: float, language: Language = ENGLISH) -> str:
    """Return a duration as people say it, in its two largest units and unbroken: `45 s`, `1 h 12 min`, `3 d 4 h`."""
    whole = _whole_seconds(seconds)
    left = int(abs(whole))
    parts: list[str] = []
    for said, size in CLOCK.items():
        count, left = divmod(left, size)
        if count or (size == 1 and not parts):
            parts.append(language.say(said, count=language.number(count)))
    said = SPACE.join(parts[:2])
    return language.signed(MINUS, said) if whole < 0 else said


def _whole_seconds(seconds: float) -> float:
    """Round to whole seconds, from an hour on to whole minutes, from a day on to whole hours."""
    size = 3600 if abs(seconds) >= 86400 else 60 if abs(seconds) >= 3600 else 1
    return float(round(seconds / size) * size)


def _decimals(value: float, unit: str) -> int:
    if unit == "count" and abs(value) < FEW and not math.isclose(value, round(value), abs_tol=1e-9):
        return 1
    if unit == "currency" and abs(value) >= 1000:
        return 0
    return UNITS[unit].decimals

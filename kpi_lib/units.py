"""Units: how a value is rounded and printed, and how a change is said."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Unit:
    """A unit's decimals, what follows the number, and what a difference of two values is called."""

    decimals: int
    suffix: str = ""
    difference: str = ""


UNITS = {
    "percent": Unit(1, "%", "percentage points"),
    "points": Unit(1, "", "points"),
    "count": Unit(0),
    "minutes": Unit(0),
    "seconds": Unit(0),
    "days": Unit(1, " days", "days"),
    "months": Unit(0, " months", "months"),
    "currency": Unit(2),
    "ratio": Unit(2),
    "score": Unit(2),
}
FEW = 100  # below that a mean count shows a decimal
SECONDS = {"minutes": 60, "seconds": 1}
NONE = "–"


def rounded(value: float | None, unit: str) -> float | None:
    """Round to what is printed; a large amount of money or a long wait has fewer decimals than a small one."""
    if value is None or math.isnan(value):
        return None
    if scale := SECONDS.get(unit):
        return _whole_seconds(value * scale) / scale
    return float(round(value, _decimals(value, unit))) + 0.0  # + 0.0: no negative zero is printed


def printed(value: float | None, unit: str, currency: str = "", *, decimals: int | None = None) -> str:
    """Return the value with its unit as people write it: `86.4 %`, `1 h 12 min`, `EUR 1,204`; `–` for no value."""
    number = rounded(value, unit)
    if number is None:
        return NONE
    if scale := SECONDS.get(unit):
        return duration(number * scale)
    text = f"{number:,.{_decimals(number, unit) if decimals is None else decimals}f}".replace("-", "\N{MINUS SIGN}")
    if unit == "currency":
        return f"{currency}\N{NO-BREAK SPACE}{text}" if currency else text
    return text + UNITS[unit].suffix.replace(" ", "\N{NO-BREAK SPACE}")


def exact(value: float | None, unit: str) -> str:
    """Return the bare number to two decimals, a whole number to none, for those who compare it with another's."""
    if value is None or math.isnan(value):
        return NONE
    return f"{value:,.{0 if unit == 'count' and value == int(value) else 2}f}"


def change(now: float | None, before: float | None, unit: str, currency: str = "") -> str:
    """Say how a printed value differs from an earlier printed one: `up 2.1 points`, `unchanged`, `` when unknown."""
    new, old = rounded(now, unit), rounded(before, unit)
    if new is None or old is None:
        return ""
    if printed(new, unit) == printed(old, unit):
        return "unchanged"
    said = difference(abs(new - old), unit, currency, decimals=_decimals(new, unit))
    return f"{'up' if new > old else 'down'} {said}"


def difference(amount: float, unit: str, currency: str = "", *, decimals: int | None = None) -> str:
    """Return a difference of two values with its unit: percentages differ by percentage points.

    `decimals` are those of the values compared; without them, what the amount itself would have.
    """
    if word := UNITS[unit].difference:
        number = round(amount, UNITS[unit].decimals)
        one = math.isclose(number, 1) and word.endswith("s")
        return f"{number:,.{UNITS[unit].decimals}f}\N{NO-BREAK SPACE}{word[:-1] if one else word}"
    return printed(amount, unit, currency, decimals=decimals)


def duration(seconds: float) -> str:
    """Return a duration as people say it, in its two largest units: `45 s`, `1 h 12 min`, `3 d 4 h`."""
    whole = _whole_seconds(seconds)
    sign, left = "\N{MINUS SIGN}" if whole < 0 else "", int(abs(whole))
    parts: list[str] = []
    for name, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count or (name == "s" and not parts):
            parts.append(f"{count}\N{NO-BREAK SPACE}{name}")
    return sign + " ".join(parts[:2])


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

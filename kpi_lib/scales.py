"""The axes of figures: round steps, each written as the numbers of the report are, and no two alike."""

import math
from collections.abc import Callable, Sequence
from typing import Any
from unicodedata import bidirectional

from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, MultipleLocator, NullFormatter, NullLocator

from kpi_lib.insight import About, Row
from kpi_lib.language import Language, speak
from kpi_lib.units import SECONDS, duration, printed, rounded

LEFT_TO_RIGHT, RIGHT_TO_LEFT = "\N{LEFT-TO-RIGHT MARK}", "\N{RIGHT-TO-LEFT MARK}"
NAMED = (1, 5, 20, 60, 300, 1200, 3600, 4 * 3600, *(86400 * days for days in (1, 3, 10, 30, 100, 300, 1000)))  # seconds
_MOST = 5  # steps
_DURATIONS = [1, 2, 5, 10, 15, 30, *(60 * n for n in (1, 2, 5, 10, 15, 30)), *(3600 * n for n in (1, 2, 4, 6, 12))]
_DURATIONS += [86400 * n for n in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)]


class Steps(MaxNLocator):
    """Round steps: a tick stands where its text says, and where decimals would not tell two apart there are fewer."""

    def __init__(self, unit: str, written: Callable[[float], str], *, whole: bool = False) -> None:
        super().__init__(_MOST, integer=whole, steps=[1, 2, 2.5, 5, 10])
        self._unit, self._written = unit, written

    def tick_values(self, vmin: float, vmax: float) -> Any:
        """Return the places of the ticks between two ends."""
        self.set_params(nbins=_MOST, min_n_ticks=2)
        finest = places = super().tick_values(vmin, vmax)
        for most in range(_MOST - 1, -1, -1):
            said = {self._written(place): place for place in places if self._is_exact(place)}
            if len(said) == len(places):
                return places
            if most:
                self.set_params(nbins=most, min_n_ticks=1)
                places = super().tick_values(vmin, vmax)
        return list({self._written(place): place for place in finest if self._is_exact(place)}.values())

    def _is_exact(self, place: float) -> bool:
        return math.isclose(rounded(place, self._unit) or 0.0, place, abs_tol=1e-9)


def set_steps(axis: Any, unit: str, written: Callable[[float], str], *, whole: bool = False) -> None:
    """Give an axis round steps of a unit, as they are `written`."""
    axis.set_major_locator(Steps(unit, written, whole=whole))
    axis.set_major_formatter(FuncFormatter(lambda number, _: labelled(written(number))))


def set_durations(axis: Any, scale: float, language: Language, *, among: Sequence[float] = NAMED) -> None:
    """Give an axis of times, in units of `scale` seconds, the steps that people name: 5 minutes, an hour, a day."""
    axis.set_major_locator(FixedLocator([seconds / scale for seconds in among]))
    axis.set_major_formatter(FuncFormatter(lambda number, _: duration(number * scale, language)))
    axis.set_minor_locator(NullLocator())
    axis.set_minor_formatter(NullFormatter())


def set_scale(axis: Any, row: Row, about: About) -> None:
    """Give an axis round steps of the KPI's unit, printed as the unit is printed."""
    unit, currency, language = row["unit"], about["currency"], speak(about)

    def written(number: float) -> str:
        return printed(number, unit, currency, trim=True, language=language)

    set_steps(axis, unit, written, whole=unit == "count")
    if scale := SECONDS.get(unit):
        axis.set_major_locator(MultipleLocator(_step(*(end * scale for end in axis.get_view_interval())) / scale))


def labelled(text: str) -> str:
    """Return a text that stands alone: a signed number with a unit in Arabic letters runs as those do."""
    arabic = text.startswith(LEFT_TO_RIGHT) and any(bidirectional(letter) == "AL" for letter in text)
    return RIGHT_TO_LEFT + text if arabic else text


def _step(low: float, high: float) -> int:
    """Return the seconds between the ticks of waiting times: long ones are written to the minute, or to the hour."""
    longest = max(abs(low), abs(high))
    least = 3600 if longest >= 86400 else 60 if longest >= 3600 else 1
    return next((step for step in _DURATIONS if step >= least and (high - low) / step <= _MOST), _DURATIONS[-1])

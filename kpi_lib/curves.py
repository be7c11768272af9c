"""How long it takes, for all of them: the survival curve of a waiting time as sentence, figure and table.

A curve is what the scorecard keeps of it: `seconds`, the share `waiting` from then on, and limits `low` and `high`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from kpi_lib.charts import COLOUR, INK, QUIET, house_style, new_axes, present, put_title, write_number
from kpi_lib.display import Column, Table
from kpi_lib.insight import About, Row, interval, number, target, value
from kpi_lib.language import message, speak
from kpi_lib.period import Period
from kpi_lib.scales import NAMED, set_durations
from kpi_lib.units import NONE, SECONDS, duration, printed
from kpi_lib.waiting import MARKS

Curve = Mapping[str, Sequence[Any]]

_AFTER = {
    60: message("a minute"),
    300: message("five minutes"),
    3600: message("an hour"),
    86400: message("a day"),
    7 * 86400: message("a week"),
    30 * 86400: message("30 days"),
}
_ENDS = (0.99, 0.01)  # the curve is drawn from where so many wait to where so few do


def still_waiting(curve: Curve, seconds: float) -> float | None:
    """Return the share from 0 to 1 that still waits after so many seconds; None when nobody was watched for so long."""
    times, shares = curve["seconds"], curve["waiting"]
    if seconds > times[-1] and shares[-1] > 0:
        return None
    place = int(np.searchsorted(times, seconds, side="right")) - 1
    return float(shares[place]) if place >= 0 else 1.0


def in_words(curve: Curve, half: Row, tail: Row, about: About) -> str:
    """Say what half and what nine in ten waited at most, and how many still waited after a time that people name."""
    to, shown = speak(about), [value(row, about) for row in (half, tail)]
    after = _after(curve, tail)
    left = still_waiting(curve, after) if after else None
    given = {
        "title": _short(half, about),
        "half": shown[0],
        "tail": shown[1],
        "time": to.say(_AFTER[after]) if after else "",
        "share": NONE if left is None else printed(100 * left, "percent", language=to),
    }
    if shown[0] == NONE:
        return to.say("{title}: after {time} {share} still waited.", **given)
    if shown[1] == NONE:
        return to.say("{title}: half within {half}; after {time} {share} still waited.", **given)
    if not left:
        return to.say("{title}: half within {half}, nine in ten within {tail}.", **given)
    return to.say("{title}: half within {half}, nine in ten within {tail}; after {time} {share} still waited.", **given)


def waiting(
    curve: Curve, before: Curve | None, half: Row, tail: Row, about: About, *, alt: str = "", colour: str = COLOUR,
) -> Figure:  # fmt: skip
    """Draw the share that still waits over time with its limits, the period before, the median and the nine in ten."""
    with house_style():
        to, ax = speak(about), new_axes(2.1)
        low, high = _reach([curve, *([before] if before else [])])
        if before:
            _line(ax, before, low, color=QUIET, linewidth=1.1, linestyle=(0, (4, 2)))
        _line(ax, curve, low, color=colour, linewidth=1.9)
        lower, upper = ([np.nan if at is None else 100 * at for at in curve[name]] for name in ("low", "high"))
        ax.fill_between(_times(curve, low), lower, upper, step="post", color=colour, alpha=0.18, linewidth=0)
        ax.set_xscale("log")
        ax.set_xlim(low, high)
        for row, share, mark, words in (
            (half, 50, "o", to.say("half within {time}", time=value(half, about))),
            (tail, 10, "D", to.say("nine in ten within {time}", time=value(tail, about))),
        ):
            ax.axhline(share, color=QUIET, linewidth=0.7, linestyle=(0, (1, 2)), zorder=0)
            if value(row, about) != NONE:
                _mark(
                    ax, float(row["value"]) * SECONDS[row["unit"]], share, mark, words, colour, bool(row["provisional"])
                )
        _draw_target(ax, half, about)
        _scale(ax, low, high, about)
        ax.set_ylim(0, 102)
        ax.set_yticks([0, 10, 25, 50, 75, 100])
        ax.yaxis.set_major_formatter(FuncFormatter(lambda share, _: printed(share, "percent", decimals=0, language=to)))
        ax.grid(axis="y")
        put_title(ax, _title(half, about), _reading(curve, before, half, about), language=to)
        return present(ax.figure, alt, to)


def table(curve: Curve, before: Curve | None, half: Row, tail: Row, about: About) -> Table:
    """Return the table behind the figure: the quantiles, then how many still waited after times that people name."""
    to, now = speak(about), Period.parse(half["period"])
    columns = [Column("", "left"), Column(to.period(now)), Column(to.say("95% interval"))]
    columns += [Column(to.period(now.previous))] if before else []
    lines = [
        [name, value(row, about), interval(row, about), *([number(row["previous"], row, about)] if before else [])]
        for name, row in ((to.say("Half within"), half), (to.say("Nine in ten within"), tail))
    ]
    for seconds in MARKS:
        shares = [still_waiting(each, seconds) for each in (curve, *([before] if before else []))]
        if all(share is None or share in (0, 1) for share in shares):
            continue
        said = [NONE if share is None else printed(100 * share, "percent", language=to) for share in shares]
        limits = _limits(curve, seconds, about)
        lines.append([to.say("Still waiting after {time}", time=duration(seconds, to)), said[0], limits, *said[1:]])
    return Table(_title(half, about), columns, lines)


def _short(half: Row, about: About) -> str:
    """Return the name of the headline that a median belongs to."""
    return str(about["kpis"][str(half["kpi"]).removesuffix(".median")]["short"])


def _title(half: Row, about: About) -> str:
    return speak(about).say("{title}: who still waits after how long", title=_short(half, about))


def _after(curve: Curve, tail: Row) -> int:
    """Return the first time with a name by which nine in ten had waited enough; 0 when nobody was watched so long."""
    known = [seconds for seconds in _AFTER if still_waiting(curve, seconds) is not None]
    if pd.isna(tail["value"]):
        return max(known, default=0)
    return min((at for at in known if at >= float(tail["value"]) * SECONDS[tail["unit"]]), default=0)


def _reach(curves: Sequence[Curve]) -> tuple[float, float]:
    """Return from when to when the curves are drawn, at least a factor of thirty."""
    starts, ends = [], []
    for curve in curves:
        times, shares = np.asarray(curve["seconds"], float), np.asarray(curve["waiting"], float)
        starts.append(times[np.argmax(shares < _ENDS[0])] if (shares < _ENDS[0]).any() else times[-1])
        ends.append(times[np.argmax(shares <= _ENDS[1])] if (shares <= _ENDS[1]).any() else times[-1])
    low = max(min(starts) / 1.5, 1.0)
    return low, max(max(ends) * 1.2, 30 * low)


def _times(curve: Curve, low: float) -> list[float]:
    """Return when the steps are, none before the figure begins, as a scale of powers knows no 0."""
    return [max(float(seconds), low / 10) for seconds in curve["seconds"]]


def _line(ax: Axes, curve: Curve, low: float, **style: Any) -> None:
    shares = [100 * share for share in curve["waiting"]]
    ax.plot([low / 10, *_times(curve, low)], [100.0, *shares], drawstyle="steps-post", **style)


def _mark(ax: Axes, seconds: float, share: float, mark: str, words: str, colour: str, provisional: bool) -> None:
    face = "white" if provisional else colour
    ax.plot(seconds, share, mark, color=colour, markersize=6, markerfacecolor=face, zorder=5)
    style: dict[str, Any] = {"weight": 700, "color": INK, "size": 9, "ha": "left", "va": "bottom"}
    if seconds > np.prod(np.asarray(ax.get_xlim()) ** [0.45, 0.55]):
        style |= {"ha": "right", "va": "top"}
    style["bbox"] = {"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.8}
    offset = (7, 2) if style["ha"] == "left" else (-7, -2)
    write_number(ax, words, (seconds, share), offset, "data", **style)


def _draw_target(ax: Axes, row: Row, about: About) -> None:
    bound = row["target_high"]
    if pd.isna(bound):
        return
    seconds = float(bound) * SECONDS[row["unit"]]
    ax.axvline(seconds, color=QUIET, linewidth=1.1, linestyle=(0, (5, 3)), zorder=1)
    words = speak(about).say("target of half: {target}", target=target(row, about))
    write_number(ax, words, (seconds, 1), (4, -9), ("data", "axes fraction"))


def _scale(ax: Axes, low: float, high: float, about: About) -> None:
    set_durations(ax.xaxis, 1, speak(about), among=[step for step in NAMED if low <= step <= high])


def _reading(curve: Curve, before: Curve | None, row: Row, about: About) -> str:
    to, now = speak(about), Period.parse(row["period"])
    given = {"now": to.period(now), "before": to.period(now.previous)}
    limits = any(limit is not None for limit in curve["low"])
    if before and limits:
        return to.say("full: {now}; shaded: 95% interval; dashed: {before}", **given)
    if before:
        return to.say("full: {now}; dashed: {before}", **given)
    return to.say("{now}; shaded: 95% interval", **given) if limits else given["now"]


def _limits(curve: Curve, seconds: float, about: About) -> str:
    place = int(np.searchsorted(curve["seconds"], seconds, side="right")) - 1
    if place < 0 or still_waiting(curve, seconds) is None or curve["low"][place] is None:
        return ""
    to = speak(about)
    low, high = (printed(100 * curve[name][place], "percent", language=to) for name in ("low", "high"))
    return to.say("{low} to {high}", low=low, high=high)

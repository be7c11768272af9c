"""Figures in the house style: rows of the scorecard in, a matplotlib figure out.

Figures are drawn outside pyplot, so that a notebook shows each of them once, and importing this module changes no
setting of matplotlib: the style holds inside `house_style()` only, which serves an analyst's own figure too.

Time and amounts run from left to right in every language, also in those that are written from right to left: only the
words follow the language. Arabic and Persian text is drawn as outlines, its letters joined.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.resources import as_file, files
from io import StringIO
from itertools import pairwise
from textwrap import wrap
from typing import Any

import matplotlib as mpl
import pandas as pd
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.patheffects import withStroke
from matplotlib.text import Text

from kpi_lib import signals
from kpi_lib.captions import is_ordered, own_place
from kpi_lib.events import Mark, marks
from kpi_lib.insight import About, Row, target, title_by, value
from kpi_lib.language import ENGLISH, NO_MEMBER, Language, forms, message, speak
from kpi_lib.period import Period
from kpi_lib.scales import RIGHT_TO_LEFT, labelled, set_scale
from kpi_lib.signals import Judgement, judge

WIDTH = 5.8  # inches: of every figure, as it stands on paper; scaled down on a telephone
COLOUR, INK, QUIET, LINE = "#1f4e79", "#222222", "#5c5c5c", "#d0d0d0"
_SCALE_WIDTH = 40  # points at the left of a trend
_FOOT, _FOOT_BELOW = 88, 30  # letters in a line under a trend, and points from its axis to the first
MOST_MEMBERS, MOST_ORDERED = 15, 24  # of a cut with an order of its own as many as a day has hours
LEFT_OUT = forms("the {count} smallest is not drawn", "the {count} smallest are not drawn")
_TARGETS = {  # in the margin of a figure, by whether there is a lower and an upper bound
    (True, True): message("target\nbetween {low}\nand {high}"),
    (True, False): message("target\nat least {low}"),
    (False, True): message("target\nat most {high}"),
}
_SHADED, _LINES = message("shaded: 95% interval"), message("lines: 95% interval")


@contextmanager
def house_style() -> Iterator[None]:
    """Apply the house style to whatever is drawn or saved inside; nothing outside changes."""
    with mpl.rc_context(_style()):
        yield


def trend(frame: pd.DataFrame, about: About, *, alt: str = "", colour: str = COLOUR, ax: Axes | None = None) -> Figure:
    """Draw one KPI over its periods with intervals, target and the limits of its ordinary variation.

    `frame` has its total rows, oldest first.
    """
    with house_style():
        language, marked = speak(about), marks(frame, about)
        foot = [line for mark in marked for line in wrap(mark.said, _FOOT, subsequent_indent="   ")]
        ax = ax or new_axes(2.05 + 0.14 * len(foot))
        rows: list[Row] = frame.to_dict("records")
        values, low, high = (frame[column].astype(float).tolist() for column in ("value", "low", "high"))
        sure = [is_sure(row) for row in rows]
        places = range(len(rows))
        ax.fill_between(places, low, high, color=colour, alpha=0.16, linewidth=0)
        judgement = judge(frame)
        _draw_limits(ax, values, judgement)
        for left, right in pairwise(places):
            style = "-" if sure[left] and sure[right] else (0, (2, 2))
            ax.plot([left, right], values[left : right + 1], color=colour, linewidth=1.7, linestyle=style)
        for place, row in enumerate(rows):
            draw_dot(ax, place, row["value"], row, colour)
        _draw_target(ax, rows[-1], about)
        beside = sum(_width(ax, text) for text in ax.texts)
        _limit(ax, rows[-1]["unit"])
        room = _draw_last(ax, values, rows[-1], about, 9 if judgement.rule else 6)
        set_scale(ax.yaxis, rows[-1], about)
        ax.set_xlim(-0.4, len(rows) - 0.6 + room)
        labels = period_labels([row["period"] for row in rows], language)
        ax.set_xticks(places, labels)
        fit_labels(ax, 8.5, 72 * WIDTH - _SCALE_WIDTH - beside)
        ax.grid(axis="y")
        reading = _how_to_read(frame, _SHADED, about)
        if judgement.low:
            reading.append(language.say("dotted: ordinary variation"))
        if any(judgement.rules):
            reading.append(language.say("ringed: unusual"))
        _draw_marks(ax, marked)
        if foot:
            _put_foot(ax, foot, language)
        put_title(ax, rows[-1]["title"], language.semicolon.join(reading), 26 if marked else 16, language)
        return present(ax.figure, alt, language)


def by(
    frame: pd.DataFrame, total: Row | None, about: About, *, alt: str = "", colour: str = COLOUR, ax: Axes | None = None
) -> Figure:
    """Draw the members of one cut in one period as dots with intervals, sorted; `total` is the line to compare with.

    Counts are parts of their total, which they are not compared with.
    """
    with house_style():
        (shown, left_out), language = arranged(frame), speak(about)
        total = None if is_counted(shown) else total
        ax = ax or new_axes(0.9 + 0.24 * len(shown))
        rows: list[Row] = shown.to_dict("records")
        if total is not None and total["status"] == "ok":
            ax.axvline(total["value"], color=QUIET, linewidth=1, linestyle=(0, (4, 2)), zorder=1)
            text = language.say("all {value}", value=value(total, about))
            write_number(ax, text, (total["value"], 1), (0, 3), ("data", "axes fraction"), ha="center")
        room = max(110, 12 + 5 * sum(max(len(say(row, about)) for row in rows) for say in (value, cases)))
        for place, row in enumerate(rows):
            if row["status"] == "ok":
                ax.plot([row["low"], row["high"]], [place] * 2, color=colour, linewidth=2, alpha=0.5)
            draw_dot(ax, row["value"], place, row, colour)
            at, of = (1, place), ("axes fraction", "data")
            write_number(ax, value(row, about), at, (8, 0), of, va="center", weight=700, color=INK, size=8.5)
            if row["value"] != row["n"] or not is_counted(shown):
                write_number(ax, cases(row, about), at, (room, 0), of, va="center", ha="right", size=8.5)
        if shown["low"].isna().all():
            ax.set_xlim(0)
        set_scale(ax.xaxis, rows[0], about)
        ax.set_ylim(len(rows) - 0.4, -0.6)
        named = [language.member(row["cut"], row["member"]) for row in rows]
        ax.set_yticks(range(len(rows)), named, parse_math=False)
        ax.grid(axis="x")
        reading = _how_to_read(shown, _LINES, about)
        if left_out:
            reading.append(language.many(*LEFT_OUT, left_out))
        space = 26 if total is not None else 16
        put_title(ax, title_by(rows[0], about), language.semicolon.join(reading), space, language)
        return present(ax.figure, alt, language)


def arranged(frame: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Return a cut's rows as listed, and how many are left out.

    Bands, hours and weekdays stand in their own order, other members by value with doubtful ones last.
    """
    cut, size = str(frame["cut"].iloc[0]), frame["n"].fillna(0)
    most = MOST_ORDERED if is_ordered(cut) else MOST_MEMBERS
    largest = frame.loc[size.sort_values(ascending=False, kind="stable").index[:most]]
    if is_ordered(cut):
        order = sorted(largest.index, key=lambda at: own_place(cut, largest.loc[at, "member"]))
        return largest.loc[order], len(frame) - len(largest)
    doubtful = (largest["status"] != "ok") + 2 * (largest["member"] == NO_MEMBER)
    order = pd.DataFrame({"doubtful": doubtful, "value": -largest["value"].astype(float)}).sort_values(
        ["doubtful", "value"], kind="stable"
    )
    return largest.loc[order.index], len(frame) - len(largest)


def is_counted(frame: pd.DataFrame) -> bool:
    """Whether rows are counts of what happened, of which members are parts: not the mean of anything."""
    return all(map(signals.is_count, frame[frame["value"].notna()].to_dict("records")))


def cases(row: Row, about: About) -> str:
    """Return the number of cases as it stands beside a mark: `n = 1,204`, or nothing where it is not known."""
    return "" if pd.isna(row["n"]) else speak(about).say("n = {count}", count=speak(about).number(row["n"]))


def svg(figure: Figure, language: Language = ENGLISH) -> str:
    """Return the figure as an SVG element: the same bytes each time, no ids of its own groups.

    Text is text, but outlines in languages that run to the left: those who print an SVG may not join their letters.
    """
    buffer = StringIO()
    with house_style(), mpl.rc_context({"svg.fonttype": "path" if language.direction == "rtl" else "none"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    picture = buffer.getvalue()
    return _terse(re.sub(r'<g id="[\w.]+_\d+">', "<g>", picture[picture.index("<svg") :]))


def _terse(picture: str) -> str:
    """Return an SVG without layout, and with hundredths of a point at most."""

    def numbers(found: re.Match[str]) -> str:
        short = re.sub(r"(\d\.\d\d)\d+", r"\1", " ".join(found[0].split()))
        return re.sub(r" ?([A-Za-z]) (?=[\d.-])| (z)", lambda each: str(each[1] or each[2]), short)

    picture = re.sub(r'(?<= d=")[^"]+', numbers, picture)
    picture = re.sub(r"(?<=translate\()[^)]+", numbers, picture)
    return re.sub(r">\s+<", "><", picture)


def present(figure: Any, alt: str, language: Language = ENGLISH) -> Figure:
    """Make a figure display itself once, as SVG with its alternative text, and take it away from pyplot."""

    def bundle(include: Any = None, exclude: Any = None) -> tuple[dict[str, str], dict[str, Any]]:
        return {"image/svg+xml": svg(figure, language), "text/plain": alt}, {"image/svg+xml": {"alt": alt}}

    figure._repr_mimebundle_ = bundle
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close(figure)
    return figure


def new_axes(height: float) -> Axes:
    return Figure(figsize=(WIDTH, height), layout="constrained").add_subplot()


def is_sure(row: Row) -> bool:
    return row["status"] == "ok" and not row["provisional"]


def draw_dot(ax: Axes, x: float, y: float, row: Row, colour: str) -> None:
    """Draw a value: full when sure, hollow when provisional, hollow and without colour when of too few cases."""
    colour = QUIET if row["status"] == "small_sample" else colour
    ax.plot(x, y, "o", color=colour, markersize=5, markerfacecolor=colour if is_sure(row) else "white")


def write_number(
    ax: Axes, text: str, at: tuple[float, float], offset: tuple[float, float], of: Any, **style: Any
) -> None:
    """Write text beside a point given in the coordinates `of`, `offset` printer's points away."""
    style = {"size": 8, "color": QUIET, "annotation_clip": False, **style}
    ax.annotate(labelled(text), at, offset, xycoords=of, textcoords="offset points", **style)


def put_title(ax: Axes, title: str, reading: str, space: float = 16, language: Language = ENGLISH) -> None:
    """Head the figure with the title and, in small letters under it, how the marks are to be read."""
    space = space if reading else space - 10
    ax.set_title(" ", pad=space, size=10)  # keeps the room for what is written over it
    _write_line(ax, title, 1, space, language, weight=700, size=10, color=INK)
    _write_line(ax, reading, 1, space - 11, language)


def _put_foot(ax: Axes, lines: Sequence[str], language: Language) -> None:
    """Write lines of small letters under the time axis."""
    ax.set_xlabel("\n".join(" " * len(lines)), size=8)  # keeps the room for what is written over it
    mark = RIGHT_TO_LEFT if language.direction == "rtl" else ""
    _write_line(ax, "\n".join(mark + line for line in lines), 0, -_FOOT_BELOW, language, va="top")


def _write_line(ax: Axes, text: str, height: float, away: float, language: Language, **style: Any) -> None:
    """Write from where lines of the language begin, at a height of the axes and so many points away from it."""
    alone = len(ax.figure.axes) == 1
    side, margin, begin = ("right", -3, 1) if language.direction == "rtl" else ("left", 3, 0)
    of = ("figure fraction" if alone else "axes fraction", "axes fraction")
    write_number(ax, text, (begin, height), (margin, away), of, ha=side, in_layout=not alone, **style)


def _how_to_read(frame: pd.DataFrame, interval: str, about: About) -> list[str]:
    """Return what the marks of a figure's intervals and hollow dots mean."""
    say, known = speak(about).say, frame["value"].notna()
    provisional = (known & frame["provisional"].astype(bool)).any()
    few = (known & (frame["status"] == "small_sample")).any()
    reading = [say(interval)] if frame["low"].notna().any() else []
    if provisional and few:
        return [*reading, say("hollow: provisional or too few cases")]
    if provisional:
        reading.append(say("hollow: provisional"))
    return [*reading, say("hollow: too few cases")] if few else reading


def _draw_limits(ax: Axes, values: Sequence[float], judgement: Judgement) -> None:
    """Draw the natural process limits, if there are any, and a ring around each value that breaks a rule of theirs."""
    if not judgement.low:
        return
    places = range(len(values))
    ax.fill_between(places, judgement.low, judgement.high, color=INK, alpha=0.035, linewidth=0, step="mid")
    for limits in (judgement.low, judgement.high):
        ax.step(places, limits, where="mid", color=QUIET, linewidth=0.9, linestyle=(0, (1, 2)), zorder=1)
    for place, rule in enumerate(judgement.rules):
        if rule:
            ax.plot(place, values[place], "o", color=INK, markersize=11, markerfacecolor="none", markeredgewidth=1.2)


def _draw_marks(ax: Axes, marked: Sequence[Mark]) -> None:
    """Write the letters of events over their periods, with a line down and, for what lasted, one across."""
    letters: dict[int, list[str]] = {}
    for mark in marked:
        letters.setdefault(mark.first, []).append(mark.letter)
        if mark.last > mark.first:
            ax.hlines(1, mark.first, mark.last, QUIET, linewidth=1.2, transform=ax.get_xaxis_transform(), clip_on=False)
    for place, those in letters.items():
        ax.axvline(place, color=LINE, linewidth=1, zorder=0.5)
        write_number(
            ax, " ".join(those), (place, 1), (0, 2), ("data", "axes fraction"), ha="center", weight=700, color=INK
        )


def _draw_target(ax: Axes, row: Row, about: About) -> None:
    bounds = [float(row[bound]) for bound in ("target_low", "target_high") if not pd.isna(row[bound])]
    if not bounds:
        return
    if len(bounds) == 2:
        ax.axhspan(*bounds, color=QUIET, alpha=0.1, linewidth=0)
    for bound in bounds:
        ax.axhline(bound, color=QUIET, linewidth=1.1, linestyle=(0, (5, 3)), zorder=1)
    at, of = (1, sum(bounds) / len(bounds)), ("axes fraction", "data")
    write_number(ax, target(row, about, _TARGETS), at, (6, 0), of, va="center")


def _draw_last(ax: Axes, values: Sequence[float], row: Row, about: About, away: float) -> float:
    """Write the last value on the side of its point where the line does not come from, but clear of the time axis.

    Where the target's line runs there it stands to the right of its point. Returns the periods of room that it needs.
    """
    if pd.isna(values[-1]):
        return 0.0
    low, high = ax.get_ylim()
    fell = len(values) > 1 and values[-1] < values[-2]
    below = fell and values[-1] - low > 0.2 * (high - low)
    text = value(row, about) if row["status"] == "ok" else cases(row, about)
    style: dict[str, Any] = {"ha": "right", "va": "top" if below else "bottom", "weight": 700, "color": INK, "size": 9}
    style["path_effects"] = [withStroke(linewidth=2.5, foreground="white")]
    last, side = (len(values) - 1, values[-1]), -1 if below else 1
    bounds = [row[bound] for bound in ("target_low", "target_high") if not pd.isna(row[bound])]
    if any(0 <= side * (bound - values[-1]) <= 0.2 * (high - low) for bound in bounds):
        write_number(ax, text, last, (away + 1, 0), "data", **(style | {"ha": "left", "va": "center"}))
        return 0.26 * len(text)
    write_number(ax, text, last, (5, away * side), "data", **style)
    return 0.0


def _limit(ax: Axes, unit: str) -> None:
    """Leave room for the labels, keep zero in sight when it is near, and never show more than 0 to 100 percent."""
    low, high = ax.get_ylim()
    room = 0.08 * (high - low)
    bottom = 0 if unit != "points" and 0 <= ax.dataLim.y0 < 0.35 * high else low - room
    ax.set_ylim(bottom, min(high + room, 102) if unit == "percent" else high + room)


def period_labels(periods: Sequence[str], language: Language) -> list[str]:
    """Label months and quarters shortly, with the year under the first and under the first of each year."""
    labels = []
    for place, period in enumerate(map(Period.parse, periods)):
        name = language.month(period) if period.months < 12 else language.year(period)
        starts_year = place == 0 or period.ordinal * period.months % 12 == 0
        labels.append(f"{name}\n{language.year(period)}" if period.months < 12 and starts_year else name)
    return labels


def fit_labels(ax: Axes, size: float, room: float) -> None:
    """Make labels of a `size` side by side so small that they do not touch, `room` points in all."""
    labels = ax.get_xticklabels()
    fits = room / len(labels) / (1.1 * max(_width(ax, label) for label in labels))
    for label in labels:
        label.set_fontsize(size * min(1.0, max(0.75, fits)))


def _width(ax: Axes, text: Text) -> float:
    """Return a text's width in points."""
    return float(text.get_window_extent().width * 72 / ax.figure.dpi)


@cache
def _style() -> dict[str, Any]:
    """Return the house style; the report's own fonts are registered with matplotlib at first use."""
    folder = files("kpi_lib").joinpath("publish", "fonts")
    fonts = [font for font in folder.iterdir() if font.name.endswith(".ttf")] if folder.is_dir() else []
    for font in fonts:
        with as_file(font) as path:
            fontManager.addfont(path)
    return {
        "font.family": [*(["Inter", "IBM Plex Sans Arabic"] if fonts else []), "DejaVu Sans", "sans-serif"],
        "font.sans-serif": ["DejaVu Sans"],  # else every text of an SVG names a dozen fonts
        "font.size": 9,
        "text.color": INK,
        "text.parse_math": False,
        "axes.edgecolor": LINE,
        "axes.labelcolor": QUIET,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.spines.left": False,
        "axes.axisbelow": True,
        "axes.prop_cycle": cycler(color=[COLOUR, "#b5541c", "#3a7d5d", "#7a5195", "#8c8c8c"]),
        "grid.color": "#e6e6e6",
        "grid.linewidth": 0.7,
        "xtick.color": LINE,
        "ytick.color": LINE,
        "xtick.labelcolor": QUIET,
        "ytick.labelcolor": QUIET,
        "xtick.labelsize": 8.5,
        "ytick.labelsize": 8.5,
        "ytick.major.size": 0,
        "legend.frameon": False,
        "figure.facecolor": "white",
        "svg.fonttype": "none",
        "svg.hashsalt": "kpi",
    }

"""Heat maps: the hours of a week and the cohorts of customers, each cell with its number, none told by colour alone.

The stronger a cell's colour, the more it wants to be looked at: much demand, bad service, many customers gone. A page
may be dark, so no text calls a cell dark. A cell of too few cases is hatched and has a dash for its number.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from kpi_lib.captions import short, unnumbered
from kpi_lib.charts import COLOUR, QUIET, WIDTH, fit_labels, house_style, new_axes, present, put_title
from kpi_lib.display import Column, Table
from kpi_lib.insight import About, Row, value
from kpi_lib.language import NO_MEMBER, Language, forms, speak
from kpi_lib.period import Period
from kpi_lib.units import NONE, printed

WEEK = "weekday_hour"  # the cut: `1 mon 09`
LEAST_SHARE = 0.01  # of all, below which an hour of the day is not drawn
COHORTS = 13  # months that are drawn
COMPARED_AGE = 3  # months after which cohorts are compared
SIGNIFICANT = 0.05
_MOST_LETTERS = 5  # of a number in a cell
_HOURS_WIDTH = 40  # points at the left of a week
_DARKEST, _LIGHTEST = 0.92, 0.05  # how much of the colour
_MIDDLE = 0.179  # the luminance on which black and white have the same contrast, 4.6
_LOWER = forms(
    "{title}: lowest on {cell} ({value}); it is below {all}, that of all, by more than the margin of error in {found}"
    " of {count} hour, where chance alone would put {chance}.",
    "{title}: lowest on {cell} ({value}); it is below {all}, that of all, by more than the margin of error in {found}"
    " of {count} hours, where chance alone would put {chance}.",
)
_HIGHER = forms(
    "{title}: highest on {cell} ({value}); it is above {all}, that of all, by more than the margin of error in {found}"
    " of {count} hour, where chance alone would put {chance}.",
    "{title}: highest on {cell} ({value}); it is above {all}, that of all, by more than the margin of error in {found}"
    " of {count} hours, where chance alone would put {chance}.",
)


def week_in_words(frames: Sequence[pd.DataFrame], totals: Sequence[Row], about: About) -> str:
    """Say in which hour of the week each KPI is at its most, or at its worst."""
    return " ".join(_extreme(frame, total, about) for frame, total in zip(frames, totals, strict=True))


def week(frames: Sequence[pd.DataFrame], about: About, *, alt: str = "", colour: str = COLOUR) -> Figure:
    """Draw KPIs by hour and weekday, beside each other; the hours are those in which the first one has cases."""
    with house_style():
        to, hours = speak(about), _hours(frames[0])
        days = sorted({day for frame in frames for _, day in _cells(frame)})
        figure = Figure(figsize=(WIDTH, 0.7 + 0.19 * len(hours)), layout="constrained")
        panels = figure.subplots(1, len(frames), sharey=True, squeeze=False)[0]
        for ax, frame in zip(panels, frames, strict=True):
            first: Row = frame.to_dict("records")[0]
            _grid(ax, _cells(frame), hours, days, first["better"] == "higher", colour, to)
            ax.set_xticks(range(len(days)), [unnumbered(day, WEEK, to) for day in days])
            ax.set_yticks(range(len(hours)), hours)
            fit_labels(ax, 8.5, (72 * WIDTH - _HOURS_WIDTH) / len(frames))
            put_title(ax, short(first["kpi"], about), _unsure(_cells(frame), _week_reading(first, to), to), language=to)
        return present(figure, alt, to)


def week_table(frames: Sequence[pd.DataFrame], about: About) -> Table:
    """Return the hours of the week as a table: for each weekday the values, and in brackets the number of cases."""
    to, all_cells = speak(about), [_cells(frame) for frame in frames]
    days = sorted({day for cells in all_cells for _, day in cells})
    names = [short(frame["kpi"].iloc[0], about) for frame in frames]
    columns = [Column(to.say("Hour"), "left")]
    named = [unnumbered(day, WEEK, to) for day in days]
    columns += [Column(f"{day}{to.comma}{name}" if len(names) > 1 else day) for day in named for name in names]
    lines = []
    for hour in sorted({hour for cells in all_cells for hour, _ in cells}):
        found = [cells.get((hour, day)) for day in days for cells in all_cells]
        lines.append([hour, *("" if row is None else _with_cases(row, about) for row in found)])
    caption = to.say("{titles} by hour and weekday", titles=to.listed(names))
    return Table(caption, columns, lines, [to.say("In brackets the number of cases; – for too few.")])


def cohort_cells(frame: pd.DataFrame, last: Period) -> dict[tuple[str, int], Row]:
    """Return the rows of the latest cohorts by cohort and by months since they joined."""
    cells = {}
    for row in frame.to_dict("records"):
        if row["member"] == NO_MEMBER or pd.isna(row["n"]) or row["n"] == 0:
            continue
        joined = Period.parse(row["member"])
        age = Period.parse(row["period"]).ordinal - joined.ordinal
        if age >= 0 and last.ordinal - joined.ordinal < COHORTS:
            cells[str(joined), age] = row
    return cells


def cohorts_in_words(cells: Mapping[tuple[str, int], Row], about: About) -> str:
    """Say which cohort lost most after three months, or that they do not differ by more than chance explains."""
    from scipy.stats import chi2_contingency

    to = speak(about)
    rows = {cohort: row for (cohort, age), row in cells.items() if age == COMPARED_AGE and row["status"] == "ok"}
    if len(rows) < 2:
        return to.say(
            "{months} months after joining it is too early to compare cohorts.", months=to.number(COMPARED_AGE)
        )
    ordered = sorted(rows, key=lambda cohort: rows[cohort]["value"])
    kept = np.array([[row["numerator"], row["denominator"] - row["numerator"]] for row in rows.values()])
    differ = (kept.sum(axis=0) > 0).all() and chi2_contingency(kept).pvalue < SIGNIFICANT
    given = {
        "months": to.number(COMPARED_AGE),
        "worst": to.period(Period.parse(ordered[0])),
        "least": value(rows[ordered[0]], about),
        "best": to.period(Period.parse(ordered[-1])),
        "most": value(rows[ordered[-1]], about),
        "all": printed(100 * kept[:, 0].sum() / kept.sum(), "percent", language=to),
    }
    if differ:
        return to.say(
            "Of those who joined in {worst} the fewest were still there after {months} months: {least}, of all cohorts"
            " {all}; the cohorts differ by more than chance explains.",
            **given,
        )
    return to.say(
        "After {months} months {all} were still there, from {least} ({worst}) to {most} ({best}): the cohorts do not"
        " differ by more than chance explains.",
        **given,
    )


def cohorts(cells: Mapping[tuple[str, int], Row], about: About, *, alt: str = "", colour: str = COLOUR) -> Figure:
    """Draw the share of each month's new customers who are still there after so many months."""
    with house_style():
        to = speak(about)
        names = sorted({cohort for cohort, _ in cells})
        ages = list(range(max(age for _, age in cells) + 1))
        ax = new_axes(1.0 + 0.2 * len(names))
        _grid(ax, cells, names, ages, True, colour, to)
        ax.set_xticks(range(len(ages)), [to.number(age) for age in ages])
        ax.set_yticks(range(len(names)), [_joined(name, cells, to) for name in names])
        ax.set_xlabel(to.say("months after the month of joining"), size=8.5)
        reading = to.say("% there at the end of that month; stronger colour: more have left")
        put_title(
            ax, to.say("Who is still there of those who joined in a month"), _unsure(cells, reading, to), language=to
        )
        return present(ax.figure, alt, to)


def cohort_table(cells: Mapping[tuple[str, int], Row], about: About) -> Table:
    """Return the cohorts as a table: how many joined, and the share there after each number of months."""
    to, ages = speak(about), range(max(age for _, age in cells) + 1)
    columns = [Column(to.say("Joined in"), "left"), Column("n"), *(Column(to.number(age)) for age in ages)]
    lines = []
    for cohort in sorted({cohort for cohort, _ in cells}):
        rows = [cells.get((cohort, age)) for age in ages]
        joined = max(row["n"] for row in rows if row is not None)
        shares = ["" if row is None else value(row, about) for row in rows]
        lines.append([to.period(Period.parse(cohort)), to.number(joined), *shares])
    how = to.say("Of all who joined in the month, the share who are there so many months later, at the month's end.")
    return Table(to.say("Who is still there of those who joined in a month"), columns, lines, [how])


def _extreme(frame: pd.DataFrame, total: Row, about: About) -> str:
    """Say where a KPI is worst, with how many hours are worse than all by more than chance; or where it is largest."""
    to, sure = speak(about), frame[(frame["status"] == "ok") & frame["value"].notna()]
    title = short(total["kpi"], about)
    if sure.empty:
        return to.say("{title}: too few cases in every hour of the week.", title=title)
    down = total["better"] == "higher"
    row = sure.loc[sure["value"].idxmin() if down else sure["value"].idxmax()].to_dict()
    given: dict[str, Any] = {"title": title, "cell": unnumbered(row["member"], WEEK, to), "value": value(row, about)}
    tested = sure[sure["low"].notna()]
    if total["better"] not in ("higher", "lower") or total["status"] != "ok" or tested.empty:
        return to.say("{title}: most on {cell} ({value}).", **given)
    found = (tested["high"] < total["value"]) if down else (tested["low"] > total["value"])
    given |= {"all": value(total, about), "found": to.number(int(found.sum()))}
    chance = to.number(round(SIGNIFICANT / 2 * len(tested)))
    return to.many(*(_LOWER if down else _HIGHER), len(tested), chance=chance, **given)


def _cells(frame: pd.DataFrame) -> dict[tuple[str, str], Row]:
    """Return the rows of a KPI by hour and weekday."""
    rows = frame[frame["member"] != NO_MEMBER].to_dict("records")
    return {(str(row["member"]).rpartition(" ")[2], str(row["member"]).rpartition(" ")[0]): row for row in rows}


def _hours(frame: pd.DataFrame) -> list[str]:
    """Return the hours of the day from the first to the last in which more than a few cases fall."""
    hour = frame["member"].str.rpartition(" ")[2]
    cases = frame["n"].groupby(hour).sum()
    busy = sorted(cases[cases >= LEAST_SHARE * cases.sum()].drop(NO_MEMBER, errors="ignore").index)
    return [f"{number:02d}" for number in range(int(busy[0]), int(busy[-1]) + 1)]


def _grid(
    ax: Axes,
    cells: Mapping[Any, Row],
    rows: Sequence[Any],
    columns: Sequence[Any],
    down: bool,
    colour: str,
    to: Language,
) -> None:
    """Draw cells with their numbers; the darkest is the lowest value if `down`, else the highest."""
    drawn = dict(_placed(cells, rows, columns))
    known = [float(row["value"]) for row in drawn.values() if _is_known(row)]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    for (y, x), row in drawn.items():
        if not _is_known(row):
            style: dict[str, Any] = {"facecolor": "white", "edgecolor": "#c4c4c4", "hatch": "/////", "linewidth": 0}
            ax.add_patch(Rectangle((x - 0.47, y - 0.46), 0.94, 0.92, **style))
            _write(ax, x, y, NONE, QUIET)
            continue
        share = (float(row["value"]) - low) / ((high - low) or 1)
        face = _shade(colour, 1 - share if down else share)
        ax.add_patch(Rectangle((x - 0.48, y - 0.47), 0.96, 0.94, facecolor=face, linewidth=0))
        _write(ax, x, y, _number(row, to), "black" if _luminance(face) > _MIDDLE else "white")
    ax.set_xlim(-0.5, len(columns) - 0.5)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.tick_params(length=0)
    ax.spines["bottom"].set_visible(False)


def _placed(
    cells: Mapping[Any, Row], rows: Sequence[Any], columns: Sequence[Any]
) -> Iterator[tuple[tuple[int, int], Row]]:
    for y, row in enumerate(rows):
        for x, column in enumerate(columns):
            if (found := cells.get((row, column))) is not None and found["status"] != "undefined":
                yield (y, x), found


def _is_known(row: Row) -> bool:
    return row["status"] == "ok" and not pd.isna(row["value"])


def _shade(colour: str, share: float) -> tuple[float, ...]:
    """Return so much of a colour on white."""
    part = _LIGHTEST + share * (_DARKEST - _LIGHTEST)
    return tuple(1 - part * (1 - channel) for channel in to_rgb(colour))


def _luminance(face: tuple[float, ...]) -> float:
    """Return the relative luminance of a colour, 0 to 1, as contrast is computed by."""
    linear = [channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4 for channel in face]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


def _write(ax: Axes, x: float, y: float, text: str, colour: str) -> None:
    if len(text) <= _MOST_LETTERS:
        ax.text(x, y, text, ha="center", va="center", size=8, color=colour)


def _number(row: Row, to: Language) -> str:
    """Return a cell's number: of a percentage the whole number, which the figure's reading says is one."""
    if row["unit"] in ("percent", "points"):
        return to.number(round(float(row["value"])))
    return printed(float(row["value"]), row["unit"], decimals=0, language=to)


def _with_cases(row: Row, about: About) -> str:
    """Return the value and, unless it is a count itself, the number of cases."""
    if row["unit"] == "count":
        return value(row, about)
    return f"{value(row, about)} ({speak(about).number(0 if pd.isna(row['n']) else row['n'])})"


def _week_reading(row: Row, to: Language) -> str:
    if row["unit"] != "percent":
        return to.say("stronger colour: lower") if row["better"] == "higher" else to.say("stronger colour: more")
    return (
        to.say("in %; stronger colour: lower") if row["better"] == "higher" else to.say("in %; stronger colour: higher")
    )


def _joined(cohort: str, cells: Mapping[tuple[str, int], Row], to: Language) -> str:
    """Return the name of a cohort and how many joined in it."""
    joined = max(row["n"] for (name, _), row in cells.items() if name == cohort)
    return to.say("{month}, n = {count}", month=to.period(Period.parse(cohort)), count=to.number(joined))


def _unsure(cells: Mapping[Any, Row], reading: str, to: Language) -> str:
    """Add to how a figure is read what hatched cells are, if it has any."""
    if all(_is_known(row) for row in cells.values() if row["status"] != "undefined"):
        return reading
    return to.say("{reading}; hatched: too few", reading=reading)

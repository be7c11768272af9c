"""Figures that answer one question each: why it moved, which few matter, what is left, when, and how long.

Drawn like those of `charts`: rows of the scorecard in, a matplotlib figure in the house style out. Dark and light, full
and hollow, line and hatch tell marks apart, so that all of them can be read without colour.
"""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from kpi_lib.captions import unnumbered
from kpi_lib.charts import (
    COLOUR,
    INK,
    LEFT_OUT,
    MOST_MEMBERS,
    QUIET,
    WIDTH,
    arranged,
    cases,
    draw_dot,
    house_style,
    is_sure,
    new_axes,
    present,
    put_title,
    write_number,
)
from kpi_lib.drivers import Drivers
from kpi_lib.insight import About, Row, title_by, value
from kpi_lib.language import MINUS, NO_MEMBER, Language, message, speak
from kpi_lib.scales import set_durations, set_scale, set_steps
from kpi_lib.units import SECONDS

MOST_PARTS = 10
VITAL = 80  # percent of the whole that the few which matter make (Juran)
LIGHT = 0.35  # the opacity of what counts less


def contributions(moved: Drivers, about: About, *, alt: str = "", colour: str = COLOUR) -> Figure:
    """Draw what each member brought to a change, by its own value and by its weight; the bars add up to the change."""
    with house_style():
        rows, say = _with_total(moved, about), speak(about).say
        ax = new_axes(0.9 + 0.32 * len(rows))
        for place, row in enumerate(rows):
            for name, at in (("rate", place - 0.17), ("mix", place + 0.17)):
                _part(ax, at, row[name], moved.signed(row[name], about), name, row, colour)
            style = {"va": "center", "ha": "right", "weight": 700, "color": INK, "size": 8.5}
            together = moved.signed(row["together"], about)
            write_number(ax, together, (1, place), (48, 0), ("axes fraction", "data"), **style)
        write_number(ax, say("together"), (1, 1), (48, 3), "axes fraction", ha="right")
        ax.axvline(0, color=INK, linewidth=0.9)
        ax.axhline(len(rows) - 1.5, color=QUIET, linewidth=0.7)
        ax.set_ylim(len(rows) - 0.45, -0.55)
        named = [speak(about).member(moved.cut, row["member"]) for row in rows]
        ax.set_yticks(range(len(rows)), named, parse_math=False)
        ax.margins(x=0.16)
        unit = "points" if moved.now["unit"] == "percent" else moved.now["unit"]
        set_steps(ax.xaxis, unit, lambda amount: moved.signed(amount, about))
        ax.grid(axis="x")
        reading = [say("full: within each {cut}", cut=speak(about).cut(moved.cut)), say("hatched: the mix")]
        if not all(row["sure"] for row in rows):
            reading.append(say("hollow: too few cases"))
        put_title(
            ax,
            say("What moved it: {title}", title=moved.now["title"]),
            speak(about).semicolon.join(reading),
            26,
            speak(about),
        )
        return present(ax.figure, alt, speak(about))


def pareto(frame: pd.DataFrame, about: About, *, alt: str = "", colour: str = COLOUR) -> Figure:
    """Draw a table KPI's shares as bars, largest first, with the share so far; the few that matter are dark."""
    with house_style():
        shown = cumulated(frame)
        rows: list[Row] = shown.head(MOST_MEMBERS).to_dict("records")
        language = speak(about)
        ax = new_axes(0.9 + 0.24 * len(rows))
        for place, row in enumerate(rows):
            face = "white" if row["status"] != "ok" else to_rgba(colour, 1 if row["vital"] else LIGHT)
            ax.barh(place, row["value"], height=0.66, facecolor=face, edgecolor=QUIET if face == "white" else face)
            of = (1, place), ("axes fraction", "data")
            write_number(
                ax, value(row, about), of[0], (44, 0), of[1], va="center", ha="right", weight=700, color=INK, size=8.5
            )
            count = language.number(row["numerator"])
            write_number(ax, count, of[0], (90, 0), of[1], va="center", ha="right", size=8.5)
        ax.plot([row["so_far"] for row in rows], range(len(rows)), color=QUIET, linewidth=1.2, marker=".", markersize=5)
        ax.set_xlim(0, 102)
        set_scale(ax.xaxis, rows[0], about)
        ax.set_ylim(len(rows) - 0.4, -0.6)
        named = [language.member(row["cut"], row["member"]) for row in rows]
        ax.set_yticks(range(len(rows)), named, parse_math=False)
        ax.grid(axis="x")
        vital = language.say("dark: the fewest that make {share}", share=language.percent(VITAL, 0))
        reading = [language.say("line: share so far"), vital]
        if len(shown) > len(rows):
            reading.append(language.many(*LEFT_OUT, len(shown) - len(rows)))
        put_title(ax, rows[0]["title"], language.semicolon.join(reading), language=language)
        return present(ax.figure, alt, language)


def cumulated(frame: pd.DataFrame) -> pd.DataFrame:
    """Return shares largest first, `(none)` last, with the share so far and whether a member is of the vital few."""
    rows = frame.assign(last=frame["member"] == NO_MEMBER)  # before they are chosen: to none, pandas would add all
    rows = rows[rows["value"].notna()].sort_values(["last", "value"], ascending=[True, False], kind="stable")
    so_far = rows["value"].cumsum()
    vital = (so_far - rows["value"] < VITAL - 1e-9) & ~rows["last"]
    return rows.drop(columns="last").assign(so_far=so_far, vital=vital)


def waterfall(rows: Sequence[Row], about: About, *, alt: str = "", colour: str = COLOUR) -> Figure:
    """Draw what is left step by step: numbers that shall be high are levels, those that shall be low are taken away."""
    with house_style():
        ax, language = new_axes(0.8 + 0.31 * len(rows)), speak(about)
        level = 0.0
        for place, row in enumerate(rows):
            taken, before = row["better"] == "lower", level
            level = before - row["value"] if taken else row["value"]
            ends = sorted((before, level)) if taken else [min(0.0, level), max(0.0, level)]
            style: dict[str, Any] = {"facecolor": "white", "hatch": "////"} if taken else {"facecolor": colour}
            ax.barh(place, ends[1] - ends[0], left=ends[0], height=0.6, edgecolor=colour, linewidth=1, **style)
            if place + 1 < len(rows):
                ax.plot([level, level], [place, place + 1], color=QUIET, linewidth=0.8, zorder=0)
            number = language.signed(MINUS, value(row, about)) if taken else value(row, about)
            text = {"va": "center", "weight": 700, "color": INK, "size": 9}
            write_number(ax, number, (ends[1], place), (5, 0), "data", **text)
        low, high = ax.get_xlim()
        ax.set_xlim(min(low, 0), high + 0.2 * (high - low))
        set_scale(ax.xaxis, rows[0], about)
        ax.axvline(0, color=INK, linewidth=0.9)
        ax.set_ylim(len(rows) - 0.5, -0.5)
        names = [about["kpis"].get(row["kpi"], {}).get("short") or row["title"] for row in rows]
        ax.set_yticks(range(len(rows)), names, parse_math=False)
        ax.grid(axis="x")
        reading = [language.say("full: what there is"), language.say("hatched: what is taken away")]
        title = language.say("From {title} to what is left", title=rows[0]["title"])
        put_title(ax, title, language.semicolon.join(reading), language=language)
        return present(ax.figure, alt, language)


def beside(upper: pd.DataFrame, lower: pd.DataFrame, about: About, *, alt: str = "", colour: str = COLOUR) -> Figure:
    """Draw two KPIs by the same members, in their own order: above how much (bars), below how well (dots)."""
    with house_style():
        amounts: list[Row] = upper[upper["value"].notna()].to_dict("records")
        members = [str(row["member"]) for row in amounts]
        figure = Figure(figsize=(WIDTH, 3.1), layout="constrained")
        above, below = figure.subplots(2, sharex=True)
        most = max(row["value"] for row in amounts)
        for place, row in enumerate(amounts):
            above.bar(place, row["value"], width=0.7, color=colour, alpha=1 if row["value"] == most else 0.6)
            if len(members) <= 8 or row["value"] == most:
                write_number(above, value(row, about), (place, row["value"]), (0, 3), "data", ha="center", color=INK)
        for row in lower.to_dict("records"):
            if row["member"] in members and not pd.isna(row["value"]):
                place = members.index(row["member"])
                if row["status"] == "ok":
                    below.plot([place] * 2, [row["low"], row["high"]], color=colour, linewidth=2, alpha=0.5)
                draw_dot(below, place, row["value"], row, colour)
        above.margins(y=0.18)
        below.margins(y=0.15)
        first: list[Row] = [amounts[0], *lower.head(1).to_dict("records")]
        for ax, row in zip((above, below), first, strict=True):
            set_scale(ax.yaxis, row, about)
            ax.grid(axis="y")
        below.set_xticks(
            range(len(members)), [unnumbered(member, amounts[0]["cut"], speak(about)) for member in members]
        )
        below.set_xlim(-0.6, len(members) - 0.4)
        say = speak(about).say
        reading = [say("lines: 95% interval")] if lower["low"].notna().any() else []
        if (lower["status"] == "small_sample").any():
            reading.append(say("hollow: too few cases"))
        put_title(above, title_by(first[0], about), "", 16, speak(about))
        put_title(below, title_by(first[1], about), speak(about).semicolon.join(reading), 18, speak(about))
        return present(figure, alt, speak(about))


def waits(
    halves: pd.DataFrame, tails: pd.DataFrame, about: About, *, alt: str = "", colour: str = COLOUR,
) -> Figure:  # fmt: skip
    """Draw by member what half and what nine in ten waited less than, with intervals, on a scale of powers."""
    with house_style():
        (shown, left_out), language = arranged(halves), speak(about)
        rows: list[Row] = shown.to_dict("records")
        ends = {row["member"]: row for row in tails.to_dict("records")}
        ax = new_axes(0.9 + 0.32 * len(rows))
        for place, row in enumerate(rows):
            end = ends.get(row["member"])
            pair = [row, *([end] if end is not None and not pd.isna(end["value"]) else [])]
            ax.plot([_at(each, "value") for each in pair], [place] * len(pair), color=QUIET, linewidth=0.8, zorder=1)
            near = len(pair) == 2 and pair[1]["value"] < 3 * row["value"]
            for each, mark, side in zip(pair, "oD", ("right", "left"), strict=False):
                _wait(ax, place, each, mark, colour)
                at, ha = (_at(each, "value"), place), side if near else "center"
                write_number(ax, value(each, about), at, (0, 6), "data", ha=ha, color=INK)
            of = ("axes fraction", "data")
            write_number(ax, cases(row, about), (1, place), (52, 0), of, va="center", ha="right", size=8.5)
        _power_scale(ax, rows[0]["unit"], language)
        ax.set_ylim(len(rows) - 0.5, -0.7)
        named = [language.member(row["cut"], row["member"]) for row in rows]
        ax.set_yticks(range(len(rows)), named, parse_math=False)
        ax.grid(axis="x")
        marks = [message("dot: half waited less"), message("diamond: nine in ten"), message("thick: 95% interval")]
        if not all(map(is_sure, rows)):
            marks.append(message("hollow: too few cases or provisional"))
        reading = [language.say(mark) for mark in marks]
        if left_out:
            reading.append(language.many(*LEFT_OUT, left_out))
        put_title(ax, title_by(rows[0], about), language.semicolon.join(reading), language=language)
        return present(ax.figure, alt, language)


def _with_total(moved: Drivers, about: About) -> list[dict[str, Any]]:
    """Return the lines of the figure: the largest parts, the others as one, and all together."""
    parts = moved.parts
    shown = parts if len(parts) <= MOST_PARTS + 1 else parts.head(MOST_PARTS)
    rows = [{str(name): part for name, part in row.items()} for row in shown.to_dict("records")]
    language, left = speak(about), len(parts) - len(shown)
    others = language.many("{count} other", "{count} others", left)
    for name, of in ((others, parts.iloc[len(shown) :]), (language.say("all"), parts)):
        if len(of):
            sums = {part: float(of[part].sum()) for part in ("rate", "mix", "together")}
            rows.append({"member": name, "sure": True, **sums})
    return rows


def _part(ax: Axes, at: float, amount: float, text: str, name: str, row: dict[str, Any], colour: str) -> None:
    edge = colour if row["sure"] else QUIET
    style: dict[str, Any] = {"hatch": "/////", "facecolor": "white"} if name == "mix" else {"facecolor": colour}
    if not row["sure"]:
        style["facecolor"] = "white"
    ax.barh(at, amount, height=0.32, edgecolor=edge, linewidth=0.8, **style)
    left = amount < 0
    offset, side = (-3, "right") if left else (3, "left")
    write_number(ax, text, (amount, at), (offset, 0), "data", va="center", ha=side, size=7.5, color=INK)


def _wait(ax: Axes, place: float, row: Row, mark: str, colour: str) -> None:
    colour = QUIET if row["status"] == "small_sample" else colour
    if row["status"] == "ok":
        ends = [_at(row, "low"), _at(row, "high")]
        ax.plot(ends, [place] * 2, color=colour, linewidth=3, alpha=0.45, solid_capstyle="butt")
    ax.plot(
        _at(row, "value"), place, mark, color=colour, markersize=5, markerfacecolor=colour if is_sure(row) else "white"
    )


def _at(row: Row, name: str) -> float:
    """Return where a wait stands on a scale of powers, on which no wait is shorter than a second."""
    return max(float(row[name]), 1 / SECONDS.get(row["unit"], 1))


def _power_scale(ax: Axes, unit: str, language: Language) -> None:
    """Give the axis of waiting times steps that people name: 5 minutes, an hour, a day."""
    scale = SECONDS.get(unit)
    ax.set_xscale("log")
    if scale:
        set_durations(ax.xaxis, scale, language)
        ax.margins(x=0.12)

"""What a figure shows, in a sentence: its text for those who cannot see it."""

import re
from collections.abc import Sequence
from typing import Any

import pandas as pd

from kpi_lib import insight
from kpi_lib.events import marks
from kpi_lib.insight import About, Row
from kpi_lib.language import MEMBERS, NO_MEMBER, Language, forms, message, speak
from kpi_lib.units import NONE, printed

MOST_SAID = 3  # members in a sentence
_ORDERED = ("hour", "weekday", "weekday_hour", "age_band", "tenure_band", "cohort")  # cuts with an order of their own
_NONE_BELOW = message("{title}: no {cut} lies below {all}, that of all, by more than the margin of error.")
_NONE_ABOVE = message("{title}: no {cut} lies above {all}, that of all, by more than the margin of error.")
_BELOW = forms(
    "{title}: {members} lies below {all}, that of all, by more than the margin of error.",
    "{title}: {members} lie below {all}, that of all, by more than the margin of error.",
)
_ABOVE = forms(
    "{title}: {members} lies above {all}, that of all, by more than the margin of error.",
    "{title}: {members} lie above {all}, that of all, by more than the margin of error.",
)


def of_trend(frame: pd.DataFrame, sentence: str, about: About) -> str:
    """Say what a trend shows, what is known of its last number and which events are marked."""
    to, marked = speak(about), marks(frame, about)
    said = to.many(
        "{title} over {count} period. {finding}",
        "{title} over {count} periods. {finding}",
        len(frame),
        title=frame["title"].iloc[-1],
        finding=sentence,
    )
    if not marked:
        return said
    events = to.semicolon.join(mark.said for mark in marked)
    return to.say("{sentence} Marked: {events}.", sentence=said, events=events)


def of_cut(rows: pd.DataFrame, about: About) -> str:
    """Return a cut's members and values as one line, for those who cannot see the figure."""
    to = speak(about)
    listed = rows.sort_values("value", ascending=False).to_dict("records")
    first, cut = rows.to_dict("records")[0], str(rows["cut"].iloc[0])
    if is_ordered(cut):
        listed.sort(key=lambda row: own_place(cut, row["member"]))
    members = [f"{to.member(cut, row['member'])} {insight.value(row, about)}" for row in listed]
    return to.say("{title}: {members}.", title=insight.title_by(first, about), members=to.joined(members))


def of_shares(cumulated: pd.DataFrame, about: About) -> str:
    """Say which few members make most of the whole."""
    few, to = cumulated[cumulated["vital"]].to_dict("records"), speak(about)
    if not few:
        return of_cut(cumulated, about)
    given = {
        "title": few[0]["title"],
        "members": to.listed([to.member(row["cut"], row["member"]) for row in few]),
        "share": printed(few[-1]["so_far"], few[-1]["unit"], language=to),
    }
    if len(few) == 1:
        return to.say("{title}: {members} makes {share} of all.", **given)
    return to.say("{title}: {members} make {share} of all.", **given)


def of_steps(rows: Sequence[Row], about: About) -> str:
    """Say what is left of the first number after the others that are taken away."""
    to, first, last = speak(about), rows[0], rows[-1]
    taken = [f"{short(row['kpi'], about)} {insight.value(row, about)}" for row in rows if row["better"] == "lower"]
    given = {
        "whole": f"{short(first['kpi'], about)}: {insight.value(first, about)}",
        "taken": to.listed(taken),
        "left": insight.value(last, about),
    }
    if first["value"] <= 0:
        return to.say("{whole}; less {taken}, {left} is left.", **given)
    share = printed(100 * last["value"] / first["value"], "percent", language=to)
    return to.say("{whole}; less {taken}, {left} is left, {share} of it.", share=share, **given)


def of_two(upper: pd.DataFrame, lower: pd.DataFrame, total: Row, about: About) -> str:
    """Say where the first KPI is largest, and where the second is worse than all together by more than chance."""
    to, most = speak(about), upper.loc[upper["value"].idxmax()].to_dict()
    said = to.say(
        "{title}: {member} has most ({value}).",
        title=insight.title_by(most, about),
        member=unnumbered(most["member"], most["cut"], to),
        value=insight.value(most, about),
    )
    if total["status"] != "ok" or total["better"] not in ("higher", "lower") or lower["low"].isna().all():
        return said
    below = total["better"] == "higher"
    beyond = lower["high"] < total["value"] if below else lower["low"] > total["value"]
    worse = [
        f"{unnumbered(row['member'], row['cut'], to)} ({insight.value(row, about)})"
        for row in lower[beyond & (lower["status"] == "ok")].to_dict("records")
    ]
    given = {"title": total["title"], "all": insight.value(total, about)}
    if not worse:
        none = _NONE_BELOW if below else _NONE_ABOVE
        return f"{said} {to.say(none, cut=to.cut(str(most['cut'])), **given)}"
    found = _BELOW if below else _ABOVE
    return f"{said} {to.many(*found, len(worse), members=to.listed(worse), **given)}"


def of_waits(halves: pd.DataFrame, tails: pd.DataFrame, about: About) -> str:
    """Return by member what half and what nine in ten waited less than, as one line; of many, the extremes."""
    to, ends = speak(about), {row["member"]: insight.value(row, about) for row in tails.to_dict("records")}
    rows = halves.dropna(subset="value").sort_values("value", ascending=False).to_dict("records")
    said = [
        to.say(
            "{member} half within {half}, nine in ten within {most}",
            member=to.member(row["cut"], row["member"]),
            half=insight.value(row, about),
            most=ends.get(row["member"], NONE),
        )
        for row in rows
    ]
    if len(said) > MOST_SAID:
        said = [to.say("longest for {member}", member=said[0]), to.say("shortest for {member}", member=said[-1])]
    return to.say("{title}: {members}.", title=insight.title_by(rows[0], about), members=to.semicolon.join(said))


def short(kpi: str, about: About) -> str:
    """Return a KPI's title without the reading."""
    said = about["kpis"][kpi]
    return str(said.get("short") or said["title"])


def is_ordered(cut: str) -> bool:
    """Whether the members of a cut have an order of their own, as bands and hours have."""
    return cut in _ORDERED


def own_place(cut: str, member: Any) -> tuple[bool, int, str]:
    """Return what sorts members of an ordered cut: words as the code lists them, else names; none comes last."""
    words = MEMBERS.get(cut, ())
    return member == NO_MEMBER, words.index(member) if member in words else len(words), str(member)


def unnumbered(member: Any, cut: str, to: Language) -> str:
    """Return a member's name without the number that only keeps it in order: `1 mon` is `mon`."""
    return re.sub(r"^\d+ (?=\D)", "", to.member(cut, member))

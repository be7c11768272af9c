"""Findings: what a number of the scorecard says, as one sentence.

Every comparison is made between numbers as printed, so that no sentence can contradict the figures beside it.
"""

import math
import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from kpi_lib.period import Period
from kpi_lib.units import NONE, change, printed, rounded

About = Mapping[str, Any]
Row = Mapping[str, Any]

WITHIN_MARGIN = "within the margin of error"
_PREPOSITION = re.compile(r" (?:by|per|of|in|within|to|at|with|after|for|from|without)\b|,")
_IMPORTANCE = {"missed": 0, "missed within the margin": 1, "worse": 2, "judged": 3, "without a number": 4}


def value(row: Row, about: About) -> str:
    """Return the value as pages print it: a dash for every status that has no meaning as a number."""
    return _print(row["value"], row, about) if row["status"] == "ok" else NONE


def interval(row: Row, about: About) -> str:
    """Return the interval as text, `28.4 to 34.0`; empty for a census and for numbers that are not printed."""
    if row["status"] != "ok" or pd.isna(row["low"]) or pd.isna(row["high"]):
        return ""
    return f"{_print(row['low'], row, about)} to {_print(row['high'], row, about)}"


def target(row: Row, about: About) -> str:
    """Return the target as text: `at least 30`, `at most 3%`, `between 50% and 70%`; empty without one."""
    low, high = (trimmed(_print(row[bound], row, about)) for bound in ("target_low", "target_high"))
    if NONE not in (low, high):
        return f"between {low} and {high}"
    return f"at least {low}" if low != NONE else f"at most {high}" if high != NONE else ""


def changes(row: Row, about: About) -> list[str]:
    """Return the changes on the period before and a year ago: `up 2.1 points on April`, `unchanged from May 2023`."""
    if row["status"] != "ok":
        return []
    period = Period.parse(row["period"])
    said = []
    for earlier, before in {period.year_before: row["year_ago"], period.previous: row["previous"]}.items():
        words = change(row["value"], before, row["unit"], about["currency"])
        if words:
            name = earlier.label.removesuffix(f" {period.first_day.year}")
            age = " at the same age" if row["provisional"] and earlier == period.previous else ""
            said.append(f"{words} {'from' if words == 'unchanged' else 'on'} {name}{age}")
    return said[::-1]


def sentence(row: Row, about: About) -> str:
    """Say what a KPI is now, against the period before, a year ago and its target, or quietly why it has no number."""
    if row["status"] != "ok":
        return _without_number(row, about)
    parts = [f"{row['title']} {_was(row)} {value(row, about)}", " and ".join(changes(row, about))]
    opening = ", ".join(part for part in parts if part)
    judgement = _judgement(row, about)
    return f"{opening}; {judgement}." if judgement else f"{opening}."


def headline(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the reported period's headline rows by importance: missed targets, then numbers that got worse."""
    now = frame[(frame["period"] == frame["period"].max()) & frame["headline"].astype(bool) & frame["cut"].isna()]
    order = pd.DataFrame(
        [(_importance(row), -_distance(row)) for row in now.to_dict("records")],
        index=now.index,
        columns=["rank", "gap"],
    ).sort_values(["rank", "gap"], kind="stable")
    return now.loc[order.index]


def is_within_margin(row: Row) -> bool:
    """Tell whether a missed target lies inside the interval, so that chance alone may have missed it."""
    bounds = [row[bound] for bound in ("target_low", "target_high") if not pd.isna(row[bound])]
    if row["verdict"] != "missed" or pd.isna(row["low"]):
        return False
    return any(row["low"] <= bound <= row["high"] for bound in bounds)


def moved(row: Row) -> str:
    """Return `better` or `worse` when the change is more than chance, else an empty text.

    Both months are uncertain: the change must exceed root two times today's distance to its limit, as if the month
    before were as well known.
    """
    now, before = rounded(row["value"], row["unit"]), rounded(row["previous"], row["unit"])
    if (
        row["status"] != "ok"
        or row["better"] not in ("higher", "lower")
        or now is None
        or before is None
        or now == before
    ):
        return ""
    limit = row["high"] if row["previous"] > row["value"] else row["low"]
    if pd.isna(limit) or abs(row["previous"] - row["value"]) <= math.sqrt(2) * abs(limit - row["value"]):
        return ""
    return "better" if (now > before) == (row["better"] == "higher") else "worse"


def title_by(row: Row) -> str:
    """Return the title of a breakdown, `First response time by channel`."""
    suffix = f" by {str(row['cut']).replace('_', ' ')}"
    return str(row["title"]).removesuffix(suffix) + suffix


def trimmed(text: str) -> str:
    """Drop decimals that are all zero: a target is written `30`, not `30.0`."""
    return re.sub(r"\.0+(?!\d)", "", text)


def _judgement(row: Row, about: About) -> str:
    aim = target(row, about)
    if row["provisional"]:
        judged = f", so not yet judged against the target of {aim}" if aim else ""
        return f"this is provisional ({row['anchor']}){judged}"
    it = "they" if _is_plural(row["title"]) else "it"
    verb = {"on_target": "meet", "missed": "miss"}.get(row["verdict"])
    if not verb:
        return ""
    verb += "" if it == "they" else "s" if verb == "meet" else "es"
    return f"{it} {verb} the target of {aim}" + (f", {WITHIN_MARGIN}" if is_within_margin(row) else "")


def _without_number(row: Row, about: About) -> str:
    period, is_are, has_have = (
        Period.parse(row["period"]).label,
        *(("are", "have") if _is_plural(row["title"]) else ("is", "has")),
    )
    count = 0 if pd.isna(row["n"]) else int(row["n"])
    why = {
        "small_sample": f"{is_are} not shown for {period}: {count} {'case is' if count == 1 else 'cases are'} too few",
        "undefined": f"{has_have} no value for {period}: there was nothing to measure",
        "not_estimable": f"cannot be estimated for {period}: too little is known so far",
        "not_available": f"{is_are} not available for {period}",
    }
    return f"{row['title']} {why[row['status']]}."


def _was(row: Row) -> str:
    if _is_plural(row["title"]):
        return "were"
    return {"better": "improved to", "worse": "worsened to", "": "was"}[moved(row)]


def _is_plural(title: str) -> bool:
    """Tell whether a title's head noun, the first or last word before a preposition, is a plural."""
    words = _PREPOSITION.split(title)[0].split()
    return any(re.fullmatch(r"\w+[^\Wsui]s", word) and not word.isupper() for word in (words[0], words[-1]))


def _importance(row: Row) -> int:
    if row["status"] != "ok":
        return _IMPORTANCE["without a number"]
    if row["verdict"] == "missed":
        return _IMPORTANCE["missed within the margin" if is_within_margin(row) else "missed"]
    return _IMPORTANCE["worse" if moved(row) == "worse" else "judged"]


def _distance(row: Row) -> float:
    """Return how far beyond its target a value lies, as a share of the two, to set unlike units side by side."""
    if row["verdict"] != "missed":
        return 0.0
    gaps = [
        abs(row["value"] - row[bound]) / max(abs(row["value"]), abs(row[bound]), 1e-9)
        for bound in ("target_low", "target_high")
        if not pd.isna(row[bound])
    ]
    return min(gaps)


def _print(number: Any, row: Row, about: About) -> str:
    return printed(None if pd.isna(number) else float(number), row["unit"], about["currency"])

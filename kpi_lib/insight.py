"""Findings: what a number of the scorecard says, as one sentence.

Every comparison is made between numbers as printed, so that no sentence can contradict the figures beside it.
"""

import math
import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from kpi_lib.period import Period
from kpi_lib.signals import BEYOND, LEAST, NEAR, RUN, Judgement, Signals
from kpi_lib.units import NONE, change, printed, rounded

About = Mapping[str, Any]
Row = Mapping[str, Any]

WITHIN_MARGIN = "within the margin of error"
_PREPOSITION = re.compile(r" (?:by|per|of|in|within|to|at|with|after|for|from|without)\b|,")
_IMPORTANCE = {"missed": 0, "missed within the margin": 1, "signal": 2, "judged": 3, "without a number": 4}
_PERIODS = {1: "months", 3: "quarters", 12: "years"}
_STEP = {1: "month-to-month", 3: "quarter-to-quarter", 12: "year-to-year"}
_PATTERN = {
    BEYOND: "beyond {ordinary}, as one number in fifty is by chance alone",
    RUN: f"within {{ordinary}}, but on one side of {{its}} mean for {LEAST} {{periods}}",
    NEAR: "within {ordinary}, but near the same limit of it in three of four {periods}",
    "": "within {ordinary}",
}
_MOST_NAMED = 6
_ERRORS = 3.92  # standard errors from one limit of a 95 % interval to the other


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
    said, variation = changes(row, about), _variation(row, about)
    if len(said) == 2 and variation.startswith("within"):  # that is meant of the first change, not of the year's
        said, variation = [f"{said[0]}, {variation}, and {said[1]}"], ""
    opening = ", ".join(
        part
        for part in (f"{row['title']} {_was(row, about)} {value(row, about)}", " and ".join(said), variation)
        if part
    )
    judgement = _judgement(row, about)
    return f"{opening}; {judgement}." if judgement else f"{opening}."


def headline(frame: pd.DataFrame, about: About) -> pd.DataFrame:
    """Return the reported period's headline rows by importance, whatever the order of their declaration.

    Missed targets come first, those missed by most before the others; then numbers that stand out from their ordinary
    variation; then all others. Within each the larger change, in units of the KPI's ordinary variation, is first.
    """
    now = frame[(frame["period"] == frame["period"].max()) & frame["headline"].astype(bool) & frame["cut"].isna()]
    order = pd.DataFrame(
        [(_importance(row, about), -_distance(row), -_size(row, about), row["kpi"]) for row in now.to_dict("records")],
        index=now.index,
        columns=["rank", "gap", "size", "kpi"],
    )
    return now.loc[order.sort_values(list(order)).index]


def caution(about: About) -> str:
    """Say how many of the headline numbers stand out, which, and how many of such signals are chance."""
    signals: Signals | None = about.get("signals")
    if signals is None or not signals.judged:
        return f"The history is too short to tell what is ordinary: that takes {LEAST} earlier periods."
    count, out = len(signals.judged), signals.standing_out
    step, numbers = _STEP[Period.parse(about["period"]).months], f"{count} number{'' if count == 1 else 's'}"
    if not out:
        return f"Of {numbers} that can be judged, none stands out from its ordinary {step} variation."
    said = [about["kpis"][kpi] for kpi in out[:_MOST_NAMED]]
    names = [str(kpi.get("short") or kpi["title"]) for kpi in said]
    names += [f"{len(out) - _MOST_NAMED} more"] if len(out) > _MOST_NAMED else []
    listed = " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)
    verb = "stands" if len(out) == 1 else "stand"
    return (
        f"Of {numbers} that can be judged, {len(out)} {verb} out from the ordinary {step} variation: {listed}. "
        "On average at most one in twenty of such signals is chance."
    )


def is_within_margin(row: Row) -> bool:
    """Tell whether a missed target lies inside the interval, so that chance alone may have missed it."""
    bounds = [row[bound] for bound in ("target_low", "target_high") if not pd.isna(row[bound])]
    if row["verdict"] != "missed" or pd.isna(row["low"]):
        return False
    return any(row["low"] <= bound <= row["high"] for bound in bounds)


def moved(row: Row, about: About) -> str:
    """Return `better`, `worse` or, where neither direction is good, `changed` when a number stands out, else nothing.

    It stands out from its own ordinary variation (`kpi_lib.signals`). Where the history is too short to know that, the
    change on the period before must exceed what both periods' margins of error explain.
    """
    up = _moved_up(row, about)
    if up is None:
        return ""
    if row["better"] not in ("higher", "lower"):
        return "changed"
    return "better" if up == (row["better"] == "higher") else "worse"


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


def _was(row: Row, about: About) -> str:
    """Return the verb: a number is said to have moved only if it did the same, as printed, on the period before."""
    usual = "were" if _is_plural(row["title"]) else "was"
    now, before = rounded(row["value"], row["unit"]), rounded(row["previous"], row["unit"])
    up = _moved_up(row, about)
    if up is None or now is None or before is None or now == before or up != (now > before):
        return usual
    return {"better": "improved to", "worse": "worsened to"}.get(moved(row, about), "rose to" if up else "fell to")


def _moved_up(row: Row, about: About) -> bool | None:
    """Tell which way a number stands out, or None when it does not."""
    if row["status"] != "ok" or row["provisional"]:
        return None
    signal = _signal(row, about)
    if signal is None or signal.history < LEAST:
        return _moved_beyond_margin(row)
    return signal.deviation > 0 if signal.stands_out and signal.deviation is not None else None


def _moved_beyond_margin(row: Row) -> bool | None:
    """Compare with the period before, as if that were as well known: beyond root two times the distance to a limit."""
    now, before = rounded(row["value"], row["unit"]), rounded(row["previous"], row["unit"])
    if now is None or before is None or now == before:
        return None
    limit = row["high"] if row["previous"] > row["value"] else row["low"]
    if pd.isna(limit) or abs(row["previous"] - row["value"]) <= math.sqrt(2) * abs(limit - row["value"]):
        return None
    return now > before


def _signal(row: Row, about: About) -> Judgement | None:
    signals: Signals | None = about.get("signals")
    return signals.judgements.get(row["kpi"]) if signals and pd.isna(row["cut"]) else None


def _variation(row: Row, about: About) -> str:
    """Say whether a number is within its ordinary variation, or that the history is too short to tell."""
    signal, differs = _signal(row, about), any("unchanged" not in words for words in changes(row, about))
    if signal is None or row["provisional"]:
        return ""
    months = Period.parse(row["period"]).months
    if signal.history < LEAST:
        return "with too short a history to tell what is ordinary" if differs else ""
    if signal.deviation is None:
        return f"the first change in {signal.history} {_PERIODS[months]}" if differs else ""
    its = "their" if _is_plural(row["title"]) else "its"
    ordinary = f"{its} ordinary {_STEP[months]} variation"
    if signal.stands_out:
        return f"beyond {ordinary}{_limits(signal, row, about)}"
    said = _PATTERN[signal.rule].format(ordinary=ordinary, its=its, periods=_PERIODS[months])
    return said if differs or signal.rule else ""


def _limits(signal: Judgement, row: Row, about: About) -> str:
    """Return the limits in brackets, unless the value as printed would seem to lie between them."""
    low, now, high = (rounded(one, row["unit"]) or 0.0 for one in (signal.low[-1], row["value"], signal.high[-1]))
    return "" if low <= now <= high else f" ({_print(low, row, about)} to {_print(high, row, about)})"


def _is_plural(title: str) -> bool:
    """Tell whether a title's head noun, the first or last word before a preposition, is a plural."""
    words = _PREPOSITION.split(title)[0].split()
    return any(re.fullmatch(r"\w+[^\Wsui]s", word) and not word.isupper() for word in (words[0], words[-1]))


def _importance(row: Row, about: About) -> int:
    if row["status"] != "ok":
        return _IMPORTANCE["without a number"]
    if row["verdict"] == "missed":
        return _IMPORTANCE["missed within the margin" if is_within_margin(row) else "missed"]
    return _IMPORTANCE["signal" if moved(row, about) else "judged"]


def _size(row: Row, about: About) -> float:
    """Return how large a change is, in standard deviations of the KPI's ordinary variation or else of its interval."""
    signal = _signal(row, about)
    if signal and signal.stands_out and signal.deviation is not None:
        return abs(signal.deviation)
    spread = signal.spread if signal and signal.spread else (row["high"] - row["low"]) / _ERRORS
    change = abs(row["value"] - row["previous"]) if row["status"] == "ok" and not pd.isna(row["previous"]) else 0.0
    return 0.0 if pd.isna(spread) or not spread else change / spread


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

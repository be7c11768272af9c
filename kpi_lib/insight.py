"""Findings: what a number of the scorecard says, as one sentence.

Every comparison is made between numbers as printed, so that no sentence can contradict the figures beside it.
"""

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from kpi_lib import wording
from kpi_lib.consistency import IDENTITIES
from kpi_lib.intervals import Z
from kpi_lib.language import ENGLISH, speak
from kpi_lib.period import Period
from kpi_lib.signals import BEYOND, LEAST, Judgement, Signals
from kpi_lib.units import NONE, change, printed, rounded
from kpi_lib.wording import WITHIN_MARGIN as WITHIN_MARGIN

About = Mapping[str, Any]
Row = Mapping[str, Any]

_PREPOSITION = re.compile(r" (?:by|per|of|in|within|to|at|with|after|for|from|without)\b|,")
_IMPORTANCE = {"missed": 0, "missed within the margin": 1, "signal": 2, "judged": 3, "without a number": 4}
_MOST_NAMED = 6
_ERRORS = 2 * Z  # standard errors from one limit of a 95 % interval to the other


def value(row: Row, about: About) -> str:
    """Return the value as pages print it: a dash for every status that has no meaning as a number."""
    return number(row["value"], row, about) if row["status"] == "ok" else NONE


def number(value: Any, row: Row, about: About, *, trim: bool = False) -> str:
    """Return a number of a KPI as pages print it, whatever the row's status."""
    known = None if pd.isna(value) else float(value)
    return printed(known, row["unit"], about["currency"], trim=trim, language=speak(about))


def interval(row: Row, about: About) -> str:
    """Return the interval as text, `28.4 to 34.0`; empty for a census and for numbers that are not printed."""
    if row["status"] != "ok" or pd.isna(row["low"]) or pd.isna(row["high"]):
        return ""
    low, high = (number(row[bound], row, about) for bound in ("low", "high"))
    return speak(about).say("{low} to {high}", low=low, high=high)


def target(row: Row, about: About, words: wording.Targets = wording.TARGETS) -> str:
    """Return the target as text: `at least 30`, `at most 3%`, `between 50% and 70%`; empty without one."""
    low, high = (number(row[bound], row, about, trim=True) for bound in ("target_low", "target_high"))
    known = (low != NONE, high != NONE)
    return speak(about).say(words[known], low=low, high=high) if any(known) else ""


def changes(row: Row, about: About, *, short: bool = False) -> list[str]:
    """Return the changes on the period before and a year ago: `up 2.1 points on April`, `unchanged from May 2023`.

    `short` says % points for percentage points.
    """
    if row["status"] != "ok":
        return []
    period, language, said = Period.parse(row["period"]), speak(about), []
    for earlier, before in {period.year_before: row["year_ago"], period.previous: row["previous"]}.items():
        words = change(row["value"], before, row["unit"], about["currency"], short=short, language=language)
        if words:
            same_age = bool(row["provisional"]) and earlier == period.previous
            message = wording.CHANGES[words == language.say("unchanged"), same_age]
            said.append(language.say(message, change=words, period=language.seen_from(period, earlier)))
    return said[::-1]


def sentence(row: Row, about: About) -> str:
    """Say what a KPI is now, against the period before, a year ago and its target, or quietly why it has no number."""
    if row["status"] != "ok":
        return _without_number(row, about)
    say, text = speak(about).say, _opening(row, about)
    said, variation, judgement = changes(row, about), _variation(row, about), _judgement(row, about)
    if len(said) == 2:
        given = {"sentence": text, "change": said[0], "change_last_year": said[1]}
        if variation and _is_within(row, about):  # that is meant of the first change, not of the year's
            given, variation = given | {"variation": variation}, ""
            text = say("{sentence}, {change}, {variation}, and {change_last_year}", **given)
        else:
            text = say("{sentence}, {change} and {change_last_year}", **given)
    elif said:
        text = say("{sentence}, {change}", sentence=text, change=said[0])
    if variation:
        text = say("{sentence}, {variation}", sentence=text, variation=variation)
    return say("{sentence}; {judgement}.", sentence=text, judgement=judgement) if judgement else f"{text}."


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


def noted(rows: Iterable[Row], about: About) -> list[Row]:
    """Return the rows that miss their target or stand out, but none that only says again what an earlier one says.

    Retention says what churn does: which do so is told by the identities between them (`kpi_lib.consistency`).
    """
    told: dict[str, Row] = {}
    for row in rows:
        alike = {kpi for identity in IDENTITIES if row["kpi"] in identity.alike for kpi in identity.alike}
        if (row["verdict"] == "missed" or moved(row, about)) and not alike & told.keys():
            told[row["kpi"]] = row
    return list(told.values())


def caution(about: About) -> str:
    """Say how many of the headline numbers stand out, which, and how many of such signals are chance."""
    signals: Signals | None = about.get("signals")
    language = speak(about)
    if signals is None or not signals.judged:
        return language.many(*wording.TOO_SHORT, LEAST)
    out, months = signals.standing_out, Period.parse(about["period"]).months
    numbers = language.many(*wording.OF_NUMBERS, len(signals.judged))
    if not out:
        return language.say(wording.NONE_STANDS_OUT[months], of_numbers=numbers)
    said = [about["kpis"][kpi] for kpi in out[:_MOST_NAMED]]
    names = [str(kpi.get("short") or kpi["title"]) for kpi in said]
    if len(out) > _MOST_NAMED:
        names.append(language.say("{count} more", count=language.number(len(out) - _MOST_NAMED)))
    stand = language.many(*wording.STAND_OUT[months], len(out), of_numbers=numbers, names=language.listed(names))
    return f"{stand} {language.say(wording.BY_CHANCE)}"


def is_within_margin(row: Row) -> bool:
    """Tell whether a missed target lies inside the interval, so that chance alone may have missed it."""
    bounds = [row[bound] for bound in ("target_low", "target_high") if not pd.isna(row[bound])]
    if row["verdict"] != "missed" or pd.isna(row["low"]):
        return False
    return any(row["low"] <= bound <= row["high"] for bound in bounds)


def beside(row: Row, whole: Row) -> int:
    """Return 1 or -1 where the interval of a member lies wholly on the better or worse side of all together, else 0."""
    if row["status"] != "ok" or whole["status"] != "ok" or row["better"] not in ("higher", "lower"):
        return 0
    above = int(row["low"] > whole["value"]) - int(row["high"] < whole["value"])
    return above if row["better"] == "higher" else -above


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


def title_by(row: Row, about: About) -> str:
    """Return the title of a breakdown, `First response time by channel`; one that names the cut already is itself."""
    to, title = speak(about), str(row["title"])
    english = about["kpis"].get(row["kpi"], {}).get("english", title)
    if english.endswith(f" by {ENGLISH.cut(str(row['cut']))}"):
        return title
    return to.say("{title} by {cut}", title=title, cut=to.cut(str(row["cut"])))


def _judgement(row: Row, about: About) -> str:
    say, aim = speak(about).say, target(row, about)
    if row["provisional"]:
        return say(wording.PROVISIONAL[bool(aim)], anchor=about["kpis"][row["kpi"]]["anchor"], target=aim)
    verdict = WITHIN_MARGIN if is_within_margin(row) else row["verdict"]
    words = wording.VERDICTS.get(verdict)
    return say(words[_is_plural(row["title"])], target=aim) if words else ""


def _without_number(row: Row, about: About) -> str:
    language, plural = speak(about), _is_plural(row["title"])
    given = {"title": row["title"], "period": language.period(Period.parse(row["period"]))}
    if row["status"] == "small_sample":
        if pd.isna(row["n"]):
            return language.say(wording.HIDDEN, **given)
        return language.many(*wording.TOO_FEW[plural], int(row["n"]), **given)
    return language.say(wording.WITHOUT_NUMBER[row["status"]][plural], **given)


def _opening(row: Row, about: About) -> str:
    if _moves(row, about):
        words = wording.MOVED.get(moved(row, about), wording.ROSE if _moved_up(row, about) else wording.FELL)
    else:
        words = wording.WAS[_is_plural(row["title"])]
    return speak(about).say(words, title=row["title"], value=value(row, about))


def _moves(row: Row, about: About) -> bool:
    """Tell whether a number that stands out did the same, as printed, on the period before: then it is said to move."""
    now, before = rounded(row["value"], row["unit"]), rounded(row["previous"], row["unit"])
    up = _moved_up(row, about)
    return None not in (up, now, before) and now != before and up == (now > before)  # type: ignore[operator]


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


def _is_within(row: Row, about: About) -> bool:
    """Tell whether a number is known to be within its ordinary variation."""
    signal = _signal(row, about)
    return bool(signal and signal.deviation is not None and not signal.stands_out and signal.rule != BEYOND)


def _variation(row: Row, about: About) -> str:
    """Say whether a number is within its ordinary variation, or that the history is too short to tell."""
    language, signal, differs = speak(about), _signal(row, about), _differs(row, about)
    if signal is None or row["provisional"]:
        return ""
    if signal.history < LEAST:
        return language.say("with too short a history to tell what is ordinary") if differs else ""
    months = Period.parse(row["period"]).months
    if signal.deviation is None:
        return language.many(*wording.FIRST_CHANGE[months], signal.history) if differs else ""
    if not (signal.stands_out or differs or signal.rule):
        return ""
    given = {"its": "their" if _is_plural(row["title"]) else "its", "count": language.number(LEAST)}
    if not signal.stands_out:
        return language.say(wording.VARIATION[months][signal.rule], **given)
    limits = _limits(signal, row, about)
    said = language.say(wording.STANDS_OUT[months][bool(limits)], **given, **limits)
    side = "" if _moves(row, about) else moved(row, about)
    return language.say(wording.SIDES[side], variation=said) if side in wording.SIDES else said


def _differs(row: Row, about: About) -> bool:
    """Tell whether a number differs as printed from that of the period before or a year ago."""
    now, *earlier = (number(row[name], row, about) for name in ("value", "previous", "year_ago"))
    return any(before not in (now, NONE) for before in earlier)


def _limits(signal: Judgement, row: Row, about: About) -> dict[str, str]:
    """Return the limits as text, unless the value as printed would seem to lie between them."""
    low, now, high = (rounded(one, row["unit"]) or 0.0 for one in (signal.low[-1], row["value"], signal.high[-1]))
    return {} if low <= now <= high else {"low": number(low, row, about), "high": number(high, row, about)}


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

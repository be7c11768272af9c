"""The parts of a page, made from rows of the scorecard: cards, tables and glossary."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from kpi_lib import insight
from kpi_lib.captions import short
from kpi_lib.display import INDENT, Card, Column, Definition, Definitions, Finding, Table
from kpi_lib.drivers import Drivers
from kpi_lib.insight import About, Row
from kpi_lib.language import ENGLISH, NO_MEMBER, SPACE, Language, message, speak
from kpi_lib.localise import PARTS
from kpi_lib.period import Period
from kpi_lib.units import NONE, printed, rounded

BESIDE_NUMBER = {"points": message("points"), "score": message("points")}
_JUDGED = {
    "on_target": message("✓ on target ({target})"),
    "missed": message("✗ target missed ({target})"),
    "withheld": message("· not judged ({target})"),
}
_NO_VERDICT = message("target {target}")
_AIM = {"on_target": message("{target} ✓ met"), "missed": message("{target} ✗ missed")}
_WISHES = {
    "higher": message("higher is better"),
    "lower": message("lower is better"),
    "band": message("better inside the target band"),
}
BETTER, WORSE = "▲\N{NO-BREAK SPACE}", "▼\N{NO-BREAK SPACE}"
_SIGNS = message(
    "{better} better and {worse} worse than all together beyond the margin of error; better is not always higher. "
    "No sign: no difference beyond it, or neither side is better."
)
MOST_READINGS = 4  # of a table with a column for each
_ASIDE = re.compile(r"\([^()]{,18}\)")  # short enough for a line of the narrowest card
_ADDRESS = re.compile(r"`(?P<code>[a-z_.]+)`|\b(?P<word>[a-z_]+(?:\.[a-z_]+)?)\b")
_HELD = re.compile(  # the space before a number or dash, and after a word of one or two letters
    r"(?<![:–]) (?=[^\w\s(]*\d|– )|(?:(?<=(?<![^ (])[^\d\s–])|(?<=(?<![^ (])[^\d\s]{2})) (?!\()"
)
_NO_NUMBER = {"undefined": message("nothing to measure"), "not_estimable": message("too little is known so far")}


def card(row: Row, trend: pd.DataFrame, about: About) -> Card:
    """Return the card of one headline number, with its trend as rounded numbers."""
    to, good, interval = speak(about), trend["status"] == "ok", insight.interval(row, about)
    numbers = [
        rounded(float(number), row["unit"]) if known else None
        for number, known in zip(trend["value"], good & trend["value"].notna(), strict=True)
    ]
    unit = BESIDE_NUMBER.get(row["unit"]) if row["status"] == "ok" else None
    return Card(
        kpi=row["kpi"],
        title=short(row["kpi"], about),
        value=insight.value(row, about),
        unit=to.say(unit) if unit else "",
        mark=to.say("provisional") if row["provisional"] else "",
        change=[unbroken(words) for words in insight.changes(row, about, short=True)],
        judged=unbroken(judged(row, about)),
        verdict=row["verdict"],
        status=row["status"],
        interval=unbroken(to.say("95% interval {interval}", interval=interval)) if interval else "",
        note=unbroken(_card_note(row, about)),
        trend=numbers,
    )


def finding(row: Row, text: str, about: About, *, silent: bool = False) -> Finding:
    """Return what is said of a number, with what a page marks it by: its status, its verdict and how it moved."""
    return Finding(text, row["status"], row["verdict"], insight.moved(row, about), silent=silent)


def unbroken(text: str) -> str:
    """Return a text whose lines break between phrases: not within a duration, a month with its year or `(at most 3%)`.

    No-break spaces hold them together; a value that stands alone has no need of them.
    """
    text = _ASIDE.sub(lambda aside: aside[0].replace(" ", SPACE), text)
    return _HELD.sub(SPACE, text)


def judged(row: Row, about: About) -> str:
    """Return target and verdict in words with a sign: `✓ on target (at least 30)`; empty without a target."""
    if not (aim := insight.target(row, about)):
        return ""
    return speak(about).say(_JUDGED.get(row["verdict"], _NO_VERDICT), target=aim)


def of_kpis(rows: pd.DataFrame, period: Period, about: About) -> Table:
    """Return a table of KPIs: now with interval, the period before, a year ago, target and number of cases."""
    to, earlier = speak(about), list(dict.fromkeys((period.previous, period.year_before)))
    columns = [
        Column("", "left"), Column(to.period(period)), Column(to.say("95% interval")),
        *(Column(to.period(before)) for before in earlier), Column("n"), Column(to.say("Target"), "left"),
    ]  # fmt: skip
    lines = []
    for row in rows.to_dict("records"):
        mark = "*" if row["provisional"] and row["status"] == "ok" else ""
        before = [insight.number(row[name], row, about) for name in ("previous", "year_ago")][: len(earlier)]
        now = [insight.value(row, about) + mark, insight.interval(row, about)]
        titled = _row_title(row, set(rows["kpi"]), about)
        lines.append([titled, *now, *before, count(row["n"], to), _target(row, about)])
    if not any(line[-1] for line in lines):
        columns, lines = columns[:-1], [line[:-1] for line in lines]
    return Table(_caption(rows, period, about), columns, lines, _notes(rows, about))


def of_members(rows: pd.DataFrame, about: About, totals: Mapping[str, Row] | None = None) -> Table:
    """Return a table KPI by its members, largest first: each reading, how many, and the earlier readings.

    A reading that repeats a KPI, such as `channel_performance.csat`, is compared with that KPI's row in `totals`.
    """
    readings = list(dict.fromkeys(rows["kpi"]))
    rows = rows.assign(last=rows["member"] == NO_MEMBER).sort_values(
        ["last", "value"], ascending=[True, False], kind="stable"
    )
    main, to = rows[rows["kpi"] == readings[0]], speak(about)
    first: Row = main.to_dict("records")[0]
    period = Period.parse(first["period"])
    if len(readings) > MOST_READINGS:
        return _turned(rows, readings, about, totals or {})
    earlier = dict.fromkeys((period.previous, period.year_before))
    columns = [
        Column(headed(first["cut"], to), "left"), Column(to.say("Number")),
        *(Column(to.period(period) if reading == readings[0] else short(reading, about)) for reading in readings),
        *(Column(to.period(before)) for before in earlier),
    ]  # fmt: skip
    others = {(row["kpi"], row["member"]): row for row in rows.to_dict("records")}
    lines = []
    for row in main.to_dict("records"):
        values = [others.get((reading, row["member"])) for reading in readings]
        before = [insight.number(row[name], row, about) for name in ("previous", "year_ago")][: len(earlier)]
        now = [insight.value(other, about) if other else NONE for other in values]
        lines.append([to.member(row["cut"], row["member"]), count(row["numerator"], to), *now, *before])
    caption = to.say("{title}, {period}", title=first["title"], period=to.period(period))
    return Table(caption, columns, lines, _notes(main, about))


def _turned(rows: pd.DataFrame, readings: list[str], about: About, totals: Mapping[str, Row]) -> Table:
    """Return a table KPI of many readings with a column for each member and a line for each reading.

    Where all members together have a number, it stands beside them, and a sign says who is better or worse than it.
    """
    members, to = list(dict.fromkeys(rows["member"])), speak(about)
    first: Row = rows.to_dict("records")[0]
    found = {(row["kpi"], row["member"]): row for row in rows.to_dict("records")}
    wholes = [totals.get(reading.partition(".")[2]) for reading in readings]
    compared = any(wholes)
    columns = [Column("", "left"), *(Column(to.member(first["cut"], member)) for member in members)]
    columns += [Column(to.say("All"))] if compared else []
    lines = []
    for reading, whole in zip(readings, wholes, strict=True):
        of_members = [found.get((reading, member)) for member in members]
        cells = [_beside(row, whole) + insight.value(row, about) if row else NONE for row in of_members]
        cells += [insight.value(whole, about) if whole else ""] if compared else []
        lines.append([_without_cut(reading, first["cut"], about), *cells])
    signs = [to.say(_SIGNS, better=BETTER.strip(), worse=WORSE.strip())] if compared else []
    period = to.period(Period.parse(first["period"]))
    caption = to.say("{title}, {period}", title=short(readings[0], about), period=period)
    return Table(caption, columns, lines, [*signs, *_notes(rows, about)])


def of_drivers(moved: Drivers, about: About) -> Table:
    """Return the parts of a change as a table: each member's weight and value in both periods, and what it brought."""
    to = speak(about)
    ends = [to.period(Period.parse(row["period"])) for row in (moved.before, moved.now)]
    labels = [
        *(to.say("Weight, {period}", period=end) for end in ends), *ends,
        to.say("Within"), to.say("Mix"), to.say("Together"),
    ]  # fmt: skip
    rows = []
    for part in moved.parts.to_dict("records"):
        weights = [printed(part[name], "percent", language=to) for name in ("weight_before", "weight")]
        values = [insight.number(part[name], moved.now, about) if part["sure"] else NONE for name in ("before", "now")]
        brought = [moved.signed(part[name], about) for name in ("rate", "mix", "together")]
        rows.append([to.member(moved.cut, part["member"]), *weights, *values, *brought])
    total = [moved.signed(amount, about) for amount in (moved.rate, moved.mix, moved.change)]
    values = [insight.value(row, about) for row in (moved.before, moved.now)]
    rows.append([to.say("All"), *[printed(100, "percent", language=to)] * 2, *values, *total])
    few = [] if moved.parts["sure"].all() else [to.say("– No number: too few cases, or none.")]
    how = to.say(
        "Within: what changed within each {cut}. Rounded so that all parts add up to the change as printed.",
        cut=to.cut(moved.cut),
    )
    caption = to.say("What moved it: {title}, {period}", title=moved.now["title"], period=ends[1])
    return Table(caption, [Column(headed(moved.cut, to), "left"), *map(Column, labels)], rows, [how, *few])


def not_available(kpis: Sequence[str], about: About) -> str:
    """Return the one line that names KPIs without data and the tables that are not there."""
    to, present = speak(about), {table["table"]: table["present"] for table in about["tables"]}
    reasons: defaultdict[str, list[str]] = defaultdict(list)
    for kpi in kpis:
        needs = about["kpis"][kpi].get("needs", [])
        absent = [need for need in needs if not any(present.get(table, True) for table in need.split(" or "))]
        if absent:
            reason = to.many("no {tables} table", "no {tables} tables", len(absent), tables=to.listed(absent))
        elif cut := about["kpis"][kpi].get("unsliced"):
            reason = to.say("cannot be shown for one {cut}", cut=to.cut(cut))
        else:
            reason = to.say("nothing to count")
        reasons[reason].append(short(kpi, about))
    told = [f"{to.joined(names)} ({reason})" for reason, names in reasons.items()]
    return to.say("Not available: {kpis}.", kpis=to.semicolon.join(told))


def definitions(kpis: Iterable[str], about: About, rows: pd.DataFrame, *, brief: bool = False) -> Definitions:
    """Return the glossary of the given KPIs; `brief` has what they mean and not how they are counted."""
    to, hashes = speak(about), dict(zip(rows["kpi"], rows["definition"], strict=True))
    entries = []
    for kpi in kpis:
        said = dict(about["kpis"][kpi])
        said |= {part: _in_words(said[part], kpi, about) for part in PARTS}
        wish = _WISHES.get(said["better"])
        meta = [
            to.word("unit", said["unit"]), to.say(wish) if wish else "", said["anchor"],
            to.say("definition {hash}", hash=hashes.get(kpi, NONE)),
        ]  # fmt: skip
        details = [(to.say("How it is counted:"), said["formula"]), (to.say("Differs from:"), said["differs"])]
        known = [(label, text) for label, text in details if text and not brief]
        entries.append(
            Definition(said["title"], said["summary"], known, to.semicolon.join(part for part in meta if part))
        )
    return Definitions(entries)


def _in_words(text: str, kpi: str, about: About) -> str:
    """Return what is said of a KPI with the titles of those that it names, which declarations do by address.

    One that begins with a dot is a reading of the KPI itself.
    """

    def title(found: re.Match[str]) -> str:
        address = kpi + found["code"] if (found["code"] or "").startswith(".") else found["code"] or found["word"]
        known = about["kpis"].get(address)
        return str(known["title"]) if known and (found["code"] or _is_no_word(address, known)) else found[0]

    return _ADDRESS.sub(title, text or "")


def _is_no_word(address: str, said: Mapping[str, Any]) -> bool:
    """Tell whether an address can only be meant as one: it has an underscore or is an abbreviation, such as `clv`."""
    return "_" in address or f"({address.upper()})" in str(said.get("english", said["title"]))


def headed(cut: str, to: Language) -> str:
    """Return a cut's name as the head of a column."""
    name = to.cut(cut)
    return name[:1].upper() + name[1:]


def count(value: Any, to: Language) -> str:
    """Return how many, or nothing when that is not known."""
    return "" if pd.isna(value) else to.number(float(value))


def _card_note(row: Row, about: About) -> str:
    to = speak(about)
    if row["status"] == "small_sample" and pd.isna(row["n"]):
        return to.say("too few cases to be shown")
    if row["status"] == "small_sample":
        return to.say("too few cases (n = {count})", count=count(row["n"], to))
    if row["status"] != "ok":
        return to.say(said) if (said := _NO_NUMBER.get(row["status"])) else ""
    return to.say(insight.WITHIN_MARGIN) if insight.is_within_margin(row) else ""


def _beside(row: Row, whole: Row | None) -> str:
    """Return the sign of a member that is better or worse than all by more than the margin of error, else nothing."""
    clearly = insight.beside(row, whole) if whole else 0
    return {1: BETTER, -1: WORSE}.get(clearly, "")


def _target(row: Row, about: About) -> str:
    aim = insight.target(row, about)
    return speak(about).say(_AIM[row["verdict"]], target=aim) if row["verdict"] in _AIM else aim


def _row_title(row: Row, listed: set[str], about: About) -> str:
    """Return the title of a table's row; a companion under its KPI is set in and does not repeat its title."""
    head = row["kpi"].partition(".")[0]
    if head == row["kpi"] or head not in listed:
        return str(row["title"])
    own = str(row["title"]).removeprefix(f"{about['kpis'][head]['title']}: ")
    return INDENT + own[:1].upper() + own[1:]


def _without_cut(kpi: str, cut: str, about: About) -> str:
    """Return the title of a table KPI's reading without the cut, which the table's columns name."""
    to, suffix = speak(about), f", by {ENGLISH.cut(cut)}"
    english = str(about["kpis"][kpi].get("english") or short(kpi, about))
    return to.say(english.removesuffix(suffix)) if english.endswith(suffix) else short(kpi, about)


def _caption(rows: pd.DataFrame, period: Period, about: About) -> str:
    to = speak(about)
    families = {about["families"].get(family, to.say("Numbers")) for family in rows["family"]}
    title = families.pop() if len(families) == 1 else to.say("Numbers")
    return to.say("{title}, {period}", title=title, period=to.period(period))


def _notes(rows: pd.DataFrame, about: About) -> list[str]:
    to, ok = speak(about), rows["status"] == "ok"
    provisional = rows.loc[ok & rows["provisional"].astype(bool), "kpi"]
    anchors = dict.fromkeys(about["kpis"][kpi]["anchor"] for kpi in provisional)
    notes = [to.say("* Provisional: {anchors}.", anchors=to.semicolon.join(anchors))] if anchors else []
    missing = to.say("– No number: too few cases, nothing to measure, or not known yet.")
    return notes + ([missing] if not ok.all() else [])

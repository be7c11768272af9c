"""The parts of a page, made from rows of the scorecard: cards, tables, glossary and data page."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from kpi_lib import insight
from kpi_lib.display import Card, Column, Definition, Definitions, Table
from kpi_lib.drivers import Drivers
from kpi_lib.insight import About, Row
from kpi_lib.params import Params
from kpi_lib.period import Period, parse_instant, said_day
from kpi_lib.units import NONE, printed, rounded

BESIDE_NUMBER = {"points": "points", "score": "points"}
MOST_READINGS = 4  # of a table with a column for each
MOST_SAID = 3  # members in a sentence
INDENT = "\N{EM SPACE}"
_NOT_FRESH = "The extract's time is that of the latest event in the data, so how fresh the data is cannot be told."
_NO_NUMBER = {"undefined": "nothing to measure", "not_estimable": "too little is known so far"}


def card(row: Row, trend: pd.DataFrame, about: About) -> Card:
    """Return the card of one headline number, with its trend as rounded numbers."""
    good = trend["status"] == "ok"
    numbers = [
        rounded(float(number), row["unit"]) if known else None
        for number, known in zip(trend["value"], good & trend["value"].notna(), strict=True)
    ]
    return Card(
        kpi=row["kpi"],
        title=_short(row["kpi"], about),
        value=insight.value(row, about),
        unit=BESIDE_NUMBER.get(row["unit"], "") if row["status"] == "ok" else "",
        change=[words.replace("percentage point", "point") for words in insight.changes(row, about)],
        target=insight.target(row, about),
        verdict=row["verdict"],
        status=row["status"],
        provisional=bool(row["provisional"]),
        interval=insight.interval(row, about),
        note=_card_note(row),
        trend=numbers,
    )


def of_kpis(rows: pd.DataFrame, period: Period, about: About) -> Table:
    """Return a table of KPIs: now with interval, the period before, a year ago, target and number of cases."""
    earlier = list(dict.fromkeys((period.previous, period.year_before)))
    columns = [
        Column("", "left"), Column(period.label), Column("95% interval"),
        *(Column(before.label) for before in earlier), Column("n"), Column("Target", "left"),
    ]  # fmt: skip
    lines = []
    for row in rows.to_dict("records"):
        mark = "*" if row["provisional"] and row["status"] == "ok" else ""
        before = [_number(row[name], row, about) for name in ("previous", "year_ago")][: len(earlier)]
        now = [insight.value(row, about) + mark, insight.interval(row, about)]
        lines.append([_row_title(row, set(rows["kpi"]), about), *now, *before, _count(row["n"]), _target(row, about)])
    if not any(line[-1] for line in lines):
        columns, lines = columns[:-1], [line[:-1] for line in lines]
    return Table(_caption(rows, period, about), columns, lines, _notes(rows))


def of_members(rows: pd.DataFrame, about: About) -> Table:
    """Return a table KPI by its members, largest first: each reading, how many, and the earlier readings."""
    readings = list(dict.fromkeys(rows["kpi"]))
    rows = rows.assign(last=rows["member"] == "(none)").sort_values(
        ["last", "value"], ascending=[True, False], kind="stable"
    )
    main = rows[rows["kpi"] == readings[0]]
    first: Row = main.to_dict("records")[0]
    period = Period.parse(first["period"])
    if len(readings) > MOST_READINGS:
        return _turned(rows, readings, about)
    earlier = dict.fromkeys((period.previous, period.year_before))
    columns = [
        Column(str(first["cut"]).replace("_", " ").capitalize(), "left"), Column("Number"),
        *(Column(period.label if reading == readings[0] else _short(reading, about)) for reading in readings),
        *(Column(before.label) for before in earlier),
    ]  # fmt: skip
    others = {(row["kpi"], row["member"]): row for row in rows.to_dict("records")}
    lines = []
    for row in main.to_dict("records"):
        values = [others.get((reading, row["member"])) for reading in readings]
        before = [_number(row[name], row, about) for name in ("previous", "year_ago")][: len(earlier)]
        now = [insight.value(other, about) if other else NONE for other in values]
        lines.append([str(row["member"]), _count(row["numerator"]), *now, *before])
    return Table(f"{first['title']}, {period.label}", columns, lines, _notes(main))


def _turned(rows: pd.DataFrame, readings: list[str], about: About) -> Table:
    """Return a table KPI of many readings with a column for each member and a line for each reading."""
    members = list(dict.fromkeys(rows["member"]))
    first: Row = rows.to_dict("records")[0]
    found = {(row["kpi"], row["member"]): row for row in rows.to_dict("records")}
    columns = [Column("", "left"), *(Column(str(member)) for member in members)]
    lines = []
    for reading in readings:
        of_members = [found.get((reading, member)) for member in members]
        cells = [insight.value(row, about) if row else NONE for row in of_members]
        lines.append([_short(reading, about).removesuffix(f", by {first['cut']}"), *cells])
    title = _short(readings[0], about)
    return Table(f"{title}, {Period.parse(first['period']).label}", columns, lines, _notes(rows))


def by_in_words(rows: pd.DataFrame, about: About) -> str:
    """Return a cut's members and values as one line, for those who cannot see the figure."""
    members = [
        f"{row['member']} {insight.value(row, about)}"
        for row in rows.sort_values("value", ascending=False).to_dict("records")
    ]
    first = rows.to_dict("records")[0]
    return f"{insight.title_by(first)}: {', '.join(members)}."


def of_drivers(moved: Drivers, about: About) -> Table:
    """Return the parts of a change as a table: each member's weight and value in both periods, and what it brought."""
    currency, ends = about["currency"], [Period.parse(row["period"]).label for row in (moved.before, moved.now)]
    cut = moved.cut.replace("_", " ")
    labels = [*(f"Weight, {end}" for end in ends), *ends, "Within", "Mix", "Together"]
    rows = []
    for part in moved.parts.to_dict("records"):
        weights = [printed(part[name], "percent") for name in ("weight_before", "weight")]
        values = [_number(part[name], moved.now, about) if part["sure"] else NONE for name in ("before", "now")]
        brought = [moved.signed(part[name], currency) for name in ("rate", "mix", "together")]
        rows.append([str(part["member"]), *weights, *values, *brought])
    total = [moved.signed(amount, currency) for amount in (moved.rate, moved.mix, moved.change)]
    values = [insight.value(row, about) for row in (moved.before, moved.now)]
    rows.append(["All", *[printed(100, "percent")] * 2, *values, *total])
    few = [] if moved.parts["sure"].all() else ["– No number: too few cases, or none."]
    return Table(
        f"What moved it: {moved.now['title']}, {ends[1]}",
        [Column(cut.capitalize(), "left"), *map(Column, labels)],
        rows,
        [f"Within: what changed within each {cut}. Rounded so that all parts add up to the change as printed.", *few],
    )


def shares_in_words(cumulated: pd.DataFrame, about: About) -> str:
    """Say which few members make most of the whole."""
    few = cumulated[cumulated["vital"]].to_dict("records")
    if not few:
        return by_in_words(cumulated, about)
    share = printed(few[-1]["so_far"], few[-1]["unit"])
    makes = "makes" if len(few) == 1 else "make"
    return f"{few[0]['title']}: {_listed([str(row['member']) for row in few])} {makes} {share} of all."


def left_in_words(rows: Sequence[Row], about: About) -> str:
    """Say what is left of the first number after the others that are taken away."""
    taken = [f"{_short(row['kpi'], about)} {insight.value(row, about)}" for row in rows if row["better"] == "lower"]
    first, last = rows[0], rows[-1]
    share = f", {printed(100 * last['value'] / first['value'], 'percent')} of it" if first["value"] > 0 else ""
    whole = f"{_short(first['kpi'], about)}: {insight.value(first, about)}"
    return f"{whole}; less {_listed(taken)}, {insight.value(last, about)} is left{share}."


def beside_in_words(upper: pd.DataFrame, lower: pd.DataFrame, total: Row, about: About) -> str:
    """Say where the first KPI is largest, and where the second is worse than all together by more than chance."""
    most = upper.loc[upper["value"].idxmax()].to_dict()
    said = f"{insight.title_by(most)}: {unnumbered(most['member'])} has most ({insight.value(most, about)})."
    if total["status"] != "ok" or total["better"] not in ("higher", "lower") or lower["low"].isna().all():
        return said
    limit, side = ("high", "below") if total["better"] == "higher" else ("low", "above")
    beyond = (lower[limit] - total["value"]) * (1 if side == "below" else -1) < 0
    worse = [
        f"{unnumbered(row['member'])} ({insight.value(row, about)})"
        for row in lower[beyond & (lower["status"] == "ok")].to_dict("records")
    ]
    all_together = f"{side} {insight.value(total, about)}, that of all, by more than the margin of error"
    cut = str(most["cut"]).replace("_", " ")
    which = f"{_listed(worse)} {'lies' if len(worse) == 1 else 'lie'}" if worse else f"no {cut} lies"
    return f"{said} {total['title']}: {which} {all_together}."


def waits_in_words(halves: pd.DataFrame, tails: pd.DataFrame, about: About) -> str:
    """Return by member what half and what nine in ten waited less than, as one line; of many, the extremes."""
    ends = {row["member"]: insight.value(row, about) for row in tails.to_dict("records")}
    rows = halves.dropna(subset="value").sort_values("value", ascending=False).to_dict("records")
    said = [
        f"{row['member']} half within {insight.value(row, about)}, nine in ten within {ends.get(row['member'], NONE)}"
        for row in rows
    ]
    if len(said) > MOST_SAID:
        said = [f"longest for {said[0]}", f"shortest for {said[-1]}"]
    return f"{insight.title_by(rows[0])}: {'; '.join(said)}."


def unnumbered(member: Any) -> str:
    """Return a member's name without the number that only keeps it in order: `1 mon` is `mon`."""
    return re.sub(r"^\d+ (?=\D)", "", str(member))


def not_available(kpis: Sequence[str], about: About) -> str:
    """Return the one line that names KPIs without data and the tables that are not there."""
    present = {table["table"]: table["present"] for table in about["tables"]}
    reasons: defaultdict[str, list[str]] = defaultdict(list)
    for kpi in kpis:
        needs = about["kpis"][kpi].get("needs", [])
        absent = [need for need in needs if not any(present.get(table, True) for table in need.split(" or "))]
        tables = " and ".join(absent) + f" table{'s' if len(absent) > 1 else ''}"
        reasons[f" (no {tables})" if absent else " (nothing to count)"].append(_short(kpi, about))
    return "Not available: " + "; ".join(f"{', '.join(names)}{reason}" for reason, names in reasons.items()) + "."


def definitions(kpis: Iterable[str], about: About, rows: pd.DataFrame) -> Definitions:
    """Return the glossary of the given KPIs."""
    hashes = dict(zip(rows["kpi"], rows["definition"], strict=True))
    wishes = {"higher": "higher is better", "lower": "lower is better", "band": "better inside the target band"}
    entries = []
    for kpi in kpis:
        said = about["kpis"][kpi]
        meta = [said["unit"], wishes.get(said["better"], ""), said["anchor"], f"definition {hashes.get(kpi, NONE)}"]
        entries.append(
            Definition(
                said["title"],
                said["summary"],
                said["formula"],
                said["differs"],
                "; ".join(part for part in meta if part),
            )
        )
    return Definitions(entries)


def data_page(headlines: pd.DataFrame, about: About, params: Params) -> Table:
    """Return what the numbers were counted from: per table the rows read and left out, then checks and provenance."""
    there = [table for table in about["tables"] if table["present"]]
    columns = [Column("Table", "left"), Column("Rows read"), Column("Left out, and why", "left"), Column("First"),
               Column("Last")]  # fmt: skip
    rows = [
        [
            table["table"],
            _count(table["rows"]),
            ", ".join(f"{reason}: {count:,}" for reason, count in table["dropped"].items() if count) or "none",
            _day(table["first"], about),
            _day(table["last"], about),
        ]
        for table in there
    ]
    return Table(
        f"Data behind {about['period_label']}",
        columns,
        rows,
        [*_excluded(headlines, about), *_checks(about), *_identities(about), *_provenance(about, params)],
    )


def _excluded(headlines: pd.DataFrame, about: About) -> list[str]:
    """Say which rows the definitions leave out of which numbers, those with the same exclusions together."""
    alike: defaultdict[tuple[tuple[str, int], ...], list[str]] = defaultdict(list)
    for row in headlines.to_dict("records"):
        if reasons := sorted(json.loads(row["excluded"]).items()):
            alike[tuple(reasons)].append(_short(row["kpi"], about))
    return [
        f"Not counted in {', '.join(kpis)}: {', '.join(f'{reason} {rows:,}' for reason, rows in reasons)}."
        for reasons, kpis in alike.items()
    ]


def _checks(about: About) -> list[str]:
    said = []
    for check in about["checks"]:
        rows = f"{check['rows']:,} row{'' if check['rows'] == 1 else 's'}"
        examples = f", for example {', '.join(map(str, check['examples'][:3]))}" if check.get("examples") else ""
        said.append(f"{check['table']}: {check['message']} ({rows}{examples}).")
    return said or ["Every check of the tables passed."]


def _identities(about: About) -> list[str]:
    """Say whether the numbers agree with each other."""
    known = about["identities"]
    if known["broken"]:
        return [f"These numbers do not agree with each other: {said}." for said in known["broken"]]
    return (
        [f"The numbers agree with each other in all {known['checked']} ways that can be checked."]
        if known["checked"]
        else []
    )


def _provenance(about: About, params: Params) -> list[str]:
    absent = [table["table"] for table in about["tables"] if not table["present"]]
    extract = parse_instant(about["as_of"]).astimezone(ZoneInfo(about["time_zone"]))
    source = params.source.name
    return [
        *(["Tables that are not there: " + ", ".join(absent) + "."] if absent else []),
        f"Extract of {_moment(extract)} ({about['time_zone']}); source {source}; version {about['version']}.",
        *([_NOT_FRESH] if about["as_of_source"] == "latest" else []),
        *(["Sample data: the company is invented."] if about["sample"] else []),
    ]


def _moment(instant: datetime) -> str:
    return f"{said_day(instant.date())}, {instant:%H:%M}"


def _day(instant: str | None, about: About) -> str:
    """Return the company's local day of an instant."""
    return said_day(parse_instant(instant).astimezone(ZoneInfo(about["time_zone"])).date()) if instant else NONE


def _listed(names: Sequence[str]) -> str:
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


def _short(kpi: str, about: About) -> str:
    said = about["kpis"][kpi]
    return str(said.get("short") or said["title"])


def _number(value: Any, row: Row, about: About) -> str:
    return printed(None if pd.isna(value) else float(value), row["unit"], about["currency"])


def _count(value: Any) -> str:
    return "" if pd.isna(value) else f"{float(value):,.0f}"


def _card_note(row: Row) -> str:
    if row["status"] == "small_sample":
        return f"too few cases (n = {_count(row['n']) or 0})"
    if row["status"] != "ok":
        return _NO_NUMBER.get(row["status"], "")
    return insight.WITHIN_MARGIN if insight.is_within_margin(row) else ""


def _target(row: Row, about: About) -> str:
    mark = {"on_target": " ✓ met", "missed": " ✗ missed"}.get(row["verdict"], "")
    return insight.target(row, about) + mark


def _row_title(row: Row, listed: set[str], about: About) -> str:
    """Return the title of a table's row; a companion under its KPI is set in and does not repeat its title."""
    head = row["kpi"].partition(".")[0]
    if head == row["kpi"] or head not in listed:
        return str(row["title"])
    own = str(row["title"]).removeprefix(f"{about['kpis'][head]['title']}: ")
    return INDENT + own[:1].upper() + own[1:]


def _caption(rows: pd.DataFrame, period: Period, about: About) -> str:
    families = {about["families"].get(family, "Numbers") for family in rows["family"]}
    return f"{families.pop() if len(families) == 1 else 'Numbers'}, {period.label}"


def _notes(rows: pd.DataFrame) -> list[str]:
    ok = rows["status"] == "ok"
    anchors = dict.fromkeys(rows.loc[ok & rows["provisional"].astype(bool), "anchor"])
    notes = [f"* Provisional: {'; '.join(anchors)}."] if anchors else []
    return notes + (["– No number: too few cases, nothing to measure, or not known yet."] if not ok.all() else [])

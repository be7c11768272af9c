"""The scorecard as a workbook, scorecard.xlsx: what the pages print, in sheets to sort and filter, without a formula.

Its bytes depend on the numbers alone, so that a page made from the same numbers is known to be up to date.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from kpi_lib import insight
from kpi_lib.insight import Row
from kpi_lib.language import Language, message, speak
from kpi_lib.localise import localised, told
from kpi_lib.period import Period, parse_instant
from kpi_lib.scorecard import Scorecard
from kpi_lib.units import FEW

FORMATS = {
    "percent": '0.0"%"',
    "points": "0.0",
    "count": "#,##0",
    "minutes": "#,##0.0",
    "seconds": "#,##0.0",
    "days": "#,##0.0",
    "months": "#,##0",
    "currency": "#,##0.00",
    "ratio": "#,##0.00",
    "score": "0.00",
}
MEAN_COUNT = "#,##0.0"
MOST_MEMBERS = 60  # of a KPI by a cut
LEFT_OUT = ("agent",)  # people are not for passing on
WORDS = {
    "ok": message("ok"),
    "small_sample": message("small sample"),
    "undefined": message("undefined"),
    "not_estimable": message("not estimable"),
    "not_available": message("not available"),
    "on_target": message("on target"),
    "missed": message("missed"),
    "withheld": message("withheld"),
}
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # how a text begins that a spreadsheet would compute when it is edited


@dataclass(frozen=True)
class Number:
    """A number in its unit; an absent one is an empty cell."""

    value: Any
    unit: str = "count"

    @property
    def format(self) -> str:
        """Return the cell's number format; a mean count keeps a decimal."""
        whole = self.unit != "count" or abs(self.value) >= FEW or math.isclose(self.value, round(self.value))
        return FORMATS[self.unit] if whole else MEAN_COUNT


Cell = str | Number
Columns = Sequence[str]  # headings
WIDTHS = {
    message("KPI"): 44,
    message("Value"): 12,
    message("Unit"): 10,
    message("On the page"): 14,
    message("95% from"): 11,
    message("95% to"): 11,
    message("Change"): 40,
    message("Target"): 20,
    message("Verdict"): 11,
    message("Status"): 14,
    message("Provisional"): 11,
    message("Headline"): 9,
    message("Family"): 20,
    message("Address"): 34,
    message("Definition"): 11,
    message("By"): 18,
    message("Member"): 26,
    message("What it is"): 60,
    message("How it is counted"): 60,
    message("Differs from"): 60,
    message("Better"): 9,
    message("What puts a row in a period"): 40,
    message("Cuts"): 40,
    message("About"): 26,
    message("Said"): 100,
}  # of columns, in characters; of a period 12


def write(card: Scorecard, path: Path) -> None:
    """Write a scorecard's period, trends, breakdowns and definitions as an Excel workbook."""
    import xlsxwriter

    card = Scorecard(*localised(card.frame, card.about, card.about["language"]))
    to, as_of = speak(card.about), parse_instant(card.about["as_of"])
    with xlsxwriter.Workbook(path, {"in_memory": True}) as book:
        period = to.period(Period.parse(card.period))
        title = to.say("{company}: scorecard of {period}", company=card.about["company"], period=period)
        book.set_properties({"title": title, "created": as_of.replace(tzinfo=None)})
        sheets = _Sheets(book, to)
        now = card.frame[card.frame["period"] == card.period]
        sheets.add(to.say("Scorecard"), *_scorecard(now[now["cut"].isna()], card))
        sheets.add(to.say("Trends"), *_trends(card.frame[card.frame["cut"].isna()], card))
        sheets.add(to.say("Breakdowns"), *_breakdowns(_chosen(now), card))
        sheets.add(to.say("Definitions"), *_definitions(now, card))
        sheets.add(to.say("About"), *_about(card))


class _Sheets:
    """Writes tables as sheets, each with a head that stays in sight, a filter and widths of its own."""

    def __init__(self, book: Any, language: Language) -> None:
        self._book, self._language = book, language
        self._formats: dict[tuple[Any, ...], Any] = {}

    def add(self, name: str, columns: Columns, rows: Iterable[Sequence[Cell]]) -> None:
        sheet = self._book.add_worksheet(name)
        if self._language.direction == "rtl":
            sheet.right_to_left()
        head = self._format(bold=True, text_wrap=True, bottom=1)
        for place, label in enumerate(columns):
            sheet.set_column(place, place, WIDTHS.get(label, 12))
            self._write(sheet, 0, place, self._language.say(label), head)
        last = 0
        for last, row in enumerate(rows, start=1):
            for place, cell in enumerate(row):
                self._write(sheet, last, place, cell)
        sheet.freeze_panes(1, 1)
        sheet.autofilter(0, 0, last, len(columns) - 1)
        sheet.set_landscape()
        sheet.set_paper(9)  # A4
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)

    def _write(self, sheet: Any, row: int, column: int, cell: Cell, format: Any = None) -> None:
        if isinstance(cell, Number):
            if not pd.isna(cell.value):
                sheet.write_number(row, column, cell.value, self._format(num_format=cell.format))
        elif cell:
            quoted = {"quote_prefix": True} if cell.startswith(FORMULA) else {}
            sheet.write_string(row, column, cell, format or self._format(text_wrap=True, **quoted))

    def _format(self, **told: Any) -> Any:
        key = tuple(told.items())
        if key not in self._formats:
            self._formats[key] = self._book.add_format({"valign": "top"} | told)
        return self._formats[key]


def _scorecard(rows: pd.DataFrame, card: Scorecard) -> tuple[Columns, Iterable[Sequence[Cell]]]:
    """Return the period's totals: headline numbers and companions."""
    earlier, to = _earlier(card), speak(card.about)
    columns = [
        "KPI", "Value", "Unit", "On the page", "95% from", "95% to",
        *earlier, "Change", "n", "Target", "Verdict", "Status",
        "Provisional", "Headline", "Family", "Address", "Definition",
    ]  # fmt: skip
    return columns, (
        [
            row["title"], *_values(row, card)[:2], insight.value(row, card.about), *_values(row, card)[2:4],
            *_before(row, earlier), to.semicolon.join(insight.changes(row, card.about)), Number(row["n"]),
            insight.target(row, card.about), _word(row["verdict"], card), _word(row["status"], card),
            _yes(row["provisional"], card), _yes(row["headline"], card),
            card.about["families"].get(row["family"], row["family"]), row["kpi"], row["definition"],
        ]
        for row in rows.to_dict("records")
    )  # fmt: skip


def _trends(rows: pd.DataFrame, card: Scorecard) -> tuple[Columns, Iterable[Sequence[Cell]]]:
    """Return each KPI as a line of 13 periods."""
    periods = sorted(rows["period"].unique())
    known = rows[rows["status"] == "ok"].set_index(["kpi", "period"])["value"].to_dict()
    columns = [
        "KPI",
        "Unit",
        *periods,
        "Address",
    ]
    last = rows[rows["period"] == card.period]
    return columns, (
        [
            row["title"],
            _unit(row, card),
            *(Number(known.get((row["kpi"], period)), row["unit"]) for period in periods),
            row["kpi"],
        ]
        for row in last.to_dict("records")
    )


def _breakdowns(rows: pd.DataFrame, card: Scorecard) -> tuple[Columns, Iterable[Sequence[Cell]]]:
    """Return the period's numbers by the members of each cut."""
    earlier, to = _earlier(card), speak(card.about)
    columns = [
        "KPI", "By", "Member", "Value", "Unit", "95% from", "95% to",
        *earlier, "n", "Status", "Provisional", "Address",
    ]  # fmt: skip
    return columns, (
        [
            row["title"], to.cut(row["cut"]), to.member(row["cut"], row["member"]), *_values(row, card),
            *_before(row, earlier),
            Number(row["n"]), _word(row["status"], card), _yes(row["provisional"], card), row["kpi"],
        ]
        for row in rows.to_dict("records")
    )  # fmt: skip


def _chosen(now: pd.DataFrame) -> pd.DataFrame:
    """Return the members' rows, of each KPI by a cut those with the most cases."""
    rows = now[now["cut"].notna() & ~now["cut"].isin(LEFT_OUT)]
    place = rows.groupby(["kpi", "cut"])["n"].rank(method="first", ascending=False, na_option="bottom")
    return rows[place <= MOST_MEMBERS]


def _definitions(now: pd.DataFrame, card: Scorecard) -> tuple[Columns, Iterable[Sequence[Cell]]]:
    columns = [
        "KPI", "Address", "What it is", "How it is counted", "Differs from", "Unit",
        "Better", "What puts a row in a period", "Cuts", "Definition",
    ]  # fmt: skip
    to, hashes = speak(card.about), dict(zip(now["kpi"], now["definition"], strict=True))
    return columns, (
        [
            said["title"], kpi, said["summary"], said["formula"], said["differs"], _unit(said, card),
            to.word("better", said["better"]), said["anchor"], to.joined(map(to.cut, said["cuts"])),
            hashes.get(kpi, ""),
        ]
        for kpi, said in card.about["kpis"].items()
    )  # fmt: skip


def _about(card: Scorecard) -> tuple[Columns, Iterable[Sequence[Cell]]]:
    about, to = card.about, speak(card.about)
    absent = [table["table"] for table in about["tables"] if not table["present"]]
    rounding = to.say(
        "Not rounded. Percent from 0 to 100; waiting and handling times in the unit beside them. A number that the "
        "pages do not print is left empty, and its status says why."
    )
    members = to.say(
        "At most {count} members of a cut, those with the most cases; no numbers of single agents. Everything is in "
        "scorecard.csv.",
        count=to.number(MOST_MEMBERS),
    )
    told: list[tuple[str, str]] = [
        (to.say("Company"), about["company"]),
        (to.say("Period"), f"{to.period(Period.parse(card.period))} ({about['period']})"),
        (to.say("Data as of"), about["as_of"]),
        (to.say("Time zone"), about["time_zone"]),
        (to.say("Currency"), about["currency"]),
        (to.say("Version"), about["version"]),
        *([(to.say("Sample data"), to.say("Sample data: the company is invented."))] if about["sample"] else []),
        (to.say("Numbers"), rounding),
        (to.say("Breakdowns"), members),
        (to.say("Not there"), to.joined(absent) or to.say("nothing")),
        *((to.say("Table {table}", table=table["table"]), _table(table, to)) for table in about["tables"]
          if table["present"]),
        *((to.say("Check of {table}", table=check["table"]), _check(check, to)) for check in about["checks"]),
        *((to.say("Do not agree"), told(broken, to)) for broken in about["identities"]["broken"]),
    ]  # fmt: skip
    return ["About", "Said"], told


def _table(table: dict[str, Any], to: Language) -> str:
    out = to.joined(f"{told(reason, to)} {to.number(rows)}" for reason, rows in table["dropped"].items() if rows)
    return to.say(
        "{rows} rows read; left out: {reasons}; from {first} to {last}",
        rows=to.number(table["rows"]),
        reasons=out or to.say("none"),
        first=table["first"],
        last=table["last"],
    )


def _check(check: dict[str, Any], to: Language) -> str:
    rows = to.many("{count} row", "{count} rows", check["rows"])
    return f"{told(check['message'], to)}: {rows}"


def _values(row: Row, card: Scorecard) -> list[Cell]:
    """Return value, unit and interval; empty for a status that has no meaning as a number."""
    numbers = [Number(row[name] if row["status"] == "ok" else None, row["unit"]) for name in ("value", "low", "high")]
    return [numbers[0], _unit(row, card), *numbers[1:]]


def _earlier(card: Scorecard) -> dict[str, str]:
    """Return the labels of the period before and of a year ago, each with its column of the scorecard."""
    period = Period.parse(card.period)
    to = speak(card.about)
    return {to.period(period.previous): "previous"} | {to.period(period.year_before): "year_ago"}


def _before(row: Row, earlier: dict[str, str]) -> list[Cell]:
    return [Number(row[name], row["unit"]) for name in earlier.values()]


def _unit(row: Row, card: Scorecard) -> str:
    return str(card.about["currency"] if row["unit"] == "currency" else speak(card.about).word("unit", row["unit"]))


def _word(name: str, card: Scorecard) -> str:
    """Return a status or verdict in words; that there is no target needs none."""
    return speak(card.about).say(WORDS[name]) if name in WORDS else ""


def _yes(flag: Any, card: Scorecard) -> str:
    return speak(card.about).say("yes") if flag else ""

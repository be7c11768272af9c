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
Columns = Sequence[tuple[str, float]]  # heading and width


def write(card: Scorecard, path: Path) -> None:
    """Write a scorecard's period, trends, breakdowns and definitions as an Excel workbook."""
    import xlsxwriter

    as_of = parse_instant(card.about["as_of"])
    with xlsxwriter.Workbook(path, {"in_memory": True}) as book:
        title = f"{card.about['company']}: scorecard of {card.about['period_label']}"
        book.set_properties({"title": title, "created": as_of.replace(tzinfo=None)})
        sheets = _Sheets(book)
        now = card.frame[card.frame["period"] == card.period]
        sheets.add("Scorecard", *_scorecard(now[now["cut"].isna()], card))
        sheets.add("Trends", *_trends(card.frame[card.frame["cut"].isna()], card))
        sheets.add("Breakdowns", *_breakdowns(_chosen(now), card))
        sheets.add("Definitions", *_definitions(now, card))
        sheets.add("About", *_about(card))


class _Sheets:
    """Writes tables as sheets, each with a head that stays in sight, a filter and widths of its own."""

    def __init__(self, book: Any) -> None:
        self._book, self._formats = book, {}  # type: Any, dict[tuple[Any, ...], Any]

    def add(self, name: str, columns: Columns, rows: Iterable[Sequence[Cell]]) -> None:
        sheet = self._book.add_worksheet(name)
        head = self._format(bold=True, text_wrap=True, bottom=1)
        for place, (label, width) in enumerate(columns):
            sheet.set_column(place, place, width)
            self._write(sheet, 0, place, label, head)
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
    earlier = _earlier(card)
    columns = [
        ("KPI", 44), ("Value", 12), ("Unit", 10), ("On the page", 14), ("95% from", 11), ("95% to", 11),
        *((label, 12) for label in earlier), ("Change", 40), ("n", 10), ("Target", 20), ("Verdict", 11), ("Status", 14),
        ("Provisional", 11), ("Headline", 9), ("Family", 20), ("Address", 34), ("Definition", 11),
    ]  # fmt: skip
    return columns, (
        [
            row["title"], *_values(row, card)[:2], insight.value(row, card.about), *_values(row, card)[2:4],
            *_before(row, earlier), "; ".join(insight.changes(row, card.about)), Number(row["n"]),
            insight.target(row, card.about), _words({"no_target": ""}.get(row["verdict"], row["verdict"])),
            _words(row["status"]), _yes(row["provisional"]), _yes(row["headline"]),
            card.about["families"].get(row["family"], row["family"]), row["kpi"], row["definition"],
        ]
        for row in rows.to_dict("records")
    )  # fmt: skip


def _trends(rows: pd.DataFrame, card: Scorecard) -> tuple[Columns, Iterable[Sequence[Cell]]]:
    """Return each KPI as a line of 13 periods."""
    periods = sorted(rows["period"].unique())
    known = rows[rows["status"] == "ok"].set_index(["kpi", "period"])["value"].to_dict()
    columns = [("KPI", 44), ("Unit", 10), *((period, 11) for period in periods), ("Address", 34)]
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
    earlier = _earlier(card)
    columns = [
        ("KPI", 44), ("By", 18), ("Member", 26), ("Value", 12), ("Unit", 10), ("95% from", 11), ("95% to", 11),
        *((label, 12) for label in earlier), ("n", 10), ("Status", 14), ("Provisional", 11), ("Address", 34),
    ]  # fmt: skip
    return columns, (
        [
            row["title"], _words(row["cut"]), row["member"], *_values(row, card), *_before(row, earlier),
            Number(row["n"]), _words(row["status"]), _yes(row["provisional"]), row["kpi"],
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
        ("KPI", 44), ("Address", 34), ("What it is", 60), ("How it is counted", 60), ("Differs from", 60), ("Unit", 10),
        ("Better", 9), ("What puts a row in a period", 40), ("Cuts", 40), ("Definition", 11),
    ]  # fmt: skip
    hashes = dict(zip(now["kpi"], now["definition"], strict=True))
    return columns, (
        [
            said["title"], kpi, said["summary"], said["formula"], said["differs"], said["unit"], said["better"],
            said["anchor"], ", ".join(said["cuts"]), hashes.get(kpi, ""),
        ]
        for kpi, said in card.about["kpis"].items()
    )  # fmt: skip


def _about(card: Scorecard) -> tuple[Columns, Iterable[Sequence[Cell]]]:
    about = card.about
    told: list[tuple[str, str]] = [
        ("Company", about["company"]),
        ("Period", f"{about['period_label']} ({about['period']})"),
        ("Data as of", about["as_of"]),
        ("Time zone", about["time_zone"]),
        ("Currency", about["currency"]),
        ("Version", about["version"]),
        *([("Sample", "Sample data: the company is invented.")] if about["sample"] else []),
        ("Numbers", "Not rounded. Percent from 0 to 100; waiting and handling times in the unit beside them. A number "
                    "that the pages do not print is left empty, and its status says why."),
        ("Breakdowns", f"At most {MOST_MEMBERS} members of a cut, those with the most cases; no numbers of single "
                       "agents. Everything is in scorecard.csv."),
        ("Not there", ", ".join(table["table"] for table in about["tables"] if not table["present"]) or "nothing"),
        *((f"Table {table['table']}", _table(table)) for table in about["tables"] if table["present"]),
        *((f"Check of {check['table']}", f"{check['message']}: {check['rows']:,} rows") for check in about["checks"]),
        *(("Do not agree", broken) for broken in about["identities"]["broken"]),
    ]  # fmt: skip
    return [("About", 26), ("Said", 100)], told


def _table(table: dict[str, Any]) -> str:
    out = ", ".join(f"{reason} {rows:,}" for reason, rows in table["dropped"].items() if rows)
    return f"{table['rows']:,} rows read; left out: {out or 'none'}; from {table['first']} to {table['last']}"


def _values(row: Row, card: Scorecard) -> list[Cell]:
    """Return value, unit and interval; empty for a status that has no meaning as a number."""
    numbers = [Number(row[name] if row["status"] == "ok" else None, row["unit"]) for name in ("value", "low", "high")]
    return [numbers[0], _unit(row, card), *numbers[1:]]


def _earlier(card: Scorecard) -> dict[str, str]:
    """Return the labels of the period before and of a year ago, each with its column of the scorecard."""
    period = Period.parse(card.period)
    return {period.previous.label: "previous"} | {period.year_before.label: "year_ago"}


def _before(row: Row, earlier: dict[str, str]) -> list[Cell]:
    return [Number(row[name], row["unit"]) for name in earlier.values()]


def _unit(row: Row, card: Scorecard) -> str:
    return str(card.about["currency"] if row["unit"] == "currency" else row["unit"])


def _words(name: str) -> str:
    return name.replace("_", " ")


def _yes(flag: Any) -> str:
    return "yes" if flag else ""

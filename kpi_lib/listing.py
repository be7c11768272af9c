"""What the command prints on a terminal: numbers, checks, differences."""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table
from rich.text import Text

from kpi_lib.errors import plain
from kpi_lib.period import parse_instant
from kpi_lib.units import exact

if TYPE_CHECKING:
    import pandas as pd

    from kpi_lib.difference import Comparison
    from kpi_lib.params import Params
    from kpi_lib.period import Period
    from kpi_lib.scorecard import Scorecard
    from kpi_lib.source import Source

VERDICTS = {"on_target": "on target", "missed": "missed", "no_target": "", "withheld": ""}


def print_values(rows: "pd.DataFrame", card: "Scorecard", form: str) -> None:
    """Print scorecard rows as a table, or all their columns as CSV or JSON."""
    from kpi_lib.copies import to_csv
    from kpi_lib.scorecard import arrow, records

    if form == "csv":
        with TemporaryDirectory(prefix="kpi-") as folder:
            file = Path(folder, "values.csv")
            to_csv(arrow(rows), file)
            text = file.read_bytes().decode("utf-8")  # with line ends inside of names as they are
            sys.stdout.write(plain(text) if sys.stdout.isatty() else text)
    elif form == "json":
        _print_json(records(rows))
    else:
        _values_table(records(rows), card.about)


def _print_json(rows: list[dict[str, Any]]) -> None:
    """Print rows; on a terminal without the letters that it might obey."""
    print(json.dumps(rows, ensure_ascii=sys.stdout.isatty(), indent=1))


def _values_table(rows: list[dict[str, Any]], about: dict[str, Any]) -> None:
    several = len({row["period"] for row in rows}) > 1
    members = any(row["member"] for row in rows)
    console, table = _console(), _table()
    console.print(Text(plain(f"{about['company']}, {about['period_label']}"), style="bold"))
    heads = ["KPI", *(["period"] if several else []), *(["member"] if members else [])]
    for head in heads:
        table.add_column(head, no_wrap=head == "KPI", overflow="fold")
    table.add_column("value", justify="right")
    table.add_column("unit")
    for head in ("95 % interval", "n", "before", "year ago"):
        table.add_column(head, justify="right")
    table.add_column("target, status")
    for row in rows:
        unit = row["unit"]
        low, high = (exact(row[end], unit) for end in ("low", "high"))
        cells = [row["kpi"], *([row["period"]] if several else []), *([row["member"] or ""] if members else [])]
        cells += [
            exact(row["value"], unit),
            about["currency"] if unit == "currency" else unit,
            "" if row["low"] is None and row["high"] is None else f"{low} to {high}",
            "" if row["n"] is None else f"{row['n']:,.0f}",
            exact(row["previous"], unit),
            exact(row["year_ago"], unit),
            _status(row, about),
        ]
        table.add_row(*(Text(plain(cell)) for cell in cells))
    console.print(table)


def _status(row: dict[str, Any], about: dict[str, Any]) -> str:
    from kpi_lib import insight

    status = "" if row["status"] == "ok" else row["status"].replace("_", " ")
    if row["status"] == "not_available":
        status = f"not available: {row['method']}"
    target = insight.target(row, about)
    verdict = f"{VERDICTS[row['verdict']]} ({target})" if VERDICTS[row["verdict"]] else target
    return ", ".join(filter(None, (verdict, status, "provisional" if row["provisional"] else "")))


def print_check(source: "Source", params: "Params", period: "Period") -> bool:
    """Print what there is of each table and what breaks its rules; return whether one ends before the period does."""
    from kpi_lib.freshness import of_period

    tables, checks = source.quality()
    console, table, reached = _console(), _table(), of_period(tables, source.as_of, params, period)
    console.print(Text(plain(f"{params.company}: tables for {period.label}, extract of {source.as_of}"), style="bold"))
    table.add_column("table")
    for head in ("rows", "left out"):
        table.add_column(head, justify="right")
    for head in ("first", "last", "for this period"):
        table.add_column(head)
    for row, reach in zip(tables, reached, strict=True):
        dropped = sum(row["dropped"].values())
        cells = (
            row["table"],
            f"{row['rows']:,}",
            f"{dropped:,}" if dropped else "",
            _day(row["first"], params),
            _day(row["last"], params),
            reach.said,
        )
        table.add_row(*map(Text, cells))
    console.print(table)
    for found in checks:
        rows = f"{found['rows']:,} row{'' if found['rows'] == 1 else 's'}"
        said = "" if found["message"] in (None, "", found["rule"]) else f": {found['message']}"
        examples = f" ({'; '.join(map(str, found['examples']))})" if found["examples"] else ""
        console.print(Text(plain(f"{found['level']}: {found['table']}: {found['rule']}, {rows}{said}{examples}")))
    if source.missing:
        console.print(Text(f"not in the source: {', '.join(source.missing)}"))
    if period.bounds(params.time_zone)[1] > source.as_of:
        console.print(Text(f"{period.label} is not over in this extract: its numbers are provisional"))
    return any(reach.level == "error" for reach in reached)


def print_differences(found: "Comparison", form: str) -> None:
    """Print what differs between two scorecards as a table, or as JSON."""
    if form == "json":
        _print_json(found.rows)
        return
    console, table, others = _console(), _table(), found.others
    console.print(Text(plain(found.said), style="bold"))
    why = ["why"] if any(row["why"] for row in found.rows) else []
    for head in ("KPI", found.then, found.now, "change", *why):
        table.add_column(head, justify="right" if head in (found.then, found.now) else "left")
    for row in found.rows:
        cells = (row["title"], row["then"], row["now"], row["change"], *([", ".join(row["why"])] if why else []))
        table.add_row(*(Text(plain(cell)) for cell in cells))
    if found.rows:
        console.print(table)
    numbers = f"{others} number{'' if others == 1 else 's'} {'is' if others == 1 else 'are'}"
    console.print(Text(f"{numbers} printed the same."))


def _table() -> Table:
    return Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))


def _console() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=160)


def _day(text: str | None, params: "Params") -> str:
    """Return the company's local day of an instant."""
    return str(parse_instant(text).astimezone(ZoneInfo(params.time_zone)).date()) if text else ""

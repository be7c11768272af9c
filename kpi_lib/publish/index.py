"""index.html of the folder of reports: every period that was built, and how its headline numbers went."""

import fcntl
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from kpi_lib.display import sparkline
from kpi_lib.errors import KpiError
from kpi_lib.language import Language, language, message
from kpi_lib.period import TREND, Period
from kpi_lib.publish import manifest
from kpi_lib.publish.render import MESSAGES, Book
from kpi_lib.units import NONE, printed, rounded

NAME = "index.html"
KINDS = {1: message("Months"), 3: message("Quarters"), 12: message("Years")}
VERDICTS = {"on_target": message("✓ on target"), "missed": message("✗ target missed")}
COLUMNS = ["kpi", "period", "family", "title", "value", "unit", "status", "verdict", "headline", "cut"]
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Issue:
    """A period's report on the shelf: its manifest, and of a whole one the headline rows and what they are about."""

    period: Period
    about: Mapping[str, Any]
    rows: Sequence[Row] = ()
    said: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return str(self.period)


def renew(folder: Path, book: Book) -> None:
    """Write the index of a folder of reports anew; who reads it meanwhile sees the old one or the new one, whole."""
    from kpi_lib.publish import html

    to = language(book.language)
    with (folder / ".locks" / "index").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        issues = read(folder, book.company)
        if not issues:
            return
        latest = issues[0]
        first, last = (to.period(end(issues, key=_begins).period) for end in (min, max))
        label = first if first == last else to.say("{first} to {last}", first=first, last=last)
        about = replace(book, label=label, stamp=datetime.fromisoformat(latest.about["as_of"]))
        shelves = [_shelf(list(kind), book) for _, kind in groupby(issues, key=lambda each: each.period.months)]
        draft = folder / f".{NAME}.part"
        draft.write_text(html.shelf(about, shelves), encoding="utf-8")
        draft.replace(folder / NAME)


def read(folder: Path, company: str) -> list[Issue]:
    """Return a company's reports in a folder: months, then quarters, then years, the latest first."""
    issues = []
    for path in folder.iterdir():
        about = manifest.read(path) if path.is_dir() else None
        if not about or about.get("company") != company or not (path / NAME).is_file():
            continue
        with suppress(KpiError):
            rows, said = _headlines(path / "scorecard.parquet") if about.get("status") == "whole" else ([], {})
            issues.append(Issue(Period.parse(path.name), about, rows, said))
    latest_first = sorted(issues, key=_begins, reverse=True)
    return sorted(latest_first, key=lambda each: each.period.months)


def _begins(issue: Issue) -> Any:
    return issue.period.first_day


def _headlines(path: Path) -> tuple[list[Row], Mapping[str, Any]]:
    """Return the total rows of the headline numbers of a scorecard's file; none when it cannot be read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path, columns=COLUMNS, filters=[("headline", "==", True)])
        said = json.loads((table.schema.metadata or {})[b"kpi_lib"])
    except (OSError, KeyError, ValueError, pa.ArrowException):
        return [], {}
    return [row for row in table.to_pylist() if row["cut"] is None], said


def _shelf(issues: list[Issue], book: Book) -> dict[str, Any]:
    """Return the issues of one kind of period, by year, and the numbers of the latest whole one with their trends."""
    to, kind = language(book.language), KINDS[issues[0].period.months]
    by_year = [
        {"year": year, "issues": [_entry(each, book) for each in of_year]}
        for year, of_year in groupby(issues, key=lambda each: to.year(each.period))
    ]
    whole = [each for each in issues if each.rows]
    about = {"id": kind.lower(), "kind": to.say(kind), "years": by_year}
    return about | (_numbers(whole, to) if whole else {})


def _entry(issue: Issue, book: Book) -> dict[str, Any]:
    to, file = language(book.language), replace(book, name=issue.name).file
    note = MESSAGES.get(issue.about.get("status", ""))
    return {
        "label": to.period(issue.period),
        "href": f"{issue.name}/{NAME}",
        "book": f"{issue.name}/{file}" if file in issue.about.get("files", {}) else None,
        "as_of": to.moment(datetime.fromisoformat(issue.about["as_of"])),
        "note": to.say(note) if note else "",
    }


def _numbers(whole: list[Issue], to: Language) -> dict[str, Any]:
    """Return the headline numbers of the latest issue by family, each period's as its own report has it.

    Where a period of the trend has no report of its own, the latest report that reaches back to it has its number.
    """
    latest = whole[0]
    known: dict[tuple[str, str], Row] = {}
    for issue in reversed(whole):
        known |= {(row["kpi"], row["period"]): row for row in issue.rows}
    known |= {(row["kpi"], row["period"]): row for each in whole for row in each.rows if row["period"] == each.name}
    columns = list(dict.fromkeys((latest.period, latest.period.previous, latest.period.year_before)))
    families = defaultdict(list)
    for row in latest.rows:
        if row["period"] != latest.name or row["status"] == "not_available":
            continue
        trend = [known.get((row["kpi"], str(period))) for period in latest.period.trailing(TREND)]
        shown = [known.get((row["kpi"], str(period))) for period in columns]
        families[row["family"]].append(
            {
                "title": to.named(row["title"]),
                "spark": sparkline([_number(each) for each in trend]),
                "values": [_text(each, latest.said.get("currency", ""), to) for each in shown],
                "verdict": to.say(VERDICTS[row["verdict"]]) if row["verdict"] in VERDICTS else "",
            }
        )
    names = latest.said.get("families", {})
    return {
        "latest": to.period(latest.period),
        "columns": [to.period(period) for period in columns],
        "families": [{"title": to.say(names.get(name, name)), "rows": rows} for name, rows in families.items()],
    }


def _number(row: Row | None) -> float | None:
    return rounded(row["value"], row["unit"]) if row and row["status"] == "ok" else None


def _text(row: Row | None, currency: str, to: Language) -> str:
    return printed(row["value"], row["unit"], currency, language=to) if row and row["status"] == "ok" else NONE

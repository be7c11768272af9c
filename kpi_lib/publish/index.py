"""index.html of the folder of reports: every period that was built, and how its headline numbers went."""

import fcntl
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
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
NOTE = Path(".cache") / "index.json"  # what the index was made from; safe to delete
KINDS = {1: message("Months"), 3: message("Quarters"), 12: message("Years")}
VERDICTS = {"on_target": message("✓ on target"), "missed": message("✗ target missed")}
COLUMNS = ["kpi", "period", "family", "title", "value", "unit", "status", "verdict", "headline", "cut"]
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Entry:
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
    (folder / ".locks").mkdir(exist_ok=True)
    with (folder / ".locks" / "index").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        entries = read(folder, book.company)
        if not entries:
            return
        latest = entries[0]
        first, last = (to.period(end(entries, key=_begins).period) for end in (min, max))
        label = first if first == last else to.say("{first} to {last}", first=first, last=last)
        stamp, sample = datetime.fromisoformat(latest.about["as_of"]), bool(latest.about.get("sample"))
        about = replace(book, label=label, stamp=stamp, sample=sample)
        shelves = [_shelf(list(kind), book) for _, kind in groupby(entries, key=lambda each: each.period.months)]
        draft = folder / f".{NAME}.part"
        draft.write_text(html.shelf(about, shelves), encoding="utf-8")
        draft.replace(folder / NAME)
        (folder / NOTE).parent.mkdir(exist_ok=True)
        (folder / NOTE).write_text(json.dumps(_made_from(folder, book.company)), encoding="utf-8")


def stands(folder: Path, company: str) -> bool:
    """Whether the index is there as it was written, and shows the reports that are there."""
    try:
        noted = json.loads((folder / NOTE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return (folder / NAME).is_file() and bool(noted == _made_from(folder, company))


def _made_from(folder: Path, company: str) -> dict[str, str]:
    """Return the hashes of the index and of the manifests of all that it shows."""
    shown = {path.name: manifest.hashed(path / manifest.NAME) for path, _ in _there(folder, company)}
    return shown | {NAME: manifest.hashed(folder / NAME)}


def _there(folder: Path, company: str) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield the folders of a company's reports with their manifests, in no order."""
    for path in folder.glob("[!.]*"):  # a build under way is none yet
        about = manifest.read(path) if path.is_dir() else None
        if about and about.get("company") == company and (path / NAME).is_file():
            yield path, about


def read(folder: Path, company: str) -> list[Entry]:
    """Return a company's reports in a folder: months, then quarters, then years, the latest first."""
    entries = []
    for path, about in _there(folder, company):
        with suppress(KpiError):
            rows, said = _headlines(path / "scorecard.parquet") if about.get("status") == "whole" else ([], {})
            entries.append(Entry(Period.parse(path.name), about, rows, said))
    latest_first = sorted(entries, key=_begins, reverse=True)
    return sorted(latest_first, key=lambda each: each.period.months)


def _begins(entry: Entry) -> Any:
    return entry.period.first_day


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


def _shelf(entries: list[Entry], book: Book) -> dict[str, Any]:
    """Return the entries of one kind of period, by year, and the numbers of the latest whole one with their trends."""
    to, kind = language(book.language), KINDS[entries[0].period.months]
    by_year = [
        {"year": year, "entries": [_listed(each, book) for each in of_year]}
        for year, of_year in groupby(entries, key=lambda each: to.year(each.period))
    ]
    whole = [each for each in entries if each.rows]
    about = {"id": kind.lower(), "kind": to.say(kind), "years": by_year}
    return about | (_numbers(whole, to) if whole else {})


def _listed(entry: Entry, book: Book) -> dict[str, Any]:
    to, file = language(book.language), replace(book, name=entry.name).file
    note = MESSAGES.get(entry.about.get("status", ""))
    return {
        "label": to.period(entry.period),
        "href": f"{entry.name}/{NAME}",
        "book": f"{entry.name}/{file}" if file in entry.about.get("files", {}) else None,
        "as_of": to.moment(datetime.fromisoformat(entry.about["as_of"])),
        "note": to.say(note) if note else "",
    }


def _numbers(whole: list[Entry], to: Language) -> dict[str, Any]:
    """Return the headline numbers of the latest entry by family, each period's as its own report has it.

    Where a period of the trend has no report of its own, the latest report that reaches back to it has its number.
    """
    latest = whole[0]
    known: dict[tuple[str, str], Row] = {}
    for entry in reversed(whole):
        known |= {(row["kpi"], row["period"]): row for row in entry.rows}
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

"""What was sent, kept for good: records/issued/PERIOD/AUDIENCE/CONTENT/, files that are never written again.

An issue is a scorecard, the PDFs made from it, the build's manifest and the letter. It is written before the first
mail goes out, and what is sent again, to somebody whom the mail did not reach, is taken from here.
"""

import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kpi_lib.errors import KpiError
from kpi_lib.period import TREND, Period
from kpi_lib.publish import manifest
from kpi_lib.units import rounded

if TYPE_CHECKING:
    from kpi_lib.scorecard import Scorecard

NOTE, SCORECARD, MANIFEST, LETTER = "issued.json", "scorecard.parquet", "manifest.json", "letter.eml"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]*")
DIGITS = 16  # of a content hash


def content(card: "Scorecard", commentary: Mapping[str, str]) -> str:
    """Return the hash of what a reader is told: the headline numbers as printed, and the analysts' words.

    It is the same whenever these are, whatever extract, code, language, style or time they come from; another hash for
    a period and audience that was sent to is a correction. What was restated of other months is no part of it: it would
    be gone again once the correction is sent.
    """
    said = [sorted((kpi, *_as_printed(row)) for kpi, row in _headlines(card).items()), sorted(commentary.items())]
    return digest(said)


def digest(told: Any) -> str:
    """Return the hash of plain data that names it in the archive and in the ledger."""
    return sha256(json.dumps(told, ensure_ascii=False).encode()).hexdigest()[:DIGITS]


def changes(then: "Scorecard", now: "Scorecard") -> list[tuple[str, str, str]]:
    """Return what a correction changes: title, what was sent before, what is said now, in the language of `now`.

    A number that is printed as before is told with its interval or its verdict, whichever is another.
    """
    from kpi_lib import insight

    before, today, about = _headlines(then), _headlines(now), now.about
    found = []
    for row, was in ((row, before[kpi]) for kpi, row in today.items() if kpi in before):
        if _as_printed(row) == _as_printed(was):
            continue
        values, *others = [
            [read(each, about) for each in (was, row)] for read in (insight.value, insight.interval, insight.target)
        ]
        beside = next((pair for pair in others if pair[0] != pair[1]), [_verdict(was), _verdict(row)])
        if values[0] == values[1]:
            values = [f"{value} ({said})" for value, said in zip(values, beside, strict=True)]
        found.append((str(row["title"]), values[0], values[1]))
    return found


@dataclass(frozen=True)
class Issue:
    """One report as it was issued to one audience; `files` are their SHA-256 by name."""

    folder: Path
    company: str
    period: str
    audience: str
    slice: str | None  # the audience to which its numbers are confined; None for the whole company
    content: str
    at: datetime
    files: Mapping[str, str]

    @cached_property
    def where(self) -> Mapping[str, str]:
        """The part of the company that its numbers are of, empty for the whole."""
        from kpi_lib.scorecard import Scorecard

        if self.slice is None:
            return {}
        return dict(Scorecard.read_about(self.path(SCORECARD))["audience"]["where"])

    def path(self, name: str) -> Path:
        """Return a file of the issue; one that is not as it was issued is an error."""
        path = self.folder / name
        if not path.is_file() or manifest.hashed(path) != self.files.get(name):
            raise KpiError(f"{path} is not as it was issued on {self.at:%Y-%m-%d}: restore it from a backup")
        return path

    def scorecard(self) -> "Scorecard":
        """Return the numbers as they were issued."""
        from kpi_lib.scorecard import Scorecard

        return Scorecard.read(self.path(SCORECARD))

    def manifest(self) -> dict[str, Any]:
        """Return the manifest of the build that was sent."""
        return dict(json.loads(self.path(MANIFEST).read_text(encoding="utf-8")))


@dataclass(frozen=True)
class Archive:
    """All that a company has issued, in the folder `records`."""

    records: Path
    company: str

    @property
    def folder(self) -> Path:
        """Where the issues lie."""
        return self.records / "issued"

    def keep(self, audience: str, content: str, files: Mapping[str, Path | bytes], at: datetime) -> Issue:
        """Keep what is about to be sent, whole and read-only; what is kept already is returned as it is.

        `files` are scorecard.parquet, manifest.json, letter.eml and the PDFs. Other PDFs under the same content are an
        error: what was sent is never replaced.
        """
        if absent := [name for name in (SCORECARD, MANIFEST, LETTER) if name not in files]:
            raise KpiError(f"an issue without {absent[0]} cannot be kept")
        if wrong := [name for name in (audience, content, *files) if not NAME.fullmatch(name)]:
            raise KpiError(f"{wrong[0]!r} can be no name in {self.folder}")
        self.folder.mkdir(parents=True, exist_ok=True)
        stage = Path(tempfile.mkdtemp(prefix=".new-", dir=self.folder))
        try:
            hashes = {name: _written(stage / name, given) for name, given in files.items()}
            issue = self._issue(stage, audience, content, hashes, at)
            if (target := issue.folder).exists():
                return self._same(target, hashes)
            _written(stage / NOTE, json.dumps(_note(issue), indent=2, ensure_ascii=False).encode())
            target.parent.mkdir(parents=True, exist_ok=True)
            _synced(stage)
            stage.rename(target)  # which only one sender at a time does
            target.chmod(0o555)
            for folder in (target.parent, target.parent.parent, self.folder):
                _synced(folder)
            return issue
        finally:
            shutil.rmtree(stage, ignore_errors=True)

    def find(self, period: str, audience: str, content: str) -> Issue | None:
        """Return an issue if it is kept."""
        folder = self.folder / period / audience / content
        return _read(folder) if (folder / NOTE).is_file() else None

    def all(self) -> list[Issue]:
        """Return every issue of the company, the earliest first."""
        found = [_read(note.parent) for note in self.folder.glob(f"[!.]*/*/*/{NOTE}")]
        return sorted((issue for issue in found if issue.company == self.company), key=lambda issue: issue.at)

    def last(self, periods: Iterable[Period]) -> list[Issue]:
        """Return what was issued last of each of these periods, for the whole company and for each slice."""
        wanted = {str(period) for period in periods}
        return list({(issue.period, issue.slice): issue for issue in self.all() if issue.period in wanted}.values())

    def fingerprint(self, before: Period) -> str:
        """Return what tells whether more was issued of earlier periods, which a report compares itself with."""
        issued = [(issue.period, issue.audience, issue.content, issue.at.isoformat()) for issue in self.all()]
        months = [each for each in issued if Period.parse(each[0]) in before.trailing(TREND)[:-1]]
        return sha256(json.dumps(months).encode()).hexdigest() if months else ""

    def with_file(self, file: Path) -> list[Issue]:
        """Return the issues that a file, such as a PDF that somebody has, was sent in."""
        digest = manifest.hashed(file)
        return [issue for issue in self.all() if digest in issue.files.values()]

    def _issue(self, stage: Path, audience: str, content: str, files: Mapping[str, str], at: datetime) -> Issue:
        from kpi_lib.scorecard import Scorecard

        card = Scorecard.read(stage / SCORECARD)
        if card.about["company"] != self.company:
            raise KpiError(f"this is a scorecard of {card.about['company']!r}, not of {self.company!r}")
        slices = card.frame["audience"].dropna()
        confined = None if slices.empty else str(slices.iloc[0])
        folder = self.folder / card.period / audience / content
        return Issue(folder, self.company, card.period, audience, confined, content, at, files)

    def _same(self, folder: Path, files: Mapping[str, str]) -> Issue:
        issue = _read(folder)
        for name in {*issue.files, *files}:
            if name.endswith(".pdf") and issue.files.get(name) != files.get(name):
                raise KpiError(
                    f"{issue.period} was issued to {issue.audience!r} with these numbers and another {name}: "
                    f"what was sent lies in {folder}"
                )
        return issue


def _headlines(card: "Scorecard") -> dict[str, dict[str, Any]]:
    """Return the period's headline rows by address."""
    return {row["kpi"]: row for row in card.headlines().to_dict("records")}


def _as_printed(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what of a row is printed, as rounded numbers, so that no wording is a part of it."""
    shown = ("value", "low", "high") if row["status"] == "ok" else ()
    numbers = [rounded(row[name], row["unit"]) for name in (*shown, "target_low", "target_high")]
    return row["status"], row["verdict"], bool(row["provisional"]), *numbers


def _verdict(row: Mapping[str, Any]) -> str:
    return "provisional" if row["provisional"] else str(row["verdict"]).replace("_", " ")


def _note(issue: Issue) -> dict[str, Any]:
    names = ("company", "period", "audience", "slice", "content")
    return {name: getattr(issue, name) for name in names} | {"at": issue.at.isoformat(), "files": dict(issue.files)}


def _read(folder: Path) -> Issue:
    try:
        note = json.loads((folder / NOTE).read_text(encoding="utf-8"))
        return Issue(folder, **(note | {"at": datetime.fromisoformat(note["at"])}))
    except (ValueError, TypeError, KeyError) as error:
        raise KpiError(f"{folder / NOTE} cannot be read ({error}): restore it from a backup") from None


def _written(path: Path, given: Path | bytes) -> str:
    """Write a file so that it is on the disk, for reading only; return its SHA-256."""
    body = given if isinstance(given, bytes) else given.read_bytes()
    with path.open("wb") as file:
        file.write(body)
        file.flush()
        os.fchmod(file.fileno(), 0o444)
        os.fsync(file.fileno())
    return sha256(body).hexdigest()


def _synced(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

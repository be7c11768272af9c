"""What the report of a period is made of: for the company and for each audience a book to print, and its numbers."""

import json
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from kpi_lib import commentary, scorecard, slices, workbook
from kpi_lib.audiences import Audience
from kpi_lib.deliver.issued import Archive
from kpi_lib.kpis import registry
from kpi_lib.language import language
from kpi_lib.params import Params
from kpi_lib.period import Period
from kpi_lib.publish import Book, Chapter, Prepared, Progress, manifest
from kpi_lib.publish.render import TITLE
from kpi_lib.publish.stage import AUDIENCES
from kpi_lib.restated import noted
from kpi_lib.scorecard import Scorecard
from kpi_lib.source import Source

NUMBERS = ("scorecard.parquet", "scorecard.csv", "scorecard.json", "scorecard.xlsx")
Typed = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Edition:
    """A period's report as some readers get it; `params` are in their language, `audience` None is the company."""

    params: Params
    period: Period
    shelf: Path  # the folder of all reports
    inputs: Mapping[str, str]  # hashes of what its numbers are made from
    audience: Audience | None = None
    typed: Typed = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Where its pages lie."""
        of_period = self.shelf / str(self.period)
        return of_period / AUDIENCES / self.audience.name if self.audience else of_period

    @property
    def link(self) -> str:
        """The folder below that of the period, as an address goes on."""
        return f"{AUDIENCES}/{self.audience.name}/" if self.audience else ""

    @property
    def notebooks(self) -> list[str]:
        """The notebooks of its book, in order."""
        wanted = self.audience.notebooks if self.audience else None
        return [each.name for each in self.params.notebooks if wanted is None or each.name in wanted]

    @cached_property
    def commentary(self) -> dict[str, commentary.Section]:
        """What the analysts say of the period, by notebook; it is about the company, so that a slice has none."""
        if self.audience and self.audience.slice:
            return {}
        return commentary.read(self.params, self.period)

    @property
    def book(self) -> Book:
        """What is to be printed."""
        to, folder = language(self.params.language), self.params.project / "notebooks"
        own = {each.name: each.parameters for each in self.params.notebooks}
        title = to.say(TITLE)
        if self.audience and self.audience.slice:
            title = to.say("{title}, {member}", title=title, member=self.audience.slice[1])
        return Book(
            str(self.period),
            to.period(self.period),
            self.params.company,
            [Chapter(name, folder / f"{name}.ipynb", own[name], self.typed.get(name, {})) for name in self.notebooks],
            title=title,
            language=self.params.language,
            colour=self.params.brand.colour,
            accent=self.params.brand.accent,
            logo=self.params.brand.logo,
            inputs=self.inputs,
            audience=self.audience.name if self.audience else "",
        )

    def standing(self) -> Path | None:
        """Return its folder if the numbers there were made from the same inputs, and are as they were."""
        before = (manifest.read(self.folder) or {}).get("inputs", {})
        same = all(before.get(name) == value for name, value in self.inputs.items())
        files = [(self.folder / name, before.get(name)) for name in NUMBERS]
        whole = all(file.is_file() and manifest.hashed(file) == digest for file, digest in files)
        return self.folder if same and whole else None


def editions(
    params: Params, period: Period, shelf: Path, source: Source, those: Iterable[Audience | None], typed: Typed
) -> list[Edition]:
    """Return the reports that some audiences read; those that read the company's share it, `None` asks for that."""
    issued = {"issued": Archive(params.records, params.company).fingerprint(period)}
    company = Edition(params, period, shelf, inputs(params, source) | issued, None, typed)
    found: dict[str, Edition] = {}
    for audience in those:
        edition = company if audience is None else of(audience, company)
        found[str(edition.folder)] = edition
    return list(found.values())


def of(audience: Audience, company: Edition) -> Edition:
    """Return the report that an audience reads: one of its own where it differs from the company's."""
    code = audience.language or company.params.language
    if not audience.slice and audience.notebooks is None and code == company.params.language:
        return company
    own = json.dumps([audience.name, audience.where, code], ensure_ascii=False)
    params = company.params.model_copy(update={"language": code})
    return replace(company, params=params, audience=audience, inputs={**company.inputs, "audience": own})


class Scorecards:
    """The scorecards of a period's editions, measured when they are first asked for, and all slices at once."""

    def __init__(self, source: Source, params: Params, period: Period, wanted: Iterable[Edition]) -> None:
        self._source, self._params, self._period = source, params, period
        self._sliced = [each.audience for each in wanted if each.audience and each.audience.slice]

    def of(self, edition: Edition) -> Scorecard:
        """Return the scorecard that an edition is made from."""
        if edition.audience is None:
            return self._company
        if edition.audience.slice:
            return self._slices[edition.audience.name]
        about = {"audience": slices.told(edition.audience), "language": edition.params.language}
        return Scorecard(self._company.frame, self._company.about | about)

    @cached_property
    def _company(self) -> Scorecard:
        card = scorecard.measure(self._source, self._params, self._period, registry())
        archive = Archive(self._params.records, self._params.company)
        before = archive.scorecards(self._period.trailing(scorecard.TREND)[:-1])
        issued = [each for each in before if not (each.about.get("audience") or {}).get("where")]
        return noted(card, self._source, self._params, issued)

    @cached_property
    def _slices(self) -> dict[str, Scorecard]:
        return slices.sliced(self._source, self._params, self._period, self._sliced)


def prepare(
    edition: Edition, scorecards: Scorecards, source: Source, as_of: str | None, progress: Progress, *, fresh: bool
) -> Callable[[Path], Prepared]:
    """Return what writes an edition's numbers into a folder: those that stand if nothing has changed, else anew."""

    def write(folder: Path) -> Prepared:
        standing = None if fresh else edition.standing()
        if standing:
            with progress.stage("numbers, unchanged"):
                for name in NUMBERS:
                    shutil.copy2(standing / name, folder)
        else:
            with progress.stage("numbers"):
                card = scorecards.of(edition)
                card.write(folder)
                workbook.write(card, folder / "scorecard.xlsx")
        if edition.commentary:
            card = Scorecard.read(folder / "scorecard.parquet")
            commentary.check(edition.commentary, card.frame, card.about)
        given: dict[str, Any] = {
            "period": str(edition.period),
            "params": str(edition.params.path),
            "scorecard": str(folder / "scorecard.parquet"),
            "audience": edition.audience.name if edition.audience else None,
            "as_of": as_of,
        }
        said = {name: section.text for name, section in edition.commentary.items()}
        stamp = source.as_of.astimezone(ZoneInfo(edition.params.time_zone))
        return Prepared(given, stamp, source.sample, said)

    return write


def inputs(params: Params, source: Source) -> dict[str, str]:
    """Return the hashes of what the numbers of a report are made from."""
    lock = params.project / "uv.lock"
    return {
        "params": manifest.hashed(params.path),
        "source": json.dumps(source.fingerprint(), sort_keys=True),
        "kpi_lib": manifest.hashed(Path(__file__).parent),
        "lock": manifest.hashed(lock) if lock.exists() else "",
    }

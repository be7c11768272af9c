"""The reports of a period: one for the company and each audience, what it is made from, and whether it stands already.

Whether a report stands is told by hashes of what it is made from; nothing heavy is imported for that.
"""

import json
import sys
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kpi_lib import last, publish
from kpi_lib.audiences import Audience
from kpi_lib.files import fingerprint
from kpi_lib.language import language
from kpi_lib.notebook_files import read_by
from kpi_lib.params import Params, load_source
from kpi_lib.period import Period, parse_instant
from kpi_lib.publish import AUDIENCES, TITLE, Book, Chapter, Outcome, manifest

if TYPE_CHECKING:
    from kpi_lib.commentary import Section

NUMBERS = ("scorecard.parquet", "scorecard.csv", "scorecard.json", "scorecard.xlsx")
ON_PAGES = {"brand", "events", "notebooks"}  # what no number depends on
DECLARED = {
    "thresholds",
    "acquisition",
    "customer_value",
    "hours",
    "fx",
}  # whose readers are known: each KPI declares what it reads
JUDGING = {"targets", "language"}  # which only judge numbers or put them into words
READ_IN_PART = ("settings", "issued")  # inputs of which a number may read only a part
PLACES = {"source", "reports", "records"}  # what lies there is hashed itself
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

    @property
    def is_slice(self) -> bool:
        """Whether it is about a part of the company."""
        return bool(self.audience and self.audience.slice)

    @cached_property
    def commentary(self) -> "dict[str, Section]":
        """What the analysts say of the period, by notebook; it is about the company, so that a slice has none."""
        from kpi_lib import commentary

        return {} if self.is_slice else commentary.read(self.params, self.period)

    @cached_property
    def book(self) -> Book:
        """What is to be printed."""
        to = language(self.params.language)
        title = to.say(TITLE)
        if self.audience and self.audience.slice:
            title = to.say("{title}, {member}", title=title, member=self.audience.slice[1])
        brand, comment = self.params.brand, None if self.is_slice else self.params.commentary(self.period)
        return Book(
            str(self.period),
            to.period(self.period),
            self.params.company,
            list(map(self._chapter, self.notebooks)),
            title=title,
            language=self.params.language,
            colour=brand.colour,
            accent=brand.accent,
            logo=brand.logo,
            inputs={**self.inputs, "pages": _on_pages(self.params, self.notebooks)},
            by_numbers=READ_IN_PART,
            beside=manifest.hashed(comment) if comment else "",
            audience=self.audience.name if self.audience else "",
        )

    def _chapter(self, name: str) -> Chapter:
        notebook = self.params.notebook(name)
        [own] = [each.parameters for each in self.params.notebooks if each.name == name]
        typed = self.typed.get(name, {})
        reads = partial(read_by, notebook, self.params.project, self.params.reports, [*own.values(), *typed.values()])
        return Chapter(name, notebook, own, typed, reads)

    @property
    def of_company(self) -> "Edition":
        """The same period's report of the whole company."""
        return replace(
            self, audience=None, inputs={name: self.inputs[name] for name in self.inputs if name != "audience"}
        )

    def numbers(self, *, but: Collection[str] = ()) -> Path | None:
        """Return its folder if the numbers there were made from the same inputs, `but` some, and are as they were."""
        before = manifest.read(self.folder) or {}
        there = before.get("inputs", {})
        same = all(there.get(name) == value for name, value in self.inputs.items() if name not in but)
        return self.folder if same and manifest.untouched(self.folder, before, NUMBERS) else None


@dataclass(frozen=True)
class Made:
    """What came of an edition: an outcome, or the mistake that kept it from being built."""

    edition: Edition
    outcome: Outcome | None = None
    error: str = ""
    code: int = 0
    note: str = ""  # what a person should know of how its kernels were started

    @property
    def exit_code(self) -> int:
        """The command's exit code if this were all."""
        return self.outcome.exit_code if self.outcome else self.code

    def told(self) -> list[str]:
        """Return in sentences what a person should know of it."""
        if not self.outcome:
            return [self.error]
        lines = [*map(str, self.outcome.failures), *self.outcome.problems]
        if self.outcome.changed and self.edition.book.beside:
            from kpi_lib import commentary

            lines += commentary.unshown(self.edition.commentary, self.edition.params)
        return lines


def standing(
    params: Params, period: str, shelf: Path, those: Iterable[Audience | None], typed: Typed, as_of: str | None
) -> list[Made] | None:
    """Return the reports that are wanted if all stand as they would be made, else None.

    Nothing is opened for it, so that it can be told only where local files tell whether the data is the same.
    """
    if not (known := source_of(params, as_of)):
        return None
    made_with = program()
    if period == "last":
        chosen = last.remembered(params.reports, inputs(params, known, made_with))
    else:
        chosen = Period.parse(period)
    if chosen is None:
        return None
    wanted = editions(params, chosen, shelf, known, those, typed, made_with)
    made = [Made(edition, publish.standing(edition.book, shelf)) for edition in wanted]
    return made if all(one.outcome for one in made) else None


def source_of(params: Params, as_of: str | None) -> dict[str, Any] | None:
    """Return the fingerprint of the source as far as its files tell, without opening it."""
    spec = load_source(params.source)
    fixed = as_of or (spec.as_of if isinstance(spec.as_of, str) and spec.as_of != "latest" else None)
    return fingerprint(spec, parse_instant(fixed) if fixed else None, params.reports)


def editions(
    params: Params,
    period: Period,
    shelf: Path,
    source: Mapping[str, Any],
    those: Iterable[Audience | None],
    typed: Typed,
    made_with: Mapping[str, str] | None = None,
) -> list[Edition]:
    """Return the reports that some audiences read; those that read the company's share it, `None` asks for that.

    `source` is the fingerprint of the data; `made_with` what `program` returned before it was read.
    """
    from kpi_lib.issued import Archive

    issued = {"issued": Archive(params.records, params.company).fingerprint(period)}
    company = Edition(params, period, shelf, inputs(params, source, made_with) | issued, None, typed)
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
    hiding = company.params.thresholds.minimum_cell if audience.slice else None
    own = json.dumps([audience.name, audience.where, code, hiding], ensure_ascii=False)
    params = company.params.model_copy(update={"language": code})
    return replace(company, params=params, audience=audience, inputs={**company.inputs, "audience": own})


def inputs(params: Params, source: Mapping[str, Any], made_with: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the hashes of what the numbers of a report are made from."""
    counted = params.model_dump(mode="json", exclude=ON_PAGES | PLACES | DECLARED | JUDGING)
    return {
        "params": _digest([counted, params.has_hours, sorted(params.fx)]),  # rows in other currencies are left out
        "settings": _digest(params.model_dump(mode="json", include=DECLARED | JUDGING)),
        "source": json.dumps(source, sort_keys=True),
        **(made_with or program()),
    }


def program() -> dict[str, str]:
    """Return the hashes of the library's code and of Python and the packages as they are installed."""
    folders = [Path(place) for place in dict.fromkeys(sys.path) if Path(place).is_dir()]
    packages = sorted({entry.name for folder in folders for entry in folder.glob("*.dist-info")})
    return {
        "kpi_lib": manifest.hashed(Path(__file__).parent),
        "packages": _digest([sys.version, packages]),
    }


def _on_pages(params: Params, notebooks: list[str]) -> str:
    """Return the hash of what pages show beside the numbers and the notebooks' own parameters."""
    logo = manifest.hashed(params.brand.logo) if params.brand.logo else ""
    return _digest([params.model_dump(mode="json", include=ON_PAGES - {"notebooks"}), logo, notebooks])


def _digest(told: Any) -> str:
    return sha256(json.dumps(told, sort_keys=True, ensure_ascii=False).encode()).hexdigest()

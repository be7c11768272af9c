"""Executed notebooks in, pages out: HTML and PDF of each, the book of all, the index."""

import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

from kpi_lib.errors import KpiError
from kpi_lib.language import Language, language, message
from kpi_lib.publish.execute import Chapter, Failure, Run
from kpi_lib.publish.stage import AUDIENCES

STEMS = {"scorecard": message("Scorecard")}
FIRST_LINES = 3  # of a page, in the index
TITLE = message("Customer KPI report")
MESSAGES = {
    "failed": message("Some pages could not be made."),
    "partial": message("This is a part of the report."),
}


@dataclass(frozen=True)
class Book:
    """What is to be printed for a period, and for whom."""

    name: str  # 2024-05: the end of file names, and the folder unless it is of an audience
    label: str  # May 2024, in the book's language
    company: str
    chapters: Sequence[Chapter]
    title: str = TITLE
    language: str = "en"
    colour: str = "#1f4e79"
    accent: str = "#b5541c"
    logo: Path | None = None  # SVG, PNG or JPEG
    sample: bool = False
    stamp: datetime = datetime(1970, 1, 1, tzinfo=UTC)  # the instant up to which the data is known
    inputs: Mapping[str, str] = field(default_factory=dict)  # hashes of what every page is made from
    by_numbers: Collection[str] = ()  # those of the inputs that reach a page only by its numbers
    beside: str = ""  # the hash of the analysts' comment
    audience: str = ""  # whose pages they are; empty: the company's

    @property
    def folder(self) -> str:
        """The name of the folder that the pages lie in."""
        return self.audience or self.name

    @property
    def place(self) -> Path:
        """Where its pages lie in the folder of reports."""
        return Path(self.name, AUDIENCES, self.audience) if self.audience else Path(self.name)

    @property
    def to(self) -> Language:
        """The language that its pages are in."""
        return language(self.language)

    @property
    def as_of(self) -> str:
        """The stamp as a reader says it, in its own time zone."""
        return self.to.moment(self.stamp)

    @property
    def file(self) -> str:
        """The name of the PDF with all chapters."""
        return f"kpi-report-{self.name}.pdf"


@dataclass
class Printed:
    """What came of printing; `entries` are the lines of the index, `seconds` what each kind of page took."""

    status: str = "whole"
    failures: list[Failure] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    entries: list[dict[str, Any]] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timed(self, kind: str) -> Iterator[None]:
        """Add what is done meanwhile to the seconds of a kind of page."""
        began = perf_counter()
        yield
        self.seconds[kind] = round(self.seconds.get(kind, 0) + perf_counter() - began, 2)


def pages_of(notebook: str, book: Book) -> tuple[str, str]:
    """Return the names of a notebook's HTML page and PDF."""
    return f"{notebook}.html", f"{notebook}-{book.name}.pdf"


def render(
    book: Book, folder: Path, runs: Sequence[Run], numbers: Sequence[str], kept: Mapping[str, Path] | None = None
) -> Printed:
    """Write the pages of all notebooks, the book if none is missing, and the index, into `folder`.

    A notebook that failed, or cannot be typeset, gets a notice in place of its page. `numbers` are the files to offer
    beside the pages. `kept` tells by notebook where its pages are, if they are there already.
    """
    from kpi_lib.publish import html, page, pdf

    printed, by_name, pages = Printed(), {run.chapter.name: run for run in runs}, []
    for name in (chapter.name for chapter in book.chapters):
        if not (run := by_name.get(name)):
            printed.entries.append({"title": page.titled(name, book.to), "note": book.to.say("not part of this run")})
            continue
        failure = run.failure
        if not failure:
            try:
                pages.append(_page(book, folder, page.read(name, run.output, book.to), printed, (kept or {}).get(name)))
                continue
            except KpiError as error:
                failure = Failure(name, str(error))
        _notice(book, folder, failure, printed)
    whole = len(pages) == len(book.chapters)
    if whole:
        with printed.timed("pdf"):
            printed.problems += pdf.write(pages, book, folder / book.file, title=book.title, cover=True)
    printed.status = "failed" if printed.failures else "whole" if whole else "partial"
    printed.problems = list(dict.fromkeys(printed.problems))
    said = MESSAGES.get(printed.status)
    index: dict[str, Any] = {"message": book.to.say(said) if said else "", "book_file": book.file if whole else None}
    index["shelf"] = printed.status != "failed" and not book.audience  # one that failed may lie elsewhere
    text = html.index(book, book.title, entries=printed.entries + _downloads(numbers, book.to), **index)
    (folder / "index.html").write_text(text, encoding="utf-8")
    return printed


def _page(book: Book, folder: Path, page: Any, printed: Printed, kept: Path | None) -> Any:
    """Write one notebook's PDF and HTML, or copy those that are kept."""
    from kpi_lib.publish import html, pdf

    web, file = pages_of(page.name, book)
    title = book.to.say("{title}, {period}", title=page.title, period=book.label)
    if kept:
        for name in (web, file):
            shutil.copy2(kept / name, folder)
    else:
        with printed.timed("pdf"):
            printed.problems += page.problems + pdf.write([page], book, folder / file, title=title, cover=False)
        with printed.timed("html"):
            (folder / web).write_text(html.page(page, book), encoding="utf-8")
    files = [("PDF", file), (book.to.say("Notebook"), f"{page.name}.ipynb")]
    findings = [block.html for block in page.blocks if block.type == "finding"][:FIRST_LINES]
    about = {"lead": page.lead.html if page.lead else "", "findings": findings, "sections": page.sections}
    printed.entries.append({"title": page.title, "html": web, "files": files} | about)
    return page


def _notice(book: Book, folder: Path, failure: Failure, printed: Printed) -> None:
    """Write what stands in place of a page that could not be made."""
    from kpi_lib.publish import html, page

    name, title = failure.notebook, page.titled(failure.notebook, book.to)
    web, file = pages_of(name, book)
    printed.failures.append(failure)
    (folder / file).unlink(missing_ok=True)
    (folder / web).write_text(html.notice(failure, title, book), encoding="utf-8")
    files = [(book.to.say("Notebook"), f"{name}.ipynb")] if (folder / f"{name}.ipynb").exists() else []
    note = book.to.say("could not be made")
    printed.entries.append({"title": title, "html": web, "files": files, "note": note})


def _downloads(numbers: Sequence[str], to: Language) -> list[dict[str, Any]]:
    """Return the files of numbers for the index, those of one name together."""
    files: dict[str, list[tuple[str, str]]] = {}
    for path in map(Path, numbers):
        files.setdefault(path.stem, []).append((path.suffix[1:].upper(), path.name))
    return [{"title": to.say(STEMS.get(stem, stem.capitalize())), "files": named} for stem, named in files.items()]

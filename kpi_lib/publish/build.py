"""Build a period's folder of pages: numbers first, then the notebooks, then the pages, then the swap."""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from time import perf_counter
from typing import Any

from kpi_lib.errors import UnknownNameError, did_you_mean
from kpi_lib.publish import index, manifest, render
from kpi_lib.publish.execute import Chapter, Failure, Run, parameters_of, run_all
from kpi_lib.publish.kernels import Stock
from kpi_lib.publish.progress import Progress
from kpi_lib.publish.render import Book
from kpi_lib.publish.stage import Shelf

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Prepared:
    """What the numbers' step hands on: parameters for the notebooks that declare them, and what it found out."""

    parameters: Mapping[str, Any]
    stamp: datetime
    sample: bool = False
    beside: Mapping[str, str] = field(default_factory=dict)  # by notebook, what it shows beside the numbers


@dataclass(frozen=True)
class Outcome:
    """What came of a build: `status` is whole, partial or failed; `folder` is where it lies now."""

    status: str
    folder: Path
    kept: bool  # a whole build of the period stands and was left alone
    failures: Sequence[Failure]
    problems: Sequence[str]
    timings: Mapping[str, Any]

    @property
    def exit_code(self) -> int:
        """0, or 1 when a notebook failed."""
        return 1 if self.failures else 0

    @property
    def message(self) -> str:
        """Where the pages are, in a sentence."""
        where = os.path.relpath(self.folder)
        if self.kept:
            return f"The report that stood is untouched; the failed one is in {where}"
        said = {"whole": "The report is", "partial": "Part of the report is", "failed": "What could be made is"}
        return f"{said[self.status]} in {where}"


def build(
    book: Book,
    reports: Path,
    *,
    root: Path,
    prepare: Callable[[Path], Prepared],
    only: Sequence[str] | None = None,
    jobs: int | None = None,
    timeout: int = 1800,
    progress: Progress = Progress(),  # noqa: B008 - it says nothing and keeps nothing
    engine: Stock | None = None,
) -> Outcome:
    """Build the pages of a period and swap them in.

    `prepare` writes the numbers into the folder it is given, before any notebook runs. Notebooks run with `root` as
    working folder. With `only`, the other pages are taken over from what stands if their inputs are the same.
    """
    chosen = _chosen(book, only)
    for chapter in chosen:
        parameters_of(chapter, {})
    shelf, root = Shelf(reports.resolve(), book.company), root.resolve()
    clock = _Clock()
    engine = engine or Stock()
    with _place(shelf, book) as shelf, shelf.staging(book.folder) as stage:
        engine.warm()
        with clock("prepare"):
            prepared = prepare(stage)
        book = replace(book, stamp=prepared.stamp, sample=prepared.sample)
        work = _Work(book, stage, shelf, root, prepared, sorted(path.name for path in stage.iterdir()))
        with clock("notebooks"):
            runs = work.take_over([chapter for chapter in book.chapters if chapter not in chosen])
            runs += run_all(
                chosen,
                prepared.parameters,
                into=stage,
                root=root,
                jobs=jobs,
                timeout=timeout,
                progress=progress,
                engine=engine,
                expected=(manifest.read(shelf.of(book.folder)) or {}).get("timings", {}).get("each", {}),
            )
        with clock("pages"), progress.stage("pages"):
            printed = render.render(book, stage, runs, work.numbers)
        timings = progress.seconds | clock.seconds | printed.seconds
        timings["each"] = {run.chapter.name: round(run.seconds, 2) for run in runs}
        timings["kernels"] = {run.chapter.name: round(run.kernel, 2) for run in runs}
        work.finish(runs, printed, timings)
        kept = shelf.keeps(book.folder, printed.status)
        with clock("swap"):
            folder = shelf.publish(stage, book.folder, printed.status)
        timings["swap"] = clock.seconds["swap"]
        if not book.audience:
            index.renew(shelf.folder, book)
        return Outcome(printed.status, folder, kept, printed.failures, printed.problems, timings)


@contextmanager
def _place(shelf: Shelf, book: Book) -> Iterator[Shelf]:
    """Give the shelf that a book's folder lies on: that of its period's audiences, while the period is locked."""
    if not book.audience:
        yield shelf
        return
    with shelf.audiences(book.name) as of_audiences:
        yield of_audiences


def _chosen(book: Book, only: Sequence[str] | None) -> list[Chapter]:
    names = [chapter.name for chapter in book.chapters]
    for name in only or ():
        if name not in names:
            raise UnknownNameError(f"no notebook {name!r} in the report{did_you_mean(name, names)}")
    return [chapter for chapter in book.chapters if not only or chapter.name in only]


class _Clock:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, Any] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        began = perf_counter()
        yield
        self.seconds[stage] = round(perf_counter() - began, 2)


@dataclass
class _Work:
    """A build under way."""

    book: Book
    stage: Path
    shelf: Shelf
    root: Path
    prepared: Prepared
    numbers: Sequence[str]  # the files that `prepare` wrote

    def take_over(self, chapters: Sequence[Chapter]) -> list[Run]:
        """Copy executed notebooks from what stands when nothing they were made from has changed."""
        standing = self.shelf.of(self.book.folder)
        before = manifest.read(standing) or {}
        if not chapters or before.get("inputs") != self._inputs():
            return []
        runs = []
        for chapter in chapters:
            given = parameters_of(chapter, self.prepared.parameters)
            executed = standing / f"{chapter.name}.ipynb"
            same = before.get("notebooks", {}).get(chapter.name) == self._made_from(chapter, given)
            if same and executed.exists() and chapter.name not in before.get("failures", {}):
                shutil.copy2(executed, self.stage)
                runs.append(Run(chapter, given, self.stage / executed.name, 0.0))
        return runs

    def finish(self, runs: Sequence[Run], printed: render.Printed, timings: Mapping[str, Any]) -> None:
        """Let the notebooks name the folder where they will lie, and write the manifest."""
        place = self._from_root(self.shelf.place(self.book.folder, printed.status))
        for run in runs:
            if run.output.exists():
                text = run.output.read_text(encoding="utf-8").replace(str(self.stage), place)
                run.output.write_text(text, encoding="utf-8")
        content = {
            "status": printed.status,
            "period": self.book.name,
            "company": self.book.company,
            "audience": self.book.audience,
            "as_of": self.book.stamp.isoformat(),
            "sample": self.book.sample,
            "inputs": self._inputs(),
            "notebooks": {run.chapter.name: self._made_from(run.chapter, run.parameters) for run in runs},
            "failures": {each.notebook: str(each) for each in printed.failures},
            "problems": printed.problems,
            "timings": timings,
        }
        manifest.write(self.stage, content)

    def _inputs(self) -> dict[str, str]:
        """Return the hashes of all that every page depends on."""
        numbers = {name: manifest.hashed(self.stage / name) for name in self.numbers}
        return dict(self.book.inputs) | numbers | {"publish": manifest.hashed(HERE)}

    def _made_from(self, chapter: Chapter, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a notebook's page depends on beyond that: its code, its parameters and what it shows beside."""
        place = self._from_root(self.shelf.of(self.book.folder))
        lasting = {
            name: value.replace(str(self.stage), place) if isinstance(value, str) else value
            for name, value in given.items()
        }
        beside = sha256(self.prepared.beside.get(chapter.name, "").encode()).hexdigest()
        return {"sha256": manifest.hashed(chapter.notebook), "parameters": lasting, "beside": beside}

    def _from_root(self, folder: Path) -> str:
        """Return a folder as the notebooks see it from their working folder."""
        return os.path.relpath(folder, self.root) if folder.is_relative_to(self.root) else str(folder)

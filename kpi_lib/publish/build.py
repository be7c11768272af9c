"""Build a period's folder of pages: numbers first, then the notebooks, then the pages, then the swap."""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from time import perf_counter
from typing import Any

from kpi_lib.errors import UnknownNameError, did_you_mean
from kpi_lib.notebook_files import still, when_run
from kpi_lib.publish import index, manifest, render
from kpi_lib.publish.execute import LONGEST, Chapter, Failure, Run, parameters_of, run_all
from kpi_lib.publish.kernels import Stock
from kpi_lib.publish.progress import Progress
from kpi_lib.publish.render import Book
from kpi_lib.publish.stage import AUDIENCES, Shelf

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Prepared:
    """What the numbers' step hands on: parameters for the notebooks that declare them, and what it found out."""

    parameters: Mapping[str, Any]
    stamp: datetime
    sample: bool = False
    beside: Mapping[str, str] = field(default_factory=dict)  # by notebook, what it shows beside the numbers
    numbers: Mapping[str, str] = field(default_factory=dict)  # by notebook, a hash of those it shows; without, any


@dataclass(frozen=True)
class Outcome:
    """What came of a build: `status` is whole, partial or failed; `folder` is where it lies now."""

    status: str
    folder: Path
    kept: bool  # a whole build of the period stands and was left alone
    failures: Sequence[Failure]
    problems: Sequence[str]
    timings: Mapping[str, Any]
    changed: bool = True  # False when what stood is what would be made

    @property
    def exit_code(self) -> int:
        """0, or 1 when a notebook failed."""
        return 1 if self.failures else 0

    @property
    def message(self) -> str:
        """Where the pages are, in a sentence."""
        where = os.path.relpath(self.folder)
        if not self.changed:
            return f"Nothing has changed: the report is in {where}"
        if self.kept:
            return f"The report that stood is untouched; the failed one is in {where}"
        said = {"whole": "The report is", "partial": "Part of the report is", "failed": "What could be made is"}
        return f"{said[self.status]} in {where}"


def standing(book: Book, reports: Path) -> Outcome | None:
    """Return the build that stands if it is whole and the same would be made again, else None.

    What stands is the cache: it is told by content, can be deleted, and is built anew when a file of it is damaged.
    An index that does not show what stands is written anew.
    """
    began = perf_counter()
    folder = reports.resolve() / book.place
    before = manifest.read(folder) or {}
    own = {chapter.name: _own(chapter) for chapter in book.chapters if chapter.notebook.is_file()}
    noted = before.get("notebooks", {})
    same = (
        before.get("status") == "whole"
        and before.get("company") == book.company
        and before.get("beside") == book.beside
        and _has_inputs(before, book)
        and noted.keys() == own.keys()
        and all(_stands(noted[name], own[name]) for name in own)
        and manifest.untouched(folder, before)
    )
    if same and not book.audience and not index.stands(reports.resolve(), book.company):
        with suppress(OSError):  # of a folder that cannot be written
            index.renew(reports.resolve(), book)
    timings = {"unchanged": round(perf_counter() - began, 2)}
    return Outcome("whole", folder, False, [], before["problems"], timings, changed=False) if same else None


def build(
    book: Book,
    reports: Path,
    *,
    root: Path,
    prepare: Callable[[Path], Prepared],
    only: Sequence[str] | None = None,
    jobs: int | None = None,
    timeout: int = LONGEST,
    progress: Progress = Progress(),  # noqa: B008 - it says nothing and keeps nothing
    engine: Stock | None = None,
    fresh: bool = False,
    held: bool = False,
) -> Outcome:
    """Build the pages of a period and swap them in.

    `prepare` writes the numbers into the folder it is given, before any notebook runs. Notebooks run with `root` as
    working folder; one whose page would be the same is taken over from what stands, unless `fresh` or named by `only`.
    With `only`, no other notebook is run. `held` tells that the caller holds the lock of an audience's period.
    """
    chosen = _chosen(book, only)
    for chapter in chosen:
        parameters_of(chapter, {})
    shelf, root = Shelf(reports.resolve(), book.company), root.resolve()
    clock = _Clock()
    engine = engine or Stock()
    with _place(shelf, book, held) as shelf, shelf.staging(book.folder) as stage:
        work = _Work(book, stage, shelf, root, fresh=fresh)
        if only or not all(map(work.is_same, book.chapters)):
            engine.warm()
        with clock("prepare"):
            work.prepared = prepared = prepare(stage)
        work.book = book = replace(book, stamp=prepared.stamp, sample=prepared.sample)
        work.numbers = sorted(path.name for path in stage.iterdir())
        with clock("notebooks"):
            runs = work.take_over([chapter for chapter in book.chapters if not only or chapter not in chosen])
            runs += run_all(
                [chapter for chapter in chosen if chapter not in [run.chapter for run in runs]],
                prepared.parameters,
                into=stage,
                root=root,
                jobs=jobs,
                timeout=timeout,
                progress=progress,
                engine=engine,
                expected=work.before.get("timings", {}).get("each", {}),
            )
        with clock("pages"), progress.stage("pages"):
            printed = render.render(book, stage, runs, work.numbers, work.pages)
        timings = progress.taken() | clock.seconds | printed.seconds
        timings["each"] = {run.chapter.name: round(run.seconds, 2) for run in runs if not run.kept}
        timings["kernels"] = {run.chapter.name: round(run.kernel, 2) for run in runs if not run.kept}
        work.finish(runs, printed, timings)
        kept = shelf.keeps(book.folder, printed.status)
        with clock("swap"):
            folder = shelf.publish(stage, book.folder, printed.status)
        timings["swap"] = clock.seconds["swap"]
        if not book.audience:
            index.renew(shelf.folder, book)
        return Outcome(printed.status, folder, kept, printed.failures, printed.problems, timings)


@contextmanager
def _place(shelf: Shelf, book: Book, held: bool) -> Iterator[Shelf]:
    """Give the shelf that a book's folder lies on: that of its period's audiences, while the period is locked."""
    if held or not book.audience:
        yield Shelf(shelf.of(book.name) / AUDIENCES, book.company) if book.audience else shelf
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


def _has_inputs(before: Mapping[str, Any], book: Book) -> bool:
    """Whether what stands was made from the inputs that a book is to be made from."""
    inputs = before.get("inputs", {})
    return all(inputs.get(name) == value for name, value in book.inputs.items())


def _own(chapter: Chapter) -> dict[str, Any]:
    """Return what of a chapter is its own, as plain data."""
    given = {"own": dict(chapter.parameters), "typed": dict(chapter.typed), "reads": dict(chapter.reads())}
    return json.loads(json.dumps({"sha256": manifest.hashed(chapter.notebook)} | given, default=str))


def _stands(noted: Mapping[str, Any], own: Mapping[str, Any]) -> bool:
    """Whether that is what a manifest says of it."""
    same = all(noted.get(name) == own[name] for name in ("sha256", "own", "typed"))
    return same and still(noted.get("reads", {}), own["reads"])


class _Work:
    """A build under way, and what stands in its place."""

    def __init__(self, book: Book, stage: Path, shelf: Shelf, root: Path, *, fresh: bool) -> None:
        self.book, self.stage, self.shelf, self.root = book, stage, shelf, root
        self.standing = shelf.of(book.folder)
        self.before: Mapping[str, Any] = manifest.read(self.standing) or {}
        # hashed before they run: one that is saved meanwhile differs from what its pages were made from
        self.own = {chapter.name: _own(chapter) for chapter in book.chapters if chapter.notebook.is_file()}
        self.fresh = fresh
        self.prepared = Prepared({}, book.stamp)
        self.numbers: Sequence[str] = ()  # the files that `prepare` wrote
        self.pages: dict[str, Path] = {}  # of notebooks that were taken over: the folder with their pages

    def is_same(self, chapter: Chapter) -> bool:
        """Whether a notebook would be what it is in what stands, as far as can be told before the numbers are there."""
        return self._is_as_it_was(chapter) and _has_inputs(self.before, self.book)

    def take_over(self, chapters: Sequence[Chapter]) -> list[Run]:
        """Copy executed notebooks from what stands where nothing that they were made from has changed."""
        runs = []
        for chapter in filter(self._is_as_it_was, chapters):
            given = parameters_of(chapter, self.prepared.parameters)
            made = f"{chapter.name}.ipynb", *render.pages_of(chapter.name, self.book)
            if self._shows_the_same(chapter) and manifest.untouched(self.standing, self.before, made[:1]):
                shutil.copy2(self.standing / made[0], self.stage)
                runs.append(Run(chapter, given, self.stage / made[0], 0.0, kept=True))
                if not self.before.get("problems") and manifest.untouched(self.standing, self.before, made):
                    self.pages[chapter.name] = self.standing
        return runs

    def _is_as_it_was(self, chapter: Chapter) -> bool:
        noted = self.before.get("notebooks", {}).get(chapter.name, {})
        return (
            not self.fresh
            and chapter.name in self.own
            and _stands(noted, self.own[chapter.name])
            and chapter.name not in self.before.get("failures", {})
        )

    def _shows_the_same(self, chapter: Chapter) -> bool:
        noted, numbers = self.before["notebooks"][chapter.name], self.prepared.numbers.get(chapter.name)
        apart = {*self.numbers, *self.book.by_numbers} if numbers and numbers == noted.get("numbers") else ()
        before, now = (
            {name: value for name, value in inputs.items() if name not in apart}
            for inputs in (self.before.get("inputs", {}), self._inputs())
        )
        return before == now and noted.get("beside") == self._beside(chapter)

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
            "beside": self.book.beside,
            "notebooks": {run.chapter.name: self._made_from(run) for run in runs},
            "failures": {each.notebook: str(each) for each in printed.failures},
            "problems": printed.problems,
            "timings": timings,
        }
        manifest.write(self.stage, content)

    def _inputs(self) -> dict[str, str]:
        """Return the hashes of all that every page depends on."""
        numbers = {name: manifest.hashed(self.stage / name) for name in self.numbers}
        return dict(self.book.inputs) | numbers | {"publish": manifest.hashed(HERE)}

    def _made_from(self, run: Run) -> dict[str, Any]:
        """Return what a notebook's page depends on beyond that: its code, its parameters and what it shows beside."""
        chapter, own = run.chapter, self.own[run.chapter.name]
        reads = when_run(own["reads"], chapter.reads())
        if run.kept:
            reads = self.before["notebooks"][chapter.name].get("reads", {})
        place = self._from_root(self.shelf.of(self.book.folder))
        lasting = {
            name: value.replace(str(self.stage), place) if isinstance(value, str) else value
            for name, value in run.parameters.items()
        }
        seen = {"reads": reads, "beside": self._beside(chapter), "numbers": self.prepared.numbers.get(chapter.name, "")}
        return own | {"parameters": lasting} | seen

    def _beside(self, chapter: Chapter) -> str:
        return sha256(self.prepared.beside.get(chapter.name, "").encode()).hexdigest()

    def _from_root(self, folder: Path) -> str:
        """Return a folder as the notebooks see it from their working folder."""
        return os.path.relpath(folder, self.root) if folder.is_relative_to(self.root) else str(folder)

"""Builds a period's reports: what stands is left, the company's comes first, the audiences' are shared out.

Several audiences are built at once, each in one of as many processes as there are cores. One that fails is told of and
the others go on; a run that was stopped goes on where it was, since what it made stands.
"""

import atexit
import ctypes
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from kpi_lib import assembly, publish
from kpi_lib.editions import Edition, Made
from kpi_lib.errors import KpiError
from kpi_lib.publish import Outcome, Progress
from kpi_lib.publish.kernels import Stock
from kpi_lib.publish.stage import Shelf
from kpi_lib.scorecard import Scorecard

DIE_WITH_PARENT = 1  # Linux: PR_SET_PDEATHSIG
SAID = "audiences"


@dataclass(frozen=True)
class Wish:
    """How reports are to be built."""

    as_of: str | None = None
    only: Sequence[str] = ()
    jobs: int | None = None
    engine: str = "preloaded"
    fresh: bool = False  # whether what stands is made anew


def afresh(wish: Wish) -> Wish:
    """Return the same wish where nothing tells whether what stands is what would be made."""
    return replace(wish, fresh=True)


@dataclass
class Press:
    """Builds editions; `measured` returns the numbers of one, of which many are asked for one after the other."""

    wish: Wish
    measured: Callable[[Edition], Scorecard]
    progress: Progress
    note: str = field(default="", init=False)  # what a person should know of how kernels were started

    def build(self, editions: Sequence[Edition]) -> list[Made]:
        """Build those that do not stand, and return what came of all in their order."""
        made = {str(each.folder): Made(each, standing) for each in editions if (standing := self._standing(each))}
        rest = [edition for edition in editions if str(edition.folder) not in made]
        many = [edition for edition in rest if edition.audience]
        workers = min(self.wish.jobs or os.cpu_count() or 1, len(many))
        together = many if workers > 1 else []
        with publish.engine(self.wish.engine, editions[0].params.project) as engine:
            for edition in (each for each in rest if each not in together):
                made[str(edition.folder)] = self._alone(edition, engine, several=len(editions) > 1)
            self.note = engine.note
        for one in self._together(together, workers):
            made[str(one.edition.folder)] = one
        return [made[str(edition.folder)] for edition in editions]

    def _standing(self, edition: Edition) -> Outcome | None:
        if self.wish.fresh or self.wish.only:
            return None
        return publish.standing(edition.book, edition.shelf)

    def _alone(self, edition: Edition, engine: Stock, *, several: bool) -> Made:
        prepare = assembly.prepare(
            edition, lambda: self.measured(edition), self.wish.as_of, self.progress, fresh=self.wish.fresh
        )
        try:
            return Made(edition, _built(edition, self.wish, prepare, engine, self.progress))
        except KpiError as error:
            if not several:
                raise
            return Made(edition, error=str(error), code=error.exit_code)

    def _together(self, editions: Sequence[Edition], workers: int) -> Iterator[Made]:
        """Build the reports of audiences in several processes; numbers are handed on in files, one at a time."""
        if not editions:
            return
        first = editions[0]
        shelf = Shelf(first.shelf.resolve(), first.params.company)
        with (
            tempfile.TemporaryDirectory(prefix="kpi-numbers-") as numbers,
            shelf.audiences(str(first.period)),
            _pool(workers, self.wish.engine, first.params.project) as pool,
        ):
            self.progress.begin(SAID, len(editions))
            waiting: list[tuple[Edition, Future[Made]]] = []
            for place, edition in enumerate(editions):
                try:
                    file = self._stored(edition, Path(numbers) / f"{place}.parquet")
                except KpiError as error:
                    yield Made(edition, error=str(error), code=error.exit_code)
                    continue
                waiting.append((edition, pool.submit(_work, edition, self.wish, file)))
                self.progress.step(SAID, sum(future.done() for _, future in waiting))
            for done, (edition, future) in enumerate(waiting, 1):
                yield _result(edition, future)
                self.progress.step(SAID, done)
            self.progress.end(SAID)

    def _stored(self, edition: Edition, file: Path) -> Path | None:
        """Write the numbers of an edition to a file; None when those that stand will do."""
        if not self.wish.fresh and edition.numbers():
            return None
        self.measured(edition).store(file)
        return file


def _built(
    edition: Edition, wish: Wish, prepare: Callable[[Path], Any], engine: Stock, progress: Progress, **options: Any
) -> Outcome:
    return publish.build(
        edition.book,
        edition.shelf,
        root=edition.params.project,
        prepare=prepare,
        only=wish.only,
        progress=progress,
        engine=engine,
        fresh=wish.fresh,
        **{"jobs": wish.jobs} | options,
    )


_engine: Stock | None = None  # of a worker


@contextmanager
def _pool(workers: int, engine: str, root: Path) -> Iterator[ProcessPoolExecutor]:
    pool = ProcessPoolExecutor(workers, get_context("spawn"), _begin, (engine, root, os.getpid()))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(engine: str, root: Path, parent: int) -> None:
    """Make a worker ready, which ends with the command that started it."""
    global _engine
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the command says when to stop
    stack = ExitStack()
    _engine = stack.enter_context(publish.engine(engine, root))
    atexit.register(stack.close)


def _work(edition: Edition, wish: Wish, numbers: Path | None) -> Made:
    """Build one edition in a worker."""
    assert _engine
    prepare = assembly.prepare(
        edition, lambda: Scorecard.read(str(numbers)), wish.as_of, Progress(), fresh=numbers is not None
    )
    try:
        return Made(edition, _built(edition, wish, prepare, _engine, Progress(), jobs=1, held=True))
    except KpiError as error:
        return Made(edition, error=str(error), code=error.exit_code)
    finally:
        if numbers:
            with suppress(OSError):
                numbers.unlink()


def _result(edition: Edition, future: "Future[Made]") -> Made:
    try:
        return future.result()
    except Exception as error:  # a bug, or a worker that died
        return Made(edition, error=f"{type(error).__name__}: {error}", code=1)

"""Builds a period's reports: what stands is left, the company's comes first, the audiences' are shared out.

Several audiences are built at once, each in one of as many processes as there are cores. One that fails is told of and
the others go on; a run that was stopped goes on where it was, since what it made stands.
"""

import atexit
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter
from typing import Any

from kpi_lib import assembly, publish
from kpi_lib.disclosure import hidden
from kpi_lib.editions import Edition, Made
from kpi_lib.errors import KpiError, plain
from kpi_lib.kernel_server import die_with_parent
from kpi_lib.publish import Outcome, Progress
from kpi_lib.publish.kernels import Stock
from kpi_lib.publish.stage import Shelf
from kpi_lib.scorecard import Scorecard

STAGE, MEASURING = "audiences", "numbers of audiences"
GONE, DIED = "the process that built it ended (often: out of memory)", 1


@dataclass(frozen=True)
class Wish:
    """How reports are to be built."""

    as_of: str | None = None
    only: Sequence[str] = ()
    jobs: int | None = None
    engine: str = "preloaded"
    fresh: bool = False  # whether what stands is made anew
    longest: int | None = None  # seconds that a cell may run


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
            self.note = self.note or one.note
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
        except Exception as error:
            if not several:
                raise
            return _refused(edition, error)

    def _together(self, editions: Sequence[Edition], workers: int) -> Iterator[Made]:
        """Build the reports of audiences in several processes; numbers are handed on in files, one at a time."""
        if not editions:
            return
        first = editions[0]
        shelf, engine, root = Shelf(first.shelf.resolve(), first.params.company), self.wish.engine, first.params.project
        with shelf.audiences(str(first.period)) as audiences, audiences.handing_on() as numbers:
            self.progress.begin(STAGE, len(editions), "reports")
            with _pool(workers, engine, root) as pool:
                made = list(self._shared_out(editions, pool, numbers))
            for one in made:
                if one.code == DIED:  # a process that dies takes the others with it, so that each is tried by itself
                    with _pool(1, engine, root) as pool:
                        yield from self._shared_out([one.edition], pool, numbers)
                else:
                    yield one
            self.progress.end(STAGE)

    def _shared_out(self, editions: Sequence[Edition], pool: ProcessPoolExecutor, numbers: Path) -> Iterator[Made]:
        made: list[Made | Future[Made]] = []
        self.progress.begin(MEASURING, len(editions), "scorecards")
        for place, edition in enumerate(editions):
            began = perf_counter()
            try:
                file = self._stored(edition, numbers / f"{edition.book.audience}.parquet")
                made.append(pool.submit(_work, edition, self.wish, file, round(perf_counter() - began, 2)))
            except BrokenProcessPool:
                made.append(Made(edition, error=GONE, code=DIED))
            except Exception as error:  # for which the others are not to suffer
                made.append(_refused(edition, error))
            self.progress.step(MEASURING, place + 1)
            self.progress.step(STAGE, sum(not isinstance(one, Future) or one.done() for one in made))
        self.progress.end(MEASURING)
        for place, (edition, one) in enumerate(zip(editions, made, strict=True)):
            yield _result(edition, one) if isinstance(one, Future) else one
            self.progress.step(STAGE, place + 1)

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
        timeout=wish.longest or publish.LONGEST,
        **{"jobs": wish.jobs} | options,
    )


_engine: Stock | None = None  # of a worker


@contextmanager
def _pool(workers: int, engine: str, root: Path) -> Iterator[ProcessPoolExecutor]:
    """Give as many processes; what they do is let go when the command is stopped."""
    pool = ProcessPoolExecutor(workers, get_context("spawn"), _begin, (engine, root, os.getpid()))
    try:
        yield pool
    except KeyboardInterrupt:
        for process in list((pool._processes or {}).values()):
            process.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(engine: str, root: Path, parent: int) -> None:
    """Make a worker ready, which ends with the command that started it."""
    global _engine
    die_with_parent(signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the command says when to stop
    stack = ExitStack()
    _engine = stack.enter_context(publish.engine(engine, root))
    atexit.register(stack.close)


def _work(edition: Edition, wish: Wish, numbers: Path | None, measured: float) -> Made:
    """Build one edition in a worker, from numbers that took as many seconds; the first of many takes those of all."""
    assert _engine
    progress = Progress()
    progress.seconds[MEASURING] = measured
    prepare = assembly.prepare(edition, numbers or _unexpected, wish.as_of, progress, fresh=numbers is not None)
    try:
        return Made(edition, _built(edition, wish, prepare, _engine, progress, jobs=1, held=True), note=_engine.note)
    except KpiError as error:
        return _refused(edition, error)
    finally:
        if numbers:
            with suppress(OSError):
                numbers.unlink()


def _unexpected() -> Scorecard:
    raise KpiError("what its numbers are made from changed while it was built: build it again")


def _result(edition: Edition, future: "Future[Made]") -> Made:
    try:
        return future.result()
    except BrokenProcessPool:
        return Made(edition, error=GONE, code=DIED)
    except Exception as error:  # for which the others are not to suffer
        return _refused(edition, error)


def _refused(edition: Edition, error: Exception) -> Made:
    """Return that an edition was not built; of what is no person's mistake the traceback is shown as well."""
    said = hidden(str(error))
    if isinstance(error, KpiError):
        return Made(edition, error=said, code=error.exit_code)
    import traceback

    print(plain(hidden("".join(traceback.format_exception(error)))), end="", file=sys.stderr)
    return Made(edition, error=f"{type(error).__name__}: {said}", code=70)

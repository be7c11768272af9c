"""How a run shows that it is alive: a live display on a terminal, plain lines elsewhere, or nothing."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID


class Progress:
    """Says nothing; the base of the displays. Notebooks call it from several threads at once.

    `seconds` holds how long each stage took.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, title: str) -> Iterator[None]:
        """Show a stage of the run from its start to its end."""
        self.begin(title, 1)
        done, began = False, perf_counter()
        try:
            yield
            done = True
        finally:
            self.seconds[title] = round(perf_counter() - began, 2)
            self.end(title, "" if done else "failed")

    def taken(self) -> dict[str, float]:
        """Return how long the stages took that have ended since this was last asked."""
        taken, self.seconds = self.seconds, {}
        return taken

    def begin(self, title: str, total: int, steps: str = "cells") -> None:
        """Show that something of `total` steps has begun."""

    def step(self, title: str, done: int) -> None:
        """Show how many steps are done."""

    def end(self, title: str, note: str = "") -> None:
        """Show that it has ended; `note` says how when it did not end well."""

    def close(self) -> None:
        """Take the display down."""


class Lines(Progress):
    """One plain line when something ends, for logs and schedulers."""

    def __init__(self) -> None:
        super().__init__()
        self._started: dict[str, float] = {}
        self._total: dict[str, str] = {}

    def begin(self, title: str, total: int, steps: str = "cells") -> None:
        self._started[title], self._total[title] = perf_counter(), f", {total} {steps}" if total > 1 else ""

    def end(self, title: str, note: str = "") -> None:
        seconds = perf_counter() - self._started.get(title, perf_counter())
        print(f"{title}: {note or 'done'}{self._total.get(title, '')}, {seconds:.1f} s", file=sys.stderr, flush=True)


class Live(Progress):
    """A bar for each stage and notebook, with cells done and elapsed time."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        super().__init__()
        columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), MofNCompleteColumn(), TimeElapsedColumn())
        self._bars: Bars = Progress(*columns, console=Console(stderr=True))
        self._tasks: dict[str, TaskID] = {}
        self._bars.start()

    def begin(self, title: str, total: int, steps: str = "cells") -> None:
        self._tasks[title] = self._bars.add_task(title, total=total)

    def step(self, title: str, done: int) -> None:
        self._bars.update(self._tasks[title], completed=done)

    def end(self, title: str, note: str = "") -> None:
        task = self._tasks[title]
        if note:
            self._bars.update(task, description=f"[red]{title}: {note}")
        else:
            self._bars.update(task, completed=self._bars.tasks[self._bars.task_ids.index(task)].total)
        self._bars.stop_task(task)

    def close(self) -> None:
        self._bars.stop()


def display(*, quiet: bool = False) -> Progress:
    """Choose the display for where the output goes."""
    if quiet:
        return Progress()
    return Live() if sys.stderr.isatty() else Lines()

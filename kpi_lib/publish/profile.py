"""Where the time of a build went, as a table for the terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

INSIDE = {"numbers": "prepare", "numbers, unchanged": "prepare", "html": "pages", "pdf": "pages"}


def together(builds: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the seconds of several builds added up, by stage and by notebook."""
    added: dict[str, Any] = {}
    for name, took in ((name, took) for timings in builds for name, took in timings.items()):
        if isinstance(took, Mapping):
            added[name] = together([added.get(name, {}), took])
        else:
            added[name] = added.get(name, 0.0) + took
    return added


def show(timings: Mapping[str, Any], title: str, console: Console | None = None) -> None:
    """Print seconds by stage and, below it, what is inside; notebooks that run at once take longer than their stage."""
    table = Table("stage", "of it", title=title, title_justify="left")
    table.add_column("seconds", justify="right")
    stages = {name: seconds for name, seconds in timings.items() if not isinstance(seconds, Mapping)}
    for stage, seconds in stages.items():
        if stage in INSIDE:
            continue
        table.add_row(stage, "", f"{seconds:.2f}")
        for part in (name for name in stages if INSIDE.get(name) == stage):
            table.add_row("", part, f"{stages[part]:.2f}")
        for name, whole in (timings["each"] if stage == "notebooks" else {}).items():
            table.add_row("", name, f"{whole:.2f}")
            table.add_row("", "  until its kernel was ready", f"{timings['kernels'][name]:.2f}")
    (console or Console(stderr=True)).print(table)

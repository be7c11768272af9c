"""What the commands share: their options, checked params, the open source, the audiences and the progress shown."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from kpi_lib.errors import UnknownNameError, did_you_mean

if TYPE_CHECKING:
    from kpi_lib.audiences import Audience
    from kpi_lib.params import Params
    from kpi_lib.period import Period
    from kpi_lib.publish import Progress
    from kpi_lib.source import Source


PARAMS = "params/report.yaml"


def common(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that every command takes."""

    @click.option("--params", "path", default=PARAMS, metavar="FILE", help="The company's configuration.")
    @click.option("--as-of", metavar="INSTANT", help="Read the data as it stood then, such as 2024-07-02T06:00+02:00.")
    @wraps(command)
    def with_options(*args: Any, **kwargs: Any) -> Any:
        return command(*args, **kwargs)

    return with_options


def checked(path: str, period: str, only: tuple[str, ...] = ()) -> "Params":
    """Return checked params; what was misspelt is refused before any table is read."""
    from kpi_lib.params import load
    from kpi_lib.period import Period

    if period != "last":
        Period.parse(period)
    params = load(path)
    names = [notebook.name for notebook in params.notebooks]
    if unknown := next((name for name in only if name not in names), None):
        raise UnknownNameError(f"no notebook {unknown!r} in the report{did_you_mean(unknown, names)}")
    return params


def opened(params: "Params", as_of: str | None, progress: "Progress") -> "Source":
    """Return the open source; the sample company is made when it is not there."""
    from kpi_lib.params import load_source

    with progress.stage("tables"):
        from kpi_lib import scorecard, source

        scorecard.check(params)
        spec = load_source(params.source)
        if spec.sample and not any(Path(file).exists() for file in spec.tables.values()):
            from kpi_lib.sample import write

            write(Path(next(iter(spec.tables.values()))).parent.resolve())
        return source.open(params, as_of=as_of)


def chosen_period(text: str, params: "Params", source: "Source") -> "Period":
    """Return the period that was asked for; one outside the data is refused."""
    from kpi_lib import scorecard
    from kpi_lib.period import Period

    chosen = scorecard.last_period(source, params) if text == "last" else Period.parse(text)
    scorecard.refuse_outside(source, params, chosen)
    if text == "last" and (note := lagging(chosen, params, source)):
        click.echo(f"kpi: {note}", err=True)
    return chosen


def lagging(last: "Period", params: "Params", source: "Source") -> str:
    """Return in a sentence that `last` is not the month before that of the data; empty when it is."""
    from kpi_lib.period import Period

    over = Period.containing(source.as_of.astimezone(ZoneInfo(params.time_zone)).date()).previous
    late = last.first_day < over.first_day
    return f"`last` is {last}: the data do not reach the end of {over} yet" if late else ""


def audiences_of(name: str | None, params: "Params") -> "list[Audience | None]":
    """Return the audiences that a command is asked for: one, with `all` the company and every one, else the company."""
    if name is None:
        return [None]
    from kpi_lib import audiences

    delivery = audiences.read(params)
    return [None, *delivery.audiences] if name == audiences.EVERYONE else [delivery.find(name)]


@contextmanager
def progress_of(quiet: bool) -> Iterator["Progress"]:
    """Show what a command is doing while it does it, unless it is to be quiet."""
    from kpi_lib.publish.progress import display

    progress = display(quiet=quiet)
    try:
        yield progress
    finally:
        progress.close()

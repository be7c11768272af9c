"""The command `kpi report`: builds what is asked for and does not stand, and says what came of it."""

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kpi_lib.cli_common import audiences_of, checked, chosen_period, common, lagging, opened, progress_of
from kpi_lib.errors import did_you_mean, plain

if TYPE_CHECKING:
    from kpi_lib.audiences import Audience
    from kpi_lib.editions import Made, Typed
    from kpi_lib.params import Params
    from kpi_lib.press import Wish
    from kpi_lib.publish import Progress


@click.command()
@click.argument("period", default="last")
@click.option("--only", multiple=True, metavar="NOTEBOOK", help="Renew this notebook's pages alone.")
@click.option("-p", "typed", multiple=True, metavar="NOTEBOOK.KEY=VALUE", help="A parameter of one notebook.")
@click.option("--audience", metavar="NAME", help="The pages of one audience of params/audiences.yaml, or of all.")
@click.option("--jobs", type=click.IntRange(1), help="Notebooks, or reports of audiences, to make at the same time.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Where to put the report.")
@click.option("--engine", type=click.Choice(["preloaded", "stock"]), default="preloaded", help="How kernels start.")
@click.option("--longest", type=click.IntRange(1), metavar="SECONDS", help="How long a cell may run; 1800.")
@click.option("--no-cache", "fresh", is_flag=True, help="Measure anew, even if nothing has changed.")
@click.option("--profile", is_flag=True, help="Say where the time went.")
@click.option("--json", "as_json", is_flag=True, help="Print a summary of the run as JSON.")
@common
def report(
    period: str,
    only: tuple[str, ...],
    typed: tuple[str, ...],
    audience: str | None,
    jobs: int | None,
    out: Path | None,
    engine: str,
    longest: int | None,
    fresh: bool,
    profile: bool,
    as_json: bool,
    path: str,
    as_of: str | None,
) -> int:
    """Build the pages of PERIOD (2024-05, 2024-Q2, 2024 or last); what stands and would be the same is left alone."""
    from kpi_lib.deliver.server import VARIABLE

    os.environ.pop(VARIABLE, None)  # which is no matter of notebooks
    params = checked(path, period, only)
    own, those = _typed(typed, params), audiences_of(audience, params)
    _name_left_out(params)
    from kpi_lib import editions

    shelf = (out or params.reports).absolute()
    made = None if fresh or only else editions.standing(params, period, shelf, those, own, as_of)
    if made is None:
        from kpi_lib.press import Wish

        wish = Wish(as_of, only, jobs, engine, fresh, longest)
        with progress_of(as_json) as progress:
            made = _build(params, period, shelf, those, own, wish, progress)
    _tell(made, quiet=as_json)
    if profile:
        from kpi_lib.publish.profile import show, together

        outcomes = [one.outcome for one in made if one.outcome]
        for outcome in outcomes:
            show(outcome.timings, outcome.folder.name)
        if len(outcomes) > 1:
            show(
                together([each.timings for each in outcomes]), f"{len(outcomes)} reports, of which several run at once"
            )
    if as_json:
        said = [_as_json(one) for one in made]
        click.echo(json.dumps(said if audience == "all" else said[0]))
    return max(one.exit_code for one in made)


def _build(
    params: "Params",
    period: str,
    shelf: Path,
    those: "Sequence[Audience | None]",
    own: "Typed",
    wish: "Wish",
    progress: "Progress",
) -> "list[Made]":
    """Build the reports that do not stand; the tables are opened when a number of theirs must be measured."""
    from kpi_lib import assembly, editions, last, press, scorecard
    from kpi_lib.period import Period

    scorecard.check(params)
    made_with = editions.program()  # before the tables are read: what is saved meanwhile was not used
    source = cache(lambda: opened(params, wish.as_of, progress))
    known = None if period == "last" else editions.source_of(params, wish.as_of)
    chosen = Period.parse(period) if known else chosen_period(period, params, source())
    if period == "last" and not lagging(chosen, params, source()):
        last.remember(params.reports, editions.inputs(params, source().fingerprint(), made_with), chosen)
    wanted = editions.editions(params, chosen, shelf, known or source().fingerprint(), those, own, made_with)
    if not known and not source().repeatable:
        wish = replace(wish, fresh=True)  # nothing tells whether what stands is what would be made
    scorecards = assembly.Scorecards(source, params, chosen, wanted, fresh=wish.fresh)
    if scorecards.to_measure:
        source()  # data that cannot be read is refused before anything is built
    machine = press.Press(wish, scorecards.of, progress)
    made = machine.build(wanted)
    if machine.note:
        click.echo(f"kpi: {plain(machine.note)}", err=True)
    return made


def _tell(made: "Sequence[Made]", *, quiet: bool) -> None:
    for one in made:
        name = f"{one.edition.audience.name}: " if one.edition.audience and len(made) > 1 else ""
        for line in one.told():
            click.echo(f"kpi: {name}{plain(line)}", err=True)
        if one.outcome and not quiet:
            click.echo(plain(one.outcome.message))


def _as_json(one: "Made") -> dict[str, Any]:
    about = {"period": str(one.edition.period), "audience": one.edition.book.audience or None}
    if not one.outcome:
        return about | {"status": "refused", "failures": [one.error]}
    return about | {
        "status": one.outcome.status,
        "folder": str(one.outcome.folder),
        "kept": one.outcome.kept,
        "changed": one.outcome.changed,
        "failures": list(map(str, one.outcome.failures)),
        "problems": list(one.outcome.problems),
        "timings": one.outcome.timings,
    }


def _name_left_out(params: "Params") -> None:
    """Say in a line which notebooks are in the folder and not in the report."""
    listed = {notebook.name for notebook in params.notebooks}
    if left_out := sorted(
        path.name for path in (params.project / "notebooks").glob("*.ipynb") if path.stem not in listed
    ):
        click.echo(f"kpi: not in {params.path.name}, so not run: {', '.join(left_out)}", err=True)


def _typed(given: tuple[str, ...], params: "Params") -> dict[str, dict[str, str]]:
    """Read `-p notebook.key=value` options."""
    found: dict[str, dict[str, str]] = {}
    names = [notebook.name for notebook in params.notebooks]
    for text in given:
        name, dot, rest = text.partition(".")
        key, equals, value = rest.partition("=")
        if not (dot and equals and key):
            raise click.UsageError(f"-p takes NOTEBOOK.KEY=VALUE, got {text!r}")
        if name not in names:
            raise click.UsageError(f"-p {text!r}: no notebook {name!r} in the report{did_you_mean(name, names)}")
        found.setdefault(name, {})[key] = value
    return found

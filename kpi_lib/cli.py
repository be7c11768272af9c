"""The command `kpi`: a thin skin over the library. Nothing heavy is imported before a command needs it."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kpi_lib import cli_delivery
from kpi_lib.cli_common import checked, chosen_period, common, inputs, opened, progress_of
from kpi_lib.errors import KpiError, ParamsError, did_you_mean, plain

if TYPE_CHECKING:
    from kpi_lib.params import Params
    from kpi_lib.period import Period
    from kpi_lib.publish import Book, Prepared, Progress
    from kpi_lib.source import Source

LATE = 3
NUMBERS = ("scorecard.parquet", "scorecard.csv", "scorecard.json", "scorecard.xlsx")


def main() -> None:
    """Run the command: a mistake that a person can mend is one sentence on stderr, a bug shows its traceback."""
    try:
        sys.exit(cli(standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except KpiError as error:
        click.echo(f"kpi: {plain(str(error))}", err=True)
        sys.exit(error.exit_code)
    except OSError as error:
        said = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        click.echo(f"kpi: {plain(said)}", err=True)
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        click.echo("kpi: stopped; nothing that stood was changed", err=True)
        sys.exit(130)
    except Exception:
        import traceback

        traceback.print_exc()
        click.echo("kpi: this is a bug in kpi; please report it with the lines above", err=True)
        sys.exit(70)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="kpi-report")
def cli() -> None:
    """The monthly customer-KPI report."""


@cli.command()
@click.argument("period", default="last")
@click.option("--only", multiple=True, metavar="NOTEBOOK", help="Renew this notebook's pages alone.")
@click.option("-p", "typed", multiple=True, metavar="NOTEBOOK.KEY=VALUE", help="A parameter of one notebook.")
@click.option("--jobs", type=click.IntRange(1), help="Notebooks to run at the same time.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Where to put the report.")
@click.option("--no-cache", "fresh", is_flag=True, help="Measure anew, even if nothing has changed.")
@click.option("--json", "as_json", is_flag=True, help="Print a summary of the run as JSON.")
@common
def report(
    period: str,
    only: tuple[str, ...],
    typed: tuple[str, ...],
    jobs: int | None,
    out: Path | None,
    fresh: bool,
    as_json: bool,
    path: str,
    as_of: str | None,
) -> int:
    """Build the pages of PERIOD (2024-05, 2024-Q2, 2024 or last)."""
    params = checked(path, period, only)
    own = _typed(typed, params)
    from dataclasses import replace

    from kpi_lib import commentary, publish, scorecard

    with progress_of(as_json) as progress:
        source = opened(params, as_of, progress)
        chosen = chosen_period(period, params, source)
        said = commentary.read(params, chosen)
        book = _book(params, chosen, own, source)
        shelf = (out or params.reports).absolute()

        def prepare(folder: Path) -> "Prepared":
            standing = None if fresh else _standing(shelf / str(chosen), book)
            prepared = _measure(source, params, chosen, folder, as_of, progress, standing)
            if said:
                card = scorecard.Scorecard.read(folder / "scorecard.parquet")
                commentary.check(said, card.frame, card.about)
            return replace(prepared, beside={name: section.text for name, section in said.items()})

        outcome = publish.build(
            book,
            shelf,
            root=params.project,
            prepare=prepare,
            only=only,
            jobs=jobs,
            progress=progress,
        )
    for line in (*map(str, outcome.failures), *outcome.problems, *commentary.unshown(said, params)):
        click.echo(f"kpi: {plain(line)}", err=True)
    if as_json:
        summary = {"period": str(chosen), "status": outcome.status, "folder": str(outcome.folder), "kept": outcome.kept}
        told = {"failures": list(map(str, outcome.failures)), "problems": list(outcome.problems)}
        click.echo(json.dumps(summary | told | {"timings": outcome.timings}))
    else:
        click.echo(outcome.message)
    return outcome.exit_code


@cli.command()
@click.argument("period", default="last")
@click.option("--kpi", "kpis", multiple=True, metavar="ID,ID", help="Only these, such as nps,resolution_time.p90.")
@click.option("--by", "cut", metavar="CUT", help="Add the members of a cut, such as channel.")
@click.option("--trend", is_flag=True, help="All 13 periods of the trend.")
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table")
@common
def values(
    period: str, kpis: tuple[str, ...], cut: str | None, trend: bool, form: str, path: str, as_of: str | None
) -> None:
    """Print the scorecard of PERIOD without running notebooks."""
    from kpi_lib import scorecard
    from kpi_lib.listing import print_values

    wanted = [name.strip() for names in kpis for name in names.split(",")] or None
    chosen_kpis = scorecard.needed_for(wanted)
    if cut:
        scorecard.find_cut(cut)
    params = checked(path, period)
    with progress_of(False) as progress:
        source = opened(params, as_of, progress)
        chosen = chosen_period(period, params, source)
        with progress.stage("numbers"):
            card = scorecard.measure(source, params, chosen, chosen_kpis, cuts=bool(cut))
    frame = card.frame
    rows = frame[(frame["cut"].isna() | (frame["cut"] == cut) | frame["kpi"].isin(scorecard.table_kpis()))]
    rows = rows if trend else rows[rows["period"] == card.period]
    rows = rows[rows["kpi"].isin(wanted)] if wanted else rows
    print_values(rows, card, form)


@cli.command()
@click.argument("period", default="last")
@common
def check(period: str, path: str, as_of: str | None) -> int:
    """Look at params, source and tables for PERIOD before anything runs."""
    from kpi_lib import commentary
    from kpi_lib.listing import print_check

    params = checked(path, period)
    with progress_of(False) as progress:
        source = opened(params, as_of, progress)
    chosen = chosen_period(period, params, source)
    commentary.read(params, chosen)
    return LATE if print_check(source, params, chosen) else 0


@cli.command(name="list")
@common
def list_(path: str, as_of: str | None) -> None:
    """List every KPI with its unit and meaning."""
    from kpi_lib.listing import print_list

    print_list()


@cli.command()
@click.argument("address", metavar="ID")
@common
def explain(address: str, path: str, as_of: str | None) -> None:
    """Explain a KPI: meaning, formula, what puts a row in a period, where it differs from other tools."""
    from kpi_lib.listing import print_explanation

    print_explanation(address)


@cli.command()
@click.option("--extract", metavar="DAY", help="A later extract, such as 2024-07-09, with the rows that came late.")
@click.option("--without-stories", is_flag=True, help="The same company with nothing special happening to it.")
@common
def sample(extract: str | None, without_stories: bool, path: str, as_of: str | None) -> None:
    """Write the sample company's tables."""
    from kpi_lib import sample as company
    from kpi_lib.params import load, load_source

    source = load_source(load(path).source)
    if not source.sample:
        raise ParamsError(
            "this source is a company's own data; `kpi sample` does not write there", where=str(source.path)
        )
    folder = Path(next(iter(source.tables.values()))).parent
    company.write(folder.resolve(), extract=extract, stories=not without_stories)
    click.echo(f"The sample company is in {folder.resolve()}")


cli.add_command(cli_delivery.diff)
cli.add_command(cli_delivery.verify)


def _standing(folder: Path, book: "Book") -> Path | None:
    """Return the folder of the period's report if its numbers were made from the same inputs, and are as they were."""
    from kpi_lib.publish import manifest

    before = (manifest.read(folder) or {}).get("inputs", {})
    same = all(before.get(name) == value for name, value in book.inputs.items())
    whole = all((folder / name).is_file() and manifest.hashed(folder / name) == before.get(name) for name in NUMBERS)
    return folder if same and whole else None


def _measure(
    source: "Source",
    params: "Params",
    period: "Period",
    folder: Path,
    as_of: str | None,
    progress: "Progress",
    standing: Path | None,
) -> "Prepared":
    """Write the numbers into `folder`: those that stand, when nothing they were made from has changed, else anew."""
    import shutil
    from zoneinfo import ZoneInfo

    from kpi_lib import scorecard, workbook
    from kpi_lib.kpis import registry
    from kpi_lib.publish import Prepared

    if standing:
        with progress.stage("numbers, unchanged"):
            for name in NUMBERS:
                shutil.copy2(standing / name, folder)
    else:
        with progress.stage("numbers"):
            card = scorecard.measure(source, params, period, registry())
            card.write(folder)
            workbook.write(card, folder / "scorecard.xlsx")
    given = {
        "period": str(period),
        "params": str(params.path),
        "scorecard": str(folder / "scorecard.parquet"),
        "audience": None,
        "as_of": as_of,
    }
    return Prepared(given, source.as_of.astimezone(ZoneInfo(params.time_zone)), source.sample)


def _book(params: "Params", period: "Period", typed: dict[str, dict[str, str]], source: "Source") -> "Book":
    from kpi_lib.language import language
    from kpi_lib.publish import Book, Chapter
    from kpi_lib.publish.render import TITLE

    to, folder = language(params.language), params.project / "notebooks"
    chapters = [
        Chapter(book.name, folder / f"{book.name}.ipynb", book.parameters, typed.get(book.name, {}))
        for book in params.notebooks
    ]
    listed = {chapter.notebook for chapter in chapters}
    if left_out := sorted(path.name for path in folder.glob("*.ipynb") if path not in listed):
        click.echo(f"kpi: not in {params.path.name}, so not run: {', '.join(left_out)}", err=True)
    return Book(
        str(period),
        to.period(period),
        params.company,
        chapters,
        title=to.say(TITLE),
        language=params.language,
        colour=params.brand.colour,
        accent=params.brand.accent,
        logo=params.brand.logo,
        inputs=inputs(params, source),
    )


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


if __name__ == "__main__":
    main()

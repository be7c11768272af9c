"""The command `kpi`: a thin skin over the library. Nothing heavy is imported before a command needs it."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kpi_lib import cli_delivery, cli_mail, cli_report
from kpi_lib.cli_common import PARAMS, checked, chosen_period, common, opened, progress_of
from kpi_lib.disclosure import hidden
from kpi_lib.errors import KpiError, ParamsError, plain

if TYPE_CHECKING:
    from kpi_lib.params import Params

LATE = 3


def main() -> None:
    """Run the command: a mistake that a person can mend is one sentence on stderr, a bug shows its traceback."""
    try:
        sys.exit(cli(standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except KpiError as error:
        click.echo(f"kpi: {plain(hidden(str(error)))}", err=True)
        sys.exit(error.exit_code)
    except OSError as error:
        said = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        click.echo(f"kpi: {plain(said)}", err=True)
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        click.echo("kpi: stopped; what was finished stands, all else is as it was", err=True)
        sys.exit(130)
    except Exception:
        import traceback

        click.echo(plain(hidden(traceback.format_exc())), err=True, nl=False)
        click.echo("kpi: this is a bug in kpi; please report it with the lines above", err=True)
        sys.exit(70)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="kpi-report")
def cli() -> None:
    """The monthly customer-KPI report."""


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
    """Look at params, audiences, source and tables for PERIOD before anything runs."""
    from kpi_lib import commentary
    from kpi_lib.listing import print_check

    params = checked(path, period)
    readers = _audiences_said(params)
    with progress_of(False) as progress:
        source = opened(params, as_of, progress)
    chosen = chosen_period(period, params, source)
    commentary.read(params, chosen)
    late = print_check(source, params, chosen)
    if readers:
        click.echo(plain(readers))
    return LATE if late else 0


@cli.command(name="list")
@common
def list_(path: str, as_of: str | None) -> None:
    """List every KPI with its unit and meaning."""
    from kpi_lib.handbook import print_list

    if path != PARAMS:
        checked(path, "last")  # whatever is asked: one that was misspelt is noticed
    print_list()


@cli.command()
@click.argument("address", metavar="ID")
@common
def explain(address: str, path: str, as_of: str | None) -> None:
    """Explain a KPI: meaning, formula, what puts a row in a period, where it differs from other tools."""
    from kpi_lib.handbook import print_explanation

    params = checked(path, "last") if path != PARAMS or Path(path).is_file() else None
    print_explanation(address, params)


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


cli.add_command(cli_report.report)
cli.add_command(cli_delivery.diff)
cli.add_command(cli_delivery.verify)
cli.add_command(cli_mail.email)


def _audiences_said(params: "Params") -> str:
    """Return in a line who the audiences are, all of whom can be reported to; nothing without such a file."""
    from kpi_lib import audiences, slices

    if not audiences.path(params).is_file():
        return ""
    said = []
    for audience in audiences.read(params).audiences:
        slices.check(params, audience)
        said.append(f"{audience.name} ({' '.join(audience.slice)})" if audience.slice else audience.name)
    return f"{audiences.FILE}: {', '.join(said)}"


if __name__ == "__main__":
    main()

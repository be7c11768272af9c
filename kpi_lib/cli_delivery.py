"""The commands about what was issued: `kpi diff`, `kpi verify`."""

from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from kpi_lib.cli_common import checked, common, opened, progress_of
from kpi_lib.errors import KpiError, plain

if TYPE_CHECKING:
    from kpi_lib.difference import Comparison
    from kpi_lib.issued import Issue
    from kpi_lib.params import Params
    from kpi_lib.period import Period
    from kpi_lib.publish import Progress
    from kpi_lib.scorecard import Scorecard
    from kpi_lib.source import Source


@click.command()
@click.argument("period")
@click.argument("other", required=False, metavar="[PERIOD]")
@click.option("--issued", is_flag=True, help="Compare with what was issued of PERIOD.")
@click.option("--against", "version", metavar="GIT_REF", help="Compare with what another version of the code computes.")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table")
@common
def diff(
    period: str, other: str | None, issued: bool, version: str | None, form: str, path: str, as_of: str | None
) -> None:
    """Show what changed from PERIOD to another, since it was issued, or between versions of the code."""
    from kpi_lib.period import Period

    if [bool(other), issued, version is not None].count(True) != 1:
        raise click.UsageError("give a second PERIOD, --issued or --against GIT_REF")
    chosen = Period.parse(period)
    later = Period.parse(other) if other else None
    params = checked(path, period)
    with progress_of(False) as progress:
        if issued:
            found = _since_issued(params, chosen, as_of, progress)
        elif later:
            found = _of_periods(params, chosen, later, as_of, progress)
        else:
            found = _of_versions(params, chosen, str(version), as_of, progress)
    from kpi_lib.listing import print_differences

    print_differences(found, form)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@common
def verify(file: Path, path: str, as_of: str | None) -> None:
    """Say whether FILE, such as a PDF, is one that was issued: of which period, to whom, and whether it still holds."""
    from kpi_lib.issued import Archive
    from kpi_lib.params import load

    params = load(path)
    archive = Archive(params.records, params.company)
    if not (found := archive.with_file(file)):
        raise KpiError(f"{file} is none of the files that {params.company} has issued")
    for issue in found:
        _say(f"{file.name} is the report of {_label(issue)} of {issue.company}, as issued to {_whom(issue, params)}.")
        newer = [each for each in archive.all() if _same_report(each, issue) and each.at > issue.at]
        if newer:
            _say(f"It was corrected since, on {_moment(newer[-1], params)}: what holds is in {newer[-1].folder}")
        else:
            _say("Nothing newer was issued of it.")
    with progress_of(False) as progress:
        _say(_rebuilding(found[0], params, as_of, progress))


def _of_periods(
    params: "Params", then: "Period", now: "Period", as_of: str | None, progress: "Progress"
) -> "Comparison":
    from kpi_lib import difference
    from kpi_lib.scorecard import TREND

    source, last = opened(params, as_of, progress), max(then, now, key=lambda each: each.first_day)
    cards = {last: _measured(source, params, last, progress, headlines=True)}
    for each in (then, now):
        if each not in last.trailing(TREND):
            cards[each] = _measured(source, params, each, progress, headlines=True)
    before, today = (difference.totals(cards.get(each, cards[last]), str(each), headlines=True) for each in (then, now))
    said = f"{params.company}: from {then.label} to {now.label}"
    names = (then.label, now.label)
    return difference.compared(said, names, before, today, params.currency, difference.of_periods)


def _since_issued(params: "Params", period: "Period", as_of: str | None, progress: "Progress") -> "Comparison":
    from kpi_lib import difference, restated
    from kpi_lib.issued import Archive

    issues = [each for each in Archive(params.records, params.company).all() if each.slice is None]
    if not (of_period := [each for each in issues if each.period == str(period)]):
        raise KpiError(f"nothing was issued of {period.label} for the whole company")
    issue = of_period[-1]
    then, source = issue.scorecard(), opened(params, as_of, progress)
    now = restated.noted(_measured(source, params, period, progress), source, params, [])
    before, today = (difference.totals(card) for card in (then, now))
    said = f"{params.company}: {period.label} as issued to {_whom(issue, params)}, and now"
    why = difference.since_issued(then, now)
    return difference.compared(said, ("issued", "now"), before, today, params.currency, why)


def _of_versions(
    params: "Params", period: "Period", version: str, as_of: str | None, progress: "Progress"
) -> "Comparison":
    from kpi_lib import difference

    source = opened(params, as_of, progress)
    card = _measured(source, params, period, progress)
    with progress.stage(f"numbers of {version}"):
        before = difference.measured_by(version, params, str(period), source.as_of.isoformat())
    said = f"{params.company}: {period.label} by the code of {version}, and by this code"
    today = difference.totals(card)
    return difference.compared(said, (version, "now"), before, today, params.currency, difference.of_versions)


def _measured(
    source: "Source", params: "Params", period: "Period", progress: "Progress", *, headlines: bool = False
) -> "Scorecard":
    from kpi_lib import scorecard
    from kpi_lib.kpis import registry

    wanted = [address for address, kpi in registry().items() if kpi.headline and not kpi.table_cut]
    with progress.stage(f"numbers of {period.label}"):
        kpis = scorecard.needed_for(wanted if headlines else None)
        return scorecard.measure(source, params, period, kpis, cuts=False)


def _rebuilding(issue: "Issue", params: "Params", as_of: str | None, progress: "Progress") -> str:
    """Say whether the same report could be made again, from what its build wrote down."""
    from kpi_lib import commentary
    from kpi_lib.deliver import gate
    from kpi_lib.editions import inputs
    from kpi_lib.language import ENGLISH
    from kpi_lib.period import Period

    built, seen = issue.manifest(), as_of or str(issue.scorecard().about["as_of"])
    try:
        now = inputs(params, opened(params, seen, progress).fingerprint())
        sections = {} if issue.slice else commentary.read(params, Period.parse(issue.period))  # slices have no comment
    except KpiError as error:
        return f"Whether it can be rebuilt cannot be told: {error}"
    if changed := list(gate.changed(built, now, params, {name: section.text for name, section in sections.items()})):
        verb = "has" if len(changed) == 1 else "have"
        return f"It cannot be rebuilt as it was: {ENGLISH.listed(changed)} {verb} changed since."
    own = f" --audience {issue.audience}" if "audience" in built["inputs"] else ""
    return f"It can be rebuilt: `kpi report {issue.period}{own} --as-of {seen}`."


def _same_report(one: "Issue", other: "Issue") -> bool:
    return (one.period, one.audience) == (other.period, other.audience)


def _whom(issue: "Issue", params: "Params") -> str:
    return f"{issue.audience} on {_moment(issue, params)}"


def _moment(issue: "Issue", params: "Params") -> str:
    from kpi_lib.language import ENGLISH

    return ENGLISH.moment(issue.at.astimezone(ZoneInfo(params.time_zone)))


def _label(issue: "Issue") -> str:
    from kpi_lib.period import Period

    return Period.parse(issue.period).label


def _say(text: str) -> None:
    click.echo(plain(text))

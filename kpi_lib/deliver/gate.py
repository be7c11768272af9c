"""The gate: why the report that stands may not go out, and what a sender should know before it does.

Each finding is one sentence for people.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from kpi_lib.deliver.ledger import known
from kpi_lib.editions import Edition
from kpi_lib.errors import KpiError
from kpi_lib.freshness import Reach, of_period
from kpi_lib.issued import SCORECARD, Archive
from kpi_lib.notebook_files import read_by, still
from kpi_lib.params import Params
from kpi_lib.period import parse_instant
from kpi_lib.publish import manifest
from kpi_lib.scorecard import Scorecard

FOR_SAMPLES = "example.com"
SENT = (".pdf", ".parquet", ".ipynb")  # what a mail is made of
WHAT = {
    "params": "the configuration",
    "settings": "a target, a threshold or the language",
    "pages": "the brand, the events or the list of notebooks",
    "source": "the data",
    "kpi_lib": "the code",
    "packages": "Python or a package",
    "issued": "what was issued of earlier periods",
    "audience": "what the audience gets",
}


@dataclass(frozen=True)
class Findings:
    """What speaks against sending a report."""

    bars: list[str]  # what is not there, or to whom it may not go: nothing lifts these
    reasons: list[str]  # in spite of which a person may send it, the most basic first
    warnings: list[str]  # what does not stop it, but should be known to who sends it


def findings(edition: Edition, recipients: Sequence[str], archive: Archive, ledger: Path) -> Findings:
    """Return what speaks against sending the report that stands in the edition's folder to these recipients."""
    built = manifest.read(edition.folder) or {}
    card = _card(edition.folder) if built else None
    found = Findings([*_of_files(edition, built), *_of_sending(edition, recipients, archive, ledger, card)], [], [])
    if built:
        found.reasons.extend([*_of_building(edition, built), *_of_inputs(edition, built)])
    if card:
        tables = [table for table in card.about["tables"] if table["present"]]
        reach = of_period(tables, parse_instant(card.about["as_of"]), edition.params, edition.period)
        found.reasons.extend([*_of_data(edition, card, reach), *_of_numbers(card)])
        found.warnings.extend([*_warnings(edition, card, reach), *(f"{said}." for said in built.get("problems", []))])
    return found


def _warnings(edition: Edition, card: Scorecard, reach: Sequence[Reach]) -> list[str]:
    late = [_late(each, edition) for each in reach if each.level == "warning"]
    unknown = ["How fresh the data is cannot be told, as its time is that of its latest event."]
    checks = [
        f"{check['table']}: {check['message'] or check['rule']} ({check['rows']:,} rows)."
        for check in card.about["checks"]
        if check["level"] == "warning" and check["table"]
    ]
    return [*late, *(unknown if card.about["as_of_source"] == "latest" else []), *checks]


def changed(
    built: Mapping[str, Any], inputs: Mapping[str, str], params: Params, commentary: Mapping[str, str]
) -> Iterator[str]:
    """Yield what a report would not be made from again as it was, by what its build wrote down."""
    before = built.get("inputs", {})
    yield from (WHAT.get(name, name) for name, value in inputs.items() if before.get(name) != value)
    for name, made_from in built.get("notebooks", {}).items():
        path = params.notebook(name)
        if not path.is_file() or manifest.hashed(path) != made_from.get("sha256"):
            yield f"the notebook {name}"
        elif not still(made_from.get("reads", {}), read_by(path, params.project, params.reports, _given(made_from))):
            yield f"a file that the notebook {name} reads"
        if sha256(commentary.get(name, "").encode()).hexdigest() != made_from.get("beside"):
            yield f"the analysts' comment in {name}"


def _given(made_from: Mapping[str, Any]) -> list[Any]:
    """Return the values that a notebook was given of its own."""
    return [*made_from.get("own", {}).values(), *made_from.get("typed", {}).values()]


def _of_files(edition: Edition, built: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is not there, is another's, or is not what was built."""
    if not built:
        yield f"The report of {edition.period.label} has not been built: run `{_command(edition)}`."
        return
    if (built.get("company"), built.get("period")) != (edition.params.company, str(edition.period)):
        yield f"{edition.folder} holds a report of {built.get('company')}, {built.get('period')}."
    for name, file in built.get("files", {}).items():
        path = edition.folder / name
        if path.suffix in SENT and (not path.is_file() or manifest.hashed(path) != file["sha256"]):
            yield f"{name} is not the file that was built."


def _of_building(edition: Edition, built: Mapping[str, Any]) -> Iterator[str]:
    label, failures = edition.period.label, built.get("failures", {})
    for notebook, said in failures.items():
        yield f"The notebook {notebook} failed: {str(said).splitlines()[0].rstrip('.')}."
    absent = [name for name in edition.notebooks if name not in built.get("notebooks", {})]
    if absent and not failures:
        yield f"Only a part of the report of {label} has been built; {', '.join(absent)} is missing."
    elif built.get("status") != "whole" and not failures:
        yield f"The report of {label} is not whole but {built.get('status')}."


def _of_inputs(edition: Edition, built: Mapping[str, Any]) -> Iterator[str]:
    commentary = {name: section.text for name, section in edition.commentary.items()}
    for what in changed(built, edition.book.inputs, edition.params, commentary):
        said = what[:1].upper() + what[1:]
        yield f"{said} has changed since the report was built: run `{_command(edition)}` again."


def _of_data(edition: Edition, card: Scorecard, reach: Sequence[Reach]) -> Iterator[str]:
    """Yield where the data does not cover the period, or breaks a rule."""
    if parse_instant(card.about["as_of"]) < edition.period.bounds(edition.params.time_zone)[1]:
        yield f"{edition.period.label} was not over when the data was extracted ({card.about['as_of']})."
    else:
        yield from (_late(each, edition) for each in reach if each.level == "error")
    for check in card.about["checks"]:
        if check["level"] == "error":
            yield f"The table {check['table']} breaks a rule: {check['message'] or check['rule']}."


def _of_numbers(card: Scorecard) -> Iterator[str]:
    for said in card.about["identities"]["broken"]:
        yield f"Numbers of the report do not agree with each other: {said}."


def _of_sending(
    edition: Edition, recipients: Sequence[str], archive: Archive, ledger: Path, card: Scorecard | None
) -> Iterator[str]:
    """Yield why these recipients may not get it, or nobody may; a ledger that was made anew knows nothing."""
    for address in recipients if card and card.about["sample"] else ():
        if address.rpartition("@")[2].lower() != FOR_SAMPLES:
            yield f"{address} may not get sample data, which goes to {FOR_SAMPLES} alone."
    period = str(edition.period)
    issued = {(issue.audience, issue.content) for issue in archive.all() if issue.period == period}
    if issued and issued - {(each.audience, each.content) for each in known(ledger, edition.params.company, period)}:
        yield (
            f"{edition.period.label} was issued before, but the ledger {ledger} is gone or knows nothing of "
            "it, so nobody knows who has had it: restore it from a backup."
        )


def _late(reach: Reach, edition: Edition) -> str:
    days = "1 day" if reach.days == 1 else f"{reach.days} days"
    said = f"ends {days} before the end of {edition.period.label}" if reach.days else reach.said
    return f"The table {reach.table} {said}."


def _command(edition: Edition) -> str:
    """Return what builds it anew."""
    return f"kpi report {edition.period}{f' --audience {edition.audience.name}' if edition.audience else ''}"


def _card(folder: Path) -> Scorecard | None:
    """Return the numbers that were built; None when their file is not there, which is a reason of its own."""
    try:
        return Scorecard.read(folder / SCORECARD)
    except KpiError:
        return None

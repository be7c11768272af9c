"""The gate: why the report that stands may not go out, and what a sender should know before it does.

Each reason is one sentence for people. It asks nothing but what it is given: files of the report, the numbers in it,
and what they would be made from today.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from kpi_lib.deliver.ledger import Ledger
from kpi_lib.errors import KpiError
from kpi_lib.freshness import PATIENCE, Reach, reaches
from kpi_lib.issued import SCORECARD, Archive
from kpi_lib.params import Freshness
from kpi_lib.period import Period, parse_instant
from kpi_lib.publish import manifest
from kpi_lib.scorecard import Scorecard

FOR_SAMPLES = "example.com"
SENT = (".pdf", ".parquet", ".ipynb")  # what a mail is made of
WHAT = {
    "params": "the configuration",
    "pages": "the brand, the events or the list of notebooks",
    "source": "the data",
    "kpi_lib": "the code",
    "lock": "the list of packages",
    "issued": "what was issued of earlier periods",
    "audience": "what the audience gets",
}


@dataclass(frozen=True)
class Standing:
    """The report that stands in `folder`, and what it is held against."""

    folder: Path
    period: Period
    company: str
    inputs: Mapping[str, str]  # what it would be made from now, as a build notes it
    notebooks: Mapping[str, Path]  # of the book, in order
    recipients: Sequence[str]
    archive: Archive
    ledger: Path
    commentary: Mapping[str, str] = field(default_factory=dict)  # the analysts' text by notebook
    limits: Mapping[str, Freshness] = field(default_factory=dict)  # by table
    patience: timedelta = PATIENCE
    audience: str | None = None  # whose own pages these are; None for the company's

    @property
    def command(self) -> str:
        """What builds it anew."""
        return f"kpi report {self.period}{f' --audience {self.audience}' if self.audience else ''}"

    @property
    def manifest(self) -> dict[str, Any]:
        """What the build wrote down; empty when there is none."""
        return manifest.read(self.folder) or {}


def reasons(standing: Standing) -> list[str]:
    """Return why the report should not be sent, the most basic first; a person may send it in spite of them."""
    built = standing.manifest
    if not built:
        return []
    card = _card(standing)
    found = [*_of_building(standing, built), *_of_inputs(standing, built)]
    if card:
        found += [*_of_data(standing, card), *_of_numbers(standing, card)]
    return found


def bars(standing: Standing) -> list[str]:
    """Return why the report cannot be sent, which no reason of a person lifts: what is not there, and to whom."""
    built = standing.manifest
    card = _card(standing) if built else None
    return [*_of_files(standing, built), *_of_sending(standing, card)]


def warnings(standing: Standing) -> list[str]:
    """Return what does not stop the report, but should be known to who sends it."""
    card, label = _card(standing), standing.period.label
    if not card:
        return []
    late = [_late(reach, label) for reach in _reaches(standing, card, "warning")]
    unknown = ["How fresh the data is cannot be told, as its time is that of its latest event."]
    checks = [
        f"{check['table']}: {check['message'] or check['rule']} ({check['rows']:,} rows)."
        for check in card.about["checks"]
        if check["level"] == "warning" and check["table"]
    ]
    return [
        *late,
        *(unknown if card.about["as_of_source"] == "latest" else []),
        *checks,
        *(f"{problem}." for problem in standing.manifest.get("problems", [])),
    ]


def changed(
    built: Mapping[str, Any], inputs: Mapping[str, str], notebooks: Mapping[str, Path], commentary: Mapping[str, str]
) -> Iterator[str]:
    """Yield what a report would not be made from again as it was, by what its build wrote down."""
    before = built.get("inputs", {})
    yield from (WHAT.get(name, name) for name, value in inputs.items() if before.get(name) != value)
    for name, made_from in built.get("notebooks", {}).items():
        path = notebooks.get(name)
        if path is None or not path.is_file() or manifest.hashed(path) != made_from.get("sha256"):
            yield f"the notebook {name}"
        if sha256(commentary.get(name, "").encode()).hexdigest() != made_from.get("beside"):
            yield f"the analysts' comment in {name}"


def _of_files(standing: Standing, built: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is not there, is another's, or is not what was built."""
    label, period = standing.period.label, standing.period
    if not built:
        yield f"The report of {label} has not been built: run `{standing.command}`."
        return
    if (built.get("company"), built.get("period")) != (standing.company, str(period)):
        yield f"{standing.folder} holds a report of {built.get('company')}, {built.get('period')}."
    for name, file in built.get("files", {}).items():
        path = standing.folder / name
        if path.suffix in SENT and (not path.is_file() or manifest.hashed(path) != file["sha256"]):
            yield f"{name} is not the file that was built."


def _of_building(standing: Standing, built: Mapping[str, Any]) -> Iterator[str]:
    label = standing.period.label
    for notebook, said in built.get("failures", {}).items():
        yield f"The notebook {notebook} failed: {str(said).splitlines()[0].rstrip('.')}."
    absent = [name for name in standing.notebooks if name not in built.get("notebooks", {})]
    if absent and not built.get("failures"):
        yield f"Only a part of the report of {label} has been built; {', '.join(absent)} is missing."
    elif built.get("status") != "whole" and not built.get("failures"):
        yield f"The report of {label} is not whole but {built.get('status')}."


def _of_inputs(standing: Standing, built: Mapping[str, Any]) -> Iterator[str]:
    for what in changed(built, standing.inputs, standing.notebooks, standing.commentary):
        said = what[:1].upper() + what[1:]
        yield f"{said} has changed since the report was built: run `{standing.command}` again."


def _of_data(standing: Standing, card: Scorecard) -> Iterator[str]:
    """Yield where the data does not cover the period, or breaks a rule."""
    label = standing.period.label
    end = standing.period.bounds(card.about["time_zone"])[1]
    if parse_instant(card.about["as_of"]) < end:
        yield f"{label} was not over when the data was extracted ({card.about['as_of']})."
    else:
        for reach in _reaches(standing, card, "error"):
            yield _late(reach, label)
    for check in card.about["checks"]:
        if check["level"] == "error":
            yield f"The table {check['table']} breaks a rule: {check['message'] or check['rule']}."


def _of_numbers(standing: Standing, card: Scorecard) -> Iterator[str]:
    for said in card.about["identities"]["broken"]:
        yield f"Numbers of the report do not agree with each other: {said}."


def _of_sending(standing: Standing, card: Scorecard | None) -> Iterator[str]:
    """Yield why these recipients may not get it, or nobody may."""
    for address in standing.recipients if card and card.about["sample"] else ():
        if address.rpartition("@")[2].lower() != FOR_SAMPLES:
            yield f"{address} may not get sample data, which goes to {FOR_SAMPLES} alone."
    issued = [issue for issue in standing.archive.all() if issue.period == str(standing.period)]
    known = _in_ledger(standing) if issued else set()
    if any((issue.audience, issue.content) not in known for issue in issued):
        yield (
            f"{standing.period.label} was issued before, but the ledger {standing.ledger} is gone or knows nothing of "
            "it, so nobody knows who has had it: restore it from a backup."
        )


def _in_ledger(standing: Standing) -> set[tuple[str, str]]:
    """Return by audience and content what the ledger knows of the period; one made anew knows nothing."""
    if not standing.ledger.is_file():
        return set()
    with Ledger(standing.ledger) as ledger:
        return {(each.audience, each.content) for each in ledger.standing(standing.company, str(standing.period))}


def _late(reach: Reach, label: str) -> str:
    days = "1 day" if reach.days == 1 else f"{reach.days} days"
    return f"The table {reach.table} {f'ends {days} before the end of {label}' if reach.days else reach.said}."


def _reaches(standing: Standing, card: Scorecard, level: str) -> list[Reach]:
    end = standing.period.bounds(card.about["time_zone"])[1]
    tables = [table for table in card.about["tables"] if table["present"]]
    found = reaches(tables, end, parse_instant(card.about["as_of"]), standing.limits, standing.patience)
    return [reach for reach in found if reach.level == level]


def _card(standing: Standing) -> Scorecard | None:
    """Return the numbers that were built; None when their file is not there, which is a reason of its own."""
    try:
        return Scorecard.read(standing.folder / SCORECARD)
    except KpiError:
        return None

"""The same report once more: when nothing has changed since, and when one thing has."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet

from bench.company import PERIOD, SAMPLE, edit, project, report
from bench.measure import Figure, Round, ratios, say, told

BOUND = 0.08
EDITED = "loyalty"


def measured(numbers: range) -> Iterator[Round]:
    """Build a report cold, then again after each change, in a copy of the project that is new every round."""
    for number in numbers:
        done = {}
        with project() as copy:
            for name, change in CHANGES.items():
                change(copy)
                before = started(copy / "out")
                cost = report(copy, copy / "out")
                ran = sorted(which for which, when in started(copy / "out").items() if before.get(which) != when)
                done[name] = replace(cost, note=f"ran: {', '.join(ran) or 'none'}")
                say(f"again, round {number + 1} of {numbers.stop}: {name} {told(cost)}, {done[name].note}")
        yield done


def figures(found: Sequence[Round]) -> list[Figure]:
    """Return each report as a share of the cold one, with the notebooks that ran."""
    made = []
    for name in list(CHANGES)[1:]:
        bound = BOUND if name == "nothing changed" else None
        note = " or ".join(sorted({each[name].note for each in found}))
        made += ratios(f"{name} / cold", found, name, "cold", bound=bound, note=note)
    return made


def started(out: Path) -> dict[str, str]:
    """Return when each notebook of a report was run, by papermill's own record."""
    records = {
        path.stem: json.loads(path.read_text(encoding="utf-8"))["metadata"] for path in (out / PERIOD).glob("*.ipynb")
    }
    return {name: record["papermill"]["start_time"] for name, record in records.items()}


def _nothing(copy: Path) -> None:
    """Leave the copy as it is."""


def _notebook(copy: Path) -> None:
    edit(copy / "notebooks" / f"{EDITED}.ipynb", "edited")


def _params(given: str, instead: str) -> Callable[[Path], None]:
    """Return what changes a value of params/report.yaml."""

    def change(copy: Path) -> None:
        file = copy / "params/report.yaml"
        before = file.read_text(encoding="utf-8")
        if given not in before:
            raise ValueError(f"{file.name} has no {given!r} to change")
        file.write_text(before.replace(given, instead), encoding="utf-8")

    return change


def _data(copy: Path) -> None:
    """Take away the last row of the surveys."""
    file = copy / SAMPLE / "surveys.parquet"
    table = pyarrow.parquet.read_table(file)
    pyarrow.parquet.write_table(table.slice(0, table.num_rows - 1), file)


CHANGES: dict[str, Callable[[Path], None]] = {
    "cold": _nothing,
    "nothing changed": _nothing,
    "one notebook edited": _notebook,
    "one target changed": _params("agent_utilization: {between: [50, 70]}", "agent_utilization: {between: [50, 71]}"),
    "one threshold changed": _params("backlog_hours: 72", "backlog_hours: 71"),
    "an opening hour changed": _params('open: "09:00"', 'open: "09:30"'),
    "the brand's colour changed": _params('colour: "#1f4e79"', 'colour: "#1f4e7a"'),
    "data changed": _data,
}

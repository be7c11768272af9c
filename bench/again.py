"""The same report once more: when nothing has changed since, and when one thing has."""

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet

from bench.company import PERIOD, SAMPLE, edit, project, report
from bench.measure import Figure, Run, ratios, say, told

BOUND = 0.08
EDITED = "loyalty"


def again(repeats: int) -> list[Figure]:
    """Build a report cold, then again after each change, in a copy of the project that is new every round."""
    found: list[dict[str, Run]] = []
    ran: dict[str, set[str]] = {name: set() for name in CHANGES}
    for number in range(repeats):
        done = {}
        with project() as copy:
            for name, change in CHANGES.items():
                change(copy)
                before = started(copy / "out")
                done[name] = report(copy, copy / "out")
                ran[name] |= {which for which, when in started(copy / "out").items() if before.get(which) != when}
                say(f"again, round {number + 1} of {repeats}: {name} {told(done[name])}, ran {_list(ran[name])}")
        found.append(done)
    made = []
    for name in list(CHANGES)[1:]:
        bound = BOUND if name == "nothing changed" else None
        made += ratios(f"{name} / cold", found, name, "cold", bound=bound, note=f"ran: {_list(ran[name])}")
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


def _list(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "none"


CHANGES: dict[str, Callable[[Path], None]] = {
    "cold": _nothing,
    "nothing changed": _nothing,
    "one notebook edited": _notebook,
    "one target changed": _params("agent_utilization: {between: [50, 70]}", "agent_utilization: {between: [50, 71]}"),
    "one threshold changed": _params("backlog_hours: 72", "backlog_hours: 71"),
    "the brand's colour changed": _params('colour: "#1f4e79"', 'colour: "#1f4e7a"'),
    "data changed": _data,
}

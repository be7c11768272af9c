"""Many readers: what one more slice of a month costs, in time and in memory."""

import shutil
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import pyarrow
import pyarrow.parquet

from bench.company import SAMPLE, project, report
from bench.measure import Figure, Round, Run, figure, rounds

BOUND = 1.2
FLAT = 1.1  # at most so much more memory for four times as many
WITH_ALL_NOTEBOOKS = 20
BRIEF = "executive_summary"


def measured(numbers: range, count: int = 200) -> Iterator[Round]:
    """Build the company's report with `count` slices of its customers, with a quarter of them, and with one.

    The sample company has three segments; here its customers are shared out evenly among `count` of them. A slice has
    the executive summary alone; some slices with all notebooks are measured beside it.
    """
    few, some = _fewer(count)
    with project() as copy:
        share_out(copy, count)
        yield from rounds(
            "slices",
            numbers,
            {
                f"{number} {'brief' if brief else 'whole'}": partial(_run, copy, number, brief=brief)
                for number, brief in ((1, True), (few, True), (count, True), (1, False), (some, False))
            },
        )


def figures(found: Sequence[Round], count: int = 200) -> list[Figure]:
    """Return what a slice beyond the first cost, with the summary alone and with all notebooks, and peaks of memory."""
    few, some = _fewer(count)
    made = beyond(found, count, "brief", "executive summary", BOUND)
    made += beyond(found, some, "whole", "all notebooks", None)
    peaks = {number: [each[f"{number} brief"].peak / 1e6 for each in found] for number in (1, few, count)}
    memory = [figure(f"peak memory, {number} slices", values, unit="MB") for number, values in peaks.items()]
    whole = [each[f"{some} whole"].peak / 1e6 for each in found]
    memory.append(figure(f"peak memory, {some} slices, all notebooks", whole, unit="MB"))
    grown = [most / least for most, least in zip(peaks[count], peaks[few], strict=True)]
    return [*made, *memory, figure(f"peak memory, {count} slices / {few} slices", grown, bound=FLAT)]


def beyond(found: Sequence[Round], most: int, kind: str, pages: str, bound: float | None) -> list[Figure]:
    """Return what each slice beyond the first cost, on the clock and in CPU seconds."""
    many, one = [each[f"{most} {kind}"] for each in found], [each[f"1 {kind}"] for each in found]
    name = f"a slice beyond the first of {most}, {pages}"
    wall = [(more.wall - least.wall) / (most - 1) for more, least in zip(many, one, strict=True)]
    cpu = [(more.cpu - least.cpu) / (most - 1) for more, least in zip(many, one, strict=True)]
    return [
        figure(name, wall, unit="s", bound=bound, seconds={f"{most} in": [run.wall for run in many]}),
        figure(name, cpu, unit="CPU s"),
        figure(f"{name} / report with one", [each / least.wall for each, least in zip(wall, one, strict=True)]),
    ]


def share_out(copy: Path, count: int) -> None:
    """Give the customers of a copy `count` segments in turns, and take away the comment, which names the sample's."""
    shutil.rmtree(copy / "params/periods")
    file = copy / SAMPLE / "customers.parquet"
    table = pyarrow.parquet.read_table(file)
    named = pyarrow.array([name_of(row % count) for row in range(table.num_rows)])
    place = table.column_names.index("segment")
    pyarrow.parquet.write_table(table.set_column(place, "segment", named.cast(table.schema.field(place).type)), file)


def name_of(number: int) -> str:
    """Return what a segment is called."""
    return f"segment_{number:03}"


def _fewer(count: int) -> tuple[int, int]:
    """Return how many slices memory is compared with, and how many are made with all notebooks."""
    return max(2, count // 4), min(WITH_ALL_NOTEBOOKS, count)


def _run(copy: Path, number: int, *, brief: bool) -> Run:
    """Build the company's report and those of some segments anew."""
    lines = ["sender: Reports <reports@example.com>", "allowed_domains: [example.com]", "audiences:"]
    for name in map(name_of, range(number)):
        only = f", notebooks: [{BRIEF}]" if brief else ""
        lines.append(f"  - {{name: {name}, to: [{name}@example.com], where: {{segment: {name}}}{only}}}")
    (copy / "params/audiences.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return report(copy, copy / f"{number}-{brief}", "--audience", "all", "--no-cache", watch=True)

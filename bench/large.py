"""Large data on one machine: the whole scorecard against hand-written SQL, at N and N/10 tickets; pandas beside it.

Ours is everything that `kpi values --by CUT` does: opening, the checks of the contract, 13 months in all cuts with
limits, models and comparisons. The SQL (bench/sql) makes the sums, moments and product-limit estimates that these are
made of, without checks, curves, models' fits and comparisons; so the ratio holds more of our work than of the SQL's.
Each runs in a process of its own, with DuckDB held to the same memory and to a folder to spill to.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from bench.measure import Figure, Round, Run, figure, largest, own_peak, ratios, rounds, run, say

ENGINE_MEMORY = "2500MB"  # of DuckDB alone; the process has Python, pandas and what comes back beside it
THREADS = 2
EVERY = 0.5  # seconds between two looks at what is spilled
PERIOD = "2024-05"
SQL = Path(__file__).with_name("sql")


def measured(numbers: range, scale: int = 10_000_000) -> Iterator[Round]:
    """Make two companies, of `scale` tickets and a tenth, and measure ours, the SQL and, on the small one, pandas."""
    from bench.generate import generate

    few = scale // 10
    with tempfile.TemporaryDirectory(prefix="kpi-large-") as home:
        folders = {number: Path(home, str(number)) for number in (few, scale)}
        for number, folder in folders.items():
            say(f"large: a company of {number:,} tickets")
            settings(generate(folder, number), folder)
        say(f"large: {check(folders[few])} sums of the SQL equal ours")
        yield from rounds(
            "large",
            numbers,
            {
                f"{kind} {number}": partial(_apart, kind, folders[number])
                for kind, number in (("ours", few), ("sql", few), ("ours", scale), ("sql", scale))
            }
            | {f"{kind} {few}": partial(_apart, kind, folders[few]) for kind in ("core", "pandas")},
        )


def figures(found: Sequence[Round], scale: int = 10_000_000) -> list[Figure]:
    """Compare ours with the SQL in time, growth and memory, and with pandas."""
    return [*_against_sql(found, scale // 10, scale), *_against_pandas(found, scale // 10)]


def settings(params: Path, folder: Path) -> None:
    """Hold the source of a generated company to the engine's memory and threads, with a folder to spill to."""
    source = params.parent / "sources" / "large.yaml"
    given = f"memory_limit={ENGINE_MEMORY}&threads={THREADS}&temp_directory={folder / 'spill'}"
    text = source.read_text(encoding="utf-8").replace("duckdb://\n", f"duckdb://?{given}\n")
    source.write_text(text, encoding="utf-8")


def check(folder: Path) -> int:
    """Return how many numbers of the SQL equal those of our scorecard; the first that does not is an AssertionError."""
    from bench.equal import compared

    _apart("ours", folder)
    _apart("sql", folder)
    return compared(folder / "ours.parquet", folder / "sql.duckdb")


def _against_sql(found: Sequence[Round], few: int, scale: int) -> list[Figure]:
    made = []
    for number, bound in ((scale, 1.5), (few, None)):
        title = f"scorecard of {number:,} tickets / hand-written SQL"
        made += ratios(title, found, f"ours {number}", f"sql {number}", bound=bound)
    grown = ratios(f"growth, {scale:,} / {few:,} tickets", found, f"ours {scale}", f"ours {few}")
    grown[0] |= {"bound": 10, "within": sum(value <= 10 for value in grown[0]["values"])}
    peaks = {f"{kind} {scale}": [each[f"{kind} {scale}"].peak / 1e9 for each in found] for kind in ("ours", "sql")}
    memory = [
        figure(
            f"peak memory, {name} tickets",
            values,
            unit="GB",
            bound=4 if name.startswith("ours") else None,
            note=next((each[name].note for each in reversed(found) if each[name].note), ""),
        )
        for name, values in peaks.items()
    ]
    return [*made, *grown, *memory]


def _against_pandas(found: Sequence[Round], few: int) -> list[Figure]:
    from bench.pandas_core import CORE

    ours, theirs = f"core {few}", f"pandas {few}"
    title = f"ours / pandas: {', '.join(CORE)} of {few:,} tickets"
    memory = [each[ours].peak / each[theirs].peak for each in found]
    note = "pandas makes values alone, ours limits, checks and every cut as well"
    return [*ratios(title, found, ours, theirs, note=note), figure("ours / pandas: their memory", memory)]


def _apart(kind: str, folder: Path) -> Run:
    """Run one way in a process of its own, which tells the peak of its memory itself.

    What was written before is on the disk by then: the next one does not wait for it.
    """
    os.sync()
    with largest(partial(spilled, folder / "spill"), EVERY) as most:
        done = run([sys.executable, "-m", "bench.large", kind, folder])
    shutil.rmtree(folder / "spill", ignore_errors=True)
    return replace(done, peak=json.loads(done.output)["peak"], note=f"spilled {most[0] / 1e9:.2f} GB")


def spilled(folder: Path) -> int:
    """Return the bytes on the disk of a folder, and of those beside it that begin with its name."""
    return sum(map(_size, folder.parent.glob(f"{folder.name}*/**/*")))


def _size(file: Path) -> int:
    try:
        return file.stat().st_blocks * 512
    except OSError:  # it is gone
        return 0


def _ours(folder: Path) -> None:
    _scorecard(folder, None).to_parquet(folder / "ours.parquet")


def _core(folder: Path) -> None:
    from bench.pandas_core import CORE

    _scorecard(folder, list(CORE))


def _scorecard(folder: Path, wanted: list[str] | None) -> Any:
    from kpi_lib import params as settings_of
    from kpi_lib import scorecard, source
    from kpi_lib.period import Period

    params = settings_of.load(folder / "params" / "report.yaml")
    opened = source.open(params)
    return scorecard.measure(opened, params, Period.parse(PERIOD), scorecard.needed_for(wanted)).frame


def _sql(folder: Path) -> None:
    """Run the hand-written statements; what they make is kept in a file of DuckDB's."""
    import duckdb

    (folder / "sql.duckdb").unlink(missing_ok=True)
    connection = duckdb.connect(folder / "sql.duckdb")
    limits = {"memory_limit": ENGINE_MEMORY, "temp_directory": str(folder / "spill"), "threads": str(THREADS)}
    for name, value in limits.items():
        connection.execute(f"SET {name} = '{value}'")
    for file in sorted(SQL.glob("*.sql")):
        connection.execute(file.read_text(encoding="utf-8").replace("{folder}", str(folder)))
    connection.close()


def _pandas(folder: Path) -> None:
    from bench.pandas_core import core

    core(folder)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=("ours", "core", "sql", "pandas"))
    parser.add_argument("folder", type=Path)
    asked = parser.parse_args()
    {"ours": _ours, "core": _core, "sql": _sql, "pandas": _pandas}[asked.kind](asked.folder)
    print(json.dumps({"peak": own_peak()}))

"""Measures every KPI in all cuts, and counts the queries: `measure.py PARAMS PERIOD FOLDER`, in a process of its own.

FOLDER is given the scorecard, and `queries.json`: how many there are to open the source, in each scan of a fact, and
in all.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ibis

from kpi_lib import params, scorecard, source
from kpi_lib.period import Period
from kpi_lib.scan import Scan
from kpi_lib.scorecard import Scorecard


@dataclass(frozen=True)
class Measured:
    """What an engine made of the tables: the scorecard, the number of queries, and the seconds it took."""

    card: Scorecard
    queries: dict[str, Any]
    seconds: float

    @classmethod
    def read(cls, folder: Path, seconds: float) -> "Measured":
        """Read what `main` wrote."""
        queries = json.loads((folder / "queries.json").read_text())
        return cls(Scorecard.read(folder / "scorecard.parquet"), queries, seconds)


def main(file: str, period: str, folder: str) -> None:
    """Write the scorecard of a period and the number of queries."""
    fetch, run = ibis.Expr.execute, Scan.run
    queries, scans = [0], []

    def counted_fetch(expression: ibis.Expr, *given, **said):
        queries[0] += 1
        return fetch(expression, *given, **said)

    def counted_run(scan: Scan) -> None:
        before = queries[0]
        run(scan)
        scans.append(queries[0] - before)

    ibis.Expr.execute, Scan.run = counted_fetch, counted_run
    loaded = params.load(Path(file))
    opened = source.open(loaded)
    opening = queries[0]
    card = scorecard.measure(opened, loaded, Period.parse(period), scorecard.needed_for(None))
    card.write(Path(folder))
    counted = {"opening": opening, "scans": scans, "all": queries[0]}
    (Path(folder) / "queries.json").write_text(json.dumps(counted))


if __name__ == "__main__":
    main(*sys.argv[1:])

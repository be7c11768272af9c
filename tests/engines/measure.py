"""Runs `kpi values`, keeps the whole scorecard and counts what the engine is asked: `measure.py PARAMS PERIOD FOLDER`.

A process of its own. FOLDER is given what the command printed, the scorecard in all cuts that it was taken from, the
scorecards of two slices, and `asked.json`: how many queries and tables it takes to open the source, in each scan of a
fact, and in all.
"""

import json
import sys
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any

import ibis

from kpi_lib import engine

COMPUTED = engine.computed
SEGMENTS = ("consumer", "enterprise")
SLICED = (  # a KPI of each shape: counts, shares, means, groups, waiting times, lifetimes, money, a table
    *("nps", "csat", "csat.mean", "first_response_time", "resolution_time.p90", "contact_rate", "churn_rate"),
    *("backlog.oldest", "repeat_contact_rate.contacts_per_customer", "clv.subscription", "tickets_by_type"),
)


@dataclass
class Asked:
    """What an engine was asked: queries that return rows, and tables that it computes and keeps."""

    queries: int = 0
    tables: int = 0

    def since(self, before: tuple[int, int]) -> tuple[int, int]:
        """Return how many there were since."""
        return self.queries - before[0], self.tables - before[1]

    @property
    def now(self) -> tuple[int, int]:
        """How many there were so far."""
        return self.queries, self.tables


@dataclass(frozen=True)
class Measured:
    """What an engine made of the tables, and how often its server says that it has read each of them."""

    folder: Path
    seconds: float
    reads: dict[str, int] = field(default_factory=dict)

    @property
    def cards(self) -> dict[str, Any]:
        """The scorecards: of the whole company under "", of slices by member."""
        from kpi_lib.scorecard import Scorecard

        return {name: Scorecard.read(self.folder / f"{name or 'whole'}.parquet") for name in ("", *SEGMENTS)}

    @property
    def printed(self) -> list[dict[str, Any]]:
        """What the command printed."""
        return list(json.loads((self.folder / "values.json").read_text()))

    @property
    def asked(self) -> dict[str, Any]:
        """How many queries and tables it took."""
        return dict(json.loads((self.folder / "asked.json").read_text()))


def main(file: str, period: str, folder: Path) -> None:
    """Run the command and write what came of it."""
    asked, scans = Asked(), []
    opened: list[Any] = []

    def counting(name: str, function: Any) -> Any:
        @wraps(function)
        def counted(*given: Any, **said: Any) -> Any:
            setattr(asked, name, getattr(asked, name) + 1)
            return function(*given, **said)

        return counted

    ibis.Expr.execute = counting("queries", ibis.Expr.execute)
    engine.computed = counting("tables", COMPUTED)  # before those are imported that call it

    from kpi_lib import audiences, cli, params, scorecard, slices, source
    from kpi_lib.period import Period
    from kpi_lib.scan import Scan

    assert source.computed is engine.computed
    run, open_source, measure = Scan.run, source.open, scorecard.measure

    def counted_run(scan: Scan) -> None:
        before = asked.now
        run(scan)
        scans.append(asked.since(before))

    def kept_source(*given: Any, **said: Any) -> source.Source:
        opened.append(open_source(*given, **said))
        opened.append(asked.now)
        return opened[0]

    def kept_card(*given: Any, **said: Any) -> scorecard.Scorecard:
        card = measure(*given, **said)
        card.store(folder / "whole.parquet")
        return card

    Scan.run, source.open, scorecard.measure = counted_run, kept_source, kept_card
    sys.argv = ["kpi", "values", period, "--by", "channel", "--trend", "--format", "json", "--params", file]
    with (
        (folder / "values.json").open("w", encoding="utf-8") as printed,
        redirect_stdout(printed),
        suppress(SystemExit),
    ):
        cli.main()
    if not opened:
        sys.exit(1)  # and the command has said why
    counted = {"opening": opened[1], "scans": scans[:], "all": asked.now}
    before = asked.now
    those = [audiences.Audience(name=name, to=("a@example.com",), where={"segment": name}) for name in SEGMENTS]
    kpis = scorecard.needed_for(list(SLICED))
    for name, card in slices.sliced(opened[0], params.load(Path(file)), Period.parse(period), those, kpis).items():
        card.store(folder / f"{name}.parquet")
    counted["slices"] = asked.since(before)
    (folder / "asked.json").write_text(json.dumps(counted))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))

"""What is asked of one fact: a narrow copy of its rows in the engine, then one query for all sums in all cuts.

The copy holds for each row its cuts and what KPIs add up. Moments over clusters, waiting times and their curves are a
query more, and only aggregates come back.
"""

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from kpi_lib.engine import computed, size
from kpi_lib.facts import Data
from kpi_lib.facts.data import SLICE, TOTAL, WHOLE, fetched
from kpi_lib.waiting import curve, drawn, product_limit

EXCLUDED = "excluded"
INDEX = [SLICE, "cut", "period", "member"]
MOST_CLUSTERED = 4_000_000  # rows, each once a cut, that are added up by cluster at once


@dataclass
class Query:
    """What one query over a fact adds up: columns, or by the values of a cluster column also pairs of them."""

    cluster: str = ""
    columns: dict[str, None] = field(default_factory=dict)
    pairs: dict[tuple[str, str], None] = field(default_factory=dict)
    cuts: dict[str, None] = field(default_factory=lambda: {TOTAL: None})

    def over(self, rows: Any, keys: list[str]) -> Any:
        """Return the table of sums by the keys, or of moments of the pairs over clusters."""
        cluster = {"cluster": rows[self.cluster]} if self.cluster else {}
        sums = rows.group_by(keys, **cluster).aggregate(**{name: rows[name].sum() for name in self.columns})
        moments: dict[str, Any] = {}
        for pair in self.pairs:
            y, x = (sums[name].cast("float64") for name in pair)
            parts = {"groups": (y != 0) | (x != 0), "yy": y * y, "xx": x * x, "xy": y * x}
            moments |= {f"{'_'.join(pair)}_{part}": expression.sum() for part, expression in parts.items()}
        return sums.group_by(keys).aggregate(**moments) if moments else sums


@dataclass
class Scan:
    """What is asked of one fact: the columns to keep of its rows and the queries over them, and what came back."""

    data: Data
    table: Any
    columns: dict[Any, str] = field(default_factory=dict)
    queries: dict[str, Query] = field(default_factory=dict)
    waits: dict[str, list[tuple[str, ...]]] = field(default_factory=dict)
    fetched: dict[str, pd.DataFrame] = field(default_factory=dict)
    curved: dict[str, str] = field(default_factory=dict)
    curves: dict[str, Any] = field(default_factory=dict)

    def column(self, expression: Any) -> str:
        """Return the name under which an expression is kept; the same expression is kept once."""
        return self.columns.setdefault(expression.op(), f"column_{len(self.columns)}")

    def query(self, kind: str, cuts: list[str], cluster: str = "") -> Query:
        """Return a query of this fact, over these cuts at least."""
        made = self.queries.setdefault(kind, Query(self.column(self.table[cluster]) if cluster else ""))
        made.cuts |= dict.fromkeys(cuts)
        return made

    def wait(self, name: str, cuts: list[str], kind: str, *columns_of: Any) -> None:
        """Ask for a waiting time by its seconds, finished and weight, of the rows whose seconds are not null."""
        columns = [self.column(expression) for expression in columns_of]
        self.waits.setdefault(kind, []).extend((name, cut, *columns) for cut in cuts)

    def run(self) -> None:
        """Copy what is asked for, then fetch sums, moments and waiting times, and the reasons of rows left out."""
        cuts = {cut for query in self.queries.values() for cut in query.cuts}
        cuts |= {cut for parts in self.waits.values() for _, cut, *_ in parts}
        kept = {"period": self.table.period} | {_by(cut): self.table[cut].cast("string") for cut in cuts - {TOTAL}}
        kept |= {name: node.to_expr() for node, name in self.columns.items()}
        if EXCLUDED in self.table.columns:
            narrow = computed(self._narrow(**kept, excluded=self.table.excluded))
            rows, left_out = narrow.filter(narrow.excluded.isnull()), narrow.filter(narrow.excluded.notnull())
            counts = left_out.group_by(*self._apart, "period", EXCLUDED).aggregate(rows=left_out.count())
            self.fetched[EXCLUDED] = _with_slice(counts.to_pandas().sort_values(EXCLUDED))
        else:
            rows = narrow = computed(self._narrow(**kept))
        by_periods = self._by_periods(rows, size(narrow) or 0)
        for kind, query in self.queries.items():
            parts = by_periods if query.cluster else [rows]
            stacked = (self.data.stacked(part, map(_by, query.cuts)) for part in parts)
            sums = [fetched(query.over(part, self.data.keys), query.cuts) for part in stacked]
            self.fetched[kind] = _indexed(pd.concat(sums, ignore_index=True))
        for kind, waits in self.waits.items():
            self._wait(rows, waits, kind)
        if self.curved:
            self._curve(rows, [part for part in self.waits[""] if part[0] in self.curved and part[1] == TOTAL])

    @property
    def _apart(self) -> list[str]:
        return [SLICE] if self.data.slices else []

    def _by_periods(self, rows: Any, count: int) -> list[Any]:
        """Return the rows in one, or by periods where the clusters of all would be more than one machine's memory."""
        cuts = max((len(query.cuts) for query in self.queries.values() if query.cluster), default=0)
        periods = [str(period) for period in self.data.calendar.periods]
        several = min(1 + cuts * count // MOST_CLUSTERED, len(periods))
        some = [periods[start::several] for start in range(several)]
        return [rows] if several == 1 else [rows.filter(rows.period.isin(of)) for of in some]

    def _narrow(self, **kept: Any) -> Any:
        """Return these columns of the rows that are measured."""
        slices = self.data.slices
        if slices is None:
            return self.table.select(**kept)
        return slices.chosen(self.table.select(**kept, slice=slices.column(self.table)))

    def _watched(self, rows: Any, parts: list[tuple[str, ...]]) -> Any:
        rows = self.data.stacked(rows, (_by(part[1]) for part in parts))
        chosen = {
            name: rows.part.cases(*((number, rows[part[place]]) for number, part in enumerate(parts)))
            for place, name in zip(range(2, len(parts[0])), ("seconds", "finished", "weight"), strict=False)
        }
        watched = rows.select(*self.data.keys, **chosen)
        return watched.filter(watched.seconds.notnull())

    def _curve(self, rows: Any, parts: list[tuple[str, ...]]) -> None:
        """Fetch the survival curves of totals in the last two periods."""
        last = [str(period) for period in self.data.calendar.periods[-2:]]
        watched = self._watched(rows.filter(rows.period.isin(last)), parts)
        frame = _with_slice(curve(watched, [*self._apart, "part", "period"]).to_pandas())
        for (apart, place, period), steps in frame.groupby([SLICE, "part", "period"]):
            of_slice = self.curves.setdefault(apart, {})
            of_slice.setdefault(self.curved[parts[place][0]], {})[period] = drawn(steps)

    def _wait(self, rows: Any, parts: list[tuple[str, ...]], kind: str) -> None:
        frame = fetched(product_limit(self._watched(rows, parts), self.data.keys, kind), range(len(parts)))
        tasks = frame["cut"].map(lambda place: parts[place][0])
        frame["cut"] = frame["cut"].map(lambda place: parts[place][1])
        self.fetched |= {part[0]: _indexed(frame[tasks == part[0]]) for part in parts}


def _indexed(frame: pd.DataFrame) -> pd.DataFrame:
    keys = [name for name in (*INDEX, "cluster") if name in frame.columns]
    indexed = frame.set_index(keys).astype("float64").sort_index()
    assert isinstance(indexed.index, pd.MultiIndex)
    plain = [level.astype(object) for level in indexed.index.levels]  # texts that Python compares itself
    return _narrow(indexed).set_axis(indexed.index.set_levels(plain, verify_integrity=False))


def _narrow(sums: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with the columns as float32 whose values that holds exactly, such as counts."""
    half = sums.astype("float32")
    exact = ((half == sums) | sums.isna()).all()
    return sums.astype(dict.fromkeys(sums.columns[exact], "float32"))


def _with_slice(frame: pd.DataFrame) -> pd.DataFrame:
    return frame if SLICE in frame.columns else frame.assign(slice=WHOLE)


def _by(cut: str) -> str:
    return cut and f"by_{cut}"

"""What a fact is made from, the registry of facts, and the row that a KPI sees."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from kpi_lib.definition import code_of
from kpi_lib.engine import compiled_fast, computed
from kpi_lib.errors import KpiError, UnknownNameError, did_you_mean
from kpi_lib.facts.calendar import Calendar, whole_seconds
from kpi_lib.language import NO_MEMBER
from kpi_lib.period import Period

if TYPE_CHECKING:
    from kpi_lib.params import Params

ANCHORS = {
    "C": "what was created in the {period}",
    "E": "what happened in the {period}",
    "S": "the state at the end of the {period}",
    "X": "who was there during the {period}",
}
FACTS: dict[str, Fact] = {}
TOTAL = ""  # stands for a cut where the total is one of several
STACK = ["part", "period", "member"]
SLICE = "slice"
WHOLE = ""  # stands for a slice where all rows are measured
MOST_PARTS = 1000
PARAMS = "params"  # in `Fact.optional`, the owner of columns that exist only where a section of report.yaml does


class NotAvailableError(KpiError):
    """A table, `table.column` or `params.section` that is not there, so that what needs it has no value; no mistake."""

    def __init__(self, *names: str) -> None:
        table, _, column = names[0].partition(".")
        said = f"no {column} in params" if table == PARAMS else f"no column {column} in {table}"
        super().__init__(said if column else f"no table {' and '.join(names)}")


class NotSlicedError(NotAvailableError):
    """A cut that a fact does not have, so that what needs it has no value for one member of the cut; no mistake."""

    def __init__(self, cut: str) -> None:
        KpiError.__init__(self, f"cannot be shown for one {cut.replace('_', ' ')}")


@dataclass(frozen=True)
class Fact:
    """A declared fact: `needs` are the tables without which it has no rows; "tickets or calls" is met by either."""

    name: str
    function: Callable[[Data], Any]
    anchor: str
    cuts: tuple[str, ...]
    needs: tuple[str, ...]
    optional: Mapping[str, tuple[str, ...]]
    summary: Callable[[Any, list[str]], Any] | None
    params: tuple[str, ...]

    def row(self, table: Any) -> Row:
        """Return the row of this fact that a KPI's function is given."""
        return Row(self, table)


def fact(
    *,
    anchor: str,
    needs: tuple[str, ...],
    cuts: tuple[str, ...] = (),
    optional: Mapping[str, tuple[str, ...]] | None = None,
    summary: Callable[[Any, list[str]], Any] | None = None,
    params: tuple[str, ...] = (),
) -> Callable[[Callable[[Data], Any]], Callable[[Data], Any]]:
    """Declare a fact; its name is the function's. `anchor` is one of `ANCHORS`.

    `optional` names, by table or `table.column` that may be absent, the columns that come from it. `summary` makes the
    small frame that a model is given, from the fact's rows and the keys to group by. `params` are the dotted paths that
    it reads.
    """

    def declare(function: Callable[[Data], Any]) -> Callable[[Data], Any]:
        name = function.__name__
        FACTS[name] = Fact(name, function, anchor, cuts, needs, optional or {}, summary, params)
        return function

    return declare


@dataclass(frozen=True)
class Slices:
    """Members of a cut that are measured each for itself, as if the facts had no rows but its own."""

    cut: str
    members: tuple[str, ...]

    def column(self, rows: Any) -> Any:
        """Return the slice that each row is in, perhaps none of these."""
        return rows[self.cut].cast("string").fill_null(NO_MEMBER)

    def chosen(self, rows: Any) -> Any:
        """Return the rows of these slices."""
        return rows.filter(rows.slice.isin(self.members))


@dataclass
class Data:
    """The tables as they stood at `as_of`, the calendar and the params: all that a fact may look at.

    `slices` tells what is measured: the rows of each of them apart, or without them all rows.
    """

    tables: dict[str, Any]
    as_of: datetime
    params: Params
    calendar: Calendar
    columns: Mapping[str, set[str]] = field(default_factory=dict)
    slices: Slices | None = None
    _built: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.calendar = replace(self.calendar, until=self.as_of)

    def table(self, name: str) -> Any:
        """Return a table of the contract; NotAvailableError when the source does not have it."""
        if name not in self.tables:
            raise NotAvailableError(name)
        return self.tables[name]

    def has(self, name: str, column: str | None = None) -> bool:
        """Whether the source has the table, and gave the column."""
        return name in self.tables and (column is None or column in self.columns.get(name, {column}))

    def fact(self, name: str) -> Any:
        """Return a fact's table, built once."""
        if name not in FACTS:
            raise UnknownNameError(f"no fact {name!r}{did_you_mean(name, FACTS)}")
        if missing := [need for need in FACTS[name].needs if not any(map(self.has, need.split(" or ")))]:
            raise NotAvailableError(*missing)
        return self.built(f"fact {name}", FACTS[name].function)

    def built(self, name: str, make: Callable[[Data], Any]) -> Any:
        """Return what `make` makes of this data, made once and shared."""
        if name not in self._built:
            self._built[name] = make(self)
        return self._built[name]

    def shared(self, name: str, make: Callable[[Data], Any]) -> Any:
        """Return an intermediate table that several facts stand on, computed once by the engine."""
        return self.built(name, lambda data: computed(make(data)))

    @property
    def keys(self) -> list[str]:
        """The columns by which stacked rows are added up."""
        return [SLICE, *STACK] if self.slices else STACK

    @property
    def apart(self) -> tuple[str, ...]:
        """What is measured apart: the slices, or the whole."""
        return self.slices.members if self.slices else (WHOLE,)

    def sliced(self, rows: Any) -> Any:
        """Return the rows of a fact that are measured, with the slice that each is in."""
        if not self.slices:
            return rows
        return self.slices.chosen(rows.mutate(slice=self.slices.column(rows)))

    def fact_of_slices(self, name: str) -> Any:
        """Return a fact's table, which has the column that the slices are taken by."""
        if self.slices and name in FACTS and self.slices.cut not in FACTS[name].cuts:
            raise NotSlicedError(self.slices.cut)
        table = self.fact(name)
        if self.slices and self.slices.cut not in table.columns:
            raise NotSlicedError(self.slices.cut)
        return table

    def timed(self, rows: Any, instant: Any) -> Any:
        """Return the rows whose instant lies in a period, with `period, day, weekday, hour`."""
        return self.calendar.timed(rows, whole_seconds(instant))

    def stacked(self, rows: Any, cuts: Iterable[str]) -> Any:
        """Return each row once for each of the columns `cuts`: its place there as `part`, the row's value as `member`.

        The total, "", is a part too; its member is null.
        """
        import ibis

        columns = list(cuts)
        assert len(columns) <= MOST_PARTS
        if len(columns) == 1:
            rows = rows.mutate(part=ibis.literal(0, "int64"))
        else:
            schema = {"part": "int64"}
            numbers = self.built("parts", lambda _: ibis.memtable({"part": list(range(MOST_PARTS))}, schema=schema))
            rows = rows.cross_join(numbers.filter(numbers.part < len(columns)))
        members = [(part, rows[column].nullif(NO_MEMBER)) for part, column in enumerate(columns) if column]
        return rows.mutate(member=rows.part.cases(*members) if members else ibis.null("string"))

    def money(self, amount: Any, currency: Any) -> Any:
        """Return an amount in the report's currency, by the fixed rates of `fx`."""
        rates = {self.params.currency: 1.0, **self.params.fx}
        return amount.cast("float64") * currency.cases(*rates.items(), else_=None)

    def earlier(self, as_of: datetime, periods: list[Period]) -> Data:
        """Return the same data as it stood at an earlier instant, over other periods."""
        from kpi_lib.contract import TABLES, as_seen_at

        tables = {name: as_seen_at(rows, TABLES[name], as_of) for name, rows in self.tables.items()}
        calendar = Calendar(tuple(periods), self.calendar.zone, self.calendar.hours)
        return Data(tables, as_of, self.params, calendar, self.columns, self.slices)


class Row:
    """A row of a fact as a KPI's function sees it: its columns as attributes, `every` the condition true for each.

    `used` are the tables that may be absent and whose columns the function has read.
    """

    def __init__(self, fact: Fact, table: Any) -> None:
        self._fact, self._table, self.used = fact, table, set[str]()

    @property
    def every(self) -> Any:
        """The condition that is true for each row."""
        return self._table.period.notnull()

    def __getattr__(self, name: str) -> Any:
        owner = next((table for table, columns in self._fact.optional.items() if name in columns), None)
        if name in self._table.columns:
            self.used |= {owner.partition(".")[0]} - {PARAMS} if owner else set()
            return self._table[name]
        if owner:
            raise NotAvailableError(owner)
        raise UnknownNameError(
            f"fact {self._fact.name!r} has no column {name!r}{did_you_mean(name, self._table.columns)}"
        )

    def __dir__(self) -> Iterator[str]:
        return iter(self._table.columns)


def fetched(query: Any, cuts: Iterable[Any]) -> Any:
    """Fetch sums of stacked rows, with the `cut` of each part and a name for a member that is null."""
    with compiled_fast(query.get_backend()):
        frame = query.to_pandas().rename(columns={"part": "cut"})
    return frame.assign(
        slice=frame.get(SLICE, WHOLE),
        cut=frame["cut"].map(dict(enumerate(cuts))),
        member=frame["member"].astype(object).fillna(NO_MEMBER),
    )


def sources_of(name: str) -> str:
    """Return the code of a fact and of those that it asks for, a part of the definition of every KPI over it."""
    return "\n".join(_asked_for(name, {}).values())


def _asked_for(name: str, known: dict[str, str]) -> dict[str, str]:
    """Return by name the code of a fact and of the facts whose names stand in it."""
    functions = (FACTS[name].function, FACTS[name].summary)
    known[name] = "\n".join(code_of(function) for function in functions if function)
    for other in sorted(FACTS.keys() & _words(known[name])):
        if other not in known:
            _asked_for(other, known)
    return known


@cache
def _words(code: str) -> frozenset[str]:
    return frozenset(re.findall(r"'(\w+)'", code))

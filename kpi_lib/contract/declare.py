"""What a table of the contract is made of: columns, rules, and what is said of rows that break one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

TEXT, NUMBER, WHOLE, FLAG, INSTANT, DAY = "string", "float64", "int64", "boolean", "timestamp('UTC', 6)", "date"
LONGEST_EXAMPLE, LONGEST_REASON = 60, 200  # letters of data that are said

Rows = Any  # an Ibis table
Tables = Mapping[str, Rows]
Condition = Callable[[Rows], Any]
Across = Callable[[Rows, Tables], Rows]


@dataclass(frozen=True)
class Column:
    """A column: its Ibis type, what stands in when an export has none, and the words it may hold.

    `need` is required, optional (then null) or default. `null` says what a missing value is: allowed, warning, error.
    """

    name: str
    type: str = TEXT
    need: str = "optional"
    default: Any = None
    vocabulary: tuple[str, ...] = ()
    null: str = "allowed"


@dataclass(frozen=True)
class Rule:
    """What a row may not be: `broken(rows)` is a condition, `across(rows, tables)` gives the broken rows themselves."""

    level: str
    name: str
    broken: Condition | None = None
    message: str = ""
    across: Across | None = None
    needs: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """One table: what a row is, its key, its columns, and the instants that say whether a row has happened yet.

    `event_time` is the first of these columns that is not null; a row later than the extract is left out. `ends` are
    read as null when later than the extract, with the columns that hang on them. `foreign` keys name their table.
    """

    name: str
    row: str
    key: tuple[str, ...]
    event_time: tuple[str, ...]
    columns: tuple[Column, ...]
    ends: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    foreign: Mapping[str, str] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()

    def column(self, name: str) -> Column:
        """Return the declaration of a column."""
        return next(column for column in self.columns if column.name == name)


@dataclass(frozen=True)
class Broken:
    """A rule that rows of a table break, with how many and the first few of them."""

    table: str
    rule: Rule
    level: str
    rows: int
    message: str
    examples: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the finding as the scorecard and the data page keep it."""
        names = {"table": self.table, "rule": self.rule.name, "level": self.level}
        return names | {"rows": self.rows, "message": self.message, "examples": list(self.examples)}

    def __str__(self) -> str:
        examples = f" ({'; '.join(self.examples)})" if self.examples else ""
        return f"{self.table}: {self.rule.name}, {self.rows:,} rows: {self.message}{examples}"


def required(name: str, type: str = TEXT, vocabulary: tuple[str, ...] = (), null: str = "error") -> Column:
    return Column(name, type, "required", None, vocabulary, null)


def optional(name: str, type: str = TEXT, vocabulary: tuple[str, ...] = ()) -> Column:
    return Column(name, type, vocabulary=vocabulary)


def default(name: str, value: Any, type: str = FLAG, vocabulary: tuple[str, ...] = ()) -> Column:
    return Column(name, type, "default", value, vocabulary)

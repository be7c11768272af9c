"""Counts the rows that break a rule, in the engine, and fetches the first few of them as examples."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kpi_lib.contract.declare import (
    INSTANT,
    LONGEST_EXAMPLE,
    LONGEST_REASON,
    Across,
    Broken,
    Column,
    Condition,
    Rows,
    Rule,
    Table,
    Tables,
)
from kpi_lib.contract.tables import TABLES

EARLIEST = "1990-01-01T00:00:00+00:00"
ORPHANS_TOLERATED = 0.01
EXAMPLES = 3
REASONS = 20


def check(
    tables: Tables, extra: Mapping[str, Iterable[Rule]] | None = None, unique: Iterable[str] = ()
) -> list[Broken]:
    """Return every rule that rows of `tables` (in the contract's types) break: one query a table, one across tables.

    A row that breaks several rules of level `drop` is counted under the first. `extra` rules hold for this run only;
    `unique` names tables in which each key is known to stand once.
    """
    within = [
        found for name, rows in tables.items() for found in _within(TABLES[name], rows, (extra or {}).get(name, ()))
    ]
    kept = {name: without(rows, TABLES[name], within, tables) for name, rows in tables.items()}
    return within + _across(kept, tables, set(unique)) + _merged_in_a_circle(tables)


def without(rows: Rows, table: Table, findings: Iterable[Broken], tables: Tables) -> Rows:
    """Return the rows that break none of the found rules of level `drop`."""
    for rule in (found.rule for found in findings if found.table == table.name and found.level == "drop"):
        if rule.broken:
            rows = rows.filter(~rule.broken(rows).fill_null(False))
        elif rule.across:
            rows = rows.anti_join(rule.across(rows, tables), list(table.key))
    return rows


def left_out(rows: Rows) -> list[Rule]:
    """Return a rule of level `drop` for each reason for which the mapping leaves rows out; the rarest share one."""
    told = rows.group_by("left_out").agg(count=rows.count()).filter(lambda t: t.left_out.notnull())
    reasons = told.order_by(told["count"].desc(), told.left_out).limit(REASONS).to_pandas()["left_out"]
    rest = Rule("drop", "left out for other reasons", lambda t: t.left_out.notnull())
    return [*(Rule("drop", reason[:LONGEST_REASON], _reason_is(reason)) for reason in reasons), rest]


def _reason_is(reason: str) -> Condition:
    return lambda rows: rows.left_out == reason


def _within(table: Table, rows: Rows, extra: Iterable[Rule]) -> list[Broken]:
    import ibis

    rules = [*extra, *_rules_of_columns(table), *(rule for rule in table.rules if rule.broken)]
    broken = [rule.broken(rows).fill_null(False) for rule in rules if rule.broken]
    gone = ibis.literal(False)
    counted = []
    for rule, condition in zip(rules, broken, strict=True):
        counted.append(condition & ~gone)
        gone = gone | condition if rule.level == "drop" else gone
    sums = {f"rule_{position}": condition.sum() for position, condition in enumerate(counted)}
    counts = rows.aggregate(**sums).to_pandas().iloc[0].astype("float64")
    return [
        _found(table, rules[i], int(counts.iloc[i]), rows.filter(counted[i]), _fields(broken[i], table))
        for i in range(len(rules))
        if counts.iloc[i] > 0
    ]


def _rules_of_columns(table: Table) -> Iterator[Rule]:
    """Yield the rules that follow from the columns: what may be missing, the words they may hold, the first instant."""
    for column in table.columns:
        if column.null != "allowed":
            yield Rule(column.null, f"no {column.name}", _empty(column.name), f"{column.name} is empty")
        if column.vocabulary:
            words = f"{column.name} is one of {', '.join(column.vocabulary)}"
            yield Rule("warning", f"unknown {column.name}", _outside(column), words)
    for name in table.event_time:
        yield Rule("drop", "before 1990", _too_early(name), f"{name} is an unset clock")


def _empty(name: str) -> Condition:
    return lambda rows: rows[name].isnull()


def _outside(column: Column) -> Condition:
    return lambda rows: rows[column.name].notnull() & ~rows[column.name].isin(column.vocabulary)


def _too_early(name: str) -> Condition:
    import ibis

    return lambda rows: rows[name] < ibis.literal(EARLIEST, type=INSTANT)


def _across(kept: Tables, tables: Tables, unique: set[str]) -> list[Broken]:
    """Find what one row cannot show: keys that stand twice, keys of nothing, and the rules over several rows."""
    import ibis

    rules = {name: [*_rules_across(TABLES[name], tables)] for name in kept}
    rules |= {name: [_conflicts(TABLES[name]), *rules[name]] for name in kept if name not in unique}
    tests = [(TABLES[name], rule) for name in kept for rule in rules[name]]
    found = [rule.across(kept[table.name], tables) for table, rule in tests]  # type: ignore[misc]
    if not tests:
        return []
    counted = [rows.aggregate(rows=rows.count()).mutate(test=ibis.literal(i)) for i, rows in enumerate(found)]
    counts = (ibis.union(*counted) if len(counted) > 1 else counted[0]).to_pandas().set_index("test")["rows"]
    broken = []
    for position, (table, rule) in enumerate(tests):
        if count := int(counts[position]):
            level = _orphans_level(kept[table.name], rule, count) if rule.level == "orphans" else None
            broken.append(_found(table, rule, count, found[position], rule.shown, level))
    return broken


def _rules_across(table: Table, tables: Tables) -> Iterator[Rule]:
    for name, parent in table.foreign.items():
        if parent in tables:
            orphan = f"{name} without its row in {parent}"
            message = f"more than {ORPHANS_TOLERATED:.0%} of such rows stop the run"
            yield Rule("orphans", orphan, message=message, across=_orphans(name, parent), shown=(name,))
    yield from (rule for rule in table.rules if rule.across and set(rule.needs) <= set(tables))


def _conflicts(table: Table) -> Rule:
    twice = f"rows with the same {' and '.join(table.key)} differ in other columns"
    return Rule("error", "conflicting duplicates", message=twice, across=_repeated(table))


def _repeated(table: Table) -> Across:
    def rows_that_share_a_key(rows: Rows, tables: Tables) -> Rows:
        keys = rows.group_by(list(table.key)).agg(copies=rows.count())
        return rows.semi_join(keys.filter(keys.copies > 1), list(table.key))

    return rows_that_share_a_key


def _orphans(name: str, parent: str) -> Across:
    def rows_that_point_nowhere(rows: Rows, tables: Tables) -> Rows:
        pointing = rows.filter(rows[name].notnull())
        return pointing.anti_join(tables[parent], pointing[name] == tables[parent][TABLES[parent].key[0]])

    return rows_that_point_nowhere


def _orphans_level(rows: Rows, rule: Rule, orphans: int) -> str:
    return "error" if orphans > ORPHANS_TOLERATED * int(rows[rule.shown[0]].count().to_pandas()) else "warning"


def _merged_in_a_circle(tables: Tables) -> list[Broken]:
    """Find tickets whose chain of merges never ends: take away, again and again, those merged into a surviving one."""
    if "tickets" not in tables:
        return []
    tickets = tables["tickets"]
    merged = tickets.filter(tickets.merged_into_id.notnull()).select("ticket_id", "merged_into_id").to_pandas()
    circling = dict(zip(merged["ticket_id"], merged["merged_into_id"], strict=True))
    while len(left := {ticket: into for ticket, into in circling.items() if into in circling}) < len(circling):
        circling = left
    if not circling:
        return []
    rule = Rule("error", "merged in a circle", message="no ticket of the chain survives")
    examples = tuple(f"{ticket} into {into}" for ticket, into in sorted(circling.items())[:EXAMPLES])
    return [Broken("tickets", rule, "error", len(circling), rule.message, examples)]


def _found(table: Table, rule: Rule, count: int, rows: Rows, shown: Iterable[str], level: str | None = None) -> Broken:
    columns = [*table.key, *(name for name in shown if name not in table.key)]
    examples = rows.select(*columns).order_by(*table.key).limit(EXAMPLES).to_pandas().astype(object)
    texts = tuple(
        ", ".join(f"{name}={_text(value)}" for name, value in row.items()) for row in examples.to_dict("records")
    )
    return Broken(table.name, rule, level or rule.level, count, rule.message or rule.name, texts)


def _fields(condition: Any, table: Table) -> list[str]:
    """Return the columns that a condition looks at, in the table's order; a reason is the rule's name already."""
    import ibis.expr.operations as ops

    used = {field.name for field in condition.op().find(ops.Field, filter=ops.Value)}
    return [column.name for column in table.columns if column.name in used - {"left_out"}]


def _text(value: Any) -> str:
    return "empty" if value is None or value != value else str(value)[:LONGEST_EXAMPLE]

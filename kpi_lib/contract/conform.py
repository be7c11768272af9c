"""An export's table in the contract's columns and types, as it stood at the extract."""

from datetime import datetime
from typing import Any

from kpi_lib.contract.declare import FLAG, INSTANT, LONGEST_EXAMPLE, TEXT, WHOLE, Broken, Column, Rows, Rule, Table
from kpi_lib.errors import ContractError, did_you_mean


def conform(raw: Rows, table: Table, *, where: str) -> Rows:
    """Return `raw` with the contract's columns and types; a required column that is not there is a ContractError."""
    names = {name.lower(): name for name in raw.columns}
    for column in table.columns:
        if column.need == "required" and column.name not in names:
            hint = did_you_mean(column.name, raw.columns).replace("accepted:", "its columns:")
            raise ContractError(f"table {table.name!r} has no column {column.name!r}{hint}", where=where)
    return raw.select(**{c.name: _typed(raw, names.get(c.name), c) for c in table.columns})


def unreadable(raw: Rows, table: Table) -> list[Broken]:
    """Return the text columns of an export that hold something else than their type, such as `n/a` for an instant."""
    names = {name.lower(): name for name in raw.columns}
    tests = {}
    for column in table.columns:
        text = raw[names[column.name]] if column.name in names else None
        if text is not None and text.type().is_string() and column.type != TEXT:
            tests[column] = text.notnull() & (text != "") & text.try_cast(column.type).isnull()
    if not tests:
        return []
    counts = raw.aggregate(**{column.name: test.sum() for column, test in tests.items()}).to_pandas()
    counts = counts.iloc[0].astype("float64")
    found = []
    for column, test in tests.items():
        if counts[column.name] > 0:
            values = raw.filter(test).select(value=names[column.name]).distinct().order_by("value").limit(3).to_pandas()
            message = f"{column.name} holds text that is not a {_said(column.type)}"
            rule = Rule("error", f"{column.name} cannot be read")
            examples = tuple(str(value)[:LONGEST_EXAMPLE] for value in values["value"])
            found.append(Broken(table.name, rule, "error", int(counts[column.name]), message, examples))
    return found


def instant(rows: Rows, table: Table) -> Any:
    """Return the expression of a row's instant: the first event time that is not null."""
    import ibis

    if not table.event_time:
        return ibis.null(INSTANT)
    return ibis.coalesce(*(rows[name] for name in table.event_time))


def happened_by(rows: Rows, table: Table, as_of: datetime) -> Any:
    """Return the condition that a row had happened and reached the extract at `as_of`."""
    import ibis

    seen = ibis.literal(as_of, type=INSTANT)
    loaded = (rows.loaded_at <= seen).fill_null(True)
    return loaded & (instant(rows, table) <= seen).fill_null(True) if table.event_time else loaded


def as_seen_at(rows: Rows, table: Table, as_of: datetime) -> Rows:
    """Return the rows that had happened at `as_of`, with ends that had not yet come read as null."""
    import ibis

    seen = ibis.literal(as_of, type=INSTANT)
    rows = rows.filter(happened_by(rows, table, as_of))
    blank = {}
    for end, hanging in table.ends.items():
        still_open = (rows[end] > seen).fill_null(False)
        for name in (end, *hanging):
            blank[name] = still_open.ifelse(ibis.null(rows[name].type()), rows[name])
    return rows.mutate(**blank) if blank else rows


def distinct(rows: Rows) -> Rows:
    """Return each row once; copies that only reached the extract at different times are one row, the earliest."""
    return rows.group_by([name for name in rows.columns if name != "loaded_at"]).agg(loaded_at=rows.loaded_at.min())


def _typed(raw: Rows, name: str | None, column: Column) -> Any:
    import ibis

    if name is None:
        return ibis.null(column.type) if column.default is None else ibis.literal(column.default, type=column.type)
    value = _cast(raw[name], column.type)
    return value if column.default is None else value.fill_null(column.default)


def _cast(value: Any, type: str) -> Any:
    """Cast so that every engine gives the same: blanks and NaN are null, fractions of whole numbers fall away."""
    import ibis

    given = value.type()
    if given.is_string():
        value = value.nullif("")
        # only DuckDB reads text files, and what cannot be read there is reported by `unreadable`
        if type != TEXT and value.get_backend().name == "duckdb":
            return value.try_cast(type)
    elif given.is_floating():
        value = value.isnan().ifelse(ibis.null(given), value)
        value = value.floor() if type == WHOLE else value
    elif given.is_integer() and type == FLAG:
        return value != 0
    return value.cast(type)


def _said(type: str) -> str:
    return {INSTANT: "date and time", WHOLE: "whole number", FLAG: "true or false"}.get(
        type, {"float64": "number"}.get(type, type)
    )

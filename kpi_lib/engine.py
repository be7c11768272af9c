"""What engines are asked in one way: to compute rows once and keep them, and to compile a query without delay."""

from __future__ import annotations

import weakref
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kpi_lib.memory import uncollected

_FORGOTTEN: defaultdict[int, list[str]] = defaultdict(list)  # by the identity of a connection: tables to be dropped


def computed(rows: Any) -> Any:
    """Return rows that the engine computes once, in the types that they had.

    A table that nothing refers to any more is dropped when the next one is computed. Dropped at once, that could fall
    into another query and take its answer away.

    Ibis's own cache would keep what they were computed from as long as them: of many rows more than memory holds. Spark
    would carry it in every query, plans that grow without bound; a checkpoint forgets it.
    """
    from ibis.util import gen_name

    engine, name = rows.get_backend(), gen_name("computed")
    if engine.name != "pyspark":
        forgotten = _FORGOTTEN[id(engine)]
        while forgotten:
            engine.drop_table(forgotten.pop(), force=True)
        with compiled_fast(engine):
            table = engine.create_table(name, rows, schema=rows.schema(), temp=True)
        weakref.finalize(table.op(), forgotten.append, name).atexit = False
        return table
    view = engine.create_view(gen_name("asked"), rows)  # registers Ibis's small tables, as compiling alone does not
    engine.raw_sql(engine.compile(view)).localCheckpoint().createOrReplaceTempView(name)
    return engine.table(name).cast(rows.schema())


def size(table: Any) -> int | None:
    """Return how many rows a computed table has, where the engine knows without counting them."""
    engine = table.get_backend()
    if engine.name != "duckdb":
        return None
    name = table.op().name
    found = engine.raw_sql(f"SELECT estimated_size FROM duckdb_tables() WHERE table_name = '{name}'").fetchone()
    return int(found[0])


@contextmanager
def compiled_fast(engine: Any) -> Iterator[None]:
    """Compile queries for DuckDB with their selects as they are, and without collecting garbage meanwhile.

    Ibis would merge selects for half of the time that it compiles, which DuckDB does itself in no time.
    """
    import ibis

    if engine.name != "duckdb":
        yield
        return
    merging = ibis.options.sql.fuse_selects
    ibis.options.sql.fuse_selects = False
    try:
        with uncollected():
            yield
    finally:
        ibis.options.sql.fuse_selects = merging

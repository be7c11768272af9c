"""Queries are compiled quickly, and nothing of how stays behind in the process."""

import gc

import ibis
import pytest

from kpi_lib.engine import compiled_fast


def test_selects_are_merged_by_duckdb_and_all_is_as_before_after_an_error():
    engine = ibis.duckdb.connect()
    rows = engine.create_table("numbers", schema={"n": "int64"})
    nested = rows.mutate(n=rows.n + 1).filter(lambda row: row.n > 2)
    with compiled_fast(engine):
        assert engine.compile(nested).count("SELECT") == 2
        assert not gc.isenabled()
    with pytest.raises(ZeroDivisionError), compiled_fast(engine):
        raise ZeroDivisionError
    assert engine.compile(nested).count("SELECT") == 1
    assert gc.isenabled()


def test_other_engines_get_the_merged_query():
    with compiled_fast(ibis.sqlite.connect()):
        assert ibis.options.sql.fuse_selects

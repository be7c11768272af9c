"""Rows are computed once and forgotten in time; queries are compiled quickly, and nothing of how stays behind."""

import gc

import ibis
import pytest

from kpi_lib.engine import compiled_fast, computed, size


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


def test_a_computed_table_stays_while_somebody_can_ask_for_it_and_what_it_was_made_from_goes():
    engine = ibis.duckdb.connect()
    numbers = engine.create_table("numbers", ibis.memtable({"n": [1, 2, 3]}))

    def kept():
        gc.collect()
        return engine.raw_sql("SELECT count(*) FROM duckdb_tables() WHERE temporary").fetchone()[0]

    odd = computed(numbers.filter(numbers.n != 2))
    doubled = computed(odd.mutate(double=2 * odd.n))
    assert kept() == 2
    del odd
    more = computed(doubled.mutate(triple=3 * doubled.n))
    assert kept() == 2  # without the odd ones
    assert sorted(doubled.to_pandas()["double"]) == [2, 6]
    assert size(doubled) == 2
    del doubled, more
    computed(numbers)
    assert kept() == 1


def test_a_table_that_goes_in_the_middle_of_a_query_leaves_its_answer():
    engine = ibis.duckdb.connect()
    table = computed(engine.create_table("numbers", ibis.memtable({"n": [1, 2]})).filter(True))
    answer = engine.raw_sql("SELECT 42")
    del table
    gc.collect()
    assert answer.fetchall() == [(42,)]


def test_a_table_that_goes_after_its_connection_says_nothing(capsys):
    engine = ibis.duckdb.connect()
    table = computed(engine.create_table("numbers", ibis.memtable({"n": [1]})).filter(True))
    engine.disconnect()
    del table
    gc.collect()
    assert capsys.readouterr() == ("", "")

"""The same declarations give the same numbers on DuckDB, PostgreSQL, Spark and Spark Connect, in as many queries."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from measure import SEGMENTS, Measured

from kpi_lib import source
from kpi_lib.scorecard import Scorecard

pytestmark = pytest.mark.engines
ENGINES = ("on_postgres", "on_spark", "on_spark_connect")
KEYS = ["period", "kpi", "cut", "member"]
CLOSE = 1e-9
SAME = ("tables", "checks", "identities")
NEAR = ("curves", "value")
TABLES_A_SCAN = 4  # its narrow copy, and what it shares with others if it is the first to ask
MOST_READS = 25  # to open and check a table, and for each that is computed from it, once more for slices
SMALL = ("costs", "customers", "subscriptions")  # which many facts look something up in
MOST_READS_OF_A_SMALL_TABLE = 60
QUERIES_A_SCAN = 9  # sums, moments of three clusters, three kinds of waiting time, curves, reasons of rows left out


@pytest.mark.parametrize("engine", ENGINES)
def test_every_number_of_every_kpi_is_the_same(engine: str, request: pytest.FixtureRequest, expected: Measured) -> None:
    found: Measured = request.getfixturevalue(engine)
    largest = same_card(expected.cards[""], found.cards[""])
    rows, asked = len(found.cards[""].frame), found.asked["all"]
    about = f"{rows} rows in {asked[0]} queries and {asked[1]} tables, {found.seconds:.0f} s"
    print(f"\n{engine}: {about}, DuckDB {expected.seconds:.0f} s; largest relative difference {largest:.1e}")


@pytest.mark.parametrize("engine", ENGINES)
def test_the_command_prints_the_same(engine: str, request: pytest.FixtureRequest, expected: Measured) -> None:
    found: Measured = request.getfixturevalue(engine)
    assert {row["period"] for row in found.printed} == set(expected.cards[""].frame["period"])
    same_values(expected.printed, found.printed, "values")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("member", SEGMENTS)
def test_slices_are_the_same(engine: str, member: str, request: pytest.FixtureRequest, expected: Measured) -> None:
    found: Measured = request.getfixturevalue(engine)
    assert (expected.cards[member].frame["n"] > 0).any()
    same_card(expected.cards[member], found.cards[member])


@pytest.mark.parametrize("engine", ENGINES)
def test_a_fact_is_scanned_once_in_a_few_queries(
    engine: str, request: pytest.FixtureRequest, expected: Measured
) -> None:
    found: Measured = request.getfixturevalue(engine)
    for part in ("opening", "all", "slices"):
        queries, tables = found.asked[part]
        assert queries == expected.asked[part][0]
        assert tables <= expected.asked[part][1]  # DuckDB keeps some more, as that is cheap there
    queries, tables = zip(*found.asked["scans"], strict=True)
    assert queries == tuple(asked for asked, _ in expected.asked["scans"])
    assert 0 < max(queries) <= QUERIES_A_SCAN
    assert 0 < max(tables) <= TABLES_A_SCAN


@pytest.mark.parametrize("engine", ENGINES)
def test_the_server_reads_a_table_a_few_times_however_many_kpis_and_cuts_there_are(
    engine: str, request: pytest.FixtureRequest, tables: dict[str, Path]
) -> None:
    found: Measured = request.getfixturevalue(engine)
    print(f"\n{engine}: {', '.join(f'{name} {found.reads[name]}' for name in tables)}")
    most = {name: MOST_READS_OF_A_SMALL_TABLE if name in SMALL else MOST_READS for name in tables}
    assert {name: count for name, count in found.reads.items() if not 0 < count <= most[name]} == {}
    assert found.reads.keys() >= tables.keys()


def test_a_spark_server_that_is_not_there_is_told(
    environment: dict[str, str], measure: Callable[..., Measured], capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        measure("sc://127.0.0.1:1", {"leads": "leads"}, environment)
    assert "cannot connect to 'sc://127.0.0.1:1': " in capfd.readouterr().err


def test_a_spark_server_that_is_not_there_is_given_up_within_seconds(java: Path) -> None:
    state = source.impatient().to_state()
    waits = list(iter(state.next_attempt, None))
    assert len(waits) == source.SPARK_TRIES
    assert sum(waits) < 10_000  # milliseconds


def same_card(expected: Scorecard, found: Scorecard) -> float:
    """Hold two scorecards to be the same, and what stands beside them; returns the largest relative difference."""
    largest = same_rows(expected.frame, found.frame)
    for name in SAME:
        assert found.about[name] == expected.about[name]
    return max(largest, *(same_values(expected.about[name], found.about[name], name) for name in NEAR))


def same_rows(expected: pd.DataFrame, found: pd.DataFrame) -> float:
    """Hold two scorecards to be the same; returns the largest relative difference of a number."""
    pd.testing.assert_frame_equal(expected[KEYS], found[KEYS])
    largest = 0.0
    for name in expected.columns.difference(KEYS):
        if expected[name].dtype != "float64":
            pd.testing.assert_series_equal(expected[name], found[name])
            continue
        then, now = (frame[name].to_numpy(float) for frame in (expected, found))
        assert (np.isnan(then) == np.isnan(now)).all(), f"{name} is not there on one of them"
        apart = np.nan_to_num(np.abs(then - now) / np.maximum(np.abs(then), 1e-12))
        far = expected.loc[apart > CLOSE, [*KEYS, name]].join(found[name].rename("found"))
        assert far.empty, f"{name} differs:\n{far.head(20)}"
        largest = max(largest, float(apart.max()))
    return largest


def same_values(expected: object, found: object, place: str) -> float:
    """Hold what stands beside the numbers to be the same, part by part; returns the largest relative difference."""
    if isinstance(expected, dict | list):
        assert type(found) is type(expected)
        assert len(found) == len(expected), place
        names = expected.keys() if isinstance(expected, dict) else range(len(expected))
        return max((same_values(expected[name], found[name], f"{place}.{name}") for name in names), default=0.0)
    if isinstance(expected, float) and isinstance(found, float | int):
        apart = abs(expected - found) / max(abs(expected), 1e-12)
        assert apart <= CLOSE, f"{place}: {expected} and {found}"
        return apart
    assert found == expected, place
    return 0.0

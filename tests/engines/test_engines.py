"""The same declarations give the same numbers on DuckDB, PostgreSQL, Spark and Spark Connect, in as many queries."""

import subprocess
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from measure import Measured

pytestmark = pytest.mark.engines
ENGINES = ("on_postgres", "on_spark", "on_spark_connect")
KEYS = ["period", "kpi", "cut", "member"]
CLOSE = 1e-9
SAME = ("tables", "checks", "identities")
NEAR = ("curves", "value")
QUERIES_A_SCAN = 9  # sums, moments of three clusters, three kinds of waiting time, curves, reasons of rows left out


@pytest.mark.parametrize("engine", ENGINES)
def test_every_number_of_every_kpi_is_the_same(engine: str, request: pytest.FixtureRequest, expected: Measured) -> None:
    found: Measured = request.getfixturevalue(engine)
    largest = same_rows(expected.card.frame, found.card.frame)
    for name in SAME:
        assert found.card.about[name] == expected.card.about[name]
    for name in NEAR:
        largest = max(largest, same_values(expected.card.about[name], found.card.about[name], name))
    rows = f"{len(found.card.frame)} rows in {found.queries['all']} queries and {found.seconds:.0f} s"
    print(f"\n{engine}: {rows}, DuckDB {expected.seconds:.0f} s; largest relative difference {largest:.1e}")


@pytest.mark.parametrize("engine", ENGINES)
def test_a_fact_is_scanned_once_in_a_few_queries(
    engine: str, request: pytest.FixtureRequest, expected: Measured
) -> None:
    found: Measured = request.getfixturevalue(engine)
    scans = found.queries["scans"]
    assert found.queries["all"] == expected.queries["all"]
    assert scans == expected.queries["scans"]
    assert max(scans) <= QUERIES_A_SCAN


def test_a_spark_server_that_is_not_there_is_told_within_seconds(
    environment: dict[str, str], measure: Callable[..., Measured], capfd: pytest.CaptureFixture[str]
) -> None:
    began = time.monotonic()
    with pytest.raises(subprocess.CalledProcessError):
        measure("sc://127.0.0.1:1", {"leads": "leads"})
    assert time.monotonic() - began < 60
    assert "SourceError: " in (said := capfd.readouterr().err)
    assert "cannot connect to 'sc://127.0.0.1:1': " in said


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

"""The same declarations give the same numbers on DuckDB, on PostgreSQL and on Spark."""

import time
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from kpi_lib.scorecard import Scorecard

pytestmark = [
    pytest.mark.engines,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning"),
]
KEYS = ["period", "kpi", "cut", "member"]
CLOSE = 1e-9
FITTED = ("clv", "clv.purchases")  # limits of a model whose likelihood is climbed until it hardly rises: 1e-7


SPARK = pytest.mark.xfail(run=False, reason="what models of customers are given fails on Spark; the rest takes minutes")


@pytest.mark.parametrize("engine", ["postgres", pytest.param("spark", marks=SPARK)])
def test_every_number_of_every_kpi_is_the_same(
    engine: str, request: pytest.FixtureRequest, measured: Callable[..., Scorecard], expected: Scorecard
) -> None:
    connection, tables = request.getfixturevalue(engine)
    began = time.monotonic()
    found = measured(connection, tables)
    took = time.monotonic() - began
    largest = same(expected.frame, found.frame)
    assert found.about["tables"] == expected.about["tables"]
    assert found.about["checks"] == expected.about["checks"]
    print(f"{engine}: {len(found.frame)} rows in {took:.0f} s, largest relative difference {largest:.1e}")


def same(expected: pd.DataFrame, found: pd.DataFrame) -> float:
    """Hold two scorecards to be the same; returns the largest relative difference of a number."""
    pd.testing.assert_frame_equal(expected[KEYS], found[KEYS])
    largest = 0.0
    allowed = np.where(expected["kpi"].isin(FITTED), 1e-7, CLOSE)
    for name in expected.columns.difference(KEYS):
        if expected[name].dtype != "float64":
            pd.testing.assert_series_equal(expected[name], found[name])
            continue
        then, now = (frame[name].to_numpy(float) for frame in (expected, found))
        assert (np.isnan(then) == np.isnan(now)).all(), f"{name} is not there on one of them"
        apart = np.nan_to_num(np.abs(then - now) / np.maximum(np.abs(then), 1e-12))
        far = expected.loc[apart > allowed, [*KEYS, name]].join(found[name].rename("found"))
        assert far.empty, f"{name} differs:\n{far.head(20)}"
        largest = max(largest, float(apart.max()))
    return largest

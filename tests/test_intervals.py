"""Confidence limits against worked values and against statsmodels and SciPy."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from kpi_lib.intervals import adjusted_wald, delta_method, design_effect, garwood, wilson

PAIRS = [(0, 12), (12, 12), (45, 50), (1, 3), (500, 1000), (3, 100000)]


def one(limits: tuple[np.ndarray, np.ndarray]) -> tuple[float, float]:
    return float(limits[0]), float(limits[1])


@pytest.mark.parametrize(("k", "n", "low", "high"), [(45, 50, 0.7864, 0.9565), (0, 12, 0, 0.2425), (12, 12, 0.7576, 1)])
def test_wilson_vectors(k, n, low, high):
    assert one(wilson(np.array(k), np.array(n))) == pytest.approx((low, high), abs=1e-4)


@pytest.mark.parametrize(("k", "n"), PAIRS)
def test_wilson_is_that_of_statsmodels(k, n):
    expected = proportion_confint(k, n, alpha=0.05, method="wilson")
    assert one(wilson(np.array(k), np.array(n))) == pytest.approx(expected, abs=1e-9)


def test_a_design_effect_of_two_halves_the_sample():
    assert one(wilson(np.array(40), np.array(100), 2.0)) == pytest.approx(one(wilson(np.array(20), np.array(50))))


@pytest.mark.parametrize(
    ("promoters", "detractors", "n", "low", "high"), [(50, 20, 100, 0.141, 0.442), (10, 0, 10, 0.475, 1.0)]
)
def test_adjusted_wald_vectors(promoters, detractors, n, low, high):
    limits = one(adjusted_wald(np.array(promoters), np.array(detractors), np.array(n)))
    assert limits == pytest.approx((low, high), abs=5e-4)


def test_adjusted_wald_by_hand():
    p, d, n = 50.75 / 103, 20.75 / 103, 103
    half = 1.959963984540054 * ((p + d - (p - d) ** 2) / n) ** 0.5
    limits = one(adjusted_wald(np.array(50), np.array(20), np.array(100)))
    assert limits == pytest.approx((p - d - half, p - d + half), abs=1e-12)


@pytest.mark.parametrize(("count", "low", "high"), [(0, 0, 3.689), (7, 2.814, 14.42), (30, 20.24, 42.83)])
def test_garwood_vectors(count, low, high):
    assert one(garwood(np.array(count))) == pytest.approx((low, high), rel=5e-4)


@pytest.mark.parametrize("count", [0, 1, 7, 30, 4200])
def test_garwood_is_the_exact_poisson_interval(count):
    low, high = one(garwood(np.array(float(count))))
    expected = stats.chi2.ppf(0.025, 2 * count) / 2 if count else 0.0
    assert (low, high) == pytest.approx((expected, stats.chi2.ppf(0.975, 2 * count + 2) / 2), rel=1e-9)
    assert stats.poisson.cdf(count, high) == pytest.approx(0.025, rel=1e-9)


def test_a_dispersion_of_four_doubles_the_distance_and_less_than_one_changes_nothing():
    low, high = one(garwood(np.array(30.0)))
    assert one(garwood(np.array(30.0), 4.0)) == pytest.approx((30 - 2 * (30 - low), 30 + 2 * (high - 30)))
    assert one(garwood(np.array(30.0), 0.25)) == (low, high)


def moments(y: list[float], x: list[float]) -> pd.DataFrame:
    """The sums that the engine would send, from one value a cluster."""
    tops, bottoms = np.array(y, float), np.array(x, float)
    sums = {"y": tops, "x": bottoms, "yy": tops * tops, "xx": bottoms * bottoms, "xy": tops * bottoms}
    return pd.DataFrame({name: [values.sum()] for name, values in sums.items()} | {"groups": [len(y)]})


def test_the_delta_method_of_a_plain_mean_is_students_interval():
    values = [3.0, 5.0, 8.0, 12.0, 7.0, 1.0]
    low, high = delta_method(moments(values, [1] * 6))
    expected = stats.t.interval(0.95, 5, loc=np.mean(values), scale=stats.sem(values))
    assert (low[0], high[0]) == pytest.approx(expected, abs=1e-9)


def test_the_delta_method_over_clusters_is_the_cluster_robust_regression_on_a_constant():
    rows = pd.DataFrame({"cluster": list("aabbbcdd"), "value": [1.0, 2, 3, 5, 4, 9, 2, 2]})
    by_cluster = rows.groupby("cluster")["value"].agg(["sum", "count"])
    low, high = delta_method(moments(list(by_cluster["sum"]), list(by_cluster["count"])))
    codes = rows["cluster"].astype("category").cat.codes
    fit = sm.OLS(rows["value"], np.ones(8)).fit(
        cov_type="cluster", cov_kwds={"groups": codes, "use_correction": False, "df_correction": True}, use_t=True
    )
    half = stats.t.ppf(0.975, 3) * fit.bse.iloc[0] * (4 / 3) ** 0.5  # G / (G - 1), left out by statsmodels here
    assert (low[0], high[0]) == pytest.approx((3.5 - half, 3.5 + half), abs=1e-9)


def test_the_delta_method_of_a_ratio_is_the_robust_regression_through_the_origin():
    y, x = np.array([3.0, 5, 2, 9, 4, 6, 1]), np.array([2.0, 4, 1, 5, 4, 3, 1])
    fit = sm.WLS(y, x, weights=1 / x).fit(cov_type="HC0")
    half = stats.t.ppf(0.975, 6) * fit.bse[0] * (7 / 6) ** 0.5  # G / (G - 1), left out in HC0
    low, high = delta_method(moments(list(y), list(x)))
    assert (low[0], high[0]) == pytest.approx((1.5 - half, 1.5 + half), abs=1e-9)


def few(clusters: int) -> float:
    """By how much a variance grows that is known from so many clusters only."""
    return float((stats.t.ppf(0.975, clusters - 1) / stats.norm.ppf(0.975)) ** 2)


def test_the_design_effect_is_one_for_single_rows_and_never_less():
    assert design_effect(moments([1, 0, 1, 0], [1, 1, 1, 1]))[0] == 1.0
    assert design_effect(moments([1, 1, 1, 1], [2, 2, 2, 2]))[0] == pytest.approx(few(4))  # less than by chance
    assert design_effect(moments([2, 2, 2, 2], [2, 2, 2, 2]))[0] == 1.0  # nothing varies


def test_the_design_effect_of_equal_answers_in_pairs_is_about_two():
    pairs = [2, 0] * 50  # 100 customers, both answers of each alike
    assert design_effect(moments(pairs, [2] * 100))[0] == pytest.approx(2 * 100 / 99 * few(100))


def test_the_design_effect_is_the_cluster_robust_variance_over_the_binomial():
    hits, codes = np.array([1.0, 1, 1, 0, 0, 1, 1, 1, 0, 0, 0]), np.array([0, 0, 0, 1, 1, 2, 2, 2, 3, 3, 4])
    fit = sm.OLS(hits, np.ones(11)).fit(cov_type="cluster", cov_kwds={"groups": codes, "use_correction": False})
    expected = fit.bse[0] ** 2 * 5 / 4 / (6 / 11 * 5 / 11 / 11) * few(5)
    assert design_effect(moments([3, 0, 3, 0, 0], [3, 2, 3, 2, 1]))[0] == pytest.approx(expected, abs=1e-9)


def test_a_share_of_nothing_has_no_limits_and_no_warning():
    assert np.isnan(wilson(np.array([0.0]), np.array([0.0]))).all()
    assert np.isnan(delta_method(moments([], []))).all()

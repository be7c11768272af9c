"""In how many samples the 95 % intervals of shares, net scores, counts, means and ratios hold the true value.

Shares, net scores and counts: every possible sample with its probability. The others: thousands of made-up samples.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from kpi_lib import intervals

pytestmark = pytest.mark.slow
SAMPLES = 5000


def held(limits, truth, weights=None):
    """The share of the samples whose limits hold the truth."""
    low, high = limits
    return np.average((low <= truth) & (truth <= high), weights=weights)


def moments(y, x):
    """The sums that the engine would send of samples (rows) of clusters (columns)."""
    sums = {"y": y, "x": x, "yy": y * y, "xx": x * x, "xy": y * x, "groups": (y != 0) | (x != 0)}
    return pd.DataFrame({name: values.sum(axis=1).astype(float) for name, values in sums.items()})


@pytest.mark.parametrize("n", [30, 50, 100, 400])
def test_share(proven, n):
    k = np.arange(n + 1)
    limits = intervals.wilson(k, np.full(n + 1, n))
    proven([held(limits, p, stats.binom.pmf(k, n, p)) for p in np.linspace(3 / n, 1 - 3 / n, 500)])


@pytest.mark.parametrize("n", [30, 100])
@pytest.mark.parametrize(("plus", "minus"), [(0.5, 0.2), (0.1, 0.1), (0.8, 0.1), (0.1, 0.5), (0.4, 0.4), (0.33, 0.33)])
def test_net_score(proven, n, plus, minus):
    p, d = (part.ravel() for part in np.meshgrid(np.arange(n + 1), np.arange(n + 1)))
    p, d = p[p + d <= n], d[p + d <= n]
    weights = stats.multinomial.pmf(np.stack([p, d, n - p - d], axis=1), n, [plus, minus, 1 - plus - minus])
    low, high = intervals.adjusted_wald(p, d, np.full(len(p), n))
    proven(held((low - 1e-12, high + 1e-12), plus - minus, weights))


def test_count(proven):
    counts = np.arange(1000)
    limits = intervals.garwood(counts.astype(float))
    proven([held(limits, mean, stats.poisson.pmf(counts, mean)) for mean in np.geomspace(10, 500, 300)])


def test_a_smaller_count_is_never_less_sure_than_it_says():
    counts = np.arange(200)
    limits = intervals.garwood(counts.astype(float))
    assert all(held(limits, mean, stats.poisson.pmf(counts, mean)) >= 0.95 for mean in np.linspace(0.01, 10, 300))


@pytest.mark.parametrize(
    ("mean", "dispersion"), [(1, 2), (2, 1), (10, 2), (10, 5), (10, 10), (50, 1), (50, 5), (50, 20)]
)
def test_count_that_varies_by_day(proven, mean, dispersion):
    random, days = np.random.default_rng(mean), 31
    rates = random.gamma(mean / (dispersion - 1), dispersion - 1, (SAMPLES, days)) if dispersion > 1 else mean
    daily = random.poisson(rates, (SAMPLES, days))
    count = daily.sum(axis=1).astype(float)
    measured = np.maximum(daily.var(axis=1, ddof=1) / np.maximum(count / days, 1e-9), 1.0)
    proven(held(intervals.garwood(count, measured), mean * days))


@pytest.mark.parametrize("p", [0.1, 0.3, 0.5, 0.9])
@pytest.mark.parametrize("alike", [0.05, 0.2, 0.5])
@pytest.mark.parametrize("rows", [2, 10])
@pytest.mark.parametrize("clusters", [30, 100])
def test_share_in_clusters(proven, clusters, rows, alike, p):
    random = np.random.default_rng(1)
    sizes = 1 + random.poisson(rows - 1, (SAMPLES, clusters))
    odds = (1 - alike) / alike
    hits = random.binomial(sizes, random.beta(p * odds, (1 - p) * odds, sizes.shape))
    sums = moments(hits, sizes)
    effect = intervals.design_effect(sums)
    proven(held(intervals.wilson(sums["y"].to_numpy(), sums["x"].to_numpy(), effect), p))


def test_mean_of_400_skewed(proven):
    amounts = np.random.default_rng(1).lognormal(-0.5, 1, (SAMPLES, 400))
    proven(held(intervals.delta_method(moments(amounts, np.ones_like(amounts))), 1.0))


@pytest.mark.parametrize("clusters", [30, 100])
@pytest.mark.parametrize("spread", [0.1, 0.3, 0.5])
def test_mean_of_skewed_in_clusters_of_about_ten(proven, clusters, spread):
    random = np.random.default_rng(1)
    sizes = 1 + random.poisson(9, (SAMPLES, clusters))
    owner = np.repeat(np.arange(sizes.size), sizes.ravel())
    totals = np.bincount(owner, random.lognormal(-0.5, 1, len(owner))).reshape(sizes.shape)
    totals *= random.lognormal(-(spread**2) / 2, spread, sizes.shape)
    proven(held(intervals.delta_method(moments(totals, sizes)), 1.0))


@pytest.mark.parametrize("clusters", [30, 60])
@pytest.mark.parametrize("spread", [0.2, 0.5])
def test_ratio_over_clusters(proven, clusters, spread):
    random = np.random.default_rng(1)
    bottom = random.gamma(4, 1, (SAMPLES, clusters))
    top = 0.3 * bottom * random.lognormal(-(spread**2) / 2, spread, bottom.shape)
    proven(held(intervals.delta_method(moments(top, bottom)), 0.3))


@pytest.mark.parametrize("rate", [0.2, 0.8])
def test_ratio_of_counts_by_day(proven, rate):
    random = np.random.default_rng(1)
    bottom = random.poisson(20, (SAMPLES, 30))
    proven(held(intervals.delta_method(moments(random.poisson(rate * bottom), bottom)), rate))


def test_ratio_of_400_rows(proven):
    random = np.random.default_rng(1)
    bottom = random.lognormal(-0.5, 1, (SAMPLES, 400))
    top = 0.3 * bottom * random.lognormal(-0.125, 0.5, bottom.shape)
    proven(held(intervals.delta_method(moments(top, bottom)), 0.3))

"""In how many made-up samples the 95 % intervals of waiting times hold the true value, summed in the engine.

The number of the sample is the group, so that one query measures all of them. Where the upper limit is beyond what was
seen, it is open.
"""

from functools import cache

import ibis
import numpy as np
import pandas as pd
import pytest
from scipy import integrate, optimize, stats

from kpi_lib.waiting import AIMED, RESTRICTED_DAYS, Waiting, product_limit

pytestmark = pytest.mark.slow
DAY = 86400.0
SAMPLES = 2000
KINDS = {"lognormal": stats.lognorm(1), "exponential": stats.expon(scale=1 / np.log(2))}  # of median 1
censored = pytest.mark.parametrize("lost", [0, 0.2, 0.5], ids=lambda share: f"{100 * share:g} % lost")
kinds = pytest.mark.parametrize("kind", KINDS)


@cache
def losing(kind, share):
    """The mean of exponential times of loss by which this share of the events is forestalled."""
    return 1 / optimize.brentq(lambda rate: KINDS[kind].expect(lambda t: 1 - np.exp(-rate * t)) - share, 1e-4, 50)


def drawn(kind, n, lost, samples=SAMPLES):
    """Times to the event or to the loss, whichever came first, and which of them are events."""
    random = np.random.default_rng(1)
    times = KINDS[kind].rvs((samples, n), random_state=random)
    watched = random.exponential(losing(kind, lost), times.shape) if lost else np.inf
    return np.minimum(times, watched), times <= watched


def estimated(times, finished, reading="", aim=None):
    """The estimates of samples (rows) of seconds."""
    samples, n = times.shape
    rows = {"seconds": times.ravel().astype("int64"), "finished": finished.ravel()}
    table = ibis.memtable(pd.DataFrame({"sample": np.repeat(np.arange(samples), n)} | rows))
    sums = product_limit(table, ["sample"], AIMED if aim else "").to_pandas().assign(followed=True)
    return Waiting(None, target_seconds=aim).estimate(sums, reading, "seconds")


def held(estimates, truth, rounding=0.0):
    """The share of the samples with a value whose limits hold the truth."""
    valued = estimates[estimates["value"].notna()]
    assert valued["low"].notna().all()
    return ((valued["low"] <= truth + rounding) & (truth - rounding <= valued["high"].fillna(np.inf))).mean()


@censored
@kinds
@pytest.mark.parametrize("n", [30, 100])
def test_median(proven, n, kind, lost):
    times, finished = drawn(kind, n, lost)
    proven(held(estimated(times * DAY, finished), DAY))


@pytest.mark.parametrize("lost", [0, 0.1, 0.2], ids=lambda share: f"{100 * share:g} % lost")
@kinds
@pytest.mark.parametrize("n", [100, 300])
def test_p90(proven, n, kind, lost):
    times, finished = drawn(kind, n, lost)
    proven(held(estimated(times * DAY, finished, "p90"), DAY * KINDS[kind].ppf(0.9)))


@kinds
@pytest.mark.parametrize("days", [0.2, 2, 10], ids=lambda days: f"median {days} days")
@pytest.mark.parametrize("lost", [0, 0.05], ids=lambda share: f"{100 * share:g} % lost")
def test_restricted_mean_of_400(proven, lost, days, kind):
    times, finished = drawn(kind, 400, lost)
    truth = days * integrate.quad(KINDS[kind].sf, 0, RESTRICTED_DAYS / days, limit=200)[0]
    proven(held(estimated(times * days * DAY, finished, "mean"), truth * DAY))


@kinds
def test_restricted_mean_of_a_month_that_is_still_watched(proven, kind):
    random = np.random.default_rng(2)
    times, _ = drawn(kind, 400, 0)
    watched = random.uniform(5, 35, times.shape)
    truth = integrate.quad(KINDS[kind].sf, 0, RESTRICTED_DAYS)[0]
    proven(held(estimated(np.minimum(times, watched) * DAY, times <= watched, "mean"), truth * DAY))


@pytest.mark.parametrize("lost", [0, 0.3], ids=lambda share: f"{100 * share:g} % lost")
@pytest.mark.parametrize(("n", "p"), [(30, 0.1), (30, 0.5), (30, 0.8), (100, 0.1), (100, 0.5), (100, 0.9)])
def test_share_within_a_target(proven, n, p, lost):
    times, finished = drawn("exponential", n, lost)
    aim = KINDS["exponential"].ppf(p)
    proven(held(estimated(times / aim * 1_000_000, finished, aim=60), 100 * p, rounding=1e-9))

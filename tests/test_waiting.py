"""Waiting times against worked values and the survival functions of statsmodels."""

from datetime import UTC, datetime

import ibis
import numpy as np
import pandas as pd
import pytest
from statsmodels.duration.survfunc import SurvfuncRight

from kpi_lib.waiting import AIMED, CURVE_STEPS, MARKS, Lasting, Waiting, curve, drawn, product_limit

TIMES = [1, 2, 2, 3, 5, 8, 8, 12, 20, 30]
FINISHED = [1, 1, 1, 1, 1, 1, 0, 1, 0, 0]
DAY = 86400


def limited(seconds, finished, *, target=False):
    """The product-limit sums of rows of one group."""
    rows = pd.DataFrame({"group": "a", "seconds": np.asarray(seconds, "int64"), "finished": np.asarray(finished, bool)})
    return product_limit(ibis.memtable(rows), ["group"], AIMED if target else "").to_pandas().assign(followed=True)


def waited(seconds, finished, reading="", unit="seconds"):
    return Waiting(None).estimate(limited(seconds, finished), reading, unit).iloc[0]


def reference(seconds, finished, p, level=0.05):
    survival = SurvfuncRight(np.asarray(seconds, float), np.asarray(finished, float))
    with np.errstate(divide="ignore", invalid="ignore"):
        limits = survival.quantile_ci(p, alpha=level, method="cloglog")
    return [np.nan if np.isinf(value) else value for value in (survival.quantile(p), *limits)]


def test_the_vector_of_the_specification():
    row = waited(TIMES, FINISHED)
    assert row["value"] == 5
    assert np.median([time for time, done in zip(TIMES, FINISHED, strict=True) if done]) == 3  # the naive median
    assert (row["n"], row["numerator"], row["status"]) == (10, 7, "ok")
    assert row["method"] == "not estimable: n < 30"


def test_the_restricted_mean_of_the_vector_is_10_10_at_24(monkeypatch):
    monkeypatch.setattr("kpi_lib.waiting.RESTRICTED_DAYS", 1)
    hours = [time * 3600 for time in TIMES]  # 24 hours are a day
    row = waited(hours, FINISHED, "mean", unit="minutes")
    assert row["value"] / 60 == pytest.approx(10.10, abs=0.005)


@pytest.mark.parametrize(("reading", "p"), [("", 0.5), ("p90", 0.9)])
@pytest.mark.parametrize("longest", [40, 100_000], ids=["ties", "hardly any ties"])
@pytest.mark.parametrize("seed", range(3))
def test_quantiles_and_limits_are_those_of_statsmodels(reading, p, longest, seed):
    random = np.random.default_rng(seed)
    seconds = random.integers(1, longest, 130)
    finished = (random.random(130) < 0.8) & (seconds < seconds.max())  # at 0 statsmodels has a limit by accident
    row = waited(seconds, finished, reading)
    value, low, high = reference(seconds, finished, p)
    assert row["value"] == pytest.approx(value, abs=1e-9)
    assert (row["low"], row["high"]) == pytest.approx((low, high), abs=1e-9, nan_ok=True)


def test_variance_of_the_restricted_mean_is_greenwoods():
    random = np.random.default_rng(3)
    days = random.integers(1, 45, 500)
    finished = random.random(500) < 0.93
    row = waited(days * DAY, finished, "mean", unit="days")
    survival = SurvfuncRight(days.astype(float), finished.astype(float))
    inside = survival.surv_times <= 30
    times, alive = survival.surv_times[inside], survival.surv_prob[inside]
    area = np.concatenate([[times[0]], np.diff(np.append(times, 30)) * alive])
    after = area[::-1].cumsum()[::-1][1:]
    at_risk, events = survival.n_risk[inside], survival.n_events[inside]
    half = 1.959963984540054 * (after**2 * events / (at_risk * (at_risk - events))).sum() ** 0.5
    expected = (area.sum(), area.sum() - half, area.sum() + half)
    assert (row["value"], row["low"], row["high"]) == pytest.approx(expected, abs=1e-9)
    assert row["method"] == "restricted mean, 30 days"


@pytest.mark.parametrize(("reading", "minimum"), [("", 30), ("p90", 100), ("mean", 400)])
def test_below_the_proven_size_there_is_a_value_without_an_interval(reading, minimum):
    few, enough = (waited(np.arange(rows) * 60, [True] * rows, reading) for rows in (minimum - 1, minimum))
    assert enough["low"] < enough["value"] < enough["high"]
    assert np.isnan([few["low"], few["high"]]).all()
    assert (few["status"], few["method"]) == ("ok", f"not estimable: n < {minimum}")
    assert few["value"] == pytest.approx(enough["value"], rel=0.05)


def test_a_restricted_mean_of_which_over_a_tenth_is_lost_early_has_no_interval():
    seconds = np.arange(1, 501) * 60
    tenth, more = (waited(seconds, np.arange(500) >= lost, "mean") for lost in (50, 51))
    assert tenth["low"] < tenth["value"] < tenth["high"]
    assert np.isnan(more["low"])
    assert (more["status"], more["method"]) == ("ok", "not estimable: over 10 % not followed for 30 days")
    later = waited(np.where(np.arange(500) < 51, 30 * DAY, seconds), np.arange(500) >= 51, "mean")
    assert later["low"] < later["value"] < later["high"]  # still waiting after 30 days is not lost


def test_without_unfinished_rows_the_mean_is_the_plain_mean():
    assert waited([60, 120, 240], [1, 1, 1], "mean", unit="minutes")["value"] == pytest.approx(7 / 3)


def test_a_median_that_is_not_reached_is_not_estimable():
    row = waited([10, 20, 30, 40], [1, 0, 0, 0])
    assert (row["status"], row["n"]) == ("not_estimable", 4)
    assert np.isnan(row["value"])


def test_a_half_reached_exactly_counts_as_reached():
    assert waited([10, 20, 30, 40], [1, 1, 0, 0])["value"] == 20
    sixths = [1, 2, 3, 4, 5, 6]  # 5/6 * 4/5 * 3/4 is a half only up to rounding
    assert waited(sixths, [1, 1, 1, 0, 0, 0])["value"] == 3


def test_ties_are_events_before_losses():
    assert waited([10, 10, 20, 20], [1, 0, 1, 1])["value"] == 20  # 3/4, then 0
    assert waited([10, 10], [1, 0])["value"] == 10


def curved(seconds, finished):
    rows = pd.DataFrame({"group": "a", "seconds": np.asarray(seconds, "int64"), "finished": np.asarray(finished, bool)})
    return drawn(curve(ibis.memtable(rows), ["group"]).to_pandas())


def test_the_curve_of_the_vector():
    found = curved(TIMES, FINISHED)
    assert found["seconds"] == [1, 2, 3, 5, 8, 12, 20, 30]
    assert found["waiting"] == pytest.approx([0.9, 0.7, 0.6, 0.5, 0.4, *[0.4 * 2 / 3] * 3], abs=1e-6)
    assert found["low"] == [None] * 8  # ten rows are too few for limits


@pytest.mark.parametrize("longest", [300, 10_000_000], ids=["ties", "hardly any ties"])
def test_no_curve_leaves_the_one_of_statsmodels_by_more_than_its_steps(longest):
    random = np.random.default_rng(5)
    seconds = np.ceil(np.exp(random.uniform(0, np.log(longest), 3000)))
    finished = random.random(3000) < 0.85
    found = curved(seconds, finished)
    true = SurvfuncRight(seconds, finished.astype(float))
    assert len(found["seconds"]) <= CURVE_STEPS + 1 + len(MARKS) + 1
    held = np.searchsorted(found["seconds"], true.surv_times, side="right") - 1
    assert np.abs(np.asarray(found["waiting"])[held] - true.surv_prob).max() <= 1 / CURVE_STEPS + 1e-6
    for place, time in enumerate(found["seconds"][1:-1], start=1):
        survival, error = (each[true.surv_times == time] for each in (true.surv_prob, true.surv_prob_se))
        if len(survival):
            spread = 1.959963984540054 * error / (survival * np.abs(np.log(survival)))
            limits = [*(survival ** np.exp(spread)), *(survival ** np.exp(-spread))]
            ours = [found[name][place] for name in ("waiting", "low", "high")]
            assert ours == pytest.approx([*survival, *limits], abs=2e-6)


def test_a_curve_is_exact_at_its_marks():
    seconds = np.arange(1, 200_001, 10)
    found = curved(seconds, np.ones(len(seconds), bool))
    for mark in (60, 3600, 86400):
        at = np.searchsorted(found["seconds"], mark, side="right") - 1
        assert found["waiting"][at] == pytest.approx((seconds > mark).mean(), abs=1e-6)


def test_a_fall_after_a_long_plateau_stands_where_it_fell():
    found = curved([10, 10, 5000, 5000, 9000], [1, 1, 0, 0, 1])
    assert (found["seconds"], found["waiting"]) == ([10, 5000, 9000], [0.6, 0.6, 0.0])


def test_nothing_to_wait_for_is_undefined():
    sums = pd.DataFrame([{"n": 0.0, "events": 0.0, "median": np.nan, "median_low": np.nan, "median_high": np.nan}])
    row = Waiting(None).estimate(sums).iloc[0]
    assert (row["status"], row["n"]) == ("undefined", 0)


def test_groups_do_not_touch_each_other():
    rows = pd.DataFrame({"group": list("aaabb"), "seconds": [1, 2, 3, 10, 20], "finished": True})
    made = product_limit(ibis.memtable(rows), ["group"]).to_pandas().set_index("group")["median"]
    assert made.to_dict() == {"a": 2, "b": 10}


def test_a_mean_beyond_what_was_watched_is_not_estimable_unless_all_finished():
    early = limited([1 * DAY, 2 * DAY, 3 * DAY], [1, 1, 0]).assign(followed=False)
    assert Waiting(None).estimate(early, "mean", "days").iloc[0]["status"] == "not_estimable"
    done = limited([1 * DAY, 2 * DAY, 3 * DAY], [1, 1, 1]).assign(followed=False)
    assert Waiting(None).estimate(done, "mean", "days").iloc[0]["value"] == pytest.approx(2)


def test_the_share_within_a_target_is_one_less_the_survival_there():
    parts = np.array([0.5, 1.0, 1.0, 2.0, 0.2]) * 1_000_000  # of the target: two on the dot, one too late
    finished = [1, 1, 1, 1, 0]  # the last is too young to have failed
    waiting = Waiting(None, target_seconds=60)
    row = waiting.estimate(limited(parts.astype("int64"), finished, target=True)).iloc[0]
    assert row["value"] == pytest.approx(75)  # of four: 3/4 * 2/3 * 1/2 = 1/4 still waiting
    survival = SurvfuncRight(parts, np.array(finished, float))
    spread = 1.959963984540054 * survival.surv_prob_se[1] / abs(0.25 * np.log(0.25))
    assert (row["low"], row["high"]) == pytest.approx(
        (100 * (1 - 0.25 ** np.exp(-spread)), 100 * (1 - 0.25 ** np.exp(spread))), abs=1e-9
    )


@pytest.mark.parametrize(("taken", "low", "high"), [(2.0, 0, 24.25), (0.5, 75.75, 100)])
def test_none_or_all_of_12_within_a_target_has_the_limits_of_a_share(taken, low, high):
    sums = limited([int(taken * 1_000_000)] * 12, [True] * 12, target=True)
    row = Waiting(None, target_seconds=60).estimate(sums).iloc[0]
    assert (row["low"], row["high"]) == pytest.approx((low, high), abs=0.005)


def test_who_left_before_the_target_tells_nothing_of_it():
    parts = np.array([2.0] * 12 + [0.5] * 8) * 1_000_000
    waiting = Waiting(None, target_seconds=60)
    none = waiting.estimate(limited(parts.astype("int64"), [True] * 12 + [False] * 8, target=True)).iloc[0]
    assert (none["value"], none["n"], none["high"]) == (0, 20, pytest.approx(24.25, abs=0.005))
    early = np.array([0.5] * 12 + [0.4] * 8) * 1_000_000
    everyone = waiting.estimate(limited(early.astype("int64"), [True] * 12 + [False] * 8, target=True)).iloc[0]
    assert (everyone["value"], everyone["n"], everyone["low"]) == (100, 20, pytest.approx(75.75, abs=0.005))


AS_OF = datetime(2024, 6, 1, tzinfo=UTC)
START = pd.Timestamp("2024-05-31 12:00", tz="UTC")


def watched(waiting, **columns):
    """The rows that a waiting time is made of, from one row a column value."""
    instants = {name: "timestamp('UTC', 6)" for name in ("start", "until", "lost") if name in columns}
    frame = pd.DataFrame(columns)
    table = ibis.memtable(frame, schema={name: instants.get(name, "int64") for name in frame.columns})
    return table.select(**waiting(table).rows(AS_OF)).to_pandas()


def test_a_row_is_watched_until_it_happens_is_lost_or_the_extract_is_made():
    hour = pd.Timedelta(hours=1)
    rows = watched(
        lambda t: Waiting(t.start, until=t.until, lost=t.lost),
        start=[START] * 3,
        until=[START + hour, None, None],
        lost=[START + 5 * hour, START + 2 * hour, None],
    )
    assert list(rows["seconds"]) == [3600, 7200, 12 * 3600]
    assert list(rows["finished"]) == [True, False, False]
    assert rows["counted"].all()


def test_zero_is_legal_and_negative_is_zero():
    rows = watched(lambda t: Waiting(t.start, until=t.until), start=[START] * 2,
                   until=[START, START - pd.Timedelta(seconds=30)])  # fmt: skip
    assert list(rows["counted"]) == [True, True]
    assert list(rows["seconds"]) == [0, 0]


def test_seconds_to_subtract_are_subtracted():
    rows = watched(lambda t: Waiting(t.start, until=t.until, less=t.less), start=[START],
                   until=[START + pd.Timedelta(hours=1)], less=[600])  # fmt: skip
    assert list(rows["seconds"]) == [3000]


def test_a_duration_may_be_given_as_it_is():
    rows = watched(lambda t: Lasting(t.seconds, finished=t.done == 1), seconds=[30, 40], done=[1, 0])
    assert list(rows["seconds"]) == [30, 40]
    assert list(rows["finished"]) == [True, False]
    sums = limited(rows["seconds"], rows["finished"])
    assert Lasting(None, quantile="median").estimate(sums, unit="seconds").iloc[0]["value"] == 30


def test_a_second_beyond_a_long_target_is_too_late():
    long_ago = ibis.memtable({"group": ["a"] * 2, "waited": [7_776_000, 7_776_001]})
    parts = Lasting(long_ago.waited, target_seconds=ibis.literal(7_776_000)).rows(None)
    seconds = long_ago.select(seconds=parts["seconds"]).to_pandas()["seconds"]
    assert list(seconds <= 1_000_000) == [True, False]


def test_nothing_is_known_of_a_target_that_nobody_was_watched_for():
    parts = np.array([0.5] * 8) * 1_000_000
    row = Waiting(None, target_seconds=60).estimate(limited(parts.astype("int64"), [False] * 8, target=True)).iloc[0]
    assert (row["status"], row["n"]) == ("not_estimable", 8)

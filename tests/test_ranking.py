"""The statistics of comparing people, against numbers that can be worked out by hand."""

import numpy as np
import pandas as pd
import pytest

from kpi_lib.ranking import gini, gini_by_chance, ranked, resampled_gini, standing, tie_groups


@pytest.mark.parametrize(
    ("loads", "index"), [([1, 1, 1], 0), ([0, 0, 3], 2 / 3), ([1, 3], 0.25), ([3, 1], 0.25), ([10, 30], 0.25)]
)
def test_gini_of_a_few(loads, index):
    assert gini(np.array(loads)) == pytest.approx(index)


def test_gini_of_no_work_is_nothing():
    assert np.isnan(gini(np.array([0, 0])))


def test_equal_loads_stay_equal_however_they_are_drawn():
    assert resampled_gini(np.ones(6), "a") == pytest.approx(0)


def test_chance_makes_the_less_unevenness_the_more_contacts_there_are():
    few, many = (gini_by_chance(np.array([160.0, 80, 160]), contacts, "a").mean() for contacts in (30, 3000))
    assert 0 < many < few / 5
    poisson = np.random.default_rng(1).poisson(1000, (2000, 3))
    assert many == pytest.approx(gini(poisson).mean(), rel=0.2)


def test_what_is_sure_stands_at_its_distance_and_what_is_unsure_near_the_mean():
    sure, unsure = standing(np.array([1.0, 2.0, 3.0]), np.full(3, 1e-3))
    assert sure == pytest.approx([-1, 0, 1], abs=1e-4)
    assert unsure == pytest.approx(0, abs=1e-2)
    drawn, spread = standing(np.array([1.0, 2.0, 3.0]), np.array([0.1, 0.1, 2.0]))
    assert abs(drawn[2]) < abs(drawn[1]) * 3
    assert spread[2] > 0.9


def test_differences_within_chance_are_none():
    assert [part.tolist() for part in standing(np.array([1.0, 2.0, 3.0]), np.full(3, 5.0))] == [[0, 0, 0], [0, 0, 0]]


def test_of_whom_nothing_is_known_is_at_the_mean_and_unsure():
    place, unsure = standing(np.array([1.0, np.nan, 3.0]), np.array([0.1, np.nan, 0.1]))
    assert (place[1], unsure[1]) == (0, 1)


def test_ranks_have_limits_that_hold_them_and_are_the_same_in_every_run():
    known = (np.array([2.0, 1.9, -3.0]), np.array([0.5, 0.5, 0.1]))
    first, again = (ranked([known], [1], "2024-05") for _ in range(2))
    pd.testing.assert_frame_equal(first, again)
    assert first["rank"].tolist() == [1, 2, 3]
    assert first[["rank_low", "rank_high"]].to_numpy().tolist() == [[1, 2], [1, 2], [3, 3]]
    assert first["tie_group"].tolist() == [1, 1, 2]
    assert (first["score_low"] <= first["score"]).all()
    assert (first["score"] <= first["score_high"]).all()


def test_the_score_is_the_weighted_mean():
    exact = np.zeros(2)
    made = ranked([(np.array([1.0, 0.0]), exact), (np.array([0.0, 1.0]), exact)], [0.3, 0.1], "a")
    assert made["score"].tolist() == pytest.approx([0.75, 0.25])


def test_a_group_ends_where_limits_no_longer_reach_its_best():
    rank, low, high = (pd.Series(values, dtype=float) for values in ([1, 2, 3, 4], [1, 2, 2, 4], [2, 3, 4, 4]))
    assert tie_groups(rank, low, high).tolist() == [1, 1, 1, 2]  # the third reaches the fourth, but the first does not

"""Lifetime values by arithmetic that can be checked by hand."""

import math

import numpy as np
import pandas as pd
import pytest
from statsmodels.duration.survfunc import SurvfuncRight

from kpi_lib.intervals import LEVEL
from kpi_lib.lifetime import (
    DAYS_PER_MONTH,
    Estimate,
    discounted_months,
    first_month_reaching,
    from_limits,
    mean_of,
    normal_draws,
)

ONE_PERCENT_A_MONTH = 1.01**12 - 1


def leaving(share: float, months: int = 240, customers: float = 1e6) -> pd.DataFrame:
    """Tenures of customers of whom the same share leaves each month."""
    rows, left = [], customers
    for month in range(1, months + 1):
        rows.append({"tenure_days": math.floor(month * DAYS_PER_MONTH), "lost": True, "customers": left * share})
        left *= 1 - share
    return pd.DataFrame([*rows, {"tenure_days": rows[-1]["tenure_days"], "lost": False, "customers": left}])


def test_the_vector_of_the_specification():
    months = discounted_months(leaving(0.05), 240, ONE_PERCENT_A_MONTH)
    assert 20 * months.value == pytest.approx(336.7, abs=0.05)  # 20 a month, 5 % leave, 1 % discount, from t = 0
    assert 20 * (months.value - 1) == pytest.approx(316.7, abs=0.05)  # from t = 1
    assert 20 * discounted_months(leaving(0.05), 240, 0.0).value == pytest.approx(400, abs=0.1)  # revenue / churn


def test_the_horizon_ends_the_sum():
    months = discounted_months(leaving(0.5), 3, 0.0)
    assert months.value == pytest.approx(1 + 0.5 + 0.25)
    assert list(months.curve) == pytest.approx([1, 1.5, 1.75])


def test_the_annual_discount_is_one_twelfth_power_a_month():
    nobody_for_a_year = pd.DataFrame({"tenure_days": [5000, 5001], "lost": [True, False], "customers": [1, 1e9]})
    months = discounted_months(nobody_for_a_year, 13, 0.12)
    assert months.value == pytest.approx(sum(1.12 ** (-month / 12) for month in range(13)))
    assert months.curve[12] - months.curve[11] == pytest.approx(1 / 1.12)


def test_those_who_have_not_left_are_still_customers():
    tenures = pd.DataFrame({"tenure_days": [20, 40, 50], "lost": [False, True, False], "customers": [2, 1, 1]})
    survival = SurvfuncRight([20.0, 20, 40, 50], [0.0, 0, 1, 0])
    months = discounted_months(tenures, 2, 0.0)
    assert months.value == 2  # nobody had left after one month
    third = discounted_months(tenures, 3, 0.0).value - 2
    assert survival.surv_prob[0] == 0.5
    beyond = 2 * DAYS_PER_MONTH - 50
    assert third == pytest.approx(0.5 * math.exp(-beyond / 130))  # one left in 20 + 20 + 40 + 50 days


def test_without_anybody_who_left_there_is_no_lifetime():
    staying = pd.DataFrame({"tenure_days": [100], "lost": [False], "customers": [50]})
    assert math.isnan(discounted_months(staying, 36, 0.1).value)
    assert math.isnan(discounted_months(staying.iloc[:0], 36, 0.1).value)


def test_few_customers_have_a_value_and_no_interval():
    few = pd.DataFrame({"tenure_days": [40, 100], "lost": [True, False], "customers": [1, 28]})
    assert discounted_months(few, 36, 0.1).draws is None
    many = few.assign(customers=[1, 29])
    assert len(discounted_months(many, 36, 0.1).draws) == 2000


def test_draws_are_the_same_in_every_run_and_their_names_tell_them_apart():
    assert np.array_equal(normal_draws("cost", 1, 2), normal_draws("cost", 1, 2))
    assert not np.array_equal(normal_draws("cost", 1, 2), normal_draws("value", 1, 2))


def test_what_shares_its_draws_cancels():
    months = Estimate(10.0, normal_draws("months", 10, 1))
    value, cost = months * 20, months * 18
    low, high = (value - cost).limits()  # of 2 x months, not of two lifetimes apart
    assert (value - cost).value == 20
    assert high - low == pytest.approx(2 * 2 * 1.96, rel=0.1)


def test_limits_contain_the_value_and_are_missing_without_draws():
    assert all(map(math.isnan, Estimate(3.0).limits()))
    low, high = Estimate(100.0, normal_draws("x", 3, 1)).limits()
    assert (low < 10, high) == (True, 100)


def test_a_quotient_by_zero_is_no_value():
    assert math.isnan((Estimate(3.0) / 0).value)
    assert math.isnan((Estimate(3.0) / Estimate(0.0)).value)


def test_arithmetic_with_plain_numbers():
    five = Estimate(5.0, n=40)
    values = [(five + 1).value, (five - 1).value, (1 - five).value, (3 * five).value, (five / 2).value, (five**2).value]
    assert values == [6, 4, -4, 15, 2.5, 25]
    assert (1 - five).n == 40


def test_the_first_month_whose_sum_reaches_an_amount():
    curve = np.array([10.0, 20, 25, 25])
    assert first_month_reaching(curve, 10).value == 1
    assert first_month_reaching(curve, 10.5).value == 2
    assert math.isnan(first_month_reaching(curve, 26).value)
    assert math.isnan(first_month_reaching(None, 1).value)


def test_a_mean_from_its_sums():
    mean = mean_of(60.0, 1000.0, 4, "revenue")  # 10, 10, 20, 20
    assert mean.value == 15
    assert mean.draws.std() == pytest.approx((25 / 3) ** 0.5, rel=0.05)
    assert math.isnan(mean_of(0.0, 0.0, 0, "revenue").value)


def test_draws_made_from_limits_have_these_limits():
    low, high = from_limits("cac", 100.0, 90.0, 130.0).limits()
    assert (low, high) == pytest.approx((90, 130), abs=2)


@pytest.mark.parametrize("many", [1, 2, 40, 41, 2000])
def test_limits_are_the_quantiles_of_the_draws_to_the_last_bit(many):
    draws = np.random.default_rng(many).normal(3, 2, many) ** 3
    middle = float(np.median(draws))
    low, high = np.quantile(draws, [0.5 - LEVEL / 2, 0.5 + LEVEL / 2])
    assert Estimate(middle, draws).limits() == (min(low, middle), max(high, middle))

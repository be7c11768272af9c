"""What the lifetime models predicted a year ago: worked out by hand, and against what came."""

import math
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kpi_lib import holdout
from kpi_lib.intervals import Z
from kpi_lib.purchasing import fit_orders, orders_of_new, orders_to_come

CDNOW = Path(os.environ.get("KPI_EXAMPLES", "-")) / "cdnow/CDNOW_sample.txt"


def of(company, *kpis):
    return company.card(*(kpis or ("clv",))).about["value"].get("holdout")


def subscribers(company):
    """40 customers since 1 January 2022 who pay 20 a month; ten leave after 80 days, three in July 2023."""
    for number in range(40):
        ended = "2022-03-22 00:00" if number < 10 else "2023-07-10" if number < 13 else None
        company.subscription(f"c{number}", "2022-01-01 00:00", ended, mrr=20)
    company.subscription("late", "2023-06-10", mrr=1000)


def test_who_is_there_after_a_year_is_held_against_the_model_of_a_year_ago(company):
    subscribers(company)
    found = of(company)
    assert (found["model"], found["start"], found["customers"]) == ("subscription", "2023-05", 30)
    assert (found["periods"][0], found["periods"][-1], len(found["periods"])) == ("2023-06", "2024-05", 12)
    there, paid = found["tracks"]["customers"], found["tracks"]["revenue"]
    assert there["actual"] == [30.0] + [27.0] * 11
    rate = 10 / (10 * 80 + 30 * 515)  # of leaving: nobody has stayed longer than the 515 whole days to the end of May
    assert there["expected"] == pytest.approx([30 * math.exp(-days * rate) for days in ends("2023-05", 12)])
    assert (paid["start"], paid["actual"][1]) == (600, 540)
    assert paid["expected"] == pytest.approx([20 * customers for customers in there["expected"]])
    share = there["expected"][-1] / 30
    half = Z * math.sqrt(30 * share * (1 - share))
    assert (there["low"][-1], there["high"][-1]) == pytest.approx((30 * share - half, min(30 * share + half, 30)))
    assert paid["low"] == pytest.approx([20 * low for low in there["low"]])


def ends(month, count):
    """Days from the end of a month to the ends of those after it."""
    first = pd.Period(month)
    return [(pd.Period(first + place).end_time - first.end_time).days for place in range(1, count + 1)]


def test_who_stays_has_left_the_steps_behind_that_it_has_passed():
    rows = [(10, False, 10), (50, True, 2), (100, False, 8)]
    tenures = pd.DataFrame(rows, columns=["tenure_days", "lost", "customers"])
    there = [10, 0, 8]
    (mean,), (low,), (high,) = holdout.staying(tenures, [40], there, there)
    # the first ten meet the day on which 2 of 10 left; the eight go beyond all that was seen: 2 left in 1,000 days
    eight = math.exp(-40 * 2 / 1000)
    assert mean == pytest.approx(10 * 0.8 + 8 * eight)
    variance = 10 * 0.8 * 0.2 + 8 * eight * (1 - eight) + 8**2 * 2 / (10 * 8)
    assert mean - low == pytest.approx(Z * math.sqrt(variance))
    assert high == 18  # not more than there are


def test_of_a_running_month_nothing_is_checked(company):
    company.as_of = "2024-05-20T00:00+02:00"
    company.lead("2024-05-19")
    subscribers(company)
    assert of(company)["periods"][-1] == "2024-04"


@pytest.mark.parametrize("began", ["2022-06-05", "2023-06-05"])
def test_less_than_a_year_of_history_is_too_little(company, began):
    for number in range(40):
        company.subscription(f"c{number}", began, "2023-04-01" if number < 5 and began < "2023" else None)
    company.subscription("z")  # the first one is there since 2023
    assert of(company) is None


def test_when_nobody_had_left_there_was_no_prediction(company):
    for number in range(40):
        company.subscription(f"c{number}", "2021-01-01", "2024-01-01" if number < 5 else None)
    assert of(company) is None


def test_what_is_counted_is_no_prediction(company):
    company.params(customer_value={"model": "realised"})
    subscribers(company)
    company.transaction("ada", 10)
    assert of(company) is None


def test_it_is_computed_only_where_it_is_asked_for(company):
    subscribers(company)
    assert of(company, "churn_rate") is None


def shop(seed, customers, days):
    """Orders of simulated customers: `customer, day` counted from 2022."""
    chance, rows = np.random.default_rng(seed), []
    for customer in range(customers):
        day, pause, leaves = float(chance.integers(0, 300)), 1 / chance.gamma(1, 1 / 40), chance.beta(0.8, 2.5)
        while day < days:
            rows.append((customer, int(day)))
            day += 1 + chance.exponential(pause)
            if chance.random() < leaves:
                break
    return pd.DataFrame(rows, columns=["customer", "day"]).drop_duplicates()


def known(orders, until):
    """Frequency, recency and age of each customer at the end of a day."""
    days = orders[orders["day"] <= until].groupby("customer")["day"].agg(["count", "min", "max"])
    return pd.DataFrame(
        {
            "frequency": days["count"] - 1,
            "recency": days["max"] - days["min"],
            "age": until - days["min"],
            "customers": 1,
        }
    )


def test_orders_are_held_against_the_model_of_a_year_ago(company):
    company.params(customer_value={"model": "purchases"})
    orders = shop(3, 260, 882)
    for customer, day in orders.itertuples(index=False):
        company.transaction(f"c{customer}", 10, f"{pd.Timestamp('2022-01-01 12:00') + pd.Timedelta(days=day)}")
    found = of(company)
    base = (pd.Timestamp("2023-05-31") - pd.Timestamp("2022-01-01")).days
    then = known(orders, base)
    later = orders[(orders["day"] > base) & orders["customer"].isin(then.index)]["day"] - base
    track = found["tracks"]["orders"]
    assert (found["customers"], track["start"]) == (len(then), 0)
    assert track["actual"] == [(later <= days).sum() for days in ends("2023-05", 12)]
    fit = fit_orders(then["frequency"], then["recency"], then["age"], then["customers"])
    come = orders_to_come(fit.parameters, then["frequency"], then["recency"], then["age"], ends("2023-05", 12)[-1])
    assert track["expected"][-1] == pytest.approx(come.sum())
    assert track["low"][-1] < track["actual"][-1] < track["high"][-1]


def one(frequency, recency, age):
    return pd.DataFrame({"frequency": [frequency], "recency": [recency], "age": [age], "customers": [7]})


def test_the_chance_in_orders_of_who_never_leaves_is_negative_binomial():
    stays = np.array([2, 10, 1e-12, 1])
    # rate gamma(2 + 1, 10 + 3.5): in 13.5 days an odds of one half, so 3 orders with a variance of 6
    assert holdout.chance(one(1, 1, 3.5), stays, [13.5]) == pytest.approx([7 * 6], rel=1e-5)


def test_the_chance_in_orders_of_who_leaves_after_one_is_that_of_a_coin():
    leaves = np.array([1, 10, 1, 1e-12])
    assert holdout.chance(one(0, 0, 3.5), leaves, [13.5]) == pytest.approx([7 * 0.25])


def test_the_chance_in_orders_is_that_of_simulated_customers():
    r, alpha, a, b = 0.9, 60, 0.8, 2.5
    chance, count = np.random.default_rng(5), 40_000
    rate, leaves = chance.gamma(r, 1 / (alpha + 3.5), count), chance.beta(a, b, count)
    orders, at, there = np.zeros(count), np.zeros(count), np.ones(count) > 0
    while there.any():
        at = at + chance.exponential(1 / rate)
        there &= at <= 365
        orders += there
        there &= chance.random(count) > leaves
    nobody_gone = holdout.chance(one(0, 0, 3.5), np.array([r, alpha, a, b]), [365])[0] / 7
    assert orders.var() == pytest.approx(nobody_gone, rel=0.04)


@pytest.mark.skipif(not CDNOW.is_file(), reason="KPI_EXAMPLES names no folder with cdnow/CDNOW_sample.txt")
def test_the_39_weeks_of_the_cdnow_sample_that_were_held_out():
    rows = pd.read_csv(CDNOW, sep=r"\s+", names=["master", "customer", "date", "discs", "amount"], dtype=str)
    day = (pd.to_datetime(rows["date"]) - pd.Timestamp("1997-01-01")).dt.days
    orders = pd.DataFrame({"customer": rows["customer"], "day": day}).drop_duplicates()
    base = (pd.Timestamp("1997-09-30") - pd.Timestamp("1997-01-01")).days
    then, weeks = known(orders, base), [7 * week for week in range(1, 40)]
    later = orders.loc[orders["day"] > base, "day"] - base
    came = np.array([(later <= days).sum() for days in weeks])
    assert (len(then), then["frequency"].sum(), came[-1]) == (2357, 2457, 1882)
    fit = fit_orders(then["frequency"], then["recency"], then["age"], then["customers"])
    of_new = orders_of_new(fit.parameters, then["age"].to_numpy() + weeks[-1]).sum()
    assert of_new / (2457 + 1882) == pytest.approx(0.96, abs=0.005)  # over all 78 weeks 4 % too few
    mean, low, high = holdout.ordering(then, fit, weeks)
    assert mean[-1] == pytest.approx(1653.4, abs=0.1)
    assert low[4] < came[4] < high[4]
    assert high[-1] == pytest.approx(1852.7, abs=0.5)  # so that 1,882 is more than chance explains
    assert (np.diff(high - low) > 0).all()

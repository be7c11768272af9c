"""Estimators on sums as the engine sends them, and on a few rows of a memory table."""

import ibis
import numpy as np
import pandas as pd
import pytest

from kpi_lib.errors import UnknownNameError
from kpi_lib.estimate import CENSUS, ByMember, Count, Mean, Net, PerPeriod, Ratio, Share, Total
from kpi_lib.kpi import _Symbol

ANY = _Symbol()


def estimated(estimator, reading="", **sums):
    return estimator.estimate(pd.DataFrame({name: [float(value)] for name, value in sums.items()}), reading).iloc[0]


def fetched(estimator, **columns):
    """The sums of an estimator over the rows of a memory table: `estimator` is a function of the table."""
    table = ibis.memtable(pd.DataFrame(columns))
    sums = estimator(table).sums()
    row = table.aggregate(**{name: expression.sum() for name, expression in sums.items()}).to_pandas()
    return row.astype("float64").iloc[0].to_dict()


def test_a_share_is_percent_with_its_numerator_and_denominator():
    row = estimated(Share(ANY), k=45, n=50)
    assert (row["value"], row["numerator"], row["denominator"], row["n"]) == (90, 45, 50, 50)
    assert (row["low"], row["high"]) == pytest.approx((78.64, 95.65), abs=0.005)
    assert (row["method"], row["status"]) == ("Wilson", "ok")


def test_a_share_of_nothing_is_undefined_never_zero_or_a_hundred():
    row = estimated(Share(ANY), k=0, n=0)
    assert row["status"] == "undefined"
    assert row[["value", "low", "high"]].isna().all()
    assert row["n"] == 0


def test_rows_outside_of_the_condition_and_unknown_answers_are_in_no_share():
    sums = fetched(lambda t: Share(t.hit, of=t.asked), hit=[True, True, False, True], asked=[True, True, True, False])
    assert sums == {"k": 2, "n": 3}
    unknown = pd.array([True, False, None], dtype="boolean")
    assert fetched(lambda t: Share(t.hit), hit=unknown) == {"k": 1, "n": 2}


def test_clusters_widen_the_interval_of_a_share_and_leave_its_value():
    alone = estimated(Share(ANY), k=40, n=80)
    pairs = estimated(Share(ANY, cluster="customer_id"), k=40, n=80, groups=40, yy=80, xx=160, xy=80)
    assert pairs["value"] == alone["value"] == 50
    assert pairs["high"] - pairs["low"] > 1.3 * (alone["high"] - alone["low"])
    assert pairs["method"] == "Wilson, clustered by customer"


def test_net_promoters():
    row = estimated(Net(ANY, ANY, ANY), p=50, d=20, n=100)
    assert (row["value"], row["numerator"], row["denominator"]) == (30, 30, 100)
    assert (row["low"], row["high"]) == pytest.approx((14.1, 44.2), abs=0.05)
    best = estimated(Net(ANY, ANY, ANY), p=10, d=0, n=10)
    assert (best["value"], best["low"], best["high"]) == pytest.approx((100, 47.5, 100), abs=0.05)


def test_the_readings_of_a_net_score_are_shares_that_add_up():
    values = [
        estimated(Net(ANY, ANY, ANY), reading, p=50, d=20, n=100)["value"]
        for reading in ("promoters", "passives", "detractors")
    ]
    assert values == [50, 30, 20]


def test_an_interval_always_contains_its_value():
    row = estimated(Net(ANY, ANY, ANY), p=0, d=1, n=1)
    assert row["low"] <= row["value"] == -100 <= row["high"]


def test_a_count_is_a_census_and_zero_is_a_value():
    row = estimated(Count(ANY), n=0)
    assert (row["value"], row["status"], row["method"]) == (0, "ok", "census")
    assert row[["low", "high"]].isna().all()
    assert Count(ANY).interval == CENSUS
    assert Total(ANY).interval == CENSUS
    assert Share(ANY).interval != CENSUS


def test_a_total_leaves_out_what_is_unknown_or_not_asked_for():
    sums = fetched(lambda t: Total(t.amount, of=t.mine), amount=[1.5, np.nan, 4, 8], mine=[True, True, True, False])
    assert sums == {"total": 5.5, "n": 2}
    assert estimated(Total(ANY), **sums)["value"] == 5.5


def test_a_mean_over_few_rows_has_a_value_and_no_interval():
    sums = fetched(lambda t: Mean(t.amount), amount=[2.0, 4.0, np.nan, 9.0])
    row = estimated(Mean(ANY), **sums)
    assert (row["value"], row["n"], row["status"]) == (5, 3, "ok")
    assert row[["low", "high"]].isna().all()
    assert row["method"] == "not estimable: n < 400"


def test_a_mean_over_400_rows_or_30_clusters_has_an_interval():
    sums = {"y": 400 * 5, "x": 400, "yy": 400 * 29}  # variance 4
    row = estimated(Mean(ANY), **sums)
    half = 1.9659 * (4 / 399) ** 0.5
    assert (row["low"], row["high"]) == pytest.approx((5 - half, 5 + half), abs=1e-4)
    clusters = {"y": 300, "x": 60, "xx": 120, "xy": 600, "yy": 3100}
    assert estimated(Mean(ANY, cluster="day"), groups=30, **clusters)["method"] == "delta method by day"
    few = estimated(Mean(ANY, cluster="day"), groups=29, **clusters)
    assert np.isnan(few["low"])
    assert few["method"] == "not estimable: fewer than 30 clusters"


def test_a_ratio_scales_and_a_zero_denominator_is_undefined():
    ratio = Ratio(Count(ANY), Count(ANY), scale=100, cluster="day")
    moments = {"yy": 0, "xx": 0, "xy": 0, "groups": 2}
    row = estimated(ratio, y=30, x=20, **moments)
    assert (row["value"], row["numerator"], row["denominator"]) == (150, 30, 20)
    assert estimated(ratio, y=30, x=0, **moments)["status"] == "undefined"


def test_a_ratio_to_a_count_has_the_counts_poisson_interval():
    cost = Ratio(Total(ANY), Count(ANY), process=True)
    row = estimated(cost, y=300, x=30, dispersion=1)
    assert row["value"] == 10
    assert (row["low"], row["high"]) == pytest.approx((300 / 42.83, 300 / 20.24), rel=5e-4)
    wider = estimated(cost, y=300, x=30, dispersion=4)
    assert wider["low"] < row["low"]
    assert wider["high"] > row["high"]


def test_a_ratio_to_the_days_of_the_period_is_a_census():
    row = estimated(Ratio(Count(ANY), PerPeriod("working_days")), y=42, working_days=21)
    assert (row["value"], row["method"], row["status"]) == (2, "census", "ok")


def test_a_reading_that_an_estimator_does_not_have_is_refused():
    with pytest.raises(UnknownNameError, match="no reading 'promoter' of Net - did you mean 'promoters'"):
        Net(ANY, ANY, ANY).companions(promoter="9 or 10")


def test_by_member_names_its_cut():
    made = ByMember(Count(ANY), cut="channel")
    assert (made.cut, type(made.estimator)) == ("channel", Count)


def test_a_share_of_what_is_not_so_counts_the_rows_where_that_is_known():
    rows = ibis.memtable({"open": [True, False, None]}, schema={"open": "boolean"})
    sums = Share(~rows.open).sums()
    counted = rows.aggregate(**{name: part.sum() for name, part in sums.items()}).to_pandas()
    assert counted.iloc[0].to_dict() == {"k": 1, "n": 2}

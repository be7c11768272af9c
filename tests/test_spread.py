"""How what customers have paid is spread: the median, the tenths and the bars of amounts that can be worked out."""

import pytest

from kpi_lib import spread


def of(company, *kpis):
    return company.card(*(kpis or ("clv", "clv.realised"))).about["value"].get("spread")


def hundred(company):
    """A hundred customers who paid 1, 2, 3 ... 100 EUR."""
    for amount in range(1, 101):
        company.transaction(f"c{amount:03d}", amount, "2024-05-10")


def test_the_tenths_the_median_and_the_mean_of_what_was_paid(company):
    hundred(company)
    company.transaction("c001", 999, "2024-06-01 00:00")  # June
    found = of(company)
    assert (found["customers"], found["total"], found["mean"], found["median"]) == (100, 5050, 50.5, 50.5)
    assert found["tenths"][0] == {"customers": 10, "low": 1, "high": 10, "total": 55}
    assert found["tenths"][9] == {"customers": 10, "low": 91, "high": 100, "total": 955}
    assert sum(tenth["total"] for tenth in found["tenths"]) == 5050
    assert found["mean"] == company.value("clv.realised")


def test_the_median_of_an_odd_number_is_the_customer_in_the_middle(company):
    hundred(company)
    company.transaction("c101", 101, "2024-05-10")
    assert of(company)["median"] == 51


def test_the_bars_count_every_customer_and_the_last_is_open(company):
    hundred(company)
    bars = of(company)["bars"]
    assert (bars["start"], bars["width"]) == (0, 5)  # 24 bars of 5 reach 95, which one in twenty exceeds
    assert bars["customers"] == [4, *[5] * 18, 6]


def test_who_got_back_more_than_it_paid_stands_below_zero(company):
    hundred(company)
    for amount in (40, 500):
        company.transaction("c003", -amount, "2024-05-20")
    bars = of(company)["bars"]
    assert (bars["start"], bars["customers"][:2]) == (-5, [1, 3])
    assert sum(bars["customers"]) == 100


def test_tests_and_staff_are_no_customers(company):
    company.customer("tess", is_test=True)
    hundred(company)
    company.transaction("tess", 9999)
    assert of(company)["customers"] == 100


def test_fewer_than_a_hundred_customers_are_not_spread(company):
    for amount in range(99):
        company.transaction(f"c{amount}", 10)
    assert of(company) is None


def test_without_purchases_there_is_nothing_to_spread(company):
    company.subscription("ada")
    assert of(company) is None


def test_it_is_counted_only_where_it_is_asked_for(company):
    hundred(company)
    assert of(company, "nps") is None


@pytest.mark.parametrize(("reach", "width"), [(24, 1), (25, 2), (95, 5), (240, 10), (2281, 100), (0.5, 0.05)])
def test_bars_are_of_round_widths(reach, width):
    assert spread.step(reach) == pytest.approx(width)

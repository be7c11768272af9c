"""Customer value: lifetime value, cost and profit, and what it costs to win a customer."""

import math

import pytest

from kpi_lib.lifetime import DAYS_PER_MONTH

COST = ("customer_lifetime_cost",)
ACQUISITION = ("cac", "cac.paid")
RATIOS = ("ltv_cac_ratio", "ltv_cac_ratio.gap", "ltv_cac_ratio.payback_months", "ltv_cac_ratio.revenue",
          "customer_lifetime_profit", "customer_lifetime_profit.after_acquisition")  # fmt: skip
PLAIN = {"model": "subscription", "horizon_months": 2, "annual_discount": 0.0}


def forty(company, *, lost=10):
    """40 customers since 1 May who pay 20 a month; `lost` of them leave after ten days."""
    for number in range(40):
        company.subscription(f"c{number}", "2024-05-01 00:00", "2024-05-11 00:00" if number < lost else None, mrr=20)


def test_the_value_of_a_subscription_is_revenue_times_the_months_to_expect(company):
    company.params(customer_value=PLAIN)
    forty(company)
    row = company.row("clv.subscription")
    # month 0: all; month 1: 3/4, for all of its 30.4 days are inside the 31 days watched
    assert (row["value"], row["n"], row["status"]) == (pytest.approx(20 * 1.75), 30, "ok")
    assert row["low"] < row["value"] < row["high"]


def test_beyond_the_longest_tenure_the_overall_rate_of_leaving_goes_on(company):
    company.params(customer_value=PLAIN | {"horizon_months": 3})
    forty(company)
    rate = 10 / (10 * 10 + 30 * 31)  # ten left in 1,030 days
    third = 0.75 * math.exp(-(2 * DAYS_PER_MONTH - 31) * rate)
    assert company.value("clv.subscription") == pytest.approx(20 * (1.75 + third))


def test_value_is_discounted_by_the_year(company):
    company.params(customer_value=PLAIN | {"annual_discount": 0.12})
    forty(company)
    assert company.value("clv.subscription") == pytest.approx(20 * (1 + 0.75 / 1.12 ** (1 / 12)))


def test_what_happens_after_the_period_is_not_known_in_it(company):
    company.params(customer_value=PLAIN)
    forty(company)
    company.subscription("late", "2024-06-10", mrr=1000)
    for number in range(10, 30):
        company.rows["subscriptions"][number]["ended_at"] = "2024-06-05"
    assert company.value("clv.subscription") == pytest.approx(20 * 1.75)


def test_without_anybody_who_left_a_lifetime_is_not_estimable(company):
    forty(company, lost=0)
    row = company.row("clv.subscription")
    assert (row["status"], row["value"]) == ("not_estimable", None)


def test_few_customers_have_a_value_and_no_interval(company):
    company.params(customer_value=PLAIN)
    for number in range(8):
        company.subscription(f"c{number}", "2024-05-01", "2024-05-11" if number < 2 else None, mrr=20)
    row = company.row("clv.subscription")
    assert (row["value"], row["low"], row["high"]) == (pytest.approx(35), None, None)


def test_the_value_by_segment(company):
    company.params(customer_value=PLAIN)
    company.customer("x", segment="large")
    forty(company)
    for number in range(40):
        company.customer(f"c{number}", segment="large" if number >= 20 else "small")
    values = company.members("clv.subscription", "segment")
    assert values["small"] == pytest.approx(20 * 1.5)
    assert values["large"] is None or values["large"] != values["large"]  # nobody left


def test_realised_value_is_what_buyers_paid_less_what_they_got_back(company):
    company.customer("tess", is_test=True)
    company.transaction("ada", 100, "2024-01-10")
    company.transaction("ada", 50, "2024-05-10")
    first = company.transaction("bo", 80, "2024-05-10")
    company.transaction("bo", -30, "2024-05-20", refunds_transaction_id=first)
    company.transaction("cy", 999, "2024-06-01 00:00")  # June
    company.transaction("tess", 999)
    row = company.row("clv.realised")
    assert (row["value"], row["n"]) == (100, 2)  # 150 and 50
    assert company.value("clv.realised", "2024-04", reported="2024-05") == 100


def test_the_headline_is_the_model_of_params(company):
    forty(company)
    company.transaction("ada", 100)
    company.params(customer_value=PLAIN)
    company.card("clv", "clv.realised")
    assert company.value("clv") == company.value("clv.subscription") == pytest.approx(35)
    assert company.row("clv")["low"] == company.row("clv.subscription")["low"]
    company.params(customer_value={"model": "realised"})
    company.card("clv")
    assert company.value("clv") == company.value("clv.realised") == 100


def test_the_headline_does_not_need_the_tables_of_another_model(company):
    company.params(customer_value=PLAIN)
    forty(company)
    company.card("clv")
    assert company.value("clv") == pytest.approx(35)
    assert company.status("clv.realised") == "not_available"


def test_lifetime_cost_is_cost_for_each_active_customer_over_the_same_months(company):
    company.params(customer_value=PLAIN)
    forty(company)
    company.cost(70)
    company.cost(35, center="serve")
    company.cost(9999, center="acquisition")
    card = company.card(*COST, "clv", "customer_lifetime_profit")
    # 40 at the start of May, 30 at its end: 35 on average, 3 a month for each
    assert company.value("customer_lifetime_cost") == pytest.approx(3 * 1.75)
    profit = company.row("customer_lifetime_profit")
    assert profit["value"] == pytest.approx(17 * 1.75)
    assert profit["value"] == pytest.approx(company.value("clv") - company.value("customer_lifetime_cost"))
    assert profit["low"] < profit["value"] < profit["high"]
    apart = company.row("clv")["high"] - company.row("customer_lifetime_cost")["low"]
    assert profit["high"] < apart  # both share the lifetime
    assert card.about["kpis"]["customer_lifetime_profit"]["unit"] == "currency"


def test_the_cost_of_a_quarter_is_spread_over_its_months(company):
    company.params(customer_value=PLAIN)
    for number in range(40):
        company.subscription(f"c{number}", "2024-04-01 00:00", "2024-04-11" if number < 10 else None, mrr=20)
    company.cost(315, first="2024-04-01", last="2024-06-30")
    assert company.value("customer_lifetime_cost", "2024-Q2") == pytest.approx(3 * 1.75)


def test_the_lifetime_cost_of_a_running_month_goes_by_its_pace_so_far(company):
    company.as_of = "2024-06-11T00:00+02:00"
    company.params(customer_value=PLAIN)
    company.lead("2024-06-10")
    forty(company)
    company.cost(90, first="2024-06-01", last="2024-06-30")  # 3 a month for each of 30
    assert company.value("customer_lifetime_cost", "2024-06", reported="2024-06") == pytest.approx(3 * 1.75)


def winners(company):
    """Four customers won in May, one of them through search and one through display."""
    for number, channel in enumerate(("search", "display", "referral", None)):
        company.customer(f"w{number}", first_paid_at=f"2024-05-{number + 10}", acquisition_channel=channel)
    company.customer("june", first_paid_at="2024-06-01 00:00", acquisition_channel="search")
    company.customer("never")
    company.customer("tess", first_paid_at="2024-05-10", is_test=True)
    company.cost(60, center="acquisition", channel="search", category="media")
    company.cost(140, center="acquisition", category="salary")
    company.cost(999)


def test_the_cost_of_winning_a_customer_is_all_of_it_over_all_of_them(company):
    winners(company)
    company.card(*ACQUISITION)
    row = company.row("cac")
    assert (row["value"], row["numerator"], row["denominator"], row["excluded"]) == (50, 200, 4, {"test": 1})
    assert row["low"] < 50
    paid = company.row("cac.paid")
    assert (paid["value"], paid["denominator"]) == (30, 2)


def test_spend_may_come_before_the_customers_it_wins(company):
    winners(company)
    company.cost(400, center="acquisition", first="2024-04-01", last="2024-04-30")
    company.params(acquisition={"lag_months": 1})
    assert company.value("cac") == 100


def test_nobody_won_is_undefined(company):
    winners(company)
    company.customer("early", first_paid_at="2024-01-10")
    company.cost(100, center="acquisition", first="2024-04-01", last="2024-04-30")
    assert company.status("cac", "2024-04", reported="2024-05") == "undefined"


def test_value_against_what_it_cost_to_win(company):
    company.params(customer_value=PLAIN)
    forty(company)
    company.cost(70)  # 2 a month for each customer: 18 of 20 are left
    for number in range(10):
        company.customer(f"w{number}", first_paid_at=f"2024-05-{number + 10}")
    company.cost(200, center="acquisition")
    company.card(*RATIOS, "cac", "clv")
    profit, cac = 18 * 1.75, 20
    assert company.value("cac") == cac
    assert company.value("customer_lifetime_profit") == pytest.approx(profit)
    assert company.value("customer_lifetime_profit.after_acquisition") == pytest.approx(profit - cac)
    assert company.value("ltv_cac_ratio") == pytest.approx(profit / cac)
    assert company.value("ltv_cac_ratio.revenue") == pytest.approx(35 / cac)
    assert company.value("ltv_cac_ratio.gap") == pytest.approx(35 - cac)
    assert company.value("ltv_cac_ratio.payback_months") == 2  # 18 after the first month, 31.50 after the second
    row = company.row("ltv_cac_ratio")
    assert row["low"] < row["value"] < row["high"]


def test_a_cost_that_is_never_paid_back_has_no_month(company):
    company.params(customer_value=PLAIN)
    forty(company)
    company.cost(70)
    company.customer("w", first_paid_at="2024-05-10")
    company.cost(1000, center="acquisition")
    company.card(*RATIOS)
    assert company.status("ltv_cac_ratio.payback_months") == "not_estimable"
    assert company.value("ltv_cac_ratio") == pytest.approx(0.0315)


def test_customers_won_for_nothing_have_no_ratio(company):
    company.params(customer_value=PLAIN)
    forty(company)
    company.cost(70)
    company.customer("w", first_paid_at="2024-05-10")
    assert company.status("ltv_cac_ratio") == "undefined"


def test_without_costs_what_needs_them_is_not_available_and_says_so(company):
    company.params(customer_value=PLAIN)
    forty(company)
    company.customer("w", first_paid_at="2024-05-10")
    company.card(*RATIOS, *ACQUISITION, "clv")
    assert company.status("clv") == "ok"
    for address in (*RATIOS, *ACQUISITION):
        row = company.row(address)
        assert (row["status"], row["value"], row["verdict"]) == ("not_available", None, "withheld"), address
    assert company.row("cac")["method"] == "no table costs"

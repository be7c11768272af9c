"""Customer value: lifetime value, cost and profit."""

import math
import re

import numpy as np
import pandas as pd
import pytest

from kpi_lib.facts import FACTS, Data
from kpi_lib.facts.calendar import Calendar
from kpi_lib.facts.data import STACK
from kpi_lib.lifetime import DAYS_PER_MONTH
from kpi_lib.params import Hours
from kpi_lib.period import Period
from kpi_lib.purchasing import lifetime_value

COST = ("customer_lifetime_cost",)
MAY = Calendar((Period.parse("2024-05"),), "Europe/Berlin", Hours())
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


def history(company):
    """What the small frame of the model holds of each kind, for May and for all customers."""
    company.card("clv.purchases")
    data = Data(company._source.tables, company._source.as_of, company.loaded(), MAY, company._source.columns)
    rows = FACTS["customer_purchases"].function(data)
    rows = rows.filter(rows.excluded.isnull()) if "excluded" in rows.columns else rows
    return FACTS["customer_purchases"].summary(data.stacked(rows, [""]), STACK).to_pandas()


def test_an_order_is_what_is_left_of_a_day(company):
    company.customer("tess", is_test=True)
    for at, amount in (("2024-05-01 23:30", 30), ("2024-05-02 00:10", 5), ("2024-05-02 22:00", 25), ("2024-05-20", 7)):
        last = company.transaction("ada", amount, at)
    company.transaction("ada", -7, "2024-05-25", refunds_transaction_id=last)  # no order: nothing is left
    company.transaction("bo", 40, "2024-05-30")
    free = company.transaction("cy", 9, "2024-05-05")
    company.transaction("cy", -9, "2024-05-06", kind="chargeback", refunds_transaction_id=free)
    company.transaction("cy", 0, "2024-05-07")
    company.transaction("tess", 10, "2024-05-05")
    company.transaction("di", 10, "2024-06-01 00:00")
    them = history(company)
    now = them[them["kind"] == "orders"].sort_values("frequency")
    assert now[["frequency", "recency", "age", "customers", "amount", "other"]].to_numpy().tolist() == [
        [0, 0, 1, 1, 40, 1600],
        [1, 1, 30, 1, 30, 900],
    ]
    spend = them[them["kind"] == "spend"]
    assert spend[["frequency", "customers", "amount", "other"]].to_numpy().tolist() == [[1, 1, 30, math.log(30)]]


def test_an_order_given_back_later_was_one_until_then(company):
    company.transaction("ada", 10, "2024-04-01")
    back = company.transaction("ada", 10, "2024-05-01")
    company.transaction("ada", -10, "2024-06-01", refunds_transaction_id=back)
    them = history(company)
    assert them.loc[them["kind"] == "orders", "frequency"].to_list() == [1]


def test_money_back_that_belongs_to_no_order_lessens_the_repeat_orders(company):
    for day in ("01", "05", "09"):
        company.transaction("ada", 30, f"2024-05-{day}")
    company.transaction("ada", -10, "2024-05-20")
    company.transaction("bo", 30, "2024-05-01")
    company.transaction("bo", -10, "2024-05-20")  # who has none: its only order
    them = history(company)
    assert them.loc[them["kind"] == "spend", ["frequency", "amount"]].to_numpy().tolist() == [[2, 25]]
    now = them[them["kind"] == "orders"].sort_values("frequency")
    assert now["amount"].to_list() == [20, 30]


def test_the_holdout_is_who_was_known_half_a_year_before_and_what_came_since(company):
    company.transaction("ada", 10, "2023-11-10")
    company.transaction("ada", 10, "2023-11-30 23:59")
    company.transaction("ada", 10, "2023-12-01 00:00")
    company.transaction("ada", 10, "2024-05-31")
    company.transaction("bo", 10, "2024-01-01")
    them = history(company)
    held = them[them["kind"] == "holdout"]
    assert held[["frequency", "recency", "age", "customers", "amount"]].to_numpy().tolist() == [[1, 20, 20, 1, 2]]


def test_above_a_number_of_customers_times_are_kept_to_the_week(company, monkeypatch):
    monkeypatch.setattr("kpi_lib.facts.purchases.MOST_BY_DAY", 1)
    for customer, day in (("ada", "01"), ("bo", "03")):
        company.transaction(customer, 10, f"2024-05-{day}")
        company.transaction(customer, 10, f"2024-05-{int(day) + 15}")
    them = history(company)
    now = them[them["kind"] == "orders"]
    assert now[["frequency", "recency", "age", "customers"]].to_numpy().tolist() == [[1, 17, 31, 2]]  # 15, and 28 or 30


def shop(company):
    """400 buyers since last year who order and leave by chance, each about as much as it always does."""
    chance = np.random.default_rng(1)
    for number in range(400):
        day, pause, usual = chance.integers(0, 400), 1 / chance.gamma(1, 1 / 30), 60 / chance.gamma(4)
        leaves = chance.beta(0.8, 2.5)
        while day < 500:
            at = pd.Timestamp("2023-01-15") + pd.Timedelta(days=int(day))
            company.transaction(f"c{number}", round(chance.gamma(6) * usual, 2) + 1, f"{at:%Y-%m-%d}")
            day += 1 + chance.exponential(pause)
            if chance.random() < leaves:
                break


def test_the_value_of_a_buyer_is_the_first_order_and_those_to_expect(company):
    company.params(customer_value={"model": "purchases", "horizon_months": 12, "annual_discount": 0.1})
    shop(company)
    company.card("clv.purchases", "clv")
    row = company.row("clv.purchases")
    assert (row["status"], row["n"]) == ("ok", 400)
    assert re.fullmatch(r"BG/NBD and Gamma-Gamma; holdout of 6 months: \d+ orders expected, \d+ came", row["method"])
    assert row["low"] < row["value"] < row["high"]
    assert row["value"] == pytest.approx(lifetime_value(history(company), 12, 0.1).value)
    assert 120 < row["value"] < 120 * 12
    assert company.value("clv") == row["value"]


def test_too_few_who_ordered_again_have_no_value(company):
    company.transaction("ada", 100)
    company.transaction("ada", 100, "2024-05-20")
    row = company.row("clv.purchases")
    assert (row["status"], row["value"]) == ("not_estimable", None)
    assert row["method"] == "only 1 customers ordered again; 100 are needed"


@pytest.mark.parametrize("model", ["realised", "purchases"])
def test_profit_is_of_subscribers_whose_months_the_cost_is_of(company, model):
    company.params(customer_value=PLAIN | {"model": model})
    forty(company)
    shop(company)
    company.cost(70)
    company.card("customer_lifetime_profit", "clv", "ltv_cac_ratio")
    assert company.value("clv") > 0
    row = company.row("customer_lifetime_profit")
    assert (row["status"], row["value"]) == ("not_estimable", None)
    assert "months of a subscription" in row["method"]


def test_realised_value_by_the_month_of_the_first_purchase(company):
    company.transaction("ada", 100, "2024-03-31 23:30")
    company.transaction("ada", 50, "2024-05-10")
    company.transaction("bo", 80, "2024-04-01 00:30")
    company.transaction("cy", 40, "2024-04-30")
    assert company.members("clv.realised", "cohort") == {"2024-03": 150, "2024-04": 60}


def test_without_any_cost_of_service_there_is_no_lifetime_cost(company):
    for number in range(40):
        company.subscription(f"customer {number}", ended="2024-05-20" if number < 4 else None)
    company.cost(100, "acquisition")
    company.cost(100, "support", "2024-04-01", "2024-04-30")
    row = company.row("customer_lifetime_cost")
    assert (row["status"], row["method"]) == ("undefined", "no cost of support or service is entered")
    assert company.status("customer_lifetime_profit") == "undefined"


def test_a_ratio_with_one_limit_only_has_none(company):
    for number in range(10):
        company.customer(f"customer {number}", first_paid_at="2024-05-10")
    company.cost(910, "acquisition")
    row = company.row("cac")
    assert (row["value"], row["low"], row["high"]) == (91, None, None)
    assert row["method"] == "not estimable: too few for two limits"

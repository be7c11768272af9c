"""Acquisition: what customers and leads cost to win, and how that pays back."""

import math

import pytest

ACQUISITION = ("cac", "cac.paid")
RATIOS = ("ltv_cac_ratio", "ltv_cac_ratio.gap", "ltv_cac_ratio.payback_months", "ltv_cac_ratio.revenue",
          "customer_lifetime_profit", "customer_lifetime_profit.after_acquisition")  # fmt: skip
PLAIN = {"model": "subscription", "horizon_months": 2, "annual_discount": 0.0}


def forty(company, *, lost=10):
    """40 customers since 1 May who pay 20 a month; `lost` of them leave after ten days."""
    for number in range(40):
        company.subscription(f"c{number}", "2024-05-01 00:00", "2024-05-11 00:00" if number < lost else None, mrr=20)


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


LEADS = ("cost_per_lead", "cost_per_lead.qualified", "cost_per_lead.conversion")


def leads(company):
    """Five people ask in May, one of them twice; two are found worth pursuing, and a bot and a tester ask as well."""
    company.customer("tess", is_test=True)
    company.lead("2024-05-02", channel="search", contact_hash="a", qualified_at="2024-05-03")
    company.lead("2024-05-04", channel="display", contact_hash="a", qualified_at="2024-05-05")
    company.lead("2024-05-05", channel="search", contact_hash="b", qualified_at="2024-06-20")
    company.lead("2024-05-06", channel="display", contact_hash="c")
    company.lead("2024-05-31 23:59", channel="display")
    company.lead("2024-05-31 23:59", channel="display")
    company.lead("2024-06-01", channel="display")
    company.lead("2024-05-07", channel="search", contact_hash="b", is_bot=True, qualified_at="2024-05-07")
    company.lead("2024-05-08", channel="search", customer_id="tess")
    company.cost(60, center="acquisition", category="media", channel="search")
    company.cost(40, center="acquisition", category="salary")
    company.cost(77, center="acquisition", category="rent")
    company.cost(999, category="media")


def test_the_cost_of_a_lead_is_marketing_over_people_who_asked(company):
    leads(company)
    company.card(*LEADS, cuts=True)
    row = company.row("cost_per_lead")
    assert (row["value"], row["numerator"], row["denominator"]) == (20, 100, 5)
    assert row["excluded"] == {"bot": 1, "duplicate": 1, "test": 1}
    assert 0 < row["low"] < 20 < row["high"]
    assert company.value("cost_per_lead.qualified") == 50
    by_channel = company.members("cost_per_lead", "channel")
    assert by_channel["search"] == 30
    assert math.isnan(by_channel["display"])  # its costs were not entered


def test_the_marketing_categories_are_those_of_params(company):
    leads(company)
    company.params(acquisition={"marketing_categories": ["media"]})
    assert company.value("cost_per_lead") == 12


def test_a_bot_does_not_make_a_person_a_duplicate(company):
    company.lead("2024-05-01", contact_hash="a", is_bot=True)
    company.lead("2024-05-02", contact_hash="a")
    company.cost(10, center="acquisition")
    row = company.row("cost_per_lead")
    assert (row["denominator"], row["excluded"]) == (1, {"bot": 1})


def test_somebody_who_asked_in_an_earlier_month_is_not_counted_again(company):
    company.lead("2024-04-01", contact_hash="a")
    company.lead("2024-05-02", contact_hash="a")
    company.cost(10, center="acquisition")
    assert company.status("cost_per_lead") == "undefined"
    assert company.value("cost_per_lead", "2024-04", reported="2024-05") is None  # no cost was entered


def test_leads_without_their_state_have_a_cost_and_no_conversion(company):
    company.lead("2024-05-02")
    company.cost(10, center="acquisition")
    company.card(*LEADS)
    assert company.value("cost_per_lead") == 10
    assert company.row("cost_per_lead.qualified")["method"] == "no column qualified_at in leads"
    assert company.status("cost_per_lead.conversion") == "not_available"


def test_a_lead_that_was_not_watched_for_ninety_days_is_waiting_not_lost(company):
    company.as_of = "2024-07-01T00:00+02:00"
    company.lead("2024-05-01", converted_at="2024-05-11")
    company.lead("2024-05-02", converted_at="2024-05-03")
    company.lead("2024-05-31")  # watched for 31 days, longer than it took the two
    company.lead("2024-05-31")
    assert company.value("cost_per_lead.conversion") == 50
    company.lead("2024-05-03", converted_at="2024-06-30")  # after 58 days, when only this one is still watched
    assert company.value("cost_per_lead.conversion") == 100


def test_a_conversion_after_ninety_days_is_none_within_them(company):
    for _ in range(4):
        company.lead("2024-05-01", converted_at="2024-07-30")  # the ninetieth day
    company.lead("2024-05-01", converted_at="2024-07-31")
    assert company.value("cost_per_lead.conversion") == pytest.approx(80)

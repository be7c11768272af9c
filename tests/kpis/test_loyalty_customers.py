"""Loyalty: who takes part, comes back and brings others, on rows that can be worked out in the head."""

import pytest

ENGAGED = ("customer_engagement", "customer_engagement.frequency", "customer_engagement.stickiness")


def test_engaged_are_customers_of_the_period_who_did_something(company):
    company.subscription("at the end", "2024-05-31")
    company.subscription("until the 10th", ended="2024-05-10")
    company.subscription("silent")
    company.subscription("in April")
    company.subscription("gone", ended="2024-04-10")
    company.engagement("at the end", "2024-05-02 10:00", kind="login")
    company.engagement("until the 10th", "2024-05-31 23:59:59", kind="social")
    company.engagement("in April", "2024-04-30 23:59:59")
    company.engagement("gone", "2024-05-02 10:00")
    company.engagement("nobody's", "2024-05-02 10:00")
    row = company.row("customer_engagement")
    assert (row["value"], row["numerator"], row["denominator"]) == (50, 2, 4)


def test_pages_within_half_an_hour_are_one_visit(company):
    company.subscription("ada")
    company.subscription("bo")
    company.subscription("silent")
    company.engagement("ada", "2024-05-02 10:00", "2024-05-02 10:30", "2024-05-02 11:00", "2024-05-02 11:30:01")  # two
    company.engagement("ada", "2024-05-02 10:01", "2024-05-02 10:02", kind="login")  # each counts
    company.engagement("bo", "2024-05-02 10:10")  # somebody else's
    company.card(*ENGAGED)
    row = company.row("customer_engagement.frequency")
    assert (row["value"], row["numerator"], row["denominator"], row["unit"]) == (2.5, 5, 2, "ratio")


def test_a_visit_over_the_end_of_the_month_counts_once(company):
    company.subscription("ada")
    company.engagement("ada", "2024-04-30 23:50", "2024-05-01 00:10", "2024-05-03 10:00")
    company.card(*ENGAGED)
    assert company.value("customer_engagement.frequency") == 1
    assert company.value("customer_engagement.frequency", "2024-04", reported="2024-05") == 1
    assert company.value("customer_engagement") == 100


def test_stickiness_is_the_share_of_the_engaged_on_a_day(company):
    for name in ("daily", "once", "silent"):
        company.subscription(name)
    company.engagement("daily", *(f"2024-06-{day:02d} {hour}" for day in range(1, 31) for hour in ("00:01", "23:59")))
    company.engagement("once", "2024-06-03 10:00", "2024-06-03 20:00", "2024-06-05", "2024-06-09")
    row = company.row("customer_engagement.stickiness", "2024-06")
    assert (row["value"], row["n"]) == (pytest.approx(55), 2)  # 30 + 3 of 30 days, of two


def test_the_running_day_is_no_day_of_stickiness_yet(company):
    company.as_of = "2024-05-11T12:00+02:00"
    company.subscription("ada")
    company.engagement("ada", "2024-05-02 10:00", "2024-05-11 10:00")
    company.lead("2024-05-11 11:00")
    company.card(*ENGAGED)
    assert company.value("customer_engagement.stickiness") == pytest.approx(10)  # 1 of 10 days that have ended
    assert company.value("customer_engagement.frequency") == 2


def test_test_customers_are_not_engaged_and_without_the_table_nobody_is(company):
    company.customer("tess", is_test=True)
    company.subscription("tess")
    company.subscription("ada")
    company.card(*ENGAGED)
    for address in ENGAGED:
        row = company.row(address)
        assert (row["status"], row["method"]) == ("not_available", "no table engagement_events")
    company.engagement("tess", "2024-05-02 10:00")
    company.engagement("elsewhen", "2024-03-02 10:00")
    row = company.row("customer_engagement")
    assert (row["value"], row["denominator"], row["excluded"]) == (0, 1, {"test": 1})
    assert company.status("customer_engagement.frequency") == "undefined"


REFERRED = ("referral_rate", "referral_rate.count", "referral_rate.per_active")


def test_referred_are_new_customers_with_a_programme(company):
    plain = {"first_paid_at": "2024-05-10", "segment": "home"}
    company.customer("old")
    company.customer("ada", **plain, referral_program="friends", referrer_customer_id="old")
    company.customer("bo", **plain)
    company.customer("itself", **plain, referral_program="friends", referrer_customer_id="itself")
    company.customer("cy", **(plain | {"segment": "work"}), referral_program="partners")
    company.customer("in April", segment="home", first_paid_at="2024-04-30 23:59", referral_program="friends")
    company.customer("never paid", referral_program="friends")
    company.customer("tess", **plain, referral_program="friends", is_test=True)
    company.subscription("start and end")
    for number in range(6):
        company.subscription(f"left {number}", ended="2024-05-10")
    company.card(*REFERRED)
    row = company.row("referral_rate")
    assert (row["value"], row["numerator"], row["denominator"], row["excluded"]) == (50, 2, 4, {"test": 1})
    assert (company.value("referral_rate.count"), company.status("referral_rate.count")) == (2, "ok")
    per_active = company.row("referral_rate.per_active")
    assert (per_active["value"], per_active["denominator"]) == (50, 4)  # 2 of (7 + 1) / 2
    assert company.members("referral_rate", "segment") == {"home": pytest.approx(100 / 3), "work": 100}
    assert company.members("referral_rate.count", "referral_program") == {"friends": 1, "partners": 1, "(none)": 0}


def test_without_programmes_referrals_are_unknown_and_not_none(company):
    company.customer("ada", first_paid_at="2024-05-10")
    company.subscription("ada")
    company.card(*REFERRED)
    for address in REFERRED:
        row = company.row(address)
        assert (row["status"], row["method"]) == ("not_available", "no column referral_program in customers")


BUYERS = ("repeat_customer_rate", "repeat_customer_rate.within_90_days")


def test_who_had_ordered_before_the_period_is_a_repeat_customer(company):
    company.transaction("old", 10, "2023-01-10")
    company.transaction("old", 10, "2024-05-10")
    company.transaction("in April", 10, "2024-04-30 23:59:59")
    company.transaction("in April", 10, "2024-05-01 00:00")
    company.transaction("twice in May", 10, "2024-05-03")
    company.transaction("twice in May", 10, "2024-05-20")
    company.transaction("new", 10, "2024-05-10")
    company.transaction("no longer", 10, "2023-01-10")
    row = company.row("repeat_customer_rate")
    assert (row["value"], row["numerator"], row["denominator"]) == (75, 3, 4)  # "twice in May" on the 20th
    assert company.value("repeat_customer_rate", "2024-Q2") == 75


def test_what_was_given_back_in_full_is_no_order(company):
    company.transaction("old", 10, "2023-01-02")
    for buyer, back in (("all", -30), ("half", -15)):
        first = company.transaction(buyer, 30, "2024-04-02")
        company.transaction(buyer, back, "2024-04-20", refunds_transaction_id=first)
        company.transaction(buyer, 30, "2024-05-02")
    parts = company.transaction("in parts", 58.9, "2024-05-02")
    for amount, kind in ((-19.99, "refund"), (-38.91, "chargeback")):
        company.transaction("in parts", amount, "2024-05-03", kind=kind, refunds_transaction_id=parts)
    day = company.transaction("one of two", 10, "2024-05-02 09:00")
    company.transaction("one of two", 10, "2024-05-02 10:00")
    company.transaction("one of two", -10, "2024-06-02", refunds_transaction_id=day)
    row = company.row("repeat_customer_rate")
    assert (row["numerator"], row["denominator"]) == (1, 3)


def test_refunds_of_nothing_known_and_credits_are_no_orders(company):
    company.transaction("old", 10, "2023-01-02")
    company.transaction("a", 10, "2024-04-02")
    company.transaction("a", -10, "2024-05-02")
    company.transaction("b", 10, "2024-05-02", kind="credit")
    company.transaction("a", 10, "2024-05-05")
    row = company.row("repeat_customer_rate")
    assert (row["numerator"], row["denominator"]) == (1, 1)


def test_in_the_first_year_of_the_data_nothing_is_said(company):
    company.transaction("old", 10, "2023-05-02 00:00")
    for month in ("05", "06"):
        for buyer in ("old", f"new in {month}"):
            company.transaction(buyer, 10, f"2024-{month}-10")
    company.card(*BUYERS, period="2024-06")
    for address in BUYERS:
        row = company.row(address, "2024-05", reported="2024-06")
        assert (row["value"], row["status"]) == (None, "undefined")
        assert row["excluded"] == {"history shorter than a year": 2}
    assert company.value("repeat_customer_rate", "2024-06") == 50


def test_first_time_buyers_who_order_again_within_90_days(company):
    company.as_of = "2024-07-15T00:00+02:00"
    company.lead("2024-07-14")
    company.transaction("old", 10, "2023-01-02")
    company.transaction("old", 10, "2024-05-10")
    firsts = {"soon": "2024-05-30", "at once": "2024-05-10 23:00", "never": None, "also": None}
    for buyer, again in firsts.items():
        company.transaction(buyer, 10, "2024-05-10 10:00")
        if again:
            company.transaction(buyer, 10, again)  # on the same day it is the same order
    row = company.row("repeat_customer_rate.within_90_days")
    assert (row["value"], row["n"], row["numerator"]) == (25, 4, 1)


@pytest.mark.parametrize(("again", "share"), [("2024-08-08 10:00:00", 50), ("2024-08-08 10:01", 0)])
def test_the_ninetieth_day_counts(company, again, share):
    company.transaction("old", 10, "2023-01-02")
    for buyer in ("back", "never"):
        company.transaction(buyer, 10, "2024-05-10 10:00:00")
    company.transaction("back", 10, again)
    assert company.value("repeat_customer_rate.within_90_days") == share


def test_days_of_orders_are_local_in_and_after_the_period(company):
    company.transaction("old", 10, "2023-01-02")
    for buyer in ("one", "two"):
        company.transaction(buyer, 10, "2024-05-31T21:00Z")  # 23:00 in Berlin
    company.transaction("one", 10, "2024-05-31T21:59:59Z")  # before midnight: the same order
    company.transaction("two", 10, "2024-05-31T22:00Z")
    assert company.value("repeat_customer_rate.within_90_days") == 50


def test_test_customers_are_no_buyers(company):
    company.customer("tess", is_test=True)
    company.transaction("old", 10, "2023-01-02")
    company.transaction("old", 10, "2024-05-02")
    company.transaction("tess", 10, "2024-05-02")
    row = company.row("repeat_customer_rate")
    assert (row["value"], row["denominator"], row["excluded"]) == (100, 1, {"test": 1})

"""Loyalty: who stays, takes part, comes back and brings others, on rows that can be worked out in the head."""

import pytest

from kpi_lib import scorecard, source
from kpi_lib.period import Period

CHURN = ("churn_rate", "churn_rate.count", "churn_rate.returned", "churn_rate.early", "churn_rate.voluntary",
         "churn_rate.payment", "churn_rate.revenue", "churn_rate.annualised", "retention_rate",
         "retention_rate.source_formula")  # fmt: skip


def hundred(company):
    """100 customers at the start of May of whom 5 leave; 20 come, of whom 3 leave again."""
    for number in range(100):
        reason = {0: "voluntary", 1: "voluntary", 2: "payment", 3: "payment", 4: "other"}.get(number)
        ended = "2024-05-15 12:00" if reason else None
        company.subscription(f"old{number}", "2024-01-10", ended, end_reason=reason, mrr=20 if number == 0 else 10)
    for number in range(20):
        company.subscription(f"new{number}", "2024-05-03", "2024-05-20" if number < 3 else None)


def test_churn_and_retention_are_over_those_who_were_there_at_the_start(company):
    hundred(company)
    company.card(*CHURN)
    churn, retention = company.row("churn_rate"), company.row("retention_rate")
    assert (churn["value"], churn["numerator"], churn["denominator"]) == (5, 5, 100)
    assert (retention["value"], retention["numerator"]) == (95, 95)
    assert churn["value"] + retention["value"] == 100
    assert (churn["low"], churn["high"]) == pytest.approx((100 - retention["high"], 100 - retention["low"]))
    assert company.value("retention_rate.source_formula") == 92  # (112 - 20) / 100
    assert company.value("churn_rate.count") == 5
    assert company.value("churn_rate.early") == 3
    assert company.value("churn_rate.returned") == 0
    assert (company.value("churn_rate.voluntary"), company.value("churn_rate.payment")) == (2, 2)
    assert company.value("churn_rate.revenue") == pytest.approx(100 * 60 / 1010)
    assert company.value("churn_rate.annualised") == pytest.approx(46, abs=0.05)
    june = company.row("churn_rate", "2024-06", reported="2024-06")
    assert (june["value"], june["denominator"]) == (0, 112)


@pytest.mark.parametrize(
    ("period", "left", "of", "annual"),
    [("2024-05", 5, 100, 45.964), ("2024-05", 3, 100, 30.616), ("2024-Q2", 10, 100, 34.39), ("2024", 30, 100, 30)],
)
def test_churn_annualised_goes_on_for_the_periods_of_a_year(company, period, left, of, annual):
    for number in range(of):
        company.subscription(f"c{number}", "2023-01-10", "2024-05-15" if number < left else None)
    row = company.row("churn_rate.annualised", period)
    assert row["value"] == pytest.approx(annual, abs=0.001)
    assert row["low"] < row["value"] < row["high"]


def test_who_leaves_and_returns_is_not_lost_and_a_gap_of_a_day_is_none(company):
    company.subscription("stays")
    company.subscription("returns", ended="2024-05-05")
    company.subscription("returns", "2024-05-15")
    company.subscription("renews", ended="2024-05-10 10:00")
    company.subscription("renews", "2024-05-11 10:00")  # a day later, not more
    company.subscription("late", ended="2024-05-10 10:00")
    company.subscription("late", "2024-05-11 10:01")
    card = company.card("churn_rate", "churn_rate.count", "churn_rate.returned", "churn_rate.early")
    row = company.row("churn_rate")
    assert (row["value"], row["denominator"]) == (0, 4)
    assert company.value("churn_rate.returned") == 2
    assert company.value("churn_rate.early") == 0
    assert card.frame["value"].notna().any()


def test_why_customers_left_is_unknown_without_its_column(company):
    for number in range(5):
        plain = {"plan": "basic", "currency": "EUR", "mrr": 10}
        company.add("subscriptions", customer_id=f"c{number}", started_at="2023-01-01", ended_at="2024-05-10", **plain)
    company.card("churn_rate", "churn_rate.voluntary", "churn_rate.payment")
    assert company.value("churn_rate") == 100
    for address in ("churn_rate.voluntary", "churn_rate.payment"):
        row = company.row(address)
        assert (row["status"], row["method"]) == ("not_available", "no column end_reason in subscriptions")


def test_a_gap_of_a_day_at_the_end_of_the_month_loses_no_revenue(company):
    for number in range(5):
        company.subscription(f"renews {number}", ended="2024-05-31T00:00Z", mrr=10)
        company.subscription(f"renews {number}", "2024-06-01T00:00Z", mrr=8)
    company.subscription("late", ended="2024-05-31T00:00Z", mrr=50)
    company.subscription("late", "2024-06-01T00:01Z", mrr=50)
    company.card("churn_rate.count", "churn_rate.revenue", period="2024-06")
    assert company.value("churn_rate.count", "2024-05", reported="2024-06") == 1
    assert company.value("churn_rate.revenue", "2024-05", reported="2024-06") == 50  # 50 of 100
    assert company.value("churn_rate.revenue", "2024-06", reported="2024-06") == 20  # 10 of 50: a smaller plan


def test_a_customer_with_two_subscriptions_is_one_and_lost_with_the_last(company):
    company.subscription("both", ended="2024-05-10")
    company.subscription("both", ended="2024-05-20")
    company.subscription("one", ended="2024-05-10")
    company.subscription("one")
    company.card("churn_rate", "churn_rate.revenue")
    row = company.row("churn_rate")
    assert (row["numerator"], row["denominator"]) == (1, 2)
    assert company.value("churn_rate.revenue") == 75  # 30 of 40


def test_access_that_ends_with_the_month_is_lost_in_it(company):
    company.subscription("a", ended="2024-06-01 00:00")
    company.subscription("b", ended="2024-05-01 00:00")  # lost in April
    company.subscription("c", "2024-05-01 00:00")  # there at the start
    company.subscription("d", "2024-06-01 00:00")
    company.card("churn_rate", "retention_rate.source_formula", period="2024-06")
    rows = {
        period: company.row("churn_rate", period, reported="2024-06") for period in ("2024-04", "2024-05", "2024-06")
    }
    counted = {period: (row["numerator"], row["denominator"]) for period, row in rows.items()}
    assert counted == {"2024-04": (1, 2), "2024-05": (1, 2), "2024-06": (0, 2)}


def test_who_returns_after_the_period_was_lost_in_it(company):
    company.subscription("a", ended="2024-04-20")
    company.subscription("a", "2024-05-10")
    company.subscription("b")
    company.card("churn_rate", "churn_rate.early", "retention_rate.source_formula")
    april, may = (company.row("churn_rate", period, reported="2024-05") for period in ("2024-04", "2024-05"))
    assert (april["numerator"], april["denominator"]) == (1, 2)
    assert (may["numerator"], may["denominator"]) == (0, 1)
    assert company.value("churn_rate.early") == 0  # back, and staying
    assert company.value("retention_rate.source_formula") == 100  # a return is among the new


def test_free_trials_and_test_customers_are_nobody(company):
    company.customer("tess", is_test=True)
    company.subscription("tess", ended="2024-05-10")
    company.subscription("free", ended="2024-05-10", mrr=0)
    company.subscription("pays")
    row = company.row("churn_rate")
    assert (row["numerator"], row["denominator"]) == (0, 1)
    assert row["excluded"] == {"test": 1}


def test_a_smaller_plan_is_lost_revenue_and_a_larger_one_is_none(company):
    company.subscription("down", ended="2024-05-10", mrr=30)
    company.subscription("down", "2024-05-10", mrr=20)
    company.subscription("up", ended="2024-05-10", mrr=10)
    company.subscription("up", "2024-05-10", mrr=90)
    company.card("churn_rate", "churn_rate.revenue")
    assert (company.value("churn_rate"), company.value("churn_rate.revenue")) == (0, 25)  # 10 of 40


def test_prices_in_other_currencies_are_changed_at_the_rate_of_params(company):
    company.params(fx={"USD": 0.5})
    company.subscription("a", ended="2024-05-10", mrr=20, currency="USD")
    company.subscription("b", mrr=30)
    assert company.value("churn_rate.revenue") == 25


def test_nobody_there_at_the_start_is_undefined(company):
    company.subscription("new", "2024-05-10", "2024-05-20")
    company.card(*CHURN)
    for address in ("churn_rate", "retention_rate", "churn_rate.annualised", "retention_rate.source_formula"):
        row = company.row(address)
        assert (row["status"], row["value"]) == ("undefined", None), address
    assert (company.value("churn_rate.count"), company.status("churn_rate.count")) == (0, "ok")


def test_an_end_that_is_still_to_come_is_read_as_open(company):
    company.as_of = "2024-05-20T00:00+02:00"
    company.lead("2024-05-19")
    company.subscription("leaves", ended="2024-05-31 12:00")
    company.subscription("left", ended="2024-05-10")
    row = company.row("churn_rate")
    assert (row["numerator"], row["denominator"], row["provisional"]) == (1, 2, True)


def test_churn_by_plan_and_tenure(company):
    company.subscription("a", "2024-04-01", "2024-05-10", plan="pro")
    company.subscription("b", "2023-09-01", plan="pro")
    company.subscription("c", "2020-01-01")
    assert company.members("churn_rate", "plan") == {"basic": 0, "pro": 50}
    assert company.members("churn_rate", "tenure_band") == {
        "1 under 3 months": 100,
        "2 under 1 year": 0,
        "3 over 1 year": 0,
    }


def test_churn_by_whether_customers_had_asked_for_help(company):
    for name, created in (("before", "2024-04-01 00:00"), ("too early", "2024-03-31 23:59"), ("during", "2024-05-01")):
        company.subscription(name, ended="2024-05-10" if name == "before" else None)
        company.ticket(created, customer=name)
    company.subscription("spam")
    company.ticket("2024-04-20", customer="spam", is_spam=True)
    company.subscription("ours")
    company.ticket("2024-04-20", customer="ours", initiated_by="agent")
    assert company.members("churn_rate", "had_ticket") == {"yes": 100, "no": 0}


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


def test_cohorts_are_the_local_months_of_the_first_start(company):
    company.subscription("a", "2023-01-31T22:59:59Z", "2023-06-01")
    company.subscription("a", "2024-02-10")  # back: still of the first month
    company.subscription("b", "2023-01-31T23:00Z")
    params = company.loaded()
    rows = scorecard.data(source.open(params), params, [Period.parse("2024-05")]).fact("customer_histories")
    assert dict(rows.select("customer_id", "cohort").to_pandas().itertuples(index=False)) == {
        "a": "2023-01",
        "b": "2023-02",
    }


def test_a_failed_payment_is_churn_when_its_grace_days_are_over(company):
    company.params(thresholds={"payment_grace_days": 14})
    company.subscription("paid late", ended="2024-05-10", end_reason="payment")
    company.subscription("paid late", "2024-05-20")
    company.subscription("never paid", ended="2024-05-10", end_reason="payment")
    company.subscription("still time", ended="2024-05-25", end_reason="payment")
    company.subscription("decided", ended="2024-05-25")
    row = company.row("churn_rate")
    assert (row["numerator"], row["denominator"]) == (2, 4)  # never paid, and decided
    assert company.value("churn_rate.returned") == 0
    assert company.value("churn_rate", "2024-06", reported="2024-06") == 50  # of two: still time, then no more


def test_retention_by_cohort_is_the_cohort_table(company):
    for number in range(2):
        company.subscription(f"in March {number}", "2024-03-10")
        company.subscription(f"in April {number}", "2024-04-10", ended="2024-05-10" if number else None)
    rows = company.members("retention_rate", "cohort")
    assert (rows["2024-03"], rows["2024-04"]) == (100, 50)


def test_days_of_grace_end_with_the_next_subscription(company):
    company.params(thresholds={"payment_grace_days": 7})
    company.subscription("a", ended="2024-04-28", end_reason="payment")
    company.subscription("a", "2024-04-30")
    company.subscription("b")
    company.card("churn_rate", "churn_rate.revenue")
    row = company.row("churn_rate.revenue")
    assert (row["numerator"], row["denominator"]) == (0, 20)
    assert company.row("churn_rate")["denominator"] == 2


def test_lifetimes_are_watched_up_to_the_extract_whatever_the_period(company):
    company.params(thresholds={"payment_grace_days": 7})
    for number in range(40):
        ended = {0: "2024-01-30", 1: "2024-01-05"}.get(number, "2024-01-20" if number < 10 else None)
        reason = "payment" if number < 2 else "voluntary" if ended else None
        company.subscription(f"c{number}", "2023-11-01", ended, end_reason=reason)
    company.lead("2024-01-25")
    company.as_of = "2024-02-01T00:00+01:00"
    values = [company.value("clv.subscription", period) for period in ("2024-01", "2024-Q1", "2024")]
    assert values[0] > 0
    assert values == [values[0]] * 3

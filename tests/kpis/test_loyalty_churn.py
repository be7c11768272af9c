"""Loyalty: who stays and who leaves, on rows that can be worked out in the head."""

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


def test_a_cohort_is_all_who_ever_joined_and_who_is_back_is_there(company):
    company.subscription("stays", "2024-03-10")
    company.subscription("gone at once", "2024-03-05", "2024-03-20")  # before any month began with it
    company.subscription("away in April", "2024-03-10", "2024-04-10")
    company.subscription("away in April", "2024-05-10")
    company.subscription("joins in May", "2024-05-31")
    ages = [
        company.members("retention_rate.of_cohort", "cohort", period) for period in ("2024-03", "2024-04", "2024-05")
    ]
    assert [age["2024-03"] for age in ages] == pytest.approx([200 / 3, 100 / 3, 200 / 3])
    assert ages[2]["2024-05"] == 100
    row = company.row("retention_rate.of_cohort", cut="cohort", member="2024-03")
    assert (row["numerator"], row["denominator"]) == (2, 3)
    assert (row["n"], row["status"]) == (3, "small_sample")


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

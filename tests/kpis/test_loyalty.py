"""Loyalty: scores, churn and retention, on rows that can be worked out in the head."""

import pytest

CHURN = ("churn_rate", "churn_rate.count", "churn_rate.returned", "churn_rate.early", "churn_rate.voluntary",
         "churn_rate.payment", "churn_rate.revenue", "churn_rate.annualised", "retention_rate",
         "retention_rate.source_formula")  # fmt: skip


def answers(company, kind, *scores, **columns):
    for score in scores:
        company.survey(kind, score, **columns)


def test_nps_is_promoters_less_detractors_and_passives_count(company):
    answers(company, "nps", *[9] * 25, *[10] * 25, *[7] * 15, *[8] * 15, *[0] * 10, *[6] * 10)
    row = company.row("nps")
    assert (row["value"], row["numerator"], row["denominator"], row["n"]) == (30, 30, 100, 100)
    assert (row["low"], row["high"]) == pytest.approx((14.1, 44.2), abs=0.05)
    shares = [company.row(address) for address in ("nps.promoters", "nps.passives", "nps.detractors")]
    assert [share["value"] for share in shares] == [50, 30, 20]
    assert [share["unit"] for share in shares] == ["percent"] * 3
    assert [share["better"] for share in shares] == ["higher", "none", "lower"]


def test_of_a_customers_answers_in_a_period_the_latest_counts(company):
    company.survey("nps", 0, "2024-05-02 09:00", customer="ada")
    company.survey("nps", 10, "2024-05-20 09:00", customer="ada")
    company.survey("nps", 2, "2024-04-20 09:00", customer="ada")  # counts in April
    company.survey("nps", 8, customer="bo")
    company.survey("nps", 8)  # nobody known, as the next one
    company.survey("nps", 8)
    row = company.row("nps")
    assert (row["value"], row["n"]) == (25, 4)
    assert company.value("nps", "2024-04", reported="2024-05") == -100


def test_the_latest_of_a_quarter_is_one_answer(company):
    company.survey("nps", 10, "2024-04-20", customer="ada")
    company.survey("nps", 0, "2024-06-20", customer="ada")
    assert company.row("nps", "2024-Q2")["n"] == 1
    assert company.value("nps", "2024-Q2") == -100


def test_answers_about_a_contact_are_apart_and_all_count(company):
    answers(company, "nps", 10, 10)
    company.survey("nps_tx", 0, customer="ada")
    company.survey("nps_tx", 10, customer="ada")
    company.survey("nps_tx", 10, customer="bo")
    assert company.value("nps") == 100
    row = company.row("nps.transactional")
    assert (row["value"], row["n"]) == (pytest.approx(100 / 3), 3)


def test_an_answer_counts_where_it_was_given(company):
    company.survey("nps", 10, "2024-04-30 23:59:59", sent_at="2024-04-01")
    company.survey("nps", 0, "2024-05-01 00:00", sent_at="2024-04-01")
    company.survey("nps", 10, "2024-05-31 23:59:59", sent_at="2024-04-01")
    company.survey("nps", 0, "2024-06-01 00:00", sent_at="2024-04-01")
    rows = [company.row("nps", period, reported="2024-06") for period in ("2024-04", "2024-05", "2024-06")]
    assert [(row["value"], row["n"]) for row in rows] == [(100, 1), (0, 2), (-100, 1)]


def test_scores_that_are_none_and_unanswered_invitations_do_not_count(company):
    answers(company, "nps", 10, 9)
    company.survey("nps", 11)  # outside its scale
    company.survey("nps", 8.5)
    company.survey("nps", None, None, sent_at="2024-05-01")
    assert company.row("nps")["n"] == 2
    dropped = {table["table"]: table["dropped"] for table in company.card("nps").about["tables"]}["surveys"]
    assert dropped == {"score outside its scale": 1, "not an NPS score": 1}


def test_one_to_ten_is_taken_with_the_same_classes_and_a_warning(company):
    answers(company, "nps", 10, 9, 6, scale=(1, 10))
    assert company.value("nps") == pytest.approx(100 / 3)
    checks = company.card("nps").about["checks"]
    assert [(check["rule"], check["level"], check["rows"]) for check in checks] == [("unusual NPS scale", "warning", 3)]


def test_test_customers_are_left_out_and_counted(company):
    company.customer("tess", is_test=True)
    company.customer("stan", is_staff=True)
    answers(company, "nps", 10, 9, 0)
    company.survey("nps", 0, customer="tess")
    company.survey("nps", 0, customer="stan")
    row = company.row("nps")
    assert (row["n"], row["excluded"]) == (3, {"test": 2})


def test_the_latest_answer_that_counts_is_looked_for_among_those_that_do(company):
    spam = company.ticket("2024-05-20 08:00", is_spam=True)
    company.survey("nps", 10, "2024-05-10 09:00", customer="ada")
    company.survey("nps", 0, "2024-05-21 09:00", customer="ada", ticket=spam)
    row = company.row("nps")
    assert (row["value"], row["n"], row["excluded"]) == (100, 1, {"spam": 1})


@pytest.mark.parametrize(
    ("scale", "higher_is_better", "scores", "satisfied"),
    [
        ((1, 5), True, [5, 4, 3, 1], 50),
        ((1, 7), True, [7, 6, 5, 1], 50),
        ((1, 10), True, [10, 9, 8, 1], 50),
        ((0, 100), True, [100, 75, 74, 0], 50),
        ((0, 1), True, [1, 1, 1, 0], 75),  # good or bad
        ((1, 5), False, [1, 2, 3, 5], 50),  # 1 is best
    ],
)
def test_satisfied_are_the_top_scores_of_each_scale(company, scale, higher_is_better, scores, satisfied):
    answers(company, "csat", *scores, scale=scale, higher_is_better=higher_is_better)
    assert company.value("csat") == satisfied


def test_the_top_scores_are_params(company):
    answers(company, "csat", 5, 4, 3, 1)
    company.params(thresholds={"top_scores": {5: 3}})
    assert company.value("csat") == 75


def test_every_satisfaction_answer_counts_and_customers_who_repeat_widen_the_interval(company):
    for number in range(40):
        answers(company, "csat", *[5, 5] if number < 20 else [1, 1], customer=f"c{number}")
    row = company.row("csat")
    assert (row["value"], row["n"], row["method"]) == (50, 80, "Wilson, clustered by respondent")
    assert row["high"] - row["low"] > 28  # 21.4 if the 80 were independent


def test_the_mean_of_the_scale(company):
    answers(company, "csat", 1, 3, 5, 5)  # 0, 50, 100, 100
    answers(company, "csat", 1, scale=(1, 5), higher_is_better=False)  # 100
    answers(company, "csat", 75, scale=(0, 100))
    row = company.row("csat.mean")
    assert (row["value"], row["n"], row["status"]) == (pytest.approx(425 / 6), 6, "ok")


def test_satisfaction_of_the_tickets_resolved_whenever_the_answer_came(company):
    may = company.ticket("2024-05-29", "2024-05-30", "2024-05-31 20:00")
    june = company.ticket("2024-05-29", "2024-05-30", "2024-06-02 20:00")
    company.survey("csat", 5, "2024-06-03", ticket=may, sent_at="2024-05-31 21:00")
    company.survey("csat", 1, "2024-06-03", ticket=june)
    company.card("csat", "csat.by_ticket")
    assert company.value("csat.by_ticket") == 100  # the answer came after the months that are looked at
    assert company.status("csat") == "undefined"  # nobody had answered
    company.card("csat", "csat.by_ticket", period="2024-06")
    reported = {"reported": "2024-06"}
    assert (company.value("csat.by_ticket", "2024-05", **reported), company.value("csat.by_ticket", "2024-06")) == (
        100,
        0,
    )
    assert company.value("csat", "2024-06") == 50


def test_answers_about_spam_or_merged_tickets_are_left_out_and_counted(company):
    kept = company.ticket("2024-05-02")
    spam = company.ticket("2024-05-02", is_spam=True)
    merged = company.ticket("2024-05-02", merged_into_id=kept)
    for ticket in (kept, spam, merged):
        company.survey("csat", 5, ticket=ticket)
    company.survey("csat", 1)  # about nothing in particular
    row = company.row("csat")
    assert (row["value"], row["n"], row["excluded"]) == (50, 2, {"spam": 1, "merged into another": 1})


def test_an_answer_without_a_ticket_is_in_the_member_none(company):
    company.survey("csat", 5, ticket=company.ticket("2024-05-02", channel="chat"))
    company.survey("csat", 1, ticket=company.ticket("2024-05-02"))
    company.survey("csat", 1)
    assert company.members("csat", "channel") == {"chat": 100, "(none)": 0}


def test_without_tickets_satisfaction_is_still_there(company):
    answers(company, "csat", 5, 5, 5, 5, 1)
    company.card("csat", "csat.mean", "csat.by_ticket", "nps.transactional")
    assert (company.value("csat"), company.value("csat.mean")) == (80, 80)
    assert company.status("csat.by_ticket") == "not_available"


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

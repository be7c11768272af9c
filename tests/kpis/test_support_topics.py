"""Support operations, topics: on rows that can be worked out in the head."""

import pytest

ISSUES = (
    "most_common_issues",
    "most_common_issues.rank",
    "most_common_issues.change",
    "most_common_issues.twelve_months",
)


def about(company, month, **counts):
    """Tickets of a month, so many of each type."""
    for kind, count in counts.items():
        company.tickets(count, created=f"{month}-06 08:00", type=kind)


def table(company, address, cut, period="2024-05"):
    """The rows of a table KPI in a period, by member."""
    frame = company.card(address, period=period).frame
    rows = frame[(frame["kpi"] == address) & (frame["period"] == period)]
    assert set(rows["cut"]) == {cut}
    return rows.set_index("member").to_dict("index")


def test_tickets_by_type_are_shares_with_their_counts_and_those_without_a_type(company):
    about(company, "2024-05", bug=3, order=1)
    about(company, "2024-04", other=5)
    company.ticket("2024-05-06 08:00")
    company.ticket("2024-05-06 08:00", type="bug", is_spam=True)
    company.ticket("2024-05-06 08:00", type="bug", initiated_by="agent")
    rows = table(company, "tickets_by_type", "type")
    found = {member: (row["value"], row["numerator"], row["denominator"]) for member, row in rows.items()}
    assert found == {"bug": (60, 3, 5), "order": (20, 1, 5), "(none)": (20, 1, 5), "other": (0, 0, 5)}


RECURRING = ("recurring_incidents", "recurring_incidents.share", "recurring_incidents.unlinked")


def test_a_problem_recurs_with_three_tickets_of_two_customers(company):
    for customer in ("ada", "ada", "bo"):
        company.ticket("2024-05-06 08:00", customer=customer, problem_id="P1", type="bug", channel="email")
    for _ in range(3):
        company.ticket("2024-05-06 08:00", customer="ada", problem_id="P2")  # one customer's
    for customer in ("ada", "bo"):
        company.ticket("2024-05-06 08:00", customer=customer, problem_id="P3")  # twice
    company.ticket("2024-05-06 08:00", customer="cy", problem_id="P3", is_spam=True)
    company.ticket("2024-05-06 08:00", customer="cy", problem_id="P3", initiated_by="agent")
    company.ticket("2024-04-06 08:00", customer="cy", problem_id="P3")  # the month before
    company.tickets(3, created="2024-05-06 08:00", problem_id="P4", channel="chat")  # of unknown customers
    company.card(*RECURRING)
    assert company.row("recurring_incidents")["method"] == "census"
    assert company.value("recurring_incidents") == 2
    row = company.row("recurring_incidents.share")
    assert (row["numerator"], row["denominator"]) == (6, 11)
    assert company.value("recurring_incidents.unlinked") == 0
    assert company.members("recurring_incidents", "channel") == {"email": 1, "chat": 1, "(none)": 0}


def test_without_a_link_a_ticket_is_about_its_type_and_product(company):
    for number, link in enumerate((None, None, None, "P1")):
        company.ticket("2024-05-06 08:00", customer=f"c{number}", type="bug", product="shop", problem_id=link)
    company.tickets(3, created="2024-05-06 08:00", type="bug")  # of no known product
    company.tickets(3, created="2024-05-06 08:00", type="bug", product="app")
    company.card(*RECURRING)
    assert company.value("recurring_incidents") == 2  # bugs of the shop, and of the app
    assert company.row("recurring_incidents.share")["numerator"] == 6
    row = company.row("recurring_incidents.unlinked")
    assert (row["numerator"], row["denominator"]) == (9, 10)


def test_how_often_a_problem_recurs_is_a_param(company):
    company.params(thresholds={"recurring_tickets": 4})
    company.tickets(3, created="2024-05-06 08:00", problem_id="P1")
    company.tickets(4, created="2024-05-06 08:00", problem_id="P2")
    assert company.value("recurring_incidents") == 1


def test_tickets_that_say_nothing_of_problems_have_no_recurring_ones(company):
    company.tickets(5, created="2024-05-06 08:00", type="bug")
    company.card(*RECURRING)
    assert {company.status(address) for address in RECURRING} == {"not_available"}
    assert company.row("recurring_incidents")["method"] == "no column problem_id in tickets"


def test_type_and_product_alone_name_problems_and_no_links(company):
    company.tickets(5, created="2024-05-06 08:00", type="bug", product="shop")
    company.card(*RECURRING)
    assert (company.value("recurring_incidents"), company.value("recurring_incidents.share")) == (1, 100)
    assert company.status("recurring_incidents.unlinked") == "not_available"


REPEAT = ("repeat_contact_rate", "repeat_contact_rate.seven_days")


def solved(company, customer, **columns):
    """A ticket resolved on the tenth of May at noon."""
    company.ticket("2024-05-06 08:00", resolved="2024-05-10 12:00", customer=customer, **columns)


def test_a_repeat_is_the_same_customers_next_ticket_of_the_type_within_the_days(company):
    solved(company, "on day 7", type="bug")
    company.ticket("2024-05-17 12:00", customer="on day 7", type="bug")
    solved(company, "on day 30", type="bug")
    company.ticket("2024-06-09 12:00", customer="on day 30", type="bug")
    solved(company, "too late", type="bug")
    company.ticket("2024-06-09 12:01", customer="too late", type="bug")
    solved(company, "of another type", type="bug")
    company.ticket("2024-05-11 12:00", customer="of another type", type="order")
    solved(company, "before", type="bug")
    company.ticket("2024-05-10 11:59", customer="before", type="bug")
    solved(company, "by ourselves", type="bug")
    company.ticket("2024-05-11 12:00", customer="by ourselves", type="bug", initiated_by="agent")
    solved(company, "ours", type="bug", initiated_by="agent")
    company.ticket("2024-05-11 12:00", customer="ours", type="bug")
    solved(company, "spam", type="bug", is_spam=True)
    company.ticket("2024-05-11 12:00", type="bug")
    solved(company, None, type="bug")
    company.card(*REPEAT)
    row = company.row("repeat_contact_rate")
    assert (row["numerator"], row["denominator"], row["excluded"]["unknown customer"]) == (2, 6, 1)
    assert row["method"] == "Wilson, clustered by customer"
    row = company.row("repeat_contact_rate.seven_days")
    assert (row["numerator"], row["denominator"]) == (1, 6)


def test_each_of_the_two_repeats_waits_as_long_as_it_looks(company):
    company.as_of = "2024-06-05T12:00+02:00"
    company.ticket("2024-05-02", resolved="2024-05-03", customer="ada")
    company.ticket("2024-05-02", resolved="2024-05-20", customer="bo")  # seen for 16 days
    company.ticket("2024-05-02", resolved="2024-05-31", customer="cy")  # for five
    company.lead("2024-06-04")
    company.card(*REPEAT)
    found = [(company.row(address)["denominator"], company.row(address)["provisional"]) for address in REPEAT]
    assert found == [(1, True), (2, True)]


def test_the_days_of_a_repeat_are_params(company):
    company.params(thresholds={"repeat_contact_days": 2})
    solved(company, "ada")
    company.ticket("2024-05-13 12:00", customer="ada")
    assert company.value("repeat_contact_rate") == 0


def test_requests_of_a_customer_are_tickets_and_answered_calls(company):
    company.ticket("2024-05-06 08:00", customer="ada")
    linked = company.ticket("2024-05-06 08:00", customer="ada")
    company.call(ticket_id=linked, customer_id="ada")
    company.calls(2, customer_id="ada")
    company.call(customer_id="bo")
    company.call(customer_id="bo", outcome="abandoned_queue", queue=60)
    company.call()
    company.ticket("2024-05-06 08:00")
    row = company.row("repeat_contact_rate.contacts_per_customer")
    assert (row["value"], row["numerator"], row["denominator"]) == (2.5, 5, 2)
    assert row["excluded"] == {"unknown customer": 2}


def test_issues_are_types_and_else_problems(company):
    about(company, "2024-05", bug=5, order=3)
    company.ticket("2024-05-06 08:00", problem_id="P1")
    company.ticket("2024-05-06 08:00")
    rows = table(company, "most_common_issues", "issue")
    assert {name: row["value"] for name, row in rows.items()} == {"bug": 50, "order": 30, "P1": 10, "(none)": 10}
    assert {row["denominator"] for row in rows.values()} == {10}


def test_ranks_have_the_places_that_chance_could_have_given_them(company):
    about(company, "2024-05", much=200, some=21, about_as_many=19, few=1, as_few=1)
    about(company, "2024-04", forgotten=5)
    rows = table(company, "most_common_issues.rank", "issue")
    assert [rows[name]["value"] for name in ("much", "some", "about_as_many", "few", "as_few")] == [1, 2, 3, 4, 4]
    places = {name: (row["low"], row["high"]) for name, row in rows.items() if name != "forgotten"}
    assert places["much"] == (1, 1)
    assert places["some"] == places["about_as_many"] == (2, 3)
    assert places["few"] == places["as_few"] == (4, 5)
    assert (rows["forgotten"]["value"] != rows["forgotten"]["value"], rows["forgotten"]["status"]) == (
        True,
        "undefined",
    )
    assert rows["much"]["method"] == "multinomial bootstrap"


def test_a_change_is_beside_the_mean_of_three_periods_and_named_only_if_it_stands(company):
    for month in ("2024-02", "2024-03", "2024-04"):
        about(company, month, bug=10, order=20, gone=2)
    about(company, "2024-05", bug=40, order=24, new=3)
    rows = table(company, "most_common_issues.change", "issue")
    assert {name: row["value"] for name, row in rows.items() if name != "new"} == pytest.approx(
        {"bug": 300, "order": 20, "gone": -100}
    )
    test = "exact Poisson test, Benjamini-Hochberg 5 %"
    assert rows["bug"]["method"] == f"{test}: a change"
    assert rows["order"]["method"] == rows["gone"]["method"] == f"{test}: within chance"
    assert (rows["bug"]["numerator"], rows["bug"]["denominator"], rows["bug"]["n"]) == (40, 10, 70)
    assert rows["new"]["status"] == "undefined"  # no percentage of nothing


def test_what_one_topic_would_prove_many_do_not(company):
    """Ten of a hundred topics at p = 0.03 are chance; alone it would be a change."""
    for month in ("2024-02", "2024-03", "2024-04"):
        about(company, month, bug=3)
    about(company, "2024-05", bug=9)  # 9 of 18 where 1 in 4 was to be expected: p = 0.039
    assert table(company, "most_common_issues.change", "issue")["bug"]["method"].endswith("a change")
    for month in ("2024-02", "2024-03", "2024-04", "2024-05"):
        about(company, month, **{f"topic {number}": 2 for number in range(9)})
    assert table(company, "most_common_issues.change", "issue")["bug"]["method"].endswith("within chance")


def test_the_first_three_periods_have_nothing_to_be_compared_with(company):
    for month in ("2024-03", "2024-04", "2024-05", "2024-06"):
        about(company, month, bug=5)
    rows = [
        table(company, "most_common_issues.change", "issue", period)["bug"]
        for period in ("2024-03", "2024-04", "2024-05", "2024-06")
    ]
    assert [row["status"] for row in rows] == ["not_estimable"] * 3 + ["ok"]
    assert rows[3]["value"] == 0


def test_issues_of_twelve_months_need_twelve_months(company):
    about(company, "2023-06", rare=1)
    about(company, "2023-05", rare=50)
    for month in range(7, 13):
        about(company, f"2023-{month:02d}", bug=2)
    for month in range(1, 6):
        about(company, f"2024-{month:02d}", bug=2)
    about(company, "2024-05", bug=7)
    rows = table(company, "most_common_issues.twelve_months", "issue")
    found = {name: (row["value"], row["numerator"], row["denominator"]) for name, row in rows.items()}
    assert found == {"rare": (pytest.approx(100 / 30), 1, 30), "bug": (pytest.approx(2900 / 30), 29, 30)}
    assert rows["bug"]["low"] < rows["bug"]["value"] < rows["bug"]["high"]


def test_a_year_that_begins_within_the_data_has_no_twelve_months(company):
    about(company, "2023-07", bug=5)
    about(company, "2024-05", bug=5)
    row = table(company, "most_common_issues.twelve_months", "issue")["bug"]
    assert (row["status"], row["method"]) == ("not_estimable", "fewer than twelve months in the trend up to here")


def test_four_quarters_are_twelve_months(company):
    for month in ("2023-07", "2023-10", "2024-01", "2024-04"):
        about(company, month, bug=5)
    assert table(company, "most_common_issues.twelve_months", "issue", "2024-Q2")["bug"]["denominator"] == 20


def test_without_tickets_there_are_no_issues(company):
    company.table("tickets")
    company.card(*ISSUES)
    assert not len(company.card(*ISSUES).frame.query("member.notna() and status == 'ok'"))


def test_an_empty_month_inside_the_data_is_a_true_zero(company):
    for month in range(1, 13):
        if month != 8:
            company.tickets(5, created=f"2023-{month:02d}-10", type="order")
    company.ticket("2023-12-11", type="other")
    company.card("most_common_issues.twelve_months", "most_common_issues.change", period="2023-12")
    year = company.row("most_common_issues.twelve_months", "2023-12", cut="issue", member="order")
    assert (year["numerator"], year["denominator"], year["status"]) == (55, 56, "ok")
    autumn = company.row("most_common_issues.change", "2023-10", reported="2023-12", cut="issue", member="order")
    assert autumn["value"] == pytest.approx(50)  # 5 against the mean of 5, 0 and 5


def test_a_running_month_is_not_set_against_whole_ones(company):
    company.as_of = "2024-05-11T00:00+02:00"
    for month in ("02", "03", "04"):
        company.tickets(28, created=f"2024-{month}-05", type="order")
    company.tickets(10, created="2024-05-05", type="order")
    row = company.row("most_common_issues.change", "2024-05", cut="issue", member="order")
    assert (row["status"], row["method"]) == ("not_estimable", "not over yet")


def test_a_member_that_is_called_none_is_the_one_without_a_name(company):
    company.tickets(2, created="2024-05-05", type="(none)")
    company.ticket("2024-05-05")
    assert company.members("tickets_by_type", "type") == {"(none)": 100}

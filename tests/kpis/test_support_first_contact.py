"""Support operations, solved at first contact: on rows that can be worked out in the head."""

FCR = ("first_contact_resolution", "first_contact_resolution.one_touch", "first_contact_resolution.of_created")


def solved(company, customer, **columns):
    """A ticket resolved with one reply."""
    return company.ticket("2024-05-06 08:00", "2024-05-06 09:00", "2024-05-06 10:00", customer=customer, **columns)


def test_first_contact_takes_one_reply_no_escalation_no_reopening_and_no_return(company):
    solved(company, "ada")
    two = solved(company, "bo")
    company.event(two, "2024-05-06 09:30", "public_reply")
    escalated = solved(company, "cy")
    company.event(escalated, "2024-05-06 09:30", "escalate", to_value="2")
    solved(company, "di", type="bug")
    company.ticket("2024-05-09 08:00", customer="di", type="bug")  # came back, and is open
    company.card(*FCR)
    row = company.row("first_contact_resolution")
    assert (row["value"], row["numerator"], row["denominator"]) == (25, 1, 4)
    assert company.value("first_contact_resolution.one_touch") == 50  # di came back after
    assert company.value("first_contact_resolution.of_created") == 20  # of five


def test_a_return_is_the_same_customer_on_the_same_type_within_seven_days(company):
    returns = {
        "on the last second": ("2024-05-13 10:00", {}),
        "a minute later": ("2024-05-13 10:01", {}),
        "another type": ("2024-05-09 08:00", {"type": "other"}),
        "another customer": ("2024-05-09 08:00", {"customer": "zoe"}),
        "spam": ("2024-05-09 08:00", {"is_spam": True}),
        "ours": ("2024-05-09 08:00", {"initiated_by": "agent"}),
        "before": ("2024-05-06 09:30", {}),
    }
    for name, (later, columns) in returns.items():
        solved(company, name, type=name)
        company.ticket(later, **({"customer": name, "type": name} | columns))
    values = company.members("first_contact_resolution", "type")
    assert {name for name, value in values.items() if value == 0} == {"on the last second"}
    assert {name for name, value in values.items() if value == 100} == set(returns) - {"on the last second"}


def test_the_days_of_first_contact_are_params(company):
    company.params(thresholds={"first_contact_days": 2})
    solved(company, "ada")
    company.ticket("2024-05-09 08:00", customer="ada")
    assert company.value("first_contact_resolution") == 100


def test_resolved_without_a_reply_is_in_no_first_contact_rate(company):
    solved(company, "ada")
    company.ticket("2024-05-06 08:00", resolved="2024-05-06 10:00", customer="bo")
    company.ticket("2024-05-06 08:00", "2024-05-06 09:00", "2024-05-06 10:00", customer="cy", initiated_by="agent")
    company.card(*FCR)
    assert company.row("first_contact_resolution")["denominator"] == 1
    assert company.row("first_contact_resolution.one_touch")["denominator"] == 1
    assert company.value("first_contact_resolution.of_created") == 50  # one of the two that customers made


def test_an_unknown_customer_cannot_be_followed(company):
    solved(company, "ada")
    solved(company, None)
    company.card(*FCR)
    assert company.row("first_contact_resolution")["denominator"] == 1
    assert company.row("first_contact_resolution.one_touch")["denominator"] == 2


def test_tickets_of_unknown_customers_are_counted_among_those_left_out(company):
    solved(company, "ada")
    solved(company, None)
    assert company.row("first_contact_resolution")["excluded"] != {}


def test_a_thank_you_that_reopens_is_no_failure_but_another_reply_is(company):
    thanks = company.ticket(
        "2024-05-06 08:00", "2024-05-06 09:00", "2024-05-06 10:00", reopened="2024-05-06 11:00", customer="ada"
    )
    company.event(thanks, "2024-05-06 12:00", "status", to_value="resolved")
    more = company.ticket(
        "2024-05-06 08:00", "2024-05-06 09:00", "2024-05-06 10:00", reopened="2024-05-06 11:00", customer="bo"
    )
    company.event(more, "2024-05-06 11:30", "public_reply")
    company.event(more, "2024-05-06 12:00", "status", to_value="resolved")
    assert company.value("first_contact_resolution") == 50


def test_first_contact_is_counted_in_the_month_of_the_resolution_and_young_ones_are_left_out(company):
    company.as_of = "2024-06-05T12:00+02:00"
    company.ticket("2024-04-30 08:00", "2024-04-30 09:00", "2024-05-02 10:00", customer="ada")
    company.ticket("2024-05-30 08:00", "2024-05-30 09:00", "2024-05-30 10:00", customer="bo")  # six days ago
    company.lead("2024-06-04")
    row = company.row("first_contact_resolution")
    assert (row["denominator"], row["provisional"], row["verdict"]) == (1, True, "withheld")
    assert row["excluded"] == {"not yet observed long enough": 1}


def test_a_ticket_resolved_yesterday_is_not_yet_solved_at_first_contact(company):
    company.as_of = "2024-05-31T00:00+02:00"
    for resolved in ("2024-05-23", "2024-05-24", "2024-05-24 00:01", "2024-05-30"):  # seven days before, or fewer
        company.ticket("2024-05-20", "2024-05-21", resolved, customer=f"c {resolved}")
    company.ticket("2024-05-20", customer="open")
    row = company.row("first_contact_resolution.of_created")
    assert (row["numerator"], row["denominator"]) == (2, 3)

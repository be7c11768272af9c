"""What it costs to be in touch with a customer: on rows that can be worked out in the head."""

import pytest

COST = ("cost_per_issue", "cost_per_issue.per_problem")


def test_an_interaction_is_a_session_in_which_we_replied_or_an_answered_call(company):
    company.cost(600)
    company.cost(9999, center="acquisition")
    ticket = company.ticket("2024-05-06 08:00", replied="2024-05-06 09:00")  # one
    company.event(ticket, "2024-05-07 08:59", "customer_message", actor="customer")  # the same: under a day
    company.event(ticket, "2024-05-08 08:59", "customer_message", actor="customer")  # a day later: another
    company.event(ticket, "2024-05-08 10:00", "public_reply")
    company.event(ticket, "2024-05-09 10:00", "customer_message", actor="customer")  # nobody replied
    company.event(ticket, "2024-05-11 10:00", "public_reply")  # on our own: a session of its own
    unanswered = company.ticket("2024-05-06 08:00")
    company.event(unanswered, "2024-05-06 08:01", "public_reply", actor="bot")
    company.event(unanswered, "2024-05-06 09:00", "internal_note")
    company.ticket("2024-05-06 08:00", replied="2024-05-06 09:00", is_spam=True)
    company.ticket("2024-05-06 08:00", replied="2024-05-06 09:00", initiated_by="agent")  # work as well
    company.ticket("2024-04-30 23:00", replied="2024-05-01 01:00")  # began in April
    company.call(ticket_id=ticket)
    company.call()
    company.call(outcome="abandoned_queue", queue=60)
    company.call(direction="outbound")
    row = company.row("cost_per_issue")
    assert (row["value"], row["numerator"], row["denominator"]) == (pytest.approx(100), pytest.approx(600), 6)
    assert (row["low"], row["method"]) == (None, "not estimable: too few for two limits")
    assert row["excluded"] == {"spam": 1}


def test_calls_alone_are_interactions_and_so_are_tickets_alone(company):
    company.cost(50)
    company.calls(5)
    assert company.value("cost_per_issue") == pytest.approx(10)
    company.rows.pop("calls")
    company.tickets(10, created="2024-05-06 08:00", replied="2024-05-06 09:00")
    assert company.value("cost_per_issue") == pytest.approx(5)


def test_the_cost_of_a_problem_is_by_different_problems_resolved(company):
    company.cost(600)
    for problem in ("P1", "P1", "P2"):
        company.ticket("2024-05-06 08:00", resolved="2024-05-08", problem_id=problem)
    company.ticket("2024-05-06 08:00", resolved="2024-05-07", problem_id="P2")
    company.ticket("2024-05-06 08:00", resolved="2024-05-07", problem_id="P3", is_spam=True)
    company.ticket("2024-05-06 08:00", problem_id="P4")
    company.ticket("2024-05-06 08:00", resolved="2024-05-07")
    row = company.row("cost_per_issue.per_problem")
    assert (row["value"], row["denominator"]) == (pytest.approx(300), 2)


def test_without_problems_there_is_no_cost_of_one(company):
    company.cost(600)
    company.tickets(5, created="2024-05-06 08:00", replied="2024-05-06 09:00", resolved="2024-05-07")
    company.card(*COST)
    row = company.row("cost_per_issue.per_problem")
    assert (row["status"], row["method"]) == ("not_available", "no column problem_id in tickets")
    assert company.value("cost_per_issue") == pytest.approx(120)


def test_a_call_about_a_ticket_that_does_not_count_is_none(company):
    company.cost(310)
    for columns in ({"is_spam": True}, {"is_test": True}, {}):
        company.call("2024-05-06 10:00", ticket_id=company.ticket("2024-05-06 09:00", **columns))
    assert company.row("cost_per_issue")["denominator"] == 1

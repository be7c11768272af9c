"""Support operations, how long customers wait: on rows that can be worked out in the head."""

import pytest


def test_an_unanswered_ticket_is_waiting_not_missing(company):
    company.ticket(created="2024-05-01 08:00", replied="2024-05-01 09:00")  # 60 minutes
    company.ticket(created="2024-05-02 08:00", replied="2024-05-02 10:00")  # 120 minutes
    company.ticket(created="2024-05-03 08:00")  # never answered
    assert company.value("first_response_time") == 120  # 60 if the third were dropped


def test_the_first_reply_is_by_a_person_and_visible(company):
    for _ in range(3):
        ticket = company.ticket("2024-05-06 08:00", replied="2024-05-06 12:00")
        company.event(ticket, "2024-05-06 08:01", "public_reply", actor="bot")
        company.event(ticket, "2024-05-06 08:02", "public_reply", actor="system")
        company.event(ticket, "2024-05-06 09:00", "internal_note")
        company.event(ticket, "2024-05-06 10:00", "customer_message", actor="customer")
        company.event(ticket, "2024-05-06 15:00", "public_reply")
    assert company.value("first_response_time") == 240


def test_resolved_without_a_reply_is_lost_from_sight_and_not_zero(company):
    company.ticket("2024-05-06 08:00", resolved="2024-05-06 09:00")
    company.ticket("2024-05-06 08:00", replied="2024-05-06 10:00")
    company.ticket("2024-05-06 08:00", replied="2024-05-06 11:00")
    company.card("first_response_time", "first_response_time.never_answered")
    row = company.row("first_response_time")
    assert (row["value"], row["numerator"], row["n"]) == (120, 2, 3)
    assert company.value("first_response_time.never_answered") == pytest.approx(100 / 3)


def test_a_ticket_still_open_is_not_never_answered(company):
    company.ticket("2024-05-06 08:00")
    company.ticket("2024-05-06 08:00", replied="2024-05-06 10:00", resolved="2024-05-06 11:00")
    company.ticket("2024-05-06 08:00", closed="2024-05-06 11:00")
    company.ticket("2024-05-06 08:00", resolved="2024-05-06 11:00", reopened="2024-05-06 12:00")
    assert company.value("first_response_time.never_answered") == 25


def test_nine_in_ten_and_the_mean_of_first_responses(company):
    for minutes in range(10, 60, 5):  # 10, 15 ... 55
        company.tickets(3, created="2024-05-06 08:00", replied=f"2024-05-06 08:{minutes}")
    company.card("first_response_time")
    assert (company.value("first_response_time"), company.value("first_response_time.p90")) == (30, 50)
    assert company.value("first_response_time.mean") == pytest.approx(32.5)
    row = company.row("first_response_time")
    assert row["low"] <= row["value"] <= row["high"]
    assert row["method"] == "Kaplan-Meier, log-log limits"


def test_reopening_starts_no_new_first_response(company):
    ticket = company.ticket("2024-05-06 08:00", "2024-05-06 09:00", "2024-05-06 10:00", reopened="2024-05-07 10:00")
    company.event(ticket, "2024-05-09 10:00", "public_reply")
    assert company.value("first_response_time") == 60


def test_tickets_made_during_a_call_are_no_waiting_for_a_reply(company):
    company.params(thresholds={"reply_target_minutes": {"phone": 30, "email": 60}})
    during = company.ticket("2024-05-06 10:05", channel="phone", resolved="2024-05-06 10:10")
    company.call("2024-05-06 10:00", ticket_id=during)
    abandoned = company.ticket("2024-05-06 10:05", replied="2024-05-06 11:05", channel="phone")
    company.call("2024-05-06 10:00", outcome="abandoned_queue", queue=90, ticket_id=abandoned)
    called_later = company.ticket("2024-05-06 10:05", replied="2024-05-06 12:05", channel="email")
    company.call("2024-05-06 12:00", ticket_id=called_later)
    company.card("first_response_time", "first_response_time.never_answered", "service_level.tickets")
    assert [company.row(address)["n"] for address in (
        "first_response_time", "first_response_time.never_answered", "service_level.tickets"
    )] == [2, 2, 2]  # fmt: skip
    assert company.value("first_response_time") == 60
    assert company.value("first_response_time.never_answered") == 0


def test_first_responses_by_the_month_of_the_reply(company):
    company.ticket("2024-04-30 23:00", replied="2024-05-01 01:00")  # 120 minutes, created in April
    company.ticket("2024-05-31 23:30", replied="2024-06-01 00:30")  # 60 minutes, replied to in June
    company.ticket("2024-05-10 08:00")
    company.card("first_response_time", "first_response_time.by_reply_month", period="2024-06")
    by_reply = [
        company.row("first_response_time.by_reply_month", month, reported="2024-06")
        for month in ("2024-04", "2024-05", "2024-06")
    ]
    assert [(row["value"], row["n"]) for row in by_reply] == [(None, 0), (120, 1), (60, 1)]
    created = company.row("first_response_time", "2024-05", reported="2024-06")
    assert (created["value"], created["n"]) == (60, 2)


def test_resolution_is_the_last_that_no_reopening_followed(company):
    company.ticket("2024-05-06 08:00", resolved="2024-05-06 09:00")  # 60
    again = company.ticket("2024-05-06 08:00", resolved="2024-05-06 08:30", reopened="2024-05-06 09:00")
    company.event(again, "2024-05-06 10:00", "status", to_value="resolved")  # 120; first 30
    company.ticket("2024-05-06 08:00", resolved="2024-05-06 08:40", reopened="2024-05-07 09:00")  # open; first 40
    company.ticket("2024-05-06 08:00", resolved="2024-05-06 11:00", closed="2024-05-09 11:00")  # 180, not at closing
    company.card("resolution_time", "resolution_time.first", "resolution_time.resolved_only")
    assert company.value("resolution_time") == 120
    assert company.row("resolution_time")["numerator"] == 3
    assert company.row("resolution_time.p90")["status"] == "not_estimable"  # a quarter is open
    assert company.value("resolution_time.first") == 40
    assert company.value("resolution_time.resolved_only") == 120


def test_closed_without_being_resolved_counts_at_its_closing(company):
    company.ticket("2024-05-06 08:00", closed="2024-05-06 09:00")
    company.ticket("2024-05-06 08:00", closed="2024-05-06 10:00")
    company.ticket("2024-05-06 08:00", closed="2024-05-06 11:00")
    assert company.value("resolution_time") == 120


def test_the_median_of_the_resolved_leaves_the_open_ones_out(company):
    for hours, count in ((9, 2), (10, 2), (12, 1)):
        company.tickets(count, created="2024-05-06 08:00", resolved=f"2024-05-06 {hours:02d}:00")
    company.tickets(5, created="2024-05-06 08:00")
    company.card("resolution_time", "resolution_time.resolved_only")
    assert (company.value("resolution_time"), company.value("resolution_time.resolved_only")) == (240, 120)


def test_the_restricted_mean_counts_an_open_ticket_for_30_days(company):
    company.ticket("2024-05-06 08:00", resolved="2024-05-16 08:00")  # 10 days
    company.ticket("2024-05-06 08:00")
    assert company.value("resolution_time.mean") == pytest.approx(20 * 1440)


def test_a_month_watched_for_less_than_30_days_has_no_restricted_mean(company):
    company.as_of = "2024-06-15T00:00+02:00"
    company.ticket("2024-05-06 08:00", resolved="2024-05-16 08:00")
    company.ticket("2024-05-31 08:00")
    company.lead("2024-06-14")
    assert company.status("resolution_time.mean") == "not_estimable"


def test_waiting_for_the_customer_can_be_taken_off(company):
    for _ in range(5):
        ticket = company.ticket("2024-05-06 08:00", "2024-05-06 09:00")
        company.event(ticket, "2024-05-06 09:00", "status", to_value="pending")
        company.event(ticket, "2024-05-06 12:00", "status", to_value="open")
        company.event(ticket, "2024-05-06 13:00", "status", to_value="resolved")
    company.card("resolution_time", "resolution_time.net_of_pending")
    assert (company.value("resolution_time"), company.value("resolution_time.net_of_pending")) == (300, 120)


def test_the_clock_runs_through_the_change_of_the_clocks(company):
    company.tickets(5, created="2024-03-31 01:00", replied="2024-03-31 03:00")
    assert company.value("first_response_time", "2024-03") == 60


def test_tickets_answered_within_the_target_of_their_channel(company):
    company.params(thresholds={"reply_target_minutes": {"email": 60, "chat": 2}})
    company.ticket("2024-05-06 08:00", replied="2024-05-06 09:00", channel="email")  # to the minute
    company.ticket("2024-05-06 08:00", replied="2024-05-06 09:01", channel="email")
    company.ticket("2024-05-06 08:00", replied="2024-05-06 08:02", channel="chat")
    company.ticket("2024-05-06 08:00", replied="2024-05-06 08:30", channel="chat")
    company.ticket("2024-05-06 08:00", replied="2024-05-06 08:01", channel="social")  # has no target
    row = company.row("service_level.tickets")
    assert (row["value"], row["n"]) == (pytest.approx(50), 4)


def test_a_young_unanswered_ticket_has_not_failed_its_target(company):
    company.as_of = "2024-05-31T23:00+02:00"
    company.params(thresholds={"reply_target_minutes": {"email": 480}})
    company.ticket("2024-05-06 08:00", replied="2024-05-06 09:00", channel="email")
    company.ticket("2024-05-06 08:00", channel="email")  # failed
    company.ticket("2024-05-31 22:59", channel="email")  # a minute old
    company.lead("2024-05-31 22:00")
    assert company.value("service_level.tickets") == pytest.approx(50)


def test_a_reply_a_minute_before_the_ticket_took_no_time(company):
    for second in range(3):
        company.ticket("2024-05-06 08:00", f"2024-05-06 07:59:{second:02d}")
    company.ticket("2024-05-06 08:00", "2024-05-06 08:10")
    company.ticket("2024-05-06 08:00", "2024-05-06 08:20")
    row = company.row("first_response_time")
    assert (row["value"], row["n"]) == (0, 5)

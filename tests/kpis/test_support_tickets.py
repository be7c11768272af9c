"""Support operations, tickets: on rows that can be worked out in the head."""

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


def test_invalid_tickets_are_left_out_and_counted_by_reason(company):
    company.customer("tess", is_test=True)
    company.tickets(5, created="2024-05-06 08:00", replied="2024-05-06 09:00")
    kept = company.ticket("2024-05-06 08:00", replied="2024-05-06 09:00")
    late = {"created": "2024-05-06 08:00", "replied": "2024-05-07 08:00"}
    company.ticket(**late, is_spam=True)
    company.ticket(**late, is_spam=True, is_deleted=True)  # counted under the first reason
    company.ticket(**late, is_test=True)
    company.ticket(**late, customer="tess")
    company.ticket(**late, merged_into_id=kept, merged_at="2024-05-08")
    company.ticket(**late, merged_into_id=kept, merged_at="2025-01-01")  # not yet merged at the extract
    company.ticket(**late, initiated_by="agent")
    company.ticket(**late, initiated_by="system")
    row = company.row("first_response_time")
    assert row["n"] == 7
    assert row["excluded"] == {
        "deleted": 1, "merged into another": 1, "not initiated by a customer": 2, "spam": 1, "test": 2,
    }  # fmt: skip


def test_agents_own_tickets_are_work_though_no_demand(company):
    company.ticket("2024-05-06 08:00", resolved="2024-05-06 09:00")
    company.ticket("2024-05-06 08:00", initiated_by="agent")
    company.ticket("2024-05-06 08:00")
    company.card("open_cases", "ticket_volume")
    assert (company.value("open_cases"), company.value("ticket_volume")) == (2, 2)


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


RATE = ("resolution_rate", "resolution_rate.throughput", "resolution_rate.of_assigned")


def test_the_resolution_rate_is_of_the_created_within_30_days(company):
    company.ticket("2024-05-06 08:00", resolved="2024-06-05 08:00")  # 30 days to the second
    company.ticket("2024-05-06 08:00", resolved="2024-06-05 08:01")
    company.ticket("2024-05-06 08:00", resolved="2024-05-07 08:00", reopened="2024-05-08 08:00")  # open again
    company.ticket("2024-05-06 08:00", closed="2024-05-07 08:00")
    company.ticket("2024-04-06 08:00", resolved="2024-05-02 08:00")  # of April
    assigned = company.ticket("2024-05-06 08:00", resolved="2024-05-07 08:00")
    company.event(assigned, "2024-05-06 08:10", "assign", to_value="anna")
    company.event(assigned, "2024-05-06 08:20", "assign", to_value="bob")
    company.card(*RATE)
    row = company.row("resolution_rate")
    assert (row["value"], row["numerator"], row["denominator"]) == (60, 3, 5)
    assert (row["low"], row["high"]) == pytest.approx((23.07, 88.24), abs=0.005)
    assigned_row = company.row("resolution_rate.of_assigned")
    assert (assigned_row["value"], assigned_row["denominator"]) == (100, 1)
    throughput = company.row("resolution_rate.throughput")
    assert (throughput["value"], throughput["numerator"], throughput["denominator"]) == (60, 3, 5)


def test_throughput_passes_100_while_old_tickets_are_solved(company):
    company.tickets(3, created="2024-04-06 08:00", resolved="2024-05-02 08:00")
    company.tickets(2, created="2024-05-06 08:00")
    company.ticket("2024-05-06 08:00", resolved="2024-05-07", initiated_by="agent")  # no request
    assert company.value("resolution_rate.throughput") == 150


def test_young_tickets_are_left_out_of_the_resolution_rate_and_counted(company):
    company.as_of = "2024-06-20T00:00+02:00"
    company.tickets(4, created="2024-05-10 08:00", resolved="2024-05-11 08:00")
    company.tickets(3, created="2024-05-25 08:00", resolved="2024-05-26 08:00")
    company.lead("2024-06-19")
    company.card(*RATE)
    row = company.row("resolution_rate")
    assert (row["denominator"], row["provisional"]) == (4, True)
    assert row["excluded"] == {"not yet observed long enough": 3}
    assert company.row("resolution_rate.throughput")["provisional"] is False


ESCALATION = ("escalation_rate", "escalation_rate.level_2", "escalation_rate.level_3", "escalation_rate.level_2_to_3")


def test_escalations_count_each_ticket_once_and_by_level(company):
    company.tickets(5, created="2024-05-06 08:00", tier=1)
    twice = company.ticket("2024-05-06 08:00", tier=1)
    company.event(twice, "2024-05-07", "escalate", to_value="2")
    company.event(twice, "2024-05-08", "escalate", to_value="2")
    up = company.ticket("2024-05-06 08:00", tier=1)
    company.event(up, "2024-05-07", "escalate", to_value="2")
    company.event(up, "2024-05-08", "escalate", to_value="3")
    late = company.ticket("2024-05-06 08:00", tier=1)
    company.event(late, "2024-05-20 08:01", "escalate", to_value="2")  # a minute after 14 days
    moved = company.ticket("2024-05-06 08:00", tier=1)
    company.event(moved, "2024-05-07", "assign", to_value="bob")  # no escalation
    company.card(*ESCALATION)
    counts = {address: company.row(address) for address in ESCALATION}
    fractions = {address: (row["numerator"], row["denominator"]) for address, row in counts.items()}
    assert fractions == {
        "escalation_rate": (2, 9),
        "escalation_rate.level_2": (2, 9),
        "escalation_rate.level_3": (1, 9),
        "escalation_rate.level_2_to_3": (1, 2),
    }


def test_a_ticket_created_on_level_2_is_in_the_base_of_level_2_only(company):
    company.tickets(2, created="2024-05-06 08:00", tier=1)
    second = company.ticket("2024-05-06 08:00", tier=2)
    company.event(second, "2024-05-07", "escalate", to_value="3")
    company.card(*ESCALATION)
    assert company.row("escalation_rate.level_2")["denominator"] == 2
    onward = company.row("escalation_rate.level_2_to_3")
    assert (onward["numerator"], onward["denominator"]) == (1, 1)


def test_an_export_with_the_tier_reached_is_read_as_where_the_ticket_began(company):
    ticket = company.ticket("2024-05-06 08:00", tier=2)
    company.event(ticket, "2024-05-07", "escalate", to_value="2")
    row = company.row("escalation_rate.level_2")
    assert (row["numerator"], row["denominator"]) == (1, 1)


def test_young_tickets_are_left_out_of_the_escalation_rate(company):
    company.as_of = "2024-06-05T00:00+02:00"
    company.tickets(2, created="2024-05-10 08:00")
    company.tickets(3, created="2024-05-25 08:00")
    company.lead("2024-06-04")
    row = company.row("escalation_rate")
    assert (row["denominator"], row["excluded"]) == (2, {"not yet observed long enough": 3})


VOLUME = ("ticket_volume", "ticket_volume.per_working_day", "ticket_volume.offered", "tickets_by_channel")


def test_requests_are_tickets_and_answered_calls_that_are_none(company):
    company.params(hours={"holidays": "DE"})
    ticket = company.ticket("2024-05-06 08:00", channel="email")
    company.tickets(2, created="2024-05-06 08:00", channel="chat")
    company.ticket("2024-05-06 08:00", channel="email", is_spam=True)
    company.ticket("2024-05-06 08:00", channel="email", initiated_by="agent")
    company.calls(2)
    company.call(ticket_id=ticket)  # it became the first ticket
    company.call(direction="outbound")
    for outcome in ("abandoned_queue", "abandoned_ivr", "blocked", "voicemail", "callback"):
        company.call(outcome=outcome)
    company.call("2024-06-01 00:00")
    company.card(*VOLUME)
    assert company.row("ticket_volume")["value"] == 5
    assert company.row("ticket_volume")["excluded"] == {"not initiated by a customer": 1, "spam": 1}
    assert company.value("ticket_volume.offered") == 6  # the one abandoned in the queue
    assert company.value("ticket_volume.per_working_day") == pytest.approx(5 / 20)  # 23 weekdays, 3 of them holidays


def test_requests_by_channel_are_shares_with_their_counts_and_no_total(company):
    company.ticket("2024-05-06 08:00", channel="email")
    company.ticket("2024-05-06 08:00")
    company.calls(2)
    card = company.card("tickets_by_channel", "ticket_volume")
    rows = card.frame[(card.frame["kpi"] == "tickets_by_channel") & (card.frame["period"] == "2024-05")]
    found = {row["member"]: (row["value"], row["numerator"], row["denominator"]) for row in rows.to_dict("records")}
    assert found == {"email": (25, 1, 4), "(none)": (25, 1, 4), "phone": (50, 2, 4)}
    assert set(rows["cut"]) == {"channel"}


def test_a_table_kpi_can_be_measured_alone(company):
    company.ticket("2024-05-06 08:00", channel="email")
    assert company.members("tickets_by_channel", "channel") == {"email": 100}


def test_calls_alone_are_requests(company):
    company.calls(2)
    assert company.value("ticket_volume") == 2


def test_a_customer_who_writes_or_calls_elsewhere_has_switched(company):
    written = company.ticket("2024-05-06 08:00", channel="email")
    company.event(written, "2024-05-07", "customer_message", actor="customer", channel="chat")
    same = company.ticket("2024-05-06 08:00", channel="email")
    company.event(same, "2024-05-07", "customer_message", actor="customer", channel="email")
    company.event(same, "2024-05-07", "customer_message", actor="customer")  # the ticket's
    company.event(same, "2024-05-07", "public_reply", channel="chat")  # we did, not the customer
    called = company.ticket("2024-05-06 08:00", channel="email")
    company.call(ticket_id=called)
    company.ticket("2024-05-06 08:00", channel="phone")
    assert company.value("tickets_by_channel.switched") == 50


def test_contacts_are_for_each_thousand_of_the_customers_there_on_average(company):
    for number in range(3):
        company.subscription(f"stays {number}")
    company.subscription("leaves", ended="2024-05-20")
    company.subscription("comes", started="2024-05-10")
    company.subscription("comes too", started="2024-05-10")  # 4 at the start, 5 at the end
    company.subscription("came and went", started="2024-05-10", ended="2024-05-20")
    company.ticket("2024-05-06 08:00", customer="stays 1")
    company.ticket("2024-05-06 08:00", is_spam=True)
    company.calls(8)
    company.call(outcome="abandoned_queue", queue=60)
    row = company.row("contact_rate")
    assert (row["value"], row["numerator"], row["denominator"]) == (2000, 9, 4.5)
    assert row["method"] == "quasi-Poisson count by day"
    assert row["low"] < 2000 < row["high"]


def test_requests_of_nobody_active_have_no_rate(company):
    company.subscription("comes", started="2024-06-10")
    company.subscription("left", ended="2024-04-10")
    company.calls(8)
    assert company.status("contact_rate") == "undefined"


RESOLVED = ("resolved_cases", "resolved_cases.actions", "resolved_cases.automatic")


def test_a_ticket_is_resolved_once_and_for_good_however_often_it_was_closed(company):
    company.ticket("2024-01-06", resolved="2024-05-07", closed="2024-05-10")  # closing the resolved is no other
    again = company.ticket("2024-05-06", resolved="2024-05-07", reopened="2024-05-08")
    company.event(again, "2024-05-09", "status", to_value="closed")
    company.ticket("2024-05-06", resolved="2024-05-07", reopened="2024-06-08")  # open now
    later = company.ticket("2024-05-06", resolved="2024-05-31 23:59", reopened="2024-06-02")
    company.event(later, "2024-06-03", "status", to_value="resolved")
    company.ticket("2024-05-06", resolved="2024-05-07", initiated_by="agent")
    company.ticket("2024-05-06", resolved="2024-05-07", is_spam=True)
    for actor in ("bot", "system"):
        ticket = company.ticket("2024-05-06")
        company.event(ticket, "2024-05-07", "status", actor=actor, to_value="closed")
    company.card(*RESOLVED, period="2024-06")
    months = ("2024-05", "2024-06")
    found = {address: [company.value(address, month, reported="2024-06") for month in months] for address in RESOLVED}
    assert found == {
        "resolved_cases": [5, 1],
        "resolved_cases.actions": [8, 1],
        "resolved_cases.automatic": [2, 0],
    }
    assert company.row("resolved_cases", reported="2024-06")["method"] == "census"


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


def test_tickets_given_up_were_closed_by_a_machine_after_our_question(company):
    given_up = company.ticket("2024-05-06 08:00", "2024-05-06 09:00")
    company.event(given_up, "2024-05-06 09:00", "status", to_value="pending")
    company.event(given_up, "2024-05-16 09:00", "status", actor="system", to_value="closed")
    by_hand = company.ticket("2024-05-06 08:00", "2024-05-06 09:00")
    company.event(by_hand, "2024-05-06 09:00", "status", to_value="pending")
    company.event(by_hand, "2024-05-16 09:00", "status", to_value="resolved")
    automatic = company.ticket("2024-05-06 08:00")
    company.event(automatic, "2024-05-16 09:00", "status", actor="system", to_value="resolved")
    company.ticket("2024-05-06 08:00")
    assert company.value("abandonment_rate.tickets") == 25


def test_the_handle_time_of_tickets_is_what_was_recorded(company):
    tracked = company.ticket("2024-05-06 08:00", resolved="2024-05-07")
    company.event(tracked, "2024-05-06 09:00", "public_reply", handle_seconds=100)
    company.event(tracked, "2024-05-06 10:00", "internal_note", handle_seconds=200)
    other = company.ticket("2024-05-06 08:00", resolved="2024-05-07")
    company.event(other, "2024-05-06 09:00", "public_reply", handle_seconds=500)
    company.ticket("2024-05-06 08:00", resolved="2024-05-07")  # nothing recorded
    row = company.row("average_handle_time.tickets")
    assert (row["value"], row["numerator"], row["denominator"]) == (400, 800, 2)


def test_without_recorded_time_there_is_no_handle_time_of_tickets(company):
    company.tickets(5, created="2024-05-06 08:00", resolved="2024-05-07")
    assert company.status("average_handle_time.tickets") == "not_available"


COST = ("cost_per_ticket", "cost_per_ticket.resolved")


def test_the_cost_of_a_ticket_is_the_periods_cost_of_support(company):
    company.cost(310)
    company.cost(3660, first="2024-01-01", last="2024-12-31")  # 10 a day: 310 in May
    company.cost(100, first="2024-05-31", last="2024-06-01")  # 50
    company.cost(9999, center="acquisition")
    company.cost(9999, center="serve")
    company.cost(9999, first="2024-06-01", last="2024-06-30")
    for day in range(10, 15):
        company.ticket(f"2024-05-{day} 08:00")
    company.ticket("2024-05-06 08:00", is_spam=True)
    company.ticket("2024-05-06 08:00", initiated_by="agent", resolved="2024-05-07")
    company.ticket("2024-04-06 08:00", resolved="2024-05-07")
    company.card(*COST)
    row = company.row("cost_per_ticket")
    assert (row["value"], row["numerator"], row["denominator"]) == (pytest.approx(134), pytest.approx(670), 5)
    assert row["low"] < row["value"] < row["high"]
    assert company.value("cost_per_ticket.resolved") == pytest.approx(335)


def test_costs_in_another_currency_have_the_rate_of_params(company):
    company.params(fx={"USD": 0.9})
    company.cost(100, currency="USD")
    company.cost(10)
    company.tickets(5, created="2024-05-06 08:00")
    assert company.value("cost_per_ticket") == pytest.approx(20)


def test_no_tickets_make_no_cost_of_one(company):
    company.cost(100)
    company.cost(100, first="2024-04-01", last="2024-04-30")
    company.ticket("2024-04-06 08:00")
    row = company.row("cost_per_ticket")
    assert (row["status"], row["value"], row["denominator"]) == ("undefined", None, 0)


@pytest.mark.parametrize(
    "address", ["first_response_time", "resolution_time", "first_contact_resolution", "open_cases"]
)
def test_members_of_a_cut_and_tickets_without_it(company, address):
    columns = {"replied": "2024-05-06 09:00", "resolved": "2024-05-06 10:00", "reopened": None}
    if address == "open_cases":
        columns = {"replied": "2024-05-06 09:00"}
    company.ticket("2024-05-06 08:00", **columns, customer="ada", channel="email")
    company.ticket("2024-05-06 08:00", **columns, customer="bo")
    assert set(company.members(address, "channel")) == {"email", "(none)"}


def test_a_plain_export_of_tickets_alone_has_volume_and_no_times(company):
    for number in range(6):
        company.add("tickets", ticket_id=f"T{number}", created_at="2024-05-06 08:00")
    company.card("ticket_volume", "open_cases", "first_response_time", "first_contact_resolution")
    assert company.value("ticket_volume") == 6
    for address in ("open_cases", "first_response_time", "first_contact_resolution"):
        row = company.row(address)
        assert (row["status"], row["method"]) == ("not_available", "no table ticket_events"), address


def test_a_month_without_any_cost_is_not_free(company):
    company.tickets(10, created="2024-05-06 08:00")
    company.tickets(10, created="2024-04-08 08:00")
    company.cost(500, first="2024-04-01", last="2024-04-30")
    months = ("2024-04", "2024-05")
    found = [company.row("cost_per_ticket", month, reported="2024-05") for month in months]
    assert [(row["value"], row["status"]) for row in found] == [(50, "ok"), (None, "undefined")]


def test_a_running_period_has_the_costs_and_the_days_that_have_ended(company):
    company.as_of = "2024-06-11T12:00+02:00"  # ten days of June, six of them working days
    company.cost(300, first="2024-06-01", last="2024-06-30")
    for day in range(1, 11):
        company.ticket(f"2024-06-{day:02d} 08:00")
    company.ticket("2024-06-11 08:00")
    company.card("cost_per_ticket", "open_cases.daily_mean", "ticket_volume.per_working_day", period="2024-06")
    assert company.row("cost_per_ticket", "2024-06")["numerator"] == pytest.approx(100)
    assert company.value("open_cases.daily_mean", "2024-06") == pytest.approx(5.5)  # 1, 2 ... 10
    assert company.row("ticket_volume.per_working_day", "2024-06")["denominator"] == 6


def test_on_its_first_day_a_period_has_one_day(company):
    company.as_of = "2024-06-01T12:00+02:00"
    company.cost(300, first="2024-06-01", last="2024-06-30")
    company.tickets(5, created="2024-06-01 08:00")
    assert company.value("cost_per_ticket", "2024-06", reported="2024-06") == pytest.approx(2)


def test_a_ticket_resolved_yesterday_is_not_yet_solved_at_first_contact(company):
    company.as_of = "2024-05-31T00:00+02:00"
    for resolved in ("2024-05-23", "2024-05-24", "2024-05-24 00:01", "2024-05-30"):  # seven days before, or fewer
        company.ticket("2024-05-20", "2024-05-21", resolved, customer=f"c {resolved}")
    company.ticket("2024-05-20", customer="open")
    row = company.row("first_contact_resolution.of_created")
    assert (row["numerator"], row["denominator"]) == (2, 3)


def test_a_reply_a_minute_before_the_ticket_took_no_time(company):
    for second in range(3):
        company.ticket("2024-05-06 08:00", f"2024-05-06 07:59:{second:02d}")
    company.ticket("2024-05-06 08:00", "2024-05-06 08:10")
    company.ticket("2024-05-06 08:00", "2024-05-06 08:20")
    row = company.row("first_response_time")
    assert (row["value"], row["n"]) == (0, 5)

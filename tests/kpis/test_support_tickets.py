"""Support operations, tickets: on rows that can be worked out in the head."""

import pytest


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

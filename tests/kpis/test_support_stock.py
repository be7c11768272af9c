"""Support operations, open work: on rows that can be worked out in the head."""

import pytest

from kpi_lib import scorecard
from kpi_lib.period import Period

OPEN = ("open_cases", "open_cases.daily_mean", "open_cases.net_flow")


def test_open_cases_are_rebuilt_from_the_events(company):
    company.ticket("2024-04-10", resolved="2024-05-10")
    company.ticket("2024-05-10")
    pending = company.ticket("2024-05-10")
    company.event(pending, "2024-05-11", "status", to_value="pending")
    company.ticket("2024-05-10", resolved="2024-05-12", reopened="2024-05-13")
    company.ticket("2024-05-10", resolved="2024-06-01 00:00")  # at the very end it was still open
    company.ticket("2024-05-10", is_spam=True)
    company.ticket("2024-06-01 00:00")
    company.card(*OPEN, period="2024-06")
    counted = {
        month: company.value("open_cases", month, reported="2024-06") for month in ("2024-04", "2024-05", "2024-06")
    }
    assert counted == {"2024-04": 1, "2024-05": 4, "2024-06": 4}
    may = company.row("open_cases.net_flow", "2024-05", reported="2024-06")
    assert may["value"] == 4 - 1  # four created, two resolved, one reopened
    june = company.row("open_cases.net_flow", "2024-06", reported="2024-06")
    assert june["value"] == 0


def test_open_cases_by_status_and_age(company):
    company.ticket("2024-05-31 10:00")
    waiting = company.ticket("2024-05-27 10:00")
    company.event(waiting, "2024-05-28", "status", to_value="pending")
    company.ticket("2024-01-27 10:00")
    assert company.members("open_cases", "status") == {"open": 2, "pending": 1}
    ages = company.members("open_cases", "age_band")
    assert ages == {"under 1 day": 1, "3 to 7 days": 1, "over 7 days": 1}


def test_open_on_an_average_day_is_at_the_end_of_each_day(company):
    company.ticket("2024-04-01", resolved="2024-05-11 08:00")  # open at the end of ten days of May
    company.ticket("2024-05-31 08:00")  # of one
    company.ticket("2024-05-06 08:00", resolved="2024-05-06 20:00")  # of none
    company.ticket("2024-04-01", "2024-04-02", "2024-04-03", reopened="2024-05-30 12:00")  # of two
    assert company.value("open_cases.daily_mean") == pytest.approx(13 / 31)


def test_days_end_at_local_midnight_whatever_the_clocks_do(company):
    company.ticket("2024-03-30 23:30", resolved="2024-04-01 00:00")  # of the 30th and the 31st, of 23 hours
    company.ticket("2024-03-05 00:00", resolved="2024-03-05 23:59")  # of none
    company.ticket("2024-02-28 12:00", resolved="2024-03-02 00:00")  # of one in March
    assert company.value("open_cases.daily_mean", "2024-03") == pytest.approx(3 / 31)


AWAITING = ("awaiting_reply", "awaiting_reply.tickets", "awaiting_reply.oldest")


def test_a_customer_waits_who_has_the_last_word_in_an_open_ticket(company):
    company.ticket("2024-05-31 00:00", customer="ada")  # a day, never answered
    again = company.ticket("2024-05-10", replied="2024-05-11", customer="ada")
    company.event(again, "2024-05-29 00:00", "customer_message", actor="customer")  # three days
    company.event(again, "2024-05-30 00:00", "customer_message", actor="customer")
    company.ticket("2024-05-10", replied="2024-05-11", customer="bo")  # we had the last word
    bot = company.ticket("2024-05-31 12:00", customer="cy")
    company.event(bot, "2024-05-31 12:01", "public_reply", actor="bot")
    company.event(bot, "2024-05-31 12:02", "internal_note")
    company.card(*AWAITING)
    assert [company.value(address) for address in AWAITING] == [2, 3, 3]
    row = company.row("awaiting_reply")
    assert (row["unit"], row["status"], row["method"], row["low"]) == ("count", "ok", "census", None)
    assert (company.row("awaiting_reply.oldest")["unit"], company.status("awaiting_reply.oldest")) == ("days", "ok")


def test_nobody_waits_for_us_whose_answer_we_await_or_who_did_not_ask(company):
    for status in ("pending", "hold", "resolved"):
        ticket = company.ticket("2024-05-10", customer=status)
        company.event(ticket, "2024-05-11", "status", to_value=status)
    company.ticket("2024-05-10", customer="di", initiated_by="agent")
    company.ticket("2024-05-10", customer="ed", is_spam=True)
    company.ticket("2024-06-01 00:00", customer="flo")
    back = company.ticket("2024-05-10", "2024-05-11", "2024-05-12", reopened="2024-05-14", customer="gil")
    company.event(back, "2024-05-13", "customer_message", actor="customer")
    company.card(*AWAITING)
    assert [company.value(address) for address in AWAITING] == [1, 1, 19]  # gil, since the 13th


def test_who_waits_is_rebuilt_for_the_end_of_each_month(company):
    ticket = company.ticket("2024-04-30 00:00", replied="2024-05-01 00:00", customer="ada")
    company.event(ticket, "2024-05-22 00:00", "customer_message", actor="customer")
    company.event(ticket, "2024-06-01 00:00", "public_reply")  # on the stroke of June: at the end of May none yet
    company.card(*AWAITING, period="2024-06")
    found = {
        month: [company.value(address, month, reported="2024-06") for address in AWAITING]
        for month in ("2024-04", "2024-05", "2024-06")
    }
    assert found == {"2024-04": [1, 1, 1], "2024-05": [1, 1, 10], "2024-06": [0, 0, None]}


def test_unknown_customers_wait_one_by_one_and_a_customer_once_in_each_cut(company):
    company.tickets(2, created="2024-05-10", channel="email")
    company.ticket("2024-05-10", customer="ada", channel="email")
    company.ticket("2024-05-10", customer="ada", channel="chat")
    assert company.value("awaiting_reply") == 3
    assert company.members("awaiting_reply", "channel") == {"email": 3, "chat": 1}


def test_a_reply_a_moment_before_the_ticket_is_an_answer_to_it(company):
    company.ticket("2024-05-10 08:00:30", replied="2024-05-10 08:00:00", customer="ada")
    assert company.value("awaiting_reply") == 0


BACKLOG = ("backlog", "backlog.oldest", "backlog.days_of_work")


def test_backlog_is_what_is_open_and_older_than_the_hours(company):
    company.ticket("2024-05-29 00:00")  # 72 hours to the second: not older
    company.ticket("2024-05-28 23:59:59", channel="email")
    company.ticket("2024-05-31 08:00")
    pending = company.ticket("2024-05-22 00:00")
    company.event(pending, "2024-05-23", "status", to_value="pending")
    company.ticket("2024-01-01", resolved="2024-05-31")
    company.ticket("2024-01-01", is_spam=True)
    company.card(*BACKLOG)
    assert (company.value("backlog"), company.value("backlog.oldest")) == (2, 10)
    assert company.members("backlog", "status") == {"open": 1, "pending": 1}


def test_the_hours_of_the_backlog_are_params_and_calendar_time(company):
    company.params(thresholds={"backlog_hours": 24})
    company.ticket("2024-03-30 23:30")  # the clocks change: 23.5 hours before the end of March
    company.ticket("2024-03-30 23:00", channel="chat")
    company.ticket("2024-03-30 22:59", channel="email")
    assert company.value("backlog", "2024-03") == 1


def test_days_of_work_are_the_open_at_the_pace_of_the_month(company):
    company.tickets(6, created="2024-05-10", channel="email")
    company.tickets(62, created="2024-05-10", resolved="2024-05-20", channel="email")  # two a day
    company.ticket("2024-05-10", channel="chat")
    company.ticket("2024-04-10", resolved="2024-04-11", channel="chat")  # of another month
    company.card(*BACKLOG, cuts=True)
    row = company.row("backlog.days_of_work")
    assert (row["value"], row["unit"]) == (pytest.approx(3.5), "days")
    assert company.value("backlog.days_of_work", cut="channel", member="email") == pytest.approx(3)
    assert company.status("backlog.days_of_work", cut="channel", member="chat") == "undefined"  # no pace


def test_without_open_tickets_nothing_is_old_and_no_work_is_left(company):
    company.ticket("2024-05-10", resolved="2024-05-20")
    company.card(*BACKLOG, *AWAITING)
    assert [company.value(address) for address in ("backlog", "awaiting_reply", "backlog.days_of_work")] == [0, 0, 0]
    for address in ("backlog.oldest", "awaiting_reply.oldest"):
        assert (company.status(address), company.value(address)) == ("undefined", None)


def test_open_tickets_by_who_had_them_at_the_end(company):
    moved = company.ticket("2024-05-10")
    company.event(moved, "2024-05-11", "assign", to_value="anna")
    company.event(moved, "2024-05-12", "assign", to_value="bob")
    company.event(moved, "2024-06-01 00:00", "assign", to_value="cleo")
    company.ticket("2024-05-10")
    company.card("open_cases")
    source = company._source
    fact = scorecard.data(source, company.loaded(), [Period.parse("2024-05")]).fact("open_at_end")
    assert sorted(fact.agent.to_pandas().fillna("")) == ["", "bob"]


def test_while_a_period_runs_tickets_are_as_old_as_the_extract_says(company):
    company.ticket("2024-05-09 12:00")
    company.as_of = "2024-05-10T12:00+02:00"
    for period in ("2024-05", "2024-Q2", "2024"):
        company.card("backlog", "backlog.oldest", "awaiting_reply.oldest", "open_cases", period=period, cuts=True)
        assert company.value("backlog", period) == 0
        assert (company.value("backlog.oldest", period), company.value("awaiting_reply.oldest", period)) == (1, 1)
        assert company.members("open_cases", "age_band", period) == {"1 to 3 days": 1}


def test_what_is_said_after_a_merge_belongs_to_the_ticket_that_is_left(company):
    left = company.ticket("2024-05-02 12:00", "2024-05-02 13:00", customer="a")
    for merged_at in ("2024-05-20 13:00", "2024-05-20 14:00"):
        merged = {"merged_into_id": left, "merged_at": merged_at}
        second = company.ticket("2024-05-20 12:00", customer="a", **merged)
        company.event(second, "2024-05-20 12:30", "customer_message", actor="customer")
    company.card("awaiting_reply.tickets")
    assert company.value("awaiting_reply.tickets") == 0  # before the merge it was said elsewhere
    company.event(second, "2024-05-20 14:00", "customer_message", actor="customer")
    assert company.value("awaiting_reply.tickets") == 1
    company.event(second, "2024-05-20 15:00", "public_reply", agent_id="anna")
    assert company.value("awaiting_reply.tickets") == 0

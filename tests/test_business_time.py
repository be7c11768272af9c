"""Business time: seconds in which the desk is open, over weekends, holidays and changes of the clock."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_lib.errors import ParamsError
from kpi_lib.facts.calendar import Calendar
from kpi_lib.params import Hours
from kpi_lib.period import Period

OFFICE = {"days": ["mon", "tue", "wed", "thu", "fri"], "open": "09:00", "close": "18:00", "holidays": "DE"}
WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
SCHEDULES = {
    "office": Hours(**OFFICE),
    "ten to nine": Hours(days=["sat", "mon"], open="08:50", close="17:07"),
    "always": Hours(days=WEEK, open="00:00", close="24:00"),
    "three minutes": Hours(days=["sun"], open="01:10", close="01:13"),
}


def first_reply(company, created, replied):
    company.params(hours=OFFICE)
    company.ticket(created=created, replied=replied)
    return company.value("first_response_time.business", created[:7])


def test_a_night_between_two_working_days_does_not_count(company):
    assert first_reply(company, "2024-05-06 17:30", "2024-05-07 09:45") == 30 + 45


def test_a_weekend_does_not_count(company):
    assert first_reply(company, "2024-05-17 17:00", "2024-05-21 10:00") == 60 + 60  # Monday was Whit Monday


def test_a_public_holiday_does_not_count(company):
    assert first_reply(company, "2024-04-30 17:00", "2024-05-02 10:00") == 60 + 60  # 1 May


def test_asked_and_answered_outside_hours_took_no_time(company):
    assert first_reply(company, "2024-05-04 10:00", "2024-05-05 20:00") == 0


@pytest.mark.parametrize("friday", ["2024-03-29", "2023-10-27"])
def test_a_weekend_in_which_the_clock_changes_is_a_weekend(company, friday):
    monday = "2024-04-02" if friday == "2024-03-29" else "2023-10-30"  # Good Friday and Easter Monday are holidays
    minutes = 60 if friday == "2024-03-29" else 120
    assert first_reply(company, f"{friday} 17:00", f"{monday} 10:00") == minutes


def test_the_hour_that_the_clock_skips_is_not_open(company):
    company.params(hours={"days": ["sun"], "open": "01:00", "close": "06:00"})
    company.ticket(created="2024-03-31 00:30", replied="2024-03-31 12:00")
    assert company.value("first_response_time.business", "2024-03") == 240  # from 01:00 to 06:00 there are 4 hours


def test_an_unanswered_ticket_waits_in_business_time_too(company):
    company.params(hours=OFFICE)
    company.as_of = "2024-05-08T12:00+02:00"
    company.ticket(created="2024-05-06 10:00", replied="2024-05-06 11:00")  # 60 minutes
    company.ticket(created="2024-05-06 10:00")  # waits for 8 + 9 + 3 hours
    company.ticket(created="2024-05-06 10:00", replied="2024-05-07 10:00")  # 540 minutes
    assert company.value("first_response_time.business", "2024-05") == 540


def test_resolution_in_business_time(company):
    company.params(hours=OFFICE)
    company.ticket(created="2024-05-03 17:00", resolved="2024-05-06 09:30")
    assert company.value("resolution_time.business", "2024-05") == 90


def test_without_hours_there_is_no_business_time(company):
    company.ticket(created="2024-05-06 10:00", replied="2024-05-06 11:00")
    row = company.row("first_response_time.business", "2024-05")
    assert (row["status"], row["method"]) == ("not_available", "no hours in params")


@pytest.mark.parametrize("hours", [{"open": "18:00", "close": "09:00"}, {"close": "25:00"}, {"open": "09:75"}])
def test_hours_that_cannot_be_are_refused(company, hours):
    company.params(hours=hours)
    with pytest.raises(ParamsError):
        company.value("ticket_volume", "2024-05")


@settings(max_examples=60, deadline=None)
@given(schedule=st.sampled_from(sorted(SCHEDULES)), second=st.integers(0, 396 * 86400))
def test_the_table_of_open_time_equals_a_count_of_shifts(schedule, second):
    made = _calendar(schedule)
    start = made.bounds[0][1]
    instant = start + second
    counted = sum(max(0, min(instant, closes) - max(opens, start)) for opens, closes in _shifts(schedule))
    slot = _table(schedule).loc[instant // 900]
    inside = min(max(instant % 900, slot.opens), slot.closes) - slot.opens
    assert slot.before + inside == counted


_calendars: dict = {}
_tables: dict = {}


def _calendar(schedule):
    if schedule not in _calendars:
        periods = tuple(Period.parse("2024-05").trailing(13))
        _calendars[schedule] = Calendar(periods, "Europe/Berlin", SCHEDULES[schedule], datetime(2024, 7, 2, tzinfo=UTC))
    return _calendars[schedule]


def _table(schedule):
    if schedule not in _tables:
        _tables[schedule] = _calendar(schedule).open_slots.to_pandas().set_index("slot")
    return _tables[schedule]


def _shifts(schedule):
    """Return when the desk opens and closes each day."""
    made = _calendar(schedule)
    return made._shifts(made.bounds[0][1], int((made.until + timedelta(days=1)).timestamp()))


def test_a_reply_stamped_just_before_its_question_took_no_time(company):
    company.params(hours=OFFICE)
    company.ticket(created="2024-05-06 12:00:30", replied="2024-05-06 12:00:00", resolved="2024-05-06 12:00:00")
    assert company.value("first_response_time.business") == company.value("resolution_time.business") == 0

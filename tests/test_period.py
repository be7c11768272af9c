from datetime import UTC, date, datetime, timedelta

import pytest

from kpi_lib.errors import PeriodError
from kpi_lib.period import Period, midnight, parse_instant

BERLIN = "Europe/Berlin"


@pytest.mark.parametrize(
    ("text", "label", "months", "first", "last"),
    [
        ("2024-05", "May 2024", 1, date(2024, 5, 1), date(2024, 5, 31)),
        ("2024-02", "February 2024", 1, date(2024, 2, 1), date(2024, 2, 29)),
        ("2024-Q2", "Q2 2024", 3, date(2024, 4, 1), date(2024, 6, 30)),
        ("2024-Q4", "Q4 2024", 3, date(2024, 10, 1), date(2024, 12, 31)),
        ("2024", "2024", 12, date(2024, 1, 1), date(2024, 12, 31)),
    ],
)
def test_months_quarters_and_years_are_read_and_written_alike(text, label, months, first, last):
    period = Period.parse(text)
    assert str(period) == text
    assert (period.label, period.months, period.first_day, period.last_day) == (label, months, first, last)


@pytest.mark.parametrize(
    ("text", "before", "year_before"),
    [("2024-01", "2023-12", "2023-01"), ("2024-Q1", "2023-Q4", "2023-Q1"), ("2024", "2023", "2023")],
)
def test_the_period_before_and_the_same_one_a_year_earlier(text, before, year_before):
    period = Period.parse(text)
    assert (str(period.previous), str(period.year_before)) == (before, year_before)


def test_a_trend_ends_with_the_period_itself_oldest_first():
    trend = [str(period) for period in Period.parse("2024-02").trailing(13)]
    assert (trend[0], trend[11], trend[-1], len(trend)) == ("2023-02", "2024-01", "2024-02", 13)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("2024-5", "did you mean '2024-05'"),
        ("2024/05", "did you mean '2024-05'"),
        ("202405", "did you mean '2024-05'"),
        ("2024Q2", "did you mean '2024-Q2'"),
        ("2024-q2", "did you mean '2024-Q2'"),
        ("2024-13", "a month 2024-05"),
        ("2024-Q5", "a quarter 2024-Q2"),
        ("24-05", "a year 2024"),
        ("２０２４-05", "a month 2024-05"),
        ("٢٠٢٤-٠٥", "a month 2024-05"),
        ("2024-05\n", "2024-05"),
        ("", "a month 2024-05"),
    ],
)
def test_another_spelling_is_refused_and_says_what_was_meant(text, hint):
    with pytest.raises(PeriodError, match=hint):
        Period.parse(text)


def test_bounds_are_half_open_and_touch_the_next_period():
    start, end = Period.parse("2024-05").bounds(BERLIN)
    assert (start, end) == (datetime(2024, 4, 30, 22, tzinfo=UTC), datetime(2024, 5, 31, 22, tzinfo=UTC))
    assert Period.parse("2024-06").bounds(BERLIN)[0] == end


def test_a_month_in_which_the_clocks_change_is_an_hour_shorter_or_longer():
    hours = {text: _hours(text, BERLIN) for text in ("2024-03", "2024-10")}
    assert hours == {"2024-03": 31 * 24 - 1, "2024-10": 31 * 24 + 1}
    assert _hours("2024-03", "UTC") == 31 * 24


def test_quarter_and_year_are_their_months():
    months = [Period.parse(f"2024-{number:02d}").bounds(BERLIN) for number in range(1, 13)]
    assert Period.parse("2024-Q2").bounds(BERLIN) == (months[3][0], months[5][1])
    assert Period.parse("2024").bounds(BERLIN) == (months[0][0], months[11][1])


def test_a_day_lies_in_its_month_quarter_and_year():
    day = date(2024, 12, 31)
    assert [str(Period.containing(day, months)) for months in (1, 3, 12)] == ["2024-12", "2024-Q4", "2024"]


def test_midnight_that_the_clocks_skip_is_the_first_instant_of_the_day():
    assert midnight(date(2024, 3, 31), "Asia/Beirut") == datetime(2024, 3, 30, 22, tzinfo=UTC)  # 00:00 became 01:00


def test_an_instant_needs_its_offset():
    assert parse_instant("2024-07-02T06:00+02:00") == datetime(2024, 7, 2, 4, tzinfo=UTC)
    with pytest.raises(PeriodError, match="has no offset"):
        parse_instant("2024-07-02T06:00")
    with pytest.raises(PeriodError, match="is not an instant"):
        parse_instant("yesterday")


def _hours(text: str, zone: str) -> float:
    start, end = Period.parse(text).bounds(zone)
    return (end - start) / timedelta(hours=1)

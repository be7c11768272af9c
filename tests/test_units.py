import math

import pytest

from kpi_lib.units import NONE, change, difference, duration, exact, printed, rounded


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (86.44, "percent", "86.4%"),
        (0.0, "percent", "0.0%"),
        (31.25, "points", "31.2"),
        (-31.26, "points", "\N{MINUS SIGN}31.3"),
        (-0.04, "points", "0.0"),
        (12345.4, "count", "12,345"),
        (72, "minutes", "1 h 12 min"),
        (0.5, "minutes", "30 s"),
        (45.4, "seconds", "45 s"),
        (3.14159, "ratio", "3.14"),
        (19.999, "currency", "EUR 20.00"),
        (1204.4, "currency", "EUR 1,204"),
        (3.2, "days", "3 d 5 h"),
        (0.5, "days", "12 h"),
        (1, "months", "1 month"),
        (None, "percent", "–"),
        (math.nan, "percent", "–"),
    ],
)
def test_a_value_is_printed_with_its_unit(value, unit, text):
    assert plain(printed(value, unit, "EUR")) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"), (59.4, "59 s"), (60, "1 min"), (90, "1 min 30 s"), (3599, "59 min 59 s"), (3629, "1 h"),
        (86399, "1 d"), (90000, "1 d 1 h"), (-90, "\N{MINUS SIGN}1 min 30 s"),
    ],
)  # fmt: skip
def test_a_duration_is_said_in_its_two_largest_units(seconds, text):
    assert plain(duration(seconds)) == text


@pytest.mark.parametrize(
    ("now", "before", "unit", "text"),
    [
        (33.3, 31.2, "points", "up 2.1 points"),
        (8.84, 8.76, "percent", "unchanged"),  # both are printed as 8.8
        (8.86, 8.84, "percent", "up 0.1 percentage points"),  # printed 8.9 and 8.8
        (80, 81, "percent", "down 1.0 percentage points"),
        (60, 72, "minutes", "down 12 min"),
        (32.5, 11.8, "days", "up 20 d 17 h"),
        (5, None, "count", ""),
        (None, 5, "count", ""),
    ],
)
def test_a_change_is_said_of_the_printed_numbers(now, before, unit, text):
    assert plain(change(now, before, unit)) == text


def test_a_value_is_rounded_to_what_is_printed():
    assert (rounded(3.04, "percent"), rounded(3.06, "percent"), rounded(None, "percent")) == (3.0, 3.1, None)
    assert (rounded(119.6, "seconds"), rounded(1234.5, "currency"), rounded(12.345, "currency")) == (120, 1234, 12.35)
    assert rounded(90.3, "minutes") == 90


def test_a_difference_of_amounts_has_the_amounts_unit():
    assert plain(difference(3.5, "currency", "EUR")) == "EUR 3.50"
    assert (plain(difference(3.5, "count")), plain(difference(350.5, "count"))) == ("3.5", "350")


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [(92.9025, "seconds", "92.90"), (7934.0, "count", "7,934"), (3.5, "count", "3.50"), (None, "percent", NONE)],
)
def test_an_exact_number_is_for_those_who_compare(value, unit, said):
    assert exact(value, unit) == said

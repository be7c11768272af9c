"""Sentences on a number in view of its own history: what is ordinary, what stands out, and what is said once."""

import pytest
from test_insight import CALM, history, judged

from kpi_lib import insight


def told(*values, last=None, among=(), **changed):
    """The sentence on the last of these values, in view of the others; `last` changes only its row."""
    rows = history(*values, **changed)
    rows[-1] |= last or {}
    return insight.sentence(rows[-1], judged(rows, *among)).replace("\N{NO-BREAK SPACE}", " ")


AIM = "; it meets the target of at least 30."


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (31.2, "was 31.2, up 1.4 points on April, within its ordinary month-to-month variation"),
        (29.8, "was 29.8, unchanged from April"),
        (
            41.2,
            "improved to 41.2, up 11.4 points on April, beyond its ordinary month-to-month variation (27.3 to 32.7)",
        ),
        (
            10.0,
            "worsened to 10.0, down 19.8 points on April, beyond its ordinary month-to-month variation (27.3 to 32.7)",
        ),
    ],
)
def test_a_change_is_set_against_the_ordinary_variation(value, text):
    assert told(*CALM, value) == f"Net Promoter Score {text}{AIM}"


def test_the_ordinary_variation_is_meant_of_the_last_change_and_not_of_the_years():
    assert told(*CALM, 31.2, last={"year_ago": 26.2}) == (
        "Net Promoter Score was 31.2, up 1.4 points on April, within its ordinary month-to-month variation, and up "
        f"5.0 points on May 2023{AIM}"
    )


def test_what_is_still_beyond_is_not_said_to_have_moved_when_it_came_back_a_little():
    assert told(*CALM, 41.2, 40.1) == (
        "Net Promoter Score was 40.1, down 1.1 points on April, beyond its ordinary month-to-month variation "
        f"(27.3 to 32.7), for the better{AIM}"
    )
    assert told(*CALM, 10.0, 11.1, better="none").endswith("variation (27.3 to 32.7)" + AIM)


def test_what_says_one_thing_with_an_earlier_number_is_not_told_again():
    churn = history(*(value - 27 for value in CALM), 16.0, kpi="churn_rate", better="lower", verdict="missed")[-1]
    kept = history(*(127 - value for value in CALM), 84.0, kpi="retention_rate", verdict="no_target")[-1]
    calm = history(*CALM, 30.0, kpi="nps", verdict="no_target")[-1]
    wait = history(*CALM, 42.0, kpi="wait_time", better="lower", verdict="no_target")[-1]
    about = judged(*(history(*CALM, 42.0, kpi=each["kpi"]) for each in (churn, kept, wait)), [calm])
    noted = [row["kpi"] for row in insight.noted([churn, calm, kept, wait], about)]
    assert noted == ["churn_rate", "wait_time"]
    assert [row["kpi"] for row in insight.noted([kept, wait], about)] == ["retention_rate", "wait_time"]


def test_neither_direction_is_better_where_none_is_declared():
    assert told(*CALM, 41.2, better="none").startswith(
        "Net Promoter Score rose to 41.2, up 11.4 points on April, beyond"
    )
    assert told(*CALM, 10.0, better="band").startswith("Net Promoter Score fell to 10.0")


def test_what_is_unusual_alone_but_not_among_many_is_said_so():
    others = [history(*CALM, 30.0, kpi=f"other_{place}") for place in range(40)]
    assert told(*CALM, 33.9) == (
        "Net Promoter Score improved to 33.9, up 4.1 points on April, beyond its ordinary month-to-month variation "
        f"(27.3 to 32.7){AIM}"
    )
    assert told(*CALM, 33.9, among=others) == (
        "Net Promoter Score was 33.9, up 4.1 points on April, beyond its ordinary month-to-month variation, as one "
        f"number in fifty is by chance alone{AIM}"
    )


def test_a_pattern_within_the_limits_is_named():
    wave = [95.0, 105.0] * 5
    assert told(*wave, 119.0, 100.0, 119.0, 119.0) == (
        "Net Promoter Score was 119.0, unchanged from April, within its ordinary month-to-month variation, but near "
        f"the same limit of it in three of four months{AIM}"
    )
    assert told(*wave, *[101.0] * 7, 102.0) == (
        "Net Promoter Score was 102.0, up 1.0 points on April, within its ordinary month-to-month variation, but on "
        f"one side of its mean for 8 months{AIM}"
    )


def test_a_short_history_keeps_the_comparison_of_margins_and_says_so():
    said_short = "with too short a history to tell what is ordinary"
    assert told(*CALM[:7], 41.2, low=39.0, high=43.0) == (
        f"Net Promoter Score improved to 41.2, up 10.6 points on April, {said_short}{AIM}"
    )
    assert told(*CALM[:7], 31.2, low=28.0, high=34.4) == (
        f"Net Promoter Score was 31.2, up 0.6 points on April, {said_short}{AIM}"
    )
    assert told(41.2, 41.2) == f"Net Promoter Score was 41.2, unchanged from April{AIM}"


def test_a_number_that_never_moved_before():
    assert told(*[30.0] * 9, 31.0) == (
        f"Net Promoter Score was 31.0, up 1.0 points on April, the first change in 9 months{AIM}"
    )


def test_a_provisional_number_is_not_judged():
    text = told(*CALM, 60.0, last={"provisional": True, "verdict": "withheld"})
    assert "ordinary" not in text
    assert text.startswith("Net Promoter Score was 60.0, up")


def test_quarters_and_plural_titles():
    assert told(*CALM, 31.2, last={"period": "2024-Q2"}, title="Open cases").startswith(
        "Open cases were 31.2, up 1.4 points on Q1, within their ordinary quarter-to-quarter variation;"
    )


def test_limits_that_seem_to_hold_the_printed_value_are_not_printed():
    ratio = told(*[0.20, 0.21, 0.19] * 4, 0.2449, unit="ratio", low=None, high=None)
    assert "beyond its ordinary month-to-month variation;" in ratio


def test_page_one_says_how_many_numbers_were_looked_at_and_what_part_of_the_signals_is_chance():
    calm = [history(*CALM, 30.0, kpi=f"calm_{place}", title=f"Calm {place}") for place in range(38)]
    loud = [history(*CALM, 60.0, kpi=name, title=name.title()) for name in ("churn", "waits")]
    assert insight.caution(judged(*calm, *loud)) == (
        "Of 40 numbers that can be judged, 2 stand out from the ordinary month-to-month variation: Churn and Waits. "
        "On average at most one in twenty of such signals is chance."
    )
    assert insight.caution(judged(*calm)) == (
        "Of 38 numbers that can be judged, none stands out from its ordinary month-to-month variation."
    )
    assert insight.caution(judged(history(1.0, 2.0))) == (
        "The history is too short to tell what is ordinary: that takes 8 earlier periods."
    )
    assert insight.caution(judged(loud[0])).startswith("Of 1 number that can be judged, 1 stands out")

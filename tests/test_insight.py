"""Sentences: rounded first, compared after, and quiet where a number has no meaning."""

import pandas as pd
import pytest
from small_scorecard import ABOUT, row, scorecard

from kpi_lib import insight


def said(**changed):
    return insight.sentence(row(**changed), ABOUT).replace("\N{NO-BREAK SPACE}", " ")


def test_a_sentence_says_value_changes_and_target():
    assert said() == (
        "Net Promoter Score was 31.2, up 2.1 points on April and up 5.0 points on May 2023; "
        "it meets the target of at least 30."
    )


def test_equal_as_printed_is_unchanged_even_when_the_numbers_differ():
    assert said(previous=31.24, year_ago=31.16, target_low=None, verdict="no_target") == (
        "Net Promoter Score was 31.2, unchanged from April and unchanged from May 2023."
    )


def test_a_change_is_the_difference_of_the_printed_numbers():
    assert insight.changes(row(value=31.24, previous=31.16), ABOUT)[0].startswith("unchanged")
    assert insight.changes(row(value=31.26, previous=31.24, year_ago=None), ABOUT) == [
        "up 0.1\N{NO-BREAK SPACE}points on April"
    ]


@pytest.mark.parametrize(
    ("better", "previous", "words"),
    [
        ("higher", 20.0, "improved to"),
        ("lower", 20.0, "worsened to"),
        ("none", 20.0, "rose to"),
        ("band", 40.0, "fell to"),
        ("higher", 29.0, "was"),  # inside the interval: chance may explain it
        ("lower", 40.0, "improved to"),
    ],
)
def test_better_and_worse_are_said_only_beyond_the_interval_and_where_a_direction_is_good(better, previous, words):
    assert said(better=better, previous=previous).startswith(f"Net Promoter Score {words} 31.2")


def test_a_census_without_interval_is_neither_better_nor_worse():
    assert insight.moved(row(better="lower", low=None, high=None)) == ""


def test_a_missed_target_inside_the_interval_is_within_the_margin_of_error():
    missed = {"value": 29.0, "verdict": "missed", "previous": None, "year_ago": None}
    assert said(**missed, low=27.0, high=31.0) == (
        "Net Promoter Score was 29.0; it misses the target of at least 30, within the margin of error."
    )
    assert said(**missed, low=28.0, high=29.5) == "Net Promoter Score was 29.0; it misses the target of at least 30."


def test_targets_read_as_bounds_in_the_unit():
    assert insight.target(row(unit="percent", target_low=50, target_high=70), ABOUT) == "between 50% and 70%"
    assert insight.target(row(unit="currency", target_low=None, target_high=20), ABOUT) == (
        "at most EUR\N{NO-BREAK SPACE}20"
    )
    assert insight.target(row(target_low=None), ABOUT) == ""


def test_plural_titles_take_plural_verbs():
    open_cases = row(
        title="Open cases", unit="count", value=412.0, previous=398.0, year_ago=None, low=None, high=None,
        target_low=None, target_high=400, verdict="missed", better="lower",
    )  # fmt: skip
    assert insight.sentence(open_cases, ABOUT) == (
        "Open cases were 412, up 14 on April; they miss the target of at most 400."
    )


def test_a_year_is_compared_with_the_year_before_once():
    assert insight.changes(row(period="2024", previous=29.1, year_ago=29.1), ABOUT) == [
        "up 2.1\N{NO-BREAK SPACE}points on 2023"
    ]


def test_january_names_the_year_of_december():
    assert insight.changes(row(period="2024-01", year_ago=None), ABOUT)[0].endswith("on December 2023")


def test_provisional_is_said_and_not_judged():
    text = said(provisional=True, verdict="withheld", anchor="created in the period, seen for 30 days", year_ago=None)
    assert text == (
        "Net Promoter Score was 31.2, up 2.1 points on April at the same age; this is provisional (created in the "
        "period, seen for 30 days), so not yet judged against the target of at least 30."
    )


@pytest.mark.parametrize(
    ("status", "text"),
    [
        ("small_sample", "Net Promoter Score is not shown for May 2024: 3 cases are too few."),
        ("undefined", "Net Promoter Score has no value for May 2024: there was nothing to measure."),
        ("not_available", "Net Promoter Score is not available for May 2024."),
        ("not_estimable", "Net Promoter Score cannot be estimated for May 2024: too little is known so far."),
    ],
)
def test_without_a_meaningful_number_no_number_is_said(status, text):
    assert said(status=status, n=3, verdict="withheld") == text
    assert insight.value(row(status=status), ABOUT) == "–"
    assert insight.interval(row(status=status), ABOUT) == ""


def test_headlines_come_in_order_of_importance():
    rows = pd.DataFrame(
        [
            row(kpi="fine"),
            row(kpi="silent", status="undefined", verdict="withheld"),
            row(kpi="worse", better="lower", previous=20.0),
            row(kpi="perhaps", verdict="missed", value=29.0, low=27.0, high=31.0),
            row(kpi="missed", verdict="missed", value=28.0, low=27.0, high=29.0),
            row(kpi="missed_by_far", verdict="missed", value=10.0, low=9.0, high=11.0),
            row(kpi="companion", headline=False, verdict="missed"),
            row(kpi="member", cut="channel", verdict="missed"),
            row(kpi="earlier", period="2024-04", verdict="missed"),
        ]
    )
    assert insight.headline(rows, ABOUT)["kpi"].tolist() == [
        "missed_by_far", "missed", "perhaps", "worse", "fine", "silent"
    ]  # fmt: skip


def test_every_row_of_a_scorecard_has_a_sentence():
    for entry in scorecard().to_dict("records"):
        assert insight.sentence(entry, ABOUT).endswith(".")
        assert "nan" not in insight.sentence(entry, ABOUT)

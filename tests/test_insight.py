"""Sentences: rounded first, compared after, and quiet where a number has no meaning."""

import pandas as pd
import pytest
from babel.messages.catalog import Catalog
from small_scorecard import ABOUT, row, scorecard

from kpi_lib import insight, signals, wording
from kpi_lib.language import language
from kpi_lib.period import Period

CALM = [  # mean 30.0, mean moving range 1.018: limits 27.3 and 32.7
    30.2,
    29.1,
    30.4,
    29.6,
    30.9,
    29.3,
    30.6,
    29.9,
    30.1,
    29.4,
    30.7,
    29.8,
]


def said(**changed):
    made = row(**changed)
    about = ABOUT | {"kpis": {made["kpi"]: {"anchor": made["anchor"]}}}
    return insight.sentence(made, about).replace("\N{NO-BREAK SPACE}", " ")


def history(*values, last="2024-05", **changed):
    """The rows of a KPI with these values up to a period, each with the one before and without a year before."""
    periods, before = Period.parse(last).trailing(len(values)), [None, *values]
    return [
        row(**{"period": str(period), "value": value, "previous": before[place], "year_ago": None, **changed})
        for place, (period, value) in enumerate(zip(periods, values, strict=True))
    ]


def judged(*histories):
    """What `about` says of a scorecard of these rows."""
    frame = pd.DataFrame([one for rows in histories for one in rows])
    titles = {one["kpi"]: {"title": one["title"], "anchor": one["anchor"]} for rows in histories for one in rows}
    period = frame["period"].max()
    return {**ABOUT, "period": period, "kpis": titles, "signals": signals.of_scorecard(frame, period)}


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
    assert insight.moved(row(better="lower", low=None, high=None), ABOUT) == ""


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


def test_a_number_that_is_hidden_says_nothing_of_how_many_cases_there_are():
    assert said(status="small_sample", n=None) == "Net Promoter Score for May 2024: too few cases to be shown."


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


def test_headlines_missed_then_signals_then_by_the_size_of_the_change():
    wide = [10 * value for value in CALM]
    rows = [
        history(*wide, 310.0, kpi="a_little"),  # more points, less of its own variation
        history(*CALM, 31.2, kpi="more"),
        history(*CALM, 60.0, kpi="signal"),
        history(*CALM, 41.2, kpi="weaker_signal"),
        history(*CALM, 29.8, kpi="zz_still"),
        history(*CALM, 29.8, kpi="still"),
        history(*CALM, 29.8, kpi="missed", verdict="missed"),
    ]
    frame = pd.DataFrame([one for each in rows for one in each])
    for order in (frame, frame[::-1]):
        assert insight.headline(order, judged(*rows))["kpi"].tolist() == [
            "missed", "signal", "weaker_signal", "more", "a_little", "still", "zz_still",
        ]  # fmt: skip


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


RUSSIAN = {
    "{title} was {value}": "{title}: {value}",
    "up {amount}": "рост на {amount}",
    "{change} on {period}": "{change} ({period})",
    "within {its} ordinary month-to-month variation": "обычный разброс",
    "{sentence}, {change}, {variation}, and {change_last_year}": (
        "{sentence}; {change}, {change_last_year}; {variation}"
    ),
    "at least {low}": "не ниже {low}",
    "it meets the target of {target}": "цель достигнута: {target}",
    "the first change in {count} month": (
        "впервые за {count} месяц",
        "впервые за {count} месяца",
        "за {count} месяцев",
    ),
    "{count}\N{NO-BREAK SPACE}point": ("{count} пункт", "{count} пункта", "{count} пунктов"),
}


@pytest.fixture
def russian(monkeypatch):
    """What `about` says of a Russian report, in a few invented messages."""
    made = Catalog(locale="ru")
    for said, translated in RUSSIAN.items():
        made.add((said, "several") if isinstance(translated, tuple) else said, translated)
    monkeypatch.setitem(language("ru").__dict__, "_catalogue", made)
    return {"language": "ru"}


def test_a_translation_orders_the_parts_of_a_sentence_as_its_language_does(russian):
    rows = history(*CALM, 31.2, title="Лояльность")
    rows[-1] |= {"year_ago": 27.5}
    assert insight.sentence(rows[-1], judged(rows) | russian) == (
        "Лояльность: 31,2; рост на 1,4 пункта (апрель), рост на 3,7 пункта (май 2023); обычный разброс; "
        "цель достигнута: не ниже 30."
    )


def test_a_message_takes_the_form_that_goes_with_its_number(russian):
    rows = history(*[30.0] * 9, 31.0, title="Лояльность")
    assert "за 9 месяцев" in insight.sentence(rows[-1], judged(rows) | russian)


def test_there_are_words_for_each_length_of_period_and_each_rule():
    lengths = {1, 3, 12}
    for words in (wording.STANDS_OUT, wording.FIRST_CHANGE, wording.NONE_STANDS_OUT, wording.STAND_OUT):
        assert set(words) == lengths
    rules = {"", signals.BEYOND, signals.RUN, signals.NEAR}
    assert {months: set(words) for months, words in wording.VARIATION.items()} == dict.fromkeys(lengths, rules)


def test_a_title_that_names_the_cut_is_not_told_it_twice():
    said = {"title": "Обращения по каналам", "english": "Requests by channel"}
    about = ABOUT | {"language": "ru", "kpis": {"tickets_by_channel": said}}
    of = {"kpi": "tickets_by_channel", "title": said["title"], "cut": "channel"}
    assert insight.title_by(of, about) == "Обращения по каналам"
    assert insight.title_by(of | {"cut": "team"}, about) == "Обращения по каналам, разрез «команда»"
    english = {"kpi": "tickets_by_channel", "title": "Requests by channel", "cut": "channel"}
    assert insight.title_by(english, ABOUT | {"kpis": {}}) == "Requests by channel"


@pytest.mark.parametrize(
    ("better", "low", "high", "says"),
    [
        ("higher", 31, 34, 1),
        ("higher", 26, 29, -1),
        ("higher", 29, 31, 0),
        ("higher", 30, 31, 0),
        ("lower", 31, 34, -1),
        ("lower", 26, 29, 1),
        ("none", 31, 34, 0),
        ("band", 31, 34, 0),
        ("higher", None, None, 0),
    ],
)
def test_a_member_is_better_than_all_when_its_interval_leaves_their_number_out(better, low, high, says):
    member = pd.DataFrame([row(better=better, low=low, high=high)]).astype({"low": float, "high": float})
    assert insight.beside(member.to_dict("records")[0], row(value=30.0)) == says


def test_nothing_is_better_than_all_without_a_number_of_either():
    assert insight.beside(row(low=31.0, status="small_sample"), row(value=30.0)) == 0
    assert insight.beside(row(low=31.0), row(value=30.0, status="small_sample")) == 0

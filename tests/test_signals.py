"""Signal or noise: limits that can be checked by hand, what each rule sees, and what is no signal."""

import pandas as pd
import pytest
from small_scorecard import row

from kpi_lib import intervals, signals
from kpi_lib.language import LANGUAGES
from kpi_lib.localise import localised
from kpi_lib.period import Period
from kpi_lib.signals import BEYOND, NEAR, RUN

EIGHT = [82, 85, 80, 84, 86, 81, 83, 85]


def months(values, last="2024-05", **changed):
    """The rows of one KPI by month; a changed column is one value or a list of one a month."""
    periods = Period.parse(last).trailing(len(values))
    by_month = {name: given if isinstance(given, list) else [given] * len(values) for name, given in changed.items()}
    return pd.DataFrame(
        [
            row(period=str(period), value=value, **{name: given[place] for name, given in by_month.items()})
            for place, (period, value) in enumerate(zip(periods, values, strict=True))
        ]
    )


def shares(parts, of, **changed):
    values = [100 * part / whole for part, whole in zip(parts, of, strict=True)]
    return months(values, unit="percent", numerator=parts, denominator=of, **changed)


def counts(values, **changed):
    return months(values, unit="count", method="census", numerator=values, denominator=None, **changed)


def test_limits_are_the_mean_and_266_times_the_mean_moving_range():
    found = signals.judge(months([*EIGHT, 70]))
    assert (found.low[-1] + found.high[-1]) / 2 == pytest.approx(83.25)
    assert found.low[-1] == pytest.approx(74.51, abs=0.01)
    assert found.high[-1] == pytest.approx(91.99, abs=0.01)
    assert found.rule == BEYOND
    assert found.history == 8
    assert found.deviation == pytest.approx(-13.25 / (23 / 7 / 1.128))


def test_the_period_that_is_judged_has_no_part_in_its_limits():
    assert signals.judge(months([*EIGHT, 70])).low == signals.judge(months([*EIGHT, 84])).low


def test_fewer_than_eight_earlier_periods_have_no_limits():
    found = signals.judge(months([*EIGHT[1:], 0]))
    assert (found.history, found.low, found.rule, found.chance) == (7, [], "", None)


@pytest.mark.parametrize("changed", [{"status": "small_sample"}, {"provisional": True}])
def test_what_is_not_sure_is_neither_judged_nor_a_yardstick(changed):
    sure = row()
    (name, value), nine = next(iter(changed.items())), [*EIGHT, 70]
    last = signals.judge(months(nine, **{name: [sure[name]] * 8 + [value]}))
    assert (last.history, last.rule, last.deviation, last.chance) == (8, "", None, None)
    assert signals.judge(months(nine, **{name: [value] + [sure[name]] * 8})).low == []


def test_eight_on_one_side_of_the_mean():
    wave = [90, 110, 90, 110, 90, 110, 90, 110]
    assert signals.judge(months([*wave, *[101] * 8])).rule == RUN
    assert signals.judge(months([*wave, *[101] * 7])).rule == RUN  # the eighth is the wave's last
    assert signals.judge(months([*wave, *[101] * 6])).rule == ""


def test_three_of_four_nearer_to_a_limit_than_to_the_mean():
    wave = [95, 105] * 5  # the limits are about 100 +- 27, half way is 13
    assert signals.judge(months([*wave, 119, 100, 119, 119])).rule == NEAR
    assert signals.judge(months([*wave, 119, 100, 100, 119])).rule == ""
    assert signals.judge(months([*wave, 119, 119, 119, 100])).rule == ""  # that was before
    assert signals.judge(months([*wave, 119, 81, 119, 81])).rule == ""


def test_a_share_of_few_may_lie_further_off_than_a_share_of_many():
    parts, of = [50, 43, 57, 48, 55, 44, 52, 58, 46, 47], [500] * 10
    few, many = (signals.judge(shares([*parts, 0.14 * n], [*of, n])) for n in (100, 4000))
    assert few.rule == ""
    assert many.rule == BEYOND
    assert few.high[-1] - 10 > 2 * (many.high[-1] - 10)


def test_thousands_of_cases_alone_make_no_signal():
    """The share wanders by a point each month: ordinary, though far beyond what chance does to 100,000 cases."""
    of = [100_000] * 11
    parts = [10_000, 11_000, 9_900, 11_200, 10_100, 9_000, 10_900, 9_800, 10_800, 9_900, 11_000]
    assert signals.judge(shares(parts, of)).rule == ""


def test_the_limits_of_a_share_are_between_0_and_100():
    rare = signals.judge(shares([1, 2, 0, 1, 3, 0, 1, 2, 1], [50] * 9))
    assert min(rare.low) == 0
    assert max(signals.judge(shares([49, 48, 50, 49, 47, 50, 49, 48, 49], [50] * 9)).high) == 100


def test_what_happens_is_counted_per_day_and_what_stands_open_is_not():
    daily = [100, 101, 100, 100, 101, 100, 100, 101, 100]
    days = [period.last_day.day for period in Period.parse("2023-02").trailing(9)]
    rows = counts([each * day for each, day in zip(daily, days, strict=True)], last="2023-02")
    flow = signals.judge(rows)
    assert flow.rule == ""  # a February of 28 days
    assert flow.high[0] / 30 == pytest.approx(flow.high[-1] / 28)
    assert signals.judge(rows.assign(anchor="the state at the end of the month")).rule == BEYOND


@pytest.mark.parametrize("code", LANGUAGES)
def test_what_stands_open_is_judged_alike_in_every_language(code):
    days = [period.last_day.day for period in Period.parse("2023-02").trailing(9)]
    rows = counts([100 * day for day in days], last="2023-02", anchor="the state at the end of the period")
    assert signals.of_scorecard(rows, "2023-02").judgements["nps"].rule == BEYOND
    told, _ = localised(rows, {"families": {}, "kpis": {}}, code)
    assert signals.of_scorecard(told, "2023-02") == signals.of_scorecard(rows, "2023-02")


def test_a_level_that_drifts_as_it_always_did_is_no_signal():
    assert signals.judge(months([100 + 5 * month for month in range(13)])).rule == ""


def test_a_step_stays_a_signal_in_the_months_after_it():
    calm = [20, 21, 19, 20, 21, 19, 20, 21, 20, 19]
    assert [signals.judge(months([*calm, *[40] * after])).rule for after in (1, 2, 3)] == [BEYOND] * 3


def test_a_number_that_never_changed_has_no_ordinary_variation():
    found = signals.judge(months([*[5.0] * 9, 6.0]))
    assert (found.history, found.low, found.deviation) == (9, [], None)
    assert signals.judge(shares([*[50] * 9, 49], [50] * 10)).low == []


def test_benjamini_and_hochberg():
    """Their example of 15 chances (1995): the four smallest are signals at 5 %."""
    chances = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528]
    assert intervals.signal_bar([*chances, 0.7590, 1.0], 0.05) == pytest.approx(4 * 0.05 / 15)
    assert intervals.signal_bar([0.5, 0.9], 0.05) == 0.025
    assert intervals.signal_bar([], 0.05) == 0


def test_headline_numbers_share_one_bar_and_other_readings_are_held_to_it():
    quiet = [months([*EIGHT, 84], kpi=f"quiet_{place}") for place in range(30)]
    loud = months([*EIGHT, 20], kpi="loud")
    some = months([*EIGHT, 70], kpi="some")
    companion = months([*EIGHT, 20], kpi="loud.mean", headline=False)
    member = months([*EIGHT, 20], kpi="loud", cut="channel", member="chat")
    found = signals.of_scorecard(pd.concat([*quiet, loud, some, companion, member]), "2024-05")
    assert len(found.judged) == 32
    assert found.standing_out == ("loud",)
    assert found.judgements["some"].rule == BEYOND
    assert found.judgements["loud.mean"].stands_out
    alone = signals.of_scorecard(some, "2024-05")
    assert alone.standing_out == ("some",)


def test_months_after_the_reported_one_are_not_looked_at():
    rows = months([*EIGHT, 84, 20])
    assert signals.of_scorecard(rows, "2024-04").standing_out == ()
    assert signals.of_scorecard(rows, "2024-05").standing_out == ("nps",)

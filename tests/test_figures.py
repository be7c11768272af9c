"""Figures of one question each: what is drawn, in which order, what is hollow, and what is written beside it."""

import pandas as pd
import pytest
from small_scorecard import ABOUT, row
from test_drivers import moved, vector

from kpi_lib import figures


def texts(figure, axes=0):
    return [text.get_text().replace("\N{NO-BREAK SPACE}", " ") for text in figure.axes[axes].texts]


def labels(figure, axis="y", axes=0):
    figure.canvas.draw()
    return [label.get_text() for label in getattr(figure.axes[axes], f"{axis}axis").get_majorticklabels()]


def issues(**percent):
    rows = [
        row(kpi="issues", title="Issues", unit="percent", cut="issue", member=name, value=value, numerator=value * 2)
        for name, value in percent.items()
    ]
    return pd.DataFrame(rows)


def waiting(unit="minutes", status="ok", **minutes):
    return pd.DataFrame(
        [
            row(title="First response time", unit=unit, cut="channel", member=name, value=value, low=value / 2,
                high=value * 2, status=status)
            for name, value in minutes.items()
        ]
    )  # fmt: skip


def money(kpi, value, better="higher"):
    return row(kpi=kpi, title=kpi, unit="currency", value=value, better=better)


def test_contributions_write_both_parts_of_each_member_and_the_sum_of_all():
    figure = figures.contributions(vector(), ABOUT, alt="It fell.")
    assert labels(figure) == ["phone", "email", "all"]
    written = texts(figure)
    assert written[:9] == ["+0.6", "−2.8", "−2.2", "+1.4", "−1.2", "+0.2", "+2.0", "−4.0", "−2.0"]
    assert figure._repr_mimebundle_()[1] == {"image/svg+xml": {"alt": "It fell."}}


def test_the_bars_of_the_members_add_up_to_those_of_all():
    bars = [bar.get_width() for bar in figures.contributions(vector(), ABOUT).axes[0].patches]
    assert sum(bars[0:4:2]) == pytest.approx(bars[4])
    assert sum(bars[1:4:2]) == pytest.approx(bars[5])


def test_the_mix_is_hatched_and_a_member_with_too_few_cases_hollow():
    figure = figures.contributions(moved({"a": (9, 80), "b": (4, 75)}, {"a": (9, 70), "b": (4, 50)}), ABOUT)
    bars = figure.axes[0].patches
    hollow = [bar.get_facecolor() == (1, 1, 1, 1) for bar in bars[0::2]]
    assert sorted(hollow) == [False, False, True]
    assert all(bar.get_hatch() for bar in bars[1::2])
    assert "full: within each channel; hatched: the mix; hollow: too few cases" in texts(figure)


def test_of_many_members_the_smallest_parts_are_drawn_as_one():
    names = [f"m{place}" for place in range(14)]
    before = dict.fromkeys(names, (100, 50))
    now = {name: (100, 50 + place) for place, name in enumerate(names)}
    found = moved(before, now)
    figure = figures.contributions(found, ABOUT)
    assert labels(figure)[-2:] == ["4 others", "all"]
    assert len(labels(figure)) == figures.MOST_PARTS + 2


def test_the_few_that_make_four_fifths_are_vital():
    found = figures.cumulated(issues(b=30.0, **{"(none)": 35.0}, a=20.0, c=15.0))
    assert found["member"].tolist() == ["b", "a", "c", "(none)"]
    assert found["so_far"].tolist() == [30.0, 50.0, 65.0, 100.0]
    assert found["vital"].tolist() == [True, True, True, False]
    assert figures.cumulated(issues(a=80.0, b=20.0))["vital"].tolist() == [True, False]


def test_members_that_are_all_too_few_to_be_told_are_no_shares():
    found = figures.cumulated(issues(a=float("nan"), b=float("nan")))
    assert found.empty
    assert {"so_far", "vital"} <= set(found.columns)


def test_a_pareto_draws_shares_with_the_share_so_far():
    figure = figures.pareto(issues(a=70.0, b=20.0, c=10.0), ABOUT)
    assert labels(figure) == ["a", "b", "c"]
    assert figure.axes[0].lines[0].get_xdata().tolist() == [70.0, 90.0, 100.0]
    opacity = [bar.get_facecolor()[3] for bar in figure.axes[0].patches]
    assert opacity == [1, 1, figures.LIGHT]
    assert texts(figure)[:4] == ["70.0%", "140", "20.0%", "40"]


def test_a_waterfall_takes_away_what_shall_be_low():
    rows = [money("clv", 100.0), money("cost", 30.0, "lower"), money("profit", 70.0)]
    figure = figures.waterfall(rows, ABOUT)
    bars = figure.axes[0].patches
    assert [(bar.get_x(), bar.get_width()) for bar in bars] == [(0, 100), (70, 30), (0, 70)]
    assert [bool(bar.get_hatch()) for bar in bars] == [False, True, False]
    assert texts(figure)[:3] == ["EUR 100.00", "−EUR 30.00", "EUR 70.00"]


def test_a_waterfall_may_end_below_zero():
    rows = [money("clv", 20.0), money("cost", 30.0, "lower"), money("profit", -10.0)]
    bars = figures.waterfall(rows, ABOUT).axes[0].patches
    assert [(bar.get_x(), bar.get_width()) for bar in bars] == [(0, 20), (-10, 30), (-10, 10)]


def test_two_kpis_stand_over_the_same_members_in_their_own_order():
    demand = waiting(unit="count", **{"1 mon": 40.0, "2 tue": 60.0, "3 wed": float("nan")})
    served = waiting(unit="percent", **{"2 tue": 80.0})
    figure = figures.beside(demand, served, ABOUT)
    assert labels(figure, "x", axes=1) == ["mon", "tue"]
    assert texts(figure)[:2] == ["40", "60"]
    assert figure.axes[1].lines[-1].get_xdata().tolist() == [1]


def test_waits_draw_half_and_nine_in_ten_and_write_both():
    figure = figures.waits(waiting(chat=5.0, email=60.0), waiting(chat=240.0, email=90.0), ABOUT)
    assert labels(figure) == ["email", "chat"]
    assert texts(figure)[:6] == ["1 h", "1 h 30 min", "n = 1,000", "5 min", "4 h", "n = 1,000"]
    near, far = figure.axes[0].texts[0], figure.axes[0].texts[3]
    assert (near.get_horizontalalignment(), far.get_horizontalalignment()) == ("right", "center")
    assert labels(figure, "x")[3:6] == ["1\N{NO-BREAK SPACE}min", "5\N{NO-BREAK SPACE}min", "20\N{NO-BREAK SPACE}min"]


def test_a_wait_of_too_few_cases_is_hollow_and_one_that_nobody_reached_is_left_out():
    tails = waiting(chat=240.0).assign(value=None)
    figure = figures.waits(waiting(chat=5.0, status="small_sample"), tails, ABOUT)
    marks = [line for line in figure.axes[0].lines if line.get_marker() in "oD"]
    assert [mark.get_markerfacecolor() for mark in marks] == ["white"]


def test_a_wait_of_no_time_stands_where_a_second_stands():
    figure = figures.waits(waiting(unit="seconds", chat=0.0), waiting(unit="seconds", chat=30.0), ABOUT)
    places = [line.get_xdata()[0] for line in figure.axes[0].lines if line.get_marker() in "oD"]
    assert list(places) == [1.0, 30.0]


def test_no_two_ticks_of_a_small_change_are_written_alike():
    figure = figures.contributions(moved({"a": (900, 3.0), "b": (100, 2.0)}, {"a": (900, 2.8), "b": (100, 2.0)}), ABOUT)
    ax = figure.axes[0]
    low, high = ax.get_xlim()
    shown = [place for place in ax.xaxis.get_major_locator()() if low <= place <= high]
    assert [ax.xaxis.get_major_formatter()(place) for place in shown] == ["−0.2", "−0.1", "0.0"]

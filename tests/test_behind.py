"""The table behind a figure holds the numbers that the figure shows, and travels with it without replacing it."""

import pandas as pd
from matplotlib.figure import Figure
from small_scorecard import ABOUT, row, scorecard, trend

from kpi_lib import behind, charts, display


def test_a_trend_lists_its_periods_the_latest_first():
    table = behind.trend(pd.DataFrame(trend()), ABOUT)
    assert [column.label for column in table.columns] == ["Period", "Value", "95% interval", "n"]
    assert table.rows[0] == ["May 2024", "31.2", "28.0 to 34.4", "1,000"]
    assert table.rows[-1][:2] == ["May 2023", "25.2"]


def test_a_breakdown_lists_its_members_as_drawn_and_says_what_is_doubtful():
    rows = scorecard().query("kpi == 'first_response_time' and cut == 'channel'")
    table = behind.by(rows, ABOUT)
    assert table.caption == "First response time by channel"
    assert [(line[0], line[1], line[-1]) for line in table.rows] == [
        ("email", "1\N{NO-BREAK SPACE}h 35\N{NO-BREAK SPACE}min", ""),
        ("chat", "2\N{NO-BREAK SPACE}min", ""),
        ("(none)", "–", "too few cases"),
    ]


def test_members_that_the_figure_leaves_out_are_in_the_table():
    members = [row(cut="plan", member=f"m{n}", n=100.0 - n) for n in range(charts.MOST_MEMBERS + 2)]
    assert len(behind.by(pd.DataFrame(members), ABOUT).rows) == charts.MOST_MEMBERS + 2


def test_a_figure_keeps_its_picture_and_words_when_a_table_stands_behind_it():
    figure = display.backed(charts.present(Figure(), "NPS rose."), behind.trend(pd.DataFrame(trend()), ABOUT))
    data, metadata = figure._repr_mimebundle_()
    assert data["image/svg+xml"].startswith("<svg")
    assert metadata["image/svg+xml"] == {"alt": "NPS rose."}
    assert data[display.DATA]["table"]["rows"][0][0] == "May 2024"

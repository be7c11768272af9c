"""The table behind a figure holds the numbers that the figure shows, and travels with it without replacing it."""

import pandas as pd
from matplotlib.figure import Figure
from small_scorecard import ABOUT, about, row, scorecard, trend

from kpi_lib import behind, charts, display
from kpi_lib.settings import Event


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
        ("email", "1\N{NO-BREAK SPACE}h\N{NO-BREAK SPACE}35\N{NO-BREAK SPACE}min", ""),
        ("chat", "2\N{NO-BREAK SPACE}min", ""),
        ("(none)", "–", "too few cases"),
    ]


def test_members_that_the_figure_leaves_out_are_in_the_table():
    members = [row(cut="plan", member=f"m{n}", n=100.0 - n) for n in range(charts.MOST_MEMBERS + 2)]
    assert len(behind.by(pd.DataFrame(members), ABOUT).rows) == charts.MOST_MEMBERS + 2


def test_steps_are_listed_in_their_order():
    rows = [row(kpi="nps", title="NPS"), row(kpi="nps.promoters", title="Promoters", value=None, status="undefined")]
    table = behind.steps(rows, about())
    assert table.caption == "From NPS to what is left"
    assert [line[0] for line in table.rows] == ["Net Promoter Score", "Promoters"]
    assert table.rows[1][-1] == "nothing to measure"


def test_two_kpis_stand_in_one_table_by_their_members():
    counts = [
        row(title="Requests", unit="count", cut="hour", member=hour, value=7.0, low=None) for hour in ("08", "09")
    ]
    level = [row(title="Service level", unit="percent", cut="hour", member=hour, n=9.0) for hour in ("09", "10")]
    table = behind.together([pd.DataFrame(counts), pd.DataFrame(level)], ABOUT)
    assert [column.label for column in table.columns] == ["Hour", "Requests", "Service level", "95% interval", "n"]
    assert table.rows == [
        ["08", "7", "", "", ""],
        ["09", "7", "31.2%", "28.0% to 34.4%", "9"],
        ["10", "", "31.2%", "28.0% to 34.4%", "9"],
    ]


def test_a_figure_keeps_its_picture_and_words_when_a_table_stands_behind_it():
    figure = display.backed(charts.present(Figure(), "NPS rose."), behind.trend(pd.DataFrame(trend()), ABOUT))
    data, metadata = figure._repr_mimebundle_()
    assert data["image/svg+xml"].startswith("<svg")
    assert metadata["image/svg+xml"] == {"alt": "NPS rose."}
    assert data[display.DATA]["table"]["rows"][0][0] == "May 2024"


def test_a_trend_notes_what_happened_beside_what_else_is_noted():
    events = [Event(day="2024-04-30", until="2024-05-02", text="The chat was down")]
    table = behind.trend(pd.DataFrame(trend(provisional=True)), ABOUT | {"events": events})
    said = "a: The chat was down (30 April 2024 – 2 May 2024)"
    assert [line[-1] for line in table.rows[:3]] == [f"provisional; {said}", f"provisional; {said}", "provisional"]

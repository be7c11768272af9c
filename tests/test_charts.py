"""Figures: what is drawn, that it is displayed once, and that nothing in the process changes."""

import subprocess
import sys

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure
from small_scorecard import ABOUT, row, scorecard, trend

from kpi_lib import behind, captions, charts, scales
from kpi_lib.settings import Event

READING = "shaded: 95% interval; dotted: ordinary variation"


def texts(figure):
    return [text.get_text().replace("\N{NO-BREAK SPACE}", " ") for text in figure.axes[0].texts]


def ticks(figure, axis="y"):
    labels = getattr(figure.axes[0], f"{axis}axis").get_majorticklabels()
    return [label.get_text().replace("\N{NO-BREAK SPACE}", " ") for label in labels]


def drawn(**changed):
    return charts.trend(pd.DataFrame(list(trend(**changed))), ABOUT)


def hollow(figure):
    return [line for line in figure.axes[0].lines if line.get_marker() == "o" and line.get_markerfacecolor() == "white"]


def rings(figure):
    return [line for line in figure.axes[0].lines if line.get_markerfacecolor() == "none"]


def limits(figure):
    return [line for line in figure.axes[0].lines if line.get_drawstyle() == "steps-mid"]


def test_a_trend_labels_its_target_its_last_value_and_its_interval():
    assert texts(drawn()) == ["target\nat least 30", "31.2", "Net Promoter Score", READING]


def test_a_trend_names_months_and_the_year_where_it_starts():
    figure = drawn()
    figure.canvas.draw()
    labels = ticks(figure, "x")
    assert labels[0] == "May\n2023"
    assert labels[8] == "Jan\n2024"
    assert labels[-1] == "May"


def test_waiting_times_have_round_steps_of_time():
    figure = drawn(unit="minutes", value=70.0, low=60.0, high=90.0, target_low=None)
    figure.canvas.draw()
    assert set(ticks(figure)) >= {"1 h", "1 h 10 min", "1 h 30 min"}


def test_a_provisional_last_month_is_hollow_and_says_so():
    rows = list(trend())
    rows[-1] |= {"provisional": True, "verdict": "withheld"}
    figure = charts.trend(pd.DataFrame(rows), ABOUT)
    assert len(hollow(figure)) == 1
    assert texts(figure)[-1] == "shaded: 95% interval; hollow: provisional; dotted: ordinary variation"


def test_a_month_with_too_few_cases_is_hollow_and_its_value_is_not_written():
    rows = list(trend())
    rows[-1] |= {"status": "small_sample", "n": 3}
    figure = charts.trend(pd.DataFrame(rows), ABOUT)
    assert len(hollow(figure)) == 1
    assert "n = 3" in texts(figure)
    assert "31.2" not in texts(figure)


def test_a_month_beyond_its_ordinary_variation_is_ringed_and_the_limits_are_drawn():
    rows = [each | {"value": 31.0 + place % 2} for place, each in enumerate(trend(low=None, high=None))]
    calm = charts.trend(pd.DataFrame(rows), ABOUT)
    assert (len(rings(calm)), len(limits(calm))) == (0, 2)
    rows[-1] |= {"value": 40.0}
    loud = charts.trend(pd.DataFrame(rows), ABOUT)
    assert [line.get_xydata().tolist() for line in rings(loud)] == [[[12, 40]]]
    assert texts(loud)[-1] == "dotted: ordinary variation; ringed: unusual"
    short = charts.trend(pd.DataFrame(rows[5:]), ABOUT)
    assert (len(rings(short)), len(limits(short)), texts(short)[-1]) == (0, 0, "")


def test_a_breakdown_is_sorted_with_doubtful_members_last():
    frame = scorecard()
    members = frame[(frame["kpi"] == "first_response_time") & frame["cut"].notna()]
    figure = charts.by(members, None, ABOUT)
    figure.canvas.draw()
    assert ticks(figure) == ["email", "chat", "(none)"]
    assert texts(figure)[:6] == ["1 h 35 min", "n = 1,204", "2 min", "n = 700", "–", "n = 3"]
    assert len(hollow(figure)) == 1


def test_dollars_in_a_title_or_a_members_name_are_no_formula():
    members = pd.DataFrame([row(title=r"$\bar", cut="product", member=member) for member in (r"$\foo$", "$50_$")])
    figure = charts.by(members, None, ABOUT)
    assert "svg" in figure._repr_mimebundle_()[0]["image/svg+xml"]
    assert ticks(figure) == [r"$\foo$", "$50_$"]


def test_dollars_are_no_formula_in_an_analysts_axes():
    figure = Figure()
    charts.by(pd.DataFrame([row(title="$a_$", cut="product", member="$50_$")]), None, ABOUT, ax=figure.add_subplot())
    figure.canvas.draw()
    assert ticks(figure) == ["$50_$"]


def test_of_many_members_the_largest_are_drawn_and_the_rest_counted():
    members = pd.DataFrame([row(cut="product", member=f"p{n}", n=n, value=float(n)) for n in range(1, 21)])
    shown, left_out = charts.arranged(members)
    assert (len(shown), left_out) == (15, 5)
    assert shown["member"].tolist()[0] == "p20"


def test_a_figure_publishes_svg_with_alternative_text_and_the_same_bytes_each_time():
    first, second = (charts.trend(pd.DataFrame(list(trend())), ABOUT, alt="It rose.") for _ in range(2))
    data, metadata = first._repr_mimebundle_()
    assert data["image/svg+xml"].startswith("<svg")
    assert metadata == {"image/svg+xml": {"alt": "It rose."}}
    assert data["image/svg+xml"] == second._repr_mimebundle_()[0]["image/svg+xml"]


def test_names_from_the_data_are_text_in_a_figure():
    rows = pd.DataFrame([row(cut="product", member="<script>alert(1)</script>", title="A & B")])
    picture = charts.by(rows, None, ABOUT)._repr_mimebundle_()[0]["image/svg+xml"]
    assert "&lt;script&gt;" in picture
    assert "<script" not in picture


def test_a_figure_drawn_into_an_analysts_axes_is_left_to_the_cell_to_show():
    from matplotlib import pyplot

    figure, ax = pyplot.subplots()
    assert charts.trend(pd.DataFrame(list(trend())), ABOUT, ax=ax) is figure
    assert not pyplot.fignum_exists(figure.number)
    assert charts.trend(pd.DataFrame(list(trend())), ABOUT).axes
    assert pyplot.get_fignums() == []


def test_the_style_ends_with_its_context():
    before = dict(mpl.rcParams)
    drawn()
    assert dict(mpl.rcParams) == before
    with charts.house_style():
        assert mpl.rcParams["svg.fonttype"] == "none"
    assert dict(mpl.rcParams) == before


def test_importing_the_charts_changes_no_setting():
    code = "import matplotlib as m; b = dict(m.rcParams); import kpi_lib.charts; assert dict(m.rcParams) == b"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_last_value_stands_clear_of_the_targets_line():
    def side_with(target):
        rows = [each | {"value": 40.0, "target_low": target} for each in trend(low=None, high=None)]
        rows[0] |= {"value": 20.0}
        rows[-1] |= {"value": 30.0}  # fallen from 40: the label would stand below
        return next(text for text in charts.trend(pd.DataFrame(rows), ABOUT).axes[0].texts if "30.0" in text.get_text())

    assert side_with(target=20.0).get_horizontalalignment() == "right"
    assert side_with(target=29.0).get_horizontalalignment() == "left"


def test_words_of_a_language_that_runs_to_the_left_are_outlines_and_begin_at_the_right():
    frame = pd.DataFrame(list(trend()))
    figures = {code: charts.trend(frame, ABOUT | {"language": code}) for code in ("en", "ar", "ru")}
    pictures = {code: figure._repr_mimebundle_()[0]["image/svg+xml"] for code, figure in figures.items()}
    assert {code: "<text" in picture for code, picture in pictures.items()} == {"en": True, "ar": False, "ru": True}
    sides = {code: figure.axes[0].texts[-1].get_horizontalalignment() for code, figure in figures.items()}
    assert sides == {"en": "left", "ar": "right", "ru": "left"}


def test_numbers_and_months_are_written_as_readers_of_the_language_write_them():
    frame = pd.DataFrame(list(trend()))
    figures = {code: charts.trend(frame, ABOUT | {"language": code}) for code in ("ru", "fa")}
    for figure in figures.values():
        figure.canvas.draw()
    assert "31,2" in texts(figures["ru"])
    assert ticks(figures["ru"], "x")[7:9] == ["дек.", "янв.\n2024"]
    assert "۳۱٫۲" in texts(figures["fa"])


def test_a_sign_stays_before_a_number_whose_unit_is_in_arabic_letters():
    mark, back = "\N{LEFT-TO-RIGHT MARK}", "\N{RIGHT-TO-LEFT MARK}"
    assert scales.labelled(f"{mark}−12 يوم") == f"{back}{mark}−12 يوم"
    assert [scales.labelled(text) for text in (f"{mark}−12 €", "12 يوم")] == [f"{mark}−12 €", "12 يوم"]


CHAT = Event(day="2024-03-04", until="2024-03-18", text="The chat was down <b>")
PRICES = Event(month="2024-01", until="2024-03", text="Prices rose", kpis=["nps"])


def marked(*events, language="en", **changed):
    return charts.trend(pd.DataFrame(trend(**changed)), ABOUT | {"events": events, "language": language})


def test_events_are_letters_over_their_periods_and_words_under_the_figure():
    said = texts(marked(CHAT, PRICES))
    assert [said[place] for place in (2, 3)] == ["a", "b"]
    assert (
        said[4] == "a: Prices rose (January 2024 – March 2024)\nb: The chat was down <b> (4 March 2024 – 18 March 2024)"
    )
    figure = marked(CHAT, PRICES)
    assert [text.xy[0] for text in figure.axes[0].texts if text.get_text() in "ab"] == [8, 10]
    assert [line.get_segments()[0][:, 0].tolist() for line in figure.axes[0].collections[-1:]] == [[8, 10]]
    assert "&lt;b&gt;" in charts.svg(figure)


def test_events_of_one_month_share_its_line():
    assert "a b" in texts(marked(CHAT, CHAT))


def test_an_event_outside_the_periods_or_of_another_kpi_is_not_drawn():
    later, before = Event(day="2024-06-01", text="later"), Event(month="2023-04", text="before")
    assert texts(marked(later, before, Event(month="2024-03", text="x", kpis=["csat"]))) == texts(drawn())


def test_an_event_that_lasts_into_the_periods_is_at_the_first_and_one_of_a_kpi_is_its_companions_too():
    lasting = Event(month="2022-12", until="2023-05", text="x", kpis=["nps"])
    figure = marked(lasting, kpi="nps.promoters")
    assert [text.xy[0] for text in figure.axes[0].texts if text.get_text() == "a"] == [0]


def test_a_long_event_is_broken_into_lines_and_makes_the_figure_higher():
    long, short = (marked(Event(day="2024-03-04", text=text)) for text in ("word " * 15 + "end", "word"))
    assert texts(long)[3].count("\n") == 1
    assert long.get_figheight() > short.get_figheight() > drawn().get_figheight()


def test_events_are_dated_as_readers_of_the_language_write_dates():
    assert texts(marked(CHAT, language="ru"))[3] == "a: The chat was down <b> (4 марта 2024 – 18 марта 2024)"


def counted(cut="age_band", **members):
    cases = {name.replace("_", " "): count for name, count in members.items()}
    return pd.DataFrame(
        [
            row(title="Open cases", unit="count", method="census", cut=cut, member=name, value=float(count), n=count,
                numerator=count, denominator=None, low=None, high=None)
            for name, count in cases.items()
        ]
    )  # fmt: skip


def test_bands_stand_in_their_own_order():
    bands = counted(over_7_days=177, under_1_day=80, **{"1_to_3_days": 74, "3_to_7_days": 72, "(none)": 3})
    figure = charts.by(bands, None, ABOUT)
    assert ticks(figure) == ["under 1 day", "1 to 3 days", "3 to 7 days", "over 7 days", "(none)"]
    assert captions.of_cut(bands, ABOUT).startswith("Open cases by age band: under 1 day 80, 1 to 3 days 74,")
    assert behind.by(bands, ABOUT).rows[0][0] == "under 1 day"


def test_all_hours_of_a_day_are_drawn_from_the_first_to_the_last():
    hours = counted("hour", **{f"{hour:02}": 100 + hour % 5 for hour in range(24)})
    shown, left_out = charts.arranged(hours.sample(frac=1, random_state=1))
    assert (shown["member"].tolist(), left_out) == ([f"{hour:02}" for hour in range(24)], 0)


def test_counts_are_not_compared_with_the_total_that_they_are_parts_of():
    parts = counted("team", general=227, billing=80)
    total = row(unit="count", method="census", value=307.0, n=307, status="ok")
    figure = charts.by(parts, total, ABOUT)
    assert texts(figure)[:3] == ["227", "80", "Open cases by team"]
    assert "n = 9,341" in texts(charts.by(parts.assign(n=9341), total, ABOUT))
    means = parts.assign(method="quasi-Poisson count by day", denominator=20)
    assert texts(charts.by(means, total, ABOUT))[:3] == ["all 307", "227", "n = 227"]

"""What customers are worth, as sentence, figure and table: of numbers that can be worked out."""

import copy

import pytest
from small_scorecard import ABOUT

from kpi_lib import value_figures
from kpi_lib.display import Note

SPREAD = {
    "customers": 1000,
    "mean": 50.5,
    "median": 40.0,
    "total": 50500.0,
    "tenths": [
        *({"customers": 100, "low": 8.0 * place, "high": 8.0 * place + 7, "total": 3000.0} for place in range(9)),
        {"customers": 100, "low": 72.0, "high": 900.0, "total": 23500.0},
    ],
    "bars": {"start": 0.0, "width": 20.0, "customers": [300, 200, 400, 60, 40]},
}
SUBSCRIBERS = {
    "model": "subscription",
    "start": "2023-05",
    "periods": ["2023-06", "2024-05"],
    "customers": 200,
    "tracks": {
        "customers": {"start": 200.0, "expected": [190.0, 100.0], "low": [185.0, 90.0], "high": [195.0, 110.0],
                      "actual": [192.0, 105.0]},
        "revenue": {"start": 4000.0, "expected": [3800.0, 2000.0], "low": [3700.0, 1900.0], "high": [3900.0, 2100.0],
                    "actual": [3900.0, 2400.0]},
    },
}  # fmt: skip
BUYERS = {
    "model": "purchases",
    "start": "2023-05",
    "periods": ["2023-06", "2024-05"],
    "customers": 300,
    "tracks": {"orders": {"start": 0.0, "expected": [100.0, 1000.0], "low": [80.0, 900.0], "high": [120.0, 1100.0],
                          "actual": [90.0, 1200.0]}},
}  # fmt: skip


def plain(text):
    return text.replace("\N{NO-BREAK SPACE}", " ")


def texts(figure, axes=0):
    return [plain(text.get_text()) for text in figure.axes[axes].texts]


def changed(found, track, **values):
    found = copy.deepcopy(found)
    found["tracks"][track] |= values
    return found


def test_half_and_the_top_tenth_are_said_in_a_sentence():
    finding, figure = value_figures.spread(SPREAD, ABOUT)
    assert plain(finding) == (
        "Half of the 1,000 customers who ever bought have paid less than EUR 40.00 so far; the tenth that paid most "
        "has paid 46.5% of the whole."
    )
    bundle, metadata = figure._repr_mimebundle_()
    assert metadata == {"image/svg+xml": {"alt": finding}}
    assert len(bundle["application/vnd.kpi+json"]["table"]["rows"]) == 10


def test_the_bars_stand_side_by_side_and_the_open_one_is_hatched():
    figure = value_figures.histogram(SPREAD, ABOUT)
    bars = figure.axes[0].patches
    assert [(bar.get_x(), bar.get_width(), bar.get_height()) for bar in bars[:2]] == [(0, 20, 300), (20, 20, 200)]
    assert [bool(bar.get_hatch()) for bar in bars] == [False, False, False, False, True]
    assert [line.get_xdata()[0] for line in figure.axes[0].lines] == [40.0, 50.5]
    assert texts(figure)[:2] == ["half paid less than EUR 40.00", "the mean is EUR 50.50"]
    assert "customers by what they paid to the end of May 2024, less what they got back; hatched: all beyond" in texts(
        figure
    )


def test_a_bar_below_zero_is_open_too():
    bars = SPREAD["bars"] | {"start": -20.0}
    hatched = [bool(bar.get_hatch()) for bar in value_figures.histogram(SPREAD | {"bars": bars}, ABOUT).axes[0].patches]
    assert hatched == [True, False, False, False, True]


def test_a_mean_beyond_the_bars_is_written_at_their_end():
    figure = value_figures.histogram(SPREAD | {"mean": 250.0}, ABOUT)
    assert [line.get_xdata()[0] for line in figure.axes[0].lines] == [40.0]
    assert (figure.axes[0].texts[1].xy[0], figure.axes[0].texts[1].get_horizontalalignment()) == (100.0, "right")


def test_the_tenths_are_a_table():
    table = value_figures.spread_table(SPREAD, ABOUT)
    assert list(map(plain, table.rows[9])) == ["10", "EUR 72.00", "EUR 900.00", "EUR 235.00", "46.5%"]


def test_who_was_lost_is_held_against_who_was_expected_to_be():
    assert plain(value_figures.holdout_in_words(SUBSCRIBERS, ABOUT)) == (
        "Of 200 customers in May 2023 the model expected 100 to be lost by May 2024; 95 were, 5% fewer. Chance alone "
        "can explain that. Of the EUR 4,000 a month that they paid it expected EUR 2,000 to be left; EUR 2,400 is."
    )
    more = changed(SUBSCRIBERS, "customers", actual=[190.0, 80.0])
    assert plain(value_figures.holdout_in_words(more, ABOUT)).startswith(
        "Of 200 customers in May 2023 the model expected 100 to be lost by May 2024; 120 were, 20% more. That is more "
        "than chance explains. "
    )


@pytest.mark.parametrize(
    ("came", "says"),
    [
        (1200.0, "1,200 came, 20% more. That is more than chance explains."),
        (950.0, "950 came, 5% fewer. Chance alone can explain that."),
        (996.0, "996 came. Chance alone can explain that."),
    ],
)
def test_orders_that_came_are_held_against_those_expected(came, says):
    said = value_figures.holdout_in_words(changed(BUYERS, "orders", actual=[90.0, came]), ABOUT)
    assert said == f"Of 300 customers in May 2023 the model expected 1,000 more orders by May 2024; {says}"


def test_what_was_predicted_is_a_line_and_what_came_are_dots():
    finding, figure = value_figures.holdout(SUBSCRIBERS, ABOUT)
    assert figure._repr_mimebundle_()[1] == {"image/svg+xml": {"alt": finding}}
    customers, revenue = figure.axes
    line, dots = customers.lines
    assert (line.get_ydata().tolist(), dots.get_ydata().tolist()) == ([100.0, 95.0, 50.0], [96.0, 52.5])
    assert (line.get_marker(), dots.get_marker(), dots.get_linestyle()) == ("None", "o", "None")
    assert revenue.lines[1].get_ydata().tolist() == [97.5, 60.0]
    assert texts(figure)[:2] == ["50.0%", "52.5%"]
    assert "Customers still there, of 200 at the end of May 2023" in texts(figure)
    assert "Revenue a month still there, of EUR 4,000" in texts(figure, 1)


def test_orders_are_counted_from_zero():
    figure = value_figures.tracking(BUYERS, ABOUT)
    assert figure.axes[0].lines[0].get_ydata().tolist() == [0.0, 100.0, 1000.0]
    figure.canvas.draw()
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["May\n2023", "Jun", "May"]


def test_the_predictions_are_a_table():
    table = value_figures.holdout_table(SUBSCRIBERS, ABOUT)
    assert list(map(plain, table.rows[1])) == [
        "May 2024", "100", "90 to 110", "105", "EUR 2,000", "EUR 1,900 to EUR 2,100", "EUR 2,400",
    ]  # fmt: skip


def test_where_there_is_nothing_to_show_stands_a_quiet_line():
    for show in (value_figures.spread, value_figures.holdout):
        (line,) = show(None, ABOUT)
        assert isinstance(line, Note)


def test_of_a_slice_it_is_said_that_nothing_can_be_shown_of_it():
    about = ABOUT | {"audience": {"name": "large", "where": {"segment": "large"}}}
    for show in (value_figures.spread, value_figures.holdout):
        (line,) = show(None, about)
        assert line.message.endswith("cannot be shown for one segment.")

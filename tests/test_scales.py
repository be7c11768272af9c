"""The axes of figures: every tick stands where its text says, and no two have the same text."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from small_scorecard import ABOUT

from kpi_lib import scales
from kpi_lib.units import printed


def ticks(unit, low, high):
    """Return the texts and places of the ticks that are to be seen."""
    ax = Figure().add_subplot()
    ax.set_xlim(low, high)
    scales.set_scale(ax.xaxis, {"unit": unit}, ABOUT)
    places = [place for place in ax.xaxis.get_major_locator()() if low <= place <= high]
    return [ax.xaxis.get_major_formatter()(place) for place in places], places


@pytest.mark.parametrize(
    ("unit", "low", "high", "said"),
    [
        ("points", -0.23, 0.01, ["−0.2", "−0.1", "0"]),
        ("points", -0.03, 0.04, ["0"]),
        ("points", 0, 1.04, ["0", "0.5", "1"]),
        ("percent", 0, 102, ["0%", "25%", "50%", "75%", "100%"]),
        ("count", 0, 3.2, ["0", "1", "2", "3"]),
        ("minutes", 25 * 60, 27 * 60, ["1 d 1 h", "1 d 2 h", "1 d 3 h"]),
        ("seconds", 3600, 3640, ["1 h"]),
    ],
)
def test_ticks_are_as_fine_as_they_are_written(unit, low, high, said):
    texts, _ = ticks(unit, low, high)
    assert [text.replace("\N{NO-BREAK SPACE}", " ") for text in texts] == said


@given(
    st.sampled_from(["percent", "points", "count", "currency", "ratio", "score", "minutes", "seconds", "days"]),
    st.floats(-5000, 5000),
    st.floats(0.01, 5000),
)
@example("currency", 999.3, 2.0)
def test_no_two_ticks_have_the_same_text(unit, low, width):
    texts, _ = ticks(unit, low, low + width)
    assert len(set(texts)) == len(texts)


def test_steps_in_another_printing_are_told_apart_too():
    ax = Figure().add_subplot()
    ax.set_ylim(98.9, 100.2)
    scales.set_steps(ax.yaxis, "percent", lambda share: printed(share, "percent", decimals=0), whole=True)
    texts = [ax.yaxis.get_major_formatter()(place) for place in ax.yaxis.get_major_locator()()]
    assert len(set(texts)) == len(texts)

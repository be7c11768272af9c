"""The curve of a waiting time: what its sentence says, what is drawn and written, and the table behind it."""

from typing import Any

import pytest
from small_scorecard import about, row
from test_figures import labels, texts

from kpi_lib import curves

HOUR, DAY = 3600, 86400
CURVE = {
    "seconds": [0, 600, HOUR, 2 * HOUR, 20 * HOUR, 40 * HOUR],
    "waiting": [1.0, 0.8, 0.6, 0.5, 0.1, 0.0],
    "low": [None, 0.75, 0.55, 0.45, 0.05, None],
    "high": [None, 0.85, 0.65, 0.55, 0.15, None],
}
ABOUT = about()


def reply(hours: float | None, **changed: Any) -> dict[str, Any]:
    minutes = None if hours is None else 60 * hours
    status = "not_estimable" if hours is None else "ok"
    plain = {"kpi": "first_response_time", "unit": "minutes", "better": "lower", "target_low": None, "low": 60.0}
    return row(**plain | {"value": minutes, "high": 180.0, "previous": 120.0, "status": status} | changed)


def said(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


def in_words(curve, half, tail):
    return said(curves.in_words(curve, reply(half), reply(tail), ABOUT))


def test_how_many_still_wait_holds_from_each_step_to_the_next():
    assert [curves.still_waiting(CURVE, at) for at in (-1, 599, 600, HOUR - 1, 40 * HOUR)] == [1.0, 1.0, 0.8, 0.8, 0.0]


def test_beyond_what_was_watched_nothing_is_known_unless_nobody_waits():
    assert curves.still_waiting(CURVE, 50 * HOUR) == 0.0
    cut_off = {name: each[:-1] for name, each in CURVE.items()}
    assert curves.still_waiting(cut_off, 20 * HOUR) == 0.1
    assert curves.still_waiting(cut_off, 20 * HOUR + 1) is None


def test_the_sentence_names_half_nine_in_ten_and_who_waited_after_a_time_with_a_name():
    words = "First response time: half within 2 h, nine in ten within 20 h; after a day 10.0% still waited."
    assert in_words(CURVE, 2, 20) == words


def test_nobody_who_still_waited_is_not_named():
    assert in_words(CURVE, 2, 30) == "First response time: half within 2 h, nine in ten within 30 h.".replace(
        "30 h", "1 d 6 h"
    )


def test_what_half_or_nine_in_ten_have_not_reached_is_not_claimed():
    slow = {**CURVE, "waiting": [1.0, 0.9, 0.8, 0.7, 0.6, 0.6]}
    assert in_words(slow, 2, None) == "First response time: half within 2 h; after a day 60.0% still waited."
    assert in_words(slow, None, None) == "First response time: after a day 60.0% still waited."


def test_the_figure_marks_half_and_nine_in_ten_on_a_scale_of_peoples_durations():
    figure = curves.waiting(CURVE, CURVE, reply(2), reply(20), ABOUT, alt="Half waited less than 2 h.")
    assert [said(label) for label in labels(figure, "x")] == ["20 min", "1 h", "4 h", "1 d"]
    written = texts(figure)
    assert written[:2] == ["half within 2 h", "nine in ten within 20 h"]
    assert "full: May 2024; shaded: 95% interval; dashed: April 2024" in written
    assert figure._repr_mimebundle_()[1] == {"image/svg+xml": {"alt": "Half waited less than 2 h."}}
    marks = [line.get_xydata()[0].tolist() for line in figure.axes[0].lines if line.get_marker() in ("o", "D")]
    assert marks == [[2 * HOUR, 50], [20 * HOUR, 10]]


def test_the_target_of_the_median_is_drawn_and_said():
    figure = curves.waiting(CURVE, None, reply(2, target_high=60.0), reply(20), ABOUT)
    assert "target of half: at most 1 h" in texts(figure)
    assert "May 2024; shaded: 95% interval" in texts(figure)


def test_a_wait_of_no_time_at_all_is_drawn_where_the_scale_begins():
    at_once = {"seconds": [0, 30], "waiting": [0.3, 0.0], "low": [None, None], "high": [None, None]}
    figure = curves.waiting(at_once, None, reply(None), reply(None), ABOUT)
    (line,) = [each for each in figure.axes[0].lines if each.get_drawstyle() == "steps-post"]
    assert line.get_ydata()[1] == pytest.approx(30)
    assert line.get_xdata()[1] > 0
    assert figure.axes[0].get_xlim() == pytest.approx((1.0, 36.0))


def test_the_table_has_the_quantiles_and_who_still_waited_after_how_long():
    table = curves.table(CURVE, CURVE, reply(2), reply(20), ABOUT)
    lines = {said(line[0]): [said(text) for text in line[1:]] for line in table.rows}
    assert [column.label for column in table.columns] == ["", "May 2024", "95% interval", "April 2024"]
    assert lines["Half within"] == ["2 h", "1 h to 3 h", "2 h"]
    assert lines["Still waiting after 1 h"] == ["60.0%", "55.0% to 65.0%", "60.0%"]
    assert "Still waiting after 10 s" not in lines  # when everybody waits

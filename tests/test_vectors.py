"""Published examples and worked vectors, from rows to the scorecard."""

from datetime import datetime, timedelta

import pytest

DAYS = [
    (1, True),
    (2, True),
    (2, True),
    (3, True),
    (5, True),
    (8, True),
    (8, False),
    (12, True),
    (20, False),
    (30, False),
]
DAY = 24 * 60  # minutes


@pytest.mark.parametrize(
    ("good", "of", "low", "high"), [(45, 50, 78.64, 95.65), (0, 12, 0, 24.25), (12, 12, 75.76, 100)]
)
def test_limits_of_satisfaction_are_wilsons(company, good, of, low, high):
    for number in range(of):
        company.survey("csat", 5 if number < good else 1, customer=f"c{number}")
    row = company.row("csat")
    assert (row["numerator"], row["denominator"]) == (good, of)
    assert (row["low"], row["high"]) == pytest.approx((low, high), abs=0.01)


@pytest.mark.parametrize(
    ("scores", "value", "low", "high"),
    [({10: 50, 8: 30, 3: 20}, 30, 14.1, 44.2), ({9: 10}, 100, 47.5, 100)],
)
def test_limits_of_net_promoters_are_adjusted(company, scores, value, low, high):
    for score, answers in scores.items():
        for number in range(answers):
            company.survey("nps", score, customer=f"{score}-{number}")
    row = company.row("nps")
    assert (row["value"], row["low"], row["high"]) == pytest.approx((value, low, high), abs=0.05)


def test_the_open_wait_longer_than_the_resolved_say(company):
    company.as_of = "2024-06-01T00:00+02:00"
    for days, resolved in DAYS:
        created = datetime(2024, 5, 2) if resolved else datetime(2024, 6, 1) - timedelta(days=days)
        ended = (created + timedelta(days=days)).isoformat() if resolved else None
        company.ticket(created.isoformat(), resolved=ended)
    company.card("resolution_time", "resolution_time.resolved_only")
    row = company.row("resolution_time")
    assert (row["value"], row["n"], row["numerator"]) == (5 * DAY, 10, 7)
    assert (row["status"], row["low"], row["method"]) == ("ok", None, "not estimable: n < 30")
    assert company.value("resolution_time.resolved_only") == 3 * DAY
    seen_to_24_days = 10.1  # 1 + .9 + .7 + 2 x .6 + 3 x .5 + 4 x .4 + 12 x .8/3
    assert company.value("resolution_time.mean") == pytest.approx((seen_to_24_days + 6 * 0.8 / 3) * DAY)

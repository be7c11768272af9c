"""Why satisfaction fell in April 2024 although it rose in every channel, worked out from the planted counts."""

from fractions import Fraction

import pytest

from kpi_lib.drivers import Drivers, decompose
from kpi_lib.period import Period
from kpi_lib.scorecard import Scorecard

MARCH = {"chat": (270, 300), "email": (225, 300), "phone": (279, 300), "web": (78, 100)}
APRIL = {"chat": (182, 200), "email": (304, 400), "phone": (188, 200), "web": (158, 200)}


def of_channels() -> tuple[Fraction, Fraction]:
    """Return what the channels' own values and what their weights brought, in points (Kitagawa 1955)."""
    rate = mix = Fraction(0)
    for channel in MARCH:
        (before, first), (now, last) = MARCH[channel], APRIL[channel]
        values, weights = (Fraction(before, first), Fraction(now, last)), (Fraction(first, 1000), Fraction(last, 1000))
        rate += 100 * (values[1] - values[0]) * sum(weights) / 2
        mix += 100 * (weights[1] - weights[0]) * sum(values) / 2
    return rate, mix


def test_aprils_satisfaction_fell_although_every_channel_rose(card: Scorecard) -> None:
    moved = decompose(card.frame, "csat", "channel", Period.parse("2024-04"), card.about)
    assert isinstance(moved, Drivers)
    rate, mix = of_channels()
    assert (rate, mix) == (1, -3)
    assert moved.rate == pytest.approx(float(rate))
    assert moved.mix == pytest.approx(float(mix))
    assert moved.change == pytest.approx(-2)
    assert moved.is_reversed
    assert "fell by 2.0\N{NO-BREAK SPACE}percentage points on March although every channel rose" in moved.sentence(
        card.about
    )


def test_every_share_and_mean_of_the_sample_has_parts_that_add_up_or_says_why_not(card: Scorecard) -> None:
    frame = card.frame
    now = frame[frame["period"] == "2024-05"]
    totals = now[now["cut"].isna()].set_index("kpi")
    found = 0
    for kpi, cut in (
        now.loc[now["cut"].notna() & now["kpi"].isin(totals.index), ["kpi", "cut"]].drop_duplicates().values
    ):
        moved = decompose(frame, kpi, cut, Period.parse("2024-05"), card.about)
        if isinstance(moved, str):
            continue
        found += 1
        assert moved.parts["together"].sum() == pytest.approx(moved.change)
        assert abs(moved.change - (moved.now["value"] - moved.before["value"])) <= _size_of_a_step(moved)
    assert found > 100
    medians = totals[totals["method"].str.startswith("Kaplan-Meier,")].index
    period = Period.parse("2024-05")
    assert all(isinstance(decompose(frame, kpi, "channel", period, card.about), str) for kpi in medians)


def _size_of_a_step(moved: Drivers) -> float:
    """Return the largest difference that printing two numbers can make."""
    long = {"minutes": 60.0, "seconds": 3600.0}
    return long.get(moved.now["unit"], 1.0 if moved.now["unit"] in ("currency", "count") else 0.1)

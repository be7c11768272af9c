"""What was planted in the sample company is told from its ordinary variation, and little else is."""

import pytest

from kpi_lib import insight, signals
from kpi_lib.sample import story


def judged(card, address: str, period: str, **cut: str) -> signals.Judgement:
    """Judge one number of a period by those before it."""
    frame = card.frame[(card.frame["kpi"] == address) & (card.frame["period"] <= period)]
    name, member = next(iter(cut.items()), (None, None))
    rows = frame[frame["cut"].isna()] if name is None else frame[(frame["cut"] == name) & (frame["member"] == member)]
    return signals.judge(rows.sort_values("period"))


@pytest.mark.parametrize("month", ["2024-03", "2024-04", "2024-05"])
def test_after_the_price_rise_small_businesses_leave_beyond_the_ordinary_in_each_month(card, month) -> None:
    planted = story("price_rise")
    found = judged(card, planted.kpi, month, segment=planted.member)
    assert found.rule == signals.BEYOND
    assert found.deviation > 8
    assert "churn_rate" in signals.of_scorecard(card.frame, month).standing_out


def test_the_chat_outage_is_seen_in_who_could_not_come_in_and_who_gave_up(card) -> None:
    for address in ("blockage_rate", "abandonment_rate"):
        assert judged(card, address, "2024-05", channel="chat").rule == signals.BEYOND
        assert judged(card, address, "2024-04", channel="chat").rule == ""
        assert judged(card, address, "2024-05", channel="chat").deviation > 4
    assert judged(card, "blockage_rate", "2024-05", channel="phone").rule == ""


def test_aprils_fall_of_csat_is_beyond_its_limits_but_one_such_among_all_numbers_may_be_chance(card, row) -> None:
    assert judged(card, "csat", "2024-04").rule == signals.BEYOND
    assert judged(card, "csat", "2024-05").rule == ""
    about = {**card.about, "period": "2024-04", "signals": signals.of_scorecard(card.frame, "2024-04")}
    april = {"kpi": "csat", "period": "2024-04", **row("csat", "2024-04")}
    said = insight.sentence(april, about).replace("\N{NO-BREAK SPACE}", " ")
    assert said == (
        "Customer satisfaction (CSAT) was 83.2%, down 2.0 percentage points on March, beyond its ordinary "
        "month-to-month variation, as one number in fifty is by chance alone."
    )


def test_before_the_stories_nothing_stands_out(card) -> None:
    for month in ("2024-01", "2024-02"):
        found = signals.of_scorecard(card.frame, month)
        assert len(found.judged) > 35
        assert found.standing_out == ()


def test_in_may_what_stands_out_is_what_was_planted(card) -> None:
    found = signals.of_scorecard(card.frame, "2024-05")
    assert found.standing_out == ("blockage_rate", "churn_rate", "retention_rate", "wait_time")
    now = card.frame[card.frame["period"] == "2024-05"]
    order = insight.headline(now, {**card.about, "signals": found})["kpi"].tolist()
    assert (now["verdict"] != "missed").all()
    assert order[:4] == ["blockage_rate", "wait_time", "churn_rate", "retention_rate"]

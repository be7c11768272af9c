"""What was planted in the sample company is what the scorecard shows."""

import json
from typing import Any

import pandas as pd
import pytest
from known import ZONE, Known, within

from kpi_lib.sample import story


def values(card, address: str, cut: str) -> pd.DataFrame:
    """A KPI by month and member."""
    rows = card.frame[(card.frame["kpi"] == address) & (card.frame["cut"] == cut) & card.frame["audience"].isna()]
    return rows.pivot(index="period", columns="member", values="value")


def test_csat_falls_in_april_although_every_channel_gains(card, row) -> None:
    planted = story("channel_shift")
    change = row("csat", "2024-04")["value"] - row("csat", "2024-03")["value"]
    assert change == pytest.approx(planted.effect, abs=planted.tolerance)
    channels = values(card, "csat", "channel").loc[:, ["chat", "email", "phone", "web"]]
    gains = channels.loc["2024-04"] - channels.loc["2024-03"]
    assert gains.tolist() == pytest.approx([planted.details["each_channel"]] * 4, abs=planted.tolerance)


def test_small_businesses_leave_twice_as_often_from_march_to_may(card) -> None:
    planted = story("price_rise")
    churn = values(card, "churn_rate", "segment")
    usual = churn.loc["2023-05":"2024-02"].mean()
    for month in ("2024-03", "2024-04", "2024-05"):
        times = churn.loc[month] / usual
        assert times[planted.member] == pytest.approx(planted.effect, abs=planted.tolerance)
        assert times.drop(planted.member).max() < 1.2


def test_most_chats_are_given_up_while_the_chat_is_down(known: Known, card, row) -> None:
    planted = story("chat_outage")
    calls = known.calls[within(known.calls["offered_at"], "2024-05") & (known.calls["channel"] == planted.member)]
    days = [pd.Timestamp(day, tz=ZONE) for day in (planted.start, planted.end)]
    other = calls[(calls["offered_at"] < days[0]) | (calls["offered_at"] >= days[1])]
    given_up = other[(other["outcome"] == "abandoned_queue") & (other["queue_seconds"] > 5)]
    may = row("abandonment_rate", "2024-05", channel="chat")
    of = may["denominator"] - len(given_up) - (other["outcome"] == "answered").sum()
    assert 100 * (may["numerator"] - len(given_up)) / of == pytest.approx(planted.effect, abs=planted.tolerance)
    assert values(card, "abandonment_rate", "channel")["chat"].idxmax() == "2024-05"


def test_the_rows_loaded_twice_are_dropped_and_counted(card) -> None:
    planted = story("duplicated_rows")
    dropped = {table["table"]: table["dropped"].get("exact duplicate", 0) for table in card.about["tables"]}
    assert dropped.pop("tickets") == planted.effect
    assert set(dropped.values()) == {0}


def test_june_grows_by_the_tickets_that_came_late(build, june) -> None:
    planted = story("late_tickets")

    def created(row: dict[str, Any]) -> int:
        return int(row["n"]) + sum(json.loads(row["excluded"]).values())

    frame = build("2024-06", "resolution_time", as_of="2024-07-09T06:00+02:00").frame
    later = frame[frame["period"] == "2024-06"].set_index("kpi").loc["resolution_time"]
    share = 100 * (1 - created(june["resolution_time"]) / created(later))
    assert share == pytest.approx(planted.effect, abs=planted.tolerance)

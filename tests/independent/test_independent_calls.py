"""Calls and chats, computed a second time from the sample company's files."""

import pandas as pd
import pytest
from by_hand import agree, kaplan_meier, quantile, ratio, share
from known import ZONE, Known, members, slots, within

MONTHS = pytest.mark.parametrize("month", ["2024-04", "2024-05"])
TARGETS = {"phone": 20, "chat": 60}
SHORT = 5
CUTS = ("channel", "queue", "weekday", "hour")


def offered(known: Known, month: str) -> pd.DataFrame:
    """Calls that reached the queue and were answered or given up in it."""
    rows = known.calls[within(known.calls["offered_at"], month)]
    rows = rows[rows["outcome"].isin(["answered", "abandoned_queue"])].copy()
    rows["answered"] = rows["outcome"] == "answered"
    rows["soon"] = rows["queue_seconds"] <= rows["channel"].map(TARGETS)
    rows["short"] = ~rows["answered"] & (rows["queue_seconds"] <= SHORT)
    rows["day"] = rows["offered_at"].dt.tz_convert(ZONE).dt.strftime("%Y-%m-%d")
    return rows.assign(**slots(rows["offered_at"]))


@MONTHS
def test_service_level(known: Known, row, month: str) -> None:
    calls = offered(known, month)
    in_time = calls["answered"] & calls["soon"]
    for address, of in (
        ("service_level", ~calls["short"]),
        ("service_level.answered_only", calls["answered"]),
        ("service_level.ignore_short", calls["answered"] | ~calls["soon"]),
        ("service_level.all_offered", calls["answered"] | True),
    ):
        agree(row(address, month), share(in_time[of], calls.loc[of, "day"]))
    for member, rows in members(calls[~calls["short"]], *CUTS, "weekday_hour"):
        agree(row("service_level", month, **member), share(in_time[rows.index], rows["day"]))


@MONTHS
def test_abandonment_rate(known: Known, row, month: str) -> None:
    calls = offered(known, month)
    long = calls[~calls["short"]]
    agree(row("abandonment_rate", month), share(~long["answered"], long["day"]))
    agree(row("abandonment_rate.all", month), share(~calls["answered"], calls["day"]))
    for member, rows in members(long, *CUTS):
        agree(row("abandonment_rate", month, **member), share(~rows["answered"], rows["day"]))
    patience = kaplan_meier(calls["queue_seconds"], ~calls["answered"])
    agree(row("abandonment_rate.patience", month), quantile(patience, 0.5, 1))


@MONTHS
def test_average_handle_time(known: Known, row, month: str) -> None:
    parts = {name: f"{name}_seconds" for name in ("talk", "hold", "wrap")}
    calls = known.calls[known.calls["outcome"] == "answered"].copy()
    calls["handled"] = calls[list(parts.values())].fillna(0).sum(axis=1).astype(float)
    busy = (calls["queue_seconds"].fillna(0) + calls["handled"]).astype(float)
    calls["end"] = calls["offered_at"] + pd.to_timedelta(busy, unit="s")
    calls = calls[within(calls["end"], month)]
    agent_day = calls["agent_id"] + calls["end"].dt.tz_convert(ZONE).dt.strftime(" %Y-%m-%d")

    def average(seconds: pd.Series) -> dict[str, float]:
        return ratio(seconds, pd.Series(1.0, index=seconds.index), agent_day[seconds.index]) | {"n": len(seconds)}

    agree(row("average_handle_time", month), average(calls["handled"]))
    for member, rows in members(calls, "channel", "queue"):
        agree(row("average_handle_time", month, **member), average(rows["handled"]))
    for name, column in parts.items():
        agree(row(f"average_handle_time.{name}", month), average(calls[column].astype(float)))
    curve = kaplan_meier(calls["handled"], calls["handled"] >= 0)
    agree(row("average_handle_time.median", month), quantile(curve, 0.5, 1))
    agree(row("average_handle_time.p90", month), quantile(curve, 0.9, 1))

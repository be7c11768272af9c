"""The core of a desk's month in pandas, over the same files: what `CORE` names, for 13 months with their cuts.

It is written as an analyst would: whole columns, merges and group-bys. The waiting times are product-limit medians, as
ours are. Of each KPI only values are made, no interval: less than ours computes.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

CORE = {  # KPI: its cuts here
    "first_response_time": ("channel", "type", "priority", "team", "segment"),
    "resolution_time": ("channel", "type", "priority", "team", "segment"),
    "csat": ("channel", "segment", "team"),
    "service_level": ("channel", "queue"),
}
AS_OF = pd.Timestamp("2024-07-02 04:00", tz="UTC")
FIRST, LAST = "2023-05", "2024-05"
DONE = ("resolved", "closed")


def core(folder: Path) -> pd.DataFrame:
    """Return the values of `CORE` by KPI, cut, period and member; totals have no cut and no member."""
    people = _read(folder, "customers", "customer_id", "segment", "is_test", "is_staff")
    people["insider"] = people.pop("is_test") | people.pop("is_staff")
    tickets = _tickets(folder, people)
    created = tickets[tickets["valid"] & (tickets["initiated_by"] == "customer")].copy()
    created["period"] = _period(created["created_at"])
    watched = created["resolved_at"].fillna(AS_OF)
    created["wait"] = _seconds(created["resolved_at"].fillna(AS_OF) - created["created_at"])
    created["reply"] = _seconds(created["first_reply_at"].fillna(watched) - created["created_at"])
    asked = created[~created["live"]]
    parts = [
        *_medians("first_response_time", asked, "reply", asked["first_reply_at"].notna()),
        *_medians("resolution_time", created, "wait", created["resolved_at"].notna()),
        *_satisfaction(folder, tickets, people),
        *_service_level(folder, people),
    ]
    return pd.concat(parts, ignore_index=True)


def _tickets(folder: Path, people: pd.DataFrame) -> pd.DataFrame:
    """Return one row a ticket with its first reply, its final resolution and whether it came in live."""
    tickets = _read(folder, "tickets").merge(people, on="customer_id", how="left")
    out = tickets[["is_test", "is_deleted", "is_spam"]].any(axis=1) | tickets["merged_into_id"].notna()
    tickets["valid"] = ~out & ~tickets["insider"].eq(True)
    events = _read(folder, "ticket_events", "event_id", "ticket_id", "at", "kind", "actor", "to_value")
    reply = events[(events["kind"] == "public_reply") & (events["actor"] == "agent")]
    status = events[(events["kind"] == "status") & events["to_value"].notna()]
    status = status.sort_values(["ticket_id", "at", "event_id"])
    done = status["to_value"].isin(DONE)
    was_done = done.groupby(status["ticket_id"]).shift().eq(True)
    resolved, reopened = (status[flag].groupby("ticket_id")["at"] for flag in (done & ~was_done, ~done & was_done))
    last = resolved.max()[resolved.count() > reopened.count().reindex(resolved.count().index).fillna(0)]
    calls = _read(folder, "calls", "ticket_id", "direction", "outcome", "offered_at")
    calls = calls[calls["ticket_id"].notna() & (calls["direction"] == "inbound") & (calls["outcome"] == "answered")]
    keys = tickets["ticket_id"]
    tickets["first_reply_at"] = keys.map(reply.groupby("ticket_id")["at"].min())
    tickets["resolved_at"] = keys.map(last)
    tickets["live"] = keys.map(calls.groupby("ticket_id")["offered_at"].min()) <= tickets["created_at"]
    return tickets


def _satisfaction(folder: Path, tickets: pd.DataFrame, people: pd.DataFrame) -> Iterator[pd.DataFrame]:
    columns = ("kind", "customer_id", "ticket_id", "answered_at", "score")
    surveys = _read(folder, "surveys", *columns)
    surveys = surveys[(surveys["kind"] == "csat") & surveys["answered_at"].notna() & surveys["score"].notna()]
    surveys = surveys.merge(people, on="customer_id", how="left")
    surveys = surveys.merge(tickets[["ticket_id", "channel", "team", "valid"]], on="ticket_id", how="left")
    surveys = surveys[~surveys["insider"].eq(True) & ~surveys["valid"].eq(False)]
    surveys = surveys.assign(period=_period(surveys["answered_at"]), hit=surveys["score"] >= 4)
    yield from _shares("csat", surveys)


def _service_level(folder: Path, people: pd.DataFrame) -> Iterator[pd.DataFrame]:
    columns = ("channel", "queue", "customer_id", "offered_at", "outcome", "queue_seconds", "direction")
    calls = _read(folder, "calls", *columns).merge(people, on="customer_id", how="left")
    calls = calls[(calls["direction"] == "inbound") & ~calls["insider"].eq(True)]
    calls = calls[calls["outcome"].isin(["answered", "abandoned_queue"]) & calls["queue_seconds"].notna()]
    answered = calls["outcome"] == "answered"
    calls = calls[answered | (calls["queue_seconds"] > 5)]
    fast = calls["queue_seconds"] <= calls["channel"].map({"phone": 20, "chat": 60})
    yield from _shares(
        "service_level",
        calls.assign(period=_period(calls["offered_at"]), hit=fast & (calls["outcome"] == "answered")),
    )


def _medians(kpi: str, rows: pd.DataFrame, seconds: str, finished: pd.Series) -> Iterator[pd.DataFrame]:
    """Yield product-limit medians in minutes, of the total and of each cut."""
    rows = rows.assign(finished=finished)
    for cut in (None, *CORE[kpi]):
        keys = ["period"] if cut is None else ["period", cut]
        steps = rows.groupby([*keys, seconds], as_index=False)["finished"].agg(["sum", "size"])
        group = steps.groupby(keys)
        at_risk = group["size"].transform("sum") - group["size"].cumsum() + steps["size"]
        with np.errstate(divide="ignore"):
            steps["log"] = np.log1p(-steps["sum"] / at_risk)
        reached = steps[np.exp(steps.groupby(keys)["log"].cumsum()) <= 0.5 + 1e-9]
        yield _laid(kpi, cut, reached.groupby(keys)[seconds].min() / 60)


def _shares(kpi: str, rows: pd.DataFrame) -> Iterator[pd.DataFrame]:
    for cut in (None, *CORE[kpi]):
        keys = ["period"] if cut is None else ["period", cut]
        yield _laid(kpi, cut, 100 * rows.groupby(keys)["hit"].mean())


def _laid(kpi: str, cut: str | None, values: pd.Series) -> pd.DataFrame:
    frame = values.rename("value").reset_index()
    frame = frame[frame["period"].between(FIRST, LAST)]
    return frame.rename(columns={cut: "member"} if cut else {}).assign(kpi=kpi, cut=cut)


def _read(folder: Path, table: str, *columns: str) -> pd.DataFrame:
    return pd.read_parquet(folder / f"{table}.parquet", columns=list(columns) or None)


def _period(instants: pd.Series) -> pd.Series:
    return instants.dt.tz_convert("Europe/Berlin").dt.strftime("%Y-%m")


def _seconds(spans: pd.Series) -> pd.Series:
    return (spans // pd.Timedelta(seconds=1)).clip(lower=0)


if __name__ == "__main__":
    core(Path(sys.argv[1])).to_parquet(sys.argv[2])

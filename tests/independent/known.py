"""The sample company's rows as they were known at an instant, and what became of each ticket, in plain pandas."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

ZONE = "Europe/Berlin"
AS_OF = pd.Timestamp("2024-07-02T06:00+02:00")
ENDED = ("resolved", "closed")


def bounds(month: str) -> tuple[pd.Timestamp, pd.Timestamp]:
    """The first instant of a month and of the next one, in the company's zone."""
    start = pd.Timestamp(f"{month}-01", tz=ZONE)
    return start, start + pd.DateOffset(months=1)


def within(times: pd.Series, month: str) -> pd.Series:
    """Which of the times fall in a month."""
    start, end = bounds(month)
    return (times >= start) & (times < end)


def by_day(instants: pd.Series, month: str) -> pd.Series:
    """How many instants fall on each day of a month."""
    start, end = bounds(month)
    days = instants.dt.tz_convert(ZONE).dt.normalize()
    return days.value_counts().reindex(pd.date_range(start, end, inclusive="left")).fillna(0)


def members(rows: pd.DataFrame, *cuts: str) -> Iterator[tuple[dict[str, str], pd.DataFrame]]:
    """Each member of each cut with its rows: `{"channel": "chat"}` and the rows of it."""
    for cut in cuts:
        for member, group in rows.groupby(rows[cut].fillna("(none)")):
            yield {cut: str(member)}, group


def slots(instants: pd.Series) -> dict[str, pd.Series]:
    """Weekday and hour of instants in the company's zone, as the scorecard names them."""
    local = instants.dt.tz_convert(ZONE)
    weekday = (local.dt.day_of_week + 1).astype(str) + " " + local.dt.day_name().str[:3].str.lower()
    hour = local.dt.strftime("%H")
    return {"weekday": weekday, "hour": hour, "weekday_hour": weekday + " " + hour}


@dataclass(frozen=True)
class Known:
    """The tables in a folder, without what was loaded or happened after `as_of` and without a row's exact copies."""

    folder: Path
    as_of: pd.Timestamp = AS_OF

    def rows(self, table: str, instant: str | None = None) -> pd.DataFrame:
        """The rows of a table; one whose `instant` lies ahead has not happened yet."""
        rows = pd.read_parquet(self.folder / f"{table}.parquet")
        rows = rows.drop_duplicates() if rows.iloc[:, 0].duplicated().any() else rows
        rows = rows[rows["loaded_at"].isna() | (rows["loaded_at"] <= self.as_of)]
        if instant:
            rows = rows[~(rows[instant] > self.as_of)]
        return rows.drop(columns="loaded_at").reset_index(drop=True)

    @cached_property
    def customers(self) -> pd.DataFrame:
        """Customers who are neither staff nor a test."""
        rows = self.rows("customers", "first_seen_at")
        return rows[~rows["is_test"] & ~rows["is_staff"]].set_index("customer_id")

    @cached_property
    def subscriptions(self) -> pd.DataFrame:
        """Subscriptions of customers; an end that lies ahead is open."""
        rows = self.rows("subscriptions", "started_at")
        rows = rows[rows["customer_id"].isin(self.customers.index)].copy()
        ahead = rows["ended_at"] > self.as_of
        return rows.assign(
            ended_at=rows["ended_at"].mask(ahead), end_reason=rows["end_reason"].mask(ahead)
        ).reset_index(drop=True)

    @cached_property
    def spells(self) -> pd.DataFrame:
        """Times without a break of more than a day in which a customer had a subscription: `start` and `end`."""
        rows = self.subscriptions.sort_values(["customer_id", "started_at", "subscription_id"])
        rows = rows.assign(end=rows["ended_at"].fillna(pd.Timestamp("2200-01-01", tz="UTC")))
        reach = rows.groupby("customer_id")["end"].cummax().groupby(rows["customer_id"]).shift()
        breaks = reach.isna() | (rows["started_at"] - reach > pd.Timedelta(days=1))
        spells = rows.groupby(breaks.cumsum())
        return spells.agg(customer_id=("customer_id", "first"), start=("started_at", "min"), end=("end", "max"))

    @cached_property
    def calls(self) -> pd.DataFrame:
        """Inbound calls and chats."""
        rows = self.rows("calls", "offered_at")
        return rows[rows["direction"] == "inbound"].reset_index(drop=True)

    @cached_property
    def events(self) -> pd.DataFrame:
        """What happened to tickets, in order."""
        return self.rows("ticket_events", "at").sort_values(["at", "event_id"]).reset_index(drop=True)

    @cached_property
    def statuses(self) -> pd.DataFrame:
        """Changes of state of valid tickets: `before` is the state that the event ended."""
        rows = self.events[self.events["kind"] == "status"].copy()
        rows["before"] = rows.groupby("ticket_id")["to_value"].shift().fillna("open")
        rows["ends"] = rows["to_value"].isin(ENDED) & ~rows["before"].isin(ENDED)
        rows["reopens"] = ~rows["to_value"].isin(ENDED) & rows["before"].isin(ENDED)
        return rows[rows["ticket_id"].isin(self.valid.index)]

    @cached_property
    def all_tickets(self) -> pd.DataFrame:
        """Every ticket with the first reason why it does not count, if there is one."""
        rows = self.rows("tickets", "created_at")
        people = self.rows("customers").set_index("customer_id")
        internal = rows["customer_id"].map(people["is_test"] | people["is_staff"]).fillna(False).astype(bool)
        merged = rows["merged_into_id"].notna() & ~(rows["merged_at"] > self.as_of)
        reasons = {
            "test": rows["is_test"] | internal,
            "deleted": rows["is_deleted"],
            "spam": rows["is_spam"],
            "merged into another": merged,
        }
        rows["dropped"] = pd.Series(None, index=rows.index, dtype="object")
        for reason, holds in reasons.items():
            rows["dropped"] = rows["dropped"].where(rows["dropped"].notna() | ~holds, reason)
        segment = rows["customer_id"].map(people["segment"])
        return rows.assign(segment=segment).set_index("ticket_id")

    @cached_property
    def valid(self) -> pd.DataFrame:
        """Tickets that count."""
        rows = self.all_tickets
        return rows[rows["dropped"].isna()]

    @cached_property
    def tickets(self) -> pd.DataFrame:
        """Valid tickets and what became of them."""
        rows, changes = self.valid.copy(), self.statuses
        replies = self.events[(self.events["kind"] == "public_reply") & (self.events["actor"] == "agent")]
        replies = replies[replies["ticket_id"].isin(rows.index)].groupby("ticket_id")["at"]
        rows["first_reply_at"], rows["replies"] = replies.min(), replies.size()
        rows["replies"] = rows["replies"].fillna(0)
        ends = changes[changes["ends"]].groupby("ticket_id")["at"]
        rows["first_resolved_at"], rows["resolved_at"] = ends.min(), ends.max()
        last = changes.groupby("ticket_id")["to_value"].last()
        rows["status"] = last.reindex(rows.index).fillna("open")
        rows["resolved_at"] = rows["resolved_at"].where(rows["status"].isin(ENDED))
        rows["reopened"] = rows.index.isin(changes.loc[changes["reopens"], "ticket_id"])
        answered = self.calls[self.calls["outcome"] == "answered"]
        rows["live"] = rows.index.isin(answered["ticket_id"])
        return rows

    def stock(self, instant: pd.Timestamp) -> pd.DataFrame:
        """Tickets open at an instant with their state then."""
        there = self.valid[self.valid["created_at"] < instant]
        changes = self.statuses[self.statuses["at"] < instant].drop_duplicates("ticket_id", keep="last")
        status = changes.set_index("ticket_id")["to_value"].reindex(there.index).fillna("open")
        there = there.assign(status=status)
        return there[~there["status"].isin(ENDED)]

    def created(self, month: str) -> pd.DataFrame:
        """Tickets that customers opened in a month."""
        rows = self.tickets
        return rows[within(rows["created_at"], month) & (rows["initiated_by"] == "customer")]

    def resolved(self, month: str) -> pd.DataFrame:
        """Tickets resolved for good in a month."""
        return self.tickets[within(self.tickets["resolved_at"], month)]

    @cached_property
    def first_contacts(self) -> pd.DataFrame:
        """Customers' tickets with `one` (one reply by a person, none after a reopening, no escalation) and `back`.

        `back` says that the customer opened another ticket on the matter within seven days of the resolution.
        """
        rows, events, changes = self.tickets.copy(), self.events, self.statuses
        reopened = changes[changes["reopens"]].groupby("ticket_id")["at"].min()
        replies = events[(events["kind"] == "public_reply") & (events["actor"] == "agent")]
        later = replies.loc[replies["at"] > replies["ticket_id"].map(reopened), "ticket_id"]
        moved = events.loc[events["kind"] == "escalate", "ticket_id"]
        rows["one"] = (rows["replies"] == 1) & ~rows.index.isin(later) & ~rows.index.isin(moved)
        rows["topic"] = rows["type"].fillna(rows["problem_id"]).fillna("(none)")
        asked = rows.loc[rows["initiated_by"] == "customer", ["customer_id", "topic", "created_at"]].reset_index()
        named = rows.loc[rows["customer_id"].notna(), ["customer_id", "topic", "resolved_at"]].reset_index()
        pairs = named.merge(asked, on=["customer_id", "topic"], suffixes=("", "_later"))
        since = pairs["created_at"] - pairs["resolved_at"]
        again = pairs[(since > pd.Timedelta(0)) & (since <= pd.Timedelta(days=7))]
        rows["back"] = rows.index.isin(again["ticket_id"])
        return rows[rows["initiated_by"] == "customer"]

    def contacts(self, month: str) -> pd.DataFrame:
        """Requests of a month: customers' tickets, and answered calls that belong to no ticket."""
        calls = self.calls[within(self.calls["offered_at"], month) & self.calls["ticket_id"].isna()]
        answered = calls[calls["outcome"] == "answered"]
        segment = answered["customer_id"].map(self.customers["segment"])
        answered = answered.assign(segment=segment, type=None).rename(columns={"offered_at": "at"})
        columns = ["at", "channel", "segment", "type"]
        rows = pd.concat([self.created(month).rename(columns={"created_at": "at"})[columns], answered[columns]])
        return rows.assign(**slots(rows["at"]))

    def answers(self, month: str, kind: str) -> pd.DataFrame:
        """Answers of a month to one kind of survey, without those about tickets that do not count."""
        rows = self.rows("surveys")
        rows = rows[(rows["kind"] == kind) & within(rows["answered_at"], month) & rows["score"].notna()]
        rows = rows[~(rows["answered_at"] > self.as_of)]
        about = rows["ticket_id"].map(self.all_tickets["dropped"])
        rows = rows[about.isna()].copy()
        rows = rows.rename(columns={"channel": "survey_channel"})
        for name in ("channel", "team"):
            rows[name] = rows["ticket_id"].map(self.all_tickets[name])
        rows["segment"] = rows["customer_id"].map(self.customers["segment"])
        return rows

    def spent(self, month: str, center: str) -> float:
        """What a center cost in a month, each amount spread evenly over its days."""
        return float(self.costs(month, center)["spent"].sum())

    def costs(self, month: str, center: str) -> pd.DataFrame:
        """The costs of a center with the part of each that falls in a month."""
        rows = self.rows("costs")
        rows = rows[rows["center"] == center].copy()
        first, last = pd.to_datetime(rows["period_start"]), pd.to_datetime(rows["period_end"])
        start = pd.Timestamp(f"{month}-01")
        end = start + pd.offsets.MonthEnd(1)
        days = (last.clip(upper=end) - first.clip(lower=start)).dt.days + 1
        rows["spent"] = rows["amount"] * days.clip(lower=0) / ((last - first).dt.days + 1)
        return rows

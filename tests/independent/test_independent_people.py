"""The people at the desk, computed a second time from the sample company's files."""

import numpy as np
import pandas as pd
import pytest
from by_hand import agree, share
from known import ZONE, Known, bounds

MONTHS = pytest.mark.parametrize("month", ["2024-04", "2024-05"])
FULL_TIME_HOURS = 40
TARGET_SECONDS = 600
FEWEST_TICKETS = 20
NAMES = ("1 mon", "2 tue", "3 wed", "4 thu", "5 fri", "6 sat", "7 sun")


def day(instants: pd.Series) -> pd.Series:
    """The company's own calendar day of instants."""
    return instants.dt.tz_convert(ZONE).dt.strftime("%Y-%m-%d")


def in_month(days: pd.Series, month: str) -> pd.Series:
    """Which of the days are in a month."""
    return days.str[:7] == month


class Desk:
    """What people did in a month and the hours for which they were paid."""

    def __init__(self, known: Known, month: str) -> None:
        events = known.events[known.events["ticket_id"].isin(known.valid.index) & (known.events["actor"] == "agent")]
        events = events.assign(day=day(events["at"]))
        self.events = events[in_month(events["day"], month)]
        self.replies = self.events[self.events["kind"] == "public_reply"]
        calls = known.calls[known.calls["outcome"] == "answered"].fillna({"queue_seconds": 0})
        calls["handled"] = calls[["talk_seconds", "hold_seconds", "wrap_seconds"]].fillna(0).sum(axis=1).astype(float)
        busy = (calls["queue_seconds"] + calls["handled"]).astype(float)
        calls["day"] = day(calls["offered_at"] + pd.to_timedelta(busy, unit="s"))
        self.calls = calls[in_month(calls["day"], month)]
        shifts = known.rows("agent_shifts", "start_at")
        shifts = shifts[shifts["paid"] & (shifts["activity"] != "absent")]
        shifts = shifts.assign(
            day=day(shifts["start_at"]), seconds=(shifts["end_at"] - shifts["start_at"]).dt.total_seconds()
        )
        self.shifts = shifts[in_month(shifts["day"], month)]
        self.available = self.shifts[self.shifts["activity"] == "available"]

    @property
    def worked(self) -> set[tuple[str, str]]:
        """Agent and day, where there was paid time or work was handled."""
        parts = (self.shifts, self.replies, self.calls)
        return {pair for rows in parts for pair in zip(rows["agent_id"], rows["day"], strict=True)}

    @property
    def people(self) -> set[str]:
        """Who worked at all."""
        return {agent for agent, _ in self.worked}

    @property
    def handled(self) -> pd.Series:
        """Seconds of work on calls and tickets by agent."""
        rows = self.events.rename(columns={"handle_seconds": "handled"})
        rows = pd.concat([rows[["agent_id", "handled"]], self.calls[["agent_id", "handled"]]]).astype(
            {"handled": float}
        )
        return rows.groupby("agent_id")["handled"].sum()


@MONTHS
def test_conversations_per_teammate(known: Known, row, month: str) -> None:
    desk = Desk(known, month)
    conversations = desk.replies[["agent_id", "day", "ticket_id"]].drop_duplicates()
    each, days = len(conversations), len(desk.worked)
    figures = {"value": each / days, "numerator": each, "denominator": days}
    agree(row("conversations_per_teammate", month), figures)
    for weekday, name in enumerate(NAMES):
        each = int((pd.to_datetime(conversations["day"]).dt.day_of_week == weekday).sum())
        days = sum(pd.Timestamp(date).day_of_week == weekday for _, date in desk.worked)
        if days:
            figures = {"value": each / days, "numerator": each, "denominator": days}
            agree(row("conversations_per_teammate", month, weekday=name), figures)
    tickets, dates = desk.replies["ticket_id"].nunique(), {date for _, date in desk.worked}
    agree(
        row("conversations_per_teammate.source_formula", month),
        {"value": tickets / (len(dates) * len(desk.people))},
    )


@MONTHS
def test_cases_per_agent(known: Known, row, month: str) -> None:
    desk, end = Desk(known, month), bounds(month)[1]
    resolved, people = len(known.resolved(month)), len(desk.people)
    agree(row("cases_per_agent", month), {"value": resolved / people, "numerator": resolved, "denominator": people})
    events = known.events[(known.events["kind"] == "assign") & (known.events["at"] < end)]
    assigned = events.drop_duplicates("ticket_id", keep="last").set_index("ticket_id")["to_value"].dropna()
    held = int(known.stock(end).index.isin(assigned.index).sum())
    agree(row("cases_per_agent.open", month), {"value": held / people})
    days = pd.Period(month).days_in_month
    full_time = desk.available["seconds"].sum() / 3600 / (FULL_TIME_HOURS * days / 7)
    agree(row("cases_per_agent.per_full_time", month), {"value": resolved / full_time})


@MONTHS
def test_agent_utilization(known: Known, row, month: str) -> None:
    desk = Desk(known, month)
    handled, paid, available = desk.handled.sum(), desk.shifts["seconds"].sum(), desk.available["seconds"].sum()
    agree(row("agent_utilization", month), {"value": 100 * handled / paid})
    agree(row("agent_utilization.occupancy", month), {"value": 100 * handled / available})


@MONTHS
def test_agent_target_attainment(known: Known, row, month: str) -> None:
    resolved = known.resolved(month)
    last = known.statuses[known.statuses["ends"]].drop_duplicates("ticket_id", keep="last").set_index("ticket_id")
    by_person = resolved[last["actor"].reindex(resolved.index) == "agent"]
    worked = known.events.groupby("ticket_id")["handle_seconds"].sum().reindex(by_person.index).fillna(0)
    recorded = worked[worked > 0]
    figures = share(recorded <= TARGET_SECONDS)
    agree(
        row("agent_target_attainment", month), {name: figures[name] for name in ("value", "numerator", "denominator")}
    )


@MONTHS
def test_workload_balance(known: Known, row, month: str) -> None:
    desk = Desk(known, month)
    hours = desk.available.groupby("agent_id")["seconds"].sum()
    load = np.sort((desk.handled.reindex(hours.index).fillna(0) / hours).to_numpy())
    apart = np.abs(load[:, None] - load[None, :]).sum()
    agree(row("workload_balance", month), {"value": apart / (2 * len(load) ** 2 * load.mean())})
    conversations = desk.replies[["agent_id", "day", "ticket_id"]].drop_duplicates()["agent_id"].value_counts()
    contacts = conversations.add(desk.calls["agent_id"].value_counts(), fill_value=0).reindex(hours.index).sum()
    by_chance = (
        np.random.default_rng(3).poisson(contacts * hours / hours.sum(), (10_000, len(hours))) / hours.to_numpy()
    )
    places = 2 * np.arange(1, len(hours) + 1) - len(hours) - 1
    drawn = (np.sort(by_chance, axis=1) * places).sum(axis=1) / (len(hours) * by_chance.sum(axis=1))
    assert row("workload_balance.expected", month)["value"] == pytest.approx(drawn.mean(), rel=0.02)


def credited(known: Known, month: str) -> pd.Series:
    """How many of a month's resolved tickets were assigned to each agent when they were resolved."""
    resolved = known.resolved(month)
    assigned = known.events[known.events["kind"] == "assign"]
    assigned = assigned[assigned["at"] <= assigned["ticket_id"].map(resolved["resolved_at"])]
    return assigned.drop_duplicates("ticket_id", keep="last")["to_value"].value_counts()


def ranked(card, month: str) -> pd.DataFrame:
    """The ranking of a month's agents."""
    rows = card.frame[(card.frame["kpi"] == "top_agents") & (card.frame["period"] == month)]
    return rows[(rows["cut"] == "agent") & rows["audience"].isna()]


@MONTHS
def test_top_agents_have_enough_tickets(known: Known, card, month: str) -> None:
    rows = ranked(card, month)
    assert rows["value"].notna().sum() == (credited(known, month) >= FEWEST_TICKETS).sum()
    assert rows.loc[rows["value"].notna(), "n"].min() >= FEWEST_TICKETS


@MONTHS
def test_who_is_assigned_at_the_resolution_has_the_credit(known: Known, card, month: str) -> None:
    assert sorted(ranked(card, month)["n"]) == sorted(credited(known, month))

"""What waits, what comes back and what it is about, computed a second time from the sample company's files."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import holidays
import pandas as pd
import pytest
from by_hand import Figures, agree, cost_of_each, kaplan_meier, quantile, ratio, share, smallest_reaching
from known import AS_OF, ZONE, Known, bounds, by_day, members, within

MONTHS = pytest.mark.parametrize("month", ["2024-04", "2024-05"])
DAY = pd.Timedelta(days=1)
SHORT = 5
BETTER = {
    "first_response_time": -1,
    "resolution_time": -1,
    "first_contact_resolution": 1,
    "csat": 1,
    "abandonment_rate": -1,
    "cost_per_ticket": -1,
}
WITHOUT = [("first_response_time", "phone"), ("abandonment_rate", "email"), ("abandonment_rate", "web")]  # none wait
PLAIN = ("value", "numerator", "denominator")


def plain(figures: Figures) -> Figures:
    """A figure without its limits."""
    return {name: figures[name] for name in PLAIN}


def days(since: pd.Timestamp, until: pd.Timestamp) -> float:
    """Days from one instant to another."""
    return (until - since) / DAY


def public(known: Known) -> pd.DataFrame:
    """Messages of valid tickets between customers and people, in order: `theirs` are the customer's."""
    events = known.events[known.events["ticket_id"].isin(known.valid.index)]
    theirs = events["kind"].isin(["created", "customer_message"]) & (events["actor"] == "customer")
    ours = (events["kind"] == "public_reply") & (events["actor"] == "agent")
    return events[theirs | ours].assign(theirs=theirs, ours=ours)


def unanswered(known: Known, end: pd.Timestamp) -> pd.DataFrame:
    """Open tickets in which the customer has the last word at an instant, with `since`, the first word of it."""
    stock = known.stock(end)
    stock = stock[(stock["status"] == "open") & (stock["initiated_by"] == "customer")]
    messages = public(known)
    messages = messages[(messages["at"] < end) & messages["ticket_id"].isin(stock.index)]
    answered = messages.index.to_series().where(messages["ours"]).groupby(messages["ticket_id"]).transform("max")
    waiting = messages[~(messages.index <= answered)]
    return stock.join(waiting.groupby("ticket_id")["at"].min().rename("since"), how="inner")


@MONTHS
def test_awaiting_reply(known: Known, row, month: str) -> None:
    end = bounds(month)[1]
    waiting = unanswered(known, end)
    agree(row("awaiting_reply.tickets", month), {"value": len(waiting)})

    def people(rows: pd.DataFrame) -> int:
        return int(rows["customer_id"].nunique() + rows["customer_id"].isna().sum())

    agree(row("awaiting_reply", month), {"value": people(waiting)})
    for member, rows in members(waiting, "channel", "segment", "team"):
        agree(row("awaiting_reply", month, **member), {"value": people(rows)})
    agree(row("awaiting_reply.oldest", month), {"value": days(waiting["since"].min(), end)})


@MONTHS
def test_backlog(known: Known, row, month: str) -> None:
    end = bounds(month)[1]
    stock = known.stock(end)
    old = stock[end - stock["created_at"] > pd.Timedelta(hours=72)]
    agree(row("backlog", month), {"value": len(old)})
    for member, rows in members(old, "channel", "priority", "team", "status"):
        agree(row("backlog", month, **member), {"value": len(rows)})
    agree(row("backlog.oldest", month), {"value": days(stock["created_at"].min(), end)})
    each_day = len(known.resolved(month)) / pd.Period(month).days_in_month
    agree(row("backlog.days_of_work", month), {"value": len(stock) / each_day})


@MONTHS
def test_resolved_cases(known: Known, row, month: str) -> None:
    resolved, changes = known.resolved(month), known.statuses
    agree(row("resolved_cases", month), {"value": len(resolved)})
    for member, rows in members(resolved, "channel", "type", "team"):
        agree(row("resolved_cases", month, **member), {"value": len(rows)})
    ends = changes[changes["ends"]]
    agree(row("resolved_cases.actions", month), {"value": int(within(ends["at"], month).sum())})
    last = ends.drop_duplicates("ticket_id", keep="last").set_index("ticket_id")["actor"].reindex(resolved.index)
    agree(row("resolved_cases.automatic", month), {"value": int(last.isin(["bot", "system"]).sum())})


@MONTHS
def test_contact_rate(known: Known, row, month: str) -> None:
    there = [((known.spells["start"] <= at) & (known.spells["end"] > at)).sum() for at in bounds(month)]
    people = sum(there) / 2
    agree(row("contact_rate", month), {"value": 1000 * len(known.contacts(month)) / people})


@MONTHS
def test_tickets_by_type(known: Known, row, month: str) -> None:
    tickets = known.created(month)
    for member, rows in members(tickets, "type"):
        figures = {"value": 100 * len(rows) / len(tickets), "numerator": len(rows), "denominator": len(tickets)}
        agree(row("tickets_by_type", month, **member), figures)


def queued(known: Known, month: str) -> pd.DataFrame:
    """Calls of a month that waited in the queue, without those given up at once."""
    rows = known.calls[within(known.calls["offered_at"], month)]
    rows = rows[rows["outcome"].isin(["answered", "abandoned_queue"])]
    answered = rows["outcome"] == "answered"
    rows = rows.assign(answered=answered, waited=rows["queue_seconds"].astype(float), day=rows["offered_at"])
    rows["day"] = rows["day"].dt.tz_convert(ZONE).dt.strftime("%Y-%m-%d")
    return rows[answered | (rows["waited"] > SHORT)]


def average(rows: pd.DataFrame) -> Figures:
    """The mean wait; there are no limits, as the sums of fewer than thirty days do not tell how much days differ."""
    assert rows["day"].nunique() < 30
    figures = ratio(rows["waited"], pd.Series(1.0, index=rows.index), rows["day"])
    return figures | {"n": len(rows), "low": float("nan"), "high": float("nan")}


@MONTHS
def test_wait_time(known: Known, row, month: str) -> None:
    calls = queued(known, month)
    agree(row("wait_time", month), average(calls))
    agree(row("wait_time.median", month), {"value": smallest_reaching(calls["waited"], 0.5)})
    agree(row("wait_time.p90", month), {"value": smallest_reaching(calls["waited"], 0.9)})
    agree(row("wait_time.virtual", month), quantile(kaplan_meier(calls["waited"], calls["answered"]), 0.5, 1))
    for member, rows in members(calls, "channel", "queue"):
        agree(row("wait_time", month, **member), average(rows))
        agree(row("wait_time.p90", month, **member), {"value": smallest_reaching(rows["waited"], 0.9)})


@MONTHS
def test_average_speed_of_answer(known: Known, row, month: str) -> None:
    calls = queued(known, month)
    calls = calls[calls["answered"]]
    agree(row("average_speed_of_answer", month), average(calls))
    agree(row("average_speed_of_answer.median", month), {"value": smallest_reaching(calls["waited"], 0.5)})
    agree(row("average_speed_of_answer.p90", month), {"value": smallest_reaching(calls["waited"], 0.9)})
    for member, rows in members(calls, "channel", "queue"):
        agree(row("average_speed_of_answer", month, **member), average(rows))


@MONTHS
def test_blockage_rate(known: Known, row, month: str) -> None:
    calls = known.calls[within(known.calls["offered_at"], month)]
    blocked = calls["outcome"] == "blocked"
    tried = calls[blocked | calls["outcome"].isin(["answered", "abandoned_queue"])]
    agree(row("blockage_rate", month), plain(share(blocked[tried.index])))
    agree(row("blockage_rate.count", month), {"value": int(blocked.sum())})
    for member, rows in members(tried, "channel", "queue"):
        agree(row("blockage_rate", month, **member), plain(share(blocked[rows.index])))


@MONTHS
def test_recurring_incidents(known: Known, row, month: str) -> None:
    tickets = known.created(month)
    named = tickets["type"] + " of " + tickets["product"]
    problem = tickets["problem_id"].fillna(named)
    found = tickets.groupby(problem)["customer_id"].agg(["size", "nunique"])
    recurring = found.index[(found["size"] >= 3) & (found["nunique"] >= 2)]
    agree(row("recurring_incidents", month), {"value": len(recurring)})
    agree(row("recurring_incidents.share", month), plain(share(problem.isin(recurring))))
    agree(row("recurring_incidents.unlinked", month), plain(share(tickets["problem_id"].isna())))


def repeated(known: Known, month: str, horizon: int) -> Figures:
    """How many customers came back on the same matter so many days after a resolution that was watched as long."""
    span, asked = pd.Timedelta(days=horizon), known.tickets[known.tickets["initiated_by"] == "customer"]
    resolved = asked[within(asked["resolved_at"], month) & asked["customer_id"].notna()]
    resolved = resolved[resolved["resolved_at"] + span <= known.as_of]
    later = asked[["customer_id", "type", "created_at"]]
    pairs = resolved.reset_index().merge(later, on=["customer_id", "type"], suffixes=("", "_later"))
    since = pairs["created_at_later"] - pairs["resolved_at"]
    again = pairs.loc[(since > pd.Timedelta(0)) & (since <= span), "ticket_id"]
    return plain(share(resolved.index.to_series().isin(again)))


@MONTHS
def test_repeat_contact_rate(known: Known, row, month: str) -> None:
    agree(row("repeat_contact_rate", month), repeated(known, month, 30))
    agree(row("repeat_contact_rate.seven_days", month), repeated(known, month, 7))
    calls = known.calls[within(known.calls["offered_at"], month) & (known.calls["outcome"] == "answered")]
    calls = calls.loc[calls["ticket_id"].isna(), "customer_id"]
    contacts = pd.concat([known.created(month)["customer_id"], calls]).dropna()
    agree(row("repeat_contact_rate.contacts_per_customer", month), {"value": len(contacts) / contacts.nunique()})


def test_customers_who_could_still_come_back_are_left_out(known: Known, build) -> None:
    frame = build("2024-06", "repeat_contact_rate", "repeat_contact_rate.seven_days").frame
    june = frame[frame["period"] == "2024-06"].set_index("kpi").to_dict("index")
    for address, horizon in (("repeat_contact_rate", 30), ("repeat_contact_rate.seven_days", 7)):
        figures = repeated(known, "2024-06", horizon)
        assert figures["denominator"] < len(known.resolved("2024-06"))
        agree(june[address], figures)
    assert june["repeat_contact_rate"]["provisional"]


def topics(tickets: pd.DataFrame) -> pd.Series:
    """What tickets are about: their type, or else the problem."""
    return tickets["type"].fillna(tickets["problem_id"]).fillna("(none)")


@MONTHS
def test_most_common_issues(known: Known, row, month: str) -> None:
    period = pd.Period(month)
    tickets = known.created(month)
    counts = topics(tickets).value_counts()
    before = [topics(known.created(str(period - back))).value_counts() for back in (1, 2, 3)]
    year = topics(pd.concat([known.created(str(period - back)) for back in range(12)])).value_counts()
    for issue, count in counts.items():
        figures = {"value": 100 * count / len(tickets), "numerator": count, "denominator": len(tickets)}
        agree(row("most_common_issues", month, issue=issue), figures)
        usual = sum(counts_before.get(issue, 0) for counts_before in before) / 3
        agree(row("most_common_issues.change", month, issue=issue), {"value": 100 * (count / usual - 1)})
    for issue, count in year.items():
        figures = {"value": 100 * count / year.sum()}
        agree(row("most_common_issues.twelve_months", month, issue=issue), figures)


@MONTHS
def test_cost_per_issue(known: Known, row, month: str) -> None:
    messages = public(known)
    gap = messages.groupby("ticket_id")["at"].diff()
    began = gap.isna() | (gap >= DAY)
    sessions = began.groupby(messages["ticket_id"]).cumsum()
    grouped = messages.groupby([messages["ticket_id"], sessions])
    touched = grouped["at"].min()[grouped["ours"].any()]
    calls = known.calls.loc[known.calls["outcome"] == "answered", "offered_at"]
    interactions = by_day(pd.concat([touched, calls]), month)
    spent = known.spent(month, "support")
    agree(row("cost_per_issue", month), cost_of_each(spent, interactions))
    problems = known.resolved(month)["problem_id"].nunique()
    agree(row("cost_per_issue.per_problem", month), {"value": spent / problems})


def business_seconds(start: pd.Timestamp, end: pd.Timestamp, closed: dict[date, str]) -> float:
    """Seconds from one instant to another on workdays between nine and six in the company's zone."""
    zone = ZoneInfo(ZONE)
    day, last, total = start.astimezone(zone).date(), end.astimezone(zone).date(), 0.0
    while day <= last:
        if day.weekday() < 5 and day not in closed:
            opens = datetime.combine(day, time(9), zone).timestamp()
            closes = datetime.combine(day, time(18), zone).timestamp()
            total += max(0.0, min(end.timestamp(), closes) - max(start.timestamp(), opens))
        day += timedelta(days=1)
    return total


def business(tickets: pd.DataFrame, until: pd.Series, ended: pd.Series) -> Figures:
    """The median of how long tickets waited while the desk was open, in minutes."""
    closed = holidays.country_holidays("DE", years=range(2022, 2026))
    waits = [business_seconds(*pair, closed) for pair in zip(tickets["created_at"], until, strict=True)]
    return quantile(kaplan_meier(pd.Series(waits), ended), 0.5, 60)


@MONTHS
def test_business_hours(known: Known, row, month: str) -> None:
    tickets = known.created(month)
    resolved = tickets["resolved_at"]
    agree(row("resolution_time.business", month), business(tickets, resolved.fillna(AS_OF), resolved.notna()))
    asked = tickets[~tickets["live"]]
    for rows, cut in ((asked, {}), *((rows, cut) for cut, rows in members(asked, "channel"))):
        until = rows["first_reply_at"].fillna(rows["resolved_at"]).fillna(AS_OF)
        agree(row("first_response_time.business", month, **cut), business(rows, until, rows["first_reply_at"].notna()))


def test_hours_of_the_desk() -> None:
    closed = holidays.country_holidays("DE", years=2024)
    friday, tuesday = pd.Timestamp("2024-05-17T17:00", tz=ZONE), pd.Timestamp("2024-05-21T10:00", tz=ZONE)
    assert business_seconds(friday, tuesday, closed) == 2 * 3600  # Monday was a holiday
    late = pd.Timestamp("2024-05-16T19:00", tz=ZONE)
    assert business_seconds(late, late + pd.Timedelta(hours=2), closed) == 0


@MONTHS
def test_channel_performance(known: Known, row, month: str) -> None:
    for channel in ("chat", "email", "phone", "web"):
        balance = 0
        for name, direction in BETTER.items():
            if (name, channel) in WITHOUT:
                continue
            there, overall = row(name, month, channel=channel), row(name, month)["value"]
            same = {part: there[part] for part in (*PLAIN, "low", "high", "n")}
            agree(row(f"channel_performance.{name}", month, channel=channel), same)
            balance += direction * (int(there["low"] > overall) - int(there["high"] < overall))
        agree(row("channel_performance", month, channel=channel), {"value": balance})


@MONTHS
def test_resolution_time_of_the_same_mix(known: Known, row, month: str) -> None:
    tickets = known.created(month)
    kind = tickets["type"].fillna("(none)")
    waited = (tickets["resolved_at"].fillna(AS_OF) - tickets["created_at"]).dt.total_seconds()
    ended = tickets["resolved_at"].notna()
    for member, rows in members(tickets, "channel"):
        here = rows.index
        weight = kind[here].map(kind.value_counts(normalize=True) / kind[here].value_counts(normalize=True))
        table = pd.DataFrame({"leaving": weight, "ended": weight * ended[here]}).groupby(waited[here]).sum()
        there = table["leaving"][::-1].cumsum()[::-1]
        left = (1 - table["ended"] / there).cumprod()
        median = left.index[left <= 0.5 + 1e-9][0] / 60
        agree(row("channel_performance.resolution_time_adjusted", month, **member), {"value": median})

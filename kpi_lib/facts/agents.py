"""Facts about the people at the desk: their days, and their periods with what they resolved in them."""

from functools import reduce
from operator import or_
from typing import Any

from kpi_lib.facts.agent_results import agent_results
from kpi_lib.facts.calendar import whole_seconds
from kpi_lib.facts.data import Data, fact
from kpi_lib.facts.teams import with_team
from kpi_lib.facts.ticket_history import plain_tickets

ANYWHERE = ("ticket_events or calls or agent_shifts",)
CUTS = ("team", "tier", "agent")
KEYS = ("period", "day", "weekday", "agent_id")
SHIFTS = ("paid_seconds", "available_seconds", "full_time", "on_shift", "team", "tier")
PARTS = {
    "agent_shifts": SHIFTS,
    "ticket_events": ("conversations", "first_conversations"),
    "ticket_events or calls.handle_seconds": ("handle_seconds",),
}
SECONDS = ("paid_seconds", "available_seconds", "call_seconds", "ticket_seconds")
COUNTS = ("conversations", "first_conversations", "calls")
FULL_TIME = ("thresholds.full_time_hours",)


def _work_done(rows: Any, keys: list[str]) -> Any:
    """Return conversations, and how many agents and days there were."""
    said = {"conversations": rows.first_conversations.sum()} if "first_conversations" in rows.columns else {}
    return rows.group_by(keys).aggregate(agents=rows.first_of_agent.sum(), days=rows.first_of_day.sum(), **said)


@fact(anchor="E", needs=ANYWHERE, cuts=(*CUTS, "weekday"), optional=PARTS, summary=_work_done, params=FULL_TIME)
def agent_days(data: Data) -> Any:
    """One row per agent and local day with a paid shift other than an absence, or with handled work.

    Handled work is a public reply or recorded time on a valid ticket, or an answered inbound call. A shift belongs to
    the day on which it starts and counts up to the time of the extract; a call to the day on which its wrap-up ends.
    `on_shift` tells that the agent has a paid shift in the period. `full_time` is paid available time as a part of what
    a full-time agent is there in the period so far; `first_conversations` are those that nobody had replied to earlier
    in the period. `handle_seconds` are not there when calls or tickets do not record them: half of the work would look
    like all of it.
    """
    return data.shared("agent days", _agent_days)


def _each_agent(rows: Any, keys: list[str]) -> Any:
    """Return all numbers of each agent."""
    numbers = [name for name in rows.columns if name not in (*keys, *CUTS)]
    return rows.select(*keys, **{name: rows[name].cast("float64") for name in numbers})


@fact(
    anchor="E",
    needs=ANYWHERE,
    cuts=CUTS,
    optional=PARTS,
    summary=_each_agent,
    params=(*FULL_TIME, "thresholds.backlog_hours"),
)
def agents(data: Data) -> Any:
    """One row per agent and period in which it had a day at work, or a ticket assigned to it was resolved.

    The numbers of its days are added up; team and tier are those of its last day. What it resolved, and how well, is
    there when tickets and their events are.
    """
    days = data.fact("agent_days")
    numbers = [name for name in (*SECONDS, "handle_seconds", *COUNTS) if name in days.columns]
    names = [name for name in ("team", "tier") if name in days.columns]
    worked = days.group_by("period", "agent").aggregate(
        days=days.count(),
        **{name: days[name].sum() for name in numbers},
        **{name: days[name].argmax(days.day) for name in names},
    )
    if not _has_tickets(data):
        return worked
    results = agent_results(data)
    everybody = worked.select("period", "agent").union(results.select("period", "agent"), distinct=True)
    for each in (worked, results):
        everybody = everybody.left_join(each, ["period", "agent"]).drop("period_right", "agent_right")
    return everybody


def _agent_days(data: Data) -> Any:
    import ibis

    there = {"agent_shifts": data.has("agent_shifts"), "ticket_events": _has_tickets(data), "calls": data.has("calls")}
    parts = [make(data) for table, make in _PARTS.items() if there[table]]
    rows = ibis.union(*parts) if len(parts) > 1 else parts[0]
    rows = rows.group_by(KEYS).aggregate(**{name: rows[name].sum().cast("int64") for name in (*SECONDS, *COUNTS)})
    rows = rows.filter(reduce(or_, (rows[name] > 0 for name in ("paid_seconds", "ticket_seconds", *COUNTS))))
    rows = with_team(data, rows)
    rows = rows.mutate(
        agent=rows.agent_id,
        handle_seconds=rows.call_seconds + rows.ticket_seconds,
        full_time=rows.available_seconds.cast("float64") * rows.period.cases(*_full_times(data).items(), else_=None),
        on_shift=rows.paid_seconds.sum().over(ibis.window(group_by=["period", "agent_id"])) > 0,
        first_of_agent=ibis.row_number().over(ibis.window(group_by=["period", "agent_id"], order_by="day")) == 0,
        first_of_day=ibis.row_number().over(ibis.window(group_by=["period", "day"], order_by="agent_id")) == 0,
    )
    unknown = [] if there["agent_shifts"] else list(SHIFTS)
    unknown += [] if there["ticket_events"] else ["conversations", "first_conversations"]
    unknown += [] if times_are_recorded(data) else ["handle_seconds"]
    return rows.drop(*(name for name in unknown if name in rows.columns))


def _has_tickets(data: Data) -> bool:
    return data.has("tickets") and data.has("ticket_events")


def _full_times(data: Data) -> dict[str, float]:
    """Return by period which part of a full-time agent's hours a second is, of the days that have ended."""
    hours = data.params.thresholds.full_time_hours
    return {name: 7 / (3600 * hours * days) for name, days in data.calendar.constants["days"].items()}


def times_are_recorded(data: Data) -> bool:
    """Whether all work has a handle time: of tickets by time tracking, of calls by their talk time."""
    recorded = {"ticket_events": "handle_seconds", "calls": "talk_seconds"}
    there = [data.has(table, column) for table, column in recorded.items() if data.has(table)]
    return bool(there) and all(there)


def _part(rows: Any, **numbers: Any) -> Any:
    """Return the rows with all numbers of an agent's day, those that are not given as 0."""
    import ibis

    given = {name: numbers.get(name, ibis.literal(0)).cast("int64") for name in (*SECONDS, *COUNTS)}
    return rows.select(*KEYS, **given)


def _on_shift(data: Data) -> Any:
    import ibis

    shifts = data.table("agent_shifts")
    shifts = shifts.filter(shifts.paid & (shifts.activity != "absent"))
    rows = data.timed(shifts, shifts.start_at)
    seconds = ibis.least(whole_seconds(rows.end_at), int(data.as_of.timestamp())) - rows.at_seconds
    return _part(rows, paid_seconds=seconds, available_seconds=(rows.activity == "available").ifelse(seconds, 0))


def _on_tickets(data: Data) -> Any:
    """Return what agents did on each valid ticket and day: whether they replied, and for how long they worked."""
    import ibis

    events, tickets = data.table("ticket_events"), plain_tickets(data)
    events = events.filter((events.actor == "agent") & events.agent_id.notnull())
    events = events.semi_join(tickets.filter(tickets.excluded.isnull()), "ticket_id")
    rows = data.timed(events, events.at)
    rows = rows.group_by(*KEYS, "ticket_id").aggregate(
        silent=(rows.kind == "public_reply").ifelse(0, 1).min(), ticket_seconds=rows.handle_seconds.sum().fill_null(0)
    )
    first = ibis.window(group_by=["period", "ticket_id"], order_by=["silent", "day", "agent_id"])
    rows = rows.mutate(first=ibis.row_number().over(first) == 0, replied=rows.silent == 0)
    return _part(
        rows,
        ticket_seconds=rows.ticket_seconds,
        conversations=rows.replied.ifelse(1, 0),
        first_conversations=(rows.first & rows.replied).ifelse(1, 0),
    )


def _on_calls(data: Data) -> Any:
    import ibis

    rows = data.fact("calls_handled")
    rows = rows.filter(rows.excluded.isnull() & rows.agent_id.notnull())
    seconds = rows.handle_seconds.fill_null(0) if "handle_seconds" in rows.columns else ibis.literal(0)
    return _part(rows, call_seconds=seconds, calls=ibis.literal(1))


_PARTS = {"agent_shifts": _on_shift, "ticket_events": _on_tickets, "calls": _on_calls}

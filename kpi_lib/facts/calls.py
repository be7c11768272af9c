"""Facts about live contacts: phone calls and chats."""

from typing import Any

from kpi_lib.errors import KpiError
from kpi_lib.facts.calendar import whole_seconds
from kpi_lib.facts.data import Data, NotAvailableError, fact
from kpi_lib.facts.teams import with_team
from kpi_lib.facts.ticket_history import with_customer

CUTS = ("channel", "queue", "team", "agent", "segment", "country", "weekday", "hour")
WAIT: dict[str, tuple[str, ...]] = {"calls.queue_seconds": ("waited",)}
TIMES: dict[str, tuple[str, ...]] = {
    "calls.talk_seconds": ("talk_seconds", "handle_seconds"),
    "calls.hold_seconds": ("hold_seconds",),
    "calls.wrap_seconds": ("wrap_seconds",),
}


class NothingBlockedError(NotAvailableError):
    """No call of the whole source was blocked: rather than that no caller was ever turned away, nobody records it."""

    def __init__(self) -> None:
        KpiError.__init__(self, "no call in calls has the outcome blocked")


def _hours_by_calls(rows: Any, keys: list[str]) -> Any:
    """Return in how many hours so many calls came, and how long those that got through held a line."""
    hours = rows.group_by([*keys, "hour_of_period"]).aggregate(
        calls=rows.count(), carried=rows.held_seconds.notnull().sum(), held_seconds=rows.held_seconds.sum()
    )
    return hours.group_by([*keys, "calls"]).aggregate(
        hours=hours.count(), carried=hours.carried.sum(), held_seconds=hours.held_seconds.sum()
    )


@fact(anchor="E", needs=("calls",), cuts=(*CUTS, "weekday_hour"), optional=WAIT)
def calls_offered(data: Data) -> Any:
    """One row per inbound call that was answered or abandoned in the queue, when it was offered.

    `weekday_hour` is weekday and hour in one cut, such as `1 mon 09`: a desk is staffed by the hour of the week.
    The team is that of the agent's last shift of the day, else of the last one known.
    """
    rows = data.built("inbound calls", _inbound)
    rows = rows.filter(rows.outcome.isin(("answered", "abandoned_queue")))
    return with_team(data, data.timed(rows, rows.offered_at))


@fact(anchor="E", needs=("calls",), cuts=CUTS, optional=WAIT | TIMES)
def calls_handled(data: Data) -> Any:
    """One row per answered inbound call, at the end of its wrap-up, with the agent's day as its cluster.

    Times are null for a call whose talk time is unknown; beside a known one, no hold and no wrap-up are 0 seconds.
    The team is that of the agent's last shift of the day, else of the last one known.
    """
    rows = data.built("inbound calls", _inbound)
    rows = rows.filter(rows.outcome == "answered")
    parts = {
        f"{name}_seconds": rows.talk_seconds.notnull().ifelse(rows[f"{name}_seconds"].fill_null(0), None)
        for name in ("talk", "hold", "wrap")
    }
    rows = rows.mutate(**parts)
    rows = rows.mutate(handle_seconds=rows.talk_seconds + rows.hold_seconds + rows.wrap_seconds)
    ended = whole_seconds(rows.offered_at) + rows.queue_seconds.fill_null(0) + rows.handle_seconds.fill_null(0)
    timed = with_team(data, data.calendar.timed(rows, ended))
    timed = timed.mutate(agent_day=timed.agent_id.fill_null("") + "|" + timed.day.cast("string"))
    return _given(data, timed, TIMES)


@fact(anchor="E", needs=("calls",), cuts=CUTS)
def calls_all(data: Data) -> Any:
    """One row per inbound call of any outcome, when it was offered, with the hour of the period as its cluster."""
    if not data.built("blocked calls", _blocked):
        raise NothingBlockedError
    return data.built("attempted calls", _attempted)


@fact(anchor="E", needs=("calls",), summary=_hours_by_calls)
def phone_calls(data: Data) -> Any:
    """One row per inbound phone call that needed a line, with the seconds for which it held one; null when blocked."""
    if not data.has("calls", "talk_seconds"):
        raise NotAvailableError("calls.talk_seconds")
    rows = data.built("attempted calls", _attempted)
    rows = rows.filter(rows.attempted & (rows.channel == "phone"))
    carried = (rows.answered & rows.talk_seconds.notnull()) | (rows.outcome == "abandoned_queue")
    held = sum(rows[f"{part}_seconds"].fill_null(0) for part in ("queue", "talk", "hold", "wrap"))
    return rows.mutate(held_seconds=carried.ifelse(held, None))


def _blocked(data: Data) -> bool:
    rows = data.built("inbound calls", _inbound)
    return bool(rows.aggregate(blocked=(rows.outcome == "blocked").sum()).to_pandas()["blocked"].fillna(0).sum())


def _attempted(data: Data) -> Any:
    rows = data.built("inbound calls", _inbound)
    blocked = rows.outcome == "blocked"
    rows = rows.mutate(blocked=blocked, attempted=blocked | rows.outcome.isin(("answered", "abandoned_queue")))
    timed = with_team(data, data.timed(rows, rows.offered_at))
    return timed.mutate(hour_of_period=timed.day.cast("string") + "|" + timed.hour)


def _inbound(data: Data) -> Any:
    import ibis

    calls = data.table("calls")
    rows = with_customer(data, calls.filter(calls.direction == "inbound"))
    rows = rows.mutate(
        agent=rows.agent_id,
        answered=rows.outcome == "answered",
        excluded=ibis.cases((rows.is_insider, "test"), else_=None),
        waited=rows.queue_seconds,
    )
    return _given(data, rows, WAIT)


def _given(data: Data, rows: Any, optional: dict[str, tuple[str, ...]]) -> Any:
    """Return the rows without the columns that stand on a column which the source does not give."""
    unknown = {name for source, names in optional.items() if not data.has(*source.split(".")) for name in names}
    return rows.drop(*unknown) if unknown else rows

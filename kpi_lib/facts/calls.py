"""Facts about live contacts: phone calls and chats."""

from typing import Any

from kpi_lib.facts.calendar import whole_seconds
from kpi_lib.facts.data import Data, fact
from kpi_lib.facts.ticket_history import with_customer

CUTS = ("channel", "queue", "segment", "country", "weekday", "hour")
WAIT: dict[str, tuple[str, ...]] = {"calls.queue_seconds": ("waited",)}
TIMES: dict[str, tuple[str, ...]] = {
    "calls.talk_seconds": ("talk_seconds", "hold_seconds", "wrap_seconds", "handle_seconds")
}


@fact(anchor="E", needs=("calls",), cuts=CUTS, optional=WAIT)
def calls_offered(data: Data) -> Any:
    """One row per inbound call that was answered or abandoned in the queue, when it was offered."""
    rows = data.built("inbound calls", _inbound)
    rows = rows.filter(rows.outcome.isin(("answered", "abandoned_queue")))
    return data.timed(rows, rows.offered_at)


@fact(anchor="E", needs=("calls",), cuts=CUTS, optional=WAIT | TIMES)
def calls_handled(data: Data) -> Any:
    """One row per answered inbound call, at the end of its wrap-up, with the agent's day as its cluster.

    Times are null for a call whose talk time is unknown; beside a known one, no hold and no wrap-up are 0 seconds.
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
    timed = data.calendar.timed(rows, ended)
    timed = timed.mutate(agent_day=timed.agent_id.fill_null("") + "|" + timed.day.cast("string"))
    return _given(data, timed, TIMES)


def _inbound(data: Data) -> Any:
    import ibis

    calls = data.table("calls")
    rows = with_customer(data, calls.filter(calls.direction == "inbound"))
    rows = rows.mutate(
        answered=rows.outcome == "answered",
        excluded=ibis.cases((rows.is_insider, "test"), else_=None),
        waited=rows.queue_seconds,
    )
    return _given(data, rows, WAIT)


def _given(data: Data, rows: Any, optional: dict[str, tuple[str, ...]]) -> Any:
    """Return the rows without the columns that stand on a column which the source does not give."""
    unknown = {name for source, names in optional.items() if not data.has(*source.split(".")) for name in names}
    return rows.drop(*unknown) if unknown else rows

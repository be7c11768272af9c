"""Facts about live contacts: phone calls and chats."""

from typing import Any

from kpi_lib.facts.calendar import whole_seconds
from kpi_lib.facts.data import Data, fact
from kpi_lib.facts.tickets import with_customer

CUTS = ("channel", "queue", "segment", "country", "weekday", "hour")


@fact(anchor="E", needs=("calls",), cuts=CUTS)
def calls_offered(data: Data) -> Any:
    """One row per inbound call that was answered or abandoned in the queue, when it was offered."""
    rows = data.built("inbound calls", _inbound)
    rows = rows.filter(rows.outcome.isin(("answered", "abandoned_queue")))
    return data.timed(rows, rows.offered_at)


@fact(anchor="E", needs=("calls",), cuts=CUTS)
def calls_handled(data: Data) -> Any:
    """One row per answered inbound call, at the end of its wrap-up, with the agent's day as its cluster."""
    rows = data.built("inbound calls", _inbound)
    rows = rows.filter(rows.outcome == "answered")
    parts = {name: rows[f"{name}_seconds"].fill_null(0) for name in ("talk", "hold", "wrap")}
    rows = rows.mutate(handle_seconds=parts["talk"] + parts["hold"] + parts["wrap"])
    ended = whole_seconds(rows.offered_at) + rows.queue_seconds.fill_null(0) + rows.handle_seconds
    timed = data.calendar.timed(rows, ended)
    return timed.mutate(agent_day=timed.agent_id.fill_null("") + "|" + timed.day.cast("string"))


def _inbound(data: Data) -> Any:
    import ibis

    calls = data.table("calls")
    rows = with_customer(data, calls.filter(calls.direction == "inbound"))
    if "is_insider" not in rows.columns:
        rows = rows.mutate(segment=ibis.null("string"), country=ibis.null("string"), is_insider=ibis.literal(False))
    answered = rows.outcome == "answered"
    return rows.mutate(
        answered=answered,
        excluded=ibis.cases((rows.is_insider, "test"), else_=None),
        waited=rows.queue_seconds.fill_null(0),
    )

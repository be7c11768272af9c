"""Facts about interactions: each time that a customer and a person at the desk were in touch."""

from typing import Any

from kpi_lib.facts.calendar import whole_seconds
from kpi_lib.facts.data import Data, NotAvailableError, fact
from kpi_lib.facts.ticket_history import IN_ORDER, plain_tickets, words

GAP_SECONDS = 24 * 3600
CUTS = ("channel", "type", "team", "segment", "country")


@fact(anchor="E", needs=("ticket_events or calls",), cuts=CUTS)
def interactions(data: Data) -> Any:
    """One row per session of a ticket in which a person replied, at its first word, or answered call, when offered.

    What is said in a ticket within 24 hours of the word before belongs to one session. A call is excluded with the
    ticket that it is linked to.
    """
    import ibis

    columns = ("period", "day", *CUTS, "excluded")
    parts = []
    if data.has("ticket_events") and data.has("tickets"):
        sessions = _sessions(data)
        parts.append(data.timed(sessions, sessions.began_at).select(columns))
    if data.has("calls"):
        calls = _with_ticket(data, data.fact("calls_offered"))
        unsaid = {name: ibis.null("string") for name in ("type", "team") if name not in calls.columns}
        parts.append(calls.filter(calls.answered).mutate(**unsaid).select(columns))
    if not parts:
        raise NotAvailableError("tickets")
    return ibis.union(*parts) if len(parts) > 1 else parts[0]


def _with_ticket(data: Data, calls: Any) -> Any:
    if not data.has("tickets"):
        return calls
    tickets = plain_tickets(data)
    out = tickets.filter(tickets.excluded.notnull()).select(linked="ticket_id", reason="excluded")
    calls = calls.left_join(out, calls.ticket_id == out.linked)
    return calls.mutate(excluded=calls.excluded.fill_null(calls.reason)).drop("linked", "reason")


def _sessions(data: Data) -> Any:
    import ibis

    rows = plain_tickets(data)
    said = words(data, rows)
    said = said.filter(whole_seconds(said.at) >= data.calendar.bounds[0][1] - GAP_SECONDS)  # what began since is whole
    in_order = ibis.window(group_by="ticket_id", order_by=IN_ORDER)
    said = said.mutate(seconds=whole_seconds(said.at))
    said = said.mutate(gap=said.seconds - said.seconds.lag(1).over(in_order))
    said = said.mutate(begins=(said.gap.isnull() | (said.gap >= GAP_SECONDS)).ifelse(1, 0))
    so_far = ibis.window(group_by="ticket_id", order_by=IN_ORDER, preceding=None, following=0)
    said = said.mutate(session=said.begins.sum().over(so_far))
    sessions = said.group_by("ticket_id", "session").aggregate(began_at=said.at.min(), replies=said.ours.sum())
    return sessions.filter(sessions.replies > 0).inner_join(rows.select("ticket_id", *CUTS, "excluded"), "ticket_id")

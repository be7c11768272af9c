"""Facts about what customers answered."""

from typing import Any

from kpi_lib.facts.data import Data, fact
from kpi_lib.facts.ticket_history import plain_tickets, tickets, with_customer

CUTS = ("kind", "survey_channel", "segment", "country")
OF_TICKET = ("channel", "type", "team")


@fact(anchor="E", needs=("surveys",), cuts=(*CUTS, *OF_TICKET), optional={"tickets": OF_TICKET})
def answers(data: Data) -> Any:
    """One row per answered invitation, at its answer; `latest_of_customer` marks each customer's last of a kind."""
    rows = data.built("answered surveys", _answered)
    return _marked(data.timed(rows, rows.answered_at))


@fact(anchor="E", needs=("surveys", "tickets", "ticket_events"), cuts=(*CUTS, *OF_TICKET))
def answers_by_ticket(data: Data) -> Any:
    """One row per answered invitation about a ticket, at the ticket's final resolution."""
    rows, wide = data.built("answered surveys", _answered), tickets(data)
    rows = rows.inner_join(
        wide.select(resolved="ticket_id", ticket_resolved_at="resolved_at"), rows.ticket_id == wide.ticket_id
    )
    return _marked(data.timed(rows, rows.ticket_resolved_at))


def _answered(data: Data) -> Any:

    surveys = data.table("surveys").rename(survey_channel="channel")
    rows = with_customer(data, surveys.filter(surveys.answered_at.notnull() & surveys.score.notnull()))
    reason = rows.is_insider.ifelse("test", None)
    if data.has("tickets"):
        about = plain_tickets(data).select(*OF_TICKET, of_ticket="ticket_id", reason="excluded")
        rows = rows.left_join(about, rows.ticket_id == about.of_ticket).drop("of_ticket")
        reason = rows.is_insider.ifelse("test", rows.reason)
    upward = rows.higher_is_better.ifelse(rows.score, rows.scale_min + rows.scale_max - rows.score)
    return rows.mutate(excluded=reason, upward_score=upward)


def _marked(rows: Any) -> Any:
    import ibis

    counted = rows.excluded.isnull()
    latest = ibis.window(
        group_by=[rows.period, rows.kind, rows.customer_id, counted],
        order_by=[ibis.desc(rows.answered_at), ibis.desc(rows.survey_id)],
    )
    rows = rows.mutate(place=ibis.row_number().over(latest))
    return rows.mutate(
        latest_of_customer=(rows.place == 0) | rows.customer_id.isnull(),
        respondent=rows.customer_id.fill_null(rows.survey_id),
    )

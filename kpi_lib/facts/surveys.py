"""Facts about what customers were asked and what they answered."""

from typing import Any

from kpi_lib.facts.data import Data, fact
from kpi_lib.facts.ticket_history import plain_tickets, tickets, with_customer

CUTS = ("kind", "survey_channel", "segment", "country")
OF_TICKET = ("channel", "type", "team")
WITH_EVENTS = {"tickets": OF_TICKET, "ticket_events": ("agent",), "subscriptions": ("plan",)}
SCALE = ("kind", "scale_min", "scale_max", "higher_is_better")


@fact(anchor="E", needs=("surveys",), cuts=(*CUTS, *OF_TICKET, "agent", "plan"), optional=WITH_EVENTS)
def answers(data: Data) -> Any:
    """One row per answered invitation, at its answer; `latest_of_customer` marks each customer's last of a kind.

    Effort scores count on one scale only, that of the most answers: what is asked differently cannot be pooled. `agent`
    had the ticket when the customer was asked.
    """
    rows = data.built("answered surveys", _answered)
    rows = _on_one_scale(data.timed(rows, rows.answered_at))
    return _marked(_with_agent(data, rows) if data.has("ticket_events") else rows)


@fact(anchor="E", needs=("surveys", "tickets", "ticket_events"), cuts=(*CUTS, *OF_TICKET))
def answers_by_ticket(data: Data) -> Any:
    """One row per answered invitation about a ticket, at the ticket's final resolution."""
    rows, wide = data.built("answered surveys", _answered), tickets(data)
    rows = rows.inner_join(
        wide.select(resolved="ticket_id", ticket_resolved_at="resolved_at"), rows.ticket_id == wide.ticket_id
    )
    return _marked(data.timed(rows, rows.ticket_resolved_at))


@fact(anchor="C", needs=("surveys",), cuts=CUTS)
def surveys_sent(data: Data) -> Any:
    """One row per invitation, at its sending; one that did not arrive has `delivered` false.

    An answer that nobody was invited to, as from an open link, is excluded at its own instant.
    """
    rows = data.built("surveys", _surveys)
    uninvited = rows.sent_at.isnull().ifelse("answered without an invitation", None)
    rows = rows.mutate(excluded=rows.excluded.fill_null(uninvited))
    return data.timed(rows, rows.sent_at.fill_null(rows.answered_at))


def _surveys(data: Data) -> Any:
    rows = with_customer(data, data.table("surveys").rename(survey_channel="channel"))
    reason = rows.is_insider.ifelse("test", None)
    if data.has("tickets"):
        about = plain_tickets(data).select(*OF_TICKET, of_ticket="ticket_id", reason="excluded")
        rows = rows.left_join(about, rows.ticket_id == about.of_ticket).drop("of_ticket")
        reason = rows.is_insider.ifelse("test", rows.reason)
    return rows.mutate(excluded=reason, respondent=rows.customer_id.fill_null(rows.survey_id))


def _answered(data: Data) -> Any:
    rows = data.built("surveys", _surveys)
    rows = rows if data.has("subscriptions") else rows.drop("plan")
    upward = rows.higher_is_better.ifelse(rows.score, rows.scale_min + rows.scale_max - rows.score)
    return rows.mutate(upward_score=upward).filter(rows.answered_at.notnull() & rows.score.notnull())


def _on_one_scale(rows: Any) -> Any:
    """Exclude the effort scores on other scales than the one with most answers in all periods."""
    import ibis

    effort = rows.filter((rows.kind == "ces") & rows.excluded.isnull())
    scales = effort.group_by(SCALE).aggregate(answers=effort.count())
    by_size = ibis.window(order_by=[ibis.desc("answers"), *SCALE[1:]])
    chosen = scales.mutate(place=ibis.row_number().over(by_size)).filter(lambda scale: scale.place == 0)
    rows = rows.left_join(chosen, SCALE, rname="chosen_{name}").drop(*(f"chosen_{name}" for name in SCALE))
    other = (rows.kind == "ces") & rows.answers.isnull()
    return rows.mutate(excluded=rows.excluded.fill_null(other.ifelse("effort on another scale", None)))


def _with_agent(data: Data, rows: Any) -> Any:
    """Add whom the ticket was last assigned to before the customer was asked; else who last did something to it."""
    import ibis

    events = data.table("ticket_events")
    assigned = events.kind == "assign"
    did = events.select(
        "at",
        "event_id",
        assigned=assigned,
        did=assigned.ifelse(events.to_value, events.agent_id),
        on_ticket="ticket_id",
    ).filter(lambda event: event.did.notnull())
    asked = rows.select(asked_survey="survey_id", about="ticket_id", asked_at=rows.sent_at.fill_null(rows.answered_at))
    found = asked.join(did, (asked.about == did.on_ticket) & (did.at <= asked.asked_at))
    last = ibis.window(group_by="asked_survey", order_by=[ibis.desc(name) for name in ("assigned", "at", "event_id")])
    found = found.mutate(back=ibis.row_number().over(last)).filter(lambda event: event.back == 0)
    found = found.select("asked_survey", agent="did")
    return rows.left_join(found, rows.survey_id == found.asked_survey).drop("asked_survey")


def _marked(rows: Any) -> Any:
    import ibis

    counted = rows.excluded.isnull()
    latest = ibis.window(
        group_by=[rows.period, rows.kind, rows.customer_id, counted],
        order_by=[ibis.desc(rows.answered_at), ibis.desc(rows.survey_id)],
    )
    rows = rows.mutate(place=ibis.row_number().over(latest))
    return rows.mutate(latest_of_customer=(rows.place == 0) | rows.customer_id.isnull())

"""Support operations, times: how long customers wait for a first reply and for a solution."""

from typing import Any

from kpi_lib.estimate import Estimator, Share, by_channel
from kpi_lib.kpi import kpi
from kpi_lib.waiting import Lasting, Waiting

CUTS = ("channel", "type", "priority", "team", "segment")
HOURS = ("hours.days", "hours.open", "hours.close", "hours.holidays")  # what business time depends on
WAITS = {"p90": "nine in ten waited less", "mean": "average, each counted to 30 days at most"}


@kpi(fact="tickets_created", unit="minutes", better="lower", cuts=CUTS)
def first_response_time(ticket: Any) -> Estimator:
    """The time within which half of the customers who wrote to us had a first reply by a person.

    Formula: Kaplan-Meier median over tickets created in the period; one still unanswered is waiting, not missing.
    Tickets opened by an answered call or chat are left out: their wait is in the queue, and seconds pooled with hours
    would only show the mix of channels.
    Source: S1 B8, S2 §1, S4 S1.
    Differs from: Zendesk, where a ticket has no time until somebody replies, so that those still waiting are missing;
    Intercom, which shows the median of conversations started in the period; Freshdesk, whose average is in business
    hours. See `first_response_time.business` and `first_response_time.by_reply_month`.
    """
    return _first_reply(ticket).companions(**WAITS)


@kpi(
    companion="first_response_time.business",
    fact="tickets_created",
    unit="minutes",
    better="lower",
    cuts=("channel",),
    params=HOURS,
    title="First response in business time",
)
def first_response_in_business_time(ticket: Any, **hours: Any) -> Estimator:
    """The median first response counted only while the desk is open: a question asked and answered at night takes 0.

    Formula: the headline's, in seconds within the hours of params, weekends and public holidays out.
    """
    return Lasting(ticket.business_reply_seconds, finished=ticket.first_reply_at.notnull(), of=~ticket.live)


@kpi(
    companion="first_response_time.by_reply_month",
    fact="tickets_replied",
    unit="minutes",
    better="lower",
    title="First response, by month of the reply",
)
def first_response_by_reply_month(ticket: Any) -> Estimator:
    """The median first response of tickets whose first reply fell in the period, as help desks' dashboards count it.

    Differs from: the headline, which also sees the tickets that nobody has answered yet.
    """
    return Waiting(ticket.created_at, until=ticket.first_reply_at, of=~ticket.live)


@kpi(
    companion="first_response_time.never_answered",
    fact="tickets_created",
    unit="percent",
    better="lower",
    title="Never answered by a person",
)
def never_answered(ticket: Any) -> Estimator:
    """The share of written requests that were resolved or closed without any reply by a person."""
    return Share(ticket.resolved_at.notnull() & ticket.first_reply_at.isnull(), of=~ticket.live)


@kpi(fact="tickets_created", unit="minutes", better="lower", cuts=CUTS)
def resolution_time(ticket: Any) -> Estimator:
    """The time within which half of the tickets were resolved for good.

    Formula: Kaplan-Meier median over tickets created in the period, to the last resolution that no reopening followed.
    Source: S1 B9, S2 §3, S4 S2.
    Differs from: Zendesk's full resolution time and Intercom's time to close, which know the closed ones alone and look
    good while old ones pile up; see `resolution_time.first` and `resolution_time.resolved_only`.
    """
    return Waiting(ticket.created_at, until=ticket.resolved_at).companions(**WAITS)


@kpi(
    companion="resolution_time.business",
    fact="tickets_created",
    unit="minutes",
    better="lower",
    cuts=("channel",),
    params=HOURS,
    title="Resolution time in business time",
)
def resolution_in_business_time(ticket: Any, **hours: Any) -> Estimator:
    """The median time to the final resolution counted only while the desk is open.

    Formula: the headline's, in seconds within the hours of params, weekends and public holidays out.
    """
    return Lasting(ticket.business_resolution_seconds, finished=ticket.resolved_at.notnull())


@kpi(
    companion="resolution_time.first",
    fact="tickets_created",
    unit="minutes",
    better="lower",
    title="Time to first resolution",
)
def time_to_first_resolution(ticket: Any) -> Estimator:
    """The time within which half of the tickets were first resolved, whether or not they were reopened."""
    return Waiting(ticket.created_at, until=ticket.first_resolved_at)


@kpi(
    companion="resolution_time.resolved_only",
    fact="tickets_created",
    unit="minutes",
    better="lower",
    title="Resolution time of the resolved",
)
def resolution_time_of_resolved(ticket: Any) -> Estimator:
    """The median over tickets that are resolved already; those still open are left out, as on most dashboards."""
    resolved = ticket.resolved_at.notnull() & ticket.had_resolved_event.fill_null(False)
    return Waiting(ticket.created_at, until=ticket.resolved_at, of=resolved)


@kpi(
    companion="resolution_time.net_of_pending",
    fact="tickets_created",
    unit="minutes",
    better="lower",
    title="Resolution time without waiting for the customer",
)
def resolution_time_net(ticket: Any) -> Estimator:
    """The median resolution time less the time in which the ticket waited for the customer."""
    return Waiting(ticket.created_at, until=ticket.resolved_at, less=ticket.pending_seconds)


@kpi(
    companion="service_level.tickets",
    fact="tickets_created",
    unit="percent",
    better="higher",
    cuts=CUTS,
    params=("thresholds.reply_target_minutes",),
    title="Tickets answered within target",
)
def service_level_of_tickets(ticket: Any, *, reply_target_minutes: dict[str, float]) -> Estimator:
    """The share of written requests first answered within their channel's target; one still unanswered is waiting.

    Formula: Kaplan-Meier at the target; channels without a target are left out.
    """
    seconds = {channel: minutes * 60 for channel, minutes in reply_target_minutes.items()}
    return _first_reply(ticket).within(by_channel(ticket, seconds))


def _first_reply(ticket: Any) -> Waiting:
    """The wait of those who wrote; a ticket resolved without a reply is no longer watched."""
    return Waiting(ticket.created_at, until=ticket.first_reply_at, lost=ticket.resolved_at, of=~ticket.live)

"""Support operations, open work: what waits for us at the end of a period."""

from typing import Any

from kpi_lib.estimate import Count, Distinct, Estimator, PerPeriod, Ratio, Total
from kpi_lib.kpi import kpi
from kpi_lib.lifetime import Estimate
from kpi_lib.waiting import Lasting

CUTS = ("channel", "type", "priority", "team", "segment")
OLD = ("thresholds.backlog_hours",)


@kpi(fact="open_at_end", unit="count", better="lower", cuts=(*CUTS, "status", "age_band"))
def open_cases(ticket: Any) -> Estimator:
    """How many tickets were open at the end of the period; waiting for the customer counts as open.

    Formula: valid tickets created by then and neither resolved nor closed, rebuilt from their events.
    Source: S4 S5, S1 B1.
    Differs from: today's status filtered by date, which forgets what has been closed since.
    """
    return Count(ticket)


@kpi(
    companion="open_cases.daily_mean", fact="open_spells", unit="count", better="lower", title="Open on an average day"
)
def open_daily_mean(spell: Any) -> Estimator:
    """The mean number of tickets open at the end of each day of the period."""
    return Ratio(Total(spell.day_ends), PerPeriod("days"))


@kpi(companion="open_cases.net_flow", fact="open_spells", unit="count", better="lower", title="Net flow")
def net_flow(spell: Any) -> Estimator:
    """Tickets created and reopened less tickets resolved: by how much the open ones grew."""
    return Total(spell.opened.ifelse(1, 0) - spell.closed.ifelse(1, 0))


@kpi(fact="open_at_end", unit="count", better="lower", cuts=CUTS, title="Customers waiting for a reply")
def awaiting_reply(ticket: Any) -> Estimator:
    """How many customers had the last word in an open ticket of theirs at the end of the period.

    Formula: different customers of valid customer-initiated tickets that are open, neither pending nor on hold, and
    whose last public message is the customer's; a ticket of an unknown customer counts as one.
    Source: S1 B1.
    Differs from: counts of open tickets, which include those where the customer's answer is awaited; a bot's reply
    leaves the customer waiting.
    """
    return Distinct(cluster="requester", of=_unanswered(ticket))


@kpi(
    companion="awaiting_reply.tickets",
    fact="open_at_end",
    unit="count",
    better="lower",
    cuts=CUTS,
    title="Tickets waiting for a reply",
)
def tickets_awaiting_reply(ticket: Any) -> Estimator:
    """How many open tickets had the customer's as their last message at the end of the period."""
    return Count(_unanswered(ticket))


@kpi(
    companion="awaiting_reply.oldest",
    fact="open_at_end",
    unit="days",
    better="lower",
    cuts=CUTS,
    title="Longest wait for a reply so far",
)
def longest_wait_for_a_reply(ticket: Any) -> Estimator:
    """How long the customer who had waited longest had been without a reply to a message at the end of the period.

    Formula: the period's end - the first message of the customer that no person had answered.
    """
    return Lasting(ticket.waiting_seconds, of=_unanswered(ticket), quantile="longest")


@kpi(fact="open_at_end", unit="count", better="lower", cuts=(*CUTS, "status"), params=OLD)
def backlog(ticket: Any, *, backlog_hours: float) -> Estimator:
    """How many tickets were open at the end of the period and more than {backlog_hours} hours old.

    Formula: open tickets (as `open_cases`) created more than {backlog_hours} hours of calendar time before the end.
    Source: S1 B6.
    Differs from: Freshservice, where every unresolved ticket is backlog, whatever its age; see `open_cases`.
    """
    return Count(ticket.age_seconds > backlog_hours * 3600)


@kpi(
    companion="backlog.oldest",
    fact="open_at_end",
    unit="days",
    better="lower",
    cuts=CUTS,
    title="Oldest open ticket",
)
def oldest_open_ticket(ticket: Any) -> Estimator:
    """How old the oldest ticket was that was open at the end of the period."""
    return Lasting(ticket.age_seconds, quantile="longest")


@kpi(
    companion="backlog.days_of_work",
    of=("open_cases", "resolved_cases"),
    unit="days",
    better="lower",
    cuts=("channel", "type", "team"),
    title="Days of work in the open tickets",
)
def days_of_work(opened: Estimate, resolved: Estimate) -> Estimate:
    """How many days the open tickets would take at the pace at which tickets were resolved in the period.

    Formula: open at the end / (resolved in the period / its days).
    """
    return opened / (resolved / resolved.days)


def _unanswered(ticket: Any) -> Any:
    return ticket.by_customer & (ticket.status == "open") & ticket.waiting_seconds.notnull()

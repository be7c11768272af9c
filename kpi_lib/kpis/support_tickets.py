"""Support operations, tickets: how much is asked, whether it is solved, and what it costs."""

from typing import Any

from kpi_lib.estimate import ByMember, Count, Estimator, PerPeriod, Ratio, Share, Total
from kpi_lib.facts.calendar import whole_seconds
from kpi_lib.kpi import kpi

CUTS = ("channel", "type", "priority", "team", "segment")


@kpi(
    fact="contacts",
    unit="count",
    better="none",
    cuts=("channel", "type", "segment", "weekday", "hour", "weekday_hour"),
    title="Requests",
)
def ticket_volume(contact: Any) -> Estimator:
    """How many requests customers made: tickets and answered calls, a call that became a ticket once.

    Formula: valid customer-initiated tickets created + answered inbound calls not linked to a ticket.
    Source: S1 B2, S3 l.18.
    Differs from: Intercom's new conversations and Freshdesk's created tickets, which know no calls; Freshdesk also
    drops tickets that nobody was assigned to.
    """
    return Count(contact.answered)


@kpi(
    companion="ticket_volume.per_working_day",
    fact="contacts",
    unit="count",
    better="none",
    title="Requests per working day",
)
def volume_per_working_day(contact: Any) -> Estimator:
    """Requests for each day the desk works: weekdays of the schedule that are no public holidays."""
    return Ratio(Count(contact.answered), PerPeriod("working_days"))


@kpi(
    companion="ticket_volume.offered",
    fact="contacts",
    unit="count",
    better="none",
    title="Requests with abandoned calls",
)
def volume_offered(contact: Any) -> Estimator:
    """Requests including the calls that were abandoned in the queue."""
    return Count(contact.offered)


@kpi(
    fact=("contacts", "customer_periods"),
    unit="ratio",
    better="lower",
    cuts=("segment", "country"),
    title="Requests per 1,000 customers",
)
def contact_rate(contact: Any, customer: Any) -> Estimator:
    """Requests for each thousand active customers: whether more is asked because there are more customers.

    Formula: 1,000 requests (as `ticket_volume`) / mean of the customers active at the start and at the end.
    Source: S4 S5.
    Differs from: counts of tickets, which grow with the number of customers.
    """
    active = customer.at_start.ifelse(0.5, 0.0) + customer.at_end.ifelse(0.5, 0.0)
    return Ratio(Count(contact.answered), Total(active), scale=1000, process=True)


@kpi(fact="contacts", unit="percent", better="none", title="Requests by channel")
def tickets_by_channel(contact: Any) -> ByMember:
    """The share of requests that came through each channel.

    Formula: 100 requests in the channel / requests.
    Source: S1 B3, S2 §10.
    Differs from: tools that show the channel of the latest message: a request has the one it came through.
    """
    return ByMember(Count(contact.answered), cut="channel")


@kpi(
    companion="tickets_by_channel.switched",
    fact="tickets_created",
    unit="percent",
    better="lower",
    title="Changed channel",
)
def switched_channel(ticket: Any) -> Estimator:
    """The share of tickets whose customer also wrote or called through another channel than the ticket's."""
    return Share(ticket.switched, of=ticket.every)


@kpi(
    fact="tickets_resolved",
    unit="percent",
    better="higher",
    cuts=("channel", "type", "team"),
    horizon="thresholds.first_contact_days",
    known="customer_id",
)
def first_contact_resolution(ticket: Any) -> Estimator:
    """The share of resolved tickets that took one reply, no escalation, no reopening and no new ticket on the matter.

    Formula: 100 solved at first contact / tickets resolved with a reply; a ticket of the same customer and issue within
    {first_contact_days} days of the resolution means that it was not solved.
    Source: S2 §2, S4 S3.
    Differs from: Zendesk's one-touch tickets, where fewer than two replies are enough, none among them; Intercom's
    conversations closed once, by the month they started in. See `first_contact_resolution.one_touch`.
    """
    return Share(_one_touch(ticket) & ~ticket.followed_up, of=_answered_by_us(ticket), cluster="customer_id")


@kpi(
    companion="first_contact_resolution.one_touch",
    fact="tickets_resolved",
    unit="percent",
    better="higher",
    cuts=("channel", "type", "team"),
    title="Resolved with one reply",
)
def one_touch(ticket: Any) -> Estimator:
    """The share of resolved tickets that took one reply and were not reopened, whatever came after."""
    return Share(_one_touch(ticket), of=_answered_by_us(ticket))


@kpi(
    companion="first_contact_resolution.of_created",
    fact="tickets_created",
    unit="percent",
    better="higher",
    known="customer_id",
    title="First contact resolution of all created",
)
def first_contact_of_created(ticket: Any) -> Estimator:
    """Tickets solved at first contact as a share of all that were created, open ones included.

    Formula: 100 solved at first contact / created, less those resolved too recently to know.
    """
    return Share(ticket.resolved_at.notnull() & _one_touch(ticket) & ~ticket.followed_up, of=ticket.watched)


@kpi(fact="tickets_resolved", unit="count", better="higher", cuts=CUTS, title="Resolved tickets")
def resolved_cases(ticket: Any) -> Estimator:
    """How many tickets were resolved for good in the period, whenever they were created.

    Formula: valid tickets whose last resolution, which no reopening followed, lies in the period.
    Source: S4 S6.
    Differs from: LiveAgent and Intercom, which count each closing, so that a reopened ticket is resolved several times;
    see `resolved_cases.actions`.
    """
    return Count(ticket)


@kpi(
    companion="resolved_cases.actions",
    fact="open_spells",
    unit="count",
    better="none",
    cuts=CUTS,
    title="Resolutions, repeated ones included",
)
def resolutions(spell: Any) -> Estimator:
    """How many times a ticket was resolved or closed in the period, again after a reopening included."""
    return Count(spell.closed)


@kpi(
    companion="resolved_cases.automatic",
    fact="tickets_resolved",
    unit="count",
    better="none",
    cuts=CUTS,
    title="Resolved automatically",
)
def resolved_automatically(ticket: Any) -> Estimator:
    """How many of the resolved tickets a bot or a rule of the system resolved or closed."""
    return Count(ticket.resolved_by.isin(("bot", "system")).fill_null(False))


@kpi(
    fact="tickets_created",
    unit="percent",
    better="higher",
    cuts=CUTS,
    horizon="thresholds.resolution_days",
    params=("thresholds.resolution_days",),
)
def resolution_rate(ticket: Any, *, resolution_days: int) -> Estimator:
    """The share of tickets created in the period that were resolved for good within {resolution_days} days.

    Formula: 100 resolved within {resolution_days} days of creation / created.
    Source: S1 B4, S2 §3, S4 S6.
    Differs from: Freshservice, which sets the tickets resolved in a month against those created in it: different
    tickets, and above 100 when old ones are cleared; see `resolution_rate.throughput`.
    """
    return Share(_within(ticket.created_at, ticket.resolved_at, resolution_days), of=ticket.every)


@kpi(
    companion="resolution_rate.throughput",
    fact=("tickets_resolved", "tickets_created"),
    unit="percent",
    better="higher",
    cuts=("channel", "team"),
    title="Resolved for each created",
)
def throughput(resolved: Any, created: Any) -> Estimator:
    """Tickets resolved in the period for each hundred created in it; above 100 the open ones shrink.

    Source: S2 §3, its printed formula.
    """
    return Ratio(Count(resolved.by_customer), Count(created), scale=100, cluster="day")


@kpi(
    companion="resolution_rate.of_assigned",
    fact="tickets_created",
    unit="percent",
    better="higher",
    horizon="thresholds.resolution_days",
    params=("thresholds.resolution_days",),
    title="Resolution rate of assigned tickets",
)
def resolution_rate_of_assigned(ticket: Any, *, resolution_days: int) -> Estimator:
    """The share of tickets that were assigned to somebody which were resolved within {resolution_days} days.

    Source: S1 B4.
    """
    return Share(_within(ticket.created_at, ticket.resolved_at, resolution_days), of=ticket.assigned)


@kpi(
    fact="tickets_created",
    unit="percent",
    better="lower",
    cuts=CUTS,
    horizon="thresholds.escalation_days",
    params=("thresholds.escalation_days",),
)
def escalation_rate(ticket: Any, *, escalation_days: int) -> Estimator:
    """The share of tickets that were escalated to a higher level within {escalation_days} days.

    Formula: 100 tickets escalated within {escalation_days} days of creation / created; each ticket counts once.
    Source: S4 S7.
    Differs from: counts of escalations, or of raised priorities.
    """
    return Share(_within(ticket.created_at, ticket.escalated_at, escalation_days), of=ticket.every)


def _escalation(name: str, title: str) -> Any:
    return kpi(
        companion=f"escalation_rate.{name}",
        fact="tickets_created",
        unit="percent",
        better="lower",
        horizon="thresholds.escalation_days",
        params=("thresholds.escalation_days",),
        title=title,
    )


@_escalation("level_2", "Escalated to level 2")
def escalated_to_level_2(ticket: Any, *, escalation_days: int) -> Estimator:
    """The share of tickets that began below level 2 and reached it."""
    return Share(_within(ticket.created_at, ticket.level_2_at, escalation_days), of=_below(ticket, 2))


@_escalation("level_3", "Escalated to level 3")
def escalated_to_level_3(ticket: Any, *, escalation_days: int) -> Estimator:
    """The share of tickets that began below level 3 and reached it."""
    return Share(_within(ticket.created_at, ticket.level_3_at, escalation_days), of=_below(ticket, 3))


@_escalation("level_2_to_3", "From level 2 on to level 3")
def escalated_on_to_level_3(ticket: Any, *, escalation_days: int) -> Estimator:
    """The share of tickets that were on level 2 which went on to level 3."""
    on_level_2 = (ticket.level == 2).fill_null(False) | _within(ticket.created_at, ticket.level_2_at, escalation_days)
    return Share(_within(ticket.created_at, ticket.level_3_at, escalation_days), of=on_level_2 & _below(ticket, 3))


@kpi(
    companion="abandonment_rate.tickets",
    fact="tickets_created",
    unit="percent",
    better="lower",
    title="Tickets given up by the customer",
)
def tickets_given_up(ticket: Any) -> Estimator:
    """The share of tickets closed automatically because the customer did not answer our question."""
    return Share(ticket.given_up.fill_null(False), of=ticket.every)


@kpi(
    companion="average_handle_time.tickets",
    fact="tickets_resolved",
    unit="seconds",
    better="band",
    title="Handle time of a ticket",
)
def handle_time_of_tickets(ticket: Any) -> Estimator:
    """The mean working time that agents recorded on a ticket resolved in the period."""
    tracked = ticket.handle_seconds.notnull()
    return Ratio(Total(ticket.handle_seconds, of=tracked), Count(tracked))


@kpi(fact=("cost_days", "tickets_created"), unit="currency", better="lower", cuts=("channel",))
def cost_per_ticket(cost: Any, ticket: Any) -> Estimator:
    """Support cost of the period for each ticket created in it.

    Formula: support cost, spread evenly over the days it is for / valid customer-initiated tickets created. By channel,
    cost for all channels is shared by the time that agents handled tickets and calls of each.
    Source: S2 §8.
    Differs from: tools that divide by tickets closed; see `cost_per_ticket.resolved`.
    """
    return Ratio(Total(cost.amount, of=cost.center == "support"), Count(ticket), process=True)


@kpi(
    companion="cost_per_ticket.resolved",
    fact=("cost_days", "tickets_resolved"),
    unit="currency",
    better="lower",
    cuts=("channel",),
    title="Cost per resolved ticket",
)
def cost_per_resolved_ticket(cost: Any, ticket: Any) -> Estimator:
    """Support cost of the period for each ticket resolved in it."""
    return Ratio(Total(cost.amount, of=cost.center == "support"), Count(ticket), process=True)


def _answered_by_us(ticket: Any) -> Any:
    return ticket.by_customer & (ticket.replies >= 1)


def _one_touch(ticket: Any) -> Any:
    """One reply by a person, no escalation, and no reopening that needed a reply."""
    reopened = (ticket.last_reply_at > ticket.reopened_at).fill_null(False)
    return (ticket.replies == 1) & ~reopened & ticket.escalated_at.isnull()


def _below(ticket: Any, level: int) -> Any:
    return (ticket.level < level).fill_null(True)


def _within(start: Any, event: Any, days: int) -> Any:
    """Whether an event came within so many days of the start; false where it never came."""
    return (whole_seconds(event) - whole_seconds(start) <= days * 86400).fill_null(False)

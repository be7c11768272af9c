"""Facts about open tickets. Their state at any instant is rebuilt from ticket_events, never read from a column."""

from typing import Any

from kpi_lib.engine import computed
from kpi_lib.facts.calendar import INSTANT, whole_seconds
from kpi_lib.facts.customers import FAR
from kpi_lib.facts.data import Data, fact
from kpi_lib.facts.ticket_history import DONE, IN_ORDER, statuses, tickets, words


@fact(
    anchor="S",
    needs=("tickets", "ticket_events"),
    cuts=("channel", "type", "priority", "team", "agent", "segment", "status", "age_band", "country"),
)
def open_at_end(data: Data) -> Any:
    """One row per ticket and period at whose end it was open, with its age, its assignee and who waits then.

    In a period that still runs the end is the time of the extract. `waiting_seconds` is how long a message of the
    customer had had no answer by a person; null where none lacks one. `requester` is the customer, or the ticket itself
    when its customer is unknown.
    """
    return data.shared("open at end", _open_at_end)


def _open_at_end(data: Data) -> Any:
    import ibis

    rows = computed(_at_end(data))
    end_seconds = ibis.least(rows.end_seconds, int(data.as_of.timestamp()))
    age = end_seconds - whole_seconds(rows.created_at)
    hours = age // 3600
    band = ibis.cases(
        (hours < 24, "under 1 day"), (hours < 72, "1 to 3 days"), (hours < 168, "3 to 7 days"), else_="over 7 days"
    )
    requester = rows.customer_id.fill_null("ticket " + rows.ticket_id)
    rows = rows.mutate(end_seconds=end_seconds, age_seconds=age, age_band=band, requester=requester)
    unanswered = _unanswered(data, rows).select("ticket_id", "since", "until", unanswered_since="since")
    rows = _held_at_end(_held_at_end(rows, unanswered), _assignments(data, rows))
    return rows.mutate(waiting_seconds=rows.end_seconds - whole_seconds(rows.unanswered_since))


@fact(
    anchor="S", needs=("tickets", "ticket_events"), cuts=("channel", "type", "priority", "team", "segment", "country")
)
def open_spells(data: Data) -> Any:
    """One row per stretch of a ticket in one open state and period that it touches.

    `opened` and `closed` tell that the ticket became open, or was resolved, in the period by this stretch; `day_ends`
    how many local midnights that end a day of the period it was open at.
    """
    import ibis

    rows = _stretches(data)
    begins = ibis.greatest(rows.since, rows.start)
    rows = data.calendar.dated(rows, begins).rename(first_day="day")
    ends = ibis.least(rows.until, rows.end, ibis.literal(data.as_of, INSTANT))
    rows = data.calendar.dated(rows, ends)
    return rows.mutate(day_ends=ibis.greatest(rows.day - rows.first_day, 0)).drop("day", "first_day")


def _at_end(data: Data) -> Any:
    rows = _stretches(data)
    return rows.filter(rows.at_end)


def _stretches(data: Data) -> Any:
    """Return each stretch of a ticket in one open state in each period that it touches."""
    states = data.shared("ticket_states", _states)
    periods = data.calendar.table
    rows = states.join(
        periods,
        (states.since < periods.end) & (states.until.isnull() | (states.until >= periods.start)),
    )
    start, end = whole_seconds(rows.start), whole_seconds(rows.end)
    since, until = whole_seconds(rows.since), whole_seconds(rows.until)
    return rows.mutate(
        end_seconds=end,
        at_end=rows.until.isnull() | (rows.until >= rows.end),
        opened=rows.became_open & (since >= start),
        closed=(rows.becomes_done & (until < end)).fill_null(False),
    )


def _states(data: Data) -> Any:
    """Return each stretch of a ticket in one open state: `since`, `until`, and whether it begins or ends openness."""
    import ibis

    rows = tickets(data)
    kept = (
        *("ticket_id", "customer_id", "created_at", "by_customer", "excluded"),
        *("channel", "type", "priority", "team", "segment", "country"),
    )
    changes = data.shared("statuses", statuses)
    first = rows.select("ticket_id", at="created_at", number=ibis.literal(-1, "int64"), status=ibis.literal("open"))
    states = first.union(changes.select("ticket_id", "at", "number", status="to_value"))
    in_order = ibis.window(group_by="ticket_id", order_by=["at", "number"])
    states = states.mutate(
        until=states.at.lead(1).over(in_order),
        then=states.status.lead(1).over(in_order),
        before=states.status.lag(1).over(in_order),
    )
    states = states.filter(~states.status.isin(DONE)).mutate(
        became_open=states.before.fill_null("closed").isin(DONE), becomes_done=states.then.fill_null("open").isin(DONE)
    )
    states = states.select("ticket_id", "until", "status", "became_open", "becomes_done", since="at")
    return states.inner_join(rows.select(*kept), "ticket_id")


def _unanswered(data: Data, rows: Any) -> Any:
    """Return each stretch in which customers lack an answer: `since` their first word, `until` a person's reply."""
    import ibis

    in_order = ibis.window(group_by="ticket_id", order_by=IN_ORDER)
    said = words(data, rows.select("ticket_id", "by_customer", "created_at").distinct()).semi_join(rows, "ticket_id")
    said = said.mutate(before=said.ours.lag(1).over(in_order))
    turns = said.filter(said.before.isnull() | (said.before != said.ours))
    turns = turns.mutate(until=turns.at.lead(1).over(in_order))
    return turns.filter(~turns.ours).select("ticket_id", "until", since="at")


def _assignments(data: Data, rows: Any) -> Any:
    """Return each stretch in which these tickets had an assignee: `since`, `until` the next one, and the `agent`."""
    import ibis

    events = data.table("ticket_events").semi_join(rows, "ticket_id")
    events = events.filter(events.kind == "assign")
    in_order = ibis.window(group_by="ticket_id", order_by=["at", "event_id"])
    events = events.mutate(until=events.at.lead(1).over(in_order))
    return events.select("ticket_id", "until", since="at", agent="to_value")


def _held_at_end(rows: Any, stretches: Any) -> Any:
    """Return the rows with what a stretch of their ticket says that holds at the end of their period, if one does."""
    import ibis

    held = stretches.rename(held_by="ticket_id", held_since="since", held_until="until")
    held = held.mutate(held_until=held.held_until.fill_null(ibis.literal(FAR, INSTANT)))
    joined = rows.left_join(  # comparisons alone: an OR in it makes some engines compare all pairs of rows
        held,
        (rows.ticket_id == held.held_by) & (held.held_since < rows.end) & (held.held_until >= rows.end),
    )
    return joined.drop("held_by", "held_since", "held_until")

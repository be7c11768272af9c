"""Facts about money: what support, service and acquisition cost."""

from datetime import date
from typing import Any

from kpi_lib.facts.agents import times_are_recorded
from kpi_lib.facts.calendar import epoch_day
from kpi_lib.facts.data import Data, fact
from kpi_lib.facts.ticket_history import plain_tickets
from kpi_lib.period import Period

RATES = ("currency", "fx", "acquisition.lag_months")


def _by_center(rows: Any, keys: list[str]) -> Any:
    """Return what a center costs in a whole period; in a running one at the pace so far."""
    return rows.group_by([*keys, "center"]).aggregate(amount=(rows.amount / rows.elapsed).sum())


@fact(anchor="E", needs=("costs",), cuts=("center", "category", "channel"), summary=_by_center, params=RATES)
def cost_days(data: Data) -> Any:
    """One row per cost and period: the part of it that falls on the period's days, spread evenly over its own.

    Of a running period only the days that have ended count; `elapsed` is their share of all. Acquisition spend is that
    of the days `acquisition.lag_months` earlier. Support cost that is for no single channel is shared among channels by
    the time that agents handled tickets and calls of each in the period; where no such time is known, it stays whole.
    """
    import ibis

    costs = data.table("costs")
    rows = costs.mutate(money=data.money(costs.amount, costs.currency))
    rows = rows.mutate(first_day=_epoch_days(rows.period_start), last_day=_epoch_days(rows.period_end))
    parts = []
    for period in data.calendar.periods:
        days, length = len(data.calendar.days(period)), (period.last_day - period.first_day).days + 1
        spans = _months_earlier(period, data.params.acquisition.lag_months), (period.first_day, period.last_day)
        lagging = rows.center == "acquisition"
        begin = lagging.ifelse(*(epoch_day(first) for first, _ in spans))
        end = lagging.ifelse(
            *(epoch_day(last) if days == length else epoch_day(first) + days - 1 for first, last in spans)
        )
        dated = rows.mutate(begin=begin, end=end)
        inside = dated.filter((dated.first_day <= dated.end) & (dated.last_day >= dated.begin))
        shared = ibis.least(inside.last_day, inside.end) - ibis.greatest(inside.first_day, inside.begin) + 1
        share = shared.cast("float64") / (inside.last_day - inside.first_day + 1).cast("float64").nullif(0.0)
        said = {"period": ibis.literal(str(period)), "elapsed": ibis.literal(days / length)}
        parts.append(inside.mutate(amount=inside.money * share, **said))
    return _by_channel(data, ibis.union(*parts) if len(parts) > 1 else parts[0])


def _by_channel(data: Data, rows: Any) -> Any:
    """Share out support cost without a channel; the shares of a period add up to one."""
    if not (sources := _handle_times(data)):
        return rows
    times = data.shared("handle times", lambda _: _shares(sources))
    common = (rows.center == "support") & rows.channel.isnull()
    rows = rows.mutate(spread=common.ifelse(rows.period, None))
    rows = rows.left_join(times, rows.spread == times.handled_in)
    channel = rows.channel.fill_null(rows.handled_through)
    shared = rows.mutate(amount=rows.amount * rows.share.fill_null(1.0), channel=channel)
    return shared.drop("spread", "handled_in", "handled_through", "share")


def _handle_times(data: Data) -> list[Any]:
    """Return `period, channel, handle_seconds` of calls and tickets; nothing where one of them has no recorded time."""
    columns, sources = ("period", "channel", "handle_seconds"), []
    if not times_are_recorded(data):
        return []
    if data.has("calls"):
        calls = data.fact("calls_handled")
        sources.append(calls.filter(calls.excluded.isnull()).select(columns))
    if data.has("ticket_events") and data.has("tickets"):
        events, tickets = data.table("ticket_events"), plain_tickets(data)
        tracked = events.filter(events.handle_seconds.notnull()).select("ticket_id", "at", "handle_seconds")
        valid = tickets.filter(tickets.excluded.isnull()).select("ticket_id", "channel")
        tracked = tracked.inner_join(valid, "ticket_id")
        sources.append(data.timed(tracked, tracked["at"]).select(columns))
    return sources


def _shares(sources: list[Any]) -> Any:
    import ibis

    rows = ibis.union(*sources) if len(sources) > 1 else sources[0]
    times = rows.group_by("period", "channel").aggregate(seconds=rows.handle_seconds.sum().cast("float64"))
    times = times.filter(times.seconds > 0)
    share = times.seconds / times.seconds.sum().over(ibis.window(group_by="period")).nullif(0.0)
    return times.select(handled_in="period", handled_through="channel", share=share)


def _months_earlier(period: Period, months: int) -> tuple[date, date]:
    """Return first and last day of the months that lie `months` before those of the period."""
    first, last = (Period.containing(day).shift(-months) for day in (period.first_day, period.last_day))
    return first.first_day, last.last_day


def _epoch_days(day: Any) -> Any:
    return day.cast("timestamp('UTC', 6)").epoch_seconds().cast("int64") // 86400

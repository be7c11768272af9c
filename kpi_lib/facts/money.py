"""Facts about money: what support, service and acquisition cost."""

from datetime import date
from typing import Any

from kpi_lib.facts.data import Data, fact
from kpi_lib.period import Period

RATES = ("currency", "fx", "acquisition.lag_months")


def _by_center(rows: Any, keys: list[str]) -> Any:
    """Return what a center costs in a whole period; in a running one at the pace so far."""
    return rows.group_by([*keys, "center"]).aggregate(amount=(rows.amount / rows.elapsed).sum())


@fact(anchor="E", needs=("costs",), cuts=("center", "category", "channel"), summary=_by_center, params=RATES)
def cost_days(data: Data) -> Any:
    """One row per cost and period: the part of it that falls on the period's days, spread evenly over its own.

    Of a running period only the days that have ended count; `elapsed` is their share of all. Acquisition spend is that
    of the days `acquisition.lag_months` earlier.
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
        begin = lagging.ifelse(*(_ordinal(first) for first, _ in spans))
        end = lagging.ifelse(
            *(_ordinal(last) if days == length else _ordinal(first) + days - 1 for first, last in spans)
        )
        dated = rows.mutate(begin=begin, end=end)
        inside = dated.filter((dated.first_day <= dated.end) & (dated.last_day >= dated.begin))
        shared = ibis.least(inside.last_day, inside.end) - ibis.greatest(inside.first_day, inside.begin) + 1
        share = shared.cast("float64") / (inside.last_day - inside.first_day + 1).cast("float64").nullif(0.0)
        said = {"period": ibis.literal(str(period)), "elapsed": ibis.literal(days / length)}
        parts.append(inside.mutate(amount=inside.money * share, **said))
    return ibis.union(*parts) if len(parts) > 1 else parts[0]


def _months_earlier(period: Period, months: int) -> tuple[date, date]:
    """Return first and last day of the months that lie `months` before those of the period."""
    first, last = (Period.containing(day).shift(-months) for day in (period.first_day, period.last_day))
    return first.first_day, last.last_day


def _ordinal(day: date) -> int:
    return day.toordinal() - 719163  # days since 1970


def _epoch_days(day: Any) -> Any:
    return day.cast("timestamp('UTC', 6)").epoch_seconds().cast("int64") // 86400

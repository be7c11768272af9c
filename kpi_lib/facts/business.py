"""Business time: how long the desk was open between two instants, counted in the engine through a table."""

from typing import Any

from kpi_lib.facts.calendar import QUARTER_HOUR, whole_seconds
from kpi_lib.facts.data import Data


def configured(data: Data) -> bool:
    """Whether the company has said when its desk is open."""
    return data.params.has_hours


def with_business_seconds(data: Data, rows: Any, start: str, **until: Any) -> Any:
    """Return the rows with the seconds in which the desk was open from the instant column `start` to each of `until`.

    Weekends, holidays and the hours that daylight saving adds or takes count as the desk's hours say. Null where an
    instant is, or lies before the first period.
    """
    rows = _open_until(data, rows, "open_at_start", rows[start])
    for name, instant in until.items():
        rows = _open_until(data, rows, name, instant)
    return rows.mutate(**{name: rows[name] - rows.open_at_start for name in until}).drop("open_at_start")


def _open_until(data: Data, rows: Any, name: str, instant: Any) -> Any:
    """Add how long the desk had been open by an instant."""
    import ibis

    slots = data.calendar.open_slots.rename(open_slot="slot")
    rows = rows.mutate(second=whole_seconds(instant))
    rows = rows.left_join(slots, rows.second // QUARTER_HOUR == slots.open_slot)
    inside = (
        ibis.least(ibis.greatest(rows.second - rows.open_slot * QUARTER_HOUR, rows.opens), rows.closes) - rows.opens
    )
    known = rows.second.notnull() & rows.open_slot.notnull()
    counted = known.ifelse(rows.before + inside, None)
    return rows.mutate(**{name: counted}).drop("second", "open_slot", "before", "opens", "closes")

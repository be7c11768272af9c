"""Which team and tier an agent was in on a day: agents move, and what they did on a day at work stays there."""

from typing import Any

from kpi_lib.facts.data import Data

NAMES = ("team", "tier")


def with_team(data: Data, rows: Any) -> Any:
    """Add to rows with `agent_id` and `day` the team and tier of the agent's last shift of the day.

    Of a day without a shift they are those of the last shift known of the agent; without shifts there are none.
    """
    if not data.has("agent_shifts"):
        return rows
    of_day, last = data.built("teams", _teams)
    rows = rows.left_join(of_day, ["agent_id", "day"]).drop("agent_id_right", "day_right")
    rows = rows.left_join(last, "agent_id").drop("agent_id_right")
    named = {name: rows[f"day_{name}"].fill_null(rows[f"last_{name}"]) for name in NAMES}
    return rows.mutate(**named).drop(*(f"{of}_{name}" for of in ("day", "last") for name in NAMES))


def _teams(data: Data) -> tuple[Any, Any]:
    """Return team and tier of each agent's day with a shift, and of each agent's last shift."""
    import ibis

    shifts = data.table("agent_shifts")
    in_order = ibis.window(group_by="agent_id", order_by=["start_at", "shift_id"])
    shifts = shifts.mutate(number=ibis.row_number().over(in_order), tier=shifts.tier.cast("string"))
    dated = data.timed(shifts, shifts.start_at)
    of_day = {f"day_{name}": dated[name].argmax(dated.number) for name in NAMES}
    last = {f"last_{name}": shifts[name].argmax(shifts.number) for name in NAMES}
    return dated.group_by("agent_id", "day").aggregate(**of_day), shifts.group_by("agent_id").aggregate(**last)

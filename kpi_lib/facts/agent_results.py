"""What agents resolved and how well, each ticket compared with others of the same type and channel."""

from typing import Any

from kpi_lib.facts.calendar import whole_seconds
from kpi_lib.facts.data import Data

KEYS = ("period", "agent")
MIX = ("type", "channel")


def agent_results(data: Data) -> Any:
    """Return one row per period and agent to whom tickets were assigned that were resolved for good in it.

    `resolved` counts them, `effort` gives each the usual handle time of its type and channel as a multiple of that of
    all tickets, and `slower` is the median of the logarithm of its resolution time less the usual one. Names with `_n`,
    `_sum` and `_squares` are the moments of differences from the usual: `time` (logarithm of the resolution time),
    `reopened` (0 or 1), `satisfaction` (0 to 1) and `quality` (0 to 100). `aged` are the agent's cases that are open
    for too long at the end.
    """
    resolved = data.fact("tickets_resolved")
    resolved = resolved.filter(resolved.excluded.isnull() & resolved.agent.notnull())
    seconds = whole_seconds(resolved.resolved_at) - whole_seconds(resolved.created_at)
    resolved = _with_usual_effort(resolved.mutate(logarithm=(_at_least_0(seconds) + 1).cast("float64").ln()))
    rows = resolved.group_by(KEYS).aggregate(
        resolved=resolved.count(), effort=resolved.effort.sum(), effort_squares=(resolved.effort**2).sum()
    )
    parts = [
        _compared(resolved, "time", resolved.logarithm, typical="median", median="slower"),
        _compared(resolved, "reopened", resolved.reopened_at.notnull().ifelse(1, 0)),  # Spark's 1.0 is a decimal
        *_satisfaction(data),
        *_quality(data),
        _aged(data),
    ]
    for part in parts:
        rows = rows.left_join(part, KEYS).drop(*(f"{key}_right" for key in KEYS))
    return rows.mutate(aged=rows.aged.fill_null(0))


def _with_usual_effort(rows: Any) -> Any:
    """Add `effort`: mean handle time of the ticket's type and channel over that of all; 1 where none is recorded."""
    import ibis

    if "handle_seconds" not in rows.columns:
        return rows.mutate(effort=ibis.literal(1.0))
    rows = rows.mutate(
        handled=(rows.handle_seconds > 0).ifelse(rows.handle_seconds, None).cast("float64"),
        **{f"of_{name}": rows[name].fill_null("") for name in MIX},
    )
    alike = [f"of_{name}" for name in MIX]
    usual = rows.group_by("period", *alike).aggregate(usual=rows.handled.mean())
    overall = rows.group_by("period").aggregate(overall=rows.handled.mean())
    rows = rows.inner_join(usual, ["period", *alike]).inner_join(overall, "period")
    return rows.mutate(effort=(rows.usual / rows.overall.nullif(0.0)).fill_null(1.0))


def _compared(
    rows: Any, name: str, amount: Any, mix: tuple[str, ...] = MIX, typical: str = "mean", median: str | None = None
) -> Any:
    """Return by agent the moments of an amount less what is typical for its mix, and perhaps the median difference."""
    kept = rows.select(*KEYS, amount=amount.cast("float64"), **{part: rows[part].fill_null("") for part in mix})
    usual = kept.amount.quantile(0.5) if typical == "median" else kept.amount.mean()
    kept = kept.inner_join(kept.group_by("period", *mix).aggregate(usual=usual), ["period", *mix])
    kept = kept.mutate(residual=kept.amount - kept.usual)
    moments = {
        f"{name}_n": kept.residual.count(),
        f"{name}_sum": kept.residual.sum(),
        f"{name}_squares": (kept.residual * kept.residual).sum(),
    }
    middle = {median: kept.residual.quantile(0.5)} if median else {}
    return kept.group_by(KEYS).aggregate(**moments, **middle)


def _satisfaction(data: Data) -> list[Any]:
    """Return what customers answered about an agent's tickets, placed between the worst and best of the scale."""
    if not data.has("surveys") or "agent" not in (rows := data.fact("answers")).columns:
        return []
    rows = rows.filter(rows.excluded.isnull() & rows.agent.notnull() & (rows.kind == "csat"))
    placed = (rows.upward_score - rows.scale_min) / (rows.scale_max - rows.scale_min).nullif(0.0)
    return [_compared(rows, "satisfaction", placed)]


def _quality(data: Data) -> list[Any]:
    """Return the scores of the reviews of tickets chosen at random."""
    if not data.has("qa_reviews"):
        return []
    rows = data.fact("reviews")
    rows = rows.filter(rows.excluded.isnull() & (rows.sampling == "random")).mutate(agent=rows.agent_id)
    return [_compared(rows, "quality", rows.score, mix=())]


def _aged(data: Data) -> Any:
    """Return how many tickets that an agent holds at the end have been open for longer than the backlog's threshold."""
    rows = data.fact("open_at_end")
    old = rows.age_seconds > data.params.thresholds.backlog_hours * 3600
    rows = rows.filter(rows.excluded.isnull() & rows.agent.notnull() & old)
    return rows.group_by(KEYS).aggregate(aged=rows.count())


def _at_least_0(seconds: Any) -> Any:
    import ibis

    return ibis.greatest(seconds, 0)

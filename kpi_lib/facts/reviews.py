"""Facts about reviews of our own work."""

from typing import Any

from kpi_lib.facts.data import Data, fact
from kpi_lib.facts.ticket_history import plain_tickets

OF_TICKET = ("channel", "team")
LEAST_OF_CRITICAL = 50


@fact(anchor="E", needs=("qa_reviews",), cuts=("sampling", "agent", *OF_TICKET), optional={"tickets": OF_TICKET})
def reviews(data: Data) -> Any:
    """One row per ticket reviewed in a period and way of sampling: `score`, the mean of its reviews in the period.

    `agent_id` is whom the latest of them was about. Reviews without any rated category are none.
    """
    import ibis

    scored = _scores(data)
    timed = data.timed(scored, scored.reviewed_at)
    keys = ("ticket_id", "sampling", "period")
    latest = ibis.window(group_by=keys, order_by=[ibis.desc("reviewed_at"), ibis.desc("review_id")])
    timed = timed.mutate(place=ibis.row_number().over(latest))
    rows = timed.group_by(keys).aggregate(
        score=timed.score.mean(),
        agent_id=timed.agent_id.max(where=timed.place == 0),
        at_seconds=timed.at_seconds.max(),
    )
    rows = rows.mutate(agent=rows.agent_id)
    if not data.has("tickets"):
        return rows
    about = plain_tickets(data).select(*OF_TICKET, "excluded", of_ticket="ticket_id")
    return rows.left_join(about, rows.ticket_id == about.of_ticket).drop("of_ticket")


def _scores(data: Data) -> Any:
    """Return one row per review with its score from 0 to 100, null when no category was rated."""
    rows = data.table("qa_reviews")
    span = (rows.scale_max - rows.scale_min).nullif(0.0)
    rows = rows.mutate(placed=100 * (rows.score - rows.scale_min) / span).filter(rows.score.notnull())
    failed = rows.is_critical & (rows.placed < LEAST_OF_CRITICAL)
    reviews = rows.group_by("review_id", "ticket_id", "agent_id", "sampling").aggregate(
        reviewed_at=rows.reviewed_at.max(),
        weighed=(rows.placed * rows.weight).sum(),
        weights=rows.weight.sum(),
        failed=failed.sum() > 0,
    )
    return reviews.mutate(score=reviews.failed.ifelse(0.0, reviews.weighed / reviews.weights.nullif(0.0)))

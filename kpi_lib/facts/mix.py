"""Tickets weighted so that every channel has the same mix of types, for a comparison of like with like."""

from typing import Any

from kpi_lib.facts.data import Data, fact
from kpi_lib.facts.tickets import FOLLOW_UP, requested

KEYS = {"of_channel": "channel", "of_type": "type"}


@fact(anchor="C", needs=("tickets", "ticket_events"), cuts=("channel",), params=FOLLOW_UP)
def tickets_by_mix(data: Data) -> Any:
    """One row per valid customer-initiated ticket, at its creation, with the `mix_weight` of its type in its channel.

    Weighted, each channel has the company's mix of those types that it has at all, and as many tickets as it has.
    """
    rows = requested(data)
    rows = rows.mutate(**{name: rows[column].fill_null("") for name, column in KEYS.items()})
    counted = rows.filter(rows.excluded.isnull())
    types = counted.group_by("period", "of_type").aggregate(everywhere=counted.count())
    pairs = counted.group_by("period", *KEYS).aggregate(here=counted.count())
    pairs = pairs.inner_join(types, ["period", "of_type"])
    channels = pairs.group_by("period", "of_channel").aggregate(
        all_here=pairs.here.sum(), all_types=pairs.everywhere.sum()
    )
    pairs = pairs.inner_join(channels, ["period", "of_channel"])
    share = pairs.everywhere.cast("float64") / pairs.all_types.cast("float64").nullif(0.0)
    weight = share * pairs.all_here.cast("float64") / pairs.here.cast("float64").nullif(0.0)
    pairs = pairs.select("period", *KEYS, mix_weight=weight)
    joined = rows.left_join(pairs, ["period", *KEYS])
    return joined.drop(*(f"{name}_right" for name in ("period", *KEYS)))

"""Names for agents that do not tell who they are; an agent's own id never becomes a member of a cut."""

from hashlib import sha256
from typing import Any

from kpi_lib.facts.data import Data

DIGITS = 6


def pseudonyms(data: Data) -> Any:
    """Return a row per agent id that the tables name: `agent_id` and `agent`, such as "Agent 3f9a2c".

    The name is the beginning of a hash of company and id, so an agent keeps it from report to report. It is as long as
    it takes to tell the agents apart. It hides who is meant from readers, not from those who know all the ids.
    """
    return data.built("pseudonyms", _pseudonyms)


def _pseudonyms(data: Data) -> Any:
    import ibis
    import pandas as pd

    ids = _agent_ids(data)
    hashes = [sha256(f"{data.params.company}\n{agent}".encode()).hexdigest() for agent in ids]
    length = next(size for size in range(DIGITS, 65) if len({text[:size] for text in hashes}) == len(ids))
    frame = pd.DataFrame({"agent_id": ids, "agent": [f"Agent {text[:length]}" for text in hashes]}, dtype="object")
    return ibis.memtable(frame, schema=dict.fromkeys(frame.columns, "string"))


def _agent_ids(data: Data) -> list[str]:
    """Fetch every id that an agent has in any table."""
    import ibis

    found = [
        data.table(table).select(agent_id=column)
        for table, columns in (
            ("ticket_events", ("agent_id",)),
            ("calls", ("agent_id",)),
            ("agent_shifts", ("agent_id",)),
            ("qa_reviews", ("agent_id", "reviewer_id")),
        )
        if data.has(table)
        for column in columns
    ]
    if data.has("ticket_events"):
        events = data.table("ticket_events")
        found.append(events.filter(events.kind == "assign").select(agent_id="to_value"))
    if not found:
        return []
    rows = ibis.union(*found) if len(found) > 1 else found[0]
    return sorted(rows.filter(rows.agent_id.notnull()).distinct().to_pandas()["agent_id"])

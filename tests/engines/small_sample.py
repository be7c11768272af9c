"""A tenth of the sample company: small enough for an engine on two cores, and with every kind of row."""

from pathlib import Path

import duckdb

from kpi_lib import sample

CHOSEN = "right(customer_id, 1) = '7'"
OF_A_CUSTOMER = ("subscriptions", "transactions", "engagement_events")
OF_A_TICKET = ("ticket_events", "qa_reviews")
KEPT = {
    "customers": f"{CHOSEN}",
    "tickets": f"{CHOSEN} OR (customer_id IS NULL AND right(ticket_id, 1) = '7')",
    "calls": f"{CHOSEN} OR (customer_id IS NULL AND right(call_id, 1) = '7')",
    "surveys": CHOSEN,
    "leads": f"{CHOSEN} OR (customer_id IS NULL AND right(lead_id, 1) = '7')",
    "costs": "true",
    "agent_shifts": "true",
}


def write(folder: Path) -> dict[str, Path]:
    """Write the twelve tables of a tenth of the customers; no row points at one that is not there."""
    sample.write(folder / "whole")
    with duckdb.connect() as engine:
        engine.execute("SET TimeZone = 'UTC'")
        for file in sorted((folder / "whole").glob("*.parquet")):
            engine.execute(f"CREATE VIEW {file.stem} AS FROM '{file}'")
        engine.execute(f"""CREATE TABLE kept_tickets AS SELECT ticket_id FROM tickets WHERE {KEPT["tickets"]}
            UNION SELECT merged_into_id FROM tickets WHERE merged_into_id IS NOT NULL AND ({KEPT["tickets"]})""")
        written = {file.stem: folder / file.name for file in sorted((folder / "whole").glob("*.parquet"))}
        for name, file in written.items():
            engine.execute(f"COPY ({_kept(name)}) TO '{file}' (FORMAT parquet)")
    return written


def _kept(name: str) -> str:
    of_kept = "(FROM kept_tickets)"
    if name == "customers":
        known = "CASE WHEN right(referrer_customer_id, 1) = '7' THEN referrer_customer_id END"
        return f"SELECT * REPLACE ({known} AS referrer_customer_id) FROM customers WHERE {CHOSEN}"
    if name == "tickets":
        known = f"CASE WHEN {CHOSEN} THEN customer_id END"
        return f"SELECT * REPLACE ({known} AS customer_id) FROM tickets WHERE ticket_id IN {of_kept}"
    if name in ("calls", "surveys"):
        known = f"CASE WHEN ticket_id IN {of_kept} THEN ticket_id END"
        return f"SELECT * REPLACE ({known} AS ticket_id) FROM {name} WHERE {KEPT[name]}"
    if name in OF_A_TICKET:
        return f"FROM {name} WHERE ticket_id IN {of_kept}"
    return f"FROM {name} WHERE {CHOSEN if name in OF_A_CUSTOMER else KEPT[name]}"

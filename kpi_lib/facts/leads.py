"""Facts about those who may become customers."""

from typing import Any

from kpi_lib.facts.data import Data, fact
from kpi_lib.facts.ticket_history import with_customer


@fact(
    anchor="E",
    needs=("leads",),
    cuts=("channel",),
    optional={"leads.qualified_at": ("qualified_at",), "leads.converted_at": ("converted_at",)},
)
def leads_created(data: Data) -> Any:
    """One row per lead, when it was created; of several with one contact only the first counts."""
    import ibis

    leads = data.table("leads")
    rows = with_customer(data, leads)
    contact = rows.contact_hash.fill_null(rows.lead_id)
    in_order = ibis.window(group_by=[contact, rows.is_bot], order_by=["created_at", "lead_id"])
    rows = rows.mutate(earlier=ibis.row_number().over(in_order))
    rows = rows.mutate(
        excluded=ibis.cases(
            (rows.is_insider, "test"), (rows.is_bot, "bot"), (rows.earlier > 0, "duplicate"), else_=None
        )
    )
    unknown = {name for name in ("qualified_at", "converted_at") if not data.has("leads", name)}
    return data.timed(rows.drop(*unknown) if unknown else rows, rows.created_at)

"""Facts about buyers: who ordered in a period, and whether it was for the first time."""

from typing import Any

from kpi_lib.facts.customers import CUTS, with_profile
from kpi_lib.facts.data import Data, fact

LEAST_PAID = 0.005


@fact(anchor="E", needs=("transactions",), cuts=CUTS, params=("currency", "fx"))
def buyers(data: Data) -> Any:
    """One row per customer and period with an order, at the first of them.

    `new`: this is the customer's first order of all; `again`: one of the period's orders has an earlier one. An order
    is what a customer bought on a local day less refunds and chargebacks of it, when something is left. In periods that
    begin in the first year of the data all are excluded, as their earlier orders are not in it.
    """
    import ibis

    orders = data.shared("orders", _orders)
    in_order = ibis.window(group_by="customer_id", order_by="day")
    firsts = orders.mutate(number=ibis.row_number().over(in_order), next_at=orders.at.lead(1).over(in_order))
    firsts = firsts.filter(firsts.number == 0)
    firsts = firsts.select(first_of="customer_id", first_order_at="at", second_order_at="next_at")
    timed = data.timed(orders, orders.at)
    rows = timed.group_by("customer_id", "period").aggregate(
        at=timed.at.min(), last_at=timed.at.max(), at_seconds=timed.at_seconds.min()
    )
    rows = rows.left_join(firsts, rows.customer_id == firsts.first_of).drop("first_of")
    rows = rows.cross_join(data.table("transactions").aggregate(_began))
    year_before = {str(each): each.year_before.bounds(data.calendar.zone)[0] for each in data.calendar.periods}
    known = rows.period.cases(*((name, ibis.literal(start)) for name, start in year_before.items())) >= rows.began
    rows = with_profile(data, rows.mutate(new=rows.first_order_at >= rows.at, again=rows.first_order_at < rows.last_at))
    reason = known.ifelse(None, "history shorter than a year")
    return rows.mutate(excluded=rows.excluded.fill_null(reason) if "excluded" in rows.columns else reason)


def _began(transactions: Any) -> Any:
    return transactions.occurred_at.min().name("began")


def _orders(data: Data) -> Any:
    """Return one row per customer and local day with an order, at its first purchase."""
    rows = data.table("transactions")
    rows = rows.mutate(money=data.money(rows.amount, rows.currency))
    given = rows.filter(rows.kind.isin(["refund", "chargeback"]) & rows.refunds_transaction_id.notnull())
    given = given.group_by(bought="refunds_transaction_id").aggregate(back=given.money.sum())
    bought = rows.filter(rows.kind == "purchase")
    bought = bought.left_join(given, bought.transaction_id == given.bought)
    bought = data.calendar.dated(bought.mutate(kept=bought.money + bought.back.fill_null(0.0)), bought.occurred_at)
    orders = bought.group_by("customer_id", "day").aggregate(at=bought.occurred_at.min(), kept=bought.kept.sum())
    return orders.filter(orders.kept > LEAST_PAID)

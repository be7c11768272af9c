"""How what customers have paid is spread over them: the median, the tenths and the bars of a histogram.

It is counted, not predicted: a lifetime model says what to expect of a customer, and such expectations differ less than
what customers then do.
"""

import math
from typing import Any

from kpi_lib.facts import Data, NotAvailableError

LEAST_CUSTOMERS = 100  # so that a tenth of them are ten
PARTS = 20  # of equally many customers; two make a tenth
MOST_BARS = 24  # up to what one in twenty exceeds; then an open one


def of(data: Data) -> dict[str, Any] | None:
    """Return the spread of what customers had paid at the end of the last period; None when there is none to show.

    `customers, mean, median, total`; `tenths` from the least to the most: each with `customers, low, high, total`;
    `bars` of customers, each `width` wide and the first from `start`, the last one without an upper end.
    """
    try:
        rows = data.fact("customer_purchases")
    except NotAvailableError:
        return None
    rows = rows.filter(rows.period == str(data.calendar.periods[-1]))
    rows = rows.filter(rows.excluded.isnull()) if "excluded" in rows.columns else rows
    parts = _parts(rows)
    customers, total = int(parts["customers"].sum()), float(parts["total"].sum())
    if customers < LEAST_CUSTOMERS or total <= 0:
        return None
    tenths = parts.assign(tenth=parts.index // 2).groupby("tenth")
    tenths = tenths.agg({"customers": "sum", "low": "min", "high": "max", "total": "sum"})
    return {
        "customers": customers,
        "mean": total / customers,
        "median": float(parts["middle"].sum() / parts["middles"].sum()),
        "total": total,
        "tenths": tenths.to_dict("records"),
        "bars": _bars(rows, float(parts["high"].iloc[-2]), float(parts["low"].iloc[0])),
    }


def step(reach: float) -> float:
    """Return the smallest of 1, 2, 5, 10, 20, 50 ... by which `MOST_BARS` steps reach as far."""
    power = 10.0 ** math.floor(math.log10(reach / MOST_BARS))
    return next(times * power for times in (1, 2, 5, 10) if times * power * MOST_BARS >= reach)


def _parts(rows: Any) -> Any:
    """Return the customers in equal parts by what they paid, with those in the very middle: one or two in all."""
    import ibis

    by_value = ibis.window(order_by=["value", "customer_id"])
    rows = rows.mutate(place=ibis.row_number().over(by_value), number=rows.count().over(ibis.window()))
    middle = (2 * rows.place >= rows.number - 2) & (2 * rows.place <= rows.number)
    rows = rows.mutate(part=rows.place * PARTS // rows.number, middle=middle)
    parts = rows.group_by("part").aggregate(
        customers=rows.count(),
        low=rows["value"].min(),
        high=rows["value"].max(),
        total=rows["value"].sum(),
        middle=rows["value"].sum(where=rows.middle),
        middles=rows.middle.sum(),
    )
    frame = parts.to_pandas().set_index("part").sort_index()
    return frame.fillna(0.0)


def _bars(rows: Any, reach: float, least: float) -> dict[str, Any]:
    """Return how many customers each bar counts; one below zero counts all that lie there."""
    width = step(reach) if reach > 0 else 1.0
    first, last = -1 if least < 0 else 0, math.ceil(reach / width)
    found = (rows["value"] / width).floor().clip(lower=first, upper=last)
    counts = rows.group_by(bar=found).aggregate(customers=rows.count()).to_pandas()
    customers = dict(zip(counts["bar"].astype(int), counts["customers"], strict=True))
    return {
        "start": first * width,
        "width": width,
        "customers": [int(customers.get(bar, 0)) for bar in range(first, last + 1)],
    }

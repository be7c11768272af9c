"""Identities that must hold between the numbers of one scorecard; what breaks one is told on the data page."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

TOLERANCE = 1e-6
BY = ["part", "period"]  # a part of the company, such as a slice
READ = (  # by the identities: few of a scorecard's KPIs
    *("retention_rate", "churn_rate", "nps", "nps.promoters", "nps.detractors", "tickets_by_channel", "ticket_volume"),
    *("tickets_by_type", "resolution_rate.throughput", "open_cases", "open_cases.net_flow", "abandonment_rate"),
    *("abandonment_rate.all", "customer_lifetime_profit", "clv", "customer_lifetime_cost"),
)


@dataclass(frozen=True)
class Identity:
    """Two ways to the same number: `sides` returns both by period, where both are known."""

    said: str
    sides: Callable[[pd.DataFrame], tuple[pd.Series, pd.Series]]
    alike: tuple[str, ...] = ()  # KPIs that it makes say one thing: to know one of them is to know the other


def _of(frame: pd.DataFrame, address: str, column: str = "value") -> pd.Series:
    """Return a column of a KPI's totals by part and period, of those that have a value."""
    rows = frame[(frame["kpi"] == address) & frame["cut"].isna() & frame["value"].notna()]
    return rows.set_index(BY)[column].astype("float64")


def _members(frame: pd.DataFrame, address: str) -> pd.Series:
    """Return the sum of the counts of a table KPI's members by part and period."""
    rows = frame[(frame["kpi"] == address) & frame["cut"].notna() & frame["numerator"].notna()]
    return rows.groupby(BY)["numerator"].sum().astype("float64")


def _growth(frame: pd.DataFrame) -> pd.Series:
    stock = _of(frame, "open_cases").sort_index()
    parts = stock.groupby(level=BY[0])
    return parts.diff()[parts.cumcount() > 0]


IDENTITIES = (
    Identity(
        "retention and churn add up to 100 %",
        lambda frame: (_of(frame, "retention_rate") + _of(frame, "churn_rate"), _of(frame, "churn_rate") * 0 + 100),
        alike=("retention_rate", "churn_rate"),
    ),
    Identity(
        "NPS is promoters less detractors",
        lambda frame: (_of(frame, "nps"), _of(frame, "nps.promoters") - _of(frame, "nps.detractors")),
    ),
    Identity(
        "requests by channel add up to all requests",
        lambda frame: (_members(frame, "tickets_by_channel"), _of(frame, "ticket_volume")),
    ),
    Identity(
        "tickets by type add up to the tickets created",
        lambda frame: (_members(frame, "tickets_by_type"), _of(frame, "resolution_rate.throughput", "denominator")),
    ),
    Identity(
        "created and reopened less resolved tickets is the growth of the open ones",
        lambda frame: (_of(frame, "open_cases.net_flow"), _growth(frame)),
    ),
    Identity(
        "of the calls offered, short ones apart, those not abandoned were answered",
        lambda frame: (
            _of(frame, "abandonment_rate.all", "denominator") - _of(frame, "abandonment_rate.all", "numerator"),
            _of(frame, "abandonment_rate", "denominator") - _of(frame, "abandonment_rate", "numerator"),
        ),
    ),
    Identity(
        "lifetime profit is value less cost",
        lambda frame: (
            _of(frame, "customer_lifetime_profit"),
            _of(frame, "clv") - _of(frame, "customer_lifetime_cost"),
        ),
    ),
)


def told(frame: pd.DataFrame, by: str) -> dict[str, dict[str, Any]]:
    """Return, by the values of a column such as `slice`, how many identities were checked and which do not hold."""
    rows = frame.loc[frame["kpi"].isin(READ), [by, "kpi", "period", "cut", "value", "numerator", "denominator"]]
    rows = rows.rename(columns={by: BY[0]}).astype(dict.fromkeys([*BY, "kpi"], object))  # plain texts compare sooner
    found: dict[str, dict[str, Any]] = {name: {"checked": 0, "broken": []} for name in frame[by].unique()}
    for identity, both in _known(rows):
        for part in both.index.unique(BY[0]):
            found[part]["checked"] += 1
        for part, off in _off(both).groupby(level=BY[0]):
            found[part]["broken"].append(_sentence(identity, off))
    return found


def _off(both: pd.DataFrame) -> pd.DataFrame:
    """Return where the two sides are not the same number."""
    return both[(both["one"] - both["other"]).abs() > TOLERANCE * both.abs().max(axis=1).clip(lower=1)]


def _sentence(identity: Identity, off: pd.DataFrame) -> str:
    (_, period), last = off.index[-1], off.iloc[-1]
    return f"{identity.said}: not so in {period} ({last['one']:,.6g} against {last['other']:,.6g})"


def _known(frame: pd.DataFrame) -> Iterator[tuple[Identity, pd.DataFrame]]:
    """Yield each identity with its two sides, in the parts and periods where both are known, if there are any."""
    for identity in IDENTITIES:
        both = pd.concat(identity.sides(frame), axis=1, keys=["one", "other"]).dropna()
        if not both.empty:
            yield identity, both

"""Every KPI we report: one module a family, or a part of one that is large."""

from kpi_lib.kpi import FAMILIES, NOTEBOOK, REGISTRY, Kpi
from kpi_lib.kpis import (
    customer_value,
    customer_value_acquisition,
    loyalty,
    loyalty_customers,
    support_calls,
    support_channels,
    support_people,
    support_stock,
    support_tickets,
    support_times,
    support_topics,
)

MODULES = (
    *(loyalty, loyalty_customers),
    *(support_tickets, support_times, support_stock, support_topics, support_calls, support_people, support_channels),
    *(customer_value, customer_value_acquisition),
)


def registry() -> dict[str, Kpi]:
    """Return every declared KPI by address, in the order of `MODULES`; each headline is followed by its companions."""
    families, modules = [*FAMILIES, NOTEBOOK], [module.__name__ for module in MODULES]
    ids = list(dict.fromkeys(kpi.id for kpi in sorted(REGISTRY.values(), key=lambda kpi: _place(kpi, modules))))
    order = sorted(REGISTRY.values(), key=lambda kpi: (families.index(kpi.family), ids.index(kpi.id), not kpi.headline))
    return {kpi.address: kpi for kpi in order}


def _place(kpi: Kpi, modules: list[str]) -> tuple[bool, int]:
    """Return where a KPI's id comes first: companions may stand in another module than their headline."""
    name = kpi.function.__module__
    return not kpi.headline, modules.index(name) if name in modules else len(modules)

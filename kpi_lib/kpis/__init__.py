"""Every KPI we report: one module a family, or a part of one that is large."""

from kpi_lib.kpi import FAMILIES, NOTEBOOK, REGISTRY, Kpi
from kpi_lib.kpis import customer_value, loyalty, support_calls, support_tickets, support_times  # noqa: F401  (declare them)


def registry() -> dict[str, Kpi]:
    """Return every declared KPI by address: by family, each headline followed by its companions."""
    families = [*FAMILIES, NOTEBOOK]
    ids = list(dict.fromkeys(kpi.id for kpi in REGISTRY.values()))
    order = sorted(REGISTRY.values(), key=lambda kpi: (families.index(kpi.family), ids.index(kpi.id), not kpi.headline))
    return {kpi.address: kpi for kpi in order}

"""The monthly customer-KPI report: what a notebook may use, loaded when it is first asked for."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kpi_lib.estimate import ByMember, Count, Mean, Net, Ratio, Share, Total
    from kpi_lib.report import Report
    from kpi_lib.waiting import Waiting

__all__ = ["ByMember", "Count", "Mean", "Net", "Ratio", "Report", "Share", "Total", "Waiting"]
_MODULES = {"Report": "report", "Waiting": "waiting"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES.get(name, 'estimate')}"), name)


def __dir__() -> list[str]:
    return __all__

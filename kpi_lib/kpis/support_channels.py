"""Support operations, channels: how each does beside all, and when it had the same mix of requests."""

from collections.abc import Callable
from typing import Any

from kpi_lib.estimate import ByMember
from kpi_lib.kpi import REGISTRY, kpi
from kpi_lib.kpis import loyalty, support_calls, support_tickets, support_times  # noqa: F401  (they declare the indicators)
from kpi_lib.waiting import Waiting

INDICATORS = (
    "ticket_volume",
    "tickets_by_channel",
    "first_response_time",
    "resolution_time",
    "first_contact_resolution",
    "csat",
    "abandonment_rate",
    "cost_per_ticket",
)


@kpi(of=INDICATORS, table="channel", unit="count", better="higher", title="Channel performance")
def channel_performance(*indicators: Any) -> dict[str, Any]:
    """In how many of eight indicators a channel is clearly better than all together, less those where it is worse.

    Formula: indicators whose interval lies wholly on the better side of the number of all channels, less those wholly
    on the worse side. Requests and their share are shown and have no better side.
    Source: S4 S10.
    Differs from: tables that rank channels by raw numbers, whatever is asked there and however few the answers are.
    """
    known = [
        (part, REGISTRY[name].better)
        for name, part in zip(INDICATORS, indicators, strict=True)
        if part and part.row["status"] == "ok"
    ]
    if not known:
        return {"n": 0.0, "method": "no indicator has a value", "status": "undefined"}
    balance = sum({"higher": part.clearly, "lower": -part.clearly}.get(better, 0) for part, better in known)
    return {"value": float(balance), "n": float(len(known)), "method": "intervals beside all channels", "status": "ok"}


def _indicator(address: str) -> Callable[[Any], dict[str, Any]]:
    """Declare the companion that repeats an indicator's rows by channel."""
    original = REGISTRY[address]

    def repeated(part: Any) -> dict[str, Any]:
        return dict(part.row)

    repeated.__doc__ = f"By channel: {original.document['summary'][:1].lower()}{original.document['summary'][1:]}"
    return kpi(
        companion=f"channel_performance.{address}",
        of=(address,),
        table="channel",
        unit=original.unit,
        better=original.better,
        title=f"{original.title}, by channel",
    )(repeated)


for indicator in INDICATORS:
    _indicator(indicator)


@kpi(
    companion="channel_performance.resolution_time_adjusted",
    fact="tickets_by_mix",
    unit="minutes",
    better="lower",
    title="Resolution time, by channel, of the same mix",
)
def resolution_time_adjusted(ticket: Any) -> ByMember:
    """The resolution time of each channel as it would be if all channels were asked the same types of question.

    Formula: Kaplan-Meier median with tickets weighted so that every channel has the company's mix of types (direct
    standardisation); no interval.
    """
    return ByMember(Waiting(ticket.created_at, until=ticket.resolved_at, weight=ticket.mix_weight), cut="channel")

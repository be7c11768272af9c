"""What a definition may name of report.yaml when that is silent: plain values, as the catalogue needs no models."""

from typing import Any

THRESHOLDS: dict[str, Any] = {
    "short_abandon_seconds": 5,
    "service_level_seconds": {"phone": 20, "chat": 60},
    "reply_target_minutes": {"email": 480, "chat": 2},
    "backlog_hours": 72,
    "first_contact_days": 7,
    "repeat_contact_days": 30,
    "resolution_days": 30,
    "escalation_days": 14,
    "survey_response_days": 14,
    "agent_target_minutes": 10,
    "payment_grace_days": 0,
    "recurring_tickets": 3,
    "minimum_cell": 5,
    "full_time_hours": 40,
    "top_scores": {5: 4, 7: 6, 10: 9, 100: 75},
    "trunks": None,
}
ACQUISITION: dict[str, Any] = {
    "lag_months": 0,
    "paid_channels": ["search", "social", "display"],
    "marketing_categories": ["media", "salary", "software"],
}
CUSTOMER_VALUE: dict[str, Any] = {"model": "subscription", "horizon_months": 36, "annual_discount": 0.12}
_SECTIONS = {"thresholds": THRESHOLDS, "acquisition": ACQUISITION, "customer_value": CUSTOMER_VALUE}


def default(dotted: str) -> Any:
    """Return what a value such as `thresholds.resolution_days` is when report.yaml leaves it out."""
    section, _, name = dotted.partition(".")
    return _SECTIONS[section][name]

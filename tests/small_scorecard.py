"""A scorecard small enough to know by heart, for the tests of what notebooks show."""

from typing import Any

import pandas as pd

from kpi_lib.period import Period

PARAMS = """
company: Kestrel <Outfitters> & Co
time_zone: Europe/Berlin
currency: EUR
source: sources/sample.yaml
reports: ../reports
records: ../records
"""  # report.yaml, to which a list of notebooks is added
ABOUT: dict[str, Any] = {
    "company": "Kestrel <Outfitters> & Co",
    "time_zone": "Europe/Berlin",
    "currency": "EUR",
    "language": "en",
    "period": "2024-05",
    "period_label": "May 2024",
    "as_of": "2024-07-02T04:00:00+00:00",
    "as_of_source": "params/sources/sample.yaml",
    "sample": True,
    "version": "0.1.0",
    "kpis": {},
    "tables": [
        {"table": "tickets", "present": True, "rows": 4210, "dropped": {"duplicate": 412},
         "first": "2022-05-01T10:00+00:00", "last": "2024-06-30T10:00+00:00"},
        {"table": "surveys", "present": False, "rows": 0, "dropped": {}, "first": None, "last": None},
    ],
    "checks": [
        {"table": "tickets", "rule": "created before resolved", "level": "warning", "rows": 3,
         "message": "resolved before created", "examples": ["T-1"]},
    ],
    "identities": {"checked": 2, "broken": []},
    "families": {"loyalty": "Loyalty", "support_ops": "Support operations"},
}  # fmt: skip

DEFAULTS: dict[str, Any] = {
    "kpi": "nps", "period": "2024-05", "audience": None, "cut": None, "member": None, "family": "loyalty",
    "title": "Net Promoter Score", "headline": True, "value": 31.2, "unit": "points", "better": "higher",
    "numerator": 312.0, "denominator": 1000.0, "n": 1000.0, "low": 28.0, "high": 34.4, "level": 0.95,
    "method": "adjusted Wald", "status": "ok", "provisional": False, "anchor": "answered in the period",
    "as_of": ABOUT["as_of"], "definition": "0a1b2c3d", "excluded": "{}", "previous": 29.1, "year_ago": 26.2,
    "target_low": 30.0, "target_high": None, "verdict": "on_target",
}  # fmt: skip


def row(**changed: Any) -> dict[str, Any]:
    """Return a row of the scorecard: Net Promoter Score of May 2024, with what is `changed`."""
    return {**DEFAULTS, **changed}


def trend(**changed: Any) -> list[dict[str, Any]]:
    """Return the 13 rows to May 2024 of one KPI: each period's value is 0.5 above the one before."""
    last = row(**changed)
    for place, period in enumerate(Period.parse(last["period"]).trailing(13)):
        lower = 0.5 * (12 - place)
        earlier = {
            name: None if last[name] is None else last[name] - lower for name in ("value", "low", "high", "previous")
        }
        yield {**last, **(earlier if lower else {}), "period": str(period)}


def scorecard() -> pd.DataFrame:
    """Return a scorecard of two families: a KPI with a companion and a cut, one without data, one table KPI."""
    rows = [
        *trend(),
        *trend(kpi="nps.promoters", title="Promoters", headline=False, unit="percent", value=51.0, low=None, high=None,
               target_low=None, verdict="no_target"),
        row(kpi="csat", title="Customer satisfaction", status="not_available", value=None, low=None, high=None, n=None,
            previous=None, year_ago=None, target_low=None, verdict="withheld", unit="percent"),
        *trend(kpi="first_response_time", family="support_ops", title="First response time", unit="minutes",
               better="lower", value=42.0, low=40.0, high=45.0, previous=47.0, year_ago=39.0, target_low=None,
               excluded='{"test": 1008, "spam": 49}',
               target_high=30.0, verdict="missed"),
        *(row(kpi="first_response_time", family="support_ops", title="First response time", unit="minutes",
              better="lower", value=minutes, low=minutes - 2, high=minutes + 2, cut="channel", member=channel, n=n,
              status="ok" if n > 4 else "small_sample", target_low=None, verdict="no_target", headline=False)
          for channel, minutes, n in (("chat", 2.0, 700), ("email", 95.0, 1204), ("(none)", 60.0, 3))),
        *(row(kpi="tickets_by_channel", family="support_ops", title="Tickets by channel", unit="percent", better="none",
              value=share, low=None, high=None, cut="channel", member=channel, numerator=count, denominator=200.0,
              n=200.0, previous=None, year_ago=None, target_low=None, verdict="no_target", headline=False)
          for channel, share, count in (("chat", 25.0, 50.0), ("email", 75.0, 150.0))),
    ]  # fmt: skip
    return pd.DataFrame(rows)


def about() -> dict[str, Any]:
    """Return what a scorecard says about itself, with a definition of each of its KPIs."""
    kpis = {}
    for entry in scorecard().drop_duplicates("kpi").to_dict("records"):
        kpis[entry["kpi"]] = {
            "title": entry["title"], "short": entry["title"], "summary": f"What {entry['title']} means.",
            "formula": "100 (a - b) / n", "differs": "", "source": "", "unit": entry["unit"], "better": entry["better"],
            "anchor": entry["anchor"], "family": entry["family"],
            "cuts": ["channel"] if entry["family"] == "support_ops" else ["segment"],
            "needs": ["tickets"] if entry["family"] == "support_ops" else ["surveys"],
        }  # fmt: skip
    return {**ABOUT, "kpis": kpis}

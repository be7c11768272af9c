"""What is asked of a fact is the same however it is shared out over queries."""

import pandas as pd

from kpi_lib import scan, scorecard, source
from kpi_lib.period import Period

CLUSTERED = ["nps", "csat.mean", "survey_response_rate"]


def test_clusters_that_are_added_up_by_periods_are_those_of_all_at_once(company, monkeypatch):
    for number in range(5):
        company.customer(f"customer-{number}", segment="large" if number % 2 else "small")
    for month in ("2024-03", "2024-04", "2024-05"):
        for number in range(12):
            answers = {"answered": f"{month}-10 12:00", "customer": f"customer-{number % 5}"}
            company.survey("nps", number % 11, **answers)
            company.survey("csat", 1 + number % 5, **answers)
    params = company.loaded()
    opened, kpis = source.open(params), scorecard.needed_for(CLUSTERED)
    asked = []
    fetched = scan.fetched
    monkeypatch.setattr(scan, "fetched", lambda *given: asked.append(given) or fetched(*given))
    at_once = scorecard.measure(opened, params, Period.parse("2024-05"), kpis).frame
    whole = len(asked)
    monkeypatch.setattr(scan, "MOST_CLUSTERED", 40)
    by_periods = scorecard.measure(opened, params, Period.parse("2024-05"), kpis).frame
    assert len(asked) - whole > whole
    assert by_periods["low"].notna().any()
    pd.testing.assert_frame_equal(by_periods, at_once)

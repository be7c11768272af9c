"""Survival curves and cohorts, computed a second time from the sample company's files."""

import numpy as np
import pandas as pd
import pytest
from by_hand import Z, agree, share
from known import ZONE, Known, bounds, within
from statsmodels.duration.survfunc import SurvfuncRight

MONTHS = pytest.mark.parametrize("month", ["2024-04", "2024-05"])
MARKS = [60, 3600, 86400]


def waits(known: Known, kpi: str, month: str) -> tuple[pd.Series, pd.Series]:
    """How many seconds each was watched, and whether it happened."""
    if kpi == "wait_time":
        calls = known.calls[within(known.calls["offered_at"], month)]
        calls = calls[calls["outcome"].isin(["answered", "abandoned_queue"])]
        short = (calls["outcome"] != "answered") & (calls["queue_seconds"] <= 5)
        return calls.loc[~short, "queue_seconds"].astype(float), pd.Series(True, index=calls.index[~short])
    tickets = known.created(month)
    if kpi == "first_response_time":
        tickets = tickets[~tickets["live"]]
        until, lost = tickets["first_reply_at"], tickets["resolved_at"].fillna(known.as_of)
    else:
        until, lost = tickets["resolved_at"], pd.Series(known.as_of, index=tickets.index)
    return (until.fillna(lost) - tickets["created_at"]).dt.total_seconds().clip(lower=0), until.notna()


@MONTHS
@pytest.mark.parametrize("kpi", ["first_response_time", "resolution_time", "wait_time"])
def test_curves_are_those_of_statsmodels(known: Known, card, kpi: str, month: str) -> None:
    found = {name: np.asarray(each, float) for name, each in card.about["curves"][kpi][month].items()}
    assert len(found["seconds"]) <= 200
    seconds, finished = waits(known, kpi, month)
    true = SurvfuncRight(np.floor(seconds), finished.astype(float))
    at = np.searchsorted(true.surv_times, found["seconds"], side="right") - 1
    expected, error = (np.append(each, first)[at] for each, first in ((true.surv_prob, 1.0), (true.surv_prob_se, 0.0)))
    inside = (expected > 1e-9) & (expected < 1) & (np.arange(len(at)) < len(at) - 1)
    assert found["waiting"] == pytest.approx(expected, abs=1 / 180)
    assert found["waiting"][inside] == pytest.approx(expected[inside], abs=2e-6)
    spread = Z * error[inside] / (expected[inside] * np.abs(np.log(expected[inside])))
    assert found["low"][inside] == pytest.approx(expected[inside] ** np.exp(spread), abs=2e-6)
    assert found["high"][inside] == pytest.approx(expected[inside] ** np.exp(-spread), abs=2e-6)
    held = np.searchsorted(found["seconds"], true.surv_times, side="right") - 1
    assert np.abs(found["waiting"][held] - true.surv_prob).max() <= 1 / 180 + 1e-6
    for mark in MARKS:
        still = float(np.append(1.0, true.surv_prob)[np.searchsorted(true.surv_times, mark, side="right")])
        place = np.searchsorted(found["seconds"], mark, side="right") - 1
        assert np.append(found["waiting"], 1.0)[place] == pytest.approx(still, abs=2e-6)


@MONTHS
def test_who_is_still_there_of_those_who_joined_in_a_month(known: Known, row, month: str) -> None:
    people = known.rows("customers").set_index("customer_id")
    inside = people.index[people["is_test"] | people["is_staff"]]
    spells = known.spells[~known.spells["customer_id"].isin(inside)]
    end = bounds(month)[1]
    there = set(spells.loc[(spells["start"] <= end) & (spells["end"] > end), "customer_id"])
    first = spells[spells["start"] <= end].groupby("customer_id")["start"].min()
    joined = first.dt.tz_convert(ZONE).dt.strftime("%Y-%m")
    for cohort in ("2023-05", "2023-11", "2024-03", month):
        members = joined.index[joined == cohort]
        expected = share(pd.Series(members.isin(there)))
        agree(row("retention_rate.of_cohort", month, cohort=cohort), expected)

"""What is sent to the engine: few queries, small answers, and no table that nobody asked for."""

import pandas as pd
import pytest

from kpi_lib.kpis import registry
from kpi_lib.scan import Scan
from kpi_lib.waiting import CURVE_STEPS, MARKS

PERIODS = 13
QUERIES_A_FACT = 7  # sums, moments of two clusters, two kinds of waiting time, curves, reasons of rows left out


def busy(company, tickets: int) -> None:
    """Fill three days with tickets, calls and answers, each at a second of its own."""
    for number in range(tickets):
        at = f"2024-05-{6 + number % 3:02d} 08:{number // 60:02d}:{number % 60:02d}"
        ticket = company.ticket(at, at.replace(" 08", " 09"), at.replace(" 08", " 10"), channel="email", team="care")
        company.call(at, queue=number)
        company.survey("csat", 5, at.replace(" 08", " 11"), ticket=ticket)


@pytest.fixture
def scans(answers, monkeypatch) -> list[int]:
    """How many answers each scan of a fact takes."""
    run, found = Scan.run, []

    def counted(self):
        before = len(answers)
        run(self)
        found.append(len(answers) - before)

    monkeypatch.setattr(Scan, "run", counted)
    return found


def measured(company, answers, cuts: bool, *addresses: str) -> list[pd.DataFrame]:
    company.card(*addresses, cuts=cuts)  # opens the source
    company._cards.clear()
    answers.clear()
    company.card(*addresses, cuts=cuts)
    return list(answers)


def test_a_fact_takes_a_few_queries_however_many_kpis_and_cuts_there_are(company, answers, scans, computed):
    busy(company, 6)
    company.cost(100)
    asked = []
    for cuts in (False, True):
        several = len(measured(company, answers, cuts, *registry()))
        asked.append((several, len(computed), scans[:]))
        scans.clear()
        computed.clear()
    assert asked[0] == asked[1]
    assert 0 < max(asked[0][2]) <= QUERIES_A_FACT
    assert len(measured(company, answers, True, "first_response_time")) <= 3
    assert len(measured(company, answers, True, "first_response_time", "resolution_time", "escalation_rate")) <= 4


def test_only_aggregates_come_back(company, answers):
    busy(company, 40)
    few = [len(frame) for frame in measured(company, answers, True, *registry()) if "survival" not in frame]
    busy(company, 400)
    everything = measured(company, answers, True, *registry())
    assert [len(frame) for frame in everything if "survival" not in frame] == few
    assert max(few) < 40
    curves = [frame.groupby(["part", "period"]).size() for frame in everything if "survival" in frame]
    assert len(curves) == 2  # of tickets created and of calls offered
    assert 100 < max(map(max, curves)) <= CURVE_STEPS + 1 + len(MARKS)


def test_the_worth_of_customers_takes_rows_by_tenure_and_amount_not_by_customer(company, answers):
    found = []
    for name in ("few", "more", "most"):
        for number in range(100):
            company.subscription(f"{name} {number}", "2022-01-01", "2022-06-01" if number < 20 else None)
            company.transaction(f"{name} {number}", number)
        card = company.card("clv", "clv.realised", period="2024-05")
        assert all(card.about["value"].values())
        found.append([len(frame) for frame in measured(company, answers, False, "clv", "clv.realised")])
    assert found[0] == found[1] == found[2]
    assert max(found[0]) < 4 * PERIODS  # the lifetime model is given two tenures for each period


def test_what_nobody_asked_for_is_not_computed(company, computed):
    busy(company, 2)
    company.survey("nps", 9)
    company.card("csat")
    company._cards.clear()
    computed.clear()
    assert company.value("nps") == 100
    assert len(computed) == 2  # the tickets that answers are about, and the answers; nothing of events

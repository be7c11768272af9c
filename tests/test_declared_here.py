"""A KPI that an analyst declares in a cell: the same evaluator, marked, and never in place of one of ours."""

import pytest

from kpi_lib import Report, Share
from kpi_lib.errors import KpiError
from kpi_lib.kpi import NOTEBOOK, REGISTRY, kpi


@pytest.fixture
def declared():
    """The decorator `kpi`, whose declarations are gone after the test."""
    yield kpi
    for address in [address for address, declared in REGISTRY.items() if declared.family == NOTEBOOK]:
        del REGISTRY[address]


@pytest.fixture
def urgent_share(declared):
    @declared(fact="tickets_created", unit="percent", better="lower", cuts=("channel",))
    def urgent_share(ticket):
        """The share of tickets that were created as urgent."""
        return Share(ticket.priority == "urgent")


@pytest.mark.usefixtures("urgent_share")
def test_it_is_measured_like_the_others_and_marked(company):
    company.tickets(3, created="2024-05-02 10:00", priority="urgent", channel="email")
    company.tickets(9, created="2024-05-03 10:00", priority="low", channel="web")
    report = Report("2024-05", str(company.loaded().path))
    assert report.finding("urgent_share").startswith("Urgent share (declared in this notebook) was 25.0%")
    by_channel = report.values("urgent_share", "channel")
    assert dict(zip(by_channel["member"], by_channel["numerator"], strict=True)) == {"email": 3, "web": 0}


def test_it_cannot_take_the_name_of_one_of_ours():
    with pytest.raises(KpiError, match="there is a KPI 'nps' already"):

        @kpi(fact="answers", unit="points", better="higher")
        def nps(answer):
            """Something else."""


def test_one_that_chooses_among_others_needs_only_the_chosen(company, declared):
    @declared(of=("clv.subscription", "clv.realised"), choose="customer_value.model", unit="currency", better="higher")
    def double_value(subscription, realised, *, model):
        """Twice the value by the chosen model."""
        return {"subscription": subscription, "realised": realised}[model] * 2

    company.transaction("a", 30)
    company.params(customer_value={"model": "realised"})
    assert company.value("double_value") == 60
    company.params(customer_value={"model": "subscription"})
    assert company.status("double_value") == "not_available"

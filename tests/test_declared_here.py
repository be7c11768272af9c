"""A KPI that an analyst declares in a cell: the same evaluator, marked, and never in place of one of ours."""

import pytest

from kpi_lib import Report, Share
from kpi_lib.errors import KpiError, UnknownNameError
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


def urgent(ticket):
    """The share of tickets of one priority."""
    return Share(ticket.priority == "urgent")


def low(ticket):
    """The share of tickets of one priority."""
    return Share(ticket.priority == "low")


def test_one_whose_cell_is_edited_is_measured_again(company, declared):
    company.tickets(3, created="2024-05-02 10:00", priority="urgent")
    company.tickets(9, created="2024-05-03 10:00", priority="low")
    report = Report("2024-05", str(company.loaded().path))
    plain = {"fact": "tickets_created", "unit": "percent", "better": "lower"}

    def value(kpi):
        return report.values(kpi)["value"].iloc[-1]

    declared(**plain, companion="one_priority")(urgent)
    assert value("one_priority") == 25

    @declared(of=("one_priority",), unit="percent", better="none")
    def twice(priority):
        """Twice that share."""
        return priority * 2

    assert value("twice") == 50
    declared(**plain, companion="one_priority")(low)
    assert (value("one_priority"), value("twice")) == (75, 150)
    assert len(report.values("one_priority")) == 13


def test_one_can_be_derived_from_a_reading(company, declared):
    for score in (10, 9, 8, 0, 10):
        company.survey("nps", score)

    @declared(of=("nps.promoters",), unit="percent", better="higher")
    def half(promoters):
        """Half the share of promoters."""
        return promoters * 0.5

    assert company.value("half") == 30


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"fact": "tickets_created", "cuts": ("chanel",)}, "no cut 'chanel' to take - did you mean 'channel'"),
        ({"of": ("nps.promotors",)}, r"no KPI 'nps.promotors' - did you mean 'nps.promoters'"),
        ({"of": ("nps",), "cuts": ("survey_chanel",)}, "no cut 'survey_chanel' to take - did you mean 'survey_ch"),
        ({"fact": "ticket_created"}, "no fact 'ticket_created' - did you mean 'tickets_created'"),
        ({"fact": "tickets_created", "params": ("thresholds.backlog_hour",)}, "no 'thresholds.backlog_hour' - did you"),
        ({"fact": "tickets_created", "params": ("treshold.backlog_hours",)}, "did you mean 'thresholds'"),
    ],
)
def test_what_is_misspelt_in_a_declaration_is_said(company, declared, said, message):
    @declared(**said, unit="percent", better="lower")
    def misspelt(row, **_):
        """A share."""
        return Share(row.priority == "urgent")

    company.ticket("2024-05-02 10:00", priority="urgent")
    with pytest.raises(UnknownNameError, match=message):
        company.value("misspelt")

"""Support cost by channel: what is for all channels is shared by the time that agents handled each."""

import pytest

from kpi_lib.estimate import Total
from kpi_lib.kpi import REGISTRY, kpi


@pytest.fixture
def spent(company):
    """Support cost by channel and in all, as a KPI over the fact would have it."""

    @kpi(fact="cost_days", unit="currency", better="lower", cuts=("channel",), title="Spent on support")
    def spent_on_support(cost):
        """Support cost."""
        return Total(cost.amount, of=cost.center == "support")

    def by_channel(period="2024-05"):
        members = company.members("spent_on_support", "channel", period)
        return {name: value for name, value in members.items() if value}, company.value("spent_on_support", period)

    yield by_channel
    del REGISTRY["spent_on_support"]


def test_common_cost_is_shared_by_the_time_of_calls_and_tickets(company, spent):
    company.call("2024-05-06 10:00", talk=200, hold=60, wrap=40)
    ticket = company.ticket("2024-05-06 10:00", channel="email")
    company.event(ticket, "2024-05-07 10:00", "internal_note", handle_seconds=600)
    junk = company.ticket("2024-05-06 10:00", channel="chat", is_spam=True)
    company.event(junk, "2024-05-07 10:00", "internal_note", handle_seconds=9000)
    company.event(ticket, "2024-06-01 10:00", "internal_note", handle_seconds=9000)  # June
    company.cost(90)
    company.cost(7, channel="chat", category="software")
    company.cost(50, center="acquisition")
    assert spent() == ({"phone": pytest.approx(30), "email": pytest.approx(60), "chat": 7}, pytest.approx(97))


def test_without_any_handle_time_common_cost_stays_with_no_channel(company, spent):
    company.call("2024-05-06 10:00", talk=0)
    company.cost(90)
    company.cost(7, channel="chat")
    assert spent() == ({"(none)": 90, "chat": 7}, 97)


def test_each_month_has_its_own_shares(company, spent):
    for day, channel in (("2024-04-06", "email"), ("2024-05-06", "chat")):
        ticket = company.ticket(f"{day} 10:00", channel=channel)
        company.event(ticket, f"{day} 11:00", "internal_note", handle_seconds=60)
    company.cost(61, first="2024-04-01", last="2024-05-31")
    assert spent("2024-05")[0] == {"chat": 31}
    assert spent("2024-04")[0] == {"email": 30}


def test_cost_is_not_shared_by_the_time_of_calls_alone(company):
    """Tickets took time too, which nobody recorded."""
    company.tickets(10, created="2024-05-06 10:00", channel="email")
    company.tickets(10, created="2024-05-06 10:00", channel="phone")
    company.calls(10, talk=60)
    company.cost(3100)
    for channel in ("email", "phone"):
        assert company.status("cost_per_ticket", cut="channel", member=channel) == "undefined"
    assert company.value("cost_per_ticket") == 155

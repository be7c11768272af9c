"""Channels beside each other, with rows that can be worked out in the head."""

import pytest


def rows_of(company, address, period="2024-05"):
    frame = company.card(address).frame
    rows = frame[(frame["kpi"] == address) & (frame["period"] == period)]
    return {row["member"]: row for row in rows.to_dict("records")}


@pytest.fixture
def two_channels(company):
    """Chat is better than email in one indicator, surely: 60 satisfied of 60 against 20 of 60."""
    for channel, satisfied in (("chat", 60), ("email", 20)):
        for number in range(60):
            ticket = company.ticket("2024-05-06 08:00", resolved="2024-05-06 09:00", channel=channel)
            company.survey("csat", 5 if number < satisfied else 1, ticket=ticket)
    return company


def test_the_balance_is_indicators_better_less_indicators_worse(two_channels):
    made = rows_of(two_channels, "channel_performance")
    assert (made["chat"]["value"], made["email"]["value"]) == (1, -1)
    assert made["chat"]["status"] == "ok"


def test_an_indicator_repeats_the_rows_of_its_kpi(two_channels):
    frame = two_channels.card("channel_performance", "channel_performance.csat", "csat", cuts=True).frame
    frame = frame[(frame["period"] == "2024-05") & (frame["cut"] == "channel")].set_index("member")
    for column in ("value", "numerator", "denominator", "n", "low", "high", "method", "status"):
        made = frame.loc[frame["kpi"] == "channel_performance.csat", column]
        assert made.to_dict() == frame.loc[frame["kpi"] == "csat", column].to_dict()


@pytest.mark.parametrize(
    "address",
    [
        "channel_performance.ticket_volume",
        "channel_performance.tickets_by_channel",
        "channel_performance.first_response_time",
        "channel_performance.resolution_time",
        "channel_performance.first_contact_resolution",
        "channel_performance.csat",
        "channel_performance.abandonment_rate",
        "channel_performance.cost_per_ticket",
    ],
)
def test_each_of_the_eight_indicators_stands_beside_the_balance(company, address):
    company.ticket("2024-05-06 08:00", "2024-05-06 08:30", "2024-05-06 09:00", channel="phone", customer="ann")
    company.call(channel="phone", agent_id="anna")
    company.survey("csat", 5, ticket="tickets-0001")
    company.cost(10, channel="phone")
    original = company.row(address.partition(".")[2], cut="channel", member="phone")
    assert original["value"] is not None
    assert rows_of(company, address)["phone"]["value"] == original["value"]


def test_with_the_same_mix_two_channels_that_differ_in_mix_alone_are_equal(company):
    """Easy tickets take 1 hour and hard ones 10 on both channels; chat has many easy ones, email many hard ones."""
    for channel, easy, hard in (("chat", 6, 2), ("email", 2, 6)):
        company.tickets(easy, created="2024-05-06 08:00", resolved="2024-05-06 09:00", channel=channel, type="easy")
        company.tickets(hard, created="2024-05-06 08:00", resolved="2024-05-06 18:00", channel=channel, type="hard")
    plain = rows_of(company, "channel_performance.resolution_time")
    adjusted = rows_of(company, "channel_performance.resolution_time_adjusted")
    assert [plain[channel]["value"] for channel in ("chat", "email")] == [60, 600]
    assert [adjusted[channel]["value"] for channel in ("chat", "email")] == [60, 60]  # half of all are easy
    assert adjusted["chat"]["n"] == 8


def test_without_the_breakdowns_the_channels_are_there_too(two_channels):
    values = two_channels.card("channel_performance", "csat").frame
    assert set(values.loc[values["kpi"] == "channel_performance", "member"].dropna()) == {"chat", "email"}
    assert values.loc[values["kpi"] == "csat", "cut"].isna().all()

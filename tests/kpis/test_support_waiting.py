"""Support operations, the queue of calls and chats: on rows that can be worked out in the head."""

import pytest

WAIT = ("wait_time", "wait_time.median", "wait_time.p90", "wait_time.virtual")
ANSWER = ("average_speed_of_answer", "average_speed_of_answer.median", "average_speed_of_answer.p90")
BLOCKED = ("blockage_rate", "blockage_rate.count", "blockage_rate.expected")


def test_waiting_counts_those_who_gave_up_and_the_speed_of_answer_does_not(company):
    company.calls(2, queue=0)  # a wait of nothing is a wait
    company.calls(2, queue=20)
    company.calls(2, queue=60, outcome="abandoned_queue")
    company.calls(3, queue=5, outcome="abandoned_queue")  # at once: in neither
    company.call(queue=None)  # nobody knows
    company.calls(2, queue=999, outcome="voicemail")
    company.card(*WAIT, *ANSWER)
    found = {address: (company.value(address), company.row(address)["n"]) for address in (*WAIT, *ANSWER)}
    assert found == {
        "wait_time": (pytest.approx(160 / 6), 6),
        "wait_time.median": (20, 6),
        "wait_time.p90": (60, 6),
        "wait_time.virtual": (20, 6),  # 2/3 after 0 s, 1/3 after 20 s
        "average_speed_of_answer": (10, 4),
        "average_speed_of_answer.median": (0, 4),
        "average_speed_of_answer.p90": (20, 4),
    }


def test_the_patient_wait_longer_than_those_who_were_answered(company):
    company.calls(2, queue=10)
    company.calls(4, queue=20, outcome="abandoned_queue")
    company.calls(3, queue=60)
    company.card(*WAIT)
    assert (company.value("wait_time.median"), company.value("wait_time.virtual")) == (20, 60)


def test_what_is_given_up_at_once_is_a_param(company):
    company.params(thresholds={"short_abandon_seconds": 30})
    company.calls(5, queue=10)
    company.calls(5, queue=30, outcome="abandoned_queue")
    company.calls(5, queue=40, outcome="abandoned_queue")
    company.card(*WAIT)
    assert (company.value("wait_time"), company.row("wait_time")["n"]) == (25, 10)
    assert company.row("wait_time.virtual")["n"] == 10


def test_the_interval_of_waiting_is_over_days(company):
    for day in range(1, 31):
        company.calls(2, offered=f"2024-05-{day:02d} 10:00", queue=10 * day)
    company.card(*WAIT, *ANSWER)
    for address in ("wait_time", "average_speed_of_answer"):
        row = company.row(address)
        assert (row["value"], row["method"]) == (155, "delta method by day")
        assert row["low"] < 155 < row["high"]


def test_waiting_by_queue_and_channel(company):
    company.calls(5, queue=10)
    company.calls(5, queue=40, channel="chat")
    assert company.members("wait_time", "channel") == {"phone": 10, "chat": 40}
    assert company.members("wait_time.p90", "channel") == {"phone": 10, "chat": 40}
    assert company.members("average_speed_of_answer.median", "channel") == {"phone": 10, "chat": 40}


def test_the_team_of_a_call_is_that_of_the_agents_shift_of_the_day_else_of_the_latest(company):
    company.shift("anna", "2024-05-06 08:00", "2024-05-06 16:00", team="sales")
    company.shift("anna", "2024-05-08 08:00", "2024-05-08 16:00", team="care")
    company.calls(5, queue=10)  # on the 6th
    company.calls(5, queue=20, offered="2024-05-07 10:00")
    company.calls(5, queue=30, agent_id="bob")  # has no shift
    assert company.members("average_speed_of_answer", "team") == {"sales": 10, "care": 20, "(none)": 30}
    assert company.members("average_handle_time", "team") == {"sales": 60, "care": 60, "(none)": 60}


def test_calls_of_a_month_stay_with_their_team_when_the_agent_has_moved(company):
    company.shift("anna", "2024-05-06 08:00", "2024-05-06 16:00", team="sales")
    company.calls(5, queue=10)
    before = company.members("average_handle_time", "team")
    company.shift("anna", "2024-05-20 08:00", "2024-05-20 16:00", team="care")
    assert company.members("average_handle_time", "team") == before == {"sales": 60}


def test_calls_without_times_have_no_wait(company):
    plain = {"channel": "phone", "queue": "sales", "offered_at": "2024-05-06 10:00"}
    company.add("calls", outcome="answered", **plain)
    company.card(*WAIT, *ANSWER)
    assert {company.status(address) for address in (*WAIT, *ANSWER)} == {"not_available"}
    assert company.row("wait_time")["method"] == "no column queue_seconds in calls"


def test_blocked_calls_are_a_share_of_all_that_were_tried(company):
    company.customer("tess", is_test=True)
    company.calls(6)
    company.calls(2, outcome="abandoned_queue", queue=2)  # at once, and yet it reached the queue
    company.calls(2, outcome="blocked", queue=0)
    company.call(outcome="blocked", queue=None, customer_id="tess")
    for outcome in ("abandoned_ivr", "voicemail", "callback"):
        company.call(outcome=outcome)
    company.call(outcome="blocked", direction="outbound")
    company.card(*BLOCKED[:2])
    row = company.row("blockage_rate")
    assert (row["value"], row["numerator"], row["denominator"]) == (20, 2, 10)
    assert row["method"] == "Wilson, clustered by hour-of-period"
    assert company.value("blockage_rate.count") == 2


def test_an_hour_full_of_blocked_calls_is_one_event(company):
    for hour in range(8, 18):
        outcome = "blocked" if hour == 9 else "answered"
        company.calls(10, offered=f"2024-05-06 {hour:02d}:30", outcome=outcome)
    row = company.row("blockage_rate")
    assert row["value"] == 10
    assert row["high"] - row["low"] > 30  # 11.9 if the calls were independent


def test_where_nobody_records_blocked_calls_there_is_no_rate_of_them(company):
    company.calls(10)
    company.card(*BLOCKED[:2])
    for address in BLOCKED[:2]:
        row = company.row(address)
        assert (row["status"], row["value"]) == ("not_available", None)
        assert row["method"] == "no call in calls has the outcome blocked"


def test_a_month_without_a_blocked_call_has_none_of_them(company):
    company.call("2024-04-06 10:00", outcome="blocked")
    company.calls(5)
    company.card(*BLOCKED[:2])
    assert (company.value("blockage_rate"), company.value("blockage_rate.count")) == (0, 0)


def test_the_vector_of_the_expected_blockage(company):
    company.params(thresholds={"trunks": 10})
    company.calls(10, talk=1500, hold=200, wrap=100)  # 10 x 1800 s in the hour: 5 erlang
    row = company.row("blockage_rate.expected")
    assert (row["value"], row["n"], row["method"]) == (pytest.approx(1.84, abs=0.005), 10, "Erlang B, 10 lines")


def test_the_expected_blockage_is_of_hours_weighted_by_their_phone_calls(company):
    company.params(thresholds={"trunks": 1})  # one line turns away a / (1 + a)
    company.calls(2, talk=1800)  # with the third an hour of 3/2 erlang: 3/5
    company.call(outcome="blocked", queue=None)
    company.call("2024-05-06 12:00", queue=300, talk=1500)  # an hour of 1/2 erlang: 1/3
    company.calls(50, channel="chat", talk=999)
    assert company.value("blockage_rate.expected") == pytest.approx(100 * (3 * 3 / 5 + 1 / 3) / 4)


def test_without_lines_or_talk_times_no_blockage_is_expected(company):
    company.calls(10)
    row = company.row("blockage_rate.expected")
    assert (row["status"], row["method"]) == ("not_available", "thresholds.trunks is not set")
    company.rows["calls"] = [{**row, "talk_seconds": None} for row in company.rows["calls"]]
    for row in company.rows["calls"]:
        del row["talk_seconds"]
    company.params(thresholds={"trunks": 10})
    assert company.row("blockage_rate.expected")["method"] == "no column talk_seconds in calls"

"""Support operations, calls and chats: on rows that can be worked out in the head."""

import pytest

ABANDONMENT = ("abandonment_rate", "abandonment_rate.all")
LEVEL = ("service_level", "service_level.answered_only", "service_level.ignore_short", "service_level.all_offered")
HANDLING = ("average_handle_time", "average_handle_time.talk", "average_handle_time.hold", "average_handle_time.wrap",
            "average_handle_time.median", "average_handle_time.p90")  # fmt: skip


def of_the_specification(company):
    """100 answered, 80 of them in time; 12 abandoned, 4 of them at once and 7 within the target."""
    company.calls(80, queue=20)  # on the target still in time
    company.calls(20, queue=21)
    company.calls(4, queue=5, outcome="abandoned_queue")
    company.calls(3, queue=20, outcome="abandoned_queue")
    company.calls(5, queue=60, outcome="abandoned_queue")


def test_the_vector_of_the_service_level_and_of_abandonment(company):
    of_the_specification(company)
    company.card(*LEVEL, *ABANDONMENT)
    values = {address: company.value(address) for address in (*LEVEL, *ABANDONMENT)}
    assert values == pytest.approx(
        {
            "service_level": 74.1,
            "service_level.answered_only": 80.0,
            "service_level.ignore_short": 76.2,
            "service_level.all_offered": 71.4,
            "abandonment_rate": 7.4,
            "abandonment_rate.all": 10.7,
        },
        abs=0.05,
    )
    row = company.row("service_level")
    assert (row["numerator"], row["denominator"]) == (80, 108)
    assert row["method"] == "Wilson, clustered by day"


def test_with_endless_patience_for_the_target_service_level_is_what_was_not_abandoned(company):
    of_the_specification(company)
    company.params(thresholds={"service_level_seconds": {"phone": 1e9}})
    company.card("service_level", "abandonment_rate")
    assert company.value("service_level") == pytest.approx(100 - company.value("abandonment_rate"))


def test_the_thresholds_are_params(company):
    of_the_specification(company)
    company.params(thresholds={"short_abandon_seconds": 20, "service_level_seconds": {"phone": 21}})
    company.card("service_level", "abandonment_rate")
    assert company.value("service_level") == pytest.approx(100 * 100 / 105)
    assert company.value("abandonment_rate") == pytest.approx(100 * 5 / 105)


def test_each_channel_has_its_own_target_and_one_without_is_left_out(company):
    company.calls(5, queue=40, channel="phone")
    company.calls(5, queue=40, channel="chat")
    company.calls(5, queue=1, channel="social")
    row = company.row("service_level")
    assert (row["value"], row["denominator"]) == (50, 10)
    assert company.value("service_level", cut="channel", member="chat") == 100


def test_only_answered_and_abandoned_in_the_queue_were_offered(company):
    company.customer("tess", is_test=True)
    company.calls(4)
    company.call(outcome="abandoned_queue", queue=30)
    for outcome in ("abandoned_ivr", "blocked", "voicemail", "callback"):
        company.call(outcome=outcome, queue=None)
    company.call(direction="outbound")
    company.call(outcome="abandoned_queue", queue=30, customer_id="tess")
    row = company.row("abandonment_rate.all")
    assert (row["value"], row["denominator"], row["excluded"]) == (20, 5, {"test": 1})


def test_calls_count_in_the_month_they_were_offered(company):
    company.call("2024-05-31 23:59:59")
    company.call("2024-06-01 00:00", outcome="abandoned_queue", queue=30)
    company.card("abandonment_rate", period="2024-06")
    months = ("2024-05", "2024-06")
    assert [company.value("abandonment_rate", month, reported="2024-06") for month in months] == [0, 100]


def test_bursts_of_bad_days_widen_the_interval(company):
    for day in range(1, 31):
        lost = 10 if day <= 3 else 0
        company.calls(
            10, offered=f"2024-05-{day:02d} 10:00", queue=30, outcome="abandoned_queue" if lost else "answered"
        )
    row = company.row("abandonment_rate")
    assert row["value"] == 10
    assert row["high"] - row["low"] > 15  # 6.8 if the calls were independent


def test_patience_is_the_median_when_those_answered_would_have_waited_on(company):
    company.calls(2, queue=10, outcome="abandoned_queue")
    company.calls(2, queue=20)
    company.calls(2, queue=30, outcome="abandoned_queue")
    row = company.row("abandonment_rate.patience")
    assert (row["value"], row["n"], row["unit"]) == (30, 6, "seconds")  # 2/3 after 10 s, 0 after 30 s


def test_handle_time_is_talk_hold_and_wrap_without_the_queue(company):
    for talk in (60, 120, 180, 240, 300):
        company.call(queue=500, talk=talk, hold=30, wrap=10)
    company.card(*HANDLING)
    values = {address: company.value(address) for address in HANDLING}
    assert values == {
        "average_handle_time": 220,
        "average_handle_time.talk": 180,
        "average_handle_time.hold": 30,
        "average_handle_time.wrap": 10,
        "average_handle_time.median": 220,
        "average_handle_time.p90": 340,
    }
    assert (company.row("average_handle_time")["numerator"], company.row("average_handle_time")["n"]) == (1100, 5)


def test_parts_that_the_switch_does_not_report_are_none(company):
    company.calls(4, talk=60)
    company.call(talk=60, hold=0, wrap=0)
    company.card(*HANDLING)
    assert (company.value("average_handle_time"), company.value("average_handle_time.wrap")) == (60, 0)


def test_a_call_is_handled_in_the_month_in_which_its_wrap_up_ends(company):
    company.call("2024-05-31 23:58:00", queue=10, talk=100, hold=5, wrap=5)  # ends on the stroke of June
    company.call("2024-05-31 23:58:00", queue=10, talk=100, hold=5, wrap=4)
    company.call("2024-05-31 23:58:00", outcome="abandoned_queue", queue=10)
    company.card("average_handle_time", period="2024-06")
    rows = [company.row("average_handle_time", month, reported="2024-06") for month in ("2024-05", "2024-06")]
    assert [(row["value"], row["n"]) for row in rows] == [(109, 1), (110, 1)]


def test_the_interval_of_handle_time_is_over_agents_and_days(company):
    for day in range(1, 16):
        company.calls(2, offered=f"2024-05-{day:02d} 10:00", talk=100, agent_id="anna")
        company.call(offered=f"2024-05-{day:02d} 10:00", talk=400, agent_id="bob")
    row = company.row("average_handle_time")
    assert row["value"] == 200
    assert row["method"] == "delta method by agent-day"  # 30 of them
    assert row["low"] < 200 < row["high"]


def test_few_agent_days_have_a_value_and_no_interval(company):
    company.calls(50)
    row = company.row("average_handle_time")
    assert (row["value"], row["status"], row["low"]) == (60, "ok", None)
    assert row["method"] == "not estimable: fewer than 30 clusters"


def test_without_calls_in_the_month_shares_are_undefined(company):
    company.call("2024-04-02 10:00", hold=1, wrap=1)
    company.call("2024-06-02 10:00")
    company.card(*LEVEL, *ABANDONMENT, *HANDLING)
    statuses = {company.status(address) for address in (*LEVEL, *ABANDONMENT, *HANDLING)}
    assert statuses == {"undefined"}


def test_calls_without_times_have_no_service_level_and_no_handle_time(company):
    for outcome in ("answered",) * 5 + ("abandoned_queue",) * 5:
        plain = {"channel": "phone", "queue": "sales", "offered_at": "2024-05-06 10:00"}
        company.add("calls", outcome=outcome, **plain)
    company.card(*LEVEL, *ABANDONMENT, "abandonment_rate.patience", *HANDLING)
    unknown = {*LEVEL, "abandonment_rate", "abandonment_rate.patience", *HANDLING}
    assert {company.status(address) for address in unknown} == {"not_available"}
    assert company.row("service_level")["method"] == "no column queue_seconds in calls"
    assert company.row("average_handle_time")["method"] == "no column talk_seconds in calls"
    assert company.value("abandonment_rate.all") == 50


def test_a_call_whose_wait_is_unknown_is_in_no_service_level_but_was_answered(company):
    company.calls(5, queue=10)
    company.calls(5, queue=30)
    company.calls(5, queue=None)
    company.calls(5, queue=None, outcome="abandoned_queue")  # perhaps at once
    company.calls(5, queue=60, outcome="abandoned_queue")
    company.card(*LEVEL, *ABANDONMENT)
    counted = {address: company.row(address)["denominator"] for address in (*LEVEL, *ABANDONMENT)}
    assert counted == dict(zip((*LEVEL, *ABANDONMENT), (15, 10, 15, 15, 20, 25), strict=True))
    assert company.value("service_level") == pytest.approx(100 * 5 / 15)
    assert company.value("abandonment_rate") == 25


def test_a_call_whose_talk_time_is_unknown_has_no_handle_time(company):
    company.calls(5, talk=100, hold=20)
    company.calls(5, talk=None, wrap=40)
    company.card(*HANDLING)
    counted = {address: (company.value(address), company.row(address)["n"]) for address in HANDLING}
    assert counted == dict(zip(HANDLING, ((120, 5), (100, 5), (20, 5), (0, 5), (120, 5), (120, 5)), strict=True))


def test_hold_and_wrap_up_that_the_source_does_not_record_are_not_there(company):
    company.call(talk=100)
    assert company.status("average_handle_time.hold") == company.status("average_handle_time.wrap") == "not_available"
    assert company.value("average_handle_time") == 100


def test_the_hours_of_the_week_are_local(company):
    company.call("2024-05-06 09:59", queue=5)
    company.call("2024-05-13 09:00", queue=500)
    company.call("2024-05-12T22:30Z", queue=5)  # Monday, half past midnight in Berlin
    assert company.members("service_level", "weekday_hour") == {"1 mon 00": 100, "1 mon 09": 50}
    assert company.members("ticket_volume", "weekday_hour") == {"1 mon 00": 1, "1 mon 09": 2}

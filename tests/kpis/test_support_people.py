"""Worked examples of the people KPIs: few agents, a day or two."""

import json

import pytest

from kpi_lib.kpis import support_people
from kpi_lib.ranking import WEIGHTS


def reply(company, ticket, agent, at="2024-05-06 10:00", **columns):
    company.event(ticket, at, "public_reply", agent_id=agent, **columns)


def resolve(company, agent, count, hours=1, **columns):
    """Resolve as many tickets, each so many hours after its creation, by an agent to whom they were assigned."""
    for _ in range(count):
        ticket = company.ticket("2024-05-06 08:00", resolved=f"2024-05-06 {8 + hours:02d}:00", **columns)
        company.event(ticket, "2024-05-06 08:00", "assign", actor="system", to_value=agent)


def day(company, agent, start="2024-05-06 08:00", end="2024-05-06 18:00", **columns):
    company.shift(agent, start, end, **columns)


def test_a_conversation_counts_once_for_each_person_and_day(company):
    first, second = company.ticket("2024-05-06 08:00"), company.ticket("2024-05-06 08:00")
    for hour in ("09", "10", "11"):
        reply(company, first, "anna", f"2024-05-06 {hour}:00")
    reply(company, second, "anna")
    reply(company, first, "bob")  # anna has handed it over: counts for both
    row = company.row("conversations_per_teammate")
    assert (row["value"], row["numerator"], row["denominator"]) == (1.5, 3, 2)
    assert company.value("conversations_per_teammate.source_formula") == 1  # 2 tickets / (1 day x 2 people)


def test_a_day_at_work_is_a_paid_shift_or_handled_work(company):
    ticket = company.ticket("2024-05-06 08:00")
    reply(company, ticket, "anna")
    company.call("2024-05-07 10:00", agent_id="anna")
    company.event(ticket, "2024-05-08 10:00", "internal_note", agent_id="anna")  # no recorded time, so no work
    day(company, "anna", "2024-05-13 08:00", "2024-05-13 18:00")
    day(company, "anna", "2024-05-14 08:00", "2024-05-14 18:00", activity="absent")
    day(company, "anna", "2024-05-15 08:00", "2024-05-15 18:00", paid=False)
    assert company.row("conversations_per_teammate")["denominator"] == 3
    assert company.value("conversations_per_teammate.source_formula") == pytest.approx(1 / 3)


def test_a_shift_after_the_extract_is_not_there_yet_and_a_running_one_counts_so_far(company):
    company.as_of = "2024-05-06T12:00+02:00"
    day(company, "anna", "2024-05-06 08:00", "2024-05-06 16:00")
    day(company, "anna", "2024-05-07 08:00", "2024-05-07 16:00")
    company.call("2024-05-06 09:00", talk=3600)
    assert company.value("agent_utilization") == 25


def test_bots_and_tickets_that_do_not_count_are_no_work_but_tickets_opened_by_agents_are(company):
    for columns in ({}, {"is_spam": True}, {"is_test": True}, {"initiated_by": "agent"}):
        reply(company, company.ticket("2024-05-06 08:00", **columns), "anna")
    reply(company, company.ticket("2024-05-06 08:00"), "robot", actor="bot")
    assert company.row("conversations_per_teammate")["numerator"] == 2
    assert company.row("conversations_per_teammate")["denominator"] == 1


def test_the_day_is_the_company_s_own(company):
    ticket = company.ticket("2024-05-06 08:00")
    reply(company, ticket, "anna", "2024-05-06 23:30")
    reply(company, ticket, "anna", "2024-05-07 00:30")  # the same day in UTC
    assert company.row("conversations_per_teammate")["denominator"] == 2
    assert company.members("conversations_per_teammate", "weekday") == {"1 mon": 1, "2 tue": 1}


def test_cases_per_agent_divides_by_those_who_worked(company):
    resolve(company, "anna", 2)
    resolve(company, None, 1)
    company.ticket("2024-05-06 08:00")
    held = company.ticket("2024-05-06 08:00", team="care")
    company.event(held, "2024-05-07 08:00", "assign", actor="system", to_value="anna")
    company.event(held, "2024-06-02 08:00", "assign", actor="system", to_value="bob")
    day(company, "anna", team="care")
    day(company, "bob", team="billing")
    day(company, "bob", "2024-05-07 08:00", "2024-05-07 18:00", team="billing")
    row = company.row("cases_per_agent")
    assert (row["value"], row["numerator"], row["denominator"]) == (1.5, 3, 2)
    assert company.value("cases_per_agent.open") == 0.5
    assert [company.value("cases_per_agent.open", cut="team", member=team) for team in ("care", "billing")] == [1, 0]


def test_cases_per_full_time_agent_counts_available_hours(company):
    company.params(thresholds={"full_time_hours": 7})  # of 31 days: 31 hours
    resolve(company, "anna", 3)
    day(company, "anna", "2024-05-06 08:00", "2024-05-06 23:30")
    day(company, "bob", "2024-05-06 08:00", "2024-05-06 23:30")
    day(company, "bob", "2024-05-07 08:00", "2024-05-07 23:30", activity="training")
    assert company.value("cases_per_agent.per_full_time") == pytest.approx(3)


def test_nobody_at_work_leaves_nothing_to_divide_by(company):
    resolve(company, None, 1)
    company.table("agent_shifts", "calls")
    assert company.status("cases_per_agent") == "undefined"
    assert company.status("conversations_per_teammate") == "undefined"


def test_utilization_is_handle_time_of_calls_and_tickets_in_paid_time(company):
    day(company, "anna", "2024-05-06 08:00", "2024-05-06 16:00")
    day(company, "anna", "2024-05-06 16:00", "2024-05-06 18:00", activity="meeting")
    day(company, "anna", "2024-05-06 18:00", "2024-05-06 19:00", activity="break", paid=False)
    company.call("2024-05-06 09:00", queue=600, talk=3000, hold=300, wrap=300)
    company.call("2024-05-06 09:00", outcome="abandoned_queue", queue=600)
    company.call("2024-05-06 09:00", talk=3600, direction="outbound")
    reply(company, company.ticket("2024-05-06 08:00"), "anna", handle_seconds=1800)
    reply(company, company.ticket("2024-05-06 08:00", is_spam=True), "anna", handle_seconds=1800)
    row = company.row("agent_utilization")
    assert (row["value"], row["numerator"], row["denominator"]) == (15, 5400, 36000)
    assert company.value("agent_utilization.occupancy") == 18.75


def test_a_call_belongs_to_the_day_on_which_it_ends_and_work_off_duty_counts(company):
    day(company, "anna", "2024-05-06 08:00", "2024-05-06 18:00")
    company.call("2024-05-06 23:50", talk=1200)
    assert company.value("agent_utilization") == pytest.approx(100 * 1200 / 36000)
    rows = {name: company.row("agent_utilization", cut="weekday", member=name) for name in ("1 mon", "2 tue")}
    assert (rows["1 mon"]["value"], rows["2 tue"]["numerator"]) == (0, 1200)
    assert rows["2 tue"]["status"] == "undefined"


def test_utilization_is_not_capped(company):
    day(company, "anna", "2024-05-06 08:00", "2024-05-06 09:00")
    company.calls(2, offered="2024-05-06 08:00", talk=3600)  # two chats at a time
    assert company.value("agent_utilization") == 200


def test_utilization_needs_shifts_and_the_time_of_all_work(company):
    company.call("2024-05-06 09:00", talk=3600)
    assert company.status("agent_utilization") == "not_available"
    day(company, "anna")
    assert company.value("agent_utilization") == 10  # calls are all there is
    ticket = company.ticket("2024-05-06 08:00", "2024-05-06 09:00")
    assert company.status("agent_utilization") == "not_available"  # what tickets took, nobody knows
    assert company.value("conversations_per_teammate") == 1
    reply(company, ticket, "anna", handle_seconds=3600)
    assert company.value("agent_utilization") == 20


def test_a_day_is_in_the_team_of_its_shift_else_of_the_latest(company):
    day(company, "anna", "2024-05-06 08:00", "2024-05-06 18:00", team="care", tier=1)
    day(company, "anna", "2024-05-07 08:00", "2024-05-07 18:00", team="billing", tier=2)
    ticket = company.ticket("2024-05-06 08:00")
    for at in ("2024-05-06 09:00", "2024-05-09 09:00"):
        reply(company, ticket, "anna", at)
    assert company.members("conversations_per_teammate", "team") == {"care": 1, "billing": 0.5}
    assert company.members("conversations_per_teammate", "tier") == {"1": 1, "2": 0.5}


def test_attainment_is_the_share_of_recorded_work_within_the_target(company):
    for seconds in (600, 601, 0, None):
        ticket = company.ticket("2024-05-06 08:00", resolved="2024-05-06 20:00")
        company.event(ticket, "2024-05-06 09:00", "public_reply", agent_id="anna", handle_seconds=seconds)
    by_bot = company.ticket("2024-05-06 08:00")
    company.event(by_bot, "2024-05-06 09:00", "public_reply", agent_id="anna", handle_seconds=60)
    company.event(by_bot, "2024-05-06 09:00", "status", actor="bot", to_value="resolved")
    row = company.row("agent_target_attainment")
    assert (row["value"], row["numerator"], row["denominator"]) == (50, 1, 2)
    company.params(thresholds={"agent_target_minutes": 11})
    assert company.value("agent_target_attainment") == 100


def test_attainment_needs_time_tracking(company):
    company.ticket("2024-05-06 08:00", resolved="2024-05-06 20:00")
    assert company.status("agent_target_attainment") == "not_available"


def people(company, minutes, hours=(1, 1, 1, 1, 1)):
    """Give each of several agents an hour or more at work and one call of some minutes."""
    for number, (talk, length) in enumerate(zip(minutes, hours, strict=False)):
        day(company, f"agent {number}", "2024-05-06 08:00", f"2024-05-06 {8 + length:02d}:00")
        company.call("2024-05-06 08:00", agent_id=f"agent {number}", talk=60 * talk)


def test_workload_balance_is_the_gini_index_of_work_per_hour(company):
    people(company, (10, 10, 10, 10, 30))
    row = company.row("workload_balance")
    assert row["value"] == pytest.approx(80 / 350)
    assert row["low"] <= row["value"] <= row["high"]
    assert row["n"] == 5


def test_who_works_longer_may_do_more(company):
    people(company, (10, 10, 10, 10, 30), (1, 1, 1, 1, 3))
    assert company.value("workload_balance") == pytest.approx(0)


def test_balance_is_not_told_for_four_people(company):
    people(company, (10, 10, 10, 30))
    assert company.status("workload_balance") == "not_estimable"
    assert company.status("workload_balance.expected") == "not_estimable"


def test_without_times_and_shifts_contacts_by_day_are_compared(company):
    for number, contacts in enumerate((1, 1, 1, 1, 3)):
        for _ in range(contacts):
            reply(company, company.ticket("2024-05-06 08:00"), f"agent {number}")
    assert company.value("workload_balance") == pytest.approx(8 / 35)


def test_some_unevenness_is_chance_and_the_less_the_more_contacts_there_are(company):
    people(company, (10, 10, 10, 10, 10))
    few = company.row("workload_balance.expected")
    assert 0 < few["low"] < few["value"] < few["high"] < 1
    company.calls(100, offered="2024-05-06 09:00", agent_id="agent 1")
    assert 0 < company.value("workload_balance.expected") < few["low"]


def test_the_faster_of_two_agents_leads(company):
    resolve(company, "anna", 20, hours=1)
    resolve(company, "bob", 20, hours=9)
    resolve(company, "carl", 19, hours=1)
    for agent in ("anna", "bob", "carl"):
        day(company, agent)
    readings = ("top_agents", "top_agents.rank", "top_agents.tie_group")
    frame = company.card(*readings, cuts=True).frame
    frame = frame[frame["period"] == "2024-05"]
    assert set(frame["cut"]) == {"agent"}  # no total
    table = frame.pivot(index="member", columns="kpi", values="value").sort_values("top_agents.rank")
    few = frame[frame["n"] == 19]
    assert set(few["status"]) == {"small_sample"}
    assert few["value"].isna().all()
    known = table.dropna()
    # half of their distance is 1 / square root of 2 standard deviations; this is one indicator of 0.2 in 0.6
    assert known["top_agents"].tolist() == pytest.approx([0.2 / 0.6 / 2**0.5, -0.2 / 0.6 / 2**0.5], abs=1e-3)
    assert known["top_agents.rank"].tolist() == [1, 2]
    assert known["top_agents.tie_group"].tolist() == [1, 2]


def test_agents_are_compared_on_cases_of_the_same_kind(company):
    resolve(company, "anna", 20, hours=1, type="password")
    resolve(company, "bob", 20, hours=9, type="refund")
    assert list(company.members("top_agents", "agent").values()) == pytest.approx([0, 0])
    assert list(company.members("top_agents.rank", "agent").values()) == [1, 1]
    assert list(company.members("top_agents.tie_group", "agent").values()) == [1, 1]


def aged_cases(company, agent):
    for _ in range(30):
        ticket = company.ticket("2024-05-06 08:00")
        company.event(ticket, "2024-05-06 08:00", "assign", actor="system", to_value=agent)


def reviewed(company, agent, score):
    for number in range(5):
        company.add(
            "qa_reviews", review_id=f"{agent} {number}", ticket_id=company.ticket("2024-05-06 08:00"), agent_id=agent,
            reviewer_id="eve", reviewed_at="2024-05-20 10:00", category="tone", score=score + number, scale_min=0,
            scale_max=100, weight=1, is_critical=False,
        )  # fmt: skip


def answered(company, agent, score):
    for _ in range(5):
        ticket = company.ticket("2024-05-06 08:00", resolved="2024-05-06 17:00")
        company.event(ticket, "2024-05-06 08:00", "assign", actor="system", to_value=agent)
        company.survey("csat", score, ticket=ticket)


def reopened(company):
    resolve(company, "anna", 30, hours=11)
    resolve(company, "bob", 30, hours=9, reopened="2024-05-06 18:00", closed="2024-05-06 19:00")


WORSE = {
    "cases per hour": lambda company: resolve(company, "anna", 30, hours=9),
    "aged open cases": lambda company: aged_cases(company, "bob"),
    "quality": lambda company: [reviewed(company, agent, score) for agent, score in (("anna", 90), ("bob", 10))],
    "satisfaction": lambda company: [answered(company, agent, score) for agent, score in (("anna", 5), ("bob", 2))],
    "reopened": reopened,
}


@pytest.mark.parametrize("what", WORSE)
def test_each_indicator_speaks_against_who_does_worse(company, what):
    resolve(company, "anna", 22, hours=9)  # who has the larger n
    resolve(company, "bob", 20, hours=9)
    day(company, "anna")
    day(company, "bob")
    assert list(company.members("top_agents", "agent").values()) == pytest.approx([0, 0])
    WORSE[what](company)
    frame = company.card("top_agents", cuts=True).frame
    bob, anna = frame[frame["period"] == "2024-05"].sort_values("n")["value"]
    assert bob == pytest.approx(-anna)
    assert anna > 0.05


def test_one_agent_alone_has_no_rank(company):
    resolve(company, "anna", 20)
    (member,) = company.members("top_agents", "agent")
    assert company.status("top_agents", cut="agent", member=member) == "not_estimable"


def test_there_is_no_ranking_without_tickets(company):
    company.call()
    assert set(company.card("top_agents").frame["status"]) == {"not_available"}


def test_the_docstring_names_the_weights():
    formula = " ".join((support_people.top_agents.__doc__ or "").split())
    assert [formula.count(f" {weight}") for weight in sorted(set(WEIGHTS.values()))] == [2, 4]
    assert sum(WEIGHTS.values()) == pytest.approx(1)


def test_no_agent_is_named(company):
    resolve(company, "anna-4711", 20)
    resolve(company, "bob-4712", 20, hours=2)
    held = company.ticket("2024-05-06 08:00")
    company.event(held, "2024-05-07 08:00", "assign", actor="system", to_value="anna-4711")
    day(company, "anna-4711")
    reply(company, held, "bob-4712", handle_seconds=60)
    mine = ("cases_per_agent", "conversations_per_teammate", "agent_utilization", "agent_target_attainment")
    card = company.card(*mine, "cases_per_agent.open", "workload_balance", "top_agents", cuts=True)
    said = card.frame.to_csv() + json.dumps(card.about, default=str)
    assert "Agent " in said
    assert "4711" not in said
    assert "4712" not in said


def test_a_case_taken_away_before_its_resolution_is_nobodys(company):
    case = company.ticket("2024-05-06 08:00", "2024-05-06 09:00", "2024-05-06 12:00")
    company.event(case, "2024-05-06 08:30", "assign", to_value="anna")
    company.event(case, "2024-05-06 10:00", "assign", to_value=None)
    day(company, "anna")
    assert company.row("cases_per_agent")["numerator"] == 1
    by_agent = company.members("cases_per_agent", "agent")
    assert [value for name, value in by_agent.items() if name != "(none)"] == [0]


def test_who_has_no_paid_shift_does_not_fill_the_paid_time_of_others(company):
    day(company, "anna", "2024-05-06 08:00", "2024-05-06 16:00")
    for agent in ("anna", "bob"):
        company.call("2024-05-06 09:00", talk=4 * 3600, agent_id=agent)
    company.card("agent_utilization", "agent_utilization.occupancy")
    assert (company.value("agent_utilization"), company.value("agent_utilization.occupancy")) == (50, 50)

"""What was issued against what the same months compute now: what differs as printed, and why."""

from dataclasses import replace

import pytest

from kpi_lib import restated, scorecard, source
from kpi_lib.period import Period

LATER = "2024-08-15T00:00+02:00"


def measured(company, *kpis, as_of=None, issued=(), period="2024-05"):
    """Measure as the command does, with the restatements of what was issued."""
    params = company.loaded()
    opened = source.open(params, as_of=as_of)
    card = scorecard.measure(
        opened, params, Period.parse(period), scorecard.needed_for(list(kpis) or ["csat"]), cuts=False
    )
    return restated.noted(card, opened, params, issued)


def answers(company, *scores, **columns):
    for score in scores:
        company.survey("csat", score, **columns)


def only(card):
    assert len(card.about["restated"]) == 1
    return card.about["restated"][0]


def test_what_is_computed_as_it_was_issued_is_not_restated(company):
    answers(company, 5, 5, 5, 5, 1)
    then = measured(company)
    assert then.about["restated"] == []
    assert measured(company, issued=[then]).about["restated"] == []


def test_an_answer_that_came_late_restates_the_month_and_is_named(company):
    answers(company, 5, 5, 5, 5, 1)  # 80 %
    then = measured(company)
    answers(company, 1)  # 4 of 6
    now = measured(company, issued=[then])
    found = only(now)
    assert (found["kpi"], found["period"], found["was"], found["now"]) == ("csat", "2024-05", "80.0%", "66.7%")
    assert (found["value_issued"], found["value"]) == (80.0, pytest.approx(66.67, abs=0.01))
    assert found["causes"] == ["late rows"]
    assert restated.lines([found], now.about) == [
        "Restated since issued: Customer satisfaction (CSAT), May 2024: 80.0% issued, 66.7% now (late rows)."
    ]


def test_an_earlier_month_is_compared_with_todays_number_for_it(company):
    answers(company, 5, 5, 5, 5, 1, answered="2024-04-10 12:00")
    then = measured(company, period="2024-04")
    answers(company, 1, answered="2024-04-11 12:00")
    answers(company, 5, 5, 5, 5, 5)
    assert only(measured(company, issued=[then]))["period"] == "2024-04"


def test_a_row_of_another_month_is_no_cause(company):
    answers(company, 5, 5, 5, 5, 1)
    then = measured(company)
    company.rows["surveys"][0]["score"] = 1
    answers(company, 5, answered="2024-06-10 12:00")
    assert only(measured(company, issued=[then]))["causes"] == ["cause not known"]


def test_a_row_that_is_gone_is_told(company):
    answers(company, 5, 5, 5, 5, 5, 1)
    then = measured(company)
    company.rows["surveys"].pop()
    company.table()
    assert only(measured(company, issued=[then]))["causes"] == ["rows taken away"]


def test_a_difference_below_rounding_is_none(company):
    answers(company, *[5] * 4000, 1)
    then = measured(company)
    answers(company, 5)
    assert measured(company, issued=[then]).about["restated"] == []


def test_a_changed_setting_is_told_from_a_changed_definition(company):
    answers(company, 5, 5, 5, 4, 1)  # 4 counts as satisfied
    then = measured(company)
    company.params(thresholds={"top_scores": {5: 5, 7: 6, 10: 9, 100: 75}})
    assert only(measured(company, issued=[then]))["causes"] == ["configuration changed"]
    other = replace(then, about=then.about | {"code": {"csat": "00000000"}})
    assert only(measured(company, issued=[other]))["causes"] == ["definition changed"]
    old = replace(then, about={name: said for name, said in then.about.items() if name != "code"})
    assert only(measured(company, issued=[old]))["causes"] == ["definition or configuration changed"]


def test_another_mapping_of_the_export_is_a_changed_configuration(company):
    answers(company, 5, 5, 5, 5, 1)
    then = measured(company)
    inputs = then.about["inputs"] | {"files": then.about["inputs"]["files"] | {"surveys.sql": "0"}}
    company.rows["surveys"][0]["score"] = 1
    found = only(measured(company, issued=[replace(then, about=then.about | {"inputs": inputs})]))
    assert found["causes"] == ["configuration changed"]


def test_a_ticket_that_was_reopened_or_merged_after_the_issue_is_told(company):
    kpis = ("ticket_volume", "resolved_cases")
    for day in range(1, 8):
        company.ticket(f"2024-05-{day:02d} 08:00", resolved=f"2024-05-{day:02d} 10:00")
    then = measured(company, *kpis, as_of="2024-08-01T00:00+02:00")
    first, second = (company.rows["tickets"][place] for place in (0, 1))
    company.event(first["ticket_id"], "2024-08-02 08:00", "status", to_value="open")
    company.event(first["ticket_id"], "2024-08-09 08:00", "status", to_value="closed")
    company.table()
    now = measured(company, *kpis, as_of=LATER, issued=[then])
    assert (only(now)["kpi"], only(now)["causes"]) == ("resolved_cases", ["reopened tickets"])
    second |= {"merged_into_id": first["ticket_id"], "merged_at": "2024-08-03 08:00"}
    company.table()
    now = measured(company, *kpis, as_of=LATER, issued=[then])
    assert {each["kpi"]: each["causes"] for each in now.about["restated"]} == {
        "ticket_volume": ["merged tickets"],
        "resolved_cases": ["merged tickets", "reopened tickets"],
    }
    traced = now.about["traces"]
    assert (traced["2024-05"]["merged"], traced["2024-05"]["reopened"]) == (1, 1)
    assert (traced["2024-04"]["merged"], traced["2024-04"]["reopened"]) == (0, 0)
    assert then.about["traces"]["2024-05"]["reopened"] == 0


def test_a_reopening_is_the_cause_of_a_time_to_resolution_when_there_is_no_other(company):
    for day in range(1, 7):
        company.ticket(f"2024-05-{day:02d} 08:00", resolved=f"2024-05-{day:02d} 1{day}:00")
    then = measured(company, "resolution_time", as_of="2024-08-01T00:00+02:00")
    ticket = company.rows["tickets"][0]["ticket_id"]
    company.event(ticket, "2024-08-02 08:00", "status", to_value="open")
    company.event(ticket, "2024-08-09 08:00", "status", to_value="closed")
    company.table()
    assert only(measured(company, "resolution_time", as_of=LATER, issued=[then]))["causes"] == ["reopened tickets"]


def test_a_number_that_was_provisional_says_so_and_nothing_else(company):
    answers(company, 5, 5, 5, 5, 1, 1, answered="2024-05-10 12:00")
    then = measured(company, as_of="2024-05-20T00:00+02:00")
    answers(company, 5, answered="2024-05-25 12:00")
    assert only(measured(company, issued=[then]))["causes"] == ["the number was provisional"]


def test_a_verdict_that_turns_is_said_on_page_one(company):
    company.params(targets={"csat": {"at_least": 75}})
    answers(company, 5, 5, 5, 5, 1)
    then = measured(company)
    answers(company, 1)
    now = measured(company, issued=[then])
    assert restated.verdicts(now.about["restated"], now.about) == [
        "Customer satisfaction (CSAT) of May 2024 was issued as 80.0%, which met its target; "
        "it is 66.7% now, which misses it (late rows)."
    ]
    answers(company, 5)  # 5 of 7 is another number, but still misses
    again = measured(company, issued=[now])
    assert len(again.about["restated"]) == 1
    assert restated.verdicts(again.about["restated"], again.about) == []


def test_a_number_that_is_gone_is_restated_and_one_that_was_not_issued_is_not(company):
    answers(company, 5, 5, 5, 5, 1)
    five = measured(company)
    company.rows["surveys"].pop()
    company.table()
    found = only(measured(company, issued=[five]))
    assert (found["now"], found["value"]) == ("–", None)
    four = measured(company)
    answers(company, 1)
    assert measured(company, issued=[four]).about["restated"] == []


def test_restatements_are_plain_data_that_the_scorecard_keeps(company, tmp_path):
    answers(company, 5, 5, 5, 5, 1)
    then = measured(company)
    answers(company, 1)
    card = measured(company, issued=[then])
    card.write(tmp_path)
    assert scorecard.Scorecard.read(tmp_path / "scorecard.parquet").about["restated"] == card.about["restated"]


def test_of_a_slice_the_rows_of_the_company_are_no_cause(company):
    answers(company, 5, 5, 5, 5, 1)
    then = measured(company)
    answers(company, 1)
    slices = [replace(card, about={**card.about, "traces": {}}) for card in (then, measured(company))]
    found = only(restated.with_restated(slices[1], [slices[0]]))
    assert (found["was"], found["now"], found["causes"]) == ("80.0%", "66.7%", ["cause not known"])


def turned(kpi, period="2024-05", cause="late rows", verdict="no_target"):
    told = {"kpi": kpi, "title": kpi, "period": period, "was": "1", "now": "2", "causes": [cause]}
    return told | {"verdict": verdict, "verdict_issued": "no_target"}


def test_many_numbers_that_one_cause_moved_are_one_line_and_those_with_a_target_are_named():
    late = [turned(kpi) for kpi in "abcd"]
    others = [turned("e", "2024-04"), turned("f", cause="merged tickets"), turned("g", verdict="missed")]
    assert restated.lines([*late, *others], {"language": "en"}) == [
        "Restated since issued: 5 numbers of May 2024 (late rows), among them g (1 issued, 2 now), "
        "a (1 issued, 2 now) and b (1 issued, 2 now).",
        "Restated since issued: e, April 2024: 1 issued, 2 now (late rows).",
        "Restated since issued: f, May 2024: 1 issued, 2 now (merged tickets).",
    ]
    assert len(restated.lines(late[:3], {"language": "en"})) == 3

"""The record of a number: statuses, comparisons, verdicts, and that it can be written and read back."""

import csv
import json
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from kpi_lib import scorecard, source
from kpi_lib.errors import KpiError, ParamsError, PeriodError, UnknownNameError
from kpi_lib.kpi import code_of
from kpi_lib.period import Period
from kpi_lib.scorecard import COLUMNS, KEY, Scorecard


def answers(company, kind, *scores, **columns):
    for score in scores:
        company.survey(kind, score, **columns)


def test_a_month_before_the_data_is_not_available_and_one_without_events_is_a_true_zero(company):
    company.ticket("2024-03-10")
    company.ticket("2024-05-10")
    company.card("ticket_volume", "first_response_time.never_answered", "first_response_time")
    volumes = {
        month: company.row("ticket_volume", month, reported="2024-05") for month in ("2024-02", "2024-03", "2024-04")
    }
    assert {month: (row["status"], row["value"]) for month, row in volumes.items()} == {
        "2024-02": ("not_available", None), "2024-03": ("ok", 1), "2024-04": ("ok", 0),
    }  # fmt: skip
    for address in ("first_response_time.never_answered", "first_response_time"):
        april = company.row(address, "2024-04", reported="2024-05")
        assert (april["status"], april["value"], april["low"], april["verdict"]) == (
            "undefined",
            None,
            None,
            "withheld",
        )


def test_a_table_that_is_not_there_is_named_and_an_empty_one_is_not_available(company):
    company.table("calls")
    company.lead("2024-05-01")
    company.card("abandonment_rate", "nps", "ticket_volume")
    assert company.row("nps")["method"] == "no table surveys"
    assert company.status("abandonment_rate") == "not_available"
    assert {company.row(address)["verdict"] for address in ("abandonment_rate", "nps", "ticket_volume")} == {"withheld"}


def test_fewer_than_five_rows_keep_their_value_and_interval_without_a_verdict(company):
    answers(company, "nps", 10, 10, 10, 0)
    company.params(targets={"nps": {"at_least": 10}, "ticket_volume": {"at_least": 1}})
    company.ticket("2024-05-10")
    company.card("nps", "ticket_volume", "nps.transactional")
    row = company.row("nps")
    assert (row["status"], row["value"], row["n"], row["verdict"]) == ("small_sample", 50, 4, "withheld")
    assert row["low"] < 50 < row["high"]
    census = company.row("ticket_volume")
    assert (census["status"], census["value"], census["verdict"]) == ("ok", 1, "on_target")


def test_verdicts_are_of_the_value_as_printed(company):
    answers(company, "csat", 5, 5, 5, 5, 1, 1)  # 66.67
    answers(company, "nps", 10, 9, 8, 7, 0)  # 40, 40, 20
    answers(company, "nps_tx", 10, 10)
    company.params(
        targets={
            "csat": {"at_least": 66.7}, "csat.mean": {"at_most": 66.6}, "nps": {"between": [20, 30]},
            "nps.promoters": {"at_least": 40.1}, "nps.detractors": {"at_most": 20},
            "nps.transactional": {"at_least": 0},
        }
    )  # fmt: skip
    card = company.card("csat", "csat.mean", "nps", "nps.transactional")
    now = card.frame[card.frame["period"] == "2024-05"].set_index("kpi")
    assert now["verdict"].to_dict() == {
        "csat": "on_target",  # 66.7 as printed
        "csat.mean": "missed",
        "nps": "on_target",
        "nps.promoters": "missed",
        "nps.passives": "no_target",
        "nps.detractors": "on_target",
        "nps.transactional": "withheld",
    }
    assert (now.loc["nps", "target_low"], now.loc["nps", "target_high"]) == (20, 30)
    assert now.loc["nps.passives", ["target_low", "target_high"]].isna().all()


@pytest.mark.parametrize(
    ("period", "churn", "kept"),
    [
        ("2024-05", 3, 97),
        ("2024-Q2", 8.7, 91.3),  # 1 - 0.97^3, as it is printed
        ("2024", 30.6, 69.4),
    ],
)
def test_a_target_for_a_month_holds_for_longer_periods(company, period, churn, kept):
    targets = {"churn_rate": {"at_most": 3, "basis": "month"}, "retention_rate": {"at_least": 97, "basis": "month"}}
    company.params(targets=targets)
    company.subscription("a")
    company.card("churn_rate", "retention_rate", period=period)
    assert company.row("churn_rate", period)["target_high"] == pytest.approx(churn)
    assert company.row("retention_rate", period)["target_low"] == pytest.approx(kept)


def test_a_target_for_a_year_is_smaller_for_a_month_and_one_without_basis_is_taken_as_it_is(company):
    company.params(
        targets={"churn_rate": {"at_most": 30, "basis": "year"}, "churn_rate.revenue": {"at_most": 30},
                 "retention_rate": {"between": [70, 90], "basis": "year"}}
    )  # fmt: skip
    company.subscription("a")
    company.card("churn_rate", "churn_rate.revenue", "retention_rate")
    assert company.row("churn_rate")["target_high"] == 2.9  # 1 - 0.7^(1/12), as it is printed
    assert company.row("churn_rate.revenue")["target_high"] == 30
    kept = company.row("retention_rate")
    assert (kept["target_low"], kept["target_high"]) == (97.1, 99.1)


def test_a_value_stands_beside_the_month_before_and_a_year_ago(company):
    answers(company, "csat", 5, 5, 5, 5, 1)
    answers(company, "csat", *[5] * 5, answered="2024-04-10")
    answers(company, "csat", *[1] * 5, answered="2023-05-10")
    row = company.row("csat")
    assert (row["value"], row["previous"], row["year_ago"]) == (80, 100, 0)
    frame = company.card("csat").frame
    assert list(frame["period"]) == [str(period) for period in Period.parse("2024-05").trailing(13)]


def test_a_month_that_is_not_over_is_compared_with_the_one_before_at_the_same_age(company):
    company.as_of = "2024-05-20T00:00+02:00"  # 19 days after its start, as 20 April
    company.tickets(3, created="2024-04-19 23:00")
    company.tickets(4, created="2024-04-20 01:00")
    company.tickets(5, created="2024-05-19 23:00")
    row = company.row("ticket_volume")
    assert (row["value"], row["previous"], row["provisional"], row["verdict"]) == (5, 3, True, "withheld")
    april = company.row("ticket_volume", "2024-04", reported="2024-05")
    assert (april["value"], april["provisional"]) == (7, False)


def test_a_month_whose_outcomes_are_awaited_is_compared_at_the_same_age(company):
    company.as_of = "2024-06-05T12:00+02:00"
    company.tickets(3, created="2024-04-02", resolved="2024-04-04")
    company.tickets(2, created="2024-04-02", resolved="2024-05-30")
    company.tickets(5, created="2024-04-20", resolved="2024-04-21")  # too young when April was as young as May is
    company.tickets(5, created="2024-05-02", resolved="2024-05-03")
    company.lead("2024-06-05")
    row = company.row("resolution_rate")
    assert (row["value"], row["previous"], row["provisional"]) == (100, 60, True)
    april = company.row("resolution_rate", "2024-04", reported="2024-05")
    assert (april["value"], april["provisional"]) == (80, False)


def test_what_is_known_later_is_not_seen_earlier(company):
    company.ticket("2024-05-10", resolved="2024-06-10")
    company.add("tickets", created_at="2024-05-10", loaded_at="2024-06-10")
    company.card("ticket_volume", "open_cases", as_of="2024-06-05T00:00+02:00")
    early = company.row("ticket_volume", as_of="2024-06-05T00:00+02:00")
    assert (early["value"], early["as_of"][:10]) == (1, "2024-06-05")
    assert company.row("open_cases", as_of="2024-06-05T00:00+02:00")["value"] == 1
    assert company.value("ticket_volume") == 2


def test_a_quarter_counts_what_its_months_do(company):
    for month in ("03", "04", "05", "06", "07"):
        company.ticket(f"2024-{month}-01 00:00")
    assert company.value("ticket_volume", "2024-Q2") == 3
    frame = company.card("ticket_volume", period="2024-Q2").frame
    assert list(frame["period"])[-2:] == ["2024-Q1", "2024-Q2"]
    assert company.row("ticket_volume", "2024-Q2")["previous"] == 1


def test_a_month_is_bounded_in_the_companys_time_zone(company):
    company.ticket("2024-04-30T22:00+00:00")  # midnight in Berlin
    company.ticket("2024-04-30T21:59+00:00")
    company.ticket("2024-05-31T22:00+00:00")
    assert company.value("ticket_volume") == 1
    company.params(time_zone="America/New_York")
    assert company.value("ticket_volume") == 1  # 18:00 there on 31 May
    assert company.value("ticket_volume", "2024-04", reported="2024-05") == 2


def test_members_are_rows_of_a_cut_and_rows_without_one_are_in_none(company):
    company.survey("csat", 5, ticket=company.ticket("2024-05-02", channel="chat"))
    company.survey("csat", 1)
    frame = company.card("csat", cuts=True).frame
    now = frame[frame["period"] == "2024-05"]
    total = now[now["cut"].isna()]
    assert (len(total), total["member"].isna().all(), total["value"].item()) == (1, True, 50)
    members = now[now["cut"] == "channel"].set_index("member")["value"].to_dict()
    assert members == {"chat": 100, "(none)": 0}
    assert not (frame["cut"] == "segment").any()  # nobody has one
    assert not frame.duplicated(KEY).any()


def test_totals_have_the_targets_and_members_have_none(company):
    company.params(targets={"csat": {"at_least": 99}})
    for channel in ("chat", "email"):
        for _ in range(5):
            company.survey("csat", 4, ticket=company.ticket("2024-05-02", channel=channel))
    assert company.row("csat")["verdict"] == "on_target"
    chat = company.row("csat", cut="channel", member="chat")
    assert (chat["status"], chat["verdict"], chat["target_low"]) == ("ok", "no_target", None)


def test_exact_copies_of_rows_change_nothing_and_are_counted(company):
    answers(company, "nps", 10, 10, 10, 0, 0)
    company.rows["surveys"] += [dict(row) for row in company.rows["surveys"][:3]]
    row = company.row("nps")
    assert (row["value"], row["n"]) == (20, 5)
    tables = {table["table"]: table["dropped"] for table in company.card("nps").about["tables"]}
    assert tables["surveys"] == {"exact duplicate": 3}


def test_the_definition_changes_with_a_param_that_is_read_and_no_other(company):
    answers(company, "nps", 10)
    addresses = ("nps", "csat", "first_contact_resolution", "clv", "clv.subscription", "ltv_cac_ratio")
    before = {address: company.row(address)["definition"] for address in addresses if company.card(*addresses)}
    assert all(len(digits) == 8 and int(digits, 16) >= 0 for digits in before.values())
    company.params(
        thresholds={"top_scores": {5: 5}, "first_contact_days": 3},
        customer_value={"model": "subscription", "horizon_months": 12},
    )
    company.card(*addresses)
    changed = {address for address in addresses if company.row(address)["definition"] != before[address]}
    assert changed == {"csat", "first_contact_resolution", "clv", "clv.subscription", "ltv_cac_ratio"}


def test_the_definition_changes_with_a_param_that_its_fact_reads(company):
    company.cost(1, center="acquisition")
    company.customer("w", first_paid_at="2024-05-10")
    before = company.row("cac")["definition"]
    company.params(acquisition={"lag_months": 1})
    assert company.row("cac")["definition"] != before


def _first(answer: Any) -> Any:
    def rate(answer):
        """One text."""
        return answer.score >= 9

    return rate


def _second(answer: Any) -> Any:
    def rate(answer):
        """Another text,

        and more of it.
        """
        return answer.score >= 9  # a remark

    return rate


def _third(answer: Any) -> Any:
    def rate(answer):
        """One text."""
        return answer.score >= 8

    return rate


def test_the_code_of_a_declaration_is_what_it_computes_not_what_it_says():
    first, second, third = (code_of(make(None)) for make in (_first, _second, _third))
    assert first == second
    assert first != third


@pytest.fixture
def written(company, tmp_path):
    """A small scorecard, measured and written; the folder and the scorecard."""
    company.params(targets={"nps": {"at_least": 30}})
    company.customer("tess", is_test=True)
    answers(company, "nps", 10, 9, 8, 0, 10)
    answers(company, "nps", 10, channel="=cmd()")
    company.survey("nps", 0, customer="tess")
    company.ticket("2024-05-02", channel="email")
    card = company.card("nps", "churn_rate", "ticket_volume", "tickets_by_channel", cuts=True)
    card.write(tmp_path)
    return tmp_path, card


def test_a_scorecard_is_read_back_as_it_was_written_with_what_it_was_made_from(written):
    folder, card = written
    again = Scorecard.read(folder / "scorecard.parquet")
    pd.testing.assert_frame_equal(again.frame, card.frame)
    assert again.about == card.about
    assert (again.period, list(again.frame.columns)) == ("2024-05", COLUMNS)
    about = json.loads(pq.read_schema(folder / "scorecard.parquet").metadata[b"kpi_lib"])
    assert (about["company"], about["period_label"], about["sample"]) == ("Test & Sons", "May 2024", False)
    assert about["as_of_source"] == "params"
    assert [table["table"] for table in about["tables"] if table["present"]] == [
        "customers", "tickets", "ticket_events", "surveys", "leads",
    ]  # fmt: skip
    assert about["kpis"]["nps"]["formula"].startswith("100 (promoters - detractors)")


def test_json_and_csv_hold_the_same_rows_and_no_formulas(written):
    folder, card = written
    rows = json.loads((folder / "scorecard.json").read_text())
    assert rows == scorecard.records(card.frame)
    nps = next(row for row in rows if (row["kpi"], row["period"], row["cut"]) == ("nps", "2024-05", None))
    assert (nps["excluded"], nps["member"], nps["year_ago"], nps["headline"]) == ({"test": 1}, None, None, True)
    lines = list(csv.DictReader((folder / "scorecard.csv").read_text().splitlines()))
    assert list(lines[0]) == COLUMNS
    assert [line["value"] for line in lines] == ["" if row["value"] is None else repr(row["value"]) for row in rows]
    assert "=cmd()" in {row["member"] for row in rows}
    members = {line["member"] for line in lines}
    assert "'=cmd()" in members  # a spreadsheet would compute the other
    assert not any(member.startswith(("=", "+", "-", "@")) for member in members)


def test_a_file_that_is_no_scorecard_says_so(tmp_path):
    with pytest.raises(KpiError, match="there is no scorecard"):
        Scorecard.read(tmp_path / "scorecard.parquet")
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "other.parquet")
    with pytest.raises(KpiError, match="is no scorecard"):
        Scorecard.read(tmp_path / "other.parquet")


def test_a_period_outside_the_data_names_its_first_and_last_month(company):
    company.rows.clear()
    company.ticket("2023-03-10")
    company.ticket("2024-05-10")
    with pytest.raises(PeriodError, match="no data for June 2024: it reaches from 2023-03 to 2024-05"):
        company.card("ticket_volume", period="2024-06")
    with pytest.raises(PeriodError, match="no data for February 2023"):
        company.card("ticket_volume", period="2023-02")
    with pytest.raises(PeriodError, match="no data for Q3 2024"):
        company.card("ticket_volume", period="2024-Q3")
    assert company.value("ticket_volume", "2024-Q2") == 1


def test_subscriptions_alone_reach_to_the_extract(company):
    company.rows.clear()
    company.subscription("a")
    company.subscription("b", ended="2024-05-10")
    assert company.value("churn_rate") == 50


@pytest.mark.parametrize(
    ("as_of", "latest", "last"),
    [
        ("2024-07-02T06:00+02:00", "2024-06-30 20:00", "2024-06"),
        ("2024-07-02T06:00+02:00", "2024-07-01 20:00", "2024-06"),
        ("2024-06-30T06:00+02:00", "2024-06-29 20:00", "2024-05"),  # June is not over
        ("2024-07-02T06:00+02:00", "2024-05-31 20:00", "2024-05"),  # June was not extracted
        ("2024-07-02T06:00+02:00", "2024-06-27 20:00", "2024-06"),
    ],
)
def test_the_last_period_is_the_last_complete_month_that_the_data_covers(company, as_of, latest, last):
    company.rows.clear()
    company.as_of = as_of
    company.ticket("2024-01-10")
    company.ticket(latest)
    params = company.loaded()
    assert str(scorecard.last_period(source.open(params), params)) == last


def test_build_checks_names_and_measures_everything_that_the_data_allows(company):
    answers(company, "nps", 10, 9, 8, 0, 10)
    card = scorecard.build(company.loaded(), Period.parse("2024-05"), cuts=False)
    now = card.frame[card.frame["period"] == "2024-05"].set_index("kpi")
    assert now.loc["nps", "value"] == 40
    assert set(now["status"]) == {"ok", "undefined", "not_available"}
    heads = {address for address in scorecard.table_kpis() if "." not in address}
    assert heads == {"tickets_by_channel", "tickets_by_type", "most_common_issues", "channel_performance", "top_agents"}
    company.params(targets={"npss": {"at_least": 1}})
    with pytest.raises(ParamsError, match=r"report.yaml:\d+: no KPI 'npss' - did you mean 'nps'"):
        scorecard.build(company.loaded(), Period.parse("2024-05"))
    company.params(targets={"nps": {"at_least": 1, "basis": "month"}})
    with pytest.raises(ParamsError, match=r"report.yaml:\d+: nps has no basis"):
        scorecard.build(company.loaded(), Period.parse("2024-05"))
    company.params(targets={}, events=[{"month": "2024-03", "text": "a", "kpis": ["nps", "crun_rate"]}])
    with pytest.raises(ParamsError, match=r"report.yaml:\d+: no KPI 'crun_rate' - did you mean 'churn_rate'"):
        scorecard.build(company.loaded(), Period.parse("2024-05"))
    company.params(events=[], notebooks=[{"name": "loyality"}])
    with pytest.raises(ParamsError, match=r"report.yaml:\d+: no notebook 'loyality' in .* - did you mean 'loyalty'"):
        scorecard.build(company.loaded(), Period.parse("2024-05"))


def test_what_is_asked_for_brings_what_it_is_derived_from_and_nothing_else():
    needed = set(scorecard.needed_for(["ltv_cac_ratio.gap", "nps.promoters"]))
    assert needed == {"ltv_cac_ratio.gap", "clv", "clv.subscription", "clv.purchases", "clv.realised", "cac", "nps"}
    with pytest.raises(UnknownNameError, match=r"no KPI 'nps.promotors' - did you mean 'nps.promoters'"):
        scorecard.needed_for(["nps.promotors"])
    with pytest.raises(UnknownNameError, match="no cut 'chanel' - did you mean 'channel'"):
        scorecard.find_cut("chanel")


def test_a_number_names_the_tables_it_needs_and_all_that_it_may_look_at(company):
    company.ticket("2024-05-09")
    kpis = scorecard.build(company.loaded(), Period.parse("2024-05"), cuts=False).about["kpis"]
    assert kpis["resolution_rate"]["needs"] == ["tickets"]
    assert {"tickets", "ticket_events", "customers"} <= set(kpis["resolution_rate"]["reads"])
    assert "surveys" not in kpis["resolution_rate"]["reads"]
    assert set(kpis["ltv_cac_ratio"]["reads"]) >= set(kpis["ltv_cac_ratio"]["needs"])

"""The object a notebook holds: what it shows, what it leaves unsaid, and what it refuses."""

import os
import re
import subprocess
import sys

import pandas as pd
import pytest
import small_scorecard

from kpi_lib import captions, parts, provenance
from kpi_lib.display import Cards, Finding, Note, Table
from kpi_lib.errors import KpiError, SourceError, UnknownNameError
from kpi_lib.report import Report
from kpi_lib.scorecard import Scorecard

PARAMS = small_scorecard.PARAMS + "notebooks: [{name: loyalty}]\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "params").mkdir()
    (tmp_path / "params/report.yaml").write_text(PARAMS)
    (tmp_path / "notebooks").mkdir()
    Scorecard(small_scorecard.scorecard(), small_scorecard.about()).write(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def open_report(folder, **changed):
    given = {"period": "2024-05", "scorecard": str(folder / "scorecard.parquet"), **changed}
    return Report(**given)


@pytest.fixture
def report(folder):
    return open_report(folder)


def test_params_are_looked_for_upwards(folder, monkeypatch):
    monkeypatch.chdir(folder / "notebooks")
    assert open_report(folder).params.company == "Kestrel <Outfitters> & Co"


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"period": "2024-04"}, "period '2024-05', not of '2024-04'"),
        ({"as_of": "2024-07-03T06:00+02:00"}, "not of 2024-07-03"),
    ],
)
def test_a_scorecard_of_something_else_is_refused(folder, changed, says):
    with pytest.raises(SourceError, match=says):
        open_report(folder, **changed)


def test_a_scorecard_that_is_not_there_is_named(folder):
    with pytest.raises(KpiError, match=r"absent\.parquet"):
        open_report(folder, scorecard="absent.parquet")


def test_another_companys_scorecard_is_refused(folder):
    (folder / "params/report.yaml").write_text(PARAMS.replace("Kestrel", "Merlin"))
    with pytest.raises(SourceError, match="company 'Kestrel"):
        open_report(folder)


def test_the_same_extract_in_another_zone_is_accepted(folder):
    assert open_report(folder, as_of="2024-07-02T06:00+02:00").period.label == "May 2024"


def test_an_audience_that_nobody_has_written_down_is_refused_in_words(folder):
    with pytest.raises(KpiError, match=r"there is no audiences\.yaml"):
        open_report(folder, audience="board")


def test_cards_show_the_headlines_of_a_family_and_name_what_is_missing_in_one_line(report):
    cards, note = report.cards("loyalty")
    assert isinstance(cards, Cards)
    assert [card.kpi for card in cards.cards] == ["nps"]
    assert cards.cards[0].value == "31.2"
    assert plain(cards.cards[0].judged) == "✓ on target (at least 30)"
    assert len(cards.cards[0].trend) == 13
    assert note == Note("Not available: Customer satisfaction (no surveys table).")


def test_a_kpi_without_data_is_named_once(report):
    report.cards("loyalty")
    assert report.finding("csat").silent
    assert report.trend("csat") == []
    assert isinstance(report.table("loyalty"), Table)


def test_a_kpi_without_data_is_named_where_it_is_first_met(report):
    assert not report.finding("csat").silent
    assert report.trend("csat") == []
    assert report.finding("csat").silent


def test_a_trend_without_data_leaves_a_note(report):
    assert report.trend("csat") == [Note("Not available: Customer satisfaction (no surveys table).")]


def test_a_finding_is_the_alternative_text_of_its_figure(report):
    finding = report.finding("nps")
    assert isinstance(finding, Finding)
    alt = report.trend("nps")._repr_mimebundle_()[1]["image/svg+xml"]["alt"]
    assert alt.endswith(finding)
    assert report.trend("nps", alt="Mine.")._repr_mimebundle_()[1]["image/svg+xml"]["alt"] == "Mine."


def test_a_marked_event_is_in_the_words_and_the_table_of_a_trend(folder):
    path = folder / "params/report.yaml"
    path.write_text(PARAMS + "events: [{day: 2024-03-04, text: The chat was down}]\n")
    data, metadata = open_report(folder).trend("nps")._repr_mimebundle_()
    assert metadata["image/svg+xml"]["alt"].endswith(". Marked: a: The chat was down (4 March 2024).")
    assert data["application/vnd.kpi+json"]["table"]["rows"][2][-1] == "a: The chat was down (4 March 2024)"


def test_a_breakdown_says_its_members_in_its_alternative_text(report):
    figure = report.by("first_response_time", "channel")
    alt = figure._repr_mimebundle_()[1]["image/svg+xml"]["alt"].replace("\N{NO-BREAK SPACE}", " ")
    assert alt == "First response time by channel: email 1 h 35 min, (none) –, chat 2 min."


def test_a_family_as_a_table_has_its_companions_with_interval_earlier_periods_and_target(report):
    table = report.table("nps")
    assert [column.label for column in table.columns] == [
        "", "May 2024", "95% interval", "April 2024", "May 2023", "n", "Target",
    ]  # fmt: skip
    assert table.rows == [["Net Promoter Score", "31.2", "28.0 to 34.4", "29.1", "26.2", "1,000", "at least 30 ✓ met"]]
    assert [row[0] for row in report.table("loyalty")[0].rows] == ["Net Promoter Score", "\N{EM SPACE}Promoters"]


def test_a_table_kpi_lists_its_members_largest_first(report):
    table = report.table("tickets_by_channel")
    assert table.rows == [["email", "150", "75.0%", "–", "–"], ["chat", "50", "25.0%", "–", "–"]]


def test_findings_come_by_importance_and_kind(report):
    missed = report.findings("missed")
    assert [finding.partition(" was")[0] for finding in missed] == ["First response time"]
    assert report.findings("changed") == [
        Note("Of 2 numbers that can be judged, none stands out from its ordinary month-to-month variation.")
    ]
    assert [finding.verdict for finding in report.findings()] == ["missed", "on_target"]


def test_the_glossary_defines_what_was_shown(report):
    assert report.glossary() == []
    report.finding("nps")
    report.table("tickets_by_channel")
    report.cards("loyalty")
    assert [entry.term for entry in report.glossary().entries] == ["Net Promoter Score", "Tickets by channel"]


def test_a_brief_glossary_says_what_numbers_mean_and_not_how_they_are_counted(report):
    report.finding("nps")
    (whole,), (brief,) = report.glossary().entries, report.glossary(brief=True).entries
    assert whole.details
    assert (brief.details, brief.summary, brief.meta) == ([], whole.summary, whole.meta)


def test_the_data_page_says_what_was_left_out_and_what_is_not_there(report):
    page = report.data_quality()
    assert page.rows == [["tickets", "4,210", "duplicate: 412", "1 May 2022", "30 Jun 2024"]]
    assert page.notes.pop(0) == "Not counted in First response time: spam 49, test 1,008."
    assert page.notes[0] == "tickets: resolved before created (3 rows, for example T-1)."
    assert page.notes[1] == "The numbers agree with each other in all 2 ways that can be checked."
    assert page.notes[2] == "Tables that are not there: surveys."
    assert "2 July 2024, 06:00 (Europe/Berlin)" in page.notes[3]
    assert re.fullmatch(
        r"Made with Python [\d.]+\w*, Ibis [\d.]+, DuckDB [\d.]+; fingerprint of the data [0-9a-f]{8}\.", page.notes[4]
    )
    assert page.notes[5] == "Sample data: the company is invented."


def test_the_data_page_is_confined_to_what_was_shown(report):
    """Answers are read from surveys, which are not there, and perhaps customers; requests from tickets."""
    report.about["kpis"]["nps"]["reads"] = ["surveys", "customers.segment or params.hours"]
    report.about["kpis"]["first_response_time"]["reads"] = ["tickets or calls"]
    report.finding("nps")
    page = report.data_quality()
    assert page.rows == []
    assert page.notes[:3] == [
        "Every check of the tables passed.",
        "The numbers agree with each other in all 2 ways that can be checked.",
        "Tables that are not there: surveys.",
    ]
    report.finding("first_response_time")
    page = report.data_quality()
    assert [row[0] for row in page.rows] == ["tickets"]
    assert page.notes[0] == "Not counted in First response time: spam 49, test 1,008."


def test_the_data_page_names_the_commit_of_the_project(report, monkeypatch):
    for told, said in (("5410e62", "commit 5410e62"), ("5410e62+", "commit 5410e62 + changes")):
        monkeypatch.setattr(provenance, "commit", lambda project, told=told: told)
        assert f"Made with {said}, Python " in report.data_quality().notes[-2]


def test_a_slices_data_page_says_whose_rows_were_read(report):
    report.about["audience"] = {"name": "large", "where": {"segment": "large"}}
    said = "The rows read and left out are those of the whole company, not of one segment alone."
    assert said in report.data_quality().notes


def test_what_cannot_be_told_of_a_slice_says_so(report):
    report.about["tables"] = [{"table": "surveys", "present": True}]
    report.about["kpis"]["csat"]["unsliced"] = "segment"
    said = parts.not_available(["csat"], report.about)
    assert said == "Not available: Customer satisfaction (cannot be shown for one segment)."


def test_a_hidden_number_says_nothing_of_how_many_cases_there_are(report):
    row = small_scorecard.row(status="small_sample", n=None)
    assert plain(parts.card(row, report._trend_of("nps"), report.about).note) == "too few cases to be shown"


def test_a_guessed_extract_time_is_said(report):
    report.about["as_of_source"] = "latest"
    assert "cannot be told" in report.data_quality().notes[-3]


def shares(period, members, **named):
    rows = [
        small_scorecard.row(period=period, cut=cut, member=member, value=100 * hits / cases, numerator=hits,
                            denominator=cases, n=cases, unit="percent", headline=False, low=100 * hits / cases - 3,
                            high=100 * hits / cases + 3, **named)
        for cut, member, hits, cases in members
    ]  # fmt: skip
    return pd.DataFrame(rows)


@pytest.fixture
def told(folder):
    """A report of a satisfaction that fell though both channels rose, and of what is left of a customer's value."""
    named = {"kpi": "satisfaction", "title": "Satisfaction", "family": "support_ops"}
    before = [(None, None, 780, 1000), ("channel", "email", 420, 600), ("channel", "phone", 360, 400)]
    now = [(None, None, 760, 1000), ("channel", "email", 576, 800), ("channel", "phone", 184, 200)]
    money = {"unit": "currency", "family": "support_ops", "numerator": None, "denominator": None}
    worth = [("clv", 100.0, "higher"), ("cost", 30.0, "lower"), ("profit", 70.0, "higher")]
    waits = {"family": "support_ops", "unit": "minutes", "better": "lower", "cut": "channel", "headline": False}
    frame = pd.concat(
        [
            small_scorecard.scorecard(),
            shares("2024-04", before, **named),
            shares("2024-05", now, **named),
            pd.DataFrame(
                [small_scorecard.row(kpi=kpi, title=kpi, value=value, better=better, **money)
                 for kpi, value, better in worth]
                + [small_scorecard.row(kpi="first_response_time.p90", member=member, value=value, **waits)
                   for member, value in (("chat", 9.0), ("email", 300.0))]
            ),
        ],
        ignore_index=True,
    )  # fmt: skip
    about = small_scorecard.about()
    for kpi in ("satisfaction", "clv", "cost", "profit", "first_response_time.p90"):
        about["kpis"][kpi] = {**about["kpis"]["first_response_time"], "title": kpi, "short": kpi}
    frame.loc[frame["kpi"].str.startswith("first_response_time"), "method"] = "Kaplan-Meier, log-log limits"
    Scorecard(frame, about).write(folder)
    return open_report(folder)


def plain(text):
    return text.replace("\N{NO-BREAK SPACE}", " ")


def alternative(figure):
    return figure._repr_mimebundle_()[1]["image/svg+xml"]["alt"]


def test_drivers_say_draw_and_list_what_moved_a_number(told):
    finding, figure, table = told.drivers("satisfaction", "channel")
    assert plain(finding).startswith("Satisfaction fell by 2.0 percentage points on April although every channel rose")
    assert alternative(figure) == finding
    assert [column.label for column in table.columns] == [
        "Channel", "Weight, April 2024", "Weight, May 2024", "April 2024", "May 2024", "Within", "Mix",
        "Together",
    ]  # fmt: skip
    assert table.rows == [
        ["phone", "40.0%", "20.0%", "90.0%", "92.0%", "+0.6", "−2.8", "−2.2"],
        ["email", "60.0%", "80.0%", "70.0%", "72.0%", "+1.4", "−1.2", "+0.2"],
        ["All", "100.0%", "100.0%", "78.0%", "76.0%", "+2.0", "−4.0", "−2.0"],
    ]


def test_drivers_of_what_has_no_parts_are_a_note(told):
    (note,) = told.drivers("first_response_time", "channel")
    assert "the numbers by channel do not add up to it" in note.message


def test_a_pareto_names_the_few_that_make_most(report):
    finding, figure = report.pareto("tickets_by_channel")
    assert finding == "Tickets by channel: email and chat make 100.0% of all."
    assert alternative(figure) == finding


def test_a_pareto_takes_shares_only(report):
    with pytest.raises(KpiError, match="nps has no shares of a whole"):
        report.pareto("nps")


def test_a_waterfall_says_what_is_left(told):
    finding, figure = told.waterfall("clv", "cost", "profit")
    assert plain(finding) == "clv: EUR 100.00; less cost EUR 30.00, EUR 70.00 is left, 70.0% of it."
    assert alternative(figure) == finding


def test_a_waterfall_that_does_not_add_up_or_lacks_a_number_is_not_drawn(told):
    assert "do not add up" in told.waterfall("clv", "cost", "clv")[0].message
    assert told.waterfall("csat", "cost") == [Note("Not available: Customer satisfaction (no surveys table).")]


def test_demand_stands_over_how_it_was_met(told):
    finding, figure = told.beside("first_response_time", "satisfaction", "channel")
    assert plain(finding) == (
        "First response time by channel: email has most (1 h 35 min). "
        "Satisfaction: email (72.0%) lies below 76.0%, that of all, by more than the margin of error."
    )
    assert alternative(figure) == finding


def test_a_member_within_the_margin_of_all_is_not_called_worse(told):
    of = told.values("satisfaction", "channel").query("period == '2024-05'")
    total = {**told.values("satisfaction").iloc[-1], "better": "higher"}
    words = captions.of_two(of, of.assign(low=of["value"] - 5, high=of["value"] + 5), total, told.about)
    assert "Satisfaction: no channel lies below 76.0%" in words


def test_waits_say_half_and_nine_in_ten(told):
    finding, figure = told.waits("first_response_time", "channel")
    assert plain(finding).startswith(
        "First response time by channel: email half within 1 h 35 min, nine in ten within 5 h"
    )
    assert "chat half within 2 min, nine in ten within 9 min" in plain(finding)
    assert alternative(figure) == finding


def test_a_mean_is_no_half(told):
    rows = told._frame.copy()
    rows.loc[rows["kpi"] == "first_response_time", "method"] = "delta method"
    told._hold(rows)
    with pytest.raises(KpiError, match="first_response_time has no median"):
        told.waits("first_response_time", "channel")


def test_values_are_frames(report):
    assert len(report.values("nps")) == 13
    assert report.values("first_response_time", "channel")["member"].tolist() == ["chat", "email", "(none)"]


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (lambda report: report.finding("npss"), "no KPI 'npss' - did you mean 'nps'"),
        (lambda report: report.cards("loyality"), "did you mean 'loyalty'"),
        (lambda report: report.by("first_response_time", "chanel"), "did you mean 'channel'"),
        (lambda report: report.values("first_response_time", "chanel"), "did you mean 'channel'"),
        (lambda report: report.findings("mised"), "did you mean 'missed'"),
        (lambda report: report.finding("tickets_by_channel"), r"use report.table\('tickets_by_channel'\)"),
    ],
)
def test_a_misspelt_name_is_answered_with_the_right_one(report, ask, says):
    with pytest.raises(UnknownNameError, match=says):
        ask(report)


def test_the_library_offers_its_names_without_loading_them():
    code = (
        "import sys, kpi_lib; assert 'Report' in dir(kpi_lib); "
        "heavy = {'pandas', 'ibis', 'matplotlib'} & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONSTARTUP": ""})


def test_a_pareto_of_members_that_are_all_too_few_says_so(report):
    rows = report._frame.copy()
    few = rows["kpi"] == "tickets_by_channel"
    rows.loc[few, ["value", "numerator", "n"]] = float("nan")
    rows.loc[few, "status"] = "small_sample"
    report._hold(rows)
    [note] = report.pareto("tickets_by_channel")
    assert note.message == "Tickets by channel for May 2024: too few cases to be shown."


def test_a_pareto_of_what_has_no_data_says_so(report):
    rows = report._frame.copy()
    gone = rows["kpi"] == "tickets_by_channel"
    rows.loc[gone, ["value", "numerator", "n"]] = float("nan")
    rows.loc[gone, ["status", "cut", "member"]] = ["not_available", None, None]
    report._hold(rows)
    shown = list(report.pareto("tickets_by_channel"))
    assert [type(part).__name__ for part in shown] == ["Note"]

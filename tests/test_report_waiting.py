"""What a notebook shows of waits, hours of the week and cohorts, on the way from rows to a page."""

import pytest

from kpi_lib import Report
from kpi_lib.display import DATA, Finding, Note
from kpi_lib.errors import KpiError, UnknownNameError
from kpi_lib.suppression import HIDDEN


def opened(company, *addresses, period="2024-05"):
    company.card(*addresses, period=period, cuts=True).write(company.folder)
    return Report(period, str(company.write()), str(company.folder / "scorecard.parquet"))


def plain(text):
    return text.replace("\N{NO-BREAK SPACE}", " ")


def checked(shown):
    """The sentence of a figure that has it as alternative text, and a table behind it."""
    finding, figure = shown
    bundle, metadata = figure._repr_mimebundle_()
    assert isinstance(finding, Finding)
    assert metadata["image/svg+xml"]["alt"] == finding
    return plain(finding), bundle[DATA]["table"]


def test_a_distribution_shows_who_still_waits(company):
    for number in range(10):
        company.ticket("2024-05-06 08:00", f"2024-05-06 {9 + number:02d}:00")
    company.ticket("2024-04-08 08:00", "2024-04-08 10:00")
    said, table = checked(opened(company, "first_response_time").distribution("first_response_time"))
    assert said == "First response time: half within 5 h, nine in ten within 9 h."  # after a day nobody waits
    assert [column["label"] for column in table["columns"]] == ["", "May 2024", "95% interval", "April 2024"]
    assert ["Still waiting after 4 h", "60.0%", "", "0.0%"] in [
        [plain(text) for text in line] for line in table["rows"]
    ]


def test_a_wait_whose_headline_is_a_mean_is_distributed_by_its_median(company):
    for seconds in range(10, 110, 10):
        company.call(queue=seconds)
    wanted = ("wait_time", "wait_time.median", "wait_time.p90")
    said, _ = checked(opened(company, *wanted).distribution("wait_time"))
    assert said == "Wait in the queue: half within 50 s, nine in ten within 1 min 30 s."


def test_what_is_no_wait_or_has_no_data_has_no_distribution(company):
    for _ in range(9):
        company.survey("nps", 9)
    report = opened(company, "nps", "first_response_time")
    with pytest.raises(KpiError, match=r"nps has no curve: report\.distribution takes a waiting time"):
        report.distribution("nps")
    (line,) = report.distribution("first_response_time")
    assert isinstance(line, Note)
    assert report.distribution("first_response_time") == []


def test_a_curve_that_is_withheld_is_no_mistake_of_the_notebook(company):
    for number in range(10):
        company.ticket("2024-05-06 08:00", f"2024-05-06 {9 + number:02d}:00")
    card = company.card("first_response_time", period="2024-05", cuts=True)
    card.about["curves"] = {}
    card.write(company.folder)
    (line,) = Report("2024-05", str(company.write()), str(company.folder / "scorecard.parquet")).distribution(
        "first_response_time"
    )
    assert plain(line.message).startswith("First response time was 5 h")


def test_too_few_waits_are_said_to_be_too_few(company):
    company.tickets(3, created="2024-05-06 08:00", replied="2024-05-06 09:00")
    (line,) = opened(company, "first_response_time").distribution("first_response_time")
    assert "3 cases are too few" in line.message


def test_waits_of_members_of_few_are_left_out_where_they_are_hidden(company):
    for channel, minutes in (("email", 60), ("chat", 10)):
        company.tickets(
            6,
            created="2024-05-06 08:00",
            replied=f"2024-05-06 {8 + minutes // 60:02d}:{minutes % 60:02d}",
            channel=channel,
        )
    card = company.card("first_response_time", "first_response_time.p90", period="2024-05", cuts=True)
    few = card.frame["member"] == "chat"
    card.frame.loc[few, HIDDEN] = None
    card.frame.loc[few, ["status", "method"]] = ["small_sample", "hidden: fewer than 5 cases"]
    card.write(company.folder)
    report = Report("2024-05", str(company.write()), str(company.folder / "scorecard.parquet"))
    said, _ = checked(report.waits("first_response_time", "channel"))
    assert "chat" not in said


def test_the_week_shows_kpis_beside_each_other(company):
    company.calls(6, offered="2024-05-06 09:10", queue=5)
    company.calls(6, offered="2024-05-07 09:10", queue=500)
    report = opened(company, "ticket_volume", "service_level")
    said, table = checked(report.week("ticket_volume", "service_level"))
    assert said.startswith("Requests: most on mon 09 (6). Service level: lowest on tue 09 (0.0%);")
    assert table["rows"] == [["09", "6", "100.0% (6)", "6", "0.0% (6)"]]
    said, _ = checked(report.week("ticket_volume"))
    assert said == "Requests: most on mon 09 (6)."


def test_the_week_of_what_knows_no_hours_is_an_error_and_without_calls_a_note(company):
    company.ticket("2024-05-06 08:00")
    report = opened(company, "ticket_volume", "service_level", "first_response_time")
    with pytest.raises(UnknownNameError, match="first_response_time has no cut 'weekday_hour'"):
        report.week("first_response_time")
    assert len(report.week("ticket_volume", "service_level")) == 1


def test_cohorts_are_shown_by_month_of_joining(company):
    for number in range(10):
        company.subscription(f"a{number}", "2024-01-10", "2024-03-10" if number < 4 else None)
        company.subscription(f"b{number}", "2024-02-10")
    report = opened(company, "retention_rate", "retention_rate.of_cohort")
    said, table = checked(report.cohorts("retention_rate"))
    assert said == (
        "After 3 months 80.0% were still there, from 60.0% (January 2024) to 100.0% (February 2024): the cohorts do not"
        " differ by more than chance explains."
    )
    assert table["rows"] == [
        ["January 2024", "10", "100.0%", "100.0%", "60.0%", "60.0%", "60.0%"],
        ["February 2024", "10", "100.0%", "100.0%", "100.0%", "100.0%", ""],
    ]


def test_cohorts_are_of_months_and_of_retention_only(company):
    company.subscription("ada", "2024-02-10")
    company.survey("nps", 9)
    addresses = ("retention_rate", "retention_rate.of_cohort", "nps")
    with pytest.raises(KpiError, match="nps has no cohorts"):
        opened(company, *addresses).cohorts("nps")
    quarter = opened(company, *addresses, period="2024-Q2")
    assert quarter.cohorts("retention_rate") == [Note("Cohorts are of months: the report of a month shows them.")]

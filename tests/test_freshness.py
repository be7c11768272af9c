"""How far a table may end before the period does: by limits of its own, or by its usual pace."""

from datetime import UTC, datetime, timedelta

import pytest

from kpi_lib.errors import ParamsError
from kpi_lib.freshness import PATIENCE, Reach, patience, reaches
from kpi_lib.params import Freshness, load_source
from kpi_lib.period import Period

END = datetime(2024, 6, 1, tzinfo=UTC)
AS_OF = datetime(2024, 7, 2, tzinfo=UTC)


def of(hours_before, rows=1000, table="tickets", as_of=AS_OF, **limit):
    last = END - timedelta(hours=hours_before)
    about = {"table": table, "rows": rows, "first": "2024-01-01T00:00:00+00:00", "last": last.isoformat()}
    return reaches([about], END, as_of, {table: Freshness(**limit)} if limit else {})[0]


@pytest.mark.parametrize(("hours", "level"), [(24, ""), (25, "warning"), (72, "warning"), (73, "error"), (-100, "")])
def test_limits_are_hours_before_the_periods_end(hours, level):
    assert of(hours, warn_after_hours=24, error_after_hours=72).level == level


def test_either_limit_may_be_left_out():
    assert of(1000, warn_after_hours=24).level == "warning"
    assert of(1000, error_after_hours=2000).level == ""


@pytest.mark.parametrize(("hours", "level"), [(96, ""), (97, "error")])
def test_without_limits_four_days_are_waited_for(hours, level):
    assert of(hours).level == level


def test_a_company_that_says_when_its_desk_is_open_has_rows_on_the_last_working_day(company):
    assert patience(company.loaded(), Period.parse("2024-05")) == PATIENCE  # it has not said so
    company.params(hours={"days": ["mon", "tue", "wed", "thu", "fri"], "holidays": "DE"})
    told = [patience(company.loaded(), Period.parse(period)) for period in ("2024-05", "2024-06", "2024-03")]
    assert told == [timedelta(hours=24), timedelta(hours=72), timedelta(hours=95)]  # Good Friday, and an hour less
    near = [{"table": "tickets", "rows": 1000, "first": "2024-01-01T00:00:00+00:00", "last": "2024-05-29T22:00:00Z"}]
    assert [each.level for each in reaches(near, END, AS_OF, {})] == [""]
    assert [each.level for each in reaches(near, END, AS_OF, {}, told[0])] == ["error"]


def test_a_table_of_few_rows_is_waited_for_longer():
    assert of(24 * 30, rows=40).level == ""  # a row each 3 days: ten times that
    assert of(24 * 40, rows=40).level == "error"


def test_no_table_reaches_the_end_of_a_period_that_is_not_over():
    assert of(-1, as_of=END - timedelta(hours=1)) == Reach("tickets", "ENDS 1 days before", "error", 1)


def test_what_cannot_be_told_is_no_mistake_unless_a_limit_is_set():
    nothing = {"table": "surveys", "rows": 0, "first": None, "last": None}
    assert reaches([nothing], END, AS_OF, {})[0].level == ""
    assert reaches([nothing], END, AS_OF, {"surveys": Freshness(warn_after_hours=1)})[0].said == "has no rows"
    assert of(5000, rows=1).level == ""
    assert of(5000, table="costs").level == ""


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ("{tickts: {warn_after_hours: 24}}", r"no table 'tickts' above - did you mean 'tickets'"),
        ("{tickets: {}}", "give warn_after_hours, error_after_hours or both"),
        ("{tickets: {warn_after_hours: 48, error_after_hours: 24}}", "warn_after_hours is no more than"),
        ("{tickets: {warn_after: 24}}", "unknown key 'freshness.tickets.warn_after' - did you mean 'warn_after_hours'"),
        ("{tickets: {warn_after_hours: 0}}", "greater than 0"),
    ],
)
def test_limits_that_make_no_sense_are_refused_with_their_place(tmp_path, limits, message):
    file = tmp_path / "source.yaml"
    file.write_text(f"as_of: latest\ntables: {{tickets: tickets.parquet}}\nfreshness: {limits}\n")
    with pytest.raises(ParamsError, match=rf"source\.yaml:?3?: .*{message}"):
        load_source(file)


def test_limits_are_read_from_the_source(tmp_path):
    file = tmp_path / "source.yaml"
    file.write_text("as_of: latest\ntables: {tickets: t.parquet}\nfreshness: {tickets: {error_after_hours: 72}}\n")
    assert load_source(file).freshness == {"tickets": Freshness(error_after_hours=72)}

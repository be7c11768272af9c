"""What a notebook shows of customers' worth beside its number."""

import pytest
from test_holdout import subscribers
from test_spread import hundred

from kpi_lib import Report
from kpi_lib.display import DATA, Finding, Note
from kpi_lib.errors import KpiError


def opened(company):
    company.card("clv", "clv.realised", "churn_rate").write(company.folder)
    return Report("2024-05", str(company.write()), str(company.folder / "scorecard.parquet"))


def test_value_is_shown_with_its_spread_and_its_holdout(company):
    subscribers(company)
    hundred(company)
    report = opened(company)
    for show in (report.spread, report.holdout):
        finding, figure = show("clv")
        assert isinstance(finding, Finding)
        bundle, metadata = figure._repr_mimebundle_()
        assert metadata["image/svg+xml"]["alt"] == finding
        assert bundle[DATA]["table"]["rows"]
    assert "clv" in report._shown


def test_without_enough_to_show_a_quiet_line_says_so(company):
    company.subscription("ada")
    company.transaction("ada", 10)
    report = opened(company)
    for show in (report.spread, report.holdout):
        (line,) = show("clv")
        assert isinstance(line, Note)


def test_without_data_the_absent_table_is_named_once(company):
    report = opened(company)
    assert "no subscriptions and transactions tables" in report.spread("clv")[0].message
    assert report.holdout("clv") == []


def test_another_kpi_has_no_spread(company):
    company.subscription("ada")
    with pytest.raises(KpiError, match=r"report\.holdout takes 'clv'"):
        opened(company).holdout("churn_rate")

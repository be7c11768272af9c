"""The gate: each reason for which a report may not go out, and none when there is none."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256

import pytest
import yaml
from small_scorecard import ABOUT, about, scorecard

from kpi_lib.deliver import gate
from kpi_lib.deliver.ledger import Ledger
from kpi_lib.editions import Edition
from kpi_lib.issued import Archive
from kpi_lib.params import load
from kpi_lib.period import Period
from kpi_lib.publish import manifest
from kpi_lib.scorecard import Scorecard

MAY, JULY = Period.parse("2024-05"), datetime(2024, 7, 2, tzinfo=UTC)
INPUTS = {"params": "p1", "source": "s1", "kpi_lib": "k1", "packages": "l1", "issued": ""}
ANN = "ann@example.com"


def found(edition, *recipients):
    """Return what speaks against sending."""
    records = edition.params.records
    archive = Archive(records, edition.params.company)
    return gate.findings(edition, recipients or (ANN,), archive, records / "ledger.sqlite")


def against(edition, *recipients):
    """Return what keeps the report from being sent, if nobody lifts it."""
    every = found(edition, *recipients)
    return [*every.bars, *every.reasons]


def build(edition, *, said=None, **changed):
    """Write a folder as a build leaves it, with what is `changed` in its manifest."""
    folder, (chapter,) = edition.folder, edition.book.chapters
    folder.mkdir(parents=True, exist_ok=True)
    Scorecard(scorecard(), about() | {"checks": []} | (said or {})).write(folder)
    (folder / "kpi-report-2024-05.pdf").write_bytes(b"%PDF May")
    (folder / "loyalty.ipynb").write_text("{}")
    beside = sha256(edition.commentary["loyalty"].text.encode()).hexdigest()
    made_from = {"loyalty": {"sha256": manifest.hashed(chapter.notebook), "beside": beside}}
    content = {"status": "whole", "period": "2024-05", "company": ABOUT["company"], "inputs": edition.book.inputs}
    manifest.write(folder, content | {"failures": {}, "notebooks": made_from, "problems": []} | changed)


def configured(edition, **changed):
    """The same edition by other settings, which its build does not know of."""
    path = edition.params.path
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | changed))
    return replace(edition, params=load(path))


def limited(edition, **hours):
    """The same edition of a source that says how late the tickets may be."""
    path = edition.params.source
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | {"freshness": {"tickets": hours}}))
    return edition


@pytest.fixture
def standing(company, tmp_path):
    """A report that may go out."""
    company.params(company=ABOUT["company"])
    company.table("tickets")
    params = company.loaded()
    (params.path.parent / "periods").mkdir()
    (params.path.parent / "periods" / "2024-05.md").write_text("# loyalty\n\nUp after the spring fair.\n")
    edition = Edition(params, MAY, tmp_path / "shelf", INPUTS)
    build(edition)
    return edition


def rebuilt(standing, **how):
    build(standing, **how)
    return standing


def test_a_whole_fresh_report_of_what_there_is_may_go_out(standing):
    assert found(standing) == gate.Findings([], [], [])


def test_a_report_that_was_not_built(standing):
    assert against(replace(standing, period=Period.parse("2024-06"))) == [
        "The report of June 2024 has not been built: run `kpi report 2024-06`."
    ]


def test_a_report_of_another_company_or_period(standing):
    rebuilt(standing, company="Another")
    assert against(standing) == [f"{standing.folder} holds a report of Another, 2024-05."]


def test_failed_notebooks_are_named(standing):
    rebuilt(standing, status="failed", failures={"loyalty": "loyalty, cell 3: division by zero\nmore"})
    assert against(standing) == ["The notebook loyalty failed: loyalty, cell 3: division by zero."]


def test_a_part_of_a_report(standing):
    rebuilt(standing, status="partial")
    assert against(standing) == ["The report of May 2024 is not whole but partial."]
    more = configured(standing, notebooks=[{"name": "loyalty"}, {"name": "support_ops"}])
    assert "Only a part of the report of May 2024 has been built; support_ops is missing." in against(more)


@pytest.mark.parametrize("name", ["kpi-report-2024-05.pdf", "loyalty.ipynb"])
def test_a_file_that_somebody_has_changed(standing, name):
    (standing.folder / name).write_bytes(b"mine")
    assert against(standing) == [f"{name} is not the file that was built."]
    (standing.folder / "scorecard.parquet").unlink()
    assert "scorecard.parquet is not the file that was built." in against(standing)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("params", "The configuration"),
        ("source", "The data"),
        ("kpi_lib", "The code"),
        ("packages", "Python or a package"),
        ("issued", "What was issued of earlier periods"),
    ],
)
def test_what_it_was_made_from_has_changed(standing, name, said):
    assert against(replace(standing, inputs=INPUTS | {name: "new"})) == [
        f"{said} has changed since the report was built: run `kpi report 2024-05` again."
    ]


def test_a_notebook_or_the_analysts_comment_has_changed(standing):
    again = "has changed since the report was built: run `kpi report 2024-05` again."
    standing.book.chapters[0].notebook.write_text('{"cells": []}')
    assert against(standing) == [f"The notebook loyalty {again}"]
    rebuilt(standing)
    (standing.params.path.parent / "periods" / "2024-05.md").write_text("# loyalty\n\nDown.\n")
    assert against(replace(standing)) == [f"The analysts' comment in loyalty {again}"]


def test_a_period_that_is_not_over(standing):
    rebuilt(standing, said={"as_of": "2024-05-31T12:00:00+02:00"})
    assert against(standing) == ["May 2024 was not over when the data was extracted (2024-05-31T12:00:00+02:00)."]


def table(last, **more):
    return {"tables": [ABOUT["tables"][0] | {"last": last} | more, *ABOUT["tables"][1:]]}


def test_a_table_that_ends_before_the_period(standing):
    rebuilt(standing, said=table("2024-05-20T10:00:00+02:00"))
    assert against(standing) == ["The table tickets ends 11 days before the end of May 2024."]
    rebuilt(standing, said=table("2024-05-30T10:00:00+02:00", rows=10_000))
    assert against(standing) == []
    days = {"days": ["mon", "tue", "wed", "thu", "fri"]}  # the last of May 2024 is a Friday
    assert "The table tickets ends 1 day before the end of May 2024." in against(configured(standing, hours=days))
    rebuilt(standing, said=table("2024-05-20T10:00:00+02:00"))
    limited(standing, warn_after_hours=24, error_after_hours=24 * 12)
    assert found(standing) == gate.Findings([], [], ["The table tickets ends 11 days before the end of May 2024."])
    rebuilt(standing, said=table("2024-05-30T10:00:00+02:00"))
    limited(standing, error_after_hours=24)
    assert against(standing) == ["The table tickets ends 1 day before the end of May 2024."]


def test_a_table_that_is_not_in_the_source_keeps_nothing_back(standing):
    assert not ABOUT["tables"][1]["present"]
    assert against(standing) == []


def test_numbers_that_disagree_and_data_that_breaks_a_rule(standing):
    broken = {"table": "tickets", "rule": "unknown status", "level": "error", "rows": 2, "message": "no such status"}
    said = {"identities": {"checked": 2, "broken": ["retention and churn add up"]}, "checks": [broken]}
    rebuilt(standing, said=said)
    assert against(standing) == [
        "The table tickets breaks a rule: no such status.",
        "Numbers of the report do not agree with each other: retention and churn add up.",
    ]


def test_what_is_no_reason_is_a_warning(standing):
    rebuilt(standing, said={"checks": ABOUT["checks"], "as_of_source": "latest"}, problems=["a figure has no text"])
    warnings = [
        "How fresh the data is cannot be told, as its time is that of its latest event.",
        "tickets: resolved before created (3 rows).",
        "a figure has no text.",
    ]
    assert found(standing) == gate.Findings([], [], warnings)


def test_sample_data_goes_to_the_domain_of_examples_alone(standing):
    to = ("ann@EXAMPLE.com", "bob@firm.test")
    assert against(standing, *to) == ["bob@firm.test may not get sample data, which goes to example.com alone."]
    rebuilt(standing, said={"sample": False})
    assert against(standing, *to) == []


def test_the_ledger_is_gone_although_the_month_was_issued(standing):
    folder, records = standing.folder, standing.params.records
    files = {"scorecard.parquet": folder / "scorecard.parquet", "manifest.json": b"{}", "letter.eml": b""}
    Archive(records, ABOUT["company"]).keep("board", "aa11", files, JULY)
    assert against(standing) == [
        f"May 2024 was issued before, but the ledger {records / 'ledger.sqlite'} is gone or knows nothing of it, so "
        "nobody knows who has had it: restore it from a backup."
    ]
    with Ledger(records / "ledger.sqlite") as ledger:
        assert len(against(standing)) == 1  # one that was made anew
        ledger.prepare((ABOUT["company"], "2024-05", "board", "aa11"), ["ann@example.com"], lambda: JULY)
        assert against(standing) == []


def test_every_reason_is_one_sentence(standing):
    rebuilt(standing, said=table("2024-05-01T10:00:00+02:00"), status="partial")
    (standing.params.path.parent / "periods" / "2024-05.md").unlink()
    said = against(replace(standing, inputs=dict.fromkeys(INPUTS, "new")))
    assert len(said) == 8
    assert all(each.endswith(".") and "\n" not in each and not each[0].islower() for each in said)


def test_a_folder_without_a_manifest_that_can_be_read_was_not_built(standing):
    (standing.folder / "manifest.json").write_text(json.dumps([1]) + "}")
    assert against(standing) == ["The report of May 2024 has not been built: run `kpi report 2024-05`."]


def test_a_person_can_lift_what_is_said_of_the_numbers_but_not_of_the_recipients(standing):
    every = found(replace(standing, inputs=INPUTS | {"kpi_lib": "new"}), "bob@elsewhere.test")
    assert [len(every.reasons), len(every.bars)] == [1, 1]
    assert "elsewhere.test" in every.bars[0]

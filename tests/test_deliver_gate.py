"""The gate: each reason for which a report may not go out, and none when there is none."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from small_scorecard import ABOUT, about, scorecard

from kpi_lib.deliver import gate
from kpi_lib.deliver.ledger import Ledger
from kpi_lib.issued import Archive
from kpi_lib.params import Freshness
from kpi_lib.period import Period
from kpi_lib.publish import manifest
from kpi_lib.scorecard import Scorecard

MAY, JULY = Period.parse("2024-05"), datetime(2024, 7, 2, tzinfo=UTC)
INPUTS = {"params": "p1", "source": "s1", "kpi_lib": "k1", "lock": "l1", "issued": ""}
COMMENT = "Up after the spring fair."


def against(standing):
    """Return all that speaks against sending."""
    return [*gate.bars(standing), *gate.reasons(standing)]


def build(folder, notebook, *, frame=None, said=None, **changed):
    """Write a folder as a build leaves it, with what is `changed` in its manifest."""
    folder.mkdir(exist_ok=True)
    notebook.write_text("{}")
    Scorecard(scorecard() if frame is None else frame, about() | {"checks": []} | (said or {})).write(folder)
    (folder / "kpi-report-2024-05.pdf").write_bytes(b"%PDF May")
    (folder / "loyalty.ipynb").write_text("{}")
    made_from = {"sha256": manifest.hashed(notebook), "beside": sha256(COMMENT.encode()).hexdigest()}
    content = {"status": "whole", "period": "2024-05", "company": ABOUT["company"], "inputs": INPUTS, "failures": {}}
    manifest.write(folder, content | {"notebooks": {"loyalty": made_from}, "problems": []} | changed)


@pytest.fixture
def standing(tmp_path):
    """A report that may go out."""
    notebook = tmp_path / "loyalty.ipynb"
    build(tmp_path / "2024-05", notebook)
    return gate.Standing(
        tmp_path / "2024-05",
        MAY,
        ABOUT["company"],
        INPUTS,
        {"loyalty": notebook},
        ["ann@example.com"],
        Archive(tmp_path / "records", ABOUT["company"]),
        tmp_path / "records" / "ledger.sqlite",
        {"loyalty": COMMENT},
    )


def rebuilt(standing, **how):
    build(standing.folder, standing.notebooks["loyalty"], **how)
    return standing


def test_a_whole_fresh_report_of_what_there_is_may_go_out(standing):
    assert against(standing) == []
    assert gate.warnings(standing) == []


def test_a_report_that_was_not_built(standing, tmp_path):
    assert against(replace(standing, folder=tmp_path / "2024-06", period=Period.parse("2024-06"))) == [
        "The report of June 2024 has not been built: run `kpi report 2024-06`."
    ]


def test_a_report_of_another_company_or_period(standing):
    rebuilt(standing, company="Another")
    assert against(standing) == [f"{standing.folder} holds a report of Another, 2024-05."]


def test_failed_notebooks_are_named(standing):
    rebuilt(standing, status="failed", failures={"loyalty": "loyalty, cell 3: division by zero\nmore"})
    assert against(standing) == ["The notebook loyalty failed: loyalty, cell 3: division by zero."]


def test_a_part_of_a_report(standing, tmp_path):
    book = {**standing.notebooks, "support_ops": tmp_path / "support_ops.ipynb"}
    rebuilt(standing, status="partial")
    assert against(replace(standing, notebooks=book)) == [
        "Only a part of the report of May 2024 has been built; support_ops is missing."
    ]
    assert against(standing) == ["The report of May 2024 is not whole but partial."]


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
        ("lock", "The list of packages"),
        ("issued", "What was issued of earlier periods"),
    ],
)
def test_what_it_was_made_from_has_changed(standing, name, said):
    assert against(replace(standing, inputs=INPUTS | {name: "new"})) == [
        f"{said} has changed since the report was built: run `kpi report 2024-05` again."
    ]


def test_a_notebook_or_the_analysts_comment_has_changed(standing):
    again = "has changed since the report was built: run `kpi report 2024-05` again."
    assert against(replace(standing, commentary={"loyalty": "Down."})) == [f"The analysts' comment in loyalty {again}"]
    standing.notebooks["loyalty"].write_text('{"cells": []}')
    assert against(standing) == [f"The notebook loyalty {again}"]


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
    assert against(replace(standing, patience=timedelta(days=1))) == [
        "The table tickets ends 1 day before the end of May 2024."
    ]
    rebuilt(standing, said=table("2024-05-20T10:00:00+02:00"))
    patient = replace(standing, limits={"tickets": Freshness(warn_after_hours=24, error_after_hours=24 * 12)})
    assert against(patient) == []
    assert gate.warnings(patient) == ["The table tickets ends 11 days before the end of May 2024."]
    rebuilt(standing, said=table("2024-05-30T10:00:00+02:00"))
    assert against(replace(standing, limits={"tickets": Freshness(error_after_hours=24)})) == [
        "The table tickets ends 1 day before the end of May 2024."
    ]


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
    assert against(standing) == []
    assert gate.warnings(standing) == [
        "How fresh the data is cannot be told, as its time is that of its latest event.",
        "tickets: resolved before created (3 rows).",
        "a figure has no text.",
    ]


def test_sample_data_goes_to_the_domain_of_examples_alone(standing):
    to = replace(standing, recipients=["ann@EXAMPLE.com", "bob@firm.test"])
    assert against(to) == ["bob@firm.test may not get sample data, which goes to example.com alone."]
    rebuilt(standing, said={"sample": False})
    assert against(to) == []


def test_the_ledger_is_gone_although_the_month_was_issued(standing, tmp_path):
    folder: Path = standing.folder
    files = {"scorecard.parquet": folder / "scorecard.parquet", "manifest.json": b"{}", "letter.eml": b""}
    standing.archive.keep("board", "aa11", files, JULY)
    assert against(standing) == [
        f"May 2024 was issued before, but the ledger {standing.ledger} is gone or knows nothing of it, so nobody knows "
        "who has had it: restore it from a backup."
    ]
    with Ledger(standing.ledger) as ledger:
        assert len(against(standing)) == 1  # one that was made anew
        ledger.prepare((ABOUT["company"], "2024-05", "board", "aa11"), ["ann@example.com"], lambda: JULY)
        assert against(standing) == []


def test_every_reason_is_one_sentence(standing):
    rebuilt(standing, said=table("2024-05-01T10:00:00+02:00"), status="partial")
    found = against(replace(standing, inputs=dict.fromkeys(INPUTS, "new"), commentary={}))
    assert len(found) == 8
    assert all(said.endswith(".") and "\n" not in said and not said[0].islower() for said in found)


def test_a_folder_without_a_manifest_that_can_be_read_was_not_built(standing):
    (standing.folder / "manifest.json").write_text(json.dumps([1]) + "}")
    assert against(standing) == ["The report of May 2024 has not been built: run `kpi report 2024-05`."]


def test_a_person_can_lift_what_is_said_of_the_numbers_but_not_of_the_recipients(standing):
    to = replace(standing, recipients=["bob@elsewhere.test"], inputs=INPUTS | {"kpi_lib": "new"})
    assert [len(gate.reasons(to)), len(gate.bars(to))] == [1, 1]
    assert "elsewhere.test" in gate.bars(to)[0]

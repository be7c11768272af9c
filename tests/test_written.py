"""A scorecard's rows as CSV and JSON: whatever is in them is read back as it was."""

import csv
import io
import json
import math

import pandas as pd
import pytest

from kpi_lib import scorecard

MEMBERS = ["plain", 'a "name", with a comma', "two\nlines", "نام", "", None, "5 %s"]
VALUES = [1.0, 1e-05, 0.1 + 0.2, -0.0, math.nan, 1e22, 100.0]


@pytest.fixture
def rows():
    """A row for each of the members, with texts that stand in many rows and reasons of rows left out."""
    frame = pd.DataFrame({"kpi": "nps", "member": pd.Series(MEMBERS, dtype=object), "value": VALUES, "headline": True})
    return frame.assign(excluded=['{"spam": 2}', "{}", *[None] * 5])


def test_json_is_what_the_rows_are(rows):
    assert scorecard.to_json(rows) == json.dumps(scorecard.records(rows), ensure_ascii=False)
    read = json.loads(scorecard.to_json(rows))
    assert [row["member"] for row in read] == MEMBERS
    assert [row["value"] for row in read] == [None if math.isnan(value) else value for value in VALUES]
    assert [row["excluded"] for row in read[:3]] == [{"spam": 2}, {}, None]


def test_csv_is_what_the_rows_are(rows):
    text = io.StringIO()
    scorecard.to_csv(rows, text)
    head, *read = csv.reader(io.StringIO(text.getvalue()))
    assert head == ["kpi", "member", "value", "headline", "excluded"]
    assert [row[1] for row in read] == [member or "" for member in MEMBERS]
    assert [row[2] and float(row[2]) for row in read] == ["" if math.isnan(value) else value for value in VALUES]


def test_no_rows_are_an_empty_list_and_a_head(rows, tmp_path):
    assert scorecard.to_json(rows[:0]) == "[]"
    scorecard.to_csv(rows[:0], tmp_path / "none.csv")
    assert (tmp_path / "none.csv").read_text("utf-8") == "kpi,member,value,headline,excluded\n"

"""A scorecard's rows as CSV and JSON: whatever is in them is read back as it was."""

import csv
import json
import math

import pandas as pd
import pytest

from kpi_lib import copies
from kpi_lib.scorecard import arrow, tidy

MEMBERS = ["plain", 'a "name", with a comma', "two\nlines", "نام", "", None, "5 %s"]
VALUES = [1.0, 1e-05, 0.1 + 0.2, -0.0, math.nan, 1e22, 100.0]
EXCLUDED = ['{"spam": 2}', "{}", *[None] * 5]
FORMULAS = ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "  =1", "＝1+1"]


def table(members, values, excluded=None):
    """A row for each of the members, as a scorecard's file holds it."""
    from kpi_lib.scorecard import COLUMNS

    frame = pd.DataFrame(dict.fromkeys(COLUMNS), index=range(len(members)))
    frame = frame.assign(kpi="nps", member=members, value=values, headline=True, provisional=False, excluded=excluded)
    return arrow(tidy(frame))


@pytest.fixture
def rows():
    return table(MEMBERS, VALUES, EXCLUDED)


def test_json_is_what_the_rows_are(rows, tmp_path):
    copies.to_json(rows, tmp_path / "rows.json")
    read = json.loads((tmp_path / "rows.json").read_text("utf-8"))
    assert [row["member"] for row in read] == MEMBERS
    assert [row["value"] for row in read] == [None if math.isnan(value) else value for value in VALUES]
    assert [row["excluded"] for row in read[:3]] == [{"spam": 2}, {}, None]
    assert {(row["kpi"], row["headline"], row["provisional"], row["cut"]) for row in read} == {
        ("nps", True, False, None)
    }
    assert list(read[0]) == rows.column_names


def test_csv_is_what_the_rows_are(rows, tmp_path):
    copies.to_csv(rows, tmp_path / "rows.csv")
    with (tmp_path / "rows.csv").open(encoding="utf-8", newline="") as file:
        read = list(csv.DictReader(file))
    assert list(read[0]) == rows.column_names
    assert [row["member"] for row in read] == [member or "" for member in MEMBERS]
    assert [row["value"] and float(row["value"]) for row in read] == [
        "" if math.isnan(value) else value for value in VALUES
    ]
    assert (read[0]["headline"], read[0]["provisional"], read[0]["excluded"]) == ("true", "false", '{"spam": 2}')


def test_no_member_is_a_formula_in_csv_and_each_is_itself_in_json(tmp_path):
    rows = table(FORMULAS, 1.0)
    copies.to_csv(rows, tmp_path / "rows.csv")
    copies.to_json(rows, tmp_path / "rows.json")
    with (tmp_path / "rows.csv").open(encoding="utf-8", newline="") as file:
        assert [row["member"] for row in csv.DictReader(file)] == [f"'{name}" for name in FORMULAS]
    assert [row["member"] for row in json.loads((tmp_path / "rows.json").read_text("utf-8"))] == FORMULAS


@pytest.mark.parametrize(
    ("name", "written"), [("x;=1+1;y", "x;'=1+1;y"), ("x\n@y", "x\n'@y"), ("a-b = c; d", "a-b = c; d")]
)
def test_no_part_of_a_member_that_becomes_a_cell_is_a_formula(tmp_path, name, written):
    copies.to_csv(table([name], 1.0), tmp_path / "rows.csv")
    with (tmp_path / "rows.csv").open(encoding="utf-8", newline="") as file:
        assert [row["member"] for row in csv.DictReader(file)] == [written]


def test_no_rows_are_an_empty_list_and_a_head(rows, tmp_path):
    copies.to_json(rows[:0], tmp_path / "none.json")
    copies.to_csv(rows[:0], tmp_path / "none.csv")
    assert json.loads((tmp_path / "none.json").read_text("utf-8")) == []
    assert (tmp_path / "none.csv").read_text("utf-8") == ",".join(rows.column_names) + "\n"


def test_a_folder_may_be_called_anything(rows, tmp_path):
    folder = tmp_path / "it's [a] {folder} *"
    folder.mkdir()
    copies.to_csv(rows, folder / "rows.csv")
    assert (folder / "rows.csv").read_text("utf-8").count("nps") == len(MEMBERS)

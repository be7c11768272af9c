"""The index of all reports: each period's numbers as its own report has them, and never half of a page."""

import json

import pytest
from publish_books import built, notebook
from small_scorecard import about, row

from kpi_lib.publish import Book, index
from kpi_lib.scorecard import Scorecard

BOOK = Book("2024-05", "May 2024", "Kestrel", [])


@pytest.fixture
def shelf(tmp_path):
    (tmp_path / ".locks").mkdir()
    return tmp_path


def issue(shelf, name, values, status="whole", company="Kestrel"):
    """Put a report on the shelf whose scorecard has these Net Promoter Scores by period."""
    import pandas as pd

    folder = shelf / name
    folder.mkdir()
    said = {"company": company, "status": status, "as_of": "2024-07-02T04:00:00+00:00", "files": {}}
    (folder / "manifest.json").write_text(json.dumps(said))
    (folder / "index.html").write_text("page")
    rows = [row(period=period, value=value, low=value - 1, high=value + 1) for period, value in values.items()]
    Scorecard(pd.DataFrame(rows), about() | {"period": name}).write(folder)


def numbers(shelf):
    (shelves,) = [index._shelf(index.read(shelf, "Kestrel"), BOOK)]
    return shelves


def test_the_latest_report_stands_first_and_shows_the_month_before_and_a_year_ago(shelf):
    issue(shelf, "2024-04", {"2024-04": 29.0})
    issue(shelf, "2024-05", {"2023-05": 20.0, "2024-04": 29.0, "2024-05": 31.0})
    found = numbers(shelf)
    assert [entry["label"] for entry in found["years"][0]["entries"]] == ["May 2024", "April 2024"]
    assert found["columns"] == ["May 2024", "April 2024", "May 2023"]
    assert found["families"][0]["rows"][0]["values"] == ["31.0", "29.0", "20.0"]


def test_a_period_has_the_number_of_its_own_report_and_not_a_later_ones(shelf):
    issue(shelf, "2024-04", {"2024-04": 28.0})
    issue(shelf, "2024-05", {"2024-04": 29.0, "2024-05": 31.0})
    assert numbers(shelf)["families"][0]["rows"][0]["values"][1] == "28.0"


def test_a_report_that_is_not_whole_is_listed_without_numbers(shelf):
    issue(shelf, "2024-04", {"2024-04": 28.0})
    issue(shelf, "2024-05", {"2024-05": 31.0}, status="failed")
    found = numbers(shelf)
    assert found["latest"] == "April 2024"
    assert found["years"][0]["entries"][0]["note"] == "Some pages could not be made."


def test_what_is_no_report_of_the_company_is_left_out(shelf):
    issue(shelf, "2024-05", {"2024-05": 31.0})
    issue(shelf, "2024-04", {"2024-04": 31.0}, company="Other")
    issue(shelf, "notes", {"2024-05": 31.0})
    (shelf / "2024-03").mkdir()
    assert [each.name for each in index.read(shelf, "Kestrel")] == ["2024-05"]


def test_a_scorecard_that_cannot_be_read_does_not_stop_the_index(shelf):
    issue(shelf, "2024-05", {"2024-05": 31.0})
    (shelf / "2024-05" / "scorecard.parquet").write_text("torn")
    index.renew(shelf, BOOK)
    assert 'href="2024-05/index.html"' in (shelf / "index.html").read_text()


def test_quarters_and_years_stand_apart_from_months(shelf):
    for name in ("2024-05", "2024-Q1", "2023"):
        issue(shelf, name, {name: 31.0})
    assert [each.name for each in index.read(shelf, "Kestrel")] == ["2024-05", "2024-Q1", "2023"]
    index.renew(shelf, BOOK)
    text = (shelf / "index.html").read_text()
    assert [text.index(f">{kind}</h2>") for kind in ("Months", "Quarters", "Years")] == sorted(
        text.index(f">{kind}</h2>") for kind in ("Months", "Quarters", "Years")
    )


def test_nobody_else_renews_meanwhile_and_no_draft_is_left(shelf, monkeypatch):
    import fcntl

    issue(shelf, "2024-05", {"2024-05": 31.0})
    read, held = index.read, []

    def watched(*given):
        with (shelf / ".locks" / "index").open("a") as lock, pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        held.append(given)
        return read(*given)

    monkeypatch.setattr(index, "read", watched)
    index.renew(shelf, BOOK)
    assert len(held) == 1
    assert sorted(path.name for path in shelf.iterdir()) == [".cache", ".locks", "2024-05", "index.html"]


def test_each_build_renews_the_index_and_the_months_pages_lead_to_it(tmp_path):
    path = notebook(tmp_path, "loyalty", ["# Loyalty"])
    folder = built(tmp_path, path).folder
    assert 'href="2024-05/index.html"' in (tmp_path / "reports" / "index.html").read_text()
    assert 'href="../index.html"' in (folder / "index.html").read_text()

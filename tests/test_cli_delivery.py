"""`kpi diff` and `kpi verify`, as typed."""

import json
from datetime import UTC, datetime
from hashlib import sha256

import pytest

from kpi_lib import commentary, restated, scorecard, source
from kpi_lib.editions import inputs
from kpi_lib.issued import Archive
from kpi_lib.kpis import registry
from kpi_lib.period import Period
from kpi_lib.publish import manifest

MAY, JULY, AUGUST = Period.parse("2024-05"), datetime(2024, 7, 2, 7, tzinfo=UTC), datetime(2024, 8, 2, 7, tzinfo=UTC)


@pytest.fixture
def shop(company, monkeypatch):
    """A company with answers in two months, 40 points in April and 60 in May, and its folder as the working folder."""
    for score in (10, 9, 8, 0, 10):
        company.survey("nps", score, "2024-04-10")
    for score in (10, 9, 9, 0, 10):
        company.survey("nps", score)
    company.write()
    (company.folder / "notebooks" / "loyalty.ipynb").write_text("{}")
    monkeypatch.chdir(company.folder)
    return company


def issue(company, audience="board", at=JULY, pdf=b"%PDF May", content="aa11", own=None):
    """Issue May as a build would have made it of what there is now."""
    params = company.loaded()
    opened = source.open(params)
    card = restated.noted(scorecard.measure(opened, params, MAY, registry(), cuts=False), opened, params, [])
    build = company.folder / "build"
    build.mkdir(exist_ok=True)
    card.write(build)
    notebook = manifest.hashed(company.folder / "notebooks" / "loyalty.ipynb")
    text = commentary.read(params, MAY).get("loyalty")
    beside = sha256((text.text if text else "").encode()).hexdigest()
    built = {
        "inputs": inputs(params, opened.fingerprint()) | (own or {}),
        "notebooks": {"loyalty": {"sha256": notebook, "beside": beside}},
    }
    files = {"manifest.json": json.dumps(built).encode(), "letter.eml": b"", "kpi-report-2024-05.pdf": pdf}
    files |= {"scorecard.parquet": build / "scorecard.parquet"}
    return Archive(params.records, params.company).keep(audience, content, files, at)


def received(company, pdf=b"%PDF May"):
    file = company.folder / "received.pdf"
    file.write_bytes(pdf)
    return str(file)


def test_two_months_side_by_side(kpi, shop):
    code, out, _ = kpi("diff", "2024-04", "2024-05")
    assert code == 0
    assert "Test & Sons: from April 2024 to May 2024" in out
    line = next(line for line in out.splitlines() if "Net Promoter Score" in line)
    assert line.split()[-5:] == ["40.0", "60.0", "up", "20.0", "points"]
    assert out.rstrip().endswith("printed the same.")


def test_the_other_way_round_and_as_json(kpi, shop):
    _, out, _ = kpi("diff", "2024-05", "2024-04", "--format", "json")
    found = {row["kpi"]: row for row in json.loads(out)}
    assert (found["nps"]["then"], found["nps"]["now"], found["nps"]["value_now"]) == ("60.0", "40.0", 40.0)
    assert all("." not in kpi for kpi in found)


def test_a_month_as_it_was_issued_and_now(kpi, shop):
    issue(shop)
    _, out, _ = kpi("diff", "2024-05", "--issued")
    assert "May 2024 as issued to board on 2 July 2024, 09:00, and now" in out
    assert "Net Promoter" not in out
    shop.survey("nps", 0)
    shop.write()
    _, out, _ = kpi("diff", "2024-05", "--issued", "--format", "json")
    found = {row["kpi"]: row for row in json.loads(out)}
    assert (found["nps"]["then"], found["nps"]["now"], found["nps"]["why"]) == ("60.0", "33.3", ["late rows"])
    assert found["nps.promoters"]["now"] == "66.7%"  # companions too


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (("2024-05",), "give a second PERIOD, --issued or --against GIT_REF"),
        (("2024-05", "2024-04", "--issued"), "give a second PERIOD, --issued or --against GIT_REF"),
        (("2024-05", "2024-5"), "did you mean '2024-05'"),
        (("2024-05", "--issued"), "nothing was issued of May 2024 for the whole company"),
        (("2024-05", "--against", "no-such-version"), "there is no version 'no-such-version'"),
    ],
)
def test_what_cannot_be_compared(kpi, shop, typed, message):
    code, out, err = kpi("diff", *typed)
    assert (code, out) == (2, "")
    assert message in err
    assert "Traceback" not in err


def test_a_file_that_was_issued_is_known(kpi, shop):
    issue(shop)
    code, out, _ = kpi("verify", received(shop))
    assert code == 0
    assert out.splitlines() == [
        "received.pdf is the report of May 2024 of Test & Sons, as issued to board on 2 July 2024, 09:00.",
        "Nothing newer was issued of it.",
        "It can be rebuilt: `kpi report 2024-05 --as-of 2024-09-01T00:00:00+02:00`.",
    ]


def test_a_report_of_its_own_is_rebuilt_for_its_audience(kpi, shop):
    issue(shop, "emea", own={"audience": "the settings of emea"})
    assert "`kpi report 2024-05 --audience emea --as-of 2024-09-01T00:00:00+02:00`" in kpi("verify", received(shop))[1]


def test_a_file_that_was_corrected_since_says_what_holds(kpi, shop):
    issue(shop)
    newer = issue(shop, at=AUGUST, pdf=b"%PDF corrected", content="bb22")
    out = kpi("verify", received(shop))[1]
    assert f"It was corrected since, on 2 August 2024, 09:00: what holds is in {newer.folder}" in out
    assert "Nothing newer" in kpi("verify", received(shop, b"%PDF corrected"))[1]


def test_what_has_changed_since_keeps_it_from_being_rebuilt(kpi, shop):
    issue(shop)
    (shop.folder / "notebooks" / "loyalty.ipynb").write_text('{"cells": []}')
    shop.survey("nps", 0)
    shop.write()
    out = kpi("verify", received(shop))[1]
    assert "It cannot be rebuilt as it was: the data and the notebook loyalty have changed since." in out


def test_a_file_of_two_audiences_names_both(kpi, shop):
    issue(shop)
    issue(shop, "desk")
    out = kpi("verify", received(shop))[1]
    assert "as issued to board" in out
    assert "as issued to desk" in out


def test_any_other_file_was_not_issued(kpi, shop):
    issue(shop)
    code, out, err = kpi("verify", received(shop, b"%PDF May "))
    assert (code, out) == (2, "")
    assert "is none of the files that Test & Sons has issued" in err
    assert kpi("verify", "missing.pdf")[0] == 2

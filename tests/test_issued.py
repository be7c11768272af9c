"""What was issued is kept whole, for good, and can be found again."""

from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from small_scorecard import ABOUT, about, scorecard

from kpi_lib import assembly, issued
from kpi_lib.audiences import Audience
from kpi_lib.errors import KpiError
from kpi_lib.issued import Archive
from kpi_lib.period import Period
from kpi_lib.scorecard import Scorecard

JULY, AUGUST = (datetime(2024, month, 2, 7, tzinfo=UTC) for month in (7, 8))


@pytest.fixture
def card():
    return Scorecard(scorecard(), about())


@pytest.fixture
def archive(tmp_path):
    return Archive(tmp_path / "records", ABOUT["company"])


def files(card, folder, pdf=b"%PDF May", letter=b"From: us\r\n"):
    """What is sent: a scorecard's file and the rest as bytes."""
    folder.mkdir(exist_ok=True)
    card.write(folder)
    texts = {"manifest.json": b'{"status": "whole"}', "letter.eml": letter, "kpi-report-2024-05.pdf": pdf}
    return {"scorecard.parquet": folder / "scorecard.parquet"} | texts


def changed(card, kpi="nps", **values):
    """The same scorecard with other values in the period's total row of a KPI."""
    frame = card.frame.copy()
    row = (frame["kpi"] == kpi) & (frame["period"] == card.period) & frame["cut"].isna()
    for name, value in values.items():
        frame.loc[row, name] = value
    return Scorecard(frame, card.about)


def test_an_issue_is_read_back_as_it_was_sent(archive, card, tmp_path):
    kept = archive.keep("board", "aa11", files(card, tmp_path / "build"), JULY)
    assert kept.folder == tmp_path / "records" / "issued" / "2024-05" / "board" / "aa11"
    assert archive.all() == [kept]
    assert (kept.period, kept.audience, kept.slice, kept.at) == ("2024-05", "board", None, JULY)
    assert kept.path("kpi-report-2024-05.pdf").read_bytes() == b"%PDF May"
    assert kept.path("letter.eml").read_bytes() == b"From: us\r\n"
    assert kept.manifest() == {"status": "whole"}
    assert len(kept.scorecard().frame) == len(card.frame)


def test_nothing_of_an_issue_can_be_written(archive, card, tmp_path):
    folder = archive.keep("board", "aa11", files(card, tmp_path / "build"), JULY).folder
    assert folder.stat().st_mode & 0o222 == 0
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o444}
    assert [path.name for path in archive.folder.iterdir()] == ["2024-05"]  # and no folder of the work is left


def test_the_same_content_again_changes_nothing(archive, card, tmp_path):
    first = archive.keep("board", "aa11", files(card, tmp_path / "build"), JULY)
    again = archive.keep("board", "aa11", files(card, tmp_path / "build", letter=b"Date: later\r\n"), AUGUST)
    assert again == first
    assert first.path("letter.eml").read_bytes() == b"From: us\r\n"


def test_another_pdf_under_the_same_content_is_refused(archive, card, tmp_path):
    first = archive.keep("board", "aa11", files(card, tmp_path / "build"), JULY)
    with pytest.raises(KpiError, match=r"2024-05 was issued to 'board' with these numbers and another kpi-report"):
        archive.keep("board", "aa11", files(card, tmp_path / "build", pdf=b"%PDF other"), AUGUST)
    assert archive.all() == [first]


def test_what_was_altered_is_not_believed(archive, card, tmp_path):
    kept = archive.keep("board", "aa11", files(card, tmp_path / "build"), JULY)
    file = kept.folder / "letter.eml"
    file.chmod(0o644)
    file.write_bytes(b"From: somebody else\r\n")
    with pytest.raises(KpiError, match=r"letter\.eml is not as it was issued on 2024-07-02"):
        kept.path("letter.eml")


def test_issues_come_in_the_order_they_went_out_and_are_found_by_content(archive, card, tmp_path):
    second = archive.keep("board", "bb22", files(card, tmp_path / "build", pdf=b"%PDF corrected"), AUGUST)
    archive.keep("board", "aa11", files(card, tmp_path / "build"), JULY)
    desk = archive.keep("desk", "aa11", files(card, tmp_path / "build"), JULY)
    assert archive.all() == [archive.find("2024-05", "board", "aa11"), desk, second]
    assert archive.find("2024-05", "board", "bb22") == second
    assert archive.find("2024-05", "board", "cc33") is None


def test_numbers_of_a_slice_and_of_the_whole_company_are_kept_apart(archive, card, tmp_path):
    part = Scorecard(card.frame.assign(audience="emea"), card.about)
    for at, audience, each in (
        (JULY, "board", card),
        (AUGUST, "desk", changed(card, value=30.0)),
        (JULY, "emea", part),
    ):
        archive.keep(audience, "aa11", files(each, tmp_path / audience), at)
    last = archive.last([Period.parse("2024-05")])
    rows = [issue.scorecard().frame for issue in last]
    latest = [each[each["kpi"] == "nps"].iloc[-1] for each in rows]
    assert sorted((str(row["audience"]), row["value"]) for row in latest) == [("None", 30.0), ("emea", 31.2)]
    assert archive.last([Period.parse("2024-04")]) == []


def test_an_issue_knows_the_part_of_the_company_that_it_is_of(archive, card, tmp_path):
    where = {"segment": "emea"}
    part = Scorecard(card.frame.assign(audience="emea"), card.about | {"audience": {"where": where}})
    assert archive.keep("emea", "aa11", files(part, tmp_path / "part"), JULY).where == where
    whole = archive.keep("board", "aa11", files(card, tmp_path / "whole"), JULY)
    whole.folder.chmod(0o755)
    (whole.folder / "scorecard.parquet").unlink()
    assert whole.where == {}  # for which its numbers are not read


def test_a_damaged_issue_is_of_the_audience_of_its_name_and_of_no_other(archive, card, tmp_path):
    part = Scorecard(card.frame.assign(audience="emea"), card.about | {"audience": {"where": {"segment": "emea"}}})
    issue = archive.keep("emea", "aa11", files(part, tmp_path / "part"), JULY)
    issue.folder.chmod(0o755)
    (issue.folder / "scorecard.parquet").unlink()
    emea, apac = (Audience(name=name, to=("a@example.com",), where={"segment": name}) for name in ("emea", "apac"))
    assert assembly.is_of(issue, emea)
    assert not assembly.is_of(issue, apac)


def test_a_pdf_is_found_by_its_content(archive, card, tmp_path):
    kept = [archive.keep(name, "aa11", files(card, tmp_path / "build"), JULY) for name in ("board", "desk")]
    mine = tmp_path / "downloaded.pdf"
    mine.write_bytes(b"%PDF May")
    assert sorted(issue.audience for issue in archive.with_file(mine)) == ["board", "desk"]
    assert kept[0].files["kpi-report-2024-05.pdf"] == sha256(b"%PDF May").hexdigest()
    mine.write_bytes(b"%PDF mine")
    assert archive.with_file(mine) == []


def test_a_report_can_tell_that_more_was_issued_of_the_months_before_it(archive, card, tmp_path):
    april, may, june = (Period.parse(f"2024-0{month}") for month in (4, 5, 6))
    assert archive.fingerprint(june) == ""
    archive.keep("board", "aa11", files(card, tmp_path / "build"), JULY)
    once = archive.fingerprint(june)
    assert once
    assert archive.fingerprint(may) == archive.fingerprint(april) == ""
    archive.keep("board", "bb22", files(card, tmp_path / "build", pdf=b"%PDF corrected"), AUGUST)
    assert archive.fingerprint(june) not in ("", once)


def test_another_companys_issues_are_not_ours(archive, card, tmp_path):
    archive.keep("board", "aa11", files(card, tmp_path / "build"), JULY)
    other = replace(archive, company="Another")
    assert other.all() == []
    with pytest.raises(KpiError, match="not of 'Another'"):
        other.keep("board", "aa11", files(card, tmp_path / "build"), JULY)


@pytest.mark.parametrize("name", ["../board", "a/b", "", ".hidden"])
def test_no_name_leads_out_of_the_records(archive, card, tmp_path, name):
    with pytest.raises(KpiError, match="can be no name"):
        archive.keep(name, "aa11", files(card, tmp_path / "build"), JULY)


def test_a_death_while_it_is_written_leaves_no_issue(archive, card, tmp_path, monkeypatch):
    def dies(path):
        raise KeyboardInterrupt

    monkeypatch.setattr(issued, "_synced", dies)
    with pytest.raises(KeyboardInterrupt):
        archive.keep("board", "aa11", files(card, tmp_path / "build"), JULY)
    assert archive.all() == []


def test_content_is_the_numbers_as_printed_and_the_analysts_words(card):
    said = {"loyalty": "Up after the spring fair."}
    same = issued.content(card, said)
    assert len(same) == 16
    later = Scorecard(card.frame, card.about | {"as_of": "2024-07-09T04:00:00+00:00", "version": "9", "restated": [{}]})
    assert issued.content(later, said) == same
    assert issued.content(changed(card, value=31.2000001, definition="ffffffff"), said) == same
    for other in (
        issued.content(changed(card, value=31.3), said),
        issued.content(changed(card, high=34.5), said),
        issued.content(changed(card, verdict="missed"), said),
        issued.content(changed(card, provisional=True), said),
        issued.content(card, {"loyalty": "Up."}),
    ):
        assert other != same


def test_a_members_number_is_no_headline(card):
    frame = card.frame.copy()
    frame.loc[frame["cut"].notna(), "value"] = 1.0
    assert issued.content(Scorecard(frame, card.about), {}) == issued.content(card, {})


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"value": 29.4, "low": 26.0}, ("31.2", "29.4")),
        ({"low": 26.0}, ("31.2 (28.0 to 34.4)", "31.2 (26.0 to 34.4)")),
        ({"target_low": 32.0, "verdict": "missed"}, ("31.2 (at least 30)", "31.2 (at least 32)")),
        ({"provisional": True, "verdict": "withheld"}, ("31.2 (on target)", "31.2 (provisional)")),
        ({"status": "undefined", "verdict": "withheld"}, ("31.2", "–")),
    ],
)
def test_a_correction_says_what_it_changes(card, values, told):
    assert issued.changes(card, changed(card, **values)) == [("Net Promoter Score", *told)]
    assert issued.changes(card, card) == []

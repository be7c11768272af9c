"""What keeps a report from its readers, and what is told of when its numbers change."""

import json
from collections import Counter

import pytest
import yaml
from standing_reports import (
    ANN,
    APRIL,
    BOB,
    CONSUMER,
    ENTERPRISE,
    LEADERSHIP,
    MAY,
    OWNER,
    REFUSES_BOB,
    REPORT,
    SLICE,
    SUBJECT,
    archive,
    deliveries,
    doctored,
    pdfs,
    read,
    renumbered,
    retold,
    send,
    text,
    url,
)

from kpi_lib import scorecard
from kpi_lib.period import Period
from kpi_lib.publish import manifest

# The gate


def notebook_changed(of, office):
    path = of.folder / "notebooks" / "executive_summary.ipynb"
    path.write_text(path.read_text() + "\n")


def data_changed(of, office):
    of.answers(MAY, 10)
    of.write()


def configuration_changed(of, office):
    path = of.folder / "params" / "report.yaml"
    told = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump(told | {"targets": {"nps": {"at_least": 31}}}))


def not_whole(of, office):
    doctored(of, status="partial")


def numbers_disagree(of, office):
    renumbered(of, lambda frame, about: about["identities"]["broken"].append("churn and retention"))


LIFTED = [
    (notebook_changed, "The notebook executive_summary has changed since the report was built"),
    (data_changed, "The data has changed since the report was built"),
    (configuration_changed, "A target, a threshold or the language has changed since the report was built"),
    (not_whole, "The report of May 2024 is not whole but partial."),
    (numbers_disagree, "Numbers of the report do not agree with each other: churn and retention."),
]


@pytest.mark.parametrize(("spoil", "said"), LIFTED, ids=[spoil.__name__ for spoil, _ in LIFTED])
def test_a_report_with_a_reason_against_it_is_held_back_unless_a_person_says_why_not(may, office, spoil, said):
    spoil(may, office)
    for _ in range(2):
        done = send(may, office)
        assert done.code == 3
        assert done.err.count("not to be sent") == 1
        assert said in done.err
        assert office.counts() == {OWNER: 1}
    (told,) = office.mails()
    assert said in text(read(told))
    assert send(may, office, "--override", "The board meets today").code == 0
    assert office.counts() == {OWNER: 1, ANN: 1, BOB: 1}
    assert "because: The board meets today" in text(read(office.mails()[1]))
    assert {each.override for each in deliveries(may)} == {"The board meets today"}


def ledger_gone(of, office):
    send(of, office)
    for file in of.ledger.parent.glob("ledger.*"):
        file.unlink()


def another_domain(of, office):
    of.audiences(LEADERSHIP | {"to": ["eve@elsewhere.test"]})


def pdf_changed(of, office):
    (of.report / "kpi-report-2024-05.pdf").write_bytes(b"%PDF mine")


def failed(of, office):
    """A build in which a notebook failed has no PDF of the whole."""
    (of.report / "kpi-report-2024-05.pdf").unlink()
    files = {name: file for name, file in manifest.read(of.report)["files"].items() if "kpi-report" not in name}
    doctored(of, status="failed", failures={"executive_summary": "cell 3: division by zero"}, files=files)


BARRED = [
    (ledger_gone, "May 2024 was issued before, but the ledger"),
    (another_domain, "eve@elsewhere.test may not get sample data"),
    (pdf_changed, "kpi-report-2024-05.pdf is not the file that was built."),
    (failed, "The notebook executive_summary failed: cell 3: division by zero."),
]


@pytest.mark.parametrize(("spoil", "said"), BARRED, ids=[spoil.__name__ for spoil, _ in BARRED])
def test_what_no_person_can_lift(may, office, spoil, said):
    spoil(may, office)
    before = Counter(office.counts())
    for typed in ((), ("--override", "The board meets today"), ()):
        done = send(may, office, *typed)
        assert done.code == 3
        assert said in done.err
        assert office.counts() == before + Counter({OWNER: 1})


def test_a_refused_preview_tells_nobody(may, office):
    notebook_changed(may, office)
    done = may.kpi("email", "2024-05", "--json", url=url(office))
    assert done.code == 3
    assert json.loads(done.out)["status"] == "refused"
    assert office.asked("connections") == 0


def test_every_owner_hears_in_one_letter_of_what_was_held_back(may, office):
    board = {"name": "board", "to": ["chair@example.com"], "owner": "secretary@example.com"}
    may.audiences(LEADERSHIP, SLICE, board)
    retold(may.report / "audiences" / "enterprise" / "executive_summary.ipynb", "How did we do?", "Consumer?")
    for _ in range(2):
        assert send(may, office).code == 3
    assert office.counts() == {OWNER: 1, "secretary@example.com": 1}
    owner, secretary = map(read, office.mails())
    assert owner["Subject"] == "Not sent: customer KPIs May 2024 to leadership and enterprise"
    held = "Another audience's report may not be sent, and all are sent together."
    assert f"leadership: {held}" in text(owner)
    assert "enterprise: executive_summary.ipynb names 'consumer', which is not in this slice" in text(owner)
    assert f"board: {held}" in text(secretary)
    assert "consumer" not in text(secretary)


def test_an_owner_who_cannot_be_told_changes_nothing_of_the_refusal(may, office):
    notebook_changed(may, office)
    office.faults({"at": "login", "do": "535 no", "times": 5})
    done = send(may, office, "--json")
    assert done.code == 3
    assert json.loads(done.out)["status"] == "refused"
    assert "refused the user and password" in done.err


def test_numbers_that_can_still_change_are_named_in_the_mail(may, office):
    def young(frame, about):
        frame.loc[frame["period"] == "2024-05", "provisional"] = True

    renumbered(may, young)
    assert send(may, office).code == 0
    said = "1 number can still change and is marked as provisional: Net Promoter Score (NPS)."
    assert all(said in text(read(mail)) for mail in office.mails())


def test_a_part_of_the_report_without_its_first_page(may, office):
    path = may.report / "executive_summary.ipynb"
    path.unlink()
    done = send(may, office)
    assert done.code == 3
    assert office.counts() == {OWNER: 1}


# Corrections


def test_other_numbers_are_a_correction_and_so_are_the_first_when_they_come_back(may, restated, office):
    first = may.copy(may.folder.with_name("first"))
    assert send(may, office).code == 0
    may.take_over(restated)
    assert send(may, office).code == 0
    corrected = read(office.mails()[2])
    assert corrected["Subject"] == f"Corrected: {SUBJECT}: 1 target missed"
    assert "Net Promoter Score (NPS): 50.0 before, −50.0 now" in text(corrected)
    assert send(may, office).code == 0
    assert office.counts() == {ANN: 2, BOB: 2}
    may.take_over(first)
    office.faults(REFUSES_BOB)
    assert send(may, office).code == 4
    back = read(office.mails()[0])
    assert back["Subject"] == f"Corrected: {SUBJECT}: all targets met"
    assert "Net Promoter Score (NPS): −50.0 before, 50.0 now" in text(back)
    assert send(may, office).code == 0
    ann, bob = office.mails()
    assert (ann["to"], bob["to"]) == (ANN, BOB)
    assert ann["content"] == bob["content"]
    frame = archive(may).all()[-1].scorecard().frame
    assert frame[(frame["period"] == "2024-05") & frame["cut"].isna() & (frame["kpi"] == "nps")]["value"].item() == 50


def test_numbers_that_nobody_got_and_that_come_back_are_a_correction_too(may, restated, office):
    first = may.copy(may.folder.with_name("first"))
    office.faults({"at": "mail", "do": "550 not from you", "times": 2})
    assert send(may, office).code == 4
    may.take_over(restated)
    assert send(may, office).code == 0
    assert {read(mail)["Subject"] for mail in office.mails()} == {f"{SUBJECT}: 1 target missed"}
    may.take_over(first)
    assert send(may, office).code == 0
    assert read(office.mails()[2])["Subject"] == f"Corrected: {SUBJECT}: all targets met"


def test_last_begins_no_correction_but_ends_one(may, restated, office, monkeypatch):
    monkeypatch.setattr(scorecard, "last_period", lambda source, params: Period.parse("2024-05"))
    assert send(may, office, period="last").code == 0
    may.take_over(restated)
    done = send(may, office, period="last")
    assert done.code == 3
    assert "if it is meant, name it, `kpi email --send 2024-05`" in done.err
    assert office.counts() == {ANN: 1, BOB: 1, OWNER: 1}
    office.faults(REFUSES_BOB)
    assert send(may, office).code == 4
    assert send(may, office, period="last").code == 0
    assert office.counts() == {ANN: 1, BOB: 1}


# Slices


def test_a_slice_is_held_against_the_company_of_the_same_data(may, office):
    may.audiences(SLICE)
    inputs = manifest.read(may.report)["inputs"]
    doctored(may, inputs=inputs | {"source": "{}"})
    done = send(may, office)
    assert done.code == 3
    assert "The company's own report of May 2024 is of other data" in done.err


def test_a_slice_has_its_own_numbers_and_names_no_other(may, office):
    may.audiences(SLICE)
    assert send(may, office).code == 0
    (mail,) = map(read, office.mails())
    assert mail["Subject"] == f"Customer KPI report, {ENTERPRISE} May 2024: all targets met"
    assert pdfs(mail) == [(may.report / "audiences" / "enterprise" / "kpi-report-2024-05.pdf").read_bytes()]
    assert CONSUMER not in text(mail)


def test_a_slice_whose_notebook_names_another_member_is_held_back(may, office):
    may.audiences(SLICE)
    page = may.report / "audiences" / "enterprise" / "executive_summary.ipynb"
    retold(page, "How did we do?", "Better than Consumer?")
    done = send(may, office)
    assert done.code == 3
    assert f"executive_summary.ipynb names '{CONSUMER}', which is not in this slice" in done.err
    assert office.counts() == {OWNER: 1}


# Restatements


def test_a_month_that_was_issued_and_has_changed_is_told_of_in_the_next(may, office):
    may.build("2024-04")
    assert send(may, office, period="2024-04").code == 0
    for at in (APRIL, MAY):
        may.answers(at, *[0] * 8)
    may.write()
    may.page(REPORT)
    may.build()
    assert send(may, office).code == 0
    said = (
        "Net Promoter Score (NPS) of April 2024 was issued as 60.0, which met its target; it is −60.0 now, which "
        "misses it (late rows)."
    )
    mail = read(office.mails()[2])
    assert mail["Subject"] == f"{SUBJECT}: 1 target missed"
    assert text(mail).count(said) == 1
    assert "Net Promoter Score (NPS) was −50.0" in text(mail)
    page = (may.report / "executive_summary.html").read_text()
    assert said in page
    assert "Restated since issued: Net Promoter Score (NPS), April 2024: 60.0 issued, −60.0 now (late rows)." in page

"""Mail about a report that stands, from the command as typed to what the mail server took."""

import json
import os
import re
import sqlite3
import subprocess
import sys
from base64 import b64encode
from urllib.parse import quote

import pytest
from mail_server import PASSWORD, USER
from standing_reports import (
    ANN,
    ARABIC,
    BOB,
    COMPANY,
    ENTERPRISE,
    LEADERSHIP,
    OWNER,
    REFUSES_BOB,
    SLICE,
    SUBJECT,
    archive,
    deliveries,
    doctored,
    html,
    pdfs,
    read,
    renumbered,
    retold,
    send,
    text,
    url,
)

from kpi_lib.deliver import mailing
from kpi_lib.deliver.message import LABELS
from kpi_lib.issued import LETTER
from kpi_lib.language import language
from kpi_lib.publish import manifest
from kpi_lib.publish.render import TITLE

# What is shown


def test_without_send_the_mail_is_shown_and_nobody_gets_it(may, office):
    done = may.kpi("email", "2024-05", url=url(office))
    assert done.code == 0
    assert "Nothing was sent" in done.out
    assert (office.asked("connections"), (may.folder / "records").exists()) == (0, False)
    mail = read(may.report / "mail" / "leadership.eml")
    assert mail["Subject"] == f"{SUBJECT}: all targets met"
    assert (mail["To"], mail["From"]) == (f"{ANN}, {BOB}", "Reports <kpi@example.com>")
    assert "Net Promoter Score (NPS) is 50.0. One in twenty may be chance." in text(mail)
    assert "Net Promoter Score (NPS): 50.0 points" in text(mail)
    assert "Sample data" in text(mail)
    assert pdfs(mail) == [(may.report / "kpi-report-2024-05.pdf").read_bytes()]
    told = {part["Content-ID"].strip("<>") for part in mail.walk() if part["Content-ID"]}
    assert set(re.findall(r'"cid:([^"]+)"', html(mail))) == told
    assert len(told) == 1
    page = (may.report / "mail" / "leadership.html").read_text()
    assert "data:image/png;base64," in page
    assert "cid:" not in page


@pytest.mark.parametrize("how", ["wished for", "too large"])
def test_a_link_takes_the_place_of_the_pdf(may, how):
    if how == "wished for":
        may.audiences(LEADERSHIP | {"attach": "link"})
    else:
        may.audiences(attachment_megabytes=0.001)
    assert may.kpi("email", "2024-05").code == 0
    mail = read(may.report / "mail" / "leadership.eml")
    assert pdfs(mail) == []
    assert "https://reports.example.com/kpi/2024-05/index.html" in text(mail)


def test_the_words_of_a_mail_are_in_its_readers_language(may):
    may.audiences(ARABIC)
    assert may.kpi("email", "2024-05").code == 0
    mail, arabic = read(may.report / "mail" / "arabic.eml"), language("ar")
    assert arabic.say(TITLE) in mail["Subject"]
    assert arabic.say("all targets met") in mail["Subject"]
    assert all(arabic.say(LABELS[name]) in html(mail) for name in ("numbers", "link"))
    assert re.search(r'<html[^>]* lang="ar"[^>]* dir="rtl"', html(mail))
    assert not re.search("[A-Za-z]", mail["Subject"])


# Who gets it, and how often


def test_everybody_gets_it_once(may, office):
    done = send(may, office)
    assert done.code == 0
    assert office.counts() == {ANN: 1, BOB: 1}
    assert send(may, office).code == 0
    assert office.counts() == {ANN: 1, BOB: 1}
    (issue,) = archive(may).all()
    kept = issue.path(LETTER).read_bytes()
    assert {mail["content"].encode() for mail in office.mails()} == {kept}
    assert issue.path("kpi-report-2024-05.pdf").read_bytes() == (may.report / "kpi-report-2024-05.pdf").read_bytes()


def test_a_report_that_is_too_large_for_a_mail_and_has_no_link_is_held_back(may, office):
    may.audiences(link=None, attachment_megabytes=0.001)
    done = send(may, office, "--override", "The board meets today")
    assert done.code == 3
    assert "kpi-report-2024-05.pdf is larger than attachment_megabytes allows, and there is no `link`" in done.err
    assert ANN not in office.counts()


def rebuilt_otherwise(of):
    """Change nothing that the numbers are made from, but what the report looks like."""
    pdf = of.report / "kpi-report-2024-05.pdf"
    pdf.write_bytes(pdf.read_bytes() + b"\n% mended")
    files = manifest.read(of.report)["files"]
    doctored(of, files=files | {pdf.name: {"sha256": manifest.hashed(pdf)}})


def test_a_report_that_reached_nobody_and_was_mended_is_sent_as_it_stands(may, office):
    office.faults({"at": "login", "do": "535 no", "times": 5})
    assert send(may, office, "--override", "The first reason").code == 4
    rebuilt_otherwise(may)
    office.faults(REFUSES_BOB)
    assert send(may, office).code == 4
    (first,) = office.mails()
    assert pdfs(read(first)) == [(may.report / "kpi-report-2024-05.pdf").read_bytes()]
    rebuilt_otherwise(may)
    assert send(may, office).code == 0
    assert [mail["to"] for mail in office.mails()] == [ANN, BOB]
    assert office.mails()[1]["content"] == first["content"]  # what others have


def test_the_reason_of_an_override_that_reached_nobody_is_not_printed_later_and_a_new_one_is(may, office):
    unlocked = (may.folder / "notebooks" / "executive_summary.ipynb").read_text()
    for reason in ("The first reason", "Another reason"):
        (may.folder / "notebooks" / "executive_summary.ipynb").write_text(unlocked + "\n")
        office.faults({"at": "login", "do": "535 no", "times": 5})
        assert send(may, office, "--override", reason).code == 4
    office.faults()
    assert send(may, office, "--override", "Another reason").code == 0
    assert ["because: Another reason" in text(read(mail)) for mail in office.mails()] == [True, True]
    assert len(archive(may).all()) == 2  # and not one for each try
    (may.folder / "notebooks" / "executive_summary.ipynb").write_text(unlocked)
    assert send(may, office).code == 0
    assert office.counts() == {ANN: 1, BOB: 1}


def test_what_was_written_before_another_report_went_out_is_not_sent_after_it(may, restated, office, monkeypatch):
    assert send(may, office).code == 0
    old, at_once = may.copy(may.folder.with_name("old")), mailing.dispatch

    def overtaken(*given):
        monkeypatch.setattr(mailing, "dispatch", at_once)
        may.take_over(restated)
        assert send(may, office).code == 0
        may.take_over(old)
        return at_once(*given)

    monkeypatch.setattr(mailing, "dispatch", overtaken)
    done = send(may, office)
    assert done.code == 4
    assert "another report of this period went out meanwhile" in done.err
    assert office.counts() == {ANN: 2, BOB: 2}


def test_a_report_that_is_built_anew_while_it_is_sent_is_not_sent(may, office, monkeypatch):
    at_once = mailing.dispatch

    def swapped(*given):
        doctored(may, problems=["another build"])
        return at_once(*given)

    monkeypatch.setattr(mailing, "dispatch", swapped)
    done = send(may, office)
    assert done.code == 4
    assert "the report was built anew meanwhile" in done.err
    assert office.counts() == {}


def test_who_was_not_reached_alone_gets_the_same_mail_later(may, office):
    office.faults(REFUSES_BOB)
    done = send(may, office)
    assert done.code == 4
    assert f"sent: {ANN}; not delivered: {BOB}" in done.out
    (first,) = office.mails()
    (may.report / "mail" / "leadership.eml").unlink()
    assert send(may, office).code == 0
    again = office.mails()[1:]
    assert [mail["to"] for mail in again] == [BOB]
    assert again[0]["content"] == first["content"]


def test_what_may_have_arrived_is_sent_again_only_when_a_person_says_it_did_not(may, office):
    office.faults({"at": "taken", "to": BOB, "do": "reset"})
    for _ in range(2):
        done = send(may, office)
        assert done.code == 4
        assert f"may have arrived: {BOB}" in done.out
        assert office.counts() == {ANN: 1, BOB: 1}
    assert send(may, office, "--again", BOB).code == 0
    assert office.counts() == {ANN: 1, BOB: 2}
    assert len({mail["content"] for mail in office.mails()}) == 1


def test_what_a_dead_sender_left_with_one_who_is_no_recipient_any_more_can_be_settled(may, office):
    office.faults({"at": "taken", "to": BOB, "do": "reset"})
    assert send(may, office).code == 4
    with sqlite3.connect(may.ledger) as rows:
        rows.execute("UPDATE deliveries SET state = 'in_data' WHERE recipient = ?", (BOB,))  # as a killed sender does
    assert f"{BOB}: may have arrived" in may.kpi("email", "2024-05").out
    may.audiences(LEADERSHIP | {"to": [ANN]})
    assert may.kpi("email", "2024-05", "--arrived", "Bob@Example.com").code == 0
    assert {each.recipient: each.state for each in deliveries(may)} == {ANN: "sent", BOB: "sent"}
    done = may.kpi("email", "2024-05", "--arrived", BOB)
    assert (done.code, done.err.splitlines()[-1]) == (2, f"kpi: nothing is unknown of mail to {BOB} about May 2024")


def test_a_server_that_takes_no_mail(may, office):
    office.faults({"at": "login", "do": "535 not with PASSWORD", "times": 5})
    done = send(may, office, "--json")
    assert done.code == 4
    assert "refused the user and password" in done.err
    assert json.loads(done.out)["status"] == "not all delivered"
    assert {each.state for each in deliveries(may)} == {"prepared"}
    office.faults()
    assert send(may, office).code == 0
    assert office.counts() == {ANN: 1, BOB: 1}


def test_a_server_that_fails_between_two_audiences_is_not_asked_again(may, office):
    may.audiences(LEADERSHIP, {"name": "desk", "to": [OWNER]})
    office.faults({"at": "login", "do": "535 no", "times": 5})
    assert send(may, office).code == 4
    assert office.asked("logins") == 1


def test_without_a_server_nothing_is_begun(may):
    done = may.kpi("email", "2024-05", "--send")
    assert (done.code, done.out) == (2, "")
    assert re.fullmatch(r"kpi: KPI_SMTP_URL: [^\n]+\n", done.err)
    assert not (may.folder / "records").exists()
    assert may.kpi("email", "2024-05", "--audience", "leaders").code == 2


# What others wrote


def test_no_text_breaks_out_of_its_place(may, office):
    may.audiences(SLICE | {"owner": None}, subject="{company} {title}")
    hostile = "NPS\\r\\nBcc: eve@elsewhere.test\\r\\n\\r\\n<script>alert(3)</script>"
    page = may.report / "audiences" / "enterprise" / "executive_summary.ipynb"
    retold(page, "Net Promoter Score (NPS)", hostile)
    assert send(may, office).code == 0
    (taken,) = office.mails()
    mail = read(taken)
    assert mail["Subject"].startswith(f"{COMPANY} Customer KPI report, {ENTERPRISE}")
    assert (mail["Bcc"], mail.defects) == (None, [])
    assert "<script" not in html(mail)
    assert "&lt;script&gt;alert(3)&lt;/script&gt;" in html(mail)
    assert "<script" not in (may.report / "mail" / "enterprise.html").read_text()


@pytest.mark.parametrize("where", ["company", "member", "subject"])
def test_a_line_break_in_what_stands_in_headers(may, office, where):
    text = "Kestrel\r\nBcc: eve@elsewhere.test"
    if where == "company":
        may.company.params(company=text)
        may.write()
        may.audiences(subject="{company}")
        renumbered(may, lambda frame, about: about.update(company=text))
        doctored(may, company=text)
    elif where == "member":
        may.audiences(SLICE | {"where": {"segment": text}})
    else:
        may.audiences(subject=text)
    done = send(may, office, "--override", "a test")
    mails = list(map(read, office.mails()))
    assert [mail["Bcc"] for mail in mails] == [None] * len(mails)
    if where == "company":
        assert done.code == 0
        assert {mail["Subject"] for mail in mails} == {"Kestrel Bcc: eve@elsewhere.test"}
    else:
        assert (done.code, mails) == (2, [])
        assert "no line break, tab or other control character can stand here" in done.err


def test_the_password_is_nowhere(may, office):
    office.faults({"at": "login", "do": "535 not with PASSWORD"}, REFUSES_BOB)
    said = [send(may, office), send(may, office), send(may, office, "--json"), may.kpi("email", "2024-05")]
    assert [each.code for each in said] == [4, 4, 0, 0]
    written = [file.read_bytes() for file in may.folder.rglob("*") if file.is_file()]
    written += [(each.out + each.err).encode() for each in said]
    written += [mail["content"].encode() for mail in office.mails()]
    plain = f"\0{USER}\0{PASSWORD}".encode()
    secrets = [PASSWORD.encode(), quote(PASSWORD, safe="").encode(), b64encode(plain), b64encode(PASSWORD.encode())]
    assert [secret for secret in secrets for content in written if secret in content] == []


# What is printed where


def test_json_is_one_document_and_progress_goes_to_stderr(may, office):
    environment = os.environ | {"KPI_SMTP_URL": url(office)}
    office.faults(REFUSES_BOB)
    command = [sys.executable, "-m", "kpi_lib.cli", "email", "2024-05", "--send", "--json", "--override", "x"]
    done = subprocess.run(command, cwd=may.folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 4
    told = json.loads(done.stdout)
    assert told["status"] == "not all delivered"
    (mail,) = told["mails"]
    assert (mail["audience"], mail["recipients"]) == ("leadership", [ANN, BOB])
    assert ([each[0] for each in mail["sent"]], [each[0] for each in mail["failed"]]) == ([ANN], [BOB])
    assert done.stderr == ""


@pytest.mark.parametrize(("typed", "status"), [((), "shown"), (("--send",), "sent")])
def test_json_says_what_came_of_it(may, office, typed, status):
    done = may.kpi("email", "2024-05", "--json", *typed, url=url(office))
    assert (done.code, json.loads(done.out)["status"]) == (0, status)
    loud = may.kpi("email", "2024-05", *typed, url=url(office))
    assert "mails: done" in loud.err
    assert "mails: done" not in loud.out

"""Sending to a real server that fails on purpose: who gets the mail, and what the ledger says."""

import pytest
from post_office import ANN, BOB, CYD, PEOPLE, Clock, events, letter, parcel

from kpi_lib.deliver import smtp
from kpi_lib.deliver.ledger import Ledger, Version
from kpi_lib.deliver.send import send
from kpi_lib.errors import DeliveryError

LONG = "A line of a long letter.\n" * 100_000  # 2.5 MB: more than the system takes from a sender in one go


@pytest.fixture
def ledger(tmp_path):
    with Ledger(tmp_path / "records" / "ledger.sqlite") as ledger:
        yield ledger


def sent(ledger, server, the_parcel=None, said=None):
    return send(ledger, server, the_parcel or parcel(), Clock(), (said if said is not None else []).append)


def standing(ledger):
    return {delivery.recipient: delivery for delivery in ledger.standing("Test & Sons", "2024-05")}


def states(ledger):
    return {recipient: delivery.state for recipient, delivery in standing(ledger).items()}


def names(outcomes):
    return [outcome.recipient for outcome in outcomes]


def test_each_recipient_gets_one_mail(ledger, office):
    tally = sent(ledger, office.server())
    assert (names(tally.sent), tally.whole) == ([*PEOPLE], True)
    assert office.counts() == dict.fromkeys(PEOPLE, 1)
    assert office.asked("connections") == 1
    assert states(ledger) == dict.fromkeys(PEOPLE, "sent")
    ann = standing(ledger)[ANN]
    assert (ann.code, ann.answer, ann.attempts) == (250, "250 queued as 1", 1)
    assert (ann.message_id, ann.prepared_at[:10]) == ("<1@example.com>", "2024-06-03")
    assert ann.prepared_at < ann.claimed_at < ann.finished_at


def test_a_second_run_sends_nothing(ledger, office):
    sent(ledger, office.server())
    tally = sent(ledger, office.server())
    assert (names(tally.already), tally.sent) == ([*PEOPLE], [])
    assert office.counts() == dict.fromkeys(PEOPLE, 1)
    assert office.asked("connections") == 1  # nothing to send, nobody to call


def test_somebody_new_gets_the_mail_alone(ledger, office):
    sent(ledger, office.server(), parcel(recipients=(ANN, BOB)))
    tally = sent(ledger, office.server())
    assert (names(tally.already), names(tally.sent)) == ([ANN, BOB], [CYD])


def test_what_is_sent_is_kept_once_the_ledger_knows_of_it_and_what_came_too_late_is_not(ledger, office):
    kept = []

    def keep():
        kept.append((states(ledger), office.asked("connections")))

    with pytest.raises(DeliveryError, match="another report of this period went out meanwhile"):
        sent(ledger, office.server(), parcel(version=Version("bb22", None), keep=keep))
    assert kept == []
    sent(ledger, office.server(), parcel(version=Version("aa11", None), keep=keep))
    assert kept == [(dict.fromkeys(PEOPLE, "prepared"), 0)]


def test_one_person_written_twice_gets_one_mail(ledger, office):
    sent(ledger, office.server(), parcel(recipients=(ANN, BOB, "Ann@Example.com")))
    assert office.counts() == {ANN: 1, BOB: 1}


def test_one_refused_recipient_neither_stops_nor_repeats_the_others(ledger, office):
    office.faults({"at": "rcpt", "to": BOB, "do": "550 no such person"})
    tally = sent(ledger, office.server())
    assert tally.failed == [(BOB, "failed: not taken for good: 550 no such person")]
    assert (names(tally.sent), tally.whole) == ([ANN, CYD], False)
    assert office.slept == []  # for good: not tried again
    again = sent(ledger, office.server())
    assert (names(again.already), names(again.sent)) == ([ANN, CYD], [BOB])
    assert office.counts() == dict.fromkeys(PEOPLE, 1)
    assert standing(ledger)[BOB].attempts == 2


@pytest.mark.parametrize("step", ["mail", "rcpt", "data", "dot"])
def test_a_refusal_for_now_is_tried_again(ledger, office, step):
    office.faults({"at": step, "do": "450 later", "times": 2})
    assert names(sent(ledger, office.server()).sent) == [*PEOPLE]
    assert standing(ledger)[ANN].attempts == 3
    assert len(office.slept) == 2
    assert 1 <= office.slept[0] < office.slept[1]
    assert office.counts() == dict.fromkeys(PEOPLE, 1)
    tried = [text for _, state, text in events(ledger, standing(ledger)[ANN].id) if "attempt" in text]
    assert tried == ["attempt 1: 450 later", "attempt 2: 450 later"]


def test_a_refusal_for_now_that_stays_is_a_failure(ledger, office):
    office.faults({"at": "rcpt", "to": BOB, "do": "450 later", "times": 99})
    tally = sent(ledger, office.server())
    assert tally.failed == [(BOB, "failed: still not taken after 4 attempts: 450 later")]
    assert names(tally.sent) == [ANN, CYD]


def test_a_mail_refused_after_its_last_line_is_a_failure(ledger, office):
    office.faults({"at": "dot", "to": BOB, "do": "554 looks like spam"})
    tally = sent(ledger, office.server())
    assert tally.failed == [(BOB, "failed: not taken for good: 554 looks like spam")]
    assert office.counts() == {ANN: 1, CYD: 1}


def test_a_server_too_busy_to_greet_is_called_again(ledger, office):
    office.faults({"at": "connect", "do": "421 too busy", "times": 2})
    assert names(sent(ledger, office.server()).sent) == [*PEOPLE]
    assert office.asked("connections") == 3


def test_a_server_that_stays_too_busy_claims_nothing(ledger, office):
    office.faults({"at": "connect", "do": "421 too busy", "times": 99})
    with pytest.raises(DeliveryError, match="cannot be used, after 4 attempts: 421 too busy") as caught:
        sent(ledger, office.server())
    assert caught.value.exit_code == 4
    assert states(ledger) == dict.fromkeys(PEOPLE, "prepared")


@pytest.mark.parametrize("step", ["mail", "rcpt", "data"])
@pytest.mark.parametrize("fault", ["reset", "hang"])
def test_a_connection_lost_before_the_mail_is_opened_anew(ledger, office, step, fault):
    office.faults({"at": step, "do": fault})
    assert names(sent(ledger, office.server(timeout=0.5)).sent) == [*PEOPLE]
    assert office.counts() == dict.fromkeys(PEOPLE, 1)
    assert office.asked("connections") == 2


@pytest.mark.parametrize(
    ("step", "fault", "arrived"),
    [
        ("body", "reset", 0),
        ("body", "hang", 0),
        ("dot", "reset", 0),
        ("taken", "reset", 1),
        ("taken", "hang", 1),
        ("taken", "777 what", 1),
    ],
)
def test_a_connection_lost_between_the_mail_and_its_answer_is_unknown_and_not_sent_again(
    ledger, office, monkeypatch, step, fault, arrived
):
    monkeypatch.setattr(smtp, "PATIENCE", 1)
    office.faults({"at": step, "to": BOB, "do": fault})
    mail = parcel(message=letter(LONG if (step, fault) == ("body", "reset") else "NPS rose.\n"))
    said: list[str] = []
    tally = sent(ledger, office.server(timeout=0.5 if fault == "hang" else 5.0), mail, said)
    assert (names(tally.unknown), names(tally.sent)) == ([BOB], [ANN, CYD])
    again = sent(ledger, office.server(), mail, said)
    assert (names(again.unknown), names(again.already), again.whole) == ([BOB], [ANN, CYD], False)
    assert said[-1].startswith(f"{BOB}: unknown, not sent again: ")
    assert office.counts() == {ANN: 1, CYD: 1} | ({BOB: 1} if arrived else {})
    assert states(ledger)[BOB] == "unknown"


def test_a_server_that_thinks_long_about_a_mail_is_waited_for(ledger, office):
    office.faults({"at": "taken", "to": BOB, "do": "slow"})
    assert names(sent(ledger, office.server(timeout=0.5)).sent) == [*PEOPLE]
    assert standing(ledger)[BOB].answer == "250 at last"


def test_a_person_may_say_what_became_of_an_unknown_mail(ledger, office):
    office.faults({"at": "dot", "to": BOB, "do": "reset"}, {"at": "taken", "to": CYD, "do": "reset"})
    sent(ledger, office.server())
    told = {"company": "Test & Sons", "period": "2024-05", "now": Clock()}
    assert not ledger.resolve(**told, recipient=BOB, arrived=False, audience="board")
    assert ledger.resolve(**told, recipient=BOB, arrived=False, audience="leadership")
    assert ledger.resolve(**told, recipient=CYD, arrived=True)
    tally = sent(ledger, office.server())
    assert (names(tally.sent), names(tally.already)) == ([BOB], [ANN, CYD])
    assert office.counts() == dict.fromkeys(PEOPLE, 1)
    assert not ledger.resolve(**told, recipient=BOB, arrived=False)


def test_a_password_refused_halfway_stops_the_rest_and_leaves_them_to_be_sent(ledger, office):
    office.faults({"at": "rcpt", "to": BOB, "do": "reset"})
    server = office.server("login", sleep=lambda seconds: office.faults({"at": "login", "do": "535 changed"}))
    tally = sent(ledger, server)
    assert (names(tally.sent), names(tally.failed)) == ([ANN], [BOB, CYD])
    assert "it refused the user and password: 535 changed" in tally.failed[1].reason
    assert office.asked("logins") == 1  # not once a recipient
    assert states(ledger) == {ANN: "sent", BOB: "prepared", CYD: "prepared"}
    office.faults()
    assert names(sent(ledger, office.server("login")).sent) == [BOB, CYD]


@pytest.mark.parametrize(
    ("kind", "fault", "said"),
    [
        ("stranger", {}, "its certificate is not trusted: IP address mismatch"),
        ("login", {"at": "login", "do": "535 bad password PASSWORD"}, "password: 535 bad password \\*\\*\\*"),
        ("login", {"at": "connect", "do": "554 go away"}, "cannot be used: 554 go away"),
    ],
)
def test_a_server_that_takes_no_mail_claims_nothing_and_is_asked_once(ledger, office, kind, fault, said):
    office.faults(*[fault] if fault else [])
    with pytest.raises(DeliveryError, match=said):
        sent(ledger, office.server(kind))
    assert states(ledger) == dict.fromkeys(PEOPLE, "prepared")
    assert office.slept == []
    assert office.mails() == []
    assert office.asked("logins") <= 1


def test_starttls_that_is_not_offered_claims_nothing(ledger, office):
    with pytest.raises(DeliveryError, match="does not offer STARTTLS"):
        sent(ledger, office.server("plain", tls="starttls"))
    assert states(ledger) == dict.fromkeys(PEOPLE, "prepared")


def test_a_server_that_is_not_there_claims_nothing(ledger, office):
    office.faults()
    with pytest.raises(DeliveryError, match="after 4 attempts: no connection"):
        sent(ledger, office.server(host="127.0.0.2", port=9))
    assert states(ledger) == dict.fromkeys(PEOPLE, "prepared")
    assert len(office.slept) == 3


def test_an_override_and_its_reason_are_kept(ledger, office):
    office.faults({"at": "rcpt", "to": BOB, "do": "550 no"})
    sent(ledger, office.server(), parcel(override="the board meets today"))
    assert standing(ledger)[ANN].override == "the board meets today"
    assert events(ledger, standing(ledger)[ANN].id)[0][1:] == ("prepared", "override: the board meets today")
    sent(ledger, office.server())  # Bob's mail goes out without one
    assert (standing(ledger)[ANN].override, standing(ledger)[BOB].override) == ("the board meets today", None)

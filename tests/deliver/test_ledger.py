"""The ledger: which moves there are, who may make them, and what it says of the editions of a report."""

import sqlite3
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event, Thread

import pytest
from post_office import ANN, BOB, Clock, events

from kpi_lib.deliver.ledger import NEXT, Ledger, version
from kpi_lib.errors import DeliveryError

KEY = ("Test & Sons", "2024-05", "leadership", "aa11")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "records" / "ledger.sqlite"


@pytest.fixture
def ledger(path):
    with Ledger(path) as ledger:
        yield ledger


def sending(ledger, waiting=None):
    return ledger.sending(Clock(), waiting or pytest.fail)


def prepared(ledger, *recipients, key=KEY, **told):
    return ledger.prepare(key, recipients or (ANN,), Clock(), **told)


def bring(ledger, delivery, *states):
    """Take a delivery through states."""
    for state in states:
        if state == "claimed":
            assert ledger.claim(delivery.id, Clock())
        else:
            ledger.move(delivery.id, state, "said", Clock())


def state_of(ledger, recipient=ANN):
    return {row.recipient: row.state for row in ledger.standing("Test & Sons", "2024-05")}[recipient]


def states(ledger, delivery):
    return [state for _, state, _ in events(ledger, delivery.id)]


@contextmanager
def died_at(path, *states):
    """A ledger in which a sender died with a delivery in the last of these states."""
    with Ledger(path) as ledger, sending(ledger):
        (delivery,) = prepared(ledger)
        bring(ledger, delivery, *states)
        ledger._settle = lambda now: None  # what is killed settles nothing
    with Ledger(path) as ledger:
        yield ledger, delivery


def test_it_is_on_disk_before_anything_goes_on(ledger):
    assert ledger._rows.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert ledger._rows.execute("PRAGMA synchronous").fetchone() == (2,)


def test_every_move_is_an_event_with_its_time(ledger):
    with sending(ledger):
        (delivery,) = prepared(ledger)
        assert ledger.claim(delivery.id, lambda: datetime(2024, 6, 3, 8, tzinfo=UTC))
        ledger.move(delivery.id, "in_data", "being given", lambda: datetime(2024, 6, 3, 9, tzinfo=UTC))
        ledger.move(delivery.id, "sent", "250 ok", lambda: datetime(2024, 6, 3, 10, tzinfo=UTC), code=250, attempts=2)
    assert events(ledger, delivery.id)[2:] == [
        ("2024-06-03T09:00:00+00:00", "in_data", "being given"),
        ("2024-06-03T10:00:00+00:00", "sent", "250 ok"),
    ]
    (row,) = ledger.standing("Test & Sons", "2024-05")
    assert (row.state, row.code, row.answer, row.attempts) == ("sent", 250, "250 ok", 2)
    assert (row.claimed_at, row.finished_at) == ("2024-06-03T08:00:00+00:00", "2024-06-03T10:00:00+00:00")
    assert row.sender.startswith("process ")


def test_a_claim_is_given_once(ledger):
    with sending(ledger):
        (delivery,) = prepared(ledger)
        assert ledger.claim(delivery.id, Clock())
        assert not ledger.claim(delivery.id, Clock())


@pytest.mark.parametrize("way", [("sent",), ("unknown",)])
def test_what_may_have_arrived_is_never_claimed_again(ledger, way):
    with sending(ledger):
        (delivery,) = prepared(ledger)
        bring(ledger, delivery, "claimed", "in_data", *way)
        assert not ledger.claim(delivery.id, Clock())


def test_a_failure_is_claimed_again(ledger):
    with sending(ledger):
        (delivery,) = prepared(ledger)
        bring(ledger, delivery, "claimed", "failed", "claimed", "in_data", "sent")
    assert states(ledger, delivery) == ["prepared", "claimed", "failed", "claimed", "in_data", "sent"]


def test_only_the_one_who_sends_claims(ledger):
    (delivery,) = prepared(ledger)
    with pytest.raises(RuntimeError, match="only inside sending"):
        ledger.claim(delivery.id, Clock())


@pytest.mark.parametrize("state", ["in_data", "sent", "failed", "unknown"])
def test_nothing_skips_a_state(ledger, state):
    (delivery,) = prepared(ledger)
    with pytest.raises(RuntimeError, match=f"cannot become {state}"):
        ledger.move(delivery.id, state, "", Clock())
    assert (state_of(ledger), states(ledger, delivery)) == ("prepared", ["prepared"])


def test_nothing_leaves_sent():
    assert NEXT["sent"] == ()


def test_a_sender_that_died_before_the_mail_leaves_it_to_be_sent(path):
    with died_at(path, "claimed") as (ledger, delivery):
        assert state_of(ledger) == "claimed"
        with sending(ledger):
            assert state_of(ledger) == "prepared"
            assert ledger.claim(delivery.id, Clock())


def test_a_sender_that_died_while_giving_the_mail_leaves_it_unknown(path):
    with died_at(path, "claimed", "in_data") as (ledger, delivery), sending(ledger):
        assert state_of(ledger) == "unknown"
        assert not ledger.claim(delivery.id, Clock())
        assert "may have arrived" in ledger.standing("Test & Sons", "2024-05")[0].answer


def test_a_sender_that_is_interrupted_settles_what_it_left(ledger):
    (ann, bob) = prepared(ledger, ANN, BOB)
    with pytest.raises(KeyboardInterrupt), sending(ledger):  # noqa: PT012 - what the sender was at
        bring(ledger, ann, "claimed", "in_data")
        bring(ledger, bob, "claimed")
        raise KeyboardInterrupt
    assert (state_of(ledger, ANN), state_of(ledger, BOB)) == ("unknown", "prepared")


def test_a_second_sender_waits_and_is_told_for_whom(path, ledger):
    told, waits, state = [], Event(), []

    def second():
        with Ledger(path) as other, sending(other, lambda said: (told.append(said), waits.set())):
            state.append(state_of(other))

    with sending(ledger):
        (delivery,) = prepared(ledger)
        thread = Thread(target=second)
        thread.start()
        assert waits.wait(10)
        bring(ledger, delivery, "claimed", "in_data", "sent")
    thread.join(10)
    assert state == ["sent"]
    assert told[0].startswith("another send is under way by process ")
    assert told[0].endswith(" since 2024-06-03T06:00:01+00:00; waiting for it to end")


def test_a_recipient_stands_once_however_written(ledger):
    assert len(prepared(ledger, ANN, "Ann@EXAMPLE.com")) == 1
    prepared(ledger, ANN)
    assert len(ledger.standing("Test & Sons", "2024-05")) == 1


def test_a_mail_that_has_not_gone_out_takes_over_message_and_override(ledger):
    with sending(ledger):
        ann, _ = prepared(ledger, ANN, BOB, message_id="<1@x>")
        bring(ledger, ann, "claimed", "in_data", "sent")
        again = prepared(ledger, ANN, BOB, message_id="<2@x>", override="the board meets")
    assert [(row.message_id, row.override) for row in again] == [("<1@x>", None), ("<2@x>", "the board meets")]


def test_no_row_is_deleted_and_no_event_changed(ledger):
    prepared(ledger)
    for statement in ("DELETE FROM deliveries", "DELETE FROM events", "UPDATE events SET text = ''"):
        with pytest.raises(sqlite3.IntegrityError, match="the ledger only grows"):
            ledger._rows.execute(statement)


def test_a_period_is_that_of_its_company(ledger):
    prepared(ledger)
    assert ledger.standing("Another", "2024-05") == ledger.standing("Test & Sons", "2024-06") == []


def test_changed_content_corrects_what_went_out_last(ledger):
    def told(content, audience="leadership", **how):
        found = version(ledger.standing("Test & Sons", "2024-05"), audience, content, **how)
        return found.content, found.corrects

    def goes_out(content):
        (delivery,) = prepared(ledger, key=(*KEY[:3], content))
        bring(ledger, delivery, "claimed", "in_data", "sent")

    with sending(ledger):
        assert told("aa11") == ("aa11", None)
        goes_out("aa11")
        assert told("aa11") == ("aa11", None)  # nothing new
        (refused,) = prepared(ledger, key=(*KEY[:3], "cc33"))
        bring(ledger, refused, "claimed", "failed")
        assert told("bb22") == ("bb22", "aa11")  # nobody has cc33
        goes_out("bb22")
        assert told("bb22") == ("bb22", "aa11")  # to those who lack it, still a correction
        assert told("aa11") == ("aa11~2", "bb22")  # what they read last is not what stands
        goes_out("aa11~2")
        assert told("aa11") == ("aa11~2", "bb22")
        assert told("bb22") == ("bb22~2", "aa11~2")
        assert told("cc33") == ("cc33~2", "aa11~2")  # nobody got it, but others have read since
        goes_out("cc33~2")
        assert told("cc33") == ("cc33~2", "aa11~2")
        (refused,) = prepared(ledger, key=(*KEY[:3], "dd44"))
        bring(ledger, refused, "claimed", "failed")
        assert told("dd44") == ("dd44", "cc33~2")  # nothing went out after it
        assert told("dd44", anew=True) == ("dd44~2", "cc33~2")
        assert told("cc33") == ("cc33~2", "aa11~2")
    assert told("bb22", "board") == ("bb22", None)


def test_a_version_is_known_to_be_with_somebody_and_why_it_was_to_go_out(ledger):
    with sending(ledger):
        ann, bob = prepared(ledger, ANN, BOB, override="the board meets")
        bring(ledger, ann, "claimed", "failed")
        found = version(ledger.standing(*KEY[:2]), *KEY[2:])
        assert (found.reached, found.override) == (False, "the board meets")
        bring(ledger, bob, "claimed", "in_data", "unknown")
        assert version(ledger.standing(*KEY[:2]), *KEY[2:]).reached


def test_a_file_that_is_no_ledger_is_said_so(path):
    path.parent.mkdir()
    path.write_text("not a database, but long enough to be looked at as one\n" * 10)
    with pytest.raises(DeliveryError, match="cannot be used as a ledger: file is not a database"):
        Ledger(path)


def test_a_ledger_of_a_newer_version_is_left_alone(path):
    with Ledger(path) as ledger:
        ledger._rows.execute("PRAGMA user_version = 2")
    with pytest.raises(DeliveryError, match=r"of a newer kpi_lib \(version 2, known is 1\)"):
        Ledger(path)


def test_a_ledger_is_read_back_as_it_was_left(path):
    with Ledger(path) as ledger:
        prepared(ledger, ANN, BOB)
    with Ledger(path) as ledger:
        assert [row.recipient for row in ledger.standing("Test & Sons", "2024-05")] == [ANN, BOB]

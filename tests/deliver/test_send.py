"""Sending to a real server that fails on purpose: who gets the mail, and what the ledger says."""

import pytest
from post_office import PEOPLE, Clock, parcel

from kpi_lib.deliver.ledger import Ledger
from kpi_lib.deliver.send import send


@pytest.fixture
def ledger(tmp_path):
    with Ledger(tmp_path / "records" / "ledger.sqlite") as ledger:
        yield ledger


def sent(ledger, server, the_parcel=None, said=None):
    return send(ledger, server, the_parcel or parcel(), Clock(), (said if said is not None else []).append)


def states(ledger):
    return {delivery.recipient: delivery.state for delivery in ledger.standing("Test & Sons", "2024-05")}


def names(outcomes):
    return [outcome.recipient for outcome in outcomes]


def test_each_recipient_gets_one_mail(ledger, office):
    tally = sent(ledger, office.server())
    assert (names(tally.sent), tally.whole) == ([*PEOPLE], True)
    assert office.counts() == dict.fromkeys(PEOPLE, 1)
    assert office.asked("connections") == 1
    assert states(ledger) == dict.fromkeys(PEOPLE, "sent")


def test_a_second_run_sends_nothing(ledger, office):
    sent(ledger, office.server())
    tally = sent(ledger, office.server())
    assert (names(tally.already), tally.sent) == ([*PEOPLE], [])
    assert office.counts() == dict.fromkeys(PEOPLE, 1)
    assert office.asked("connections") == 1  # nothing to send, nobody to call

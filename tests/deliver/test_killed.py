"""A sender that is killed, and two at once: a few of the instants that tests/slow/test_sending.py tries."""

from random import Random

import pytest
from killing import ended, raced, undisturbed


def test_a_sender_killed_at_some_steps_leaves_nobody_with_two_mails_or_forgotten(office, senders, tmp_path):
    steps = int(undisturbed(office, senders, tmp_path)["steps"])
    for step in Random(5).sample(range(1, steps), 5):
        ended(office, senders, tmp_path / f"{step}.sqlite", step=step)


def test_a_sender_killed_at_any_time_leaves_nobody_with_two_mails_or_forgotten(office, senders, tmp_path):
    seconds = undisturbed(office, senders, tmp_path)["seconds"]
    for part in (0.3, 0.5, 0.8):
        ended(office, senders, tmp_path / f"{part}.sqlite", instant=part * seconds)


@pytest.mark.parametrize("race", range(5))
def test_two_senders_at_once_send_one_mail_each(office, senders, tmp_path, race):
    raced(office, senders, tmp_path / "ledger.sqlite")

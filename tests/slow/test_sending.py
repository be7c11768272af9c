"""Senders killed with SIGKILL at every step of a send and at a hundred instants, and fifty races of two.

After each death another sender runs to the end; then nobody has two mails, and everybody's is sent or known as unknown.
"""

from collections import Counter
from random import Random

import pytest
from killing import ended, raced, undisturbed

pytestmark = pytest.mark.slow


def test_a_sender_killed_at_every_step(office, senders, tmp_path):
    steps = int(undisturbed(office, senders, tmp_path)["steps"])
    assert steps > 100
    found = Counter(ended(office, senders, tmp_path / f"{step}.sqlite", step=step) for step in range(1, steps + 1))
    assert {*found} == {"nothing unknown", "arrived", "lost"}
    assert found["nothing unknown"] > 0.75 * steps  # only between the mail itself and its answer is anything unknown


def test_a_sender_killed_at_a_hundred_instants(office, senders, tmp_path):
    random, seconds = Random(2024), undisturbed(office, senders, tmp_path)["seconds"]
    for place in range(100):
        ended(office, senders, tmp_path / f"{place}.sqlite", instant=random.uniform(0, 1.1 * seconds))


def test_two_senders_that_are_both_killed(office, senders, tmp_path):
    steps = int(undisturbed(office, senders, tmp_path)["steps"])
    for step in Random(7).sample(range(1, steps), 10):
        ended(office, senders, tmp_path / f"{step}.sqlite", step=step, senders=2)


def test_fifty_races_of_two_senders(office, senders, tmp_path):
    for race in range(50):
        raced(office, senders, tmp_path / f"{race}.sqlite")

"""What must hold however a sender ends: nobody gets a mail twice, and nobody is forgotten."""

from pathlib import Path

from post_office import PEOPLE, Clock, PostOffice, Program, parcel

from kpi_lib.deliver.ledger import Ledger
from kpi_lib.deliver.send import send


def undisturbed(office: PostOffice, program: Program, folder: Path) -> dict[str, float]:
    """Return how many steps and seconds a send takes that nobody kills."""
    told = program.ask(ledger=str(folder / "whole.sqlite"), port=office.ports["plain"])
    assert told["codes"] == [0]
    return told


def ended(office: PostOffice, program: Program, path: Path, **death: float) -> str:
    """Kill a sender, run another to the end, hold what must hold; return what became of the mail that is unknown."""
    office.faults()
    codes = program.ask(ledger=str(path), port=office.ports["plain"], **death)["codes"]
    assert {*codes} <= {0, -9}
    assert death.keys() != {"step"} or codes == [-9]  # a step is certain to come, an instant may be too late
    office.mails()  # nobody is connected any more: what the dead sender gave has been taken or lost
    with Ledger(path) as ledger:
        first = send(ledger, office.server(), parcel(), Clock(), lambda said: None)
        again = send(ledger, office.server(), parcel(), Clock(), lambda said: None)
        states = {row.recipient: row.state for row in ledger.standing("Test & Sons", "2024-05")}
    counts = office.counts()
    assert first.failed == again.failed == again.sent == []
    assert {*states} == {*PEOPLE}
    for recipient, state in states.items():
        assert counts.get(recipient, 0) in {"sent": (1,), "unknown": (0, 1)}[state]
    unknown = [recipient for recipient, state in states.items() if state == "unknown"]
    assert [outcome.recipient for outcome in again.unknown] == unknown
    assert len(unknown) <= len(codes)
    return ", ".join("arrived" if counts.get(recipient) else "lost" for recipient in unknown) or "nothing unknown"


def raced(office: PostOffice, program: Program, path: Path) -> None:
    """Start two senders at once, and hold that each recipient gets one mail."""
    office.faults()
    told = program.ask(ledger=str(path), port=office.ports["plain"], senders=2)
    assert told["codes"] == [0, 0]
    assert office.counts() == dict.fromkeys(PEOPLE, 1)

"""The act of sending: each recipient's mail is claimed, handed in and written down, one after the other."""

from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from functools import partial
from typing import NamedTuple

from kpi_lib.deliver.ledger import Clock, Delivery, Ledger, Version, version
from kpi_lib.deliver.server import Server
from kpi_lib.deliver.smtp import Session
from kpi_lib.errors import DeliveryError


@dataclass(frozen=True)
class Parcel:
    """One report for one audience; `content` is the hash of what it says, or the version that the ledger made of it.

    `keep` puts by what is sent, once the ledger knows of it and before the first mail goes out.
    """

    company: str
    period: str
    audience: str
    content: str
    message: EmailMessage
    recipients: tuple[str, ...]
    override: str | None = None
    version: Version | None = None  # as it was known when the message was written; None: of no matter
    keep: Callable[[], object] = lambda: None


class Outcome(NamedTuple):
    """A recipient, and what was said of the mail."""

    recipient: str
    reason: str


@dataclass(frozen=True)
class Tally:
    """What became of a parcel: went out now, had gone out before, was not taken, may or may not have arrived."""

    sent: list[Outcome] = field(default_factory=list)
    already: list[Outcome] = field(default_factory=list)
    failed: list[Outcome] = field(default_factory=list)
    unknown: list[Outcome] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether every recipient has the mail."""
        return not (self.failed or self.unknown)


def send(ledger: Ledger, server: Server, parcel: Parcel, now: Clock, progress: Callable[[str], None]) -> Tally:
    """Send to every recipient who has not got it; a mail that may have arrived is told of and not sent again.

    DeliveryError, with nothing claimed, when the server takes no mail at all, or when other content went out while this
    waited for another sender. When it turns out so between two recipients, the others are `failed` in the tally and
    still to be sent in the ledger, so that a next run sends them.
    """
    with ledger.sending(now, progress):
        key, message_id = (parcel.company, parcel.period, parcel.audience, parcel.content), parcel.message["Message-ID"]
        deliveries = ledger.prepare(key, parcel.recipients, now, message_id=message_id, override=parcel.override)
        if known := parcel.version:
            rows = ledger.standing(parcel.company, parcel.period)
            latest = version(rows, parcel.audience, parcel.content.partition("~")[0])
            if (latest.content, latest.corrects) != (known.content, known.corrects):
                raise DeliveryError("another report of this period went out meanwhile; nothing was sent, run it again")
        parcel.keep()
        tally = Tally()
        for delivery in deliveries:
            if delivery.state == "sent":
                tally.already.append(Outcome(delivery.recipient, f"sent {delivery.finished_at}"))
            elif delivery.state == "unknown":
                _tell(tally.unknown, delivery.recipient, f"unknown, not sent again: {delivery.answer}", progress)
        due = [delivery for delivery in deliveries if delivery.state in ("prepared", "failed")]
        if due:
            with Session(server) as session:
                session.open()
                _send_each(ledger, session, parcel.message, due, tally, now, progress)
    return tally


def _send_each(
    ledger: Ledger,
    session: Session,
    message: EmailMessage,
    due: list[Delivery],
    tally: Tally,
    now: Clock,
    progress: Callable[[str], None],
) -> None:
    for place, delivery in enumerate(due):
        if not ledger.claim(delivery.id, now):
            continue
        note = partial(ledger.move, delivery.id, now=now)
        try:
            session.open()
            answer = session.deliver(message, delivery.recipient, note)
        except DeliveryError as error:
            note("prepared", str(error))
            for left in due[place:]:
                _tell(tally.failed, left.recipient, f"not sent: {error}", progress)
            return
        note(answer.state, answer.text, code=answer.code, attempts=answer.attempts)
        _tell(getattr(tally, answer.state), delivery.recipient, f"{answer.state}: {answer.text}", progress)


def _tell(outcomes: list[Outcome], recipient: str, reason: str, progress: Callable[[str], None]) -> None:
    outcomes.append(Outcome(recipient, reason))
    progress(f"{recipient}: {reason}")

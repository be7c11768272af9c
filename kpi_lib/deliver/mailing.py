"""Mail about a period's report: prepared for each audience, shown, and sent where nothing speaks against it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kpi_lib import issued, restated
from kpi_lib.audiences import Audience, Delivery
from kpi_lib.deliver import foreign, gate, letters, message
from kpi_lib.deliver.ledger import Clock, Ledger, Version
from kpi_lib.deliver.send import Parcel, Tally, send
from kpi_lib.deliver.server import Server
from kpi_lib.editions import Edition
from kpi_lib.errors import DeliveryError, KpiError
from kpi_lib.freshness import patience
from kpi_lib.issued import LETTER, MANIFEST, SCORECARD, Archive
from kpi_lib.language import ENGLISH
from kpi_lib.localise import localised
from kpi_lib.params import Freshness
from kpi_lib.period import Period
from kpi_lib.publish import manifest
from kpi_lib.scorecard import Scorecard

MAIL = "mail"  # in a period's folder: previews
NOTHING = Version("", None)
HELD = "Another audience's report may not be sent, and all are sent together."
NOT_SENT = "not sent"  # what the ledger calls letters to owners; no audience can be called so
TOLD = dict.fromkeys(("prepared", "claimed"), "not sent yet") | dict.fromkeys(
    ("in_data", "unknown"), "may have arrived"
)


@dataclass(frozen=True)
class Office:
    """What all mail of a company goes through: who gets it, what was issued, and who has had it."""

    delivery: Delivery
    archive: Archive
    ledger: Path
    limits: Mapping[str, Freshness]
    at: datetime
    override: str | None = None


@dataclass(frozen=True)
class Mailing:
    """The mail for one audience, and why it may not go out; `message` is None when there is nothing to send."""

    edition: Edition
    audience: Audience
    reasons: Sequence[str]  # an override lifts them
    bars: Sequence[str]  # nothing does
    warnings: Sequence[str] = ()
    version: Version = NOTHING
    message: EmailMessage | None = None
    built: str = ""  # the hash of the manifest that the report had

    @property
    def refused(self) -> list[str]:
        """Why it may not be sent."""
        return [*self.bars, *self.reasons]

    @property
    def recipients(self) -> tuple[str, ...]:
        """Who gets it."""
        return (*self.audience.to, *self.audience.cc)


def prepare(edition: Edition, audience: Audience, office: Office) -> Mailing:
    """Return the mail for an audience as the report that it reads stands now.

    Who is to have what others have had gets the mail that they got. A mail that nobody was reached by is made anew when
    the report has been, or the reason to send it in spite of the gate is another.
    """
    built = manifest.hashed(edition.folder / MANIFEST)
    standing = _standing(edition, audience, office)
    reasons, bars = gate.reasons(standing), gate.bars(standing)
    needed = (SCORECARD, edition.book.file, f"{edition.notebooks[0]}.ipynb")
    if absent := [name for name in needed if not (edition.folder / name).is_file()]:
        return Mailing(edition, audience, reasons, bars or [f"There is no {absent[0]} to make a mail of."])
    card, pdf = Scorecard.read(edition.folder / SCORECARD), edition.folder / edition.book.file
    if not letters.can_carry(pdf, audience, office.delivery):
        bars.append(f"{pdf.name} is larger than attachment_megabytes allows, and there is no `link` to send instead.")
    content = issued.content(card, {name: section.text for name, section in edition.commentary.items()})
    version = _version(office, card, audience, content)
    kept = office.archive.find(card.period, audience.name, version.content)
    mail = _read(kept) if kept else _composed(edition, audience, office, card, version)
    reasons = [*reasons, *_of_others(edition, audience, card, mail)]
    override = office.override if reasons else None
    another = kept and (kept.files.get(pdf.name) != manifest.hashed(pdf) or version.override != override)
    if another and not version.reached:
        version = _version(office, card, audience, content, anew=True)
    if (another and not version.reached) or (override and not kept):
        mail = _composed(edition, audience, office, card, version, override=override)
    return Mailing(edition, audience, reasons, bars, gate.warnings(standing), version, mail, built)


def without_new_correction(mailing: Mailing) -> Mailing:
    """Return a mail that is not to go out if it begins to correct a month that nobody has named."""
    if not mailing.version.corrects or mailing.version.reached:
        return mailing
    period = mailing.edition.period
    said = f"This corrects what was sent of {period.label}, which `last` is while later data are missing"
    return replace(mailing, bars=[*mailing.bars, f"{said}: if it is meant, name it, `kpi email --send {period}`."])


def preview(mailing: Mailing) -> tuple[Path, Path]:
    """Write a mail beside the report, as .eml for a mail reader and as a page; return both files."""
    assert mailing.message is not None
    folder = mailing.edition.shelf / str(mailing.edition.period) / MAIL
    folder.mkdir(exist_ok=True)
    eml, page = (folder / f"{mailing.audience.name}.{ending}" for ending in ("eml", "html"))
    raw, shown = message.preview(mailing.message)
    eml.write_bytes(raw)
    page.write_text(shown, encoding="utf-8")
    return eml, page


def dispatch(mailing: Mailing, office: Office, server: Server, now: Clock, progress: Callable[[str], None]) -> Tally:
    """Keep what is sent, then send it to every recipient who has not had it."""
    assert mailing.message is not None
    edition, audience = mailing.edition, mailing.audience.name
    parcel = Parcel(
        edition.params.company,
        str(edition.period),
        audience,
        mailing.version.content,
        mailing.message,
        mailing.recipients,
        office.override if mailing.reasons else None,
        mailing.version,
    )
    with Ledger(office.ledger) as ledger:
        if office.archive.find(*parcel.key[1:]) is None:
            if manifest.hashed(edition.folder / MANIFEST) != mailing.built:
                raise DeliveryError("the report was built anew meanwhile; nothing was sent, run it again")
            files: dict[str, Path | bytes] = {
                name: edition.folder / name for name in (SCORECARD, MANIFEST, edition.book.file)
            }
            files[LETTER] = mailing.message.as_bytes(policy=SMTP)
            ledger.prepare(parcel.key, parcel.recipients, now, override=parcel.override)
            office.archive.keep(audience, parcel.content, files, office.at)  # after: what no ledger knows is one lost
        return send(ledger, server, parcel, now, progress)


def settle(
    office: Office, company: str, period: Period, audience: str | None, words: Mapping[str, bool], now: Clock
) -> None:
    """Take a person's word on mails that may have arrived: by recipient, whether it did; of one audience or of all."""
    if not words:
        return
    if not office.ledger.is_file():
        raise KpiError(f"nothing was sent of {period.label}: there is no ledger {office.ledger}")
    with Ledger(office.ledger) as ledger:
        with ledger.sending(now, lambda text: None):
            rows = ledger.standing(company, str(period))  # after what a sender that died has left was judged
        unknown = [row for row in rows if row.state == "unknown" and audience in (None, row.audience)]
        for recipient, arrived in words.items():
            found = {row.audience for row in unknown if row.recipient.lower() == recipient.lower()}
            if not found:
                raise KpiError(f"nothing is unknown of mail to {recipient} about {period.label}")
            for name in found:
                why = "it arrived" if arrived else "it did not arrive"
                ledger.resolve(company, str(period), name, recipient, arrived=arrived, why=why, now=now)


def history(mailing: Mailing, office: Office) -> list[str]:
    """Return what the ledger has of this mail, a line a recipient."""
    if not office.ledger.is_file():
        return []
    with Ledger(office.ledger) as ledger:
        rows = ledger.standing(mailing.edition.params.company, str(mailing.edition.period))
    rows = [row for row in rows if (row.audience, row.content) == (mailing.audience.name, mailing.version.content)]
    return [
        f"{row.recipient}: {TOLD.get(row.state, row.state)}{f' {row.finished_at}' if row.finished_at else ''}"
        f"{f' ({row.answer})' if row.answer and row.state != 'sent' else ''}"
        for row in rows
    ]


def tell_owners(
    mails: Sequence[Mailing], office: Office, server: Server, now: Clock, progress: Callable[[str], None]
) -> None:
    """Tell each owner in one letter why the reports to their audiences were not sent, the same reasons once."""
    for owner in dict.fromkeys(mail.audience.owner for mail in mails if mail.audience.owner):
        theirs = [mail for mail in mails if mail.audience.owner == owner]
        reasons = [f"{mail.audience.name}: {reason}" for mail in theirs for reason in mail.refused or [HELD]]
        company, period = theirs[0].edition.params.company, theirs[0].edition.period
        names, content = [mail.audience.name for mail in theirs], issued.digest(reasons)
        letter = letters.owner_letter(owner, company, period.label, names, reasons, office.delivery, content, office.at)
        parcel = Parcel(company, str(period), NOT_SENT, content, message.compose(letter), (owner,))
        with Ledger(office.ledger) as ledger:
            send(ledger, server, parcel, now, progress)


def _standing(edition: Edition, audience: Audience, office: Office) -> gate.Standing:
    folder = edition.params.project / "notebooks"
    return gate.Standing(
        folder=edition.folder,
        period=edition.period,
        audience=edition.audience.name if edition.audience else None,
        company=edition.params.company,
        inputs=edition.book.inputs,
        notebooks={name: folder / f"{name}.ipynb" for name in edition.notebooks},
        recipients=[*audience.to, *audience.cc],
        archive=office.archive,
        ledger=office.ledger,
        commentary={name: section.text for name, section in edition.commentary.items()},
        limits=office.limits,
        patience=patience(edition.params, edition.period),
    )


def _of_others(edition: Edition, audience: Audience, card: Scorecard, mail: EmailMessage) -> Sequence[str]:
    """Return where a slice's files or its mail name a member of another slice; all members are in the company's."""
    if not audience.slice:
        return []
    company, label = edition.shelf / str(edition.period), edition.period.label
    if not (company / SCORECARD).is_file():
        return [f"The company's own report of {label} is not there to know whom a slice may not name."]
    if (manifest.read(company) or {}).get("inputs", {}).get("source") != edition.inputs["source"]:
        return [f"The company's own report of {label} is of other data, and may not know whom a slice may not name."]
    cut, own = audience.slice
    frame = Scorecard.read(company / SCORECARD).frame
    members = frame.loc[frame["cut"] == cut, "member"].dropna().unique()
    about = localised(card.frame, card.about, edition.params.language)[1]
    ours = [*foreign.definitions(card.about), *foreign.definitions(about)]
    with TemporaryDirectory(prefix="kpi-mail-") as folder:
        letter = Path(folder) / "the mail.eml"
        letter.write_bytes(mail.as_bytes(policy=SMTP))
        files = [file for file in edition.folder.rglob("*") if file.is_file()]
        return [f"{said}." for said in foreign.foreign(own, map(str, members), [*files, letter], ours)]


def _version(office: Office, card: Scorecard, audience: Audience, content: str, *, anew: bool = False) -> Version:
    """Return what the ledger makes of a content; without a ledger nothing was sent before."""
    if not office.ledger.is_file():
        return Version(content, None)
    with Ledger(office.ledger) as ledger:
        return ledger.version(card.about["company"], card.period, audience.name, content, anew=anew)


def _read(issue: issued.Issue) -> EmailMessage:
    """Return the mail of an issue, to be sent to others too."""
    return message_from_bytes(issue.path(LETTER).read_bytes(), policy=SMTP)


def _composed(
    edition: Edition,
    audience: Audience,
    office: Office,
    card: Scorecard,
    version: Version,
    *,
    override: str | None = None,
) -> EmailMessage:
    said = Scorecard(*localised(card.frame, card.about, edition.params.language))
    before = office.archive.find(card.period, audience.name, version.corrects) if version.corrects else None
    built = letters.Built(audience, edition.book, edition.folder, edition.link, said)
    about: dict[str, Any] = said.about
    occasion = letters.Occasion(
        version.content,
        office.at,
        issued.changes(before.scorecard(), said) if before else (),
        version.corrects is not None,
        override,
        restated.verdicts(about.get("restated", []), about),
    )
    return message.compose(letters.letter(built, office.delivery, occasion))


def outcome(tally: Tally) -> str:
    """Return what became of a mail in a line."""
    said = {
        "sent": tally.sent,
        "sent before": tally.already,
        "not delivered": tally.failed,
        "may have arrived": tally.unknown,
    }
    return "; ".join(f"{name}: {ENGLISH.listed([each.recipient for each in who])}" for name, who in said.items() if who)

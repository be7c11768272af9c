"""Mail about a period's report: prepared for each audience, shown, and sent where nothing speaks against it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from tempfile import TemporaryDirectory

from kpi_lib import issued
from kpi_lib.audiences import Audience, Delivery
from kpi_lib.deliver import foreign, gate, letters, message
from kpi_lib.deliver.ledger import Clock, Ledger, Version, known, version
from kpi_lib.deliver.send import Parcel, Tally, send
from kpi_lib.deliver.server import Server
from kpi_lib.editions import Edition
from kpi_lib.errors import DeliveryError, KpiError
from kpi_lib.issued import LETTER, MANIFEST, SCORECARD, Archive
from kpi_lib.language import ENGLISH
from kpi_lib.localise import localised
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
    at: datetime
    override: str | None = None


@dataclass(frozen=True)
class Mailing:
    """The mail for one audience, and why it may not go out; `message` is None when there is nothing to send."""

    edition: Edition
    audience: Audience
    found: gate.Findings
    version: Version = NOTHING
    message: EmailMessage | None = None
    built: str = ""  # the hash of the manifest that the report had

    @property
    def refused(self) -> list[str]:
        """Why it may not be sent."""
        return [*self.found.bars, *self.found.reasons]

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
    found = gate.findings(edition, (*audience.to, *audience.cc), office.archive, office.ledger)
    pdf = edition.folder / edition.book.file
    needed = (SCORECARD, pdf.name, f"{edition.notebooks[0]}.ipynb")
    if absent := [name for name in needed if not (edition.folder / name).is_file()]:
        bars = found.bars or [f"There is no {absent[0]} to make a mail of."]
        return Mailing(edition, audience, replace(found, bars=bars))
    too_large = f"{pdf.name} is larger than attachment_megabytes allows, and there is no `link` to send instead."
    bars = [*found.bars, *([] if letters.can_carry(pdf, audience, office.delivery) else [too_large])]
    card = Scorecard.read(edition.folder / SCORECARD)
    content = issued.content(card, {name: section.text for name, section in edition.commentary.items()})
    before = known(office.ledger, edition.params.company, card.period)
    now = version(before, audience.name, content)
    kept = office.archive.find(card.period, audience.name, now.content)
    mail = _read(kept) if kept else _composed(edition, audience, office, card, now)
    reasons = [*found.reasons, *_of_others(edition, audience, card, mail)]
    override = office.override if reasons else None
    is_other = kept and (kept.files.get(pdf.name) != manifest.hashed(pdf) or now.override != override)
    if is_other and not now.reached:
        now = version(before, audience.name, content, anew=True)
        mail = _composed(edition, audience, office, card, now, override)
    elif override and not kept:
        mail = _composed(edition, audience, office, card, now, override)
    return Mailing(edition, audience, gate.Findings(bars, reasons, found.warnings), now, mail, built)


def without_new_correction(mailing: Mailing) -> Mailing:
    """Return a mail that is not to go out if it begins to correct a month that nobody has named."""
    if not mailing.version.corrects or mailing.version.reached:
        return mailing
    period, found = mailing.edition.period, mailing.found
    said = f"This corrects what was sent of {period.label}, which `last` is while later data are missing"
    named = f"{said}: if it is meant, name it, `kpi email --send {period}`."
    return replace(mailing, found=replace(found, bars=[*found.bars, named]))


def preview(mailing: Mailing) -> tuple[Path, Path]:
    """Write a mail beside the report, as .eml for a mail reader and as a page; return both files."""
    assert mailing.message is not None
    folder = mailing.edition.shelf / str(mailing.edition.period) / MAIL
    folder.mkdir(exist_ok=True)
    folder.chmod(0o700)  # it names recipients, and lies among pages that others may read
    eml, page = (folder / f"{mailing.audience.name}.{ending}" for ending in ("eml", "html"))
    raw, shown = message.preview(mailing.message)
    eml.write_bytes(raw)
    page.write_text(shown, encoding="utf-8")
    return eml, page


def dispatch(mailing: Mailing, office: Office, server: Server, now: Clock, progress: Callable[[str], None]) -> Tally:
    """Send a mail to every recipient who has not had it, and keep what is sent."""
    assert mailing.message is not None
    edition, period, audience = mailing.edition, str(mailing.edition.period), mailing.audience.name
    letter, content = mailing.message, mailing.version.content

    def keep() -> None:
        if office.archive.find(period, audience, content):
            return
        if manifest.hashed(edition.folder / MANIFEST) != mailing.built:
            raise DeliveryError("the report was built anew meanwhile; nothing was sent, run it again")
        files = {name: edition.folder / name for name in (SCORECARD, MANIFEST, edition.book.file)}
        office.archive.keep(audience, content, files | {LETTER: letter.as_bytes(policy=SMTP)}, office.at)

    parcel = Parcel(
        edition.params.company,
        period,
        audience,
        content,
        letter,
        mailing.recipients,
        office.override if mailing.found.reasons else None,
        mailing.version,
        keep,
    )
    with Ledger(office.ledger) as ledger:
        return send(ledger, server, parcel, now, progress)


def settle(
    office: Office, company: str, period: Period, audience: str | None, words: Mapping[str, bool], now: Clock
) -> None:
    """Take a person's word on mails that may have arrived: by recipient, whether it did; of one audience or of all."""
    if not words:
        return
    if not office.ledger.is_file():
        raise KpiError(f"nothing was sent of {period.label}: there is no ledger {office.ledger}")
    with Ledger(office.ledger) as ledger, ledger.sending(now, lambda text: None):  # judges what a dead sender left
        for recipient, arrived in words.items():
            if not ledger.resolve(company, str(period), recipient, now, arrived=arrived, audience=audience):
                raise KpiError(f"nothing is unknown of mail to {recipient} about {period.label}")


def history(mailing: Mailing, office: Office) -> list[str]:
    """Return what the ledger has of this mail, a line a recipient."""
    rows = known(office.ledger, mailing.edition.params.company, str(mailing.edition.period))
    return [
        f"{row.recipient}: {TOLD.get(row.state, row.state)}{f' {row.finished_at}' if row.finished_at else ''}"
        f"{f' ({row.answer})' if row.answer and row.state != 'sent' else ''}"
        for row in rows
        if (row.audience, row.content) == (mailing.audience.name, mailing.version.content)
    ]


def tell_owners(
    mails: Sequence[Mailing], office: Office, server: Server, now: Clock, progress: Callable[[str], None]
) -> None:
    """Tell each owner in one letter why the reports to their audiences were not sent, the same reasons once.

    It is in English, as the reasons are.
    """
    for owner in dict.fromkeys(mail.audience.owner for mail in mails if mail.audience.owner):
        theirs = [mail for mail in mails if mail.audience.owner == owner]
        reasons = [f"{mail.audience.name}: {reason}" for mail in theirs for reason in mail.refused or [HELD]]
        edition, names = theirs[0].edition, [mail.audience.name for mail in theirs]
        content, sender = issued.digest(reasons), office.delivery.sender
        company, label = edition.params.company, edition.period.label
        letter = message.Letter(
            company=company,
            title="Not sent",
            period=label,
            subject=f"Not sent: customer KPIs {label} to {ENGLISH.listed(names)}",
            sender=sender,
            to=(owner,),
            message_id=message.message_id(company, label, owner, content, sender),
            date=office.at,
            list_name="not-sent",
            lead=reasons,
        )
        parcel = Parcel(company, str(edition.period), NOT_SENT, content, message.compose(letter), (owner,))
        with Ledger(office.ledger) as ledger:
            send(ledger, server, parcel, now, progress)


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


def _read(issue: issued.Issue) -> EmailMessage:
    """Return the mail of an issue, to be sent to others too."""
    return message_from_bytes(issue.path(LETTER).read_bytes(), policy=SMTP)


def _composed(
    edition: Edition, audience: Audience, office: Office, card: Scorecard, now: Version, override: str | None = None
) -> EmailMessage:
    before = office.archive.find(card.period, audience.name, now.corrects) if now.corrects else None
    occasion = letters.Occasion(now, office.at, before.scorecard() if before else None, override)
    return message.compose(letters.letter(edition, audience, office.delivery, card, occasion))


def outcome(tally: Tally) -> str:
    """Return what became of a mail in a line."""
    said = {
        "sent": tally.sent,
        "sent before": tally.already,
        "not delivered": tally.failed,
        "may have arrived": tally.unknown,
    }
    return "; ".join(f"{name}: {ENGLISH.listed([each.recipient for each in who])}" for name, who in said.items() if who)

"""Mail about a period's report: prepared for each audience, shown, and sent where nothing speaks against it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kpi_lib import restated
from kpi_lib.audiences import Audience, Delivery
from kpi_lib.deliver import foreign, gate, issued, letters, message
from kpi_lib.deliver.issued import LETTER, MANIFEST, SCORECARD, Archive
from kpi_lib.deliver.ledger import Clock, Ledger
from kpi_lib.deliver.send import Parcel, Tally, send
from kpi_lib.deliver.server import Server
from kpi_lib.editions import Edition
from kpi_lib.errors import DeliveryError
from kpi_lib.language import ENGLISH
from kpi_lib.localise import localised
from kpi_lib.params import Freshness
from kpi_lib.period import Period
from kpi_lib.scorecard import Scorecard

MAIL = "mail"  # in a period's folder: previews


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
    content: str = ""
    corrects: str | None = None
    message: EmailMessage | None = None

    @property
    def refused(self) -> list[str]:
        """Why it may not be sent."""
        return [*self.bars, *self.reasons]

    @property
    def recipients(self) -> tuple[str, ...]:
        """Who gets it."""
        return (*self.audience.to, *self.audience.cc)


def prepare(edition: Edition, audience: Audience, office: Office) -> Mailing:
    """Return the mail for an audience as the report that it reads stands now."""
    standing = _standing(edition, audience, office)
    reasons, bars = gate.reasons(standing), gate.bars(standing)
    needed = (SCORECARD, edition.book.file, f"{edition.notebooks[0]}.ipynb")
    if absent := [name for name in needed if not (edition.folder / name).is_file()]:
        return Mailing(edition, audience, reasons, bars or [f"There is no {absent[0]} to make a mail of."])
    card = Scorecard.read(edition.folder / SCORECARD)
    words = {name: section.text for name, section in edition.commentary.items()}
    content = issued.content(card, words)
    corrects = None
    if office.ledger.is_file():
        with Ledger(office.ledger) as ledger:
            known = ledger.edition(card.about["company"], card.period, audience.name, content)
        content, corrects = known.content, known.corrects
    warnings = gate.warnings(standing)
    kept = _kept(office.archive, card.period, audience, content)
    mail = kept or _composed(edition, audience, office, card, content, corrects)
    reasons = [*reasons, *_of_others(edition, audience, card, mail)]
    if reasons and office.override and not kept:
        mail = _composed(edition, audience, office, card, content, corrects, override=office.override)
    return Mailing(edition, audience, reasons, bars, warnings, content, corrects, mail)


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
    edition, company = mailing.edition, mailing.edition.params.company
    pdf = edition.folder / edition.book.file
    files: dict[str, Path | bytes] = {name: edition.folder / name for name in (SCORECARD, MANIFEST)}
    files |= {pdf.name: pdf, LETTER: mailing.message.as_bytes(policy=SMTP)}
    parcel = Parcel(
        company,
        str(edition.period),
        mailing.audience.name,
        mailing.content,
        mailing.message,
        mailing.recipients,
        office.override if mailing.reasons else None,
    )
    key = (company, str(edition.period), mailing.audience.name, mailing.content)
    with Ledger(office.ledger) as ledger:
        if office.archive.find(*key[1:]) is None:
            ledger.prepare(key, mailing.recipients, now)  # first: an issue that no ledger knows is a ledger lost
            office.archive.keep(mailing.audience.name, mailing.content, files, office.at)
        return send(ledger, server, parcel, now, progress)


def settle(
    office: Office, company: str, period: Period, those: Sequence[Audience], words: Mapping[str, bool], now: Clock
) -> None:
    """Take a person's word on mails that may have arrived: by recipient, whether it did."""
    if not words:
        return
    if not office.ledger.is_file():
        raise DeliveryError(f"nothing was sent of {period.label}: there is no ledger {office.ledger}")
    with Ledger(office.ledger) as ledger:
        for recipient, arrived in words.items():
            audiences = [each.name for each in those if recipient in (*each.to, *each.cc)]
            unknown = {each.audience for each in ledger.standing(company, str(period)) if each.state == "unknown"}
            for audience in [name for name in audiences if name in unknown] or audiences or [""]:
                why = "it arrived" if arrived else "it did not arrive"
                ledger.resolve(company, str(period), audience, recipient, arrived=arrived, why=why, now=now)


def history(mailing: Mailing, office: Office) -> list[str]:
    """Return what the ledger has of this mail, a line a recipient."""
    if not office.ledger.is_file():
        return []
    with Ledger(office.ledger) as ledger:
        rows = ledger.standing(mailing.edition.params.company, str(mailing.edition.period))
    return [
        f"{row.recipient}: {row.state}{f' {row.finished_at}' if row.finished_at else ''}"
        for row in rows
        if row.audience == mailing.audience.name and row.content == mailing.content
    ]


def tell_owner(
    mailing: Mailing, office: Office, server: Server, now: Clock, progress: Callable[[str], None]
) -> Tally | None:
    """Send the reasons to the owner of an audience, each set of reasons once; None without an owner."""
    owner = mailing.audience.owner
    domain = owner.rpartition("@")[2].lower() if owner else ""
    if owner is None or domain not in office.delivery.allowed_domains:
        return None
    company, period = mailing.edition.params.company, mailing.edition.period
    name = f"{mailing.audience.name}-owner"
    told = {"company": company, "audience": mailing.audience.name, "at": office.at}
    told["content"] = issued.digest(mailing.refused)
    letter = letters.owner_letter(owner, period.label, mailing.refused, office.delivery, told)
    parcel = Parcel(company, str(period), name, str(told["content"]), message.compose(letter), (owner,))
    with Ledger(office.ledger) as ledger:
        return send(ledger, server, parcel, now, progress)


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
        allowed_domains=office.delivery.allowed_domains,
        archive=office.archive,
        ledger=office.ledger,
        commentary={name: section.text for name, section in edition.commentary.items()},
        limits=office.limits,
        says_provisional=True,
    )


def _of_others(edition: Edition, audience: Audience, card: Scorecard, mail: EmailMessage) -> Sequence[str]:
    """Return where a slice's files or its mail name a member of another slice; all members are in the company's."""
    if not audience.slice:
        return []
    company = edition.shelf / str(edition.period) / SCORECARD
    if not company.is_file():
        return [f"The company's own report of {edition.period.label} is not there to know whom a slice may not name."]
    cut, own = audience.slice
    frame = Scorecard.read(company).frame
    members = frame.loc[frame["cut"] == cut, "member"].dropna().unique()
    about = localised(card.frame, card.about, edition.params.language)[1]
    ours = [*foreign.definitions(card.about), *foreign.definitions(about)]
    with TemporaryDirectory(prefix="kpi-mail-") as folder:
        letter = Path(folder) / "the mail.eml"
        letter.write_bytes(mail.as_bytes(policy=SMTP))
        files = [file for file in edition.folder.rglob("*") if file.is_file()]
        return [f"{said}." for said in foreign.foreign(own, map(str, members), [*files, letter], ours)]


def _kept(archive: Archive, period: str, audience: Audience, content: str) -> EmailMessage | None:
    """Return the mail as it was sent to others before."""
    issue = archive.find(period, audience.name, content)
    if issue is None:
        return None
    return message_from_bytes(issue.path(LETTER).read_bytes(), policy=SMTP)


def _composed(
    edition: Edition,
    audience: Audience,
    office: Office,
    card: Scorecard,
    content: str,
    corrects: str | None,
    *,
    override: str | None = None,
) -> EmailMessage:
    said = Scorecard(*localised(card.frame, card.about, edition.params.language))
    before = office.archive.find(card.period, audience.name, corrects) if corrects else None
    built = letters.Built(audience, edition.book, edition.folder, edition.link, said)
    about: dict[str, Any] = said.about
    occasion = letters.Occasion(
        content,
        office.at,
        issued.changes(before.scorecard(), said) if before else (),
        corrects is not None,
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

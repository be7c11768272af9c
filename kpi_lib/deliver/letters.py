"""The letter to an audience: page one of the report that stands, with its words and cards, as the page has them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count
from pathlib import Path
from textwrap import shorten
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from kpi_lib.audiences import Audience, Delivery
from kpi_lib.commentary import LABEL
from kpi_lib.deliver.message import LABELS, Comment, Letter, Paragraph, address, message_id
from kpi_lib.display import Card
from kpi_lib.language import ENGLISH, Language
from kpi_lib.period import parse_instant
from kpi_lib.publish import Book, page
from kpi_lib.publish.page import Page
from kpi_lib.publish.prose import LINK, words
from kpi_lib.scorecard import Scorecard

MOST_SENTENCES, MOST_CARDS = 8, 8
MOST_PARAGRAPHS, MOST_CHARACTERS = 24, 4000  # of a comment
LINE_BREAKS = ("softbreak", "linebreak")
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Built:
    """The report that one audience reads as it was built into `folder`; `card` is in the book's language."""

    audience: Audience
    book: Book
    folder: Path
    link: str  # the folder below the period's own, as an address goes on: empty or `audiences/NAME/`
    card: Scorecard

    def page_one(self) -> Page:
        """Return the book's first page."""
        first = self.book.chapters[0].name
        return page.read(first, self.folder / f"{first}.ipynb", self.book.to)


@dataclass(frozen=True)
class Occasion:
    """Why and when a letter goes out: its content, what it corrects, and for what reason in spite of the gate."""

    content: str
    at: datetime
    changes: Sequence[tuple[str, str, str]] = ()
    corrects: bool = False
    override: str | None = None
    restated: Sequence[str] = field(default=())


def letter(built: Built, delivery: Delivery, occasion: Occasion) -> Letter:
    """Return what an audience is told: its page one, with the whole report attached or behind a link."""
    book, audience = built.book, built.audience
    to, first = book.to, built.page_one()
    subject = delivery.subject.format(
        company=book.company,
        title=book.title,
        period=book.label,
        verdict=verdict(built.card.frame, book.name, to),
        audience=audience.name,
    )
    attachment, link = _report(built, delivery)
    return Letter(
        company=book.company,
        title=book.title,
        period=book.label,
        subject=to.say("Corrected: {subject}", subject=subject) if occasion.corrects else subject,
        sender=delivery.sender,
        to=audience.to,
        cc=audience.cc,
        message_id=message_id(
            book.company, book.name, audience.name, occasion.content, address(delivery.sender).domain
        ),
        date=occasion.at,
        list_name=audience.name,
        language=to.code,
        direction=to.direction,
        comment=comment(first, to),
        lead=[said for said in sentences(first) if said not in occasion.restated],  # which stands above it
        cards=cards(first),
        notes=_notes(built, occasion),
        changes=occasion.changes,
        labels={name: to.say(text) for name, text in LABELS.items()},
        attachment=attachment,
        link=link,
        footer=_footer(built),
        colour=book.colour,
    )


def sentences(first: Page) -> list[str]:
    """Return the findings of a page and the note that follows them, such as how many signals may be chance."""
    blocks = first.blocks
    said = [place for place, block in enumerate(blocks) if block.type == "finding"][:MOST_SENTENCES]
    told = [str(blocks[place].data["text"]) for place in said]
    rest = blocks[said[-1] + 1 :] if said else blocks
    return told + [str(block.data["text"]) for block in rest[:1] if block.type == "note"]


def comment(first: Page, to: Language) -> Comment | None:
    """Return the analysts' comment on a page as it stands there, as much of it as a mail can hold; None without one."""
    heading = to.say(LABEL)
    quoted = (token for block in first.blocks if block.type == "prose" for token in block.data["tokens"])
    quotes = (token["children"] for token in quoted if token["type"] == "block_quote" and token["children"])
    said = next((children[1:] for children in quotes if words(children[0]) == heading), None)
    if said is None:
        return None
    found = [each for token in said for each in _paragraphs(token)]
    shown: list[Paragraph] = []
    room = MOST_CHARACTERS
    for each in found[:MOST_PARAGRAPHS]:
        if not each or len(each.text) > room:  # a table, or too long
            break
        shown.append(each)
        room -= len(each.text)
    if found and found[0] and not shown:
        shown = [replace(found[0], words=[(shorten(found[0].text, MOST_CHARACTERS, placeholder=" …"), False)])]
        return Comment(heading, shown, whole=False)
    return Comment(heading, shown, whole=len(shown) == len(found)) if found else None


def _paragraphs(token: dict[str, Any], mark: str = "", depth: int = 0) -> Iterator[Paragraph | None]:
    """Yield the paragraphs and points of a token of a page; None for what only the report can show, as a table."""
    kind = token["type"]
    if kind == "list":
        numbers = count(token["attrs"].get("start", 1))
        for item in token["children"]:
            own = f"{next(numbers)}." if token["attrs"].get("ordered") else "-"
            for child in _with_its_box(item["children"]):
                yield from _paragraphs(child, "" if child["type"] == "list" else own, depth + 1)
                own = ""
    elif kind == "block_quote":
        for child in token["children"]:
            yield from _paragraphs(child, depth=depth)
    elif kind in ("paragraph", "block_text", "heading"):
        yield Paragraph(list(_runs(token, kind == "heading")), mark, depth, token["attrs"].get("foreign", False))
    elif kind == "block_code":
        yield Paragraph([(token["raw"], False)], mark, depth)
    elif kind != "thematic_break":
        yield None


def _with_its_box(children: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what is in a point, the box of a task that stands before its words taken in with them."""
    if len(children) < 2 or children[0]["type"] != "text":
        return children
    box, first, *rest = children
    return [first | {"children": [box, *first.get("children", [])]}, *rest]


def _runs(token: dict[str, Any], bold: bool = False) -> Iterator[tuple[str, bool]]:
    """Yield the words of a token with whether they are in bold; the address of a link follows its words."""
    if token["type"] in LINE_BREAKS:
        yield " ", bold
    elif raw := token.get("raw"):
        yield raw, bold
    for child in token.get("children", []):
        yield from _runs(child, bold or token["type"] == "strong")
    if token["type"] == "link" and LINK.match(url := token["attrs"]["url"]) and words(token) != url:
        yield f" ({url})", bold


def cards(first: Page) -> list[Card]:
    """Return the cards of a page."""
    found = [Card(**card) for block in first.blocks if block.type == "cards" for card in block.data["cards"]]
    return found[:MOST_CARDS]


def verdict(frame: pd.DataFrame, period: str, to: Language) -> str:
    """Say in a few words how the targets were met: `3 targets missed`."""
    now = frame[(frame["period"] == period) & frame["cut"].isna() & frame["headline"].astype(bool)]["verdict"]
    missed = int(now.eq("missed").sum())
    if missed:
        return to.many("{count} target missed", "{count} targets missed", missed)
    return to.say("all targets met") if now.eq("on_target").any() else to.say("no target judged")


def _notes(built: Built, occasion: Occasion) -> list[str]:
    """Return what must be known before a number is read."""
    to, about, frame = built.book.to, built.card.about, built.card.frame
    young = frame[
        frame["period"].eq(built.card.period)
        & frame["cut"].isna()
        & frame["headline"].astype(bool)
        & frame["provisional"].astype(bool)
        & frame["status"].eq("ok")
    ]["title"].tolist()
    provisional = to.many(
        "{count} number can still change and is marked as provisional: {titles}.",
        "{count} numbers can still change and are marked as provisional: {titles}.",
        len(young),
        titles=to.listed(young),
    )
    override = to.say("Sent in spite of what the checks found, because: {reason}", reason=occasion.override or "")
    return [
        *([override] if occasion.override else []),
        *([to.say("Sample data: the company is invented.")] if about["sample"] else []),
        *([provisional] if young else []),
        *occasion.restated,
    ]


def can_carry(pdf: Path, audience: Audience, delivery: Delivery) -> bool:
    """Whether a mail can bring the report, as a PDF that is not too large or as a link."""
    return delivery.link is not None or _is_attached(pdf, audience, delivery)


def _is_attached(pdf: Path, audience: Audience, delivery: Delivery) -> bool:
    return audience.attach == "pdf" and pdf.stat().st_size <= delivery.attachment_megabytes * MEGABYTE


def _report(built: Built, delivery: Delivery) -> tuple[tuple[str, bytes] | None, str | None]:
    """Return the PDF to attach, or the link to the pages where it is too large or not wished for."""
    link = f"{delivery.link.rstrip('/')}/{built.book.name}/{built.link}index.html" if delivery.link else None
    pdf = built.folder / built.book.file
    return ((pdf.name, pdf.read_bytes()) if _is_attached(pdf, built.audience, delivery) else None), link


def _footer(built: Built) -> list[str]:
    to, about = built.book.to, built.card.about
    extract = to.moment(parse_instant(about["as_of"]).astimezone(ZoneInfo(about["time_zone"])))
    owner = built.audience.owner
    told = to.say("Data as of {moment}; version {version}.", moment=extract, version=about["version"])
    asks = to.say("Questions go to {owner}.", owner=owner) if owner else ""
    return [told, *([asks] if asks else [])]


def owner_letter(
    owner: str,
    company: str,
    label: str,
    names: Sequence[str],
    reasons: Sequence[str],
    delivery: Delivery,
    content: str,
    at: datetime,
) -> Letter:
    """Return what the owner of audiences is told when their reports were not sent; in English, as the reasons are."""
    return Letter(
        company=company,
        title="Not sent",
        period=label,
        subject=f"Not sent: customer KPIs {label} to {ENGLISH.listed(names)}",
        sender=delivery.sender,
        to=(owner,),
        message_id=message_id(company, label, owner, content, address(delivery.sender).domain),
        date=at,
        list_name="not-sent",
        lead=reasons,
    )

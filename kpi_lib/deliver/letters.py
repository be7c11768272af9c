"""The letter to an audience: page one of the report that stands, with its words and cards, as the page has them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count
from pathlib import Path
from textwrap import shorten
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from kpi_lib import issued, restated
from kpi_lib.audiences import Audience, Delivery
from kpi_lib.commentary import LABEL
from kpi_lib.deliver.ledger import Version
from kpi_lib.deliver.message import Comment, Letter, Paragraph, message_id
from kpi_lib.display import Card
from kpi_lib.editions import Edition
from kpi_lib.language import Language
from kpi_lib.localise import localised
from kpi_lib.period import parse_instant
from kpi_lib.publish import page
from kpi_lib.publish.page import Page
from kpi_lib.publish.prose import LINK, words
from kpi_lib.scorecard import Scorecard

MOST_SENTENCES = 8
MOST_PARAGRAPHS, MOST_CHARACTERS = 24, 4000  # of a comment
LINE_BREAKS = ("softbreak", "linebreak")
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Occasion:
    """Why and when a letter goes out: which content, instead of which numbers, and why in spite of the gate."""

    version: Version
    at: datetime
    before: Scorecard | None = None  # what the version corrects
    override: str | None = None


def letter(edition: Edition, audience: Audience, delivery: Delivery, card: Scorecard, occasion: Occasion) -> Letter:
    """Return what an audience is told: its page one, with the whole report attached or behind a link."""
    book, to = edition.book, edition.book.to
    card = Scorecard(*localised(card.frame, card.about, to.code))
    chapter, pdf = book.chapters[0].name, edition.folder / book.file
    first = page.read(chapter, edition.folder / f"{chapter}.ipynb", to)
    turned = restated.verdicts(card.about.get("restated", []), card.about)
    subject = delivery.subject.format(
        company=book.company,
        title=book.title,
        period=book.label,
        verdict=verdict(card.headlines(), to),
        audience=audience.name,
    )
    return Letter(
        company=book.company,
        title=book.title,
        period=book.label,
        subject=to.say("Corrected: {subject}", subject=subject) if occasion.version.corrects else subject,
        sender=delivery.sender,
        to=audience.to,
        cc=audience.cc,
        message_id=message_id(book.company, book.name, audience.name, occasion.version.content, delivery.sender),
        date=occasion.at,
        list_name=audience.name,
        language=to,
        comment=comment(first, to),
        lead=[said for said in sentences(first) if said not in turned],  # which stands above it
        cards=[Card(**each) for block in first.blocks if block.type == "cards" for each in block.data["cards"]],
        notes=[*_notes(card, to, occasion.override), *turned],
        changes=issued.changes(occasion.before, card) if occasion.before else (),
        attachment=(pdf.name, pdf.read_bytes()) if _is_attached(pdf, audience, delivery) else None,
        link=f"{delivery.link.rstrip('/')}/{book.name}/{edition.link}index.html" if delivery.link else None,
        footer=[*_footer(card, to, audience.owner)],
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


def verdict(headlines: pd.DataFrame, to: Language) -> str:
    """Say in a few words how the targets were met: `3 targets missed`."""
    if missed := int(headlines["verdict"].eq("missed").sum()):
        return to.many("{count} target missed", "{count} targets missed", missed)
    return to.say("all targets met") if headlines["verdict"].eq("on_target").any() else to.say("no target judged")


def _notes(card: Scorecard, to: Language, override: str | None) -> Iterator[str]:
    """Yield what must be known before a number is read."""
    if override:
        yield to.say("Sent in spite of what the checks found, because: {reason}", reason=override)
    if card.about["sample"]:
        yield to.say("Sample data: the company is invented.")
    now = card.headlines()
    if young := now[now["provisional"].astype(bool) & now["status"].eq("ok")]["title"].tolist():
        yield to.many(
            "{count} number can still change and is marked as provisional: {titles}.",
            "{count} numbers can still change and are marked as provisional: {titles}.",
            len(young),
            titles=to.listed(young),
        )


def can_carry(pdf: Path, audience: Audience, delivery: Delivery) -> bool:
    """Whether a mail can bring the report, as a PDF that is not too large or as a link."""
    return delivery.link is not None or _is_attached(pdf, audience, delivery)


def _is_attached(pdf: Path, audience: Audience, delivery: Delivery) -> bool:
    return audience.attach == "pdf" and pdf.stat().st_size <= delivery.attachment_megabytes * MEGABYTE


def _footer(card: Scorecard, to: Language, owner: str | None) -> Iterator[str]:
    extract = to.moment(parse_instant(card.about["as_of"]).astimezone(ZoneInfo(card.about["time_zone"])))
    yield to.say("Data as of {moment}; version {version}.", moment=extract, version=card.about["version"])
    if owner:
        yield to.say("Questions go to {owner}.", owner=owner)

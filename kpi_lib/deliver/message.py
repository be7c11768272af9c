"""The mail: a letter of finished texts as a message that every mail reader can show and no text can break.

Composing is a function of the letter alone: the same letter is the same message, byte for byte.
"""

import json
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email import message_from_string
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formataddr
from functools import cache
from hashlib import sha256
from io import BytesIO
from itertools import groupby
from pathlib import Path
from textwrap import fill
from typing import Any
from unicodedata import normalize

from kpi_lib.audiences import mailbox
from kpi_lib.display import Card
from kpi_lib.errors import KpiError
from kpi_lib.language import ENGLISH, Language, message

TEMPLATES = Path(__file__).parent / "templates"
CLIPPED = 100_000  # bytes of HTML; Gmail hides what is beyond 102 KB
MOST_CARDS, MOST_CHANGES = 8, 40
WIDTH = 72  # of a line of the plain text
SPARK = (96, 22)  # pixels of a sparkline, drawn at twice the size
INK = "#6f7f90"  # of a sparkline: stands on white and on black
LABELS = {
    "changed": message("What changed"),
    "before": message("Before"),
    "now": message("Now"),
    "change": message("{title}: {before} before, {now} now"),
    "numbers": message("The numbers"),
    "more": message("Not all are shown here; the report has them."),
    "attached": message("The whole report is attached: {file}"),
    "link": message("Open the whole report"),
    "rest": message("The rest of the comment is in the report."),
}

_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_OVERRIDES = re.compile("[\u202a-\u202e]")  # turn the reading order about, as in a file name that hides its ending
_FORBIDDEN_IN_FILES = re.compile(r'[/\\:*?"<>|%;=]+')


@dataclass(frozen=True)
class Paragraph:
    """A paragraph of a comment, or a point of a list in it."""

    words: Sequence[tuple[str, bool]]  # one after the other, with whether they are in bold
    mark: str = ""  # of a point: `-` or its number, `2.`
    depth: int = 0  # of a point in a list in a list: 2
    foreign: bool = False  # read from the left in a letter that is read from the right

    @property
    def text(self) -> str:
        """All its words."""
        return "".join(text for text, _ in self.words)


@dataclass(frozen=True)
class Comment:
    """What the analysts say, under its heading."""

    heading: str
    paragraphs: Sequence[Paragraph]
    whole: bool = True  # otherwise the report has the rest


@dataclass(frozen=True)
class Letter:
    """What one audience is told about a period; every text is finished, and none is markup."""

    company: str
    title: str
    period: str  # May 2024
    subject: str  # that of a correction begins with the word for it
    sender: str
    to: Sequence[str]
    message_id: str
    date: datetime
    list_name: str
    cc: Sequence[str] = ()
    language: Language = ENGLISH
    comment: Comment | None = None
    lead: Sequence[str] = ()  # sentences, the most important first
    cards: Sequence[Card] = ()
    notes: Sequence[str] = ()  # what must be known before a number is read: sample data, provisional, an override
    changes: Sequence[tuple[str, str, str]] = ()  # of a correction: title, value sent before, value now
    attachment: tuple[str, bytes] | None = None  # name and content of the PDF
    link: str | None = None
    footer: Sequence[str] = ()
    colour: str = "#1f4e79"

    def label(self, name: str, **given: str) -> str:
        """Return one of the few words of the mail's own, filled in."""
        return self.language.say(LABELS[name]).format(**given)


def compose(letter: Letter) -> EmailMessage:
    """Return the letter as a message: plain text, HTML with its images, and the PDF.

    Control characters in its texts become spaces; an address that is not one is a ValueError.
    """
    images = _sparklines(letter)
    mail = _headed(letter)
    mail.set_content(plain(letter), cte="quoted-printable")
    page_text = html(letter, {place: cid for place, (cid, _) in images.items()})
    mail.add_alternative(page_text, subtype="html", cte="quoted-printable")
    page: Any = list(mail.iter_parts())[1]
    for place, (cid, png) in images.items():
        page.add_related(png, "image", "png", cid=f"<{cid}>", filename=f"trend-{place + 1}.png")
    mail.make_mixed()
    if letter.attachment:
        name, content = letter.attachment
        mail.add_attachment(content, "application", "pdf", filename=_file_name(name))
    branches = [part for part in mail.walk() if part.is_multipart()]
    for number, part in enumerate(branches):
        part.set_boundary(f"kpi-{_digest(letter.message_id)}-{number}")
    return mail


def preview(mail: EmailMessage) -> tuple[bytes, str]:
    """Return the message as an `.eml` file, and its HTML as a page that stands alone."""
    body = mail.get_body(("html",))
    page = body.get_content() if body else ""
    for part in mail.walk():
        if cid := part["Content-ID"]:
            data = b64encode(part.get_payload(decode=True)).decode()  # type: ignore[arg-type]
            page = page.replace(f'"cid:{cid.strip("<>")}"', f'"data:{part.get_content_type()};base64,{data}"')
    return mail.as_bytes(), page


def message_id(company: str, period: str, audience: str, content_hash: str, sender: str) -> str:
    """Return the Message-ID that this content has for this audience, today and in every later run."""
    return f"<{_digest(company, period, audience, content_hash)}@{mailbox(sender).domain}>"


def plain(letter: Letter) -> str:
    """Return the letter as lines of plain text."""
    lines = [_on_one_line(letter.company), _on_one_line(f"{letter.title}, {letter.period}"), ""]
    for note in letter.notes:
        lines += [_wrapped(note, "* "), ""]
    if letter.changes:
        lines += [*_heading(letter.label("changed")), *(_wrapped(each, "- ") for each in _changes(letter))]
        lines += [*_more(letter, letter.changes, MOST_CHANGES), ""]
    if letter.comment:
        lines += [*_heading(letter.comment.heading), *_told(letter.comment)]
        lines += [line for words in _rest(letter) for line in (_wrapped(words), "")]
    for sentence in letter.lead:
        lines += [_wrapped(sentence), ""]
    if letter.cards:
        lines += _heading(letter.label("numbers"))
        for card in letter.cards[:MOST_CARDS]:
            mark = f" ({card.mark})" if card.mark else ""
            lines.append(_wrapped(f"{card.title}: {card.value} {card.unit}".rstrip() + mark))
            lines += [_wrapped(text, "    ") for _, text in facts(card)]
        lines += [*_more(letter, letter.cards, MOST_CARDS), ""]
    if letter.attachment:
        lines += [_wrapped(letter.label("attached", file=_file_name(letter.attachment[0]))), ""]
    if letter.link:
        lines += [f"{letter.label('link')}:", letter.link, ""]
    lines += map(_wrapped, letter.footer)
    return "\n".join(lines).rstrip() + "\n"


def html(letter: Letter, images: Mapping[int, str]) -> str:
    """Return the letter as HTML with its styles inlined; `images` has the Content-ID of the trend of each card."""
    import css_inline

    cards = [(card, facts(card), images.get(place)) for place, card in enumerate(letter.cards[:MOST_CARDS])]
    page = _template().render(
        letter=letter,
        preheader=[*_changes(letter), *letter.lead, letter.title][0],
        cards=cards,
        comment=_lists(letter.comment.paragraphs) if letter.comment else [],
        rest=_rest(letter),
        changes=letter.changes[:MOST_CHANGES],
        more_changes=_more(letter, letter.changes, MOST_CHANGES),
        more_cards=_more(letter, letter.cards, MOST_CARDS),
        file=_file_name(letter.attachment[0]) if letter.attachment else "",
        spark=SPARK,
    )
    inliner = css_inline.CSSInliner(load_remote_stylesheets=False)
    inlined = inliner.inline(page)
    if (size := len(inlined.encode())) > CLIPPED:
        raise KpiError(f"the mail's page has {size:,} bytes; Gmail hides what is beyond {CLIPPED:,}: shorten its texts")
    return inlined


def facts(card: Card) -> list[tuple[str, str]]:
    """Return the lines that stand with a card's number, each with what it is: change, verdict, interval or note."""
    rest = [(card.verdict, card.judged), ("interval", card.interval), ("note", card.note)]
    return [*(("change", words) for words in card.change), *((kind, text) for kind, text in rest if text)]


def sparkline(trend: Sequence[float | None]) -> bytes:
    """Return a trend as a small PNG that stands on light and dark, its last point marked; empty under 3 points."""
    if sum(number is not None for number in trend) < 3:
        return b""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    width, height = SPARK
    figure = Figure(figsize=(width / 96, height / 96), dpi=192)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.margins(0.05, 0.3)
    axes.plot([float("nan") if number is None else number for number in trend], color=INK, linewidth=1)
    if trend[-1] is not None:
        axes.plot([len(trend) - 1], [trend[-1]], "o", color=INK, markersize=4, clip_on=False)
    file = BytesIO()
    figure.savefig(file, format="png", transparent=True, metadata={"Software": None})
    return file.getvalue()


def _headed(letter: Letter) -> EmailMessage:
    """Return a message with its headers: a fixed set of names, each once.

    Addresses are written here and read back: Python before 3.13 takes the comma after a name that is not ASCII for a
    part of the name when it folds a header.
    """
    people = {"From": [letter.sender], "To": letter.to, "Cc": letter.cc}
    written = {name: ",\r\n ".join(map(_written, each)) for name, each in people.items()}
    head = "".join(f"{name}: {text}\r\n" for name, text in written.items() if text)
    mail = message_from_string(f"{head}\r\n", EmailMessage, policy=SMTP.clone(refold_source="none"))
    mail["Subject"] = _in_header(letter.subject, 200)
    mail["Date"] = letter.date
    mail["Message-ID"] = letter.message_id
    mail["List-Id"] = f"<{_slug(letter.list_name)}.{_slug(letter.company)}.{mailbox(letter.sender).domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    return mail


def _written(text: str) -> str:
    """Return an address as it stands in a header."""
    who = mailbox(text)
    name, end = _in_header(who.display_name, 60), f"\r\n <{who.addr_spec}>"
    if name.isascii():
        return formataddr((name, who.addr_spec)).replace(f" <{who.addr_spec}>", end)
    return Header(name, "utf-8", maxlinelen=72).encode(linesep="\r\n") + end


def _on_one_line(text: Any) -> Any:
    """Return a text without control characters and what turns the reading order about; anything else as it is."""
    return re.sub(" +", " ", _CONTROLS.sub(" ", _OVERRIDES.sub("", text))) if isinstance(text, str) else text


def _in_header(text: str, most: int) -> str:
    """Return a text as a header can carry it: short, and nothing in it is taken for an encoded word."""
    text = _on_one_line(text).strip(" ").replace("=?", "= ?")
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _file_name(name: str) -> str:
    """Return a PDF's name as any file system takes it, in no folder but the one it is saved to."""
    stem = _FORBIDDEN_IN_FILES.sub("-", _on_one_line(name).strip(" ")).removesuffix(".pdf")
    return (_in_header(stem, 80).strip(" .-") or "report") + ".pdf"


def _slug(text: str) -> str:
    """Return a text as part of a domain name; of one that is not Latin a part is a hash."""
    text = _on_one_line(text).strip(" ")
    letters = normalize("NFKD", text)
    latin = re.sub("[^a-z0-9]+", "-", letters.encode("ascii", "ignore").decode().lower()).strip("-")[:40].strip("-")
    lost = any(letter.isalnum() and not letter.isascii() for letter in letters)
    return "-".join(part for part in (latin, _digest(text)[:8] if lost or not latin else "") if part)


def _sparklines(letter: Letter) -> dict[int, tuple[str, bytes]]:
    """Return Content-ID and image of the trends of the first cards, by the card's place."""
    images = {}
    for place, card in enumerate(letter.cards[:MOST_CARDS]):
        if png := sparkline(card.trend):
            images[place] = (f"trend-{place + 1}.{_digest(letter.message_id)}@{mailbox(letter.sender).domain}", png)
    return images


def _digest(*texts: str) -> str:
    return sha256(json.dumps(texts).encode()).hexdigest()[:32]


def _changes(letter: Letter) -> list[str]:
    told = letter.changes[:MOST_CHANGES]
    return [letter.label("change", title=title, before=before, now=now) for title, before, now in told]


def _heading(text: str) -> list[str]:
    text = _on_one_line(text)
    return [text, "-" * min(len(text), WIDTH)]


def _more(letter: Letter, things: Sequence[Any], most: int) -> list[str]:
    return [letter.label("more")] if len(things) > most else []


def _told(comment: Comment) -> Iterator[str]:
    """Yield a comment as lines of plain text, an empty one after each paragraph and each list."""
    for is_list, paragraphs in groupby(comment.paragraphs, lambda each: each.depth > 0):
        for each in paragraphs:
            mark = f"{each.mark} ".lstrip(" ").rjust(2) if is_list else ""
            yield _wrapped(each.text, "  " * (each.depth - 1) + mark)
            yield from [] if is_list else [""]
        yield from [""] if is_list else []


def _lists(paragraphs: Sequence[Paragraph]) -> list[tuple[str, list[Paragraph]]]:
    """Return paragraphs with the element that those that follow each other stand in: `ul`, `ol` or none."""
    kinds = groupby(paragraphs, lambda each: {"": "", "-": "ul"}.get(each.mark, "ol"))
    return [(kind, list(each)) for kind, each in kinds]


def _rest(letter: Letter) -> list[str]:
    return [letter.label("rest")] if letter.comment and not letter.comment.whole else []


def _wrapped(text: str, before: str = "") -> str:
    """Return a text in lines, the first behind what stands `before` it and the others below."""
    below = " " * len(before)
    return fill(
        _on_one_line(text).strip(" "),
        WIDTH,
        initial_indent=before,
        subsequent_indent=below,
        break_long_words=False,
        break_on_hyphens=False,
    )


@cache
def _template() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        finalize=_on_one_line,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("mail.html.j2")

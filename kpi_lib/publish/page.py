"""An executed notebook as plain blocks, which the HTML page and the PDF are both made from."""

import re
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from kpi_lib.display import Column, Table
from kpi_lib.language import ENGLISH, Language
from kpi_lib.publish import glyphs, prose
from kpi_lib.publish.notebooks import nbformat
from kpi_lib.publish.text_cells import translated

DESCRIPTION = "application/vnd.kpi+json"
DESCRIBED = ("cards", "finding", "table", "definitions", "note")
PICTURES = {"image/svg+xml": "svg", "image/png": "png", "image/jpeg": "jpg"}
SVG_EXTRAS = re.compile(r"<\?xml.*?\?>|<!DOCTYPE.*?>|<metadata>.*?</metadata>|<script.*?</script>", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One thing on a page; `data["type"]` is a description's type, or `prose`, `figure` or `text`."""

    data: dict[str, Any]
    html: str = ""  # as the notebook's own output gives it for the screen; of a figure, the table behind it

    @property
    def type(self) -> str:
        return str(self.data["type"])


@dataclass
class Page:
    """A notebook's page: its title, what is on it in order, and what could not be put there."""

    name: str
    title: str
    blocks: list[Block] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def lead(self) -> Block | None:
        """The words under the title, before any heading."""
        first = self.blocks[0] if self.blocks else None
        return first if first and first.type == "prose" and not first.data["headings"] else None

    @property
    def sections(self) -> list[dict[str, Any]]:
        """The headings below the title, for a list of contents."""
        headings = (heading for block in self.blocks if block.type == "prose" for heading in block.data["headings"])
        return [heading for heading in headings if heading["level"] == 2]


def read(name: str, executed: Path, language: Language = ENGLISH) -> Page:
    """Read an executed notebook, its text cells in a language. Code, warnings and tracebacks never become blocks."""
    notebook = nbformat.read(executed, as_version=4)
    page = Page(name, titled(name, language))
    outline = prose.Outline(name, language)
    number = 0
    for cell in notebook.cells:
        injected = "injected-parameters" in cell.metadata.get("tags", [])
        number += not injected
        if cell.cell_type == "markdown":
            page.blocks.extend(_prose(translated(cell.source, language), outline, page))
        elif cell.cell_type == "code":
            for output in cell.outputs:
                page.blocks.extend(_output(output, number, page, outline))
    page.title = outline.title or page.title
    page.blocks = _without_empty_sections(page.blocks)
    return page


def _without_empty_sections(blocks: list[Block]) -> list[Block]:
    """Return the blocks without headings that nothing stands under, such as those of KPIs without data."""
    kept: list[Block] = []
    for block in reversed(blocks):
        if _is_heading(block):
            below = kept[-1].data.get("headings") if kept and _opens_section(kept[-1]) else None
            if not kept or (below and below[0]["level"] <= block.data["headings"][-1]["level"]):
                continue
        kept.append(block)
    return kept[::-1]


def _is_heading(block: Block) -> bool:
    return block.type == "prose" and all(token["type"] == "heading" for token in block.data["tokens"])


def _opens_section(block: Block) -> bool:
    return block.type == "prose" and block.data["tokens"][0]["type"] == "heading"


def titled(name: str, language: Language = ENGLISH) -> str:
    """Return a title for a notebook that has none of its own."""
    return language.say(name.replace("_", " ").capitalize())


def _prose(source: str, outline: prose.Outline, page: Page) -> Iterator[Block]:
    text = prose.parse(source, outline)
    page.problems.extend(f"{page.name}: {problem}" for problem in text.problems)
    if text.tokens:
        yield Block({"type": "prose", "tokens": text.tokens, "headings": text.headings}, text.html)


def _output(output: Any, cell: int, page: Page, outline: prose.Outline) -> Iterator[Block]:
    """Turn one output into at most one block; what cannot be printed is noted with its cell."""
    if output.output_type == "stream":
        if output.name == "stdout" and output.text.strip():
            yield Block({"type": "text", "text": output.text.rstrip("\n")})
        return
    if output.output_type not in ("display_data", "execute_result"):
        return
    data, metadata = output.data, output.metadata
    described = data.get(DESCRIPTION)
    if isinstance(described, dict) and described.get("type") in DESCRIBED:
        yield Block(dict(described), _without_styles(data.get("text/html", "")))
        return
    if picture := next((kind for kind in PICTURES if data.get(kind)), None):
        figure = _figure(picture, data[picture], metadata.get(picture, metadata), cell, page, outline)
        behind = described.get("table") if isinstance(described, dict) else None
        yield Block(figure.data, _table(behind).html()) if behind else figure
        return
    if table := read_table(data.get("text/html", "")):
        plain_table = _table(table)
        yield Block(plain_table.describe(), plain_table.html())
        return
    if markdown := data.get("text/markdown"):
        yield from _prose(markdown, outline, page)
        return
    plain = data.get("text/plain", "").strip()
    if "text/html" not in data and plain and not re.fullmatch(r"<.*>|\[<.*>\]", plain, re.DOTALL):
        yield Block({"type": "text", "text": plain})
        return
    shown = plain.splitlines()[0][:60] if plain else ", ".join(data) or "an empty output"
    page.problems.append(f"{page.name}, cell {cell}: an output that cannot be printed was left out ({shown})")


def _figure(kind: str, content: str, metadata: Any, cell: int, page: Page, outline: prose.Outline) -> Block:
    alt = metadata.get("alt", "").strip() if hasattr(metadata, "get") else ""
    if not alt:
        page.problems.append(f"{page.name}, cell {cell}: a figure has no text for people who cannot see it")
        alt = outline.language.say("Figure: {title}", title=outline.latest or page.title)
    drawn = kind == "image/svg+xml"
    body = glyphs.coarser(SVG_EXTRAS.sub("", content).strip()).encode() if drawn else b64decode(content)
    return Block({"type": "figure", "format": PICTURES[kind], "mime": kind, "alt": alt, "body": body})


def _table(described: dict[str, Any]) -> Table:
    columns = [Column(**column) for column in described["columns"]]
    return Table(described["caption"], columns, described["rows"], described["notes"])


def _without_styles(html: str) -> str:
    """Drop the style sheet that each output carries for JupyterLab, and scripts, which no page runs."""
    return re.sub(r"<(style|script)\b.*?</\1\s*>", "", html, flags=re.DOTALL | re.IGNORECASE).strip()


class _Table(HTMLParser):
    """Collects the rows of the one table in an HTML fragment."""

    def __init__(self) -> None:
        super().__init__()
        self.tables, self.head, self.body = 0, [], []  # type: int, list[list[str]], list[list[str]]
        self.caption, self.notes = "", []  # type: str, list[str]
        self.simple, self._in_head, self._into = True, False, ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.simple = self.simple and not any(k in ("colspan", "rowspan") and v not in (None, "1") for k, v in attrs)
        if tag == "table":
            self.tables += 1
        elif tag in ("thead", "tbody"):
            self._in_head = tag == "thead"
        elif tag == "tr":
            (self.head if self._in_head else self.body).append([])
        elif tag in ("td", "th"):
            rows = self.head if self._in_head else self.body
            (rows or [[]])[-1].append("")
            self._into = "cell"
        elif tag in ("caption", "p", "style"):
            self._into = tag
            self.notes += [""] if tag == "p" else []

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th", "caption", "p", "style"):
            self._into = ""

    def handle_data(self, text: str) -> None:
        rows = self.head if self._in_head else self.body
        if self._into == "cell" and rows and rows[-1]:
            rows[-1][-1] += text
        elif self._into == "caption":
            self.caption += text
        elif self._into == "p":
            self.notes[-1] += text


def read_table(html: str) -> dict[str, Any] | None:
    """Read a simple `<table>`, as pandas writes it, into the description of a table; None when it is not one."""
    reader = _Table()
    reader.feed(html)
    width = {len(row) for row in reader.head + reader.body}
    if reader.tables != 1 or not reader.simple or len(width) != 1 or not reader.head:
        return None
    rows = [[cell.strip() for cell in row] for row in reader.body]
    labels = [[label.strip() for label in column if label.strip()] for column in zip(*reader.head, strict=True)]
    columns = [
        {"label": label[-1] if label else "", "align": "right" if _numeric(cells) else "left"}
        for label, cells in zip(labels, zip(*rows, strict=True) if rows else [()] * len(labels), strict=True)
    ]
    notes = [note.strip() for note in reader.notes if note.strip()]
    return {"caption": reader.caption.strip(), "columns": columns, "rows": rows, "notes": notes}


def _numeric(cells: tuple[str, ...]) -> bool:
    number = re.compile(r"[-+−]?[\d.,'  ]*\d\s?%?|nan|NaN|NaT|None|<NA>|–|\.\.\.|…")
    return any(re.search(r"\d", cell) for cell in cells) and all(not cell or number.fullmatch(cell) for cell in cells)

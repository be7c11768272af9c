"""The text cells of a notebook: one parse, then HTML for the screen and plain tokens for print.

nbconvert's Markdown dialect, with three differences: HTML inside a text is shown as text, formulas stay as TeX, and a
quotation may hold a table.
"""

import re
from dataclasses import dataclass, field
from html import escape
from typing import Any

from mistune.plugins.table import table_in_quote
from mistune.renderers.html import HTMLRenderer
from nbconvert.filters.markdown_mistune import MarkdownWithMath

from kpi_lib.language import ENGLISH, Language

LINK = re.compile(r"(https?://|mailto:)", re.IGNORECASE)
LEFTWARDS = re.compile("[\u0600-\u06ff]")
RIGHTWARDS = re.compile("[A-Za-z\u00c0-\u04ff]")  # letters of Latin, Greek and Cyrillic scripts


@dataclass
class Outline:
    """The headings met so far on a page: their levels leave no gap, their ids are unique."""

    prefix: str
    language: Language = ENGLISH
    title: str = ""
    latest: str = ""
    level: int = 1
    ids: set[str] = field(default_factory=set)

    def heading(self, text: str, level: int) -> dict[str, Any] | None:
        """Return a heading's text, level and id; None for the page's title, the first heading of level 1."""
        if level == 1 and not self.title:
            self.title = text
            return None
        self.level, self.latest = min(max(level, 2), self.level + 1), text
        slug = re.sub(r"\W+", "-", text.lower()).strip("-") or "section"
        number = next(n for n in range(1, 10_000) if self._id(slug, n) not in self.ids)
        self.ids.add(self._id(slug, number))
        return {"text": text, "level": self.level, "id": self._id(slug, number)}

    def _id(self, slug: str, number: int) -> str:
        return f"{self.prefix}--{slug}" + (f"-{number}" if number > 1 else "")


@dataclass(frozen=True)
class Prose:
    """A text cell: tokens for print, HTML for the screen, its headings, what cannot be shown."""

    tokens: list[dict[str, Any]]
    html: str
    headings: list[dict[str, Any]]
    problems: list[str]


def parse(source: str, outline: Outline) -> Prose:
    """Parse a text cell; its headings join the page's outline."""
    markdown = MarkdownWithMath(renderer=None)
    table_in_quote(markdown)
    tokens, state = markdown.parse(source)
    headings: list[dict[str, Any]] = []
    problems: list[str] = []
    plain = [token for token in (_plain(token, outline, headings, problems) for token in tokens) if token]
    return Prose(plain, _Html(outline.language).render_tokens(plain, state), headings, problems)


def words(token: dict[str, Any]) -> str:
    """Return the text of a token and all below it."""
    return token.get("raw", "") + "".join(words(child) for child in token.get("children", []))


def _plain(token: dict[str, Any], outline: Outline, headings: list[Any], problems: list[str]) -> dict[str, Any] | None:
    """Bring a token to the few types that both pages know."""
    kind, attrs = token["type"], dict(token.get("attrs", {}))
    if kind == "blank_line":
        return None
    kept: dict[str, Any] = {"type": kind} | {key: token[key] for key in ("raw",) if key in token}
    if "children" in token:
        children = [_plain(child, outline, headings, problems) for child in token["children"]]
        kept["children"] = [child for child in children if child]
    if kind == "heading":
        if not (heading := outline.heading(words(token), attrs["level"])):
            return None
        headings.append(heading)
        attrs = {"level": heading["level"], "id": heading["id"]}
    elif kind in ("paragraph", "block_text"):
        attrs |= {"foreign": _is_foreign(words(token), outline.language)}
    elif kind in ("block_html", "inline_html"):
        text = {"type": "text", "raw": token["raw"].strip("\n")}
        written = {"foreign": _is_foreign(text["raw"], outline.language)}
        return text if kind == "inline_html" else {"type": "paragraph", "children": [text], "attrs": written}
    elif kind == "latex_environment":
        name = attrs["name"]
        return {"type": "block_math", "raw": f"\\begin{{{name}}}{attrs['body']}\\end{{{name}}}"}
    elif kind == "task_list_item":
        mark = {"type": "text", "raw": "☑ " if attrs.get("checked") else "☐ "}
        return {"type": "list_item", "children": [mark, *kept.get("children", [])]}
    elif kind == "image":
        problems.append(f"a picture in a text cell cannot be printed ({attrs.get('url', '')[:60]}); its text is shown")
        return kept | {"type": "emphasis"}
    elif kind == "link" and not LINK.match(attrs.get("url", "")):
        return kept | {"type": "span"}
    return kept | {"attrs": attrs}


def _is_foreign(text: str, language: Language) -> bool:
    """Whether a text is read from the left, by most of its letters, on a page that is read from the right."""
    return language.direction == "rtl" and len(RIGHTWARDS.findall(text)) > len(LEFTWARDS.findall(text))


class _Html(HTMLRenderer):
    """HTML of the tokens above; everything is escaped."""

    def __init__(self, language: Language) -> None:
        super().__init__(escape=True, allow_harmful_protocols=False)
        self._table = escape(language.say("Table"))

    def heading(self, text: str, level: int, **attrs: Any) -> str:
        return f'<h{level} id="{escape(attrs["id"])}">{text}</h{level}>\n'

    def paragraph(self, text: str, foreign: bool = False) -> str:
        return f'<p dir="ltr">{text}</p>\n' if foreign else super().paragraph(text)

    def block_text(self, text: str, foreign: bool = False) -> str:
        return f'<bdi dir="ltr">{text}</bdi>' if foreign else text

    def span(self, text: str, **_: Any) -> str:
        return text

    def inline_math(self, text: str) -> str:
        return f'<code class="formula">{escape(text)}</code>'

    def block_math(self, text: str) -> str:
        return f'<code class="formula block">{escape(text.strip())}</code>'

    def table(self, text: str) -> str:
        return f'<div class="wide" role="group" aria-label="{self._table}" tabindex="0"><table>{text}</table></div>\n'

    def table_head(self, text: str) -> str:
        return f"<thead><tr>{text}</tr></thead>"

    def table_body(self, text: str) -> str:
        return f"<tbody>{text}</tbody>"

    def table_row(self, text: str) -> str:
        return f"<tr>{text}</tr>"

    def table_cell(self, text: str, align: str | None = None, head: bool = False) -> str:
        tag, scope = ("th", ' scope="col"') if head else ("td", "")
        side = f' class="{align}"' if align else ""
        return f"<{tag}{scope}{side}>{text}</{tag}>"

    def strikethrough(self, text: str) -> str:
        return f"<del>{text}</del>"

    def def_list(self, text: str) -> str:
        return f"<dl>{text}</dl>\n"

    def def_list_head(self, text: str) -> str:
        return f"<dt>{text}</dt>"

    def def_list_item(self, text: str) -> str:
        return f"<dd>{text}</dd>"

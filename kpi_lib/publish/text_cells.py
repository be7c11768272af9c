"""The text cells of a notebook in another language: each heading and paragraph is a message of the catalogues."""

import re
from collections.abc import Iterator

from kpi_lib.language import Language

_BREAK = re.compile(r"(\n[ \t]*(?:\n[ \t]*)+)")
_HEADING = re.compile(r"(?P<mark> {0,3}#{1,6}[ \t]+)?(?P<text>.*)", re.DOTALL)


def texts(source: str) -> Iterator[str]:
    """Yield the headings and paragraphs of a cell as messages, their lines joined."""
    for block in _BREAK.split(source)[::2]:
        if text := _split(block)[1]:
            yield text


def translated(source: str, language: Language) -> str:
    """Return a cell's Markdown in a language; what its catalogue lacks stays as the analyst wrote it."""
    parts = _BREAK.split(source)
    for place, block in enumerate(parts[::2]):
        mark, text = _split(block)
        said = language.say(text) if text else ""
        if said != text:
            parts[2 * place] = mark + said
    return "".join(parts)


def _split(block: str) -> tuple[str, str]:
    """Return what makes a block a heading, and its text on one line."""
    found = _HEADING.fullmatch(block)
    assert found
    return found["mark"] or "", " ".join(found["text"].split())

"""The text cells of a notebook in another language: each heading and paragraph is a message of the catalogues."""

import re
from collections.abc import Iterator

from kpi_lib.language import Language

_MARK = r"^ {0,3}#{1,6}[ \t]+"
_LINE = rf"(?!{_MARK})[^\n]*\S[^\n]*"
_BLOCK = re.compile(rf"(?P<mark>{_MARK})?(?P<text>(?(mark)[^\n]*\S|^{_LINE}(?:\n{_LINE})*))", re.MULTILINE)


def texts(source: str) -> Iterator[str]:
    """Yield the headings and paragraphs of a cell as messages, their lines joined."""
    return (_joined(block["text"]) for block in _BLOCK.finditer(source))


def translated(source: str, language: Language) -> str:
    """Return a cell's Markdown in a language; what its catalogue lacks stays as the analyst wrote it."""

    def said(block: re.Match[str]) -> str:
        text = _joined(block["text"])
        translation = language.say(text)
        return block[0] if translation == text else (block["mark"] or "") + translation

    return _BLOCK.sub(said, source)


def _joined(text: str) -> str:
    return " ".join(text.split())

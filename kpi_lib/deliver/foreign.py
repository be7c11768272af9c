"""Looks in the files of a slice for the members of other slices, before anything is sent.

What a reader sees is searched, and every text of a data file: HTML with the words that stand for pictures, notebooks as
they ran, workbooks, tables, letters. A PDF is made from the same notebooks and is not read itself.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from email import message_from_bytes
from email.policy import default as mail
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from kpi_lib.errors import SourceError
from kpi_lib.language import NO_MEMBER

NOT_READ = (".pdf", ".png", ".jpg", ".jpeg", ".woff2")
SPOKEN = ("alt", "title", "aria-label", "content", "value", "href")
CODE_LENGTH = 3  # a name as short as a country's is looked for in its own spelling alone
AROUND = 30  # letters on either side of what was found


def foreign(own: str, members: Iterable[str], files: Iterable[Path], ours: Iterable[str] = ()) -> list[str]:
    """Return a sentence for each file and member other than `own` that the file names as whole words.

    `ours` are texts that every report has, such as definitions: a member that is an ordinary word is not found in them.
    """
    nobody = ("", NO_MEMBER, _spelled(own))
    others = {_spelled(member): member for member in members if _spelled(member) not in nobody}
    if not others:
        return []
    names = re.compile("|".join(_pattern(name) for name in sorted({own, *others.values()}, key=len, reverse=True)))
    common = sorted({_plain(text) for text in ours} - {""}, key=len, reverse=True)
    reasons = []
    for file in sorted(files):
        found: dict[str, list[str]] = {}
        for text in map(_plain, _texts(file)):
            if not names.search(text):
                continue
            for said in common:
                text = text.replace(said, " ")
            for match in names.finditer(text):
                if member := others.get(_spelled(match[0])):
                    around = text[max(match.start() - AROUND, 0) : match.end() + AROUND].strip()
                    found.setdefault(member, []).append(around)
        reasons += [
            f"{file.name} names {member!r}, which is not in this slice ({len(places)} times, first in “{places[0]}”)"
            for member, places in sorted(found.items())
        ]
    return reasons


def definitions(about: Mapping[str, Any]) -> list[str]:
    """Return the texts of KPIs that a scorecard carries, which are the same for every audience."""
    parts = ("title", "short", "summary", "formula", "differs", "source", "anchor")
    return [str(kpi[part]) for kpi in about["kpis"].values() for part in parts if kpi.get(part)]


def _spelled(name: str) -> str:
    """Return a name as it is compared: case and what stands between words make no difference, save in short codes."""
    name = re.sub(r"[\s_-]+", " ", name.strip())
    return name if len(name) <= CODE_LENGTH else name.casefold()


def _pattern(name: str) -> str:
    words = r"[\s_-]+".join(map(re.escape, re.split(r"[\s_-]+", name.strip())))
    folded = f"(?i:{words})" if len(name.strip()) > CODE_LENGTH else words
    return rf"(?<![^\W_]){folded}(?![^\W_])"


def _plain(text: str) -> str:
    return " ".join(text.split())


def _texts(file: Path) -> Iterator[str]:
    """Yield the texts of a file; one that cannot be read is an error, as nothing is known of it."""
    suffix = file.suffix.lower()
    if suffix in NOT_READ:
        return
    try:
        yield from READERS.get(suffix, _lines)(file)
    except Exception as error:
        raise SourceError(f"{file} cannot be searched for the names of other slices: {error}") from error


def _lines(file: Path) -> Iterator[str]:
    yield file.read_text(encoding="utf-8", errors="replace")


def _html(file: Path) -> Iterator[str]:
    yield _seen(file.read_text(encoding="utf-8"))


def _json(file: Path) -> Iterator[str]:
    yield from _strings(json.loads(file.read_text(encoding="utf-8")))


def _notebook(file: Path) -> Iterator[str]:
    """Yield what is read on the page: prose, and the outputs in all their forms."""
    for cell in json.loads(file.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "markdown":
            yield "".join(cell["source"])
        for output in cell.get("outputs", ()):
            yield "".join(output.get("text", ""))
            for kind, content in output.get("data", {}).items():
                if kind.startswith(("text/html", "image/svg")):
                    yield _seen("".join(content))
                elif not kind.startswith("image/"):
                    yield from _strings("".join(content) if kind.startswith("text/") else content)
            yield from _strings(output.get("metadata", {}))


def _workbook(file: Path) -> Iterator[str]:
    with ZipFile(file) as parts:
        for name in parts.namelist():
            if name.endswith(".xml"):
                yield unescape(re.sub(r"<[^>]*>", " \n", parts.read(name).decode("utf-8")))


def _parquet(file: Path) -> Iterator[str]:
    import pyarrow.parquet as pq
    import pyarrow.types as types

    table = pq.read_table(file)
    for column, field in zip(table.columns, table.schema, strict=True):
        if types.is_string(field.type) or types.is_large_string(field.type) or types.is_dictionary(field.type):
            yield from map(str, column.unique().drop_null().to_pylist())
    for key, value in (table.schema.metadata or {}).items():
        if key == b"kpi_lib":
            yield from _strings(json.loads(value))


def _letter(file: Path) -> Iterator[str]:
    message = message_from_bytes(file.read_bytes(), policy=mail)
    yield from map(str, message.values())
    for part in message.walk():
        if part.get_content_maintype() == "text":
            content = part.get_content()
            yield _seen(content) if part.get_content_subtype() == "html" else content


READERS: dict[str, Callable[[Path], Iterator[str]]] = {
    ".html": _html, ".json": _json, ".ipynb": _notebook, ".xlsx": _workbook, ".parquet": _parquet, ".eml": _letter,
}  # fmt: skip


def _strings(value: Any) -> Iterator[str]:
    """Yield the texts of plain data, keys and values."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield str(name)
            yield from _strings(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _strings(inner)


def _seen(html: str) -> str:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return " ".join(reader.texts)


class _Reader(HTMLParser):
    """Gathers what a page says: its text, the words that stand for pictures, where links lead, data in scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._style = tag == "style"
        self.texts += [value for name, value in attrs if name in SPOKEN and value and not value.startswith("data:")]

    def handle_endtag(self, tag: str) -> None:
        self._style = False

    def handle_data(self, data: str) -> None:
        if not self._style:
            self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        self.texts.append(data)  # figures whose letters are outlines name them there

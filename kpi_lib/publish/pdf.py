"""PDFs from blocks, typeset by Typst: the book of a period and each notebook's own."""

import json
import re
import shutil
import tempfile
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path
from typing import Any
from unicodedata import category

from kpi_lib.errors import KpiError
from kpi_lib.language import forms, language, message
from kpi_lib.memory import hand_back
from kpi_lib.publish import glyphs
from kpi_lib.publish.page import Block, Page

HERE = Path(__file__).parent
TEMPLATE = HERE / "templates" / "book.typ"
WORDS = {
    "sample": message("Sample data"),
    "contents": message("Contents"),
    "more": message("More findings"),
    "page": message("{page} of {pages}"),  # the template fills it in, page by page
}
MORE = forms("{count} more finding on the next page.", "{count} more findings on the next page.")
AS_OF = message("Data as of {moment}")
PAGES = re.compile(r'"pages": \d+')  # the first key of the data
UNPRINTABLE = re.compile(r'the text `"((?:[^"\\]|\\.)+)"` could not be displayed')
SUBSTITUTE = "□"
LONG_WORD = re.compile(r"[^\s\u200b]{30,}")
BREAKS = re.compile(r"[\s\u200b]+")
NARROW = frozenset(" .,:;'|!()[]ijlftrI-،؛اأإآ۰۱٠١")
WIDE = dict.fromkeys("mwMW%жшщыюмф", 0.72) | dict.fromkeys("سشصض", 1.2)
UNSEEN = ("Mn", "Cf")  # marks on letters, and marks of direction
A4, TURNED = 482.0, 728.0  # the width of the text, in pt
SIZES = (
    (8.5, A4),
    (7.5, A4),
    (6.8, A4),
    (8, TURNED),
    (7, TURNED),
    (6, TURNED),
)  # size of text, width: the first that fits
UNBROKEN = (8.5, 8, 7.5)  # sizes at which a table whose lines all fit is rather set than with broken lines
GAP = 0.9  # between two columns, in em
OPENING = frozenset({"prose", "cards", "finding", "note"})
KEPT_RUNS = 12  # for which Typst keeps what it laid out, and one more
LONG_TABLE = 16  # rows; one that has more may break over pages
_counted: dict[str, int] = {}  # the pages of the last file of a name


def write(pages: Sequence[Page], book: Any, target: Path, *, title: str, cover: bool) -> list[str]:
    """Typeset pages as one file, PDF/UA-1 and PDF/A-2a, and return what could not be printed as it was.

    The file's bytes depend on its content and on the book's stamp only.
    """
    with tempfile.TemporaryDirectory(prefix="kpi-print-") as name:
        folder = Path(name)
        shutil.copy(TEMPLATE, folder / "main.typ")
        data = _data(pages, book, folder, title=title, cover=cover)
        missing = _typeset(folder, data, target, book.stamp)
        _packed(folder / "typeset.pdf", target)
        if len(pages) > 1:
            _forget(folder)
    shown = " ".join(sorted(missing))
    return [f"{target.name}: the report's fonts have no {shown}; {SUBSTITUTE} is printed instead"] if missing else []


def _packed(typeset: Path, target: Path) -> None:
    """Write a file with its many small objects in compressed streams, which takes nearly half of its size away."""
    import pikepdf

    with pikepdf.open(typeset) as opened:
        glyphs.shared(opened)
        opened.save(target, object_stream_mode=pikepdf.ObjectStreamMode.generate, deterministic_id=True)


def _typeset(folder: Path, data: str, target: Path, stamp: datetime) -> set[str]:
    """Run Typst, which writes `typeset.pdf` into the folder, and return the characters that no font has.

    They are replaced, since the file would not be accessible with them. The number of pages is counted and printed in a
    second run, as Typst's own count may be that of a layout before the last. The first run supposes as many as the last
    file of that name had, and is the only one where that is right, as it mostly is of one reader's after another's.
    """
    import pikepdf
    import typst

    compiler = typst.Compiler(font_paths=[str(HERE / "fonts")], ignore_system_fonts=True, root=str(folder))
    missing: set[str] = set()
    while True:
        supposed = _counted.get(target.name, 0)
        data = PAGES.sub(f'"pages": {supposed}', data, count=1)
        (folder / "data.json").write_text(data, encoding="utf-8")
        try:
            compiler.compile(
                str(folder / "main.typ"),
                output=str(folder / "typeset.pdf"),
                pdf_standards=["ua-1", "a-2a"],
                timestamp=stamp.astimezone(UTC),
            )
            with pikepdf.open(folder / "typeset.pdf") as opened:
                _counted[target.name] = len(opened.pages)
            if _counted[target.name] == supposed:
                return missing
        except typst.TypstError as error:
            found = {_unescaped(text) for text in UNPRINTABLE.findall(error.diagnostic)} - missing
            if not found:
                raise KpiError(f"{target.name} cannot be typeset: {error.message}") from error
            missing |= found
            data = json.dumps(_without(json.loads(data), found), ensure_ascii=False)


def _forget(folder: Path) -> None:
    """Have Typst forget what it laid out: it keeps that for so many runs, hundreds of megabytes of a long book."""
    import typst

    (folder / "empty.typ").write_text("", encoding="utf-8")
    compiler = typst.Compiler(font_paths=[], ignore_system_fonts=True, root=str(folder))
    for _ in range(KEPT_RUNS):
        compiler.compile(str(folder / "empty.typ"), output=str(folder / "empty.pdf"))
    hand_back()


def _without(data: Any, missing: Collection[str]) -> Any:
    """Return data of a page with a substitute for characters, or runs of them, that no font has."""
    if isinstance(data, dict):
        return {name: _without(value, missing) for name, value in data.items()}
    if isinstance(data, list):
        return [_without(each, missing) for each in data]
    if isinstance(data, str):
        for text in sorted(missing, key=len, reverse=True):
            data = data.replace(text, SUBSTITUTE)
    return data


def _unescaped(text: str) -> str:
    r"""Read a character as Typst's messages write it: `\u{1f}` for one that cannot be shown."""
    return re.sub(r"\\u\{([0-9a-f]+)\}", lambda found: chr(int(found[1], 16)), text)


def _data(pages: Sequence[Page], book: Any, folder: Path, *, title: str, cover: bool) -> str:
    """Return everything the template reads, as JSON; figures become files beside it."""
    chapters = [_chapter(page, folder) for page in pages]
    logo = f"logo{book.logo.suffix}" if book.logo else None
    if logo:
        shutil.copy(book.logo, folder / logo)
    to, opening = language(book.language), pages[0].blocks if pages else []
    about = {
        "pages": 0,
        "logo": logo,
        "title": title,
        "company": book.company,
        "label": book.label,
        "language": book.language,
        "direction": to.direction,
        "digits": [to.number(digit) for digit in range(10)],
        "sample": book.sample,
        "colour": book.colour,
        "cover": cover,
        "words": {name: to.say(said) for name, said in WORDS.items()} | {"as_of": to.say(AS_OF, moment=book.as_of)},
        "more": [to.many(*MORE, count) for count in range(1, 1 + sum(block.type == "finding" for block in opening))],
        "chapters": chapters,
    }
    return json.dumps(about, ensure_ascii=False)


def _chapter(page: Page, folder: Path) -> dict[str, Any]:
    """Return a page as sections, and how many of them open it: those before its first figure or table."""
    blocks = [_printed(block, folder, f"{page.name}-{number}") for number, block in enumerate(page.blocks)]
    sections = _sections(_grouped(blocks))
    opening = takewhile(lambda section: OPENING.issuperset(block["type"] for block in section["blocks"]), sections)
    return {"title": page.title, "sections": sections, "opening": len(list(opening))}


def _printed(block: Block, folder: Path, name: str) -> dict[str, Any]:
    if block.type == "figure":
        file = f"{name}.{block.data['format']}"
        (folder / file).write_bytes(block.data["body"])
        return {"type": "figure", "path": file, "alt": _breakable(block.data["alt"])}
    data: dict[str, Any] = _breakable(block.data)
    return data | _fit(data) | {"breaks": len(data["rows"]) > LONG_TABLE} if block.type == "table" else data


def _breakable(value: Any) -> Any:
    """Let very long words break, at zero-width spaces."""
    if isinstance(value, str):
        return LONG_WORD.sub(lambda word: re.sub(r"(.{8})(?=.)", "\\1\u200b", word[0]), value)
    if isinstance(value, dict):
        return {key: each if key in ("url", "id") else _breakable(each) for key, each in value.items()}
    return [_breakable(each) for each in value] if isinstance(value, list) else value


def _fit(table: dict[str, Any]) -> dict[str, Any]:
    """Choose a table's text size, page and column widths: 0 is as wide as its text, any other a share of the rest."""
    columns = list(zip([column["label"] for column in table["columns"]], *table["rows"], strict=True))
    whole = [max(map(_ems, texts)) for texts in columns]
    least = [max(_ems(word) for text in texts for word in BREAKS.split(text)) for texts in columns]
    right = [column["align"] == "right" for column in table["columns"]]
    least = [
        min(text, max(word, 16.0 if number else 8.0)) for text, word, number in zip(whole, least, right, strict=True)
    ]
    for size in UNBROKEN:
        if sum(whole) <= A4 / size - GAP * len(columns):
            return {"size": size, "flipped": False, "widths": [0] * len(columns)}
    for size, width in SIZES:
        room = width / size - GAP * len(columns)
        fitted = {"size": size, "flipped": width > A4}
        if sum(whole) <= room:
            return fitted | {"widths": [0] * len(columns)}
        if sum(least) <= room:
            shares = [min(text, 30.0) if text > word else 0 for text, word in zip(whole, least, strict=True)]
            return fitted | {"widths": shares}
    return {"size": SIZES[-1][0], "flipped": True, "widths": [min(text, 30.0) for text in whole]}


def _ems(text: str) -> float:
    """Return about how wide a text is in Inter, in em; rather too wide than too narrow.

    That holds for words in Arabic script too: only its widest letters are wider, and joined ones are narrower.
    """
    seen = (char for char in text if category(char) not in UNSEEN)
    return sum(0.3 if char in NARROW else WIDE.get(char, 0.72 if char.isupper() else 0.6) for char in seen)


def _grouped(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put a table that needs a turned page on one, together with the heading and sentences that lead to it."""
    grouped: list[dict[str, Any]] = []
    for block in blocks:
        if not block.get("flipped"):
            grouped.append(block)
            continue
        lead: list[dict[str, Any]] = []
        while grouped and grouped[-1]["type"] in ("finding", "prose"):
            lead.insert(0, grouped.pop())
            if lead[0]["type"] == "prose":
                break
        grouped.append({"type": "flipped", "blocks": [*lead, block]})
    return grouped


def _sections(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what stays together on a page: a heading with what follows it, a sentence with its figure or table."""
    sections: list[dict[str, Any]] = []
    leads = False
    for block, following in zip(blocks, [*blocks[1:], None], strict=False):
        if leads:
            sections[-1]["blocks"].append(block)
        else:
            sections.append({"blocks": [block]})
        leads = following is not None and _leads(block, following)
    return [section | {"breaks": any(map(_breaks, section["blocks"]))} for section in sections]


def _leads(block: dict[str, Any], following: dict[str, Any]) -> bool:
    if block["type"] == "prose":
        return bool(block["tokens"][-1]["type"] == "heading")
    return block["type"] == "finding" and following["type"] in ("figure", "table")


def _breaks(block: dict[str, Any]) -> bool:
    """Say whether a block may run on over pages."""
    return block.get("breaks", False) or block["type"] in ("definitions", "text", "flipped")

"""Writes the message catalogues anew from the code: `python -m kpi_lib.catalogue`. What was translated stays.

Messages are what `say`, `many` and `message` are given in the code, what declarations of KPIs say, and the headings
and paragraphs of the notebooks. Those without a translation are printed in English.
"""

import ast
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from kpi_lib.consistency import IDENTITIES
from kpi_lib.contract.tables import TABLES
from kpi_lib.facts.data import ANCHORS
from kpi_lib.kpi import FAMILIES
from kpi_lib.kpis import registry
from kpi_lib.language import BETTER, LANGUAGES, MEMBERS, NO_MEMBER
from kpi_lib.localise import PARTS, finding
from kpi_lib.publish.text_cells import texts
from kpi_lib.units import UNITS

HERE = Path(__file__).parent
FOLDER = HERE / "translations"
WRITTEN = datetime(2026, 11, 1, tzinfo=UTC)  # always the same, so that only texts differ
FUNCTIONS = {"say": 1, "many": 2, "message": 1, "forms": 2}  # and how many texts they take
METHODS = FUNCTIONS | {"_say": 1}


def messages() -> Catalog:
    """Return all messages, each with where it comes from."""
    found = Catalog(project="kpi-report", charset="utf-8")
    for text, where in (*_said(), *_declared(), *_words(), *_checks(), *_notebooks()):
        found.add(text, auto_comments=[where])
    return found


def renewed(code: str) -> Catalog:
    """Return a language's catalogue with every message of the code, and none that the code no longer has."""
    path = FOLDER / f"{code}.po"
    standing = Catalog(locale=code)
    if path.is_file():
        with path.open("rb") as file:
            standing = read_po(file, locale=code)
    standing.update(messages(), no_fuzzy_matching=True)
    standing.obsolete.clear()
    standing.header_comment = f"# The texts of pages in {standing.locale.english_name}."
    standing.creation_date = standing.revision_date = WRITTEN
    return standing


def untranslated(catalogue: Catalog) -> list[str]:
    """Return the messages that a catalogue has no text for, in one of their forms at least."""
    forms = {each.id: each.string if each.pluralizable else (each.string,) for each in catalogue if each.id}
    return [str(text) for text, said in forms.items() if not said or not all(said)]


def main() -> None:
    """Write the catalogues, or those of the languages given, and say what is not translated."""
    FOLDER.mkdir(exist_ok=True)
    for code in sys.argv[1:] or LANGUAGES[1:]:
        made = renewed(code)
        with (FOLDER / f"{code}.po").open("wb") as file:
            write_po(file, made, width=120, sort_output=True, omit_header=False, include_lineno=False)
        missing = len(untranslated(made))
        print(f"{code}: {len(made)} messages, {missing} not translated")


def _said() -> Iterator[tuple[str | tuple[str, ...], str]]:
    """Yield the texts that functions are given as they stand there; what is put together is marked elsewhere."""
    for path in sorted(HERE.rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call):
                given = call.args[: _texts_of(call.func)]
                texts = [each.value for each in given if isinstance(each, ast.Constant) and isinstance(each.value, str)]
                if texts and len(texts) == len(given):
                    yield texts[0] if len(texts) == 1 else tuple(texts), path.relative_to(HERE).as_posix()


def _texts_of(function: ast.expr) -> int:
    if isinstance(function, ast.Attribute):
        return METHODS.get(function.attr, 0)
    return FUNCTIONS.get(function.id, 0) if isinstance(function, ast.Name) else 0


def _words() -> Iterator[tuple[str, str]]:
    """Yield the words that the code itself uses: units, members of cuts."""
    for kind, words in {"unit": UNITS, "better": BETTER, **MEMBERS}.items():
        for word in words:
            yield f"‹{kind}› {word}", "a word of the code"
    yield NO_MEMBER, "a member of every cut"
    for identity in IDENTITIES:
        yield identity.said, "an identity of numbers"


def _checks() -> Iterator[tuple[str, str]]:
    """Yield what the contract says of rows that a run can go on with, and why they are left out."""
    for table in TABLES.values():
        for rule in (rule for rule in table.rules if rule.level != "error"):
            for text in {rule.message or rule.name, rule.name if rule.level == "drop" else ""} - {""}:
                if not finding(text):
                    yield text, f"a check of {table.name}"


def _declared() -> Iterator[tuple[str, str]]:
    for title in FAMILIES.values():
        yield title, "a family of KPIs"
    for anchor in ANCHORS.values():
        yield anchor.format(period="period"), "what puts a row in a period"
    for address, kpi in registry().items():
        yield kpi.title, f"title of {address}"
        for name, reading in kpi.readings.items():
            yield reading, f"reading {address}.{name}"
        for part in PARTS:
            if text := kpi.document.get(part):
                yield text, f"{part} of {address}"
        for cut in (*kpi.cuts, kpi.table_cut):
            if cut:
                yield cut.replace("_", " "), "a cut"


def _notebooks() -> Iterator[tuple[str, str]]:
    for path in sorted((HERE.parent / "notebooks").glob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "markdown":
                for text in texts("".join(cell["source"])):
                    yield text, f"{path.name}"


if __name__ == "__main__":
    main()

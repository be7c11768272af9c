"""Writes the message catalogues anew from the code: `python -m kpi_lib.catalogue`. What was translated stays.

Messages are what `say`, `many` and `message` are given in the code, what declarations of KPIs say, and the headings
and paragraphs of the notebooks. Those without a translation are printed in English.
"""

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from kpi_lib.facts.data import ANCHORS
from kpi_lib.kpi import FAMILIES
from kpi_lib.kpis import registry
from kpi_lib.language import LANGUAGES
from kpi_lib.localise import PARTS
from kpi_lib.publish.text_cells import texts

HERE = Path(__file__).parent
FOLDER = HERE / "translations"
WRITTEN = datetime(2026, 11, 1, tzinfo=UTC)  # always the same, so that only texts differ
KEYWORDS = {"say": None, "_say": None, "message": None, "many": (1, 2), "forms": (1, 2)}


def messages() -> Catalog:
    """Return all messages, each with where it comes from."""
    found = Catalog(project="kpi-report", charset="utf-8")
    for file, _, text, _, _ in extract_from_dir(HERE, keywords=KEYWORDS):
        found.add(text, auto_comments=[file])
    for text, where in (*_declared(), *_notebooks()):
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

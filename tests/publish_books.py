"""Small notebooks and books for the tests of publishing; none imports kpi_lib, so that kernels start fast."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nbformat

from kpi_lib.language import speak
from kpi_lib.period import Period
from kpi_lib.publish import Book, Chapter, Outcome, Prepared, build

PARAMETERS = (
    'period: str = "2024-01"  # a month\nagents: bool = True\nlimit: int = 3\nratio: float = 0.5\nscorecard: str = None'
)
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="300" height="100"><rect width="300" height="100"/></svg>'


def notebook(folder: Path, name: str, cells: Iterable[str], parameters: str | None = PARAMETERS) -> Path:
    """Write a notebook: a cell that starts with `#` or `>` is text, any other is code."""
    made = nbformat.v4.new_notebook()
    if parameters:
        made.cells.append(nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}))
    for source in cells:
        text = source.startswith(("#", ">"))
        made.cells.append((nbformat.v4.new_markdown_cell if text else nbformat.v4.new_code_cell)(source))
    path = folder / f"{name}.ipynb"
    nbformat.write(made, path)
    return path


def shows(described: dict[str, Any], html: str = "") -> str:
    """Return the code of a cell that displays a description."""
    return f"display({ {'application/vnd.kpi+json': described, 'text/html': html, 'text/plain': ''}!r}, raw=True)"


def built(
    root: Path, *paths: Path, period: str = "2024-05", numbers: str = "1", language: str = "en", **options: Any
) -> Outcome:
    """Build a book of the notebooks; `numbers` is what the scorecard file holds."""

    def prepare(folder: Path) -> Prepared:
        (folder / "scorecard.csv").write_text(numbers)
        given = {"period": period, "scorecard": str(folder / "scorecard.csv")}
        return Prepared(given, datetime(2024, 7, 2, 4, tzinfo=UTC), sample=True)

    chapters = [Chapter(path.stem, path) for path in paths]
    label = speak({"language": language}).period(Period.parse("2024-05"))
    book = Book(period, label, "Kestrel <Outfitters>", chapters, language=language)
    return build(book, root / "reports", root=root, prepare=prepare, **options)

"""The files of a project that a notebook's code reads, as far as the code tells: modules that it imports, and names.

What it reads in another way, such as a database of its own, cannot be seen without running it.
"""

import ast
import json
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from kpi_lib.files import hashes

COMMAND = re.compile(r"^\s*[%!].*$", re.MULTILINE)  # of IPython, such as %run
LONGEST = 255  # letters of a text that may be a file's name


def read_by(notebook: Path, root: Path, reports: Path) -> dict[str, str]:
    """Return hashes, by their place below `root`, of the files that a notebook reads which runs in that folder."""
    found: set[Path] = set()
    waiting = [file for code in _cells(notebook) for file in _named_in(code, root, root)]
    while waiting:
        file = waiting.pop()
        if file in found:
            continue
        found.add(file)
        if file.suffix == ".py":
            with suppress(OSError, ValueError):
                waiting += _named_in(file.read_text(encoding="utf-8"), root, file.parent)
    return {os.path.relpath(file, root): digest for file, digest in hashes(list(found), reports).items()}


def _cells(notebook: Path) -> list[str]:
    """Return the code of a notebook's cells but its parameters; none of a file that cannot be read."""
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        code = [cell for cell in cells if cell["cell_type"] == "code"]
        return ["".join(cell["source"]) for cell in code if "parameters" not in cell["metadata"].get("tags", [])]
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return []


def _named_in(code: str, root: Path, folder: Path) -> Iterator[Path]:
    """Yield the files that code in a folder imports from the project or has the names of."""
    words = [word for line in COMMAND.findall(code) for word in re.findall(r"[^\s'\"]+", line)]
    with suppress(SyntaxError, ValueError):
        for node in ast.walk(ast.parse(COMMAND.sub("", code))):
            if isinstance(node, ast.Import):
                for each in node.names:
                    yield from _modules(root, each.name)
            elif isinstance(node, ast.ImportFrom):
                base = folder.joinpath(*[".."] * (node.level - 1)) if node.level else root
                for each in node.names:
                    yield from _modules(base, f"{node.module}.{each.name}" if node.module else each.name)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                words.append(node.value)
    for word in words:
        with suppress(OSError, ValueError):
            if len(word) <= LONGEST and (file := root / word).is_file():
                yield file.resolve()


def _modules(folder: Path, dotted: str) -> Iterator[Path]:
    """Yield the files of a module and of the packages that it lies in, where they lie in this folder."""
    first, *rest = dotted.split(".")
    if first == "kpi_lib":  # hashed as a whole
        return
    for path in (folder / first / Path(*rest[:end]) for end in range(len(rest) + 1)):
        yield from (file.resolve() for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file())

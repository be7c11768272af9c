"""The files of a project that a notebook's code reads, as far as the code tells: modules that it imports, and names.

What it reads in another way, such as a database of its own, cannot be seen without running it.
"""

import ast
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from kpi_lib.files import hashes

NO_CODE = re.compile(r"^\s*(?:from|import)\s+(?P<module>[\w.]+)|(?P<quote>['\"])(?P<name>.+?)(?P=quote)", re.MULTILINE)
COMMAND = re.compile(r"^\s*[%!].*$", re.MULTILINE)  # of IPython, such as %run
HASHED_ITSELF = ("params", "scorecard")  # variables of every notebook that name what its numbers are made from
LONGEST = 255  # letters of a text that may be a file's name


def read_by(notebook: Path, root: Path, reports: Path, given: Iterable[Any] = ()) -> dict[str, str]:
    """Return hashes, by their place below `root`, of the files that a notebook reads which runs in that folder.

    `given` are the values of its parameters, which may be names of files as well.
    """
    found: set[Path] = set()
    waiting = [*_files(map(str, given), root)]
    waiting += [file for code in _cells(notebook) for file in _named_in(code, root, root)]
    while waiting:
        file = waiting.pop()
        if file in found:
            continue
        found.add(file)
        if file.suffix == ".py":
            with suppress(OSError, ValueError):
                waiting += _named_in(file.read_text(encoding="utf-8"), root, file.parent)
    return {os.path.relpath(file, root): digest for file, digest in hashes(list(found), reports).items()}


def when_run(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, str]:
    """Return the hashes of what a notebook read; a file that changed while it ran was written by it and has none."""
    return {place: before[place] if before.get(place) == after.get(place) else "" for place in {**before, **after}}


def still(noted: Mapping[str, str], now: Mapping[str, str]) -> bool:
    """Whether a notebook would read what it read."""
    return now.keys() <= noted.keys() and all(now.get(place) == digest for place, digest in noted.items() if digest)


def _cells(notebook: Path) -> list[str]:
    """Return the code of a notebook's cells; none of a file that cannot be read."""
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    except (OSError, ValueError, LookupError, TypeError):
        return []


def _named_in(code: str, root: Path, folder: Path) -> Iterator[Path]:
    """Yield the files that code in a folder imports from the project or has the names of."""
    names: list[str] = []
    try:
        nodes = list(_nodes(ast.parse(code)))
    except (SyntaxError, ValueError):  # with commands of IPython it is no Python
        found = [match.groupdict() for match in NO_CODE.finditer(code)]
        names = [word for line in COMMAND.findall(code) for word in line.split()]
        names += [told["name"] for told in found if told["name"]]
        for module in (told["module"] for told in found if told["module"]):
            yield from _modules(root, module)
        nodes = []
    for node in nodes:
        if isinstance(node, ast.Import):
            for each in node.names:
                yield from _modules(root, each.name)
        elif isinstance(node, ast.ImportFrom):
            base = folder.joinpath(*[".."] * (node.level - 1)) if node.level else root
            for each in node.names:
                yield from _modules(base, f"{node.module}.{each.name}" if node.module else each.name)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names.append(node.value)
    yield from _files(names, root)


def _nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield what code is made of, but for what variables are set to that are hashed themselves."""
    yield tree
    for child in ast.iter_child_nodes(tree):
        targets = child.targets if isinstance(child, ast.Assign) else [getattr(child, "target", None)]
        if not any(isinstance(target, ast.Name) and target.id in HASHED_ITSELF for target in targets):
            yield from _nodes(child)


def _files(names: Iterable[str], root: Path) -> Iterator[Path]:
    """Yield the files that there are by names below a folder."""
    for name in names:
        with suppress(OSError, ValueError):
            if len(name) <= LONGEST and (file := root / name).is_file():
                yield file.resolve()


def _modules(folder: Path, dotted: str) -> Iterator[Path]:
    """Yield the files of a module and of the packages that it lies in, where they lie in this folder."""
    first, *rest = dotted.split(".")
    if first == "kpi_lib":  # hashed as a whole
        return
    for path in (folder / first / Path(*rest[:end]) for end in range(len(rest) + 1)):
        yield from (file.resolve() for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file())

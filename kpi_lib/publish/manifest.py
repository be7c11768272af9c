"""manifest.json: what a folder of pages was made from, what is in it, and how it came out."""

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import Any

NAME = "manifest.json"
PACKAGES = ("duckdb", "ibis-framework", "matplotlib", "nbconvert", "pandas", "papermill", "seaborn", "typst")


def read(folder: Path) -> dict[str, Any] | None:
    """Return the manifest of a folder; None when it has none that can be read."""
    try:
        return dict(json.loads((folder / NAME).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def write(folder: Path, content: dict[str, Any]) -> None:
    """Write the manifest with versions and the files of the folder added."""
    versions = {"python": python_version()} | {name: version(name) for name in PACKAGES}
    files = {
        path.relative_to(folder).as_posix(): {"sha256": hashed(path), "bytes": path.stat().st_size}
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != NAME
    }
    text = json.dumps(content | {"versions": versions, "files": files}, indent=2, ensure_ascii=False, default=str)
    (folder / NAME).write_text(text + "\n", encoding="utf-8")


def untouched(folder: Path, content: Mapping[str, Any], names: Iterable[str] | None = None) -> bool:
    """Whether the files of a folder, or those of some names, are there as its manifest says they were written."""
    files = content.get("files") or {}
    try:
        return bool(files) and all(hashed(folder / name) == files[name]["sha256"] for name in names or files)
    except (OSError, KeyError, TypeError):
        return False


def hashed(*paths: Path) -> str:
    """Return the SHA-256 of files, one after the other; a folder counts as all files in it."""
    digest = sha256()
    for path in paths:
        for file in sorted(_files(path)):
            digest.update(file.read_bytes())
    return digest.hexdigest()


def _files(path: Path) -> Iterable[Path]:
    if path.is_file():
        return [path]
    return (file for file in path.rglob("*") if file.is_file() and "__pycache__" not in file.parts)

"""The files that a source reads: found by their patterns, told apart by their content, without opening a table.

Hashes of files are remembered in `reports/.cache/hashes.json` as long as a file keeps its size, times and place on the
disk; the memory is safe to delete, and an entry that is not as it was written is not trusted.
"""

import json
import os
import re
import time
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from hashlib import file_digest, scrypt, sha256
from pathlib import Path
from typing import Any

from kpi_lib.disclosure import hidden, variable
from kpi_lib.errors import SourceError
from kpi_lib.params import FILE, KINDS, PACKED, VARIABLE, SourceParams

FILE_IN_SQL = re.compile(rf"'((?:[^']|'')*\.(?:{KINDS}){PACKED})'")
UNQUOTED = rf"\.(?:{KINDS}|xlsx){PACKED}"  # the end of a file's name that stands as if it were a table's
IN_MEMORY = re.compile(r"duckdb://(:memory:)?(\?.*)?")
# signs that a SELECT reads something whose change the files that it names in full do not show
UNTOLD = re.compile(
    rf"\bread_\w+\s*\((?!\s*(0|\[[\s0,]*\])\s*[,)])|\b(from|join)\s+'|\"[^\"]*{UNQUOTED}\"|\b\w+{UNQUOTED}\b"
    r"|\b(glob|getenv|attach|age|now|today|get_current_\w+|transaction_timestamp|\w*random\w*|\w*uuid\w*|st_read)\s*\("
    r"|\w+_(scan|query)\s*\(|\b(current_(date|time|timestamp|localtime|localtimestamp)|localtime(stamp)?)\b"
    r"|\b(tablesample|using\s+sample)\b",
    re.IGNORECASE,
)
SECRET = re.compile(r"user|pass|pwd|secret|token|key|credential", re.IGNORECASE)  # in the name of an option
MEMORY = Path(".cache") / "hashes.json"  # in the folder of reports
SETTLED = 2.0  # seconds; a file that changed later than that may change again under the same times


def matching(pattern: str, where: str, hint: str) -> list[Path]:
    """Return the local files that a path or pattern names; a remote one, such as s3://, is left to the engine."""
    if "://" in pattern and not pattern.endswith(".sql"):
        return []
    path = Path(os.path.normpath(pattern))
    if found := sorted(Path(path.anchor).glob(str(path.relative_to(path.anchor)))):
        return found
    shown = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    raise SourceError(f"there is no file {hidden(str(shown))!r}{hint and ': '}{hint}", where=where)


def query(file: Path) -> tuple[str, str]:
    """Return the SELECT of a mapping, with variables and relative paths filled in, and what it says of the variables.

    A comment line such as `-- EXPORTS: the folder of the nightly exports` says what a variable should be set to.
    """
    text = file.read_text(encoding="utf-8")
    select = _without_comments(text)
    told = dict(re.findall(r"^\s*--\s*(\w+):\s*(.+)$", text, re.MULTILINE))
    hints = {name: f"set {name} to {told[name]}" for name in VARIABLE.findall(select) if name in told}

    def value(found: re.Match[str]) -> str:
        if not (text := variable(found[1])):
            hint = hints.get(found[1], "")
            message = f"the environment variable {found[1]} is not set{hint and ': '}{hint}"
            raise SourceError(message, where=os.path.relpath(file))
        path = Path(text).expanduser()
        return (str(path.absolute()) if path.exists() else text).replace("'", "''")

    def beside_the_file(found: re.Match[str]) -> str:
        folder = Path(str(file.parent).replace("'", "''"))
        return f"'{found[1] if '://' in found[1] else folder / found[1]}'"

    return FILE_IN_SQL.sub(beside_the_file, VARIABLE.sub(value, select)), "; ".join(hints.values())


def variables(file: Path) -> dict[str, str]:
    """Return hashes of what the variables in a mapping stand for, but of files and folders, whose content tells."""
    used = VARIABLE.findall(_without_comments(file.read_text(encoding="utf-8")))
    return {name: _slowly(name, text) for name in used if (text := os.environ.get(name)) and not Path(text).exists()}


def named_in(select: str, file: Path, told: str) -> list[Path]:
    """Return the local files that the SELECT of a mapping reads."""
    named = [path.replace("''", "'") for path in FILE_IN_SQL.findall(select)]
    return [found for path in named for found in matching(path, os.path.relpath(file), told)]


def fingerprint(spec: SourceParams, as_of: datetime | None, reports: Path) -> dict[str, Any] | None:
    """Return what tells whether a source of local files is the same; None where only its engine can say.

    `as_of` is the instant that is fixed, if one is; otherwise it follows from the files.
    """
    written = [*spec.tables.values(), *spec.checks.values()]
    if not of_files(spec) or any("://" in text or not FILE.search(text) for text in written):
        return None
    found: list[Path] = []
    values: dict[str, str] = {}
    try:
        for file in (file for text in written for file in matching(text, "", "")):
            found.append(file)
            if file.suffix == ".sql":
                select, told = query(file)
                if "://" in select or UNTOLD.search(FILE_IN_SQL.sub("0", select)):
                    return None
                found += named_in(select, file, told)
                values |= variables(file)
    except SourceError:
        return None  # opening it says where
    return {
        "as_of": as_of.astimezone(UTC).isoformat() if as_of else spec.as_of,
        "declared": declared(spec),
        "values": values,
        "files": {os.path.relpath(file, spec.path.parent): digest for file, digest in hashes(found, reports).items()},
    }


def of_files(spec: SourceParams) -> bool:
    """Whether a source is no database but the files that it names."""
    return IN_MEMORY.fullmatch(spec.connection) is not None


def declared(spec: SourceParams) -> str:
    """Return a hash of what a source's file says of where its tables are; no password is a part of it."""
    place, *options = re.split(r"[?&;]", spec.connection.rpartition("@")[2])
    where = [place, *sorted(option for option in options if not SECRET.search(option.partition("=")[0]))]
    tables, checks = ({name: _place(text, spec) for name, text in each.items()} for each in (spec.tables, spec.checks))
    return sha256(json.dumps([where, spec.sample, tables, checks], sort_keys=True).encode()).hexdigest()


def _place(text: str, spec: SourceParams) -> str:
    """Return a table as it is named, a local file by its place beside the source's own file."""
    return os.path.relpath(text, spec.path.parent) if FILE.search(text) and "://" not in text else text


def hashes(files: list[Path], reports: Path) -> dict[Path, str]:
    """Return the SHA-256 of files; those that have not changed since they were last asked for are not read."""
    memory = reports / MEMORY
    known = _remembered(memory)
    found: dict[Path, str] = {}
    fresh: dict[str, list[Any]] = {}
    for file in sorted(set(files)):
        about = file.stat()
        marks = [about.st_size, about.st_mtime_ns, about.st_ctime_ns, about.st_ino, about.st_dev]
        before = known.get(str(file))
        found[file] = before[5] if before and before[:5] == marks else _hashed(file)
        if time.time() - max(about.st_mtime, about.st_ctime) > SETTLED:
            fresh[str(file)] = _sealed(str(file), [*marks, found[file]])
    if any(known.get(name) != entry for name, entry in fresh.items()):
        _remember(memory, known | fresh)
    return found


def _without_comments(text: str) -> str:
    """Return the SELECT of a mapping without its comment lines."""
    return re.sub(r"^\s*--.*$", "", text, flags=re.MULTILINE).strip().rstrip(";")


@cache
def _slowly(name: str, value: str) -> str:
    """Return a hash of what may be a short secret, as manifests are read by many: a guess takes 16 MB and 70 ms."""
    return scrypt(value.encode(), salt=name.encode(), n=2**14, r=8, p=1).hex()


def _remembered(memory: Path) -> dict[str, list[Any]]:
    try:
        known = json.loads(memory.read_text(encoding="utf-8"))
        return {name: entry for name, entry in known.items() if entry == _sealed(name, entry[:-1])}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _sealed(name: str, entry: list[Any]) -> list[Any]:
    """Return what is remembered under a name with a hash of both at its end."""
    return [*entry, sha256(json.dumps([name, entry]).encode()).hexdigest()]


def _remember(memory: Path, known: dict[str, list[Any]]) -> None:
    with suppress(OSError):  # a folder that cannot be written costs time alone
        memory.parent.mkdir(parents=True, exist_ok=True)
        there = {name: entry for name, entry in known.items() if Path(name).exists()}
        new = memory.with_suffix(f".{os.getpid()}")
        new.write_text(json.dumps(there), encoding="utf-8")
        new.replace(memory)


def _hashed(file: Path) -> str:
    with file.open("rb") as content:
        return file_digest(content, "sha256").hexdigest()

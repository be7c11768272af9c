"""Which period `last` is, remembered beside the reports as long as what numbers are made from is the same.

The memory is safe to delete, and one that is not as it was written is not trusted.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from kpi_lib.period import Period

MEMORY = Path(".cache") / "last.json"  # in the folder of reports


def remembered(reports: Path, made_from: Mapping[str, str]) -> Period | None:
    """Return the period that `last` was when the numbers were made from the same; None when nothing tells."""
    try:
        seal, period = json.loads((reports / MEMORY).read_text(encoding="utf-8"))
        return Period.parse(period) if seal == _seal(made_from, period) else None
    except (OSError, ValueError, TypeError):
        return None


def remember(reports: Path, made_from: Mapping[str, str], period: Period) -> None:
    """Keep which period `last` is."""
    with suppress(OSError):  # a folder that cannot be written costs time alone
        memory = reports / MEMORY
        memory.parent.mkdir(parents=True, exist_ok=True)
        new = memory.with_suffix(".part")
        new.write_text(json.dumps([_seal(made_from, str(period)), str(period)]), encoding="utf-8")
        new.replace(memory)


def _seal(made_from: Mapping[str, str], period: str) -> str:
    return sha256(json.dumps([dict(made_from), period], sort_keys=True).encode()).hexdigest()

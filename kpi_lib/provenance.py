"""What made a page: the project's commit, the data's fingerprint and the versions of what computes."""

import json
import subprocess
from collections.abc import Mapping
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import Any

CHANGED = "+"
_ASKED = ("describe", "--always", "--exclude=*", f"--dirty={CHANGED}")


def commit(project: Path) -> str:
    """Return the short hash of a project's commit, with a `+` where its files are no longer that; empty without git."""
    try:
        told = subprocess.run(
            ["git", "--no-optional-locks", "-C", str(project), *_ASKED], capture_output=True, text=True, timeout=5
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return told.stdout.strip() if told.returncode == 0 else ""


def fingerprint(inputs: Mapping[str, Any]) -> str:
    """Return 8 hex digits of what tells whether the data is the same."""
    return sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:8]


def versions() -> list[str]:
    """Return the versions of Python and of what asks the engine."""
    return [f"Python {python_version()}", f"Ibis {version('ibis-framework')}", f"DuckDB {version('duckdb')}"]

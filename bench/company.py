"""A copy of the project's notebooks, params and sample tables that a part may change, and the report of it."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.measure import BIN, ROOT, Run, run

PERIOD = "2024-05"
SAMPLE = "data/sample"


@contextmanager
def project() -> Iterator[Path]:
    """Give a copy of the project; it is gone afterwards, and what a report keeps beside it too."""
    if not (ROOT / SAMPLE / "tickets.parquet").exists():
        run([BIN / "kpi", "sample"])
    with tempfile.TemporaryDirectory(prefix="kpi-bench-") as folder:
        copy = Path(folder, "project")
        for name in ("notebooks", "params", SAMPLE):
            shutil.copytree(ROOT / name, copy / name)
        for name in ("uv.lock", "pyproject.toml"):
            shutil.copy2(ROOT / name, copy)
        yield copy


def report(copy: Path, out: Path, *options: str, watch: bool = False) -> Run:
    """Build the month's report of a copy into a folder."""
    return run([BIN / "kpi", "report", PERIOD, "--out", out, "--json", *options], cwd=copy, watch=watch)


def edit(notebook: Path, remark: str) -> None:
    """Edit a notebook as an analyst would, without changing what it shows: a remark in its last cell of code."""
    content = json.loads(notebook.read_text(encoding="utf-8"))
    cell = [cell for cell in content["cells"] if cell["cell_type"] == "code"][-1]
    code = [line for line in "".join(cell["source"]).splitlines() if not line.startswith("#")]
    cell["source"] = "\n".join([*code, f"# {remark}"])
    notebook.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

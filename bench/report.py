"""A month's report with nothing cached, against the stock pipeline on the same notebooks."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

from bench.company import PERIOD, edit, project, report
from bench.measure import BIN, FailedError, Figure, Round, Run, ratios, rounds, run, say

WEASYPRINT = "weasyprint==70.0"
BOUND = 0.30


def measured(numbers: range) -> Iterator[Round]:
    """Make the report, and the same with papermill, nbconvert and WeasyPrint; numbers measured, and numbers given.

    A stock notebook without a scorecard measures its numbers itself. Ours with the numbers given is the command after
    each notebook was edited: the numbers stand, everything else is made anew.
    """
    weasyprint = environment() / "bin" / "weasyprint"
    with project() as copy:
        given, stock, numbered = copy / "given", copy / "stock", count()
        report(copy, given)

        def with_numbers() -> Run:
            for notebook in (copy / "notebooks").glob("*.ipynb"):
                edit(notebook, f"edited {next(numbered)}")
            return report(copy, given)

        card = given / PERIOD / "scorecard.parquet"
        yield from rounds(
            "report",
            numbers,
            {
                "ours": lambda: report(copy, copy / f"whole-{next(numbered)}", "--no-cache"),
                "stock": lambda: pipeline(copy, stock, weasyprint),
                "ours, numbers given": with_numbers,
                "stock, numbers given": lambda: pipeline(copy, stock, weasyprint, "-p", "scorecard", card),
            },
        )


def figures(found: Sequence[Round]) -> list[Figure]:
    """Compare the report with the stock pipeline, the numbers measured by both and given to both."""
    return ratios("report / stock", found, "ours", "stock", bound=BOUND) + ratios(
        "report / stock, numbers given to both", found, "ours, numbers given", "stock, numbers given"
    )


def pipeline(copy: Path, out: Path, weasyprint: Path, *parameters: str | Path) -> Run:
    """Make HTML and PDF of every notebook with the stock commands, one after the other."""
    out.mkdir(exist_ok=True)
    cost = Run(0, 0, 0)
    for notebook in sorted((copy / "notebooks").glob("*.ipynb")):
        executed = out / notebook.name
        cost += run([BIN / "papermill", notebook, executed, "-p", "period", PERIOD, *parameters], cwd=copy)
        cost += run([BIN / "jupyter", "nbconvert", "--to", "html", executed], cwd=copy)
        cost += run([weasyprint, executed.with_suffix(".html"), executed.with_suffix(".pdf")], cwd=copy)
    return cost


def environment() -> Path:
    """Return an environment with WeasyPrint in it, which is made when it is not there."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "kpi-report-bench" / WEASYPRINT.replace("==", "-")
    command = folder / "bin" / "weasyprint"
    if not command.exists():
        say(f"report: an environment with {WEASYPRINT} in {folder}")
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([folder / "bin" / "pip", "install", "-qq", WEASYPRINT], check=True, stdout=sys.stderr)
    try:
        run([command, "--info"])
    except FailedError as error:
        raise FailedError(f"WeasyPrint needs Pango; on Debian libpango-1.0-0 and libpangoft2-1.0-0\n{error}") from error
    return folder

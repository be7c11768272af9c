"""What differs between two scorecards: two periods, a period as it was issued and now, or two versions of the code."""

import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from kpi_lib import restated
from kpi_lib.errors import KpiError
from kpi_lib.params import Params
from kpi_lib.scorecard import Scorecard
from kpi_lib.units import NONE, change, printed

ROOT = Path(__file__).parents[1]
SAME_CODE = "the same definition, other code around it"
NEW, GONE = "declared since", "no longer declared"
Row = Mapping[str, Any]
Why = Callable[[Row, Row], Iterable[str]]


@dataclass(frozen=True)
class Comparison:
    """The numbers that are printed otherwise, as plain data, and how many are not; `then` and `now` name the two."""

    said: str
    then: str
    now: str
    rows: list[dict[str, Any]]
    others: int


def totals(card: Scorecard, period: str | None = None, *, headlines: bool = False) -> pd.DataFrame:
    """Return the totals of a scorecard's period, or of an earlier one in it."""
    if headlines:
        return card.headlines(period)
    return card.frame[(card.frame["period"] == (period or card.period)) & card.frame["cut"].isna()]


def compared(
    said: str, names: tuple[str, str], then: pd.DataFrame, now: pd.DataFrame, currency: str, why: Why
) -> Comparison:
    """Compare two sets of totals."""
    rows = differences(then, now, currency, why)
    return Comparison(said, *names, rows, int((~now["kpi"].isin([row["kpi"] for row in rows])).sum()))


def differences(then: pd.DataFrame, now: pd.DataFrame, currency: str, why: Why) -> list[dict[str, Any]]:
    """Return, as plain data in the order of `now`, each number that is printed otherwise; `why` says the reasons."""
    before, today = ({row["kpi"]: row for row in rows.to_dict("records")} for rows in (then, now))
    found = []
    for kpi in [*today, *(kpi for kpi in before if kpi not in today)]:
        was, row = before.get(kpi), today.get(kpi)
        texts = [_text(each, currency) for each in (was, row)]
        if texts[0] == texts[1]:
            continue
        reasons = [NEW] if was is None else [GONE] if row is None else [*why(was, row)]
        numbers = [_number(each) for each in (was, row)]
        one = row or was or {}
        moved = change(numbers[1], numbers[0], one["unit"], currency) if None not in numbers else ""
        found.append(
            {"kpi": kpi, "title": one["title"], "unit": one["unit"], "then": texts[0], "now": texts[1], "change": moved}
            | {"value_then": numbers[0], "value_now": numbers[1], "why": reasons}
        )
    return found


def of_periods(then: Row, now: Row) -> Iterable[str]:
    """Yield what makes the numbers of two periods hard to compare."""
    if then["definition"] != now["definition"]:
        yield restated.EITHER
    if then["provisional"] or now["provisional"]:
        yield "provisional" if then["provisional"] and now["provisional"] else "one of them provisional"


def since_issued(then: Scorecard, now: Scorecard) -> Why:
    """Return what tells why a number is another than the one that was issued."""
    return lambda was, row: restated.causes(was, row, then, now) or [restated.UNKNOWN]


def of_versions(then: Row, now: Row) -> Iterable[str]:
    """Yield what another version of the code has done to a number, with the same configuration and data."""
    yield restated.DEFINITION if then["definition"] != now["definition"] else SAME_CODE


def measured_by(version: str, params: Params, period: str, as_of: str) -> pd.DataFrame:
    """Return the totals of a period as another version of the code computes them from the same data.

    `version` is anything that git can name. Its code is taken out of the repository into a folder of its own, which is
    removed again, and run by this Python with the packages that are installed.
    """
    with TemporaryDirectory(prefix="kpi-version-") as folder:
        _take_out(version, Path(folder))
        command = ["values", period, "--format", "json", "--params", str(params.path), "--as-of", as_of]
        run = subprocess.run(
            [sys.executable, "-P", "-m", "kpi_lib.cli", *command],
            env={**os.environ, "PYTHONPATH": folder},
            capture_output=True,
            text=True,
        )
    if run.returncode:
        said = (run.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise KpiError(f"the code of {version!r} could not measure {period}: {said.removeprefix('kpi: ')}")
    rows = pd.DataFrame(json.loads(run.stdout))
    return rows[rows["cut"].isna()]


def _take_out(version: str, folder: Path) -> None:
    """Write the package as it was in a version."""
    found = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{version}^{{commit}}")
    if found.returncode:
        where = "" if _git("rev-parse").returncode == 0 else f": {ROOT} is no git repository"
        raise KpiError(f"there is no version {version!r} of the code{where}")
    packed = _git("archive", "--format=tar", found.stdout.decode().strip(), "kpi_lib")
    if packed.returncode:
        raise KpiError(f"version {version!r} has no kpi_lib")
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as tar:
        tar.extractall(folder, filter="data")


def _git(*words: str) -> "subprocess.CompletedProcess[bytes]":
    try:
        return subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True)
    except FileNotFoundError:
        raise KpiError("comparing versions of the code takes git, which is not installed") from None


def _number(row: Row | None) -> float | None:
    return float(row["value"]) if row is not None and row["status"] == "ok" else None


def _text(row: Row | None, currency: str) -> str:
    if row is None or row["status"] == "ok":
        return NONE if row is None else printed(_number(row), row["unit"], currency)
    return f"{NONE} ({row['status'].replace('_', ' ')})"

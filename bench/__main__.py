"""`python -m bench [PART ...]`: measure, keep the figures in bench/results.json, print them as a table."""

import argparse
import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from time import perf_counter
from typing import Any

from bench import measure

RESULTS = Path(__file__).with_name("results.json")
PACKAGES = ("duckdb", "ibis-framework", "matplotlib", "nbconvert", "pandas", "papermill", "sqlglot", "typst")
# By part: what it measures, and the module and function that do.
PARTS: Mapping[str, tuple[str, str, str]] = {
    "report": ("a month's report, cold, against the stock pipeline", "bench.report", "cold"),
    "again": ("the same report when nothing, or one thing, has changed", "bench.again", "again"),
    "startup": ("CPU seconds until `kpi --help` and its like have answered", "bench.startup", "startup"),
    "slices": ("a slice beyond the first, and memory with many", "bench.slices", "slices"),
    "profile": ("where the time of a cold report goes", "bench.profile", "profile"),
    "large": ("ten million tickets against hand-written SQL and pandas", "bench.large", "large"),
}


def main(arguments: list[str] | None = None) -> int:
    """Measure the parts that were asked for, one after the other, and keep each one's figures as soon as it is done."""
    asked = _asked(arguments)
    own = {"slices": {"count": asked.slices}, "large": {"scale": asked.scale}}
    failed = []
    for part in asked.parts or PARTS:
        about, module, function = PARTS[part]
        measure.say(f"{part}: {about}")
        given = {"repeats": asked.repeats, **own.get(part, {})}
        began = perf_counter()
        try:
            figures = getattr(import_module(module), function)(**given)
        except measure.FailedError as error:
            measure.say(f"{part}: {error}")
            failed.append(part)
            continue
        keep(part, {**given, "seconds": round(perf_counter() - began), "figures": figures}, RESULTS)
        measure.say(f"{part}: done in {perf_counter() - began:.0f} s")
    text = table(read(RESULTS))
    RESULTS.with_suffix(".md").write_text(text, encoding="utf-8")
    print(text)
    return 1 if failed else 0


def read(file: Path) -> dict[str, Any]:
    """Return the results of a file by part; none where there is no file yet."""
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else {}


def keep(part: str, said: dict[str, Any], file: Path) -> None:
    """Put a part's figures into the file of results, with date and machine, and leave those of the others."""
    date = datetime.now(UTC).isoformat(timespec="seconds")
    after = read(file) | {part: {"date": date, "machine": measure.machine(*PACKAGES), **said}}
    part_of = file.with_suffix(".part")
    part_of.write_text(json.dumps({name: after[name] for name in PARTS if name in after}, indent=1) + "\n")
    part_of.replace(file)


def table(results: Mapping[str, Any]) -> str:
    """Return results as Markdown: a table a part."""
    lines = ["# Benchmark", ""]
    for part, said in results.items():
        machine = said["machine"]
        lines += [
            f"## {part}: {PARTS[part][0]}",
            "",
            f"{said['date']}, {machine['cores']} cores, {machine['memory_gigabytes']} GB, Python {machine['python']}, "
            f"{said['repeats']} rounds, {said['seconds']} s",
            "",
            "| figure | at most | minimum | median | maximum | within | |",
            "|---|--:|--:|--:|--:|--:|---|",
            *map(_row, said["figures"]),
            "",
        ]
    return "\n".join(lines)


def _row(said: Mapping[str, Any]) -> str:
    unit = f" {said['unit']}" if said["unit"] else ""
    bound = "" if said["bound"] is None else f"{said['bound']}{unit}"
    within = "" if said["within"] is None else f"{said['within']} of {len(said['values'])}"
    told = [f"{said[name]}{unit}" for name in ("minimum", "median", "maximum")]
    return f"| {' | '.join([said['figure'], bound, *told, within, _note(said)])} |"


def _note(said: Mapping[str, Any]) -> str:
    """Return what is said beside a figure: the seconds behind a ratio, and whether the machine was ours alone."""
    seconds = [f"{name} {sorted(values)[len(values) // 2]:.3g} s" for name, values in said.get("seconds", {}).items()]
    disturbed = [f"others used up to {said['others']:.0%} of the machine"] if said.get("others", 0) > 0.05 else []
    return "; ".join([*filter(None, [said["note"]]), *([", ".join(seconds)] if seconds else []), *disturbed])


def _asked(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"any of {', '.join(PARTS)}; without one, all")
    parser.add_argument("--repeats", type=int, default=5, metavar="N", help="rounds of each part")
    parser.add_argument("--slices", type=int, default=200, metavar="N", help="how many slices")
    parser.add_argument("--scale", type=int, default=10_000_000, metavar="N", help="how many tickets are large data")
    asked = parser.parse_args(arguments)
    if unknown := [part for part in asked.parts if part not in PARTS]:
        parser.error(f"there is no part {unknown[0]!r}; there are {', '.join(PARTS)}")
    return asked


if __name__ == "__main__":
    sys.exit(main())

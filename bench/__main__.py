"""`python -m bench [PART ...]`: measure, keep the figures in bench/results.json, print them as a table."""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any

from bench import measure
from bench.measure import Round, Run

RESULTS = Path(__file__).with_name("results.json")
PACKAGES = ("duckdb", "ibis-framework", "matplotlib", "nbconvert", "pandas", "papermill", "sqlglot", "typst")
# By part, which is a module here that has `measured`, a round after the other, and `figures` of all rounds.
PARTS: Mapping[str, str] = {
    "report": "a month's report, cold, against the stock pipeline",
    "again": "the same report when nothing, or one thing, has changed",
    "startup": "CPU seconds until `kpi --help` and its like have answered",
    "slices": "a slice beyond the first, and memory with many",
    "profile": "where the time of a cold report goes",
    "large": "ten million tickets against hand-written SQL and pandas",
}


def main(arguments: list[str] | None = None) -> int:
    """Measure the parts that were asked for, one after the other; each round is kept as soon as it is over.

    Returns 1 when one could not be measured, or the median of a figure is beyond its bound.
    """
    asked = _asked(arguments)
    own = {"slices": {"count": asked.slices}, "large": {"scale": asked.scale}}
    failed = []
    for part in asked.parts or PARTS:
        measure.say(f"{part}: {PARTS[part]}")
        try:
            _measure(part, own.get(part, {}), asked.repeats, add=asked.add)
        except measure.FailedError as error:
            measure.say(f"{part}: {error}")
            failed.append(part)
    results = read(RESULTS)
    text = table(results)
    RESULTS.with_suffix(".md").write_text(text, encoding="utf-8")
    print(text)
    missed = [f"{part}: {each}" for part in asked.parts or PARTS if part in results for each in beyond(results[part])]
    for each in missed:
        measure.say(each)
    return 1 if failed or missed else 0


def beyond(said: Mapping[str, Any]) -> list[str]:
    """Return in sentences which figures of a part are beyond their bounds, by their medians."""
    return [
        f"{each['figure']} is {each['median']}{_unit(each)}, at most {each['bound']}{_unit(each)} was wanted"
        for each in said["figures"]
        if each["bound"] is not None and each["median"] > each["bound"]
    ]


def read(file: Path) -> dict[str, Any]:
    """Return the results of a file by part; none where there is no file yet."""
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else {}


def _measure(part: str, options: Mapping[str, int], repeats: int, *, add: bool) -> None:
    """Measure more rounds of a part, beside those that are kept or in their place, and keep each one."""
    module = import_module(f"bench.{part}")
    rounds = read(RESULTS).get(part, {}).get("rounds", []) if add else []
    if different := [each["options"] for each in rounds if each["options"] != options]:
        raise measure.FailedError(f"rounds with {options} cannot be added to those with {different[0]}")
    commit = measure.commit()
    for done in module.measured(range(len(rounds), len(rounds) + repeats), **options):
        rounds.append(_record(done, commit, options))
        commit = measure.commit()  # of the next one, when it begins
        found = [{step: Run(**cost) for step, cost in each["runs"].items()} for each in rounds]
        _keep(part, {"rounds": rounds, "figures": module.figures(found, **options)})


def _record(done: Round, commit: str, options: Mapping[str, int]) -> dict[str, Any]:
    """Return a round as it is kept: when, of which commit, where, with which options, and what every step cost."""
    about = {"date": datetime.now(UTC).isoformat(timespec="seconds"), "commit": commit}
    runs = {step: cost.kept for step, cost in done.items()}
    return about | {"machine": measure.machine(*PACKAGES), "options": options, "runs": runs}


def _keep(part: str, said: Mapping[str, Any]) -> None:
    """Put a part's rounds and figures into the file of results, and leave those of the others."""
    after = read(RESULTS) | {part: said}
    unfinished = RESULTS.with_suffix(".part")
    unfinished.write_text(json.dumps({name: after[name] for name in PARTS if name in after}, indent=1) + "\n")
    unfinished.replace(RESULTS)


def table(results: Mapping[str, Any]) -> str:
    """Return results as Markdown: a table a part."""
    lines = ["# Benchmark", ""]
    for part, said in results.items():
        lines += [
            f"## {part}: {PARTS[part]}",
            "",
            _about(said["rounds"]),
            "",
            "| figure | at most | minimum | median | maximum | within | |",
            "|---|--:|--:|--:|--:|--:|---|",
            *map(_row, said["figures"]),
            "",
        ]
    return "\n".join(lines)


def _about(rounds: Sequence[Mapping[str, Any]]) -> str:
    """Return when, where and of what the rounds of a part are, and which part of the machine others had meanwhile."""
    commits = ", ".join(dict.fromkeys(each["commit"] or "unknown" for each in rounds))
    count = f"{len(rounds)} rounds" if len(rounds) > 1 else "one round"
    machines = dict.fromkeys(
        f"{on['cores']} cores, {on['memory_gigabytes']} GB, Python {on['python']}"
        for on in (each["machine"] for each in rounds)
    )
    used = max(_others(each) for each in rounds)
    return f"{rounds[-1]['date']}, {' and '.join(machines)}, {count} of {commits}; others had up to {used:.0%} of it"


def _others(done: Mapping[str, Any]) -> float:
    """Return which part of the machine's CPU time something else had in a round."""
    others, wall = (sum(cost[name] for cost in done["runs"].values()) for name in ("others", "wall"))
    return float(others / wall / done["machine"]["cores"])


def _row(said: Mapping[str, Any]) -> str:
    unit = _unit(said)
    bound = "" if said["bound"] is None else f"{said['bound']}{unit}"
    within = "" if said["within"] is None else f"{said['within']} of {len(said['values'])}"
    told = [f"{said[name]}{unit}" for name in ("minimum", "median", "maximum")]
    return f"| {' | '.join([said['figure'], bound, *told, within, _note(said)])} |"


def _unit(said: Mapping[str, Any]) -> str:
    return f" {said['unit']}" if said["unit"] else ""


def _note(said: Mapping[str, Any]) -> str:
    """Return what is said beside a figure, and the seconds behind a ratio."""
    seconds = ", ".join(f"{name} {median(values):.4g} s" for name, values in said.get("seconds", {}).items())
    return "; ".join(filter(None, [said["note"], seconds]))


def _asked(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"any of {', '.join(PARTS)}; without one, all")
    parser.add_argument("--repeats", type=int, default=5, metavar="N", help="rounds of each part; without it five")
    parser.add_argument("--add", action="store_true", help="beside the rounds that are kept, not in their place")
    parser.add_argument("--slices", type=int, default=200, metavar="N", help="how many slices")
    parser.add_argument("--scale", type=int, default=10_000_000, metavar="N", help="how many tickets are large data")
    asked = parser.parse_args(arguments)
    if unknown := [part for part in asked.parts if part not in PARTS]:
        parser.error(f"there is no part {unknown[0]!r}; there are {', '.join(PARTS)}")
    return asked


if __name__ == "__main__":
    sys.exit(main())

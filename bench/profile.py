"""Where the time of a cold report goes, as shares of its time on the clock.

A thread looks every few milliseconds at what the main thread is doing, in a process of `kpi report` and in another that
runs the cells of all notebooks.
"""

import json
import linecache
import re
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from types import FrameType

from bench.company import PERIOD, project
from bench.measure import BIN, Figure, Round, Run, figure, run, say, told

EVERY = 0.004
NOTEBOOKS, REST = "notebooks", "the rest"
QUERY = re.compile(r"\.(execute|raw_sql|sql|query|arrow|fetch\w*|to_arrow_table|read_all)\(")
# What a file on the stack of the main thread tells; the first that fits.
ON_STACK = (
    ("imports", re.compile(r"<frozen importlib")),
    (NOTEBOOKS, re.compile(r"kpi_lib/publish/execute")),
    ("PDF", re.compile(r"kpi_lib/publish/(pdf|prose)\.py")),
    ("HTML", re.compile(r"kpi_lib/publish/(html|index|page|picture|render)\.py|/nbconvert/")),
    ("workbook", re.compile(r"kpi_lib/workbook")),
    ("figures drawn", re.compile(r"/(matplotlib|seaborn)/")),
    ("expressions compiled to SQL", re.compile(r"/(ibis|sqlglot)/")),
    ("frames", re.compile(r"/(pandas|pyarrow|scipy|numpy)/")),
)
ENGINE = "queries run"


def measured(numbers: range) -> Iterator[Round]:
    """Look what a cold report spends its time on; of notebooks that run at once, what each spends its own on."""
    with project() as copy:
        for number in numbers:
            out = copy / f"out-{number}"
            looked = [
                run([BIN / "python", "-m", "bench.profile", *given], cwd=copy)
                for given in (
                    ("report", PERIOD, "--out", out, "--json", "--no-cache"),
                    ("notebooks", out / PERIOD / "scorecard.parquet"),
                )
            ]
            for title, each in zip(("report", "cells of the notebooks"), looked, strict=True):
                say(f"profile, round {number + 1} of {numbers.stop}: {title} {told(each)}")
            said, whole = map(json.loads, looked[0].output.splitlines()[-2:])
            seconds = split(whole, json.loads(looked[1].output.splitlines()[-1]), said["timings"])
            others = sum(each.others for each in looked) / sum(each.wall for each in looked)  # in each second
            yield {name: Run(wall=value, cpu=0, others=others * value) for name, value in seconds.items()}


def figures(found: Sequence[Round]) -> list[Figure]:
    """Return each kind's share of the time on the clock, the largest first."""
    kinds = {kind for each in found for kind in each}
    made = [figure(kind, [_share(each, kind) for each in found]) for kind in sorted(kinds)]
    return sorted(made, key=lambda each: -float(each["median"]))


def _share(done: Round, kind: str) -> float:
    return done[kind].wall / sum(each.wall for each in done.values()) if kind in done else 0.0


def split(
    whole: Mapping[str, float], cells: Mapping[str, float], timings: Mapping[str, Mapping[str, float]]
) -> dict[str, float]:
    """Share out the time that the report waits for notebooks: kernels that start, and what cells do, by kind."""
    ran, ready = sum(timings["each"].values()), sum(timings["kernels"].values())
    waited, drawn = whole.get(NOTEBOOKS, 0.0), sum(cells.values())
    inside = {"kernels started": ready / ran}
    inside |= {name: (1 - ready / ran) * seconds / drawn for name, seconds in cells.items()}
    rest = {name: seconds for name, seconds in whole.items() if name != NOTEBOOKS}
    return rest | {f"{NOTEBOOKS}: {name}": waited * share for name, share in inside.items()}


@contextmanager
def looked_at() -> Iterator[dict[str, float]]:
    """Count seconds by what the main thread does while the block runs."""
    spent: dict[str, float] = defaultdict(float)
    main, over = threading.main_thread().ident, threading.Event()
    assert main is not None

    def look() -> None:
        last = perf_counter()
        while not over.wait(EVERY):
            try:
                kind, now = kind_of(sys._current_frames()[main]), perf_counter()
            except AttributeError:  # the thread was about to leave a frame: the next look counts for this one
                continue
            spent[kind] += now - last
            last = now

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield spent
        assert watcher.is_alive()
    finally:
        over.set()
        watcher.join()


def kind_of(frame: FrameType) -> str:
    """Return what a thread is doing, told by the files on its stack, and by the line that it waits in for an answer."""
    innermost, files = frame, []
    above: FrameType | None = frame
    while above:
        files.append(above.f_code.co_filename)
        above = above.f_back
    kind = next((kind for kind, pattern in ON_STACK if any(map(pattern.search, files))), REST)
    if kind in ("expressions compiled to SQL", "frames", REST) and _asks(innermost):
        return ENGINE
    return kind


def _asks(frame: FrameType) -> bool:
    """Tell whether a line of Python is one that runs a query."""
    code = frame.f_code
    return bool(QUERY.search(linecache.getline(code.co_filename, frame.f_lineno or 0)))


def _report(options: Sequence[str]) -> None:
    from kpi_lib.cli import cli

    cli(["report", *options], standalone_mode=False)


def _notebooks(scorecard: str) -> None:
    """Run the cells of all notebooks in this process, and make every output that a kernel would make."""
    from IPython.core.displayhook import DisplayHook
    from IPython.core.interactiveshell import InteractiveShell

    class Silent(DisplayHook):
        def write_output_prompt(self) -> None: ...
        def write_format_data(self, *given: object) -> None: ...

    shell = InteractiveShell.instance(displayhook_class=Silent)
    given = f"period, scorecard = {PERIOD!r}, {scorecard!r}"
    for notebook in sorted(Path("notebooks").glob("*.ipynb")):
        for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "code":
                shell.run_cell("".join(cell["source"])).raise_error()
            if "parameters" in cell["metadata"].get("tags", []):
                shell.run_cell(given)


def main(what: str, *given: str) -> None:
    """Build a report or run all cells once under the look, and print seconds by kind as a line of JSON."""
    if what == "notebooks":
        from kpi_lib import kernel_server

        kernel_server.preload()
    with looked_at() as spent:
        _report(given) if what == "report" else _notebooks(*given)
    print(json.dumps(spent))


if __name__ == "__main__":
    main(*sys.argv[1:])

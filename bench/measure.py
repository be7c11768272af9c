"""Commands run and measured, and figures made of the runs: each a ratio inside one round, told over several rounds."""

import os
import platform
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
TICKS = os.sysconf("SC_CLK_TCK")
MEASURED = ("kpi_lib", "notebooks", "params", "bench/sql", "bench/*.py")
EVERY = 2.0  # seconds between two looks at the memory of a process tree
Figure = dict[str, Any]
Step = Callable[[], "Run"]
Round = Mapping[str, "Run"]  # what one round of a part measured, by step


class FailedError(Exception):
    """A command that was to be measured did not succeed; its last words."""


@dataclass(frozen=True)
class Run:
    """What a command cost: seconds on the clock, CPU seconds of it and its children, and of everybody else."""

    wall: float
    cpu: float
    others: float
    peak: int = 0  # bytes of the process tree, where they were watched; shared pages count once
    note: str = ""  # what the table says of it
    output: str = ""  # what it printed; not kept

    def __add__(self, after: "Run") -> "Run":
        """Return the cost of two commands, one after the other."""
        return Run(
            self.wall + after.wall,
            self.cpu + after.cpu,
            self.others + after.others,
            max(self.peak, after.peak),
        )

    @property
    def kept(self) -> dict[str, Any]:
        """What is kept of it, by name; `Run(**kept)` is the run again."""
        return {name: value for name, value in asdict(self).items() if name != "output"}


def run(command: Sequence[str | Path], *, cwd: Path = ROOT, watch: bool = False) -> Run:
    """Run a command to its end and return what it cost; with `watch` also the peak of its memory.

    Python keeps its bytecode, as it does for users, even on a machine that is set up not to keep it. The code that is
    measured is that of this checkout, whichever the environment was made for.
    """
    environment = os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as words:
        busy, began = _busy(), perf_counter()
        silent = subprocess.DEVNULL
        process = subprocess.Popen(command, cwd=cwd, env=environment, stdin=silent, stdout=out, stderr=words)
        with largest(partial(memory, process.pid)) if watch else _unwatched() as peak:
            _, status, used = os.wait4(process.pid, 0)
        wall, cpu = perf_counter() - began, used.ru_utime + used.ru_stime
        process.returncode = os.waitstatus_to_exitcode(status)
        others = max(0.0, _busy() - busy - cpu)
        for file in (out, words):
            file.seek(0)
        if process.returncode:
            raise FailedError(f"{' '.join(map(str, command))}: {process.returncode}\n{words.read().decode()[-2000:]}")
        return Run(wall, cpu, others, peak[0], output=out.read().decode())


def rounds(title: str, numbers: range, steps: Mapping[str, Step]) -> Iterator[Round]:
    """Run all steps once a round, every other round backwards, so that a disturbance or a trend hits all of them."""
    for number in numbers:
        done = {}
        for name in list(steps)[:: -1 if number % 2 else 1]:
            done[name] = steps[name]()
            say(f"{title}, round {number + 1} of {numbers.stop}: {name} {told(done[name])}")
        yield done


def ratios(
    name: str, found: Sequence[Round], ours: str, theirs: str, *, bound: float | None = None, note: str = ""
) -> list[Figure]:
    """Return two figures of one comparison: on the clock, which the bound is about, and in CPU seconds."""
    made = []
    for cost, about in (("wall", bound), ("cpu", None)):
        of = {step: [round(getattr(each[step], cost), 3) for each in found] for step in (ours, theirs)}
        values = [mine / other for mine, other in zip(of[ours], of[theirs], strict=True)]
        title = name if cost == "wall" else f"{name}, CPU"
        made.append(figure(title, values, bound=about, note=note, seconds=of))
    return made


def figure(
    name: str, values: Sequence[float], *, unit: str = "", bound: float | None = None, note: str = "", **beside: Any
) -> Figure:
    """Return one line of the table: a value a round, in a unit (none: a ratio), and what it is to be at most."""
    told = {"minimum": min(values), "median": median(values), "maximum": max(values)}
    rounded = {key: _short(value) for key, value in told.items()}
    return {
        "figure": name,
        "unit": unit,
        "bound": bound,
        **rounded,
        "values": [_short(value) for value in values],
        "within": None if bound is None else sum(value <= bound for value in values),
        "note": note,
        **beside,
    }


def say(line: str) -> None:
    """Say on stderr what is going on."""
    print(line, file=sys.stderr, flush=True)


def told(run: Run) -> str:
    """Return a run in a few words; a machine that somebody else used meanwhile is told."""
    share = share_of_others(run)
    disturbed = f", others used {share:.0%} of the machine" if share > 0.05 else ""
    memory = f", peak {run.peak / 1e6:.0f} MB" if run.peak else ""
    return f"{run.wall:.2f} s ({run.cpu:.2f} s CPU{memory}{disturbed})"


def share_of_others(run: Run) -> float:
    """Return which part of the machine's CPU time something else used while a command ran."""
    return run.others / (run.wall * (os.cpu_count() or 1))


def memory(root: int) -> int:
    """Return the bytes that a process and all it has started hold; a page that several of them share counts once."""
    return sum(map(_memory, _tree(root)))


def own_peak() -> int:
    """Return the most memory in bytes that this process has had; getrusage counts that of its parent's as well."""
    [line] = [line for line in _lines("self/status") if line.startswith("VmHWM:")]
    return 1024 * int(line.split()[1])


def commit() -> str:
    """Return the commit that is measured, marked where what is measured differs from it; empty without a repository."""
    head, changed = (
        subprocess.run(["git", *given], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
        for given in (("rev-parse", "--short", "HEAD"), ("status", "--porcelain", "--", *MEASURED))
    )
    return f"{head}, changed" if changed else head


def machine(*packages: str) -> dict[str, Any]:
    """Return what the figures were measured on: cores, memory, Python and the versions of some packages."""
    from importlib.metadata import version

    return {
        "system": platform.platform(),
        "processor": next((line.split(":")[1].strip() for line in _lines("cpuinfo") if "model name" in line), ""),
        "cores": os.cpu_count(),
        "memory_gigabytes": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in packages},
    }


@contextmanager
def largest(look: Callable[[], int], every: float = EVERY) -> Iterator[list[int]]:
    """Look again and again while the block runs, and keep the largest that is seen in the list that is given."""
    peak, over = [0], threading.Event()

    def watch() -> None:
        while not over.wait(every):
            peak[0] = max(peak[0], look())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        over.set()
        watcher.join()


@contextmanager
def _unwatched() -> Iterator[list[int]]:
    yield [0]


def _tree(root: int) -> list[int]:
    """Return a process and its descendants."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


def _memory(pid: int) -> int:
    """Return a process's share of memory in bytes; a page that several processes share is divided among them."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def _busy() -> float:
    """Return the CPU seconds that the machine has spent on anything since it started."""
    user, nice, system, _, _, *rest = map(int, _lines("stat")[0].split()[1:9])
    return (user + nice + system + sum(rest)) / TICKS


def _lines(name: str) -> list[str]:
    file = Path("/proc", name)
    return file.read_text().splitlines() if file.exists() else []


def _short(value: float) -> float:
    """Return a value with four digits that count."""
    return float(f"{value:.4g}")

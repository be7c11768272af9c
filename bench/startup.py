"""What a command costs that reads no table: CPU seconds of the process, user and system."""

from collections.abc import Iterator, Sequence
from functools import partial

from bench.measure import BIN, Figure, Round, figure, rounds, run

BOUND = 0.25
BOUNDED = ("kpi --help", "kpi list")
BARE = "python -c pass"
COMMANDS = {
    BARE: [str(BIN / "python"), "-c", "pass"],
    "kpi --help": [str(BIN / "kpi"), "--help"],
    "kpi list": [str(BIN / "kpi"), "list"],
    "kpi explain nps": [str(BIN / "kpi"), "explain", "nps"],
}


def measured(numbers: range) -> Iterator[Round]:
    """Measure each command in turns, after one run that fills the system's caches."""
    for command in COMMANDS.values():
        run(command)
    yield from rounds("startup", numbers, {name: partial(run, command) for name, command in COMMANDS.items()})


def figures(found: Sequence[Round]) -> list[Figure]:
    """Return CPU seconds by command, and as shares of a Python that does nothing."""
    bare = [each[BARE].cpu for each in found]
    made = []
    for name in COMMANDS:
        values = [each[name].cpu for each in found]
        made.append(figure(f"`{name}`", values, unit="CPU s", bound=BOUND if name in BOUNDED else None))
        if name != BARE:
            shares = [mine / least for mine, least in zip(values, bare, strict=True)]
            made.append(figure(f"`{name}` / `{BARE}`", shares))
    return made

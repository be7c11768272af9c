"""As much of Airflow as the DAG files of docs/operations use: it collects what they declare and runs nothing.

Each takes the arguments that Airflow's own has, of those that the files may want.
"""

import sys
from types import ModuleType
from typing import Any, ClassVar

import pytest


class Task:
    """An operator with its arguments; `mapped` is what it is expanded over."""

    made: ClassVar[list["Task"]] = []
    takes: ClassVar[set[str]] = set()
    all_take: ClassVar[set[str]] = {"task_id", "retries", "retry_delay", "pool"}

    def __init__(self, mapped: Any = None, **arguments: Any) -> None:
        assert arguments.keys() <= self.takes | self.all_take, arguments
        self.arguments, self.mapped, self.after = arguments, mapped, []
        self.made.append(self)

    def __rshift__(self, others: Any) -> Any:
        for other in others if isinstance(others, list) else [others]:
            other.after.append(self)
        return others

    @classmethod
    def partial(cls, **arguments: Any) -> "Partial":
        return Partial(cls, arguments)


class Partial:
    """An operator that still lacks what it is mapped over."""

    def __init__(self, kind: type[Task], arguments: dict[str, Any]) -> None:
        self.kind, self.arguments = kind, arguments

    def expand_kwargs(self, mapped: Any) -> Task:
        return self.kind(mapped, **self.arguments)

    def expand(self, **mapped: Any) -> Task:
        return self.kind(mapped, **self.arguments)


class BashOperator(Task):
    takes: ClassVar[set[str]] = {"bash_command", "env", "append_env", "cwd", "skip_on_exit_code"}


class BashSensor(Task):
    takes: ClassVar[set[str]] = {"bash_command", "env", "retry_exit_code", "mode", "poke_interval", "timeout"}


class PapermillOperator(Task):
    takes: ClassVar[set[str]] = {"input_nb", "output_nb", "parameters", "kernel_name", "language_name"}


class Called:
    """A decorated function and what it was called with."""

    def __init__(self, function: Any, told: dict[str, Any], given: tuple[Any, ...]) -> None:
        self.function, self.told, self.given = function, told, given


class task:  # noqa: N801 - Airflow's name
    @staticmethod
    def external_python(*, python: str, expect_airflow: bool = True) -> Any:
        told = {"python": python, "expect_airflow": expect_airflow}
        return lambda function: lambda *given: Called(function, told, given)


class DAG:
    made: ClassVar[list["DAG"]] = []

    def __init__(
        self, *, dag_id: str, schedule: "CronTriggerTimetable", start_date: Any, catchup: bool, max_active_runs: int
    ) -> None:
        arguments = {"dag_id": dag_id, "schedule": schedule, "start_date": start_date, "catchup": catchup}
        arguments |= {"max_active_runs": max_active_runs}
        self.arguments = arguments
        self.made.append(self)

    def __enter__(self) -> "DAG":
        return self

    def __exit__(self, *_: object) -> None:
        return None


class CronTriggerTimetable:
    def __init__(self, cron: str, *, timezone: str) -> None:
        self.cron, self.timezone = cron, timezone


MODULES = {
    "airflow.sdk": [DAG, task],
    "airflow.providers.standard.operators.bash": [BashOperator],
    "airflow.providers.standard.sensors.bash": [BashSensor],
    "airflow.providers.papermill.operators.papermill": [PapermillOperator],
    "airflow.timetables.trigger": [CronTriggerTimetable],
}


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have `import airflow` find this, for the time of a test."""
    Task.made, DAG.made = [], []
    for path, things in MODULES.items():
        parts = path.split(".")
        for end in range(1, len(parts)):
            parent = ".".join(parts[:end])
            if parent not in sys.modules:
                monkeypatch.setitem(sys.modules, parent, ModuleType(parent))
        module = ModuleType(path)
        for thing in things:
            setattr(module, thing.__name__, thing)
        monkeypatch.setitem(sys.modules, path, module)

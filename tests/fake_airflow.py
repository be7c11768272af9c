"""As much of Airflow as the DAG files of docs/operations use: it collects what they declare and runs nothing."""

import sys
from types import ModuleType
from typing import Any, ClassVar

import pytest


class Task:
    """An operator with its arguments; `mapped` is what it is expanded over."""

    made: ClassVar[list["Task"]] = []

    def __init__(self, mapped: Any = None, **arguments: Any) -> None:
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
    pass


class BashSensor(Task):
    pass


class PapermillOperator(Task):
    pass


class Called:
    """A decorated function and what it was called with."""

    def __init__(self, function: Any, told: dict[str, Any], given: tuple[Any, ...]) -> None:
        self.function, self.told, self.given = function, told, given


class task:  # noqa: N801 - Airflow's name
    @staticmethod
    def external_python(**told: Any) -> Any:
        return lambda function: lambda *given: Called(function, told, given)


class DAG:
    made: ClassVar[list["DAG"]] = []

    def __init__(self, **arguments: Any) -> None:
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

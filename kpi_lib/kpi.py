"""What a KPI is: a decorated function over a fact, whose name, docstring and body are the declaration.

Four forms: over one fact; over two facts, each side summed in its own scan; derived from other KPIs (`of=`); a model
over a small summary frame (`model=True`). `table=` makes one of the last two a table KPI.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from kpi_lib.defaults import default
from kpi_lib.definition import code_of
from kpi_lib.errors import KpiError, UnknownNameError, did_you_mean
from kpi_lib.estimate import ByMember, Count
from kpi_lib.units import UNITS

if TYPE_CHECKING:
    from kpi_lib.params import Params

FAMILIES = {"loyalty": "Loyalty", "support_ops": "Support operations", "customer_value": "Customer value"}
NOTEBOOK = "notebook"  # the family of what an analyst declares in a cell
BETTER = ("higher", "lower", "none", "band")
OF_READING = {  # unit and direction of readings that differ from their KPI's
    "promoters": ("percent", "higher"),
    "passives": ("percent", "none"),
    "detractors": ("percent", "lower"),
}
REGISTRY: dict[str, Kpi] = {}


@dataclass(frozen=True)
class Kpi:
    """One declared number; `address` is `id` for a headline and `id.companion` for a companion."""

    address: str
    family: str
    title: str
    function: Callable[..., Any]
    facts: tuple[str, ...]
    of: tuple[str, ...]
    model: bool
    unit: str
    better: str
    cuts: tuple[str, ...]
    params: tuple[str, ...]
    horizon: str | None
    known: str | None
    choose: str | None
    table: str | None

    @property
    def id(self) -> str:
        """The KPI that the number belongs to."""
        return self.address.partition(".")[0]

    @property
    def headline(self) -> bool:
        """Whether this is the number on the scorecard rather than a companion."""
        return "." not in self.address

    @cached_property
    def shape(self) -> Any:
        """What the declaration returns, made without data; None for a model and a KPI derived from others."""
        if self.model or self.of:
            return None
        return self.function(*(_Symbol() for _ in self.facts), **{name: _Symbol() for name in self.arguments})

    @property
    def readings(self) -> dict[str, str]:
        """Further readings of the same estimator: companion name to the words that describe it."""
        return dict(getattr(self.shape, "readings", {}))

    @property
    def interval(self) -> str:
        """How the limits of the number are made."""
        if isinstance(self.shape, ByMember):
            return "Wilson" if isinstance(self.shape.estimator, Count) else self.shape.estimator.interval
        if self.of:
            return "that of the numbers beside it" if self.table else "from that of what it is derived from"
        return "seeded draws of the model" if self.shape is None else str(self.shape.interval)

    @property
    def table_cut(self) -> str | None:
        """The cut whose members a table KPI writes as rows; None for a KPI with a total."""
        return self.shape.cut if isinstance(self.shape, ByMember) else self.table

    def unit_of(self, reading: str) -> str:
        """Return the unit of the headline or of one of its readings."""
        return OF_READING.get(reading, (self.unit,))[0]

    def better_of(self, reading: str) -> str:
        """Return which direction is better for the headline or one of its readings."""
        return OF_READING[reading][1] if reading in OF_READING else self.better

    @property
    def arguments(self) -> dict[str, str]:
        """Argument name to the dotted path of the params it declares."""
        return {path.rpartition(".")[2]: path for path in self.params}

    def given(self, params: Params) -> dict[str, Any]:
        """Return the declared params as keyword arguments."""
        return {name: params.get(path) for name, path in self.arguments.items()}

    def definition(self, params: Params | None, fact_sources: str) -> str:
        """Return 8 hex digits that change with the declaration, its fact or a value it reads, and not with prose.

        Without params, they change with the code alone.
        """
        read = said((*self.params, *filter(None, [self.horizon])), params)
        parts = (
            self.address,
            self.unit,
            self.better,
            str(self.facts),
            str(self.of),
            code_of(self.function),
            fact_sources,
            read,
        )
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:8]

    def said(self, part: str, params: Params | None = None) -> str:
        """Return a part of the docstring with the params it names filled in; their defaults without params."""
        return filled(str(self.document.get(part, "")), self.named_params(params))

    def named_params(self, params: Params | None = None) -> dict[str, str]:
        """Return the params that the docstring names, as texts; their defaults without params."""
        named = {path.rpartition(".")[2]: path for path in filter(None, (*self.params, self.horizon))}
        told = " ".join(self.document.values())
        return {
            name: f"{params.get(path) if params else default(path):g}"
            for name, path in named.items()
            if f"{{{name}}}" in told
        }

    @cached_property
    def document(self) -> dict[str, str]:
        """The docstring's parts: `summary` (what reports print), `formula`, `source`, `differs`."""
        return sections(inspect.getdoc(self.function) or "")


def kpi(
    fact: str | tuple[str, ...] = (),
    *,
    unit: str,
    better: str,
    cuts: tuple[str, ...] = (),
    params: tuple[str, ...] = (),
    of: tuple[str, ...] = (),
    model: bool = False,
    companion: str | None = None,
    horizon: str | None = None,
    known: str | None = None,
    choose: str | None = None,
    table: str | None = None,
    title: str | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare a KPI; its id is the function's name, its family the module it stands in.

    `fact` names one fact, or two for a ratio of them; `of` names KPIs it is derived from. `cuts` are its breakdowns.
    `params` are dotted paths into params/report.yaml that arrive as keyword arguments; `horizon` is one that holds the
    days for which a row's outcome is observed; `known` is a column without which a row cannot be judged.
    `choose` is one that names the companion among `of` that is taken, so that the others need not be known. `table` is
    the cut whose members a model, or a KPI derived from others, writes as rows.
    `companion="service_level.tickets"` declares a companion.
    """
    facts = (fact,) if isinstance(fact, str) else tuple(fact)

    def declare(function: Callable[..., Any]) -> Callable[..., Any]:
        address = companion or function.__name__
        _accepted(address, "unit", unit, UNITS)
        _accepted(address, "better", better, BETTER)
        if not inspect.getdoc(function):
            raise KpiError(f"KPI {address!r} has no docstring: its first paragraph is what every report prints")
        family = _family(address, function.__module__)
        if family == NOTEBOOK and address in REGISTRY and REGISTRY[address].family != NOTEBOOK:
            raise KpiError(f"there is a KPI {address!r} already: give the one declared here another name")
        name = title or address.replace(".", ": ").replace("_", " ").capitalize()
        REGISTRY[address] = Kpi(
            address=address,
            family=family,
            title=f"{name} (declared in this notebook)" if family == NOTEBOOK else name,
            function=function,
            facts=facts,
            of=of,
            model=model,
            unit=unit,
            better=better,
            cuts=cuts,
            params=(*params, choose) if choose else params,
            horizon=horizon,
            known=known,
            choose=choose,
            table=table,
        )
        return function

    return declare


def addresses(kpis: dict[str, Kpi]) -> Iterator[tuple[str, Kpi, str]]:
    """Yield `(address, the KPI that computes it, reading)` for every number there is."""
    for address, declared in kpis.items():
        yield address, declared, ""
        for reading in declared.readings:
            yield f"{address}.{reading}", declared, reading


def find(address: str, kpis: dict[str, Kpi]) -> tuple[Kpi, str]:
    """Return the KPI and the reading at an address; an unknown one is an error with the nearest names."""
    known = {name: (declared, reading) for name, declared, reading in addresses(kpis)}
    if address not in known:
        raise UnknownNameError(f"no KPI {address!r}{did_you_mean(address, known)}")
    return known[address]


def said(paths: Iterable[str], params: Params | None) -> str:
    """Return the values at dotted paths of params, in one spelling; nothing without params."""
    values = {path: params.get(path) for path in paths} if params else {}
    return json.dumps(values, sort_keys=True, default=lambda value: value.model_dump(mode="json"))


def with_parents(wanted: set[str], kpis: dict[str, Kpi]) -> list[str]:
    """Return the addresses to declare for some wanted ones: theirs and those they are derived from, in order."""
    missing = {find(parent, kpis)[0].address for address in wanted for parent in kpis[address].of} - wanted
    return with_parents(wanted | missing, kpis) if missing else [address for address in kpis if address in wanted]


def filled(text: str, given: Mapping[str, str]) -> str:
    """Return a docstring's text with the params that it names in braces filled in."""
    for name, value in given.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def sections(text: str) -> dict[str, str]:
    """Split a docstring into `summary`, `formula`, `source` and `differs`; what else it says is for readers of code."""
    parts = {"summary": ""}
    for paragraph in re.split(r"\n\s*\n|\n(?=(?:Formula|Source|Differs from):)", text.strip()):
        line = " ".join(paragraph.split())
        name, colon, rest = line.partition(": ")
        if colon and name in ("Formula", "Source", "Differs from"):
            parts[name.lower().removesuffix(" from")] = rest
        elif not parts["summary"]:
            parts["summary"] = line
    return parts


def _accepted(address: str, what: str, given: str, accepted: Any) -> None:
    if given not in accepted:
        raise KpiError(f"KPI {address!r}: no {what} {given!r}{did_you_mean(given, accepted)}")


def _family(address: str, module: str) -> str:
    if "." in address and (parent := REGISTRY.get(address.partition(".")[0])):
        return parent.family
    name = module.rpartition(".")[2]
    return next((family for family in FAMILIES if name.startswith(family.removesuffix("_ops"))), NOTEBOOK)


class _Symbol:
    """Stands for any row or value, so that a declaration can be read without data."""

    def __getattr__(self, name: str) -> _Symbol:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *_: Any, **__: Any) -> _Symbol:
        return self

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __invert__(self) -> _Symbol:
        return self

    __and__ = __rand__ = __or__ = __ror__ = __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __call__
    __truediv__ = __rtruediv__ = __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __getitem__ = __call__  # type: ignore[assignment]
    __hash__ = None  # type: ignore[assignment]

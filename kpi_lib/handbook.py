"""What the command says of KPIs: all of them, or one. Plain text, so that nothing is loaded that draws tables."""

import shutil
import sys
from collections.abc import Iterator
from textwrap import wrap
from typing import TYPE_CHECKING

import click

from kpi_lib.kpi import FAMILIES, addresses, find
from kpi_lib.kpis import registry

if TYPE_CHECKING:
    from kpi_lib.params import Params

COLUMNS = 160  # of a file or a pipe
LEAST = 24  # letters of a column of text, however narrow the terminal


def print_list() -> None:
    """Print the catalogue of KPIs by family."""
    kpis = registry()
    for family, title in FAMILIES.items():
        click.secho(title, bold=True)
        rows = [("KPI", "unit", "what it is")]
        for address, kpi, reading in addresses(kpis):
            if kpi.family == family:
                said = f"{kpi.title}: {kpi.readings[reading]}" if reading else kpi.said("summary")
                rows.append((address if "." not in address else f"  {address}", kpi.unit_of(reading), said))
        click.echo("\n".join(_columns(rows)))


def print_explanation(address: str, params: "Params | None") -> None:
    """Print all that is declared of one KPI, as params make of it, or their defaults."""
    from kpi_lib.about import details

    kpis = registry()
    kpi, reading = find(address, kpis)
    click.secho(f"{kpi.title}  ({address})", bold=True)
    lines = {
        "": kpi.said("summary", params),
        "This reading": f"{kpi.readings[reading]}." if reading else "",
        **details(kpi, reading, params),
        "Companions": ", ".join(name for name, other, _ in addresses(kpis) if other.id == kpi.id and name != address),
        "Declared in": f"{kpi.function.__module__.replace('.', '/')}.py",
    }
    for name, said in lines.items():
        if said:
            click.echo("\n".join(wrap(f"{name}: {said}" if name else said, _width())))


def _columns(rows: list[tuple[str, str, str]]) -> Iterator[str]:
    """Yield the lines of a table of three columns, the last of which is wrapped."""
    name, unit = (max(len(row[place]) for row in rows) for place in (0, 1))
    indent = name + unit + 4
    for row in rows:
        first, *rest = wrap(row[2], max(LEAST, _width() - indent))
        yield f"{row[0]:{name}}  {row[1]:{unit}}  {first}"
        yield from (" " * indent + line for line in rest)


def _width() -> int:
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else COLUMNS

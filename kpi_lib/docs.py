"""Writes docs/kpis.md and docs/data.md from the declarations: `python -m kpi_lib.docs`."""

from pathlib import Path

from kpi_lib.about import details
from kpi_lib.contract import TABLES, Column, Table
from kpi_lib.facts import FACTS
from kpi_lib.kpi import FAMILIES, Kpi, addresses
from kpi_lib.kpis import registry

DOCS = Path(__file__).parent.parent / "docs"
NOTE = "<!-- Written by `make docs` from the declarations in kpi_lib; change those, not this page. -->"
SOURCES = {
    "S1": "customer service metrics (Arabic)",
    "S2": "14 help desk KPIs (Russian)",
    "S3": "conversations per teammate, most common issues (Persian)",
    "S4": "the complete list of customer KPIs (Arabic)",
}


def kpis_page() -> str:
    """Return the catalogue: what each KPI means, how it is counted and where it differs from other tools."""
    parts = [NOTE, "# The KPIs", _introduction()]
    kpis = registry()
    for family, title in FAMILIES.items():
        parts.append(f"## {title}")
        for kpi in kpis.values():
            if kpi.family == family and kpi.headline:
                parts.append(_headline(kpi, kpis))
    return "\n\n".join(parts) + "\n"


def data_page() -> str:
    """Return the data contract: the twelve tables, their columns and the rules that rows are held to."""
    parts = [
        NOTE,
        "# The data",
        "Twelve tables, and no more. One that is missing is no mistake: what needs it is not available, and the report "
        "is built. A required column that is missing stops the run. Times are instants in UTC; a time without an "
        "offset is read as UTC. Every table may have `loaded_at`, when a row reached the extract, and `left_out`, the "
        "reason for which the mapping leaves a row out (`test call`), under which it is counted. Exact duplicates are "
        "left out and counted; two rows with one key and different content stop the run.",
        "A rule of level **error** stops the run, **warning** is printed on the data page, **drop** leaves the row out "
        "and counts it. What can be checked only in the source, such as two exports that should agree, stands under "
        "`checks` in `params/sources/NAME.yaml`: a name and a `.sql` file each, whose SELECT returns `message` and "
        "`rows`. Each row of it with `rows` above 0 is a warning.",
        *map(_table, TABLES.values()),
    ]
    return "\n\n".join(parts) + "\n"


def main() -> None:
    """Write both pages."""
    DOCS.mkdir(exist_ok=True)
    (DOCS / "kpis.md").write_text(kpis_page(), encoding="utf-8")
    (DOCS / "data.md").write_text(data_page(), encoding="utf-8")


def _introduction() -> str:
    named = "; ".join(f"{short}: {title}" for short, title in SOURCES.items())
    return (
        "A KPI has a headline, addressed by its id, and companions, addressed `id.companion`. Intervals are 95 %. "
        "`kpi explain ID` prints the same on a terminal, with the values of your params. "
        f"Sources are the articles that name a KPI, with their section: {named}."
    )


def _headline(kpi: Kpi, kpis: dict[str, Kpi]) -> str:
    lines = [f"### {kpi.title}", f"`{kpi.address}`", kpi.said("summary")]
    told = details(kpi, code=lambda name: f"`{name}`")
    lines.append("\n".join(f"* {name}: {said}" for name, said in told.items()))
    companions = [
        (address, other, reading)
        for address, other, reading in addresses(kpis)
        if other.id == kpi.id and address != kpi.address
    ]
    if companions:
        rows = [
            f"| `{address}` | {_meaning(other, reading)} | {other.unit_of(reading)} |"
            for address, other, reading in companions
        ]
        lines.append("\n".join(["| companion | what it is | unit |", "|---|---|---|", *rows]))
    return "\n\n".join(lines)


def _meaning(kpi: Kpi, reading: str) -> str:
    if reading:
        return f"{kpi.readings[reading].capitalize()}."
    return " ".join(filter(None, (kpi.said("summary"), kpi.said("formula"))))


def _table(table: Table) -> str:
    columns = [f"| `{c.name}` | {_type(c)} | {_need(c)} | {', '.join(c.vocabulary)} |" for c in table.columns]
    lines = [
        f"## {table.name}",
        f"One row: {table.row}. Key: {', '.join(f'`{name}`' for name in table.key)}.",
        "\n".join(["| column | type | | values |", "|---|---|---|---|", *columns]),
    ]
    if table.foreign:
        keys = ", ".join(f"`{name}` in {other}" for name, other in table.foreign.items())
        lines.append(f"Points to: {keys}. More than 1 % without a counterpart is an error, fewer a warning.")
    if table.rules:
        lines.append("\n".join(f"* {r.level}: {r.name}{f' ({r.message})' if r.message else ''}" for r in table.rules))
    used = sorted(name for name, fact in FACTS.items() if any(table.name in need.split(" or ") for need in fact.needs))
    if used:
        lines.append(f"Facts that need it: {', '.join(used)}.")
    return "\n\n".join(lines)


def _type(column: Column) -> str:
    names = {"timestamp('UTC', 6)": "instant", "float64": "number", "int64": "whole number", "boolean": "true or false"}
    return names.get(column.type, {"string": "text"}.get(column.type, column.type))


def _need(column: Column) -> str:
    return f"default {str(column.default).lower()}" if column.need == "default" else column.need


if __name__ == "__main__":
    main()

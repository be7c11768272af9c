"""What a scorecard says beside its numbers: of the company, the extract, and each KPI as it is declared."""

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from kpi_lib import source as sources
from kpi_lib.defaults import default
from kpi_lib.facts import FACTS, sources_of
from kpi_lib.facts.data import ANCHORS
from kpi_lib.kpi import FAMILIES, Kpi, addresses, find, said
from kpi_lib.kpis import registry
from kpi_lib.params import Params
from kpi_lib.period import Period

JOINED = {"segment": "customers", "plan": "subscriptions"}  # the tables that these cuts come from


def about(params: Params, period: Period, source: sources.Source, kpis: dict[str, Kpi]) -> dict[str, Any]:
    """Return what is told of a period's numbers as plain data, to be kept with them."""
    tables, checks = source.quality()
    return {
        "company": params.company,
        "time_zone": params.time_zone,
        "currency": params.currency,
        "language": params.language,
        "period": str(period),
        "period_label": period.label,
        "as_of": source.as_of.isoformat(),
        "as_of_source": source.as_of_source,
        "sample": source.sample,
        "version": version("kpi-report"),
        "families": FAMILIES,
        "kpis": about_kpis(params, kpis),
        "tables": tables,
        "checks": checks,
        "inputs": source.fingerprint(),
    }


def about_kpis(params: Params, kpis: dict[str, Kpi]) -> dict[str, dict[str, Any]]:
    """Return by address what is told of each KPI and its readings."""
    definitions = definitions_of(kpis, params)
    return {
        address: _about_kpi(kpi, reading, params) | {"definition": definitions[kpi.address]}
        for address, kpi, reading in addresses(kpis)
    }


def _about_kpi(kpi: Kpi, reading: str, params: Params) -> dict[str, Any]:
    title = f"{kpi.title}: {kpi.readings[reading]}" if reading else kpi.title
    return {
        "title": title,
        "short": kpi.title,
        "summary": kpi.said("summary", params) if not reading else f"{kpi.title}: {kpi.readings[reading]}.",
        "formula": kpi.said("formula", params),
        "differs": kpi.said("differs", params),
        "source": kpi.said("source", params),
        "given": kpi.named_params(params),
        "unit": kpi.unit_of(reading),
        "better": kpi.better_of(reading),
        "anchor": anchor_of(kpi, params),
        "family": kpi.family,
        "cuts": list(kpi.cuts),
        "table_cut": kpi.table_cut,
        "needs": sorted(_tables_of(kpi)),
        "reads": sorted(_tables_of(kpi, optional=True)),
    }


def _tables_of(kpi: Kpi, *, optional: bool = False) -> set[str]:
    """Return the tables without which a KPI, or what it is derived from, has no value, or all that it may look at."""
    parents = (table for parent in kpi.of for table in _tables_of(find(parent, registry())[0], optional=optional))
    found = set(parents)
    for fact in (FACTS[name] for name in kpi.facts):
        joined = {table for cut, table in JOINED.items() if cut in fact.cuts}
        found |= {*fact.needs, *fact.optional, *joined} if optional else set(fact.needs)
    return found


def definitions_of(kpis: dict[str, Kpi], params: Params | None = None) -> dict[str, str]:
    """Return the 8 hex digits of each declaration, those of a derived KPI covering what it is derived from.

    Without params they change with the code alone.
    """
    made: dict[str, str] = {}
    owners = {address: kpi.address for address, kpi, _ in addresses(kpis)}

    def of(address: str) -> str:
        if address not in made:
            kpi = kpis[address]
            parents = [of(owners[parent]) for parent in kpi.of if parent in owners]
            facts = [text for fact in kpi.facts for text in (sources_of(fact), said(FACTS[fact].params, params))]
            made[address] = kpi.definition(params, "\n".join([*facts, *parents]))
        return made[address]

    return {address: of(address) for address in kpis}


def details(
    kpi: Kpi, reading: str = "", params: Params | None = None, *, code: Callable[[str], str] = str
) -> dict[str, str]:
    """Return what is declared of a KPI by what it is about; `code` writes the names of facts and params.

    Without params it is what their defaults make of it.
    """
    better = {"higher": "higher is better", "lower": "lower is better", "band": "better inside its target band"}
    told = {
        "Formula": kpi.said("formula", params),
        "Counts": anchor_of(kpi, params),
        "Fact": " and ".join(map(code, kpi.facts)) or "derived from " + ", ".join(map(code, kpi.of)),
        "Unit": ", ".join(filter(None, [kpi.unit_of(reading), better.get(kpi.better_of(reading))])),
        "Interval": kpi.interval,
        "Cuts": ", ".join(kpi.cuts),
        "Params": ", ".join(map(code, dict.fromkeys(filter(None, (*kpi.params, kpi.horizon))))),
        "Source": kpi.said("source", params),
        "Why it may not match the help desk's own screen": kpi.said("differs", params),
    }
    return {name: text for name, text in told.items() if text}


def anchor_of(kpi: Kpi, params: Params | None = None) -> str:
    """Return in words what puts a row in a period, and for how long its outcome is observed."""
    if not kpi.facts:
        return "derived from " + " and ".join(kpi.of)
    text = ANCHORS[FACTS[kpi.facts[0]].anchor].format(period="period")
    if kpi.horizon:
        text += f", each watched for {params.get(kpi.horizon) if params else default(kpi.horizon)} days"
    return text

"""Which numbers a notebook shows, as far as its code tells: where it only asks a report for KPIs by their names.

Such a notebook need not be run again when other numbers have changed. Code that does anything else may show all.
"""

import ast
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd

from kpi_lib import signals
from kpi_lib.kpis import registry
from kpi_lib.scorecard import Scorecard

SHOWN = {  # a report's methods that show nothing but the KPIs that they, or such before them, are given
    *("beside", "by", "cards", "cohorts", "commentary", "data_quality", "distribution", "drivers", "finding"),
    *("glossary", "holdout", "pareto", "spread", "table", "trend", "waits", "waterfall", "week"),
}
OF_WHAT_IS_SHOWN = ("commentary", "glossary")
PLAIN = (
    *(ast.Module, ast.Expr, ast.Assign, ast.AnnAssign, ast.ImportFrom, ast.alias, ast.Call, ast.keyword, ast.Attribute),
    *(ast.Name, ast.Constant, ast.List, ast.Tuple, ast.Starred, ast.IfExp, ast.expr_context),
)


def texts(notebook: Path, given: Iterable[Any] = ()) -> set[str] | None:
    """Return the texts in a notebook's code and in the parameters that it is `given`; None if its code may show more.

    The KPIs that it shows are among them, or are of a family or a section of the comment that is.
    """
    found, asked = set(_texts_within(list(given))), []
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        trees = [ast.parse("".join(cell["source"])) for cell in cells if cell["cell_type"] == "code"]
    except (OSError, ValueError, LookupError, SyntaxError):
        return None
    for nodes in map(list, map(_nodes, trees)):
        if not all(map(_is_plain, nodes)):
            return None
        found |= {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
        methods = [node for node in nodes if isinstance(node, ast.Attribute)]
        asked += [node.attr for node in sorted(methods, key=lambda node: (node.end_lineno, node.end_col_offset))]
    first = next((method for method in asked if method not in OF_WHAT_IS_SHOWN), "")
    return None if first == "data_quality" else found  # before anything is shown it is of all numbers


def digests(card: Scorecard, asked: Mapping[str, set[str]]) -> dict[str, str]:
    """Return, by notebook, a hash of all that a scorecard says of what is `asked` for, and of what is no KPI's own."""
    judgements = {name: asdict(told) for name, told in signals.of_scorecard(card.frame, card.period).judgements.items()}
    by_kpi = {"signals": judgements} | {part: card.about.get(part, {}) for part in ("kpis", "curves")}
    common = {name: told for name, told in card.about.items() if name not in (*by_kpi, "code", "restated", "value")}
    found = {}
    for notebook, names in asked.items():
        kpis = shown(card.about["kpis"], names)
        about = common | {part: {kpi: told[kpi] for kpi in told if kpi in kpis} for part, told in by_kpi.items()}
        about["restated"] = [each for each in card.about.get("restated", ()) if each["kpi"] in kpis]
        about["value"] = card.about.get("value") if "clv" in kpis else None
        rows = pd.util.hash_pandas_object(card.frame[card.frame["kpi"].isin(kpis)], index=False).to_numpy().tobytes()
        found[notebook] = sha256(json.dumps(about, sort_keys=True, default=str).encode() + rows).hexdigest()
    return found


def shown(known: Mapping[str, Mapping[str, Any]], names: set[str]) -> set[str]:
    """Return the KPIs, of those `known`, that stand beside some that are named or whose family is.

    They are all companions, and what these are derived from, as a table compares them with that.
    """
    heads: set[str] = set()
    more = {_head(kpi) for kpi, told in known.items() if kpi in names or told["family"] in names}
    while more:
        heads |= more
        kpis = [kpi for kpi in registry().values() if kpi.id in more]
        more = {_head(parent) for kpi in kpis for parent in kpi.of} - heads
    return {kpi for kpi in known if _head(kpi) in heads}


def _head(address: str) -> str:
    return address.partition(".")[0]


def _nodes(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield what code is made of, but for what it says of types."""
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign):
            node.annotation = ast.Constant(None)
    return ast.walk(tree)


def _is_plain(node: ast.AST) -> bool:
    """Whether a piece of code makes a report, asks it to show something, or names what it is to show."""
    if isinstance(node, ast.ImportFrom):
        return node.module == "kpi_lib" and [(each.name, each.asname) for each in node.names] == [("Report", None)]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.attr != "commentary" or bool(node.args)  # without a section it is of the summary
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id == "Report"
    return node.attr in SHOWN if isinstance(node, ast.Attribute) else isinstance(node, PLAIN)


def _texts_within(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
        if value.startswith(("[", "{")):
            with suppress(ValueError):  # a list that was typed
                yield from _texts_within(json.loads(value))
    elif isinstance(value, Mapping):
        yield from _texts_within([*value, *value.values()])
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _texts_within(part)

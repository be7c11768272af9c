"""The notebooks of the book: they ask, in few lines, and leave the answers to the report."""

import ast
import json
from pathlib import Path

import pytest

from kpi_lib.kpi import FAMILIES, addresses
from kpi_lib.kpis import registry

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))
PARAMETERS = """period: str = "2024-05"  # a month, a quarter (2024-Q2) or a year
params: str = "params/report.yaml"  # looked for from the working folder upwards
scorecard: str = None  # a file; computed when missing
audience: str = None
as_of: str = None"""


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_asks_and_leaves_the_answers_to_the_report(path):
    cells = json.loads(path.read_text())["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    parameters = [cell for cell in code if "parameters" in cell["metadata"].get("tags", [])]
    assert ["".join(cell["source"])[: len(PARAMETERS)] for cell in parameters] == [PARAMETERS]
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in code)
    assert all(len(cell["source"]) <= 5 for cell in code if cell not in parameters)
    assert len({cell["id"] for cell in cells}) == len(cells)
    headings = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    assert headings[0].startswith("# ")
    assert all(heading.startswith("##") for heading in headings[1:])


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_names_only_what_there_is(path):
    known = {address for address, _, _ in addresses(registry())} | set(FAMILIES) | {"missed", "changed"}
    cuts = {cut for kpi in registry().values() for cut in kpi.cuts}
    for cell in json.loads(path.read_text())["cells"]:
        if cell["cell_type"] == "code" and "report." in (source := "".join(cell["source"])).replace(PARAMETERS, ""):
            tree = ast.parse(source)
            names = {node.value for node in ast.walk(tree) if isinstance(getattr(node, "value", None), str)}
            assert names <= known | cuts, source

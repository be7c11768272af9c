"""Whatever other numbers are, our notebooks show the same: what they are told to depend on is all that they show."""

import ast
import json
from pathlib import Path

import pytest
import yaml

from kpi_lib import dependence, sample, scorecard, source
from kpi_lib.display import Several
from kpi_lib.kpis import registry
from kpi_lib.period import Period
from kpi_lib.scorecard import Scorecard

pytestmark = pytest.mark.slow
NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
SAID = ("summary", "formula", "differs", "given")  # titles are the same with all settings


@pytest.fixture(scope="module")
def built(company_in, tmp_path_factory):
    """The sample company's params and its scorecard of May 2024."""
    folder = tmp_path_factory.mktemp("sample")
    sample.write(folder / "tables")
    company = company_in(folder)
    company.params(targets={"csat": {"at_least": 80}, "backlog": {"at_most": 10}, "cac": {"at_most": 100}})
    loaded = company.loaded()
    tables = {file.stem: str(file) for file in sorted((folder / "tables").glob("*.parquet"))}
    loaded.source.write_text(yaml.safe_dump({"as_of": "2024-07-02T06:00+02:00", "tables": tables}))
    return loaded.path, scorecard.measure(source.open(loaded), loaded, Period.parse("2024-05"), registry())


def shown(notebook: Path, card: Scorecard, path: Path, file: Path) -> list[str]:
    """Return what each cell of a notebook shows of a scorecard."""
    card.store(file)
    known, found = {}, []
    for cell in json.loads(notebook.read_text())["cells"]:
        if cell["cell_type"] != "code":
            continue
        tree = ast.parse("".join(cell["source"]))
        last = ast.Expression(tree.body.pop().value) if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, notebook.name, "exec"), known)
        known |= {"scorecard": str(file), "params": str(path), "agents": True} if "report" not in known else {}
        made = eval(compile(last, notebook.name, "eval"), known) if last else None
        found += map(_told, made if isinstance(made, Several) else [made])
    return found


def _told(made: object) -> str:
    """Return a shown object as it goes into the executed notebook."""
    if hasattr(made, "_repr_mimebundle_"):
        return str(made._repr_mimebundle_())
    return made._repr_html_() if hasattr(made, "_repr_html_") else str(made)


@pytest.mark.parametrize("name", ["loyalty", "support_ops", "customer_value"])
def test_numbers_that_a_notebook_does_not_name_do_not_show(built, tmp_path, name):
    path, card = built
    notebook = NOTEBOOKS / f"{name}.ipynb"
    kpis = dependence.shown(card.about["kpis"], dependence.texts(notebook))
    frame, others = card.frame.copy(), ~card.frame["kpi"].isin(kpis)
    assert others.sum() > 1000
    for column, times in {"value": 3.7, "low": 3, "high": 4, "n": 2, "previous": 9, "numerator": 3}.items():
        frame.loc[others, column] *= times
    frame.loc[others, ["target_low", "verdict"]] = [1e9, "missed"]
    told = {kpi: about | ({} if kpi in kpis else dict.fromkeys(SAID, "?")) for kpi, about in card.about["kpis"].items()}
    other = Scorecard(frame, card.about | {"kpis": told})
    pages = [shown(notebook, each, path, tmp_path / "scorecard.parquet") for each in (card, other)]
    assert len("".join(pages[0])) > 100_000
    assert pages[0] == pages[1]
    one, two = (dependence.digests(each, {name: dependence.texts(notebook)}) for each in (card, other))
    assert one == two

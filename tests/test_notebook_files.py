"""Which files of a project a notebook reads, as its code tells."""

import json

import pytest

from kpi_lib.notebook_files import read_by, still, when_run

FILES = {
    "ours/__init__.py": "",
    "ours/deep.py": "from . import near\nfrom ..outside import word\n",
    "ours/near.py": "import ours.deep\n",  # in a circle
    "outside.py": "PLAN = 'plan.csv'\n",
    "plan.csv": "goal\n30\n",
    "tool.py": "",
    "kpi_lib/__init__.py": "",
}
DEEP = {"ours/__init__.py", "ours/deep.py", "ours/near.py", "outside.py", "plan.csv"}


@pytest.fixture
def project(tmp_path):
    """A folder with these files, and a notebook in it whose code is given."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)

    def notebook(*cells):
        path = tmp_path / "page.ipynb"
        path.write_text(json.dumps({"cells": [{"cell_type": "code", "source": [code]} for code in cells]}))
        return path

    return notebook


@pytest.mark.parametrize(
    ("code", "reads"),
    [
        ("import ours.deep", DEEP),
        ("from ours import deep", DEEP),
        ("from ours.near import word", DEEP),
        ("from outside import PLAN", {"outside.py", "plan.csv"}),
        ("import pandas as pd\npd.read_csv('plan.csv')", {"plan.csv"}),
        ("%run tool.py", {"tool.py"}),
        ("!cat plan.csv\nimport outside", {"plan.csv", "outside.py"}),
        ("%time read('plan.csv')", {"plan.csv"}),
        ("import kpi_lib", set()),
        ("params = 'plan.csv'", set()),
        ("scorecard: str = 'plan.csv'", set()),
        ("plan = 'plan.csv'", {"plan.csv"}),
        ("# plan.csv", set()),
        ("'no such file.csv'", set()),
        (f"'{'long' * 100}'", set()),
        ("'ours'", set()),  # a folder
    ],
)
def test_the_files_that_code_names(project, tmp_path, code, reads):
    assert set(read_by(project(code), tmp_path, tmp_path)) == reads


def test_the_files_that_parameters_name(project, tmp_path):
    assert set(read_by(project("1"), tmp_path, tmp_path, ["plan.csv", 5, None])) == {"plan.csv"}


def test_a_notebook_that_cannot_be_read_reads_nothing(tmp_path):
    for text in ("", "[]", '{"cells": 3}'):
        (tmp_path / "page.ipynb").write_text(text)
        assert read_by(tmp_path / "page.ipynb", tmp_path, tmp_path) == {}


def test_other_content_has_another_hash(project, tmp_path):
    page = project("'plan.csv'")
    before = read_by(page, tmp_path, tmp_path)
    (tmp_path / "plan.csv").write_text("goal\n400\n")
    assert read_by(page, tmp_path, tmp_path) != before


def test_what_changed_while_a_notebook_ran_it_wrote_itself():
    before, after = {"plan": "1", "log": "1"}, {"plan": "1", "log": "2", "new": "1"}
    assert when_run(before, after) == {"plan": "1", "log": "", "new": ""}
    assert when_run({"gone": "1"}, {}) == {"gone": ""}


@pytest.mark.parametrize(
    ("now", "same"),
    [
        ({"plan": "1", "log": "9"}, True),
        ({"plan": "1"}, True),  # what it writes may be gone
        ({"plan": "2", "log": "1"}, False),
        ({"log": "1"}, False),
        ({"plan": "1", "other": "1"}, False),
    ],
)
def test_a_notebook_would_read_the_same(now, same):
    assert still({"plan": "1", "log": ""}, now) is same

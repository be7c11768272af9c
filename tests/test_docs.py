"""The generated pages say what the declarations say."""

import inspect
import re

import pytest

from kpi_lib import docs
from kpi_lib.report import Report


@pytest.mark.parametrize(("name", "page"), [("kpis.md", docs.kpis_page), ("data.md", docs.data_page)])
def test_generated_pages_are_fresh(name, page):
    assert (docs.DOCS / name).read_text(encoding="utf-8") == page(), "run `make docs`"


def test_analysts_are_told_of_all_that_a_report_shows():
    page = (docs.DOCS / "analysts.md").read_text(encoding="utf-8")
    shown = {name for name, _ in inspect.getmembers(Report) if not name.startswith("_")}
    assert shown == set(re.findall(r"`report\.(\w+)", page))

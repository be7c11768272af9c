"""The generated pages say what the declarations say."""

import pytest

from kpi_lib import docs


@pytest.mark.parametrize(("name", "page"), [("kpis.md", docs.kpis_page), ("data.md", docs.data_page)])
def test_generated_pages_are_fresh(name, page):
    assert (docs.DOCS / name).read_text(encoding="utf-8") == page(), "run `make docs`"

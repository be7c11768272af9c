"""Which numbers a notebook shows is read from its code; where that cannot be told, all of them are."""

import json
from pathlib import Path

import pandas as pd
import pytest
from small_scorecard import ABOUT, trend

from kpi_lib import Report, dependence
from kpi_lib.kpi import addresses
from kpi_lib.kpis import registry
from kpi_lib.scorecard import Scorecard

OURS = Path(__file__).parent.parent / "notebooks"
START = 'period: str = "2024-05"\nown: dict[str, int] = None', "from kpi_lib import Report\nreport = Report(period)"
KNOWN = {address: {"family": kpi.family} for address, kpi, _ in addresses(registry())}


def texts(folder, *cells, given=()):
    """Return the texts in a notebook that has these cells."""
    path = folder / "page.ipynb"
    code = [{"cell_type": "code", "source": cell.splitlines(keepends=True)} for cell in (*START, *cells)]
    path.write_text(json.dumps({"cells": [{"cell_type": "markdown", "source": ["import pandas"]}, *code]}))
    return dependence.texts(path, given)


def test_the_texts_of_plain_code_are_what_it_asks_for(tmp_path):
    cells = (
        'waits = ["wait_time", *["backlog"]]\nreport.cards(waits)',
        'report.by("csat", cut="channel") if own else None',
    )
    assert texts(tmp_path, *cells) == {"2024-05", "wait_time", "backlog", "csat", "channel"}


def test_the_texts_that_a_notebook_is_given_are_among_them(tmp_path):
    given = [{"kpi": "nps"}, {"several": ["ces", {"more": "cac"}]}, 3]
    names = {"kpi", "several", "more"}
    assert texts(tmp_path, "report.trend(kpi)", given=given) == {"2024-05", "nps", "ces", "cac"} | names


@pytest.mark.parametrize(
    "cell",
    [
        'report.findings("missed")',
        "report.commentary()",
        'report.values("nps").plot()',
        "report.scorecard",
        "report.about",
        'import pandas\npandas.read_parquet("scorecard.parquet")',
        "from kpi_lib import Report, values",
        "from kpi_lib import Report as R",
        'open(scorecard)\nreport.trend("nps")',
        'report.trend("n" + "ps")',
        'report.trend(f"{own}ps")',
        'report.trend("NPS".lower())',
        "for kpi in own: report.trend(kpi)",
        'def nps(row):\n    """One."""\n    return row',
        "%matplotlib inline",
    ],
)
def test_other_code_may_show_all(tmp_path, cell):
    assert texts(tmp_path, 'report.trend("nps")') is not None
    assert texts(tmp_path, 'report.trend("nps")', cell) is None


def test_what_shows_only_what_it_is_given_are_methods_of_a_report():
    assert all(callable(getattr(Report, name, None)) for name in dependence.SHOWN)


def test_what_was_counted_is_of_all_numbers_before_any_is_shown(tmp_path):
    assert texts(tmp_path, 'report.cards("nps")', "report.data_quality()") is not None
    assert texts(tmp_path, "report.data_quality()", 'report.cards("nps")') is None


def test_a_list_that_is_typed_is_the_texts_in_it(tmp_path):
    given = [{"kpis": '["nps", "csat"]'}]
    assert {"nps", "csat"} <= texts(tmp_path, "report.cards(kpis)", given=given)


def test_a_file_that_is_no_notebook_tells_nothing(tmp_path):
    (tmp_path / "page.ipynb").write_text("{}")
    assert dependence.texts(tmp_path / "page.ipynb") is None
    assert dependence.texts(tmp_path / "another.ipynb") is None


def test_what_is_shown_is_a_kpi_with_its_companions_a_family_and_what_they_are_derived_from():
    assert dependence.shown(KNOWN, {"csat"}) == {kpi for kpi in KNOWN if kpi.partition(".")[0] == "csat"}
    assert {"clv", "cac", "clv.realised"} <= dependence.shown(KNOWN, {"ltv_cac_ratio"})
    assert "csat" in dependence.shown(KNOWN, {"channel_performance"})
    loyalty = dependence.shown(KNOWN, {"loyalty"})
    assert {kpi for kpi, told in KNOWN.items() if told["family"] == "loyalty"} <= loyalty
    assert "ticket_volume" not in loyalty
    assert dependence.shown(KNOWN, {"channel", "2024-05"}) == set()


def card(**about):
    """Return a scorecard of two KPIs over 13 months."""
    frame = pd.DataFrame([*trend(), *trend(kpi="csat", title="CSAT", value=80.0)])
    told = {kpi: {"family": "loyalty", "title": kpi} for kpi in ("nps", "csat")}
    return Scorecard(frame, {**ABOUT, "kpis": told, "curves": {}, "restated": [{"kpi": "csat"}], **about})


def digest(of):
    return dependence.digests(of, {"page": {"nps"}})["page"]


def changed(kpi, **columns):
    made = card()
    for name, value in columns.items():
        made.frame.loc[made.frame["kpi"] == kpi, name] = value
    return made


def test_the_hash_is_of_the_numbers_that_are_shown_and_of_what_is_said_of_all():
    assert digest(card()) == digest(card())
    assert digest(card()) == digest(changed("csat", target_low=90.0, verdict="missed"))
    assert digest(card()) == digest(card(restated=[]))
    assert digest(card()) == digest(card(code={"nps": "1"}))
    for other in (
        changed("nps", target_low=90.0),
        changed("nps", value=10.0),
        card(language="ru"),
        card(restated=[{"kpi": "nps"}]),
        card(kpis={"nps": {"family": "loyalty", "title": "other"}}),
        card(checks=[]),
    ):
        assert digest(other) != digest(card())


def test_our_own_notebooks_are_plain_but_for_the_summary_which_looks_at_all():
    told = {path.stem: dependence.texts(path) for path in OURS.glob("*.ipynb")}
    assert {name for name, names in told.items() if names is None} == {"executive_summary"}

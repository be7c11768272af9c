"""Display objects: one description, three forms, and nothing of the data read as markup."""

import json
from html.parser import HTMLParser

import pytest

from kpi_lib.display import Card, Cards, Column, Definition, Definitions, Finding, Note, Several, Table, sparkline

EVIL = '<script>alert("x")</script> & \'"'
CARD = Card("nps", EVIL, "31.2", EVIL, EVIL, [EVIL], EVIL, "missed", "ok", EVIL, EVIL, [1.0, None, 3.0, 4.0])
OBJECTS = [
    Cards([CARD]),
    Finding(EVIL, "ok", "missed"),
    Table(EVIL, [Column(EVIL, "left"), Column(EVIL)], [[EVIL, EVIL]], [EVIL]),
    Definitions([Definition(EVIL, EVIL, [(EVIL, EVIL)], EVIL)]),
    Note(EVIL),
]


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.opened, self.words, self.depth = [], "", []

    def handle_starttag(self, tag, attrs):
        self.opened.append(tag)
        self.depth += [] if tag in ("path", "circle") else [tag]

    def handle_endtag(self, tag):
        if tag not in ("path", "circle"):
            assert self.depth.pop() == tag

    def handle_data(self, data):
        self.words += data


@pytest.mark.parametrize("shown", OBJECTS, ids=lambda shown: type(shown).__name__)
def test_texts_are_never_markup(shown):
    page = Tags()
    page.feed(shown.html())
    assert "script" not in page.opened
    assert page.depth == []
    assert '<script>alert("x")</script>' in page.words


@pytest.mark.parametrize("shown", OBJECTS, ids=lambda shown: type(shown).__name__)
def test_an_object_publishes_html_data_and_text(shown):
    bundle = shown._repr_mimebundle_()
    assert set(bundle) == {"text/html", "application/vnd.kpi+json", "text/plain"}
    described = json.loads(json.dumps(bundle["application/vnd.kpi+json"]))
    assert described["type"] == type(shown).__name__.lower()
    assert bundle["text/html"].startswith("<style>")
    assert EVIL in bundle["text/plain"]


def test_a_finding_is_a_text_that_knows_its_verdict():
    finding = Finding("Open cases were 412.", "ok", "missed")
    assert finding.upper() == "OPEN CASES WERE 412."
    assert finding.describe() == {
        "type": "finding",
        "text": "Open cases were 412.",
        "status": "ok",
        "verdict": "missed",
        "moved": "",
    }


def test_a_finding_is_marked_by_how_the_number_moved_where_it_did():
    assert 'data-moved="worse"' in Finding("Blocked calls worsened to 1.8%.", moved="worse").html()
    assert "data-moved" not in Finding("Blocked calls were 1.8%.").html()


def test_a_table_heads_its_rows_and_columns():
    html = Table("Channels", [Column("Channel", "left"), Column("Share")], [["chat", "25%"]]).html()
    assert "<caption>Channels</caption>" in html
    assert '<th scope="col">Share</th>' in html
    assert '<th scope="row" class="kpi-left">chat</th>' in html


def test_the_name_of_a_row_under_another_is_set_in_with_all_its_lines():
    html = Table("Loyalty", [Column("", "left"), Column("May")], [["CSAT", "1"], ["\N{EM SPACE}Mean", "2"]]).html()
    assert '<th scope="row" class="kpi-left kpi-under">\N{EM SPACE}Mean</th>' in html
    assert '<th scope="row" class="kpi-left">CSAT</th>' in html


def test_a_table_as_text_is_aligned():
    table = Table("Channels", [Column("Channel", "left"), Column("Share")], [["chat", "25%"], ["email", "5%"]])
    assert table.text() == "Channels\nChannel  Share\nchat       25%\nemail       5%"


def test_a_sparkline_leaves_gaps_and_needs_three_points():
    assert sparkline([1, None, 2]) == ""
    assert sparkline([1.0, 2.0, None, 3.0]).count("M") == 1
    assert sparkline([2.0, 2.0, 2.0]).count("M") == 2


def test_notebooks_show_each_object_once_and_silent_findings_never():
    from IPython.core.interactiveshell import InteractiveShell

    formatter = InteractiveShell.instance().display_formatter
    data, _ = formatter.format(Finding("Said."))
    assert data["application/vnd.kpi+json"]["text"] == "Said."
    assert formatter.format(Finding("Said.", silent=True)) == ({}, {})
    assert formatter.format(Several()) == ({}, {})

"""Pages: what a notebook prints comes out on screen and paper, code and warnings do not, and text stays text."""

import json
import re
from base64 import b64encode
from hashlib import sha256
from html import unescape

import nbformat
import pikepdf
import pytest
from publish_books import SVG, built, notebook, shows

from kpi_lib.publish import manifest, page, pdf, picture, prose

HOSTILE = '<script>alert(1)</script> #import "x" *b* \\ $x$ @ref'
CARD = {
    "kpi": "nps",
    "title": HOSTILE,
    "value": "34.2",
    "unit": "points",
    "mark": "provisional",
    "change": ["up 3.1"],
    "judged": "✓ on target (at least 30)",
}
CARD |= {
    "verdict": "on_target",
    "status": "ok",
    "interval": "95% interval 31 to 37",
    "note": "",
    "trend": [1, 2, 3],
}
TABLE = {"type": "table", "caption": "By channel", "notes": [HOSTILE], "rows": [["chat", "W" * 90]]}
TABLE |= {"columns": [{"label": "Channel", "align": "left"}, {"label": "Score", "align": "right"}]}
FIGURE = f"display({{'image/svg+xml': '''{SVG}'''}}, metadata={{'image/svg+xml': {{'alt': 'NPS rose.'}}}}, raw=True)"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A whole build of two notebooks, the first with one of everything."""
    root = tmp_path_factory.mktemp("project")
    everything = [
        "# Loyalty\nDo customers stay?",
        f"## {HOSTILE}",
        shows({"type": "cards", "cards": [CARD]}, "<style>.x{}</style><div class='kpi-cards'>34.2</div>"),
        shows({"type": "finding", "text": HOSTILE, "status": "ok", "verdict": "missed"}, "<p>a finding</p>"),
        FIGURE,
        shows(TABLE, "<table><tr><td>chat</td></tr></table>"),
        shows(
            {
                "type": "definitions",
                "entries": [{"term": "NPS", "summary": "s", "details": [["How it is counted:", "f"]], "meta": ""}],
            }
        ),
        shows({"type": "note", "text": "quiet"}, "<p>quiet</p>"),
        "import warnings; warnings.warn('a-warning'); print('a-line', period)",
        "secret_code = 1; object()",
    ]
    one = notebook(root, "loyalty", everything)
    two = notebook(root, "support_ops", ["# Support", "print(limit)"])
    return root, (one, two), built(root, one, two)


@pytest.fixture(scope="module")
def folder(project):
    return project[2].folder


@pytest.fixture(scope="module")
def html(folder):
    return (folder / "loyalty.html").read_text()


@pytest.fixture(scope="module")
def book(folder):
    with pikepdf.open(folder / "kpi-report-2024-05.pdf") as opened:
        yield opened


def titles(items):
    return [title for item in items for title in [item.title, *titles(item.children)]]


def test_a_whole_build_has_all_its_files(project, folder):
    pages = {f"{name}{end}" for name in ("loyalty", "support_ops") for end in (".html", ".ipynb", "-2024-05.pdf")}
    assert {path.name for path in folder.iterdir()} == pages | {
        "index.html",
        "kpi-report-2024-05.pdf",
        "manifest.json",
        "scorecard.csv",
    }
    assert (project[2].status, project[2].exit_code) == ("whole", 0)


def test_a_page_has_what_was_printed_and_neither_code_nor_warnings(html):
    shown = ["a-line 2024-05", "a finding", 'aria-label="NPS rose."', "chat", "quiet"]
    assert [text for text in shown if text not in html] == []
    assert [text for text in ("secret_code", "a-warning", "warnings.warn", ".x{}") if text in html] == []


def test_a_page_runs_only_the_script_that_its_policy_names_and_takes_nothing_from_elsewhere(folder):
    for path in folder.glob("*.html"):
        text = path.read_text()
        (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
        named = b64encode(sha256(script.encode()).digest()).decode()
        assert f"default-src 'none'; script-src 'sha256-{named}';" in text
        assert not re.search(r"<script[^>]|<link|@import|\son\w+=", text.replace(script, ""))
        assert not re.findall(r"(?:src|href|url)\s*[=(]\s*[\"']?(?:https?:)?//", text)


def test_text_with_markup_stays_text_on_the_screen(html):
    heading = re.search(r"<h2[^>]*>(.*?)</h2>", html)[1]
    assert unescape(re.sub(r"</?(em|code)[^>]*>", "", heading)) == HOSTILE.replace("*", "").replace("$", "")
    assert "Kestrel &lt;Outfitters&gt;" in html


def test_a_page_is_built_for_everyone(html):
    assert '<html lang="en"' in html
    assert [html.count(f"<{tag}") for tag in ("header", "main", "footer", "h1")] == [1, 1, 1, 1]
    assert re.search(r"<title>Loyalty · May 2024 · Kestrel", html)


def test_what_cannot_be_printed_is_reported_by_cell(project):
    assert [problem for problem in project[2].problems if "loyalty, cell 11: an output" in problem]


def test_the_book_is_tagged_and_says_what_it_is(book):
    assert str(book.Root.Lang) == "en"
    assert book.Root.MarkInfo.Marked
    assert "/StructTreeRoot" in book.Root
    assert str(book.docinfo.Title) == "Customer KPI report"
    figures = [each for each in book.objects if isinstance(each, pikepdf.Dictionary) and each.get("/S") == "/Figure"]
    assert "NPS rose." in [str(each.get("/Alt")) for each in figures]


def test_the_book_has_bookmarks_in_the_order_of_its_chapters_and_text_stays_text(book):
    with book.open_outline() as outline:
        assert titles(outline.root) == ["Loyalty", HOSTILE.replace("*", "").replace("$", ""), "Support"]


def test_all_fonts_of_a_pdf_are_inside_it(book):
    fonts = [
        each for each in book.objects if isinstance(each, pikepdf.Dictionary) and each.get("/Type") == "/FontDescriptor"
    ]
    assert fonts
    assert all({"/FontFile2", "/FontFile3"} & set(font.keys()) for font in fonts)


def test_the_same_content_makes_the_same_bytes(project, folder):
    before = {path.name: path.read_bytes() for path in folder.glob("*.pdf")} | {
        "html": (folder / "loyalty.html").read_bytes()
    }
    root, paths, _ = project
    again = built(root, *paths, only=["support_ops"]).folder
    assert {path.name: path.read_bytes() for path in again.glob("*.pdf")} | {
        "html": (again / "loyalty.html").read_bytes()
    } == before


def test_the_manifest_knows_files_inputs_and_parameters(folder):
    about = manifest.read(folder)
    assert about["status"] == "whole"
    assert about["files"]["index.html"]["sha256"] == manifest.hashed(folder / "index.html")
    assert about["notebooks"]["loyalty"]["parameters"] == {
        "period": "2024-05",
        "scorecard": "reports/2024-05/scorecard.csv",
    }


def test_the_executed_notebook_names_the_folder_where_it_lies(folder):
    text = (folder / "loyalty.ipynb").read_text()
    assert "reports/2024-05/scorecard.csv" in text
    assert ".staging" not in text


def test_the_index_links_every_page(folder):
    index = (folder / "index.html").read_text()
    linked = {"loyalty.html", "support_ops.html", "kpi-report-2024-05.pdf", "loyalty-2024-05.pdf", "scorecard.csv"}
    assert linked <= set(re.findall(r'href="([^"]+)"', index))


def test_only_leaves_out_pages_made_from_other_numbers(tmp_path):
    paths = notebook(tmp_path, "one", ["# One"]), notebook(tmp_path, "two", ["# Two"])
    built(tmp_path, *paths, numbers="1")
    outcome = built(tmp_path, *paths, numbers="2", only=["one"])
    assert outcome.status == "partial"
    assert not (outcome.folder / "two.html").exists()
    assert not (outcome.folder / "kpi-report-2024-05.pdf").exists()


def test_a_cell_that_takes_too_long_is_stopped_and_the_report_that_stood_stays(tmp_path):
    path = notebook(tmp_path, "slow", ["# Slow", "print(open(scorecard).read())"])
    built(tmp_path, path)
    notebook(tmp_path, "slow", ["# Slow", "while True: pass"])
    outcome = built(tmp_path, path, timeout=1)
    assert str(outcome.failures[0]) == "slow, cell 3 (Slow): the cell ran for more than 1 s and was stopped"
    assert outcome.kept
    assert (outcome.folder / "slow.ipynb").read_text().count("reports/.failed/2024-05/scorecard.csv") == 2
    assert manifest.read(tmp_path / "reports" / "2024-05")["status"] == "whole"


class TestReading:
    """Outputs as blocks, without kernels."""

    @pytest.fixture
    def read(self, tmp_path):
        def of(*outputs, **metadata):
            cell = nbformat.v4.new_code_cell("x")
            cell.outputs = [nbformat.v4.new_output("display_data", data=data, metadata=metadata) for data in outputs]
            path = tmp_path / "n.ipynb"
            nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)
            return page.read("my_page", path)

        return of

    def test_a_table_of_pandas_becomes_a_table(self, read):
        import pandas as pd

        frame = pd.DataFrame({"segment": ["small <b>", "large"], "churn": [1.5, -2.0]}).set_index("segment")
        found = read({"text/html": frame.to_html(), "text/plain": ""}).blocks[0].data
        assert found["columns"] == [{"label": "segment", "align": "left"}, {"label": "churn", "align": "right"}]
        assert found["rows"] == [["small <b>", "1.5"], ["large", "-2.0"]]

    def test_a_table_with_merged_cells_is_reported_and_not_guessed(self, read):
        html = "<table><thead><tr><th colspan='2'>a</th></tr></thead><tr><td>1</td><td>2</td></tr></table>"
        found = read({"text/html": html})
        assert found.blocks == []
        assert "cell 1" in found.problems[0]

    def test_a_figure_without_words_gets_some_and_is_reported(self, read):
        found = read({"image/svg+xml": SVG})
        assert found.blocks[0].data["alt"] == "Figure: My page"
        assert "cell 1: a figure has no text" in found.problems[0]

    def test_a_heading_with_nothing_under_it_is_left_out(self, tmp_path):
        texts = ["# T", "## Filled", "words", "## Empty", "### Empty too", "## Filled too", "words", "## Last"]
        cells = [nbformat.v4.new_markdown_cell(text) for text in texts]
        nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "n.ipynb")
        found = page.read("n", tmp_path / "n.ipynb")
        assert [section["text"] for section in found.sections] == ["Filled", "Filled too"]

    def test_a_title_is_made_from_the_name_when_there_is_none(self, read):
        assert read({"text/plain": "7"}).title == "My page"


def test_heading_levels_leave_no_gap_and_ids_are_unique():
    outline = prose.Outline("n")
    found = [prose.parse(text, outline).headings for text in ("# T", "### A", "# A", "###### B")]
    assert [(each["level"], each["id"]) for headings in found for each in headings] == [
        (2, "n--a"),
        (2, "n--a-2"),
        (3, "n--b"),
    ]
    assert outline.title == "T"


@pytest.mark.parametrize(
    ("columns", "size", "flipped"), [(13, 8.5, False), (15, 7.5, False), (16, 6.8, False), (18, 8, True)]
)
def test_wide_tables_get_smaller_text_and_then_a_turned_page(columns, size, flipped):
    table = {"columns": [{"label": "x", "align": "right"}] * columns, "rows": [["12,345"] * columns]}
    assert pdf._fit(table) | {"widths": 0} == {"size": size, "flipped": flipped, "widths": 0}


def test_a_character_that_no_font_has_is_replaced_and_reported(tmp_path):
    path = notebook(tmp_path, "loyalty", ["# Loyalty", "## 日本", "> words"])
    outcome = built(tmp_path, path)
    assert [problem for problem in outcome.problems if "日 本" in problem]
    assert json.loads((outcome.folder / "manifest.json").read_text())["problems"] == outcome.problems


def drawn(svg, number=1):
    data = {"type": "figure", "format": "svg", "mime": "image/svg+xml", "alt": 'NPS "rose" <b>', "body": svg.encode()}
    return picture.html(page.Block(data), number)


def test_a_drawing_becomes_part_of_the_page_with_names_of_its_own():
    namespaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    parts = '<defs><path id="m"/></defs><g clip-path="url(#m)"><use xlink:href="#m"/><text>5 &lt; 6</text></g>'
    shown = drawn(f'<svg {namespaces} width="30pt" height="10pt">{parts}</svg>', number=7)
    assert shown.startswith('<svg class="picture svg" role="img" aria-label="NPS &quot;rose&quot; &lt;b&gt;"')
    expected = ['viewBox="0 0 30 10"', 'id="f7-m"', 'href="#f7-m"', "url(#f7-m)", "<text>5 &lt; 6</text>"]
    assert [part for part in expected if part not in shown] == []


@pytest.mark.parametrize(
    "inside",
    [
        '<foreignObject><p xmlns="http://www.w3.org/1999/xhtml">p</p></foreignObject>',
        "<style>body { display: none }</style>",
        '<use href="https://example.org/x.svg#y"/>',
        '<path onload="alert(1)"/>',
        '<a href="#x"><text>there</text></a>',
        "<g>",
    ],
)
def test_what_is_more_than_a_drawing_stays_an_image_that_can_do_nothing(inside):
    shown = drawn(f'<svg xmlns="http://www.w3.org/2000/svg">{inside}</svg>')
    assert shown.startswith('<img class="picture svg" alt="NPS &quot;rose&quot; &lt;b&gt;" src="data:image/svg+xml,')


def test_what_no_font_has_is_replaced_in_texts_and_not_in_how_they_are_written():
    data = {"a\x08": ["\x08", {"b": "C:\\backup"}], "c": 1}
    assert pdf._without(data, {"\x08"}) == {"a\x08": ["□", {"b": "C:\\backup"}], "c": 1}

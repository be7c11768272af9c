"""Chromium, and pages to open in it: the month's, the index and a page that failed, from two small notebooks."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

import publish_texts
from publish_books import built, notebook, shows

from kpi_lib.display import Card, Cards, Column, Definition, Definitions, Finding, Note, Table
from kpi_lib.language import LANGUAGES
from kpi_lib.scorecard import Scorecard

CHROMIUM = next((path for path in map(Path, ("/usr/bin/chromium", "/usr/bin/chromium-browser")) if path.exists()), None)
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 150" width="400" height="150">'
    '<rect width="400" height="150" fill="white"/><path d="M20 120L200 60L380 30" stroke="#1f4e79" fill="none"/></svg>'
)
CARDS = Cards(
    [
        Card("nps", "Net Promoter Score", "36.9", "points", change=["down 2.4 points on April"],
             judged="✓ on target (at least 30)", verdict="on_target", interval="95% interval 35.0 to 38.8",
             trend=[1, 2, 3]),
        Card("churn", "Churn rate", "3.2%", mark="provisional", change=["up 0.4 points"],
             judged="✗ target missed (at most 3%)", verdict="missed", note="within the margin of error",
             trend=[3, 1, 2]),
        Card("resolution_time", "Resolution time", "21\N{NO-BREAK SPACE}h\N{NO-BREAK SPACE}34\N{NO-BREAK SPACE}min",
             trend=[1, 2]),
    ]
)  # fmt: skip
WAITS = Table(
    "Waiting by channel",
    [Column("Channel", "left"), Column("Wait"), Column("Change"), Column("Value")],
    [
        ["phone", "45 s", "−2.0", "EUR 1,204"],
        ["chat", "6 min 1 s", "1.5", "EUR 20"],
        ["email", "2 h 2 min", "–", "EUR 300"],
    ],
    ["A note."],
)
WIDE = Table(
    "Wide", [Column("", "left"), *(Column(f"Column {n}") for n in range(20))], [["row", *(["12,345"] * 20)]] * 3
)
GROUPED = Table("Grouped", [Column("KPI", "left"), Column("Value")], [["b", "1"], ["\N{EM SPACE}a", "2"], ["c", "3"]])


def figure(table):
    """Return the code of a cell that displays a figure with the table behind it."""
    data = {"image/svg+xml": SVG, "application/vnd.kpi+json": {"type": "figure", "table": table.describe()}}
    return f"display({data!r}, metadata={{'image/svg+xml': {{'alt': 'Waiting fell.'}}}}, raw=True)"


def shown(thing):
    return shows(thing.describe(), thing.html())


@pytest.fixture(scope="session")
def reports(tmp_path_factory):
    """A folder of reports: a month with a page of everything, one whose page failed, and the index.

    Beside it, the index in Persian, and in `languages` a page in each language.
    """
    import pandas as pd
    from small_scorecard import about, trend

    root = tmp_path_factory.mktemp("pages")
    findings = [Finding("Churn missed its target.", verdict="missed"), Finding("All is well.", verdict="on_target")]
    cells = [
        "# Loyalty\nDo customers stay?",
        "## Are they content?",
        *map(shown, (CARDS, *findings)),
        figure(WAITS),
        shown(WAITS),
        "## What of many columns?",
        shown(WIDE),
        shown(WIDE),
        shown(GROUPED),
        "### In the analyst's words\n\n| a | b |\n|---|---|\n| 1 | [there](#nowhere) |\n\n`code` and $x^2$",
        "print('word ' * 60)",
        "## What do these numbers mean?",
        shown(Definitions([Definition("NPS", "Promoters less detractors.", [("Counted:", "formula")], "points")])),
        shown(Note("A quiet line.")),
    ]
    built(root, notebook(root, "support_ops", ["# Support", "1 / 0"]), period="2024-04")
    folder = built(root, notebook(root, "loyalty", cells)).folder
    Scorecard(pd.DataFrame(trend()), about()).write(folder)
    from kpi_lib.publish import Book, html, index

    book = Book("2024-05", "May 2024", "Kestrel <Outfitters>", [], sample=True)
    index.renew(folder.parent, replace(book, language="fa"))
    (folder.parent / "index.html").rename(folder.parent / "index-fa.html")
    index.renew(folder.parent, book)
    (folder.parent / "languages").mkdir()
    for code in LANGUAGES:
        text = html.page(publish_texts.read(code, root), replace(book, language=code))
        (folder.parent / "languages" / f"{code}.html").write_text(text, encoding="utf-8")
    return folder.parent


@pytest.fixture(scope="session")
def chromium():
    """The system's Chromium; nothing is fetched for it."""
    if not CHROMIUM:
        pytest.skip("there is no Chromium here (Debian: apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM))
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium, reports):
    """Open a page of the reports; at the end nothing may have been asked from elsewhere nor complained about."""
    contexts, asked, said = [], [], []

    def open_page(name, *, width=1280, scheme="light", **options):
        size = {"width": width, "height": 900}
        context = chromium.new_context(viewport=size, color_scheme=scheme, **options)
        contexts.append(context)
        context.route(lambda url: not url.startswith(("file:", "data:")), lambda route: route.abort())
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto((reports / name).as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert said == []

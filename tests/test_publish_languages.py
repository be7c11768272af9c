"""Pages in every language: which way they run, what they carry, and PDFs that machines can read."""

import json
import re
from datetime import UTC, datetime
from importlib import import_module

import pikepdf
import publish_texts
import pytest
from small_scorecard import about, row

from kpi_lib.language import LANGUAGES, language
from kpi_lib.period import Period
from kpi_lib.publish import Book, glyphs, html, index, page, pdf, picture, prose, render, text_cells
from kpi_lib.publish.execute import Failure
from kpi_lib.units import printed

SMALL = 1_000_000  # bytes
RIGHT_TO_LEFT = ("ar", "fa")


def book(code):
    to = language(code)
    label, title = to.period(Period.parse("2024-05")), to.say(render.TITLE)
    return Book("2024-05", label, "Kestrel", [], title, code, sample=True, stamp=datetime(2024, 7, 2, 4, tzinfo=UTC))


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A book of two chapters in each language, as PDF."""
    folder, files = tmp_path_factory.mktemp("books"), {}
    for code in LANGUAGES:
        pages = [publish_texts.read(code, folder, name) for name in ("support", "loyalty")]
        files[code] = folder / f"{code}.pdf"
        assert pdf.write(pages, book(code), files[code], title=book(code).title, cover=True) == []
    return files


@pytest.fixture(scope="module", params=LANGUAGES)
def opened(request, written):
    with pikepdf.open(written[request.param]) as found:
        yield request.param, found


def having(opened, key, value):
    return [each for each in opened.objects if isinstance(each, pikepdf.Dictionary) and each.get(key) == value]


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_page_says_its_language_and_carries_the_letters_it_needs(code, tmp_path):
    text = html.page(publish_texts.read(code, tmp_path), book(code))
    direction = "rtl" if code in RIGHT_TO_LEFT else "ltr"
    assert f'<html lang="{code}" dir="{direction}"' in text
    assert text.count("@font-face") == (4 if code in RIGHT_TO_LEFT else 2)
    assert language(code).say(html.WORDS["behind"]) in text
    assert len(text.encode()) < SMALL


def test_the_script_is_the_same_in_every_language(tmp_path):
    pages = [html.page(publish_texts.read(code, tmp_path), book(code)) for code in LANGUAGES]
    assert len({re.search(r"script-src '([^']+)'", text)[1] for text in pages}) == 1


@pytest.mark.parametrize("code", LANGUAGES)
def test_headings_get_ids_of_their_own_letters_each_once(code, tmp_path):
    ids = [section["id"] for section in publish_texts.read(code, tmp_path).sections]
    assert len(set(ids)) == 2
    assert not [each for each in ids if re.search(r"\s", each) or re.fullmatch(r"support--(section)?(-\d)?", each)]


def test_text_cells_are_translated_before_they_are_read(tmp_path, monkeypatch):
    to = language("ar")
    said = {"Support": "الدعم", "How long do customers wait?": "كم ينتظر العملاء؟"}
    monkeypatch.setattr(type(to), "say", lambda _, text, **given: said.get(text, text).format(**given))
    publish_texts.read("en", tmp_path)
    found = page.read("support", tmp_path / "support.ipynb", to)
    assert found.title == "الدعم"
    assert found.sections[0]["text"] == "كم ينتظر العملاء؟"
    assert found.sections[0]["id"] == "support--كم-ينتظر-العملاء"


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("# Support\nHow long do\ncustomers wait?", "# <Support>\n<How long do customers wait?>"),
        ("How long?\n## Support\n\n\n### Why?\n", "<How long?>\n## <Support>\n\n\n### <Why?>\n"),
        ("#support\n \n#\n# \n", "<#support>\n \n<#>\n# \n"),
        (" \n", " \n"),
    ],
)
def test_a_heading_is_a_message_of_its_own_whatever_follows_it(cell, said, monkeypatch):
    to = language("ar")
    monkeypatch.setattr(type(to), "say", lambda _, text: f"<{text}>")
    assert text_cells.translated(cell, to) == said
    assert list(text_cells.texts(cell)) == re.findall("<(.*?)>", said)


def test_what_no_catalogue_has_stays_as_it_was_written(tmp_path):
    publish_texts.read("ru", tmp_path)
    assert page.read("support", tmp_path / "support.ipynb", language("ar")).title == "Поддержка"


def test_a_pdf_is_tagged_says_its_language_and_shows_its_title(opened):
    code, found = opened
    assert found.Root.MarkInfo.Marked
    assert found.Root.StructTreeRoot.Type == "/StructTreeRoot"
    assert str(found.Root.Lang) == code
    assert found.Root.ViewerPreferences.DisplayDocTitle
    assert str(found.docinfo.Title) == book(code).title


def test_every_figure_of_a_pdf_has_its_words(opened):
    code, found = opened
    words = [str(figure.get("/Alt", "")) for figure in having(found, "/S", "/Figure")]
    assert words == [publish_texts.FINDING[code]] * 2


def test_a_pdf_has_bookmarks_links_and_all_its_fonts(opened):
    code, found = opened
    with found.open_outline() as outline:
        assert [item.title for item in outline.root] == [publish_texts.LEAD[code].split("\n")[0][2:]] * 2
        assert {child.title for item in outline.root for child in item.children} == {publish_texts.HEADING[code]}
    links = having(found, "/Subtype", "/Link")
    assert len(links) >= 6  # the contents: two chapters of two sections
    assert all(str(link.get("/Contents", "")) or link.get("/StructParent") is not None for link in links)
    fonts = having(found, "/Type", "/FontDescriptor")
    assert all({"/FontFile2", "/FontFile3"} & set(font.keys()) for font in fonts)
    arabic = [font for font in fonts if "PlexSansArabic" in str(font.FontName)]
    assert bool(arabic) == (code in RIGHT_TO_LEFT)


def test_a_checker_of_some_rules_for_accessible_pdfs_finds_nothing(written):
    """It knows 16 of the 106 rules that a machine can check; Typst holds a file to more of them as it writes it."""
    validate = import_module("pdfua").validate
    assert [finding for file in written.values() for finding in validate(str(file)).findings] == []
    assert all(file.stat().st_size < SMALL for file in written.values())


def test_a_pdf_says_that_it_is_accessible_and_made_to_last(opened):
    with opened[1].open_metadata() as metadata:
        said = [metadata.get(name) for name in ("pdfuaid:part", "pdfaid:part", "pdfaid:conformance")]
    assert said == ["1", "2", "A"]


def test_pages_are_counted_in_the_languages_words_and_digits(tmp_path):
    given = json.loads(pdf._data([], book("fa"), tmp_path, title="t", cover=False))
    assert "".join(given["digits"]) == "۰۱۲۳۴۵۶۷۸۹"
    assert given["words"]["page"] == language("fa").say("{page} of {pages}")


def test_the_notice_of_a_failed_notebook_speaks_the_readers_language():
    stopped = "the cell ran for more than 1200 s and was stopped"
    text = html.notice(Failure("support", stopped, 3, "How did we do?"), "T", book("ru"))
    to = language("ru")
    assert to.say("How did we do?") in text
    assert to.number(1200) in text
    assert "the cell" not in text


def test_the_index_of_all_reports_speaks_the_companys_language():
    to = language("fa")
    rows = [row(period="2024-05", value=31.0)]
    issue = index.Entry(
        Period.parse("2024-05"), {"as_of": "2024-07-02T04:00:00+00:00", "status": "whole"}, rows, about()
    )
    shelf = index._shelf([issue], book("fa"))
    assert (shelf["id"], shelf["kind"], shelf["latest"]) == ("months", to.say("Months"), "مه ۲۰۲۴")
    assert shelf["families"][0]["rows"][0]["values"][0] == "۳۱٫۰"
    assert shelf["years"][0]["year"] == "۲۰۲۴"


@pytest.mark.parametrize(
    ("code", "text", "aside"),
    [
        ("ar", "Chat was down (\u0627\u0644\u0634\u0647\u0631), and CSAT fell.", True),
        ("ar", "\u0627\u0646\u062e\u0641\u0636 \u0645\u0624\u0634\u0631 CSAT.", False),
        ("en", "Chat was down.", False),
    ],
)
def test_a_text_in_a_language_read_the_other_way_keeps_its_own_direction(code, text, aside, tmp_path):
    outline = prose.Outline("n", language(code))
    found = prose.parse(f"{text}\n\n* {text}\n\n<b>{text}</b>", outline)
    assert (found.html.count('<p dir="ltr">'), found.html.count('<bdi dir="ltr">')) == ((2, 1) if aside else (0, 0))
    shown = page.Page("n", "T", [page.Block({"type": "prose", "tokens": found.tokens, "headings": []}, found.html)])
    assert pdf.write([shown], book(code), tmp_path / "n.pdf", title="T", cover=False) == []


def test_outlines_of_letters_are_written_on_a_coarser_grid():
    drawn = '<path id="Plex-3a5" d="M3000 24L0 800Q240 -4.5 480 800z" transform="scale(0.015625)"/><path d="M1.25 2"/>'
    assert glyphs.coarser(drawn) == (
        '<path id="Plex-3a5" d="M375 3L0 100Q30 -1 60 100z" transform="scale(0.125)"/><path d="M1.25 2"/>'
    )


def test_an_outline_that_comes_often_stands_in_a_file_once():
    often, seldom, name = 100 * b"10 -20 l " + b"\nh\nf", b"0 0 m 5 5 l\nh\nf", "/Letter0"
    opened = pikepdf.new()
    for outlines in ([often, often, seldom], [often], [seldom], []):
        page = opened.add_blank_page()
        page.Contents = opened.make_stream(b"".join(b"q 1 scn " + outline + b"\nQ\n" for outline in outlines))
    glyphs.shared(opened)
    calls = [page.Contents.read_bytes().count(name.encode() + b" Do\nQ") for page in opened.pages]
    assert calls == [2, 1, 0, 0]
    assert [seldom in page.Contents.read_bytes() for page in opened.pages] == [True, False, True, False]
    first, second = (page.resources.XObject[name] for page in opened.pages[:2])
    assert (first, first.read_bytes(), list(first.BBox)) == (second, often, [-90, -120, 110, 80])


def test_a_letter_that_two_figures_have_stands_on_the_page_once():
    letter = '<defs><path id="a" d="M0 0L1 1z" transform="scale(0.125)"/></defs><use xlink:href="#a"/>'
    names = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    body = f"<svg {names}>{letter}</svg>".encode()
    block, shapes = page.Block({"type": "figure", "format": "svg", "alt": "A.", "body": body}), {}
    first, second = (picture.html(block, number, shapes) for number in (1, 2))
    assert (first.count("<path"), first.count('href="#f1-a"')) == (1, 1)
    assert (second.count("<path"), second.count('href="#f1-a"')) == (0, 1)


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_column_of_months_sorts_by_one_unit_whatever_the_form_of_the_word(code):
    units = json.loads(html._numbers(language(code)))["units"]
    said = [
        printed(number, "months", language=language(code)).split("\N{NO-BREAK SPACE}")[1] for number in (0, 1, 3, 11)
    ]
    assert {units[word] for word in said} == {30 * 86400}

"""The printed book: what stays together, what page one holds, and what of it lines up."""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pikepdf
import pytest
import typst

from kpi_lib.language import language
from kpi_lib.publish import Book, page, pdf, prose

TITLES = {
    "en": "Lifetime profit to customer acquisition cost",
    "ru": "Отношение пожизненной прибыли к стоимости привлечения",
    "ar": "نسبة الربح مدى الحياة إلى تكلفة اكتساب العميل",
}
LINES = {
    "en": "down 12.4 percentage points on February 2024",
    "ru": "снижение на 12,4 процентного пункта к февралю 2024 г.",
    "ar": "انخفاض بمقدار 12.4 نقطة مئوية عن فبراير 2024",
}
SENTENCES = {
    "en": "Net Promoter Score (NPS) fell by 12.4 percentage points on February, beyond its ordinary month-to-month "
    "variation (30.6 to 42.7), and by 1.1 points on May 2023; it misses the target of at least 30, within the margin.",
    "ru": "Индекс лояльности клиентов (NPS) снизился на 12,4 пункта по сравнению с февралём, что выходит за пределы "
    "обычных колебаний от месяца к месяцу (от 30,6 до 42,7), и на 1,1 пункта к маю 2023 г.; цель не достигнута.",
    "ar": "انخفض صافي نقاط الترويج بمقدار 12.4 نقطة مئوية عن فبراير، خارج نطاق تغيره المعتاد من شهر إلى شهر "
    "(من 30.6 إلى 42.7)، وبمقدار 1.1 نقطة عن مايو 2023؛ وهو دون الهدف البالغ 30 على الأقل، ضمن هامش الخطأ.",
}
TREND = b'<svg xmlns="http://www.w3.org/2000/svg" width="417.6pt" height="183.6pt"><rect width="9" height="9"/></svg>'
TABLE = {"type": "table", "caption": "Rows", "notes": [], "rows": [["chat", "1"]] * 5}
TABLE |= {"columns": [{"label": "Channel", "align": "left"}, {"label": "Score", "align": "right"}]}
ENTRY = {"term": "NPS", "summary": SENTENCES["en"], "details": [["Counted:", SENTENCES["en"]]], "meta": "points"}


@pytest.fixture
def printed(tmp_path):
    """Print blocks as one notebook's PDF: a string is a text cell, bytes are a figure."""

    def of(*blocks, code="en"):
        outline, made = prose.Outline("n", language(code)), page.Page("n", "Page")
        for block in blocks:
            if isinstance(block, str):
                text = prose.parse(block, outline)
                made.blocks.append(page.Block({"type": "prose", "tokens": text.tokens, "headings": text.headings}))
            elif isinstance(block, bytes):
                figure = {"type": "figure", "format": "svg", "mime": "image/svg+xml", "alt": "NPS rose.", "body": block}
                made.blocks.append(page.Block(figure))
            else:
                made.blocks.append(page.Block(block))
        book = Book("2024-05", "May", "Kestrel", [], language=code, stamp=datetime(2024, 7, 2, 4, tzinfo=UTC))
        assert pdf.write([made], book, tmp_path / "n.pdf", title="t", cover=False) == []
        return pikepdf.open(tmp_path / "n.pdf")

    return of


def finding(text):
    return {"type": "finding", "text": text, "status": "ok", "verdict": "missed"}


def cards(code, count=8):
    said = LINES[code]
    full = {"title": TITLES[code], "value": "2 d 21 h", "unit": "points", "mark": "provisional", "interval": said}
    full |= {"change": [said, said], "judged": said, "verdict": "missed", "note": said, "trend": [1, 3, 2]}
    bare = full | {"title": "NPS", "unit": "", "mark": "", "change": [], "judged": "", "note": "", "interval": ""}
    return {"type": "cards", "cards": [full, bare] * (count // 2)}


def first_page(code, lines, findings):
    comment = "\n".join(f"> * {LINES[code]}" for _ in range(lines))
    found = [finding(SENTENCES[code])] * findings
    return ["Why?", comment, "## Cards", cards(code), "## Findings", *found, "[the end](https://example.org)"]


def headings(opened):
    """Return the number of the page that each heading is on, in order."""
    pages = {each.objgen: number for number, each in enumerate(opened.pages)}

    def below(items):
        for item in items:
            yield item.title, pages[item.destination[0].objgen]
            yield from below(item.children)

    with opened.open_outline() as outline:
        return dict(list(below(outline.root)))


def texts(sheet):
    """Return x, y (from the top) and size of every piece of text on a page."""
    matrix, saved, size, found = pikepdf.Matrix(), [], 0, []
    for operands, operator in pikepdf.parse_content_stream(sheet):
        match str(operator):
            case "q":
                saved.append(matrix)
            case "Q":
                matrix = saved.pop()
            case "cm":
                matrix = pikepdf.Matrix(*operands) @ matrix
            case "Tf":
                size = round(float(operands[1]), 2)
            case "Tm":
                at = pikepdf.Matrix(*operands) @ matrix
                found.append((round(at.e, 1), round(842 - at.f, 1), size))
    return found


def drawn(opened):
    """Return the width of each figure."""
    found = [each for each in opened.objects if isinstance(each, pikepdf.Dictionary) and each.get("/S") == "/Figure"]
    boxes = [next(box.BBox for box in each.A if "/BBox" in box) for each in found]
    return [round(float(box[2] - box[0])) for box in boxes]


def tagged(opened):
    return Counter(str(each.S) for each in opened.objects if isinstance(each, pikepdf.Dictionary) and "/S" in each)


def links(opened):
    return [number for number, each in enumerate(opened.pages) for link in each.get("/Annots", []) if "/A" in link]


@pytest.mark.parametrize("code", TITLES)
def test_page_one_is_set_smaller_until_its_comment_cards_and_findings_are_on_it(printed, code):
    opened = printed(*first_page(code, lines=5, findings=4), "## Data", TABLE, code=code)
    assert links(opened) == [0]
    body = Counter(size for _, _, size in texts(opened.pages[0])).keys()
    assert min(body) >= 0.75 * 8.5


@pytest.mark.parametrize("code", TITLES)
def test_findings_that_page_one_has_no_room_for_come_first_on_the_next(printed, code):
    opened = printed(*first_page(code, lines=12, findings=10), "## Data", TABLE, code=code)
    assert headings(opened) == {"Page": 0, "Cards": 0, "Findings": 0, "Data": 1}
    assert links(opened) == [1]
    assert tagged(opened)["/H2"] == 4  # one stands over the findings that follow
    lowest = max((y, size) for _, y, size in texts(opened.pages[0]) if y < 790)
    assert lowest[1] == 8.5  # the line that says how many do: a finding is set larger


def test_an_opening_that_is_longer_than_a_page_begins_on_the_first_and_is_not_cut_off(printed):
    long = printed("\n\n".join([SENTENCES["en"]] * 40), finding(SENTENCES["en"]))
    pages = [texts(sheet) for sheet in long.pages]
    assert len(pages) > 1
    assert len(pages[0]) > 40
    assert all(y < 842 for page in pages for _, y, _ in page)


def test_the_number_of_findings_that_follow_is_said_in_words(tmp_path):
    blocks = [page.Block(block) for block in (finding("One."), cards("en"), finding("Two."))]
    pages = [page.Page("n", "Page", blocks), page.Page("m", "Page", blocks)]
    book = Book("2024-05", "May", "Kestrel", [], language="ru", stamp=datetime(2024, 7, 2, 4, tzinfo=UTC))
    data = json.loads(pdf._data(pages, book, tmp_path, title="t", cover=False))
    assert data["more"] == [language("ru").many(*pdf.MORE, count) for count in (1, 2)]


def test_values_of_cards_in_a_row_stand_on_one_line(printed):
    opened = printed("## Cards", cards("en"))
    rows = Counter(y for _, y, size in texts(opened.pages[0]) if size == 17)
    assert sorted(rows.values()) == [4, 4]


def test_a_heading_its_sentence_and_its_figure_stay_together_and_fill_pages(printed):
    sections = [[f"## Heading {number}", finding(SENTENCES["en"]), TREND] for number in range(9)]
    opened = printed(*[block for section in sections for block in section])
    named = Counter(place for title, place in headings(opened).items() if title != "Page")
    pages = {each.objgen: number for number, each in enumerate(opened.pages)}
    figures = [each for each in opened.objects if isinstance(each, pikepdf.Dictionary) and each.get("/S") == "/Figure"]
    assert Counter(pages[each.Pg.objgen] for each in figures) == named
    assert len(opened.pages) == 5  # there is room for two a page


def test_all_figures_are_drawn_at_one_size_however_much_room_there_is(printed):
    few, many = (printed("## Cards", cards("en", 4), *["## Trend", TREND] * count) for count in (1, 4))
    assert (drawn(few), drawn(many)) == ([418], [418] * 4)


def test_definitions_end_in_columns_of_one_length(printed):
    opened = printed("## Words", {"type": "definitions", "entries": [ENTRY] * 42})
    last = [(x, y) for x, y, size in texts(opened.pages[-1]) if size < 8.5 and 60 < y < 790]
    ends = [max(y for x, y in last if left <= x < left + 170) for left in (50, 220, 390)]
    assert max(ends) - min(ends) < 110  # one entry


def test_few_definitions_are_set_smaller_rather_than_left_alone_on_a_page(printed):
    pages = [len(printed({"type": "definitions", "entries": [ENTRY] * count}).pages) for count in range(15, 40, 3)]
    assert pages == sorted(pages)
    assert pages[0] == 1


@pytest.mark.parametrize("count", [18, 24, 28, 33, 45])
def test_what_comes_after_definitions_is_not_alone_on_its_page(printed, count):
    rows = TABLE | {"rows": [["chat", "1"]] * 13}
    opened = printed("## Words", {"type": "definitions", "entries": [ENTRY] * count}, "## Data", rows)
    last = len(opened.pages) - 1
    assert headings(opened)["Data"] == last
    assert [y for _, y, size in texts(opened.pages[last]) if size < 8.5 and 60 < y < 300]


@pytest.mark.parametrize(("count", "start"), [(3, 0), (12, 1)])
def test_definitions_start_on_a_new_page_rather_than_with_a_few_lines_on_the_old_one(printed, count, start):
    rows = TABLE | {"rows": [["chat", "1"]] * 13}
    opened = printed("## Data", rows, "## More", rows, "## Words", {"type": "definitions", "entries": [ENTRY] * count})
    assert headings(opened) == {"Page": 0, "Data": 0, "More": 0, "Words": start}
    assert len(opened.pages) == start + 1


def test_table_heads_are_tagged_and_headings_leave_no_level_out(printed):
    opened = printed("## One", TABLE, "### Two", TABLE | {"rows": [["chat", "1"]] * 90})
    tags = tagged(opened)
    assert (tags["/Table"], tags["/TH"], tags["/TR"]) == (2, 4, 97)
    assert [tags[f"/H{level}"] for level in (1, 2, 3)] == [1, 1, 1]


def test_objects_are_packed(printed):
    opened = printed("## One", TREND)
    assert any(each.get("/Type") == "/ObjStm" for each in opened.objects if isinstance(each, pikepdf.Stream))


@pytest.fixture
def runs(monkeypatch):
    """Return the list of the numbers of pages that runs of the typesetter were given."""
    given = []

    class Counted:
        def __init__(self, **options):
            self._compiler = compiler(**options)

        def compile(self, main, **options):
            given.append(json.loads(Path(main).with_name("data.json").read_text())["pages"])
            self._compiler.compile(main, **options)

    compiler = typst.Compiler
    monkeypatch.setattr(typst, "Compiler", Counted)
    monkeypatch.setattr(pdf, "_counted", {})
    return given


def test_a_file_is_typeset_once_where_the_last_of_its_name_had_as_many_pages(printed, runs, tmp_path):
    printed("One line.")
    first = (tmp_path / "n.pdf").read_bytes()
    printed("One line.")
    assert runs == [0, 1, 1]
    assert (tmp_path / "n.pdf").read_bytes() == first


def test_the_pages_of_another_file_of_its_name_are_not_believed(printed, runs):
    printed("One line.")
    long = printed("\n\n".join([SENTENCES["en"]] * 40))
    assert runs == [0, 1, 1, len(long.pages)]
    assert len(long.pages) > 1

"""Pages in Chromium: for everyone, at every width, in the light and in the dark, with and without the script."""

from importlib.resources import files
from itertools import pairwise

import pytest

from kpi_lib.language import LANGUAGES

PAGES = ["2024-05/loyalty.html", "2024-05/index.html", "2024-04/support_ops.html", "2024-04/index.html", "index.html"]
PAGES += ["languages/ar.html", "languages/fa.html", "languages/ru.html", "index-fa.html"]


@pytest.fixture(scope="session")
def axe():
    return files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_to_mend(opened, axe, name, scheme):
    page = opened(name, scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    page.evaluate(axe)
    found = page.evaluate("axe.run()")
    told = [(each["id"], node["html"][:200]) for each in found["violations"] for node in each["nodes"]]
    assert told == []
    assert {"color-contrast", "document-title", "html-has-lang"} <= {each["id"] for each in found["passes"]}


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_never_scrolls_sideways(opened, name, width):
    page = opened(name, width=width)
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [320, 360, 390, 430, 481, 768, 1280])
def test_the_number_of_a_card_stands_in_one_line(opened, width):
    page = opened("2024-05/loyalty.html", width=width)
    lines = "all => all.map(e => Math.round(e.clientHeight / parseFloat(getComputedStyle(e).lineHeight)))"
    assert page.locator(".kpi-value").evaluate_all(lines) == [1, 1, 1]


def test_a_wide_table_scrolls_in_a_box_that_the_keyboard_reaches_and_a_narrow_one_is_no_stop(opened):
    page = opened("2024-05/loyalty.html", width=1280)
    wide, narrow = page.locator('[aria-label="Wide"]').first, page.locator('[aria-label="Grouped"]')
    assert wide.evaluate("box => box.scrollWidth > box.clientWidth && box.tabIndex") == 0
    assert narrow.evaluate("box => box.tabIndex") == -1
    wide.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("box => box.scrollLeft > 0", arg=wide.element_handle())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_table_that_scrolls_is_shaded_where_it_goes_on_and_one_that_does_not_is_not(opened, scheme):
    page = opened("2024-05/loyalty.html", width=1280, scheme=scheme)
    shots = {}
    for name in ("Wide", "Grouped"):
        box = page.locator(f'[aria-label="{name}"]').first
        box.evaluate("box => { box.firstChild.style.visibility = 'hidden' }")
        shots[name] = [box.screenshot(), box.evaluate("box => { box.style.background = 'none' }"), box.screenshot()]
    assert shots["Wide"][0] != shots["Wide"][2]
    assert shots["Grouped"][0] == shots["Grouped"][2]


@pytest.mark.parametrize("name", PAGES)
def test_the_first_stop_of_the_keyboard_leads_past_the_head(opened, name):
    page = opened(name)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.locator(".skip").bounding_box()["x"] >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#main"


def test_the_keyboard_walks_in_reading_order(opened):
    page = opened("2024-05/loyalty.html", width=360)
    order = []
    for _ in range(40):
        page.keyboard.press("Tab")
        place = "element => element === document.body ? null : element.getBoundingClientRect().top + scrollY"
        order.append(page.evaluate(f"({place})(document.activeElement)"))
        if order[-1] is None:
            break
    walked = [place for place in order[1:] if place is not None]
    assert len(walked) > 8
    assert walked == sorted(walked)


def test_headings_leave_no_level_out(opened):
    for name in PAGES:
        levels = opened(name).eval_on_selector_all("h1,h2,h3,h4,h5,h6", "found => found.map(h => +h.tagName[1])")
        assert levels[0] == 1
        assert all(after <= before + 1 for before, after in pairwise(levels))


@pytest.mark.parametrize(
    ("head", "once", "twice"),
    [
        ("Channel", ["chat", "email", "phone"], ["phone", "email", "chat"]),
        ("Wait", ["email", "chat", "phone"], ["phone", "chat", "email"]),
        ("Change", ["chat", "phone", "email"], ["phone", "chat", "email"]),
        ("Value", ["phone", "email", "chat"], ["chat", "email", "phone"]),
    ],
)
def test_a_click_on_its_head_sorts_a_table_and_a_third_puts_it_back(opened, head, once, twice):
    page = opened("2024-05/loyalty.html")
    table = page.locator("main > .kpi-scroll table").first
    button = table.get_by_role("button", name=head)
    names = table.locator("tbody th")
    found = []
    for _ in range(3):
        button.focus()
        page.keyboard.press("Enter")
        found.append((names.all_inner_texts(), table.locator("th[aria-sort]").count()))
    assert found == [(once, 1), (twice, 1), (["phone", "chat", "email"], 0)]


def test_a_table_whose_rows_belong_under_others_is_not_sorted(opened):
    page = opened("2024-05/loyalty.html")
    assert page.locator('[aria-label="Grouped"] button').count() == 0


def test_the_numbers_behind_a_figure_are_folded_away_and_open_by_keyboard(opened):
    page = opened("2024-05/loyalty.html")
    table = page.locator("figure table")
    assert not table.is_visible()
    page.locator("figure summary").focus()
    page.keyboard.press("Enter")
    assert table.is_visible()
    assert page.get_by_role("img", name="Waiting fell.").bounding_box()["width"] > 300


@pytest.mark.parametrize("name", PAGES)
def test_without_the_script_a_page_says_the_same(opened, name):
    with_script, without = opened(name), opened(name, java_script_enabled=False)
    assert without.locator("body").inner_text() == with_script.locator("body").inner_text()
    assert without.locator("main").is_visible()


def test_without_the_script_the_numbers_behind_a_figure_open_too(opened):
    page = opened("2024-05/loyalty.html", java_script_enabled=False)
    page.locator("figure summary").click()
    assert page.locator("figure table").is_visible()


def test_no_other_script_runs_than_the_pages_own(chromium, reports):
    page = chromium.new_page()
    page.goto((reports / "index.html").as_uri())
    page.evaluate("const s = document.createElement('script'); s.text = 'window.ran = 1'; document.body.append(s)")
    assert page.evaluate("window.ran ?? null") is None
    page.close()


def test_a_figure_is_turned_dark_on_the_screen_and_not_on_paper(opened):
    page = opened("2024-05/loyalty.html", scheme="dark")
    effect = "getComputedStyle(document.querySelector('figure .picture')).filter"
    assert "invert" in page.evaluate(effect)
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate(effect) == "none"


def test_the_index_of_all_reports_leads_to_the_month_and_back(opened):
    page = opened("index.html")
    assert page.locator("svg.kpi-spark").count() == 1
    page.get_by_role("link", name="May 2024", exact=True).click()
    assert page.get_by_role("heading", level=1).inner_text() == "Customer KPI report"
    page.get_by_role("link", name="Loyalty", exact=True).click()
    page.get_by_role("link", name="All pages of the period").click()
    page.get_by_role("link", name="All reports").click()
    assert page.url.endswith("reports/index.html")


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize(
    ("place", "down", "up"),
    [
        (1, ["email", "chat", "phone"], ["phone", "chat", "email"]),  # durations
        (2, ["phone", "email", "chat"], ["chat", "email", "phone"]),  # amounts
        (3, ["chat", "phone", "email"], ["phone", "chat", "email"]),  # one below zero, one unknown
    ],
)
def test_numbers_sort_as_their_language_writes_them(opened, code, place, down, up):
    page = opened(f"languages/{code}.html")
    table = page.locator("main > .kpi-scroll table").first
    found = []
    for _ in range(2):
        table.locator("thead button").nth(place).click()
        found.append(table.locator("tbody th").all_inner_texts())
    assert found == [down, up]


def edges(page, what):
    return page.locator(what).evaluate_all("all => all.map(e => e.getBoundingClientRect().right)")


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_layout_runs_the_way_the_language_is_read(opened, code):
    page = opened(f"languages/{code}.html")
    first = max if code in ("ar", "fa") else min
    for what in (".kpi-card", ".kpi-table thead tr:first-child > :nth-child(-n + 4)"):
        found = edges(page, what)[:4]
        assert first(found) == found[0]
    contents, main = page.locator(".contents").bounding_box()["x"], page.locator("main").bounding_box()["x"]
    assert (contents < main) == (code in ("ar", "fa"))
    style = page.locator(".kpi-finding").first.evaluate(
        "e => [getComputedStyle(e).borderRight, getComputedStyle(e).borderLeft]"
    )
    assert ["6px" in side for side in style] == [code in ("ar", "fa"), code not in ("ar", "fa")]
    directions = page.eval_on_selector_all(
        ".kpi-spark, figure .svg", "all => all.map(e => getComputedStyle(e).direction)"
    )
    assert set(directions) == {"ltr"}


@pytest.mark.parametrize("code", ["ar", "fa"])
def test_arabic_letters_are_drawn_in_the_pages_own_font(opened, code):
    page = opened(f"languages/{code}.html")
    faces = page.evaluate(
        "document.fonts.ready.then(() => [...document.fonts].filter(f => f.status === 'loaded').map(f => f.family))"
    )
    assert "Report Arabic" in {face.strip('"') for face in faces}

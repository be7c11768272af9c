"""The mail's page in Chromium, on a phone and on a desk, in the light and in the dark, in both reading directions."""

import sys
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from test_deliver_message import CHURN, LETTER, NPS

from kpi_lib.deliver.message import compose, preview
from kpi_lib.language import language

FULL = replace(
    LETTER,
    cards=(
        CHURN,
        NPS,
        replace(CHURN, title="Kundenzufriedenheitsbefragungsteilnahmequote" * 2, value="EUR 1,234,567,890.12"),
    ),
    notes=("This is sample data.",),
    changes=(("Churn rate", "3.2%", "3.4%"), ("Customer lifetime value", "EUR 1,204,300", "EUR 1,198,100")),
    link="https://reports.example.com/2024-05/",
    footer=("https://reports.example.com/" + "a" * 120,),
)
LETTERS = {
    "ltr": FULL,
    "rtl": replace(FULL, language=language("ar"), company="كيستريل", lead=("ارتفع معدل فقدان العملاء.",)),
}
COLUMNS = """() => [".name", ".value"].map(name => {
    const range = document.createRange()
    range.selectNodeContents(document.querySelector(name))
    const {left, right} = range.getBoundingClientRect()
    return [left, right]
})"""


@pytest.fixture
def shown(chromium, tmp_path):
    """Open a letter's page; nothing may be asked from elsewhere, nor complained about."""
    contexts, asked, said = [], [], []

    def show(letter, *, width, scheme="light"):
        file = tmp_path / "mail.html"
        file.write_text(preview(compose(letter))[1], encoding="utf-8")
        context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        context.route(lambda url: not url.startswith(("file:", "data:")), lambda route: route.abort())
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.goto(file.as_uri())
        return page

    yield show
    for context in contexts:
        context.close()
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert said == []


@pytest.mark.parametrize("direction", LETTERS)
@pytest.mark.parametrize("width", [320, 360, 700, 1280])
def test_a_mail_never_scrolls_sideways_and_is_never_wider_than_600(shown, width, direction):
    page = shown(LETTERS[direction], width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    box = page.locator(".letter").bounding_box()
    assert box["width"] == min(600, width - (24 if width > 480 else 0))
    assert abs(box["x"] - (width - box["x"] - box["width"])) <= 1  # in the middle
    assert page.evaluate("[...document.querySelectorAll('.letter *')].every(each => each.scrollWidth <= 600)")


@pytest.mark.parametrize(("direction", "first"), [("ltr", "name"), ("rtl", "value")])
def test_a_number_stands_at_the_end_of_its_line(shown, direction, first):
    (name_left, name_right), (value_left, value_right) = shown(LETTERS[direction], width=360).evaluate(COLUMNS)
    assert (name_right <= value_left) == (first == "name")
    assert (value_right <= name_left) == (first == "value")


def test_the_images_are_shown_and_the_words_for_the_list_of_mails_are_not(shown):
    page = shown(FULL, width=360)
    assert page.eval_on_selector_all("img", "all => all.map(each => each.naturalWidth)") == [192, 192]
    assert not page.locator(".preheader").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("direction", LETTERS)
def test_axe_finds_nothing_to_mend_in_a_mail(shown, direction, scheme):
    page = shown(LETTERS[direction], width=360, scheme=scheme)
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8"))
    found = page.evaluate("axe.run({runOnly: ['wcag2a', 'wcag2aa']})")
    told = [(each["id"], node["html"][:200]) for each in found["violations"] for node in each["nodes"]]
    assert told == []
    assert {"color-contrast", "document-title", "html-has-lang"} <= {each["id"] for each in found["passes"]}

"""HTML pages from blocks: one file each, without code or anything from elsewhere, complete without its small script."""

import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters.templateexporter import TemplateExporter

from kpi_lib.display import stylesheet
from kpi_lib.language import Language, language, message
from kpi_lib.localise import told
from kpi_lib.publish import picture
from kpi_lib.publish.execute import Failure
from kpi_lib.publish.page import Page
from kpi_lib.units import CLOCK, LONG

HERE = Path(__file__).parent
TEMPLATES = HERE / "templates" / "html"
WORDS = {
    "skip": message("Skip to the content"),
    "contents": message("On this page"),
    "contents_of": message("What is on this page"),
    "behind": message("The numbers behind this figure"),
    "sample": message("Sample data"),
    "as_of": message("Data as of {moment}"),
    "all_pages": message("All pages of the period"),
    "as_pdf": message("This page as PDF"),
    "not_made": message("This page could not be made."),
    "stopped": message("The notebook stopped at cell {cell}: {reason}"),
    "stopped_under": message("The notebook stopped at cell {cell} ({heading}): {reason}"),
    "whole_report": message("The whole report (PDF)"),
    "all_reports": message("All reports"),
    "headlines": message("Headline numbers, {period}"),
    "trend": message("Trend"),
    "target": message("Target"),
}
FACES = {400: "inter-400", 600: "inter-600"}  # by weight
ARABIC_FACES = {400: "arabic-400", 600: "arabic-600"}


class _Exporter(TemplateExporter):
    """nbconvert with our templates, in which every text is escaped unless it says that it is safe."""

    def _create_environment(self) -> Any:
        environment = super()._create_environment()
        environment.autoescape = True
        return environment


def page(page: Page, book: Any) -> str:
    """Return a notebook's page; `book` has company, label, name, language, sample, as_of, colour and accent."""
    return _render("page", book, page.title, page=page, shapes={})


def notice(failure: Failure, title: str, book: Any) -> str:
    """Return the page that stands for a notebook that failed."""
    heading = book.to.say(failure.heading) if failure.heading else ""
    said = replace(failure, message=told(failure.message, book.to), heading=heading)
    return _render("notice", book, title, failure=said)


def index(book: Any, title: str, **content: Any) -> str:
    """Return the index of a period's pages and files."""
    return _render("index", book, title, **content)


def shelf(book: Any, shelves: list[dict[str, Any]]) -> str:
    """Return the index of all periods, those of a kind together; `book.label` says from when to when."""
    return _render("shelf", book, language(book.language).say(WORDS["all_reports"]), shelves=shelves)


def _render(template: str, book: Any, title: str, **content: Any) -> str:
    script, to = _script(), language(book.language)
    hashed = f"sha256-{b64encode(sha256(script.encode()).digest()).decode()}"
    given = content | {"book": book, "title": title, "words": _words(to), "direction": to.direction}
    given |= {"numbers": _numbers(to), "styles": _styles(), "fonts": _fonts(to.direction)}
    given |= {"script": script, "script_hash": hashed}
    exporter = _exporter(template)
    exporter.environment.globals.update(given)
    return str(exporter.from_notebook_node(nbformat.v4.new_notebook())[0])


@cache
def _exporter(template: str) -> Any:
    exporter = _Exporter(
        template_name="html",
        template_file=f"{template}.html.j2",
        extra_template_basedirs=[str(HERE / "templates")],
        filters={"data_uri": picture.data_uri, "picture": picture.html},
    )
    exporter.file_extension = ".html"
    return exporter


@cache
def _styles() -> str:
    return (TEMPLATES / "page.css").read_text("utf-8") + stylesheet()


@cache
def _script() -> str:
    return (TEMPLATES / "page.js").read_text("utf-8")


def _words(to: Language) -> Callable[..., str]:
    """Return what gives a template its words, by name."""

    def said(name: str, **given: Any) -> str:
        return to.say(WORDS[name], **given)

    return said


def _numbers(to: Language) -> str:
    """Return what the script must know to sort by numbers as this language writes them."""
    units = {to.say(said, count="").strip(): seconds for said, seconds in CLOCK.items()}
    units |= {said.format(count="").strip(): seconds for each, seconds in LONG.items() for said in to.every(*each)}
    return json.dumps({"group": to.number(1000)[1:-3], "decimal": to.number(0.5, 1)[1:-1], "units": units})


@cache
def _fonts(direction: str) -> list[tuple[str, int, str]]:
    """Return family, weight and content of the fonts that a page carries."""
    faces = [("Inter", FACES)] + ([("Report Arabic", ARABIC_FACES)] if direction == "rtl" else [])
    return [
        (family, weight, b64encode((HERE / "fonts" / f"{file}.woff2").read_bytes()).decode())
        for family, files in faces
        for weight, file in files.items()
    ]

"""HTML pages from blocks: one file each, without code or anything from elsewhere, complete without its small script."""

from base64 import b64encode
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters.templateexporter import TemplateExporter

from kpi_lib.display import stylesheet
from kpi_lib.publish import picture
from kpi_lib.publish.execute import Failure
from kpi_lib.publish.page import Page

HERE = Path(__file__).parent
TEMPLATES = HERE / "templates" / "html"
WORDS = {
    "skip": "Skip to the content",
    "contents": "On this page",
    "contents_of": "What is on this page",
    "behind": "The numbers behind this figure",
    "sample": "Sample data",
    "as_of": "Data as of",
    "all_pages": "All pages of the period",
    "as_pdf": "This page as PDF",
    "not_made": "This page could not be made.",
    "stopped_at": "The notebook stopped at cell",
    "whole_report": "The whole report",
    "all_reports": "All reports",
    "headlines": "Headline numbers,",
    "trend": "Trend",
    "target": "Target",
}


class _Exporter(TemplateExporter):
    """nbconvert with our templates, in which every text is escaped unless it says that it is safe."""

    def _create_environment(self) -> Any:
        environment = super()._create_environment()
        environment.autoescape = True
        return environment


def page(page: Page, book: Any) -> str:
    """Return a notebook's page; `book` has company, label, name, language, sample, as_of, colour and accent."""
    return _render("page", book, page.title, page=page)


def notice(failure: Failure, title: str, book: Any) -> str:
    """Return the page that stands for a notebook that failed."""
    return _render("notice", book, title, failure=failure)


def index(book: Any, title: str, **content: Any) -> str:
    """Return the index of a period's pages and files."""
    return _render("index", book, title, **content)


def shelf(book: Any, shelves: list[dict[str, Any]]) -> str:
    """Return the index of all periods, those of a kind together; `book.label` says from when to when."""
    return _render("shelf", book, WORDS["all_reports"], shelves=shelves)


def _render(template: str, book: Any, title: str, **content: Any) -> str:
    script = _script()
    hashed = f"sha256-{b64encode(sha256(script.encode()).digest()).decode()}"
    given = content | {"book": book, "title": title, "words": WORDS, "styles": _styles(), "fonts": _fonts()}
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


@cache
def _fonts() -> list[tuple[int, str]]:
    return [(w, b64encode((HERE / "fonts" / f"inter-{w}.woff2").read_bytes()).decode()) for w in (400, 600)]

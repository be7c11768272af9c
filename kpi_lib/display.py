"""What a notebook shows: cards, findings, tables, definitions and notes, each described once for screen and paper.

An object publishes HTML for JupyterLab and the web page, plain data (`application/vnd.kpi+json`) for print and text for
the terminal. All three are made from the same description, whose texts are finished strings and never markup.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from functools import cache
from html import escape
from importlib.resources import files
from itertools import pairwise
from typing import Any

DATA = "application/vnd.kpi+json"
INDENT = "\N{EM SPACE}"  # before the name of a row that belongs under another


class Shown:
    """Anything that is shown in a notebook: a subclass says what it is (`describe`) and how HTML and text put it."""

    def describe(self) -> dict[str, Any]:
        """Return the object as plain data, its `type` first."""
        raise NotImplementedError

    def html(self) -> str:
        """Return the object as escaped HTML."""
        raise NotImplementedError

    def text(self) -> str:
        """Return the object as lines of text."""
        raise NotImplementedError

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {
            "text/html": f"<style>{stylesheet()}</style>\n{self.html()}",
            DATA: self.describe(),
            "text/plain": self.text(),
        }


@dataclass(frozen=True)
class Card:
    """One number of the scorecard, with everything that must stand beside it; all texts are ready to print."""

    kpi: str
    title: str
    value: str
    unit: str = ""
    mark: str = ""
    change: list[str] = field(default_factory=list)
    judged: str = ""
    verdict: str = "no_target"
    status: str = "ok"
    interval: str = ""
    note: str = ""
    trend: list[float | None] = field(default_factory=list)


@dataclass(frozen=True)
class Cards(Shown):
    """A family's numbers at a glance."""

    cards: list[Card]

    def describe(self) -> dict[str, Any]:
        return {"type": "cards", "cards": [asdict(card) for card in self.cards]}

    def html(self) -> str:
        return '<div class="kpi-cards">' + "".join(map(_card_html, self.cards)) + "</div>"

    def text(self) -> str:
        return "\n".join(_card_text(card) for card in self.cards)


class Finding(str, Shown):
    """One computed sentence about a number; a `str` that displays itself, unless it is `silent`.

    `moved` is `better` or `worse` where the number stands out, which the sentence says in words.
    """

    status: str
    verdict: str
    moved: str
    silent: bool

    def __new__(
        cls, text: str, status: str = "ok", verdict: str = "no_target", moved: str = "", *, silent: bool = False
    ) -> "Finding":
        finding = super().__new__(cls, text)
        finding.status, finding.verdict, finding.moved, finding.silent = status, verdict, moved, silent
        return finding

    def _ipython_display_(self) -> None:
        if not self.silent:
            raise NotImplementedError  # IPython then asks for the mimebundle

    def describe(self) -> dict[str, Any]:
        told = {"status": self.status, "verdict": self.verdict, "moved": self.moved}
        return {"type": "finding", "text": str(self), **told}

    def html(self) -> str:
        told = {"status": self.status, "verdict": self.verdict, "moved": self.moved}
        data = "".join(f' data-{name}="{escape(said)}"' for name, said in told.items() if said)
        return f'<p class="kpi-finding"{data}>{escape(self)}</p>'

    def text(self) -> str:
        return str(self)


@dataclass(frozen=True)
class Column:
    """A table's column: what heads it and which way its texts lie."""

    label: str
    align: str = "right"


@dataclass(frozen=True)
class Table(Shown):
    """A table of finished texts; its first column names the rows."""

    caption: str
    columns: list[Column]
    rows: list[list[str]]
    notes: list[str] = field(default_factory=list)

    def describe(self) -> dict[str, Any]:
        return {"type": "table", **asdict(self)}

    def html(self) -> str:
        head = "".join(
            f'<th scope="col"{_side(column)}>{escape(column.label)}</th>' if column.label else "<td></td>"
            for column in self.columns
        )
        body = "".join(f"<tr>{''.join(self._cells(row))}</tr>" for row in self.rows)
        notes = "".join(f'<p class="kpi-note">{escape(note)}</p>' for note in self.notes)
        return (
            f'<div class="kpi-scroll" tabindex="0" role="group" aria-label="{escape(self.caption)}">'
            f'<table class="kpi-table"><caption>{escape(self.caption)}</caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{notes}"
        )

    def text(self) -> str:
        lines = [[column.label for column in self.columns], *self.rows]
        widths = [max(map(len, texts)) for texts in zip(*lines, strict=True)]
        return "\n".join([self.caption, *(self._line(line, widths) for line in lines), *self.notes])

    def _cells(self, row: list[str]) -> Iterator[str]:
        under = ' class="kpi-left kpi-under"' if row[0].startswith(INDENT) else _side(self.columns[0])
        yield f'<th scope="row"{under}>{escape(row[0])}</th>'
        for column, text in zip(self.columns[1:], row[1:], strict=True):
            yield f"<td{_side(column)}>{escape(text)}</td>"

    def _line(self, texts: list[str], widths: list[int]) -> str:
        cells = zip(texts, widths, self.columns, strict=True)
        return "  ".join(
            text.ljust(width) if column.align == "left" else text.rjust(width) for text, width, column in cells
        ).rstrip()


@dataclass(frozen=True)
class Definition:
    """What a KPI means, details with their labels, and its unit, period and source in one line."""

    term: str
    summary: str
    details: list[tuple[str, str]] = field(default_factory=list)
    meta: str = ""


@dataclass(frozen=True)
class Definitions(Shown):
    """The glossary of a page."""

    entries: list[Definition]

    def describe(self) -> dict[str, Any]:
        return {"type": "definitions", "entries": [asdict(entry) for entry in self.entries]}

    def html(self) -> str:
        return '<dl class="kpi-definitions">' + "".join(map(_definition_html, self.entries)) + "</dl>"

    def text(self) -> str:
        return "\n".join(f"{entry.term}: {entry.summary}" for entry in self.entries)


@dataclass(frozen=True)
class Note(Shown):
    """A quiet line, such as the one that stands where there is no data for a figure."""

    message: str

    def describe(self) -> dict[str, Any]:
        return {"type": "note", "text": self.message}

    def html(self) -> str:
        return f'<p class="kpi-note">{escape(self.message)}</p>'

    def text(self) -> str:
        return self.message


class Several(list[Any]):
    """Objects that are shown one after the other; an empty one shows nothing."""

    def _ipython_display_(self) -> None:
        from IPython.display import display

        for shown in self:
            display(shown)


def backed(figure: Any, table: Table) -> Any:
    """Let a figure carry the table behind it: the page offers it below the figure, print leaves it out."""
    bundle = figure._repr_mimebundle_

    def with_table(include: Any = None, exclude: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
        data, metadata = bundle(include, exclude)
        return data | {DATA: {"type": "figure", "table": table.describe()}}, metadata

    figure._repr_mimebundle_ = with_table
    return figure


@cache
def stylesheet() -> str:
    """Return the one stylesheet of the display objects, for JupyterLab and for the HTML page."""
    return files("kpi_lib").joinpath("display.css").read_text("utf-8").strip()


def sparkline(trend: list[float | None]) -> str:
    """Return the trend as a small SVG line, its last point marked and its gaps left; empty under 3 points."""
    known = [number for number in trend if number is not None]
    if len(known) < 3:
        return ""
    width, height = 96, 22
    low, high = min(known), max(known)
    step, scale = (width - 6) / (len(trend) - 1), (height - 6) / ((high - low) or 1)
    points = [
        None if number is None else (3 + step * place, height - 3 - scale * (number - low if high > low else -0.5))
        for place, number in enumerate(trend)
    ]
    lines = "".join(
        f"M{a[0]:.1f} {a[1]:.1f}L{b[0]:.1f} {b[1]:.1f}" for a, b in pairwise(points) if a is not None and b is not None
    )
    last = points[-1]
    dot = f'<circle cx="{last[0]:.1f}" cy="{last[1]:.1f}" r="2.2"/>' if last else ""
    return (
        f'<svg class="kpi-spark" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'aria-hidden="true"><path d="{lines}"/>{dot}</svg>'
    )


def _card_html(card: Card) -> str:
    lines = [
        *((line, "kpi-change") for line in card.change),
        (card.judged, "kpi-verdict"),
        (card.interval, "kpi-interval"),
        (card.note, "kpi-card-note"),
    ]
    unit = f' <span class="kpi-unit">{escape(card.unit)}</span>' if card.unit else ""
    mark = f' <span class="kpi-provisional">{escape(card.mark)}</span>' if card.mark else ""
    rest = "".join(f'<p class="{name}">{escape(line)}</p>' for line, name in lines if line)
    return (
        f'<div class="kpi-card" data-kpi="{escape(card.kpi)}" data-verdict="{escape(card.verdict)}" '
        f'data-status="{escape(card.status)}"><p class="kpi-title">{escape(card.title)}{mark}</p>'
        f'<p class="kpi-value">{escape(card.value)}{unit}</p>{sparkline(card.trend)}{rest}</div>'
    )


def _card_text(card: Card) -> str:
    value = f"{card.value} {card.unit}".strip() + (f" ({card.mark})" if card.mark else "")
    return " | ".join(part for part in (f"{card.title}: {value}", *card.change, card.judged, card.note) if part)


def _definition_html(entry: Definition) -> str:
    details = "".join(f'<dd class="kpi-detail">{escape(label)} {escape(text)}</dd>' for label, text in entry.details)
    meta = f'<dd class="kpi-meta">{escape(entry.meta)}</dd>' if entry.meta else ""
    return f'<dt>{escape(entry.term)}</dt><dd class="kpi-summary">{escape(entry.summary)}</dd>{details}{meta}'


def _side(column: Column) -> str:
    return ' class="kpi-left"' if column.align == "left" else ""

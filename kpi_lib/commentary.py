"""The analysts' commentary on a period, params/periods/2024-05.md: Markdown whose `{nps}` is the current figure.

A section is for the notebook that its heading names; what stands before the first heading is for the executive summary.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from kpi_lib import insight
from kpi_lib.errors import ParamsError, did_you_mean
from kpi_lib.insight import About, Row
from kpi_lib.kpi import addresses
from kpi_lib.kpis import registry
from kpi_lib.language import language, message, speak
from kpi_lib.params import Params
from kpi_lib.period import Period
from kpi_lib.units import NONE, change
from kpi_lib.wording import WHY_NONE

LABEL = message("Comment of the analysts")
SUMMARY = "executive_summary"
BRACES = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|\{")
PLACEHOLDER = re.compile(r"(?P<kpi>[^\s=]+)(?: (?P<reading>[^=]+?))??(?: (?P<cut>[^\s=]+) ?= ?(?P<member>.+))?")
HEADING = re.compile(r" {0,3}(#{1,6})[ \t](.*)")
FENCE = re.compile(r" {0,3}(```|~~~)")
CODE = r"^ {0,3}(?P<fence>```|~~~).*?(?:^ {0,3}(?P=fence)|\Z)|(?P<ticks>`+)(?!`)(?:(?!\n\n).)+?(?<!`)(?P=ticks)(?!`)"
LEFT_ALONE = re.compile(rf"{CODE}|\\.|<(?:https?://|mailto:)[^\s<>]*>|(?P<tag><)", re.DOTALL | re.MULTILINE)
TARGET = re.compile(r"(?:\]\(|^ {0,3}\[[^\]\n]+\]:)\s*<?(?P<scheme>[a-z][a-z0-9+.-]*):", re.IGNORECASE | re.MULTILINE)
SCHEMES = ("http", "https", "mailto")


@dataclass(frozen=True)
class Comment:
    """A section ready to be shown, as Markdown: pages and JupyterLab print it as they print a text cell."""

    markdown: str

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/markdown": self.markdown, "text/plain": self.markdown}


@dataclass(frozen=True)
class Placeholder:
    """What stands between two braces: a KPI's address, which of its readings, and perhaps a member of a cut."""

    kpi: str
    reading: str
    cut: str | None
    member: str | None


@dataclass(frozen=True)
class Section:
    """What is said in one notebook: its Markdown as written, and the line of the file that it begins on."""

    path: Path
    line: int
    text: str

    def where(self, offset: int) -> str:
        """Return file and line of a place in the text."""
        return _where(self.path, self.line + self.text.count("\n", 0, offset))

    def placeholders(self) -> Iterator[tuple[Placeholder, str]]:
        """Yield what the section asks for and where, all names checked."""
        for found in BRACES.finditer(self.text):
            if found[0] not in ("{{", "}}"):
                where = self.where(found.start())
                yield _checked(found, where), where

    def filled(self, now: pd.DataFrame, about: About) -> Comment:
        """Return the section with the figures of the period's rows in it; a member that is not there is an error."""
        asked = iter(list(self.placeholders()))

        def figure(found: re.Match[str]) -> str:
            return found[0][0] if found[0] in ("{{", "}}") else _figure(*next(asked), now, about)

        text = _as_text(BRACES.sub(figure, self.text))
        lines = (f"**{speak(about).say(LABEL)}**", "", *text.strip().splitlines())
        return Comment("\n".join(f"> {line}".rstrip() for line in lines))


def read(params: Params, period: Period) -> dict[str, Section]:
    """Return the sections of a period's commentary by notebook, every name in them checked; none without a file."""
    path = params.commentary(period)
    if path is None:
        return {}
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ParamsError(f"not readable as UTF-8 text: {error.reason}", where=_where(path)) from None
    sections: dict[str, Section] = {}
    for line, heading, body in _split(text):
        where = _where(path, line)
        notebook = _notebook(heading, params, where)
        if notebook in sections:
            raise ParamsError(f"there are two sections for {notebook}", where=where)
        sections[notebook] = Section(path, line + bool(heading), body)
    for section in sections.values():
        if found := next(
            (link for link in TARGET.finditer(section.text) if link["scheme"].lower() not in SCHEMES), None
        ):
            wrong = f"a link cannot lead to {found['scheme']!r}, only to {', '.join(SCHEMES)}"
            raise ParamsError(wrong, where=section.where(found.start("scheme")))
        list(section.placeholders())
    return sections


def check(sections: Mapping[str, Section], frame: pd.DataFrame, about: About) -> None:
    """Refuse a placeholder that the scorecard has no row for, before a notebook runs."""
    now = frame[frame["period"] == about["period"]]
    for section in sections.values():
        section.filled(now, about)


def shown_in(sections: Mapping[str, Section], notebook: Path, given: Iterable[Any]) -> str:
    """Return what is said in a notebook's own section and in those that its code, or what it is `given`, names."""
    try:
        code = _sources("code", notebook)
    except (OSError, ValueError, LookupError):  # it will be told when it is run
        code = ""
    named = f"{notebook.stem} {code} {json.dumps(list(given), default=str)}"
    if re.search(r"\.commentary\(\s*\)", code):
        named += SUMMARY
    return "\n".join(section.text for name, section in sections.items() if name in named)


def unshown(sections: Mapping[str, Section], params: Params) -> list[str]:
    """Return a line for each section whose notebook has no cell that shows it."""
    missing = {}
    for name in sections:
        asks = rf"\.commentary\(\s*(['\"]{name}['\"]\s*){'?' if name == SUMMARY else ''}\)"
        if not re.search(asks, _sources("code", params.notebook(name))):
            missing[name] = "" if name == SUMMARY else f'"{name}"'
    return [
        f"{sections[name].where(0)}: this is not printed, as {name}.ipynb has no cell report.commentary({said})"
        for name, said in missing.items()
    ]


def _split(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield line, heading and body of each section; smaller headings become bold lines, as a page's own lead it."""
    line, heading, fenced = 1, "", ""
    body: list[str] = []
    for number, said in enumerate(text.splitlines(), start=1):
        if fence := FENCE.match(said):
            fenced = "" if fenced == fence[1] else fenced or fence[1]
        found = None if fenced else HEADING.fullmatch(said)
        if found and len(found[1]) <= 2:
            if heading or "".join(body).strip():
                yield line, heading, "\n".join(body)
            line, heading, body = number, _words(found), []
        else:
            body.append(f"**{_words(found)}**" if found else said)
    if heading or "".join(body).strip():
        yield line, heading, "\n".join(body)


def _words(heading: re.Match[str]) -> str:
    return heading[2].strip().rstrip("#").rstrip()


def _notebook(heading: str, params: Params, where: str) -> str:
    """Return the notebook that a heading names, by its file's name or its title."""
    names = [notebook.name for notebook in params.notebooks]
    if not heading:
        if SUMMARY in names:
            return SUMMARY
        raise ParamsError(f"text before the first heading is for {SUMMARY}, which is not in the report", where=where)
    known = {_plainly(name): name for name in names}
    if _plainly(heading) not in known:
        titles = {name: title for name in names if (title := _title(params.notebook(name)))}
        known |= {_plainly(language(params.language).say(title)): name for name, title in titles.items()}
        known |= {_plainly(title): name for name, title in titles.items()}
    if _plainly(heading) not in known:
        raise ParamsError(f"no notebook {heading!r} in the report{did_you_mean(heading, names)}", where=where)
    return known[_plainly(heading)]


def _plainly(name: str) -> str:
    return name.casefold().replace("_", " ").strip()


def _title(notebook: Path) -> str:
    """Return a notebook's first heading."""
    found = re.search(r"^#\s+(.+?)\s*$", _sources("markdown", notebook), re.MULTILINE)
    return found[1] if found else ""


def _sources(kind: str, notebook: Path) -> str:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == kind)


def _checked(found: re.Match[str], where: str) -> Placeholder:
    """Return a placeholder whose KPI, reading and cut exist."""
    if found[1] is None:
        raise ParamsError("a { has no }: write {{ for a brace", where=where)
    text = " ".join(found[1].split())
    if not (read := PLACEHOLDER.fullmatch(text)):
        wrong = (
            f"{{{text}}} is not understood: write {{nps}}, {{nps change}} or {{csat channel=chat}}, {{{{ for a brace"
        )
        raise ParamsError(wrong, where=where)
    kpis = {address: kpi for address, kpi, _ in addresses(registry())}
    kpi, reading, cut, member = read["kpi"], read["reading"] or "", read["cut"], read["member"]
    if kpi not in kpis:
        raise ParamsError(f"no KPI {kpi!r}{did_you_mean(kpi, kpis)}", where=where)
    if reading not in READINGS:
        raise ParamsError(f"{{{text}}}: no {reading!r}{did_you_mean(reading, filter(None, READINGS))}", where=where)
    table_cut = kpis[kpi].table_cut
    cuts = [*kpis[kpi].cuts, *([table_cut] if table_cut else [])]
    if cut and cut not in cuts:
        raise ParamsError(f"{kpi} has no cut {cut!r}{did_you_mean(cut, cuts)}", where=where)
    if table_cut and not cut:
        raise ParamsError(f"{kpi} has no total: write {{{kpi} {table_cut}=...}}", where=where)
    return Placeholder(kpi, reading, cut, member)


def _figure(asked: Placeholder, where: str, now: pd.DataFrame, about: About) -> str:
    """Return a placeholder's figure as pages print it."""
    of_cut = now[(now["kpi"] == asked.kpi) & (now["cut"] == asked.cut if asked.cut else now["cut"].isna())]
    rows = of_cut[of_cut["member"] == asked.member] if asked.cut else of_cut
    if rows.empty:
        hint = did_you_mean(str(asked.member), of_cut["member"].dropna())
        what = f"{asked.cut} {asked.member!r}" if asked.cut else "number"
        raise ParamsError(f"{asked.kpi} has no {what} in {about['period_label']}{hint}", where=where)
    row = rows.to_dict("records")[0]
    if asked.reading == "target" and not insight.target(row, about):
        raise ParamsError(f"{asked.kpi} has no target", where=where)
    if row["status"] != "ok" and asked.reading not in ("target", "n"):
        return f"{NONE} ({speak(about).say(WHY_NONE[row['status']])})"
    return READINGS[asked.reading](row, about) or NONE


def _now(row: Row, about: About) -> str:
    said = insight.value(row, about)
    return speak(about).say("{value} (provisional)", value=said) if row["provisional"] else said


def _earlier(name: str) -> Callable[[Row, About], str]:
    return lambda row, about: insight.number(row[name], row, about)


def _change(since: str) -> Callable[[Row, About], str]:
    return lambda row, about: change(
        row["value"], _number(row[since]), row["unit"], about["currency"], language=speak(about)
    )


def _count(row: Row, about: About) -> str:
    return "" if pd.isna(row["n"]) else speak(about).number(row["n"])


READINGS: dict[str, Callable[[Row, About], str]] = {
    "": _now,
    "before": _earlier("previous"),
    "last year": _earlier("year_ago"),
    "change": _change("previous"),
    "change last year": _change("year_ago"),
    "target": insight.target,
    "interval": insight.interval,
    "n": _count,
}


def _number(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)


def _as_text(markdown: str) -> str:
    """Return Markdown in which HTML is text to every reader of Markdown."""
    return LEFT_ALONE.sub(lambda found: "\\<" if found["tag"] else found[0], markdown)


def _where(path: Path, line: int | None = None) -> str:
    short = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    return f"{short}:{line}" if line else str(short)

"""A scorecard in another language: the names and meanings of its KPIs, in place of the English ones."""

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import pandas as pd

from kpi_lib.errors import UnknownNameError
from kpi_lib.kpi import filled, find
from kpi_lib.kpis import registry
from kpi_lib.language import Language, forms, language, message
from kpi_lib.period import Period

REASONS = (  # for which a fact or a KPI does not count a row, a table leaves it out, or a notebook stopped
    message("answered without an invitation"),
    message("bot"),
    message("deleted"),
    message("duplicate"),
    message("effort on another scale"),
    message("history shorter than a year"),
    message("merged into another"),
    message("not initiated by a customer"),
    message("not yet observed long enough"),
    message("spam"),
    message("test"),
    message("unknown customer"),
    message("after the extract"),
    message("exact duplicate"),
    message("before 1990"),
    message("left out for other reasons"),
    message("the kernel died (often: out of memory)"),
    message("the cell ended, but what it printed did not arrive in time (often: very much of it)"),
)
FINDINGS = (  # of the contract's checks, of identities and of runs, as templates of what these make of names
    message("{column} is an unset clock"),
    message("{column} is empty"),
    message("{column} is negative"),
    message("{column} is one of {words}"),
    message("more than {share} of such rows stop the run"),
    message("{identity}: not so in {period} ({one} against {other})"),
    message("the cell ran for more than {seconds} s and was stopped"),
)
PARTS = ("summary", "formula", "differs")
_WATCHED = forms("{anchor}, each watched for {count} day", "{anchor}, each watched for {count} days")
_ANCHOR = re.compile(r"(?P<anchor>.*?)(?:, each watched for (?P<days>\d+) days)?")
_DERIVED = "derived from "
_SPOKEN: Mapping[str, Callable[[str, Language], str]] = {  # what is said of a finding's parts; any other is a name
    "identity": lambda said, to: to.say(said),
    "period": lambda said, to: to.period(Period.parse(said)),
    "one": lambda said, to: _number(said, to),
    "other": lambda said, to: _number(said, to),
    "share": lambda said, to: to.percent(float(said.removesuffix("%")), 0),
    "words": lambda said, to: to.joined(said.split(", ")),
    "seconds": lambda said, to: _number(said, to),
}


def localised(frame: pd.DataFrame, about: Mapping[str, Any], code: str) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return a scorecard's rows and what it says about them with all texts of declarations in a language.

    Addresses, anchors, cuts, members and figures of the rows stay as they are, as numbers are judged by them. What a
    notebook declares stays in its author's language. A KPI that is derived from others names their titles.
    """
    told, to = dict(about) | {"language": code}, language(code)
    told["kpis"] = {
        address: dict(said) | {"anchor": _anchor(said["anchor"], about["kpis"], to)}
        for address, said in about["kpis"].items()
    }
    if code == "en":
        return frame, told
    titles = {title: to.named(title) for title in frame["title"].dropna().unique()}
    frame = frame.assign(title=frame["title"].map(titles))
    told["families"] = {name: to.say(title) for name, title in about["families"].items()}
    told["kpis"] = {address: _kpi(address, said, to) for address, said in told["kpis"].items()}
    return frame, told


def told(text: str, to: Language) -> str:
    """Return in words a reason, or what a check or an identity found; a mapping's own words stay as they are."""
    if found := finding(text):
        template, parts = found
        spoken = {name: _SPOKEN[name](said, to) for name, said in parts.items() if name in _SPOKEN}
        return to.say(template, **parts | spoken)
    return to.say(text)


def _number(text: str, to: Language) -> str:
    """Return a number as Python writes it, such as `1,234.5`, as a language does, with as many decimals."""
    _, _, decimals = text.partition(".")
    return to.number(float(text.replace(",", "")), len(decimals) if "e" not in text else 0)


def finding(text: str) -> tuple[str, dict[str, str]] | None:
    """Return which of the `FINDINGS` a text is, and the names in it."""
    found = ((template, _pattern(template).fullmatch(text)) for template in FINDINGS)
    return next(((template, parts.groupdict()) for template, parts in found if parts), None)


@cache
def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+)", re.escape(template)))


def _kpi(address: str, said: Mapping[str, Any], to: Language) -> dict[str, Any]:
    try:
        kpi, reading = find(address, registry())
    except UnknownNameError:
        return dict(said)
    short = to.say(said["short"])
    told = dict(said) | {"english": said["title"], "title": to.named(said["title"]), "short": short}
    for part in PARTS:
        told[part] = filled(to.say(text), said.get("given", {})) if (text := kpi.document.get(part)) else ""
    if reading:
        told["summary"] = f"{told['title']}."
    return told


def _anchor(text: str, kpis: Mapping[str, Any], to: Language) -> str:
    """Return in words what puts a row in a period; its English is made of a few parts."""
    if text.startswith(_DERIVED):
        parents = [kpis.get(name, {}).get("title", name) for name in text.removeprefix(_DERIVED).split(" and ")]
        return to.say("derived from {kpis}", kpis=to.listed([to.named(title) for title in parents]))
    found = _ANCHOR.fullmatch(text)
    assert found
    anchor, days = to.say(found["anchor"]), found["days"]
    return to.many(*_WATCHED, int(days), anchor=anchor) if days else anchor

"""A scorecard in another language: the names and meanings of its KPIs, in place of the English ones."""

import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from kpi_lib.errors import UnknownNameError
from kpi_lib.kpi import filled, find
from kpi_lib.kpis import registry
from kpi_lib.language import Language, forms, language

PARTS = ("summary", "formula", "differs")
_WATCHED = forms("{anchor}, each watched for {count} day", "{anchor}, each watched for {count} days")
_ANCHOR = re.compile(r"(?P<anchor>.*?)(?:, each watched for (?P<days>\d+) days)?")
_DERIVED = "derived from "


def localised(frame: pd.DataFrame, about: Mapping[str, Any], code: str) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return a scorecard's rows and what it says about them with all texts of declarations in a language.

    Addresses, cuts, members and figures stay as they are. What a notebook declares stays in its author's language.
    """
    told = dict(about) | {"language": code}
    if code == "en":
        return frame, told
    to = language(code)
    titles = {title: to.named(title) for title in frame["title"].dropna().unique()}
    anchors = {anchor: _anchor(anchor, to) for anchor in frame["anchor"].dropna().unique()}
    frame = frame.assign(title=frame["title"].map(titles), anchor=frame["anchor"].map(anchors))
    told["families"] = {name: to.say(title) for name, title in about["families"].items()}
    told["kpis"] = {address: _kpi(address, said, to) for address, said in about["kpis"].items()}
    return frame, told


def _kpi(address: str, said: Mapping[str, Any], to: Language) -> dict[str, Any]:
    try:
        kpi, reading = find(address, registry())
    except UnknownNameError:
        return dict(said)
    short = to.say(said["short"])
    told = dict(said) | {"title": to.named(said["title"]), "short": short, "anchor": _anchor(said["anchor"], to)}
    for part in PARTS:
        told[part] = filled(to.say(text), said.get("given", {})) if (text := kpi.document.get(part)) else ""
    if reading:
        told["summary"] = f"{told['title']}."
    return told


def _anchor(text: str, to: Language) -> str:
    """Return in words what puts a row in a period; its English is made of a few parts."""
    if text.startswith(_DERIVED):
        kpis = [registry()[name].title if name in registry() else name for name in text[len(_DERIVED) :].split(" and ")]
        return to.say("derived from {kpis}", kpis=to.listed([to.say(title) for title in kpis]))
    found = _ANCHOR.fullmatch(text)
    assert found
    anchor, days = to.say(found["anchor"]), found["days"]
    return to.many(*_WATCHED, int(days), anchor=anchor) if days else anchor

"""Letters that a drawing has as outlines, as Arabic ones must be: finely enough for paper, and once in a file."""

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pikepdf

FINE = 8  # matplotlib's units a step: a step is 1/800 of the letters' size
WORTH = 1000  # characters saved, for which an outline is put in a place of its own
ROOM = 100  # around an outline's points, in its own small steps
_LETTER = re.compile(r'(<path id="[^"]+" d=")([MLQz\d\s.-]+)(" transform="scale\()0\.015625(\)")')
_NUMBER = re.compile(r"-?\d[\d.]*")
_FILLED = re.compile(rb"(?<= scn )[-\d. \nmlch]+?\nf(?=\nQ)")  # a path of lines and curves, in the colour before it
_COORDINATES = re.compile(rb"-?[\d.]+")


def coarser(svg: str) -> str:
    """Return an SVG of matplotlib's with the outlines of its letters on a coarser grid, and shorter by a third."""
    return _LETTER.sub(lambda found: f"{found[1]}{_NUMBER.sub(_step, found[2])}{found[3]}{FINE / 64}{found[4]}", svg)


def _step(number: re.Match[str]) -> str:
    return str(round(float(number[0]) / FINE))


def shared(opened: "pikepdf.Pdf") -> None:
    """Let the pages of a PDF draw each outline that comes often from one place, not write it out each time."""
    import pikepdf

    for page in opened.pages:
        page.contents_coalesce()
    contents = [page.Contents.read_bytes() for page in opened.pages]
    times = Counter(outline for content in contents for outline in _FILLED.findall(content))
    often = [outline for outline, count in times.items() if (count - 1) * len(outline) > WORTH]
    names = {outline: f"/Letter{number}" for number, outline in enumerate(often)}
    forms = {outline: opened.make_stream(outline, _form(outline)) for outline in often}
    calls = {outline: f"{name} Do".encode() for outline, name in names.items()}
    for page, content in zip(opened.pages, contents, strict=True):
        used = {names[outline]: forms[outline] for outline in _FILLED.findall(content) if outline in names}
        if used:
            page.Contents = opened.make_stream(_FILLED.sub(lambda found: calls.get(found[0], found[0]), content))
            page.resources.XObject = pikepdf.Dictionary(dict(page.resources.get("/XObject", {}).items()) | used)


def _form(outline: bytes) -> dict[str, Any]:
    """Return what describes an outline as a thing to be drawn: how far it reaches, with room around it."""
    import pikepdf

    numbers = [float(number) for number in _COORDINATES.findall(outline)]
    across, up = numbers[::2], numbers[1::2]
    return {
        "/Type": pikepdf.Name.XObject,
        "/Subtype": pikepdf.Name.Form,
        "/BBox": [min(across) - ROOM, min(up) - ROOM, max(across) + ROOM, max(up) + ROOM],
        "/Resources": pikepdf.Dictionary(),
    }

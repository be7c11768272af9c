"""Figures in the HTML page: drawings as part of it, in its own fonts and found by its search; others as images."""

import re
from base64 import b64encode
from html import escape
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree

from kpi_lib.publish.page import Block

DRAWN = {
    "svg",
    "g",
    "defs",
    "clipPath",
    "path",
    "use",
    "rect",
    "circle",
    "line",
    "polyline",
    "polygon",
    "text",
    "tspan",
}
MATPLOTLIB_STYLE = "*{stroke-linejoin: round; stroke-linecap: butt}"
HREF = "{http://www.w3.org/1999/xlink}href"
SHAPE = {"id", "d", "transform"}  # what a letter's outline has
LOCAL = re.compile(r"url\(#([\w.-]+)\)")


def html(figure: Block, number: int, shapes: dict[str, str] | None = None) -> str:
    """Return a figure with its words; `number` tells its inner names from those of the page's other figures.

    `shapes` are those that the page's figures have in common, by what they are: each stands on the page once.
    """
    alt, known = escape(figure.data["alt"]), {} if shapes is None else shapes
    if figure.data["format"] == "svg" and (drawing := _drawing(figure.data["body"], number, known)):
        return f'<svg class="picture svg" role="img" aria-label="{alt}"{drawing}'
    return f'<img class="picture {figure.data["format"]}" alt="{alt}" src="{data_uri(figure)}">'


def data_uri(picture: Block | Path) -> str:
    """Return a figure, or a picture in a file, as an address that holds it."""
    if isinstance(picture, Path):
        kind, body = (
            {".svg": "image/svg+xml", ".png": "image/png"}.get(picture.suffix, "image/jpeg"),
            picture.read_bytes(),
        )
    else:
        kind, body = picture.data["mime"], picture.data["body"]
    if kind == "image/svg+xml":
        return f"data:{kind}," + quote(body, safe=" =:/;,()'!*+?@-._~")
    return f"data:{kind};base64,{b64encode(body).decode()}"


def _drawing(body: bytes, number: int, shapes: dict[str, str]) -> str:
    """Return an SVG after its opening `<svg`, with names of its own; empty when it is more than lines and letters."""
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError:
        return ""
    for parent in list(root.iter()):
        for child in list(parent):
            if _name(child) == "style" and (child.text or "").strip() == MATPLOTLIB_STYLE:
                parent.remove(child)
    for element in root.iter():
        element.tag = _name(element)
        if HREF in element.attrib:
            element.set("href", element.attrib.pop(HREF))
        if element.tag not in DRAWN or not element.get("href", "#").startswith("#"):
            return ""
        if any("}" in key or key.lower().startswith("on") for key in element.attrib):
            return ""
        for key, value in element.attrib.items():
            element.set(key, _named(key, value, f"f{number}-"))
    _share(root, shapes)
    width, height = (re.sub(r"[a-z]+$", "", root.attrib.pop(side, "")) for side in ("width", "height"))
    if "viewBox" not in root.attrib and width and height:
        root.set("viewBox", f"0 0 {width} {height}")
    for ours in ("class", "role", "aria-label"):
        root.attrib.pop(ours, None)
    return ElementTree.tostring(root, encoding="unicode").removeprefix("<svg")


def _share(root: ElementTree.Element, shapes: dict[str, str]) -> None:
    """Take out shapes, such as letters, that an earlier drawing of the page has, and use those."""
    same: dict[str, str] = {}
    for defs in list(root.iter("defs")):
        for shape in [each for each in defs if each.tag == "path" and set(each.attrib) == SHAPE]:
            name, what = shape.attrib["id"], f"{shape.attrib['d']} {shape.attrib['transform']}"
            if shapes.setdefault(what, name) != name:
                same[f"#{name}"] = f"#{shapes[what]}"
                defs.remove(shape)
    for use in root.iter("use"):
        use.set("href", same.get(use.get("href", ""), use.get("href", "")))


def _name(element: ElementTree.Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _named(key: str, value: str, prefix: str) -> str:
    """Return an attribute with the drawing's inner names made the page's own."""
    if key == "id":
        return prefix + value
    return f"#{prefix}{value[1:]}" if key == "href" else LOCAL.sub(rf"url(#{prefix}\1)", value)

"""Letters that a drawing has as outlines, as Arabic ones must be: written as finely as paper shows, and no finer."""

import re
from collections.abc import Iterator

FINE = 8  # matplotlib's units a step: a step is 1/512 of the letters' size
_LETTER = re.compile(r'(<path id="[^"]+" d=")([MLQz\d\s.-]+)(" transform="scale\()0\.015625(\)")')
_STEP = re.compile(r"([MLQz])([^MLQz]*)")


def coarser(svg: str) -> str:
    """Return an SVG of matplotlib's with the outlines of its letters on a coarser grid, and about half as long."""
    return _LETTER.sub(lambda found: f"{found[1]}{''.join(_steps(found[2]))}{found[3]}{FINE / 64}{found[4]}", svg)


def _steps(outline: str) -> Iterator[str]:
    """Yield the steps of an outline; a quadratic curve becomes a cubic one, which a PDF can hold as it is."""
    x = y = 0.0
    for kind, numbers in _STEP.findall(outline):
        given = [float(number) / FINE for number in numbers.split()]
        if kind == "Q":
            (middle_x, middle_y), (new_x, new_y) = given[:2], given[2:]
            first = (x + 2 * (middle_x - x) / 3, y + 2 * (middle_y - y) / 3)
            second = (new_x + 2 * (middle_x - new_x) / 3, new_y + 2 * (middle_y - new_y) / 3)
            yield "C" + " ".join(f"{round(number)}" for number in (*first, *second, new_x, new_y))
        else:
            yield kind + " ".join(f"{round(number)}" for number in given)
        if given:
            x, y = given[-2:]

"""From notebooks to pages: run them, print them as HTML and PDF, and swap the period's folder in whole.

This layer knows no KPI. It runs any notebook; one that has a `parameters` cell can be told things.
"""

from kpi_lib.publish.build import Outcome, Prepared, build, standing
from kpi_lib.publish.execute import LONGEST, Chapter
from kpi_lib.publish.kernels import engine
from kpi_lib.publish.progress import Progress
from kpi_lib.publish.render import TITLE, Book
from kpi_lib.publish.stage import AUDIENCES

__all__ = [
    "AUDIENCES",
    "LONGEST",
    "TITLE",
    "Book",
    "Chapter",
    "Outcome",
    "Prepared",
    "Progress",
    "build",
    "engine",
    "standing",
]

"""The table behind a figure: the same rows of the scorecard as texts, for those who want the numbers."""

import pandas as pd

from kpi_lib import charts, insight
from kpi_lib.display import Column, Table
from kpi_lib.insight import About, Row
from kpi_lib.period import Period

_NOTES = {"small_sample": "too few cases", "undefined": "nothing to measure", "not_estimable": "not known yet"}


def trend(frame: pd.DataFrame, about: About) -> Table:
    """Return a KPI's periods as a table, the latest first."""
    rows = frame.to_dict("records")[::-1]
    return _table(str(rows[0]["title"]), "Period", [(Period.parse(row["period"]).label, row) for row in rows], about)


def by(frame: pd.DataFrame, about: About) -> Table:
    """Return the members of a cut as a table, in the order of the figure and with those that it leaves out."""
    drawn, _ = charts.arranged(frame)
    rows = pd.concat([drawn, frame.drop(drawn.index)]).to_dict("records")
    head = str(rows[0]["cut"]).replace("_", " ").capitalize()
    return _table(insight.title_by(rows[0]), head, [(str(row["member"]), row) for row in rows], about)


def _table(caption: str, head: str, named: list[tuple[str, Row]], about: About) -> Table:
    """Return rows with value, interval and number of cases; columns that hold nothing are left out."""
    labels = [Column(head, "left"), Column("Value"), Column("95% interval"), Column("n"), Column("Note", "left")]
    lines = [
        [name, insight.value(row, about), insight.interval(row, about), _cases(row), _note(row)] for name, row in named
    ]
    kept = [place for place in range(len(labels)) if place < 2 or any(line[place] for line in lines)]
    return Table(caption, [labels[place] for place in kept], [[line[place] for place in kept] for line in lines])


def _cases(row: Row) -> str:
    """Return the number of cases; a count is its own."""
    return "" if row["unit"] == "count" or pd.isna(row["n"]) else f"{float(row['n']):,.0f}"


def _note(row: Row) -> str:
    if row["status"] == "ok":
        return "provisional" if row["provisional"] else ""
    return _NOTES.get(row["status"], str(row["status"]).replace("_", " "))

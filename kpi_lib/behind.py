"""The table behind a figure: the same rows of the scorecard as texts, for those who want the numbers."""

from collections.abc import Sequence

import pandas as pd

from kpi_lib import charts, insight
from kpi_lib.captions import short
from kpi_lib.display import Column, Table
from kpi_lib.events import marks
from kpi_lib.insight import About, Row
from kpi_lib.language import speak
from kpi_lib.parts import count, headed
from kpi_lib.period import Period
from kpi_lib.wording import WHY_NONE


def trend(frame: pd.DataFrame, about: About) -> Table:
    """Return a KPI's periods as a table, the latest first."""
    to, rows = speak(about), frame.to_dict("records")[::-1]
    named = [(to.period(Period.parse(row["period"])), row) for row in rows]
    marked = marks(frame, about)
    told = [
        to.semicolon.join(mark.said for mark in marked if mark.first <= place <= mark.last)
        for place in reversed(range(len(frame)))
    ]
    return _table(str(rows[0]["title"]), to.say("Period"), named, about, told)


def by(frame: pd.DataFrame, about: About) -> Table:
    """Return the members of a cut as a table, in the order of the figure and with those that it leaves out."""
    drawn, _ = charts.arranged(frame)
    rows = pd.concat([drawn, frame.drop(drawn.index)]).to_dict("records")
    to = speak(about)
    named = [(to.member(row["cut"], row["member"]), row) for row in rows]
    return _table(insight.title_by(rows[0], about), headed(rows[0]["cut"], to), named, about)


def steps(rows: Sequence[Row], about: About) -> Table:
    """Return the steps from the first number to what is left as a table, in their order."""
    to = speak(about)
    caption = to.say("From {title} to what is left", title=rows[0]["title"])
    return _table(caption, to.say("Step"), [(short(row["kpi"], about), row) for row in rows], about)


def together(frames: Sequence[pd.DataFrame], about: About) -> Table:
    """Return KPIs by the members of one cut as a table: for each KPI value, interval and number of cases."""
    to, lines, cut = speak(about), dict[str, list[str]](), str(frames[0]["cut"].iloc[0])
    columns = [Column(headed(cut, to), "left")]
    for frame in frames:
        rows: dict[str, Row] = {str(row["member"]): row for row in frame.to_dict("records")}
        alone = frame["low"].isna().all()  # a count has no interval, and is its own number of cases
        title = str(frame["title"].iloc[0])
        columns += [Column(title), *([] if alone else [Column(to.say("95% interval")), Column("n")])]
        for member in dict.fromkeys([*lines, *rows]):
            row = rows.get(member)
            said = [insight.value(row, about), insight.interval(row, about), _cases(row, about)] if row else [""] * 3
            line = lines.setdefault(member, [""] * (len(columns) - (2 if alone else 4)))
            line += said[:1] if alone else said
    caption = to.listed(list(dict.fromkeys(str(frame["title"].iloc[0]) for frame in frames)))
    return Table(caption, columns, [[to.member(cut, member), *line] for member, line in lines.items()])


def _table(
    caption: str, head: str, named: list[tuple[str, Row]], about: About, told: Sequence[str] | None = None
) -> Table:
    """Return rows with value, interval, number of cases and, beside that, what is `told` of each.

    Columns that hold nothing are left out.
    """
    to = speak(about)
    labels = [
        Column(head, "left"), Column(to.say("Value")), Column(to.say("95% interval")), Column("n"),
        Column(to.say("Note"), "left"),
    ]  # fmt: skip
    lines = [
        [name, insight.value(row, about), insight.interval(row, about), _cases(row, about), _note(row, about, event)]
        for (name, row), event in zip(named, told or [""] * len(named), strict=True)
    ]
    kept = [place for place in range(len(labels)) if place < 2 or any(line[place] for line in lines)]
    return Table(caption, [labels[place] for place in kept], [[line[place] for place in kept] for line in lines])


def _cases(row: Row, about: About) -> str:
    """Return the number of cases; a count is its own."""
    return "" if row["unit"] == "count" else count(row["n"], speak(about))


def _note(row: Row, about: About, told: str) -> str:
    to = speak(about)
    if row["status"] == "ok":
        own = to.say("provisional") if row["provisional"] else ""
    else:
        own = to.say(WHY_NONE[row["status"]])
    return to.semicolon.join(filter(None, (own, told)))

"""The sample company: twelve tables of an outfitter that never existed, the same bytes each time they are written.

Customers, subscriptions and purchases go back to the company's launch in 2019; the help desk, its costs and the leads
begin in FIRST_MONTH. The tables hold what the last nightly load before AS_OF brought. `STORIES` lists what was planted
in them, with true effects: the report is expected to find it. Modules: `clock` time, `customers` and `commerce` the
business, `staff`, `tickets`, `events` and `calls` the help desk, `feedback` surveys and reviews, `columns` Arrow.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from kpi_lib.errors import SourceError
from kpi_lib.sample import calls, commerce, customers, events, feedback, staff, tickets
from kpi_lib.sample.clock import AS_OF, END, FIRST_MONTH, LAST_MONTH
from kpi_lib.sample.stories import STORIES, Story, story

__all__ = ["AS_OF", "FIRST_MONTH", "LAST_MONTH", "NAME", "STORIES", "Story", "story", "write"]

NAME = "Kestrel Outfitters (sample)"


def tables(*, stories: bool = True) -> Iterator[tuple[str, pa.Table]]:
    """The twelve tables by name, with the rows that arrive late."""
    members = customers.company(stories)
    agents = staff.staff()
    desk = tickets.tickets_of(members, agents, stories)
    yield "customers", customers.customers(members)
    yield "subscriptions", customers.subscriptions(members, stories)
    yield "transactions", commerce.transactions(members)
    yield "tickets", tickets.tickets(desk, stories)
    yield "ticket_events", events.ticket_events(desk, agents)
    yield "calls", calls.calls(desk, members, agents, stories)
    yield "surveys", feedback.surveys(desk, members, stories)
    yield "qa_reviews", feedback.qa_reviews(desk)
    yield "costs", commerce.costs()
    yield "leads", commerce.leads(members)
    yield "agent_shifts", staff.agent_shifts(agents)
    yield "engagement_events", commerce.engagement_events(members)


def write(folder: Path, *, extract: str | None = None, stories: bool = True) -> None:
    """Write the twelve tables as Parquet files into a folder, all of them or none.

    `extract` is the day of the second extract, which brings the tickets that the first one misses.
    """
    second = story("late_tickets").details["extract"].isoformat()
    if extract not in (None, second):
        raise SourceError(f"there is no extract of {extract!r} of the sample company - accepted: {second}")
    staged = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(parents=True)
    try:
        for name, rows in tables(stories=stories):
            known = (
                rows
                if extract
                else rows.filter(
                    pc.less_equal(rows["loaded_at"], pa.scalar(END * 1_000_000).cast(rows["loaded_at"].type))
                )
            )
            pq.write_table(known, staged / f"{name}.parquet", compression="zstd", row_group_size=1 << 17)
        _move(staged, folder)
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _move(staged: Path, folder: Path) -> None:
    """Put the finished files where they belong; other files in the folder stay."""
    if not folder.exists():
        staged.rename(folder)
        return
    for file in sorted(staged.iterdir()):
        file.replace(folder / file.name)

"""What is known to have happened, on a trend: a letter at its period and, in words, what it was and when."""

from collections.abc import Mapping
from dataclasses import dataclass
from string import ascii_lowercase
from typing import Any

import pandas as pd

from kpi_lib.language import Language, speak
from kpi_lib.period import Period
from kpi_lib.settings import Event


@dataclass(frozen=True)
class Mark:
    """An event on a trend: its letter, the places of its first and last period there, and its words."""

    letter: str
    first: int
    last: int
    said: str


def marks(frame: pd.DataFrame, about: Mapping[str, Any]) -> list[Mark]:
    """Return the events that bear on a KPI's periods, oldest first; what happened before or after them is left out.

    An event that is told of a KPI is one of its companions too. `frame` has the KPI's total rows, oldest first.
    """
    kpi, to = str(frame["kpi"].iloc[0]), speak(about)
    names, periods = {kpi, kpi.partition(".")[0]}, [Period.parse(period) for period in frame["period"]]
    found: list[Mark] = []
    for event in sorted(about.get("events", ()), key=lambda event: event.first):
        within = [
            place
            for place, period in enumerate(periods)
            if period.first_day <= event.last and event.first <= period.last_day
        ]
        if within and (event.kpis is None or names & set(event.kpis)):
            times, place = divmod(len(found), len(ascii_lowercase))
            letter = ascii_lowercase[place] * (times + 1)
            said = to.say("{letter}: {event} ({when})", letter=letter, event=event.text, when=_when(event, to))
            found.append(Mark(letter, within[0], within[-1], said))
    return found


def _when(event: Event, to: Language) -> str:
    if event.day:
        first, last = to.day(event.first), to.day(event.last)
    else:
        first, last = (to.period(Period.containing(day)) for day in (event.first, event.last))
    return first if first == last else to.say("{first} – {last}", first=first, last=last)

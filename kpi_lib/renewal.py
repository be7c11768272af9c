"""A scorecard when settings have changed: what reads them is measured anew, the rest is kept, and all is judged again.

The definition of a KPI changes with every threshold, opening hour and rate of exchange that it reads. The company, its
time zone and its currency, which all numbers may depend on, are no settings in this sense.
"""

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from kpi_lib import consistency
from kpi_lib.about import about_kpis, definitions_of
from kpi_lib.compare import judged
from kpi_lib.facts.data import SLICE, WHOLE
from kpi_lib.kpi import Kpi, addresses, with_parents
from kpi_lib.kpis import registry
from kpi_lib.language import NO_MEMBER
from kpi_lib.params import Params
from kpi_lib.period import Period
from kpi_lib.scorecard import COLUMNS, Scorecard, ordered, tidy


def stale(about: Mapping[str, Any], params: Params) -> set[str]:
    """Return the declarations whose numbers in a scorecard, which says `about` itself, have another definition now."""
    before = {address: told["definition"] for address, told in about["kpis"].items()}
    return {name for name, now in definitions_of(registry(), params).items() if before.get(name) != now}


def renewed(card: Scorecard, params: Params, measure: Callable[[dict[str, Kpi]], Scorecard]) -> Scorecard:
    """Return the company's scorecard as these params make it of the same data; `measure` gives what is stale."""
    kpis, changed = registry(), stale(card.about, params)
    if changed:
        new = measure({name: kpis[name] for name in with_parents(changed, kpis)})
        card = _merged(card, new, {address for address, kpi, _ in addresses(kpis) if kpi.address in changed})
        card = measure(kpis) if _named_in_two_ways(card.frame) else card
    return judged_anew(card, params)


def judged_anew(card: Scorecard, params: Params) -> Scorecard:
    """Return a scorecard, of which nothing is stale, with the targets and in the language of these params."""
    part = (card.about.get("audience") or {}).get("where", {})
    frame = card.frame.assign(**{SLICE: next(iter(part.values()), WHOLE)})
    frame = tidy(judged(frame, params, Period.parse(card.period))[COLUMNS])
    known = card.about["kpis"]
    told = {address: known[address] | about for address, about in about_kpis(params, registry()).items()}
    return Scorecard(frame, card.about | {"kpis": told, "language": params.language})


def _merged(card: Scorecard, new: Scorecard, addresses: set[str]) -> Scorecard:
    """Return a scorecard of the company with the numbers at these addresses from another."""
    kept, measured = card.frame[~card.frame["kpi"].isin(addresses)], new.frame[new.frame["kpi"].isin(addresses)]
    frame = ordered(pd.concat([kept, measured], ignore_index=True), registry())
    about = {name: card.about[name] | new.about[name] for name in ("curves", "value")}
    identities = consistency.told(frame.assign(**{SLICE: WHOLE}), SLICE)[WHOLE]
    return Scorecard(frame, card.about | about | {"identities": identities})


def _named_in_two_ways(frame: pd.DataFrame) -> bool:
    """Whether pseudonyms differ in length, which is chosen so that no two of one measurement are the same."""
    agents = frame.loc[(frame["cut"] == "agent") & (frame["member"] != NO_MEMBER), "member"]
    return agents.str.len().nunique() > 1

"""The scorecard of one member of a cut, such as the customers of a segment, for the audience that may see no other.

All slices of a cut are measured by the same queries, one for each of them would be none more.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from kpi_lib import audiences, scorecard
from kpi_lib import source as sources
from kpi_lib.audiences import Audience
from kpi_lib.errors import ParamsError, did_you_mean
from kpi_lib.facts import FACTS, Data, NotAvailableError
from kpi_lib.facts.data import NotSlicedError, Slices
from kpi_lib.kpi import Kpi
from kpi_lib.kpis import registry
from kpi_lib.params import Params
from kpi_lib.period import Period
from kpi_lib.scorecard import Scorecard
from kpi_lib.suppression import is_hidden

OF_ONE_PERSON = "agent"


def check(params: Params, audience: Audience) -> None:
    """Refuse a slice by a cut that no fact has, or of one person; an error with file and line."""
    if audience.slice is None:
        return
    cut, known = audience.slice[0], {cut for fact in FACTS.values() for cut in fact.cuts} - {OF_ONE_PERSON}
    where = audiences.where(params, audience, "where", cut)
    if cut == OF_ONE_PERSON:
        raise ParamsError(f"audience {audience.name!r}: no report is made of one {cut}", where=where)
    if cut not in known:
        raise ParamsError(f"audience {audience.name!r}: no cut {cut!r}{did_you_mean(cut, known)}", where=where)


def sliced(
    source: sources.Source,
    params: Params,
    period: Period,
    those: Sequence[Audience],
    kpis: dict[str, Kpi] | None = None,
    *,
    cuts: bool = True,
) -> dict[str, Scorecard]:
    """Measure the slices of these audiences on an open source, by the audience's name.

    Audiences without a slice read the scorecard of the whole company and are not among them. A number that cannot be
    told of one member is `not_available`; the numbers of few are hidden (`kpi_lib.suppression`).
    """
    made: dict[str, Scorecard] = {}
    measured = registry() if kpis is None else kpis
    for cut, data in apart(source, params, period, those).items():
        cards = scorecard.apart(data, source, measured, cuts=cuts)
        for audience in those:
            if audience.slice and audience.slice[0] == cut:
                card = cards[audience.slice[1]]
                _check_member(audience, card, data, measured)
                made[audience.name] = _for(audience, card, params)
    return made


def build(params: Params, period: Period, audience: Audience, *, as_of: str | None = None) -> Scorecard:
    """Measure every KPI of one audience's slice, as the data stood at `as_of`."""
    scorecard.check(params)
    check(params, audience)
    return sliced(sources.open(params, as_of=as_of), params, period, [audience])[audience.name]


def apart(source: sources.Source, params: Params, period: Period, those: Sequence[Audience]) -> dict[str, Data]:
    """Return by cut the facts' view of an open source for the slices of these audiences."""
    members: dict[str, dict[str, None]] = {}
    for audience in those:
        check(params, audience)
        for cut, member in audience.where.items():
            members.setdefault(cut, {})[member] = None
    whole = scorecard.data(source, params, period.trailing(scorecard.TREND))
    return {cut: replace(whole, slices=Slices(cut, tuple(named))) for cut, named in members.items()}


def told(audience: Audience) -> dict[str, Any]:
    """Return what a scorecard says of the audience that it is for."""
    return {"name": audience.name, "where": audience.where, "language": audience.language}


def _for(audience: Audience, card: Scorecard, params: Params) -> Scorecard:
    """Return a slice's scorecard as an audience gets it."""
    frame = card.frame.assign(audience=audience.name)
    hidden = frame[is_hidden(frame) & frame["cut"].isna()]
    few = {(kpi.partition(".")[0], period) for kpi, period in zip(hidden["kpi"], hidden["period"], strict=True)}
    curves = {
        kpi: {period: curve for period, curve in drawn.items() if (kpi, period) not in few}
        for kpi, drawn in card.about["curves"].items()
    }
    about = card.about | {
        "audience": told(audience),
        "language": audience.language or params.language,
        "kpis": _with_reasons(card, next(iter(audience.where))),
        "checks": [{**check, "examples": []} for check in card.about["checks"]],
        "curves": {kpi: drawn for kpi, drawn in curves.items() if drawn},
        "value": {"spread": None, "holdout": None},
    }
    return Scorecard(frame, about)


def _with_reasons(card: Scorecard, cut: str) -> dict[str, Any]:
    """Return what is said of each KPI, with `unsliced`, the cut, of those that cannot be told of one member of it."""
    unsliced = (card.frame["method"] == str(NotSlicedError(cut))).groupby(card.frame["kpi"]).all()
    without = set(unsliced[unsliced].index)
    return {
        address: said | ({"unsliced": cut} if address in without else {})
        for address, said in card.about["kpis"].items()
    }


def _check_member(audience: Audience, card: Scorecard, data: Data, kpis: dict[str, Kpi]) -> None:
    """Refuse a member that the data does not have; the tables are searched only when nothing was measured of it."""
    if (card.frame["n"] > 0).any() or is_hidden(card.frame).any():
        return
    [(cut, member)] = audience.where.items()
    known = _members(data, kpis)
    if member not in known:
        message = f"audience {audience.name!r}: no {cut} {member!r} in the data{did_you_mean(member, known)}"
        raise ParamsError(message, where=audiences.where(data.params, audience, "where", cut))


def _members(data: Data, kpis: dict[str, Kpi]) -> set[str]:
    assert data.slices is not None
    found: list[pd.Series] = []
    for name in sorted({fact for kpi in kpis.values() for fact in kpi.facts}):
        try:
            table = data.fact_of_slices(name)
        except NotAvailableError:
            continue
        found.append(table.select(member=data.slices.column(table)).distinct().to_pandas()["member"])
    return set(pd.concat(found)) if found else set()

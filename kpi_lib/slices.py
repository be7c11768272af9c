"""The scorecard of one member of a cut, such as the customers of a segment, for the audience that may see no other.

Up to a hundred slices of a cut are counted by the same queries as one; scorecards are then made of a few at a time, so
that hundreds need no more memory than a hundred.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
from kpi_lib.memory import hand_back, uncollected
from kpi_lib.params import Params
from kpi_lib.period import Period
from kpi_lib.scorecard import Measured, Scorecard
from kpi_lib.suppression import is_hidden

OF_ONE_PERSON = "agent"
COUNTED_AT_ONCE = 100
AT_ONCE = 16


def check(params: Params, audience: Audience) -> None:
    """Refuse a slice by a cut that no fact has, or of one person; an error with file and line."""
    if audience.slice is None:
        return
    cut, known = audience.slice[0], {cut for fact in FACTS.values() for cut in fact.cuts} - {OF_ONE_PERSON}
    if cut == OF_ONE_PERSON:
        raise _mistake(params, audience, f"no report is made of one {cut}")
    if cut not in known:
        raise _mistake(params, audience, f"no cut {cut!r}{did_you_mean(cut, known)}")


def _mistake(params: Params, audience: Audience, message: str) -> ParamsError:
    where = audiences.where(params, audience, "where", next(iter(audience.where)))
    return ParamsError(f"audience {audience.name!r}: {message}", where=where)


def sliced(
    source: sources.Source,
    params: Params,
    period: Period,
    those: Sequence[Audience],
    kpis: dict[str, Kpi] | None = None,
) -> "Sliced":
    """Measure the slices of these audiences on an open source, by the audience's name.

    Audiences without a slice read the scorecard of the whole company and are not among them. A number that cannot be
    told of one member is `not_available`; the numbers of few are hidden (`kpi_lib.suppression`).
    """
    kpis = registry() if kpis is None else kpis
    by_cut = apart(source, params, period, those).items()
    return Sliced({cut: Cut(data, source, kpis) for cut, data in by_cut}, those)


@dataclass
class Cut:
    """The slices by a cut, counted when the first of them is asked for; `cards` are those of the last few."""

    data: Data
    source: sources.Source
    kpis: dict[str, Kpi]
    cards: dict[str, Scorecard] = field(default_factory=dict)
    _counted: tuple[str, ...] = ()
    _measured: Measured | None = None
    _failed: Exception | None = None

    def card(self, member: str) -> Scorecard:
        """Return the scorecard of a slice; those of the next few are made with it."""
        if member not in self.cards:
            self.cards = {}  # before others take their room
            measured = self._count(member)
            place = self._counted.index(member)
            with uncollected():
                self.cards = measured.cards(self._counted[place : place + AT_ONCE])
        return self.cards[member]

    def _count(self, member: str) -> Measured:
        """Return what is counted of a slice and of the next ones; what fails for one is not tried for each of them."""
        if self._failed and member in self._counted:
            raise self._failed
        if self._measured is None or member not in self._counted:
            assert self.data.slices
            members = self.data.slices.members
            place = members.index(member)
            self._measured, self._failed, self._counted = None, None, members[place : place + COUNTED_AT_ONCE]
            hand_back()  # what others took
            some = replace(self.data, slices=replace(self.data.slices, members=self._counted))
            try:
                self._measured = Measured(some, self.source, self.kpis, cuts=True)
            except Exception as error:
                self._failed = error
                raise
            hand_back()
        return self._measured


class Sliced(Mapping[str, Scorecard]):
    """The scorecards of audiences' slices by the audience's name, in the order in which they are quickest to read."""

    def __init__(self, by_cut: Mapping[str, Cut], those: Sequence[Audience]) -> None:
        self.cuts = by_cut
        self._audiences = {each.name: each for cut in by_cut for each in those if each.slice and each.slice[0] == cut}

    def __getitem__(self, name: str) -> Scorecard:
        audience = self._audiences[name]
        [(cut, member)] = audience.where.items()
        card = self.cuts[cut].card(member)
        _check_member(audience, card, self.cuts[cut])
        return _for(audience, card, self.cuts[cut].data.params)

    def __iter__(self) -> Iterator[str]:
        return iter(self._audiences)

    def __len__(self) -> int:
        return len(self._audiences)


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


def _check_member(audience: Audience, card: Scorecard, of_cut: Cut) -> None:
    """Refuse a member that the data does not have; the tables are searched only when nothing was measured of it."""
    if (card.frame["n"] > 0).any() or is_hidden(card.frame).any():
        return
    [(cut, member)] = audience.where.items()
    known = _members(of_cut.data, of_cut.kpis)
    if member not in known:
        raise _mistake(of_cut.data.params, audience, f"no {cut} {member!r} in the data{did_you_mean(member, known)}")


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

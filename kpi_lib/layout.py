"""Lays out what was fetched of some slices: a row for every member in every period, in the same way for all KPIs.

Places that several declarations need are found once. Keys are compared by their codes, which is faster than by text.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from kpi_lib.facts import Data
from kpi_lib.facts.data import SLICE, TOTAL
from kpi_lib.language import NO_MEMBER
from kpi_lib.scan import EXCLUDED, INDEX, Scan

SUMS = "sums"
Reasons = dict[tuple[str, str], dict[str, int]]  # by slice and period, how many rows were left out and why


@dataclass(frozen=True)
class Layout:
    """Where sums go in a table that has a row for every member in every period, and what its rows are of."""

    there: np.ndarray  # which of the sums are of the periods
    row: np.ndarray  # where these go
    levels: Mapping[str, pd.Index]
    codes: Mapping[str, np.ndarray]
    constants: pd.DataFrame

    def laid(self, sums: np.ndarray, columns: Sequence[str]) -> pd.DataFrame:
        """Return the sums in this layout, and what belongs to the period itself."""
        values = np.full((len(self.codes["period"]), len(columns)), np.nan)
        values[self.row] = sums[self.there]
        of_period = {name: given.to_numpy()[self.codes["period"]] for name, given in self.constants.items()}
        return pd.DataFrame(values, columns=list(columns)).assign(**of_period)

    @cached_property
    def keys(self) -> dict[str, np.ndarray]:
        """What each row is of, as plain texts; a total has no cut."""
        texts = {name: self.levels[name].to_numpy(object)[codes] for name, codes in self.codes.items()}
        texts["cut"][self._total] = texts["member"][self._total] = None
        return texts

    @cached_property
    def _total(self) -> np.ndarray:
        return np.asarray((self.levels["cut"] == TOTAL)[self.codes["cut"]])

    @cached_property
    def _of(self) -> np.ndarray:
        """Which slice and period each row is of, counted through."""
        return np.asarray(self.codes[SLICE] * len(self.levels["period"]) + self.codes["period"])

    def over_members(self, values: pd.Series) -> np.ndarray:
        """Return for each row the sum of its slice and period."""
        return np.bincount(self._of, values)[self._of]

    def beside_totals(self, texts: Mapping[tuple[str, str], str]) -> np.ndarray:
        """Return the text of each row's slice and period, None where it is no total."""
        made = np.full(len(self._of), None)
        keys = self.keys
        made[self._total] = [
            texts[key] for key in zip(keys[SLICE][self._total], keys["period"][self._total], strict=True)
        ]
        return made


@dataclass
class Fetched:
    """What the engine has added up of the data's slices."""

    data: Data
    _frames: dict[Any, pd.DataFrame] = field(default_factory=dict)
    _chosen: dict[Any, np.ndarray] = field(default_factory=dict)
    _layouts: dict[Any, Layout] = field(default_factory=dict)
    _left_out: dict[int, Reasons] = field(default_factory=dict)

    def of(self, scan: Scan, kind: str, cuts: Sequence[str] | None = None) -> pd.DataFrame:
        """Return what was fetched of the slices, in some cuts or in all."""
        if cuts is not None:
            return self.of(scan, kind).iloc[self._places(scan, kind, cuts)]
        if not self.data.slices:
            return scan.fetched[kind]
        key = id(scan), kind
        if key not in self._frames:
            frame = scan.fetched[kind]
            self._frames[key] = frame[_among(frame.index, SLICE, self.data.apart)]
        return self._frames[key]

    def _places(self, scan: Scan, kind: str, cuts: Sequence[str]) -> np.ndarray:
        """Return which rows are of some cuts; the rows themselves are not kept, as there are many cuts."""
        key = id(scan), kind, tuple(cuts)
        if key not in self._chosen:
            self._chosen[key] = np.flatnonzero(_among(self.of(scan, kind).index, "cut", cuts))
        return self._chosen[key]

    def laid(
        self, scan: Scan, cuts: Sequence[str], asked: Sequence[tuple[str, Mapping[str, str] | None]]
    ) -> tuple[Layout, pd.DataFrame]:
        """Return columns, by kind, of what was fetched of one fact, with their layout; all columns for None."""
        found = [(self.of(scan, kind), self._places(scan, kind, cuts), of) for kind, of in asked]
        key = id(scan), tuple(dict.fromkeys(kind for kind, _ in asked)), tuple(cuts)
        if key not in self._layouts:
            first, *others = (frame.index[places] for frame, places, _ in found)
            assert all(index.equals(first) for index in others), "sums and moments are of the same"
            self._layouts[key] = self.layout(first, cuts)
        values = [(frame if of is None else frame[list(of.values())]).to_numpy()[places] for frame, places, of in found]
        columns = [name for frame, _, of in found for name in (frame if of is None else of)]
        return self._layouts[key], self._layouts[key].laid(np.column_stack(values), columns)

    def layout(self, index: pd.Index, cuts: Sequence[str]) -> Layout:
        """Return where sums with these keys go; of a cut without members there is a row of nobody known."""
        data = self.data
        assert isinstance(index, pd.MultiIndex)
        names = [str(period) for period in data.calendar.periods]
        levels, codes = (dict(zip(INDEX, of, strict=True)) for of in (index.levels, index.codes))
        for name, needed in ((SLICE, data.apart), ("cut", cuts), ("member", [NO_MEMBER])):
            levels[name] = levels[name].append(pd.Index(needed).difference(levels[name], sort=False))
        shape = len(levels[SLICE]), len(levels["cut"]), len(levels["member"])
        known, row = np.unique(
            np.ravel_multi_index([codes[name] for name in (SLICE, "cut", "member")], shape), return_inverse=True
        )
        pairs = np.add.outer(levels[SLICE].get_indexer(data.apart) * shape[1], levels["cut"].get_indexer(cuts)).ravel()
        without = np.setdiff1d(pairs, known // shape[2]) * shape[2] + levels["member"].get_loc(NO_MEMBER)
        apart, cut, member = np.unravel_index(np.concatenate([known, without]), shape)
        place = pd.Index(names).get_indexer(levels["period"])[codes["period"]]
        periods = np.tile(np.arange(len(names)), len(apart))
        made = {name: np.repeat(each, len(names)) for name, each in ((SLICE, apart), ("cut", cut), ("member", member))}
        return Layout(
            place >= 0,
            (row * len(names) + place)[place >= 0],
            levels | {"period": pd.Index(names)},
            {SLICE: made[SLICE], "cut": made["cut"], "period": periods, "member": made["member"]},
            data.calendar.constants,
        )

    def reasons(self, scans: Sequence[Scan], columns: Mapping[str, str]) -> dict[tuple[str, str], str]:
        """Return by slice and period, as JSON, how many rows of facts were left out and why.

        `columns` tells by reason the column of the first fact that adds up what one KPI alone leaves out.
        """
        counted = Reasons()
        for scan in scans:
            for key, left_out in self._excluded(scan).items():
                counted.setdefault(key, {}).update(left_out)
        for reason, column in columns.items():
            sums = self.of(scans[0], SUMS, [TOTAL])[column]
            for (apart, _, period, _), rows in sums[sums > 0].items():
                counted.setdefault((apart, period), {})[reason] = int(rows)
        keys = product(self.data.apart, map(str, self.data.calendar.periods))
        return {key: json.dumps(counted[key]) if key in counted else "{}" for key in keys}

    def _excluded(self, scan: Scan) -> Reasons:
        if id(scan) not in self._left_out:
            found = self._left_out[id(scan)] = {}
            if (left_out := scan.fetched.get(EXCLUDED)) is not None:
                left_out = left_out[left_out[SLICE].isin(self.data.apart)]
                columns = (left_out[name].tolist() for name in (SLICE, "period", EXCLUDED, "rows"))
                for apart, period, reason, rows in zip(*columns, strict=True):
                    found.setdefault((apart, period), {})[reason] = int(rows)
        return self._left_out[id(scan)]


def _among(index: pd.Index, level: str, values: Iterable[str]) -> Any:
    """Return which keys have one of these values, looked at once for each value that there is."""
    assert isinstance(index, pd.MultiIndex)
    place = index.names.index(level)
    return index.levels[place].isin(list(values))[index.codes[place]]

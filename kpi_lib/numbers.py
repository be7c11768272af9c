"""The numbers of one period as a notebook asks for them, by their names, and what is said where there are none."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from kpi_lib import insight, parts, scorecard
from kpi_lib.audiences import Audience
from kpi_lib.display import Note, Several
from kpi_lib.errors import UnknownNameError, did_you_mean
from kpi_lib.language import speak
from kpi_lib.period import Period


class Numbers:
    """The rows of a scorecard and of one period of it, and which KPIs have been shown or named as missing so far."""

    about: dict[str, Any]
    period: Period
    _frame: pd.DataFrame
    _now: pd.DataFrame
    _places: Mapping[str, Any]
    _shown: list[str]
    _told: set[str]
    _measured: dict[str, list[Callable[..., Any]]]
    _sliced: Audience | None

    def _measure(self, kpi: str) -> None:
        """Add the numbers of a KPI that a cell of this notebook declares, in place of those of an earlier version."""
        raise NotImplementedError

    def _hold(self, frame: pd.DataFrame) -> None:
        """Hold rows to be asked for: all of them, and those of this period."""
        self._frame, self._now = frame, frame[frame["period"] == str(self.period)]
        self._places = frame.groupby("kpi").indices

    def _of(self, kpi: str) -> pd.DataFrame:
        """Return the rows of a KPI in all periods, without looking through those of the others."""
        return self._frame.iloc[self._places.get(kpi, [])]

    def _now_of(self, kpi: str) -> pd.DataFrame:
        rows = self._of(kpi)
        return rows[rows["period"] == str(self.period)]

    def _rows(self, kpis: str | Iterable[str], *, headlines: bool = False) -> pd.DataFrame:
        """Return this period's rows of a family or of the given KPIs, in that order, and note them as shown."""
        addresses = self._addresses(kpis)
        rows = self._now[self._now["kpi"].isin(addresses)]
        if headlines and isinstance(kpis, str) and kpis in self.about["families"]:
            rows = rows[rows["headline"].astype(bool) & rows["cut"].isna()]
        has_total = set(rows.loc[rows["cut"].isna(), "kpi"])
        rows = rows[rows["cut"].isna() | ~rows["kpi"].isin(has_total)]
        rows = rows.sort_values("kpi", key=lambda column: column.map(addresses.index), kind="stable")
        self._shown += list(dict.fromkeys(rows["kpi"]))
        return rows

    def _addresses(self, kpis: str | Iterable[str]) -> list[str]:
        known = self.about["kpis"]
        if isinstance(kpis, str) and kpis in self.about["families"]:
            return [address for address, kpi in known.items() if kpi["family"] == kpis]
        addresses = [kpis] if isinstance(kpis, str) else list(kpis)
        for address in addresses:
            self._check(address, also=self.about["families"] if isinstance(kpis, str) else ())
        return addresses

    def _with_readings(self, kpi: str) -> str | list[str]:
        """Return a table KPI's address with those of its companions that are written by the same members."""
        known = self.about["kpis"]
        if not (cut := known.get(kpi, {}).get("table_cut")):
            return kpi
        return [kpi, *(name for name in known if name.startswith(f"{kpi}.") and known[name]["table_cut"] == cut)]

    def _check(self, kpi: str, also: Iterable[str] = ()) -> None:
        if kpi in scorecard.declared_in_notebooks() and self._measured.get(kpi) != declared_here()[kpi]:
            self._measure(kpi)
        if kpi not in self.about["kpis"]:
            raise UnknownNameError(f"no KPI {kpi!r}{did_you_mean(kpi, [*self.about['kpis'], *also])}")

    def _check_cut(self, kpi: str, cut: str) -> None:
        cuts = self.about["kpis"][kpi]["cuts"]
        if cut not in cuts:
            raise UnknownNameError(f"{kpi} has no cut {cut!r}{did_you_mean(cut, cuts)}")

    def _total(self, kpi: str) -> dict[str, Any]:
        self._check(kpi)
        rows = self._now_of(kpi)
        rows = rows[rows["cut"].isna()]
        if rows.empty:
            raise UnknownNameError(f"{kpi} has a number for each member only: use report.table({kpi!r})")
        self._shown.append(kpi)
        return dict(rows.to_dict("records")[0])

    def _members(self, kpi: str, cut: str) -> pd.DataFrame:
        self._check(kpi)
        self._check_cut(kpi, cut)
        self._shown.append(kpi)
        rows = self._now_of(kpi)
        empty = (rows["status"] == "undefined") & rows["n"].fillna(0).eq(0)
        return rows[(rows["cut"] == cut) & ~empty]

    def _trend_of(self, kpi: str) -> pd.DataFrame:
        rows = self._of(kpi)
        rows = rows[rows["cut"].isna()].sort_values("period")
        begun = (rows["status"] != "not_available").cummax()
        return rows[begun] if begun.any() else rows

    def _sentence(self, row: insight.Row) -> str:
        return insight.sentence(row, self.about)

    def _say(self, message: str, **given: Any) -> str:
        return speak(self.about).say(message, **given)

    def _is_one(self, cut: str) -> bool:
        """Whether the report is of one member of a cut, so that there is nothing to compare."""
        return self._sliced is not None and cut in self._sliced.where

    def _title(self, kpi: str) -> str:
        return str(self.about["kpis"][kpi]["title"])

    def _lacks_data(self, kpi: str) -> bool:
        """Whether there is no number of a KPI: its tables are not there, or nothing was counted in any period."""
        now, rows = self._now_of(kpi), self._of(kpi)
        nothing = rows["status"].isin(["not_available", "undefined"]).all() and rows["n"].fillna(0).eq(0).all()
        return not now.empty and bool(nothing or (now["status"] == "not_available").all())

    def _not_available(self, rows: pd.DataFrame) -> Sequence[Note]:
        """Return the one line that names the KPIs without data, unless it was printed before."""
        missing = [kpi for kpi in dict.fromkeys(rows["kpi"]) if self._lacks_data(kpi) and "." not in kpi]
        fresh = [kpi for kpi in missing if kpi not in self._told]
        self._told.update(missing)
        return [Note(parts.not_available(fresh, self.about))] if fresh else []

    def _is_told(self, row: insight.Row) -> bool:
        if row["status"] != "not_available":
            return False
        told = row["kpi"].partition(".")[0] in self._told
        self._told.add(row["kpi"])
        return told

    def _nothing_by(self, kpi: str, cut: str) -> Several:
        by = speak(self.about).cut(cut)
        said = self._say("{title}: nothing to break down by {cut}.", title=self._title(kpi), cut=by)
        return self._no_figure(kpi, said)

    def _no_figure(self, kpi: str, note: str) -> Several:
        """Return what stands where a figure has nothing to draw: a short note, or nothing if that was said before."""
        if not self._lacks_data(kpi):
            return Several([Note(note)])
        head = kpi.partition(".")[0]
        said = head in self._told
        self._told.add(head)
        return Several([] if said else [Note(parts.not_available([head], self.about))])


def declared_here() -> dict[str, list[Callable[..., Any]]]:
    """Return the KPIs that cells of this notebook declare, each with the functions that it is computed by."""
    here = scorecard.declared_in_notebooks()
    return {address: [kpi.function for kpi in scorecard.needed_for([address]).values()] for address in here}

"""The scorecard: every KPI by period and cut as one tidy table, compared with before, last year and its target.

It is the only source of a number: page, mail, archive and tests read this record.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kpi_lib import consistency, copies, holdout, spread
from kpi_lib import source as sources
from kpi_lib.about import about
from kpi_lib.compare import at_the_same_age, compared, judged, past, provisional
from kpi_lib.contract import PLANNED
from kpi_lib.errors import KpiError, ParamsError, PeriodError, UnknownNameError, did_you_mean
from kpi_lib.evaluate import count
from kpi_lib.facts import FACTS, Calendar, Data
from kpi_lib.facts.data import SLICE
from kpi_lib.intervals import LEVEL
from kpi_lib.kpi import NOTEBOOK, Kpi, addresses, find, with_parents
from kpi_lib.kpis import registry
from kpi_lib.language import NO_MEMBER
from kpi_lib.params import Params
from kpi_lib.period import TREND, Period
from kpi_lib.suppression import COMPARED, is_hidden, without_few

if TYPE_CHECKING:
    import pyarrow as pa

REPEATED = ["status", "method", "excluded", "verdict"]  # texts of which there are few
KEY = ["kpi", "period", "audience", "cut", "member"]
COLUMNS = [
    *KEY,
    *("family", "title", "headline", "value", "unit", "better", "numerator", "denominator", "n", "low", "high"),
    *("level", "method", "status", "provisional", "anchor", "as_of", "definition", "excluded", "previous", "year_ago"),
    *("target_low", "target_high", "verdict"),
]
DESCRIBED = ("family", "title", "unit", "better", "anchor", "definition")
OF_VALUE = {"spread": ("clv.realised", spread.of), "holdout": ("clv", holdout.of)}  # and the KPI that it goes with
STANDING = ("customers", "subscriptions", "transactions")  # they may go back far beyond what is measured of the desk


@dataclass(frozen=True)
class Scorecard:
    """The numbers (`frame`, columns `COLUMNS`) and what they were made from (`about`)."""

    frame: pd.DataFrame
    about: dict[str, Any]

    @property
    def period(self) -> str:
        """The period that is reported; the frame also holds the twelve before it."""
        return str(self.about["period"])

    def headlines(self, period: str | None = None) -> pd.DataFrame:
        """Return the totals of headline numbers, of the period that is reported unless another is named."""
        rows = self.frame[(self.frame["period"] == (period or self.period)) & self.frame["cut"].isna()]
        return rows[rows["headline"].astype(bool)]

    def store(self, path: Path) -> None:
        """Write the numbers to a Parquet file, with `about` in its metadata."""
        import pyarrow.parquet as pq

        table = arrow(self.frame).replace_schema_metadata({"kpi_lib": json.dumps(self.about, ensure_ascii=False)})
        pq.write_table(table, path)

    def write(self, folder: Path) -> None:
        """Write scorecard.parquet and the same rows as .csv and .json."""
        self.store(folder / "scorecard.parquet")
        copies.write(folder / "scorecard.parquet")

    @classmethod
    def read(cls, path: str | Path) -> "Scorecard":
        """Read a scorecard.parquet back."""
        about = cls.read_about(path)
        return cls(_frame(path), about)

    @staticmethod
    def read_about(path: str | Path) -> dict[str, Any]:
        """Read what a scorecard.parquet says of itself, without its numbers."""
        import pyarrow.parquet as pq

        if not Path(path).is_file():
            raise KpiError(f"there is no scorecard {str(path)!r}: `kpi report` writes one")
        about = (pq.read_schema(path).metadata or {}).get(b"kpi_lib")
        if about is None:
            raise KpiError(f"{str(path)!r} is no scorecard")
        return dict(json.loads(about))


def arrow(frame: pd.DataFrame) -> "pa.Table":
    """Return rows as they stand in a file: texts, numbers and flags, null where there is none."""
    import pyarrow as pa

    return pa.Table.from_pandas(frame, schema=_schema(), preserve_index=False)


def _frame(path: str | Path) -> pd.DataFrame:
    """Read rows as `tidy` has them; a text that many rows have is made once, and columns of a kind lie together."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    texts = [field.name for field in pq.read_schema(path) if pa.types.is_string(field.type)]
    table = pq.read_table(path, read_dictionary=texts).unify_dictionaries().combine_chunks()
    made = np.empty((len(texts), len(table)), dtype=object)
    for column, name in zip(made, texts, strict=True):
        for chunk in table[name].chunks:  # one, or none
            words = np.array([*chunk.dictionary.to_pylist(), None], dtype=object)
            words.take(chunk.indices.fill_null(len(words) - 1), out=column)
    return _joined(texts, made, table.drop_columns(texts).to_pandas())[table.column_names].copy()


def _joined(names: list[str], texts: np.ndarray, others: pd.DataFrame) -> pd.DataFrame:
    """Return texts, a row of the array for each column, beside other columns; each kind is one piece of memory."""
    plain = pd.DataFrame(texts.T, columns=names, dtype=object)
    return pd.concat([plain, others.reset_index(drop=True)], axis=1)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as plain data: no value is None, `excluded` is a mapping."""
    columns = _plain(frame)
    if "excluded" in columns:
        texts = {text: _unpacked(text) for text in set(columns["excluded"])}
        columns["excluded"] = [texts[text] for text in columns["excluded"]]
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _plain(frame: pd.DataFrame) -> dict[str, list[Any]]:
    """Return the columns as lists of plain values; no value is None."""
    return {name: column.astype(object).where(column.notna(), None).tolist() for name, column in frame.items()}


def _unpacked(text: Any) -> Any:
    return json.loads(text) if isinstance(text, str) else text


def check(params: Params) -> None:
    """Check the names in params against what there is; the first unknown one is an error with its file and line."""
    known = {address for address, _, _ in addresses(registry())}
    for name, target in params.targets.items():
        if name not in known:
            raise ParamsError(f"no KPI {name!r}{did_you_mean(name, known)}", where=params.where("targets", name))
        if target.basis and name not in ("churn_rate", "retention_rate"):
            message = f"{name} has no basis: only churn_rate and retention_rate depend on the length of the period"
            raise ParamsError(message, where=params.where("targets", name, "basis"))
        bounds = [bound for bound in (target.at_least, target.at_most, *(target.between or ())) if bound is not None]
        if target.basis and not all(0 <= bound <= 100 for bound in bounds):
            raise ParamsError(f"{name}: a target with a basis is 0 to 100", where=params.where("targets", name))
    for place, event in enumerate(params.events):
        for number, name in enumerate(event.kpis or ()):
            if name not in known:
                where = params.where("events", place, "kpis", number)
                raise ParamsError(f"no KPI {name!r}{did_you_mean(name, known)}", where=where)
    folder = params.project / "notebooks"
    there = {path.stem for path in folder.glob("*.ipynb")}
    for place, notebook in enumerate(params.notebooks):
        if notebook.name not in there:
            hint = did_you_mean(notebook.name, there)
            raise ParamsError(
                f"no notebook {notebook.name!r} in {folder}{hint}", where=params.where("notebooks", place)
            )


def find_cut(cut: str) -> str:
    """Return the name of a cut; an unknown one is an error with the nearest names."""
    known = {name for kpi in registry().values() for name in (*kpi.cuts, kpi.table_cut) if name}
    if cut not in known:
        raise UnknownNameError(f"no cut {cut!r}{did_you_mean(cut, known)}")
    return cut


def data(source: sources.Source, params: Params, periods: Iterable[Period]) -> Data:
    """Return the facts' view of an open source over some periods."""
    return Data(
        source.tables, source.as_of, params, Calendar(tuple(periods), params.time_zone, params.hours), source.columns
    )


def span(source: sources.Source) -> tuple[datetime, datetime] | None:
    """Return the first and last event of the data as it stood at `as_of`; None when it is empty."""
    about = [table for table in source.quality()[0] if table["table"] not in PLANNED and table["first"]]
    if not about:
        return None
    desk = [table for table in about if table["table"] not in STANDING]
    first = datetime.fromisoformat(min(table["first"] for table in desk or about))
    if not desk:
        return first, source.as_of  # a subscription lasts beyond the event that began it
    return first, min(datetime.fromisoformat(max(table["last"] for table in desk)), source.as_of)


def last_period(source: sources.Source, params: Params) -> Period:
    """Return the last complete month that the data reaches into the last week of."""
    within = _months(source, params)
    complete = Period.containing(_local(source.as_of, params)).previous
    reached = Period.containing(_local(span(source)[1] + timedelta(days=7), params)).previous  # type: ignore[index]
    return max(min(complete, reached), within[0])


def refuse_outside(source: sources.Source, params: Params, period: Period) -> None:
    """Refuse a period that lies wholly outside the data, naming the first and last month there is."""
    first, last = _months(source, params)
    start, end = period.bounds(params.time_zone)
    if end <= first.bounds(params.time_zone)[0] or start >= last.bounds(params.time_zone)[1]:
        raise PeriodError(f"there is no data for {period.label}: it reaches from {first} to {last}")


def needed_for(wanted: list[str] | None) -> dict[str, Kpi]:
    """Return the declarations that the wanted addresses need, with what they are derived from; all for None."""
    kpis = registry()
    if wanted is None:
        return kpis
    owners = {find(address, kpis)[0].address for address in wanted}
    return {address: kpis[address] for address in with_parents(owners, kpis)}


def declared_in_notebooks() -> set[str]:
    """Return the addresses that a cell of the running notebook declares."""
    return {address for address, kpi, _ in addresses(registry()) if kpi.family == NOTEBOOK}


def table_kpis() -> set[str]:
    """Return the addresses of the table KPIs, which have members and no total."""
    return {address for address, kpi in registry().items() if kpi.table_cut}


def build(params: Params, period: Period, *, as_of: str | None = None, cuts: bool = True) -> Scorecard:
    """Measure every KPI over a period and the twelve before it, as the data stood at `as_of`.

    A period outside the data is a PeriodError that names the first and last month there is.
    """
    check(params)
    return measure(sources.open(params, as_of=as_of), params, period, registry(), cuts=cuts)


def measure(
    source: sources.Source, params: Params, period: Period, kpis: dict[str, Kpi], *, cuts: bool = True
) -> Scorecard:
    """Measure `kpis` on an open source, of the whole company."""
    whole = data(source, params, period.trailing(TREND))
    [card] = Measured(whole, source, kpis, cuts=cuts).cards().values()
    card.about["value"] = {name: of(whole) for name, (address, of) in OF_VALUE.items() if address in kpis}
    return card


def ordered(frame: pd.DataFrame, kpis: dict[str, Kpi]) -> pd.DataFrame:
    """Return numbers by period, in the order of their declarations, a total before its members."""
    order = {address: place for place, (address, _, _) in enumerate(addresses(kpis))}
    return frame.sort_values(
        ["period", "kpi", "cut", "member"],
        key=lambda column: column.map(order).astype("float64") if column.name == "kpi" else column,
        na_position="first",
        ignore_index=True,
    )


class Measured:
    """What the engine has counted of a company, or of all its slices: scorecards are made of a few at a time."""

    def __init__(self, whole: Data, source: sources.Source, kpis: dict[str, Kpi], *, cuts: bool = True) -> None:
        _check_cuts(kpis)
        self._whole, self._kpis, self._as_of = whole, kpis, source.as_of
        self._period = whole.calendar.periods[-1]
        refuse_outside(source, whole.params, self._period)
        first = {told["table"]: _instant(told["first"]) for told in source.quality()[0]}
        self._counted = count(whole, kpis.values(), first, cuts=cuts, curves=True)
        self._past = past(whole, kpis, first, cuts=cuts)
        self._about = about(whole.params, self._period, source, kpis)
        self._described = _described(self._about["kpis"])

    def cards(self, members: Iterable[str] | None = None) -> dict[str, Scorecard]:
        """Return the scorecards of some slices, or of all; the numbers of few are hidden in slices."""
        data, periods, params = self._whole, list(self._whole.calendar.periods), self._whole.params
        if members is not None and data.slices:
            data = replace(data, slices=replace(data.slices, members=tuple(members)))
        frame = self._named(self._counted.numbers(data))
        identities = consistency.told(frame, SLICE)
        frame = without_few(frame, self._kpis, params.thresholds.minimum_cell) if data.slices else frame
        frame["provisional"] = provisional(frame, self._kpis, periods, params, self._as_of)
        frame = compared(frame, periods)
        frame = at_the_same_age(frame, self._past, data) if self._past else frame
        if data.slices:
            frame.loc[is_hidden(frame), COMPARED] = np.nan
        frame = judged(frame, params, self._period)
        frame = ordered(frame.astype(dict.fromkeys(REPEATED, "category")), self._kpis)
        frame = frame.sort_values(SLICE, kind="stable", ignore_index=True)  # each slice in one piece
        names, starts = frame[SLICE].cat.categories, np.flatnonzero(frame[SLICE].cat.codes.diff().fillna(1))
        return {
            name: Scorecard(
                tidy(frame[COLUMNS].iloc[start:end]),
                self._about | {"identities": identities[name], "curves": self._counted.curves.get(name, {})},
            )
            for name, (start, end) in zip(names, pairwise([*starts, len(frame)]), strict=True)
        }

    def _named(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the numbers with what is said of each, without members of cuts that are not known of anybody."""
        addresses = frame["kpi"].cat
        said = self._described.reindex(addresses.categories)
        words = {name: pd.factorize(given.to_numpy(object)) for name, given in said.drop(columns="headline").items()}
        texts = {name: pd.Categorical.from_codes(codes[addresses.codes], of) for name, (codes, of) in words.items()}
        frame = frame.assign(**texts, headline=said["headline"].to_numpy(bool)[addresses.codes])
        named = (frame["member"] != NO_MEMBER).groupby([frame[name] for name in (SLICE, "kpi", "cut")]).transform("any")
        table_cuts = frame["kpi"].astype(object).map({kpi.address: kpi.table_cut for kpi in self._kpis.values()})
        frame = frame[named.ne(False) | frame["cut"].isna() | (frame["cut"].astype(object) == table_cuts)]
        assert not frame.duplicated([SLICE, "kpi", "period", "cut", "member"]).any(), "a number is there twice"
        as_of = pd.Categorical.from_codes(np.zeros(len(frame), "int8"), [self._as_of.isoformat()])
        blank = {"audience": None, "level": LEVEL, "as_of": as_of}
        return frame.assign(
            **blank, excluded=frame["excluded"].astype(object).where(frame["excluded"].notna(), "{}")
        ).reset_index(drop=True)


def _check_cuts(kpis: dict[str, Kpi]) -> None:
    """Refuse a declared cut that a fact, or a KPI that the declaration is derived from, does not have."""
    for kpi in kpis.values():
        offered = [set(FACTS[fact].cuts) for fact in kpi.facts if fact in FACTS]
        offered += [set(find(parent, kpis)[0].cuts) for parent in kpi.of]
        for cut in kpi.cuts:
            if not all(cut in cuts for cuts in offered):
                hint = did_you_mean(cut, set.intersection(*offered))
                raise UnknownNameError(f"KPI {kpi.address!r}: there is no cut {cut!r} to take{hint}")


def _described(known: dict[str, dict[str, Any]]) -> pd.DataFrame:
    """Return by address what is said of a KPI in each of its rows, of all that is told about it."""
    said = {
        address: {name: told[name] for name in DESCRIBED} | {"headline": "." not in address}
        for address, told in known.items()
    }
    return pd.DataFrame.from_dict(said, orient="index")


def _months(source: sources.Source, params: Params) -> tuple[Period, Period]:
    if not (there := span(source)):
        raise PeriodError("the data has no events")
    first, last = (Period.containing(_local(instant, params)) for instant in there)
    return first, last


def _local(instant: datetime, params: Params) -> Any:
    from zoneinfo import ZoneInfo

    return instant.astimezone(ZoneInfo(params.time_zone)).date()


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _schema() -> Any:
    import pyarrow as pa

    numbers = {"value", "numerator", "denominator", "n", "low", "high", "level", "previous", "year_ago"}
    numbers |= {"target_low", "target_high"}
    kinds = {name: pa.float64() for name in numbers} | {"headline": pa.bool_(), "provisional": pa.bool_()}
    return pa.schema([(name, kinds.get(name, pa.string())) for name in COLUMNS])


def tidy(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with plain types: numbers as float64, and None for a text that is not there."""
    types = {field.name: str(field.type) for field in _schema()}
    texts = [name for name, type in types.items() if type == "string"]
    made = np.empty((len(texts), len(frame)), dtype=object)
    for column, name in zip(made, texts, strict=True):
        if isinstance(frame[name].dtype, pd.CategoricalDtype):
            words = np.array([*frame[name].cat.categories, None], dtype=object)
            words.take(frame[name].cat.codes.to_numpy(), out=column)
        else:
            column[:] = frame[name].astype(object).where(frame[name].notna(), None)
    numbers = frame.drop(columns=texts).astype({name: "float64" for name, type in types.items() if type == "double"})
    return _joined(texts, made, numbers)[list(frame)].copy()

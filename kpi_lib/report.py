"""The object a notebook holds: one period of one company, ready to be shown and to be looked into."""

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kpi_lib import (
    audiences,
    behind,
    captions,
    charts,
    commentary,
    curves,
    data_page,
    display,
    drivers,
    figures,
    heat,
    insight,
    parts,
    restated,
    scorecard,
    signals,
    slices,
    source,
    value_figures,
    wording,
)
from kpi_lib.contract import TABLES
from kpi_lib.display import Cards, Finding, Note, Several, Shown, Table
from kpi_lib.errors import KpiError, SourceError, UnknownNameError, did_you_mean
from kpi_lib.facts import FACTS, Data
from kpi_lib.language import NO_MEMBER, speak
from kpi_lib.localise import localised
from kpi_lib.numbers import Numbers, declared_here
from kpi_lib.params import load
from kpi_lib.period import Period, parse_instant


class Report(Numbers):
    """What a notebook shows of one period; built from a scorecard's file, or from the tables when none is given.

    `period`, `params`, `scorecard`, `audience` and `as_of` are the five parameters of every notebook of the book.
    """

    def __init__(
        self,
        period: str,
        params: str = "params/report.yaml",
        scorecard: str | None = None,
        audience: str | None = None,
        as_of: str | None = None,
    ) -> None:
        self.period, self.params = Period.parse(period), load(params)
        self._as_of = as_of
        self._audience = audiences.read(self.params).find(audience) if audience else None
        self._sliced = self._audience if self._audience and self._audience.slice else None
        language = (self._audience and self._audience.language) or self.params.language
        self.params = self.params.model_copy(update={"language": language})
        self.scorecard = self._read(Path(scorecard)) if scorecard else self._build()
        frame, self.about = localised(self.scorecard.frame, self.scorecard.about, language)
        self.about["events"] = self.params.events
        self.about["audience"] = slices.told(self._audience) if self._audience else None
        self._hold(frame)
        self._shown: list[str] = []
        self._told: set[str] = set()
        self._measured = {} if scorecard else declared_here()
        self._judge()

    def __repr__(self) -> str:
        return f"Report({self.about['company']}, {self.period.label})"

    def cards(self, kpis: str | Iterable[str]) -> Several:
        """Show a family's headline numbers, or the given KPIs, as cards; those without data share one line."""
        rows = self._rows(kpis, headlines=True)
        known = rows[~rows["kpi"].map(self._lacks_data).astype(bool)]
        cards = [parts.card(row, self._trend_of(row["kpi"]), self.about) for row in known.to_dict("records")]
        return Several([*([Cards(cards)] if cards else []), *self._not_available(rows)])

    def finding(self, kpi: str) -> Finding:
        """Say in a sentence what a KPI is now; one without data that a card or table has named already stays silent."""
        row = self._total(kpi)
        return parts.finding(row, self._sentence(row), self.about, silent=self._is_told(row))

    def findings(self, which: Literal["all", "missed", "changed"] = "all") -> Several:
        """Show the headline findings by importance: all, or of what is told once the missed or what stands out."""
        ordered = insight.headline(self._now, self.about).to_dict("records")
        noted = insight.noted(ordered, self.about)
        chosen = {
            "all": [row for row in ordered if row["status"] != "not_available"],
            "missed": [row for row in noted if row["verdict"] == "missed"],
            "changed": [row for row in noted if row["verdict"] != "missed"],
        }
        if which not in chosen:
            raise UnknownNameError(f"no findings {which!r}{did_you_mean(which, chosen)}")
        rows = chosen[which]
        self._shown += [row["kpi"] for row in rows]
        if which == "changed":
            return Several([*map(self._finding, rows), Note(insight.caution(self.about))])
        said: list[Shown] = [*map(self._finding, rows)] or [Note(self._nothing(which))]
        changed = self.about.get("restated", ()) if which == "missed" else ()
        turned = ((each["verdict"], told) for each in changed for told in restated.verdicts([each], self.about))
        return Several([*said, *(Finding(told, "ok", verdict) for verdict, told in turned)])

    def _nothing(self, which: str) -> str:
        if which == "all":
            return self._say("There is nothing to report.")
        if self._now["verdict"].isin(["missed", "on_target"]).any():
            return self._say("Every target that can be judged was met.")
        return self._say("No number is judged against a target.")

    def _finding(self, row: insight.Row) -> Finding:
        """Return what page one says of a number: what happened, and which member brought most of it."""
        cuts = [cut for cut in self.about["kpis"][row["kpi"]]["cuts"] if not self._is_one(cut)]
        why = drivers.why(self._of(row["kpi"]), row["kpi"], cuts, self.period, self.about)
        return parts.finding(row, " ".join(filter(None, (self._sentence(row), why))), self.about)

    def trend(self, kpi: str, *, ax: Axes | None = None, alt: str | None = None) -> Figure | Several:
        """Draw a KPI over the last 13 periods with intervals and target; `alt` is its finding unless given."""
        row, frame = self._total(kpi), self._trend_of(kpi)
        if frame["value"].isna().all():
            return self._no_figure(kpi, self._say("{title}: no number in any of these periods.", title=row["title"]))
        words = alt or captions.of_trend(frame, self._sentence(row), self.about)
        figure = charts.trend(frame, self.about, alt=words, colour=self.params.brand.colour, ax=ax)
        return display.backed(figure, behind.trend(frame, self.about))

    def by(self, kpi: str, cut: str, *, ax: Axes | None = None, alt: str | None = None) -> Figure | Several:
        """Draw a KPI by the members of a cut, such as `channel`, as dots with intervals; a slice has no others."""
        if self._is_one(cut):
            return Several()
        rows = self._members(kpi, cut)
        total = self._now_of(kpi)
        total = total[total["cut"].isna()].to_dict("records")
        if rows["value"].isna().all():
            return self._nothing_by(kpi, cut)
        words = alt or captions.of_cut(rows, self.about)
        figure = charts.by(
            rows, total[0] if total else None, self.about, alt=words, colour=self.params.brand.colour, ax=ax
        )
        return display.backed(figure, behind.by(rows, self.about))

    def drivers(self, kpi: str, cut: str) -> Several:
        """Say what moved a KPI since the period before, by the members of a cut; figure and table add up."""
        self._total(kpi)
        self._check_cut(kpi, cut)
        if self._is_one(cut):
            return Several()
        moved = drivers.decompose(self._of(kpi), kpi, cut, self.period, self.about)
        if isinstance(moved, str):
            return self._no_figure(kpi, moved)
        said = moved.sentence(self.about)
        figure = figures.contributions(moved, self.about, alt=said, colour=self.params.brand.colour)
        return Several([Finding(said), figure, parts.of_drivers(moved, self.about)])

    def pareto(self, kpi: str) -> Several:
        """Say and draw which few members of a table KPI of shares, such as `most_common_issues`, make most of it."""
        rows = self._rows([kpi])
        if self._lacks_data(kpi):
            return self._no_figure(kpi, "")
        if rows["cut"].isna().any() or set(rows["unit"]) > {"percent"}:
            raise KpiError(f"{kpi} has no shares of a whole: report.pareto takes a KPI such as 'most_common_issues'")
        shares = figures.cumulated(rows)
        if shares.empty and (rows["status"] == "small_sample").any():
            given = {"title": self._title(kpi), "period": speak(self.about).period(self.period)}
            return self._no_figure(kpi, self._say(wording.HIDDEN, **given))
        if shares.empty:
            return self._no_figure(kpi, self._say("{title}: nothing to share out.", title=self._title(kpi)))
        table = behind.by(rows, self.about)
        return self._said(captions.of_shares(shares, self.about), figures.pareto, table, rows)

    def waterfall(self, *kpis: str) -> Several:
        """Say and draw what is left: KPIs that shall be low are taken away, the others say what there is by then."""
        rows = [self._total(kpi) for kpi in kpis]
        for row in rows:
            if row["status"] != "ok":
                return self._no_figure(row["kpi"], self._sentence(row))
        if not drivers.leaves(rows):
            title = rows[0]["title"]
            said = self._say("{title}: the steps to what is left do not add up, so they are not drawn.", title=title)
            return Several([Note(said)])
        table = behind.steps(rows, self.about)
        return self._said(captions.of_steps(rows, self.about), figures.waterfall, table, rows)

    def beside(self, kpi: str, other: str, cut: str) -> Several:
        """Say and draw two KPIs by the same members, such as demand and service level by `hour`, one over the other."""
        found = [self._members(each, cut) for each in (kpi, other)]
        upper, lower = (rows[rows["member"] != NO_MEMBER] for rows in found)
        for each, rows in ((kpi, upper), (other, lower)):
            if rows["value"].isna().all():
                return self._nothing_by(each, cut)
        words = captions.of_two(upper, lower, self._total(other), self.about)
        table = behind.together([upper, lower], self.about)
        return self._said(words, figures.beside, table, upper, lower)

    def waits(self, kpi: str, cut: str) -> Several:
        """Say and draw by the members of a cut what half and what nine in ten waited less than, such as chats."""
        half = f"{kpi}.median" if f"{kpi}.median" in self.about["kpis"] else kpi
        halves, tails = (self._members(each, cut) for each in (half, f"{kpi}.p90"))
        if halves["value"].isna().all():
            return self._nothing_by(kpi, cut)
        if not halves["method"].str.startswith(("Kaplan-Meier", "not estimable", "hidden")).all():
            raise KpiError(f"{kpi} has no median: report.waits takes a waiting time such as 'first_response_time'")
        table = behind.together([halves, tails], self.about)
        return self._said(captions.of_waits(halves, tails, self.about), figures.waits, table, halves, tails)

    def distribution(self, kpi: str) -> Several:
        """Say and draw how many still wait after how long, such as for a `first_response_time`."""
        half = f"{kpi}.median" if f"{kpi}.median" in self.about["kpis"] else kpi
        row = self._total(half)
        found = self.about.get("curves", {}).get(kpi, {})
        if row["status"] not in ("ok", "not_estimable"):
            return self._no_figure(kpi, self._sentence(row))
        if not (curve := found.get(str(self.period))):
            if row["method"].startswith(("Kaplan-Meier", "not estimable")):  # withheld: it would tell of few
                return self._no_figure(kpi, self._sentence(row))
            raise KpiError(f"{kpi} has no curve: report.distribution takes a waiting time like 'first_response_time'")
        rows = curve, found.get(str(self.period.previous)), row, self._total(f"{kpi}.p90")
        words, table = curves.in_words(curve, *rows[2:], self.about), curves.table(*rows, self.about)
        return self._said(words, curves.waiting, table, *rows)

    def week(self, *kpis: str) -> Several:
        """Say and draw KPIs by hour and weekday, such as demand and `service_level`, beside each other."""
        frames = [self._members(kpi, heat.WEEK) for kpi in kpis]
        for kpi, rows in zip(kpis, frames, strict=True):
            if rows["value"].isna().all():
                return self._nothing_by(kpi, heat.WEEK)
        words = heat.week_in_words(frames, [self._total(kpi) for kpi in kpis], self.about)
        return self._said(words, heat.week, heat.week_table(frames, self.about), frames)

    def cohorts(self, kpi: str) -> Several:
        """Say and draw who is still there of those who joined in a month; `kpi` is `retention_rate`."""
        self._total(kpi)
        rows = self._of(f"{kpi}.of_cohort")
        if rows.empty:
            raise KpiError(f"{kpi} has no cohorts: report.cohorts takes 'retention_rate'")
        if self.period.months > 1:
            return self._no_figure(kpi, self._say("Cohorts are of months: the report of a month shows them."))
        if not (cells := heat.cohort_cells(rows, self.period)):
            return self._nothing_by(kpi, "cohort")
        words = heat.cohorts_in_words(cells, self.about)
        return self._said(words, heat.cohorts, heat.cohort_table(cells, self.about), cells)

    def spread(self, kpi: str) -> Several:
        """Say and draw how what customers have paid so far is spread over them; `kpi` is `clv`."""
        return self._of_value(kpi, "spread", value_figures.spread)

    def holdout(self, kpi: str) -> Several:
        """Say and draw what the lifetime model predicted a year ago, and what came; `kpi` is `clv`."""
        return self._of_value(kpi, "holdout", value_figures.holdout)

    def table(self, kpis: str | Iterable[str]) -> Shown | Several:
        """Show a family with all its companions, or the given KPIs, as a table; a table KPI as its members."""
        rows = self._rows(self._with_readings(kpis) if isinstance(kpis, str) else kpis)
        if not rows.empty and rows["cut"].notna().all():
            totals = self._now[self._now["cut"].isna()].to_dict("records")
            return parts.of_members(rows, self.about, {row["kpi"]: row for row in totals})
        known = rows[~rows["kpi"].map(self._lacks_data).astype(bool) & rows["cut"].isna()]
        without = self._not_available(rows)
        if known.empty:
            return Several(without)
        table = parts.of_kpis(known, self.period, self.about)
        return Several([table, *without]) if without else table

    def glossary(self, family: str | None = None, *, brief: bool = False) -> Shown | Several:
        """Define the KPIs that this notebook has shown so far, or a family's; `brief` leaves out how to count them."""
        kpis = self._addresses(family) if family else self._shown
        heads = dict.fromkeys(kpi.partition(".")[0] for kpi in kpis)
        known = [kpi for kpi in heads if kpi in self.about["kpis"] and not self._lacks_data(kpi)]
        return parts.definitions(known, self.about, self._now, brief=brief) if known else Several()

    def commentary(self, section: str = commentary.SUMMARY) -> Several:
        """Show what the analysts say of this period in a notebook's section, with the figures of today, or nothing.

        What they say is about the company, so that a slice of it has none.
        """
        found = commentary.read(self.params, self.period).get(section)
        if not found or self._sliced:
            return Several()
        self._shown += [asked.kpi for asked, _ in found.placeholders()]
        return Several([found.filled(self._now, self.about)])

    def data_quality(self) -> Shown:
        """Show what the numbers were counted from: rows read and left out, checks, absent tables, the extract.

        Those are the numbers that this notebook has shown so far, or all when it has shown none.
        """
        headlines = self._now[self._now["headline"].astype(bool) & self._now["cut"].isna()]
        return data_page.data_page(headlines, self.about, self.params, self._shown)

    def values(self, kpi: str, cut: str | None = None) -> pd.DataFrame:
        """Return a KPI's rows of all periods: its totals, or with `cut` its members."""
        self._check(kpi)
        if cut is not None:
            self._check_cut(kpi, cut)
        rows = self._of(kpi)
        return rows[rows["cut"].isna() if cut is None else rows["cut"] == cut].reset_index(drop=True)

    @property
    def facts(self) -> "Names":
        """The facts as Ibis tables, `report.facts.tickets_created`; the source is opened at first use."""
        return Names("fact", FACTS, lambda name: self._data.sliced(self._data.fact_of_slices(name)))

    @property
    def tables(self) -> "Names":
        """The contract's tables as Ibis tables, `report.tables.tickets`; the source is opened at first use."""
        if self._sliced:
            raise KpiError("report.tables are of the whole company: for an audience's slice there are report.facts")
        return Names("table", TABLES, lambda name: self._data.table(name))

    @cached_property
    def _source(self) -> source.Source:
        return source.open(self.params, as_of=self.about["as_of"])

    @cached_property
    def _data(self) -> Data:
        if self._sliced:
            [data] = slices.apart(self._source, self.params, self.period, [self._sliced]).values()
            return data
        return scorecard.data(self._source, self.params, self.period.trailing(scorecard.TREND))

    def _build(self) -> Any:
        if self._sliced:
            return slices.build(self.params, self.period, self._sliced, as_of=self._as_of)
        return scorecard.build(self.params, self.period, as_of=self._as_of)

    def _read(self, path: Path) -> Any:
        """Read a scorecard's file, which must be this company's, period's, audience's and, when given, extract's."""
        read = scorecard.Scorecard.read(path)
        told = read.about.get("audience") or {}
        there, asked = told.get("where", {}), self._sliced.where if self._sliced else {}
        if there != asked:
            these, those = (" ".join(*of.items()) if of else "the whole company" for of in (there, asked))
            raise SourceError(f"{path.name} is the scorecard of {these}, not of {those}")
        wanted = {"company": self.params.company, "period": str(self.period)}
        for name, expected in wanted.items():
            if read.about[name] != expected:
                raise SourceError(f"{path.name} is the scorecard of {name} {read.about[name]!r}, not of {expected!r}")
        if self._as_of and parse_instant(self._as_of) != parse_instant(read.about["as_of"]):
            raise SourceError(f"{path.name} was made as of {read.about['as_of']}, not of {self._as_of}")
        return read

    def _measure(self, kpi: str) -> None:
        """Add the numbers of a KPI that a cell of this notebook declares, in place of those of an earlier version."""
        kpis = scorecard.needed_for([kpi])
        if self._sliced:
            [card] = slices.sliced(self._source, self.params, self.period, [self._sliced], kpis).values()
        else:
            card = scorecard.measure(self._source, self.params, self.period, kpis)
        new, about = localised(card.frame, card.about, self.about["language"])
        made, here, before = about["kpis"], declared_here(), self._measured
        replaced = (here.keys() & made.keys()) | (before.keys() - here.keys())
        kept = {address: about for address, about in self.about["kpis"].items() if address not in replaced}
        old = self._frame
        self._hold(pd.concat([old[old["kpi"].isin(kept)], new[~new["kpi"].isin(kept)]], ignore_index=True))
        self.about["kpis"] = made | kept
        self.about["curves"] = self.about.get("curves", {}) | about["curves"]
        self._measured = {address: here[address] for address in here.keys() & made.keys()} | {
            address: functions for address, functions in before.items() if address in here.keys() - made.keys()
        }
        self._judge()

    def _judge(self) -> None:
        """Judge the numbers of the reported period by those before them."""
        self.about["signals"] = signals.of_scorecard(self._frame, str(self.period))

    def _said(self, words: str, draw: Callable[..., Figure], table: Table, *rows: Any) -> Several:
        """Return a sentence and the figure that shows it, whose alternative text it is, with the table behind it."""
        figure = draw(*rows, self.about, alt=words, colour=self.params.brand.colour)
        return Several([Finding(words), display.backed(figure, table)])

    def _of_value(self, kpi: str, name: str, show: Callable[..., list[Shown | Figure]]) -> Several:
        self._total(kpi)
        if kpi != "clv":
            raise KpiError(f"{kpi} has no {name}: report.{name} takes 'clv'")
        found = self.about.get("value", {}).get(name)
        if not found and self._lacks_data(kpi):
            return self._no_figure(kpi, "")
        return Several(show(found, self.about, self.params.brand.colour))


class Names:
    """Tables by name as attributes, looked up when asked for."""

    def __init__(self, kind: str, names: Iterable[str], get: Callable[[str], Any]) -> None:
        self._kind, self._names, self._get = kind, list(names), get

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in self._names:
            raise UnknownNameError(f"no {self._kind} {name!r}{did_you_mean(name, self._names)}")
        return self._get(name)

    def __dir__(self) -> Iterator[str]:
        return iter(self._names)

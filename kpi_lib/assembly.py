"""The numbers of a period's reports: measured when they are asked for, or taken from what stands."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from kpi_lib import commentary, copies, dependence, renewal, scorecard, slices, workbook
from kpi_lib.audiences import Audience
from kpi_lib.editions import NUMBERS, READ_IN_PART, Edition
from kpi_lib.errors import KpiError
from kpi_lib.issued import Archive, Issue
from kpi_lib.kpi import Kpi
from kpi_lib.kpis import registry
from kpi_lib.params import Params
from kpi_lib.period import TREND, Period
from kpi_lib.publish import Prepared, Progress, manifest
from kpi_lib.restated import noted, with_restated
from kpi_lib.scorecard import Scorecard
from kpi_lib.source import Source


class Scorecards:
    """The scorecards of a period's editions, measured when they are first asked for, and all slices at once.

    Of what stands, no more is measured again than reads a setting that has changed; with `fresh` everything is.
    """

    def __init__(
        self,
        source: Callable[[], Source],
        params: Params,
        period: Period,
        wanted: Sequence[Edition],
        *,
        fresh: bool = False,
    ) -> None:
        self._source, self._params, self._period, self._fresh = source, params, period, fresh
        self._wanted, self._whole = wanted, wanted[0].of_company

    @cached_property
    def to_measure(self) -> set[Path]:
        """The folders of the editions for whose numbers the tables must be read."""
        return {edition.folder for edition in self._wanted if self._must_measure(edition)}

    def _must_measure(self, edition: Edition) -> bool:
        if not self._fresh and edition.numbers():
            return False
        before = self._before(edition if edition.is_slice else self._whole)
        return before is None or bool(renewal.stale(Scorecard.read_about(before), self._params))

    def of(self, edition: Edition) -> Scorecard:
        """Return the scorecard that an edition is made from."""
        if edition.audience is None:
            return self._company
        if edition.is_slice:
            return with_restated(self._slice(edition), self._issued(edition.audience))
        about = {"audience": slices.told(edition.audience), "language": edition.params.language}
        return Scorecard(self._company.frame, self._company.about | about)

    @cached_property
    def _company(self) -> Scorecard:
        if before := self._before(self._whole):
            card = renewal.renewed(Scorecard.read(before), self._params, self._measured)
            return with_restated(card, self._issued(None))
        return noted(self._measured(registry()), self._source(), self._params, self._issued(None))

    def _measured(self, kpis: dict[str, Kpi]) -> Scorecard:
        return scorecard.measure(self._source(), self._params, self._period, kpis)

    def _slice(self, edition: Edition) -> Scorecard:
        assert edition.audience
        slices.check(self._params, edition.audience)
        if edition.folder in self.to_measure or not (before := self._before(edition)):
            return self._slices[edition.audience.name]
        return renewal.judged_anew(Scorecard.read(before), edition.params)

    @cached_property
    def _slices(self) -> Mapping[str, Scorecard]:
        those = [each for each in self._wanted if each.is_slice and each.folder in self.to_measure]
        audiences = [each.audience for each in those if each.audience and self._can_be(each.audience)]
        return slices.sliced(self._source(), self._params, self._period, audiences)

    def _can_be(self, audience: Audience) -> bool:
        """Whether there can be such a slice; why not is said when it is asked for, and the others are measured."""
        try:
            slices.check(self._params, audience)
        except KpiError:
            return False
        return True

    def _before(self, edition: Edition) -> Path | None:
        """Return the numbers that stand if they were made from the same data, whatever the settings were."""
        folder = None if self._fresh else edition.numbers(but=READ_IN_PART)
        return folder and folder / NUMBERS[0]

    def _issued(self, audience: Audience | None) -> list[Scorecard]:
        """Return what was issued last of the periods before, of the same part of the company."""
        if audience is None:
            return [issue.scorecard() for issue in self._last if issue.slice is None]
        return [issue.scorecard() for issue in self._last if is_of(issue, audience)]

    @cached_property
    def _last(self) -> list[Issue]:
        archive = Archive(self._params.records, self._params.company)
        return archive.last(self._period.trailing(TREND)[:-1])


def prepare(
    edition: Edition,
    measured: Callable[[], Scorecard] | Path,
    as_of: str | None,
    progress: Progress,
    *,
    fresh: bool = False,
) -> Callable[[Path], Prepared]:
    """Return what writes an edition's numbers into a folder: those that stand if nothing has changed, else `measured`.

    These are measured when they are needed, or stand in a file that is theirs to take. The workbook is written with
    them.
    """

    def write(folder: Path) -> Prepared:
        standing = None if fresh else edition.numbers()
        if standing:
            with progress.stage("numbers, unchanged"):
                for name in NUMBERS:
                    shutil.copy2(standing / name, folder)
            about = manifest.read(standing) or {}
            stamp, sample = datetime.fromisoformat(about["as_of"]), about["sample"]
        else:
            with progress.stage("numbers"):
                card = _written(measured, folder)
                workbook.write(card, folder / "scorecard.xlsx")
            stamp, sample = datetime.fromisoformat(card.about["as_of"]), card.about["sample"]
        seen = {} if edition.is_slice else _checked(edition, Scorecard.read(folder / NUMBERS[0]))
        given: dict[str, Any] = {
            "period": str(edition.period),
            "params": str(edition.params.path),
            "scorecard": str(folder / "scorecard.parquet"),
            "audience": edition.audience.name if edition.audience else None,
            "as_of": as_of,
        }
        said = {
            chapter.name: commentary.shown_in(edition.commentary, chapter.notebook, [chapter.parameters, chapter.typed])
            for chapter in edition.book.chapters
        }
        return Prepared(given, stamp.astimezone(ZoneInfo(edition.params.time_zone)), sample, said, seen)

    return write


def is_of(issue: Issue, audience: Audience) -> bool:
    """Whether an issue is of an audience's slice; one that is damaged is taken to be of the audience of its name."""
    try:
        return bool(issue.where == audience.where)
    except KpiError:
        return issue.slice == audience.name


def _written(measured: Callable[[], Scorecard] | Path, folder: Path) -> Scorecard:
    """Return a scorecard that stands in a folder from now on, with its copies."""
    if isinstance(measured, Path):
        file = Path(shutil.move(measured, folder / NUMBERS[0]))
        copies.write(file)
        return Scorecard.read(file)
    card = measured()
    card.write(folder)
    return card


def _checked(edition: Edition, card: Scorecard) -> dict[str, str]:
    """Check the analysts' comment; return, by notebook, a hash of the numbers that it shows, where its code tells."""
    commentary.check(edition.commentary, card.frame, card.about)
    asked = {}
    for chapter in edition.book.chapters:
        if names := dependence.texts(chapter.notebook, [chapter.parameters, chapter.typed]):
            said = [edition.commentary[name].placeholders() for name in names & edition.commentary.keys()]
            asked[chapter.name] = names | {figure.kpi for section in said for figure, _ in section}
    return dependence.digests(card, asked)

"""The numbers of a period's reports: measured when they are asked for, or taken from what stands."""

import shutil
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from kpi_lib import commentary, scorecard, slices, workbook
from kpi_lib.editions import NUMBERS, Edition
from kpi_lib.issued import Archive
from kpi_lib.kpis import registry
from kpi_lib.params import Params
from kpi_lib.period import TREND, Period
from kpi_lib.publish import Prepared, Progress, manifest
from kpi_lib.restated import noted, with_restated
from kpi_lib.scorecard import Scorecard
from kpi_lib.source import Source


class Scorecards:
    """The scorecards of a period's editions, measured when they are first asked for, and all slices at once."""

    def __init__(self, source: Callable[[], Source], params: Params, period: Period, wanted: Iterable[Edition]) -> None:
        self._source, self._params, self._period = source, params, period
        self._sliced = [each.audience for each in wanted if each.audience and each.audience.slice]

    def of(self, edition: Edition) -> Scorecard:
        """Return the scorecard that an edition is made from."""
        if edition.audience is None:
            return self._company
        if edition.audience.slice:
            card = self._slices[edition.audience.name]
            return with_restated(card, self._issued(edition.audience.where))
        about = {"audience": slices.told(edition.audience), "language": edition.params.language}
        return Scorecard(self._company.frame, self._company.about | about)

    @cached_property
    def _company(self) -> Scorecard:
        source = self._source()
        card = scorecard.measure(source, self._params, self._period, registry())
        return noted(card, source, self._params, self._issued({}))

    def _issued(self, where: Mapping[str, str]) -> list[Scorecard]:
        """Return what was issued last of the periods before, of the same part of the company."""
        return [card for card in self._before if ((card.about.get("audience") or {}).get("where") or {}) == where]

    @cached_property
    def _before(self) -> list[Scorecard]:
        archive = Archive(self._params.records, self._params.company)
        return archive.scorecards(self._period.trailing(TREND)[:-1])

    @cached_property
    def _slices(self) -> Mapping[str, Scorecard]:
        return slices.sliced(self._source(), self._params, self._period, self._sliced)


def prepare(
    edition: Edition, measured: Callable[[], Scorecard], as_of: str | None, progress: Progress, *, fresh: bool = False
) -> Callable[[Path], Prepared]:
    """Return what writes an edition's numbers into a folder: those that stand if nothing has changed, else `measured`.

    The workbook is written with them.
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
                card = measured()
                card.write(folder)
                workbook.write(card, folder / "scorecard.xlsx")
            stamp, sample = datetime.fromisoformat(card.about["as_of"]), card.about["sample"]
        if edition.commentary:
            card = Scorecard.read(folder / "scorecard.parquet")
            commentary.check(edition.commentary, card.frame, card.about)
        given: dict[str, Any] = {
            "period": str(edition.period),
            "params": str(edition.params.path),
            "scorecard": str(folder / "scorecard.parquet"),
            "audience": edition.audience.name if edition.audience else None,
            "as_of": as_of,
        }
        said = {name: section.text for name, section in edition.commentary.items()}
        return Prepared(given, stamp.astimezone(ZoneInfo(edition.params.time_zone)), sample, said)

    return write

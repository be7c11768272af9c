"""A number beside others: whether it can still change, the period before, a year ago, and its target."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from kpi_lib.evaluate import Counted, count
from kpi_lib.facts import Data
from kpi_lib.facts.data import SLICE, WHOLE
from kpi_lib.kpi import Kpi, addresses, with_parents
from kpi_lib.params import Params, Target
from kpi_lib.period import Period
from kpi_lib.suppression import without_few
from kpi_lib.units import rounded

BASIS = {"month": 1, "quarter": 3, "year": 12}
SAME = [SLICE, "kpi", "cut", "member"]  # of the same number in another period


def provisional(
    frame: pd.DataFrame, kpis: dict[str, Kpi], periods: list[Period], params: Params, as_of: datetime
) -> pd.Series:
    """Whether a number can still change because outcomes are being awaited or the period is not over."""
    awaited = {(address, str(period)) for period in periods for address in young(kpis, period, params, as_of)}
    return pd.MultiIndex.from_frame(frame[["kpi", "period"]]).isin(awaited) & (frame["status"] != "not_available")


def young(kpis: dict[str, Kpi], period: Period, params: Params, as_of: datetime) -> set[str]:
    """Return the addresses whose numbers of a period can still change."""
    end = period.bounds(params.time_zone)[1]
    waits = {
        address: timedelta(days=params.get(kpi.horizon) if kpi.horizon else 0) for address, kpi, _ in addresses(kpis)
    }
    return {address for address, wait in waits.items() if end + wait > as_of}


def compared(frame: pd.DataFrame, periods: list[Period]) -> pd.DataFrame:
    """Add the value of the period before and of the same period a year earlier, where there is one fit to be shown."""
    earlier = frame.set_index([*SAME, "period"])["value"].where(frame["status"].eq("ok").to_numpy())
    for name, back in (
        ("previous", {str(p): str(p.previous) for p in periods}),
        ("year_ago", {str(p): str(p.year_before) for p in periods}),
    ):
        keys = pd.MultiIndex.from_arrays([*(frame[key] for key in SAME), frame["period"].map(back)])
        frame[name] = earlier.reindex(keys).to_numpy()
    return frame


@dataclass(frozen=True)
class Past:
    """The period before, counted as it stood at the reported one's age; `running`: the reported one is not over."""

    data: Data
    counted: Counted
    running: bool
    minimum: int
    kpis: dict[str, Kpi]

    def numbers(self, data: Data) -> pd.DataFrame:
        """Return the numbers of the data's slices as of then, without those of few."""
        past = self.counted.numbers(replace(self.data, slices=data.slices))
        return without_few(past, self.kpis, self.minimum) if data.slices else past


def past(whole: Data, kpis: dict[str, Kpi], first: dict[str, datetime | None], *, cuts: bool) -> Past | None:
    """Count the period before as it stood at the age of the reported one; None when that cannot change any more."""
    period, zone = whole.calendar.periods[-1], whole.params.time_zone
    if not (awaited := young(kpis, period, whole.params, whole.as_of)):
        return None
    (start, end), before = period.bounds(zone), period.previous.bounds(zone)
    running = whole.as_of < end
    age = whole.as_of - (start if running else end)
    then = whole.earlier(before[0 if running else 1] + age, [period.previous])
    owners = {kpi.address for address, kpi, _ in addresses(kpis) if address in awaited}
    counted = count(then, [kpis[address] for address in with_parents(owners, kpis)], first, cuts=cuts)
    return Past(then, counted, running, whole.params.thresholds.minimum_cell, kpis)


def at_the_same_age(frame: pd.DataFrame, past: Past, whole: Data) -> pd.DataFrame:
    """Compare a provisional number with the period before as that stood when it was as young."""
    period = str(whole.calendar.periods[-1])
    awaited = set(frame.loc[frame["provisional"] & (frame["period"] == period), "kpi"])
    if not awaited:
        return frame
    then = past.numbers(whole)
    values = then.set_index(SAME)["value"].where(then["status"].eq("ok").to_numpy())
    mine = frame["kpi"].isin(awaited) & (frame["period"] == period)
    keys = pd.MultiIndex.from_frame(frame.loc[mine, SAME])
    now, then_value = frame.loc[mine, "previous"].to_numpy(), values.reindex(keys).to_numpy()
    unseen = (then_value == 0) & (now != 0)  # the extract does not tell what was known at that age
    frame.loc[mine, "previous"] = np.where(unseen, np.nan, then_value)
    if past.running:
        frame.loc[mine, "year_ago"] = np.nan  # a whole month is no measure of a running one
    return frame


def judged(frame: pd.DataFrame, params: Params, period: Period) -> pd.DataFrame:
    """Add target bounds and verdict; a value misses its target when it does so as printed.

    A target of how many is set for the whole company, and so is none of a slice.
    """
    bounds = {name: _bounds(target, name, period) for name, target in params.targets.items()}
    aimed = frame["cut"].isna() & ((frame[SLICE] == WHOLE) | (frame["unit"] != "count"))
    for name, place in (("target_low", 0), ("target_high", 1)):
        limits = frame["kpi"].map({kpi: limit[place] for kpi, limit in bounds.items()})
        frame[name] = limits.where(aimed).astype("float64")
    withheld = (frame["status"] != "ok") | frame["provisional"]
    bound = frame["target_low"].notna() | frame["target_high"].notna()
    verdicts = np.where(withheld, "withheld", "no_target").astype(object)
    aimed_at = frame.loc[bound & ~withheld, ["value", "unit", "target_low", "target_high"]]
    verdicts[bound & ~withheld] = [
        "missed" if (printed := rounded(value, unit)) < low or printed > high else "on_target"
        for value, unit, low, high in zip(*(aimed_at[name].tolist() for name in aimed_at), strict=True)
    ]  # a missing bound compares false
    frame["verdict"] = pd.Series(verdicts, frame.index, object)
    return frame


def _bounds(target: Target, name: str, period: Period) -> tuple[float | None, float | None]:
    low, high = target.between or (target.at_least, target.at_most)
    if not target.basis:
        return low, high
    power, lost = period.months / BASIS[target.basis], name.startswith("churn_rate")

    def converted(limit: float | None) -> float | None:
        if limit is None:
            return None
        share = limit / 100
        return rounded(100 * (1 - (1 - share) ** power if lost else share**power), "percent")

    return converted(low), converted(high)

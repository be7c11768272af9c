"""Hides the numbers of few in a slice of the scorecard, and those from which they could be found by subtraction.

A cell is a number of a member, or of the slice as a whole; its size is the number of cases behind it, and of a table of
shares the member's own count. A true 0 tells of nobody and stays.
"""

import json
from collections.abc import Mapping

import numpy as np
import pandas as pd

from kpi_lib.estimate import ByMember, Count
from kpi_lib.kpi import Kpi

HIDDEN = ["value", "numerator", "denominator", "n", "low", "high"]
COMPARED = ["previous", "year_ago"]
GROUP = ["slice", "kpi", "period", "cut"]  # cells that add up to one total


def without_few(frame: pd.DataFrame, kpis: Mapping[str, Kpi], minimum: int) -> pd.DataFrame:
    """Return the frame without the numbers of cells that `minimum` cases do not make, and of those beside them.

    Where cells of a total are hidden there are two of them at least, with `minimum` cases together, so that the total
    less the cells that are shown tells nothing of one of them. The status of a hidden number is `small_sample`.
    """
    size = frame["n"].where(~frame["kpi"].isin(_shares(kpis)) | frame["numerator"].isna(), frame["numerator"])
    few = (size > 0) & (size < minimum)
    cells = frame.loc[(size > 0) & frame["cut"].notna(), [*GROUP, "member"]]
    cells = cells.assign(size=size, few=few).sort_values([*GROUP, "size", "member"])
    groups = cells.groupby(GROUP, sort=False)
    smaller = groups["size"].cumsum() - cells["size"]
    beside = groups["few"].transform("any") & ((groups.cumcount() < 2) | (smaller < minimum))
    beside = beside.reindex(frame.index, fill_value=False).astype(bool) & ~few
    frame.loc[few | beside, HIDDEN] = np.nan
    frame.loc[few | beside, "status"] = "small_sample"
    frame.loc[few, "method"] = f"hidden: fewer than {minimum} cases"
    frame.loc[beside, "method"] = f"hidden: would tell of fewer than {minimum} cases"
    reasons = {text: _many(text, minimum) for text in frame["excluded"].dropna().unique()}
    frame["excluded"] = frame["excluded"].map(reasons)
    return frame


def is_hidden(frame: pd.DataFrame) -> pd.Series:
    """Return which rows have no number because they would tell of few."""
    return (frame["status"] == "small_sample") & frame["n"].isna()


def _shares(kpis: Mapping[str, Kpi]) -> set[str]:
    """Return the tables of shares of all cases, with their companions and what repeats them."""
    made = {address: kpi.shape for address, kpi in kpis.items() if kpi.table_cut}
    counted = {
        address for address, shape in made.items() if isinstance(shape, ByMember) and isinstance(shape.estimator, Count)
    }
    return {address for address in made if kpis[address].id in counted or counted & set(kpis[address].of)}


def _many(excluded: str, minimum: int) -> str:
    """Return the reasons of rows left out that stand for `minimum` rows or more."""
    return json.dumps({reason: rows for reason, rows in json.loads(excluded).items() if rows >= minimum})

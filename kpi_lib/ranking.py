"""Comparing people fairly: how unevenly work is shared, and how sure it is that one did better than another."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from kpi_lib.intervals import LEVEL

DRAWS = 2000
NO_ERROR = 1e-12


def gini(loads: np.ndarray) -> np.ndarray:
    """Return Gini's index of the last axis: 0 when all have the same, near 1 when one has everything."""
    ordered = np.sort(np.asarray(loads, float), axis=-1)
    count = ordered.shape[-1]
    weights = 2 * np.arange(1, count + 1) - count - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((ordered * weights).sum(axis=-1) / (count * ordered.sum(axis=-1)))


def resampled_gini(loads: np.ndarray, name: str) -> np.ndarray:
    """Return the index of as many people drawn again and again from these, with replacement."""
    drawn = gini(loads[seeded(name).integers(0, len(loads), (DRAWS, len(loads)))])
    return drawn[np.isfinite(drawn)]


def gini_by_chance(hours: np.ndarray, contacts: float, name: str) -> np.ndarray:
    """Return the index when everybody has the same rate and contacts come at random (Poisson), in proportion to hours.

    Every contact takes equally long; as their lengths differ in fact, chance alone makes a little more than this.
    """
    drawn = gini(seeded(name).poisson(contacts * hours / hours.sum(), (DRAWS, len(hours))) / hours)
    return drawn[np.isfinite(drawn)]


def standing(values: np.ndarray, errors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how far each lies from the mean in standard deviations of the true differences, and how unsure that is.

    Empirical Bayes: the variance between people is what is left of theirs after chance (DerSimonian and Laird 1986),
    and who is known less well is drawn towards the mean. Of whom nothing is known is at the mean, with all of the
    uncertainty; where chance explains everything, all are at the mean.
    """
    known = np.isfinite(values) & np.isfinite(errors)
    mean, unsure = np.zeros(len(values)), np.zeros(len(values))
    if known.sum() < 2:
        return mean, unsure
    x, chance = values[known], errors[known] ** 2 + NO_ERROR
    weights = 1 / chance
    centre = (weights * x).sum() / weights.sum()
    excess = (weights * (x - centre) ** 2).sum() - (len(x) - 1)
    between = excess / (weights.sum() - (weights**2).sum() / weights.sum())
    if between <= 0:
        return mean, unsure
    weights = 1 / (chance + between)
    centre = (weights * x).sum() / weights.sum()
    trusted = between / (between + chance)
    mean[known], unsure[known] = trusted * (x - centre) / np.sqrt(between), np.sqrt(1 - trusted)
    unsure[~known] = 1.0
    return mean, unsure


def ranked(standings: Sequence[tuple[np.ndarray, np.ndarray]], weights: Sequence[float], name: str) -> pd.DataFrame:
    """Return `score`, `rank` and `tie_group` with the 95 % limits of score and rank, one row a person.

    The score is the weighted mean of the standings. Rank 1 is the best; its limits come from draws of all standings.
    Whose limits overlap those of the best of a group is in the group.
    """
    shares = np.asarray(weights, float) / np.sum(weights)
    means, unsure = (np.stack([each[part] for each in standings], axis=1) for part in (0, 1))
    score = means @ shares
    drawn = (means + unsure * seeded(name).standard_normal((DRAWS, *means.shape))) @ shares
    ranks, rank = (rankdata(-values, method="min", axis=-1).astype(float) for values in (drawn, score))
    frame = pd.DataFrame({"score": score, "rank": rank})
    for column, values in (("score", drawn), ("rank", ranks)):
        low, high = (np.quantile(values, tail, axis=0, method="inverted_cdf") for tail in _TAILS)
        frame[f"{column}_low"] = np.minimum(low, frame[column])
        frame[f"{column}_high"] = np.maximum(high, frame[column])
    return frame.assign(tie_group=tie_groups(frame["rank"], frame["rank_low"], frame["rank_high"]))


def tie_groups(rank: pd.Series, low: pd.Series, high: pd.Series) -> pd.Series:
    """Return the group of each, 1 for the best: a group ends where the limits no longer overlap those of its best."""
    groups: dict[Any, float] = {}
    group, reach = 0.0, -np.inf
    for place in rank.sort_values(kind="stable").index:
        if low[place] > reach:
            group, reach = group + 1, high[place]
        groups[place] = group
    return pd.Series(groups, dtype="float64").reindex(rank.index)


def seeded(name: str) -> np.random.Generator:
    """Return random numbers that are the same for the same name in every run."""
    return np.random.default_rng(int.from_bytes(sha256(name.encode()).digest()[:8]))


_TAILS = (0.5 - LEVEL / 2, 0.5 + LEVEL / 2)

"""Comparing people fairly: how unevenly work is shared, and how sure it is that one did better than another."""

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from kpi_lib.facts import NotAvailableError
from kpi_lib.intervals import LEVEL

DRAWS = 2000
TAILS = (0.5 - LEVEL / 2, 0.5 + LEVEL / 2)
NO_ERROR = 1e-12
FEWEST_TICKETS = 20
WEIGHTS = {
    "resolved per hour": 0.2,
    "resolution time": 0.2,
    "aged open cases": 0.1,
    "satisfaction": 0.2,
    "quality": 0.2,
    "reopened": 0.1,
}


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
        low, high = (np.quantile(values, tail, axis=0, method="inverted_cdf") for tail in TAILS)
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


def ranking_of_agents(people: pd.DataFrame, reading: str) -> pd.DataFrame:
    """Return a reading of the ranking of the agents of each period."""
    columns = ["period", "member", "value", "numerator", "n", "low", "high", "method", "status"]
    if "resolved" not in people.columns:
        raise NotAvailableError("tickets", "ticket_events")
    with_cases = people[people["resolved"] > 0]
    made = [_ranking_of(period, group, reading) for period, group in with_cases.groupby("period")]
    return pd.concat([pd.DataFrame(columns=columns), *made]).reindex(columns=columns)


def _ranking_of(period: str, people: pd.DataFrame, reading: str) -> pd.DataFrame:
    """Return the rows of one period; without a value are agents with few cases, and one who is the only one."""
    made = people[["period", "member"]].assign(numerator=people["resolved"], n=people["resolved"], value=np.nan)
    made = made.assign(low=np.nan, high=np.nan, status="small_sample", method=f"fewer than {FEWEST_TICKETS} cases")
    enough = people[people["resolved"] >= FEWEST_TICKETS]
    if len(enough) < 2:
        alone = {"status": "not_estimable", "method": "nobody to compare with"}
        made.loc[enough.index, list(alone)] = list(alone.values())
        return made
    known = {name: (values, errors) for name, values, errors in _indicators(enough) if np.isfinite(values).any()}
    said = ", ".join(f"{name} {WEIGHTS[name]}" for name in known)
    indicators = ((name, values.tobytes(), errors.tobytes()) for name, (values, errors) in known.items())
    places = _places(period, tuple(indicators)).set_index(enough.index)
    made.loc[enough.index, "value"] = places[reading]
    if f"{reading}_low" in places:
        made.loc[enough.index, ["low", "high"]] = places[[f"{reading}_low", f"{reading}_high"]].to_numpy()
    made.loc[enough.index, "status"] = "ok"
    made.loc[enough.index, "method"] = f"empirical Bayes, {DRAWS:,} seeded draws; weights: {said}"
    return made


@lru_cache(maxsize=1024)
def _places(period: str, indicators: tuple[tuple[str, bytes, bytes], ...]) -> pd.DataFrame:
    """Rank the agents of a period by their indicators, once for all readings."""
    standings = [standing(np.frombuffer(values), np.frombuffer(errors)) for _, values, errors in indicators]
    return ranked(standings, [WEIGHTS[name] for name, *_ in indicators], period)


def _indicators(people: pd.DataFrame) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Yield the name, the values (higher is better) and the standard errors of each indicator that there is."""
    time = hours_of(people).where(lambda hours: hours > 0).to_numpy(float)
    effort, squares, aged = (people[name].to_numpy(float) for name in ("effort", "effort_squares", "aged"))
    with_time = np.isfinite(time)
    all_time = time[with_time].sum()
    if all_time > 0:
        rate, each = effort[with_time].sum() / all_time, squares.sum() / effort.sum()
        yield "resolved per hour", effort / time, np.sqrt(rate * each / time)
        yield "aged open cases", -aged / time, np.sqrt(aged[with_time].sum() / all_time / time)
    time_n, spread = people["time_n"].to_numpy(float), _spread(people, "time")
    yield "resolution time", -people["slower"].to_numpy(float), np.sqrt(math.pi / 2 * spread / time_n)
    for name, column, sign in (
        ("satisfaction", "satisfaction", 1),
        ("quality", "quality", 1),
        ("reopened", "reopened", -1),
    ):
        if f"{column}_n" in people.columns:
            n = people[f"{column}_n"].where(lambda count: count > 0).to_numpy(float)
            yield name, sign * people[f"{column}_sum"].to_numpy(float) / n, np.sqrt(_spread(people, column) / n)


def _spread(people: pd.DataFrame, name: str) -> float:
    """Return the variance of single cases around their agent's mean, the same for all agents; 1 when not known."""
    n, total, squares = (people[f"{name}_{part}"].to_numpy(float) for part in ("n", "sum", "squares"))
    known = n > 0
    free = n[known].sum() - known.sum()
    left = (squares[known] - total[known] ** 2 / n[known]).sum()
    return max(float(left / free), 0.0) if free > 0 else 1.0


def hours_of(people: pd.DataFrame) -> pd.Series:
    """Return each person's paid available hours, or days at work where there are no shifts."""
    return people["available_seconds"] / 3600 if "available_seconds" in people.columns else people["days"]

"""Confidence limits from aggregates: arrays in, arrays out, one element a group."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import gammaincinv, ndtri, stdtrit

COLUMNS = ("value", "numerator", "denominator", "n", "low", "high", "method", "status")
LEVEL = 0.95
Z = float(ndtri(0.5 + LEVEL / 2))
MINIMUM_CLUSTERS = 30
MINIMUM_ROWS = 400  # of a skewed quantity; below that no interval from moments is honest


def wilson(k: np.ndarray, n: np.ndarray, design_effect: np.ndarray | float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Return the score limits (Wilson 1927) of the proportion k/n as fractions; the design effect divides n."""
    with np.errstate(divide="ignore", invalid="ignore"):
        p, effective = k / n, n / design_effect
        centre = (p + Z**2 / (2 * effective)) / (1 + Z**2 / effective)
        half = Z / (1 + Z**2 / effective) * np.sqrt(p * (1 - p) / effective + Z**2 / (4 * effective**2))
    return np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1)


def adjusted_wald(plus: np.ndarray, minus: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return limits of (plus - minus)/n as fractions: 3/4 added to each side and 3 to n (Rocks 2016)."""
    p, d, adjusted = (plus + 0.75) / (n + 3), (minus + 0.75) / (n + 3), n + 3
    half = Z * np.sqrt((p + d - (p - d) ** 2) / adjusted)
    return np.clip(p - d - half, -1, 1), np.clip(p - d + half, -1, 1)


def garwood(count: np.ndarray, dispersion: np.ndarray | float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Return exact Poisson limits of a count (Garwood 1936), their distance widened by the root of the dispersion."""
    tail, root = (1 - LEVEL) / 2, np.sqrt(np.maximum(dispersion, 1.0))
    low = np.where(count > 0, gammaincinv(np.maximum(count, 1e-12), tail), 0.0)
    high = gammaincinv(count + 1, 1 - tail)
    return np.maximum(count - root * (count - low), 0), count + root * (high - count)


def delta_method(moments: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return limits of sum(y)/sum(x) from moments over independent groups: columns y, x, yy, xx, xy, groups.

    Linearised variance G/(G-1) sum((y - R x)^2) / X^2 with Student's t on G-1 degrees of freedom (Cochran 1977, 6.4).
    """
    y, x, groups = (moments[name].to_numpy(float) for name in ("y", "x", "groups"))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = y / x
        half = (
            stdtrit(groups - 1, 0.5 + LEVEL / 2)
            * np.sqrt(_residual(moments, ratio) * groups / (groups - 1))
            / np.abs(x)
        )
    return ratio - half, ratio + half


def design_effect(moments: pd.DataFrame) -> np.ndarray:
    """Return by how much clustering inflates the variance of the share k/n; never below 1 (columns as delta_method).

    With few clusters their variance is itself uncertain: Student's t takes the place of the normal quantile (Korn and
    Graubard 1998). Where each row is a cluster of its own there is nothing to inflate.
    """
    y, n, groups = (moments[name].to_numpy(float) for name in ("y", "x", "groups"))
    with np.errstate(divide="ignore", invalid="ignore"):
        p = y / n
        between = _residual(moments, p) * groups / (groups - 1) / n**2
        effect = between / (p * (1 - p) / n)
    clustered = np.isfinite(effect) & (moments["xx"].to_numpy(float) > n)
    return np.where(clustered, np.maximum(effect, 1.0) * (stdtrit(groups - 1, 0.5 + LEVEL / 2) / Z) ** 2, 1.0)


def _residual(moments: pd.DataFrame, ratio: np.ndarray) -> np.ndarray:
    """Return the sum over groups of (y - ratio x)^2."""
    yy, xx, xy = (moments[name].to_numpy(float) for name in ("yy", "xx", "xy"))
    return np.maximum(yy - 2 * ratio * xy + ratio**2 * xx, 0)


def signal_bar(chances: Iterable[float], rate: float) -> float:
    """Return the largest p-value that is a signal, so that at most `rate` of the signals are false on average.

    Benjamini and Hochberg (1995). What is not a number was not tested.
    """
    given = np.fromiter(chances, float)
    tested = np.sort(given[np.isfinite(given)])
    steps = rate * np.arange(1, len(tested) + 1) / max(len(tested), 1)
    passed = np.flatnonzero(tested <= steps)
    return float(steps[passed[-1] if len(passed) else 0]) if len(tested) else 0.0


def over(top: Any, bottom: Any) -> np.ndarray:
    """Return top / bottom; not a number where there is nothing to divide by."""
    top, bottom = np.asarray(top, float), np.asarray(bottom, float)
    return np.divide(top, bottom, out=np.full_like(top, np.nan), where=bottom != 0)


def delta(sums: pd.DataFrame, name: str, clustered: bool) -> tuple[np.ndarray, np.ndarray, Any]:
    """Return the limits of `delta_method` and its name, or none where there are too few clusters or rows for it."""
    low, high = delta_method(sums)
    few = sums["groups"].to_numpy(float) < (MINIMUM_CLUSTERS if clustered else MINIMUM_ROWS)
    why = f"fewer than {MINIMUM_CLUSTERS} clusters" if clustered else f"n < {MINIMUM_ROWS}"
    return unless(few, f"not estimable: {why}", low, high, name)


def unless(bad: Any, why: str, low: Any, high: Any, method: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return limits and their method, with no limits and the reason `why` in place of it where something is `bad`."""
    return np.where(bad, np.nan, low), np.where(bad, np.nan, high), np.where(bad, why, method)


def frame(sums: pd.DataFrame, value: Any, **columns: Any) -> pd.DataFrame:
    """Lay out an estimate; no value is `undefined`, and an interval always contains its value."""
    numbers = {name: columns.get(name, np.nan) for name in ("numerator", "denominator", "n", "low", "high")}
    laid = {"value": value} | numbers
    laid = {name: np.broadcast_to(np.asarray(given, float), len(sums)) for name, given in laid.items()}
    missing = np.isnan(laid["value"])
    for name, widest in (("low", np.fmin), ("high", np.fmax)):
        laid[name] = np.where(missing | np.isnan(laid[name]), np.nan, widest(laid[name], laid["value"]))
    status = np.array(["ok", "undefined"], object)[missing.astype(int)]
    method = np.broadcast_to(np.asarray(columns.get("method"), object), len(sums))
    texts = {name: pd.Series(given, sums.index, object) for name, given in (("method", method), ("status", status))}
    return pd.DataFrame(laid | texts, index=sums.index, columns=list(COLUMNS))

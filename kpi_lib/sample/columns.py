"""Arrow columns from arrays of numbers: negative codes, and instants at NEVER or later, are null."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kpi_lib.sample.clock import NEVER, Array


def text(codes: Array, labels: Sequence[str]) -> pa.Array:
    """The labels that the codes stand for."""
    return pa.array(labels, pa.string()).take(pa.array(codes, mask=codes < 0))


def ids(prefix: str, numbers: Array, width: int) -> pa.Array:
    """Identifiers such as C00017."""
    digits = pc.utf8_lpad(pc.cast(pa.array(numbers, mask=numbers < 0), pa.string()), width, "0")
    return pc.binary_join_element_wise(prefix, digits, "")


def whole(numbers: Array) -> pa.Array:
    """Whole numbers; negative ones are null."""
    numbers = np.asarray(numbers).astype(np.int64)
    return pa.array(numbers, pa.int64(), mask=numbers < 0)


def instants(seconds: Array) -> pa.Array:
    """UTC timestamps in microseconds."""
    seconds = np.asarray(seconds).astype(np.int64)
    return pa.array(seconds * 1_000_000, pa.int64(), mask=seconds >= NEVER).cast(pa.timestamp("us", tz="UTC"))


def amounts(values: Array, known: Array | None = None) -> pa.Array:
    """Numbers; null where not known."""
    return pa.array(np.asarray(values, dtype=np.float64), pa.float64(), mask=None if known is None else ~known)


def constant(value: str | bool, size: int) -> pa.Array:
    """The same value in every row."""
    return pa.repeat(pa.scalar(value), size)

"""Mistakes that a person can mend: what was given, what would have been accepted, where to mend it."""

import re
from collections.abc import Iterable
from difflib import get_close_matches

_ISOLATED = re.compile("\u2068[^\n\u2066-\u2069]*\u2069")  # a foreign name in a text that runs to the left


class KpiError(Exception):
    """A mistake in what was asked, configured or supplied; `where` names the file and line to mend."""

    exit_code = 2

    def __init__(self, message: str, *, where: str | None = None) -> None:
        super().__init__(f"{where}: {message}" if where else message)


class PeriodError(KpiError):
    """A period that is not spelled as one, or lies outside the data."""


class ParamsError(KpiError):
    """Something in params/ that cannot be used."""


class SourceError(KpiError):
    """A table, connection or extract time that cannot be opened."""


class ContractError(KpiError):
    """Data that breaks the contract in a way that would make numbers wrong."""


class NotebookError(KpiError):
    """A notebook that cannot be run as it was asked to."""


class UnknownNameError(KpiError):
    """A KPI, cut, family, table or notebook that does not exist."""


class DeliveryError(KpiError):
    """A mail server that takes no mail at all, or a ledger of deliveries that cannot be used."""

    exit_code = 4


def did_you_mean(given: str, accepted: Iterable[str]) -> str:
    """Return the end of a message on a misspelt name: the nearest accepted names, or all of them when few."""
    names = sorted(map(str, accepted))
    if near := get_close_matches(given, names, n=2, cutoff=0.6):
        return " - did you mean " + " or ".join(repr(name) for name in near) + "?"
    if not names:
        return ""
    shown = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
    return f" - accepted: {shown}"


def plain(text: str) -> str:
    """Return text of data for a terminal: without the control characters that it would obey."""
    text = text.replace("\N{NO-BREAK SPACE}", " ")
    kept = "\n\t\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"  # Persian is spelled with the last two
    paired = {place for found in _ISOLATED.finditer(text) for place in (found.start(), found.end() - 1)}
    return "".join(
        letter if letter.isprintable() or letter in kept or place in paired else "\N{REPLACEMENT CHARACTER}"
        for place, letter in enumerate(text)
    )

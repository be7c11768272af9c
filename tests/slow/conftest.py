"""The measured coverages, printed when all is done; the mail server and the senders of tests/deliver."""

from collections.abc import Callable

import numpy as np
import pytest
from post_office import office, running_office, senders

__all__ = ["office", "running_office", "senders"]

MEASURED: dict[str, str] = {}


@pytest.fixture
def proven(request: pytest.FixtureRequest) -> Callable[[object], None]:
    """Hold a coverage, or each of several, between 92 % and 98 %."""

    def hold(coverage: object) -> None:
        least, most = float(np.min(coverage)), float(np.max(coverage))
        MEASURED[request.node.name] = f"{least:.1%}" if least == most else f"{least:.1%} to {most:.1%}"
        assert 0.92 <= least <= most <= 0.98

    return hold


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if MEASURED:
        terminalreporter.section("coverage of the 95 % intervals")
    for name, coverage in MEASURED.items():
        terminalreporter.line(f"{coverage:>16}  {name.removeprefix('test_')}")

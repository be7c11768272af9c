"""The data page: which tables reach beyond the extract, and that this is said to be planned."""

from small_scorecard import ABOUT

from kpi_lib.data_page import _planned


def notes(**last):
    tables = [{"table": table, "present": True, "last": day} for table, day in last.items()]
    return _planned(ABOUT | {"tables": tables})


def test_a_planned_table_that_reaches_beyond_the_extract_says_so():
    assert notes(costs="2025-04-30T00:00:00+00:00", tickets="2025-04-30T00:00:00+00:00") == [
        "costs: planned rows are entered ahead, to 30 Apr 2025."
    ]


def test_a_planned_table_that_ends_before_the_extract_says_nothing():
    assert notes(agent_shifts="2024-06-30T14:00:00+00:00", costs=None) == []

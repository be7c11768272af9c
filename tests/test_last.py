"""Which period `last` is: remembered for the same data, settings and code, and never trusted when it was changed."""

import json

import pytest

from kpi_lib import last
from kpi_lib.period import Period

MAY, MADE_FROM = Period.parse("2024-05"), {"source": "one", "params": "two"}


def test_it_is_remembered_for_what_it_was_made_from_alone(tmp_path):
    assert last.remembered(tmp_path, MADE_FROM) is None
    last.remember(tmp_path, MADE_FROM, MAY)
    assert last.remembered(tmp_path, MADE_FROM) == MAY
    assert last.remembered(tmp_path, MADE_FROM | {"source": "other"}) is None


@pytest.mark.parametrize("damaged", ["", "[", "{}", "3", '["a", "2024-05"]', '["a", "b", "c"]', "[1, 2]"])
def test_a_memory_that_cannot_be_read_says_nothing(tmp_path, damaged):
    last.remember(tmp_path, MADE_FROM, MAY)
    (tmp_path / last.MEMORY).write_text(damaged)
    assert last.remembered(tmp_path, MADE_FROM) is None


def test_another_period_that_somebody_wrote_into_it_is_not_trusted(tmp_path):
    last.remember(tmp_path, MADE_FROM, MAY)
    seal, _ = json.loads((tmp_path / last.MEMORY).read_text())
    (tmp_path / last.MEMORY).write_text(json.dumps([seal, "2024-04"]))
    assert last.remembered(tmp_path, MADE_FROM) is None


def test_a_folder_that_cannot_be_written_is_no_failure(tmp_path):
    (tmp_path / last.MEMORY.parent).write_text("a file")
    last.remember(tmp_path, MADE_FROM, MAY)
    assert last.remembered(tmp_path, MADE_FROM) is None

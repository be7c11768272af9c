"""The folder of reports: what stands, what replaces it, and what a run that died leaves."""

import json
import sys

import pytest

from kpi_lib.errors import KpiError
from kpi_lib.publish import stage as stage_module
from kpi_lib.publish.stage import Shelf


@pytest.fixture
def shelf(tmp_path):
    return Shelf(tmp_path / "reports", "Kestrel")


def publish(shelf, status, text):
    with shelf.staging("2024-05") as stage:
        (stage / "page.html").write_text(text)
        (stage / "manifest.json").write_text(json.dumps({"status": status}))
        return shelf.publish(stage, "2024-05", status)


def stands(shelf):
    return (shelf.of("2024-05") / "page.html").read_text()


def hidden(shelf):
    return sorted(path.name for path in shelf.folder.glob(".[so]*"))


@pytest.fixture(params=["one step", "two steps"])
def either_swap(request, monkeypatch):
    if request.param == "two steps":
        monkeypatch.setattr(stage_module, "exchange", lambda one, other: False)


@pytest.mark.usefixtures("either_swap")
def test_a_build_replaces_the_one_before_and_leaves_nothing_behind(shelf):
    publish(shelf, "whole", "first")
    publish(shelf, "whole", "second")
    assert stands(shelf) == "second"
    assert hidden(shelf) == []


def test_a_failed_build_leaves_a_whole_one_alone(shelf):
    publish(shelf, "whole", "good")
    where = publish(shelf, "failed", "bad")
    assert stands(shelf) == "good"
    assert where == shelf.folder / ".failed" / "2024-05"
    assert (where / "page.html").read_text() == "bad"


@pytest.mark.parametrize("before", [None, "partial", "failed"])
def test_a_failed_build_is_shown_when_no_whole_one_stands(shelf, before):
    if before:
        publish(shelf, before, "older")
    publish(shelf, "failed", "bad")
    assert stands(shelf) == "bad"


def test_a_good_build_clears_the_failed_one(shelf):
    publish(shelf, "whole", "good")
    publish(shelf, "failed", "bad")
    publish(shelf, "whole", "better")
    assert not shelf.failed("2024-05").exists()


def test_a_build_that_raises_changes_nothing(shelf):
    publish(shelf, "whole", "good")
    with pytest.raises(RuntimeError), shelf.staging("2024-05"):
        raise RuntimeError
    assert stands(shelf) == "good"
    assert hidden(shelf) == []


def test_the_next_run_clears_up_after_one_that_died_while_building(shelf):
    publish(shelf, "whole", "good")
    (shelf.folder / ".staging-2024-05~dead").mkdir()
    (shelf.folder / ".staging-2024-06~alive").mkdir()
    with shelf.staging("2024-05"):
        assert not (shelf.folder / ".staging-2024-05~dead").exists()
    assert hidden(shelf) == [".staging-2024-06~alive"]


def test_a_year_leaves_the_running_build_of_one_of_its_months_alone(shelf):
    with shelf.staging("2024-05") as month, shelf.staging("2024"):
        assert month.exists()


def test_the_next_run_puts_back_what_one_that_died_between_two_renames_had_moved(shelf):
    publish(shelf, "whole", "good")
    shelf.of("2024-05").rename(shelf.folder / ".old-2024-05")
    with shelf.staging("2024-05"):
        assert stands(shelf) == "good"


def test_a_second_run_of_the_same_period_is_refused_and_another_period_is_not(shelf):
    with shelf.staging("2024-05"):
        with pytest.raises(KpiError, match=r"2024-05 is being built by process \d+"), shelf.staging("2024-05"):
            pass
        with shelf.staging("2024-06"):
            pass
    with shelf.staging("2024-05"):
        pass


def test_a_folder_of_another_company_is_refused(shelf):
    publish(shelf, "whole", "good")
    with (
        pytest.raises(KpiError, match="reports of 'Kestrel', not of 'Other'"),
        Shelf(shelf.folder, "Other").staging("2024-05"),
    ):
        pass


@pytest.mark.skipif(sys.platform != "linux", reason="folders are exchanged on Linux alone")
def test_folders_are_exchanged_or_left_alone(tmp_path, monkeypatch):
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    a, b = tmp_path / "a", tmp_path / "b"
    assert stage_module.exchange(a, b)
    assert [(folder / "file").read_text() for folder in (a, b)] == ["b", "a"]
    monkeypatch.setattr(stage_module.sys, "platform", "darwin")
    assert not stage_module.exchange(a, b)
    assert [(folder / "file").read_text() for folder in (a, b)] == ["b", "a"]


@pytest.mark.parametrize("exchanges", [True, False])
def test_what_audiences_get_outlives_a_new_build_of_the_period(shelf, monkeypatch, exchanges):
    if not exchanges:
        monkeypatch.setattr(stage_module, "exchange", lambda one, other: False)
    publish(shelf, "whole", "first")
    with shelf.audiences("2024-05") as audiences, audiences.staging("enterprise") as folder:
        (folder / "page.html").write_text("a slice")
        audiences.publish(folder, "enterprise", "whole")
    publish(shelf, "whole", "second")
    assert stands(shelf) == "second"
    assert (shelf.of("2024-05") / "audiences" / "enterprise" / "page.html").read_text() == "a slice"


def test_nothing_takes_the_place_of_a_period_whose_audiences_are_served(shelf):
    publish(shelf, "whole", "first")
    with shelf.audiences("2024-05"), pytest.raises(KpiError, match="is being built"):
        publish(shelf, "whole", "second")

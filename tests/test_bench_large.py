"""The large company of the benchmark, and two ways of counting it that know nothing of ours."""

from itertools import pairwise

import duckdb
import pytest

from bench import large
from bench.equal import compared
from bench.generate import generate, slots
from bench.pandas_core import CORE, core

TICKETS = 2000


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("large")
    generate(made, TICKETS)
    return made


def test_each_ticket_has_its_hour():
    rows = slots(TICKETS)
    assert sum(many for _, _, many in rows) == TICKETS
    assert all(first + many == later for (_, first, many), (_, later, _) in pairwise(rows))


def test_tables_stand_in_proportion(folder):
    def rows(name):
        return duckdb.sql(f"SELECT count(*) FROM '{folder / name}.parquet'").fetchone()[0]

    assert rows("tickets") == TICKETS
    assert rows("calls") == 2 * TICKETS
    assert rows("surveys") == TICKETS
    assert rows("customers") == TICKETS / 10
    assert rows("ticket_events") == pytest.approx(4 * TICKETS, rel=0.03)
    assert rows("transactions") == pytest.approx(2 * TICKETS, rel=0.03)


def test_sql_and_ours_make_the_same_sums_in_every_cut(folder):
    large._sql(folder)
    large._ours(folder)
    assert compared(folder / "ours.parquet", folder / "sql.duckdb") > 10_000


def test_pandas_and_ours_make_the_same_values_in_every_cut(folder):
    ours = large._scorecard(folder, list(CORE))
    theirs = core(folder)
    theirs["member"] = theirs["member"].where(theirs["cut"].notna(), None)
    keys = ["kpi", "period", "cut", "member"]
    both = theirs.merge(ours[[*keys, "value", "status"]], on=keys, how="left", suffixes=("", "_ours"))
    both = both[both["status"] == "ok"]
    assert set(zip(both["kpi"], both["cut"].fillna(""), strict=True)) == {
        (kpi, cut) for kpi, cuts in CORE.items() for cut in ("", *cuts)
    }
    assert both["value_ours"].to_numpy() == pytest.approx(both["value"].to_numpy(), rel=1e-9)


def test_what_is_spilled_is_the_size_of_a_folder_and_of_those_that_begin_with_its_name(tmp_path):
    for name in ("spill", "spill-of-one", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "block").write_bytes(b"x" * 50_000)
    assert 100_000 <= large.spilled(tmp_path / "spill") < 150_000
    assert large.spilled(tmp_path / "none") == 0


def test_sql_and_pandas_count_the_same(folder):
    large._sql(folder)
    frame = core(folder)
    totals = frame[frame["cut"].isna()].set_index(["kpi", "period"])["value"]
    with duckdb.connect(folder / "sql.duckdb", read_only=True) as made:
        medians = made.execute(
            "SELECT period, median / 60 FROM waits WHERE kpi = 'resolution_time' AND g = 31"
        ).fetchall()
        shares = made.execute("SELECT period, 100 * satisfied / csat FROM answer_sums WHERE g = 15").fetchall()
        levels = made.execute("SELECT period, 100 * level / level_of FROM calls_offered WHERE g = 63").fetchall()
    for kpi, told in (("resolution_time", medians), ("csat", shares), ("service_level", levels)):
        assert dict(told) == pytest.approx(totals[kpi].to_dict()), kpi
        assert len(told) == 13

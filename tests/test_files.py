"""The files that a source reads: told apart by their content, which is read again only when it may have changed."""

import hashlib
import json
import os
import time

import pytest

from kpi_lib import files
from kpi_lib.params import SourceParams


@pytest.fixture
def put(tmp_path):
    """Write a file."""

    def write(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return write


@pytest.fixture
def later(monkeypatch):
    now = time.time()
    monkeypatch.setattr(files.time, "time", lambda: now + 60)


@pytest.fixture
def read(monkeypatch):
    """The names of the files that are read to be hashed."""
    names = []
    real = files._hashed
    monkeypatch.setattr(files, "_hashed", lambda file: names.append(file.name) or real(file))
    return names


def spec(tmp_path, **tables):
    where = {name: text if "://" in text else str(tmp_path / text) for name, text in tables.items()}
    return SourceParams(path=tmp_path / "source.yaml", as_of="latest", tables=where)


@pytest.mark.usefixtures("later")
def test_a_file_that_has_not_changed_is_read_once(put, tmp_path, read):
    path = put("tickets.csv", "a\n1\n")
    once = files.hashes([path], tmp_path)
    assert files.hashes([path], tmp_path) == once
    assert read == ["tickets.csv"]


@pytest.mark.usefixtures("later")
def test_other_content_of_the_same_length_under_the_same_date_is_seen(put, tmp_path):
    path = put("tickets.csv", "a\n1\n")
    was = path.stat()
    before = files.hashes([path], tmp_path)
    while path.stat().st_ctime_ns == was.st_ctime_ns:  # some systems tell times by the tick
        path.write_text("a\n2\n")
        os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))
    assert files.hashes([path], tmp_path) != before


def test_a_file_that_was_written_just_now_is_not_remembered(put, tmp_path, read, monkeypatch):
    path = put("tickets.csv", "a\n1\n")
    monkeypatch.setattr(files.time, "time", lambda: path.stat().st_mtime + 1)
    files.hashes([path], tmp_path)
    files.hashes([path], tmp_path)
    assert read == ["tickets.csv", "tickets.csv"]


@pytest.mark.usefixtures("later")
@pytest.mark.parametrize("written", ["", "{", "[]", '{"x": [1]}', '{"x": 3}'])
def test_a_memory_that_cannot_be_read_is_made_anew(put, tmp_path, written):
    path = put("tickets.csv", "a\n1\n")
    put(str(files.MEMORY), written)
    files.hashes([path], tmp_path)
    assert list(json.loads((tmp_path / files.MEMORY).read_text())) == [str(path)]


@pytest.mark.usefixtures("later")
def test_a_remembered_hash_that_was_damaged_is_not_trusted(put, tmp_path, read):
    path = put("tickets.csv", "a\n1\n")
    right = files.hashes([path], tmp_path)
    memory = tmp_path / files.MEMORY
    known = json.loads(memory.read_text())
    known[str(path)][5] = "0" * 64  # as well formed as the right one
    memory.write_text(json.dumps(known))
    assert files.hashes([path], tmp_path) == right
    assert read == ["tickets.csv", "tickets.csv"]
    assert files.hashes([path], tmp_path) == right
    assert len(read) == 2


def test_a_fingerprint_tells_files_from_their_content_and_from_what_they_are_read_as(put, tmp_path):
    put("one.csv", "a\n1\n")
    put("two.csv", "a\n2\n")
    here = files.fingerprint(spec(tmp_path, tickets="one.csv", calls="two.csv"), None, tmp_path)
    swapped = files.fingerprint(spec(tmp_path, tickets="two.csv", calls="one.csv"), None, tmp_path)
    assert here["files"] == swapped["files"]
    assert here != swapped
    put("two.csv", "a\n3\n")
    assert files.fingerprint(spec(tmp_path, tickets="one.csv", calls="two.csv"), None, tmp_path) != here


def test_a_mapping_is_known_by_what_it_reads_and_by_the_values_it_is_given_which_stay_secret(
    put, tmp_path, monkeypatch
):
    put("raw.csv", "a\n1\n")
    put("tickets.sql", "select * from 'raw.csv' where token = '${DESK_TOKEN}'")
    monkeypatch.setenv("DESK_TOKEN", "hunter2-hunter2")
    one = files.fingerprint(spec(tmp_path, tickets="tickets.sql"), None, tmp_path)
    assert sorted(one["files"]) == ["raw.csv", "tickets.sql"]
    assert "hunter2" not in json.dumps(one)
    monkeypatch.setenv("DESK_TOKEN", "hunter3-hunter3")
    assert files.fingerprint(spec(tmp_path, tickets="tickets.sql"), None, tmp_path) != one


@pytest.mark.parametrize("tickets", ["s3://desk/tickets.parquet", "support.tickets", "missing.csv"])
def test_what_only_the_engine_can_tell_is_left_to_it(tmp_path, tickets):
    assert files.fingerprint(spec(tmp_path, tickets=tickets), None, tmp_path) is None


@pytest.mark.parametrize(
    "select",
    [
        "from read_csv('raw.txt')",
        "from read_csv(['raw.csv', 'raw.dat'])",
        "from read_csv('raw' || '.txt')",
        "from read_text(getvariable('raw'))",
        "from 'raw.log'",
        "from sqlite_scan('desk.db', 'tickets')",
        "from 'raw.csv' where at < now()",
        "from 'raw.csv' where at < CURRENT_DATE",
        "from 'raw.csv' where at < LocalTimestamp",
        "from 'raw.csv' where age(at) > interval 1 day",
        'from "raw.csv"',
        "from raw.csv",
        "from read_csv('raw.csv') as r, \"raw.CSV\" as s",
        "from read_csv('raw.csv') tablesample 10%",
        "from (select gen_random_uuid() as a)",
    ],
)
def test_a_mapping_that_may_read_more_than_its_files_is_left_to_the_engine(put, tmp_path, select):
    for name in ("raw.csv", "raw.txt"):
        put(name, "a\n1\n")
    put("tickets.sql", f"select * {select}")
    assert files.fingerprint(spec(tmp_path, tickets="tickets.sql"), None, tmp_path) is None


def test_files_that_a_mapping_names_in_full_tell(put, tmp_path):
    put("raw.csv", "a\n1\n")
    select = (
        "select * from read_csv(['raw.csv', 'r*.csv'], all_varchar=true) join (from READ_CSV( 'raw.csv')) using (a)"
    )
    put("tickets.sql", select)
    assert files.fingerprint(spec(tmp_path, tickets="tickets.sql"), None, tmp_path) is not None


def test_a_column_that_sounds_like_a_clock_is_none(put, tmp_path):
    put("raw.csv", "a,current_plan,sample\n1,2,3\n")
    put("tickets.sql", "select a, r.current_plan, sample, storage(a) from read_csv('raw.csv') as r")
    assert files.fingerprint(spec(tmp_path, tickets="tickets.sql"), None, tmp_path) is not None


def test_a_check_by_the_name_of_a_table_hides_nothing_of_it(put, tmp_path):
    put("raw.csv", "a\n1\n")
    table, check = put("tickets.sql", "select * from read_csv('raw.csv')"), put("check.sql", "select 1 as rows")
    both = spec(tmp_path, tickets="tickets.sql").model_copy(update={"checks": {"tickets": str(check)}})
    before = files.fingerprint(both, None, tmp_path)
    assert sorted(before["files"]) == ["check.sql", "raw.csv", "tickets.sql"]
    table.write_text("select a from read_csv('raw.csv')")
    assert files.fingerprint(both, None, tmp_path) != before


def test_a_variable_in_a_comment_is_not_asked_for(put, tmp_path):
    put("raw.csv", "a\n1\n")
    put("tickets.sql", "-- from read_csv('${GONE}/raw.csv')\nselect * from read_csv('raw.csv')")
    assert files.fingerprint(spec(tmp_path, tickets="tickets.sql"), None, tmp_path)["values"] == {}


def test_another_value_of_a_variable_is_seen_without_its_text_or_a_quick_hash_of_it(put, tmp_path, monkeypatch):
    put("raw.csv", "a\n1\n")
    put("tickets.sql", "select '${DESK_CODE}' as code from read_csv('raw.csv')")

    def told(value):
        monkeypatch.setenv("DESK_CODE", value)
        return files.fingerprint(spec(tmp_path, tickets="tickets.sql"), None, tmp_path)["values"]["DESK_CODE"]

    assert told("1234") == told("1234") != told("1235")
    assert "1234" not in told("1234")
    assert told("1234") not in {hashlib.new(name, b"1234").hexdigest() for name in ("md5", "sha256", "sha512")}


def test_where_tables_are_is_told_without_passwords(tmp_path):
    def told(connection, **tables):
        return files.declared(spec(tmp_path, **tables).model_copy(update={"connection": connection}))

    here = told("postgres://kpi:s3cret@db/warehouse", tickets="crm.tickets")
    assert told("postgres://kpi:another@db/warehouse?password=third", tickets="crm.tickets") == here
    assert told("postgres://kpi:s3cret@db/warehouse?schema=eu", tickets="crm.tickets") != here
    assert told("postgres://kpi:s3cret@db/other", tickets="crm.tickets") != here
    assert told("postgres://kpi:s3cret@db/warehouse", tickets="crm.tickets_fixed") != here

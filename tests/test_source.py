from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from kpi_lib import params, source
from kpi_lib.contract import TABLES
from kpi_lib.errors import ContractError, SourceError

NOON = pd.Timestamp("2024-05-01 12:00", tz="UTC")
REPORT = """
company: Test
time_zone: UTC
currency: EUR
source: source.yaml
reports: reports
records: records
notebooks: [{name: loyalty}]
fx: {USD: 0.9}
"""
TICKETS = "ticket_id,created_at\nT1,2024-05-01 08:00\nT2,2024-05-02T10:00:00+02:00\n"


@pytest.fixture
def desk(tmp_path):
    """A folder with a configuration: `desk(as_of=..., tickets="ticket_id,...")` writes files and opens the source."""

    def opened(
        given=None, *, as_of="2024-06-01T00:00+00:00", connection="duckdb://", sample=False, checks=None, **tables
    ):
        (tmp_path / "report.yaml").write_text(REPORT)
        lines = [f"connection: {connection}", f"as_of: {as_of}", f"sample: {str(sample).lower()}", "tables:"]
        lines += [f"  {name}: {written(name, content)}" for name, content in tables.items()]
        lines += [f"checks: {{exports: {checks}}}"] if checks else []
        (tmp_path / "source.yaml").write_text("\n".join(lines))
        return source.open(params.load(tmp_path / "report.yaml"), as_of=given)

    def written(name, content):
        if isinstance(content, pd.DataFrame):
            content.to_parquet(tmp_path / f"{name}.parquet")
            return f"{name}.parquet"
        if "\n" not in content:
            return content
        (tmp_path / f"{name}.csv").write_text(content)
        return f"{name}.csv"

    return opened


def about(opened, table):
    return next(entry for entry in opened.quality()[0] if entry["table"] == table)


def test_an_export_of_one_row_a_ticket_with_required_columns_only_is_enough(desk):
    opened = desk(tickets=TICKETS)
    tickets = opened.tables["tickets"].order_by("ticket_id").to_pandas()
    assert list(tickets["created_at"]) == [pd.Timestamp(f"2024-05-0{day} 08:00", tz="UTC") for day in (1, 2)]
    assert list(tickets["initiated_by"]) == ["customer", "customer"]
    assert opened.missing == [name for name in TABLES if name != "tickets"]
    assert opened.quality()[1] == []
    assert about(opened, "tickets") == {
        "table": "tickets",
        "present": True,
        "rows": 2,
        "dropped": {},
        "first": "2024-05-01T08:00:00+00:00",
        "last": "2024-05-02T08:00:00+00:00",
    }
    assert about(opened, "calls") == {
        "table": "calls", "present": False, "rows": 0, "dropped": {}, "first": None, "last": None,
    }  # fmt: skip


def test_a_text_file_keeps_leading_zeros_and_reads_blanks_as_missing(desk):
    opened = desk(tickets="ticket_id,created_at,channel,tier\n007,2024-05-01,,2\n")
    ticket = opened.tables["tickets"].to_pandas().iloc[0]
    assert (ticket["ticket_id"], ticket["tier"]) == ("007", 2)
    assert pd.isna(ticket["channel"])


def test_a_file_with_a_heading_and_no_rows_is_a_table_without_rows(desk):
    opened = desk(tickets="ticket_id,created_at\n")
    assert about(opened, "tickets")["rows"] == 0
    assert about(opened, "tickets")["last"] is None


def test_copies_are_left_out_and_counted_and_conflicts_stop(desk):
    row = {"ticket_id": "T1", "created_at": NOON}
    opened = desk(tickets=pd.DataFrame([row, row, row, row | {"ticket_id": "T2"}]))
    assert sorted(opened.tables["tickets"].to_pandas()["ticket_id"]) == ["T1", "T2"]
    assert about(opened, "tickets")["dropped"] == {"exact duplicate": 2}
    with pytest.raises(
        ContractError, match=r"source.yaml:4.*\n.*tickets: conflicting duplicates, 2 rows.*ticket_id=T1"
    ):
        desk(tickets=pd.DataFrame([row, row | {"team": "care"}]))


def test_what_came_after_the_extract_is_left_out_and_counted(desk):
    days = pd.DataFrame({"ticket_id": ["T1", "T2", "T3"], "created_at": [NOON, NOON, NOON + pd.Timedelta(days=9)]})
    days["loaded_at"] = [NOON, NOON + pd.Timedelta(days=9), NOON]
    subscriptions = pd.DataFrame(
        {"subscription_id": ["S1"], "customer_id": ["C1"], "started_at": [NOON], "plan": ["pro"], "mrr": [9.0]}
        | {"currency": ["USD"], "ended_at": [NOON + pd.Timedelta(days=30)], "end_reason": ["voluntary"]}
    )
    opened = desk("2024-05-02T12:00+00:00", tickets=days, subscriptions=subscriptions)
    assert list(opened.tables["tickets"].to_pandas()["ticket_id"]) == ["T1"]
    assert about(opened, "tickets")["dropped"] == {"after the extract": 2}
    assert datetime.fromisoformat(about(opened, "tickets")["last"]) == NOON
    assert opened.tables["subscriptions"].to_pandas()[["ended_at", "end_reason"]].isna().all(axis=None)
    assert opened.as_of_source == "given"
    later = desk("2024-06-02T12:00+00:00", tickets=days, subscriptions=subscriptions)
    assert later.tables["subscriptions"].to_pandas()["end_reason"][0] == "voluntary"


def test_rows_that_break_a_rule_of_level_drop_are_left_out_and_counted(desk):
    events = (
        "event_id,ticket_id,at,kind,actor\nE1,T1,2024-05-01 08:00,created,customer\nE2,T1,2024-04-01,assign,agent\n"
    )
    opened = desk(tickets=TICKETS, ticket_events=events)
    assert list(opened.tables["ticket_events"].to_pandas()["event_id"]) == ["E1"]
    assert about(opened, "ticket_events")["dropped"] == {"before the ticket was created": 1}
    assert [(check["table"], check["rule"], check["level"], check["rows"]) for check in opened.quality()[1]] == [
        ("tickets", "no created event", "warning", 1),
        ("ticket_events", "before the ticket was created", "drop", 1),
    ]


def test_what_a_mapping_leaves_out_is_counted_under_its_reason(desk):
    opened = desk(tickets="ticket_id,created_at,left_out\nT1,2024-05-01,\nT2,2024-05-02,test desk\n")
    assert list(opened.tables["tickets"].to_pandas()["ticket_id"]) == ["T1"]
    assert about(opened, "tickets")["rows"] == 2
    assert about(opened, "tickets")["dropped"] == {"test desk": 1}


def test_a_sources_own_checks_are_warnings_where_they_count_rows(desk, tmp_path):
    (tmp_path / "agree.sql").write_text(
        """-- Do the exports agree?
        SELECT count(*) || ' tickets, and none billed' AS message, count(*) AS rows FROM read_csv('tickets.csv')
        UNION ALL SELECT 'all is well', 0"""
    )
    opened = desk(tickets=TICKETS, checks="agree.sql")
    (found,) = opened.quality()[1]
    assert (found["table"], found["level"], found["rows"]) == ("exports", "warning", 2)
    assert found["message"] == "2 tickets, and none billed"
    assert "agree.sql" in opened.fingerprint()["files"]
    (tmp_path / "agree.sql").write_text("SELECT 1 AS rows")
    with pytest.raises(SourceError, match=r"source.yaml:\d+: a check selects message and rows: there is no message"):
        desk(tickets=TICKETS, checks="agree.sql")


def test_text_that_cannot_be_read_stops_with_examples(desk):
    with pytest.raises(ContractError, match=r"created_at holds text that is not a date and time \(soon\)"):
        desk(tickets="ticket_id,created_at\nT1,soon\n")


def test_an_amount_in_a_currency_without_a_rate_stops(desk):
    costs = (
        "cost_id,center,category,period_start,period_end,amount,currency\nK1,support,rent,2024-05-01,2024-05-31,1,GBP\n"
    )
    with pytest.raises(ContractError, match=r"no exchange rate, 1 rows: the report is in EUR.*currency=GBP"):
        desk(costs=costs)
    opened = desk(costs=costs.replace("GBP", "USD"))
    assert datetime.fromisoformat(about(opened, "costs")["last"]) == datetime(2024, 5, 31, tzinfo=UTC)


def test_a_mapping_finds_files_beside_itself_and_variables_in_the_environment(desk, tmp_path, monkeypatch):
    folder = tmp_path / "o'neil"
    folder.mkdir()
    (folder / "raw.csv").write_text("id,opened\n1,2024-05-01 09:00\n")
    (tmp_path / "maps").mkdir()
    (tmp_path / "maps" / "more.csv").write_text("id,opened\n2,2024-05-01 10:00\n")
    sql = """-- One row a ticket; isn't it.
        -- EXPORTS: the folder of exports
        SELECT CAST(id AS text) AS ticket_id, opened AS created_at FROM read_csv('${EXPORTS}/raw.csv')
        UNION ALL SELECT CAST(id AS text), opened FROM 'more.csv';
    """
    (tmp_path / "maps" / "tickets.sql").write_text(sql)
    with pytest.raises(
        SourceError, match=r"tickets.sql: the environment variable EXPORTS is not set: set EXPORTS to the folder of"
    ):
        desk(tickets="maps/tickets.sql")
    monkeypatch.setenv("EXPORTS", "/nowhere")
    with pytest.raises(
        SourceError, match=r"there is no file '.*nowhere/raw.csv': set EXPORTS to the folder of exports"
    ):
        desk(tickets="maps/tickets.sql")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EXPORTS", "o'neil")
    opened = desk(tickets="maps/tickets.sql")
    assert sorted(opened.tables["tickets"].to_pandas()["ticket_id"]) == ["1", "2"]
    assert list(opened.fingerprint()["files"]) == ["maps/more.csv", "maps/tickets.sql", "o'neil/raw.csv"]


def test_remote_files_are_left_to_the_engine(desk, tmp_path):
    (tmp_path / "raw.csv").write_text(TICKETS)
    (tmp_path / "tickets.sql").write_text(f"select * from read_csv('file://{tmp_path}/raw.csv', all_varchar=true)")
    (tmp_path / "new.csv").write_text("lead_id,created_at,channel\nL1,2024-05-01,ads\n")
    opened = desk(tickets="tickets.sql", leads=f"file://{tmp_path}/new.csv")
    assert (about(opened, "tickets")["rows"], about(opened, "leads")["rows"]) == (2, 1)
    assert list(opened.fingerprint()["files"]) == ["tickets.sql"]


def test_tables_of_a_database_are_read_and_nothing_is_written(desk, tmp_path):
    with duckdb.connect(str(tmp_path / "desk.duckdb")) as database:
        database.sql(
            "create schema crm;"
            "create table crm.leads as select 'D1' lead_id, timestamp '2024-05-01' created_at, 'ads' channel"
        )
    opened = desk(connection=f"duckdb://{tmp_path}/desk.duckdb", leads="crm.leads", as_of="2999-01-01T00:00+00:00")
    assert list(opened.tables["leads"].to_pandas()["channel"]) == ["ads"]
    assert opened.fingerprint()["files"] == {}
    assert opened.fingerprint()["tables"]["leads"]["rows"] == 1
    with pytest.raises(SourceError, match=r"source.yaml:1: cannot connect to"):
        desk(connection=f"duckdb://{tmp_path}/desc.duckdb", leads="crm.leads")
    assert not (tmp_path / "desc.duckdb").exists()
    with pytest.raises(
        SourceError, match=r"source.yaml:5: the database has no table 'crm.lead' - did you mean 'leads'"
    ):
        desk(connection=f"duckdb://{tmp_path}/desk.duckdb", leads="crm.lead")


def test_no_two_engines_spill_to_the_same_folder(desk, tmp_path):
    def place(opened):
        ((folder,),) = opened.connection.raw_sql("SELECT current_setting('temp_directory')").fetchall()
        return Path(folder)

    connection = f"duckdb://?temp_directory={tmp_path}/it's"
    first, second = (desk(tickets=TICKETS, connection=connection) for _ in range(2))
    assert place(first) != place(second)
    assert {place(first).parent, place(second).parent} == {tmp_path}  # nothing stands there: beside it
    (tmp_path / "it's").mkdir()
    assert place(desk(tickets=TICKETS, connection=connection)).parent == tmp_path / "it's"
    with duckdb.connect(str(tmp_path / "desk.duckdb")) as database:
        database.sql("create table leads as select 'D1' lead_id, timestamp '2024-05-01' created_at, 'ads' channel")
    opened = [desk(connection=f"duckdb://{tmp_path}/desk.duckdb", leads="leads") for _ in range(2)]
    assert place(opened[0]) == place(opened[1])  # one database, opened twice


@pytest.mark.parametrize("written", ["${WAREHOUSE_URL}", "nosuch://kpi:s3cr/et@db/x?token=abc"])
@pytest.mark.parametrize("said", ["", "no port 's3cr'", "role kpi", "token abc", "s3cr%2Fet"])
def test_what_a_connection_holds_is_not_told(desk, monkeypatch, written, said):
    def refused(*_, **__):
        raise ValueError(said or "the server is away")

    monkeypatch.setattr("ibis.connect", refused)
    monkeypatch.setenv("WAREHOUSE_URL", "nosuch://kpi:s3cr/et@db/x?token=abc")
    with pytest.raises(SourceError) as caught:
        desk(connection=written, leads="crm.leads")
    shown = written if written.startswith("$") else "nosuch://...@db/x?..."
    ending = "" if said else ": the server is away"
    assert str(caught.value).endswith(f"source.yaml:1: cannot connect to {shown!r}{ending}")


@pytest.mark.parametrize(("said", "told"), [("the server is away", ": the server is away"), ("no token abc", "")])
def test_nor_is_what_a_server_of_spark_connect_is_told(desk, monkeypatch, said, told):
    def refused(url):
        raise ValueError(said)

    monkeypatch.setattr("kpi_lib.source._spark", refused)
    with pytest.raises(SourceError) as caught:
        desk(connection="sc://spark:443/;token=abc", leads="crm.leads")
    assert str(caught.value).endswith(f"source.yaml:1: cannot connect to 'sc://spark:443/;...'{told}")


def test_patterns_read_several_files_also_when_older_ones_lack_a_column(desk, tmp_path):
    pd.DataFrame({"ticket_id": ["T1"], "created_at": [NOON]}).to_parquet(tmp_path / "tickets-1.parquet")
    pd.DataFrame({"ticket_id": ["T2"], "created_at": [NOON], "team": ["care"]}).to_parquet(
        tmp_path / "tickets-2.parquet"
    )
    opened = desk(tickets="tickets-*.parquet")
    assert sorted(opened.tables["tickets"].to_pandas()["ticket_id"]) == ["T1", "T2"]
    assert len(opened.fingerprint()["files"]) == 2


def test_json_is_read(desk, tmp_path):
    (tmp_path / "tickets.jsonl").write_text('{"ticket_id": 1, "created_at": "2024-05-01T08:00:00Z", "is_spam": true}\n')
    ticket = desk(tickets="tickets.jsonl").tables["tickets"].to_pandas().iloc[0]
    assert (ticket["ticket_id"], bool(ticket["is_spam"])) == ("1", True)


def test_a_file_that_is_not_there_says_what_to_run(desk):
    with pytest.raises(SourceError, match=r"source.yaml:5: there is no file '.*tickets.parquet'$"):
        desk(tickets="tickets.parquet")
    with pytest.raises(SourceError, match="`kpi sample` writes the sample company"):
        desk(tickets="tickets.parquet", sample=True)


def test_a_table_that_the_contract_does_not_know_is_refused(desk):
    with pytest.raises(
        SourceError, match=r"source.yaml:5: the contract has no table 'ticket' - did you mean 'tickets'"
    ):
        desk(ticket="tickets.csv")


def test_the_extracts_instant_comes_from_params_a_column_or_the_latest_event(desk):
    tickets = "ticket_id,created_at,loaded_at\nT1,2024-05-01 08:00,2024-05-03\nT2,2024-05-02,\n"
    fixed = desk(tickets=tickets)
    assert (fixed.as_of.isoformat(), fixed.as_of_source) == ("2024-06-01T00:00:00+00:00", "params")
    column = desk(tickets=tickets, as_of="{table: tickets, column: loaded_at}")
    assert (column.as_of, column.as_of_source) == (datetime(2024, 5, 3, tzinfo=UTC), "table")
    latest = desk(tickets=tickets, as_of="latest")
    assert (latest.as_of, latest.as_of_source) == (datetime(2024, 5, 2, tzinfo=UTC), "latest")
    assert [check["rule"] for check in latest.quality()[1]] == ["freshness unknown"]


@pytest.mark.parametrize(
    ("as_of", "message"),
    [
        (
            "2024-06-01T00:00",
            r"source.yaml:2: as_of '2024-06-01T00:00' has no offset from UTC: write 2024-06-01T00:00\+00:00",
        ),
        ("2024-06-01", r"has no offset from UTC: write 2024-06-01T00:00\+00:00"),
        ("2024-06-01T00:00:00", r"has no offset from UTC: write 2024-06-01T00:00\+00:00"),
        ("yesterday", "'yesterday' is no instant"),
        ("{table: ticket, column: loaded_at}", "names no column of the source - did you mean|accepted: tickets"),
        ("{table: tickets, column: load_at}", "did you mean 'loaded_at'"),
    ],
)
def test_an_extract_time_that_is_no_instant_is_refused_with_what_would_do(desk, as_of, message):
    with pytest.raises(SourceError, match=message):
        desk(tickets=TICKETS, as_of=as_of)


def test_an_instant_given_by_hand_needs_its_offset_too(desk):
    with pytest.raises(SourceError, match=r"--as-of: .*has no offset"):
        desk("2024-06-01T00:00", tickets=TICKETS)


def test_a_column_of_an_impossible_type_is_a_message_with_its_place(desk):
    with pytest.raises((SourceError, ContractError), match=r"source.yaml"):
        desk(tickets=pd.DataFrame({"ticket_id": ["T1"], "created_at": [True]}))


def test_the_fingerprint_changes_with_a_files_content(desk, tmp_path):
    before = desk(tickets=TICKETS).fingerprint()
    assert before["files"] == {"tickets.csv": sha256(TICKETS.encode()).hexdigest()}
    assert desk(tickets=TICKETS).fingerprint() == before
    assert desk(tickets=TICKETS + "T3,2024-05-03\n").fingerprint()["files"] != before["files"]


def test_the_order_of_rows_and_copies_change_nothing(desk):
    heading, *rest = TICKETS.splitlines()
    first = desk(tickets=TICKETS).tables["tickets"].order_by("ticket_id").to_pandas()
    again = desk(tickets="\n".join([heading, *reversed(rest), rest[0], ""])).tables["tickets"]
    pd.testing.assert_frame_equal(first, again.order_by("ticket_id").to_pandas())


def test_what_an_engine_says_is_told_without_what_variables_stand_for(desk, tmp_path, monkeypatch):
    monkeypatch.setenv("DESK_CODE", "sesame7")
    (tmp_path / "leads.sql").write_text(
        "SELECT '${DESK_CODE}'::INTEGER AS lead_id, timestamp '2024-05-01' AS created_at, 'ads' AS channel"
    )
    with pytest.raises(SourceError, match="Could not convert string '\\$\\{DESK_CODE\\}'") as caught:
        desk(leads="leads.sql")
    assert caught.value.__cause__ is None
    with pytest.raises(SourceError, match="there is no file"):
        desk(leads="${DESK_CODE}.parquet")


def test_a_mapping_may_lie_in_a_folder_with_an_apostrophe(desk, tmp_path):
    folder = tmp_path / "o'brien"
    folder.mkdir()
    (folder / "leads.csv").write_text("lead_id,created_at,channel\nL1,2024-05-01,ads\n")
    (folder / "leads.sql").write_text("SELECT * FROM read_csv('leads.csv')")
    assert about(desk(leads="o'brien/leads.sql"), "leads")["rows"] == 1

"""Opens the tables that params/sources/NAME.yaml names, through Ibis, and hands them on in the contract's types.

A table is a Parquet, CSV or JSON file or pattern, a `.sql` file with one SELECT, or a table of the database. In text
files a blank is a missing value, and a time without an offset is UTC unless the mapping converts it. Relative paths in
a `.sql` file are relative to it; `${NAME}` in it is taken from the environment. A check is such a file, too.
"""

import os
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

from kpi_lib.contract import (
    LONGEST_REASON,
    PLANNED,
    TABLES,
    Broken,
    Rule,
    as_seen_at,
    check,
    conform,
    distinct,
    happened_by,
    instant,
    left_out,
    without,
)
from kpi_lib.contract import unreadable as unreadable_text
from kpi_lib.disclosure import hidden
from kpi_lib.engine import computed
from kpi_lib.errors import ContractError, KpiError, SourceError, did_you_mean
from kpi_lib.files import declared, fingerprint, hashes, matching, named_in, of_files, query, variables
from kpi_lib.params import FILE, Params, SourceParams, load_source

MOST_WARNINGS = 20  # of one check
SPARK_TRIES = 4  # to reach a server of Spark Connect, within five seconds or so
SETTINGS = {  # of an engine's session
    "duckdb": ("TimeZone = 'UTC'",),
    # computed columns have no statistics: PostgreSQL takes them for a few rows and loops over whole tables
    "postgres": ("TIME ZONE 'UTC'", "enable_nestloop = off", "jit = off"),
    # without Arrow each query computes Ibis's small tables anew, row by row in Python
    "pyspark": ("spark.sql.session.timeZone = UTC", "spark.sql.execution.arrow.pyspark.enabled = true"),
}
SPILLED = "kpi-spill-"
OPTION = "--as-of"
DRIVERS = ("psycopg", "py4j", "pyspark")  # whose exceptions Ibis lets through
AFTER_THE_EXTRACT, EXACT_DUPLICATE = "after the extract", "exact duplicate"


@dataclass
class Source:
    """The tables that are there, typed and cleaned as the contract says, as they stood at `as_of`."""

    connection: Any
    tables: dict[str, Any]
    as_of: datetime
    as_of_source: str
    sample: bool
    about: list[dict[str, Any]]
    findings: list[Broken]
    read: dict[str, str] = field(default_factory=dict)  # the hashes of local files, by their place beside the params
    columns: dict[str, set[str]] = field(default_factory=dict)  # what the source itself gave of each table
    known: dict[str, Any] | None = None  # its fingerprint before it was read, where its files tell
    declared: Mapping[str, Any] = field(default_factory=dict)  # what its own file says, and the variables in mappings
    repeatable: bool = False  # whether a fingerprint that is the same means that the data is

    @property
    def missing(self) -> list[str]:
        """The tables of the contract that the source does not have."""
        return [name for name in TABLES if name not in self.tables]

    def quality(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Return what was read and left out of each table, and the rules that rows break."""
        return self.about, [found.as_dict() for found in self.findings]

    def fingerprint(self) -> dict[str, Any]:
        """Return what tells whether the data is the same: the content of files, else rows and last event."""
        if self.known:
            return self.known
        tables = {about["table"]: {"rows": about["rows"], "last": about["last"]} for about in self.about}
        return {"as_of": self.as_of.isoformat(), **self.declared, "files": self.read, "tables": tables}


def open(params: Params, *, as_of: str | datetime | None = None) -> Source:
    """Open the source of `params` as it stood at `as_of`; rows that make numbers wrong are a ContractError."""
    spec = load_source(params.source)
    if unknown := next((name for name in spec.tables if name not in TABLES), None):
        message = f"the contract has no table {unknown!r}{did_you_mean(unknown, TABLES)}"
        raise SourceError(message, where=spec.where("tables", unknown))
    fixed = _instant(as_of, OPTION) if as_of else _fixed(spec)
    known = fingerprint(spec, fixed, params.reports)  # before they are read: a file that changes meanwhile is seen
    connection = _connect(spec)
    raw, files = _read_all(connection, spec)
    with _readable(spec.where("tables")):
        typed = _typed(connection, raw, spec)
        seen, how = (fixed, "given" if as_of else "params") if fixed else _from_data(typed, spec)
        tables, about, unique = _settled(connection, typed, seen)
        given = {name: {column.lower() for column in rows.columns} for name, rows in raw.items()}
        rules = {name: left_out(tables[name]) if "left_out" in given[name] else [] for name in tables}
        for name in (name for name in tables if "currency" in tables[name].columns):
            rules[name].append(_exchange_rate((params.currency, *params.fx)))
        findings = check(tables, rules, unique)
        _stop_on_errors(findings, spec)
        tables = {name: _without_broken(connection, name, tables, findings) for name in tables}
    _count_dropped(about, findings)
    told, read = _own_checks(connection, spec)
    findings += told
    if how == "latest":
        rule = Rule("warning", "freshness unknown", message="as_of is the latest event: nothing tells what came later")
        findings.append(Broken("", rule, "warning", 0, rule.message))
    digests = {} if known else hashes([*files, *read], params.reports)
    values = {name: value for file in digests if file.suffix == ".sql" for name, value in variables(file).items()}
    local = {os.path.relpath(file, spec.path.parent): digest for file, digest in digests.items()}
    said = {"declared": declared(spec), "values": values}
    # nothing tells of a database that grows, nor of files that its engine alone knows of
    repeatable = known is not None or not (how == "latest" or of_files(spec))
    return Source(connection, tables, seen, how, spec.sample, about, findings, local, given, known, said, repeatable)


def _connect(spec: SourceParams) -> Any:
    import ibis

    kind, _, place = spec.connection.partition("://")
    options = {"read_only": True} if kind == "duckdb" and place.split("?")[0] not in ("", ":memory:") else {}
    try:
        connection = _spark(spec.connection) if kind == "sc" else ibis.connect(spec.connection, **options)
    except KpiError:
        raise
    except Exception as error:  # every engine has exceptions of its own
        raise SourceError(_cannot_connect(spec, _first_line(error)), where=spec.where("connection")) from None
    for setting in SETTINGS.get(connection.name, ()):
        connection.raw_sql(f"SET {setting}")
    if connection.name == "duckdb":
        _spill_apart(connection)
    return connection


def _spill_apart(connection: Any) -> None:
    """Give DuckDB a folder of its own for what memory does not hold: processes that share one crash each other."""
    ((place,),) = connection.raw_sql("SELECT current_setting('temp_directory')").fetchall()
    if not place or SPILLED in place:  # off, or done before for a database that this process has open
        return
    folder, own = Path(place), f"{SPILLED}{uuid4().hex}"
    folder = folder / own if folder.is_dir() else folder.with_name(f"{folder.name}-{own}")
    quoted = str(folder).replace("'", "''")
    connection.raw_sql(f"SET temp_directory = '{quoted}'")


def _spark(url: str) -> Any:
    """Return the connection to a server of Spark Connect: Ibis has no URL for one.

    A server that does not answer is given up after seconds; Spark would try for ten minutes.
    """
    import ibis
    from pyspark.sql import SparkSession

    warnings.filterwarnings("ignore", "'verifySchema' is ignored", UserWarning)  # Ibis names it for each small table
    session = SparkSession.builder.remote(url).getOrCreate()
    patient = session.client.get_retry_policies()
    session.client.set_retry_policies([impatient()])
    session.range(0).schema  # noqa: B018 (asks the server)
    session.client.set_retry_policies(patient)
    return ibis.pyspark.connect(session)


def impatient() -> Any:
    """Return the policy by which a server of Spark Connect is tried that may not be there."""
    from pyspark.sql.connect.client.retries import DefaultPolicy

    return DefaultPolicy(max_retries=SPARK_TRIES)


def _cannot_connect(spec: SourceParams, said: str) -> str:
    """Return the message with what the engine said, unless that holds a part of a user name, password or option."""
    written = re.sub(r"//.*@", "//...@", spec.connection_as_written)
    _, _, place = unquote(spec.connection).partition("://")
    parts = re.split(r"\W+", place.rpartition("@")[0] + " " + re.sub(r"^[^?;]*", "", place))
    told = "" if any(part in unquote(said) for part in parts if part) else f": {said}"
    shown = re.sub(r"([?;]).*", r"\1...", written)
    return f"cannot connect to {shown!r}{told}"


def _read_all(connection: Any, spec: SourceParams) -> tuple[dict[str, Any], list[Path]]:
    raw, files = {}, set()
    for name in (name for name in TABLES if name in spec.tables):
        where = spec.where("tables", name)
        with _readable(where):
            raw[name], read = _read(connection, spec.tables[name], spec, where)
            files.update(read)
    return raw, sorted(files)


def _read(connection: Any, text: str, spec: SourceParams, where: str) -> tuple[Any, list[Path]]:
    """Return a table as it is written, and the files that it is read from."""
    from ibis.common.exceptions import TableNotFound

    suffix = FILE.search(text)
    if not suffix:
        schema, _, table = text.rpartition(".")
        try:
            return connection.table(table, database=schema or None), []
        except TableNotFound:
            there = connection.list_tables(database=schema or None)
            message = f"the database has no table {hidden(text)!r}{did_you_mean(table, there)}"
            raise SourceError(message, where=where) from None
    files = matching(text, where, "`kpi sample` writes the sample company" if spec.sample else "")
    if suffix[1] == "sql":
        select, told = query(files[0])
        read = named_in(select, files[0], told)
        return connection.sql(select), files + read
    if suffix[1] in ("csv", "tsv"):
        return connection.read_csv(text, all_varchar=True, header=True, union_by_name=True), files
    if suffix[1] == "parquet":
        return connection.read_parquet(text, union_by_name=True), files
    return connection.read_json(text), files


def _own_checks(connection: Any, spec: SourceParams) -> tuple[list[Broken], list[Path]]:
    """Return as warnings what the source's own checks say of its tables, and the files that they read."""
    said, files = [], []
    for name, text in spec.checks.items():
        where = spec.where("checks", name)
        with _readable(where):
            found, read = _read(connection, text, spec, where)
            if absent := [column for column in ("message", "rows") if column not in found.columns]:
                raise SourceError(f"a check selects message and rows: there is no {absent[0]}", where=where)
            broken = found.filter(found["rows"] > 0).select("message", "rows").limit(MOST_WARNINGS).to_pandas()
        files += read
        for message, rows in zip(broken["message"], broken["rows"], strict=True):
            message = str(message)[:LONGEST_REASON]
            said.append(Broken(name, Rule("warning", message), "warning", int(rows), message))
    return said, files


def _typed(connection: Any, raw: dict[str, Any], spec: SourceParams) -> dict[str, Any]:
    typed, unreadable = {}, []
    for name, rows in raw.items():
        typed[name] = conform(rows, TABLES[name], where=spec.where("tables", name))
        if connection.name == "duckdb":
            unreadable += unreadable_text(rows, TABLES[name])
            if (suffix := FILE.search(spec.tables[name])) and suffix[1] != "parquet":
                typed[name] = computed(typed[name])  # text is parsed, and a mapping is run, once
    _stop_on_errors(unreadable, spec)
    return typed


def _fixed(spec: SourceParams) -> datetime | None:
    if isinstance(spec.as_of, dict) or spec.as_of == "latest":
        return None
    return _instant(spec.as_of, spec.where("as_of"))


def _instant(given: str | datetime, where: str) -> datetime:
    try:
        seen = given if isinstance(given, datetime) else datetime.fromisoformat(given)
    except ValueError:
        others = "" if where == OPTION else ", a table and column, or latest"
        message = f"as_of {given!r} is no instant: write 2024-07-02T06:00+02:00{others}"
        raise SourceError(message, where=where) from None
    if seen.tzinfo is None:
        offset = seen.isoformat(timespec="minutes") + "+00:00"
        raise SourceError(f"as_of {str(given)!r} has no offset from UTC: write {offset}, for instance", where=where)
    return seen


def _from_data(typed: dict[str, Any], spec: SourceParams) -> tuple[datetime, str]:
    """Return the extract's instant from a column, or from the latest event of all tables."""
    if isinstance(spec.as_of, dict):
        table, column = spec.as_of.get("table", ""), spec.as_of.get("column", "")
        if table not in typed or column not in typed[table].columns:
            accepted = typed[table].columns if table in typed else typed
            message = (
                f"as_of names no column of the source{did_you_mean(column if table in typed else table, accepted)}"
            )
            raise SourceError(message, where=spec.where("as_of"))
        found, how = [typed[table][column].max().to_pandas()], "table"
    else:
        dated = {name: rows for name, rows in typed.items() if TABLES[name].event_time and name not in PLANNED}
        found, how = [instant(rows, TABLES[name]).max().to_pandas() for name, rows in dated.items()], "latest"
    if not (known := [value for value in found if value is not None and value == value]):
        raise SourceError("the data has no instant to take as_of from: write one", where=spec.where("as_of"))
    return max(known).to_pydatetime().astimezone(UTC), how


def _settled(
    connection: Any, typed: dict[str, Any], seen: datetime
) -> tuple[dict[str, Any], list[dict[str, Any]], set[str]]:
    """Return the tables as they stood at `seen`, each row once, what was left out, and which have unique keys."""
    if not typed:
        raise SourceError("the source names no table")
    rows = {name: as_seen_at(table, TABLES[name], seen) for name, table in typed.items()}
    read = _one_row_each(_extent(table, name, seen) for name, table in typed.items())
    repeated = _one_row_each(_copies(table, name) for name, table in rows.items())
    about = []
    for name in TABLES:
        dropped = {}
        if name not in typed:
            about.append({"table": name, "present": False, "rows": 0, "dropped": {}, "first": None, "last": None})
            continue
        if late := int(read[name]["rows"] - read[name]["seen"]):
            dropped[AFTER_THE_EXTRACT] = late
        if repeated[name]["copies"]:
            once = _kept(connection, distinct(rows[name]))
            if copies := int(read[name]["seen"] - once.count().to_pandas()):
                dropped[EXACT_DUPLICATE] = copies
            rows[name] = once
        first, last = (_iso(read[name][end]) for end in ("first", "last"))
        about.append(
            {"table": name, "present": True, "rows": int(read[name]["rows"]), "dropped": dropped}
            | {"first": first, "last": last}
        )
    return rows, about, {name for name in rows if not repeated[name]["copies"]}


def _extent(rows: Any, name: str, seen: datetime) -> Any:
    import ibis

    table, happened = TABLES[name], happened_by(rows, TABLES[name], seen)
    first, last = instant(rows, table), instant(rows, table)
    if name == "costs":
        first, last = (rows[day].cast("timestamp('UTC', 6)") for day in ("period_start", "period_end"))
    return rows.aggregate(
        rows=rows.count(),
        seen=rows.count(where=happened),
        first=first.min(where=happened),
        last=last.max(where=happened),
    ).mutate(table=ibis.literal(name))


def _copies(rows: Any, name: str) -> Any:
    import ibis

    keys = rows.group_by(list(TABLES[name].key)).agg(copies=rows.count())
    return keys.aggregate(copies=keys.count(where=keys.copies > 1)).mutate(table=ibis.literal(name))


def _one_row_each(parts: Iterable[Any]) -> dict[str, dict[str, Any]]:
    import ibis

    parts = list(parts)
    frame = (ibis.union(*parts) if len(parts) > 1 else parts[0]).to_pandas()
    return frame.set_index("table").to_dict("index")


def _without_broken(connection: Any, name: str, tables: dict[str, Any], findings: list[Broken]) -> Any:
    if not any(found.table == name and found.level == "drop" for found in findings):
        return tables[name]
    return _kept(connection, without(tables[name], TABLES[name], findings, tables))


def _kept(connection: Any, rows: Any) -> Any:
    """Return rows that are not computed anew by every query, where that needs no permission to write."""
    return computed(rows) if connection.name == "duckdb" else rows


def _count_dropped(about: list[dict[str, Any]], findings: list[Broken]) -> None:
    for found in (found for found in findings if found.level == "drop"):
        dropped = next(entry for entry in about if entry["table"] == found.table)["dropped"]
        dropped[found.rule.name] = dropped.get(found.rule.name, 0) + found.rows


def _exchange_rate(known: tuple[str, ...]) -> Rule:
    message = f"the report is in {known[0]}: give the rates of other currencies under fx"
    return Rule("error", "no exchange rate", lambda rows: ~rows.currency.isin(known), message)


def _stop_on_errors(findings: list[Broken], spec: SourceParams) -> None:
    if errors := [str(found) for found in findings if found.level == "error"]:
        raise ContractError("the data breaks its contract\n  " + "\n  ".join(errors), where=spec.where("tables"))


@contextmanager
def _readable(where: str) -> Iterator[None]:
    """Turn what the engine says of a table or file that it cannot read into a message with its place."""
    import duckdb
    from ibis.common.exceptions import IbisError

    try:
        yield
    except Exception as error:
        if not isinstance(error, (duckdb.Error, IbisError)) and type(error).__module__.partition(".")[0] not in DRIVERS:
            raise
        message = hidden(_first_line(error))
        if "sniffing" in message:
            message = "a text file is no table: its lines end in different ways, or its delimiter or quotes vary"
        raise SourceError(message, where=where) from None


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _iso(value: Any) -> str | None:
    return value.isoformat() if value is not None and value == value else None

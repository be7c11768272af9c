"""A scorecard's rows as CSV, for spreadsheets, and as JSON, for programs; DuckDB writes both."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

# where a cell begins that a spreadsheet would compute; to some a semicolon ends a cell
FORMULA = r"(^|[;\t\r\n])(\s*[=+@＝＋－＠\t\r-])"
MEMBER = f"regexp_replace(member, '{FORMULA}', '\\1''\\2', 'g') AS member"


def write(stored: Path) -> None:
    """Write the rows of a scorecard.parquet beside it, as .csv and .json."""
    import pyarrow.parquet as pq

    table = pq.read_table(stored)
    to_csv(table, stored.with_suffix(".csv"))
    to_json(table, stored.with_suffix(".json"))


def to_csv(rows: "pa.Table", file: Path) -> None:
    """Write rows as CSV in which no member's name is a formula to a spreadsheet."""
    _copy(rows, MEMBER, file, "FORMAT csv, HEADER")


def to_json(rows: "pa.Table", file: Path) -> None:
    """Write rows as a JSON array of objects; `excluded` is an object in each."""
    _copy(rows, "excluded::JSON AS excluded", file, "FORMAT json, ARRAY")


def _copy(rows: "pa.Table", instead: str, file: Path, form: str) -> None:
    import duckdb

    with duckdb.connect(config={"threads": 1}) as connection:
        connection.register("rows", rows)
        target = str(file).replace("'", "''")
        connection.execute(f"COPY (SELECT * REPLACE ({instead}) FROM rows) TO '{target}' ({form})")

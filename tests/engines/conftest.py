"""A tenth of the sample company on a PostgreSQL server and a Spark of our own; each is left out where it is absent."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import small_sample
import yaml

from kpi_lib import params, scorecard, source
from kpi_lib.period import Period
from kpi_lib.sample.clock import AS_OF

PROJECT = Path(__file__).parents[2]
NOBODY = "postgres"  # the server refuses to run as root


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The Parquet files of the small company, by table."""
    return small_sample.write(tmp_path_factory.mktemp("tables"))


@pytest.fixture(scope="session")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., scorecard.Scorecard]:
    """Measures every KPI in all cuts: `measured(connection, tables)`, with the file or name of each table."""

    def measure(connection: str, tables: dict[str, str], period: str = "2024-06") -> scorecard.Scorecard:
        home = tmp_path_factory.mktemp("params")
        said = yaml.safe_load((PROJECT / "params" / "report.yaml").read_text()) | {"source": "source.yaml"}
        (home / "report.yaml").write_text(yaml.safe_dump(said))
        spec = {"connection": connection, "as_of": str(AS_OF), "tables": tables}
        (home / "source.yaml").write_text(yaml.safe_dump(spec))
        loaded = params.load(home / "report.yaml")
        opened = source.open(loaded)
        return scorecard.measure(opened, loaded, Period.parse(period), scorecard.needed_for(None))

    return measure


@pytest.fixture(scope="session")
def expected(measured: Callable[..., scorecard.Scorecard], tables: dict[str, Path]) -> scorecard.Scorecard:
    """What DuckDB makes of the tables."""
    return measured("duckdb://", {name: str(file) for name, file in tables.items()})


@pytest.fixture(scope="session")
def postgres(tables: dict[str, Path]) -> Iterator[tuple[str, dict[str, str]]]:
    """The URL of a PostgreSQL server that holds the tables and is gone afterwards, and their names."""
    pytest.importorskip("psycopg", reason="no psycopg: pip install ibis-framework[postgres]==12.0.0")
    if (programs := _programs()) is None:
        pytest.skip("no PostgreSQL server on this machine")
    with _server(programs) as url:
        _fill(url, tables)
        yield url, {name: name for name in tables}


@pytest.fixture(scope="session")
def spark(tables: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, str]]]:
    """The URL of a Spark on two cores and the files that it reads."""
    sql = pytest.importorskip("pyspark.sql", reason="no PySpark: pip install 'pyspark==4.0.*'")
    if not shutil.which("java"):
        pytest.skip("no Java on this machine")
    settings = {
        "spark.ui.enabled": "false",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": "4g",
        "spark.log.level": "ERROR",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.warehouse.dir": str(tmp_path_factory.mktemp("warehouse")),
    }
    session = sql.SparkSession.builder.master("local[2]").config(map=settings).getOrCreate()
    yield "pyspark://", {name: str(file) for name, file in tables.items()}
    session.stop()


def _programs() -> Path | None:
    """Return the folder of the server's programs, which is not always on the path."""
    found = shutil.which("initdb")
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return Path(found).resolve().parent if found else installed[-1].parent if installed else None


@contextmanager
def _server(programs: Path) -> Iterator[str]:
    home = Path(tempfile.mkdtemp(prefix="kpi-postgres-"))
    alias = ["setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"] if os.geteuid() == 0 else []
    if alias:
        shutil.chown(home, NOBODY)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def run(program: str, *arguments: str) -> None:
        command = [*alias, str(programs / program), "-D", str(home / "data"), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=home)

    try:
        run("initdb", "--auth=trust", "--username=kpi", "--locale=C.UTF-8", "--encoding=UTF8", "--no-sync")
        run("pg_ctl", "-w", "-l", str(home / "log"), "-o", f"-p {port} -k {home} -h 127.0.0.1 -c fsync=off", "start")
        try:
            yield f"postgresql://kpi@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(home)


def _fill(url: str, tables: dict[str, Path]) -> None:
    import ibis

    database, engine = ibis.connect(url), ibis.duckdb.connect()
    for name, file in tables.items():
        rows = engine.read_parquet(file)
        database.create_table(name, schema=rows.schema())
        text = file.with_suffix(".csv")
        rows.to_csv(text, header=False)
        with database.con.cursor() as cursor, cursor.copy(f"COPY {name} FROM STDIN (FORMAT csv)") as copy:
            copy.write(text.read_bytes())
    database.raw_sql("ANALYZE")
    database.disconnect()

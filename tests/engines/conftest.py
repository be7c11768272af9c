"""A tenth of the sample company on DuckDB, PostgreSQL, Spark and Spark Connect; each is left out where it is absent."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import servers
import small_sample
import yaml
from measure import Measured

from kpi_lib.sample.clock import AS_OF

PROJECT = Path(__file__).parents[2]
PERIOD = "2024-06"


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The Parquet files of the small company, by table."""
    return small_sample.write(tmp_path_factory.mktemp("tables"))


@pytest.fixture(scope="session")
def measure(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Measured]:
    """Measures in a process of its own: `measure(connection, tables, environment)`, a file or name for each table."""

    def measure(connection: str, tables: dict[str, Any], environment: dict[str, str] | None = None) -> Measured:
        home = tmp_path_factory.mktemp("measured")
        said = yaml.safe_load((PROJECT / "params" / "report.yaml").read_text()) | {"source": "source.yaml"}
        (home / "report.yaml").write_text(yaml.safe_dump(said))
        spec = {"connection": connection, "as_of": str(AS_OF), "tables": {name: str(of) for name, of in tables.items()}}
        (home / "source.yaml").write_text(yaml.safe_dump(spec))
        began = time.monotonic()
        command = [sys.executable, Path(__file__).with_name("measure.py"), home / "report.yaml", PERIOD, home]
        subprocess.run(command, check=True, env=environment or os.environ, cwd=PROJECT)
        return Measured.read(home, time.monotonic() - began)

    return measure


@pytest.fixture(scope="session")
def expected(measure: Callable[..., Measured], tables: dict[str, Path]) -> Measured:
    """What DuckDB makes of the tables."""
    return measure("duckdb://", tables)


@pytest.fixture(scope="session")
def on_postgres(measure: Callable[..., Measured], tables: dict[str, Path]) -> Measured:
    """What a PostgreSQL server makes of them."""
    pytest.importorskip("psycopg", reason="no psycopg: make test-engines installs it")
    if (programs := servers.postgres_programs()) is None:
        pytest.skip("no PostgreSQL server on this machine")
    with servers.postgres(programs) as url:
        servers.fill(url, tables)
        return measure(url, {name: name for name in tables})


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a process with a Spark."""
    pytest.importorskip("pyspark", reason="no PySpark: make test-engines installs it")
    if (home := servers.java()) is None:
        pytest.skip("no Java 17 or 21 on this machine, which Spark 4.0 needs")
    return servers.spark_environment(home, tmp_path_factory.mktemp("spark"))


@pytest.fixture(scope="session")
def on_spark(measure: Callable[..., Measured], tables: dict[str, Path], environment: dict[str, str]) -> Measured:
    """What a Spark inside the process makes of them."""
    return measure("pyspark://", tables, environment)


@pytest.fixture(scope="session")
def on_spark_connect(
    measure: Callable[..., Measured], tables: dict[str, Path], environment: dict[str, str]
) -> Measured:
    """What a Spark server makes of them."""
    with servers.spark_connect(environment) as url:
        return measure(url, tables)

"""The sample company on DuckDB, PostgreSQL, Spark and Spark Connect; each is left out where it is absent."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import servers
import yaml
from measure import Measured

from kpi_lib import sample
from kpi_lib.sample.clock import AS_OF

PROJECT = Path(__file__).parents[2]
PERIOD = "2024-05"


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The Parquet files of the sample company, by table."""
    folder = tmp_path_factory.mktemp("tables")
    sample.write(folder)
    return {file.stem: file for file in sorted(folder.glob("*.parquet"))}


@pytest.fixture(scope="session")
def measure(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Measured]:
    """Measures in a process of its own: `measure(connection, tables, environment)`, a file or name for each table."""

    def measure(connection: str, tables: dict[str, Any], environment: dict[str, str] | None = None) -> Measured:
        home = tmp_path_factory.mktemp("measured")
        said = yaml.safe_load((PROJECT / "params" / "report.yaml").read_text()) | {"source": "source.yaml"}
        (home / "notebooks").symlink_to(PROJECT / "notebooks")
        (home / "report.yaml").write_text(yaml.safe_dump(said))
        spec = {"connection": connection, "as_of": str(AS_OF), "tables": {name: str(of) for name, of in tables.items()}}
        (home / "source.yaml").write_text(yaml.safe_dump(spec))
        began = time.monotonic()
        command = [sys.executable, Path(__file__).with_name("measure.py"), home / "report.yaml", PERIOD, home]
        subprocess.run(command, check=True, env=environment or os.environ, cwd=PROJECT)
        return Measured(home, time.monotonic() - began)

    return measure


@pytest.fixture(scope="session")
def expected(measure: Callable[..., Measured], tables: dict[str, Path]) -> Measured:
    """What DuckDB makes of the tables."""
    return measure("duckdb://", tables)


@pytest.fixture(scope="session")
def on_postgres(measure: Callable[..., Measured], tables: dict[str, Path]) -> Measured:
    """What a PostgreSQL server makes of them."""
    servers.need(find_spec("psycopg"), "no psycopg: make test-engines installs it")
    programs = servers.need(servers.postgres_programs(), "no PostgreSQL server on this machine")
    with servers.postgres(programs) as url:
        servers.fill(url, tables)
        before = servers.reads_of_postgres(url)
        done = measure(url, {name: name for name in tables})
        reads = servers.reads_of_postgres(url)
        return replace(done, reads={name: reads[name] - before[name] for name in tables})


@pytest.fixture(scope="session")
def java() -> Path:
    """The home of a Java for a Spark that is installed."""
    servers.need(find_spec("pyspark"), "no PySpark: make test-engines installs it")
    return servers.need(servers.java(), "no Java 17 or 21 on this machine, which Spark 4.0 needs")


@pytest.fixture
def environment(java: Path, tmp_path: Path) -> dict[str, str]:
    """The environment of a process with a Spark."""
    return servers.spark_environment(java, tmp_path)


@pytest.fixture(scope="session")
def on_spark(
    measure: Callable[..., Measured], tables: dict[str, Path], java: Path, tmp_path_factory: pytest.TempPathFactory
) -> Measured:
    """What a Spark inside the process makes of them."""
    home = tmp_path_factory.mktemp("spark")
    done = measure("pyspark://", tables, servers.spark_environment(java, home))
    return replace(done, reads=servers.reads_of_spark(home))


@pytest.fixture(scope="session")
def on_spark_connect(
    measure: Callable[..., Measured], tables: dict[str, Path], java: Path, tmp_path_factory: pytest.TempPathFactory
) -> Measured:
    """What a Spark server makes of them."""
    home = tmp_path_factory.mktemp("spark-connect")
    with servers.spark_connect(servers.spark_environment(java, home)) as url:
        done = measure(url, tables)
    return replace(done, reads=servers.reads_of_spark(home))

"""Servers of our own on this machine's loopback, each gone afterwards: PostgreSQL, and Spark behind Spark Connect."""

import json
import os
import pwd
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

STARTED_WITHIN = 120  # seconds
REQUIRED = "REQUIRE_ENGINES"  # in the environment: an engine that is absent is a failure
JAVAS = r'JAVA_VERSION="(17|21)\.'  # that Spark 4.0 runs on
PLANNED = re.compile(r'\{"Event":"[\w.]*(SQLExecutionStart|SQLAdaptiveExecutionUpdate)"')
CONNECT = "org.apache.spark.sql.connect.service.SparkConnectServer"
POSTGRES = "-c fsync=off -c max_parallel_workers_per_gather=0"  # each of several workers would count as a read
SETTINGS = {
    "spark.master": "local[2]",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.memory": "2g",
    # many small queries: to plan them is most of the work, and little code runs long enough to be worth optimising
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m -XX:+UseParallelGC",
    "spark.sql.shuffle.partitions": "2",
}


def need(found: Any, reason: str) -> Any:
    """Return what was found; where nothing was, leave the test out, or where engines are required let it fail."""
    if not found:
        pytest.fail(f"{reason}; {REQUIRED} is set") if os.environ.get(REQUIRED) else pytest.skip(reason)
    return found


def postgres_programs() -> Path | None:
    """Return the folder of PostgreSQL's programs, which is not always on the path; None where there is none."""
    found = shutil.which("initdb")
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return Path(found).resolve().parent if found else installed[-1].parent if installed else None


@contextmanager
def postgres(programs: Path) -> Iterator[str]:
    """Run a PostgreSQL server; yields its URL. As it refuses to run as root, it then runs as another user."""
    home = Path(tempfile.mkdtemp(prefix="kpi-postgres-"))
    alias = []
    if os.geteuid() == 0:
        user = next(each for each in pwd.getpwall() if each.pw_name in ("postgres", "nobody"))
        alias = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
        shutil.chown(home, user.pw_uid)
    port = _free_port()

    def run(program: str, *arguments: str) -> None:
        command = [*alias, str(programs / program), "-D", str(home / "data"), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=home)

    try:
        run("initdb", "--auth=trust", "--username=kpi", "--locale=C", "--encoding=UTF8", "--no-sync")
        run("pg_ctl", "-w", "-l", str(home / "log"), "-o", f"-p {port} -k {home} -h 127.0.0.1 {POSTGRES}", "start")
        try:
            yield f"postgres://kpi@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(home)


def fill(url: str, tables: dict[str, Path]) -> None:
    """Copy Parquet files into tables of a PostgreSQL server."""
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


def reads_of_postgres(url: str) -> dict[str, int]:
    """Return how often a server has read each table, as it counts; a session that ended is in it."""
    import ibis

    database = ibis.connect(url)
    with database.con.cursor() as cursor:
        found = cursor.execute("SELECT relname, seq_scan + coalesce(idx_scan, 0) FROM pg_stat_user_tables").fetchall()
    database.disconnect()
    return dict(found)


def reads_of_spark(folder: Path) -> dict[str, int]:
    """Return how often a Spark has read each file, by its own log: the scans in the last plan of each execution."""
    plans: dict[int, Any] = {}
    [log] = [path for path in (folder / "events").iterdir() if path.is_file()]
    with log.open(encoding="utf-8") as lines:
        for line in lines:
            if PLANNED.match(line):
                event = json.loads(line)
                plans[event["executionId"]] = event["sparkPlanInfo"]
    reads: Counter[str] = Counter()
    waiting = list(plans.values())
    while waiting:
        node = waiting.pop()
        if node["nodeName"].startswith("Scan parquet"):
            reads[Path(node["metadata"]["Location"].rstrip("]")).stem] += 1
        if not node["nodeName"].startswith("ReusedExchange"):
            waiting += node["children"]
    return reads


def java() -> Path | None:
    """Return the home of a Java that Spark runs on; None where there is none."""
    found = [Path(os.environ["JAVA_HOME"])] if "JAVA_HOME" in os.environ else []
    found += [Path(path).resolve().parents[1] for path in [shutil.which("java")] if path]
    found += sorted(Path("/usr/lib/jvm").glob("*"))
    return next((home for home in found if _is_right(home / "release")), None)


def spark_environment(home: Path, folder: Path) -> dict[str, str]:
    """Return the environment of a process that runs a Spark of two cores, with the settings that it writes there."""
    settings = SETTINGS | {"spark.sql.warehouse.dir": str(folder / "warehouse"), "spark.local.dir": str(folder)}
    settings |= {"spark.eventLog.enabled": "true", "spark.eventLog.dir": (folder / "events").as_uri()}
    settings |= {"spark.eventLog.rolling.enabled": "false", "spark.eventLog.compress": "false"}
    (folder / "events").mkdir()
    (folder / "spark-defaults.conf").write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
    return os.environ | {"JAVA_HOME": str(home), "SPARK_CONF_DIR": str(folder), "SPARK_LOCAL_IP": "127.0.0.1"}


@contextmanager
def spark_connect(environment: dict[str, str]) -> Iterator[str]:
    """Run a Spark Connect server; yields its URL."""
    import pyspark

    port = _free_port()
    place = {"spark.connect.grpc.binding.address": "127.0.0.1", "spark.connect.grpc.binding.port": str(port)}
    conf = [part for name, value in place.items() for part in ("--conf", f"{name}={value}")]
    command = [str(Path(pyspark.__file__).parent / "bin" / "spark-submit"), *conf, "--class", CONNECT]
    server = subprocess.Popen(command, env=environment | {"SPARK_HOME": ""}, stderr=subprocess.DEVNULL)
    try:
        _wait_for(server, port)
        yield f"sc://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def _is_right(release: Path) -> bool:
    return release.is_file() and re.search(JAVAS, release.read_text()) is not None


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait_for(server: subprocess.Popen, port: int) -> None:
    until = time.monotonic() + STARTED_WITHIN
    while time.monotonic() < until and server.poll() is None:
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise RuntimeError(f"no Spark Connect server within {STARTED_WITHIN} seconds; it ended with {server.poll()}")

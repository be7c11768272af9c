"""The report of every audience on as many workers as Airflow has: notebooks from numbers measured once, and books."""

from datetime import datetime

from airflow.providers.papermill.operators.papermill import PapermillOperator
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, task
from airflow.timetables.trigger import CronTriggerTimetable

HOME, RUNS = "/srv/kpi-report", "/srv/kpi-runs"  # on a disk that every worker has
MONTH = "{{ (data_interval_end.replace(day=1) - macros.timedelta(days=1)).strftime('%Y-%m') }}"


@task.external_python(python=f"{HOME}/.venv/bin/python", expect_airflow=False)
def scorecards(month: str, home: str, runs: str) -> list[dict]:
    """Measure the numbers of all audiences; return what papermill is to run for each.

    One that has none, such as a segment that is not in the data, is named in the log, and its book fails alone.
    """
    import traceback
    from pathlib import Path

    from kpi_lib import assembly, audiences, source
    from kpi_lib.editions import editions
    from kpi_lib.params import load
    from kpi_lib.period import Period

    params, period = load(f"{home}/params/report.yaml"), Period.parse(month)
    tables = source.open(params)
    those = audiences.read(params).audiences
    reports = editions(params, period, Path(runs), tables.fingerprint(), those, {})
    numbers = assembly.Scorecards(lambda: tables, params, period, reports)
    wanted = []
    for edition in reports:
        edition.folder.mkdir(parents=True, exist_ok=True)
        try:
            numbers.of(edition).write(edition.folder)
        except Exception:
            print(f"no numbers in {edition.folder}: {traceback.format_exc()}")
            continue
        told = {"period": month, "params": f"{home}/params/report.yaml"}
        told["scorecard"] = str(edition.folder / "scorecard.parquet")
        told["audience"] = edition.audience.name if edition.audience else None
        for name in edition.notebooks:
            output = edition.folder / f"{name}.ipynb"
            wanted.append({"input_nb": f"{home}/notebooks/{name}.ipynb", "output_nb": str(output), "parameters": told})
    return wanted


@task.external_python(python=f"{HOME}/.venv/bin/python", expect_airflow=False)
def books(month: str, home: str, runs: str) -> list[str]:
    """Return the command that builds each audience's pages and PDFs, in a folder of its own."""
    from kpi_lib import audiences
    from kpi_lib.params import load

    names = [audience.name for audience in audiences.read(load(f"{home}/params/report.yaml")).audiences]
    kpi = f"cd {home} && .venv/bin/kpi report --json --engine stock --jobs 1"
    return [f"{kpi} --audience {name} --out {runs}/books/{name} {month}" for name in names]


with DAG(
    dag_id="kpi_audiences",
    schedule=CronTriggerTimetable("15 6 3 * *", timezone="Europe/Berlin"),
    start_date=datetime(2024, 1, 1),
    catchup=False,
    max_active_runs=1,
):
    PapermillOperator.partial(task_id="notebook", kernel_name="kpi-report", retries=1).expand_kwargs(
        scorecards(MONTH, HOME, RUNS)
    )
    BashOperator.partial(task_id="book", retries=1).expand(bash_command=books(MONTH, HOME, RUNS))

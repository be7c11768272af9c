"""The monthly report by Airflow: wait for the month's data, build, send, and run a notebook of one's own."""

from datetime import datetime, timedelta

from airflow.providers.papermill.operators.papermill import PapermillOperator
from airflow.providers.standard.operators.bash import BashOperator
from airflow.providers.standard.sensors.bash import BashSensor
from airflow.sdk import DAG
from airflow.timetables.trigger import CronTriggerTimetable

HOME, RUNS = "/srv/kpi-report", "/srv/kpi-runs"
KPI = f"cd {HOME} && .venv/bin/kpi"
MONTH = "{{ (data_interval_end.replace(day=1) - macros.timedelta(days=1)).strftime('%Y-%m') }}"

with DAG(
    dag_id="kpi_report",
    schedule=CronTriggerTimetable("15 6 2 * *", timezone="Europe/Berlin"),
    start_date=datetime(2024, 1, 1),
    catchup=False,
    max_active_runs=1,
):
    data = BashSensor(
        task_id="data",
        bash_command=f"{KPI} check {MONTH}",
        retry_exit_code=3,
        mode="reschedule",
        poke_interval=3600,
        timeout=timedelta(days=3).total_seconds(),
    )
    report = BashOperator(task_id="report", bash_command=f"{KPI} report --audience all --json {MONTH}")
    email = BashOperator(
        task_id="email",
        bash_command=f"{KPI} email --send --json {MONTH}",
        retries=3,
        retry_delay=timedelta(minutes=30),
    )
    own = PapermillOperator(
        task_id="own",
        input_nb=f"{HOME}/notebooks/loyalty.ipynb",
        output_nb=f"{RUNS}/loyalty-{MONTH}.ipynb",
        parameters={
            "period": MONTH,
            "params": f"{HOME}/params/report.yaml",
            "scorecard": f"{HOME}/reports/{MONTH}/scorecard.parquet",
        },
        kernel_name="kpi-report",
    )
    data >> report >> [email, own]

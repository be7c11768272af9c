"""The lines that docs/operations.md shows are the files beside it, and they run."""

import configparser
import json
import os
import re
import runpy
import shlex
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from inspect import getclosurevars
from pathlib import Path
from types import SimpleNamespace

import fake_airflow
import jinja2
import nbformat
import papermill
import pytest
import yaml

from kpi_lib import assembly, audiences, cli, cli_mail, cli_report, errors, slices
from kpi_lib.deliver import foreign, gate, mailing
from kpi_lib.deliver.send import Tally
from kpi_lib.editions import Made
from kpi_lib.publish import Outcome
from kpi_lib.scorecard import Scorecard, needed_for

ROOT = Path(__file__).parents[1]
SHOWN, PAGE = ROOT / "docs" / "operations", (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
HOME, RUNS, SECRETS = "/srv/kpi-report", "/srv/kpi-runs", "/etc/kpi-report.env"
ALL = [
    ("check", {"period": "2024-05"}),
    ("report", {"period": "2024-05", "audience": "all"}),
    ("email", {"period": "2024-05", "is_sent": True, "audience": None}),
]
NOON = datetime(2024, 6, 2, 12, tzinfo=UTC)


def accepted(typed):
    """What `kpi` understands by the words of a command; an option that it does not have is an error."""
    name, *words = typed
    return name, cli.cli.commands[name].make_context(name, list(words)).params


def asked(typed, expected):
    """Whether the commands are the expected ones, in that order, told at least what is expected of each."""
    found = [accepted(words) for words in typed]
    assert [name for name, _ in found] == [name for name, _ in expected]
    for (_, told), (_, wanted) in zip(found, expected, strict=True):
        assert {key: told[key] for key in wanted} == wanted


class Machine:
    """A folder where `kpi` and `make` only write down how they were called, on the second of June 2024."""

    def __init__(self, folder):
        self.home, self.tools, self.env = folder / "home", folder / "tools", folder / "kpi-report.env"
        self.told, self.given = folder / "told", folder / "environment"
        (self.home / ".venv" / "bin").mkdir(parents=True)
        self.tools.mkdir()
        self.told.touch()
        self.env.write_text("KPI_SMTP_URL='smtps://a:b%25@mail.example.com:465?timeout=9&tls=on'\n")
        note = f'for word; do printf "%s\\t" "$word"; done >>{self.told}; echo >>{self.told}\n'
        ends = f'env >{self.given}; ended={folder}/ends-$1; [ ! -e "$ended" ] || exit "$(cat "$ended")"\n'
        self._tool(self.home / ".venv" / "bin" / "kpi", note + ends)
        self._tool(self.tools / "make", "exit 0\n")
        real = shutil.which("date")
        self._tool(self.tools / "date", f'[ "$1" = -d ] || exit 9\nexec {real} -d "2024-06-02 $2" "$3"\n')

    def _tool(self, path, body):
        path.write_text("#!/bin/sh\n" + body)
        path.chmod(0o755)

    def ends(self, command, code):
        (self.home.parent / f"ends-{command}").write_text(str(code))

    def run(self, *words, **more):
        """Run a command line there; return its exit code."""
        words = [word.replace(HOME, str(self.home)).replace(SECRETS, str(self.env)) for word in words]
        env = {"PATH": f"{self.tools}:{os.environ['PATH']}"} | more
        return subprocess.run(words, cwd=self.home, env=env, check=False).returncode

    @property
    def typed(self):
        """The calls of `kpi` so far."""
        return [line.rstrip("\t").split("\t") for line in self.told.read_text().splitlines()]


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def blocks(kind):
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, flags=re.M | re.S)


@pytest.mark.parametrize("file", sorted(SHOWN.iterdir()), ids=lambda file: file.name)
def test_the_page_shows_the_files(file):
    assert file.read_text(encoding="utf-8") in blocks(r"\w+")
    assert f"](operations/{file.name})" in PAGE


def test_the_page_types_commands_that_there_are():
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    typed = [shlex.split(line)[1:] for line in lines if line.startswith("kpi ")]
    typed += [shlex.split(said)[1:] for said in re.findall(r"`(kpi (?:check|report|email|diff|verify) [^`]+)`", PAGE)]
    assert len(typed) > 15
    for words in typed:
        accepted([word.replace("FILE.pdf", __file__) for word in words])


def test_the_page_knows_the_exit_codes():
    codes = re.findall(r"^\| (\d+) \|", PAGE, flags=re.M)
    assert codes == ["0", "1", "2", "3", "4", "70", "130"]
    assert (errors.KpiError.exit_code, errors.DeliveryError.exit_code) == (2, 4)
    assert (cli.LATE, cli_mail.REFUSED, cli_mail.NOT_DELIVERED) == (3, 3, 4)


def test_the_page_knows_every_reason_of_the_gate():
    rows = re.search(r"^\| `kpi email` says \|.*?\n\n", PAGE, flags=re.M | re.S)[0].splitlines()[2:]
    phrases = [row.split("|")[1].strip() for row in rows if row]
    code = "".join(Path(module.__file__).read_text(encoding="utf-8") for module in (audiences, gate, foreign, mailing))
    assert [phrase for phrase in phrases if phrase not in code] == []
    reasons = re.findall(r"yield \(?\s*f?\"([^\"]+[.: ])\"", code)
    assert len(reasons) >= 10
    assert [said for said in reasons if not any(phrase in said for phrase in phrases)] == []


def test_the_summaries_have_what_the_commands_print():
    report, email = map(json.loads, blocks("json"))
    outcome = Outcome("whole", ROOT, False, [], [], {})
    edition = SimpleNamespace(period="2024-05", book=SimpleNamespace(audience=""))
    assert cli_report._as_json(Made(edition, outcome)).keys() == report.keys()
    assert cli_report._as_json(Made(edition, error="no")).items() >= {"status": "refused", "failures": ["no"]}.items()
    assert vars(Tally()).keys() <= email["mails"][0].keys()
    statuses = re.findall(r'"(shown|refused|sent|not all delivered)"', Path(cli_mail.__file__).read_text())
    assert {f"`{status}`" in PAGE for status in statuses} == {True}
    assert email["status"] in statuses


def cron_lines():
    lines = [line for line in (SHOWN / "crontab").read_text().splitlines() if not line.startswith("#")]
    assert lines.pop(0).startswith("MAILTO=")
    return [line.split(maxsplit=5) for line in lines]


def test_cron_lines_are_five_fields_and_a_command():
    bounds = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)]
    for *fields, command in cron_lines():
        for field, (low, high) in zip(fields, bounds, strict=True):
            assert field == "*" or all(low <= int(number) <= high for number in field.split(","))
        assert not re.search(r"(?<!\\)%", command)  # cron would end the command there


def test_cron_checks_builds_and_sends_last_month(machine):
    first, second = (command.replace(r"\%", "%") for *_, command in cron_lines())
    assert machine.run("/bin/sh", "-c", first) == 0
    asked(machine.typed, ALL)
    assert "KPI_SMTP_URL=smtps://a:b%25@mail.example.com:465?timeout=9&tls=on\n" in machine.given.read_text()
    assert machine.run("/bin/sh", "-c", second) == 0
    asked(machine.typed, [*ALL, ALL[-1]])


def test_cron_stops_where_a_command_fails(machine):
    first = cron_lines()[0][-1].replace(r"\%", "%")
    machine.ends("check", 3)
    assert machine.run("/bin/sh", "-c", first) == 3
    asked(machine.typed, ALL[:1])


def unit(name):
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str
    parser.read(SHOWN / name)
    return parser


def test_systemd_accepts_the_units(tmp_path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("there is no systemd-analyze here")
    units = [shutil.copy(SHOWN / f"kpi-report.{kind}", tmp_path) for kind in ("service", "timer")]
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    assert (done.returncode, [line for line in done.stderr.splitlines() if "kpi-report" in line]) == (0, [])


def test_the_timer_starts_the_service_once_a_month():
    timer = unit("kpi-report.timer")
    assert re.fullmatch(r"\*-\*-02 \d\d:\d\d:\d\d \w+/\w+", timer["Timer"]["OnCalendar"])
    assert timer["Timer"]["Persistent"] == "true"
    assert timer["Install"]["WantedBy"] == "timers.target"


@pytest.mark.parametrize(("command", "code", "again"), [("check", 3, True), ("report", 1, False), ("email", 4, True)])
def test_systemd_does_the_same_and_tries_again_what_may_pass(machine, command, code, again):
    service = unit("kpi-report.service")["Service"]
    words = shlex.split(service["ExecStart"].replace("%%", "%").replace("$$", "$"))
    machine.ends(command, code)
    assert machine.run(*words) == code
    place = [name for name, _ in ALL].index(command)
    asked(machine.typed, ALL[: place + 1])
    assert service["Restart"] == "on-failure"
    assert (str(code) not in service["RestartPreventExitStatus"].split()) is again


def steps():
    workflow = yaml.load((SHOWN / "report.yml").read_text(), Loader=yaml.BaseLoader)  # `on` stays a word
    assert set(workflow["on"]) == {"schedule", "workflow_dispatch"}
    assert len(workflow["on"]["schedule"][0]["cron"].split()) == 5
    (job,) = workflow["jobs"].values()
    assert "self-hosted" in job["runs-on"]
    return job["steps"]


@pytest.mark.parametrize("period", ["", "2024-05"])
def test_github_runs_the_same_commands(machine, period):
    kept = machine.home.parent / "github_env"
    kept.touch()
    for step in steps():
        if "run" not in step:
            continue
        known = dict(line.split("=", 1) for line in kept.read_text().splitlines())
        own = {name: text.replace("${{ inputs.period }}", period) for name, text in step.get("env", {}).items()}
        assert machine.run("bash", "-e", "-c", step["run"], GITHUB_ENV=str(kept), **known, **own) == 0
    asked(machine.typed, ALL)


def test_github_keeps_the_records_and_hands_the_password_to_the_mail_alone():
    given = steps()
    assert given[0] == {"uses": "actions/checkout@v5", "with": {"clean": "false"}}
    targets = re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), flags=re.M)
    assert {step["run"].split()[1] for step in given if step.get("run", "").startswith("make ")} <= set(targets)
    secret = [step["run"] for step in given if "KPI_SMTP_URL" in step.get("env", {})]
    assert [accepted(shlex.split(run)[1:])[0] for run in secret] == ["email"]


@pytest.fixture
def dag(monkeypatch):
    """Reads a DAG file; returns its tasks by name."""

    def read(name):
        fake_airflow.install(monkeypatch)
        runpy.run_path(str(SHOWN / name))
        (made,) = fake_airflow.DAG.made
        assert (made.arguments["catchup"], made.arguments["max_active_runs"]) == (False, 1)
        schedule = made.arguments["schedule"]
        assert re.fullmatch(r"\d+ \d+ \d+ \* \*", schedule.cron)  # once a month
        assert schedule.timezone == "Europe/Berlin"
        return {task.arguments["task_id"]: task for task in fake_airflow.Task.made}

    return read


def rendered(text, at=NOON):
    context = {"data_interval_end": at, "macros": SimpleNamespace(timedelta=timedelta)}
    return jinja2.Template(text).render(context) if isinstance(text, str) else text


def placed(value, folder):
    """A value of a DAG with its templates filled in and its folders below another."""
    if isinstance(value, dict):
        return {key: placed(each, folder) for key, each in value.items()}
    return rendered(value).replace(HOME, str(folder)).replace(RUNS, str(folder / "runs"))


def test_airflow_waits_for_the_data_builds_and_sends(dag, machine):
    tasks = dag("airflow_report.py")
    data, report, email, own = (tasks[name] for name in ("data", "report", "email", "own"))
    assert (report.after, email.after, own.after) == ([data], [report], [report])
    assert (type(data), data.arguments["retry_exit_code"]) == (fake_airflow.BashSensor, cli.LATE)
    assert (data.arguments["mode"], data.arguments["timeout"]) == ("reschedule", 3 * 24 * 3600)
    assert email.arguments["retries"] > 0
    for task in (data, report, email):
        assert machine.run("bash", "-c", rendered(task.arguments["bash_command"])) == 0
    asked(machine.typed, ALL)


@pytest.mark.parametrize(
    ("day", "month"), [("2024-01-02", "2023-12"), ("2024-03-31", "2024-02"), ("2024-12-31", "2024-11")]
)
def test_airflow_takes_the_month_before_that_of_the_day(dag, day, month):
    command = dag("airflow_report.py")["report"].arguments["bash_command"]
    assert rendered(command, datetime.fromisoformat(f"{day}T06:15+00:00")).endswith(f" {month}")


def notebook(company):
    """Give the company a notebook that says one number, and its folder the look of the project."""
    company.params(thresholds={"minimum_cell": 1})
    company.write()
    cells = [
        nbformat.v4.new_code_cell(
            'period: str = "2024-05"\nparams: str = "params/report.yaml"\nscorecard: str = None\n'
            "audience: str = None\nas_of: str = None",
            metadata={"tags": ["parameters"]},
        ),
        nbformat.v4.new_code_cell("from kpi_lib import Report"),
        nbformat.v4.new_code_cell("report = Report(period, params, scorecard, audience, as_of)"),
        nbformat.v4.new_code_cell('print(float(report.values("nps")["value"].iloc[-1]))'),
    ]
    told = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=told), company.folder / "notebooks" / "loyalty.ipynb")
    (company.folder / "runs").mkdir()


def printed(input_nb, output_nb, parameters):
    """Run a notebook as PapermillOperator does; return the number that it prints."""
    ran = papermill.execute_notebook(
        input_nb, output_nb, parameters=parameters, progress_bar=False, report_mode=True, kernel_name="python3"
    )
    assert Path(output_nb).is_file()
    return float(ran.cells[-1].outputs[0].text)


def test_airflow_runs_a_notebook_on_the_numbers_of_the_report(dag, company):
    for score in (10, 10, 9, 0):
        company.survey("nps", score)
    notebook(company)
    given = dict(dag("airflow_report.py")["own"].arguments)
    assert (given.pop("task_id"), given.pop("kernel_name")) == ("own", "kpi-report")
    given = placed(given, company.folder)
    folder = Path(given["parameters"]["scorecard"]).parent
    folder.mkdir(parents=True)
    company.card("nps").write(folder)
    assert printed(**given) == 50


def test_airflow_maps_the_notebooks_over_the_audiences_that_there_are(dag, company, monkeypatch, capsys):
    for module in (assembly, slices):  # of all numbers one, for the sake of time
        monkeypatch.setattr(module, "registry", lambda: needed_for(["nps"]))
    for segment, scores in (("enterprise", (10, 9)), ("consumer", (0, 0, 10))):
        for number, score in enumerate(scores):
            customer = company.customer(f"{segment}-{number}", segment=segment)
            company.survey("nps", score, customer=customer)
    notebook(company)
    audiences = [{"name": name, "to": ["a@example.com"]} for name in ("board", "enterprise", "martians")]
    audiences[1]["where"], audiences[2]["where"] = {"segment": "enterprise"}, {"segment": "Martians"}
    said = {"sender": "reports@example.com", "allowed_domains": ["example.com"], "audiences": audiences}
    (company.folder / "params" / "audiences.yaml").write_text(yaml.safe_dump(said))
    task = dag("airflow_audiences.py")["notebook"]
    call = task.mapped
    assert task.arguments["kernel_name"] == "kpi-report"
    assert call.told == {"python": f"{HOME}/.venv/bin/python", "expect_airflow": False}
    assert not getclosurevars(call.function).globals  # its text alone is carried to the other interpreter
    wanted = call.function(*(placed(value, company.folder) for value in call.given))
    json.dumps(wanted)  # as an XCom is kept
    said = capsys.readouterr().out
    assert "no numbers in " in said
    assert "no segment 'Martians' in the data" in said
    assert [each["parameters"]["audience"] for each in wanted] == [None, "enterprise"]
    assert [printed(**each) for each in wanted] == [20, 100]
    assert Scorecard.read(wanted[1]["parameters"]["scorecard"]).about["audience"]["name"] == "enterprise"


def test_airflow_maps_the_books_over_the_audiences(dag, company, machine):
    company.write()
    audiences = [{"name": name, "to": ["a@example.com"]} for name in ("board", "enterprise")]
    said = {"sender": "reports@example.com", "allowed_domains": ["example.com"], "audiences": audiences}
    (company.folder / "params" / "audiences.yaml").write_text(yaml.safe_dump(said))
    (call,) = dag("airflow_audiences.py")["book"].mapped.values()
    assert list(dag("airflow_audiences.py")["book"].mapped) == ["bash_command"]
    assert not getclosurevars(call.function).globals
    commands = call.function(*(placed(value, company.folder) for value in call.given))
    json.dumps(commands)
    assert call.told == {"python": f"{HOME}/.venv/bin/python", "expect_airflow": False}
    for command in commands:
        assert machine.run("bash", "-c", command.replace(str(company.folder), HOME, 1)) == 0
    folders = [str(company.folder / "runs" / "books" / name) for name in ("board", "enterprise")]
    alike = {"period": "2024-05", "engine": "stock", "jobs": 1}
    expected = [{"audience": name} | alike for name in ("board", "enterprise")]
    asked(machine.typed, [("report", each | {"out": Path(out)}) for each, out in zip(expected, folders, strict=True)])

"""What stands is not made again: told by content, safe to delete, and rebuilt where it is damaged."""

import json
import shutil
import subprocess
import sys

import duckdb
import pytest
import standing_reports
import yaml
from publish_books import notebook
from standing_reports import APRIL, PAGE, PARAMETERS, SLICE, Project

from kpi_lib import editions, scorecard, source
from kpi_lib.params import load
from kpi_lib.publish import kernels, manifest
from kpi_lib.scorecard import Scorecard

standing, may = standing_reports.standing, standing_reports.may  # fixtures
BOTH = ["executive_summary", "loyalty"]
PLAIN = [  # what it shows can be told from its code
    "# Loyalty",
    "from kpi_lib import Report\n\nreport = Report(period, params, scorecard, audience, as_of)",
    'report.cards(["nps"])',
]


@pytest.fixture(scope="module")
def built(standing, tmp_path_factory):
    """A report of two notebooks, the second with a parameter of its own."""
    made = standing.copy(tmp_path_factory.mktemp("two"))
    notebook(made.folder / "notebooks", "loyalty", PAGE, f'{PARAMETERS}\nwords: str = "few"')
    configured(made, notebooks=[{"name": name} for name in BOTH])
    assert ran(made) == BOTH
    return made


@pytest.fixture
def report(built, tmp_path):
    """The same, to be changed."""
    return built.copy(tmp_path)


def configured(of: Project, **changed) -> None:
    path = of.folder / "params" / "report.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | changed, sort_keys=False))


def built_again(of: Project, *typed: str) -> dict:
    done = of.kpi("report", "2024-05", "--json", *typed)
    assert done.code == 0, done.err
    return json.loads(done.out)


def ran(of: Project, *typed: str) -> list[str]:
    """Return which notebooks a build ran."""
    return sorted(built_again(of, *typed)["timings"].get("each", {}))


def nps(folder) -> dict:
    """Return the Net Promoter Score of May in a report's scorecard."""
    rows = Scorecard.read(folder / "scorecard.parquet").frame
    [row] = rows[(rows["kpi"] == "nps") & (rows["period"] == "2024-05") & rows["cut"].isna()].to_dict("records")
    return row


def test_nothing_is_run_when_nothing_has_changed_and_what_stands_is_not_touched(report):
    before = {path: path.stat().st_mtime_ns for path in report.report.rglob("*")}
    again = built_again(report)
    assert (again["status"], again["changed"]) == ("whole", False)
    assert {path: path.stat().st_mtime_ns for path in report.report.rglob("*")} == before
    assert report.kpi("report", "2024-05").out == "Nothing has changed: the report is in reports/2024-05\n"


def test_that_nothing_has_changed_is_known_without_pandas_and_ibis(report):
    code = f"""
import sys
from kpi_lib import cli, editions
editions.__file__ = {str(report.folder / "kpi_lib" / "editions.py")!r}
sys.argv = ["kpi", "report", "2024-05"]
try: cli.main()
except SystemExit as ended: assert not ended.code
print(sorted({{"ibis", "numpy", "pandas", "nbformat"}} & set(sys.modules)))
"""
    told = subprocess.run([sys.executable, "-c", code], cwd=report.folder, capture_output=True, text=True)
    assert told.stdout == "Nothing has changed: the report is in reports/2024-05\n[]\n", told.stderr


def test_the_last_period_is_known_without_pandas_and_ibis_once_it_was_built(report):
    for name in BOTH:
        notebook(report.folder / "notebooks", name, ["# Page"], PARAMETERS)
    first = report.kpi("report")
    assert first.code == 0, first.err
    code = f"""
import sys
from kpi_lib import cli, editions
editions.__file__ = {str(report.folder / "kpi_lib" / "editions.py")!r}
sys.argv = ["kpi", "report"]
try: cli.main()
except SystemExit as ended: assert not ended.code
print(sorted({{"ibis", "numpy", "pandas", "nbformat"}} & set(sys.modules)))
"""
    told = subprocess.run([sys.executable, "-c", code], cwd=report.folder, capture_output=True, text=True)
    assert told.stdout == f"Nothing has changed: the report is in {first.out.split()[-1]}\n[]\n", told.stderr


def test_a_notebook_that_was_edited_is_run_alone(report):
    page = {path.name: path.read_bytes() for path in report.report.glob("executive_summary*")}
    notebook(report.folder / "notebooks", "loyalty", [*PAGE, "1 + 1"], PARAMETERS)
    again = built_again(report)
    assert sorted(again["timings"]["each"]) == ["loyalty"]
    assert "numbers, unchanged" in again["timings"]
    assert again["status"] == "whole"
    assert {path.name: path.read_bytes() for path in report.report.glob("executive_summary*")} == page
    assert (report.report / "kpi-report-2024-05.pdf").is_file()


def test_a_parameter_of_a_notebook_is_that_notebooks_alone(report):
    configured(report, notebooks=[{"name": BOTH[0]}, {"name": BOTH[1], "parameters": {"words": "many"}}])
    assert ran(report) == ["loyalty"]
    assert ran(report, "-p", "loyalty.words=more") == ["loyalty"]


def test_the_brand_is_on_all_pages_and_in_no_number(report):
    configured(report, brand={"colour": "#123456"})
    again = built_again(report)
    assert sorted(again["timings"]["each"]) == BOTH
    assert "numbers" not in again["timings"]


def test_a_target_is_in_the_numbers_and_no_table_is_opened_for_it(report, monkeypatch):
    configured(report, targets={"nps": {"at_least": 70}})
    monkeypatch.setattr(source, "open", lambda *_, **__: pytest.fail("no table is to be opened"))
    again = built_again(report)
    assert sorted(again["timings"]["each"]) == BOTH
    assert nps(report.report)["verdict"] == "missed"
    assert built_again(report)["changed"] is False


@pytest.mark.parametrize(
    ("setting", "before", "after"),
    [("hours", {"open": "09:00"}, {"open": "10:00"}), ("fx", {"USD": 0.9}, {"USD": 0.8})],
)
def test_no_table_is_opened_for_a_setting_that_no_number_of_the_report_reads(
    report, monkeypatch, setting, before, after
):
    configured(report, **{setting: before})
    built_again(report)
    monkeypatch.setattr(source, "open", lambda *_, **__: pytest.fail("no table is to be opened"))
    configured(report, **{setting: after})
    assert built_again(report)["status"] == "whole"
    assert built_again(report)["changed"] is False


def test_a_rate_for_another_currency_is_in_everything_as_rows_without_one_are_left_out(report, monkeypatch):
    measured, measure = [], scorecard.measure
    monkeypatch.setattr(
        scorecard, "measure", lambda *given, **said: measured.append(set(given[3])) or measure(*given, **said)
    )
    configured(report, fx={"USD": 0.9})
    built_again(report)
    assert "nps" in measured[0]


def test_a_target_of_a_slice_has_nothing_measured_and_another_least_number_of_people_has(may, monkeypatch):
    may.audiences(SLICE)
    configured(may, targets={"nps": {"at_least": 70}})
    with monkeypatch.context() as patch:
        patch.setattr(source, "open", lambda *_, **__: pytest.fail("no table is to be opened"))
        assert built_again(may, "--audience", "enterprise")["changed"] is True
    assert nps(may.report / "audiences" / "enterprise")["verdict"] == "missed"
    opened, really = [], source.open
    monkeypatch.setattr(source, "open", lambda *given, **more: opened.append(given) or really(*given, **more))
    configured(may, thresholds={"minimum_cell": 6})
    assert built_again(may, "--audience", "enterprise")["changed"] is True
    assert len(opened) == 1


def test_a_notebook_that_shows_other_numbers_is_not_run_for_a_target(report):
    notebook(report.folder / "notebooks", "loyalty", PLAIN, PARAMETERS)
    built_again(report)
    configured(report, targets={"nps": {"at_least": 30}, "cac": {"at_most": 40}})
    assert ran(report) == ["executive_summary"]
    configured(report, targets={"nps": {"at_least": 70}, "cac": {"at_most": 40}})
    assert ran(report) == BOTH
    assert "70" in (report.report / "loyalty.html").read_text()


def test_a_comment_in_the_params_changes_nothing(report):
    path = report.folder / "params" / "report.yaml"
    path.write_text("# Kept by the desk.\n" + path.read_text())
    assert built_again(report)["changed"] is False


def test_the_analysts_words_are_those_of_a_notebook(report):
    (report.folder / "params" / "periods").mkdir(exist_ok=True)
    comment = report.folder / "params" / "periods" / "2024-05.md"
    comment.write_text("# loyalty\n\nWe asked twice.\n")
    assert ran(report) == ["loyalty"]
    notebook(report.folder / "notebooks", "executive_summary", [*PLAIN, 'report.commentary("loyalty")'], PARAMETERS)
    built_again(report)
    comment.write_text("# loyalty\n\nWe asked three times.\n")
    assert ran(report) == ["executive_summary", "loyalty"]
    assert "We asked three times" in (report.report / "executive_summary.html").read_text()


def test_a_number_in_the_analysts_words_is_a_part_of_what_shows_them(report):
    (report.folder / "params" / "periods").mkdir(exist_ok=True)
    (report.folder / "params" / "periods" / "2024-05.md").write_text("The target is {nps target}.\n")
    shows = [*PLAIN[:2], 'report.commentary("executive_summary")']
    notebook(report.folder / "notebooks", "executive_summary", shows, PARAMETERS)
    built_again(report)
    configured(report, targets={"nps": {"at_least": 40}})
    assert "executive_summary" in ran(report)
    assert "at least 40" in (report.report / "executive_summary.html").read_text()


def test_other_data_and_another_instant_are_read_by_all(report):
    report.answers(APRIL, 0)
    report.write()
    configured(report, notebooks=[{"name": name} for name in BOTH])
    assert ran(report) == BOTH
    assert ran(report, "--as-of", "2024-06-30T00:00+00:00") == BOTH


@pytest.mark.parametrize("name", ["loyalty.ipynb", "scorecard.parquet", "executive_summary.html", "manifest.json"])
@pytest.mark.parametrize("damage", ["spoiled", "deleted"])
def test_a_damaged_file_is_made_anew_and_not_trusted(report, name, damage):
    path = report.report / name
    path.write_bytes(path.read_bytes()[:-9]) if damage == "spoiled" else path.unlink()
    again = built_again(report)
    assert (again["status"], again["changed"]) == ("whole", True)
    assert name == manifest.NAME or name in manifest.read(report.report)["files"]
    assert manifest.untouched(report.report, manifest.read(report.report))


def test_no_cache_makes_everything_anew(report):
    again = built_again(report, "--no-cache")
    assert sorted(again["timings"]["each"]) == BOTH
    assert "numbers" in again["timings"]


def test_profile_says_where_the_time_went_and_the_manifest_keeps_it(report):
    done = report.kpi("report", "2024-05", "--no-cache", "--profile")
    for said in ("numbers", *BOTH, "until its kernel was ready", "pdf"):
        assert said in done.err
    assert sorted(manifest.read(report.report)["timings"]["each"]) == BOTH
    assert "unchanged" in report.kpi("report", "2024-05", "--profile").err


def test_a_cell_may_run_as_long_as_is_typed(report):
    notebook(report.folder / "notebooks", "loyalty", [*PAGE, "import time\ntime.sleep(60)"], PARAMETERS)
    done = report.kpi("report", "2024-05", "--longest", "1")
    assert done.code == 1
    assert "the cell ran for more than 1 s and was stopped" in done.err


def test_the_engine_that_was_typed_is_the_one_that_starts_kernels(report, monkeypatch):
    monkeypatch.setattr(kernels, "Preloaded", lambda *_: pytest.fail("kernels are to be started as Jupyter does"))
    assert ran(report, "--no-cache", "--engine", "stock") == BOTH


def test_no_notebook_is_told_where_mail_is_handed_in(may):
    look = f"import os\nfrom pathlib import Path\n\nPath({str(may.folder / 'seen')!r})"
    may.page([*PAGE, f"{look}.write_text(str('KPI_SMTP_URL' in os.environ))"])
    assert may.kpi("report", "2024-05", url="smtp://me:hidden@localhost").code == 0
    assert (may.folder / "seen").read_text() == "False"


def test_how_kernels_were_started_is_told_if_not_as_usual(report, monkeypatch):
    monkeypatch.setattr(kernels, "BOOT", "import sys; sys.exit(1)")
    done = report.kpi("report", "2024-05", "--no-cache")
    assert done.code == 0
    assert "kpi: kernels are not preloaded (the process they are forked from ended)" in done.err


def test_a_notebook_that_is_saved_while_it_is_built_is_run_again(report):
    page = report.folder / "notebooks" / "loyalty.ipynb"
    saved = page.read_text().replace("One in twenty", "Two in forty")
    assert saved != page.read_text()
    save = f"from pathlib import Path\n\nPath({str(page.parent)!r}, 'loyalty' + '.ipynb').write_text({saved!r})"
    report.page([*PAGE, save])
    assert ran(report) == ["executive_summary"]
    assert ran(report) == ["loyalty"]


def test_what_a_notebook_reads_itself_is_a_part_of_it(report):
    (report.folder / "plan.csv").write_text("month,goal\n2024-05,30\n")
    (report.folder / "ours.py").write_text("from deeper import word\n")
    (report.folder / "deeper.py").write_text("word = 'first'\n")
    own = ["import ours\n\nprint(ours.word)", "import pandas as pd\n\nprint(pd.read_csv('plan.csv'))"]
    notebook(report.folder / "notebooks", "loyalty", [*PAGE, *own], PARAMETERS)
    assert ran(report) == ["loyalty"]
    assert built_again(report)["changed"] is False
    for name, text in (("plan.csv", "month,goal\n2024-05,40\n"), ("deeper.py", "word = 'second'\n")):
        (report.folder / name).write_text(text)
        assert ran(report) == ["loyalty"]


def test_what_a_notebook_writes_itself_and_the_files_of_its_parameters(report):
    (report.folder / "goals.csv").write_text("30\n")
    own = "from pathlib import Path\n\nfrom time import time_ns\n\nPath('hours.csv').write_text(f'{time_ns()}')"
    page = [*PAGE, own, "print(Path(words).exists())"]
    notebook(report.folder / "notebooks", "loyalty", page, f'{PARAMETERS}\nwords: str = "few"')
    configured(report, notebooks=[{"name": BOTH[0]}, {"name": BOTH[1], "parameters": {"words": "goals.csv"}}])
    for expected in (["loyalty"], []):
        assert ran(report) == expected
    (report.folder / "goals.csv").write_text("40\n")
    for expected in (["loyalty"], []):  # the second time it is there already, and written anew
        assert ran(report) == expected


def test_what_looks_like_a_command_is_no_reason_to_see_nothing(report):
    (report.folder / "ours.py").write_text("word = (\n    '%s'\n    % 'a'\n)\nfrom deeper import other\n")
    (report.folder / "deeper.py").write_text("other = 1\n")
    notebook(report.folder / "notebooks", "loyalty", [*PAGE, "here = %pwd\nimport ours"], PARAMETERS)
    assert ran(report) == ["loyalty"]
    (report.folder / "deeper.py").write_text("other = 2\n")
    assert ran(report) == ["loyalty"]


def test_hours_that_are_written_as_the_defaults_are_counted_with(report):
    configured(report, hours={})
    assert "numbers" in built_again(report)["timings"]


def test_an_index_that_does_not_show_what_stands_is_written_anew(report):
    index = report.folder / "reports" / "index.html"
    whole = index.read_text()
    for spoil in (index.unlink, lambda: index.write_text(whole[:99])):
        spoil()
        assert built_again(report)["changed"] is False
        assert index.read_text() == whole


def test_what_is_remembered_of_files_and_of_the_index_may_be_deleted(report):
    memory = report.folder / "reports" / ".cache"
    there = sorted(path.name for path in memory.iterdir())
    shutil.rmtree(memory)
    assert built_again(report)["changed"] is False
    assert sorted(path.name for path in memory.iterdir()) == there != []


@pytest.mark.parametrize("changed", [{"where": {"segment": standing_reports.CONSUMER}}, {"language": "ru"}])
def test_what_is_said_of_an_audience_is_a_part_of_its_report(may, changed):
    may.audiences(SLICE)
    assert built_again(may, "--audience", "enterprise")["changed"] is False
    may.audiences(SLICE | changed)
    assert built_again(may, "--audience", "enterprise")["changed"] is True


def test_other_code_makes_another_report(report):
    (report.folder / "kpi_lib").mkdir()
    (report.folder / "kpi_lib" / "new.py").write_text("x = 1\n")
    assert ran(report) == BOTH


def test_other_packages_make_another_report(report, monkeypatch, tmp_path):
    (tmp_path / "added-1.0.dist-info").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    assert ran(report) == BOTH


@pytest.mark.parametrize(("as_of", "made"), [("latest", BOTH), ("2024-07-02T06:00+02:00", [])])
def test_a_database_of_which_nothing_tells_what_came_later_is_measured_anew(report, as_of, made):
    where = load(report.folder / "params" / "report.yaml")
    assert editions.source_of(where, None) is not None
    path = report.folder / "params" / "source.yaml"
    told = yaml.safe_load(path.read_text())
    with duckdb.connect(str(path.parent / "desk.duckdb")) as database:
        for name, file in told["tables"].items():
            database.sql(f"CREATE TABLE {name} AS FROM '{path.parent / file}'")
    tables = {name: name for name in told["tables"]}
    connection = {"connection": f"duckdb://{path.parent}/desk.duckdb"}
    path.write_text(yaml.safe_dump(told | connection | {"tables": tables, "as_of": as_of}))
    assert editions.source_of(where, None) is None
    assert ran(report) == BOTH
    assert ran(report) == made

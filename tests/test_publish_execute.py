"""Running notebooks: what is refused before a kernel starts, and how a failure is told."""

import subprocess
import sys

import pytest
from publish_books import built, notebook

from kpi_lib.errors import NotebookError, UnknownNameError
from kpi_lib.publish import manifest
from kpi_lib.publish.execute import Chapter, parameters_of, scrub


@pytest.fixture
def path(tmp_path):
    return notebook(tmp_path, "loyalty", ["1"])


def test_common_parameters_go_to_the_notebooks_that_declare_them(path):
    given = parameters_of(Chapter("loyalty", path, {"limit": 5}), {"period": "2024-05", "audience": "board"})
    assert given == {"period": "2024-05", "limit": 5}


def test_a_misspelt_parameter_is_refused(path):
    with pytest.raises(NotebookError, match="no parameter 'peroid' - did you mean 'period'"):
        parameters_of(Chapter("loyalty", path, {"peroid": "2024-05"}), {})


@pytest.mark.parametrize("value", [{"limit": "3"}, {"limit": 2.5}, {"limit": True}, {"period": 5}, {"agents": 1}])
def test_a_value_of_the_wrong_type_is_refused(path, value):
    with pytest.raises(NotebookError, match="is to be"):
        parameters_of(Chapter("loyalty", path, value), {})


@pytest.mark.parametrize("value", [{"ratio": 1}, {"scorecard": None}, {"agents": False}])
def test_a_value_that_fits_its_annotation_is_passed(path, value):
    assert parameters_of(Chapter("loyalty", path, value), {}) == value


def test_text_from_the_command_line_is_read_as_annotated(path):
    typed = {"limit": "7", "agents": "false", "ratio": "0.25", "period": "2024"}
    assert parameters_of(Chapter("loyalty", path, typed=typed), {}) == {
        "limit": 7,
        "agents": False,
        "ratio": 0.25,
        "period": "2024",
    }
    with pytest.raises(NotebookError, match="limit is to be int, not 'many'"):
        parameters_of(Chapter("loyalty", path, typed={"limit": "many"}), {})


def test_parameters_without_a_cell_for_them_are_refused(tmp_path):
    bare = notebook(tmp_path, "bare", ["1"], parameters=None)
    assert parameters_of(Chapter("bare", bare), {"period": "2024-05"}) == {}
    with pytest.raises(NotebookError, match="no cell tagged 'parameters'"):
        parameters_of(Chapter("bare", bare, {"limit": 1}), {})


def test_what_is_not_a_notebook_is_refused(tmp_path):
    (tmp_path / "x.ipynb").write_text("not json")
    with pytest.raises(NotebookError, match=r"x\.ipynb is not a notebook"):
        parameters_of(Chapter("x", tmp_path / "x.ipynb"), {})


def test_a_mistake_in_the_request_stops_the_run_before_anything_is_made(tmp_path, path):
    with pytest.raises(UnknownNameError, match="did you mean 'loyalty'"):
        built(tmp_path, path, only=["loyality"])
    assert not (tmp_path / "reports").exists()


def test_secrets_are_taken_out_of_texts(monkeypatch):
    monkeypatch.setenv("MAIL_PASSWORD", "correct-horse")
    assert scrub("postgres://me:pw@host/db correct-horse") == "postgres://…@host/db ${MAIL_PASSWORD}"
    assert scrub("'postgres://me:p/w@x@host/db' a@b") == "'postgres://…@host/db' a@b"
    assert scrub("https://token@host/a https://host/@me") == "https://…@host/a https://host/@me"


@pytest.mark.parametrize("name", ["WAREHOUSE_URI", "DESK_CONNECTION", "WAREHOUSE_URL"])
def test_values_of_variables_that_look_secret_are_taken_out(monkeypatch, name):
    monkeypatch.setenv(name, "host=db secret=abc")
    assert scrub("at host=db secret=abc") == f"at ${{{name}}}"


class TestANotebookThatFails:
    @pytest.fixture(scope="class")
    @classmethod
    def failed(cls, tmp_path_factory):
        root = tmp_path_factory.mktemp("project")
        good = notebook(root, "good", ["# Good", "print(1)"])
        stopped = "raise ValueError('\\x1b[31mno such\\x1b[0m table at postgres://me:hunter22@host')"
        bad = notebook(root, "bad", ["# Bad", "print('before')", "## Who left?", stopped, "print('after')"])
        ours = "class NotebookError(Exception): pass\nraise NotebookError('period 2031-01 lies outside the data')"
        told = notebook(root, "told", ["# Told", ours])
        dies = notebook(root, "dies", ["# Dies", "print('so far')", "import os; os._exit(1)"])
        return root, built(root, good, bad, told, dies)

    def test_the_failing_cell_its_heading_and_the_message_are_told(self, failed):
        said = {failure.notebook: str(failure) for failure in failed[1].failures}
        assert said["bad"] == "bad, cell 5 (Who left?): ValueError: no such table at postgres://…@host"
        assert said["told"] == "told, cell 3 (Told): period 2031-01 lies outside the data"
        assert said["dies"].startswith("dies, cell 4 (Dies): the kernel died")

    def test_the_others_are_printed_and_the_run_counts_as_failed(self, failed):
        root, outcome = failed
        folder = root / "reports" / "2024-05"
        assert (outcome.status, outcome.exit_code, outcome.folder) == ("failed", 1, folder)
        assert (folder / "good-2024-05.pdf").exists()
        assert not (folder / "kpi-report-2024-05.pdf").exists()
        assert manifest.read(folder)["status"] == "failed"

    def test_the_partial_notebook_is_kept_without_secrets(self, failed):
        text = (failed[0] / "reports" / "2024-05" / "bad.ipynb").read_text()
        assert "before" in text
        assert text.count("hunter22") == text.count("raise ValueError")  # in the code as written, and nowhere else
        assert '"so far\\n"' in (failed[0] / "reports" / "2024-05" / "dies.ipynb").read_text()

    def test_a_notice_stands_for_the_page_and_shows_no_traceback(self, failed):
        notice = (failed[0] / "reports" / "2024-05" / "bad.html").read_text()
        assert "could not be made" in notice
        assert "cell 5 (Who left?)" in notice
        assert "Traceback" not in notice
        assert "hunter22" not in notice


def test_notebooks_are_read_without_a_grammar_of_addresses():
    code = (
        "import sys; from kpi_lib.publish.notebooks import nbformat; assert 'rfc3987_syntax' not in sys.modules;"
        "nbformat.validate(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell('1')])); import rfc3987_syntax"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

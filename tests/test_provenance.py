"""What made a page: the commit of a project, and the fingerprint of its data."""

import subprocess

import pytest

from kpi_lib import provenance


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder in git with one commit."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "none"))
    (tmp_path / "report.yaml").write_text("company: A\n")
    who = ("-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
    for typed in (("init", "-q"), ("add", "report.yaml"), (*who, "commit", "-q", "-m", "First")):
        subprocess.run(["git", *typed], cwd=tmp_path, check=True)
    return tmp_path


def test_the_commit_is_that_of_the_project_and_says_whether_files_differ_from_it(project):
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=project, capture_output=True, text=True, check=True).stdout
    known = provenance.commit(project)
    assert len(known) >= 7
    assert head.startswith(known)
    (project / "report.html").write_text("what a build writes is no change")
    assert provenance.commit(project) == known
    (project / "report.yaml").write_text("company: B\n")
    assert provenance.commit(project) == f"{known}+"


def test_without_git_there_is_no_commit(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert provenance.commit(tmp_path) == ""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert provenance.commit(tmp_path) == ""


def test_a_fingerprint_is_that_of_the_data_whatever_its_order():
    one = provenance.fingerprint({"files": {"a": "1", "b": "2"}, "as_of": "x"})
    assert one == provenance.fingerprint({"as_of": "x", "files": {"b": "2", "a": "1"}})
    assert one != provenance.fingerprint({"as_of": "x", "files": {"b": "2", "a": "3"}})
    assert len(one) == 8

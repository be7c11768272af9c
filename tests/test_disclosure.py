"""Passwords, and what variables of the environment stand for, are in no text that anybody reads."""

import pytest

from kpi_lib.disclosure import hidden, scrub, variable


@pytest.fixture
def pin(monkeypatch):
    """A variable that a source's file names."""
    monkeypatch.setenv("DESK_CODE", "o'7/1")
    assert variable("DESK_CODE") == "o'7/1"


@pytest.mark.usefixtures("pin")
@pytest.mark.parametrize("written", ["o'7/1", "o''7/1", "o%277%2F1"])
def test_what_a_variable_stands_for_is_hidden_as_it_may_be_written(written):
    assert hidden(f"no file 'https://host/t?code={written}'") == "no file 'https://host/t?code=${DESK_CODE}'"


def test_a_part_of_a_word_is_no_value(monkeypatch):
    monkeypatch.setenv("REGION", "eu")
    variable("REGION")
    assert hidden("the queue of eu") == "the queue of ${REGION}"


def test_folders_are_said(monkeypatch, tmp_path):
    monkeypatch.setenv("EXPORTS", str(tmp_path))
    variable("EXPORTS")
    assert hidden(f"no file in {tmp_path}") == f"no file in {tmp_path}"


@pytest.mark.parametrize("name", ["DESK_PASS", "DESK_PWD", "desk_token", "SIGNING_SECRET", "API_KEY", "HUB_PAT"])
def test_values_of_variables_that_look_secret_are_in_no_output(monkeypatch, name):
    monkeypatch.setenv(name, "correct horse")
    assert scrub("a correct horse") == f"a ${{{name}}}"


def test_values_of_other_variables_are_words_like_any(monkeypatch):
    monkeypatch.setenv("DESK_NAME", "Kestrel Outfitters")
    assert scrub("Kestrel Outfitters") == "Kestrel Outfitters"

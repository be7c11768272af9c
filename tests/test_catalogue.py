"""The message catalogues: nothing of the pages is missing in them, and no translation can break a sentence."""

import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from kpi_lib.catalogue import FOLDER, messages, renewed, untranslated
from kpi_lib.facts import data
from kpi_lib.language import LANGUAGES

REASON = re.compile(r'ifelse\((?:None, )?"([^"]+)"(?:, None)?\)|(?<!\w)\(rows\.[^"\n]*, "([^"]+)"\)')
PLACEHOLDER = re.compile(r"\{(\w+)\}")
FOREIGN = LANGUAGES[1:]


def _standing(code):
    with (FOLDER / f"{code}.po").open("rb") as file:
        return read_po(file, locale=code)


def _texts(message):
    return [message.id, message.string] if not message.pluralizable else [*message.id, *message.string]


@pytest.mark.parametrize("code", FOREIGN)
def test_a_catalogue_has_the_messages_of_the_code_and_no_others(code):
    assert {each.id for each in _standing(code)} == {each.id for each in renewed(code)}, "run `make translations`"


@pytest.mark.parametrize("code", FOREIGN)
def test_every_message_is_translated(code):
    assert untranslated(_standing(code)) == []


@pytest.mark.parametrize("code", FOREIGN)
def test_a_translation_names_nothing_that_the_message_does_not(code):
    wrong = {}
    for message in _standing(code):
        if message.id:
            given = set(PLACEHOLDER.findall(" ".join(message.id if message.pluralizable else [message.id])))
            named = {name for text in _texts(message) for name in PLACEHOLDER.findall(text)}
            odd = [text for text in _texts(message) if PLACEHOLDER.sub("", text).count("{") and given]
            if named - given or odd:
                wrong[message.id] = named - given or odd
    assert wrong == {}


def test_messages_come_from_code_declarations_and_notebooks():
    found = {each.id if isinstance(each.id, str) else each.id[0] for each in messages() if each.id}
    assert "beyond {its} ordinary month-to-month variation" in found
    assert {
        "Net Promoter Score (NPS)",
        "How loyal are our customers?",
        "channel",
        "{count}\N{NO-BREAK SPACE}month",
    } <= found
    assert {"‹unit› points", "‹weekday› mon", "(none)", "spam", "score outside its scale"} <= found


def test_what_is_looked_up_is_no_message_and_neither_is_what_the_command_line_says():
    found = {each.id for each in messages()}
    assert found.isdisjoint({"short", "anchor", "unit", "verdict", "better", "all_reports"})
    assert "Nothing newer was issued of it." not in found


def test_every_reason_for_which_a_fact_leaves_rows_out_is_a_message():
    facts = Path(data.__file__).parent.glob("*.py")
    given = {"".join(text) for path in facts for text in REASON.findall(path.read_text(encoding="utf-8"))}
    assert {"test", "spam", "merged into another", "history shorter than a year", "bot"} <= given
    assert given <= {each.id for each in messages()}

"""The message catalogues: nothing of the pages is missing in them, and no translation can break a sentence."""

import re

import pytest
from babel.messages.pofile import read_po

from kpi_lib.catalogue import FOLDER, messages, renewed, untranslated
from kpi_lib.language import LANGUAGES

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
    assert {"beyond its ordinary month-to-month variation" in text for text in found} == {True, False}
    assert {"Net Promoter Score", "How loyal are our customers?", "channel", "{count}\N{NO-BREAK SPACE}day"} <= found

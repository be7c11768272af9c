"""A scorecard in another language."""

import pandas as pd

from kpi_lib import localise
from kpi_lib.language import language
from kpi_lib.localise import localised, told
from tests.test_language import Invented

FRAME = pd.DataFrame(
    {
        "kpi": ["nps", "resolution_rate"],
        "title": ["Net Promoter Score", "Resolution rate"],
        "anchor": ["what happened in the period", "what was created in the period, each watched for 30 days"],
    }
)


def _about(address, **said):
    told = {"title": "Resolution rate", "short": "Resolution rate", "summary": "", "formula": "", "differs": ""}
    return {"families": {"loyalty": "Loyalty"}, "kpis": {address: told | {"anchor": "x", "family": "loyalty"} | said}}


def test_english_is_left_as_it_is():
    frame, about = localised(FRAME, _about("resolution_rate"), "en")
    assert frame is FRAME
    assert about["language"] == "en"


def test_titles_anchors_and_families_are_translated(monkeypatch):
    watched = ("{anchor}, {count} день", "{anchor}, {count} дня", "{anchor}, {count} дней")
    words = {
        "Net_Promoter_Score": "Индекс лояльности",
        "Loyalty": "Лояльность",
        "what_was_created_in_the_period": "создано за период",
        "{anchor},_each_watched_for_{count}_day": watched,
    }
    monkeypatch.setattr(localise, "language", lambda code: Invented(code, **words))
    frame, about = localised(FRAME, _about("resolution_rate", anchor=FRAME["anchor"][1]), "ru")
    assert about["kpis"]["resolution_rate"]["anchor"] == "создано за период, 30 дней"
    assert frame["title"].tolist() == ["Индекс лояльности", "Resolution rate"]
    assert frame["anchor"].tolist() == FRAME["anchor"].tolist()  # stocks are told from flows by it
    assert about["families"] == {"loyalty": "Лояльность"}


def test_params_are_filled_into_the_translated_definition(monkeypatch):
    from kpi_lib.kpis import registry

    formula = registry()["resolution_rate"].document["formula"]
    assert "{resolution_days}" in formula
    translated = Invented("ru")
    translated._catalogue.add(formula, "за {resolution_days} дней")
    monkeypatch.setattr(localise, "language", lambda code: translated)
    about = localised(FRAME, _about("resolution_rate", formula="x", given={"resolution_days": "21"}), "ru")[1]
    assert about["kpis"]["resolution_rate"]["formula"] == "за 21 дней"


def test_a_kpi_of_a_notebook_stays_as_its_author_wrote_it():
    assert (
        localised(FRAME, _about("own_number", title="Own number"), "ru")[1]["kpis"]["own_number"]["title"]
        == "Own number"
    )


def test_the_language_of_the_pages_is_that_of_the_scorecard():
    assert language("fa").code == "fa"


def test_what_checks_and_identities_found_is_told_in_a_language_and_names_stay():
    ru = language("ru")
    assert told("channel is empty", ru) == "пустое значение в channel"
    assert told("exact duplicate", ru) == "точный дубликат"
    assert told("our own reason", ru) == "our own reason"
    said = "NPS is promoters less detractors: not so in 2024-05 (31 against 30)"
    assert told(said, ru).endswith("критиков: не выполняется за 2024-05 (31 против 30)")
    assert told(said, language("en")) == said

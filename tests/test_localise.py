"""A scorecard in another language."""

import pandas as pd
import pytest

from kpi_lib import localise
from kpi_lib.language import LANGUAGES, language
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


def test_what_checks_and_identities_found_is_told_in_a_language_and_names_stay():
    ru = language("ru")
    assert told("channel is empty", ru) == "пустое значение в channel"
    assert told("exact duplicate", ru) == "точный дубликат"
    assert told("our own reason", ru) == "our own reason"
    said = "NPS is promoters less detractors: not so in 2024-05 (31 against 30)"
    assert told(said, ru).endswith("критиков: не выполняется за май 2024 (31 против 30)")
    assert told(said, language("en")) == said.replace("2024-05", "May 2024")


def test_numbers_in_what_was_found_are_written_as_the_language_does():
    said = "NPS is promoters less detractors: not so in 2024-Q2 (1,234.5 against -0.25)"
    assert told(said, language("ru")).endswith("(1\N{NO-BREAK SPACE}234,5 против \N{MINUS SIGN}0,25)")
    assert "٪" in told("more than 1% of such rows stop the run", language("fa"))
    assert "، " in told("channel is one of chat, phone", language("ar"))


@pytest.mark.parametrize("code", LANGUAGES)
def test_what_a_derived_kpi_is_derived_from_is_told_by_titles(code):
    to, titles = language(code), ("Customer lifetime profit", "Customer acquisition cost (CAC)")
    said = [{"title": title, "short": title, "anchor": "x"} for title in titles]
    kpis = dict(zip(("customer_lifetime_profit", "cac"), said, strict=True))
    about = _about("ltv_cac_ratio", anchor="derived from customer_lifetime_profit and cac and own_number")
    anchor = localised(FRAME, about | {"kpis": about["kpis"] | kpis}, code)[1]["kpis"]["ltv_cac_ratio"]["anchor"]
    assert all(to.say(title) in anchor for title in titles)
    assert "own_number" in anchor
    assert "cac" not in anchor

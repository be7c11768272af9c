"""The texts of cards and definitions: what is held together in a line, and that KPIs are named by their titles."""

import pandas as pd
import pytest
from small_scorecard import ABOUT

from kpi_lib.language import SPACE
from kpi_lib.parts import definitions, unbroken


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("up 2.4_%_points on May 2023", ["up 2.4 % points", "on May 2023"]),
        ("unchanged from Q1 2023", ["unchanged", "from", "Q1 2023"]),
        ("95% interval 1_h 21_min to 1_h 47_min", ["95%", "interval 1 h 21 min", "to 1 h 47 min"]),
        ("✗ target missed (at most 3%)", ["✗ target", "missed", "(at most 3%)"]),
        ("✓ on target (between 1_h 30_min and 2_h)", ["✓ on target", "(between 1 h 30 min", "and 2 h)"]),
        ("too few cases (n = 12)", ["too", "few", "cases", "(n = 12)"]),
        ("на 2,4_п._п. больше, чем за май 2023", ["на 2,4 п. п.", "больше,", "чем", "за май 2023"]),
        ("95%-й интервал: 75,9_% – 85,2_%", ["95%-й", "интервал:", "75,9 % –", "85,2 %"]),
        ("الهدف متحقق (3% على الأكثر)", ["الهدف", "متحقق", "(3% على الأكثر)"]),
        ("۲٫۴_واحد_درصد بیشتر از مه ۲۰۲۳", ["۲٫۴ واحد درصد", "بیشتر", "از مه ۲۰۲۳"]),
        ("بازهٔ ۹۵٪: ۱_ساعت ۲۱_دقیقه تا ۲_ساعت", ["بازهٔ ۹۵٪:", "۱ ساعت ۲۱ دقیقه", "تا ۲ ساعت"]),
        ("هدف محقق شد (حداکثر ۳٪)", ["هدف", "محقق", "شد", "(حداکثر ۳٪)"]),
        ("", [""]),
    ],
)
def test_a_line_of_a_card_breaks_between_phrases(text, lines):
    held = unbroken(text.replace("_", SPACE))
    assert [part.replace(SPACE, " ") for part in held.split(" ")] == lines
    assert held.replace(SPACE, " ") == text.replace("_", " ")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("clv - customer_lifetime_cost.", "Lifetime value (CLV) - Lifetime cost."),
        ("see `clv.buyer` and `.buyer`; the clvs", "see Value of a buyer and Value of a buyer; the clvs"),
        ("the backlog, as `backlog`", "the backlog, as Backlog"),
        ("more than `thresholds.trunks`", "more than `thresholds.trunks`"),
    ],
)
def test_a_definition_names_other_kpis_by_their_titles(said, words):
    titles = {"clv": "Lifetime value (CLV)", "clv.buyer": "Value of a buyer", "customer_lifetime_cost": "Lifetime cost"}
    kpis = {
        address: {"title": title, "summary": title, "formula": said, "differs": "", "unit": "count", "better": "none",
                  "anchor": "ever"}
        for address, title in (titles | {"backlog": "Backlog"}).items()
    }  # fmt: skip
    known = pd.DataFrame([{"kpi": "clv", "definition": "0a1b2c3d"}])
    [entry] = definitions(["clv"], ABOUT | {"kpis": kpis}, known).entries
    assert entry.details[0][1] == words

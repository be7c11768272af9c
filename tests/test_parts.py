"""The texts of cards, definitions and tables: what a line holds together, and how KPIs and members are named."""

import pandas as pd
import pytest
from small_scorecard import ABOUT, about, row, scorecard

from kpi_lib.captions import unnumbered
from kpi_lib.language import ENGLISH, SPACE
from kpi_lib.parts import definitions, of_members, unbroken


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


def test_a_number_that_keeps_members_in_order_is_not_shown():
    assert [unnumbered(name, "plan", ENGLISH) for name in ("1 mon", "3 over 1 year", "09", "order 2")] == [
        "mon", "over 1 year", "09", "order 2",
    ]  # fmt: skip


def test_a_table_kpi_shows_its_readings_in_their_order():
    """The headline first, however small its numbers are beside those of the others."""
    said, frame = about(), scorecard()
    readings = [f"tickets_by_channel.{name}" for name in ("one", "two", "three", "four")]
    kpis = said["kpis"] | {
        reading: said["kpis"]["tickets_by_channel"] | {"short": reading[-3:]} for reading in readings
    }
    members = frame[frame["kpi"] == "tickets_by_channel"].iloc[:2]
    rows = [
        members.assign(kpi=kpi, value=members["value"] * scale)
        for scale, kpi in enumerate(["tickets_by_channel", *readings])
    ]
    table = of_members(pd.concat(rows), said | {"kpis": kpis})
    assert [line[0] for line in table.rows] == ["Tickets by channel", "one", "two", "ree", "our"]
    assert {column.label for column in table.columns[1:]} == set(members["member"])


def test_a_matrix_says_with_signs_who_is_better_than_all_and_says_what_the_signs_mean():
    """Quick is better: 10 to 14 minutes beside 15, 16 to 20, and 14 to 16, which says nothing."""
    said = about()
    given = {"unit": "minutes", "better": "lower", "cut": "channel"}
    of_channels = {"chat": (12.0, 10.0, 14.0), "email": (18.0, 16.0, 20.0), "web": (15.0, 14.0, 16.0)}
    readings = ["channels", *(f"channels.{name}" for name in ("speed", "few", "size", "own"))]
    rows = pd.DataFrame(
        row(kpi=kpi, title=kpi, member=channel, value=value, low=low, high=high, **given)
        for kpi in readings
        for channel, (value, low, high) in of_channels.items()
    )
    rows.loc[(rows["kpi"] == "channels.few") & (rows["member"] == "chat"), "status"] = "small_sample"
    rows.loc[rows["kpi"] == "channels.size", "better"] = "none"
    totals = {name: row(kpi=name, value=15.0, unit="minutes") for name in ("speed", "few", "size")}
    kpis = said["kpis"] | {kpi: {"title": kpi, "short": kpi.rpartition(".")[2]} for kpi in readings}
    table = of_members(rows, said | {"kpis": kpis}, totals)
    assert [column.label for column in table.columns] == ["", "email", "web", "chat", "All"]
    assert [[text.replace("\N{NO-BREAK SPACE}", " ") for text in line] for line in table.rows] == [
        ["channels", "18 min", "15 min", "12 min", ""],
        ["speed", "▼ 18 min", "15 min", "▲ 12 min", "15 min"],
        ["few", "▼ 18 min", "15 min", "–", "15 min"],
        ["size", "18 min", "15 min", "12 min", "15 min"],
        ["own", "18 min", "15 min", "12 min", ""],
    ]
    assert table.notes[0].startswith("▲ better and ▼ worse than all together beyond the margin of error")
    assert of_members(rows, said | {"kpis": kpis}).notes == table.notes[1:]

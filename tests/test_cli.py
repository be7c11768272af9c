"""The command `kpi`: what it prints, what it answers to mistakes, and what it does not load."""

import csv
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kpi_lib import cli, handbook
from kpi_lib.errors import plain

LOYALTY = Path(__file__).parents[1] / "notebooks" / "loyalty.ipynb"
COMMANDS = sorted(cli.cli.commands)
HEAVY = ("pandas", "ibis", "duckdb", "matplotlib", "papermill", "nbconvert", "scipy", "typst")


@pytest.fixture
def shop(company, monkeypatch):
    """A company with a few answers, and its folder as the working folder."""
    for score in (10, 9, 8, 0, 10):
        company.survey("nps", score)
        company.survey("nps", score, "2024-04-10")
    company.write()
    monkeypatch.chdir(company.folder)
    return company


def test_help_lists_the_commands(kpi):
    code, out, _ = kpi("--help")
    assert code == 0
    for command in COMMANDS:
        assert f"  {command}" in out


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help_and_takes_params_and_as_of(kpi, command):
    code, out, _ = kpi(command, "--help")
    assert code == 0
    assert "--params FILE" in out
    assert "--as-of INSTANT" in out


def loaded_by(*typed, among=HEAVY):
    lines = (
        "import sys",
        f"sys.argv = {['kpi', *typed]!r}",
        "from kpi_lib.cli import main",
        "try: main()",
        "except SystemExit as ended: assert not ended.code",
        f"print('LOADED', *(name for name in {among!r} if name in sys.modules))",
    )
    out = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=True).stdout
    return out.rpartition("LOADED")[2].split()


def test_help_loads_nothing_heavy():
    assert loaded_by("--help") == []


def test_the_catalogue_loads_nothing_heavy():
    assert loaded_by("list", among=(*HEAVY, "pydantic", "yaml", "rich")) == []


def test_the_catalogue_has_every_number(kpi):
    from kpi_lib.kpi import addresses
    from kpi_lib.kpis import registry

    code, out, _ = kpi("list")
    assert code == 0
    words = set(out.split())
    assert {address for address, _, _ in addresses(registry())} <= words
    assert "Loyalty" in out


def test_explain_says_what_a_number_is(kpi):
    code, out, _ = kpi("explain", "nps")
    assert code == 0
    for said in ("Net Promoter Score", "Formula: 100 (promoters - detractors) / answers", "Why it may not match",
                 "Unit: points", "Fact: answers", "Counts: what happened in the period", "Companions:",
                 "nps.transactional", "Declared in: kpi_lib/kpis/loyalty.py"):  # fmt: skip
        assert said in out
    _, out, _ = kpi("explain", "resolution_rate")
    assert "watched for" in out
    assert "Params: thresholds.resolution_days" in out


def test_explain_says_it_by_the_companys_own_params(kpi, shop):
    shop.params(thresholds={"resolution_days": 12})
    shop.write()
    assert "each watched for 12 days" in kpi("explain", "resolution_rate")[1]
    for command in (("explain", "nps"), ("list",)):
        code, _, err = kpi(*command, "--params", "params/reprot.yaml")
        assert (code, "no file 'params/reprot.yaml'" in err) == (2, True)


def test_explain_of_a_misspelt_number_says_what_was_meant(kpi):
    code, out, err = kpi("explain", "churn_rat")
    assert (code, out) == (2, "")
    assert err.startswith("kpi: no KPI 'churn_rat' - did you mean 'churn_rate'")
    assert "Traceback" not in err


def test_values_are_the_same_in_every_format(kpi, shop):
    typed = ("values", "2024-05", "--kpi", "nps,nps.promoters")
    code, out, _ = kpi(*typed, "--format", "json")
    rows = json.loads(out)
    assert code == 0
    assert [(row["kpi"], row["value"], row["unit"]) for row in rows] == [
        ("nps", 40, "points"),
        ("nps.promoters", 60, "percent"),
    ]
    lines = list(csv.DictReader(kpi(*typed, "--format", "csv")[1].splitlines()))
    assert [(line["kpi"], float(line["value"])) for line in lines] == [(row["kpi"], row["value"]) for row in rows]
    assert list(lines[0]) == list(rows[0])
    table = kpi(*typed)[1]
    assert "Test & Sons, May 2024" in table
    for row in rows:
        shown = next(line for line in table.splitlines() if line.split()[:1] == [row["kpi"]])
        assert shown.split()[1:3] == [f"{row['value']:.2f}", row["unit"]]


def test_values_by_a_cut_and_over_the_trend(kpi, shop):
    _, out, _ = kpi("values", "2024-05", "--kpi", "nps", "--by", "survey_channel", "--trend", "--format", "json")
    rows = json.loads(out)
    totals = {row["period"]: row["value"] for row in rows if row["cut"] is None}
    assert len(totals) == 13
    assert (totals["2024-04"], totals["2024-05"]) == (40, 40)
    members = {(row["cut"], row["member"]) for row in rows if row["cut"]}
    assert members == {("survey_channel", "email")}


def test_the_last_period_is_taken_when_none_is_named(kpi, shop):
    _, out, _ = kpi("values", "--kpi", "nps", "--format", "json")
    assert [row["period"] for row in json.loads(out)] == ["2024-08"]  # the data reaches to 31 August


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (("values", "2024-05", "--kpi", "npss"), "no KPI 'npss' - did you mean 'nps'"),
        (("values", "2024-05", "--by", "chanel"), "no cut 'chanel' - did you mean 'channel'"),
        (("values", "2024-5", "--kpi", "nps"), "'2024-5' is not a period - did you mean '2024-05'"),
        (("values", "2025-05", "--kpi", "nps"), "there is no data for May 2025: it reaches from 2022-01 to 2024-08"),
        (("values", "2024-05", "--kpi", "nps", "--as-of", "2024-07-02T06:00"), "has no offset"),
        (("values", "2024-05", "--params", "params/repot.yaml"), "no file 'params/repot.yaml'"),
        (("report", "2024-05", "-p", "loyalty.x"), "-p takes NOTEBOOK.KEY=VALUE, got 'loyalty.x'"),
        (("report", "2024-05", "-p", "loyality.x=1"), "no notebook 'loyality' in the report - did you mean 'loyalty'"),
        (("sample",), "`kpi sample` does not write there"),
        (("value",), "No such command 'value'"),
    ],
)
def test_what_was_typed_wrong_is_one_sentence_and_exit_code_2(kpi, shop, typed, message):
    code, out, err = kpi(*typed)
    assert (code, out) == (2, "")
    assert message in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"thresholds": {"short_abandon": 5}}, "unknown key 'thresholds.short_abandon' - did you mean"),
        ({"targets": {"npss": {"at_least": 1}}}, "no KPI 'npss' - did you mean 'nps'"),
        ({"notebooks": [{"name": "loyality"}]}, "no notebook 'loyality' in"),
    ],
)
def test_what_is_misspelt_in_params_has_its_file_and_line(kpi, shop, section, message):
    shop.params(**section)
    text = shop.write().read_text()
    wrong = next(word for word in ("short_abandon", "npss", "loyality") if word in text)
    line = next(number for number, line in enumerate(text.splitlines(), 1) if wrong in line)
    code, _, err = kpi("values", "2024-05", "--kpi", "nps")
    assert code == 2
    assert message in err
    assert f"params/report.yaml:{line}: " in err


def test_check_looks_at_the_tables_before_anything_runs(kpi, shop):
    shop.ticket("2024-05-09")
    shop.ticket("2024-05-10")
    shop.write()
    code, out, _ = kpi("check", "2024-05")
    assert code == 3  # tickets stop on the 10th
    assert "tickets" in out
    assert "ENDS" in out
    assert "not in the source: customers, subscriptions" in out


def test_check_is_content_with_tables_that_reach_the_periods_end(kpi, shop):
    for day in range(1, 32):
        shop.ticket(f"2024-05-{day:02d} 12:00")
        shop.survey("nps", 9, f"2024-05-{day:02d}")
    shop.write()
    code, out, _ = kpi("check", "2024-05")
    assert code == 0
    assert "reaches its end" in out


BOARD = {"name": "board", "to": ["board@example.com"]}


def written_beside(path, *audiences):
    file = {"sender": "reports@example.com", "allowed_domains": ["example.com"], "audiences": list(audiences)}
    path.with_name("audiences.yaml").write_text(json.dumps(file))


def test_check_names_the_audiences_when_there_are_any(kpi, shop):
    assert "audiences.yaml" not in kpi("check", "2024-05")[1]
    written_beside(shop.write(), BOARD, BOARD | {"name": "large", "where": {"segment": "large"}})
    assert "audiences.yaml: board, large (segment large)" in kpi("check", "2024-05")[1].splitlines()


@pytest.mark.parametrize(
    ("audience", "message"),
    [
        ({"to": ["board@example.org"]}, r"audiences.yaml:1: board@example.org: example.org is not in allowed_domains"),
        (
            {"where": {"segmen": "large"}},
            r"audiences.yaml:1: audience 'board': no cut 'segmen' - did you mean 'segment'",
        ),
        ({"where": {"agent": "anna"}}, r"audiences.yaml:1: audience 'board': no report is made of one agent"),
    ],
)
def test_check_refuses_an_audience_that_cannot_be_reported_to(kpi, shop, audience, message):
    written_beside(shop.write(), BOARD | audience)
    code, out, err = kpi("check", "2024-05")
    assert (code, out) == (2, "")
    assert message in err


def test_a_bug_shows_where_it_is_and_has_its_own_code(kpi, monkeypatch):
    def broken():
        raise RuntimeError("impossible")

    monkeypatch.setattr(handbook, "print_list", broken)
    code, _, err = kpi("list")
    assert code == 70
    assert "RuntimeError: impossible" in err
    assert "this is a bug in kpi" in err


def test_a_folder_that_cannot_be_made_is_one_sentence(kpi, shop):
    (shop.folder / "taken").write_text("a file")
    (shop.folder / "notebooks").mkdir(exist_ok=True)
    shutil.copy(LOYALTY, shop.folder / "notebooks")
    code, out, err = kpi("report", "2024-05", "--out", "taken/reports")
    assert (code, out) == (2, "")
    assert "taken/reports: Not a directory" in err
    assert "Traceback" not in err


def test_stopping_is_no_failure(kpi, monkeypatch):
    def stopped():
        raise KeyboardInterrupt

    monkeypatch.setattr(handbook, "print_list", stopped)
    code, _, err = kpi("list")
    assert code == 130
    assert "Traceback" not in err


def test_data_cannot_speak_to_the_terminal(kpi, shop):
    shop.survey("nps", 5, channel="\x1b[2Jgone")
    shop.write()
    _, out, _ = kpi("values", "2024-05", "--kpi", "nps", "--by", "survey_channel")
    assert "\x1b" not in out


@pytest.mark.parametrize("form", ["csv", "json"])
def test_data_cannot_speak_to_the_terminal_in_a_format_for_programs(kpi, shop, monkeypatch, form):
    shop.survey("nps", 5, channel="\x1b[2J\x9bgone")
    shop.write()
    typed = ("values", "2024-05", "--kpi", "nps", "--by", "survey_channel", "--format", form)
    whole = kpi(*typed)[1]
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    shown = kpi(*typed)[1]
    assert "\x9b" in whole
    assert not {"\x1b", "\x9b"} & {*shown}
    assert "gone" in shown


def test_data_is_no_formula_to_a_spreadsheet(kpi, shop):
    shop.survey("nps", 5, channel="=1+1")
    shop.write()
    _, out, _ = kpi("values", "2024-05", "--kpi", "nps", "--by", "survey_channel", "--format", "csv")
    assert {line["member"] for line in csv.DictReader(out.splitlines())} == {"", "email", "'=1+1"}


def test_joiners_of_persian_are_kept_on_a_terminal():
    assert plain("می\u200cخواهم \u200d\u202e\x07") == "می\u200cخواهم \u200d\ufffd\ufffd"


@pytest.mark.parametrize("unpaired", ["\u2068", "\u2069", "\u2066a\u2069", "\u2068a\nb\u2069"])
def test_a_name_between_isolates_is_kept_on_a_terminal_and_isolates_without_their_other_half_are_not(unpaired):
    assert plain(f"\u2068name\u2069 {unpaired}") == "\u2068name\u2069 " + re.sub("[\u2066-\u2069]", "\ufffd", unpaired)

"""The scorecard as a workbook: read back as the archive of XML that it is."""

import re
from xml.etree import ElementTree
from zipfile import ZipFile

import pandas as pd
import pytest
import small_scorecard

from kpi_lib import workbook
from kpi_lib.scorecard import Scorecard

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


class Read:
    """A workbook's sheets as lists of rows, absent cells None, and its parts as text."""

    def __init__(self, path):
        with ZipFile(path) as archive:
            self.parts = {name: archive.read(name).decode() for name in archive.namelist()}
        strings = ElementTree.fromstring(self.parts["xl/sharedStrings.xml"])
        self.strings = ["".join(text.text or "" for text in each.iter(f"{MAIN}t")) for each in strings]
        names = re.findall(r'<sheet name="(.*?)"', self.parts["xl/workbook.xml"])
        self.sheets = {name: self.rows(f"xl/worksheets/sheet{place}.xml") for place, name in enumerate(names, start=1)}
        formats = ElementTree.fromstring(self.parts["xl/styles.xml"])
        codes = {each.get("numFmtId"): each.get("formatCode") for each in formats.iter(f"{MAIN}numFmt")}
        self.styles = [codes.get(each.get("numFmtId")) for each in formats.find(f"{MAIN}cellXfs")]
        self.quoted = [each.get("quotePrefix") == "1" for each in formats.find(f"{MAIN}cellXfs")]

    def cells(self, part):
        return ElementTree.fromstring(self.parts[part]).iter(f"{MAIN}c")

    def rows(self, part):
        rows = []
        for line in ElementTree.fromstring(self.parts[part]).iter(f"{MAIN}row"):
            found = {re.sub(r"\d", "", cell.get("r")): self.value(cell) for cell in line}
            rows.append(found)
        heads = rows[0]
        return [{label: row.get(column) for column, label in heads.items()} for row in rows[1:]]

    def value(self, cell):
        text = cell.findtext(f"{MAIN}v")
        if text is None:
            return None
        return self.strings[int(text)] if cell.get("t") == "s" else float(text)


def card(frame=None):
    about = small_scorecard.about()
    for kpi, said in about["kpis"].items():
        said["table_cut"] = "channel" if kpi == "tickets_by_channel" else None
    return Scorecard(small_scorecard.scorecard() if frame is None else frame, about)


@pytest.fixture
def written(tmp_path):
    def write(frame=None):
        workbook.write(card(frame), tmp_path / "scorecard.xlsx")
        return Read(tmp_path / "scorecard.xlsx")

    return write


def test_the_sheets(written):
    assert list(written().sheets) == ["Scorecard", "Trends", "Breakdowns", "Definitions", "About"]


def test_a_line_of_the_scorecard(written):
    (line,) = [row for row in written().sheets["Scorecard"] if row["Address"] == "nps"]
    assert line == {
        "KPI": "Net Promoter Score", "Value": 31.2, "Unit": "points", "On the page": "31.2", "95% from": 28.0,
        "95% to": 34.4, "April 2024": 29.1, "May 2023": 26.2, "Change": line["Change"], "n": 1000.0,
        "Target": "at least 30", "Verdict": "on target", "Status": "ok", "Provisional": None, "Headline": "yes",
        "Family": "Loyalty", "Address": "nps", "Definition": "0a1b2c3d",
    }  # fmt: skip
    assert line["Change"].replace("\N{NO-BREAK SPACE}", " ").startswith("up 2.1 points on April")


def test_companions_are_there_and_members_are_not(written):
    lines = {row["Address"]: row for row in written().sheets["Scorecard"]}
    assert list(lines) == ["nps", "nps.promoters", "csat", "first_response_time"]
    assert lines["nps.promoters"]["Headline"] is None


def test_what_pages_do_not_print_is_empty_and_its_status_says_why(written):
    book = written()
    (csat,) = [row for row in book.sheets["Scorecard"] if row["Address"] == "csat"]
    assert (csat["Value"], csat["Status"]) == (None, "not available")
    few = [row for row in book.sheets["Breakdowns"] if row["Member"] == "(none)"]
    assert [(row["Value"], row["95% from"], row["n"], row["Status"]) for row in few] == [
        (None, None, 3, "small sample")
    ]


def test_a_trend_is_a_line_of_13_periods(written):
    (line,) = [row for row in written().sheets["Trends"] if row["Address"] == "nps"]
    periods = [label for label in line if label.startswith("20")]
    assert (len(periods), periods[0], periods[-1]) == (13, "2023-05", "2024-05")
    assert (line["2023-05"], line["2024-05"]) == (pytest.approx(25.2), 31.2)


def test_breakdowns_are_the_periods_members(written):
    rows = written().sheets["Breakdowns"]
    assert [(row["Address"], row["By"], row["Member"], row["Value"]) for row in rows if row["Value"]] == [
        ("first_response_time", "channel", "chat", 2),
        ("first_response_time", "channel", "email", 95),
        ("tickets_by_channel", "channel", "chat", 25),
        ("tickets_by_channel", "channel", "email", 75),
    ]


def test_numbers_have_the_format_of_their_unit(written):
    book = written()
    formats = {}
    for cell in book.cells("xl/worksheets/sheet1.xml"):
        if cell.get("t") != "s":
            formats[cell.get("r")] = book.styles[int(cell.get("s"))]
    assert (formats["B2"], formats["B3"], formats["B5"]) == ("0.0", '0.0"%"', "#,##0.0")
    mean_counts = [workbook.Number(value).format for value in (10.67, 12.0, 104.5)]
    assert mean_counts == ["#,##0.0", "#,##0", "#,##0"]


@pytest.mark.parametrize("member", ["=1+1", "+1", "-1", "@SUM(A1)", "{=1+1}", "https://example.org"])
def test_a_text_of_the_data_is_text(written, member):
    frame = small_scorecard.scorecard()
    frame.loc[frame["member"] == "chat", "member"] = member
    book = written(frame)
    assert member in {row["Member"] for row in book.sheets["Breakdowns"]}
    cells = {book.value(cell): cell for cell in book.cells("xl/worksheets/sheet3.xml")}
    kept = cells[member]
    assert kept.get("t") == "s"
    assert book.quoted[int(kept.get("s"))] == (member[0] in "=+-@")
    everything = "".join(text for name, text in book.parts.items() if "worksheets" in name or name.endswith(".rels"))
    assert not re.search(r"<f\b|<hyperlink|TargetMode=.External", everything)


def test_letters_of_a_member_that_nobody_sees_are_shown_as_such(written):
    frame = small_scorecard.scorecard()
    frame.loc[frame["member"] == "chat", "member"] = "\t=1+1\r"
    assert "\N{REPLACEMENT CHARACTER}=1+1\N{REPLACEMENT CHARACTER}" in {
        row["Member"] for row in written(frame).sheets["Breakdowns"]
    }


def test_single_agents_and_the_smallest_members_stay_out(written, monkeypatch):
    monkeypatch.setattr(workbook, "MOST_MEMBERS", 1)
    frame = small_scorecard.scorecard()
    of_agent = frame[frame["member"] == "email"].assign(cut="agent", member="agent 07")
    members = [row["Member"] for row in written(pd.concat([frame, of_agent])).sheets["Breakdowns"]]
    assert members == ["email", "chat"]  # of the two tickets_by_channel, equally large, the first


def test_definitions_and_what_it_was_made_from(written):
    book = written()
    (nps,) = [row for row in book.sheets["Definitions"] if row["Address"] == "nps"]
    assert (nps["What it is"], nps["How it is counted"]) == ("What Net Promoter Score means.", "100 (a - b) / n")
    about = {row["About"]: row["Said"] for row in book.sheets["About"]}
    assert about["Company"] == "Kestrel <Outfitters> & Co"
    assert about["Not there"] == "surveys"
    assert "duplicate 412" in about["Table tickets"]


def test_heads_stay_in_sight_and_can_be_filtered(written):
    book = written()
    for place in range(1, 6):
        sheet = book.parts[f"xl/worksheets/sheet{place}.xml"]
        assert 'state="frozen"' in sheet
        assert "<autoFilter" in sheet


def test_the_same_numbers_make_the_same_bytes(tmp_path):
    for name in ("one.xlsx", "two.xlsx"):
        workbook.write(card(), tmp_path / name)
    assert (tmp_path / "one.xlsx").read_bytes() == (tmp_path / "two.xlsx").read_bytes()
    assert "2024-07-02T04:00:00Z" in Read(tmp_path / "one.xlsx").parts["docProps/core.xml"]


def test_the_largest_company_stays_below_a_megabyte(tmp_path):
    many = [
        small_scorecard.row(kpi=f"kpi_{kpi}", cut="country", member=f"Country {member}", value=member * 1.2345678 + kpi,
                            low=member * 1.1234567, high=member * 1.3456789, previous=member / 7, year_ago=member / 9,
                            n=float(member * 31 % 997))
        for kpi in range(200) for member in range(100)
    ]  # fmt: skip
    workbook.write(card(pd.concat([small_scorecard.scorecard(), pd.DataFrame(many)])), tmp_path / "scorecard.xlsx")
    assert (tmp_path / "scorecard.xlsx").stat().st_size < 1_000_000

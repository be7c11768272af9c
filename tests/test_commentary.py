"""The analysts' commentary: whose section is whose, figures that cannot go stale, and what is refused where."""

from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

import nbformat
import pytest
import small_scorecard

from kpi_lib import cli, commentary
from kpi_lib.errors import ParamsError
from kpi_lib.params import load
from kpi_lib.period import Period
from kpi_lib.publish import Book, Chapter, Prepared, build, manifest, prose
from kpi_lib.report import Report
from kpi_lib.scorecard import Scorecard

PARAMS = small_scorecard.PARAMS + "notebooks: [{name: executive_summary}, {name: loyalty}, {name: support_ops}]\n"
MAY = Period.parse("2024-05")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A project with three notebooks, a scorecard, and no commentary yet; the working folder."""
    (tmp_path / "params/periods").mkdir(parents=True)
    (tmp_path / "params/report.yaml").write_text(PARAMS)
    (tmp_path / "notebooks").mkdir()
    for name, title, cell in (
        ("executive_summary", "Executive summary", "report.commentary()"),
        ("loyalty", "Loyalty", 'report.commentary("loyalty")'),
        ("support_ops", "Support operations", "report.commentary('loyalty')"),
    ):
        cells = [nbformat.v4.new_markdown_cell(f"# {title}\n\nWhy?"), nbformat.v4.new_code_cell(cell)]
        nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / f"notebooks/{name}.ipynb")
    frame = small_scorecard.scorecard()
    frame.loc[frame["kpi"] == "nps.promoters", "provisional"] = True
    Scorecard(frame, small_scorecard.about()).write(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def comment(folder):
    """Writes the commentary on May 2024 and returns its sections."""

    def write(text, period=MAY):
        (folder / "params/periods/2024-05.md").write_text(text, encoding="utf-8")
        return commentary.read(load(), period)

    return write


@pytest.fixture
def printed(comment, folder):
    """Writes a comment for the summary and returns it as it is shown, without its mark."""

    def write(text, section="executive_summary"):
        card = Scorecard.read(folder / "scorecard.parquet")
        now = card.frame[card.frame["period"] == "2024-05"]
        lines = comment(text)[section].filled(now, card.about).markdown.splitlines()
        assert lines[:2] == ["> **Comment of the analysts**", ">"]
        return "\n".join(line[2:] for line in lines[2:]).replace("\N{NO-BREAK SPACE}", " ")

    return write


@pytest.mark.parametrize(
    ("asked", "figure"),
    [
        ("nps", "31.2"),
        ("nps.promoters", "51.0% (provisional)"),
        ("nps change", "up 2.1 points"),
        ("nps change last year", "up 5.0 points"),
        ("nps before", "29.1"),
        ("nps last year", "26.2"),
        ("nps target", "at least 30"),
        ("nps interval", "28.0 to 34.4"),
        ("nps n", "1,000"),
        ("first_response_time", "42 min"),
        ("first_response_time channel=email", "1 h 35 min"),
        ("first_response_time change channel = email", "up 1 h 6 min"),
        ("first_response_time\n  channel=email", "1 h 35 min"),
        ("first_response_time channel=(none)", "– (too few cases)"),
        ("first_response_time n channel=(none)", "3"),
        ("tickets_by_channel channel=chat", "25.0%"),
        ("tickets_by_channel change channel=chat", "–"),
        ("csat", "– (not available)"),
        ("csat change", "– (not available)"),
    ],
)
def test_a_placeholder_is_the_figure_in_its_unit(printed, asked, figure):
    assert printed(f"It is {{{asked}}} now.") == f"It is {figure} now."


def test_two_braces_are_a_brace(printed):
    assert printed("{{nps}} is {nps}, }} and } too") == "{nps} is 31.2, } and } too"


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("npss", "no KPI 'npss' - did you mean 'nps'"),
        ("nps chnage", "{nps chnage}: no 'chnage' - did you mean 'change'"),
        ("csat chanel=chat", "csat has no cut 'chanel' - did you mean 'channel'"),
        ("tickets_by_channel", "tickets_by_channel has no total: write {tickets_by_channel channel=...}"),
        ("csat channel=", "{csat channel=} is not understood: write {nps}"),
        ("", "{} is not understood"),
    ],
)
def test_a_wrong_name_is_refused_with_file_and_line_before_there_is_a_number(comment, wrong, says):
    with pytest.raises(ParamsError) as refused:
        comment(f"One {{nps}}\n\n## Loyalty\n\ntwo\nthree {{{wrong}}}\n")
    assert str(refused.value).startswith(f"params/periods/2024-05.md:6: {says}")


def test_a_brace_that_is_left_open_is_refused(comment):
    with pytest.raises(ParamsError, match=r"2024-05\.md:2: a { has no }: write {{ for a brace"):
        comment("one\ntwo {nps")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("first_response_time channel=chatt", "has no channel 'chatt' in May 2024 - did you mean 'chat'"),
        ("nps segment=consumer", "nps has no segment 'consumer' in May 2024"),
        ("nps.promoters target", "nps.promoters has no target"),
        ("churn_rate", "churn_rate has no number in May 2024"),
    ],
)
def test_a_member_or_target_that_is_not_there_is_refused_by_the_scorecard(comment, folder, wrong, says):
    card = Scorecard.read(folder / "scorecard.parquet")
    sections = comment(f"one\n\n{{{wrong}}}")
    with pytest.raises(ParamsError) as refused:
        commentary.check(sections, card.frame, card.about)
    assert str(refused.value).startswith("params/periods/2024-05.md:3: ")
    assert says in str(refused.value)


def test_a_section_belongs_to_the_notebook_that_its_heading_names_or_whose_title_it_is(comment):
    sections = comment("Sum\n\n## loyalty\nLoyal\n\n# Support operations #\nDesk\n")
    assert {name: (section.line, section.text.strip()) for name, section in sections.items()} == {
        "executive_summary": (1, "Sum"),
        "loyalty": (4, "Loyal"),
        "support_ops": (7, "Desk"),
    }


def test_smaller_headings_are_bold_and_code_has_none(printed):
    text = "### A detail\n\nsmall\n\n```\n# no heading\n{nps}\n```\n\n#hash\n"
    assert printed(text) == "**A detail**\n\nsmall\n\n```\n# no heading\n31.2\n```\n\n#hash"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("## Loyality", ":1: no notebook 'Loyality' in the report - did you mean 'loyalty'"),
        ("## loyalty\none\n## Loyalty\ntwo", ":3: there are two sections for loyalty"),
        ("Sum\n## Executive summary\ntwo", ":2: there are two sections for executive_summary"),
        ("a\n[x](javascript:alert(1))", ":2: a link cannot lead to 'javascript', only to http, https, mailto"),
        ("a\n\n[x]\n\n[x]: data:text/html,y", ":5: a link cannot lead to 'data'"),
    ],
)
def test_what_cannot_be_printed_is_refused_with_file_and_line(comment, text, says):
    with pytest.raises(ParamsError) as refused:
        comment(text)
    assert f"params/periods/2024-05.md{says}" in str(refused.value)


def test_text_for_a_summary_that_is_not_in_the_report_is_refused(comment, folder):
    (folder / "params/report.yaml").write_text(PARAMS.replace("{name: executive_summary}, ", ""))
    with pytest.raises(ParamsError, match=r"md:1: text before the first heading is for executive_summary"):
        comment("Sum")


def test_a_file_that_is_no_text_is_refused(folder):
    (folder / "params/periods/2024-05.md").write_bytes(b"caf\xe9")
    with pytest.raises(ParamsError, match=r"2024-05\.md: not readable as UTF-8"):
        commentary.read(load(), MAY)


def test_no_file_and_another_period_have_no_comment(comment):
    assert comment("May", period=MAY.previous) == {}


def test_another_configuration_in_the_same_folder_has_comments_of_its_own(comment, folder):
    comment("Sum")
    (folder / "params/periods/other").mkdir()
    (folder / "params/periods/other/2024-05.md").write_text("Other")
    (folder / "params/other.yaml").write_text(PARAMS)
    assert commentary.read(load("params/other.yaml"), MAY)["executive_summary"].text == "Other"


HOSTILE = """<script>alert(1)</script> and <b onclick="x()">bold</b> `a<b` \\<i> <https://example.org>

<img src=x onerror=alert(1)>

| what | n |
|---|---:|
| NPS | {nps} |
"""


def test_html_is_text_to_every_reader_of_markdown(printed):
    text = printed(HOSTILE)
    assert "\\<script>alert(1)\\</script>" in text
    assert "\\<img src" in text
    assert "`a<b` \\<i> <https://example.org>" in text


def test_html_is_text_on_the_page_and_a_table_is_a_table(printed):
    html = prose.parse("> " + printed(HOSTILE).replace("\n", "\n> "), prose.Outline("loyalty")).html
    assert "<blockquote>" in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "&lt;img src=x" in html
    assert '<a href="https://example.org">' in html
    assert '<td class="right">31.2</td>' in html
    assert [tag for tag in ("<script", "<img", "<b ", "<i>") if tag in html] == []


def test_a_notebook_shows_its_section_and_defines_what_it_names(comment, folder):
    comment("Sum {nps}\n\n## Loyalty\nLoyal: {nps.promoters}\n")
    report = Report("2024-05", scorecard=str(folder / "scorecard.parquet"))
    (shown,) = report.commentary()
    assert shown._repr_mimebundle_()["text/markdown"] == "> **Comment of the analysts**\n>\n> Sum 31.2"
    assert [entry.term for entry in report.glossary().entries] == ["Net Promoter Score"]
    (shown,) = report.commentary("loyalty")
    assert "Loyal: 51.0%" in shown.markdown
    assert report.commentary("support_ops") == []


def test_a_section_that_no_cell_shows_is_named(comment):
    sections = comment("Sum\n## loyalty\nLoyal\n## support_ops\nDesk\n")
    assert commentary.unshown(sections, load()) == [
        "params/periods/2024-05.md:5: this is not printed, as support_ops.ipynb has no cell "
        'report.commentary("support_ops")'
    ]


@pytest.mark.parametrize(
    ("command", "wrong", "says"),
    [
        ("check", "npss", "no KPI 'npss' - did you mean 'nps'"),
        ("report", "npss", "no KPI 'npss' - did you mean 'nps'"),
        ("report", "nps survey_channel=emial", "nps has no survey_channel 'emial' in May 2024 - did you mean 'email'"),
    ],
)
def test_a_wrong_placeholder_stops_the_command_before_a_notebook_runs(
    company, monkeypatch, capsys, command, wrong, says
):
    def impossible(*_, **__):
        raise AssertionError("a notebook ran")

    for score in (10, 9, 8, 0, 10):
        company.survey("nps", score)
    company.write()
    (company.folder / "notebooks/loyalty.ipynb").write_text(
        nbformat.writes(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Loyalty")]))
    )
    (company.folder / "params/periods").mkdir()
    (company.folder / "params/periods/2024-05.md").write_text(f"## Loyalty\n\nSo {{{wrong}}}\n")
    monkeypatch.chdir(company.folder)
    monkeypatch.setattr(import_module("kpi_lib.publish.build"), "run_all", impossible)
    monkeypatch.setattr("sys.argv", ["kpi", command, "2024-05"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert f"kpi: params/periods/2024-05.md:3: {says}" in capsys.readouterr().err
    assert not list(company.folder.glob("reports/2024-05"))


def test_only_what_shows_a_changed_comment_is_run_again(tmp_path):
    names = ("one", "two")
    for name in names:
        nbformat.write(
            nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(f"# {name}")]), tmp_path / f"{name}.ipynb"
        )
    chapters = [Chapter(name, tmp_path / f"{name}.ipynb") for name in names]
    stamp = datetime(2024, 7, 2, 4, tzinfo=UTC)

    def built(beside, only):
        told = Prepared({}, stamp, beside=beside)
        return build(Book("2024-05", "May 2024", "Co", chapters), tmp_path / "reports", root=tmp_path,
                     prepare=lambda _: told, only=only)  # fmt: skip

    assert built({"one": "said", "two": "said"}, []).status == "whole"
    assert built({"one": "said otherwise", "two": "said"}, ["one"]).status == "whole"  # two is taken over
    assert built({"one": "said otherwise", "two": "changed"}, ["one"]).status == "partial"
    assert len(manifest.read(tmp_path / "reports/2024-05")["notebooks"]["one"]["beside"]) == 64


def test_the_samples_commentary_has_only_names_that_exist():
    root = Path(__file__).parents[1]
    assert set(commentary.read(load(root / "params/report.yaml"), MAY)) == {
        "executive_summary", "loyalty", "support_ops", "customer_value",
    }  # fmt: skip


def test_a_comment_in_the_reports_own_language_is_read_in_its_place(comment, folder):
    comment("Sum")
    (folder / "params/periods/2024-05.ru.md").write_text("Итог", encoding="utf-8")
    told = {code: commentary.read(load().model_copy(update={"language": code}), MAY) for code in ("en", "ru", "ar")}
    assert {code: sections["executive_summary"].text for code, sections in told.items()} == {
        "en": "Sum",
        "ru": "Итог",
        "ar": "Sum",
    }


def test_a_heading_of_many_blanks_is_read_at_once():
    assert list(commentary._split(f"## a{' ' * 50_000}b ##\nwords")) == [(1, f"a{' ' * 50_000}b", "words")]

"""The analysts' comment in a letter: what of it is told, where, and to whom."""

import re
from dataclasses import replace
from html import escape
from pathlib import Path

import nbformat
import pytest
import small_scorecard
from standing_reports import LEADERSHIP, REPORT, SLICE, html, read, text
from test_deliver_message import LETTER, stands, texts

from kpi_lib.commentary import Section
from kpi_lib.deliver.letters import MOST_CHARACTERS, MOST_PARAGRAPHS, comment
from kpi_lib.deliver.message import LABELS, MOST_CHANGES, compose
from kpi_lib.language import language
from kpi_lib.publish import page

REST = LABELS["rest"]
WHY = """\
Customers are waiting
longer.

- **Loyalty:** the score is {nps}; see [the survey](https://example.com/survey).
- We ask for a decision:
  1. hire
  2. wait
- [x] told

After the list.
"""


@pytest.fixture
def told(tmp_path):
    """Return a letter with a comment, as its page has it."""

    def write(markdown, code="en"):
        frame, about = small_scorecard.scorecard(), small_scorecard.about() | {"language": code}
        now = frame[frame["period"] == about["period"]]
        shown = Section(Path("2024-05.md"), 1, markdown).filled(now, about)._repr_mimebundle_()
        cell = nbformat.v4.new_code_cell(outputs=[nbformat.v4.new_output("display_data", shown)])
        text_cell = nbformat.v4.new_markdown_cell("# Executive summary\n\n> Quoted, and no comment.")
        nbformat.write(nbformat.v4.new_notebook(cells=[text_cell, cell]), tmp_path / "page.ipynb")
        to = language(code)
        first = page.read("page", tmp_path / "page.ipynb", to)
        return replace(LETTER, language=to, comment=comment(first, to))

    return write


def block(page_text):
    """Return what stands under the comment's heading in a letter's HTML, without its styles."""
    below = page_text.partition("Comment of the analysts</h2>")[2].partition("</td>")[0]
    return " ".join(re.sub(' (style|class)="[^"]*"', "", below).split())


def test_a_comment_with_a_list_stands_above_the_findings_in_both_texts(told):
    plain, shown = texts(compose(told(WHY)))
    assert (
        """\
Comment of the analysts
-----------------------
Customers are waiting longer.

- Loyalty: the score is 31.2; see the survey
  (https://example.com/survey).
- We ask for a decision:
  1. hire
  2. wait
- ☑ told

After the list.

Churn rate was 3.2%"""
        in plain
    )
    assert block(shown) == (
        "<p>Customers are waiting longer.</p> "
        "<ul> <li><strong>Loyalty:</strong> the score is 31.2; see the survey (https://example.com/survey).</li> "
        "<li>We ask for a decision:</li> </ul> "
        '<ol> <li value="1">hire</li> <li value="2">wait</li> </ol> '
        "<ul> <li>☑ told</li> </ul> <p>After the list.</p>"
    )
    assert re.search('<li class="sentence ink" style="[^"]*line-height: 24px', shown)  # its styles are inlined
    assert shown.index("After the list.") < shown.rindex(LETTER.lead[0])  # which mail readers preview, too
    assert REST not in plain + shown


def test_html_in_a_comment_is_text(told):
    evil = "<script>alert(1)</script> <img src=x onerror=y> & {{{{ 7*7 }}}} ![seen](https://example.com/pixel.png)"
    mail = compose(told(f"{evil}\n\n- {evil}\n\n[here](data:x)"))
    plain, shown = texts(mail)
    stands(mail)
    assert plain.count("<script>alert(1)</script> <img src=x onerror=y> &") == 2
    assert "{{ 7*7 }} seen" in " ".join(plain.split())
    assert set(re.findall("<([a-z0-9]+)", block(shown))) == {"p", "ul", "li"}
    assert "pixel.png" not in plain + shown
    assert escape("<script>alert(1)</script>") in shown


def test_what_a_mail_cannot_show_is_left_to_the_report(told):
    plain, shown = texts(compose(told("Before.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nAfter.")))
    assert f"Before.\n\n{REST}\n\nChurn rate" in plain
    assert REST in block(shown)
    assert "After." not in plain + shown


@pytest.mark.parametrize(
    "markdown",
    ["\n\n".join(f"Paragraph {number} {'& ' * 300}end{number}." for number in range(40)), "- **&** ' < \n" * 500,
     "**&**x" * 20_000, "word " * 20_000, "﷽ " * 20_000],
)  # fmt: skip
def test_a_long_comment_is_cut_at_a_paragraph_and_the_mail_stays_small(told, markdown):
    letter = told(markdown)
    mail = compose(replace(letter, changes=[("Churn rate", "3.2%", "3.4%")] * MOST_CHANGES))
    plain, shown = texts(mail)
    stands(mail)
    assert len(shown.encode()) < 90_000
    assert REST in plain
    assert REST in block(shown)
    assert 0 < len(letter.comment.paragraphs) <= MOST_PARAGRAPHS
    assert sum(len(each.text) for each in letter.comment.paragraphs) <= MOST_CHARACTERS
    ends = [each.text[-6:] for each in letter.comment.paragraphs]
    if markdown.startswith("Paragraph"):
        assert ends == [f"& end{number}."[-6:] for number in range(len(ends))]


def test_a_comment_from_the_left_in_a_letter_from_the_right(told):
    _, shown = texts(compose(told("Customers wait.\n\nالعملاء ينتظرون.", "ar")))
    assert language("ar").say("Comment of the analysts") in shown
    assert '><span dir="ltr">Customers wait.</span></p>' in shown
    assert ">العملاء ينتظرون.</p>" in shown


def test_a_slices_mail_has_no_comment(may):
    (may.folder / "params" / "periods").mkdir(exist_ok=True)
    (may.folder / "params" / "periods" / "2024-05.md").write_text("- We ask for a decision: NPS is {nps}.\n")
    may.page([*REPORT[:2], "report.commentary()", *REPORT[2:]])
    may.audiences(LEADERSHIP, SLICE)
    may.build("2024-05", "--audience", "all")
    assert may.kpi("email", "2024-05").code == 0
    leadership, enterprise = (read(may.report / "mail" / f"{name}.eml") for name in ("leadership", "enterprise"))
    assert "Comment of the analysts" in text(leadership)
    assert "- We ask for a decision: NPS is 50.0" in text(leadership)
    assert "<li>We ask for a decision: NPS is 50.0" in block(html(leadership))
    for said in (text(enterprise), html(enterprise)):
        assert "Net Promoter Score" in said
        assert "Comment of the analysts" not in said
        assert "decision" not in said

"""A member of another slice is found wherever it stands in a slice's files."""

import json
from email.message import EmailMessage

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from kpi_lib.deliver.foreign import definitions, foreign
from kpi_lib.errors import SourceError

MEMBERS = ["enterprise", "consumer", "small_business"]


@pytest.fixture
def found(tmp_path):
    """The members that are found in a page of the slice `enterprise` with this text."""

    def search(text, own="enterprise", members=MEMBERS, ours=()):
        page = tmp_path / "loyalty.html"
        page.write_text(f"<!doctype html><title>Loyalty</title><main>{text}</main>", encoding="utf-8")
        return [reason.split("'")[1] for reason in foreign(own, members, [page], ours)]

    return search


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<p>Churn of enterprise customers fell.</p>", []),
        ("<p>Churn of consumer customers fell.</p>", ["consumer"]),
        ("<p>Consumers are more than one word's ending.</p>", []),
        ("<p>CONSUMER</p>", ["consumer"]),
        ("<p>Small business, small-business</p>", ["small_business"]),
        ("<td>segment_consumer</td>", ["consumer"]),
        ("<td>con</td><td>sumer</td>", []),
        ("<p>consumer &amp; small business</p>", ["consumer", "small_business"]),
        ('<img alt="NPS of consumer" src="data:consumer">', ["consumer"]),
        ('<a href="consumer.html">next</a>', ["consumer"]),
        ("<svg><text>consumer</text></svg>", ["consumer"]),
        ('<script type="application/json">{"member": "consumer"}</script>', ["consumer"]),
        ('<style>.consumer { color: red }</style><p class="consumer">fine</p>', []),
    ],
)
def test_a_page_is_searched_for_whole_words_that_a_reader_meets(found, text, expected):
    assert found(text) == expected


def test_a_name_within_a_longer_one_is_the_longer_one(found):
    names = ["business", "small business"]
    assert found("<p>small business</p>", own="small business", members=names) == []
    assert found("<p>small business</p>", own="business", members=names) == ["small business"]
    assert found("<p>business</p>", own="small business", members=names) == ["business"]


def test_a_short_code_is_found_in_its_own_spelling_only(found):
    assert found("<p>at the end of it</p>", own="DE", members=["DE", "AT", "IT"]) == []
    assert found("<p>DE 10, AT 12</p>", own="DE", members=["DE", "AT", "IT"]) == ["AT"]


def test_an_ordinary_word_is_found_only_outside_our_own_texts(found):
    said = "The share of phone calls that are answered."
    about = {"kpis": {"service_level": {"title": "Service level", "summary": said, "unit": "percent"}}}
    ours = definitions(about)
    assert found("<p>The share of phone\n calls that are answered.</p>", "chat", ["chat", "phone"], ours) == []
    assert found(f"<p>{said}</p><td>phone</td>", "chat", ["chat", "phone"], ours) == ["phone"]
    assert found(f"<p>{said}</p>", "chat", ["chat", "phone"]) == ["phone"]


def test_the_sentence_says_where_and_how_often(tmp_path):
    page = tmp_path / "page.html"
    page.write_text("<p>Of consumer and again consumer</p>")
    assert foreign("enterprise", MEMBERS, [page]) == [
        "page.html names 'consumer', which is not in this slice (2 times, first in “Of consumer and again consumer”)"
    ]


def test_every_kind_of_file_is_searched(tmp_path):
    frame = pd.DataFrame({"kpi": ["nps"], "member": ["consumer"]})
    frame.to_csv(tmp_path / "scorecard.csv", index=False)
    frame.to_parquet(tmp_path / "scorecard.parquet")
    (tmp_path / "scorecard.json").write_text(json.dumps(frame.to_dict("records")))
    book = xlsxwriter.Workbook(tmp_path / "scorecard.xlsx")
    book.add_worksheet("Breakdowns").write("A1", "consumer")
    book.close()
    cells = [
        {"cell_type": "code", "source": "consumer", "outputs": [{"data": {"application/vnd.kpi+json": {"rows": 1}}}]},
        {"cell_type": "code", "source": "", "outputs": [{"data": {"text/html": ["<p>", "consumer</p>"]}}]},
    ]
    (tmp_path / "shown.ipynb").write_text(json.dumps({"cells": cells}))
    (tmp_path / "unseen.ipynb").write_text(json.dumps({"cells": cells[:1]}))
    letter = EmailMessage()
    letter["Subject"] = "May"
    letter.set_content("All is well")
    letter.add_alternative("<p>cons\u00fcmer, consumer</p>", subtype="html", cte="base64")
    (tmp_path / "letter.eml").write_bytes(bytes(letter))
    (tmp_path / "book.pdf").write_bytes(b"consumer")
    reasons = foreign("enterprise", MEMBERS, tmp_path.iterdir())
    assert [reason.split()[0] for reason in reasons] == [
        "letter.eml", "scorecard.csv", "scorecard.json", "scorecard.parquet", "scorecard.xlsx", "shown.ipynb",
    ]  # fmt: skip


def test_what_a_scorecard_says_of_itself_is_searched_too(tmp_path):
    about = {"checks": [{"message": "no country of consumer"}]}
    table = pa.table({"kpi": ["nps"]}).replace_schema_metadata({"kpi_lib": json.dumps(about)})
    pq.write_table(table, tmp_path / "scorecard.parquet")
    assert foreign("enterprise", MEMBERS, [tmp_path / "scorecard.parquet"])


def test_a_file_that_cannot_be_read_is_an_error(tmp_path):
    (tmp_path / "scorecard.json").write_text("{")
    with pytest.raises(SourceError, match=r"scorecard\.json cannot be searched"):
        foreign("enterprise", MEMBERS, tmp_path.iterdir())


def test_a_slice_that_is_all_there_is_has_nothing_foreign(found):
    assert found("<p>consumer (none)</p>", own="consumer", members=["consumer", "(none)"]) == []

"""Letters as messages: what is in them, that they always look alike to a machine, and that no text breaks them."""

import email
import re
from dataclasses import fields, replace
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP, default
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_lib.deliver.message import CLIPPED, LABELS, MOST_CARDS, Letter, compose, message_id, preview, sparkline
from kpi_lib.display import Card
from kpi_lib.errors import KpiError
from kpi_lib.language import language

HEADERS = {
    "From", "To", "Cc", "Subject", "Date", "Message-ID", "List-Id", "Auto-Submitted", "MIME-Version", "Content-Type",
}  # fmt: skip
CHURN = Card(
    "churn_rate", "Churn rate", "3.2%", mark="provisional", change=["up 0.4 % points on April"],
    judged="✗ target missed (at most 3%)", verdict="missed", interval="95% interval 2.9% to 3.6%",
    note="within the margin of error", trend=[3.0, None, 2.8, 3.2],
)  # fmt: skip
NPS = Card("nps", "Net Promoter Score", "36.9", "points", trend=[30.0, 36.9])
LETTER = Letter(
    company="Kestrel Outfitters",
    title="Customer KPI report",
    period="May 2024",
    subject="Customer KPIs May 2024: 1 target missed",
    sender="Kestrel KPIs <kpi@example.com>",
    to=("Ada <ada@example.com>", "bob@example.com"),
    cc=("cy@example.com",),
    message_id=message_id("Kestrel Outfitters", "2024-05", "leadership", "c0ffee", "kpi@example.com"),
    date=datetime(2024, 6, 3, 8, tzinfo=UTC),
    list_name="leadership",
    lead=("Churn rate was 3.2%, up 0.4 percentage points on April; it misses the target of at most 3%.",),
    cards=(CHURN, NPS),
    attachment=("kpi-report-2024-05.pdf", b"%PDF-1.7 \r\n \n \r"),
    footer=("Data as of 3 June 2024, 06:00.",),
)
NASTY = [
    "a\r\nBcc: eve@example.org", "a\nBcc: eve@example.org", "a\rBcc: eve@example.org", "\r\n\r\n<p>body", "\x0bBcc: x",
    "a\x85Bcc: x", "a\u2028Bcc: x\u2029", "\x00\x1b[31m\x7f", "\udcff\ud800", "=?utf-8?q?=0d=0aBcc:_eve?=",
    "=?utf-8?q?=0ABcc?= =?utf-8?q?: x?=", "=?" * 60, "x" * 3000, "é" * 3000, "word " * 400, "a" * 77 + "é\r\n", "",
    'Ünï, Cöde <eve@example.org>, ;:"\\', '"q" \\ (c) [d]', "Müller, Anna " * 9, "تقرير " * 40, "😀" * 200, " ",
    "'", '"', "\\", '"; filename="x.exe', "../../etc/passwd", "a\u202efdp.exe", "%0d%0aBcc: x", "--kpi", ".", "\ufeff",
]  # fmt: skip
FILLED = [each.name for each in fields(Letter) if each.type in ("str", str)]


def read(mail: EmailMessage) -> EmailMessage:
    """Return a mail as another program reads it from the wire."""
    return email.message_from_bytes(mail.as_bytes(), policy=default)


def texts(mail: EmailMessage) -> tuple[str, str]:
    """Return plain text and HTML."""
    received = read(mail)
    return tuple(received.get_body((kind,)).get_content().replace("\r\n", "\n") for kind in ("plain", "html"))


def stands(mail: EmailMessage) -> EmailMessage:
    """Check what must hold of every mail, whatever is in it, and return it as it is read."""
    raw = mail.as_bytes()
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", raw)
    assert max(map(len, raw.split(b"\r\n"))) < 998
    raw.decode("ascii")
    assert raw == mail.as_bytes(policy=SMTP.clone(cte_type="7bit"))  # as a server that takes no more is given it
    received = read(mail)
    assert set(received.keys()) <= HEADERS
    assert len(received.keys()) == len(set(received.keys()))
    for part in received.walk():
        assert not part.defects
        for name, value in part.items():
            assert not getattr(value, "defects", None), (name, value)
            assert not re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029]", str(value)), (name, value)
    kinds = [part.get_content_type() for part in received.iter_parts()]
    assert kinds in (["multipart/alternative"], ["multipart/alternative", "application/pdf"])
    html = received.get_body(("html",)).get_content()
    cids = {part["Content-ID"].strip("<>") for part in received.walk() if part["Content-ID"]}
    assert set(re.findall('src="cid:(.*?)"', html)) == cids
    assert len(html.encode()) < CLIPPED
    return received


class _Elements(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.names, self.said, self.attributes = [], "", []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.names.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.said += data


def test_a_mail_is_plain_text_and_html_with_its_images_and_the_report():
    received = stands(compose(LETTER))
    assert [part.get_content_type() for part in received.walk()] == [
        "multipart/mixed", "multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png",
        "application/pdf",
    ]  # fmt: skip
    for kind in ("plain", "html"):
        part = received.get_body((kind,))
        assert part.get_content_charset() == "utf-8"
        assert part["Content-Transfer-Encoding"] == "quoted-printable"
    (report,) = received.iter_attachments()
    assert report.get_filename() == "kpi-report-2024-05.pdf"
    assert report.get_content() == b"%PDF-1.7 \r\n \n \r"


def test_the_headers_say_who_when_and_that_no_person_wrote_it():
    received = read(compose(LETTER))
    assert {name: received[name] for name in HEADERS - {"Content-Type", "MIME-Version"}} == {
        "From": "Kestrel KPIs <kpi@example.com>",
        "To": "Ada <ada@example.com>, bob@example.com",
        "Cc": "cy@example.com",
        "Subject": "Customer KPIs May 2024: 1 target missed",
        "Date": "Mon, 03 Jun 2024 08:00:00 +0000",
        "Message-ID": LETTER.message_id,
        "List-Id": "<leadership.kestrel-outfitters.example.com>",
        "Auto-Submitted": "auto-generated",
    }
    assert "Cc" not in compose(replace(LETTER, cc=()))


def test_a_list_of_a_company_that_is_not_written_in_latin_has_an_id_of_its_own():
    ids = {compose(replace(LETTER, company=name))["List-Id"] for name in ("شركة", "شركت", "Фирма", "Kestrel")}
    assert len(ids) == 4
    assert all(re.fullmatch(r"<[a-z0-9.-]+>", each) for each in ids)


def test_the_same_letter_is_the_same_message_byte_for_byte():
    assert compose(LETTER).as_bytes() == compose(replace(LETTER)).as_bytes()


def test_a_message_id_is_that_of_company_period_audience_and_content():
    given = ["Kestrel", "2024-05", "leadership", "c0ffee"]
    ids = {message_id(*given, "kpi@example.com")}
    assert ids == {message_id(*given, "kpi@example.com")}
    for place in range(4):
        ids.add(message_id(*given[:place], given[place] + "x", *given[place + 1 :], "kpi@example.com"))
    ids.add(message_id("Kestrel2", "024-05", *given[2:], "kpi@example.com"))
    assert len(ids) == 6
    long = message_id(*given, "kpi@" + "reports." * 20 + "example.com")
    assert stands(compose(replace(LETTER, message_id=long)))["Message-ID"] == long


def test_the_plain_text_reads_as_a_letter():
    plain, _ = texts(compose(replace(LETTER, link="https://reports.example.com/2024-05/")))
    assert (
        plain
        == """\
Kestrel Outfitters
Customer KPI report, May 2024

Churn rate was 3.2%, up 0.4 percentage points on April; it misses the
target of at most 3%.

The numbers
-----------
Churn rate: 3.2% (provisional)
    up 0.4 % points on April
    ✗ target missed (at most 3%)
    95% interval 2.9% to 3.6%
    within the margin of error
Net Promoter Score: 36.9 points

The whole report is attached: kpi-report-2024-05.pdf

Open the whole report:
https://reports.example.com/2024-05/

Data as of 3 June 2024, 06:00.
"""
    )


def test_both_texts_say_the_same():
    letter = replace(LETTER, link="https://reports.example.com/2024-05/", notes=("Sample data.",))
    plain, html = texts(compose(letter))
    told = [letter.company, letter.title, letter.period, *letter.lead, *letter.notes, *letter.footer]
    told += [text for card in letter.cards for text in (card.title, card.value, card.unit, card.judged, card.interval)]
    shown = " ".join(_Elements(html).said.split())
    for text in (*told, letter.attachment[0], "https://reports.example.com/2024-05/"):
        assert text in " ".join(plain.split())
        assert text in shown or text == letter.link
    assert 'href="https://reports.example.com/2024-05/"' in html


def test_html_asks_for_nothing_and_holds_nothing_that_a_mail_reader_drops():
    _, html = texts(compose(LETTER))
    found = _Elements(html)
    assert not {"script", "svg", "link", "iframe", "form", "video", "object", "base"} & set(found.names)
    assert not re.search("https?:|url\\(|@import", html)
    assert {value for name, value in found.attributes if name == "src"} == set(re.findall('cid:[^"]+', html))
    assert re.search('<p class="value ink" style="[^"]*font-size: 20px', html)  # its styles are inlined
    assert html.index("charset") < 1024


def test_a_correction_shows_what_it_said_before_and_says_now():
    letter = replace(
        LETTER,
        subject="Corrected: Customer KPIs May 2024",
        changes=(("Churn rate", "3.2%", "3.4%"),),
        notes=("Sent although the data of calls ends on 29 May: the board meets today.",),
    )
    mail = compose(letter)
    plain, html = texts(mail)
    assert read(mail)["Subject"] == "Corrected: Customer KPIs May 2024"
    assert "- Churn rate: 3.2% before, 3.4% now" in plain
    said = _Elements(html).said
    assert all(text in said for text in ("What changed", "Before", "3.2%", "Now", "3.4%"))
    assert "the board meets today" in said
    assert "the board meets" in plain
    assert said.index("the board meets today") < said.index("What changed") < said.index(letter.lead[0])


def test_a_text_that_runs_to_the_left_is_marked_so_and_the_mails_own_words_are_the_readers():
    labels = {name: language("fa").say(text) for name, text in LABELS.items()}
    letter = replace(LETTER, language=language("fa"), link="https://example.com/a", changes=[("a", "b", "c")])
    plain, html = texts(compose(letter))
    assert html.count('lang="fa"') == html.count('dir="rtl"') == 3  # a reader may drop html, or body
    assert not re.search('class="[^"]*start[^"]*" style="[^"]*text-align: left', html)
    for name in ("changed", "numbers", "link"):
        assert labels[name] in plain
        assert labels[name] in html
    assert labels["attached"].format(file="kpi-report-2024-05.pdf") in " ".join(plain.split())


def test_without_a_pdf_there_is_a_link_to_the_report():
    mail = compose(replace(LETTER, attachment=None, link="https://example.com/2024-05/"))
    assert list(stands(mail).iter_attachments()) == []
    plain, html = texts(mail)
    assert "Open the whole report:\nhttps://example.com/2024-05/\n" in plain
    assert ">Open the whole report</a>" in html
    assert "attached" not in plain + html


def test_data_never_becomes_markup():
    evil = "</title></style><script>alert(1)</script><img src=x onerror=y> & {{ 7*7 }} 'q' \"r\" <!--"
    card = replace(
        CHURN, title=evil, value=evil, unit=evil, mark=evil, change=[evil], judged=evil, verdict='"><b>', note=evil
    )
    letter = replace(
        LETTER, company=evil, title=evil, period=evil, subject=evil, lead=[evil], cards=[card], notes=[evil],
        changes=[(evil, evil, evil)], footer=[evil], link="https://example.com/?a='&b=c\"><b>",
    )  # fmt: skip
    plain, html = texts(compose(letter))
    honest = replace(letter, **{name: getattr(LETTER, name) for name in ("company", "title", "period", "subject")})
    assert _Elements(html).names == _Elements(texts(compose(honest))[1]).names
    assert {"script", "b"}.isdisjoint(_Elements(html).names)
    assert _Elements(html).names.count("img") == 1
    assert "onerror" not in dict(_Elements(html).attributes)
    assert evil in _Elements(html).said
    assert "<script>alert(1)</script>" in plain
    assert "<td" not in plain


@pytest.mark.parametrize("text", NASTY)
def test_no_text_can_write_a_header(text):
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    letter = replace(LETTER, cards=(NPS,))
    for field in [name for name in FILLED if name not in ("sender", "message_id", "colour")]:
        received = stands(compose(replace(letter, **{field: text})))
        assert [each.addr_spec for each in received["To"].addresses] == ["ada@example.com", "bob@example.com"]
        assert received["Message-ID"] == LETTER.message_id
    received = stands(compose(replace(letter, attachment=(text, b"x"), lead=[text], footer=[text], notes=[text])))
    assert re.fullmatch(r"[^/\\:\"\x00-\x1f\u202a-\u202e]{1,84}\.pdf", next(received.iter_attachments()).get_filename())
    name = f'"{quoted}" <ada@example.com>'
    try:
        received = stands(compose(replace(letter, sender=name, to=(name, "bob@example.com"), cc=(name,))))
    except ValueError:
        return
    for header, expected in (("From", 1), ("To", 2), ("Cc", 1)):
        specs = [each.addr_spec for each in received[header].addresses]
        assert specs == ["ada@example.com", "bob@example.com"][:expected]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(st.characters()), min_size=len(FILLED), max_size=len(FILLED)), st.text(st.characters()))
def test_no_texts_together_can(many, other):
    texts = {
        name: text for name, text in zip(FILLED, many, strict=True) if name not in ("sender", "message_id", "colour")
    }
    stands(compose(replace(LETTER, **texts, attachment=(other, b"x"), cards=[replace(NPS, title=other)])))


def test_a_subject_that_looks_encoded_is_shown_as_it_is_meant():
    assert read(compose(replace(LETTER, subject="=?utf-8?q?=0d=0aBcc:_eve?=")))["Subject"].startswith("= ?utf-8?q?")
    for subject in ("Показатели за май 2024: 3 цели не достигнуты", "مؤشرات " * 10 + "نهاية", "Größe 😀, (ja)"):
        assert read(compose(replace(LETTER, subject=subject)))["Subject"] == subject


@pytest.mark.parametrize("field", ["sender", "to", "cc"])
def test_who_has_no_address_gets_no_mail(field):
    text = "Ada <ada@example.com>, eve@example.org"
    with pytest.raises(ValueError, match="no sender such as"):
        compose(replace(LETTER, **{field: text if field == "sender" else (text,)}))


def test_a_name_with_commas_stays_one_recipient():
    received = stands(compose(replace(LETTER, to=('"Müller, Anna (CFO) <x@y>" <anna@example.com>',))))
    (anna,) = received["To"].addresses
    assert (anna.display_name, anna.addr_spec) == ("Müller, Anna (CFO) <x@y>", "anna@example.com")


@pytest.mark.parametrize("length", range(1, 61))
def test_a_header_of_any_length_keeps_every_recipient(length):
    name = ("é, x" * 15)[:length]
    received = stands(
        compose(
            replace(LETTER, cards=(), to=(f'"{name}" <a@example.com>', f'"{name}" <b@example.com>', "c@example.com"))
        )
    )
    assert [each.addr_spec[0] for each in received["To"].addresses] == ["a", "b", "c"]


def test_a_message_id_cannot_write_a_header():
    with pytest.raises(ValueError, match="linefeed"):
        compose(replace(LETTER, message_id="<a@b>\r\nBcc: x"))


def test_a_long_mail_is_cut_and_says_so_and_one_that_would_be_hidden_is_refused():
    letter = replace(LETTER, cards=[CHURN] * 60, changes=[("Churn rate", "3.2%", "3.4%")] * 90)
    plain, html = texts(compose(letter))
    assert plain.count("Churn rate: 3.2% (provisional)") == html.count('class="value ink"') == MOST_CARDS
    assert plain.count("3.2% before, 3.4% now") == 40
    assert plain.count(LABELS["more"]) == html.count(LABELS["more"]) == 2
    assert len([part for part in compose(letter).walk() if part["Content-ID"]]) == MOST_CARDS
    assert LABELS["more"] not in texts(compose(LETTER))[0]
    with pytest.raises(KpiError, match="Gmail hides"):
        compose(replace(LETTER, lead=["word " * 30_000]))


def test_a_trend_is_a_small_picture_and_needs_three_numbers():
    picture = sparkline([3.0, None, 2.8, 3.2])
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    assert [int.from_bytes(picture[place : place + 4]) for place in (16, 20)] == [192, 44]
    assert picture == sparkline([3.0, None, 2.8, 3.2])
    assert len({sparkline(trend) for trend in ([1, 2, 3], [1, 2, None, 3], [1, 2, 3, None], [3, 2, 1])}) == 4
    assert sparkline([2.0, 2.0, 2.0])
    assert sparkline([1.0, None, 2.0]) == b""


def test_a_preview_is_the_mail_as_a_file_and_its_page_alone():
    mail = compose(LETTER)
    eml, page = preview(mail)
    assert eml == mail.as_bytes()
    assert "cid:" not in page
    assert page.count("data:image/png;base64,") == 1

import pytest
import yaml

from kpi_lib import audiences
from kpi_lib.errors import ParamsError, UnknownNameError
from kpi_lib.params import load

BOARD = {"name": "board", "to": ["chair@example.com"]}
PLAIN = {"sender": "reports@example.com", "allowed_domains": ["example.com"], "audiences": [BOARD]}
NOBODY = [
    "", "ada", "ada@", "@example.com", "a b@example.com", "a@b@example.com", "ada@example.com, eve@example.org",
    "<ada@example.com", "ada@ex\u00e4mple.com", "ada@example.com>", "a..b@example.com", "=?utf-8?q?a?=@example.com",
]  # fmt: skip
NO_SENDERS = ["Ada <ada@example.com> <eve@example.org>", "team: ada@example.com;", f"{'a' * 250}@example.com"]
BROKEN = ["ada@example.com\r\nBcc: eve@example.org", "ada@example.com\n", '"Ada\r\nBcc: eve" <ada@example.com>']
NO_LINKS = [
    "file:///reports", "javascript:alert(1)", "https://a.example/\r\nBcc: x", 'https://a.example/">', "",
    "https://a.example/<b>",
]  # fmt: skip


@pytest.fixture
def read(company):
    """Reads audiences.yaml with these changes to the file, or to its one audience."""

    def written(audience=None, *, text=None, **changes):
        params = load(company.write())
        file = PLAIN | ({"audiences": [BOARD | audience]} if audience is not None else {}) | changes
        params.path.with_name("audiences.yaml").write_text(text or yaml.safe_dump(file, sort_keys=False))
        return audiences.read(params)

    return written


def test_what_is_left_out_has_a_default(read):
    delivery = read()
    board = delivery.find("board")
    assert (board.to, board.cc, board.owner) == (("chair@example.com",), (), None)
    assert (board.language, board.notebooks, board.attach, board.slice) == (None, None, "pdf", None)
    assert (delivery.link, delivery.attachment_megabytes) == (None, 10)
    assert delivery.subject == "{title} {period}: {verdict}"


def test_a_slice_is_a_member_of_a_cut(read):
    assert read({"where": {"segment": "enterprise"}}).find("board").slice == ("segment", "enterprise")


def test_the_sample_company_writes_to_example_com_only():
    delivery = audiences.read(load())
    assert delivery.allowed_domains == ("example.com",)
    assert delivery.find("enterprise").slice == ("segment", "enterprise")
    with pytest.raises(UnknownNameError, match=r"no audience 'enterprize' .* did you mean 'enterprise'"):
        delivery.find("enterprize")


def test_a_company_without_audiences_is_told_which_file_says_who_they_are(company):
    with pytest.raises(ParamsError, match=r"there is no audiences\.yaml beside report\.yaml"):
        audiences.read(load(company.write()))


@pytest.mark.parametrize(
    ("audience", "message"),
    [
        ({"too": []}, r"audiences.yaml:\d+: unknown key 'audiences.0.too' - did you mean 'to'"),
        ({"to": []}, r":\d+: audiences.0.to"),
        ({"to": ["chair"]}, r":\d+: .*no address such as name@example.com, got 'chair'"),
        ({"to": ["Chair <chair@example.com>"]}, "no address"),
        ({"to": ["a@example.com, b@example.com"]}, "no address"),
        ({"to": ["a@example.com\nBcc: b@example.com"]}, "no line break"),
        ({"cc": ["ch\u00e4ir@example.com"]}, "no address"),
        *(({"to": [text]}, "no address") for text in NOBODY),
        ({"to": ["a@b>\r\nRCPT TO:<eve@c"]}, "no line break"),
        ({"to": ["a@example.com"], "cc": ["A@Example.com"]}, "a@example.com would get the same mail twice"),
        ({"to": ["chair@example.org"]}, r":\d+: chair@example.org: example.org is not in allowed_domains"),
        ({"to": ["chair@mail.example.com"]}, "is not in allowed_domains"),
        ({"name": "../board"}, "name"),
        ({"name": "board\n"}, "name"),
        ({"name": "all"}, "'all' stands for every audience"),
        ({"language": "rus"}, "no language 'rus' - did you mean 'ru'"),
        ({"notebooks": ["loyality"]}, r":\d+: no notebook 'loyality' in the book - did you mean 'loyalty'"),
        ({"notebooks": []}, "notebooks"),
        ({"attach": "zip"}, "attach"),
        ({"attach": "link"}, "gets a link, but there is no `link`"),
        ({"where": {"segment": "a", "country": "DE"}}, "one member of one cut, not of segment and country"),
        ({"where": {"country": False}}, "where.country"),
        ({"owner": "nobody"}, "owner"),
        ({"owner": "analyst@example.org"}, r":\d+: analyst@example.org: example.org is not in allowed_domains"),
    ],
)
def test_an_audience_that_cannot_be_right_is_an_error_with_file_and_line(read, audience, message):
    with pytest.raises(ParamsError, match=message):
        read(audience)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"send": "x"}, "unknown key 'send' - did you mean 'sender'"),
        ({"sender": "Reports"}, "no sender such as"),
        *(({"sender": text}, "no (sender|address) such as") for text in (*NOBODY, *NO_SENDERS)),
        *(({"sender": text}, "no line break") for text in BROKEN),
        ({"sender": "Reports <reports@example.com>\nBcc: x@example.com"}, "no line break"),
        ({"allowed_domains": ["example.com>"]}, "allowed_domains"),
        ({"allowed_domains": []}, "allowed_domains"),
        ({"audiences": [BOARD, BOARD | {"name": "Board"}]}, r":\d+: audience 'board' is there twice"),
        *(({"link": text}, "link") for text in NO_LINKS),
        ({"subject": "{titel}"}, "no {titel} to fill in - did you mean 'title'"),
        ({"subject": "{title.__class__}"}, "no {title.__class__}"),
        ({"subject": "{title!r}"}, "no {title}"),
        ({"subject": "{title"}, "braces"),
        ({"subject": "One\r\nBcc: x@example.com"}, "no line break"),
        ({"attachment_megabytes": 0}, "attachment_megabytes"),
    ],
)
def test_a_file_that_cannot_be_right_is_an_error_with_file_and_line(read, changes, message):
    with pytest.raises(ParamsError, match=message):
        read(**changes)


def test_a_name_before_the_senders_address_is_kept(read):
    assert read(sender='"Reports, customer" <reports@example.com>').sender.startswith('"Reports, customer"')


def test_a_domain_is_the_same_in_capitals(read):
    assert read({"to": ["chair@EXAMPLE.com"]}, allowed_domains=["Example.Com"]).allowed_domains == ("example.com",)

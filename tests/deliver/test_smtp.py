"""The mail server's address, its certificates and log-in, and what a mail is on the wire."""

import logging
import traceback
from base64 import b64encode
from email import message_from_string, policy

import pytest
from mail_server import PASSWORD, USER
from post_office import ANN, letter

from kpi_lib.deliver.server import Server
from kpi_lib.deliver.smtp import Session
from kpi_lib.errors import DeliveryError, ParamsError

PLAIN = b64encode(f"\0{USER}\0{PASSWORD}".encode()).decode()


def read(url):
    return Server.from_environment({"KPI_SMTP_URL": url})


def deliver(server, message=None, recipient=ANN, told=None):
    notes = [] if told is None else told
    with Session(server) as session:
        session.open()
        return session.deliver(message or letter(), recipient, lambda state, text: notes.append(f"{state}: {text}"))


@pytest.mark.parametrize(
    ("url", "port", "tls"),
    [
        ("smtps://mail.example.com", 465, "implicit"),
        ("smtps://localhost:9465", 9465, "implicit"),
        ("smtp://mail.example.com", 587, "starttls"),
        ("smtp://mail.example.com:25?tls=off", 25, "off"),
        ("smtp://localhost:1025", 1025, "off"),
        ("smtp://127.0.0.9", 587, "off"),
        ("smtp://[::1]:25", 25, "off"),
        ("smtp://localhost?tls=on", 587, "starttls"),
    ],
)
def test_the_address_says_port_and_encryption(url, port, tls):
    server = read(url)
    assert (server.port, server.tls, server.user, server.timeout) == (port, tls, None, 20)


def test_user_and_password_may_be_escaped():
    server = read("smtps://kpi%40example.com:s3cret%2Fw%3Ard%25@mail.example.com?timeout=2.5")
    assert (server.host, server.user, server.password) == ("mail.example.com", USER, PASSWORD)
    assert server.timeout == 2.5
    assert read("smtps://u:p@ss@mail.example.com").password == "p@ss"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "is not set; expected smtps://user:password@host:465"),
        ("mail.example.com", "not an address of a mail server"),
        ("https://mail.example.com", "not an address of a mail server"),
        ("smtps://kpi:hidden@", "not an address of a mail server"),
        ("smtps://kpi:hid/den@mail.example.com", "not readable"),
        ("smtps://kpi:12/hidden@mail.example.com", "not an address of a mail server"),
        ("smtps://kpi:12?hidden@mail.example.com", "not readable"),
        ("smtps://kpi:12?hidden=@mail.example.com", "after [?] come only tls"),
        ("smtps://kpi:12#hidden@mail.example.com", "not an address of a mail server"),
        ("smtps://kpi:hidden%ff@mail.example.com", "not readable"),
        ("smtps://kpi:hiddén@mail.example.com", "beyond ASCII"),
        ("smtps://kpi@mail.example.com", "come together"),
        ("smtps://:hidden@mail.example.com", "come together"),
        ("smtp://kpi:hidden@mail.example.com?tls=off", "sent in the clear"),
        ("smtps://mail.example.com?tls=off", "belongs to smtp://"),
        ("smtp://mail.example.com?tls=maybe", "after [?] come only tls"),
        ("smtp://mail.example.com?timeout=0", "after [?] come only tls"),
        ("smtp://mail.example.com?timeout=nan", "after [?] come only tls"),
        ("smtp://mail.example.com?timeout=soon", "not readable"),
        ("smtp://mail.example.com:99999", "not readable"),
        ("smtp://" + "a" * 70 + ".example.com", "not readable"),
    ],
)
def test_a_mistake_in_the_address_is_a_sentence_without_the_password(url, said):
    with pytest.raises(ParamsError, match=f"^KPI_SMTP_URL: .*{said}") as caught:
        read(url)
    assert "hid" not in "".join(traceback.format_exception(caught.value))
    assert caught.value.__context__ is None


@pytest.mark.parametrize("kind", ["starttls", "implicit"])
def test_mail_is_handed_in_encrypted_and_logged_in(office, kind):
    assert deliver(office.server(kind)).state == "sent"
    assert office.asked("logins") == 1


@pytest.mark.parametrize("kind", ["starttls", "implicit"])
def test_a_certificate_that_nobody_vouches_for_is_refused(office, monkeypatch, kind):
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(DeliveryError, match=r"its certificate is not trusted: .*unable to get local issuer"):
        deliver(office.server(kind))
    assert (office.asked("logins"), office.slept) == (0, [])


def test_a_port_that_does_not_speak_tls_is_said_so(office):
    with pytest.raises(DeliveryError, match="TLS could not be agreed"):
        deliver(office.server("plain", tls="implicit"))


def test_a_server_without_log_in_gets_no_password(office):
    with pytest.raises(DeliveryError, match="offers no log-in"):
        deliver(office.server("plain", user=USER, password=PASSWORD))


@pytest.mark.parametrize(
    ("changes", "faults", "said"),
    [
        ({}, [{"at": "login", "do": f"535 {PASSWORD} is wrong"}], "535"),
        ({}, [{"at": "login", "do": f"454 {PASSWORD} cannot be looked up now", "times": 99}], "454"),
        ({}, [{"at": "rcpt", "do": f"550 {PASSWORD}"}], "550"),
        ({}, [{"at": "login", "do": f"535 no AUTH PLAIN {PLAIN}"}], "535"),
        ({"port": 1}, [], "refused"),
        ({"tls": "implicit"}, [], "SSL"),
        ({"tls": "starttls"}, [], "STARTTLS"),
    ],
)
def test_the_password_is_in_no_text(office, caplog, capfd, changes, faults, said):
    caplog.set_level(logging.DEBUG)
    office.faults(*faults)
    server = office.server("login", **changes)
    told = [repr(server), str(server)]
    try:
        told.append(repr(deliver(server, told=told)))
    except DeliveryError as error:
        while error:  # and what it came of, as a debugger would show it
            told.append("".join(traceback.format_exception(error)))
            error = error.__context__
    printed = capfd.readouterr()
    assert said in "".join(told)
    everything = "".join([*told, caplog.text, printed.out, printed.err])
    assert PASSWORD not in everything
    assert PLAIN not in everything


def test_a_log_in_refused_for_now_is_tried_again(office):
    office.faults({"at": "login", "do": "454 later"})
    assert deliver(office.server("login")).state == "sent"
    assert office.asked("logins") == 2


@pytest.mark.parametrize("text", ["Grüße\n", "Grüße\n.\n..two dots\n" + "long " * 400 + "\nlast\n", ".\n..\nplain\n"])
def test_the_mail_arrives_as_it_was_written(office, text):
    assert deliver(office.server(), letter(text, Subject="Größe")).state == "sent"
    (mail,) = office.mails()
    assert mail["content"].isascii()
    assert "\n" not in mail["content"].replace("\r\n", "")
    read_back = message_from_string(mail["content"], policy=policy.default)
    assert read_back.get_content().replace("\r\n", "\n") == text
    assert read_back["Subject"] == "Größe"
    assert (mail["from"], mail["to"]) == ("kpi@example.com", ANN)


def test_a_mail_that_is_too_large_is_refused_before_it_is_given(office):
    told = []
    answer = deliver(office.server("ascii"), letter("x\n" * 2000), told=told)
    assert (answer.state, answer.code, told) == ("failed", 552, [])


def test_lines_of_one_kind_end_a_mail_once(office):
    message = letter("x")
    message.set_payload("a\r.\rb\n.\nc")  # a bare return or line feed before a dot must not end the mail
    assert deliver(office.server(), message).state == "sent"
    (mail,) = office.mails()
    assert mail["content"].endswith("a\r\n.\r\nb\r\n.\r\nc\r\n")

"""The mail server of the tests, and letters to send through it."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import trustme
from mail_server import PASSWORD, USER

from kpi_lib.deliver.ledger import Ledger
from kpi_lib.deliver.send import Parcel
from kpi_lib.deliver.server import Server

ANN, BOB, CYD = PEOPLE = ("ann@example.com", "bob@example.com", "cyd@example.com")


class Program:
    """A program of the tests in a process of its own, which answers a line with a line."""

    def __init__(self, name: str, *arguments: Path) -> None:
        program = [sys.executable, "-W", "ignore", Path(__file__).with_name(name), *arguments]
        self.process = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdin
        assert self.process.stdout
        self.orders, self.answers = self.process.stdin, self.process.stdout

    def ask(self, **order: Any) -> dict[str, Any]:
        """Tell the program what to do; return what it answers."""
        if order:
            self.orders.write(json.dumps(order) + "\n")
            self.orders.flush()
        return json.loads(self.answers.readline())

    def close(self) -> None:
        """End the program."""
        self.orders.close()
        self.process.wait(timeout=10)
        self.answers.close()


class PostOffice:
    """A running mail server: what is to go wrong at it, and the mails that it took."""

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(folder / "authority.pem")
        authority.issue_cert("localhost", "127.0.0.1").private_key_and_cert_chain_pem.write_to_path(folder / "good.pem")
        authority.issue_cert("other.example.com").private_key_and_cert_chain_pem.write_to_path(folder / "stranger.pem")
        self.authority = folder / "authority.pem"
        self.program = Program("mail_server.py", folder)
        self.ports = self.program.ask()
        self.slept: list[float] = []

    def faults(self, *faults: dict[str, Any]) -> None:
        """Forget everything; from now on this goes wrong."""
        self.program.ask(faults=faults)
        self.slept.clear()

    def mails(self) -> list[dict[str, Any]]:
        """Return the mails taken, once nobody is connected any more."""
        return self.program.ask(mails=True)["mails"]

    def counts(self) -> dict[str, int]:
        """Return how many mails were taken for each recipient."""
        return dict(Counter(mail["to"] for mail in self.mails()))

    def asked(self, what: str) -> int:
        """Return how many `logins` or `connections` there were."""
        return self.program.ask(mails=True)[what]

    def server(self, kind: str = "plain", **changes: Any) -> Server:
        """Return the server of that kind as a sender sees it; its waits are noted in `slept` and take no time."""
        tls = {"starttls": "starttls", "implicit": "implicit", "stranger": "implicit"}.get(kind, "off")
        known: dict[str, Any] = {"host": "127.0.0.1", "port": self.ports[kind], "tls": tls, "timeout": 5.0}
        if kind not in ("plain", "ascii"):
            known |= {"user": USER, "password": PASSWORD}
        return Server(**(known | {"sleep": self.slept.append} | changes))


class Clock:
    """A clock that goes on by a second each time it is read."""

    def __init__(self) -> None:
        self.time = datetime(2024, 6, 3, 6, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time


def letter(text: str = "NPS rose.\n", **headers: str) -> EmailMessage:
    """Return a mail to Ann, Bob and Cyd."""
    message = EmailMessage()
    told = {
        "From": "KPI <kpi@example.com>",
        "To": ", ".join(PEOPLE),
        "Subject": "KPIs",
        "Message-ID": "<1@example.com>",
    }
    for name, value in (told | headers).items():
        message[name] = value
    message.set_content(text)
    return message


def parcel(content: str = "aa11", *, recipients: tuple[str, ...] = PEOPLE, **changes: Any) -> Parcel:
    """Return the report of May for leadership."""
    known: dict[str, Any] = {"company": "Test & Sons", "period": "2024-05", "audience": "leadership"}
    return Parcel(**(known | {"content": content, "message": letter(), "recipients": recipients} | changes))


def events(ledger: Ledger, delivery: int) -> list[tuple[str, str, str]]:
    """Return what happened to a delivery: time, state it came to, text."""
    rows = ledger._rows.execute("SELECT at, state, text FROM events WHERE delivery = ? ORDER BY id", (delivery,))
    return rows.fetchall()


@pytest.fixture(scope="session")
def running_office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostOffice]:
    """The mail server, once for all tests."""
    office = PostOffice(tmp_path_factory.mktemp("office"))
    yield office
    office.program.close()


@pytest.fixture
def office(running_office: PostOffice, monkeypatch: pytest.MonkeyPatch) -> PostOffice:
    """A mail server at which nothing goes wrong yet, whose certificates this machine trusts."""
    monkeypatch.setenv("SSL_CERT_FILE", str(running_office.authority))
    running_office.faults()
    return running_office


@pytest.fixture(scope="session")
def senders() -> Iterator[Program]:
    """The program that starts senders and kills them."""
    program = Program("sender.py")
    yield program
    program.close()

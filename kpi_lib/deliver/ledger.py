"""The ledger of deliveries: who was to get which report, and what became of it.

Why nobody gets a mail twice, even when a sender dies or two start at once:

* A sender holds an operating-system lock on a file beside the ledger for as long as it sends (`Ledger.sending`). The
  kernel gives the lock back when the process ends, however it ends, so whoever holds it knows that no other sender is
  alive; a second sender waits. The folder must lie on a disk of the machine, as SQLite's own locks need.
* A delivery is written down as `in_data`, on disk, before the first byte of its mail leaves, and leaves that state only
  with what the server answered.
* So whoever gets the lock can judge what a dead sender left: `claimed`, and no byte has left: it may be sent;
  `in_data`, and the mail may have arrived: it becomes `unknown`, is shown, and is sent again only if a person says so.

A delivery moves along NEXT and no other way, each move is an event with its time, and no row is ever deleted.
"""

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from kpi_lib.errors import DeliveryError

Clock = Callable[[], datetime]
FORMAT = 1  # of the file
NEXT = {
    "prepared": ("claimed",),
    "claimed": ("claimed", "prepared", "in_data", "failed"),
    "in_data": ("claimed", "sent", "failed", "unknown"),
    "failed": ("claimed",),
    "unknown": ("sent", "failed"),
    "sent": (),
}
FINISHED = ("sent", "failed", "unknown")
OUT = ("in_data", "sent", "unknown")  # the mail is, or may be, with its recipient
SCHEMA = f"""
CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY,
    company TEXT NOT NULL, period TEXT NOT NULL, audience TEXT NOT NULL, content TEXT NOT NULL,
    recipient TEXT NOT NULL COLLATE NOCASE,
    state TEXT NOT NULL CHECK (state IN {tuple(NEXT)}),
    attempts INTEGER NOT NULL DEFAULT 0, code INTEGER, answer TEXT,
    message_id TEXT, override TEXT,
    prepared_at TEXT NOT NULL, claimed_at TEXT, finished_at TEXT, sender TEXT,
    UNIQUE (company, period, audience, content, recipient)
);
CREATE TABLE events (
    id INTEGER PRIMARY KEY, delivery INTEGER NOT NULL REFERENCES deliveries (id),
    at TEXT NOT NULL, state TEXT NOT NULL, text TEXT NOT NULL
);
CREATE TRIGGER deliveries_stay BEFORE DELETE ON deliveries BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END;
CREATE TRIGGER events_stay BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END;
CREATE TRIGGER events_hold BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END;
"""


@dataclass(frozen=True)
class Delivery:
    """One report for one recipient; times are UTC, `answer` is the last thing said of it, `sender` who claimed it."""

    id: int
    company: str
    period: str
    audience: str
    content: str
    recipient: str
    state: str
    attempts: int
    code: int | None
    answer: str | None
    message_id: str | None
    override: str | None
    prepared_at: str
    claimed_at: str | None
    finished_at: str | None
    sender: str | None


COLUMNS = ", ".join(field.name for field in fields(Delivery))
KEY = "company = ? AND period = ? AND audience = ? AND content = ? AND recipient = ?"


@dataclass(frozen=True)
class Version:
    """The content to send to an audience, and the content it corrects, if another went out last.

    `reached` says whether it is, or may be, with somebody; `override` is why it was to go out in spite of the gate.
    """

    content: str
    corrects: str | None
    reached: bool = False
    override: str | None = None


class Ledger(AbstractContextManager["Ledger"]):
    """records/ledger.sqlite, made when it is not there; to be used in a `with`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._rows = sqlite3.connect(path, timeout=60, isolation_level="IMMEDIATE")  # begun by the first change
        self._sender: str | None = None
        try:
            self._prepare_file()
        except BaseException:
            self._rows.close()
            raise

    def __exit__(self, *ended: object) -> None:
        self._rows.close()

    def _prepare_file(self) -> None:
        try:
            if self._rows.execute("PRAGMA journal_mode").fetchone() != ("wal",):
                with self._locked():  # switching to WAL does not wait for others as a transaction does
                    self._rows.execute("PRAGMA journal_mode = WAL")
            self._rows.execute("PRAGMA synchronous = FULL")
            with self._rows:
                self._rows.execute("BEGIN IMMEDIATE")
                version = self._rows.execute("PRAGMA user_version").fetchone()[0]
                for statement in SCHEMA.split(";\n") if version == 0 else ():
                    self._rows.execute(statement)
                self._rows.execute(f"PRAGMA user_version = {version or FORMAT}")
        except sqlite3.DatabaseError as error:
            raise DeliveryError(f"{self.path} cannot be used as a ledger: {error}") from None
        if version > FORMAT:
            raise DeliveryError(f"{self.path} is a ledger of a newer kpi_lib (version {version}, known is {FORMAT})")

    @contextmanager
    def sending(self, now: Clock, waiting: Callable[[str], None]) -> Iterator[None]:
        """Be the only sender; before and after, settle what a sender left unfinished.

        While another sender is alive this waits for it to end, after telling `waiting` who that is.
        """
        with self._locked(waiting) as lock:
            self._sender = f"process {os.getpid()} on {os.uname().nodename} since {_text(now)}"
            lock.truncate(0)
            lock.write(self._sender)
            lock.flush()
            self._settle(now)
            try:
                yield
            finally:
                self._settle(now)
                self._sender = None
                lock.truncate(0)

    def prepare(
        self,
        key: tuple[str, str, str, str],
        recipients: Iterable[str],
        now: Clock,
        *,
        message_id: str | None = None,
        override: str | None = None,
    ) -> list[Delivery]:
        """Write down who is to get (company, period, audience, content), unless it stands there; return where each is.

        A recipient whose mail has not gone out takes over the message id and the override's reason.
        """
        deliveries = {}
        with self._rows:
            for recipient in recipients:
                added = self._rows.execute(
                    "INSERT OR IGNORE INTO deliveries (company, period, audience, content, recipient, state,"
                    " prepared_at) VALUES (?, ?, ?, ?, ?, 'prepared', ?)",
                    (*key, recipient, _text(now)),
                ).rowcount
                self._rows.execute(
                    "UPDATE deliveries SET message_id = ?, override = ? WHERE state IN ('prepared', 'failed') AND"
                    f" {KEY}",
                    (message_id, override, *key, recipient),
                )
                (found,) = self._select(KEY, *key, recipient)
                if added:
                    self._note(found.id, "prepared", f"override: {override}" if override else "", now)
                deliveries[found.id] = found
        return list(deliveries.values())

    def claim(self, delivery: int, now: Clock) -> bool:
        """Take a delivery that is prepared or failed; False if it is not to be sent. Only inside `sending`."""
        if not self._sender:
            raise RuntimeError("claim only inside sending(): nothing else proves that no other sender is alive")
        with self._rows:
            taken = self._rows.execute(
                "UPDATE deliveries SET state = 'claimed', claimed_at = ?, finished_at = NULL, sender = ?"
                " WHERE id = ? AND state IN ('prepared', 'failed')",
                (_text(now), self._sender, delivery),
            ).rowcount
            if taken:
                self._note(delivery, "claimed", self._sender, now)
        return bool(taken)

    def move(
        self, delivery: int, state: str, text: str, now: Clock, *, code: int | None = None, attempts: int = 0
    ) -> None:
        """Write down what became of a delivery; a move that NEXT does not have is a mistake in the program."""
        before = [name for name, after in NEXT.items() if state in after]
        with self._rows:
            moved = self._rows.execute(
                "UPDATE deliveries SET state = ?, code = ?, answer = ?, attempts = attempts + ?, finished_at = ?"
                f" WHERE id = ? AND state IN ({', '.join('?' * len(before))})",
                (state, code, text, attempts, _text(now) if state in FINISHED else None, delivery, *before),
            ).rowcount
            if not moved:
                raise RuntimeError(f"delivery {delivery} cannot become {state}")
            self._note(delivery, state, text, now)

    def resolve(
        self, company: str, period: str, recipient: str, now: Clock, *, arrived: bool, audience: str | None = None
    ) -> bool:
        """Take a person's word on a recipient's unknown mails, those of one audience or all; False if there is none.

        They arrived, or they did not and the next run sends them again.
        """
        rows = self._select(
            "company = ? AND period = ? AND recipient = ? AND state = 'unknown'", company, period, recipient
        )
        unknown = [row for row in rows if audience in (None, row.audience)]
        state, why = ("sent", "it arrived") if arrived else ("failed", "it did not arrive")
        for delivery in unknown:
            self.move(delivery.id, state, f"said by a person: {why}", now, code=delivery.code)
        return bool(unknown)

    def standing(self, company: str, period: str) -> list[Delivery]:
        """Return every delivery of a period, in the order they were prepared."""
        return self._select("company = ? AND period = ?", company, period)

    def _settle(self, now: Clock) -> None:
        """Judge what no living sender is at work on; the sender's lock must be held."""
        for delivery in self._select("state IN ('claimed', 'in_data')"):
            if delivery.state == "claimed":
                self.move(delivery.id, "prepared", "the sender stopped before any of the mail was given", now)
            else:
                text = "the sender stopped while the mail was being given: it may have arrived"
                self.move(delivery.id, "unknown", text, now)

    def _select(self, where: str, *values: str) -> list[Delivery]:
        rows = self._rows.execute(f"SELECT {COLUMNS} FROM deliveries WHERE {where} ORDER BY id", values)
        return [Delivery(*row) for row in rows]

    def _note(self, delivery: int, state: str, text: str, now: Clock) -> None:
        self._rows.execute(
            "INSERT INTO events (delivery, at, state, text) VALUES (?, ?, ?, ?)", (delivery, _text(now), state, text)
        )

    @contextmanager
    def _locked(self, waiting: Callable[[str], None] = lambda text: None) -> Iterator[TextIO]:
        with self.path.with_suffix(".lock").open("a+", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                waiting(f"another send is under way by {file.read() or 'another process'}; waiting for it to end")
                fcntl.flock(file, fcntl.LOCK_EX)
            yield file


def known(path: Path, company: str, period: str) -> list[Delivery]:
    """Return every delivery of a period; a ledger that is not there knows of none, and is not made."""
    if not path.is_file():
        return []
    with Ledger(path) as ledger:
        return ledger.standing(company, period)


def version(rows: Sequence[Delivery], audience: str, content: str, *, anew: bool = False) -> Version:
    """Return what to send to an audience when its report's content is this, and what it corrects.

    `rows` are the deliveries of the period. Content that comes back after another went out, as when a correction was
    itself wrong, is news to those who read the other: it is sent as a version of its own, `content~2`, whether or not
    anybody got the first. So it is when it is to be sent `anew`.
    """
    rows = [row for row in rows if row.audience == audience]
    order = list(dict.fromkeys(row.content for row in rows))
    out = list(dict.fromkeys(row.content for row in rows if row.state in OUT))
    same = [each for each in order if each.partition("~")[0] == content]
    last = order.index(out[-1]) if out else 0
    if same and not anew and order.index(same[-1]) >= last:
        before = [each for each in out if order.index(each) < order.index(same[-1])]
        override = next((row.override for row in rows if row.content == same[-1]), None)
        return Version(same[-1], before[-1] if before else None, same[-1] in out, override)
    name = f"{content}~{len(same) + 1}" if same else content
    return Version(name, out[-1] if out else None)


def _text(now: Clock) -> str:
    return now().astimezone(UTC).isoformat(timespec="seconds")

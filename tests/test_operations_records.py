"""What docs/operations.md says of records and of the mail server's address holds."""

import shlex
import shutil
import sqlite3
import subprocess
import sys
from email.message import EmailMessage

import pytest
from test_operations import NOON, PAGE, SHOWN, blocks

from kpi_lib.deliver import smtp
from kpi_lib.deliver.ledger import Ledger

KEY = ("Kestrel Outfitters (sample)", "2024-05", "leadership", "aa11")
LEAD = "support-lead@example.com"


def in_data(folder):
    """A ledger whose sender died while it handed over a mail."""
    with Ledger(folder / "records" / "ledger.sqlite") as ledger:
        (delivery,) = ledger.prepare(KEY, [LEAD], lambda: NOON, message_id="<1@example.com>")
        with ledger.sending(lambda: NOON, print):
            ledger.claim(delivery.id, lambda: NOON)
            ledger.move(delivery.id, "in_data", "the mail is being given", lambda: NOON)


def standing(folder):
    with Ledger(folder / "records" / "ledger.sqlite") as ledger:
        return [delivery.state for delivery in ledger.standing(*KEY[:2])]


def test_the_ledger_tells_of_what_is_unknown(tmp_path, monkeypatch):
    in_data(tmp_path)
    assert standing(tmp_path) == ["unknown"]
    monkeypatch.chdir(tmp_path)
    query = next(line for block in blocks("sh") for line in block.splitlines() if "SELECT" in line)
    with sqlite3.connect("records/ledger.sqlite") as rows:
        (row,) = rows.execute(shlex.split(query)[-1])
    rows.close()
    assert row[:3] + row[4:] == ("leadership", LEAD, "unknown", "<1@example.com>")


@pytest.mark.skipif(not shutil.which("sqlite3"), reason="there is no sqlite3 here")
def test_a_backup_is_restored(tmp_path):
    in_data(tmp_path)
    letter = tmp_path / "records" / "issued" / "2024-05" / "leadership" / "aa11" / "letter.eml"
    letter.parent.mkdir(parents=True)
    letter.write_bytes(EmailMessage().as_bytes())
    letter.chmod(0o444)
    letter.parent.chmod(0o555)
    kept = tmp_path / "backup"
    kept.mkdir()
    with sqlite3.connect(tmp_path / "records" / "ledger.sqlite") as rows:  # somebody is at work on it
        rows.execute("UPDATE deliveries SET attempts = 7")
        rows.commit()
        for _ in range(2):  # the second of a day takes the place of the first
            subprocess.run(["sh", SHOWN / "backup.sh", kept], cwd=tmp_path, check=True)
    rows.close()
    letter.parent.chmod(0o755)
    shutil.rmtree(tmp_path / "records")
    (tmp_path / "records").mkdir()
    (tmp_path / "records" / "ledger.sqlite-wal").write_text("of the other one")
    (restore,) = (block for block in blocks("sh") if "tar -C records -xpf" in block)
    day = next(kept.glob("ledger-*.sqlite")).stem.removeprefix("ledger-")
    lines = restore.replace("/backup", str(kept)).replace("2024-06-02", day)
    subprocess.run(["sh", "-ec", lines], cwd=tmp_path, check=True)
    assert standing(tmp_path) == ["unknown"]
    assert letter.is_file()
    assert oct(letter.parent.stat().st_mode)[-3:] == "555"
    letter.parent.chmod(0o755)


def test_the_page_reads_addresses_of_mail_servers_as_the_program_does(monkeypatch):
    (block,) = (block for block in blocks("sh") if block.startswith("KPI_SMTP_URL"))
    told = dict(shlex.split(line)[0].split("=", 1) for line in block.splitlines())
    server = smtp.Server.from_environment(told)
    assert (server.host, server.port, server.tls, server.user) == ("mail.example.com", 465, "implicit", "reports")
    assert sys.modules["kpi_lib.deliver.server"].ESCAPES.split("are written ")[1] in PAGE

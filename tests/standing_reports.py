"""A company's project whose report stands, small enough to be built in seconds, and the mail about it."""

import io
import json
import shutil
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from copy import deepcopy
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd
import pytest
import yaml
from mail_server import PASSWORD, USER
from post_office import PostOffice
from publish_books import notebook

from kpi_lib import assembly, cli, editions, renewal, scorecard, slices
from kpi_lib.deliver.ledger import Delivery, Ledger
from kpi_lib.issued import Archive
from kpi_lib.publish import manifest
from kpi_lib.scorecard import Scorecard

ANN, BOB, OWNER = "ann@example.com", "bob@example.com", "owner@example.com"
COMPANY = "Kestrel <script>alert(1)</script> & Co"
PARAMETERS = "\n".join(
    ['period: str = "2024-05"', *(f"{name}: str = None" for name in ("params", "scorecard", "audience", "as_of"))]
)
READ = """
import json
from pathlib import Path

rows = json.loads(Path(scorecard).with_suffix(".json").read_text())
now = next(row for row in rows if (row["kpi"], row["period"], row["cut"]) == ("nps", period, None))
said = f"{now['title']} is {now['value']:.1f}."
card = {"kpi": "nps", "title": now["title"], "value": f"{now['value']:.1f}", "unit": "points", "trend": [1, 3, 2]}
card |= {"mark": "", "change": [], "judged": "", "verdict": now["verdict"], "status": "ok", "interval": "", "note": ""}


def show(**described):
    display({"application/vnd.kpi+json": described, "text/html": "", "text/plain": ""}, raw=True)
"""
PAGE = [  # a kernel that need not import kpi_lib is there at once
    "# Executive summary\n\nHow did we do?",
    READ,
    'show(type="cards", cards=[card])',
    "## What needs attention?",
    'show(type="finding", text=said, status="ok", verdict=now["verdict"])',
    'show(type="note", text="One in twenty may be chance.")',
]
REPORT = [
    "# Executive summary",
    "from kpi_lib import Report\n\nreport = Report(period, params, scorecard, audience, as_of)",
    'report.cards(["nps"])',
    'report.findings("missed")',
    "report.data_quality()",
]
SUBJECT = "Customer KPI report May 2024"
REFUSES_BOB = {"at": "rcpt", "to": BOB, "do": "550 no such user"}
LEADERSHIP = {"name": "leadership", "to": [ANN, BOB], "owner": OWNER}
APRIL, MAY = "2024-04-30 12:00", "2024-05-31 12:00"
SCORES = {APRIL: (10, 9, 9, 0, 10, 9, 9, 0, 10, 9), MAY: (10, 10, 10, 9, 9, 9, 9, 9, 9, 9, 0, 0, *[7] * 4)}
ARABIC = {"name": "arabic", "to": [ANN], "language": "ar"}
SEGMENTS = CONSUMER, ENTERPRISE = "consumer", "enterprise <script>alert(2)</script>"
SLICE = {"name": "enterprise", "to": [BOB], "where": {"segment": ENTERPRISE}, "owner": OWNER}


@dataclass(frozen=True)
class Ran:
    """What a command came to: its exit code, and what it said where."""

    code: int
    out: str
    err: str


@dataclass
class Project:
    """A company's folder, and the rows that its tables are written from."""

    company: Any

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self.company.folder

    @property
    def report(self) -> Path:
        """The folder of May's report."""
        return self.folder / "reports" / "2024-05"

    @property
    def ledger(self) -> Path:
        """The ledger of deliveries."""
        return self.folder / "records" / "ledger.sqlite"

    def answers(self, at: str, *scores: int) -> None:
        """Add answers to the question of the Net Promoter Score, of one customer after the other."""
        for number, score in enumerate(scores):
            self.company.survey("nps", score, at, customer=f"customer-{number}")

    def write(self) -> None:
        """Write the tables as those of an invented company, which mail may say."""
        self.company.write()
        said = self.folder / "params" / "source.yaml"
        said.write_text(said.read_text() + "sample: true\n")

    def page(self, cells: list[str]) -> None:
        """Write the report's notebook."""
        notebook(self.folder / "notebooks", "executive_summary", cells, PARAMETERS)

    def audiences(self, *those: dict[str, Any], **changed: Any) -> None:
        """Say who gets the report; leadership, unless it is others."""
        told = {"sender": "Reports <kpi@example.com>", "allowed_domains": ["example.com", "elsewhere.test"]}
        told |= {"audiences": [*(those or (LEADERSHIP,))], "link": "https://reports.example.com/kpi"} | changed
        (self.folder / "params" / "audiences.yaml").write_text(yaml.safe_dump(told, sort_keys=False))

    def kpi(self, *typed: str, url: str | None = None) -> Ran:
        """Run the command as typed, of all KPIs with the Net Promoter Score alone; `url` is that of a mail server.

        The code counts as unchanged, whoever works on it while the tests run.
        """
        out, err, code = io.StringIO(), io.StringIO(), 0
        alone = scorecard.needed_for(["nps"])
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.chdir(self.folder)
            patch.setattr(sys, "argv", ["kpi", *typed])
            patch.setattr(editions, "__file__", str(self.folder / "kpi_lib" / "editions.py"))
            for module in (assembly, renewal, slices):
                patch.setattr(module, "registry", lambda: alone)
            patch.delenv("KPI_SMTP_URL", raising=False)
            if url:
                patch.setenv("KPI_SMTP_URL", url)
            try:
                cli.main()
            except SystemExit as ended:
                code = int(ended.code or 0)
        return Ran(code, out.getvalue(), err.getvalue())

    def build(self, period: str = "2024-05", *typed: str) -> None:
        """Build a report as the command does."""
        done = self.kpi("report", period, *typed)
        assert done.code == 0, done.err

    def copy(self, folder: Path) -> "Project":
        """Return the project in another folder, to be changed there."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        other = deepcopy(self.company)
        other.folder = folder
        return Project(other)

    def take_over(self, other: "Project") -> None:
        """Have the tables and the reports of another project, as if they had been made here."""
        for name in ("params", "reports"):
            shutil.rmtree(self.folder / name)
            shutil.copytree(other.folder / name, self.folder / name)


def project(company: Any) -> Project:
    """Give a company without rows an NPS of 60 in April and 50 in May, where at least 30 is the target; no report."""
    company.params(company=COMPANY, targets={"nps": {"at_least": 30}}, notebooks=[{"name": "executive_summary"}])
    for number in range(20):
        since = "2024-05-31" if number == 19 else "2020-01-01"
        company.customer(f"customer-{number}", segment=SEGMENTS[number % 2], first_seen_at=since)
    made = Project(company)
    for at, scores in SCORES.items():
        made.answers(at, *scores)
    made.write()
    made.audiences()
    (made.folder / "notebooks" / "loyalty.ipynb").unlink()
    made.page(PAGE)
    return made


@pytest.fixture(scope="session")
def standing(company_in: Any, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """May as it was built for leadership, in Arabic and of one segment."""
    made = project(company_in(tmp_path_factory.mktemp("standing")))
    made.audiences(LEADERSHIP, ARABIC, SLICE)
    made.build("2024-05", "--audience", "all")
    made.audiences()
    return made


@pytest.fixture(scope="session")
def restated(standing: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The same company when answers have come late, by which May misses its target."""
    made = standing.copy(tmp_path_factory.mktemp("late"))
    made.answers(MAY, *[0] * 8)
    made.write()
    made.build()
    return made


@pytest.fixture
def may(standing: Project, tmp_path: Path) -> Project:
    """May as it stands, to be spoiled and sent."""
    return standing.copy(tmp_path)


def url(office: PostOffice) -> str:
    """Return KPI_SMTP_URL of the mail server of the tests, with its password."""
    return f"smtp://{quote(USER, safe='')}:{quote(PASSWORD, safe='')}@127.0.0.1:{office.ports['login']}"


def send(of: Project, office: PostOffice, *typed: str, period: str = "2024-05") -> Ran:
    """Send what is to be sent."""
    return of.kpi("email", period, "--send", *typed, url=url(office))


def read(mail: dict[str, Any] | Path) -> EmailMessage:
    """Read a mail that the server took, or a file."""
    raw = mail["content"].encode("utf-8", "surrogateescape") if isinstance(mail, dict) else mail.read_bytes()
    return message_from_bytes(raw, policy=default)


def text(mail: EmailMessage) -> str:
    """Return the plain text of a mail in one line."""
    return " ".join(mail.get_body(("plain",)).get_content().split())


def html(mail: EmailMessage) -> str:
    """Return the page of a mail."""
    return mail.get_body(("html",)).get_content()


def pdfs(mail: EmailMessage) -> list[bytes]:
    """Return what is attached to a mail."""
    return [part.get_content() for part in mail.iter_attachments()]


def deliveries(of: Project) -> list[Delivery]:
    """Return what the ledger has of May for leadership."""
    with Ledger(of.ledger) as ledger:
        return [each for each in ledger.standing(COMPANY, "2024-05") if each.audience == "leadership"]


def archive(of: Project) -> Archive:
    """Return what was issued."""
    return Archive(of.folder / "records", COMPANY)


def doctored(of: Project, **changed: Any) -> None:
    """Change what the build wrote down."""
    content = manifest.read(of.report) | changed
    (of.report / "manifest.json").write_text(json.dumps(content))


def retold(page: Path, said: str, instead: str) -> None:
    """Change what a page says, as if it had been built so."""
    page.write_text(page.read_text().replace(said, instead))
    built = manifest.read(page.parent) or {}
    built["files"][page.name]["sha256"] = manifest.hashed(page)
    (page.parent / "manifest.json").write_text(json.dumps(built))


def renumbered(of: Project, change: Callable[[pd.DataFrame, dict[str, Any]], None]) -> None:
    """Change the scorecard that stands, as if it had been built so."""
    card = Scorecard.read(of.report / "scorecard.parquet")
    change(card.frame, card.about)
    card.write(of.report)
    built = manifest.read(of.report)
    built["files"]["scorecard.parquet"]["sha256"] = manifest.hashed(of.report / "scorecard.parquet")
    doctored(of, **built)

"""A company made of a few rows that can be worked out in the head, measured on the real path."""

import sys
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from ibis.backends.duckdb import Backend

from kpi_lib import cli, scorecard, source
from kpi_lib import params as parameters
from kpi_lib.contract import TABLES
from kpi_lib.period import Period

BERLIN = ZoneInfo("Europe/Berlin")
TYPES = {
    "string": pa.string(),
    "float64": pa.float64(),
    "int64": pa.int64(),
    "boolean": pa.bool_(),
    "timestamp('UTC', 6)": pa.timestamp("us", "UTC"),
    "date": pa.date32(),
}
SCALES = {"csat": (1, 5), "nps": (0, 10), "nps_tx": (0, 10), "ces": (1, 7)}


def instant(text: str | None) -> datetime | None:
    """Read an instant; without an offset it is local time in Berlin."""
    if text is None:
        return None
    read = datetime.fromisoformat(text)
    return read if read.tzinfo else read.replace(tzinfo=BERLIN)


class Company:
    """Rows of the contract, added one by one, and the numbers that the scorecard makes of them.

    Times without an offset are local in Berlin. The source has the tables that have rows or were named by `table`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.as_of = folder, "2024-09-01T00:00+02:00"
        self.rows: dict[str, list[dict[str, Any]]] = {}
        self.said: dict[str, Any] = {
            "company": "Test & Sons", "time_zone": "Europe/Berlin", "currency": "EUR", "source": "source.yaml",
            "reports": "../reports", "records": "../records", "notebooks": [{"name": "loyalty"}],
        }  # fmt: skip
        self._source: source.Source | None = None
        self._cards: dict[Any, scorecard.Scorecard] = {}
        self.lead("2022-01-01")  # the data reaches from here
        self.lead("2024-08-31")  # to here, whatever else there is

    def params(self, **sections: Any) -> None:
        """Set sections of report.yaml: `company.params(thresholds={"first_contact_days": 3})`."""
        self.said |= sections
        self._changed()

    def table(self, *names: str) -> None:
        """Have tables in the source, even without rows."""
        for name in names:
            self.rows.setdefault(name, [])
        self._changed()

    def add(self, table: str, **row: Any) -> str:
        """Add a row; its key is numbered when not given. Returns the key."""
        rows = self.rows.setdefault(table, [])
        key = TABLES[table].key[0]
        rows.append({key: f"{table}-{len(rows) + 1:04d}"} | row)
        self._changed()
        return str(rows[-1][key])

    def ticket(
        self,
        created: str,
        replied: str | None = None,
        resolved: str | None = None,
        closed: str | None = None,
        reopened: str | None = None,
        *,
        customer: str | None = None,
        **columns: Any,
    ) -> str:
        """Add a ticket and the events that its times say; returns its id."""
        ticket = self.add("tickets", created_at=created, customer_id=customer, **columns)
        self.event(ticket, created, "created", actor=columns.get("initiated_by", "customer"))
        if replied:
            self.event(ticket, replied, "public_reply", agent_id="anna")
        for at, status in ((resolved, "resolved"), (reopened, "open"), (closed, "closed")):
            if at:
                self.event(ticket, at, "status", to_value=status)
        return ticket

    def tickets(self, count: int, **columns: Any) -> None:
        """Add several equal tickets."""
        for _ in range(count):
            self.ticket(**columns)

    def event(self, ticket: str, at: str, kind: str, actor: str = "agent", **columns: Any) -> str:
        """Add an event of a ticket."""
        return self.add("ticket_events", ticket_id=ticket, at=at, kind=kind, actor=actor, **columns)

    def call(self, offered: str = "2024-05-06 10:00", queue: int = 0, outcome: str = "answered", **columns: Any) -> str:
        """Add an inbound phone call; seconds of `talk`, `hold` and `wrap` when it was answered."""
        answered = {"agent_id": "anna", "talk_seconds": 60} if outcome == "answered" else {}
        seconds = {f"{name}_seconds": columns.pop(name) for name in ("talk", "hold", "wrap") if name in columns}
        plain = {"channel": "phone", "queue": "sales", "offered_at": offered, "queue_seconds": queue}
        return self.add("calls", outcome=outcome, **(plain | answered | seconds | columns))

    def calls(self, count: int, **columns: Any) -> None:
        """Add several equal calls."""
        for _ in range(count):
            self.call(**columns)

    def survey(
        self,
        kind: str = "csat",
        score: float | None = None,
        answered: str | None = "2024-05-10 12:00",
        *,
        customer: str | None = None,
        ticket: str | None = None,
        scale: tuple[float, float] | None = None,
        **columns: Any,
    ) -> str:
        """Add an invitation with its answer."""
        low, high = scale or SCALES[kind]
        plain = {"channel": "email", "scale_min": low, "scale_max": high, "sent_at": answered and answered[:10]}
        about = {"customer_id": customer, "ticket_id": ticket, "score": score, "answered_at": answered}
        return self.add("surveys", kind=kind, **(plain | about | columns))

    def review(
        self,
        ticket: str,
        *scores: float | None,
        agent: str = "anna",
        reviewed: str = "2024-05-10 12:00",
        critical: float | None = None,
        weights: tuple[float, ...] = (),
        **columns: Any,
    ) -> str:
        """Add a review of a ticket: a row for each score from 0 to 100, and one of a critical category if given."""
        review = f"review-{len(self.rows.get('qa_reviews', [])) + 1:04d}"
        plain = {"agent_id": agent, "reviewer_id": "rita", "reviewed_at": reviewed, "scale_min": 0, "scale_max": 100}
        rated = [(score, False) for score in scores] + ([] if critical is None else [(critical, True)])
        for number, (score, is_critical) in enumerate(rated):
            weight = weights[number] if weights else 1
            said = {"category": f"category {number}", "score": score, "weight": weight, "is_critical": is_critical}
            self.add("qa_reviews", review_id=review, ticket_id=ticket, **(plain | said | columns))
        return review

    def engagement(self, customer: str, *instants: str, kind: str = "site_visit") -> None:
        """Add what a customer did at some instants."""
        for at in instants:
            self.add("engagement_events", customer_id=customer, at=at, kind=kind)

    def customer(self, customer: str, **columns: Any) -> str:
        """Add a customer; those whom other rows name are added on their own once there is one."""
        return self.add("customers", **({"customer_id": customer, "first_seen_at": "2020-01-01"} | columns))

    def subscription(
        self, customer: str, started: str = "2023-01-01", ended: str | None = None, mrr: float = 10, **columns: Any
    ) -> str:
        """Add a customer's subscription."""
        plain = {"plan": "basic", "currency": "EUR", "end_reason": "voluntary" if ended else None}
        about = {"customer_id": customer, "started_at": started, "ended_at": ended, "mrr": mrr}
        return self.add("subscriptions", **(plain | about | columns))

    def transaction(self, customer: str, amount: float, at: str = "2024-05-10", **columns: Any) -> str:
        """Add a purchase, or a refund when the amount is negative."""
        plain = {"currency": "EUR", "kind": "purchase" if amount >= 0 else "refund", "occurred_at": at}
        return self.add("transactions", customer_id=customer, amount=amount, **(plain | columns))

    def cost(
        self,
        amount: float,
        center: str = "support",
        first: str = "2024-05-01",
        last: str = "2024-05-31",
        **columns: Any,
    ) -> str:
        """Add a cost for the days from `first` to `last`."""
        plain = {"category": "salary", "currency": "EUR", "period_start": first, "period_end": last}
        return self.add("costs", center=center, amount=amount, **(plain | columns))

    def lead(self, created: str, **columns: Any) -> str:
        """Add a lead."""
        return self.add("leads", created_at=created, **({"channel": "search"} | columns))

    def shift(self, agent: str, start: str, end: str, **columns: Any) -> str:
        """Add a stretch of an agent's day."""
        plain = {"team": "care", "tier": 1, "activity": "available"}
        return self.add("agent_shifts", agent_id=agent, start_at=start, end_at=end, **(plain | columns))

    def card(
        self, *addresses: str, period: str = "2024-05", cuts: bool = False, as_of: str | None = None
    ) -> scorecard.Scorecard:
        """Measure the KPIs with these addresses, once."""
        key = (addresses, period, cuts, as_of)
        if key not in self._cards:
            if self._source is None or as_of:
                self._source = source.open(self.loaded(), as_of=as_of)
            kpis = scorecard.needed_for(list(addresses))
            self._cards[key] = scorecard.measure(self._source, self.loaded(), Period.parse(period), kpis, cuts=cuts)
            self._source = None if as_of else self._source
        return self._cards[key]

    def row(
        self, address: str, period: str = "2024-05", cut: str | None = None, member: str | None = None, **how: Any
    ) -> dict[str, Any]:
        """Return a row of the scorecard."""
        reported = how.pop("reported", period)
        card = next(
            (
                card
                for (_, of, cuts, as_of), card in self._cards.items()
                if of == reported and as_of == how.get("as_of") and (cuts or not cut) and address in card.about["kpis"]
            ),
            None,
        )
        card = card or self.card(address, period=reported, cuts=bool(cut), **how)
        found = [
            row
            for row in scorecard.records(card.frame)
            if (row["kpi"], row["period"], row["cut"], row["member"]) == (address, period, cut, member)
        ]
        assert len(found) == 1, f"{len(found)} rows of {address} in {period} by {cut}: {member}"
        return found[0]

    def value(
        self, address: str, period: str = "2024-05", cut: str | None = None, member: str | None = None, **how: Any
    ) -> Any:
        """Return a value of the scorecard."""
        return self.row(address, period, cut, member, **how)["value"]

    def status(
        self, address: str, period: str = "2024-05", cut: str | None = None, member: str | None = None, **how: Any
    ) -> str:
        """Return a status of the scorecard."""
        return str(self.row(address, period, cut, member, **how)["status"])

    def members(self, address: str, cut: str, period: str = "2024-05") -> dict[str, Any]:
        """Return the values of a cut's members."""
        frame = self.card(address, period=period, cuts=True).frame
        rows = frame[(frame["kpi"] == address) & (frame["period"] == period) & (frame["cut"] == cut)]
        return dict(zip(rows["member"], rows["value"], strict=True))

    def loaded(self) -> parameters.Params:
        """Write rows and configuration to files and return the params."""
        return parameters.load(self.write())

    def write(self) -> Path:
        """Write rows and configuration to files; returns the path of report.yaml."""
        home = self.folder / "params"
        if not home.exists():
            home.mkdir()
            (self.folder / "notebooks").mkdir()
            (self.folder / "notebooks" / "loyalty.ipynb").touch()
        (home / "report.yaml").write_text(yaml.safe_dump(self.said, sort_keys=False))
        if self._source is None:
            self._complete_customers()
            for name, rows in self.rows.items():
                pq.write_table(_table(name, rows), home / f"{name}.parquet")
            tables = {name: f"{name}.parquet" for name in self.rows}
            (home / "source.yaml").write_text(yaml.safe_dump({"as_of": self.as_of, "tables": tables}))
        return home / "report.yaml"

    def _complete_customers(self) -> None:
        if "customers" in self.rows:
            there = {row["customer_id"] for row in self.rows["customers"]}
            named = {row.get("customer_id") or "" for rows in self.rows.values() for row in rows}
            for customer in sorted(named - there - {""}):
                self.rows["customers"].append({"customer_id": customer, "first_seen_at": "2020-01-01"})

    def _changed(self) -> None:
        self._source, self._cards = None, {}


def _table(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    said = {key for row in rows for key in row}
    unknown = said - {column.name for column in TABLES[name].columns}
    assert not unknown, f"{name} has no {unknown}"
    written = [column for column in TABLES[name].columns if column.need == "required" or column.name in said]
    columns = {column.name: column.type for column in written}
    schema = pa.schema([(column, TYPES[kind]) for column, kind in columns.items()])
    read = {"timestamp('UTC', 6)": instant, "date": lambda text: text and date.fromisoformat(text)}
    arrays = [
        [read.get(kind, lambda value: value)(row.get(column)) for row in rows] for column, kind in columns.items()
    ]
    return pa.table([pa.array(array, field.type) for array, field in zip(arrays, schema, strict=True)], schema=schema)


@pytest.fixture
def company(tmp_path: Path) -> Company:
    """A company without rows."""
    return Company(tmp_path)


@pytest.fixture(scope="session")
def company_in() -> Callable[[Path], Company]:
    """Makes a company without rows in a folder, for what a whole module of tests shares."""
    return Company


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[pd.DataFrame]:
    """Everything that is fetched from the engine from here on."""
    found: list[pd.DataFrame] = []
    execute: Callable[..., pd.DataFrame] = Backend.execute

    def noted(self: Backend, *args: object, **kwargs: object) -> pd.DataFrame:
        found.append(execute(self, *args, **kwargs))
        return found[-1]

    monkeypatch.setattr(Backend, "execute", noted)
    return found


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the tables that the engine computes from here on."""
    found: list[str] = []
    create: Callable[..., object] = Backend.create_table

    def noted(self: Backend, name: str, *args: object, **kwargs: object) -> object:
        found.append(name)
        return create(self, name, *args, **kwargs)

    monkeypatch.setattr(Backend, "create_table", noted)
    return found


@pytest.fixture
def kpi(capsys, monkeypatch):
    """Runs the command as typed; returns exit code, output and what it said on stderr."""

    def run(*typed):
        monkeypatch.setattr(sys, "argv", ["kpi", *typed])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return ended.value.code or 0, said.out, said.err

    return run

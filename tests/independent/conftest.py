"""One scorecard of the sample company for all tests here, and the rows that it was measured from."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from known import Known

from kpi_lib import params, sample, scorecard, source
from kpi_lib.period import Period

Build = Callable[..., scorecard.Scorecard]
Row = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The company's files as the second extract brings them: with rows that were loaded after the first."""
    folder = tmp_path_factory.mktemp("independent") / "sample"
    sample.write(folder, extract="2024-07-09")
    return folder


@pytest.fixture(scope="session")
def known(extract: Path) -> Known:
    """The rows that the first extract knew."""
    return Known(extract)


@pytest.fixture(scope="session")
def build(extract: Path) -> Build:
    """Measure the company: all of it with every cut, or the totals of the KPIs that are named."""
    home = extract.parent
    tables = {file.stem: str(file) for file in sorted(extract.glob("*.parquet"))}
    (home / "source.yaml").write_text(yaml.safe_dump({"as_of": "2024-07-02T06:00+02:00", "tables": tables}))
    given = {
        "company": "Kestrel Outfitters",
        "time_zone": "Europe/Berlin",
        "currency": "EUR",
        "source": "source.yaml",
        "reports": "reports",
        "records": "records",
        "notebooks": [{"name": "loyalty"}],
        "hours": {"days": ["mon", "tue", "wed", "thu", "fri"], "open": "09:00", "close": "18:00", "holidays": "DE"},
        "customer_value": {"model": "subscription", "horizon_months": 36, "annual_discount": 0.12},
    }
    (home / "report.yaml").write_text(yaml.safe_dump(given))
    (home / "notebooks").mkdir()
    (home / "notebooks" / "loyalty.ipynb").touch()

    def measured(month: str, *addresses: str, as_of: str | None = None) -> scorecard.Scorecard:
        loaded = params.load(home / "report.yaml")
        kpis = scorecard.needed_for(list(addresses) or None)
        opened, period = source.open(loaded, as_of=as_of), Period.parse(month)
        return scorecard.measure(opened, loaded, period, kpis, cuts=not addresses)

    return measured


@pytest.fixture(scope="session")
def card(build: Build) -> scorecard.Scorecard:
    """The scorecard of May 2024 and the twelve months before it, with every cut."""
    return build("2024-05")


@pytest.fixture(scope="session")
def row(card: scorecard.Scorecard) -> Row:
    """Look up a row of the scorecard: `row("csat", "2024-04", channel="chat")`."""
    frame = card.frame[card.frame["audience"].isna()].set_index(["kpi", "period"]).sort_index()

    def found(address: str, period: str, **cut: str) -> dict[str, Any]:
        rows = frame.loc[[(address, period)]]
        name, member = next(iter(cut.items()), (None, None))
        rows = rows[rows["cut"].isna()] if name is None else rows[(rows["cut"] == name) & (rows["member"] == member)]
        assert len(rows) == 1, f"{len(rows)} rows of {address} in {period} for {cut}"
        return rows.iloc[0].to_dict()

    return found


@pytest.fixture(scope="session")
def june(build: Build) -> dict[str, dict[str, Any]]:
    """Totals of June 2024, a month whose horizons the first extract has not reached."""
    addresses = ("first_contact_resolution", "first_response_time", "resolution_rate", "resolution_time")
    frame = build("2024-06", *addresses, "escalation_rate").frame
    return frame[frame["period"] == "2024-06"].set_index("kpi").to_dict("index")

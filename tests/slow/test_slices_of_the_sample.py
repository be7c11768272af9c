"""Every number of the sample company's segments: measured as slices, it is the row of the whole company."""

import pandas as pd
import pytest
import yaml

from kpi_lib import params, sample, scorecard, slices, source
from kpi_lib.audiences import Audience
from kpi_lib.kpis import registry
from kpi_lib.period import Period

pytestmark = pytest.mark.slow
NUMBERS = ["value", "numerator", "denominator", "n", "low", "high", "previous", "year_ago"]
SEGMENTS = ["consumer", "enterprise", "small_business"]


def test_slices_agree_with_the_whole(company, tmp_path):
    sample.write(tmp_path / "sample")
    company.params(thresholds={"minimum_cell": 1})
    loaded = company.loaded()
    tables = {file.stem: str(file) for file in sorted((tmp_path / "sample").glob("*.parquet"))}
    loaded.source.write_text(yaml.safe_dump({"as_of": "2024-07-02T06:00+02:00", "tables": tables}))
    loaded = params.load(loaded.path)
    opened, period = source.open(loaded), Period.parse("2024-05")
    whole = scorecard.measure(opened, loaded, period, registry()).frame
    those = [Audience(name=name, to=("a@example.com",), where={"segment": name}) for name in SEGMENTS]
    cards = dict(slices.sliced(opened, loaded, period, those))
    assert sorted(cards) == SEGMENTS
    for member, card in cards.items():
        rows = whole[(whole["cut"] == "segment") & (whole["member"] == member)].set_index(["kpi", "period"])
        totals = card.frame[card.frame["cut"].isna()].set_index(["kpi", "period"]).loc[rows.index]
        assert rows.index.get_level_values("kpi").nunique() > 50
        pd.testing.assert_frame_equal(totals[NUMBERS], rows[NUMBERS], rtol=1e-9, atol=1e-12)
        assert totals["status"].equals(rows["status"])

"""How often a company in which nothing happens is told that something did: 200 months of 40 made-up numbers.

Every month is judged on a scorecard of its own 13 periods, as reports do it.
"""

import numpy as np
import pandas as pd
import pytest
import yaml

from kpi_lib import params, sample, scorecard, signals, source
from kpi_lib.period import Period

pytestmark = pytest.mark.slow
MONTHS, NUMBERS = 200, 40
FIXED = {
    "audience": None, "cut": None, "headline": True, "status": "ok", "provisional": False, "method": "census",
    "anchor": "what happened in the period",
}  # fmt: skip


def rows(kpi, periods, value, *, unit="score", part=np.nan, of=np.nan):
    known = {"kpi": kpi, "period": periods, "value": value, "unit": unit, "numerator": part, "denominator": of}
    return pd.DataFrame({**FIXED, **known})


def number(place, periods, random):
    """One number of a quiet company: means, sums of money, shares of many and of few, a count of what happened."""
    count, kpi = len(periods), f"number_{place}"
    kind = place % 5
    if kind == 0:
        return rows(kpi, periods, random.normal(80, 4, count))
    if kind == 1:
        return rows(kpi, periods, random.gamma(40, 5, count))
    if kind == 2:
        days = np.array([Period.parse(period).last_day.day for period in periods])
        happened = random.poisson(random.gamma(400, 0.01, count) * days * 10)
        return rows(kpi, periods, happened.astype(float), unit="count", part=happened)
    of = random.integers(3000, 9000, count) if kind == 3 else random.integers(150, 600, count)
    chance = random.beta(900, 9100, count) if kind == 3 else np.full(count, 0.3)
    part = random.binomial(of, chance)
    return rows(kpi, periods, 100 * part / of, unit="percent", part=part, of=of)


@pytest.fixture(scope="module")
def months():
    """The signals of 200 months of a company without stories; each month has histories of its own."""
    random = np.random.default_rng(20240501)
    periods = [str(period) for period in Period.parse("2024-05").trailing(13)]
    return [
        signals.of_scorecard(pd.concat([number(place, periods, random) for place in range(NUMBERS)]), periods[-1])
        for _ in range(MONTHS)
    ]


def test_a_month_in_which_nothing_happened_raises_a_signal_at_most_once_in_twenty(months):
    assert all(len(month.judged) == NUMBERS for month in months)
    alarmed = sum(bool(month.standing_out) for month in months)
    assert alarmed <= 0.05 * MONTHS


def test_one_number_in_fifty_is_beyond_its_limits_by_chance(months):
    rules = [found.rule for month in months for found in month.judgements.values()]
    beyond, pattern = rules.count(signals.BEYOND), rules.count(signals.RUN) + rules.count(signals.NEAR)
    assert 0.01 <= beyond / len(rules) <= 0.025
    assert pattern / len(rules) <= 0.01


def test_chances_are_not_smaller_than_they_say(months):
    chances = np.array([found.chance for month in months for found in month.judgements.values()])
    for level in (0.05, 0.01, 0.001):
        assert (chances <= level).mean() <= level


def test_what_did_happen_is_told_and_few_of_the_signals_are_chance():
    """Five of forty numbers jump by eight standard deviations in the last month."""
    random = np.random.default_rng(7)
    periods = [str(period) for period in Period.parse("2024-05").trailing(13)]
    true, false = 0, 0
    for _ in range(50):
        quiet = [number(place, periods, random) for place in range(5, NUMBERS)]
        loud = [random.normal(80, 4, 13) + 32 * (np.arange(13) == 12) for _ in range(5)]
        frame = pd.concat([*quiet, *(rows(f"loud_{place}", periods, values) for place, values in enumerate(loud))])
        out = signals.of_scorecard(frame, periods[-1]).standing_out
        found = sum(kpi.startswith("loud") for kpi in out)
        true, false = true + found, false + len(out) - found
    assert true >= 0.7 * 50 * 5
    assert false / (true + false) <= 0.05


def test_the_sample_company_without_its_stories_raises_no_signal(tmp_path):
    """Its real calendar, seasons and growth: numbers that are no coin tosses, and that hang together."""
    sample.write(tmp_path / "sample", stories=False)
    tables = {file.stem: str(file) for file in (tmp_path / "sample").glob("*.parquet")}
    (tmp_path / "source.yaml").write_text(yaml.safe_dump({"as_of": "2024-07-02T06:00+02:00", "tables": tables}))
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "report.yaml").write_text(
        "{company: Quiet, time_zone: Europe/Berlin, currency: EUR, source: source.yaml, reports: reports, "
        "records: records, notebooks: [{name: loyalty}], customer_value: {model: subscription}}"
    )
    read, period = params.load(tmp_path / "report.yaml"), Period.parse("2024-05")
    needed = scorecard.needed_for(None)
    frame = scorecard.measure(source.open(read), read, period, needed, cuts=False).frame
    for month in (str(each) for each in period.trailing(5)):
        found = signals.of_scorecard(frame, month)
        assert len(found.judged) > 30
        assert found.standing_out == ()

"""How often customers order again and what an order is worth: known figures, simulated customers, slow formulas."""

import math
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.special import beta

from kpi_lib.lifetime import DAYS_PER_MONTH
from kpi_lib.purchasing import fit_orders, fit_spend, lifetime_value, mean_order, orders_of_new, orders_to_come

CDNOW = Path("cdnow/CDNOW_sample.txt")
NO_CDNOW = not (Path(os.environ.get("KPI_EXAMPLES", "-")) / CDNOW).is_file()
PUBLISHED = np.array([0.243, 4.414, 0.793, 2.426])


def ones(values) -> np.ndarray:
    return np.ones(len(values))


@pytest.fixture(scope="module")
def cdnow() -> pd.DataFrame:
    """A customer's orders up to September 1997: `frequency`, `recency` and `age` in weeks, `mean` of repeat orders."""
    if NO_CDNOW:
        pytest.skip(f"KPI_EXAMPLES names no folder with {CDNOW}")
    names = ["master", "customer", "date", "discs", "amount"]
    rows = pd.read_csv(Path(os.environ["KPI_EXAMPLES"]) / CDNOW, sep=r"\s+", names=names, dtype=str)
    rows["date"] = pd.to_datetime(rows["date"])
    rows["amount"] = rows["amount"].astype(float)
    end = pd.Timestamp("1997-09-30")
    days = rows[rows["date"] <= end].groupby(["customer", "date"], as_index=False)["amount"].sum()
    first = days.groupby("customer")["date"].transform("min")
    known = days.groupby("customer")["date"].agg(["min", "max", "count"])
    return pd.DataFrame(
        {
            "frequency": known["count"] - 1,
            "recency": (known["max"] - known["min"]).dt.days / 7,
            "age": (end - known["min"]).dt.days / 7,
            "mean": days[days["date"] > first].groupby("customer")["amount"].mean(),
        }
    )


def test_the_published_figures_of_the_cdnow_sample(cdnow):
    fit = fit_orders(cdnow["frequency"], cdnow["recency"], cdnow["age"], ones(cdnow))
    spenders = cdnow[cdnow["mean"] > 0]
    spend = fit_spend(spenders["frequency"], spenders["mean"], np.log(spenders["mean"]), ones(spenders))
    assert fit.parameters == pytest.approx(PUBLISHED, abs=5e-4)
    assert fit.log_likelihood == pytest.approx(-9582.4, abs=0.05)
    assert orders_to_come(fit.parameters, [2], [30.43], [38.86], 39) == pytest.approx([1.226], abs=5e-4)
    assert len(spenders) == 946
    assert spend.parameters == pytest.approx([6.25, 3.74, 15.44], abs=5e-3)


def test_coarser_groups_hardly_change_the_parameters(cdnow):
    exact = fit_orders(cdnow["frequency"], cdnow["recency"], cdnow["age"], ones(cdnow)).parameters
    weeks = [np.floor(cdnow[name]) + 3 / 7 for name in ("recency", "age")]
    groups = pd.DataFrame({"x": cdnow["frequency"], "t": weeks[0], "T": weeks[1]}).groupby(["x", "t", "T"])
    grouped = groups.size().reset_index(name="customers")
    assert len(grouped) < len(cdnow) / 2
    coarse = fit_orders(grouped["x"], grouped["t"], grouped["T"], grouped["customers"]).parameters
    assert coarse == pytest.approx(exact, rel=0.04)


def direct(x: float, recency: float, age: float, parameters) -> float:
    """The likelihood of one history: over rates by the gamma integral, over chances to leave by quadrature."""
    r, alpha, a, b = parameters
    rates = math.exp(math.lgamma(r + x) - math.lgamma(r) + r * math.log(alpha))

    def given(chance: float) -> float:
        stayed = (1 - chance) ** x * (alpha + age) ** -(r + x)
        left = chance * (1 - chance) ** (x - 1) * (alpha + recency) ** -(r + x) if x else 0.0
        return rates * (stayed + left) * chance ** (a - 1) * (1 - chance) ** (b - 1) / beta(a, b)

    return quad(given, 0, 1, epsabs=0)[0]


def gamma_density(value: float, shape: float, rate: float) -> float:
    return math.exp(shape * math.log(rate) + (shape - 1) * math.log(value) - rate * value - math.lgamma(shape))


def shop(seed: int, customers: int, days: int = 720, a: float = 0.8, b: float = 2.5) -> pd.DataFrame:
    """Customers simulated as the models say: rates gamma(0.9, 60 days), mean orders gamma-gamma(6, 4, 60)."""
    generator = np.random.default_rng(seed)
    rate, chance = generator.gamma(0.9, 1 / 60, customers), generator.beta(a, b, customers)
    age = generator.integers(30, days, customers).astype(float)
    frequency, recency, at, there = (
        np.zeros(customers),
        np.zeros(customers),
        np.zeros(customers),
        np.ones(customers) > 0,
    )
    while there.any():
        at = at + generator.exponential(1 / rate)
        there &= at <= age
        frequency, recency = frequency + there, np.where(there, at, recency)
        there &= generator.random(customers) > chance
    scale = generator.gamma(4, 1 / 60, customers)
    mean = generator.gamma(6 * np.maximum(frequency, 1)) / (scale * np.maximum(frequency, 1))
    first = generator.gamma(6, 1 / scale)
    return pd.DataFrame({"frequency": frequency, "recency": recency, "age": age, "mean": mean, "first": first})


def summary(them: pd.DataFrame) -> pd.DataFrame:
    """The small frame that the fact makes of these customers."""
    now = them[["frequency", "recency", "age"]].assign(
        kind="orders", customers=1, amount=them["first"], other=them["first"] ** 2
    )
    again = them[them["frequency"] > 0]
    spend = again[["frequency"]].assign(
        kind="spend", recency=0.0, age=0.0, customers=1, amount=again["mean"], other=np.log(again["mean"])
    )
    return pd.concat([now, spend], ignore_index=True)


def test_the_likelihood_is_that_of_the_mixture_written_out():
    them = shop(9, 300)
    fit = fit_orders(them["frequency"], them["recency"], them["age"], ones(them))
    slow = [math.log(direct(*row, fit.parameters)) for row in them[["frequency", "recency", "age"]].to_numpy()]
    assert fit.log_likelihood == pytest.approx(sum(slow), rel=1e-6)


def test_the_likelihood_of_spend_is_that_of_the_mixture_written_out():
    them = shop(10, 150)
    again = them[them["frequency"] > 0]
    fit = fit_spend(again["frequency"], again["mean"], np.log(again["mean"]), ones(again))
    p, q, v = fit.parameters

    def density(orders: float, average: float) -> float:
        def given(scale: float) -> float:
            return gamma_density(average, p * orders, scale * orders) * gamma_density(scale, q, v)

        return quad(given, 1e-12, 10 * q / v, points=[p / average, q / v])[0]

    slow = [math.log(density(*row)) for row in again[["frequency", "mean"]].to_numpy()]
    assert fit.log_likelihood == pytest.approx(sum(slow), rel=1e-6)


def test_the_parameters_of_simulated_customers_are_found_again():
    them = shop(1, 20_000)
    fit = fit_orders(them["frequency"], them["recency"], them["age"], ones(them))
    error = np.sqrt(np.diag(fit.covariance))
    assert np.all(np.abs(np.log(fit.parameters / [0.9, 60, 0.8, 2.5])) < 3 * error)
    assert error.max() < 0.15
    again = them[them["frequency"] > 0]
    spend = fit_spend(again["frequency"], again["mean"], np.log(again["mean"]), ones(again))
    assert np.all(np.abs(np.log(spend.parameters / [6, 4, 60])) < 3 * np.sqrt(np.diag(spend.covariance)))
    assert mean_order(spend.parameters) == pytest.approx(120, rel=0.03)  # 6 x 60 / (4 - 1)


@pytest.mark.parametrize("a", [0.7, 1.0, 1.4])
@pytest.mark.parametrize("b", [0.3, 2.5])
def test_orders_of_a_new_customer_are_the_mean_over_rates_and_chances(a, b):
    def given(chance: float) -> float:
        """Orders within 50 of a customer who leaves with this chance, mean over rates: (1 - E exp(-rate p t)) / p."""
        return (
            (1 - (10 / (10 + chance * 50)) ** 0.5) / chance * chance ** (a - 1) * (1 - chance) ** (b - 1) / beta(a, b)
        )

    expected = quad(given, 0, 1)[0]
    assert orders_of_new(np.array([0.5, 10, a, b]), 50) == pytest.approx(expected, rel=1e-4)


def test_orders_to_come_start_where_those_of_a_new_customer_do():
    parameters = np.array([0.5, 10, 0.8, 2.5])
    assert orders_to_come(parameters, [0], [0], [0], 50)[0] == pytest.approx(float(orders_of_new(parameters, 50)))
    lately, long_ago = orders_to_come(parameters, [40, 40], [100, 20], [100, 100], 50)
    assert lately > 10 > 0.01 > long_ago


def test_a_customer_with_hundreds_of_orders_overflows_nothing():
    come = orders_to_come(PUBLISHED, [500, 500], [300, 1], [300, 300], 39)
    assert come[0] == pytest.approx(500 / 300 * 39, rel=0.15)
    assert come[1] == pytest.approx(0, abs=1e-9)


def test_the_value_of_a_new_customer_is_its_first_order_and_those_to_expect():
    them = shop(2, 4000)
    frame = summary(them)
    value = lifetime_value(frame, 12, 0.0)
    fit = fit_orders(them["frequency"], them["recency"], them["age"], ones(them))
    again = them[them["frequency"] > 0]
    spend = fit_spend(again["frequency"], again["mean"], np.log(again["mean"]), ones(again))
    repeat = orders_of_new(fit.parameters, 12 * DAYS_PER_MONTH) * mean_order(spend.parameters)
    assert value.value == pytest.approx(them["first"].mean() + float(repeat))
    assert value.curve[-1] == pytest.approx(value.value)
    assert len(value.curve) == 12
    assert value.n == 4000
    halved = lifetime_value(frame, 12, 1.0)
    assert them["first"].mean() + float(repeat) / 2 < halved.value < value.value
    assert value.method == "BG/NBD and Gamma-Gamma"


def test_intervals_hold_the_true_value_about_as_often_as_they_say():
    repeat = orders_of_new(np.array([0.9, 60, 0.8, 2.5]), 24 * DAYS_PER_MONTH)
    truth = 120 * (1 + float(repeat))
    held = 0
    for seed in range(60):
        low, high = lifetime_value(summary(shop(100 + seed, 1500)), 24, 0.0).limits()
        held += low < truth < high
    assert held >= 53  # of 60; 57 are to be expected


def test_too_few_who_order_again_say_nothing():
    them = shop(3, 500)
    few = them[(them["frequency"] == 0) | (them["frequency"].gt(0).cumsum() <= 99)]
    value = lifetime_value(summary(few), 12, 0.0)
    assert (math.isnan(value.value), value.missing) == (True, "not_estimable")
    assert value.method == "only 99 customers ordered again; 100 are needed"


def test_customers_of_whom_nobody_leaves_have_a_value():
    them = shop(4, 2000, a=1e-9, b=1.0)
    value = lifetime_value(summary(them), 12, 0.0).value
    assert value == pytest.approx(120 * (1 + 0.9 / 60 * 12 * DAYS_PER_MONTH), rel=0.1)


def test_orders_as_regular_as_a_clock_say_nothing():
    age = np.arange(1000.0)
    frequency = age // 60
    them = pd.DataFrame({"frequency": frequency, "recency": 60 * frequency, "age": age, "mean": 9.0, "first": 9.0})
    value = lifetime_value(summary(them), 12, 0.0)
    assert value.missing == "not_estimable"
    assert "do not determine how often" in value.method


def test_values_without_a_mean_say_nothing():
    them = shop(5, 3000)
    them["mean"] = 100 * np.random.default_rng(6).pareto(0.5, len(them)) + 1  # so heavy a tail has no mean
    value = lifetime_value(summary(them), 12, 0.0)
    assert (value.missing, value.method) == ("not_estimable", "Gamma-Gamma: these orders do not determine a mean value")


def test_the_method_says_when_value_goes_with_frequency():
    them = shop(7, 3000)
    them["mean"] = them["mean"] * (1 + them["frequency"])
    assert "order value goes with frequency, r = 0." in lifetime_value(summary(them), 12, 0.0).method


def test_the_method_says_what_the_model_expected_of_the_last_six_months():
    them = shop(8, 3000)
    held = them[["frequency", "recency", "age"]].assign(kind="holdout", customers=1, amount=0.5, other=0.0)
    fit = fit_orders(them["frequency"], them["recency"], them["age"], ones(them))
    known = (them[name] for name in ("frequency", "recency", "age"))
    expected = orders_to_come(fit.parameters, *known, 6 * DAYS_PER_MONTH).sum()
    method = lifetime_value(pd.concat([summary(them), held]), 12, 0.0).method
    assert method == f"BG/NBD and Gamma-Gamma; holdout of 6 months: {expected:,.0f} orders expected, 1,500 came"


def test_the_method_says_when_there_was_too_little_to_hold_out():
    them = shop(8, 3000)
    held = them[["frequency", "recency", "age"]].iloc[:50].assign(kind="holdout", customers=1, amount=0.5, other=0.0)
    method = lifetime_value(pd.concat([summary(them), held]), 12, 0.0).method
    assert method == "BG/NBD and Gamma-Gamma; no holdout: six months before there was too little to fit"

"""Customer value: what a customer is worth, what it costs to serve and to win."""

from typing import Any

from kpi_lib.estimate import Count, Estimator, Mean, Ratio, Total
from kpi_lib.kpi import kpi
from kpi_lib.lifetime import discounted_months, first_month_reaching, mean_of

LIFETIME = ("customer_value.horizon_months", "customer_value.annual_discount")
CUTS = ("segment", "plan")


@kpi(
    companion="clv.subscription",
    fact="customer_histories",
    model=True,
    unit="currency",
    better="higher",
    cuts=CUTS,
    params=LIFETIME,
    title="Lifetime value of a subscription",
)
def clv_subscription(histories: Any, *, horizon_months: int, annual_discount: float) -> Any:
    """The revenue to expect from a new subscriber over the horizon, discounted to today.

    Formula: monthly revenue per active customer x the sum over months t of S(t) / (1 + discount)^(t/12), t from 0 to
    the horizon less 1; S is the Kaplan-Meier survival of all customers' tenures, and beyond the longest one the overall
    rate of leaving goes on.
    """
    active = histories["active_at_end"].sum()
    revenue = mean_of(histories["revenue"].sum(), histories["revenue_squares"].sum(), active, "monthly revenue")
    return revenue * discounted_months(histories, horizon_months, annual_discount)


@kpi(
    companion="clv.realised",
    fact="customer_purchases",
    unit="currency",
    better="higher",
    cuts=("segment", "acquisition_channel"),
    title="Value realised so far",
)
def clv_realised(customer: Any) -> Estimator:
    """What a customer who ever bought has paid so far, on average, less what it got back; no model."""
    return Mean(customer.value)


@kpi(
    of=("clv.subscription", "clv.realised"),
    unit="currency",
    better="higher",
    choose="customer_value.model",
    cuts=("segment",),
    title="Customer lifetime value (CLV)",
)
def clv(subscription: Any, realised: Any, *, model: str) -> Any:
    """The revenue to expect from a customer over the relationship, by the model that the company has chosen.

    Formula: `clv.subscription` or `clv.realised`, as params say.
    Source: S1 A9, S4 V1.
    Differs from: revenue / churn rate, which assumes that customers never change and looks forever ahead.
    """
    return {"subscription": subscription, "realised": realised}[model]


@kpi(fact=("customer_histories", "cost_days"), model=True, unit="currency", better="lower", params=LIFETIME)
def customer_lifetime_cost(histories: Any, costs: Any, *, horizon_months: int, annual_discount: float) -> Any:
    """The cost to support and serve a customer over the same lifetime as its value, discounted to today.

    Formula: cost of support and service per active customer and month x the same discounted months as the value.
    Source: S4 V2.
    """
    active = (histories["active_at_start"].sum() + histories["active_at_end"].sum()) / 2
    spent = costs.loc[costs["center"].isin(["support", "serve"]), "amount"].sum()
    monthly = mean_of(spent / histories.attrs["months"], 0.0, active, "monthly cost")
    return monthly * discounted_months(histories, horizon_months, annual_discount)


@kpi(of=("clv", "customer_lifetime_cost"), unit="currency", better="higher")
def customer_lifetime_profit(value: Any, cost: Any) -> Any:
    """What a customer leaves over a lifetime: its value less the cost to support and serve it.

    Formula: clv - customer_lifetime_cost, on the same customers, horizon and discount.
    Source: S4 V3.
    """
    return value - cost


@kpi(
    companion="customer_lifetime_profit.after_acquisition",
    of=("customer_lifetime_profit", "cac"),
    unit="currency",
    better="higher",
    title="Lifetime profit after acquisition",
)
def profit_after_acquisition(profit: Any, cac: Any) -> Any:
    """Lifetime profit less what it cost to win the customer."""
    return profit - cac


@kpi(fact=("cost_days", "customers_won"), unit="currency", better="lower", title="Customer acquisition cost (CAC)")
def cac(cost: Any, customer: Any) -> Estimator:
    """All sales and marketing cost of the period for each customer who first paid in it.

    Formula: acquisition cost / customers won, paid and organic together.
    Source: S4 V1, S4 §Q.
    Differs from: advertising platforms that leave salaries and software out.
    """
    return Ratio(Total(cost.amount, of=cost.center == "acquisition"), Count(customer), process=True)


@kpi(
    companion="cac.paid",
    fact=("cost_days", "customers_won"),
    unit="currency",
    better="lower",
    params=("acquisition.paid_channels",),
    title="CAC of paid channels",
)
def cac_paid(cost: Any, customer: Any, *, paid_channels: list[str]) -> Estimator:
    """Acquisition cost of the paid channels for each customer who came through them."""
    spent = Total(cost.amount, of=(cost.center == "acquisition") & cost.channel.isin(paid_channels))
    return Ratio(spent, Count(customer.acquisition_channel.isin(paid_channels)), process=True)


@kpi(of=("customer_lifetime_profit", "cac"), unit="ratio", better="higher", title="Lifetime profit to acquisition cost")
def ltv_cac_ratio(profit: Any, cac: Any) -> Any:
    """How many times a customer's lifetime profit pays back what it cost to win it.

    Formula: customer_lifetime_profit / cac.
    Source: S4 §Q.
    Differs from: ratios of lifetime revenue, which look better; see `ltv_cac_ratio.revenue`.
    """
    return profit / cac


@kpi(
    companion="ltv_cac_ratio.gap",
    of=("clv", "cac"),
    unit="currency",
    better="higher",
    title="Value less acquisition cost",
)
def value_less_acquisition(value: Any, cac: Any) -> Any:
    """Lifetime value less acquisition cost: the wider, the better."""
    return value - cac


@kpi(
    companion="ltv_cac_ratio.payback_months",
    of=("customer_lifetime_profit", "cac"),
    unit="months",
    better="lower",
    title="Months to pay back acquisition",
)
def payback_months(profit: Any, cac: Any) -> Any:
    """The first month in which the accumulated profit of a customer reaches what it cost to win it."""
    return first_month_reaching(profit.curve, cac.value)


@kpi(
    companion="ltv_cac_ratio.revenue",
    of=("clv", "cac"),
    unit="ratio",
    better="higher",
    title="Lifetime value to acquisition cost",
)
def revenue_to_acquisition(value: Any, cac: Any) -> Any:
    """Lifetime value, which is revenue and not profit, over acquisition cost."""
    return value / cac

"""Customer value: what a customer is worth, and what it costs to serve."""

import math
from typing import Any

from kpi_lib.estimate import Count, Estimator, Mean, Ratio, Total
from kpi_lib.kpi import kpi
from kpi_lib.lifetime import Estimate, discounted_months, mean_of, not_estimable
from kpi_lib.purchasing import lifetime_value

LIFETIME = ("customer_value.horizon_months", "customer_value.annual_discount")
CUTS = ("segment", "plan")
NO_LIFETIME = "the cost is for the months of a subscription; a value by purchases or so far is not for the same months"


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
    cuts=("segment", "acquisition_channel", "cohort"),
    title="Value realised so far",
)
def clv_realised(customer: Any) -> Estimator:
    """What a customer who ever bought has paid so far, on average, less what it got back; no model."""
    return Mean(customer.value)


@kpi(
    companion="clv.purchases",
    fact="customer_purchases",
    model=True,
    unit="currency",
    better="higher",
    cuts=("segment",),
    params=LIFETIME,
    title="Lifetime value of a buyer",
)
def clv_purchases(histories: Any, *, horizon_months: int, annual_discount: float) -> Any:
    """The revenue to expect from a new buyer over the horizon, discounted to today.

    Formula: mean first order + the repeat orders that BG/NBD (Fader, Hardie and Lee 2005) expects of a new customer,
    discounted from the middle of their month, x the mean order of Gamma-Gamma (Fader and Hardie 2013). An order is what
    was bought on a local day less what was given back of it.
    """
    return lifetime_value(histories, horizon_months, annual_discount)


@kpi(
    of=("clv.subscription", "clv.purchases", "clv.realised"),
    unit="currency",
    better="higher",
    choose="customer_value.model",
    cuts=("segment",),
    title="Customer lifetime value (CLV)",
)
def clv(subscription: Any, purchases: Any, realised: Any, *, model: str) -> Any:
    """The revenue to expect from a customer over the relationship, by the model that the company has chosen.

    Formula: `clv.subscription`, `clv.purchases` or `clv.realised`, as the settings say.
    Source: S1 A9, S4 V1.
    Differs from: revenue / churn rate, which assumes that customers never change and looks forever ahead.
    """
    return {"subscription": subscription, "purchases": purchases, "realised": realised}[model]


@kpi(fact=("customer_histories", "cost_days"), model=True, unit="currency", better="lower", params=LIFETIME)
def customer_lifetime_cost(histories: Any, costs: Any, *, horizon_months: int, annual_discount: float) -> Any:
    """The cost to support and serve a customer over the same lifetime as its value, discounted to today.

    Formula: cost of support and service per active customer and month x the same discounted months as the value.
    Source: S4 V2.
    Differs from: accounts that spread the overhead of the whole company, or count what it cost to win the customer.
    """
    active = (histories["active_at_start"].sum() + histories["active_at_end"].sum()) / 2
    entered = costs.loc[costs["center"].isin(["support", "serve"]), "amount"]
    if entered.empty:
        return Estimate(math.nan, method="no cost of support or service is entered")
    spent = entered.sum()
    monthly = mean_of(spent / histories.attrs["months"], 0.0, active, "monthly cost")
    return monthly * discounted_months(histories, horizon_months, annual_discount)


@kpi(
    of=("clv", "customer_lifetime_cost"),
    unit="currency",
    better="higher",
    params=("customer_value.model",),
)
def customer_lifetime_profit(value: Any, cost: Any, *, model: str) -> Any:
    """What a customer leaves over a lifetime: its value less the cost to support and serve it.

    Formula: clv - customer_lifetime_cost, on the same customers, horizon and discount; of subscribers, whose months
    the cost is of. Buyers without a subscription have no months to be active in.
    Source: S4 V3.
    Differs from: lifetime values of revenue; what the marketing literature calls customer lifetime value is this.
    """
    return value - cost if model == "subscription" else not_estimable(NO_LIFETIME)


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


@kpi(
    fact=("cost_days", "interactions"),
    unit="currency",
    better="lower",
    cuts=("channel",),
    title="Cost of an interaction",
)
def cost_per_issue(cost: Any, interaction: Any) -> Estimator:
    """Support cost of the period for each time that a customer and a person at the desk were in touch.

    Formula: support cost, spread evenly over the days it is for / (sessions of tickets with a reply by a person +
    answered calls); 24 hours without a word end a session.
    Source: S4 V4.
    Differs from: `cost_per_ticket`, where a ticket counts once however often it is taken up.
    """
    return Ratio(Total(cost.amount, of=cost.center == "support"), Count(interaction), process=True)


@kpi(
    companion="cost_per_issue.per_problem",
    fact=("cost_days", "problems_resolved"),
    unit="currency",
    better="lower",
    title="Cost of a resolved problem",
)
def cost_per_problem(cost: Any, problem: Any) -> Estimator:
    """Support cost of the period for each different problem of which a ticket was resolved in it."""
    return Ratio(Total(cost.amount, of=cost.center == "support"), Count(problem), process=True)

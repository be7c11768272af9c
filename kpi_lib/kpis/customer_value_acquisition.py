"""Acquisition: what a customer, and one who may become a customer, costs to win, and how that pays back."""

from typing import Any

from kpi_lib.estimate import Count, Estimator, Ratio, Total
from kpi_lib.kpi import kpi
from kpi_lib.lifetime import first_month_reaching
from kpi_lib.waiting import Waiting

CONVERSION_SECONDS = 90 * 86400


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


@kpi(
    fact=("cost_days", "leads_created"),
    unit="currency",
    better="lower",
    cuts=("channel",),
    params=("acquisition.marketing_categories",),
)
def cost_per_lead(cost: Any, lead: Any, *, marketing_categories: list[str]) -> Estimator:
    """Marketing cost of the period for each lead created in it.

    Formula: acquisition cost in the marketing categories / leads; without bots, and one lead for each contact.
    Source: S4 V1.
    Differs from: advertising platforms, which count every form sent, bots and repeats among them, and their own spend
    alone.
    """
    return Ratio(_marketing(cost, marketing_categories), Count(lead), process=True)


@kpi(
    companion="cost_per_lead.qualified",
    fact=("cost_days", "leads_created"),
    unit="currency",
    better="lower",
    cuts=("channel",),
    params=("acquisition.marketing_categories",),
    title="Cost per qualified lead",
)
def cost_per_qualified_lead(cost: Any, lead: Any, *, marketing_categories: list[str]) -> Estimator:
    """Marketing cost of the period for each lead created in it that has been found worth pursuing since."""
    return Ratio(_marketing(cost, marketing_categories), Count(lead.qualified_at.notnull()), process=True)


@kpi(
    companion="cost_per_lead.conversion",
    fact="leads_created",
    unit="percent",
    better="higher",
    cuts=("channel",),
    title="Leads converted",
)
def leads_converted(lead: Any) -> Estimator:
    """The share of leads that become customers within 90 days, recent leads counted for as long as they were watched.

    Formula: Kaplan-Meier share converted within 90 days of creation.
    """
    return Waiting(lead.created_at, until=lead.converted_at).within(lead.every.ifelse(CONVERSION_SECONDS, None))


def _marketing(cost: Any, categories: list[str]) -> Estimator:
    return Total(cost.amount, of=(cost.center == "acquisition") & cost.category.isin(categories))


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

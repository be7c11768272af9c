"""Loyalty: whether customers stay, come back, take part and bring others."""

from typing import Any

from kpi_lib.estimate import ByMember, Count, Estimator, Mean, Ratio, Share, Total
from kpi_lib.kpi import kpi
from kpi_lib.waiting import Waiting

CUSTOMER_CUTS = ("segment", "plan", "acquisition_channel", "tenure_band")
CHURN_CUTS = (*CUSTOMER_CUTS, "had_ticket")
WON_CUTS = ("segment", "country", "acquisition_channel")


@kpi(fact="customer_periods", unit="percent", better="lower", cuts=CHURN_CUTS)
def churn_rate(customer: Any) -> Estimator:
    """The share of customers active at the start of the period who are no longer active at its end.

    Formula: 100 lost / active at start; who leaves and returns within the period is not lost.
    Source: S1 A6, S2 §4, S4 L4.
    Differs from: tools that divide by all customers of the period, new ones included, which makes churn look lower.
    """
    return Share(customer.lost, of=customer.at_start)


@kpi(
    companion="churn_rate.count",
    fact="customer_periods",
    unit="count",
    better="lower",
    cuts=CUSTOMER_CUTS,
    title="Customers lost",
)
def churn_count(customer: Any) -> Estimator:
    """How many of the customers active at the start were lost."""
    return Total(customer.lost.ifelse(1, 0), of=customer.at_start)


@kpi(companion="churn_rate.returned", fact="customer_periods", unit="count", better="none", title="Left and returned")
def churn_returned(customer: Any) -> Estimator:
    """How many customers left and came back within the period; they are not counted as lost."""
    return Total(((customer.spells > 1) & customer.at_end).ifelse(1, 0), of=customer.at_start)


@kpi(companion="churn_rate.early", fact="customer_periods", unit="count", better="lower", title="Came and left")
def churn_early(customer: Any) -> Estimator:
    """How many customers came and left within the period; they were not there at its start and are in no churn rate."""
    return Total((~customer.at_end).ifelse(1, 0), of=~customer.at_start & customer.at_any_time)


@kpi(
    companion="churn_rate.voluntary", fact="customer_periods", unit="percent", better="lower", title="Churn by decision"
)
def churn_voluntary(customer: Any) -> Estimator:
    """The share of customers active at the start who decided to leave."""
    return Share(customer.lost & (customer.left_for == "voluntary").fill_null(False), of=customer.at_start)


@kpi(
    companion="churn_rate.payment",
    fact="customer_periods",
    unit="percent",
    better="lower",
    title="Churn by failed payment",
)
def churn_payment(customer: Any) -> Estimator:
    """The share of customers active at the start who were lost because a payment failed."""
    return Share(customer.lost & (customer.left_for == "payment").fill_null(False), of=customer.at_start)


@kpi(
    companion="churn_rate.revenue",
    fact="customer_periods",
    unit="percent",
    better="lower",
    cuts=CUSTOMER_CUTS,
    title="Revenue churn (gross)",
)
def churn_revenue(customer: Any) -> Estimator:
    """The share of monthly recurring revenue at the start that was lost by the end, to leaving or to smaller plans."""
    lost, start = (Total(amount, of=customer.at_start) for amount in (customer.revenue_lost, customer.revenue_at_start))
    return Ratio(lost, start, scale=100)


@kpi(companion="churn_rate.annualised", of=("churn_rate",), unit="percent", better="lower", title="Churn, annualised")
def churn_annualised(churn: Any) -> Any:
    """What the churn of this period would come to if a whole year went on like it.

    Formula: 1 - (1 - churn)^(periods in a year).
    """
    return 100 * (1 - (1 - churn / 100) ** (12 / churn.months))


@kpi(fact="customer_periods", unit="percent", better="higher", cuts=(*CHURN_CUTS, "cohort"))
def retention_rate(customer: Any) -> Estimator:
    """The share of customers active at the start of the period who are still active at its end.

    Formula: 100 kept / active at start; retention and churn add up to 100.
    Source: S1 A7, S2 §5, S4 L5.
    Differs from: (customers at end - new) / customers at start, off when new customers leave or old ones return.
    """
    return Share(~customer.lost, of=customer.at_start)


@kpi(
    companion="retention_rate.source_formula",
    fact="customer_periods",
    unit="percent",
    better="higher",
    title="Retention by the stock formula",
)
def retention_source_formula(customer: Any) -> Estimator:
    """The formula of the source article, (customers at end - new) / customers at start, as a cross-check.

    Source: S2 §5.
    """
    kept = customer.at_end.ifelse(1, 0) - (~customer.at_start & customer.came).ifelse(1, 0)
    return Ratio(Total(kept), Total(customer.at_start.ifelse(1, 0)), scale=100)


@kpi(
    companion="retention_rate.of_cohort",
    fact="customer_histories",
    unit="percent",
    better="higher",
    title="Still there of those who joined in a month",
)
def retention_of_cohort(history: Any) -> ByMember:
    """Of the customers who joined in a month, the share who are there at the end of the period.

    Formula: 100 active at the end / all whose first start lies in the month; who left and returned is there again.
    Differs from: the cut `cohort` of the headline, which is over those who were still there at the period's start.
    """
    return ByMember(Share(~history.lost, of=history), cut="cohort")


@kpi(fact="customer_periods", unit="percent", better="higher", cuts=(*CUSTOMER_CUTS, "country"))
def customer_engagement(customer: Any) -> Estimator:
    """The share of the period's customers who did something with us: visits, logins, social media, opened messages.

    Formula: 100 customers with an engagement event / customers active at any time of the period.
    Source: S1 A5.
    Differs from: tools that count requests for help, with which bad service would look like engagement, or visitors
    whom nobody knows.
    """
    return Share(customer.engaged, of=customer.at_any_time)


@kpi(
    companion="customer_engagement.frequency",
    fact="customer_periods",
    unit="ratio",
    better="higher",
    cuts=("segment",),
    title="Engagements per engaged customer",
)
def engagement_frequency(customer: Any) -> Estimator:
    """How often an engaged customer did something with us, on average.

    Formula: engagements / engaged customers; pages seen within 30 minutes of the one before are one visit.
    """
    return Mean(customer.engagements, of=customer.at_any_time & customer.engaged)


@kpi(
    companion="customer_engagement.stickiness",
    fact="customer_periods",
    unit="percent",
    better="higher",
    cuts=("segment",),
    title="Stickiness",
)
def engagement_stickiness(customer: Any) -> Estimator:
    """How many of the period's engaged customers are engaged on a day of it, on average.

    Formula: 100 (mean over the period's days of customers engaged that day) / customers engaged in the period.
    """
    return Mean(100 * customer.active_day_share, of=customer.at_any_time & customer.engaged)


@kpi(fact="customers_won", unit="percent", better="higher", cuts=WON_CUTS)
def referral_rate(customer: Any) -> Estimator:
    """The share of new customers who came through a referral programme.

    Formula: 100 new customers with a programme's code / customers who first paid in the period.
    Source: S1 A8.
    Differs from: answers to "how did you hear about us"; a lead is no customer yet, one who returns is not new, and
    who refers oneself is not referred.
    """
    return Share(customer.referred)


@kpi(
    companion="referral_rate.count",
    fact="customers_won",
    unit="count",
    better="higher",
    cuts=(*WON_CUTS, "referral_program"),
    title="Customers referred",
)
def referral_count(customer: Any) -> Estimator:
    """How many new customers came through a referral programme."""
    return Count(customer.referred)


@kpi(
    companion="referral_rate.per_active",
    fact=("customers_won", "customer_periods"),
    unit="percent",
    better="higher",
    title="Referred per 100 customers",
)
def referral_per_active(won: Any, customer: Any) -> Estimator:
    """How many customers were referred for each hundred there are: the mean of those at the start and at the end."""
    mean_active = (customer.at_start.ifelse(1, 0) + customer.at_end.ifelse(1, 0)) * 0.5
    return Ratio(Count(won.referred), Total(mean_active), scale=100, process=True)


@kpi(fact="buyers", unit="percent", better="higher", cuts=("segment", "country", "acquisition_channel"))
def repeat_customer_rate(buyer: Any) -> Estimator:
    """The share of the period's buyers who had bought before, be it in the same period.

    Formula: 100 customers with an order that had an earlier one / customers with an order in the period. An order is
    what a customer bought on a day less what was given back; nothing is said of periods that begin in the first year of
    the data, where too little of the past is known.
    Source: none of the four articles.
    Differs from: shops that count orders returned in full, or two orders of a day as a return.
    """
    return Share(buyer.again)


@kpi(
    companion="repeat_customer_rate.within_90_days",
    fact="buyers",
    unit="percent",
    better="higher",
    cuts=("segment", "acquisition_channel"),
    title="Bought again within 90 days",
)
def repeat_within_90_days(buyer: Any) -> Estimator:
    """The share of the period's first-time buyers who order again within 90 days.

    Formula: Kaplan-Meier, from the first order to the second; one not yet 90 days ago is watched until the extract.
    """
    ninety_days = buyer.every.ifelse(90 * 86400, 0)
    return Waiting(buyer.first_order_at, until=buyer.second_order_at, of=buyer.new).within(ninety_days)

"""Loyalty: how customers feel about us, and whether they stay."""

from typing import Any

from kpi_lib.estimate import Estimator, Mean, Net, Ratio, Share, Total
from kpi_lib.kpi import kpi

ANSWER_CUTS = ("channel", "segment", "team")
CUSTOMER_CUTS = ("segment", "plan", "acquisition_channel", "tenure_band")
TOP_SCORES = ("thresholds.top_scores",)


@kpi(
    fact="answers",
    unit="percent",
    better="higher",
    cuts=ANSWER_CUTS,
    params=TOP_SCORES,
    title="Customer satisfaction (CSAT)",
)
def csat(answer: Any, *, top_scores: dict[int, float]) -> Estimator:
    """The share of satisfaction answers in the top two scores of their scale.

    Formula: 100 satisfied / answers; satisfied is 4-5 of 5, 6-7 of 7, 9-10 of 10, 75 and more of 100, or "good".
    Source: S1 A2, S2 §6, S3 l.19, S4 L1.
    Differs from: tools that show the mean of the scale; every answer counts, as each is about another contact, and the
    interval allows for customers who answered more than once.
    """
    return Share(_satisfied(answer, top_scores), of=answer.kind == "csat", cluster="respondent")


@kpi(
    companion="csat.mean",
    fact="answers",
    unit="percent",
    better="higher",
    cuts=ANSWER_CUTS,
    title="CSAT, mean of the scale",
)
def csat_mean(answer: Any) -> Estimator:
    """The mean satisfaction answer, placed between the worst (0) and the best (100) score of its scale."""
    span = (answer.scale_max - answer.scale_min).nullif(0.0)
    return Mean(100 * (answer.upward_score - answer.scale_min) / span, of=answer.kind == "csat", cluster="respondent")


@kpi(
    companion="csat.by_ticket",
    fact="answers_by_ticket",
    unit="percent",
    better="higher",
    cuts=ANSWER_CUTS,
    params=TOP_SCORES,
    title="CSAT of the tickets resolved",
)
def csat_by_ticket(answer: Any, *, top_scores: dict[int, float]) -> Estimator:
    """The share of satisfied answers about tickets resolved in the period, whenever the answer came."""
    return Share(_satisfied(answer, top_scores), of=answer.kind == "csat", cluster="respondent")


@kpi(
    fact="answers", unit="points", better="higher", cuts=("survey_channel", "segment"), title="Net Promoter Score (NPS)"
)
def nps(answer: Any) -> Estimator:
    """The share of promoters (9-10) less the share of detractors (0-6) among customers asked about us as a whole.

    Formula: 100 (promoters - detractors) / answers; passives (7-8) count as answers.
    Source: S1 A1, S2 §7, S4 L2.
    Differs from: tools that count every answer; of a customer's several answers in a period the latest counts.
    """
    return _net_promoters(answer, (answer.kind == "nps") & answer.latest_of_customer).companions(
        promoters="promoters (9 or 10)", passives="passives (7 or 8)", detractors="detractors (0 to 6)"
    )


@kpi(
    companion="nps.transactional",
    fact="answers",
    unit="points",
    better="higher",
    cuts=("channel", "segment"),
    title="NPS after a contact",
)
def nps_transactional(answer: Any) -> Estimator:
    """The Net Promoter Score of customers asked right after a contact; kept apart from the relational score."""
    return _net_promoters(answer, answer.kind == "nps_tx")


@kpi(fact="customer_periods", unit="percent", better="lower", cuts=CUSTOMER_CUTS)
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


@kpi(fact="customer_periods", unit="percent", better="higher", cuts=CUSTOMER_CUTS)
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


def _satisfied(answer: Any, top_scores: dict[int, float]) -> Any:
    """Whether an answer is among the top scores; only the best on a scale not in params, such as good/bad."""
    return answer.upward_score >= answer.scale_max.cases(*top_scores.items(), else_=answer.scale_max)


def _net_promoters(answer: Any, asked: Any) -> Estimator:
    return Net(answer.score >= 9, answer.score <= 6, of=asked)

"""Loyalty: what customers say about us when they are asked, and what our own reviewers find."""

from typing import Any

from kpi_lib.estimate import Count, Estimator, Mean, Net, Share
from kpi_lib.facts.calendar import whole_seconds
from kpi_lib.kpi import kpi

ANSWER_CUTS = ("channel", "segment", "team")
SENT_CUTS = ("kind", "survey_channel", "segment", "country")
REVIEW_CUTS = ("channel", "team")
TOP_SCORES = ("thresholds.top_scores",)
TOLERANCE = 1e-9


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
    Differs from: tools that show the mean of the scale, and Zendesk's good ratings / (good and bad), the same as here
    on its two scores; every answer counts, as each is about another contact, and the interval allows for customers who
    answered more than once.
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
    return Mean(100 * _placed(answer), of=answer.kind == "csat", cluster="respondent")


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


@kpi(fact="answers", unit="points", better="higher", cuts=ANSWER_CUTS, title="Customer effort score (CES)")
def ces(answer: Any) -> Estimator:
    """How easy customers found it to deal with us, on average, from 1 (very hard) to 7 (very easy).

    Formula: 1 + 6 mean((score - worst) / (best - worst)), over the answers on the scale that most answers are on.
    Source: S1 A3, S4 L3.
    Differs from: tools that show the mean of whatever scale was asked, where on some a low number is the good one, or
    that pool several scales: to stretch one over another is arithmetic, and not the same question.
    """
    return Mean(1 + 6 * _placed(answer), of=answer.kind == "ces", cluster="respondent")


@kpi(
    companion="ces.easy",
    fact="answers",
    unit="percent",
    better="higher",
    cuts=ANSWER_CUTS,
    title="CES, found it easy",
)
def ces_easy(answer: Any) -> Estimator:
    """The share of effort answers in the easy third of the scale: 5 to 7 of 7."""
    return Share(_placed(answer) >= 4 / 6 - TOLERANCE, of=answer.kind == "ces", cluster="respondent")


@kpi(
    fact="surveys_sent",
    unit="percent",
    better="higher",
    cuts=SENT_CUTS,
    params=("thresholds.survey_response_days",),
    horizon="thresholds.survey_response_days",
)
def survey_response_rate(survey: Any, *, survey_response_days: int) -> Estimator:
    """The share of survey invitations delivered in the period that were answered within {survey_response_days} days.

    Formula: 100 answered in time / delivered, over invitations sent in the period and old enough to tell. Invitations
    that did not arrive are left out of both, and so are answers that nobody was invited to.
    Source: S4 L6.
    Differs from: tools that divide the answers of a month by the invitations of that month, which are not the same
    people; a score is an answer, opening the survey is not.
    """
    waited = whole_seconds(survey.answered_at) - whole_seconds(survey.sent_at)
    answered = (waited <= survey_response_days * 86400).fill_null(False) & survey.score.notnull()
    return Share(answered, of=survey.delivered, cluster="respondent")


@kpi(
    companion="survey_response_rate.sent",
    fact="surveys_sent",
    unit="count",
    better="none",
    cuts=SENT_CUTS,
    title="Survey invitations sent",
)
def surveys_sent(survey: Any) -> Estimator:
    """How many survey invitations were sent, those that did not arrive included."""
    return Count(survey.every)


@kpi(fact="reviews", unit="percent", better="higher", cuts=REVIEW_CUTS, title="Internal quality score (IQS)")
def internal_quality_score(ticket: Any) -> Estimator:
    """How good our own reviewers found the handling of tickets drawn at random, from 0 to 100.

    Formula: a review is the mean of its rated categories by weight, 0 when a critical one is below 50; a ticket is the
    mean of its reviews, the score the mean of the tickets.
    Source: S1 A4.
    Differs from: tools that pool tickets picked for a reason with those drawn at random, or count a ticket once for
    each of its reviewers.
    """
    return Mean(ticket.score, of=ticket.sampling == "random", cluster="agent_id")


@kpi(
    companion="internal_quality_score.targeted",
    fact="reviews",
    unit="percent",
    better="higher",
    cuts=REVIEW_CUTS,
    title="IQS of tickets picked for review",
)
def internal_quality_targeted(ticket: Any) -> Estimator:
    """The quality score of tickets that were picked for a reason; it says nothing of all the others."""
    return Mean(ticket.score, of=ticket.sampling == "targeted", cluster="agent_id")


def _placed(answer: Any) -> Any:
    """Where an answer lies between the worst (0) and the best (1) score of its scale."""
    return (answer.upward_score - answer.scale_min) / (answer.scale_max - answer.scale_min).nullif(0.0)


def _satisfied(answer: Any, top_scores: dict[int, float]) -> Any:
    """Whether an answer is among the top scores; only the best on a scale not in params, such as good/bad."""
    return answer.upward_score >= answer.scale_max.cases(*top_scores.items(), else_=answer.scale_max)


def _net_promoters(answer: Any, asked: Any) -> Estimator:
    return Net(answer.score >= 9, answer.score <= 6, of=asked)

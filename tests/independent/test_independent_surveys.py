"""Surveys and reviews, computed a second time from the sample company's files."""

import pandas as pd
import pytest
from by_hand import Figures, agree, ratio, share
from known import Known, members, within

MONTHS = pytest.mark.parametrize("month", ["2024-04", "2024-05"])
ANSWER_DAYS = 14
LEAST_OF_CRITICAL = 50


def easily(answers: pd.DataFrame) -> pd.Series:
    """How easy it was, from 0 to 1, on the scale that most answers are on."""
    assert len(answers.groupby(["scale_min", "scale_max", "higher_is_better"])) == 1
    placed = (answers["score"] - answers["scale_min"]) / (answers["scale_max"] - answers["scale_min"])
    return placed.where(answers["higher_is_better"].astype(bool), 1 - placed)


@MONTHS
def test_ces(known: Known, row, month: str) -> None:
    answers = known.answers(month, "ces")
    ease = easily(answers)
    person = answers["customer_id"].fillna(answers["survey_id"])

    def effort(rows: pd.DataFrame) -> Figures:
        points = 1 + 6 * ease[rows.index]
        return ratio(points, pd.Series(1.0, index=rows.index), person[rows.index]) | {"n": len(rows)}

    agree(row("ces", month), effort(answers))
    for member, rows in members(answers, "channel", "segment"):
        figures = effort(rows)
        agree(row("ces", month, **member), {"value": figures["value"], "n": len(rows)})
    agree(row("ces.easy", month), share(ease >= 4 / 6 - 1e-12, answers["customer_id"]))


def invited(known: Known, month: str) -> pd.DataFrame:
    """Invitations that were sent in a month, with `answered` in time."""
    rows = known.rows("surveys", "sent_at")
    rows = rows[within(rows["sent_at"], month)]
    soon = rows["answered_at"] - rows["sent_at"] <= pd.Timedelta(days=ANSWER_DAYS)
    answered = soon & (rows["answered_at"] <= known.as_of) & rows["score"].notna()
    segment = rows["customer_id"].map(known.customers["segment"])
    return rows.assign(answered=answered, segment=segment, survey_channel=rows["channel"])


def responded(known: Known, month: str) -> pd.DataFrame:
    """Invitations that arrived and that there was time to answer."""
    rows = invited(known, month)
    return rows[rows["delivered"] & (rows["sent_at"] + pd.Timedelta(days=ANSWER_DAYS) <= known.as_of)]


def counted(hits: pd.Series) -> Figures:
    """A share without its limits."""
    figures = share(hits)
    return {name: figures[name] for name in ("value", "numerator", "denominator")}


@MONTHS
def test_survey_response_rate(known: Known, row, month: str) -> None:
    rows = responded(known, month)
    agree(row("survey_response_rate", month), counted(rows["answered"]))
    for member, group in members(rows, "kind", "survey_channel", "segment"):
        agree(row("survey_response_rate", month, **member), counted(group["answered"]))
    agree(row("survey_response_rate.sent", month), {"value": len(invited(known, month))})


def test_invitations_that_could_still_be_answered_are_left_out(known: Known, build) -> None:
    frame = build("2024-06", "survey_response_rate").frame
    found = frame[frame["period"] == "2024-06"].set_index("kpi").loc["survey_response_rate"].to_dict()
    rows = responded(known, "2024-06")
    assert len(rows) < invited(known, "2024-06")["delivered"].sum()
    agree(found, counted(rows["answered"]))
    assert found["provisional"]


def scores(known: Known, month: str, sampling: str) -> pd.Series:
    """The mean score of each ticket that was reviewed in a month."""
    rows = known.rows("qa_reviews", "reviewed_at")
    rows = rows[within(rows["reviewed_at"], month) & (rows["sampling"] == sampling) & rows["score"].notna()]
    rows = rows[rows["agent_id"] != rows["reviewer_id"]]
    rows = rows.assign(placed=100 * (rows["score"] - rows["scale_min"]) / (rows["scale_max"] - rows["scale_min"]))
    rows["weighed"] = rows["placed"] * rows["weight"]
    rows["failed"] = rows["is_critical"] & (rows["placed"] < LEAST_OF_CRITICAL)
    reviews = rows.groupby(["ticket_id", "review_id"])
    score = (reviews["weighed"].sum() / reviews["weight"].sum()).mask(reviews["failed"].any(), 0.0)
    return score.groupby("ticket_id").mean()


@MONTHS
def test_internal_quality_score(known: Known, row, month: str) -> None:
    for address, sampling in (("internal_quality_score", "random"), ("internal_quality_score.targeted", "targeted")):
        tickets = scores(known, month, sampling)
        agree(row(address, month), {"value": tickets.mean(), "n": len(tickets)})
        assert tickets.between(0, 100).all()

"""Whether the hand-written SQL makes the same numbers as the scorecard: numerators and denominators in every cut."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kpi_lib.language import NO_MEMBER

TOLERANCE = 1e-9
# KPI: a table of the SQL, and what of it, added up, the scorecard's numerator and denominator are ("": not compared)
SUMS = {
    "nps": ("answer_sums", "promoters - detractors", "nps"),
    "nps.transactional": ("answer_sums", "tx_promoters - tx_detractors", "nps_tx"),
    "csat": ("answer_sums", "satisfied", "csat"),
    "csat.mean": ("answer_sums", "csat_placed", "csat"),
    "csat.by_ticket": ("answers_by_ticket", "satisfied", "csat"),
    "ces": ("answer_sums", "ces_placed", "ces"),
    "ces.easy": ("answer_sums", "easy", "ces"),
    "survey_response_rate": ("surveys_sent", "answered", "delivered"),
    "survey_response_rate.sent": ("surveys_sent", "sent", ""),
    "internal_quality_score": ("reviews", "score", "reviews"),
    "internal_quality_score.targeted": ("reviews", "targeted_score", "targeted"),
    "churn_rate": ("customer_periods", "lost", "at_start"),
    "churn_rate.voluntary": ("customer_periods", "voluntary", "at_start"),
    "churn_rate.payment": ("customer_periods", "payment", "at_start"),
    "churn_rate.revenue": ("customer_periods", "revenue_lost", "revenue"),
    "retention_rate": ("customer_periods", "kept", "at_start"),
    "retention_rate.source_formula": ("customer_periods", "at_end - came", "at_start"),
    "retention_rate.of_cohort": ("customer_histories", "lasting", "customers"),
    "customer_engagement": ("customer_periods", "engaged", "at_any_time"),
    "customer_engagement.frequency": ("customer_periods", "engagements", "engaged"),
    "customer_engagement.stickiness": ("customer_periods", "active", "engaged"),
    "referral_rate": ("customers_won", "referred", "customers"),
    "referral_rate.count": ("customers_won", "referred", ""),
    "repeat_customer_rate": ("buyers", "again", "buyers"),
    "ticket_volume": ("contact_sums", "answered", ""),
    "ticket_volume.offered": ("contact_sums", "offered", ""),
    "tickets_by_channel.switched": ("tickets_created", "switched", "tickets"),
    "first_contact_resolution": ("tickets_resolved", "first_contact", "first_contact_of"),
    "first_contact_resolution.one_touch": ("tickets_resolved", "at_once", "replied"),
    "first_contact_resolution.of_created": ("tickets_created", "first_contact", "watched"),
    "resolved_cases": ("tickets_resolved", "tickets", ""),
    "resolved_cases.actions": ("open_spells", "closed", ""),
    "resolved_cases.automatic": ("tickets_resolved", "automatic", ""),
    "resolution_rate": ("tickets_created", "in_30", "seen_30"),
    "resolution_rate.of_assigned": ("tickets_created", "assigned_in_30", "assigned_30"),
    "escalation_rate": ("tickets_created", "escalated", "seen_14"),
    "escalation_rate.level_2": ("tickets_created", "to_2", "below_2"),
    "escalation_rate.level_3": ("tickets_created", "to_3", "below_3"),
    "escalation_rate.level_2_to_3": ("tickets_created", "from_2_to_3", "at_2"),
    "first_response_time.never_answered": ("tickets_created", "never_replied", "not_live"),
    "open_cases": ("backlog", "tickets", ""),
    "open_cases.daily_mean": ("open_spells", "day_ends", ""),
    "open_cases.net_flow": ("open_spells", "more", ""),
    "awaiting_reply": ("backlog_requesters", "groups", ""),
    "awaiting_reply.tickets": ("backlog", "waiting", ""),
    "backlog": ("backlog", "aged", ""),
    "recurring_incidents": ("tickets_created_problems", "groups", ""),
    "recurring_incidents.share": ("tickets_created", "recurring", "tickets"),
    "recurring_incidents.unlinked": ("tickets_created", "unlinked", "tickets"),
    "repeat_contact_rate": ("tickets_resolved", "again_30", "seen_30"),
    "repeat_contact_rate.seven_days": ("tickets_resolved", "again_7", "seen_7"),
    "repeat_contact_rate.contacts_per_customer": ("contact_customers", "", "groups"),
    "service_level": ("calls_offered", "level", "level_of"),
    "service_level.answered_only": ("calls_offered", "answered_fast", "answered_known"),
    "service_level.ignore_short": ("calls_offered", "level_without", "level_without_of"),
    "service_level.tickets": ("service_level_tickets", "events", "n"),
    "abandonment_rate": ("calls_offered", "abandoned", "stayed"),
    "abandonment_rate.all": ("calls_offered", "all_abandoned", "calls"),
    "abandonment_rate.tickets": ("tickets_created", "given_up", "tickets"),
    "wait_time": ("calls_offered", "waited", "waits"),
    "average_speed_of_answer": ("calls_offered", "answer_waited", "answer_waits"),
    "blockage_rate": ("calls_all", "blocked", "attempted"),
    "average_handle_time": ("calls_handled", "handle", "calls"),
    "average_handle_time.talk": ("calls_handled", "talk", "calls"),
    "average_handle_time.tickets": ("tickets_resolved", "handled", "recorded"),
    "agent_target_attainment": ("tickets_resolved", "in_time", "timed"),
    "clv.realised": ("customer_purchases", '"value"', "customers"),
    "cost_per_issue": ("interactions", "", "interactions"),
}
CUTS = (
    *("channel", "type", "priority", "team", "segment", "product", "issue", "agent", "queue", "weekday", "hour"),
    *("weekday_hour", "country", "status", "age_band", "survey_channel", "kind", "plan", "acquisition_channel"),
    *("tenure_band", "had_ticket", "cohort", "referral_program"),
)
ELSEWHERE = ("agent", "tenure_band")  # cuts whose members the scorecard names in its own way
OF_WAITS = ("channel", "type", "priority", "team", "segment")
WAITS = {  # KPI: its cuts in the SQL; its value is a column of `waits`, in seconds, and n
    "first_response_time": ("median", OF_WAITS),
    "first_response_time.p90": ("p90", OF_WAITS),
    "first_response_time.business": ("median", ("channel",)),
    "first_response_time.by_reply_month": ("median", ()),
    "resolution_time": ("median", OF_WAITS),
    "resolution_time.mean": ("area", OF_WAITS),
    "resolution_time.p90": ("p90", OF_WAITS),
    "resolution_time.business": ("median", ("channel",)),
    "resolution_time.first": ("median", ()),
    "resolution_time.resolved_only": ("median", ()),
    "resolution_time.net_of_pending": ("median", ()),
    "wait_time.median": ("median", ("channel", "queue")),
    "wait_time.virtual": ("median", ("channel", "queue")),
    "average_speed_of_answer.median": ("median", ("channel", "queue")),
}


def compared(scorecard: Path, made: Path) -> int:
    """Return how many numbers are the same in a scorecard and in the database that the SQL has made."""
    import duckdb

    frame = pd.read_parquet(scorecard)
    connection = duckdb.connect(made, read_only=True)
    rows = [part for kpi in SUMS for part in _sums(frame, connection, kpi)]
    rows += [part for kpi in WAITS for part in _waits(frame, connection, kpi)]
    for kpi, what, ours, theirs in rows:
        both = pd.DataFrame({"ours": ours, "theirs": theirs}).fillna(0.0)
        apart = (both["ours"] - both["theirs"]).abs() > TOLERANCE * both.abs().max(axis=1).clip(lower=1.0)
        assert not apart.any(), f"{kpi}, {what}:\n{both[apart].head()}"
    return sum(len(ours) for _, _, ours, _ in rows)


def _sums(frame: pd.DataFrame, connection: Any, kpi: str) -> list[Any]:
    table, *sums = SUMS[kpi]
    columns = [name for name, *_ in connection.execute(f"DESCRIBE {table}").fetchall()]
    cuts = [name for name in columns if name in CUTS] or ["member"]
    found = []
    for what, sum_of in zip(("numerator", "denominator"), sums, strict=True):
        if not sum_of:
            continue
        read = connection.execute(
            f"SELECT g, period, {', '.join(cuts)}, sum({sum_of})::DOUBLE FROM {table} GROUP BY ALL"
        )
        theirs = read.df()
        theirs.columns = ["g", "period", *cuts, "number"]
        known = OF_WAITS if cuts == ["member"] else tuple(cuts)
        found.append((kpi, what, _ours(frame, kpi, what), _theirs(theirs, known, frame, kpi)))
    return found


def _waits(frame: pd.DataFrame, connection: Any, kpi: str) -> list[Any]:
    column, cuts = WAITS[kpi]
    name = kpi.removesuffix(".p90").removesuffix(".mean")
    theirs = connection.execute(f"SELECT g, period, member, {column}::DOUBLE, n FROM waits WHERE kpi = '{name}'").df()
    theirs.columns = ["g", "period", "member", column, "n"]
    unit = frame.loc[frame["kpi"] == kpi, "unit"].iloc[0]
    theirs[column] /= {"seconds": 1, "minutes": 60, "days": 86400}[unit]
    return [
        (kpi, what, _ours(frame, kpi, what), _theirs(theirs.assign(number=theirs[of]), cuts, frame, kpi))
        for what, of in (("value", column), ("n", "n"))
    ]


def _ours(frame: pd.DataFrame, kpi: str, what: str) -> pd.Series:
    rows = frame[(frame["kpi"] == kpi) & ~frame["cut"].isin(ELSEWHERE)]
    rows = rows.assign(cut=rows["cut"].fillna(""), member=rows["member"].fillna(""))
    return rows.set_index(["cut", "period", "member"])[what].astype("float64")


def _theirs(rows: pd.DataFrame, cuts: tuple[str, ...], frame: pd.DataFrame, kpi: str) -> pd.Series:
    """Return the SQL's numbers by cut, period and member, of the cuts that the scorecard has of a KPI."""
    there = set(frame.loc[frame["kpi"] == kpi, "cut"].fillna(""))
    whole = 2 ** len(cuts) - 1
    parts = [rows[rows["g"] == whole].assign(cut="", member="")] if "" in there else []
    for place, cut in enumerate(cuts):
        if cut in there - set(ELSEWHERE):
            of_cut = rows[rows["g"] == whole ^ (1 << (len(cuts) - 1 - place))]
            member = of_cut[cut if cut in of_cut else "member"].astype(object)
            parts.append(of_cut.assign(cut=cut, member=member.where(member.notna(), NO_MEMBER)))
    return pd.concat(parts).set_index(["cut", "period", "member"])["number"].replace(np.inf, np.nan)

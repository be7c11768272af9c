"""Support operations, people: how much work each has, and how well it goes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from kpi_lib.estimate import Count, Estimator, Mean, Ratio, Share, Total
from kpi_lib.kpi import kpi
from kpi_lib.lifetime import Estimate

if TYPE_CHECKING:
    import pandas as pd

CUTS = ("team", "tier", "agent", "weekday")
FEWEST_PEOPLE = 5


@kpi(fact=("agent_days", "tickets_resolved"), unit="count", better="none", cuts=("team", "agent"))
def cases_per_agent(day: Any, ticket: Any) -> Estimator:
    """How many cases were resolved for each agent who worked in the period.

    Formula: resolved cases / agents active; active is to have had a paid shift, replied to a ticket or answered a call.
    Source: S4 S4.
    Differs from: tools that credit every agent who touched a case; a case counts once, for whom it was assigned to at
    its final resolution, and those of bots and of nobody are in the total. An agent who changes team in the period
    counts in the first. The interval is that of a count whose days vary, not of differences between agents.
    """
    return Ratio(Count(ticket), _agents(day), process=True)


@kpi(
    companion="cases_per_agent.open",
    fact=("agent_days", "open_at_end"),
    unit="count",
    better="none",
    cuts=("team",),
    title="Open cases per agent",
)
def open_cases_per_agent(day: Any, ticket: Any) -> Estimator:
    """How many of the cases that are open at the period's end are assigned, for each agent who worked in the period."""
    return Ratio(Count(ticket.agent.notnull()), _agents(day), cluster="agent")


@kpi(
    companion="cases_per_agent.per_full_time",
    fact=("agent_days", "tickets_resolved"),
    unit="count",
    better="none",
    cuts=("team",),
    title="Cases per full-time agent",
)
def cases_per_full_time(day: Any, ticket: Any) -> Estimator:
    """How many cases were resolved for each full-time agent's worth of paid available hours."""
    return Ratio(Count(ticket), Total(day.full_time), process=True)


@kpi(fact="agent_days", unit="count", better="none", cuts=CUTS)
def conversations_per_teammate(day: Any) -> Estimator:
    """How many conversations a teammate replies to on a day at work, on average.

    Formula: conversations with a public reply by a person, counted once for each person and day / days at work of all;
    without shifts, a day at work is one with handled work.
    Source: S3 l.1-22.
    Differs from: dividing all conversations by people and days, as if everybody worked each day; one that is handed
    over counts for both, and several replies on a day count once.
    """
    return Mean(day.conversations, cluster="agent_id")


@kpi(
    companion="conversations_per_teammate.source_formula",
    fact="agent_days",
    model=True,
    unit="count",
    better="none",
    title="Conversations per teammate, plain division",
)
def conversations_divided(days: Any) -> Estimate:
    """Conversations of the period divided by the days on which anybody worked and by the people who worked at all."""
    if "conversations" not in days.columns:
        return Estimate(math.nan, missing="not_available", method="no table tickets and ticket_events")
    conversations, people = float(days["conversations"].sum()), float(days["days"].sum() * days["agents"].sum())
    return Estimate(conversations / people, n=conversations, method="census")


@kpi(fact="agents", model=True, unit="ratio", better="lower", cuts=("team",))
def workload_balance(people: Any) -> Estimate:
    """How unevenly work is shared: 0 when all have the same load for their hours, near 1 when one has it all.

    Formula: Gini index of handled minutes per paid available hour across agents; contacts where times are not recorded,
    and days at work where there are no shifts.
    Source: none; implied by S3 l.10 and S2 §11.
    Differs from: counts of tickets by agent, which blame those who work part-time; some unevenness is chance, see
    `workload_balance.expected`. Not told for fewer than 5 agents.
    """
    from kpi_lib.ranking import gini, resampled_gini

    time, contacts = _time_and_contacts(people)
    if len(time) < FEWEST_PEOPLE:
        return _too_few(len(time))
    work = people.loc[time.index, "handle_seconds"] if "handle_seconds" in people.columns else contacts
    loads = (work / time).to_numpy(float)
    drawn = resampled_gini(loads, "workload_balance")
    return Estimate(float(gini(loads)), drawn, len(loads), f"seeded bootstrap of {len(loads)} agents")


@kpi(
    companion="workload_balance.expected",
    fact="agents",
    model=True,
    unit="ratio",
    better="none",
    cuts=("team",),
    title="Workload balance expected by chance",
)
def workload_balance_by_chance(people: Any) -> Estimate:
    """How uneven work would be if everybody had the same rate of contacts and these came at random.

    Formula: mean Gini index of 2,000 simulated periods: Poisson contacts in proportion to paid available hours, all of
    the same length; the interval holds 95 % of them.
    """
    from kpi_lib.ranking import gini_by_chance

    time, contacts = _time_and_contacts(people)
    if len(time) < FEWEST_PEOPLE:
        return _too_few(len(time))
    if not contacts.sum():
        return Estimate(math.nan, n=len(time))
    drawn = gini_by_chance(time.to_numpy(float), contacts.sum(), "workload_balance.expected")
    return Estimate(float(drawn.mean()), drawn, len(time), "seeded simulation of equal rates")


@kpi(fact="agent_days", unit="percent", better="band", cuts=CUTS)
def agent_utilization(day: Any) -> Estimator:
    """The share of paid time, breaks and meetings with it, that agents spend on calls and tickets.

    Formula: 100 (talk + hold + wrap-up + recorded ticket time) / paid time on shift; above 100 when work overlaps. The
    work of people without a paid shift in the period is left out. No value where tickets or calls have no handle time,
    as the rest of the work would look like all of it.
    Source: S2 §11.
    Differs from: tools that call waiting for work utilised, or that leave breaks out; see
    `agent_utilization.occupancy`.
    """
    return Ratio(_handled(day), Total(day.paid_seconds), scale=100)


@kpi(
    companion="agent_utilization.occupancy",
    fact="agent_days",
    unit="percent",
    better="band",
    cuts=CUTS,
    title="Occupancy",
)
def occupancy(day: Any) -> Estimator:
    """The share of the paid time in which agents are available that they spend on calls and tickets."""
    return Ratio(_handled(day), Total(day.available_seconds), scale=100)


@kpi(
    fact="tickets_resolved",
    unit="percent",
    better="higher",
    cuts=("channel", "type", "team", "agent"),
    params=("thresholds.agent_target_minutes",),
)
def agent_target_attainment(ticket: Any, *, agent_target_minutes: float) -> Estimator:
    """The share of tickets that agents resolved with no more work than the target allows.

    Formula: 100 tickets with at most {agent_target_minutes} minutes of handle time / tickets resolved by a person;
    those without recorded handle time are left out.
    Source: S2 §11.
    Differs from: tools that measure the time until the resolution, in which the ticket also waits.
    """
    recorded = (ticket.handle_seconds > 0).fill_null(False) & (ticket.resolved_by == "agent")
    return Share(ticket.handle_seconds <= 60 * agent_target_minutes, of=recorded, cluster="agent")


@kpi(fact="agents", model=True, table="agent", unit="score", better="higher")
def top_agents(people: Any) -> pd.DataFrame:
    """How well each agent did on six counts taken together, 0 being average, with an interval.

    Formula: weighted mean of resolved per available hour 0.2, resolution time 0.2, aged open cases per hour 0.1,
    satisfaction 0.2, quality 0.2 and reopened cases 0.1, good up and bad down. Cases, times, answers and reopenings are
    compared with all of the same type and channel. Each is in standard deviations of the true differences between
    agents: what chance explains is taken out, and who is known less well is drawn to the average (empirical Bayes).
    What has no data is left out of the weights. Not told for fewer than 20 resolved cases.
    Source: S2 §12.
    Differs from: league tables by cases closed, which reward easy cases and luck; few ranks are sure, see
    `top_agents.rank` and the groups of `top_agents.tie_group`.
    """
    from kpi_lib.ranking import ranking_of_agents

    return ranking_of_agents(people, "score")


@kpi(
    companion="top_agents.rank",
    fact="agents",
    model=True,
    table="agent",
    unit="count",
    better="lower",
    title="Rank of agents",
)
def rank_of_agents(people: Any) -> pd.DataFrame:
    """The place of each agent by score, 1 being the best, with the ranks that chance would also allow."""
    from kpi_lib.ranking import ranking_of_agents

    return ranking_of_agents(people, "rank")


@kpi(
    companion="top_agents.tie_group",
    fact="agents",
    model=True,
    table="agent",
    unit="count",
    better="lower",
    title="Agents who cannot be told apart",
)
def tie_group_of_agents(people: Any) -> pd.DataFrame:
    """The group of agents whose ranks cannot be told from those of the group's best; 1 is the best group."""
    from kpi_lib.ranking import ranking_of_agents

    return ranking_of_agents(people, "tie_group")


def _agents(day: Any) -> Estimator:
    return Total(day.first_of_agent.ifelse(1.0, 0.0))


def _handled(day: Any) -> Estimator:
    return Total(day.on_shift.ifelse(day.handle_seconds, 0))


def _time_and_contacts(people: Any) -> tuple[pd.Series, pd.Series]:
    """Return paid available hours, else days at work, of the agents who have some, and the contacts they handled."""
    from kpi_lib.ranking import hours_of

    time = hours_of(people)
    time = time[time > 0]
    contacts = people.reindex(columns=["conversations", "calls"]).loc[time.index].sum(axis=1)
    return time, contacts


def _too_few(people: int) -> Estimate:
    return Estimate(math.nan, n=people, missing="not_estimable", method=f"fewer than {FEWEST_PEOPLE} agents")

"""The contract of names: every KPI there will be, and what is declared of it so far."""

import pytest

from kpi_lib.facts import FACTS
from kpi_lib.kpi import FAMILIES, addresses
from kpi_lib.kpis import registry
from kpi_lib.params import Thresholds

# id | facts, "derived" for a KPI of others | unit | better | instant and days of watching | companions
CONTRACT = """
csat | answers | percent | higher | E | mean by_ticket
nps | answers | points | higher | E | transactional promoters passives detractors
ces | answers | points | higher | E | easy
internal_quality_score | reviews | percent | higher | E | targeted
churn_rate | customer_periods | percent | lower | X | count returned early voluntary payment revenue annualised
retention_rate | customer_periods | percent | higher | X | source_formula of_cohort
survey_response_rate | surveys_sent | percent | higher | C 14 | sent
customer_engagement | customer_periods | percent | higher | X | frequency stickiness
referral_rate | customers_won | percent | higher | E | count per_active
repeat_customer_rate | buyers | percent | higher | E | within_90_days
first_response_time | tickets_created | minutes | lower | C | p90 mean business by_reply_month never_answered
resolution_time | tickets_created | minutes | lower | C | p90 mean first resolved_only business net_of_pending
first_contact_resolution | tickets_resolved | percent | higher | E 7 | one_touch of_created
cases_per_agent | agent_days tickets_resolved | count | none | E | open per_full_time
conversations_per_teammate | agent_days | count | none | E | source_formula
workload_balance | agents | ratio | lower | E | expected
open_cases | open_at_end | count | lower | S | daily_mean net_flow
awaiting_reply | open_at_end | count | lower | S | tickets oldest
ticket_volume | contacts | count | none | E | per_working_day offered
contact_rate | contacts customer_periods | ratio | lower | E    |
tickets_by_type | tickets_created | percent | none | E    |
tickets_by_channel | contacts | percent | none | E | switched
resolved_cases | tickets_resolved | count | higher | E | actions automatic
resolution_rate | tickets_created | percent | higher | C 30 | throughput of_assigned
escalation_rate | tickets_created | percent | lower | C 14 | level_2 level_3 level_2_to_3
abandonment_rate | calls_offered | percent | lower | E | all tickets patience
wait_time | calls_offered | seconds | lower | E | median p90 virtual
average_speed_of_answer | calls_offered | seconds | lower | E | median p90
service_level | calls_offered | percent | higher | E | answered_only ignore_short all_offered tickets
backlog | open_at_end | count | lower | S | days_of_work oldest
blockage_rate | calls_all | percent | lower | E | count expected
average_handle_time | calls_handled | seconds | band | E | talk hold wrap median p90 tickets
agent_utilization | agent_days | percent | band | E | occupancy
agent_target_attainment | tickets_resolved | percent | higher | E    |
top_agents | agents | score | higher | E | rank tie_group
recurring_incidents | tickets_created | count | lower | E | share unlinked
repeat_contact_rate | tickets_resolved | percent | lower | E 30 | seven_days contacts_per_customer
most_common_issues | tickets_created | percent | none | E | rank change twelve_months
channel_performance | derived | count | higher | - | THE_EIGHT resolution_time_adjusted
cost_per_ticket | cost_days tickets_created | currency | lower | E | resolved
clv | derived | currency | higher | - | subscription purchases realised
customer_lifetime_cost | customer_histories cost_days | currency | lower | S    |
customer_lifetime_profit | derived | currency | higher | - | after_acquisition
cost_per_issue | cost_days interactions | currency | lower | E | per_problem
cac | cost_days customers_won | currency | lower | E | paid
cost_per_lead | cost_days leads_created | currency | lower | E | qualified conversion
ltv_cac_ratio | derived | ratio | higher | - | gap payback_months revenue
"""
# The indicators of channel_performance, each a companion of it
THE_EIGHT = (
    "ticket_volume tickets_by_channel first_response_time resolution_time first_contact_resolution csat "
    "abandonment_rate cost_per_ticket"
)
# Cuts that the contract lets a fact have
CUTS = {
    "contacts": "channel type priority team segment country weekday hour weekday_hour",
    "tickets_created": "channel type issue priority team tier product segment plan country weekday hour",
    "tickets_resolved": "channel type issue priority team tier product segment plan country weekday hour"
    " agent resolved_by",
    "open_at_end": "channel type priority team agent segment status age_band country",
    "calls_offered": "channel queue team agent segment weekday hour weekday_hour country",
    "calls_handled": "channel queue team agent segment weekday hour country",
    "answers": "kind survey_channel channel type team agent segment plan country",
    "customer_periods": "segment plan country acquisition_channel tenure_band cohort had_ticket",
    "customers_won": "segment country acquisition_channel referral_program",
    "cost_days": "center category channel",
    "surveys_sent": "kind survey_channel segment country",
    "reviews": "team agent channel sampling",
    "buyers": "segment country acquisition_channel",
    "agent_days": "team tier agent weekday",
    "agents": "team tier agent",
    "interactions": "channel type team segment country",
    "leads_created": "channel",
    "customer_histories": "segment plan acquisition_channel cohort country",
}

ROWS = [
    [part.strip() for part in line.split("|")] for line in CONTRACT.replace("THE_EIGHT", THE_EIGHT).strip().splitlines()
]
IDS = [row[0] for row in ROWS]
DECLARED = {address: kpi for address, kpi, _ in addresses(registry())}
HEADLINES = [address for address in DECLARED if "." not in address]


def test_there_are_47_ids():
    assert len(IDS) == len(set(IDS)) == 47


def test_what_is_declared_is_the_contract():
    assert set(HEADLINES) == set(IDS)
    assert set(DECLARED) - set(HEADLINES) == {f"{row[0]}.{name}" for row in ROWS for name in row[5].split()}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_headline_is_declared_as_the_contract_says(row):
    name, facts, unit, better, watched, _ = row
    kpi = DECLARED[name]
    assert (" ".join(kpi.facts) or "derived", kpi.unit, kpi.better) == (facts, unit, better)
    anchor, _, days = watched.partition(" ")
    if kpi.facts:  # creation is the event itself where nothing that follows it is watched
        accepted = {anchor, "C"} if anchor == "E" else {anchor}
        assert FACTS[kpi.facts[0]].anchor in accepted
    horizon = getattr(Thresholds(), kpi.horizon.removeprefix("thresholds.")) if kpi.horizon else None
    assert horizon == (int(days) if days else None)


def test_a_fact_has_only_cuts_of_the_contract():
    more = {name: set(FACTS[name].cuts) - set(cuts.split()) for name, cuts in CUTS.items()}
    assert {name: cuts for name, cuts in more.items() if cuts} == {}


def test_a_fact_has_every_cut_of_the_contract():
    lacking = {name: set(cuts.split()) - set(FACTS[name].cuts) for name, cuts in CUTS.items()}
    assert {name: cuts for name, cuts in lacking.items() if cuts} == {}


@pytest.mark.parametrize("address", registry())
def test_a_kpi_has_only_cuts_of_each_of_its_facts(address):
    kpi = DECLARED[address]
    for name in (*kpi.cuts, *filter(None, [kpi.table_cut])):
        assert all(name in FACTS[fact].cuts for fact in kpi.facts), name


@pytest.mark.parametrize("address", registry())
def test_a_kpi_says_in_one_paragraph_what_it_is(address):
    kpi = DECLARED[address]
    assert kpi.document["summary"].endswith(".")
    assert len(kpi.document["summary"]) < 200
    assert kpi.title
    assert kpi.family in FAMILIES


@pytest.mark.parametrize("address", HEADLINES)
def test_a_headline_names_its_formula_and_its_source(address):
    document = DECLARED[address].document
    assert document.get("formula")
    assert document.get("source", "").startswith("S") or "none" in document.get("source", "").lower()


def test_titles_tell_numbers_apart():
    titles = [kpi.title for kpi in registry().values()]
    assert len(set(titles)) == len(titles)


def test_families_are_those_of_the_modules():
    families = {kpi.id: kpi.family for kpi in DECLARED.values()}
    assert {name for name, family in families.items() if family == "loyalty"} <= set(IDS[:10])
    assert {name for name, family in families.items() if family == "support_ops"} <= set(IDS[10:40])
    assert {name for name, family in families.items() if family == "customer_value"} <= set(IDS[40:])


@pytest.mark.parametrize("address", DECLARED)
def test_every_number_has_a_worked_test(address, request):
    here = request.path.parent
    tests = [*(here / "kpis").glob("test_*.py"), here / "test_business_time.py"]
    assert f'"{address}"' in "".join(path.read_text() for path in tests)

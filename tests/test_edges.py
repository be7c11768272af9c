"""What every number does where there is little or nothing: each gives its documented status, never a made-up value."""

import math

import pytest

from kpi_lib.estimate import Count, Distinct, Total
from kpi_lib.kpi import addresses
from kpi_lib.kpis import registry
from kpi_lib.waiting import Lasting

STATUSES = {"ok", "small_sample", "undefined", "not_available", "not_estimable"}
MONTHS = ("2024-03", "2024-07")  # with one row of everything; the months between are empty
ADDRESSES = {address: kpi for address, kpi, _ in addresses(registry())}
TABLES = {address for address, kpi in ADDRESSES.items() if kpi.table_cut}
COUNTS = {
    address
    for address, kpi in ADDRESSES.items()
    if isinstance(kpi.shape, Count | Distinct | Total) and address not in TABLES
}


@pytest.fixture
def sparse(company):
    """One customer, ticket, call, answer and so on in March and in July 2024, all of it done on the same day."""
    for number, month in enumerate(MONTHS):
        customer, day = f"customer {number}", f"{month}-05"
        company.customer(customer, first_paid_at=day, referral_program="friends", acquisition_channel="search")
        company.subscription(customer, day, f"{month}-20")
        first = {"channel": "email", "type": "order", "problem_id": "p", "team": "care", "priority": "high"}
        ticket = company.ticket(f"{day} 09:00", f"{day} 10:00", f"{day} 11:00", customer=customer, **first)
        company.event(ticket, f"{day} 09:30", "assign", to_value="anna")
        company.event(ticket, f"{day} 09:40", "internal_note", agent_id="anna", handle_seconds=60)
        company.call(f"{day} 12:00", queue=3, talk=60, hold=1, wrap=2)
        company.call(f"{day} 12:05", queue=30, outcome="abandoned_queue")
        company.call(f"{day} 12:06", outcome="blocked")
        for kind, score in (("csat", 5), ("nps", 9), ("nps_tx", 9), ("ces", 6)):
            company.survey(kind, score, f"{day} 15:00", customer=customer, ticket=ticket, sent_at=f"{day} 14:00")
        for sampling in ("random", "targeted"):
            review = {"review_id": f"{sampling} {number}", "ticket_id": ticket, "reviewed_at": f"{day} 16:00"}
            scale = {"category": "tone", "score": 4, "scale_min": 1, "scale_max": 5, "weight": 1, "is_critical": False}
            people = {"agent_id": "anna", "reviewer_id": "rita", "sampling": sampling}
            company.add("qa_reviews", **review, **scale, **people)
        company.transaction(customer, 20, f"{day} 10:00")
        for center, category in (("support", "salary"), ("acquisition", "media"), ("serve", "other")):
            company.cost(100, center, f"{month}-01", f"{month}-31", category=category, channel="search")
        company.lead(f"{day} 09:00", qualified_at=f"{day} 10:00", customer_id=customer, converted_at=f"{day} 11:00")
        company.shift("anna", f"{day} 09:00", f"{day} 17:00")
        company.engagement(customer, f"{day} 20:00")
    return company


def totals(company, period):
    frame = company.card(*(kpi.address for kpi in registry().values()), period=period, cuts=True).frame
    numbers = frame[["value", "low", "high", "numerator", "denominator", "n"]].to_numpy(float)
    assert not any(math.isinf(number) for number in numbers.ravel())
    assert set(frame["status"]) <= STATUSES
    unknown = frame[~frame["status"].isin(["ok", "small_sample"])]
    assert unknown["value"].isna().all()
    with_value = frame["status"].isin(["ok", "small_sample"]) & ~frame["kpi"].str.startswith("top_agents")
    assert frame.loc[with_value, "value"].notna().all()  # an agent with few cases has no score
    contained = frame[frame["low"].notna() & frame["high"].notna()]
    assert ((contained["low"] <= contained["value"]) & (contained["value"] <= contained["high"])).all()
    now = frame[(frame["period"] == period) & frame["cut"].isna()]
    return now.set_index("kpi")


def test_an_empty_month_has_counts_of_zero_and_no_rate(sparse):
    now = totals(sparse, "2024-05")
    counts = now[now.index.isin(COUNTS) & (now["status"] == "ok")]
    assert len(counts) > 15
    assert (counts["value"] == 0).all()
    money = [address for address in now.index if ADDRESSES[address].unit == "currency"]
    others = now[~now.index.isin(COUNTS) & ~now.index.isin(money)]
    known = others[others["status"].isin(["ok", "small_sample"])]
    assert set(known.index) == {"ticket_volume.per_working_day", "open_cases.daily_mean"}  # nothing a day is a true 0
    assert (known["value"] == 0).all()


def test_a_month_with_one_row_of_everything_says_how_little_that_is(sparse):
    now = totals(sparse, "2024-07")
    rates = now[now["unit"].isin(["percent", "points", "minutes", "seconds"]) & now["value"].notna()]
    assert len(rates) > 40
    longest = [
        address
        for address in rates.index
        if isinstance(ADDRESSES[address].shape, Lasting) and rates.loc[address, "method"] == "census"
    ]
    few = rates[rates["n"] < 5].drop(longest)
    assert len(few) > 20
    assert set(few["status"]) == {"small_sample"}


def test_months_before_the_data_are_not_available(sparse):
    frame = sparse.card(*(kpi.address for kpi in registry().values()), period="2024-05", cuts=True).frame
    since = ("cost_per_lead", "referral_rate")  # leads and customers are known since before
    early = frame[(frame["period"] == "2023-06") & ~frame["kpi"].str.startswith(since)]
    assert set(early["status"]) == {"not_available"}
    assert early["value"].isna().all()


def test_without_its_tables_a_number_is_not_available(company):
    frame = company.card(*(kpi.address for kpi in registry().values()), period="2024-05").frame
    now = frame[frame["period"] == "2024-05"]
    without_leads = now[~now["kpi"].str.startswith("cost_per_lead")]
    assert set(without_leads["status"]) == {"not_available"}
    assert set(now["kpi"]) == set(ADDRESSES)


def test_a_large_sum_keeps_all_its_digits(company):
    company.cost(31 * 1_000_003)
    company.call()
    assert company.row("cost_per_issue")["numerator"] == pytest.approx(31_000_093, rel=1e-12)

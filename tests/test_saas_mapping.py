import os
from pathlib import Path

import pandas as pd
import pytest

from kpi_lib import params, source
from kpi_lib.period import Period
from kpi_lib.scorecard import measure, needed_for

FOLDER = "ravenstack_saas"
EXAMPLE = Path(__file__).parent.parent / "params" / "examples" / "saas.yaml"

pytestmark = pytest.mark.skipif(
    not (Path(os.environ.get("KPI_EXAMPLES", "-")) / FOLDER).is_dir(),
    reason=f"KPI_EXAMPLES names no folder with {FOLDER}",
)


@pytest.fixture(scope="module")
def opened():
    return source.open(params.load(EXAMPLE))


@pytest.fixture(scope="module")
def table(opened):
    return lambda name: opened.tables[name].to_pandas()


@pytest.fixture(scope="module")
def export():
    folder = Path(os.environ["KPI_EXAMPLES"]) / FOLDER
    return lambda name: pd.read_csv(folder / f"ravenstack_{name}.csv")


@pytest.fixture(scope="module")
def checks(opened):
    return {check["table"]: check for check in opened.quality()[1] if check["level"] == "warning"}


def test_october_2024_has_the_recorded_figures(opened):
    kpis = needed_for(["ticket_volume", "churn_rate", "clv"])
    card = measure(opened, params.load(EXAMPLE), Period.parse("2024-10"), kpis, cuts=False).frame
    october = card[card["period"] == "2024-10"].set_index("kpi")
    assert october.loc["ticket_volume", "value"] == 88
    assert october.loc["churn_rate", ["value", "n", "status"]].tolist() == [0, 414, "ok"]
    assert october.loc["clv", "status"] == "not_estimable"


def test_tables_that_disagree_on_who_left_are_a_warning(checks, export):
    said = "accounts flagged churned 110, subscriptions ended 486, churn events 600"
    assert checks["churn"]["message"].startswith(said)
    accounts, left = export("accounts"), set(export("churn_events")["account_id"])
    assert (accounts["churn_flag"] != accounts["account_id"].isin(left)).sum() == checks["churn"]["rows"] == 312


def test_trials_are_left_out_and_counted(opened, table, export):
    (read,) = (found for found in opened.quality()[0] if found["table"] == "subscriptions")
    assert read["rows"] == 5000
    assert read["dropped"] == {"trial": 778, "ended before it started": 13}
    trials = export("subscriptions").query("is_trial")["subscription_id"]
    assert not table("subscriptions")["subscription_id"].isin(trials).any()
    assert (table("subscriptions")["mrr"] > 0).all()


def test_a_customer_is_one_however_many_subscriptions_overlap(table):
    october = pd.Timestamp("2024-10-01", tz="UTC")
    subscriptions = table("subscriptions")
    running = subscriptions[(subscriptions["started_at"] < october) & ~(subscriptions["ended_at"] <= october)]
    assert running["customer_id"].nunique() == 414
    assert running["customer_id"].value_counts().max() > 5


def test_an_account_is_won_by_its_referral_source_and_pays_from_its_first_subscription_that_is_no_trial(table, export):
    customers = table("customers").set_index("customer_id")
    accounts = export("accounts").set_index("account_id")
    assert (customers["acquisition_channel"] == accounts["referral_source"].reindex(customers.index)).all()
    paid = export("subscriptions").query("not is_trial").groupby("account_id")["start_date"].min()
    assert (customers["first_paid_at"].dt.strftime("%Y-%m-%d") == paid.reindex(customers.index)).all()
    assert (customers["first_paid_at"] >= customers["first_seen_at"]).all()


def test_events_stand_at_the_recorded_minutes_and_hours_of_a_ticket(table, export):
    events = table("ticket_events")
    tickets = export("support_tickets").set_index("ticket_id")
    at = {kind: events[events["event_id"].str.endswith(kind)].set_index("ticket_id")["at"] for kind in
          ("created", "reply", "escalate", "resolved")}  # fmt: skip
    minutes = (at["reply"] - at["created"]) / pd.Timedelta(minutes=1)
    assert (minutes == tickets["first_response_time_minutes"].reindex(minutes.index)).all()
    hours = (at["resolved"] - at["created"]) / pd.Timedelta(hours=1)
    assert (hours == tickets["resolution_time_hours"].reindex(hours.index)).all()
    assert set(at["escalate"].index) == set(tickets[tickets["escalation_flag"]].index)
    assert len(at["created"]) == len(at["resolved"]) == 2000


def test_a_reply_after_the_closing_is_a_warning(checks, export):
    tickets = export("support_tickets")
    late = tickets["first_response_time_minutes"] > 60 * tickets["resolution_time_hours"]
    assert late.sum() == checks["replies"]["rows"] == 36


def test_satisfaction_is_a_survey_of_every_ticket_answered_where_there_is_a_score(table, export):
    surveys = table("surveys")
    assert len(surveys) == 2000
    assert surveys["score"].isna().sum() == surveys["answered_at"].isna().sum() == 825
    assert (
        surveys.groupby("score").size().to_dict()
        == export("support_tickets")["satisfaction_score"].value_counts().to_dict()
    )
    assert set(zip(surveys["kind"], surveys["scale_min"], surveys["scale_max"], strict=True)) == {("csat", 1, 5)}


def test_feature_use_belongs_to_the_account_though_its_id_repeats_and_its_date_may_precede_the_subscription(
    table, export, checks
):
    use, subscriptions = export("feature_usage"), export("subscriptions")
    assert use["usage_id"].nunique() < len(use) == len(table("engagement_events")) == 25000
    joined = use.merge(subscriptions, on="subscription_id")
    assert table("engagement_events")["customer_id"].value_counts().equals(joined["account_id"].value_counts())
    outside = (joined["usage_date"] < joined["start_date"]) | (joined["usage_date"] > joined["end_date"])
    assert outside.sum() == checks["feature use"]["rows"] == 19432

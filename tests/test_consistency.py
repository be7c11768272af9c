"""The identities between numbers: they hold of real measurements, and the page says which one broke."""

import pandas as pd
import pytest

from kpi_lib import consistency
from kpi_lib.data_page import _identities

PERIODS = ("2024-04", "2024-05")


def frame_of(**values):
    """A frame with each KPI's value in April and May."""
    rows = [
        {"kpi": kpi, "period": period, "cut": None, "value": value, "numerator": value, "denominator": 100.0}
        for kpi, each in values.items()
        for period, value in zip(PERIODS, each, strict=True)
    ]
    return pd.DataFrame(rows).assign(slice="")


def broken(frame):
    """What is told of the frame's one slice."""
    return consistency.told(frame, "slice")[""]["broken"]


def test_what_adds_up_breaks_nothing():
    frame = frame_of(retention_rate=(97.0, 96.5), churn_rate=(3.0, 3.5))
    assert consistency.told(frame, "slice") == {"": {"checked": 1, "broken": []}}


def test_what_does_not_add_up_is_named_with_its_month_and_both_numbers():
    frame = frame_of(retention_rate=(97.0, 96.0), churn_rate=(3.0, 3.5))
    assert broken(frame) == ["retention and churn add up to 100 %: not so in 2024-05 (99.5 against 100)"]


def test_the_open_ones_grow_by_what_came_less_what_went():
    frame = frame_of(**{"open_cases": (40.0, 45.0), "open_cases.net_flow": (7.0, 6.0)})
    assert broken(frame) == [
        "created and reopened less resolved tickets is the growth of the open ones: not so in 2024-05 (6 against 5)"
    ]


def test_a_number_that_is_missing_is_not_judged():
    frame = frame_of(clv=(300.0, None), customer_lifetime_cost=(100.0, 100.0), customer_lifetime_profit=(200.0, 7.0))
    assert broken(frame) == []


def test_each_slice_is_looked_at_for_itself():
    one, other = frame_of(open_cases=(40.0, 45.0), retention_rate=(97.0, 96.0)), frame_of(open_cases=(7.0, 7.0))
    flows = [frame_of(**{"open_cases.net_flow": flow}) for flow in ((7.0, 5.0), (1.0, 1.0))]
    frame = pd.concat([*(rows.assign(slice="a") for rows in (one, flows[0])),
                       *(rows.assign(slice="b") for rows in (other, flows[1])),
                       frame_of(nps=(1.0, 2.0)).assign(slice="c")])  # fmt: skip
    said = "created and reopened less resolved tickets is the growth of the open ones: not so in 2024-05 (1 against 0)"
    assert consistency.told(frame, "slice") == {
        "a": {"checked": 1, "broken": []},
        "b": {"checked": 1, "broken": [said]},
        "c": {"checked": 0, "broken": []},
    }


@pytest.mark.parametrize(
    ("known", "said"),
    [
        ({"checked": 7, "broken": []}, ["The numbers agree with each other in all 7 ways that can be checked."]),
        ({"checked": 0, "broken": []}, []),
        (
            {"checked": 7, "broken": ["one is two: not so in 2024-05 (1 against 2)"]},
            ["These numbers do not agree with each other: one is two: not so in May 2024 (1 against 2)."],
        ),
    ],
)
def test_the_data_page_says_whether_the_numbers_agree(known, said):
    assert _identities({"identities": known}) == said


def test_the_identities_hold_of_a_company(company):
    """Every identity is checked on rows that the tables really give."""
    for customer, ended in (("ann", None), ("ben", "2024-05-10")):
        company.subscription(customer, ended=ended)
    company.survey("nps", 9)
    company.survey("nps", 3)
    company.ticket("2024-04-29 10:00", type="other", resolved="2024-05-02 10:00")
    company.ticket("2024-05-06 10:00", type="other", channel="email")
    company.call(queue=3, outcome="abandoned_queue")
    company.call(queue=30, outcome="answered")
    company.cost(10)
    card = company.card(*(kpi for kpi in ADDRESSES))
    assert card.about["identities"] == {"checked": len(consistency.IDENTITIES), "broken": []}


ADDRESSES = (
    "retention_rate",
    "churn_rate",
    "nps",
    "tickets_by_channel",
    "ticket_volume",
    "tickets_by_type",
    "resolution_rate.throughput",
    "open_cases",
    "open_cases.net_flow",
    "abandonment_rate",
    "abandonment_rate.all",
    "customer_lifetime_profit",
)


def test_all_that_the_identities_read_is_kept_for_them(monkeypatch):
    asked = set()
    for name in ("_of", "_members"):
        real = getattr(consistency, name)
        monkeypatch.setattr(
            consistency, name, lambda frame, kpi, *column, real=real: asked.add(kpi) or real(frame, kpi, *column)
        )
    empty = pd.DataFrame(columns=["part", "kpi", "period", "cut", "value", "numerator", "denominator"])
    for identity in consistency.IDENTITIES:
        identity.sides(empty)
    assert asked == set(consistency.READ)

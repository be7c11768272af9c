"""Cells of few are hidden, with so many beside them that subtraction finds none."""

import numpy as np
import pandas as pd
import pytest

from kpi_lib.kpis import registry
from kpi_lib.suppression import HIDDEN, is_hidden, without_few

PLAIN = {"slice": "enterprise", "period": "2024-05", "status": "ok", "method": "Wilson", "excluded": None}


def cells(kpi="csat", cut="channel", **sizes):
    """A row for each member with so many cases; `total` is the slice's own."""
    rows = []
    for member, size in sizes.items():
        place = {"cut": None, "member": None} if member == "total" else {"cut": cut, "member": member}
        numbers = dict.fromkeys(HIDDEN, 50.0) | {"n": float(size)}
        rows.append(PLAIN | {"kpi": kpi} | place | numbers)
    return pd.DataFrame(rows)


def hidden(frame, minimum=5):
    """The members that are hidden."""
    made = without_few(frame, registry(), minimum)
    return {"total" if pd.isna(row["member"]) else row["member"] for _, row in made[is_hidden(made)].iterrows()}


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ({"total": 30, "chat": 10, "email": 20}, set()),
        ({"total": 4, "chat": 4}, {"total", "chat"}),
        ({"total": 5, "chat": 5}, set()),
        ({"total": 33, "chat": 3, "email": 10, "web": 20}, {"chat", "email"}),  # the smallest other one
        ({"total": 30, "chat": 2, "email": 1, "web": 27}, {"chat", "email", "web"}),  # 2 and 1 are found from 3
        ({"total": 30, "chat": 2, "email": 3, "web": 25}, {"chat", "email"}),
        ({"total": 27, "chat": 0, "email": 2, "web": 25}, {"email", "web"}),  # a 0 hides nobody
        ({"total": 25, "chat": 0, "web": 25}, set()),
        ({"total": 16, "chat": 4, "email": 4, "web": 4, "phone": 4}, {"chat", "email", "web", "phone"}),
    ],
)
def test_cells_of_few_are_hidden_and_what_would_tell_them(sizes, expected):
    assert hidden(cells(**sizes)) == expected


def test_of_equal_cells_the_first_by_name_is_hidden_with_one_of_few():
    assert hidden(cells(web=10, email=10, chat=1)) == {"chat", "email"}


def test_nothing_is_left_of_a_hidden_number_and_it_says_why():
    made = without_few(cells(total=33, chat=3, email=10, web=20), registry(), 5).set_index("member")
    assert made.loc[["chat", "email"], HIDDEN].isna().all(axis=None)
    assert made.loc["web", HIDDEN].notna().all()
    assert list(made.loc[["chat", "email"], "status"]) == ["small_sample"] * 2
    assert made.loc["chat", "method"] == "hidden: fewer than 5 cases"
    assert made.loc["email", "method"] == "hidden: would tell of fewer than 5 cases"


def test_each_number_slice_period_and_cut_is_a_total_of_its_own():
    parts = [cells(chat=3, email=10, web=20), cells(chat=30, email=10, web=20)]
    for key, other in (("kpi", "ces"), ("slice", "consumer"), ("period", "2024-04"), ("cut", "team")):
        frame = pd.concat([parts[0], parts[1].assign(**{key: other})], ignore_index=True)
        assert len(made := without_few(frame, registry(), 5)) == 6
        assert is_hidden(made).sum() == 2, key


@pytest.mark.parametrize(
    "kpi",
    ["tickets_by_type", "most_common_issues", "most_common_issues.rank", "channel_performance.tickets_by_channel"],
)
def test_the_cell_of_a_table_of_shares_is_the_members_count(kpi):
    frame = cells(kpi, "type", billing=100, damage=100, account=100)
    frame["numerator"] = [3.0, 20.0, 77.0]
    assert hidden(frame) == {"billing", "damage"}


def test_the_satisfied_of_many_answers_are_no_cell():
    assert hidden(cells(total=100).assign(numerator=1.0)) == set()


def test_reasons_of_few_rows_are_not_told():
    frame = cells(total=100).assign(excluded='{"spam": 4, "test": 5}')
    assert list(without_few(frame, registry(), 5)["excluded"]) == ['{"test": 5}']


def test_an_unknown_number_of_cases_is_not_few():
    assert without_few(cells(total=np.nan), registry(), 5).loc[0, "value"] == 50

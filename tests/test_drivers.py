"""Why a number moved: the published vector, what adds up as printed, and what has no parts."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_scorecard import ABOUT, row

from kpi_lib.drivers import adding_up, decompose, leaves, why
from kpi_lib.period import Period

MAY = Period.parse("2024-05")


def rows(period, cut=None, **members):
    """Return the rows of a share: of each member (cases, percent), and of all together."""
    sums = [(name, cases, cases * percent / 100) for name, (cases, percent) in members.items()]
    sums.append((None, sum(each[1] for each in sums), sum(each[2] for each in sums)))
    made = [
        row(kpi="csat", title="Satisfaction", unit="percent", period=period, cut=cut if name else None, member=name,
            value=100 * hits / cases if cases else None, numerator=hits, denominator=cases, n=cases,
            status="ok" if cases > 4 else "small_sample" if cases else "undefined", method="Wilson",
            low=float("nan"), high=float("nan"))
        for name, cases, hits in sums
    ]  # fmt: skip
    return pd.DataFrame(made)


def moved(before, now, cut="channel", **changed):
    frame = pd.concat([rows("2024-04", cut, **before), rows("2024-05", cut, **now)], ignore_index=True)
    about = ABOUT | {"kpis": {"csat": {"anchor": "answered in the period"}}}
    return decompose(frame.assign(**changed), "csat", cut, MAY, about)


def vector():
    return moved({"email": (600, 70), "phone": (400, 90)}, {"email": (800, 72), "phone": (200, 92)})


def test_the_published_vector_fell_although_both_channels_rose():
    found = vector()
    assert found.rate == pytest.approx(2.0)
    assert found.mix == pytest.approx(-4.0)
    assert found.change == pytest.approx(-2.0)
    assert found.is_reversed
    assert found.sentence(ABOUT).replace("\N{NO-BREAK SPACE}", " ") == (
        "Satisfaction fell by 2.0 percentage points on April although every channel rose: "
        "the weight of phone, where values are higher, shrank from 40.0% to 20.0%."
    )


def test_each_member_has_what_its_value_and_what_its_weight_brought():
    parts = vector().parts.set_index("member")
    assert parts.loc["email", ["rate", "mix", "together"]].tolist() == pytest.approx([1.4, -1.2, 0.2])
    assert parts.loc["phone", ["rate", "mix", "together"]].tolist() == pytest.approx([0.6, -2.8, -2.2])
    assert parts.index.tolist() == ["phone", "email"]


def test_a_change_within_the_members_names_the_one_that_brought_most():
    found = moved({"chat": (100, 80), "phone": (100, 80)}, {"chat": (100, 70), "phone": (100, 79)})
    assert found.sentence(ABOUT).replace("\N{NO-BREAK SPACE}", " ") == (
        "Satisfaction fell by 5.5 percentage points on April: changes within each channel took away 5.5 points and "
        "the mix by channel changed nothing; chat brought most (−5.0)."
    )


def test_a_change_against_the_members_values_together_is_called_that():
    found = moved({"a": (50, 90), "b": (50, 50)}, {"a": (80, 85), "b": (20, 51)}, cut="plan")
    assert not found.is_reversed
    assert found.is_against_its_parts
    assert "rose by 8.2 percentage points on April only through the mix by plan" in found.sentence(ABOUT).replace(
        "\N{NO-BREAK SPACE}", " "
    )


@pytest.mark.parametrize(("margin", "chance"), [(1.0, False), (1.5, True)])
def test_a_change_within_the_margin_of_both_numbers_may_be_chance(margin, chance):
    before, now = {"a": (50, 80), "b": (50, 80)}, {"a": (50, 82), "b": (50, 82)}
    frame = pd.concat([rows("2024-04", "channel", **before), rows("2024-05", "channel", **now)], ignore_index=True)
    found = decompose(
        frame.assign(low=frame["value"] - margin, high=frame["value"] + margin), "csat", "channel", MAY, ABOUT
    )
    assert found.is_within_margin is chance  # 2 points against the root of two squares: 1.41 or 2.12
    assert found.sentence(ABOUT).endswith("its parts may be chance.") is chance


def test_changes_that_cancel_out_are_no_change():
    found = moved({"a": (50, 80), "b": (50, 60)}, {"a": (50, 82), "b": (50, 58)})
    assert found.sentence(ABOUT).startswith("Satisfaction: unchanged from April; changes within each channel changed")


def test_a_member_of_one_period_only_has_changed_its_weight():
    found = moved({"a": (100, 80)}, {"a": (100, 80), "b": (100, 60)})
    parts = found.parts.set_index("member")
    assert found.change == pytest.approx(-10.0)
    assert parts["rate"].tolist() == [0.0, 0.0]
    assert not found.is_reversed


def test_members_with_too_few_cases_are_marked_and_not_named_as_the_one_that_brought_most():
    found = moved({"a": (100, 80), "b": (4, 100)}, {"a": (100, 80), "b": (4, 0)})
    assert found.parts.set_index("member")["sure"].to_dict() == {"a": True, "b": False}
    assert "brought most" not in found.sentence(ABOUT)


def test_a_member_that_is_a_number_is_named_with_its_cut():
    found = moved({"14": (100, 80), "15": (100, 80)}, {"14": (100, 70), "15": (100, 80)}, cut="hour")
    assert "; hour 14 brought most" in found.sentence(ABOUT)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        (
            {"method": "Kaplan-Meier, log-log limits"},
            "those still open too, so that the numbers by channel do not add up to it",
        ),
        ({"denominator": None}, "has no mix; its numbers by channel show what changed"),
        ({"provisional": True}, "can be told when it is final"),
        ({"status": "small_sample"}, "there are not two numbers, of April 2024 and May 2024, to compare"),
        ({"value": 50.0}, "the numbers by channel do not add up to the total"),
    ],
)
def test_a_change_that_has_no_parts_says_why(changed, says):
    before, now = {"a": (50, 80), "b": (50, 60)}, {"a": (60, 82), "b": (40, 58)}
    if "value" in changed:
        frame = pd.concat([rows("2024-04", "channel", **before), rows("2024-05", "channel", **now)])
        frame.loc[frame["cut"].isna(), "value"] = 50.0
        found = decompose(frame, "csat", "channel", MAY, ABOUT)
    else:
        found = moved(before, now, **changed)
    assert isinstance(found, str)
    assert says in found


def test_the_first_period_there_is_has_nothing_to_compare_with():
    assert "not two numbers" in decompose(rows("2024-05", "channel", a=(50, 80)), "csat", "channel", MAY, ABOUT)


share = st.tuples(st.integers(0, 400), st.integers(0, 400)).map(sorted)


@settings(deadline=None)
@given(st.lists(st.tuples(share, share), min_size=1, max_size=6))
def test_parts_as_printed_add_up_to_the_change_as_printed(members):
    ends = []
    for end in (0, 1):
        sums = {f"m{place}": (pair[end][1], pair[end][0]) for place, pair in enumerate(members)}
        cases = {name: (n, 100 * k / n if n else 0) for name, (n, k) in sums.items()}
        ends.append(cases)
    found = moved(*ends)
    if isinstance(found, str):
        assert not all(sum(n for n, _ in end.values()) > 4 for end in ends)
        return
    printed = [round(total["value"], 1) for total in (found.now, found.before)]
    assert round(found.change, 6) == round(printed[0] - printed[1], 6)
    assert found.parts["together"].sum() == pytest.approx(found.change)
    exact_rate = sum(
        (part["weight"] + part["weight_before"]) / 200 * (part["now"] - part["before"])
        for part in found.parts.to_dict("records")
        if pd.notna(part["now"]) and pd.notna(part["before"])
    )
    assert abs(found.rate - exact_rate) <= 0.2


def test_rounded_parts_add_up():
    assert adding_up([0.34, 0.33, 0.33], 1.0, 0.1) == pytest.approx([0.4, 0.3, 0.3])
    assert adding_up([0.35, -0.28], 0.1, 0.1) == pytest.approx([0.4, -0.3])
    assert adding_up([1.0, 1.0], 1.9, 0.1) == pytest.approx([1.0, 0.9])


def test_steps_that_are_taken_away_leave_what_is_said():
    steps = [row(value=100.0), row(value=30.0, better="lower"), row(value=70.0)]
    assert leaves(steps)
    assert not leaves([*steps[:2], row(value=71.0)])
    assert not leaves(steps[:2])


def told(by_channel, by_team, **limits):
    """Return what page one says of April and May, each a share by channel and by team."""
    made = [
        rows(period, cut, **{name: each[place] for name, each in members.items()})
        for cut, members in (("channel", by_channel), ("team", by_team))
        for place, period in enumerate(("2024-04", "2024-05"))
    ]
    frame = pd.concat(made, ignore_index=True).drop_duplicates(["period", "cut", "member"]).assign(**limits)
    about = ABOUT | {"kpis": {"csat": {"anchor": "answered in the period"}}}
    return why(frame, "csat", ["team", "channel"], MAY, about).replace("\N{NO-BREAK SPACE}", " ")


def test_the_member_of_any_cut_that_brought_most_of_a_change_is_named():
    even = dict.fromkeys("ab", ((500, 80), (500, 90)))
    chat = {"chat": ((500, 80), (500, 98)), "phone": ((500, 80), (500, 82))}
    assert told(chat, even) == "Most of the change on April: chat (+9.0)."
    assert told(chat, even, low=60.0, high=99.0) == ""  # it may be chance
    many = dict.fromkeys("abcd", ((250, 80), (250, 90)))
    assert told(many, many) == ""

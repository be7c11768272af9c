"""Heat maps: which cells are drawn, what is written in them, which are unsure, and what is said of them."""

from typing import Any

import pandas as pd
import pytest
from matplotlib.colors import to_hex
from small_scorecard import about, row

from kpi_lib import heat
from kpi_lib.period import Period

ABOUT = about()
ABOUT["kpis"] |= {name: {"short": short} for name, short in (("volume", "Requests"), ("level", "Service level"))}


def hours(**changed: Any) -> pd.DataFrame:
    """A KPI by hour and weekday: `mon_09=(value, n)`."""
    common = {name: changed.pop(name) for name in ("kpi", "unit", "better")}
    days = {"mon": "1 mon", "tue": "2 tue"}
    rows = [
        row(**common, cut=heat.WEEK, member=f"{days[name[:3]]} {name[4:]}", value=value, n=n, low=value - 10,
            high=value + 10, status="ok" if n > 4 else "small_sample")
        for name, (value, n) in changed.items()
    ]  # fmt: skip
    return pd.DataFrame(rows)


def demand(**cases: int) -> pd.DataFrame:
    found = hours(kpi="volume", unit="count", better="none", **{name: (float(n), 100) for name, n in cases.items()})
    return found.assign(n=found["value"], low=None, high=None)


def level(**cells: tuple[float, int]) -> pd.DataFrame:
    return hours(kpi="level", unit="percent", better="higher", **cells)


def total(frame: pd.DataFrame, value: float) -> dict[str, Any]:
    return {**frame.to_dict("records")[0], "cut": None, "member": None, "value": value, "status": "ok"}


def written(figure, axes: int = 0) -> list[str]:
    """The numbers in the cells, row by row; the titles are written as well but not into cells."""
    return [text.get_text() for text in figure.axes[axes].texts if text.get_ha() == "center"]


def faces(figure, axes: int = 0) -> list[str]:
    return [to_hex(patch.get_facecolor()) for patch in figure.axes[axes].patches]


def labels(figure, axis: str, axes: int = 0) -> list[str]:
    figure.canvas.draw()
    return [label.get_text() for label in getattr(figure.axes[axes], f"{axis}axis").get_majorticklabels()]


def test_demand_stands_beside_service_over_the_same_hours_and_days():
    volume = demand(mon_09=40, tue_09=60, mon_11=20)
    figure = heat.week([volume, level(mon_09=(80.4, 40), tue_09=(60.0, 60))], ABOUT, alt="Most on tue 09.")
    assert labels(figure, "y") == ["09", "10", "11"]  # also the hour between
    assert labels(figure, "x", axes=1) == ["mon", "tue"]
    assert (written(figure), written(figure, 1)) == (["40", "60", "20"], ["80", "60"])
    assert figure._repr_mimebundle_()[1] == {"image/svg+xml": {"alt": "Most on tue 09."}}


def test_the_darkest_is_most_demand_and_worst_service():
    figure = heat.week([demand(mon_09=40, tue_09=60), level(mon_09=(80.0, 40), tue_09=(60.0, 60))], ABOUT)
    light, dark = faces(figure)
    assert int(dark[1:], 16) < int(light[1:], 16)
    light, dark = faces(figure, 1)
    assert int(dark[1:], 16) < int(light[1:], 16)
    assert [text.get_color() for text in figure.axes[1].texts[:2]] == ["black", "white"]


@pytest.mark.parametrize("share", [0, 0.25, 0.5, 0.75, 1])
def test_a_number_is_readable_on_every_shade(share):
    bright = heat._luminance(heat._shade("#1f4e79", share))
    contrast = (bright + 0.05) / 0.05 if bright > heat._MIDDLE else 1.05 / (bright + 0.05)
    assert contrast >= 4.5


def test_a_cell_of_too_few_cases_is_hatched_with_a_dash():
    figure = heat.week([level(mon_09=(80.0, 40), tue_09=(60.0, 3))], ABOUT)
    assert written(figure) == ["80", "–"]
    assert [bool(patch.get_hatch()) for patch in figure.axes[0].patches] == [False, True]
    assert "in %; stronger colour: lower; hatched: too few" in [text.get_text() for text in figure.axes[0].texts]


def test_hours_in_which_hardly_anybody_asks_are_not_drawn_but_in_the_table():
    volume = demand(mon_03=1, mon_09=400, tue_09=400)
    assert labels(heat.week([volume], ABOUT), "y") == ["09"]
    table = heat.week_table([volume], ABOUT)
    assert table.rows == [["03", "1", ""], ["09", "400", "400"]]


def test_the_table_has_value_and_cases_of_each_kpi_by_weekday():
    volume, service = demand(mon_09=40, tue_09=60), level(mon_09=(80.0, 40), tue_09=(60.0, 3))
    table = heat.week_table([volume, service], ABOUT)
    assert [column.label for column in table.columns] == [
        "Hour", "mon, Requests", "mon, Service level", "tue, Requests", "tue, Service level",
    ]  # fmt: skip
    assert table.rows == [["09", "40", "80.0% (40)", "60", "– (3)"]]


def test_the_sentence_names_the_busiest_hour_and_the_worst_and_what_chance_would_do():
    volume = demand(mon_09=40, tue_09=60)
    service = level(mon_09=(80.0, 40), tue_09=(60.0, 60))
    said = heat.week_in_words([volume, service], [total(volume, 100), total(service, 75.0)], ABOUT)
    assert said == (
        "Requests: most on tue 09 (60). Service level: lowest on tue 09 (60.0%); it is below 75.0%, that of all, by"
        " more than the margin of error in 1 of 2 hours, where chance alone would put 0."
    )


def test_of_what_shall_be_low_the_highest_is_named():
    wait = hours(kpi="level", unit="percent", better="lower", mon_09=(30.0, 40), tue_09=(50.0, 40))
    said = heat.week_in_words([wait], [total(wait, 35.0)], ABOUT)
    assert said.startswith("Service level: highest on tue 09 (50.0%); it is above 35.0%, that of all,")


def test_without_any_hour_of_enough_cases_nothing_is_named():
    few = level(mon_09=(80.0, 3))
    assert heat.week_in_words([few], [total(few, 80.0)], ABOUT) == (
        "Service level: too few cases in every hour of the week."
    )


def kept(**cohorts: list[tuple[int, int]]) -> pd.DataFrame:
    """Cohorts, `m2024_02=[(kept, joined), ...]`, one entry for each month from that of joining on."""
    rows = []
    for name, entries in cohorts.items():
        joined = Period.parse(name[1:].replace("_", "-"))
        for age, (k, n) in enumerate(entries):
            rows.append(
                row(kpi="retention_rate.of_cohort", cut="cohort", member=str(joined), unit="percent", value=100 * k / n,
                    numerator=float(k), denominator=float(n), n=float(n), status="ok" if n > 4 else "small_sample",
                    period=str(Period(1, joined.ordinal + age)))
            )  # fmt: skip
    return pd.DataFrame(rows)


MAY = Period.parse("2024-05")


def test_a_cell_is_a_cohort_and_the_months_since_it_joined():
    cells = heat.cohort_cells(kept(m2024_02=[(99, 100), (90, 100), (85, 100), (80, 100)], m2024_05=[(50, 50)]), MAY)
    assert {place: found["value"] for place, found in cells.items()} == {
        ("2024-02", 0): 99, ("2024-02", 1): 90, ("2024-02", 2): 85, ("2024-02", 3): 80, ("2024-05", 0): 100,
    }  # fmt: skip


def test_only_the_cohorts_of_thirteen_months_are_drawn():
    frame = pd.concat([kept(m2023_04=[(1, 9)] * 14), kept(m2023_05=[(2, 9)] * 13)])
    assert {cohort for cohort, _ in heat.cohort_cells(frame, MAY)} == {"2023-05"}


def test_cohorts_are_drawn_as_a_triangle_with_how_many_joined():
    cells = heat.cohort_cells(kept(m2024_04=[(99, 100), (90, 100)], m2024_05=[(4, 4)]), MAY)
    figure = heat.cohorts(cells, ABOUT, alt="Alike.")
    assert labels(figure, "y") == ["April 2024, n = 100", "May 2024, n = 4"]
    assert labels(figure, "x") == ["0", "1"]
    assert written(figure) == ["99", "90", "–"]
    table = heat.cohort_table(cells, ABOUT)
    assert table.rows == [["April 2024", "100", "99.0%", "90.0%"], ["May 2024", "4", "–", ""]]


def test_cohorts_that_differ_by_chance_alone_are_said_to_be_alike():
    cells = heat.cohort_cells(kept(m2024_01=[(90, 100)] * 4, m2024_02=[(88, 100)] * 4), MAY)
    assert heat.cohorts_in_words(cells, ABOUT) == (
        "After 3 months 89.0% were still there, from 88.0% (February 2024) to 90.0% (January 2024): the cohorts do not"
        " differ by more than chance explains."
    )


def test_the_cohort_that_lost_most_is_named_when_they_do_differ():
    cells = heat.cohort_cells(kept(m2024_01=[(90, 100)] * 4, m2024_02=[(60, 100)] * 4), MAY)
    assert heat.cohorts_in_words(cells, ABOUT) == (
        "Of those who joined in February 2024 the fewest were still there after 3 months: 60.0%, of all cohorts 75.0%;"
        " the cohorts differ by more than chance explains."
    )


def test_where_nobody_left_cohorts_do_not_differ_and_young_ones_are_not_compared():
    full = heat.cohort_cells(kept(m2024_01=[(90, 90)] * 4, m2024_02=[(60, 60)] * 4), MAY)
    assert "do not differ" in heat.cohorts_in_words(full, ABOUT)
    young = heat.cohort_cells(kept(m2024_04=[(90, 100)] * 2), MAY)
    assert heat.cohorts_in_words(young, ABOUT) == "3 months after joining it is too early to compare cohorts."

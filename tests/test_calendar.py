"""The calendar's days and months: local ones, on both sides of a change of the clock and of midnight."""

import ibis
import pandas as pd

from kpi_lib.facts.calendar import Calendar
from kpi_lib.params import Hours
from kpi_lib.period import Period

CALENDAR = Calendar((Period.parse("2024-03"), Period.parse("2024-04")), "Europe/Berlin", Hours())
SPRING = {  # clocks go from +01:00 to +02:00 on 2024-03-31 at 01:00 UTC
    "2024-02-29 22:59:59": ("2024-02-29", "2024-02"),
    "2024-02-29 23:00:00": ("2024-03-01", "2024-03"),
    "2024-03-31 00:59:59": ("2024-03-31", "2024-03"),
    "2024-03-31 21:59:59": ("2024-03-31", "2024-03"),
    "2024-03-31 22:00:00": ("2024-04-01", "2024-04"),  # 23:00 if winter lasted
    "2023-10-28 22:00:00": ("2023-10-29", "2023-10"),
    "2023-10-29 22:59:59": ("2023-10-29", "2023-10"),  # the next day if summer lasted
    "1990-01-01 00:00:00": ("1990-01-01", "1990-01"),
}


def instants():
    at = pd.to_datetime(pd.Series(list(SPRING)), utc=True)
    return ibis.memtable(pd.DataFrame({"at": at}), schema={"at": "timestamp('UTC', 6)"})


def test_a_day_is_the_local_one():
    rows = instants()
    frame = CALENDAR.dated(rows, rows["at"]).to_pandas().sort_values("at")
    days = pd.Timestamp(0) + pd.to_timedelta(frame["day"], unit="D")
    told = dict(zip(frame["at"].dt.strftime("%Y-%m-%d %H:%M:%S"), days.dt.strftime("%Y-%m-%d"), strict=True))
    assert told == {at: day for at, (day, _) in SPRING.items()}


def test_a_month_is_the_local_one_and_null_after_the_last_period():
    later = pd.DataFrame({"at": pd.to_datetime(["2024-04-30 22:00:00"], utc=True)})
    rows = instants().union(ibis.memtable(later, schema={"at": "timestamp('UTC', 6)"}))
    frame = CALENDAR.with_month(rows, rows["at"], "cohort").to_pandas()
    assert list(frame.columns) == ["at", "cohort"]
    told = dict(zip(frame["at"].dt.strftime("%Y-%m-%d %H:%M:%S"), frame["cohort"], strict=True))
    assert pd.isna(told.pop("2024-04-30 22:00:00"))
    assert told == {at: month for at, (_, month) in SPRING.items()}

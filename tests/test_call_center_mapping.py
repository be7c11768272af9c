import os
from pathlib import Path

import pandas as pd
import pytest

from kpi_lib import params, source
from kpi_lib.period import Period
from kpi_lib.scorecard import measure, needed_for

LOG = "technion_calls/anonymous_bank_1999_jan_oct.parquet"
EXAMPLE = Path(__file__).parent.parent / "params" / "examples" / "call_center.yaml"
ZONE = "Asia/Jerusalem"
ABANDONED, SPEED = "abandonment_rate", "average_speed_of_answer"

pytestmark = pytest.mark.skipif(
    not (Path(os.environ.get("KPI_EXAMPLES", "-")) / LOG).is_file(), reason=f"KPI_EXAMPLES names no folder with {LOG}"
)


@pytest.fixture(scope="module")
def opened():
    return source.open(params.load(EXAMPLE))


@pytest.fixture(scope="module")
def log():
    """The log as it is, by the key that the mapping makes."""
    rows = pd.read_parquet(Path(os.environ["KPI_EXAMPLES"]) / LOG)
    return rows.set_index(rows["vru_line"] + "-" + rows["call_id"] + "-" + rows["date"])


@pytest.fixture(scope="module")
def calls(opened, log):
    """The calls that count, beside their rows in the log."""
    found = opened.tables["calls"].to_pandas().set_index("call_id")
    found["offered_at"] = found["offered_at"].dt.tz_convert(ZONE)
    return found.join(log.add_suffix("_logged"))


def test_march_1999_has_the_recorded_figures(opened):
    kpis = needed_for([ABANDONED, f"{ABANDONED}.all", SPEED])
    card = measure(opened, params.load(EXAMPLE), Period.parse("1999-03"), kpis, cuts=False).frame
    value = card[card["period"] == "1999-03"].set_index("kpi")["value"]
    assert value[f"{ABANDONED}.all"] == pytest.approx(23.60, abs=0.005)
    assert value[ABANDONED] == pytest.approx(23.05, abs=0.005)
    assert value[SPEED] == pytest.approx(92.90, abs=0.005)


def test_a_third_of_marchs_answered_calls_did_not_wait(calls):
    march = calls[(calls["offered_at"].dt.month == 3) & (calls["outcome"] == "answered")]
    assert (len(march), (march["queue_seconds"] == 0).sum()) == (27847, 8669)
    assert march.loc[march["queue_seconds"] > 0, "queue_seconds"].mean() == pytest.approx(134.90, abs=0.005)


def test_phantoms_are_no_calls_and_are_counted(opened, calls, log):
    february = log[log["date"].str.startswith("9902")]
    gone = february.index.difference(calls.index)
    assert (len(february), len(gone)) == (33344, 278)
    assert set(february.loc[gone, "outcome"]) == {"PHANTOM"}
    (read,) = (table for table in opened.quality()[0] if table["present"])
    assert (read["table"], read["rows"], read["dropped"]) == ("calls", 360364, {"phantom call": 2968})
    assert len(calls) == 360364 - 2968


def test_a_negative_time_in_the_voice_menu_is_a_warning_and_the_call_counts(opened, calls):
    negative = calls[calls["vru_time_logged"] < 0]
    assert negative["date_logged"].str.startswith("9902").sum() == 23
    (found,) = (check for check in opened.quality()[1] if check["table"] == "voice menu")
    assert (found["level"], found["rows"]) == ("warning", len(negative)) == ("warning", 292)
    march = calls[calls["date_logged"].str.startswith("9903") & (calls["outcome"] == "answered")]
    without = march.loc[march["vru_time_logged"] >= 0, "queue_seconds"].mean()
    assert without == pytest.approx(92.79, abs=0.005), "their waits are part of the recorded 92.90"


def test_a_call_that_never_queued_went_to_an_agent_at_once_or_was_given_up_in_the_voice_menu(calls):
    straight = calls[(calls["q_start_logged"] == "0:00:00") & (calls["q_time_logged"] == 0)].groupby("outcome")[
        "queue_seconds"
    ]
    assert straight.size().to_dict() == {"abandoned_ivr": 19720, "answered": 128348}
    assert straight.max().dropna().to_dict() == {"answered": 0}
    assert calls["outcome"].value_counts()["abandoned_queue"] == 51987


def test_a_call_that_joins_the_queue_at_midnight_has_queued_and_belongs_to_the_next_day(calls):
    midnight = calls.loc["AA0102-31056-990215"]
    assert (midnight["q_start_logged"], midnight["outcome"], midnight["queue_seconds"]) == ("0:00:00", "answered", 27)
    assert midnight["offered_at"] == pd.Timestamp("1999-02-16 00:00", tz=ZONE)
    assert calls.loc["AA0115-14375-990210", "offered_at"] == pd.Timestamp("1999-02-11 00:00:02", tz=ZONE)
    assert (calls["offered_at"].dt.day != calls["ts_vru_entry_logged"].dt.day).sum() == 4


def test_days_begin_and_end_in_jerusalem_in_winter_and_in_summer(calls):
    assert calls["offered_at"].min() == pd.Timestamp("1999-01-01 00:00:08", tz=ZONE)
    july = calls[calls["date_logged"] == "990701"].iloc[0]
    assert july["offered_at"].utcoffset() == pd.Timedelta(hours=3)
    assert july["offered_at"].strftime("%H:%M:%S") == july["vru_exit_logged"].zfill(8)


def test_november_and_december_are_missing(opened, calls):
    assert calls["offered_at"].dt.month.unique().tolist() == list(range(1, 11))
    assert opened.as_of.isoformat() == "1999-11-01T00:00:00+02:00"


def test_line_and_date_make_a_call_id_unique(calls, log):
    assert log["call_id"].nunique() < len(log)
    assert calls.index.is_unique


def test_nobody_is_no_agent_and_garbled_names_are_mended(calls):
    answered = calls["outcome"] == "answered"
    assert not calls["agent_id"].str.contains("NO_SERVER", na=False).any()
    assert calls.loc[~answered, "agent_id"].isna().all()
    assert calls.loc[answered, "agent_id"].isna().sum() == 4510
    mended = calls[calls["server_logged"].isin(["NO_SERVERAMA", "ANO_SERVERT"]) & answered]
    assert mended.groupby("server_logged")["agent_id"].unique().str.join("").to_dict() == {
        "ANO_SERVERT": "ANAT",
        "NO_SERVERAMA": "NAAMA",
    }


def test_a_caller_who_was_not_identified_is_no_customer(calls):
    assert (calls["customer_id"].isna() == (calls["customer_id_logged"] == "0")).all()
    assert calls["customer_id"].isna().any()

"""The sample company: the contract holds, the stories are there with their true effects, and nothing else is odd."""

import hashlib
from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

from kpi_lib import sample
from kpi_lib.contract import TABLES
from kpi_lib.errors import KpiError

BERLIN = "Europe/Berlin"
KEYS = {name: list(table.key) for name, table in TABLES.items()}
Company = Callable[[str], pd.DataFrame]


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The company as first extract, as second extract, and without its stories."""
    root = tmp_path_factory.mktemp("sample")
    sample.write(root / "first")
    sample.write(root / "second", extract="2024-07-09")
    sample.write(root / "plain", stories=False)
    return {name: root / name for name in ("first", "second", "plain")}


def _reader(folder: Path) -> Company:
    return cache(lambda table: pd.read_parquet(folder / f"{table}.parquet"))


@pytest.fixture(scope="session")
def company(folders: dict[str, Path]) -> Company:
    return _reader(folders["first"])


@pytest.fixture(scope="session")
def plain(folders: dict[str, Path]) -> Company:
    return _reader(folders["plain"])


def month(instants: pd.Series) -> pd.Series:
    """The local month as text."""
    return instants.dt.tz_convert(BERLIN).dt.strftime("%Y-%m")


def happened(instants: pd.Series, story: sample.Story) -> pd.Series:
    """Which instants lie in a story's days."""
    start, end = (pd.Timestamp(day, tz=BERLIN) for day in (story.start, story.end))
    return (instants >= start) & (instants < end)


def start_of(text: str) -> pd.Timestamp:
    return pd.Timestamp(f"{text}-01", tz=BERLIN)


def hashes(folder: Path) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(folder.iterdir())}


def churn(company: Company, text: str, segment: str) -> float:
    """Percent of a segment's customers at a month's start who have no subscription at its end."""
    customers = company("customers").set_index("customer_id")
    terms = company("subscriptions")
    terms = terms[terms.customer_id.map(customers.segment) == segment]

    def active(at: pd.Timestamp) -> set[str]:
        return set(terms.customer_id[(terms.started_at <= at) & ~(terms.ended_at <= at)])

    before = active(start_of(text))
    return 100 * len(before - active(start_of(text) + pd.DateOffset(months=1))) / len(before)


def csat(company: Company) -> pd.DataFrame:
    """Answered CSAT invitations with the ticket's channel, month and whether the score is 4 or 5."""
    answers = company("surveys").query("kind == 'csat'").dropna(subset="answered_at")
    channel = company("tickets").drop_duplicates("ticket_id").set_index("ticket_id").channel
    return pd.DataFrame(
        {
            "month": month(answers.answered_at),
            "channel": answers.ticket_id.map(channel),
            "happy": 100.0 * (answers.score >= 4),
        }
    )


def test_the_same_bytes_each_time(folders: dict[str, Path], tmp_path: Path) -> None:
    sample.write(tmp_path / "again")
    assert hashes(tmp_path / "again") == hashes(folders["first"])


def test_twelve_tables_with_the_columns_of_the_contract(company: Company) -> None:
    for name, table in TABLES.items():
        declared = {column.name for column in table.columns}
        assert set(company(name).columns) - {"loaded_at"} == declared - {"left_out", "loaded_at"}, name
        assert company(name).loaded_at.notna().all(), name


def test_words_are_those_of_the_contract(company: Company) -> None:
    for name, table in TABLES.items():
        rows = company(name)
        for column in table.columns:
            if column.vocabulary:
                assert set(rows[column.name].dropna()) <= set(column.vocabulary), (name, column.name)
            if column.need == "required" and column.null == "error":
                assert rows[column.name].notna().all(), (name, column.name)


def test_keys_are_unique_but_for_the_planted_duplicates(company: Company) -> None:
    for name, key in KEYS.items():
        repeated = company(name).duplicated(key).sum()
        assert repeated == (412 if name == "tickets" else 0), name


def test_every_reference_is_there(company: Company) -> None:
    for name, table in TABLES.items():
        rows = company(name)
        for column, target in table.foreign.items():
            known = company(target)[KEYS[target][0]]
            assert rows[column].dropna().isin(known).all(), (name, column)


def test_the_desk_begins_in_the_first_month_and_the_extract_ends_before_as_of(company: Company) -> None:
    as_of = pd.Timestamp(sample.AS_OF)
    for name, column in {"tickets": "created_at", "calls": "offered_at", "ticket_events": "at"}.items():
        instants = company(name)[column]
        assert month(instants).min() == sample.FIRST_MONTH
        assert start_of(sample.LAST_MONTH) + pd.DateOffset(months=1) < instants.max() <= as_of
    for name in TABLES:
        assert company(name).loaded_at.max() <= as_of, name


def test_no_event_is_before_its_ticket_and_each_ticket_is_created_once(company: Company) -> None:
    events, tickets = company("ticket_events"), company("tickets").drop_duplicates()
    created = tickets.set_index("ticket_id").created_at
    assert (events["at"] >= events.ticket_id.map(created)).all()
    assert sorted(events[events.kind == "created"].ticket_id) == sorted(created.index)


def test_a_ticket_opens_again_only_after_it_was_resolved_or_waiting(company: Company) -> None:
    status = company("ticket_events").query("kind == 'status'").sort_values(["ticket_id", "at", "event_id"])
    before = status.groupby("ticket_id").to_value.shift().fillna("open")
    opened = status.to_value == "open"
    assert before[opened].isin(["pending", "hold", "resolved"]).all()
    assert (before[status.to_value == "resolved"] != "closed").all()


def test_merged_tickets_lead_to_one_that_survives(company: Company) -> None:
    tickets = company("tickets").drop_duplicates().set_index("ticket_id")
    merged = tickets.dropna(subset="merged_into_id")
    into = tickets.loc[merged.merged_into_id]
    assert len(merged) > 500
    assert into.merged_into_id.isna().all()
    assert (into.customer_id.to_numpy() == merged.customer_id.to_numpy()).all()
    assert (merged.merged_at > merged.created_at).all()


def test_answered_calls_have_an_agent_and_a_talk_time(company: Company) -> None:
    calls = company("calls")
    answered = calls.outcome == "answered"
    assert calls[answered][["agent_id", "talk_seconds"]].notna().all(axis=None)
    assert calls[~answered].agent_id.isna().all()
    assert calls[calls.outcome == "blocked"].queue_seconds.isna().all()
    assert calls.ticket_id.dropna().is_unique


def test_shifts_do_not_overlap(company: Company) -> None:
    shifts = company("agent_shifts").sort_values(["agent_id", "start_at"])
    ended = shifts.groupby("agent_id").end_at.shift()
    assert (shifts.start_at >= ended)[ended.notna()].all()
    assert (shifts.end_at > shifts.start_at).all()


def test_agents_work_on_tickets_only_on_days_with_a_shift(company: Company) -> None:
    shifts, events = company("agent_shifts"), company("ticket_events").dropna(subset="handle_seconds")
    planned = set(zip(shifts.agent_id, shifts.start_at.dt.tz_convert(BERLIN).dt.date, strict=True))
    worked = set(zip(events.agent_id, events["at"].dt.tz_convert(BERLIN).dt.date, strict=True))
    assert len(worked - planned) < 0.01 * len(worked)


def test_surveys_are_answered_after_they_were_sent_and_within_their_scale(company: Company) -> None:
    surveys = company("surveys")
    answered = surveys.answered_at.notna()
    assert (answered == surveys.score.notna()).all()
    assert surveys[answered].delivered.all()
    assert not (surveys.answered_at < surveys.sent_at).any()
    assert surveys.score[answered].between(surveys.scale_min[answered], surveys.scale_max[answered]).all()


def test_no_more_is_refunded_than_was_paid(company: Company) -> None:
    rows = company("transactions").set_index("transaction_id")
    refunds = rows.dropna(subset="refunds_transaction_id")
    paid = rows.loc[refunds.refunds_transaction_id]
    assert (refunds.amount.to_numpy() < 0).all()
    assert (refunds.amount.to_numpy() + paid.amount.to_numpy() >= 0).all()
    assert (refunds.occurred_at.to_numpy() > paid.occurred_at.to_numpy()).all()


def test_the_chat_outage_leaves_most_of_the_queue_unanswered(company: Company, plain: Company) -> None:
    story = sample.story("chat_outage")

    def abandoned(calls: pd.DataFrame) -> float:
        chats = calls[(calls.channel == "chat") & happened(calls.offered_at, story)]
        queued = chats[chats.outcome.isin(["answered", "abandoned_queue"])]
        return float(100 * (queued.outcome == "abandoned_queue").mean())

    assert abandoned(company("calls")) == pytest.approx(story.effect, abs=story.tolerance)
    assert abandoned(plain("calls")) < 15


def test_during_the_chat_outage_fewer_chat_tickets_come_and_they_wait(company: Company, plain: Company) -> None:
    story = sample.story("chat_outage")

    def chats(of: Company) -> tuple[int, float]:
        tickets = of("tickets").drop_duplicates()
        tickets = tickets[(tickets.channel == "chat") & happened(tickets.created_at, story)]
        events = of("ticket_events").query("kind == 'public_reply' and actor == 'agent'")
        replied = tickets.ticket_id.map(events.groupby("ticket_id")["at"].min())
        return len(tickets), (replied - tickets.created_at).dt.total_seconds().median() / 60

    (down, late), (usual, soon) = chats(company), chats(plain)
    assert down / usual == pytest.approx(story.details["tickets_kept"], abs=0.1)
    assert late > 60 > 5 > soon


@pytest.mark.parametrize("text", ["2024-03", "2024-04", "2024-05"])
def test_small_businesses_leave_twice_as_often_after_the_price_rise(company: Company, text: str) -> None:
    story = sample.story("price_rise")
    year = pd.period_range("2023-03", "2024-02", freq="M").astype(str)
    usual = sum(churn(company, one, "small_business") for one in year) / len(year)
    assert churn(company, text, "small_business") / usual == pytest.approx(story.effect, abs=story.tolerance)
    assert churn(company, text, "consumer") < 3.3


def test_without_stories_small_businesses_stay(plain: Company) -> None:
    assert churn(plain, "2024-04", "small_business") < 3.2


def test_new_subscriptions_cost_more_from_the_first_of_february(company: Company, plain: Company) -> None:
    def price(of: Company, text: str) -> float:
        terms = of("subscriptions").query("plan == 'basic'")
        return float(terms[month(terms.started_at) == text].mrr.mode()[0])

    factor = sample.story("price_rise").details["price_factor"]
    assert price(company, "2024-01") == price(plain, "2024-02") == 19
    assert price(company, "2024-02") == pytest.approx(19 * factor)


def test_in_april_csat_falls_although_every_channel_gains(company: Company) -> None:
    story = sample.story("channel_shift")
    answers = csat(company)
    total = answers.groupby("month").happy.mean()
    assert total["2024-04"] - total["2024-03"] == pytest.approx(story.effect, abs=story.tolerance)
    channels = answers.groupby(["month", "channel"]).happy.mean().unstack()
    gains = channels.loc["2024-04"] - channels.loc["2024-03"]
    assert gains.to_list() == pytest.approx([story.details["each_channel"]] * 4, abs=story.tolerance)


def test_without_stories_the_channels_of_april_are_those_of_march(plain: Company) -> None:
    answers = csat(plain)
    share = answers[answers.month.isin(["2024-03", "2024-04"])].groupby("month").channel.value_counts(normalize=True)
    assert (share["2024-04"] - share["2024-03"]).abs().max() < 0.05


def test_412_rows_of_march_are_there_twice(company: Company, plain: Company) -> None:
    story = sample.story("duplicated_rows")
    tickets = company("tickets")
    copies = tickets[tickets.duplicated()]
    assert len(copies) == story.effect == 412
    assert set(month(copies.created_at)) == {"2024-03"}
    assert not plain("tickets").duplicated().any()


def test_six_percent_of_june_arrive_with_the_second_extract(folders: dict[str, Path]) -> None:
    story = sample.story("late_tickets")
    first, second = _reader(folders["first"]), _reader(folders["second"])
    before, after = first("tickets"), second("tickets")
    new = after[~after.ticket_id.isin(before.ticket_id)]
    june = after[month(after.created_at) == "2024-06"]
    assert set(month(new.created_at)) == {"2024-06"}
    assert 100 * len(new) / len(june) == pytest.approx(story.effect, abs=story.tolerance)
    assert set(new.loaded_at.dt.tz_convert(BERLIN).dt.date) == {date(2024, 7, 9)}
    assert after[after.ticket_id.isin(before.ticket_id)].reset_index(drop=True).equals(before)


def test_the_late_tickets_come_with_their_events(folders: dict[str, Path]) -> None:
    first, second = (
        pd.read_parquet(folders[name] / "ticket_events.parquet", columns=["event_id", "ticket_id"])
        for name in ("first", "second")
    )
    late = set(_reader(folders["second"])("tickets").ticket_id) - set(_reader(folders["first"])("tickets").ticket_id)
    assert set(second[~second.event_id.isin(first.event_id)].ticket_id) == late
    assert not set(first.ticket_id) & late


def test_the_second_extract_changes_no_other_table(folders: dict[str, Path]) -> None:
    first, second = hashes(folders["first"]), hashes(folders["second"])
    assert {name for name in first if first[name] != second[name]} == {"tickets.parquet", "ticket_events.parquet"}


def test_the_late_tickets_touch_no_customer_of_may(folders: dict[str, Path]) -> None:
    tickets = _reader(folders["second"])("tickets")
    late = tickets[tickets.loaded_at > pd.Timestamp(sample.AS_OF)]
    others = tickets[~tickets.ticket_id.isin(late.ticket_id) & (month(tickets.created_at) == "2024-05")]
    assert not late.customer_id.isin(others.customer_id).any()


def test_some_tickets_wait_for_an_answer_at_a_months_end(company: Company) -> None:
    events = company("ticket_events")
    end = start_of("2024-06")
    created = events[(events.kind == "created") & (events["at"] < end)].ticket_id
    answered = events[(events.kind == "public_reply") & (events.actor == "agent") & (events["at"] < end)].ticket_id
    ended = events[(events.kind == "status") & events.to_value.isin(["resolved", "closed"]) & (events["at"] < end)]
    waiting = set(created) - set(answered) - set(ended.ticket_id)
    assert 5 < len(waiting) < 200


def test_a_month_has_a_few_thousand_tickets(company: Company) -> None:
    counts = month(company("tickets").drop_duplicates().created_at).value_counts().sort_index()
    assert counts[:-1].between(2_700, 4_700).all()
    assert counts["2024-05"] > counts["2023-05"] > counts["2022-05"]


def test_an_unknown_extract_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KpiError, match="2024-07-09"):
        sample.write(tmp_path / "sample", extract="2024-07-10")
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*, stories: bool) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(sample, "tables", broken)
    with pytest.raises(RuntimeError):
        sample.write(tmp_path / "sample")
    assert list(tmp_path.iterdir()) == []

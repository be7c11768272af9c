import subprocess
import sys
from datetime import UTC, datetime

import ibis
import pandas as pd
import pytest

from kpi_lib.contract import TABLES, as_seen_at, check, conform, distinct, left_out, unreadable, without
from kpi_lib.errors import ContractError

NOON = pd.Timestamp("2024-05-01 12:00", tz="UTC")
HOUR = pd.Timedelta(hours=1)
SOUND = {
    "customers": {"customer_id": "C1", "first_seen_at": NOON},
    "subscriptions": {
        "subscription_id": "S1", "customer_id": "C1", "started_at": NOON, "plan": "basic", "mrr": 20.0,
        "currency": "EUR",
    },
    "transactions": {
        "transaction_id": "X1", "customer_id": "C1", "occurred_at": NOON, "kind": "purchase", "amount": 10.0,
        "currency": "EUR",
    },
    "tickets": {"ticket_id": "T1", "created_at": NOON, "channel": "email"},
    "ticket_events": {"event_id": "E1", "ticket_id": "T1", "at": NOON, "kind": "created", "actor": "customer"},
    "calls": {
        "call_id": "L1", "channel": "phone", "queue": "sales", "agent_id": "A1", "offered_at": NOON,
        "outcome": "answered", "queue_seconds": 5, "talk_seconds": 60,
    },
    "surveys": {
        "survey_id": "V1", "kind": "csat", "channel": "email", "sent_at": NOON, "answered_at": NOON + HOUR,
        "score": 4.0, "scale_min": 1.0, "scale_max": 5.0,
    },
    "qa_reviews": {
        "review_id": "R1", "ticket_id": "T1", "agent_id": "A1", "reviewer_id": "A2", "reviewed_at": NOON,
        "category": "tone", "score": 3.0, "scale_min": 1.0, "scale_max": 5.0, "weight": 1.0, "is_critical": False,
    },
    "costs": {
        "cost_id": "K1", "center": "support", "category": "salary", "period_start": pd.Timestamp("2024-05-01").date(),
        "period_end": pd.Timestamp("2024-05-31").date(), "amount": 100.0, "currency": "EUR",
    },
    "leads": {"lead_id": "D1", "created_at": NOON, "channel": "search"},
    "agent_shifts": {
        "shift_id": "H1", "agent_id": "A1", "team": "care", "tier": 1, "start_at": NOON, "end_at": NOON + HOUR,
        "activity": "available",
    },
    "engagement_events": {"event_id": "G1", "customer_id": "C1", "at": NOON, "kind": "login"},
}  # fmt: skip


def rows(name, *changes, types=None):
    """Rows of a table in the contract's types: the sound row with `changes`, one row each."""
    frame = pd.DataFrame([SOUND[name] | change for change in changes or ({},)], dtype=object)
    declared = {column.name: column.type for column in TABLES[name].columns}
    schema = {column: declared[column] for column in frame.columns}
    return conform(ibis.memtable(frame, schema=schema), TABLES[name], where="test")


def broken(**tables):
    return {(found.table, found.rule.name, found.level): found for found in check(tables)}


BREAKS = [
    ("customers", "paid before first seen", "warning", [{"first_paid_at": NOON - HOUR}]),
    ("customers", "referred by itself", "warning", [{"referrer_customer_id": "C1"}]),
    ("customers", "no first_seen_at", "error", [{"first_seen_at": None}]),
    ("customers", "before 1990", "drop", [{"first_seen_at": pd.Timestamp("1970-01-01", tz="UTC")}]),
    ("customers", "conflicting duplicates", "error", [{}, {"first_seen_at": NOON + HOUR}]),
    ("subscriptions", "ended before it started", "drop", [{"ended_at": NOON}]),
    ("subscriptions", "mrr is negative", "error", [{"mrr": -1.0}]),
    ("subscriptions", "no plan", "warning", [{"plan": None}]),
    ("subscriptions", "unknown end_reason", "warning", [{"end_reason": "bored"}]),
    ("transactions", "sign disagrees with kind", "error", [{"kind": "refund"}]),
    ("transactions", "sign disagrees with kind", "error", [{"amount": -1.0}]),
    (
        "transactions",
        "refunded more than was paid",
        "warning",
        [{}, *({"transaction_id": i, "kind": "refund", "amount": -6.0, "refunds_transaction_id": "X1"} for i in "ab")],
    ),
    ("tickets", "unknown channel", "warning", [{"channel": "Email"}]),
    ("tickets", "unknown initiated_by", "warning", [{"initiated_by": "robot"}]),
    ("tickets", "merged in a circle", "error", [{"merged_into_id": "T2"}, {"ticket_id": "T2", "merged_into_id": "T1"}]),
    ("ticket_events", "unknown kind", "warning", [{"kind": "sneeze"}]),
    ("ticket_events", "unknown status", "error", [{"kind": "status", "to_value": "on-hold"}]),
    ("ticket_events", "unknown status", "error", [{"kind": "status"}]),
    ("ticket_events", "escalated to no tier", "warning", [{"kind": "escalate", "to_value": "boss"}]),
    ("ticket_events", "handle_seconds is negative", "drop", [{"handle_seconds": -1}]),
    *(("calls", f"{part}_seconds is negative", "drop", [{f"{part}_seconds": -1}]) for part in ("queue", "talk")),
    *(("calls", f"{part}_seconds is negative", "drop", [{f"{part}_seconds": -1}]) for part in ("hold", "wrap")),
    ("calls", "answered by nobody", "warning", [{"agent_id": None}]),
    ("calls", "answered by nobody", "warning", [{"talk_seconds": None}]),
    ("calls", "answered without a time in the queue", "warning", [{"queue_seconds": None}]),
    (
        "calls",
        "abandoned without a time in the queue",
        "warning",
        [{"outcome": "abandoned_queue", "queue_seconds": None}],
    ),
    ("calls", "blocked after queueing", "warning", [{"outcome": "blocked"}]),
    ("surveys", "score without a scale", "error", [{"scale_max": None}]),
    ("surveys", "score without a scale", "error", [{"scale_max": 1.0, "score": 1.0}]),
    ("surveys", "score outside its scale", "drop", [{"score": 6.0}]),
    ("surveys", "score outside its scale", "drop", [{"score": 0.0}]),
    ("surveys", "not an NPS score", "drop", [{"kind": "nps", "score": 8.5, "scale_min": 0.0, "scale_max": 10.0}]),
    ("surveys", "not an NPS score", "drop", [{"kind": "nps", "score": 11.0, "scale_min": 0.0, "scale_max": 100.0}]),
    ("surveys", "unusual NPS scale", "warning", [{"kind": "nps", "score": 8.0, "scale_min": 1.0, "scale_max": 10.0}]),
    ("surveys", "answered before it was sent", "drop", [{"answered_at": NOON - HOUR}]),
    ("surveys", "half an answer", "warning", [{"score": None}]),
    ("surveys", "half an answer", "warning", [{"answered_at": None}]),
    ("qa_reviews", "weight is negative", "error", [{"weight": -1.0}]),
    ("qa_reviews", "scale is empty", "error", [{"scale_min": 5.0, "score": None}]),
    ("qa_reviews", "score outside its scale", "drop", [{"score": 9.0}]),
    ("qa_reviews", "reviewed by the agent", "drop", [{"reviewer_id": "A1"}]),
    ("qa_reviews", "no weight in any category", "warning", [{"weight": 0.0}]),
    ("qa_reviews", "conflicting duplicates", "error", [{}, {"score": 2.0}]),
    ("costs", "ends before it starts", "error", [{"period_end": pd.Timestamp("2024-04-30").date()}]),
    ("leads", "converted before it was created", "warning", [{"converted_at": NOON - HOUR}]),
    ("agent_shifts", "ended before it started", "drop", [{"end_at": NOON}]),
    (
        "agent_shifts",
        "overlaps another shift",
        "warning",
        [{}, {"shift_id": "H2", "start_at": NOON + HOUR / 2, "end_at": NOON + 2 * HOUR}],
    ),
    ("engagement_events", "unknown kind", "warning", [{"kind": "ticket"}]),
]  # fmt: skip


@pytest.mark.parametrize(("table", "rule", "level", "changes"), BREAKS, ids=lambda value: str(value)[:30])
def test_a_row_that_breaks_a_rule_is_named_with_its_rule(table, rule, level, changes):
    found = broken(**{table: rows(table, *changes)})
    key = SOUND[table][TABLES[table].key[0]]
    assert list(found) == [(table, rule, level)]
    assert (
        any(str(key) in example for example in found[table, rule, level].examples) or rule == "overlaps another shift"
    )


def test_sound_rows_break_no_rule():
    assert check({name: rows(name) for name in TABLES}) == []


def test_every_declared_rule_has_a_row_here_that_breaks_it():
    declared = {(table.name, rule.name) for table in TABLES.values() for rule in table.rules}
    across_tables = {("tickets", "no created event"), ("ticket_events", "before the ticket was created")}
    assert declared - across_tables <= {(table, rule) for table, rule, _, _ in BREAKS}


def test_a_shift_inside_an_earlier_long_one_overlaps_even_after_a_short_one():
    shifts = rows(
        "agent_shifts",
        {"end_at": NOON + 9 * HOUR},
        {"shift_id": "H2", "start_at": NOON + HOUR, "end_at": NOON + 2 * HOUR},
        {"shift_id": "H3", "start_at": NOON + 5 * HOUR, "end_at": NOON + 6 * HOUR},
        {"shift_id": "H4", "agent_id": "A2", "start_at": NOON + HOUR},
    )
    assert broken(agent_shifts=shifts)["agent_shifts", "overlaps another shift", "warning"].rows == 2


def test_an_event_may_be_a_minute_earlier_than_its_ticket_and_no_more():
    events = rows(
        "ticket_events",
        {"at": NOON - pd.Timedelta(seconds=60)},
        {"event_id": "E2", "at": NOON - pd.Timedelta(seconds=61)},
    )
    tables = {"tickets": rows("tickets"), "ticket_events": events}
    findings = check(tables)
    assert [(found.rule.name, found.level, found.rows) for found in findings] == [
        ("before the ticket was created", "drop", 1)
    ]
    left = without(events, TABLES["ticket_events"], findings, tables).to_pandas()
    assert list(left["event_id"]) == ["E1"]


def test_a_ticket_without_a_created_event_is_a_warning_and_no_finding_without_the_table_of_events():
    assert check({"tickets": rows("tickets")}) == []
    events = rows("ticket_events", {"kind": "assign"})
    assert ("tickets", "no created event", "warning") in broken(tickets=rows("tickets"), ticket_events=events)


@pytest.mark.parametrize(("sound", "level"), [(98, "error"), (99, "warning")])
def test_keys_of_nothing_are_a_warning_up_to_one_percent_and_an_error_beyond(sound, level):
    events = [{"event_id": f"E{i}", "customer_id": "C1"} for i in range(sound)] + [{"customer_id": "C9"}]
    found = broken(customers=rows("customers"), engagement_events=rows("engagement_events", *events))
    orphans = found["engagement_events", "customer_id without its row in customers", level]
    assert orphans.rows == 1
    assert orphans.examples == ("event_id=G1, customer_id=C9",)


def test_a_key_is_not_asked_for_in_a_table_that_is_not_there():
    assert check({"tickets": rows("tickets", {"customer_id": "C9"})}) == []


def test_a_chain_of_merges_that_ends_is_no_circle():
    chain = [{"merged_into_id": "T2"}, {"ticket_id": "T2", "merged_into_id": "T3"}, {"ticket_id": "T3"}]
    assert check({"tickets": rows("tickets", *chain)}) == []


def test_a_row_that_breaks_two_rules_is_counted_once():
    answered_early_and_off_scale = rows("surveys", {"score": 9.0, "answered_at": NOON - HOUR})
    findings = check({"surveys": answered_early_and_off_scale})
    assert [(found.rule.name, found.rows) for found in findings] == [("score outside its scale", 1)]


def test_rows_are_left_out_only_where_a_rule_is_surely_broken():
    surveys = rows("surveys", {"score": None, "answered_at": None}, {"survey_id": "V2", "score": 6.0})
    findings = check({"surveys": surveys})
    assert list(without(surveys, TABLES["surveys"], findings, {}).to_pandas()["survey_id"]) == ["V1"]


def test_what_the_mapping_leaves_out_is_counted_under_its_reason_and_breaks_no_other_rule():
    calls = rows(
        "calls",
        {"left_out": "phantom", "outcome": None},
        *({"call_id": f"L{i}", "left_out": "test", "queue_seconds": -i} for i in (2, 3)),
        {"call_id": "L4", "queue_seconds": -4},
        {"call_id": "L5", "left_out": ""},
    )
    findings = check({"calls": calls}, {"calls": left_out(calls)})
    assert [(found.rule.name, found.level, found.rows) for found in findings] == [
        ("test", "drop", 2),
        ("phantom", "drop", 1),
        ("queue_seconds is negative", "drop", 1),
    ]
    assert findings[0].examples == ("call_id=L2", "call_id=L3")
    assert list(without(calls, TABLES["calls"], findings, {}).to_pandas()["call_id"]) == ["L5"]


def test_more_reasons_than_anybody_reads_share_one_line():
    leads = rows("leads", *({"lead_id": f"D{i}", "left_out": f"reason {i}"} for i in range(23)))
    findings = check({"leads": leads}, {"leads": left_out(leads)})
    assert [(found.rule.name, found.rows) for found in findings[-2:]] == [
        ("reason 6", 1),
        ("left out for other reasons", 3),
    ]
    assert without(leads, TABLES["leads"], findings, {}).count().to_pandas() == 0


def test_at_most_three_examples_are_fetched():
    many = rows("leads", *({"lead_id": f"D{i}", "converted_at": NOON - HOUR} for i in range(9)))
    (found,) = check({"leads": many})
    assert (found.rows, len(found.examples)) == (9, 3)
    assert found.examples[0].startswith(
        "lead_id=D0, created_at=2024-05-01 12:00:00+00:00, converted_at=2024-05-01 11:00"
    )


def test_what_had_not_happened_at_the_extract_is_left_out_or_still_open():
    surveys = rows(
        "surveys",
        {"answered_at": NOON + 3 * HOUR},
        {"survey_id": "V2", "sent_at": NOON + 3 * HOUR, "answered_at": NOON + 4 * HOUR},
        {"survey_id": "V3", "sent_at": None, "answered_at": NOON + 3 * HOUR},
        {"survey_id": "V4", "loaded_at": NOON + 3 * HOUR},
        {"survey_id": "V5", "sent_at": NOON + 2 * HOUR, "answered_at": None, "score": None},
    )
    seen = as_seen_at(surveys, TABLES["surveys"], datetime(2024, 5, 1, 14, tzinfo=UTC)).to_pandas()
    assert sorted(seen["survey_id"]) == ["V1", "V5"]
    assert seen["answered_at"].isna().all()
    assert seen["score"].isna().all()


def test_a_merge_after_the_extract_has_not_happened():
    merged = rows("tickets", {"merged_into_id": "T2", "merged_at": NOON + HOUR})
    ticket = as_seen_at(merged, TABLES["tickets"], NOON.to_pydatetime()).to_pandas().iloc[0]
    assert pd.isna(ticket["merged_into_id"])


def test_copies_are_one_row_also_when_they_were_loaded_twice():
    copies = rows("leads", {"loaded_at": NOON + HOUR}, {"loaded_at": NOON}, {"loaded_at": NOON}, {"lead_id": "D2"})
    once = distinct(copies).order_by("lead_id").to_pandas()
    assert list(once["lead_id"]) == ["D1", "D2"]
    assert once["loaded_at"][0] == NOON


def test_an_export_with_the_required_columns_only_gets_the_others():
    export = ibis.memtable({"Ticket_ID": [7], "created_at": ["2024-05-01T12:00:00+02:00"]})
    ticket = conform(export, TABLES["tickets"], where="test").to_pandas().iloc[0]
    assert (ticket["ticket_id"], ticket["created_at"]) == ("7", pd.Timestamp("2024-05-01 10:00", tz="UTC"))
    assert (ticket["initiated_by"], bool(ticket["is_spam"])) == ("customer", False)
    assert pd.isna(ticket["channel"])
    assert pd.isna(ticket["merged_at"])


def test_types_are_the_contracts_whatever_the_engine_inferred():
    given = {name: [value] for name, value in SOUND["calls"].items()} | {
        "queue_seconds": [float("nan")],
        "talk_seconds": [9.9],
    }
    calls = conform(ibis.memtable(given), TABLES["calls"], where="test")
    assert {name: str(type) for name, type in calls.schema().items()} == {
        column.name: column.type for column in TABLES["calls"].columns
    }
    call = calls.to_pandas().iloc[0]
    assert (pd.isna(call["queue_seconds"]), call["talk_seconds"]) == (True, 9)


def test_blanks_are_missing_and_numbers_are_flags():
    given = {
        "ticket_id": ["T1", "T2"],
        "created_at": [NOON] * 2,
        "channel": ["", "email"],
        "is_spam": [1, 0],
        "is_test": ["", "true"],
    }
    tickets = conform(ibis.memtable(given), TABLES["tickets"], where="test").order_by("ticket_id").to_pandas()
    assert pd.isna(tickets["channel"][0])
    assert (list(tickets["is_spam"]), list(tickets["is_test"])) == ([True, False], [False, True])


def test_a_missing_required_column_is_named_with_the_nearest_there_is():
    export = ibis.memtable({"ticket_id": ["T1"], "created": [NOON]})
    with pytest.raises(
        ContractError, match=r"tickets.csv: table 'tickets' has no column 'created_at' - did you mean 'created'"
    ):
        conform(export, TABLES["tickets"], where="tickets.csv")


def test_text_that_is_not_of_its_type_is_found_with_examples():
    export = ibis.memtable({"ticket_id": ["a", "b", "c", "d"], "created_at": ["2024-05-01", "n/a", "", "31.12.2024"]})
    (found,) = unreadable(export, TABLES["tickets"])
    assert (found.level, found.rows, found.examples) == ("error", 2, ("31.12.2024", "n/a"))
    assert "created_at holds text that is not a date and time" in str(found)


def test_every_table_knows_its_key_and_when_its_rows_were_loaded():
    for table in TABLES.values():
        names = [column.name for column in table.columns]
        assert len(set(names)) == len(names)
        hanging = [name for end in table.ends.values() for name in end]
        assert {*table.key, *table.event_time, *table.ends, *hanging, *table.foreign, "loaded_at"} <= set(names)
        assert set(table.foreign.values()) <= set(TABLES)
        assert all(table.column(name).null == "error" for name in table.key)


@pytest.mark.parametrize("engine", ["postgres", "trino", "snowflake", "bigquery"])
def test_every_rule_can_be_said_to_other_engines(engine):
    empty = {
        table.name: ibis.table({column.name: column.type for column in table.columns}, name=table.name)
        for table in TABLES.values()
    }
    for table in TABLES.values():
        for rule in table.rules:
            rows = empty[table.name]
            broken_rows = rows.filter(rule.broken(rows)) if rule.broken else rule.across(rows, empty)
            assert "SELECT" in ibis.to_sql(broken_rows, dialect=engine)
        assert "SELECT" in ibis.to_sql(
            as_seen_at(distinct(empty[table.name]), table, NOON.to_pydatetime()), dialect=engine
        )


def test_reading_the_declarations_imports_no_engine():
    code = "import sys, kpi_lib.contract; sys.exit(bool({'ibis', 'pandas', 'duckdb'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

"""Writes the tables of a large made-up company as Parquet, by DuckDB alone: every value is a hash of its row's number.

`generate(folder, tickets)` writes the twelve tables of the contract: for N tickets 4N events, 2N calls, N surveys, N/10
customers with 2N transactions, N engagement events, N/5 leads, N/100 reviews of four rows each, an agent for every
20,000 tickets (30 at least) with two shifts a weekday, and the costs of each month. Tickets, calls, surveys and money
reach from 2023-04-01 to 2024-07-01, so that the thirteen months to 2024-05 are whole. Beside them stand a params file
and its source, so that `kpi values 2024-05 --params FOLDER/params/report.yaml` runs on it.
"""

import argparse
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

FIRST, LAST = datetime(2023, 4, 1, tzinfo=UTC), datetime(2024, 7, 1, tzinfo=UTC)
AS_OF = "2024-07-02T06:00+02:00"
PERIOD = "2024-05"
WEEKDAYS = (1.15, 1.1, 1.05, 1.0, 0.95, 0.45, 0.35)  # how busy the days of a week are, from Monday
HOURS = (*[0.1] * 6, 0.4, 0.8, *[1.5] * 4, 1.2, *[1.4] * 4, 1.1, 0.9, 0.8, 0.7, 0.5, 0.3, 0.2)
TICKETS_OF_AN_AGENT = 20_000

# u: a number from 0 to 1 that stands for chance; pick: one of several by the bounds of their shares
MACROS = """
CREATE MACRO u(number, salt) AS (hash(number * 1009 + salt) >> 11) / 9007199254740992.0;
CREATE MACRO wait(share, mean) AS CAST(floor(-ln(1 - share) * mean) AS BIGINT);
CREATE MACRO paid_at(customer) AS $early + CAST(floor(($last - $early) * ((customer + u(customer, 10)) / $customers))
    AS BIGINT);
CREATE MACRO likely(customer, moment) AS u(customer, 29) ** 2
    * CASE WHEN moment < paid_at(customer) + wait(u(customer, 19), 500 * 86400) THEN 1 ELSE 0.01 END;
CREATE MACRO one_of(share, names) AS names[1 + CAST(floor(share * len(names)) AS BIGINT)];
"""

NUMBERED = """
CREATE TEMP TABLE slots (start BIGINT, first BIGINT, rows BIGINT);
CREATE TEMP TABLE numbered AS
SELECT first + k AS i, start + CAST(floor(3600 * (k + u(first + k, 1)) / rows) AS BIGINT) AS created
FROM slots, unnest(range(rows)) AS parts(k) ORDER BY i;
"""

TABLES = {
    "customers": """
        SELECT 'C' || i AS customer_id, to_timestamp(paid - wait(u(i, 2), 200000)) AS first_seen_at,
            to_timestamp(paid) AS first_paid_at,
            CASE WHEN u(i, 3) < 0.6 THEN 'consumer' WHEN u(i, 3) < 0.9 THEN 'small_business' ELSE 'enterprise' END
                AS segment,
            one_of(u(i, 4), ['DE', 'DE', 'DE', 'AT', 'CH', 'NL', 'FR']) AS country,
            one_of(u(i, 5), ['search', 'search', 'organic', 'social', 'referral', 'display']) AS acquisition_channel,
            CASE WHEN u(i, 6) < 0.15 AND i > 10 THEN one_of(u(i, 7), ['bring-a-friend', 'trail-mates']) END
                AS referral_program,
            CASE WHEN u(i, 6) < 0.15 AND i > 10 THEN 'C' || CAST(floor(u(i, 8) * i) AS BIGINT) END
                AS referrer_customer_id,
            u(i, 9) < 0.001 AS is_test, u(i, 9) > 0.999 AS is_staff
        FROM customers_at""",
    "subscriptions": """
        WITH lived AS (SELECT *, paid + 86400 + wait(u(i, 11), 700 * 86400) AS ended FROM customers_at),
        spells AS (
            SELECT 'S' || i AS subscription_id, i, paid AS began, ended, 12 AS salt FROM lived
            UNION ALL
            SELECT 'R' || i, i, ended + wait(u(i, 13), 20 * 86400),
                ended + 86400 * 30 + wait(u(i, 14), 400 * 86400), 15
            FROM lived WHERE u(i, 16) < 0.25 AND ended < $last - 86400 * 60
        )
        SELECT subscription_id, 'C' || i AS customer_id, to_timestamp(began) AS started_at,
            CASE WHEN ended > began AND ended < $last THEN to_timestamp(ended) END AS ended_at,
            one_of(u(i, salt), ['basic', 'basic', 'plus', 'plus', 'pro']) AS plan,
            round(19 + 60 * u(i, salt + 3), 2) AS mrr, 'EUR' AS currency,
            CASE WHEN ended > began AND ended < $last
                THEN one_of(u(i, salt + 7), ['voluntary', 'voluntary', 'voluntary', 'other', 'payment']) END
                AS end_reason
        FROM spells WHERE began < $last""",
    "transactions": """
        WITH came AS (
            SELECT p, $early + CAST(floor(($last - $early) * (p / $purchases)) AS BIGINT) AS moment,
                CAST(floor(u(p, 20) * $customers * p / $purchases) AS BIGINT) AS one,
                CAST(floor(u(p, 21) * $customers * p / $purchases) AS BIGINT) AS other
            FROM range($purchases) AS numbers(p)
        ),
        bought AS (
            SELECT p, moment,
                'C' || CASE WHEN likely(one, moment) > likely(other, moment) THEN one ELSE other END AS customer_id,
                round(20 + wait(u(p, 22), 90) + u(p, 23), 2) AS amount
            FROM came
        )
        SELECT 'X' || p AS transaction_id, customer_id, to_timestamp(moment) AS occurred_at, 'purchase' AS kind, amount,
            'EUR' AS currency, round(amount * (0.4 + 0.3 * u(p, 24)), 2) AS cost, NULL AS refunds_transaction_id
        FROM bought
        UNION ALL
        SELECT 'Y' || p, customer_id, to_timestamp(moment + 86400 + wait(u(p, 25), 500000)),
            CASE WHEN u(p, 26) < 0.05 THEN 'chargeback' ELSE 'refund' END, round(-amount * u(p, 27), 2), 'EUR', NULL,
            'X' || p
        FROM bought WHERE u(p, 28) < 0.0582""",
    "tickets": """
        SELECT 'T' || i AS ticket_id, CASE WHEN customer IS NOT NULL THEN 'C' || customer END AS customer_id,
            to_timestamp(created) AS created_at, channel, type,
            one_of(u(i, 31), ['low', 'low', 'low', 'high', 'high', 'high', 'urgent', 'normal', 'normal', 'normal',
                'normal', 'normal', 'normal', 'normal', 'normal', 'normal', 'normal', 'normal', 'normal', 'normal'])
                AS priority,
            one_of(u(i, 32), ['boots', 'jackets', 'tents', 'membership', 'backpacks', 'stoves', NULL]) AS product,
            CASE WHEN type = 'billing' THEN 'billing' WHEN type = 'technical' THEN 'technical'
                WHEN u(i, 33) < 0.03 THEN 'specialists' ELSE 'general' END AS team,
            CASE WHEN u(i, 33) < 0.03 THEN 3 WHEN type = 'technical' THEN 2 ELSE 1 END AS tier,
            CASE WHEN u(i, 34) < 0.15 THEN one_of(u(i, 35), ['gift', 'press', 'wholesale']) END AS tags,
            CASE WHEN u(i, 36) < 0.97 THEN 'customer' WHEN u(i, 36) < 0.993 THEN 'agent' ELSE 'system' END
                AS initiated_by,
            CASE WHEN u(i, 37) < 0.03 THEN 'P' || (i // 3000) END AS problem_id,
            u(i, 38) < 0.013 AS is_spam, u(i, 38) > 0.996 AS is_test, u(i, 39) < 0.004 AS is_deleted,
            CASE WHEN merged THEN 'T' || (i - 1 - CAST(floor(u(i, 40) * 50) AS BIGINT)) END AS merged_into_id,
            CASE WHEN merged THEN to_timestamp(created + 3600) END AS merged_at
        FROM drawn ORDER BY i""",
    "ticket_events": """
        WITH planned AS (
            SELECT *, u(i, 50) < 0.93 AS answered, u(i, 51) < 0.93 AS solved, u(i, 52) < 0.065 AS again,
                created + 30 + wait(u(i, 53), CASE channel WHEN 'chat' THEN 90 WHEN 'phone' THEN 200 ELSE 14000 END)
                    AS reply_at,
                CAST(floor(u(i, 54) * $agents) AS BIGINT) AS agent
            FROM drawn
        ),
        timed AS (
            SELECT *, reply_at + 60 + wait(u(i, 55), CASE WHEN channel IN ('chat', 'phone') THEN 4000 ELSE 90000 END)
                AS solved_at
            FROM planned
        ),
        happened AS (
            SELECT i, unnest([
                {'n': 0, 'yes': true, 'moment': created, 'kind': 'created', 'actor': initiator, 'value': NULL},
                {'n': 1, 'yes': u(i, 60) < 0.59, 'moment': created + 5, 'kind': 'assign', 'actor': 'system',
                    'value': 'A' || agent},
                {'n': 2, 'yes': answered, 'moment': reply_at, 'kind': 'public_reply', 'actor': 'agent', 'value': NULL},
                {'n': 3, 'yes': u(i, 61) < 0.14, 'moment': reply_at + (solved_at - reply_at) // 3,
                    'kind': 'customer_message', 'actor': 'customer', 'value': NULL},
                {'n': 4, 'yes': u(i, 61) < 0.11, 'moment': reply_at + (solved_at - reply_at) // 2,
                    'kind': 'public_reply', 'actor': 'agent', 'value': NULL},
                {'n': 5, 'yes': u(i, 62) < 0.06, 'moment': reply_at + 30, 'kind': 'escalate', 'actor': 'agent',
                    'value': CASE WHEN u(i, 63) < 0.7 THEN '2' ELSE '3' END},
                {'n': 6, 'yes': u(i, 64) < 0.05, 'moment': reply_at + 20, 'kind': 'internal_note', 'actor': 'agent',
                    'value': NULL},
                {'n': 7, 'yes': u(i, 65) < 0.08, 'moment': reply_at + 40, 'kind': 'status', 'actor': 'agent',
                    'value': 'pending'},
                {'n': 8, 'yes': solved, 'moment': solved_at, 'kind': 'status',
                    'actor': CASE WHEN u(i, 66) < 0.04 THEN 'bot' ELSE 'agent' END, 'value': 'resolved'},
                {'n': 9, 'yes': solved AND again, 'moment': solved_at + 7200, 'kind': 'status', 'actor': 'customer',
                    'value': 'open'},
                {'n': 10, 'yes': solved AND again AND u(i, 67) < 0.9, 'kind': 'status',
                    'moment': solved_at + 7200 + wait(u(i, 68), 90000), 'actor': 'agent', 'value': 'resolved'}
            ]) AS event, agent, channel
            FROM timed
        )
        SELECT 'E' || (16 * i + event.n) AS event_id, 'T' || i AS ticket_id, to_timestamp(event.moment) AS "at",
            event.kind, event.actor,
            CASE WHEN event.kind = 'customer_message' AND u(i, 69) < 0.03 THEN 'chat' END AS channel,
            CASE WHEN event.actor = 'agent' THEN 'A' || agent END AS agent_id, event.value AS to_value,
            CASE WHEN event.actor = 'agent' AND event.kind IN ('public_reply', 'internal_note', 'escalate')
                AND channel IN ('email', 'web') THEN 30 + wait(u(16 * i + event.n, 70), 400) END AS handle_seconds
        FROM happened WHERE event.yes AND event.moment < $last + 86400""",
    "calls": """
        WITH offered AS (
            SELECT 2 * i + k AS j, i, k = 0 AND channel IN ('phone', 'chat') AND initiator = 'customer' AS linked,
                channel AS ticket_channel, type, customer, created, k
            FROM drawn, range(2) AS parts(k)
        ),
        known AS (
            SELECT *, CASE WHEN linked THEN ticket_channel WHEN u(j, 81) < 0.6 THEN 'phone' ELSE 'chat' END AS channel,
                CASE WHEN linked OR u(j, 82) < 0.887 THEN 'answered'
                    ELSE one_of(u(j, 83), ['abandoned_queue', 'abandoned_queue', 'abandoned_queue', 'abandoned_queue',
                        'abandoned_queue', 'abandoned_ivr', 'abandoned_ivr', 'callback', 'voicemail', 'blocked']) END
                    AS outcome
            FROM offered
        )
        SELECT 'N' || j AS call_id, channel,
            CASE WHEN type IN ('billing', 'technical') THEN type ELSE 'general' END AS queue,
            CASE WHEN linked THEN CASE WHEN customer IS NOT NULL THEN 'C' || customer END
                WHEN u(j, 84) < 0.9 THEN 'C' || CAST(floor(u(j, 85) * $customers * (0.55 + 0.45 * i / $tickets))
                    AS BIGINT) END AS customer_id,
            CASE WHEN linked THEN 'T' || i END AS ticket_id,
            CASE WHEN outcome = 'answered' THEN 'A' || CAST(floor(u(j, 86) * $agents) AS BIGINT) END AS agent_id,
            to_timestamp(created - 20 + CASE WHEN linked THEN 0 ELSE CAST(floor(1200 * u(j, 87)) AS BIGINT) END)
                AS offered_at,
            outcome,
            CASE WHEN outcome IN ('answered', 'callback', 'abandoned_queue')
                THEN wait(u(j, 88), CASE channel WHEN 'phone' THEN 14 ELSE 30 END) END AS queue_seconds,
            CASE WHEN outcome = 'answered' THEN 30 + wait(u(j, 89), 420) END AS talk_seconds,
            CASE WHEN outcome = 'answered' THEN greatest(wait(u(j, 90), 60) - 60, 0) END AS hold_seconds,
            CASE WHEN outcome = 'answered' THEN wait(u(j, 91), 70) END AS wrap_seconds,
            CASE WHEN NOT linked AND outcome = 'answered' AND u(j, 92) < 0.02 THEN 'outbound' ELSE 'inbound' END
                AS direction
        FROM known ORDER BY j""",
    "surveys": """
        WITH asked AS (
            SELECT *, CASE WHEN u(i, 101) < 0.515 THEN 'csat' WHEN u(i, 101) < 0.85 THEN 'nps'
                WHEN u(i, 101) < 0.95 THEN 'ces' ELSE 'nps_tx' END AS kind,
                created + 86400 + wait(u(i, 102), 100000) AS sent
            FROM drawn
        ),
        answered AS (
            SELECT *, sent + 60 + wait(u(i, 103), 50000) AS moment, u(i, 104) < 0.26 AND sent < $last AS yes FROM asked
        )
        SELECT 'Q' || i AS survey_id, kind,
            CASE WHEN kind = 'nps' THEN 'C' || CAST(floor(u(i, 105) * $customers * 0.8) AS BIGINT)
                WHEN customer IS NOT NULL THEN 'C' || customer END AS customer_id,
            CASE WHEN kind <> 'nps' THEN 'T' || i END AS ticket_id, to_timestamp(sent) AS sent_at,
            u(i, 106) < 0.97 OR yes AS delivered,
            one_of(u(i, 107), ['email', 'email', 'email', 'app', 'sms', 'web']) AS channel,
            CASE WHEN yes THEN to_timestamp(moment) END AS answered_at,
            CASE WHEN NOT yes THEN NULL WHEN kind = 'csat' THEN 1 + floor(5 * sqrt(u(i, 108)))
                WHEN kind = 'ces' THEN 1 + floor(7 * sqrt(u(i, 108))) ELSE floor(11 * sqrt(u(i, 108))) END::DOUBLE
                AS score,
            CASE WHEN kind IN ('csat', 'ces') THEN 1.0 ELSE 0.0 END::DOUBLE AS scale_min,
            CASE kind WHEN 'csat' THEN 5.0 WHEN 'ces' THEN 7.0 ELSE 10.0 END::DOUBLE AS scale_max,
            true AS higher_is_better
        FROM answered ORDER BY i""",
    "qa_reviews": """
        SELECT 'V' || i AS review_id, 'T' || i AS ticket_id, 'A' || CAST(floor(u(i, 54) * $agents) AS BIGINT)
                AS agent_id,
            one_of(u(i, 111), ['B1', 'B2', 'B3']) AS reviewer_id, to_timestamp(created + 200000) AS reviewed_at,
            category, CASE WHEN u(i, 112 + n) > 0.06 THEN 5.0 - floor(3 * u(i, 120 + n) * u(i, 130 + n)) END AS score,
            1.0 AS scale_min, 5.0 AS scale_max, weight, n = 2 AS is_critical,
            CASE WHEN u(i, 140) < 0.88 THEN 'random' ELSE 'targeted' END AS sampling
        FROM drawn, (VALUES (0, 'tone', 1.0), (1, 'solution', 3.0), (2, 'compliance', 2.0), (3, 'process', 1.0))
            AS categories(n, category, weight)
        WHERE i % 100 = 7 AND created + 200000 < $last""",
    "costs": """
        SELECT 'K' || row_number() OVER () AS cost_id, center, category, channel, month::DATE AS period_start,
            (month + INTERVAL 1 MONTH - INTERVAL 1 DAY)::DATE AS period_end,
            round(amount * ($tickets / 100000.0) * (0.9 + 0.2 * u(extract(epoch FROM month)::BIGINT, 151)), 2)
                AS amount,
            'EUR' AS currency
        FROM range(TIMESTAMP '2023-01-01', TIMESTAMP '2024-08-01', INTERVAL 1 MONTH) AS months(month),
            (VALUES ('support', 'salary', NULL, 65000), ('support', 'software', NULL, 9000),
                ('support', 'telecom', NULL, 2500), ('support', 'rent', NULL, 5400),
                ('support', 'hardware', NULL, 2000), ('acquisition', 'media', 'search', 18000),
                ('acquisition', 'media', 'social', 12000),
                ('acquisition', 'media', 'display', 7500), ('acquisition', 'other', 'referral', 3500),
                ('acquisition', 'salary', NULL, 18000), ('acquisition', 'software', NULL, 2000),
                ('serve', 'software', NULL, 7000), ('serve', 'other', NULL, 40000)
            ) AS kinds(center, category, channel, amount)
        ORDER BY month""",
    "leads": """
        SELECT 'L' || i AS lead_id, to_timestamp(created + 17) AS created_at,
            one_of(u(i, 161), ['search', 'search', 'social', 'organic', 'display', 'referral']) AS channel,
            CASE WHEN u(i, 162) < 0.48 THEN to_timestamp(created + 1000 + wait(u(i, 163), 300000)) END AS qualified_at,
            CASE WHEN u(i, 162) < 0.24 THEN 'C' || CAST(floor(u(i, 164) * $customers) AS BIGINT) END AS customer_id,
            CASE WHEN u(i, 162) < 0.24 THEN to_timestamp(created + 500000 + wait(u(i, 165), 900000)) END
                AS converted_at,
            md5('lead ' || (i - CASE WHEN u(i, 166) < 0.03 THEN 5 ELSE 0 END))[:16] AS contact_hash,
            u(i, 167) < 0.055 AS is_bot
        FROM drawn WHERE i % 5 = 0""",
    "agent_shifts": """
        WITH days AS (
            SELECT extract(epoch FROM day)::BIGINT AS start, row_number() OVER () AS d
            FROM range(TIMESTAMP '2023-04-01', TIMESTAMP '2024-07-01', INTERVAL 1 DAY) AS days(day)
            WHERE isodow(day) < 6
        )
        SELECT 'H' || ((d * $agents + a) * 2 + part) AS shift_id, 'A' || a AS agent_id,
            one_of(u(a, 171), ['general', 'general', 'billing', 'technical', 'specialists']) AS team,
            CASE one_of(u(a, 171), ['general', 'general', 'billing', 'technical', 'specialists'])
                WHEN 'technical' THEN 2 WHEN 'specialists' THEN 3 ELSE 1 END AS tier,
            to_timestamp(start + 25200 + 3600 * (a % 3) + 16200 * part) AS start_at,
            to_timestamp(start + 25200 + 3600 * (a % 3) + 16200 * part + 14400) AS end_at,
            CASE WHEN u(a, 100 + d) < 0.05 THEN 'absent' WHEN u(a * 2 + part, 100 + d) < 0.1 THEN 'meeting'
                ELSE 'available' END AS activity,
            true AS paid
        FROM days, range($agents) AS agents(a), range(2) AS parts(part)""",
    "engagement_events": """
        SELECT 'G' || i AS event_id, 'C' || CAST(floor(u(i, 181) * $customers * (0.55 + 0.45 * i / $tickets)) AS BIGINT)
                AS customer_id,
            to_timestamp(created + 100) AS "at",
            one_of(u(i, 182), ['site_visit', 'site_visit', 'site_visit', 'login', 'login', 'email_open', 'social'])
                AS kind
        FROM drawn ORDER BY i""",
}

DRAWN = """
CREATE TEMP TABLE customers_at AS
SELECT i, paid_at(i) AS paid FROM range($customers) AS numbers(i);
CREATE TEMP VIEW drawn AS
SELECT i, created, CASE WHEN u(i, 30) < 0.97
        THEN CAST(floor(u(i, 41) * $customers * (0.55 + 0.45 * i / $tickets)) AS BIGINT) END AS customer,
    one_of(u(i, 42), ['email', 'email', 'email', 'phone', 'phone', 'phone', 'chat', 'chat', 'chat', 'web']) AS channel,
    one_of(u(i, 43), ['order status', 'order status', 'return', 'return', 'billing', 'product question', 'technical',
        'account', 'damage', 'other', NULL]) AS type,
    CASE WHEN u(i, 36) < 0.97 THEN 'customer' WHEN u(i, 36) < 0.993 THEN 'agent' ELSE 'system' END AS initiator,
    i > 100 AND u(i, 44) < 0.011 AS merged
FROM numbered;
"""

REPORT = """\
company: A large company (made up)
time_zone: Europe/Berlin
currency: EUR
language: en
source: sources/large.yaml
reports: ../reports
records: ../records
notebooks:
  - name: empty
hours: {days: [mon, tue, wed, thu, fri], open: "09:00", close: "18:00", holidays: DE}
"""

EMPTY = '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'


def generate(folder: Path, tickets: int, *, memory: str = "3GB", threads: int = 2) -> Path:
    """Write the tables and params of a company with so many tickets to `folder`; return the path of its params file."""
    params = folder / "params" / "report.yaml"
    params.parent.joinpath("sources").mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect()
    for setting in (f"memory_limit = '{memory}'", f"threads = {threads}", f"temp_directory = '{folder / 'spill'}'"):
        connection.execute(f"SET {setting}")
    connection.execute("SET TimeZone = 'UTC'")
    numbers = {
        "tickets": tickets,
        "customers": tickets // 10,
        "purchases": round(2 * tickets / 1.0582),
        "agents": max(30, tickets // TICKETS_OF_AN_AGENT),
        "early": int(datetime(2020, 7, 1, tzinfo=UTC).timestamp()),
        "last": int(LAST.timestamp()),
    }
    connection.execute(_with(MACROS, numbers))
    create, fill = NUMBERED.strip().split(";", 1)
    connection.execute(create)
    connection.executemany("INSERT INTO slots VALUES (?, ?, ?)", slots(tickets))
    connection.execute(fill)
    connection.execute(_with(DRAWN, numbers))
    for name, query in TABLES.items():
        connection.execute(f"COPY ({_with(query, numbers)}) TO '{folder / name}.parquet' (FORMAT parquet)")
    connection.close()
    params.write_text(REPORT, encoding="utf-8")
    (folder / "notebooks").mkdir(exist_ok=True)
    (folder / "notebooks" / "empty.ipynb").write_text(EMPTY, encoding="utf-8")
    listed = "".join(f"  {name}: ../../{name}.parquet\n" for name in TABLES)
    source = f"connection: duckdb://\nas_of: {AS_OF}\ntables:\n{listed}"
    (params.parent / "sources" / "large.yaml").write_text(source, encoding="utf-8")
    return params


def slots(tickets: int) -> list[tuple[int, int, int]]:
    """Return the hours as `start, first, rows`: how many tickets came in each, and the number of the first of them."""
    hours = [FIRST + timedelta(hours=number) for number in range(int((LAST - FIRST).total_seconds()) // 3600)]
    weights = [WEEKDAYS[hour.weekday()] * HOURS[hour.hour] for hour in hours]
    total, sum_so_far, rows = sum(weights), 0.0, []
    for hour, weight in zip(hours, weights, strict=True):
        first = round(tickets * sum_so_far / total)
        sum_so_far += weight
        rows.append((int(hour.timestamp()), first, round(tickets * sum_so_far / total) - first))
    return rows


def _with(query: str, numbers: dict[str, int]) -> str:
    """Return the query with each `$name` replaced by its number."""
    for name, number in numbers.items():
        query = query.replace(f"${name}", str(number))
    return query


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("tickets", type=int)
    given = parser.parse_args()
    print(generate(given.folder, given.tickets))

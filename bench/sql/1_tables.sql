-- The calendar, customers, and one wide row a ticket. Instants are whole seconds since 1970; months are those of Berlin.
SET TimeZone = 'UTC';
CREATE MACRO s(instant) AS epoch_us(instant) // 1000000;
CREATE MACRO as_of() AS 1719892800;  -- 2024-07-02 04:00 UTC
CREATE MACRO far() AS 1099511627776;

CREATE TEMP TABLE hours AS
SELECT number AS clock, strftime(local, '%Y-%m') AS period, datediff('day', DATE '0001-01-01', local::DATE) + 1 AS day,
    isodow(local) AS dow, ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'][isodow(local)] AS name, hour(local) AS hh
FROM (
    SELECT number, to_timestamp(number * 3600) AT TIME ZONE 'Europe/Berlin' AS local
    FROM range(s(TIMESTAMPTZ '2023-04-30 22:00:00+00') // 3600, s(TIMESTAMPTZ '2024-05-31 22:00:00+00') // 3600)
        AS numbers(number)
);
CREATE TEMP TABLE calendar AS
SELECT clock, period, day, dow || ' ' || name AS weekday, format('{:02d}', hh) AS hour,
    dow || ' ' || name || ' ' || format('{:02d}', hh) AS weekday_hour
FROM hours;
CREATE TEMP TABLE periods AS
SELECT period, min(clock) * 3600 AS starts, (max(clock) + 1) * 3600 AS ends, min(day) AS first_day, max(day) AS last_day
FROM calendar GROUP BY period;

-- how long the desk was open before each hour, and whether it is open in it
CREATE TEMP TABLE desk AS
SELECT clock, open, sum(CASE WHEN open THEN 3600 ELSE 0 END) OVER (ORDER BY clock) - CASE WHEN open THEN 3600 ELSE 0 END
        AS before
FROM (
    SELECT number AS clock, isodow(local) < 6 AND hour(local) BETWEEN 9 AND 17 AND local::DATE NOT IN (
            '2023-05-01', '2023-05-18', '2023-05-29', '2023-10-03', '2023-12-25', '2023-12-26', '2024-01-01',
            '2024-03-29', '2024-04-01', '2024-05-01', '2024-05-09', '2024-05-20') AS open
    FROM (
        SELECT number, to_timestamp(number * 3600) AT TIME ZONE 'Europe/Berlin' AS local
        FROM range(s(TIMESTAMPTZ '2023-04-30 22:00:00+00') // 3600, as_of() // 3600 + 1) AS numbers(number)
    )
);

CREATE TEMP TABLE people AS
SELECT customer_id, segment, country, acquisition_channel, is_test OR is_staff AS insider
FROM '{folder}/customers.parquet';

CREATE TEMP TABLE plain AS
SELECT ticket_id, t.customer_id, s(created_at) AS created, channel, type, priority, product, team, tier, problem_id,
    segment, country, initiated_by = 'customer' AS by_customer, coalesce(type, problem_id) AS issue, merged_into_id,
    s(merged_at) AS merged,
    CASE WHEN is_test OR coalesce(insider, false) THEN 'test' WHEN is_deleted THEN 'deleted' WHEN is_spam THEN 'spam'
        WHEN merged_into_id IS NOT NULL THEN 'merged into another' END AS excluded
FROM '{folder}/tickets.parquet' AS t LEFT JOIN people AS p ON t.customer_id = p.customer_id;

CREATE TEMP TABLE statuses AS
SELECT *, to_value IN ('resolved', 'closed') AND before NOT IN ('resolved', 'closed') AS resolution,
    to_value NOT IN ('resolved', 'closed') AND before IN ('resolved', 'closed') AS reopening
FROM (
    SELECT ticket_id, s("at") AS moment, to_value, actor, coalesce(lag(to_value) OVER in_order, 'open') AS before,
        lead(s("at")) OVER in_order AS until, row_number() OVER in_order AS number
    FROM '{folder}/ticket_events.parquet' WHERE kind = 'status' AND to_value IS NOT NULL
    WINDOW in_order AS (PARTITION BY ticket_id ORDER BY "at", event_id)
);

CREATE TEMP TABLE ends AS
SELECT *, CASE WHEN done THEN last_resolution END AS resolved, CASE WHEN done THEN last_actor END AS resolved_by,
    done AND coalesce(last_given_up, false) AS given_up
FROM (
    SELECT ticket_id, min(moment) FILTER (resolution) AS first_resolved, max(moment) FILTER (resolution)
            AS last_resolution,
        count(*) FILTER (resolution) > count(*) FILTER (reopening) AS done, min(moment) FILTER (reopening) AS reopened,
        bool_or(to_value = 'resolved') AS had_resolved,
        sum(CASE WHEN to_value = 'pending' THEN coalesce(until, as_of()) - moment ELSE 0 END) AS pending,
        arg_max(actor, number) FILTER (resolution) AS last_actor,
        arg_max(actor IN ('system', 'bot') AND before = 'pending', number) FILTER (resolution) AS last_given_up
    FROM statuses GROUP BY ticket_id
);

CREATE TEMP TABLE happened AS
SELECT ticket_id, min("at") FILTER (kind = 'public_reply' AND actor = 'agent') AS first_reply,
    max("at") FILTER (kind = 'public_reply' AND actor = 'agent') AS last_reply,
    count(*) FILTER (kind = 'public_reply' AND actor = 'agent') AS replies, bool_or(kind = 'assign') AS assigned,
    min("at") FILTER (kind = 'escalate') AS escalated,
    min("at") FILTER (kind = 'escalate' AND TRY_CAST(to_value AS BIGINT) >= 2) AS level_2,
    min("at") FILTER (kind = 'escalate' AND TRY_CAST(to_value AS BIGINT) >= 3) AS level_3,
    min(CASE WHEN kind = 'escalate' THEN TRY_CAST(to_value AS BIGINT) END) AS lowest, sum(handle_seconds) AS handle_seconds,
    min(channel) FILTER (kind = 'customer_message') AS low_channel,
    max(channel) FILTER (kind = 'customer_message') AS high_channel
FROM (SELECT ticket_id, kind, actor, channel, handle_seconds, to_value, s("at") AS "at"
    FROM '{folder}/ticket_events.parquet')
GROUP BY ticket_id;

CREATE TEMP TABLE linked AS
SELECT ticket_id, min(channel) AS low_call, max(channel) AS high_call,
    min(s(offered_at)) FILTER (outcome = 'answered') AS answered
FROM '{folder}/calls.parquet' WHERE ticket_id IS NOT NULL AND direction = 'inbound' GROUP BY ticket_id;

CREATE TEMP TABLE held AS
SELECT e.ticket_id, arg_max(to_value, ("at", event_id)) AS agent
FROM '{folder}/ticket_events.parquet' AS e JOIN ends ON e.ticket_id = ends.ticket_id AND s(e."at") <= ends.resolved
WHERE kind = 'assign' GROUP BY e.ticket_id;

CREATE TEMP TABLE followed AS
SELECT ticket_id, bool_or(moment <= resolved + 7 * 86400 AND same_issue) AS followed_up,
    min(moment) FILTER (same_type AND moment <= resolved + 30 * 86400) AS next_contact
FROM (
    SELECT e.ticket_id, e.resolved, n.created AS moment, coalesce(p.issue, '') = coalesce(n.issue, '') AS same_issue,
        coalesce(p.type, '') = coalesce(n.type, '') AS same_type
    FROM ends AS e JOIN plain AS p ON e.ticket_id = p.ticket_id
    JOIN (SELECT * FROM plain WHERE excluded IS NULL AND by_customer) AS n
        ON p.customer_id = n.customer_id AND n.created > e.resolved AND n.created <= e.resolved + 30 * 86400
) GROUP BY ticket_id;

CREATE TEMP TABLE wide AS
SELECT p.*, first_reply, last_reply, coalesce(replies, 0) AS replies, coalesce(assigned, false) AS assigned, escalated,
    level_2, level_3, handle_seconds, first_resolved, resolved, reopened, had_resolved, pending, resolved_by, given_up,
    least(coalesce(tier, 99), coalesce(lowest - 1, 99)) AS level, coalesce(answered <= created, false) AS live,
    coalesce(low_channel <> p.channel OR high_channel <> p.channel, false)
        OR coalesce(low_call <> p.channel OR high_call <> p.channel, false) AS switched,
    coalesce(followed_up, false) AS followed_up, coalesce(resolved <= as_of() - 7 * 86400, true) AS watched, agent,
    next_contact
FROM plain AS p LEFT JOIN happened USING (ticket_id) LEFT JOIN ends USING (ticket_id) LEFT JOIN linked USING (ticket_id)
    LEFT JOIN held USING (ticket_id) LEFT JOIN followed USING (ticket_id);
DROP TABLE happened;
DROP TABLE linked;
DROP TABLE held;
DROP TABLE followed;

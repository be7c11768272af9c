-- Calls when offered and when handled, requests of both kinds, the agents' days, and what they and customers said.
CREATE TEMP TABLE last_teams AS
SELECT agent_id, arg_max(team, (start_at, shift_id)) AS last_team FROM '{folder}/agent_shifts.parquet' GROUP BY agent_id;
CREATE TEMP TABLE day_teams AS
SELECT agent_id, day, arg_max(team, (start_at, shift_id)) AS day_team
FROM '{folder}/agent_shifts.parquet' JOIN calendar ON s(start_at) // 3600 = clock GROUP BY agent_id, day;
CREATE TEMP TABLE inbound AS
SELECT c.*, s(offered_at) AS offered, segment, country, outcome = 'answered' AS answered, queue_seconds AS waited
FROM '{folder}/calls.parquet' AS c LEFT JOIN people AS p ON c.customer_id = p.customer_id
WHERE direction = 'inbound' AND NOT coalesce(insider, false);
CREATE TEMP TABLE offered AS
SELECT i.*, period, c.day, weekday, hour, weekday_hour, coalesce(waited <= aim, false) AS fast,
    waited IS NOT NULL AS known, answered OR coalesce(waited > 5, false) AS stayed,
    coalesce(day_team, last_team) AS team
FROM (SELECT *, CASE channel WHEN 'phone' THEN 20 WHEN 'chat' THEN 60 END AS aim FROM inbound) AS i
    JOIN calendar AS c ON offered // 3600 = clock
    LEFT JOIN day_teams AS d ON i.agent_id = d.agent_id AND c.day = d.day
    LEFT JOIN last_teams AS l ON i.agent_id = l.agent_id
WHERE outcome IN ('answered', 'abandoned_queue');
CREATE TABLE calls_offered AS
SELECT grouping_id(channel, queue, weekday, hour, weekday_hour, team) AS g, period, channel, queue, weekday, hour,
    weekday_hour, team, count(*) AS calls, count(*) FILTER (answered AND fast AND known AND stayed) AS level,
    count(*) FILTER (known AND stayed) AS level_of, count(*) FILTER (fast AND answered AND known) AS answered_fast,
    count(*) FILTER (answered AND known) AS answered_known,
    count(*) FILTER (answered AND fast AND known AND (answered OR NOT fast)) AS level_without,
    count(*) FILTER (known AND (answered OR NOT fast)) AS level_without_of, count(*) FILTER (known) AS known,
    count(*) FILTER (NOT answered AND stayed) AS abandoned, count(*) FILTER (stayed) AS stayed,
    count(*) FILTER (NOT answered) AS all_abandoned, (sum(waited) FILTER (stayed))::DOUBLE AS waited,
    count(waited) FILTER (stayed) AS waits, (sum(waited) FILTER (answered))::DOUBLE AS answer_waited,
    count(waited) FILTER (answered) AS answer_waits
FROM offered GROUP BY GROUPING SETS ((period), (period, channel), (period, queue), (period, weekday), (period, hour),
    (period, weekday_hour), (period, team));
CREATE TABLE calls_offered_days AS
SELECT g, period, channel, queue, weekday, hour, weekday_hour, team,
    count(*) FILTER (level_of <> 0) AS n_1, sum(level * level) AS yy_1, sum(level_of * level_of) AS xx_1,
    sum(level * level_of) AS xy_1, count(*) FILTER (of_2 <> 0) AS n_2, sum(y_2 * y_2) AS yy_2, sum(of_2 * of_2) AS xx_2,
    sum(y_2 * of_2) AS xy_2, count(*) FILTER (of_3 <> 0) AS n_3, sum(level * level) AS yy_3, sum(of_3 * of_3) AS xx_3,
    sum(level * of_3) AS xy_3, count(*) FILTER (of_4 <> 0) AS n_4, sum(y_2 * y_2) AS yy_4, sum(of_4 * of_4) AS xx_4,
    sum(y_2 * of_4) AS xy_4, count(*) FILTER (of_5 <> 0) AS n_5, sum(y_5 * y_5) AS yy_5, sum(of_5 * of_5) AS xx_5,
    sum(y_5 * of_5) AS xy_5, count(*) AS n_6, sum(y_6 * y_6) AS yy_6, sum(of_6 * of_6) AS xx_6, sum(y_6 * of_6) AS xy_6,
    count(*) FILTER (of_7 <> 0) AS n_7, sum(y_7 * y_7) AS yy_7, sum(of_7 * of_7) AS xx_7, sum(y_7 * of_7) AS xy_7,
    count(*) FILTER (of_8 <> 0) AS n_8, sum(y_8 * y_8) AS yy_8, sum(of_8 * of_8) AS xx_8, sum(y_8 * of_8) AS xy_8
FROM (
    SELECT grouping_id(channel, queue, weekday, hour, weekday_hour, team) AS g, period, channel, queue, weekday, hour,
        weekday_hour, team, (count(*) FILTER (answered AND fast AND known AND stayed))::DOUBLE AS level,
        (count(*) FILTER (known AND stayed))::DOUBLE AS level_of,
        (count(*) FILTER (fast AND answered AND known))::DOUBLE AS y_2,
        (count(*) FILTER (answered AND known))::DOUBLE AS of_2,
        (count(*) FILTER (known AND (answered OR NOT fast)))::DOUBLE AS of_3,
        (count(*) FILTER (known))::DOUBLE AS of_4, (count(*) FILTER (NOT answered AND stayed))::DOUBLE AS y_5,
        (count(*) FILTER (stayed))::DOUBLE AS of_5, (count(*) FILTER (NOT answered))::DOUBLE AS y_6,
        count(*)::DOUBLE AS of_6, coalesce(sum(waited) FILTER (stayed), 0)::DOUBLE AS y_7,
        (count(waited) FILTER (stayed))::DOUBLE AS of_7, coalesce(sum(waited) FILTER (answered), 0)::DOUBLE AS y_8,
        (count(waited) FILTER (answered))::DOUBLE AS of_8
    FROM offered GROUP BY GROUPING SETS ((period, day), (period, day, channel), (period, day, queue),
        (period, day, weekday), (period, day, hour), (period, day, weekday_hour), (period, day, team))
) GROUP BY ALL;

CREATE TEMP TABLE attempted AS
SELECT channel, queue, period, day, weekday, hour, outcome = 'blocked' AS blocked,
    outcome IN ('blocked', 'answered', 'abandoned_queue') AS attempted, offered // 3600 AS clock, talk_seconds IS NOT NULL
        AND answered OR outcome = 'abandoned_queue' AS carried,
    coalesce(queue_seconds, 0) + coalesce(talk_seconds, 0) + coalesce(hold_seconds, 0) + coalesce(wrap_seconds, 0) AS held
FROM inbound JOIN calendar ON offered // 3600 = calendar.clock;
CREATE TABLE calls_all AS
SELECT grouping_id(channel, queue, weekday, hour) AS g, period, channel, queue, weekday, hour,
    count(*) FILTER (blocked) AS blocked, count(*) FILTER (attempted) AS attempted
FROM attempted GROUP BY GROUPING SETS ((period), (period, channel), (period, queue), (period, weekday), (period, hour));
CREATE TABLE calls_all_hours AS
SELECT g, period, channel, queue, weekday, hour, count(*) FILTER (x <> 0) AS groups, sum(y * y) AS yy, sum(x * x) AS xx,
    sum(y * x) AS xy
FROM (
    SELECT grouping_id(channel, queue, weekday, hour) AS g, period, channel, queue, weekday, hour,
        (count(*) FILTER (blocked))::DOUBLE AS y, (count(*) FILTER (attempted))::DOUBLE AS x
    FROM attempted GROUP BY GROUPING SETS ((period, clock), (period, clock, channel), (period, clock, queue),
        (period, clock, weekday), (period, clock, hour))
) GROUP BY ALL;
CREATE TABLE phone_hours AS
SELECT period, calls, count(*) AS hours, sum(carried) AS carried, sum(held) AS held
FROM (
    SELECT period, clock, count(*) AS calls, count(*) FILTER (carried) AS carried, sum(held) FILTER (carried) AS held
    FROM attempted WHERE attempted AND channel = 'phone' GROUP BY period, clock
) GROUP BY period, calls;
DROP TABLE attempted;

CREATE TEMP TABLE handled AS
SELECT channel, queue, coalesce(day_team, last_team) AS team, i.agent_id, period, c.day, weekday, talk, hold, wrap,
    talk + hold + wrap AS handle
FROM (
    SELECT *, talk_seconds AS talk, CASE WHEN talk_seconds IS NOT NULL THEN coalesce(hold_seconds, 0) END AS hold,
        CASE WHEN talk_seconds IS NOT NULL THEN coalesce(wrap_seconds, 0) END AS wrap
    FROM inbound WHERE answered
) AS i JOIN calendar AS c ON (offered + coalesce(queue_seconds, 0) + coalesce(talk + hold + wrap, 0)) // 3600 = clock
    LEFT JOIN day_teams AS d ON i.agent_id = d.agent_id AND c.day = d.day
    LEFT JOIN last_teams AS l ON i.agent_id = l.agent_id;
CREATE TABLE calls_handled AS
SELECT grouping_id(channel, queue, team) AS g, period, channel, queue, team, sum(handle)::DOUBLE AS handle,
    count(handle) AS calls, sum(talk)::DOUBLE AS talk, sum(hold)::DOUBLE AS hold, sum(wrap)::DOUBLE AS wrap
FROM handled GROUP BY GROUPING SETS ((period), (period, channel), (period, queue), (period, team));
CREATE TABLE calls_handled_days AS
SELECT g, period, channel, queue, team, count(*) FILTER (x <> 0) AS groups, sum(x * x) AS xx, sum(a * a) AS aa,
    sum(a * x) AS ax, sum(b * b) AS bb, sum(b * x) AS bx, sum(c * c) AS cc, sum(c * x) AS cx, sum(d * d) AS dd,
    sum(d * x) AS dx
FROM (
    SELECT grouping_id(channel, queue, team) AS g, period, channel, queue, team, count(handle)::DOUBLE AS x,
        sum(handle)::DOUBLE AS a, sum(talk)::DOUBLE AS b, sum(hold)::DOUBLE AS c, sum(wrap)::DOUBLE AS d
    FROM handled GROUP BY GROUPING SETS ((period, agent_id, day), (period, agent_id, day, channel),
        (period, agent_id, day, queue), (period, agent_id, day, team))
) GROUP BY ALL;

CREATE TEMP TABLE contacts AS
SELECT period, day, weekday, hour, weekday_hour, customer_id, channel, type, segment, country, true AS answered
FROM wide JOIN calendar ON created // 3600 = clock WHERE by_customer AND excluded IS NULL
UNION ALL
SELECT period, day, weekday, hour, weekday_hour, customer_id, channel, NULL, segment, country, answered
FROM offered WHERE ticket_id IS NULL;
CREATE TABLE contact_sums AS
SELECT grouping_id(channel, type, segment, weekday, hour, weekday_hour, country) AS g, period, channel, type, segment,
    weekday, hour, weekday_hour, country, count(*) FILTER (answered) AS answered, count(*) AS offered,
    count(*) FILTER (customer_id IS NULL) AS unknown, count(*) FILTER (answered AND customer_id IS NOT NULL) AS known
FROM contacts GROUP BY GROUPING SETS ((period), (period, channel), (period, type), (period, segment),
    (period, weekday), (period, hour), (period, weekday_hour), (period, country));
CREATE TABLE contact_days AS
SELECT g, period, segment, country, count(*) FILTER (x <> 0) AS groups, sum(x * x) AS xx
FROM (
    SELECT grouping_id(segment, country) AS g, period, segment, country, (count(*) FILTER (answered))::DOUBLE AS x
    FROM contacts GROUP BY GROUPING SETS ((period, day), (period, day, segment), (period, day, country))
) GROUP BY ALL;
CREATE TABLE contact_customers AS
SELECT g, period, segment, country, count(*) FILTER (x <> 0) AS groups, sum(x * x) AS xx
FROM (
    SELECT grouping_id(segment, country) AS g, period, segment, country,
        (count(*) FILTER (answered AND customer_id IS NOT NULL))::DOUBLE AS x
    FROM contacts
    GROUP BY GROUPING SETS ((period, customer_id), (period, customer_id, segment), (period, customer_id, country))
) GROUP BY ALL;
DROP TABLE contacts;

CREATE TABLE interactions AS
WITH said AS (
    SELECT coalesce(merged_into_id, e.ticket_id) AS ticket_id, s("at") AS moment, actor = 'agent' AS ours, 1 AS place,
        event_id
    FROM '{folder}/ticket_events.parquet' AS e
        LEFT JOIN (SELECT ticket_id, merged_into_id, merged FROM plain WHERE merged IS NOT NULL) AS m
        ON e.ticket_id = m.ticket_id AND s(e."at") >= merged
    WHERE (kind = 'customer_message' AND actor = 'customer') OR (kind = 'public_reply' AND actor = 'agent')
    UNION ALL
    SELECT ticket_id, created, false, 0, '' FROM plain WHERE by_customer
),
gaps AS (
    SELECT ticket_id, moment, ours, place, event_id,
        coalesce(moment - lag(moment) OVER in_order >= 86400, true) AS begins
    FROM said WHERE moment >= (SELECT min(starts) FROM periods) - 86400
    WINDOW in_order AS (PARTITION BY ticket_id ORDER BY place, moment, event_id)
),
sessions AS (
    SELECT ticket_id, moment, ours, sum(CASE WHEN begins THEN 1 ELSE 0 END) OVER
        (PARTITION BY ticket_id ORDER BY place, moment, event_id ROWS UNBOUNDED PRECEDING) AS session
    FROM gaps
),
met AS (
    SELECT channel, began FROM (
        SELECT ticket_id, session, min(moment) AS began FROM sessions GROUP BY ticket_id, session
        HAVING count(*) FILTER (ours) > 0
    ) JOIN plain USING (ticket_id) WHERE excluded IS NULL
    UNION ALL
    SELECT o.channel, offered FROM offered AS o LEFT JOIN plain AS p ON o.ticket_id = p.ticket_id
    WHERE answered AND excluded IS NULL
)
SELECT grouping_id(channel) AS g, period, channel, day, count(*) AS interactions
FROM met JOIN calendar ON began // 3600 = clock GROUP BY GROUPING SETS ((period, day), (period, day, channel));

CREATE TABLE agent_days AS
WITH shifts AS (SELECT *, s(start_at) AS begins, s(end_at) AS stops FROM '{folder}/agent_shifts.parquet'),
worked AS (
    SELECT period, day, weekday, agent_id, e.ticket_id, bool_or(kind = 'public_reply') AS replied,
        coalesce(sum(handle_seconds), 0) AS seconds
    FROM '{folder}/ticket_events.parquet' AS e JOIN plain AS p ON e.ticket_id = p.ticket_id AND excluded IS NULL
        JOIN calendar ON s(e."at") // 3600 = clock
    WHERE actor = 'agent' AND agent_id IS NOT NULL GROUP BY period, day, weekday, agent_id, e.ticket_id
),
parts AS (
    SELECT period, day, weekday, agent_id, least(stops, as_of()) - begins AS paid,
        CASE WHEN activity = 'available' THEN least(stops, as_of()) - begins ELSE 0 END AS available, 0 AS on_calls,
        0 AS on_tickets, 0 AS conversations, 0 AS first_conversations, 0 AS calls
    FROM shifts JOIN calendar ON begins // 3600 = clock WHERE paid AND activity <> 'absent'
    UNION ALL
    SELECT period, day, weekday, agent_id, 0, 0, coalesce(handle, 0), 0, 0, 0, 1 FROM handled
    WHERE agent_id IS NOT NULL
    UNION ALL
    SELECT period, day, weekday, agent_id, 0, 0, 0, seconds, CASE WHEN replied THEN 1 ELSE 0 END,
        CASE WHEN replied AND row_number() OVER (PARTITION BY period, ticket_id
            ORDER BY NOT replied, day, agent_id) = 1 THEN 1 ELSE 0 END, 0
    FROM worked
)
SELECT period, day, weekday, agent_id, sum(paid) AS paid, sum(available) AS available, sum(on_calls) AS on_calls,
    sum(on_tickets) AS on_tickets, sum(conversations) AS conversations, sum(first_conversations) AS first_conversations,
    sum(calls) AS calls
FROM parts GROUP BY period, day, weekday, agent_id
HAVING sum(paid) > 0 OR sum(on_tickets) > 0 OR sum(conversations) > 0 OR sum(calls) > 0;
CREATE TABLE handle_times AS
SELECT period, channel, sum(seconds) AS seconds FROM (
    SELECT period, channel, handle AS seconds FROM handled
    UNION ALL
    SELECT period, p.channel, handle_seconds FROM '{folder}/ticket_events.parquet' AS e
        JOIN plain AS p ON e.ticket_id = p.ticket_id AND excluded IS NULL JOIN calendar ON s(e."at") // 3600 = clock
    WHERE handle_seconds IS NOT NULL
) GROUP BY period, channel;
DROP TABLE handled;

CREATE TEMP TABLE asked AS
SELECT survey_id, kind, v.customer_id, v.ticket_id, s(sent_at) AS sent, s(answered_at) AS answered, delivered,
    v.channel AS survey_channel, score, scale_min, scale_max, p.segment, p.country, t.channel, t.type, t.team,
    coalesce(v.customer_id, survey_id) AS respondent
FROM '{folder}/surveys.parquet' AS v LEFT JOIN people AS p ON v.customer_id = p.customer_id
    LEFT JOIN plain AS t ON v.ticket_id = t.ticket_id
WHERE NOT coalesce(insider, false) AND excluded IS NULL;
CREATE TEMP TABLE answers AS
SELECT a.*, period, kind IN ('nps') AND row_number() OVER (PARTITION BY period, kind, customer_id
        ORDER BY answered DESC, survey_id DESC) = 1 AS latest,
    (score - scale_min) / (scale_max - scale_min) AS placed,
    score >= CASE scale_max WHEN 5 THEN 4 WHEN 7 THEN 6 WHEN 10 THEN 9 ELSE 75 END AS satisfied
FROM asked AS a JOIN calendar ON answered // 3600 = clock WHERE score IS NOT NULL;
CREATE TABLE answer_sums AS
SELECT grouping_id(channel, segment, team, survey_channel) AS g, period, channel, segment, team, survey_channel,
    count(*) FILTER (satisfied AND kind = 'csat') AS satisfied, count(*) FILTER (kind = 'csat') AS csat,
    sum(100 * placed) FILTER (kind = 'csat') AS csat_placed,
    count(*) FILTER (score >= 9 AND latest) AS promoters, count(*) FILTER (score <= 6 AND latest) AS detractors,
    count(*) FILTER (latest) AS nps, count(*) FILTER (score >= 9 AND kind = 'nps_tx') AS tx_promoters,
    count(*) FILTER (score <= 6 AND kind = 'nps_tx') AS tx_detractors, count(*) FILTER (kind = 'nps_tx') AS nps_tx,
    sum(6 * placed + 1) FILTER (kind = 'ces') AS ces_placed, count(*) FILTER (kind = 'ces') AS ces,
    count(*) FILTER (placed >= 0.6666666656666667 AND kind = 'ces') AS easy
FROM answers GROUP BY GROUPING SETS ((period), (period, channel), (period, segment), (period, team),
    (period, survey_channel));
CREATE TABLE answer_respondents AS
SELECT g, period, channel, segment, team, count(*) FILTER (b <> 0) AS csat_groups, sum(a * a) AS aa, sum(b * b) AS bb,
    sum(a * b) AS ab, sum(c * c) AS cc, sum(c * b) AS cb, count(*) FILTER (e <> 0) AS ces_groups, sum(d * d) AS dd,
    sum(e * e) AS ee, sum(d * e) AS de, sum(f * f) AS ff, sum(f * e) AS fe
FROM (
    SELECT grouping_id(channel, segment, team) AS g, period, channel, segment, team,
        (count(*) FILTER (satisfied AND kind = 'csat'))::DOUBLE AS a, (count(*) FILTER (kind = 'csat'))::DOUBLE AS b,
        coalesce(sum(100 * placed) FILTER (kind = 'csat'), 0) AS c,
        coalesce(sum(6 * placed + 1) FILTER (kind = 'ces'), 0) AS d, (count(*) FILTER (kind = 'ces'))::DOUBLE AS e,
        (count(*) FILTER (placed >= 0.6666666656666667 AND kind = 'ces'))::DOUBLE AS f
    FROM answers GROUP BY GROUPING SETS ((period, respondent), (period, respondent, channel),
        (period, respondent, segment), (period, respondent, team))
) GROUP BY ALL;
CREATE TABLE answers_by_ticket AS
SELECT g, period, channel, segment, team, sum(k) AS satisfied, sum(n) AS csat, count(*) FILTER (n <> 0) AS groups,
    sum(k * k) AS kk, sum(n * n) AS nn, sum(k * n) AS kn
FROM (
    SELECT grouping_id(a.channel, a.segment, a.team) AS g, period, a.channel, a.segment, a.team,
        (count(*) FILTER (score >= 4 AND kind = 'csat'))::DOUBLE AS k, (count(*) FILTER (kind = 'csat'))::DOUBLE AS n
    FROM asked AS a JOIN wide USING (ticket_id) JOIN calendar ON resolved // 3600 = clock
    WHERE score IS NOT NULL AND answered IS NOT NULL
    GROUP BY GROUPING SETS ((period, respondent), (period, respondent, a.channel), (period, respondent, a.segment),
        (period, respondent, a.team))
) GROUP BY ALL;
CREATE TABLE surveys_sent AS
SELECT g, period, kind, survey_channel, segment, country, sum(rows) AS sent, sum(late) AS late, sum(k) AS answered,
    sum(n) AS delivered, count(*) FILTER (n <> 0) AS groups, sum(k * k) AS kk, sum(n * n) AS nn, sum(k * n) AS kn
FROM (
    SELECT grouping_id(kind, survey_channel, segment, country) AS g, period, kind, survey_channel, segment, country,
        count(*) AS rows, count(*) FILTER (sent > as_of() - 14 * 86400) AS late,
        (count(*) FILTER (answered - sent <= 14 * 86400 AND score IS NOT NULL AND delivered
            AND sent <= as_of() - 14 * 86400))::DOUBLE AS k,
        (count(*) FILTER (delivered AND sent <= as_of() - 14 * 86400))::DOUBLE AS n
    FROM asked JOIN calendar ON sent // 3600 = clock
    GROUP BY GROUPING SETS ((period, respondent), (period, respondent, kind), (period, respondent, survey_channel),
        (period, respondent, segment), (period, respondent, country))
) GROUP BY ALL;

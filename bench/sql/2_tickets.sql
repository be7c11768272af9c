-- What was created, resolved, and open: sums by period and cut, and moments over days, customers, agents and problems.
CREATE TEMP TABLE created AS
WITH asked AS (
    SELECT w.*, period, day, coalesce(problem_id, type || ' of ' || product) AS problem,
        coalesce(customer_id, 'ticket ' || ticket_id) AS requester
    FROM wide AS w JOIN calendar ON created // 3600 = clock WHERE by_customer AND excluded IS NULL
),
problems AS (
    SELECT period, problem, count(*) >= 3 AND min(requester) <> max(requester) AS recurring
    FROM asked WHERE problem IS NOT NULL GROUP BY period, problem
)
SELECT a.*, coalesce(recurring, false) AS recurring,
    CASE WHEN NOT live THEN greatest(coalesce(first_reply, resolved, as_of()) - created, 0) END AS reply_wait,
    greatest(coalesce(resolved, as_of()) - created, 0) AS wait,
    CASE WHEN NOT live THEN greatest(r.before + CASE WHEN r.open THEN coalesce(first_reply, resolved, as_of()) % 3600
        ELSE 0 END - c.before - CASE WHEN c.open THEN created % 3600 ELSE 0 END, 0) END AS business_reply,
    greatest(e.before + CASE WHEN e.open THEN coalesce(resolved, as_of()) % 3600 ELSE 0 END
        - c.before - CASE WHEN c.open THEN created % 3600 ELSE 0 END, 0) AS business_wait
FROM asked AS a LEFT JOIN problems AS p ON a.period = p.period AND a.problem = p.problem
    JOIN desk AS c ON created // 3600 = c.clock
    JOIN desk AS r ON coalesce(first_reply, resolved, as_of()) // 3600 = r.clock
    JOIN desk AS e ON coalesce(resolved, as_of()) // 3600 = e.clock;

CREATE TABLE tickets_created AS
WITH flagged AS (
    SELECT *, created > as_of() - 30 * 86400 AS late_30, created > as_of() - 14 * 86400 AS late_14,
        level < 2 AS below_2, level < 3 AS below_3, coalesce(level_2 - created <= 14 * 86400, false) AS to_2,
        coalesce(level_3 - created <= 14 * 86400, false) AS to_3,
        coalesce(resolved - created <= 30 * 86400, false) AS in_30
    FROM created
)
SELECT grouping_id(channel, type, priority, team, segment, product, issue) AS g, period, channel, type, priority, team,
    segment, product, issue, count(*) AS tickets, count(*) FILTER (switched) AS switched,
    count(*) FILTER (customer_id IS NULL) AS unknown,
    count(*) FILTER (resolved IS NOT NULL AND replies = 1 AND NOT coalesce(last_reply > reopened, false)
        AND escalated IS NULL AND NOT followed_up AND watched AND customer_id IS NOT NULL) AS first_contact,
    count(*) FILTER (watched AND customer_id IS NOT NULL) AS watched, count(*) FILTER (late_30) AS late_30,
    count(*) FILTER (in_30 AND NOT late_30) AS in_30, count(*) FILTER (NOT late_30) AS seen_30,
    count(*) FILTER (in_30 AND assigned AND NOT late_30) AS assigned_in_30,
    count(*) FILTER (assigned AND NOT late_30) AS assigned_30, count(*) FILTER (late_14) AS late_14,
    count(*) FILTER (coalesce(escalated - created <= 14 * 86400, false) AND NOT late_14) AS escalated,
    count(*) FILTER (NOT late_14) AS seen_14, count(*) FILTER (to_2 AND below_2 AND NOT late_14) AS to_2,
    count(*) FILTER (below_2 AND NOT late_14) AS below_2, count(*) FILTER (to_3 AND below_3 AND NOT late_14) AS to_3,
    count(*) FILTER (below_3 AND NOT late_14) AS below_3,
    count(*) FILTER (to_3 AND (level = 2 OR to_2) AND below_3 AND NOT late_14) AS from_2_to_3,
    count(*) FILTER ((level = 2 OR to_2) AND below_3 AND NOT late_14) AS at_2,
    count(*) FILTER (resolved IS NOT NULL AND first_reply IS NULL AND NOT live) AS never_replied,
    count(*) FILTER (NOT live) AS not_live, count(*) FILTER (recurring) AS recurring,
    count(*) FILTER (problem_id IS NULL) AS unlinked, count(*) FILTER (coalesce(given_up, false)) AS given_up
FROM flagged GROUP BY GROUPING SETS ((period), (period, channel), (period, type), (period, priority), (period, team),
    (period, segment), (period, product), (period, issue));

CREATE TABLE tickets_created_days AS
SELECT grouping_id(channel, team) AS g, period, channel, team, day, count(*) AS tickets
FROM created GROUP BY GROUPING SETS ((period, day), (period, day, channel), (period, day, team));
CREATE TABLE tickets_created_problems AS
SELECT g, period, channel, type, product, team, segment, count(*) FILTER (x <> 0) AS groups, sum(x * x) AS xx
FROM (
    SELECT grouping_id(channel, type, product, team, segment) AS g, period, channel, type, product, team, segment,
        count(*) FILTER (recurring) AS x
    FROM created GROUP BY GROUPING SETS ((period, problem), (period, problem, channel), (period, problem, type),
        (period, problem, product), (period, problem, team), (period, problem, segment))
) GROUP BY ALL;

CREATE TEMP TABLE resolutions AS
SELECT w.*, period, day, by_customer AND replies >= 1 AS replied,
    replies = 1 AND NOT coalesce(last_reply > reopened, false) AND escalated IS NULL AS at_once,
    resolved > as_of() - 7 * 86400 OR customer_id IS NULL AS unseen_7,
    resolved > as_of() - 30 * 86400 OR customer_id IS NULL AS unseen_30,
    coalesce(handle_seconds > 0, false) AND resolved_by = 'agent' AS timed
FROM wide AS w JOIN calendar ON resolved // 3600 = clock WHERE excluded IS NULL;
CREATE TABLE tickets_resolved AS
SELECT grouping_id(channel, type, team, priority, segment, agent) AS g, period, channel, type, team, priority, segment,
    agent, count(*) AS tickets, count(*) FILTER (resolved > as_of() - 7 * 86400) AS late_7,
    count(*) FILTER (customer_id IS NULL) AS unknown,
    count(*) FILTER (at_once AND NOT followed_up AND replied AND NOT unseen_7) AS first_contact,
    count(*) FILTER (replied AND NOT unseen_7) AS first_contact_of, count(*) FILTER (at_once AND replied) AS at_once,
    count(*) FILTER (replied) AS replied, count(*) FILTER (resolved_by IN ('bot', 'system')) AS automatic,
    count(*) FILTER (by_customer) AS by_customer, count(*) FILTER (resolved > as_of() - 30 * 86400) AS late_30,
    count(*) FILTER (next_contact IS NOT NULL AND by_customer AND NOT unseen_30) AS again_30,
    count(*) FILTER (by_customer AND NOT unseen_30) AS seen_30,
    count(*) FILTER (next_contact - resolved <= 7 * 86400 AND by_customer AND NOT unseen_7) AS again_7,
    count(*) FILTER (by_customer AND NOT unseen_7) AS seen_7, sum(handle_seconds)::DOUBLE AS handled,
    count(handle_seconds) AS recorded, sum(handle_seconds::DOUBLE ** 2) AS handled_squares,
    count(*) FILTER (handle_seconds <= 600 AND timed) AS in_time, count(*) FILTER (timed) AS timed
FROM resolutions GROUP BY GROUPING SETS ((period), (period, channel), (period, type), (period, team),
    (period, priority), (period, segment), (period, agent));
CREATE TABLE tickets_resolved_customers AS
SELECT g, period, channel, type, team, segment, count(*) FILTER (a <> 0 OR b <> 0) AS first_groups, sum(a * a) AS aa,
    sum(b * b) AS bb, sum(a * b) AS ab, count(*) FILTER (c <> 0 OR d <> 0) AS again_30_groups, sum(c * c) AS cc,
    sum(d * d) AS dd, sum(c * d) AS cd, count(*) FILTER (e <> 0 OR f <> 0) AS again_7_groups, sum(e * e) AS ee,
    sum(f * f) AS ff, sum(e * f) AS ef
FROM (
    SELECT grouping_id(channel, type, team, segment) AS g, period, channel, type, team, segment,
        (count(*) FILTER (at_once AND NOT followed_up AND replied AND NOT unseen_7))::DOUBLE AS a,
        (count(*) FILTER (replied AND NOT unseen_7))::DOUBLE AS b,
        (count(*) FILTER (next_contact IS NOT NULL AND by_customer AND NOT unseen_30))::DOUBLE AS c,
        (count(*) FILTER (by_customer AND NOT unseen_30))::DOUBLE AS d,
        (count(*) FILTER (next_contact - resolved <= 7 * 86400 AND by_customer AND NOT unseen_7))::DOUBLE AS e,
        (count(*) FILTER (by_customer AND NOT unseen_7))::DOUBLE AS f
    FROM resolutions GROUP BY GROUPING SETS ((period, customer_id), (period, customer_id, channel),
        (period, customer_id, type), (period, customer_id, team), (period, customer_id, segment))
) GROUP BY ALL;
CREATE TABLE tickets_resolved_days AS
SELECT grouping_id(channel, team, agent) AS g, period, channel, team, agent, day, count(*) AS tickets,
    count(*) FILTER (by_customer) AS by_customer
FROM resolutions
GROUP BY GROUPING SETS ((period, day), (period, day, channel), (period, day, team), (period, day, agent));
CREATE TABLE tickets_resolved_agents AS
SELECT g, period, channel, type, team, count(*) FILTER (x <> 0) AS groups, sum(y * y) AS yy, sum(x * x) AS xx,
    sum(x * y) AS xy
FROM (
    SELECT grouping_id(channel, type, team) AS g, period, channel, type, team,
        (count(*) FILTER (handle_seconds <= 600 AND timed))::DOUBLE AS y, (count(*) FILTER (timed))::DOUBLE AS x
    FROM resolutions
    GROUP BY GROUPING SETS ((period, agent), (period, agent, channel), (period, agent, type), (period, agent, team))
) GROUP BY ALL;
CREATE TABLE tickets_replied AS
SELECT period, count(*) AS tickets
FROM wide JOIN calendar ON first_reply // 3600 = clock WHERE by_customer AND excluded IS NULL GROUP BY period;

CREATE TEMP TABLE spells AS
WITH changes AS (
    SELECT ticket_id, created AS moment, -1 AS number, 'open' AS status FROM plain
    UNION ALL SELECT ticket_id, moment, number, to_value FROM statuses
),
states AS (
    SELECT *, lead(moment) OVER in_order AS until, lead(status) OVER in_order AS next_status,
        lag(status) OVER in_order AS last_status
    FROM changes WINDOW in_order AS (PARTITION BY ticket_id ORDER BY moment, number)
)
SELECT ticket_id, moment AS since, until, status, coalesce(last_status, 'closed') IN ('resolved', 'closed')
        AS became_open,
    coalesce(next_status, 'open') IN ('resolved', 'closed') AS becomes_done
FROM states WHERE status NOT IN ('resolved', 'closed');
CREATE TEMP TABLE touched AS
SELECT s.*, period, starts, ends, last_day, until IS NULL OR until >= ends AS at_end, became_open AND since >= starts AS opened,
    becomes_done AND coalesce(until < ends, false) AS closed, created, customer_id, by_customer, channel, type,
    priority, team, segment
FROM spells AS s JOIN periods ON since < ends AND coalesce(until, far()) >= starts JOIN plain USING (ticket_id)
WHERE excluded IS NULL;
DROP TABLE spells;
CREATE TABLE open_spells AS
SELECT grouping_id(channel, type, priority, team, segment) AS g, period, channel, type, priority, team, segment,
    count(*) AS spells, count(*) FILTER (closed) AS closed, sum(day_ends) AS day_ends,
    count(*) FILTER (opened) - count(*) FILTER (closed) AS more
FROM (
    SELECT t.*, CASE WHEN at_end THEN last_day + 1 ELSE e.day END - b.day AS day_ends
    FROM touched AS t JOIN calendar AS b ON greatest(since, starts) // 3600 = b.clock
        LEFT JOIN calendar AS e ON until // 3600 = e.clock
) GROUP BY GROUPING SETS ((period), (period, channel), (period, type), (period, priority), (period, team),
    (period, segment));

CREATE TEMP TABLE open_at_end AS
WITH standing AS (SELECT *, least(ends, as_of()) - created AS age FROM touched WHERE at_end),
said AS (
    SELECT coalesce(merged_into_id, e.ticket_id) AS ticket_id, s("at") AS moment, actor = 'agent' AS ours, 1 AS place,
        event_id
    FROM '{folder}/ticket_events.parquet' AS e
        LEFT JOIN (SELECT ticket_id, merged_into_id, merged FROM plain WHERE merged IS NOT NULL) AS m
        ON e.ticket_id = m.ticket_id AND s(e."at") >= merged
    WHERE ((kind = 'customer_message' AND actor = 'customer') OR (kind = 'public_reply' AND actor = 'agent'))
        AND coalesce(merged_into_id, e.ticket_id) IN (SELECT ticket_id FROM standing)
    UNION ALL
    SELECT DISTINCT ticket_id, created, false, 0, '' FROM standing WHERE by_customer
),
turns AS (
    SELECT ticket_id, moment, ours, place, event_id FROM said
    QUALIFY coalesce(lag(ours) OVER (PARTITION BY ticket_id ORDER BY place, moment, event_id) <> ours, true)
),
lacking AS (
    SELECT ticket_id, moment AS since, until FROM (
        SELECT *, lead(moment) OVER (PARTITION BY ticket_id ORDER BY place, moment, event_id) AS until FROM turns
    ) WHERE NOT ours
),
assigned AS (
    SELECT ticket_id, s("at") AS since, to_value AS agent,
        lead(s("at")) OVER (PARTITION BY ticket_id ORDER BY "at", event_id) AS until
    FROM '{folder}/ticket_events.parquet'
    WHERE kind = 'assign' AND ticket_id IN (SELECT ticket_id FROM standing)
)
SELECT t.*, agent, least(ends, as_of()) - l.since AS waiting, coalesce(customer_id, 'ticket ' || t.ticket_id)
        AS requester,
    CASE WHEN age // 3600 < 24 THEN 'under 1 day' WHEN age // 3600 < 72 THEN '1 to 3 days'
        WHEN age // 3600 < 168 THEN '3 to 7 days' ELSE 'over 7 days' END AS age_band
FROM standing AS t
    LEFT JOIN lacking AS l ON t.ticket_id = l.ticket_id AND l.since < ends AND coalesce(l.until, far()) >= ends
    LEFT JOIN assigned AS a ON t.ticket_id = a.ticket_id AND a.since < ends AND coalesce(a.until, far()) >= ends;
DROP TABLE touched;
CREATE TABLE backlog AS
SELECT grouping_id(channel, type, priority, team, segment, status, age_band) AS g, period, channel, type, priority,
    team, segment, status, age_band, count(*) AS tickets,
    count(*) FILTER (by_customer AND status = 'open' AND waiting IS NOT NULL) AS waiting,
    count(*) FILTER (age > 72 * 3600) AS aged, count(agent) AS assigned
FROM open_at_end GROUP BY GROUPING SETS ((period), (period, channel), (period, type), (period, priority),
    (period, team), (period, segment), (period, status), (period, age_band));
CREATE TABLE backlog_requesters AS
SELECT g, period, channel, type, priority, team, segment, count(*) FILTER (x <> 0) AS groups
FROM (
    SELECT grouping_id(channel, type, priority, team, segment) AS g, period, channel, type, priority, team, segment,
        count(*) FILTER (by_customer AND status = 'open' AND waiting IS NOT NULL) AS x
    FROM open_at_end GROUP BY GROUPING SETS ((period, requester), (period, requester, channel),
        (period, requester, type), (period, requester, priority), (period, requester, team),
        (period, requester, segment))
) GROUP BY ALL;
CREATE TABLE backlog_agents AS
SELECT grouping_id(team) AS g, period, team, agent, count(agent) AS tickets
FROM open_at_end GROUP BY GROUPING SETS ((period, agent), (period, agent, team));

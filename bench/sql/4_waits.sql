-- Kaplan-Meier estimates of every waiting time in every cut: counts by second, then sums along each curve.
CREATE TEMP TABLE steps AS
SELECT 'first_response_time' AS kpi, grouping_id(channel, type, priority, team, segment) AS g, period,
    coalesce(channel, type, priority, team, segment) AS member, reply_wait AS seconds, count(*)::DOUBLE AS leaving,
    (count(first_reply))::DOUBLE AS events
FROM created WHERE reply_wait IS NOT NULL GROUP BY GROUPING SETS ((period, reply_wait), (period, reply_wait, channel),
    (period, reply_wait, type), (period, reply_wait, priority), (period, reply_wait, team), (period, reply_wait, segment))
UNION ALL
SELECT 'first_response_time.business', grouping_id(channel), period, channel, business_reply, count(*),
    count(first_reply)
FROM created WHERE business_reply IS NOT NULL
GROUP BY GROUPING SETS ((period, business_reply), (period, business_reply, channel))
UNION ALL
SELECT 'resolution_time', grouping_id(channel, type, priority, team, segment), period,
    coalesce(channel, type, priority, team, segment), wait, count(*), count(resolved)
FROM created GROUP BY GROUPING SETS ((period, wait), (period, wait, channel), (period, wait, type),
    (period, wait, priority), (period, wait, team), (period, wait, segment))
UNION ALL
SELECT 'resolution_time.business', grouping_id(channel), period, channel, business_wait, count(*), count(resolved)
FROM created GROUP BY GROUPING SETS ((period, business_wait), (period, business_wait, channel))
UNION ALL
SELECT 'resolution_time.first', 0, period, NULL, greatest(coalesce(first_resolved, as_of()) - created, 0) AS seconds,
    count(*), count(first_resolved)
FROM created GROUP BY period, seconds
UNION ALL
SELECT 'resolution_time.resolved_only', 0, period, NULL, wait, count(*), count(resolved)
FROM created WHERE resolved IS NOT NULL AND had_resolved GROUP BY period, wait
UNION ALL
SELECT 'resolution_time.net_of_pending', 0, period, NULL,
    greatest(coalesce(resolved, as_of()) - created - coalesce(pending, 0), 0) AS seconds, count(*), count(resolved)
FROM created GROUP BY period, seconds
UNION ALL
SELECT 'first_response_time.by_reply_month', 0, period, NULL, greatest(first_reply - created, 0) AS seconds, count(*),
    count(*)
FROM wide JOIN calendar ON first_reply // 3600 = clock WHERE by_customer AND excluded IS NULL AND NOT live
GROUP BY period, seconds
UNION ALL
SELECT 'abandonment_rate.patience', 0, period, NULL, waited, count(*), count(*) FILTER (NOT answered)
FROM offered WHERE known GROUP BY period, waited
UNION ALL
SELECT 'wait_time.median', grouping_id(channel, queue), period, coalesce(channel, queue), waited, count(*), count(*)
FROM offered WHERE known AND stayed
GROUP BY GROUPING SETS ((period, waited), (period, waited, channel), (period, waited, queue))
UNION ALL
SELECT 'wait_time.virtual', grouping_id(channel, queue), period, coalesce(channel, queue), waited, count(*),
    count(*) FILTER (answered)
FROM offered WHERE known AND stayed
GROUP BY GROUPING SETS ((period, waited), (period, waited, channel), (period, waited, queue))
UNION ALL
SELECT 'average_speed_of_answer.median', grouping_id(channel, queue), period, coalesce(channel, queue), waited,
    count(*), count(*)
FROM offered WHERE known AND answered
GROUP BY GROUPING SETS ((period, waited), (period, waited, channel), (period, waited, queue))
UNION ALL
SELECT 'channel_performance.resolution_time_adjusted', 0, period, channel, wait, sum(weight),
    sum(weight) FILTER (resolved IS NOT NULL)
FROM (
    SELECT period, channel, wait, resolved, weight FROM created JOIN (
        SELECT period, channel, coalesce(type, '') AS of_type,
            everywhere / sum(everywhere) OVER channels * sum(here) OVER channels / here AS weight
        FROM (SELECT period, channel, type, count(*) AS here, sum(count(*)) OVER (PARTITION BY period, type) AS everywhere
            FROM created GROUP BY period, channel, type)
        WINDOW channels AS (PARTITION BY period, channel)
    ) USING (period, channel) WHERE coalesce(type, '') = of_type
) GROUP BY period, channel, wait;

CREATE TABLE waits AS
WITH risk AS (
    SELECT *, sum(leaving) OVER whole - coalesce(sum(leaving) OVER before, 0) AS at_risk,
        lead(seconds) OVER in_order AS until
    FROM steps WINDOW whole AS (PARTITION BY kpi, g, period, member),
        in_order AS (PARTITION BY kpi, g, period, member ORDER BY seconds),
        before AS (PARTITION BY kpi, g, period, member ORDER BY seconds ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
),
curve AS (
    SELECT *, sum(CASE WHEN events > 0 AND events < at_risk THEN ln((at_risk - events) / at_risk) ELSE 0 END)
            OVER so_far AS log_survival,
        sum(CASE WHEN events > 0 AND events < at_risk THEN events / (at_risk * (at_risk - events)) ELSE 0 END)
            OVER so_far AS variance
    FROM risk
    WINDOW so_far AS (PARTITION BY kpi, g, period, member ORDER BY seconds ROWS UNBOUNDED PRECEDING)
),
held AS (
    SELECT *, CASE WHEN events >= at_risk THEN 0 ELSE exp(log_survival) END AS survival,
        CASE WHEN events > 0 AND events < at_risk THEN events / (at_risk * (at_risk - events)) ELSE 0 END AS greenwood,
        greatest(least(coalesce(until, 2592000), 2592000) - least(seconds, 2592000), 0)
            * CASE WHEN events >= at_risk THEN 0 ELSE exp(log_survival) END AS area
    FROM curve
),
ahead AS (
    SELECT *, sum(area) OVER (PARTITION BY kpi, g, period, member ORDER BY seconds
            ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS after,
        variance > 0 AND events < at_risk AS sure, 1.959963984540054 * sqrt(variance) / nullif(abs(log_survival), 0)
            AS spread
    FROM held
)
SELECT kpi, g, period, member, sum(leaving) AS n, sum(events) AS events, max(seconds) AS longest,
    least(min(seconds), 2592000) + sum(area) AS area,
    sum(CASE WHEN seconds <= 2592000 THEN after * after * greenwood ELSE 0 END) AS area_variance,
    sum(leaving - events) FILTER (seconds < 2592000) AS lost,
    sum(CASE WHEN until IS NULL AND seconds < 2592000 THEN survival ELSE 0 END) AS still,
    min(seconds) FILTER (survival <= 0.5 + 1e-9) AS median, min(seconds) FILTER (survival <= 0.1 + 1e-9) AS p90,
    min(seconds) FILTER (sure AND spread >= ln(-ln(0.5) / nullif(abs(log_survival), 0)) - 1e-9) AS median_low,
    min(seconds) FILTER (sure AND -spread >= ln(-ln(0.5) / nullif(abs(log_survival), 0)) - 1e-9) AS median_high,
    min(seconds) FILTER (sure AND spread >= ln(-ln(0.1) / nullif(abs(log_survival), 0)) - 1e-9) AS p90_low,
    min(seconds) FILTER (sure AND -spread >= ln(-ln(0.1) / nullif(abs(log_survival), 0)) - 1e-9) AS p90_high
FROM ahead GROUP BY kpi, g, period, member;
DROP TABLE steps;

-- the share answered in time, by scaled seconds
CREATE TABLE service_level_tickets AS
WITH scaled AS (
    SELECT grouping_id(channel, type, priority, team, segment) AS g, period,
        coalesce(channel, type, priority, team, segment) AS member, least(ceil(reply_wait * 1000000.0
            / CASE channel WHEN 'email' THEN 28800 ELSE 120 END)::BIGINT, 1000001) AS part, count(*)::DOUBLE AS leaving,
        count(first_reply)::DOUBLE AS events
    FROM created WHERE reply_wait IS NOT NULL AND channel IN ('email', 'chat')
    GROUP BY GROUPING SETS ((period, part), (period, part, channel), (period, part, type), (period, part, priority),
        (period, part, team), (period, part, segment))
),
risk AS (
    SELECT *, sum(leaving) OVER (PARTITION BY g, period, member ORDER BY part ROWS BETWEEN CURRENT ROW
        AND UNBOUNDED FOLLOWING) AS at_risk FROM scaled
)
SELECT g, period, member, sum(leaving) AS n, sum(events) AS events, sum(events) FILTER (part <= 1000000) AS within,
    sum(leaving) FILTER (part > 1000000) AS beyond,
    CASE WHEN count(*) FILTER (part <= 1000000 AND events >= at_risk) > 0 THEN 0
        ELSE exp(sum(CASE WHEN part <= 1000000 AND events > 0 AND events < at_risk
            THEN ln((at_risk - events) / at_risk) ELSE 0 END)) END AS at_target,
    sum(CASE WHEN part <= 1000000 AND events > 0 AND events < at_risk
        THEN events / (at_risk * (at_risk - events)) ELSE 0 END) AS variance
FROM risk GROUP BY g, period, member;

CREATE TABLE oldest AS
SELECT grouping_id(channel, type, priority, team, segment) AS g, period,
    coalesce(channel, type, priority, team, segment) AS member, greatest(max(age), 0) AS backlog, count(*) AS tickets,
    greatest(max(waiting) FILTER (by_customer AND status = 'open'), 0) AS awaiting,
    count(waiting) FILTER (by_customer AND status = 'open') AS waits
FROM open_at_end GROUP BY period, GROUPING SETS ((), channel, type, priority, team, segment);

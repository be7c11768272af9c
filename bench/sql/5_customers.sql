-- Customers by their subscriptions, what they bought, who came, and what it cost.
CREATE TEMP TABLE paying AS
SELECT subscription_id, customer_id, s(started_at) AS began, s(ended_at) AS ended, mrr, end_reason, plan
FROM '{folder}/subscriptions.parquet' WHERE mrr > 0;
CREATE TEMP TABLE profiles AS
SELECT p.*, plan FROM people AS p
    LEFT JOIN (SELECT customer_id, arg_max(plan, (began, subscription_id)) AS plan FROM paying GROUP BY customer_id)
    USING (customer_id);
CREATE TEMP TABLE spells AS
WITH earlier AS (
    SELECT *, coalesce(ended, far()) AS stops, max(coalesce(ended, far())) OVER
        (PARTITION BY customer_id ORDER BY began, subscription_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
    FROM paying
),
numbered AS (
    SELECT *, sum(CASE WHEN before IS NULL OR began > before + 86400 THEN 1 ELSE 0 END) OVER
        (PARTITION BY customer_id ORDER BY began, subscription_id ROWS UNBOUNDED PRECEDING) AS spell
    FROM earlier
)
SELECT customer_id, spell, min(began) AS since, nullif(max(stops), far()) AS until, arg_max(end_reason, stops)
        AS end_reason
FROM numbered GROUP BY customer_id, spell;
CREATE TEMP TABLE starts AS
SELECT customer_id, first_since,
    strftime(to_timestamp(first_since) AT TIME ZONE 'Europe/Berlin', '%Y-%m') AS cohort
FROM (SELECT customer_id, min(since) AS first_since FROM spells GROUP BY customer_id);
CREATE TEMP TABLE revenue AS
WITH gaps AS (
    SELECT a.subscription_id, min(b.began) AS next_start
    FROM paying AS a JOIN paying AS b ON a.customer_id = b.customer_id AND b.began > a.ended AND b.began <= a.ended + 86400
    GROUP BY a.subscription_id
),
renewed AS (
    SELECT p.*, coalesce(next_start, ended) AS paid_until FROM paying AS p LEFT JOIN gaps USING (subscription_id)
)
SELECT customer_id, period, sum(CASE WHEN began <= starts THEN mrr ELSE 0 END) AS at_start,
    sum(CASE WHEN paid_until IS NULL OR paid_until > ends THEN mrr ELSE 0 END) AS at_end
FROM renewed JOIN periods ON began <= ends AND (paid_until IS NULL OR paid_until > starts)
GROUP BY customer_id, period;
CREATE TEMP TABLE engaged AS
WITH visits AS (
    SELECT customer_id, s("at") AS moment, kind <> 'site_visit' OR coalesce(s("at") - lag(s("at")) OVER
        (PARTITION BY customer_id, kind = 'site_visit' ORDER BY "at", event_id) > 1800, true) AS session
    FROM '{folder}/engagement_events.parquet'
),
days AS (
    SELECT customer_id, period, day, count(*) FILTER (session) AS sessions
    FROM visits JOIN calendar ON moment // 3600 = clock GROUP BY customer_id, period, day
)
SELECT customer_id, period, sum(sessions) AS engagements, count(*) / (last_day - first_day + 1) AS active_share
FROM days JOIN periods USING (period) GROUP BY customer_id, period, first_day, last_day;
CREATE TEMP TABLE asked_before AS
SELECT DISTINCT customer_id, period FROM plain JOIN periods ON created < starts AND created >= starts - 30 * 86400
WHERE by_customer AND excluded IS NULL AND customer_id IS NOT NULL;

CREATE TEMP TABLE customer_months AS
WITH there AS (
    SELECT customer_id, period, bool_or(since <= starts) AS at_start, bool_or(until IS NULL OR until > ends) AS at_end,
        bool_or(since < ends) AS at_any_time, count(*) FILTER (since < ends) AS spells,
        bool_or(since > starts AND since < ends) AS came, max(end_reason) FILTER (since <= starts) AS left_for,
        max(starts) AS starts
    FROM spells JOIN periods ON since <= ends AND (until IS NULL OR until > starts) GROUP BY customer_id, period
)
SELECT t.*, t.at_start AND NOT t.at_end AS lost, coalesce(r.at_start, 0) AS revenue,
    greatest(coalesce(r.at_start, 0) - coalesce(r.at_end, 0), 0) AS revenue_lost, engagements, 100 * active_share
        AS active_share,
    CASE WHEN b.customer_id IS NULL THEN 'no' ELSE 'yes' END AS had_ticket, cohort,
    CASE WHEN (starts - first_since) // 86400 < 90 THEN 'new' WHEN (starts - first_since) // 86400 < 365 THEN 'young'
        ELSE 'old' END AS tenure_band, segment, plan, acquisition_channel, country
FROM there AS t LEFT JOIN revenue AS r USING (customer_id, period) LEFT JOIN engaged AS e USING (customer_id, period)
    LEFT JOIN asked_before AS b USING (customer_id, period) JOIN starts AS f USING (customer_id)
    LEFT JOIN profiles AS p USING (customer_id)
WHERE NOT coalesce(insider, false);
CREATE TABLE customer_periods AS
SELECT grouping_id(segment, plan, acquisition_channel, tenure_band, had_ticket, cohort, country) AS g, period, segment,
    plan, acquisition_channel, tenure_band, had_ticket, cohort, country, count(*) AS customers,
    count(*) FILTER (lost) AS lost, count(*) FILTER (at_start) AS at_start,
    count(*) FILTER (at_start AND spells > 1 AND at_end) AS returned,
    count(*) FILTER (NOT at_start AND at_any_time AND NOT at_end) AS passing,
    count(*) FILTER (NOT at_start AND at_any_time) AS new, count(*) FILTER (lost AND left_for = 'voluntary') AS voluntary,
    count(*) FILTER (lost AND left_for = 'payment') AS payment, sum(revenue_lost) FILTER (at_start) AS revenue_lost,
    sum(revenue) FILTER (at_start) AS revenue, sum(revenue_lost * revenue_lost) FILTER (at_start) AS revenue_lost_squares,
    sum(revenue * revenue) FILTER (at_start) AS revenue_squares, sum(revenue * revenue_lost) FILTER (at_start) AS products,
    count(*) FILTER (at_start AND NOT lost) AS kept, count(*) FILTER (at_end) AS at_end,
    count(*) FILTER (NOT at_start AND came) AS came, count(*) FILTER (at_end <> (NOT at_start AND came)) AS unlike,
    count(*) FILTER (at_any_time AND engagements IS NOT NULL) AS engaged, count(*) FILTER (at_any_time) AS at_any_time,
    (sum(engagements) FILTER (at_any_time))::DOUBLE AS engagements,
    sum(engagements::DOUBLE ** 2) FILTER (at_any_time) AS engagement_squares,
    sum(active_share) FILTER (at_any_time) AS active, sum(active_share ** 2) FILTER (at_any_time) AS active_squares
FROM customer_months GROUP BY GROUPING SETS ((period), (period, segment), (period, plan), (period, acquisition_channel),
    (period, tenure_band), (period, had_ticket), (period, cohort), (period, country));
DROP TABLE customer_months;
DROP TABLE engaged;
DROP TABLE asked_before;

CREATE TEMP TABLE histories AS
SELECT h.* EXCLUDE (first_since), coalesce(r.at_end, 0) AS revenue, cohort, segment, plan, acquisition_channel, country,
    (CASE WHEN lasting THEN least(ends, as_of()) ELSE last_until END - h.first_since) // 86400 AS tenure
FROM (
    SELECT customer_id, period, min(since) AS first_since, max(until) AS last_until, max(ends) AS ends,
        bool_or(until IS NULL OR until > ends) AS lasting,
        bool_or(since <= starts AND (until IS NULL OR until > starts)) AS at_start
    FROM spells JOIN periods ON since <= ends GROUP BY customer_id, period
) AS h LEFT JOIN revenue AS r USING (customer_id, period) JOIN starts USING (customer_id)
    LEFT JOIN profiles AS p USING (customer_id)
WHERE NOT coalesce(insider, false);
CREATE TABLE customer_histories AS
SELECT grouping_id(cohort) AS g, period, cohort, count(*) AS customers, count(*) FILTER (lasting) AS lasting
FROM histories GROUP BY GROUPING SETS ((period), (period, cohort));
CREATE TABLE tenures AS
SELECT grouping_id(segment, plan, acquisition_channel, cohort) AS g, period, segment, plan, acquisition_channel, cohort,
    tenure, lasting, count(*) AS customers, count(*) FILTER (at_start) AS at_start, sum(revenue) AS revenue,
    sum(revenue * revenue) AS revenue_squares
FROM histories GROUP BY GROUPING SETS ((period, tenure, lasting), (period, tenure, lasting, segment),
    (period, tenure, lasting, plan), (period, tenure, lasting, acquisition_channel), (period, tenure, lasting, cohort));
DROP TABLE histories;
CREATE TABLE customers_won AS
SELECT grouping_id(segment, country, acquisition_channel, referral_program) AS g, period, segment, country,
    acquisition_channel, referral_program, day, count(*) AS customers,
    count(*) FILTER (referral_program IS NOT NULL AND coalesce(referrer_customer_id <> customer_id, true)) AS referred,
    count(*) FILTER (acquisition_channel IN ('search', 'social', 'display')) AS paid
FROM '{folder}/customers.parquet' JOIN calendar ON s(first_paid_at) // 3600 = clock WHERE NOT (is_test OR is_staff)
GROUP BY GROUPING SETS ((period, day), (period, day, segment), (period, day, country),
    (period, day, acquisition_channel), (period, day, referral_program));

CREATE TEMP TABLE bought AS
SELECT t.transaction_id, t.customer_id, t.kind, t.amount, s(t.occurred_at) AS moment, t.refunds_transaction_id,
    datediff('day', DATE '1970-01-01', (t.occurred_at AT TIME ZONE 'Europe/Berlin')::DATE) AS day
FROM '{folder}/transactions.parquet' AS t;
CREATE TABLE customer_purchases AS
WITH entries AS (
    SELECT t.customer_id, CASE WHEN t.kind = 'purchase' THEN t.day ELSE p.day END AS order_day, t.day AS booked,
        sum(t.amount) AS money, count(*) FILTER (t.kind = 'purchase') AS purchases,
        min(t.moment) FILTER (t.kind = 'purchase') AS first_at
    FROM bought AS t LEFT JOIN bought AS p ON t.refunds_transaction_id = p.transaction_id AND p.kind = 'purchase'
    GROUP BY t.customer_id, order_day, booked
),
net AS (
    SELECT customer_id, order_day, booked, sum(money) OVER so_far AS net, sum(purchases) OVER so_far AS purchases,
        min(first_at) OVER so_far AS first_at, lead(booked) OVER in_order AS changed
    FROM entries
    WINDOW so_far AS (PARTITION BY customer_id, order_day ORDER BY booked ROWS UNBOUNDED PRECEDING),
        in_order AS (PARTITION BY customer_id, order_day ORDER BY booked)
),
bounds AS (
    SELECT period, datediff('day', DATE '1970-01-01', (to_timestamp(ends - 1) AT TIME ZONE 'Europe/Berlin')::DATE) AS until
    FROM periods
),
known AS (
    SELECT *, CASE WHEN order_day IS NOT NULL AND net > 0.005 THEN order_day END AS kept
    FROM net JOIN bounds ON booked <= until AND (changed IS NULL OR changed > until)
),
customers AS (
    SELECT customer_id, period, until, sum(net) AS value, sum(purchases) AS purchases, min(first_at) AS first_at,
        count(kept) - 1 AS frequency, min(kept) AS first_day, max(kept) AS last_day, arg_min(net, kept) AS first_order,
        sum(net) FILTER (kept IS NOT NULL) AS paid
    FROM known GROUP BY customer_id, period, until HAVING sum(purchases) > 0
),
profiled AS (
    SELECT c.*, segment, acquisition_channel,
        strftime(to_timestamp(first_at) AT TIME ZONE 'Europe/Berlin', '%Y-%m') AS cohort
    FROM customers AS c LEFT JOIN people AS p USING (customer_id) WHERE NOT coalesce(insider, false)
)
SELECT grouping_id(segment, acquisition_channel, cohort) AS g, period, segment, acquisition_channel, cohort,
    sum("value") AS "value", count(*) AS customers, sum("value" * "value") AS squares, sum(frequency) AS frequency,
    sum(last_day - first_day) AS recency, sum(until - first_day) AS age, sum(paid - first_order) AS spend
FROM profiled GROUP BY GROUPING SETS ((period), (period, segment), (period, acquisition_channel), (period, cohort));
CREATE TABLE buyers AS
WITH given AS (SELECT refunds_transaction_id AS id, sum(amount) AS back FROM bought
    WHERE kind IN ('refund', 'chargeback') AND refunds_transaction_id IS NOT NULL GROUP BY id),
orders AS (
    SELECT customer_id, day, min(moment) AS moment FROM bought LEFT JOIN given ON transaction_id = id
    WHERE kind = 'purchase' GROUP BY customer_id, day HAVING sum(amount + coalesce(back, 0)) > 0.005
),
firsts AS (
    SELECT customer_id, min(moment) AS first_order, (min(moment, 2))[2] AS second_order FROM orders GROUP BY customer_id
),
monthly AS (
    SELECT customer_id, period, min(moment) AS moment, max(moment) AS last_moment
    FROM orders JOIN calendar ON moment // 3600 = clock GROUP BY customer_id, period
)
SELECT grouping_id(segment, country, acquisition_channel) AS g, period, segment, country, acquisition_channel,
    count(*) AS buyers, count(*) FILTER (first_order < last_moment) AS again,
    count(*) FILTER (first_order >= moment) AS new,
    count(*) FILTER (first_order >= moment AND second_order - first_order <= 90 * 86400) AS within_90
FROM monthly JOIN firsts USING (customer_id) LEFT JOIN people USING (customer_id) WHERE NOT coalesce(insider, false)
GROUP BY GROUPING SETS ((period), (period, segment), (period, country), (period, acquisition_channel));
DROP TABLE bought;

CREATE TABLE leads_created AS
WITH known AS (
    SELECT l.*, row_number() OVER (PARTITION BY coalesce(contact_hash, lead_id), is_bot ORDER BY created_at, lead_id)
        AS place
    FROM '{folder}/leads.parquet' AS l LEFT JOIN people AS p ON l.customer_id = p.customer_id
)
SELECT grouping_id(channel) AS g, period, channel, day, count(*) AS leads, count(qualified_at) AS qualified,
    count(converted_at) FILTER (s(converted_at) - s(created_at) <= 90 * 86400) AS converted
FROM known LEFT JOIN people USING (customer_id) JOIN calendar ON s(created_at) // 3600 = clock
WHERE place = 1 AND NOT is_bot AND NOT coalesce(insider, false) GROUP BY GROUPING SETS ((period, day), (period, day, channel));
CREATE TABLE reviews AS
WITH scored AS (
    SELECT review_id, ticket_id, agent_id, sampling, max(s(reviewed_at)) AS moment,
        CASE WHEN bool_or(is_critical AND 100 * (score - scale_min) / (scale_max - scale_min) < 50) THEN 0
            ELSE sum(100 * (score - scale_min) / (scale_max - scale_min) * weight) / sum(weight) END AS score
    FROM '{folder}/qa_reviews.parquet' WHERE score IS NOT NULL GROUP BY review_id, ticket_id, agent_id, sampling
),
monthly AS (
    SELECT ticket_id, sampling, period, avg(score) AS score, arg_max(agent_id, (moment, review_id)) AS agent_id
    FROM scored JOIN calendar ON moment // 3600 = clock GROUP BY ticket_id, sampling, period
)
SELECT grouping_id(channel, team) AS g, period, channel, team, agent_id, sum(score) FILTER (sampling = 'random') AS score,
    count(*) FILTER (sampling = 'random') AS reviews, sum(score) FILTER (sampling = 'targeted') AS targeted_score,
    count(*) FILTER (sampling = 'targeted') AS targeted
FROM monthly JOIN plain USING (ticket_id) WHERE excluded IS NULL
GROUP BY GROUPING SETS ((period, agent_id), (period, agent_id, channel), (period, agent_id, team));

-- what each agent resolved, beside what is usual for the type and channel
CREATE TABLE agent_results AS
WITH timed AS (
    SELECT period, agent, coalesce(type, '') AS type, coalesce(channel, '') AS channel,
        ln(greatest(resolved - created, 0) + 1) AS logarithm, handle_seconds,
        CASE WHEN reopened IS NULL THEN 0.0 ELSE 1.0 END AS reopened
    FROM resolutions WHERE agent IS NOT NULL
),
usual AS (
    SELECT period, type, channel, quantile_cont(logarithm, 0.5) AS usual, avg(reopened) AS usual_reopened,
        avg(nullif(handle_seconds, 0)) AS effort
    FROM timed GROUP BY period, type, channel
)
SELECT period, agent, count(*) AS resolved, sum(logarithm - usual) AS time, sum((logarithm - usual) ** 2) AS time_squares,
    quantile_cont(logarithm - usual, 0.5) AS slower, sum(reopened - usual_reopened) AS reopened,
    sum((reopened - usual_reopened) ** 2) AS reopened_squares, sum(effort) AS effort
FROM timed JOIN usual USING (period, type, channel) GROUP BY period, agent;

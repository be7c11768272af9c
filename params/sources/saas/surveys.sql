-- One row per closed ticket: satisfaction from 1 to 5, asked and, where there is a score, answered at the closing.
-- KPI_EXAMPLES: a folder that holds ravenstack_saas/, https://www.kaggle.com/datasets/rivalytics/saas-subscription-and-churn-analytics-dataset
--
-- A missing score is taken as no answer. The scores there are go from 3 to 5; when they were asked for and given, and
-- how, is not in the export.
SELECT
    ticket_id || '-satisfaction' AS survey_id,
    'csat' AS kind,
    account_id AS customer_id,
    ticket_id,
    closed_at AS sent_at,
    'unknown' AS channel,
    CASE WHEN satisfaction_score IS NOT NULL THEN closed_at END AS answered_at,
    satisfaction_score AS score,
    1 AS scale_min,
    5 AS scale_max
FROM read_csv('${KPI_EXAMPLES}/ravenstack_saas/ravenstack_support_tickets.csv')
WHERE closed_at IS NOT NULL

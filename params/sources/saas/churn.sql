-- Three records of who left, which disagree: a flag of the account, ended subscriptions, churn events.
-- KPI_EXAMPLES: a folder that holds ravenstack_saas/, https://www.kaggle.com/datasets/rivalytics/saas-subscription-and-churn-analytics-dataset
--
-- The churn rate follows the subscriptions, trials out, since they alone say from when to when a customer paid: one who
-- ends one of several has not left. The rows are the accounts whose flag and events contradict each other.
WITH accounts AS (
    SELECT account_id, churn_flag, account_id IN (
        SELECT account_id FROM read_csv('${KPI_EXAMPLES}/ravenstack_saas/ravenstack_churn_events.csv')
    ) AS has_event
    FROM read_csv('${KPI_EXAMPLES}/ravenstack_saas/ravenstack_accounts.csv')
),
counts AS (
    SELECT
        (SELECT count(*) FROM accounts WHERE churn_flag) AS flagged,
        (
            SELECT count(*) FROM read_csv('${KPI_EXAMPLES}/ravenstack_saas/ravenstack_subscriptions.csv')
            WHERE end_date IS NOT NULL
        ) AS ended,
        (SELECT count(*) FROM read_csv('${KPI_EXAMPLES}/ravenstack_saas/ravenstack_churn_events.csv')) AS events,
        (SELECT count(*) FROM accounts WHERE churn_flag <> has_event) AS contradicted
)
SELECT
    'accounts flagged churned ' || flagged || ', subscriptions ended ' || ended || ', churn events ' || events
        || ': the churn rate follows the subscriptions; accounts whose flag and events disagree' AS message,
    contradicted AS rows
FROM counts

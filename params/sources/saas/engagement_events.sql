-- One row per day and feature used, of the account that holds the subscription; trials are use, too.
-- KPI_EXAMPLES: a folder that holds ravenstack_saas/, https://www.kaggle.com/datasets/rivalytics/saas-subscription-and-churn-analytics-dataset
--
-- usage_id alone is not unique. Most use is dated before its subscription began and counts all the same; `use.sql`
-- says how much.
SELECT usage_id || '-' || subscription_id AS event_id, account_id AS customer_id, usage_date AS at, 'other' AS kind
FROM read_csv('${KPI_EXAMPLES}/ravenstack_saas/ravenstack_feature_usage.csv') AS feature_usage
JOIN read_csv('${KPI_EXAMPLES}/ravenstack_saas/ravenstack_subscriptions.csv') AS subscriptions USING (subscription_id)

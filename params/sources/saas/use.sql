-- Feature use dated before its subscription began, or after it ended: the account's use all the same.
-- KPI_EXAMPLES: a folder that holds ravenstack_saas/, https://www.kaggle.com/datasets/rivalytics/saas-subscription-and-churn-analytics-dataset
SELECT
    'features used before their subscription began, or after it ended; it counts as use by the account' AS message,
    count(*) AS rows
FROM read_csv('${KPI_EXAMPLES}/ravenstack_saas/ravenstack_feature_usage.csv') AS feature_usage
JOIN read_csv('${KPI_EXAMPLES}/ravenstack_saas/ravenstack_subscriptions.csv') AS subscriptions USING (subscription_id)
WHERE usage_date < start_date OR usage_date > end_date

-- One row per subscription; the many of an account overlap. Dates are days and begin at midnight, UTC.
-- KPI_EXAMPLES: a folder that holds ravenstack_saas/, https://www.kaggle.com/datasets/rivalytics/saas-subscription-and-churn-analytics-dataset
--
-- Trials bring no revenue and are left out by the contract, with their reason. A customer is one while any other
-- subscription runs. Why one ended is not known: churn events name accounts, not subscriptions.
SELECT
    subscription_id,
    account_id AS customer_id,
    start_date AS started_at,
    end_date AS ended_at,
    plan_tier AS plan,
    mrr_amount AS mrr,
    'USD' AS currency,
    CASE WHEN is_trial THEN 'trial' END AS left_out
FROM read_csv('${KPI_EXAMPLES}/ravenstack_saas/ravenstack_subscriptions.csv')

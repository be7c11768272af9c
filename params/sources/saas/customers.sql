-- One row per account, from its sign-up.
-- KPI_EXAMPLES: a folder that holds ravenstack_saas/, https://www.kaggle.com/datasets/rivalytics/saas-subscription-and-churn-analytics-dataset
--
-- * first_paid_at: the start of the first subscription that is no trial.
-- * segment: the industry. The account's plan disagrees with the plans of its subscriptions and is not read.
-- * churn_flag is not read: see churn.sql. is_trial is not read either: it is the state at sign-up or now, and every
--   account has paid at some time.
SELECT
    account_id AS customer_id,
    signup_date AS first_seen_at,
    (
        SELECT min(start_date)
        FROM read_csv('${KPI_EXAMPLES}/ravenstack_saas/ravenstack_subscriptions.csv') AS subscriptions
        WHERE subscriptions.account_id = accounts.account_id AND NOT is_trial
    ) AS first_paid_at,
    industry AS segment,
    country,
    referral_source AS acquisition_channel
FROM read_csv('${KPI_EXAMPLES}/ravenstack_saas/ravenstack_accounts.csv') AS accounts

-- One row per ticket. The export names no channel, type or team; a ticket is created at midnight, UTC, of its day.
-- KPI_EXAMPLES: a folder that holds ravenstack_saas/, https://www.kaggle.com/datasets/rivalytics/saas-subscription-and-churn-analytics-dataset
SELECT ticket_id, account_id AS customer_id, submitted_at AS created_at, priority
FROM read_csv('${KPI_EXAMPLES}/ravenstack_saas/ravenstack_support_tickets.csv')

-- First replies dated after the closing of their ticket.
-- KPI_EXAMPLES: a folder that holds ravenstack_saas/, https://www.kaggle.com/datasets/rivalytics/saas-subscription-and-churn-analytics-dataset
SELECT 'first replies are later than the closing of their ticket; both stand as recorded' AS message, count(*) AS rows
FROM read_csv('${KPI_EXAMPLES}/ravenstack_saas/ravenstack_support_tickets.csv')
WHERE first_response_time_minutes > 60 * resolution_time_hours

-- What happened to each ticket, read off its one row; the ids are made of the ticket and the event.
-- KPI_EXAMPLES: a folder that holds ravenstack_saas/, https://www.kaggle.com/datasets/rivalytics/saas-subscription-and-churn-analytics-dataset
--
-- * public_reply: so many minutes after the ticket's day began as the export says; for some that is after the closing.
-- * escalate to 2: the export has a flag and neither level nor time; the first reply stands for the time.
-- * resolved at closed_at, by a person: the export has one end, and no agents.
WITH tickets AS (
    SELECT
        *,
        CAST(submitted_at AS TIMESTAMP) AS created,
        CAST(submitted_at AS TIMESTAMP) + to_minutes(first_response_time_minutes) AS replied
    FROM read_csv('${KPI_EXAMPLES}/ravenstack_saas/ravenstack_support_tickets.csv')
)
SELECT ticket_id || '-1-created' AS event_id, ticket_id, created AS at, 'created' AS kind, 'customer' AS actor,
    NULL AS to_value
FROM tickets
UNION ALL
SELECT ticket_id || '-2-reply', ticket_id, replied, 'public_reply', 'agent', NULL
FROM tickets WHERE replied IS NOT NULL
UNION ALL
SELECT ticket_id || '-3-escalate', ticket_id, coalesce(replied, created), 'escalate', 'agent', '2'
FROM tickets WHERE escalation_flag
UNION ALL
SELECT ticket_id || '-4-resolved', ticket_id, closed_at, 'status', 'agent', 'resolved'
FROM tickets WHERE closed_at IS NOT NULL

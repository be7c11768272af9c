-- One row per incident, as its last event leaves it (the highest sys_mod_count).
-- KPI_EXAMPLES: a folder that holds uci_incidents/ (UCI dataset 498, https://doi.org/10.24432/C57S4H)
--
-- '?' is a missing value. Times are day/month/year without a zone and are taken as UTC. A contact type that changes
-- within an incident counts as its last; voice menu (IVR) is phone, direct opening is in person. The caller is the
-- customer, the category the type, the assignment group the team. There is no table of customers.
WITH log AS (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY number
            ORDER BY CAST(sys_mod_count AS INTEGER) DESC,
                try_strptime(sys_updated_at, '%d/%m/%Y %H:%M') DESC,
                incident_state = 'Closed' DESC
        ) AS from_last
    FROM read_parquet('${KPI_EXAMPLES}/uci_incidents/incident_event_log_raw_strings.parquet')
)
SELECT
    number AS ticket_id,
    nullif(caller_id, '?') AS customer_id,
    try_strptime(opened_at, '%d/%m/%Y %H:%M') AS created_at,
    CASE contact_type
        WHEN 'Phone' THEN 'phone'
        WHEN 'IVR' THEN 'phone'
        WHEN 'Email' THEN 'email'
        WHEN 'Self service' THEN 'self_service'
        WHEN 'Direct opening' THEN 'in_person'
        ELSE nullif(contact_type, '?')
    END AS channel,
    nullif(category, '?') AS type,
    nullif(priority, '?') AS priority,
    nullif(assignment_group, '?') AS team,
    nullif(problem_id, '?') AS problem_id
FROM log
WHERE from_last = 1

-- One row per call of the log; what is no call is kept here and left out, with its reason, by the contract.
-- KPI_EXAMPLES: a folder that holds technion_calls/ (the "Anonymous Bank" log, http://ie.technion.ac.il/~serveng)
--
-- * call_id: the log's id is one of its VRU (voice menu) and line, so that line, id and date make the key.
-- * queued: q_start is 0:00:00 for a call that never queued, but also for one that joined the queue at midnight
--   exactly; a time in the queue tells them apart.
-- * outcome: AGENT is answered; HANG is given up in the queue, or in the voice menu when the call never queued. PHANTOM
--   is "a virtual call to be ignored" in the log's documentation.
-- * queue_seconds: 0 for a call that went straight to an agent; nothing for one given up in the voice menu.
-- * offered_at: when the call left the voice menu for the queue or the agent. Times of day stand beside the day on
--   which the call came in; one more than twelve hours away from its coming in belongs to the day after or before.
-- * talk_seconds: the service time. The log has no hold and no wrap-up times.
-- * agent_id: NO_SERVER is nobody. In May and June two names were garbled by the same word (NO_SERVERAMA is NAAMA,
--   ANO_SERVERT is ANAT): there NO_SERVER stands for NA.
-- * queue: the type of service. TT are customers who had asked for a call back and were put on hold when it came.
-- * Priority stays out: the log lacks it, and the customer, for calls that did not queue; no customer is 0.
-- * A negative time in the voice menu is a wrong clock, and only there: such calls count. `voice_menu.sql` counts them.
WITH log AS (
    SELECT
        *,
        q_start <> '0:00:00' OR q_time > 0 AS queued,
        call_date + CAST(lpad(vru_entry, 8, '0') AS TIME) AS entered,
        call_date + CAST(lpad(CASE WHEN queued THEN q_start ELSE vru_exit END, 8, '0') AS TIME) AS left_menu
    FROM read_parquet('${KPI_EXAMPLES}/technion_calls/anonymous_bank_1999_jan_oct.parquet')
)
SELECT
    vru_line || '-' || call_id || '-' || date AS call_id,
    'phone' AS channel,
    CASE type
        WHEN 'PS' THEN 'Regular'
        WHEN 'PE' THEN 'Regular, in English'
        WHEN 'IN' THEN 'Internet'
        WHEN 'NE' THEN 'Stock exchange'
        WHEN 'NW' THEN 'New customers'
        WHEN 'TT' THEN 'Call back'
        ELSE type
    END AS queue,
    nullif(customer_id, '0') AS customer_id,
    CASE WHEN outcome = 'AGENT' AND server <> 'NO_SERVER' THEN replace(server, 'NO_SERVER', 'NA') END AS agent_id,
    timezone('Asia/Jerusalem', left_menu + to_days(CASE
        WHEN left_menu < entered - INTERVAL 12 HOUR THEN 1
        WHEN left_menu > entered + INTERVAL 12 HOUR THEN -1
        ELSE 0
    END)) AS offered_at,
    CASE outcome
        WHEN 'AGENT' THEN 'answered'
        WHEN 'HANG' THEN CASE WHEN queued THEN 'abandoned_queue' ELSE 'abandoned_ivr' END
    END AS outcome,
    CASE WHEN queued OR outcome = 'AGENT' THEN q_time END AS queue_seconds,
    CASE WHEN outcome = 'AGENT' THEN ser_time END AS talk_seconds,
    CASE WHEN outcome = 'PHANTOM' THEN 'phantom call' END AS left_out
FROM log

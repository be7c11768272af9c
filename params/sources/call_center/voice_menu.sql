-- Calls whose time in the voice menu (VRU) is negative: the clocks of the menu and the queue disagree. They count,
-- since no number here uses that time; phantom calls are left out in any case.
-- KPI_EXAMPLES: a folder that holds technion_calls/ (the "Anonymous Bank" log, http://ie.technion.ac.il/~serveng)
SELECT
    'calls left the voice menu before they came in; no number uses that time, so they count' AS message,
    count(*) AS rows
FROM read_parquet('${KPI_EXAMPLES}/technion_calls/anonymous_bank_1999_jan_oct.parquet')
WHERE vru_time < 0 AND outcome <> 'PHANTOM'

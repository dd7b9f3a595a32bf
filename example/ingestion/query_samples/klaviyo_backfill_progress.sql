-- To run by hand: the progress of each table's backfill, from ingestion_log alone.
--
-- loaded_until  the end of the newest window that was loaded; the oldest windows are loaded first
-- percent       how much of the time from the start until the backfill first ran is loaded
-- running       the window that is being loaded, and since when
-- ready_at      when the rest will be loaded, if its windows take as long as those before did on average; UTC
WITH log AS (
  SELECT
    table_name,
    status,
    time,
    start_time,
    end_time,
    records_processed,
    split_part(log_id, '/', 3) AS windows_left,
    row_number() OVER (PARTITION BY table_name ORDER BY time, split_part(log_id, '/', 2)) AS position,
    time - lag(time) OVER (PARTITION BY table_name ORDER BY time, split_part(log_id, '/', 2)) AS took
  FROM client_src.ingestion_log
  WHERE workflow_name = 'klaviyo_ingest_hist'
    AND table_name IS NOT NULL
),
tables AS (
  SELECT
    table_name,
    min(time) AS began,
    min(TD_TIME_PARSE(start_time)) FILTER (WHERE status = 'SUCCESS') AS starts,
    max(TD_TIME_PARSE(end_time)) FILTER (WHERE status = 'SUCCESS') AS loaded_until,
    sum(records_processed) FILTER (WHERE status = 'SUCCESS') AS records,
    CAST(nullif(max_by(windows_left, position) FILTER (WHERE status = 'SUCCESS'), '') AS bigint) AS windows_left,
    avg(took) FILTER (WHERE status = 'SUCCESS') AS seconds_a_window,
    max_by(status, position) AS status,
    max_by(start_time || ' to ' || end_time, position) AS newest_window,
    max(time) AS newest
  FROM log
  GROUP BY table_name
)
SELECT
  table_name,
  status,
  TD_TIME_STRING(loaded_until, 's!') AS loaded_until,
  CASE
    WHEN windows_left = 0 THEN 100.0
    ELSE round(100.0 * least(loaded_until - starts, began - starts) / nullif(began - starts, 0), 1)
  END AS percent,
  windows_left,
  records,
  IF(status = 'STARTED', newest_window || ', since ' || TD_TIME_STRING(newest, 's!')) AS running,
  IF(
    windows_left > 0,
    TD_TIME_STRING(CAST(to_unixtime(now()) + windows_left * seconds_a_window AS bigint), 's!')
  ) AS ready_at
FROM tables
ORDER BY table_name

-- To run by hand: loads and runs that have logged a start and no end. They are running, or were killed: a
-- killed run blocks the next one for 25 hours, or until that is started with -p take_over=yes.
WITH log AS (
  SELECT
    log_id,
    workflow_name,
    table_name,
    status,
    start_time,
    end_time,
    time,
    IF(log_id LIKE '%/%', split_part(log_id, '/', 1), '') AS mark,
    row_number() OVER (
      PARTITION BY workflow_name, table_name, IF(log_id LIKE '%/%', split_part(log_id, '/', 1), '')
      ORDER BY time DESC, split_part(log_id, '/', 2) DESC
    ) AS nth
  FROM client_src.ingestion_log
  WHERE source_name LIKE 'klaviyo%'
)
SELECT
  TD_TIME_STRING(time, 's!') AS started_at,
  round((to_unixtime(now()) - time) / 3600, 1) AS hours_ago,
  workflow_name,
  COALESCE(table_name, 'the run') AS what,
  start_time,
  end_time,
  mark
FROM log
WHERE nth = 1
  AND status = 'STARTED'
ORDER BY time DESC

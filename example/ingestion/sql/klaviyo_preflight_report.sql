-- Collect the lines of this preflight. From the template: settings are in config/, fixes come with copier update.
-- And name the tables whose line is not ok. One is that of the log: whether it has what each run writes there.
WITH log AS (
  SELECT column_name
  FROM information_schema.columns
  WHERE table_schema = '${databases.src}'
    AND table_name = 'ingestion_log'
),
missing AS (
  SELECT
    (SELECT count(*) FROM log) AS there,
    COALESCE(array_join(array_agg(needed.name ORDER BY needed.position)
      FILTER (WHERE log.column_name IS NULL), ', '), '') AS names
  FROM UNNEST(ARRAY[
    'log_id', 'source_name', 'workflow_name', 'table_name', 'status', 'start_time', 'end_time',
    'records_processed', 'error_message', 'job_id', 'job_url', 'time'
  ]) WITH ORDINALITY AS needed (name, position)
  LEFT JOIN log ON log.column_name = needed.name
),
all_lines AS (
  SELECT table_name, status, line
  FROM klaviyo_preflight
  WHERE run = '${session_uuid}.${attempt_id}'
  UNION ALL
  SELECT
    'ingestion_log' AS table_name,
    IF(there > 0 AND names <> '', 'ERROR', 'OK') AS status,
    'ingestion_log: ' || CASE
      WHEN there = 0 THEN 'ok, the first run makes it'
      WHEN names <> '' THEN 'error, without ' || names || ', so each run would fail at its first row: add these to the '
        || 'table, or rename it, and correct sql/create_ingestion_log_table.sql'
      ELSE 'ok, with all its columns'
    END AS line
  FROM missing
)
SELECT
  array_join(array_agg(line ORDER BY table_name), chr(10)) AS report,
  COALESCE(max(line) FILTER (WHERE table_name = 'ingestion_log' AND status <> 'OK'), '') AS log,
  COALESCE(array_join(array_agg(table_name ORDER BY table_name) FILTER (WHERE status <> 'OK'), ', '), '') AS failed
FROM all_lines

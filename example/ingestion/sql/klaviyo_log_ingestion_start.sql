-- Log that a load or a run starts. From the template: settings are in config/, fixes come with copier update.
-- Each try has its row. log_id is mark/milliseconds/windows left/uuid, so that rows of one second stay in order,
-- and a run finds its own: its mark is session_uuid.attempt_id. Table and window come from the loops, and are
-- empty in the row of a run.
INSERT INTO ingestion_log
SELECT
  '${session_uuid}.${attempt_id}/' || CAST(CAST(floor(to_unixtime(now()) * 1000) AS bigint) AS varchar) || '//' || CAST(uuid() AS varchar) AS log_id,
  coalesce(nullif('${datasource.table_name}', ''), 'klaviyo') AS source_name,
  '${workflow_name}' AS workflow_name,
  nullif('${datasource.table_name}', '') AS table_name,
  'STARTED' AS status,
  nullif('${window.start_time}', '') AS start_time,
  nullif('${window.end_time}', '') AS end_time,
  CAST(0 AS bigint) AS records_processed,
  CAST(NULL AS varchar) AS error_message,
  CAST(NULL AS varchar) AS job_id,
  CAST(NULL AS varchar) AS job_url,
  CAST(floor(to_unixtime(now())) AS bigint) AS time

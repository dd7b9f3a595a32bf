-- A load, or a run, failed; from the Klaviyo ingestion template.
-- A source that gives no table_name logs the run as a whole.
INSERT INTO ${databases.src}.ingestion_log
SELECT
  CAST(uuid() AS varchar) AS log_id,
  '${source_name}' AS source_name,
  '${workflow_name}' AS workflow_name,
  nullif('${typeof table_name === "undefined" ? "" : table_name}', '') AS table_name,
  'ERROR' AS status,
  CAST(NULL AS varchar) AS start_time,
  replace(TD_TIME_STRING(CAST(to_unixtime(now()) AS bigint), 's!'), ' ', 'T') || '.000000' AS end_time,
  CAST(0 AS bigint) AS records_processed,
  '${error_message}' AS error_message,
  CAST(NULL AS varchar) AS job_id,
  CAST(NULL AS varchar) AS job_url,
  CAST(to_unixtime(now()) AS bigint) AS time

-- A load begins; from the Klaviyo ingestion template.
INSERT INTO ${databases.src}.ingestion_log
SELECT
  CAST(uuid() AS varchar) AS log_id,
  '${source_name}' AS source_name,
  '${workflow_name}' AS workflow_name,
  '${table_name}' AS table_name,
  'STARTED' AS status,
  replace(TD_TIME_STRING(CAST(to_unixtime(now()) AS bigint), 's!'), ' ', 'T') || '.000000' AS start_time,
  CAST(NULL AS varchar) AS end_time,
  CAST(0 AS bigint) AS records_processed,
  CAST(NULL AS varchar) AS error_message,
  CAST(NULL AS varchar) AS job_id,
  CAST(NULL AS varchar) AS job_url,
  CAST(to_unixtime(now()) AS bigint) AS time

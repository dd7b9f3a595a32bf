-- A load worked: its window, its records, its job; from the Klaviyo ingestion template.
INSERT INTO ${databases.src}.ingestion_log
SELECT
  CAST(uuid() AS varchar) AS log_id,
  '${source_name}' AS source_name,
  '${workflow_name}' AS workflow_name,
  '${table_name}' AS table_name,
  'SUCCESS' AS status,
  '${td.last_results.start_time}' AS start_time,
  '${td.last_results.end_time}' AS end_time,
  CAST(${td.last_job.num_records} AS bigint) AS records_processed,
  CAST(NULL AS varchar) AS error_message,
  '${td.last_job.id}' AS job_id,
  'https://console.treasuredata.com/app/jobs/${td.last_job.id}/output-logs' AS job_url,
  CAST(to_unixtime(now()) AS bigint) AS time

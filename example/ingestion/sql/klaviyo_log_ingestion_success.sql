-- Log a load or a run that succeeded. From the template: settings are in config/, fixes come with copier update.
-- With the window, the records, the job and how many windows are left; for a latest table perhaps with a note.
INSERT INTO ingestion_log
SELECT
  '${session_uuid}.${attempt_id}/' || CAST(CAST(floor(to_unixtime(now()) * 1000) AS bigint) AS varchar) || '/${window.windows_left}/' || CAST(uuid() AS varchar) AS log_id,
  coalesce(nullif('${datasource.table_name}', ''), 'klaviyo') AS source_name,
  '${workflow_name}' AS workflow_name,
  nullif('${datasource.table_name}', '') AS table_name,
  'SUCCESS' AS status,
  nullif('${window.start_time}', '') AS start_time,
  nullif('${window.end_time}', '') AS end_time,
  CAST(${records} AS bigint) AS records_processed,
  nullif('${typeof note === "undefined" ? "" : note}', '') AS error_message,
  nullif('${job_id}', '') AS job_id,
  'https://console.treasuredata.com/app/jobs/' || nullif('${job_id}', '') || '/output-logs' AS job_url,
  CAST(floor(to_unixtime(now())) AS bigint) AS time

-- Log a load or a run that failed. From the template: settings are in config/, fixes come with copier update.
-- A run ends once: where its end is logged already, it gets no second row.
INSERT INTO ingestion_log
SELECT
  '${session_uuid}.${attempt_id}/' || CAST(CAST(floor(to_unixtime(now()) * 1000) AS bigint) AS varchar) || '/${typeof window === "undefined" ? "" : window.windows_left || ""}/' || CAST(uuid() AS varchar) AS log_id,
  coalesce(nullif('${datasource.table_name}', ''), 'klaviyo') AS source_name,
  '${workflow_name}' AS workflow_name,
  nullif('${datasource.table_name}', '') AS table_name,
  'ERROR' AS status,
  CAST(NULL AS varchar) AS start_time,
  CAST(NULL AS varchar) AS end_time,
  CAST(0 AS bigint) AS records_processed,
  '${error_message}' AS error_message,
  CAST(NULL AS varchar) AS job_id,
  CAST(NULL AS varchar) AS job_url,
  CAST(floor(to_unixtime(now())) AS bigint) AS time
WHERE '${datasource.table_name}' <> ''
  OR NOT EXISTS (
    SELECT 1
    FROM ingestion_log
    WHERE split_part(log_id, '/', 1) = '${session_uuid}.${attempt_id}'
      AND table_name IS NULL
      AND status <> 'STARTED'
  )

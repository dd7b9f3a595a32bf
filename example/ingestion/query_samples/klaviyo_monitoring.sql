-- To run by hand: the last twenty rows that the Klaviyo workflows logged, the newest first.
SELECT
  TD_TIME_STRING(time, 's!') AS logged_at,
  workflow_name,
  table_name,
  status,
  start_time,
  end_time,
  records_processed,
  error_message,
  job_url
FROM client_src.ingestion_log
WHERE source_name LIKE 'klaviyo%'
  AND time >= CAST(to_unixtime(now()) AS bigint) - 7 * 86400
ORDER BY time DESC, log_id DESC
LIMIT 20

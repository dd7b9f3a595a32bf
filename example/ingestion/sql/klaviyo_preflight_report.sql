-- Collect the lines of this preflight. From the template: settings are in config/, fixes come with copier update.
-- And name the tables whose line is not ok.
SELECT
  array_join(array_agg(line ORDER BY table_name), chr(10)) AS report,
  COALESCE(array_join(array_agg(table_name ORDER BY table_name) FILTER (WHERE status <> 'OK'), ', '), '') AS failed
FROM klaviyo_preflight
WHERE run = '${session_uuid}.${attempt_id}'

-- Tell how this run went. From the template: settings are in config/, fixes come with copier update.
-- Which tables' last row is not SUCCESS, and which have windows left. An attempt that TD Console resumed has
-- logged no start, and cannot see what failed before it.
WITH own AS (
  SELECT
    table_name,
    status,
    split_part(log_id, '/', 3) AS windows_left,
    row_number() OVER (PARTITION BY table_name ORDER BY time DESC, split_part(log_id, '/', 2) DESC) AS nth
  FROM ingestion_log
  WHERE split_part(log_id, '/', 1) = '${session_uuid}.${attempt_id}'
),
ended AS (
  SELECT table_name, status, windows_left
  FROM own
  WHERE nth = 1
    AND table_name IS NOT NULL
  UNION ALL
  SELECT 'unknown tables, as the attempt was resumed; start the workflow again', 'ERROR', ''
  WHERE NOT EXISTS (SELECT 1 FROM own WHERE table_name IS NULL)
)
SELECT
  IF(count(*) FILTER (WHERE status <> 'SUCCESS') = 0, 'success', 'error') AS outcome,
  COALESCE(
    array_join(array_agg(table_name ORDER BY table_name) FILTER (WHERE status <> 'SUCCESS'), ', '), ''
  ) AS failed,
  COALESCE(
    array_join(array_agg(table_name ORDER BY table_name) FILTER (WHERE status = 'SUCCESS' AND windows_left <> '0'), ', '), ''
  ) AS unfinished
FROM ended

-- To run by hand: the last ten runs of the Klaviyo workflows, the newest first.
--
-- status   RUNNING, SUCCESS, ERROR; KILLED where a run has logged no end, and either nothing for 25 hours or a
--          later run has loaded since
-- tables   how many tables it loaded, and how many records
-- failed   the tables whose last load failed, else the message of the run
WITH log AS (
  SELECT
    workflow_name,
    split_part(log_id, '/', 1) AS mark,
    table_name,
    status,
    time,
    records_processed,
    error_message,
    row_number() OVER (
      PARTITION BY workflow_name, split_part(log_id, '/', 1), table_name
      ORDER BY time DESC, split_part(log_id, '/', 2) DESC
    ) AS nth
  FROM client_src.ingestion_log
  WHERE workflow_name IN ('klaviyo_ingest_hist', 'klaviyo_ingest_inc', 'klaviyo_latest')
    AND log_id LIKE '%/%'
),
runs AS (
  SELECT
    workflow_name,
    mark,
    min(time) AS began,
    max(time) AS newest,
    max(IF(table_name IS NULL AND nth = 1, status)) AS status,
    count(DISTINCT IF(status = 'SUCCESS', table_name)) AS tables,
    sum(IF(status = 'SUCCESS' AND strpos(table_name, '_latest') = 0, records_processed, 0)) AS records,
    count(table_name) > 0 AS went_on,
    COALESCE(
      array_join(array_agg(table_name ORDER BY table_name) FILTER (WHERE nth = 1 AND status = 'ERROR' AND table_name IS NOT NULL), ', '),
      max(IF(table_name IS NULL, error_message))
    ) AS failed
  FROM log
  GROUP BY workflow_name, mark
),
followed AS (
  SELECT *, max(IF(went_on, began)) OVER (PARTITION BY workflow_name) AS newest_began
  FROM runs
)
SELECT
  TD_TIME_STRING(began, 's!') AS started_at,
  workflow_name,
  CASE
    WHEN status <> 'STARTED' THEN status
    WHEN newest < to_unixtime(now()) - 25 * 3600 OR began < newest_began THEN 'KILLED'
    ELSE 'RUNNING'
  END AS status,
  round((newest - began) / 60.0, 1) AS minutes,
  tables,
  records,
  failed
FROM followed
ORDER BY began DESC, mark
LIMIT 10

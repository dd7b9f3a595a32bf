-- What an incremental load asks Klaviyo for. It starts at the newest record of the incremental
-- table; else, where the historical table has rows, when its backfill began; else at the default
-- start. Records are compared by time and not by text, and those dated in the future do not count.
-- A full load (mode: replace) has no start.
WITH run AS (
  SELECT CAST(to_unixtime(now()) AS bigint) AS ends
),
incremental AS (
  SELECT max(TD_TIME_PARSE(${datasource.incremental_field || 'CAST(NULL AS varchar)'})) AS newest
  FROM ${databases.src}.${datasource.table_name}, run
  WHERE TD_TIME_PARSE(${datasource.incremental_field || 'CAST(NULL AS varchar)'}) <= run.ends
),
backfill AS (
  SELECT min(time) AS began
  FROM ${databases.src}.ingestion_log
  WHERE table_name = '${datasource.historical_table}'
    AND status = 'STARTED'
),
historical AS (
  SELECT min(time) AS oldest_load
  FROM ${databases.src}.${datasource.historical_table}
)
SELECT
  CASE '${datasource.mode}' WHEN 'replace' THEN '' ELSE
    replace(TD_TIME_STRING(COALESCE(
      incremental.newest - ${datasource.lookback_seconds},
      -- no rows: NULL; rows that no log tells of: a day before the oldest load ended
      IF(historical.oldest_load IS NOT NULL, COALESCE(backfill.began, historical.oldest_load - 86400))
        - ${datasource.lookback_seconds},
      TD_TIME_PARSE('${datasource.default_start_time}')
    ), 's!'), ' ', 'T') || '.000000'
  END AS start_time,
  replace(TD_TIME_STRING(run.ends, 's!'), ' ', 'T') || '.000000' AS end_time
FROM run, incremental, backfill, historical

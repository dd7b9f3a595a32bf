-- The windows of an object's backfill, one after another, as JSON for for_each>. The first starts
-- where the newest SUCCESS row ended, as long as what was loaded is still there, else at the default
-- start; the last ends when this run began. A window lasts window_days (where that is empty, there
-- is one window), or longer where there would be more than sixty: Digdag takes 1,000 tasks a run.
-- A full load (mode: replace) has one window, without a start.
WITH successes AS (
  SELECT
    TD_TIME_PARSE(end_time) AS ended,
    sum(records_processed) OVER () AS records,
    row_number() OVER (ORDER BY time DESC, end_time DESC) AS position
  FROM ${databases.src}.ingestion_log
  WHERE table_name = '${datasource.table_name}'
    AND status = 'SUCCESS'
),
historical AS (
  SELECT count(*) AS records
  FROM ${databases.src}.${datasource.table_name}
),
span AS (
  SELECT
    COALESCE(
      IF(historical.records > 0 OR successes.records = 0, successes.ended),
      TD_TIME_PARSE('${datasource.default_start_time}')
    ) AS starts,
    CAST(${run_started} AS bigint) AS ends
  FROM historical
  LEFT JOIN successes ON successes.position = 1
),
steps AS (
  SELECT
    starts,
    ends,
    greatest(
      CAST(${datasource.window_days || 36500} AS bigint) * 86400,
      CAST(ceil((ends - starts) / CAST(60 AS double)) AS bigint)
    ) AS step
  FROM span
),
windows AS (
  SELECT
    list.starts,
    least(list.starts + steps.step, steps.ends) AS ends
  FROM steps
  CROSS JOIN UNNEST(sequence(steps.starts, greatest(steps.starts, steps.ends - 1), steps.step)) AS list (starts)
  WHERE list.starts < steps.ends
),
formatted AS (
  SELECT
    starts,
    replace(TD_TIME_STRING(starts, 's!'), ' ', 'T') || '.000000' AS start_time,
    replace(TD_TIME_STRING(ends, 's!'), ' ', 'T') || '.000000' AS end_time
  FROM windows
)
SELECT
  CASE
    WHEN '${datasource.mode}' = 'replace' THEN
      '[{"start_time":"","end_time":"' || replace(TD_TIME_STRING(span.ends, 's!'), ' ', 'T') || '.000000' || '"}]'
    WHEN span.starts IS NOT NULL THEN
      '[' || COALESCE(list.windows, '') || ']'
  END AS windows
FROM span
CROSS JOIN (
  SELECT
    array_join(array_agg(
      '{"start_time":"' || start_time || '","end_time":"' || end_time || '"}' ORDER BY starts
    ), ',') AS windows
  FROM formatted
) AS list

-- Another run of this workflow that is under way: it has logged its start and no end. One that died
-- without a word counts until its newest row is 25 hours old, as a load may take 24. A retry of the
-- same session is no other run; `-p take_over=yes` looks for none.
WITH runs AS (
  SELECT
    split_part(log_id, '/', 1) AS mark,
    min(time) AS began,
    max(time) AS newest,
    count_if(table_name IS NULL AND status = 'STARTED') AS starts,
    count_if(table_name IS NULL AND status <> 'STARTED') AS ends
  FROM ${databases.src}.ingestion_log
  WHERE workflow_name = '${workflow_name}'
  GROUP BY split_part(log_id, '/', 1)
),
others AS (
  SELECT mark, began, newest
  FROM runs
  WHERE split_part(mark, '.', 1) <> '${session_uuid}'
    AND starts > 0
    AND ends = 0
    AND newest > CAST(to_unixtime(now()) AS bigint) - 25 * 3600
    AND '${typeof take_over === "undefined" ? "" : take_over}' <> 'yes'
)
SELECT
  COALESCE(
    'Another run of ${workflow_name} is under way: it began at ' || TD_TIME_STRING(min(began), 'm!')
      || ' UTC, its newest row in ingestion_log is of ' || TD_TIME_STRING(max(newest), 'm!')
      || ', its mark is ' || min(mark) || '. Nothing was loaded. Wait for its end; if it was killed, '
      || 'start again with -p take_over=yes.',
    ''
  ) AS other_run,
  IF(min(mark) < '${mark}', 'yes', 'no') AS gives_way
FROM others

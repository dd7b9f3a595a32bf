-- Find a concurrent run of this workflow. From the template: settings are in config/, fixes come with copier update.
-- A killed run logs no end. It counts until its newest row is 25 hours old, as a load may take 24, or until a
-- run that started after that row has gone on: a retry of its session, or one with `-p take_over=yes`. Two that
-- start at once may not see each other yet: one that cannot see its own start looks again, and of two that can,
-- the later one sees the other's too.
WITH runs AS (
  SELECT
    split_part(log_id, '/', 1) AS mark,
    min(time) AS began,
    max(time) AS newest,
    count(*) FILTER (WHERE table_name IS NULL AND status = 'STARTED') AS starts,
    count(*) FILTER (WHERE table_name IS NULL AND status <> 'STARTED') AS ends,
    count(*) FILTER (WHERE table_name IS NOT NULL OR status = 'SUCCESS') > 0 AS went_on
  FROM ingestion_log
  WHERE workflow_name = '${workflow_name}'
    AND log_id LIKE '%/%'
  GROUP BY split_part(log_id, '/', 1)
),
others AS (
  SELECT min(mark) AS mark, min(began) AS began, max(newest) AS newest
  FROM runs
  WHERE split_part(mark, '.', 1) <> '${session_uuid}'
    AND starts > 0
    AND ends = 0
    AND newest > CAST(to_unixtime(now()) AS bigint) - 25 * 3600
    AND newest >= (SELECT COALESCE(max(began), 0) FROM runs WHERE went_on)
    AND '${typeof take_over === "undefined" ? "" : take_over}' <> 'yes'
)
SELECT
  CASE
    WHEN '${session_uuid}.${attempt_id}' NOT IN (SELECT mark FROM runs) THEN
      'The start of this run cannot be seen in ingestion_log. Nothing was loaded. Start again.'
    WHEN mark IS NULL THEN ''
    ELSE
      'Another run of ${workflow_name} is under way: it started at ' || TD_TIME_STRING(began, 'm!')
        || ' UTC, its last row in ingestion_log is from ' || TD_TIME_STRING(newest, 'm!')
        || ', its mark is ' || mark || '. Nothing was loaded. Wait until it ends; if it was killed, '
        || 'start again with -p take_over=yes.'
  END AS concurrent_run,
  IF('${session_uuid}.${attempt_id}' IN (SELECT mark FROM runs) AND mark < '${session_uuid}.${attempt_id}', 'yes', 'no') AS gives_way
FROM others

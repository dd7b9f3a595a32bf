-- What is missing in a table, oldest first, as windows for for_each>: the time from its start to its end,
-- less the windows of its SUCCESS rows, as long as what they loaded is still in the table.
--
-- backfill     from the default start to the cutoff: when the first run began that loaded this table
-- incremental  from the watermark to when this run began. The watermark is the newest record or the end
--              of the last SUCCESS window, whichever is earlier, less lookback_seconds; without both the
--              cutoff, less lookback_seconds; without a backfill the default start. On the first run of
--              a UTC day the last late_days are asked for again: no other day's rows count for them.
--
-- No window is longer than window_days; one that failed after more than six hours is halved from then
-- on, down to an hour. Each asks from a second before its start, as some of Klaviyo's filters know no
-- greater-or-equal; so the second of a logged start_time counts as not loaded.
-- A full load (mode: replace) has one window, without a start.
WITH log AS (
  SELECT
    table_name,
    status,
    time,
    records_processed AS records,
    TD_TIME_PARSE(start_time) AS starts,
    TD_TIME_PARSE(end_time) AS ends,
    IF(log_id LIKE '%/%', split_part(log_id, '/', 1), '') AS mark,
    row_number() OVER (ORDER BY time, split_part(log_id, '/', 2)) AS position
  FROM ${databases.src}.ingestion_log
  WHERE table_name IN ('${datasource.table_name}', '${datasource.historical_table}')
    OR table_name IS NULL
),
runs AS (
  SELECT mark, min(time) AS began
  FROM log
  WHERE table_name IS NULL
    AND status = 'STARTED'
    AND mark <> ''
  GROUP BY mark
),
run AS (
  SELECT
    began,
    began - began % 86400 AS midnight,
    CAST(${datasource.days || 36500} AS bigint) * 86400 AS window_seconds
  FROM runs
  WHERE mark = '${session_uuid}.${attempt_id}'
),
backfill AS (
  SELECT min(COALESCE(runs.began, log.time)) AS began
  FROM log
  LEFT JOIN runs ON runs.mark = log.mark
  WHERE log.table_name = '${datasource.historical_table || datasource.table_name}'
    AND log.status = 'STARTED'
),
records AS (
  SELECT min(time) AS oldest_load, max(IF(field <= run.began, field)) AS newest
  FROM run
  CROSS JOIN (
    SELECT time, ${datasource.field_seconds} AS field
    FROM ${databases.src}.${datasource.table_name}
    WHERE time >= ${datasource.since}
  ) AS newest_rows
),
successes AS (
  SELECT
    log.starts,
    log.ends,
    log.mark,
    log.position,
    COALESCE(runs.began, log.time) AS began,
    log.records = 0 OR log.time >= COALESCE(records.oldest_load, log.time + 1) AS still_there,
    log.records > 0 AS brought_records
  FROM log
  CROSS JOIN records
  LEFT JOIN runs ON runs.mark = log.mark
  WHERE log.table_name = '${datasource.table_name}'
    AND log.status = 'SUCCESS'
),
logged AS (
  SELECT IF(
    COALESCE(max_by(still_there, position) FILTER (WHERE brought_records), true),
    max_by(ends, position)
  ) AS ends
  FROM successes
),
watermark AS (
  SELECT
    least(COALESCE(records.newest, logged.ends), COALESCE(logged.ends, records.newest)) AS lesser,
    -- where the log tells that what lies before was loaded, it is not asked for again and again
    COALESCE(least(run.began - run.window_seconds, logged.ends - 86400), 0) AS earliest
  FROM run, records, logged
),
span AS (
  SELECT
    IF('${datasource.historical_table}' = '',
      TD_TIME_PARSE('${datasource.default_start_time}'),
      COALESCE(
        greatest(watermark.lesser, watermark.earliest) - ${datasource.lookback_seconds || 0},
        backfill.began - ${datasource.lookback_seconds || 0},
        TD_TIME_PARSE('${datasource.default_start_time}')
      )
    ) AS starts,
    IF('${datasource.historical_table}' = '', COALESCE(backfill.began, run.began), run.began) AS ends,
    run.midnight,
    run.window_seconds,
    greatest(
      run.began - ${datasource.late_days || 0} * 86400,
      COALESCE(TD_TIME_PARSE('${datasource.default_start_time}'), 0)
    ) AS late
  FROM run, backfill, watermark
),
asked AS (
  SELECT
    starts,
    ends,
    midnight,
    window_seconds,
    IF('${datasource.historical_table}' = '', starts, least(starts, late)) AS from_start
  FROM span
  WHERE starts < ends
),
covered AS (
  SELECT
    greatest(successes.starts + 1, asked.from_start) AS starts,
    IF('${datasource.historical_table}' = '' OR successes.mark = '${session_uuid}.${attempt_id}',
      successes.ends, least(successes.ends, asked.starts)
    ) AS ends
  FROM successes
  CROSS JOIN asked
  WHERE successes.still_there
    AND successes.starts < asked.ends
    AND ('${datasource.historical_table}' = '' OR successes.mark = '${session_uuid}.${attempt_id}' OR successes.began >= asked.midnight)
  UNION ALL
  SELECT from_start, from_start FROM asked
  UNION ALL
  SELECT ends, ends FROM asked
),
gaps AS (
  SELECT reached AS starts, starts AS ends
  FROM (
    SELECT
      starts,
      max(ends) OVER (ORDER BY starts, ends ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS reached
    FROM covered
    WHERE starts <= ends
  ) AS edges
  WHERE starts > reached
),
-- Single seconds are the edges of windows that touch, as version 0.1.0 asked for: several go in one load.
single_seconds AS (
  SELECT
    starts,
    row_number() OVER (ORDER BY starts) - 1 AS position,
    max(distance) OVER () AS distance
  FROM (
    SELECT starts, starts - lag(starts) OVER (ORDER BY starts) AS distance
    FROM gaps
    WHERE ends - starts = 1
  ) AS edges
),
missing AS (
  SELECT starts, ends
  FROM gaps
  WHERE ends - starts > 1
  UNION ALL
  SELECT min(edge.starts), max(edge.starts) + 1
  FROM single_seconds AS edge
  CROSS JOIN asked
  GROUP BY edge.position / (asked.window_seconds / COALESCE(edge.distance, asked.window_seconds) + 1)
),
tries AS (
  SELECT
    log.status,
    log.starts + 1 AS starts,
    log.ends,
    lead(log.status) OVER (PARTITION BY log.mark ORDER BY log.position) AS next_status,
    -- killed without a word: at least a day ago, as TD kills a load after 24 hours
    COALESCE(
      lead(log.time) OVER (PARTITION BY log.mark ORDER BY log.position),
      IF(log.mark = '${session_uuid}.${attempt_id}', CAST(to_unixtime(now()) AS bigint), run.began - 18 * 3600)
    ) - log.time AS took
  FROM log
  CROSS JOIN run
  WHERE log.table_name = '${datasource.table_name}'
    AND log.mark <> ''
),
heavy AS (
  SELECT starts, ends, greatest((ends - starts + 1) / 2, 3600) AS step
  FROM tries
  WHERE status = 'STARTED'
    AND COALESCE(next_status, '') <> 'SUCCESS'
    AND took > 6 * 3600
    AND ends - starts > 3600
),
cuts AS (
  SELECT DISTINCT missing.starts AS gap, missing.ends, edges.cut
  FROM missing
  JOIN (
    SELECT starts AS cut FROM missing
    UNION ALL
    SELECT starts FROM heavy
    UNION ALL
    SELECT ends FROM heavy
  ) AS edges ON edges.cut >= missing.starts AND edges.cut < missing.ends
),
stretches AS (
  SELECT cut AS starts, COALESCE(lead(cut) OVER (PARTITION BY gap ORDER BY cut), ends) AS ends
  FROM cuts
),
stepped AS (
  SELECT
    stretches.starts,
    stretches.ends,
    -- a second more may be asked for in one, where that saves a window
    least(
      COALESCE(min(heavy.step), stretches.ends - stretches.starts),
      max(asked.window_seconds) + IF(stretches.ends - stretches.starts = max(asked.window_seconds) + 1, 1, 0)
    ) AS step
  FROM stretches
  CROSS JOIN asked
  LEFT JOIN heavy ON heavy.starts <= stretches.starts AND stretches.starts < heavy.ends
  GROUP BY stretches.starts, stretches.ends
),
windows AS (
  SELECT list.starts, least(list.starts + stepped.step, stepped.ends) AS ends
  FROM stepped
  CROSS JOIN UNNEST(sequence(stepped.starts, stepped.ends - 1, stepped.step)) AS list (starts)
),
numbered AS (
  SELECT starts, ends, row_number() OVER (ORDER BY starts) AS position, count(*) OVER () AS windows
  FROM windows
),
-- After each failed try a quarter of the windows, as what a failure leaves counts as tasks, too.
failures AS (
  SELECT count(*) FILTER (WHERE status = 'STARTED') - count(*) FILTER (WHERE status = 'SUCCESS') AS failures
  FROM log
  WHERE table_name = '${datasource.table_name}'
    AND mark = '${session_uuid}.${attempt_id}'
),
list AS (
  SELECT array_join(array_agg(
    '{"start_time":"' || replace(TD_TIME_STRING(starts - 1, 's!'), ' ', 'T') || '.000000'
      || '","end_time":"' || replace(TD_TIME_STRING(ends, 's!'), ' ', 'T') || '.000000'
      || '","windows_left":' || CAST(windows - position AS varchar) || '}'
    ORDER BY position
  ), ',') AS windows
  FROM numbered
  CROSS JOIN failures
  WHERE position <= greatest(1, ${datasource.most_windows} / power(4, failures.failures))
),
full_load AS (
  SELECT count(*) FILTER (WHERE still_there AND ('${datasource.historical_table}' = '' OR mark = '${session_uuid}.${attempt_id}')) > 0 AS is_there
  FROM successes
)
SELECT
  CASE
    WHEN '${datasource.mode}' = 'replace' AND full_load.is_there THEN '[]'
    WHEN '${datasource.mode}' = 'replace' THEN
      '[{"start_time":"","end_time":"' || replace(TD_TIME_STRING(span.ends, 's!'), ' ', 'T') || '.000000","windows_left":0}]'
    WHEN span.starts IS NOT NULL THEN '[' || COALESCE(list.windows, '') || ']'
  END AS windows
FROM span
CROSS JOIN list
CROSS JOIN full_load

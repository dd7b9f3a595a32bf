-- List the windows that a table lacks. From the template: settings are in config/, fixes come with copier update.
-- As JSON for for_each>, oldest first: the time from its start to its end, less the windows of its SUCCESS rows,
-- as long as what they loaded is still in the table.
--
-- backfill     from the default start to the cutoff: when the first run began that loaded this table
-- incremental  from the watermark to when this run began. The watermark is the newest record or the end
--              of the last SUCCESS window, whichever is earlier, less lookback_seconds; without both the
--              cutoff, less lookback_seconds, or the start of the first load if that is earlier; without a
--              backfill the default start. On the first run of a UTC day the last late_days are asked for
--              again: no other day's rows count for them.
--
-- No window is longer than window_days; one that failed after more than six hours is halved from then
-- on, down to an hour. Each asks from a second before its start, as some of Klaviyo's filters know no
-- greater-or-equal; so the second of a logged start_time counts as not loaded.
-- A full load (mode: replace) has one window, without a start.
--
-- The way, for a backfill from 1 January 2023 on with window_days: 90, whose first run began on 1 July. Its
-- first window was loaded, its second failed after seven hours:
--
--   log      1 January to 1 April: SUCCESS     1 April to 30 June: STARTED, and no SUCCESS
--   span     1 January to 1 July
--   edges    1 January, loaded to 1 April;  1 April, 16 May and 30 June, where to cut;  1 July, the end
--   gaps     1 April to 16 May     16 May to 30 June     30 June to 1 July
--   windows  the same, as none is longer than 90 days
--
-- Each step reads the one before it, once: what two steps read, Trino computes twice.

-- The table: since when its rows are loaded, and its newest record that is not dated after this run's start.
WITH records AS (
  SELECT min(loaded.time) AS oldest_load, max(IF(loaded.field <= run.began, loaded.field)) AS newest
  FROM (
    SELECT time, ${datasource.field_seconds} AS field
    FROM ${datasource.table_name}
    WHERE time >= ${datasource.since}
  ) AS loaded
  CROSS JOIN (
    SELECT min(time) AS began
    FROM ingestion_log
    WHERE log_id LIKE '${session_uuid}.${attempt_id}/%'
      AND table_name IS NULL
      AND status = 'STARTED'
  ) AS run
),

-- The log of the table, of its backfill and of runs. A load is a SUCCESS row, a try a STARTED row.
log AS (
  SELECT
    time,
    status,
    table_name,
    log_id LIKE '${session_uuid}.${attempt_id}/%' AS is_own,
    table_name IS NULL AND status = 'STARTED' AS is_run,
    COALESCE(table_name, '') = '${datasource.table_name}' AND status = 'STARTED' AS is_try,
    COALESCE(table_name, '') = '${datasource.table_name}' AND status = 'SUCCESS' AS is_load,
    split_part(log_id, '/', 1) AS mark,
    COALESCE(TRY_CAST(split_part(log_id, '/', 2) AS bigint), time * 1000) AS milliseconds,
    TD_TIME_PARSE(start_time) + 1 AS starts,
    TD_TIME_PARSE(end_time) AS ends,
    records_processed AS records,
    records_processed = 0 OR COALESCE(time >= records.oldest_load, false) AS still_there,
    records.newest
  FROM ingestion_log
  CROSS JOIN records
  WHERE table_name IN ('${datasource.table_name}', '${datasource.historical_table}')
    OR table_name IS NULL
),

-- What the same run tells of a row: when the run began, and what it logged of the table next.
runs AS (
  SELECT
    *,
    COALESCE(min(IF(is_run, time)) OVER (PARTITION BY mark), time) AS began,
    lead(status) OVER (PARTITION BY mark, table_name ORDER BY milliseconds) AS next_status,
    lead(time) OVER (PARTITION BY mark, table_name ORDER BY milliseconds) AS next_time
  FROM log
),

-- What all rows tell together. The log is not believed where the rows of its newest load are gone.
facts AS (
  SELECT
    *,
    CAST(${datasource.days || 36500} AS bigint) * 86400 AS window_seconds,
    min(IF(is_own AND is_run, time)) OVER () AS run_began,
    min(
      IF(table_name = '${datasource.historical_table || datasource.table_name}' AND status = 'STARTED', began)
    ) OVER () AS cutoff,
    IF(
      COALESCE(max_by(still_there, IF(is_load AND records > 0, milliseconds)) OVER (), true),
      max_by(ends, IF(is_load, milliseconds)) OVER ()
    ) AS last_end,
    min(IF(is_load AND records > 0, starts)) OVER () AS first_start,
    count(IF(is_own AND is_try, 1)) OVER () - count(IF(is_own AND is_load, 1)) OVER () AS failures
  FROM runs
),

-- The watermark, and until when to ask. A backfill's is the default start. A run that cannot see its own
-- start has none of all this.
watermarks AS (
  SELECT
    *,
    IF('${datasource.historical_table}' = '', COALESCE(cutoff, run_began), run_began) AS until,
    IF(
      '${datasource.historical_table}' = '',
      TD_TIME_PARSE('${datasource.default_start_time}'),
      COALESCE(
        greatest(
          least(COALESCE(newest, last_end), COALESCE(last_end, newest)),
          -- where the log tells that what lies before was loaded, it is not asked for again and again
          COALESCE(least(run_began - window_seconds, last_end - 86400), 0)
        ) - ${datasource.lookback_seconds || 0},
        -- a row of the backfill may have been removed as a copy of what the first load brought
        least(cutoff - ${datasource.lookback_seconds || 0}, COALESCE(first_start, cutoff)),
        TD_TIME_PARSE('${datasource.default_start_time}')
      )
    ) AS watermark
  FROM facts
  WHERE run_began IS NOT NULL
),

-- From when to ask: the watermark or, if that is earlier, the late days. A full load asks for a second.
span AS (
  SELECT
    *,
    CASE
      WHEN '${datasource.mode}' = 'replace' THEN until - 1
      WHEN watermark >= until THEN until
      ELSE least(
        watermark,
        greatest(
          run_began - ${datasource.late_days || 0} * 86400,
          COALESCE(TD_TIME_PARSE('${datasource.default_start_time}'), 0)
        )
      )
    END AS from_start
  FROM watermarks
),

-- Edges. A load reaches from `starts` to `ends`; the two ends of the span reach nowhere, nor do the cuts: at
-- both ends and in the middle of a window that failed after more than six hours.
edges AS (
  SELECT
    edge.starts,
    CASE
      WHEN NOT is_load THEN edge.starts
      -- the lookback and the late days count as missing, but for what this run has loaded
      WHEN NOT is_own AND '${datasource.historical_table}' <> '' THEN least(ends, watermark)
      WHEN '${datasource.mode}' = 'replace' THEN until
      ELSE ends
    END AS ends,
    window_seconds,
    ${datasource.most_windows} / power(4, failures) AS most_windows
  FROM span
  CROSS JOIN UNNEST(
    CASE
      WHEN is_own AND is_run THEN ARRAY[from_start, until]
      WHEN is_load
        AND still_there
        AND (is_own OR '${datasource.historical_table}' = '' OR began >= run_began - run_began % 86400)
        THEN ARRAY[IF('${datasource.mode}' = 'replace', from_start, greatest(starts, from_start))]
      WHEN is_try
        AND COALESCE(next_status, '') <> 'SUCCESS'
        AND ends - starts > 3600
        -- without a next row it was killed: at least a day ago, as TD kills a load after 24 hours
        AND COALESCE(next_time, IF(is_own, CAST(to_unixtime(now()) AS bigint), run_began - 18 * 3600)) - time > 6 * 3600
        THEN ARRAY[starts, starts + greatest((ends - starts + 1) / 2, 3600), ends]
    END
  ) AS edge (starts)
  WHERE edge.starts BETWEEN from_start AND until
),

-- Gaps: from where all earlier edges reach, to the next edge. The first is empty, so that there is one.
gaps AS (
  SELECT
    COALESCE(
      max(ends) OVER (ORDER BY starts, ends ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), starts
    ) AS starts,
    starts AS ends,
    window_seconds,
    most_windows
  FROM edges
  WHERE starts <= ends
),

-- How many windows a gap has, and those before it. The last may have a second more, where that saves one.
counted AS (
  SELECT
    *,
    sum(windows) OVER (ORDER BY starts, ends) - windows AS windows_before,
    sum(windows) OVER () AS all_windows
  FROM (
    SELECT *, IF(starts < ends, (ends - starts - 2) / window_seconds + 1, 0) AS windows
    FROM gaps
    WHERE starts <= ends
  ) AS divided
),

-- The windows. Number 0 is none: it is there for a gap without one.
windows AS (
  SELECT
    number,
    windows_before + number AS position,
    all_windows - windows_before - number AS windows_left,
    starts + (number - 1) * window_seconds AS starts,
    IF(number = windows, ends, starts + number * window_seconds) AS ends,
    most_windows
  FROM counted
  CROSS JOIN UNNEST(sequence(0, least(windows, ${datasource.most_windows}))) AS list (number)
)

-- The list; NULL without a start or an end. After each failed try a quarter of the windows, as what a
-- failure leaves counts as tasks, too.
SELECT
  IF(count(*) > 0, '[' || COALESCE(array_join(array_agg(
    '{"start_time":"'
      || IF('${datasource.mode}' = 'replace', '', replace(TD_TIME_STRING(starts - 1, 's!'), ' ', 'T') || '.000000')
      || '","end_time":"' || replace(TD_TIME_STRING(ends, 's!'), ' ', 'T') || '.000000'
      || '","windows_left":' || CAST(windows_left AS varchar) || '}'
    ORDER BY position
  ) FILTER (WHERE number > 0 AND position <= greatest(1, most_windows)), ','), '') || ']') AS windows
FROM windows

-- List the objects to load now. From the template: settings are in config/, fixes come with copier update.
-- As JSON for for_each>: first those without a row of this run, then those whose failure is worth another try,
-- after more than six hours (klaviyo_windows.sql halves such a window, down to an hour) or for a window that
-- has failed fewer than three times. Once twelve have failed and none was loaded, no other is begun: what fails
-- them all, like a revoked key, would take more than 1,000 tasks, and nobody be told. Each has
--
-- days           the length of a window: its window_days, or that of its backfill
-- field_seconds  its field in Unix seconds, whatever type the column has; NULL while there is no column
-- since          where reads of the table start: no row of its newest load is older
-- most_windows   how many windows it may load, so that the run stays below Digdag's 1,000 tasks
WITH datasources AS (
  SELECT
    position,
    json_format(datasource) AS fields,
    json_extract_scalar(datasource, '$.table_name') AS table_name,
    json_extract_scalar(datasource, '$.historical_table') AS historical_table,
    json_extract_scalar(datasource, '$.incremental_field') AS field,
    json_extract_scalar(datasource, '$.window_days') AS window_days
  FROM UNNEST(CAST(json_parse('${datasources.replace(/'/g, "''")}') AS array(json)))
    WITH ORDINALITY AS list (datasource, position)
),
backfills AS (
  SELECT
    json_extract_scalar(datasource, '$.table_name') AS table_name,
    json_extract_scalar(datasource, '$.window_days') AS window_days
  FROM UNNEST(CAST(json_parse('${backfills.replace(/'/g, "''")}') AS array(json))) AS list (datasource)
),
log AS (
  SELECT
    table_name,
    status,
    start_time,
    end_time,
    records_processed,
    time,
    IF(log_id LIKE '%/%', split_part(log_id, '/', 1), '') AS mark,
    split_part(log_id, '/', 3) AS windows_left,
    row_number() OVER (PARTITION BY table_name ORDER BY time, split_part(log_id, '/', 2)) AS position
  FROM ingestion_log
  WHERE workflow_name = '${workflow_name}'
    AND table_name IS NOT NULL
),
own AS (
  SELECT
    table_name,
    status,
    position,
    lead(time) OVER (PARTITION BY table_name ORDER BY position) - time AS took,
    TD_TIME_PARSE(end_time) - TD_TIME_PARSE(start_time) AS seconds,
    count(*) OVER (PARTITION BY table_name, status, start_time, end_time) AS times
  FROM log
  WHERE mark = '${session_uuid}.${attempt_id}'
),
tried AS (
  SELECT
    table_name,
    max_by(status, position) AS status,
    max_by(took, position) FILTER (WHERE status = 'STARTED') AS took,
    max_by(seconds, position) FILTER (WHERE status = 'STARTED') AS seconds,
    max_by(times, position) FILTER (WHERE status = 'STARTED') AS times,
    count_if(status = 'ERROR') AS errors,
    count_if(status = 'SUCCESS') AS loads
  FROM own
  GROUP BY table_name
),
newest_load AS (
  SELECT table_name, max(position) AS position, max_by(mark, position) AS mark
  FROM log
  WHERE status = 'SUCCESS'
    AND records_processed > 0
  GROUP BY table_name
),
newest_rows AS (
  SELECT newest_load.table_name, max(log.time) AS since
  FROM newest_load
  JOIN log
    ON log.table_name = newest_load.table_name
    AND log.mark = newest_load.mark
    AND log.status = 'STARTED'
    AND log.position < newest_load.position
  GROUP BY newest_load.table_name
),
finished AS (
  SELECT table_name, max_by(windows_left, position) = '0' AS nothing_left
  FROM log
  WHERE status = 'SUCCESS'
  GROUP BY table_name
),
columns AS (
  SELECT table_name, column_name, data_type
  FROM information_schema.columns
  WHERE table_schema = '${databases.src}'
),
facts AS (
  SELECT
    datasources.position,
    datasources.fields,
    tried.table_name IS NOT NULL AS was_tried,
    tried.status,
    tried.took,
    tried.seconds,
    tried.times,
    COALESCE(nullif(datasources.window_days, ''), backfills.window_days, '') AS days,
    CASE
      WHEN datasources.historical_table IS NULL THEN 0
      ELSE COALESCE(
        least(newest_rows.since - 3600, CAST(to_unixtime(date_trunc('day', now())) AS bigint) - 3600), 0
      )
    END AS since,
    COALESCE(
      CASE
        WHEN columns.data_type LIKE 'varchar%' THEN 'TD_TIME_PARSE(' || datasources.field || ')'
        WHEN columns.data_type LIKE 'timestamp%' OR columns.data_type = 'date'
          THEN 'CAST(floor(to_unixtime(CAST(' || datasources.field || ' AS timestamp))) AS bigint)'
        WHEN columns.data_type IS NOT NULL
          THEN 'CAST(floor(IF(' || datasources.field || ' > 100000000000, ' || datasources.field || ' / 1000, ' || datasources.field || ')) AS bigint)'
      END,
      'CAST(NULL AS bigint)'
    ) AS field_seconds,
    count(*) OVER () AS objects,
    count_if(
      COALESCE(nullif(datasources.window_days, ''), backfills.window_days, '') <> ''
        AND NOT COALESCE(finished.nothing_left, false)
    ) OVER () AS with_windows,
    COALESCE(sum(tried.errors) OVER (), 0) AS failures,
    COALESCE(sum(tried.loads) OVER (), 0) AS loads
  FROM datasources
  LEFT JOIN backfills ON backfills.table_name = COALESCE(datasources.historical_table, datasources.table_name)
  LEFT JOIN tried ON tried.table_name = datasources.table_name
  LEFT JOIN newest_rows ON newest_rows.table_name = datasources.table_name
  LEFT JOIN finished ON finished.table_name = datasources.table_name
  LEFT JOIN columns ON columns.table_name = datasources.table_name AND columns.column_name = datasources.field
)
SELECT
  '[' || COALESCE(array_join(array_agg(
    '{"days":"' || days
      || '","field_seconds":"' || field_seconds
      || '","since":' || CAST(since AS varchar)
      || ',"most_windows":'
      || CAST(greatest(1, CAST(floor((900 - 75 * objects) / 6.7 / greatest(with_windows, 1)) AS bigint)) AS varchar)
      || ',' || substr(fields, 2)
    ORDER BY was_tried, position
  ), ','), '') || ']' AS objects_to_load
FROM facts
WHERE (NOT was_tried AND (failures < 12 OR loads > 0))
  OR (status = 'ERROR' AND ((took > 6 * 3600 AND seconds > 3601) OR times < 3) AND failures < 2 * objects + 4)

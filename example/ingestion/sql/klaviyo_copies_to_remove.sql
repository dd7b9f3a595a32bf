-- List the tables to remove copies from. From the template: settings are in config/, fixes come with copier update.
-- A copy is a row whose version of a record was loaded again: the same id and the same time of its last change (of
-- what never changes, like an event, the id alone). Loads since this was done last are looked at, whatever became of
-- their run: those of runs whose end says "cleaned" are done, but for one that logged no end, which may still commit.
-- In the incremental workflow (place 1) these are the loads of the incremental table, in the backfill (place 2) its
-- own. As JSON for for_each>, each with
--
-- since     the `time` from which on rows are read: no version is older than the window that asked for it
-- version   as SQL: what tells one version from another
-- versions  as a SELECT: the versions, and which row wins: the newest, and before all of the backfill's the
--           incremental table's. Where many rows were loaded, a table is listed several times, for a stretch each
--
-- Each step reads the one before it, once: what two steps read, Trino computes twice.

-- The tables of each object.
WITH tables AS (
  SELECT
    datasources.position,
    datasources.table_name AS object,
    datasources.field,
    datasources.never_changes,
    datasources.is_small,
    list.name,
    list.place
  FROM (
    SELECT
      position,
      json_extract_scalar(datasource, '$.table_name') AS table_name,
      json_extract_scalar(datasource, '$.historical_table') AS historical_table,
      json_extract_scalar(datasource, '$.incremental_field') AS field,
      json_extract_scalar(datasource, '$.incremental_field') = json_extract_scalar(datasource, '$.historical_field')
        AS never_changes,
      COALESCE(json_extract_scalar(datasource, '$.window_days'), '') = '' AS is_small
    FROM UNNEST(CAST(json_parse('${objects.replace(/'/g, "''")}') AS array(json)))
      WITH ORDINALITY AS list (datasource, position)
    WHERE json_extract_scalar(datasource, '$.mode') = 'append'
  ) AS datasources
  CROSS JOIN UNNEST(ARRAY[table_name, historical_table]) WITH ORDINALITY AS list (name, place)
),

-- Whether they have what tells versions apart. One without it is left alone; the preflight tells.
described AS (
  SELECT
    tables.position,
    tables.object,
    tables.field,
    tables.never_changes,
    tables.is_small,
    tables.name,
    tables.place,
    max(IF(columns.column_name = tables.field, columns.data_type)) AS type,
    count(IF(columns.column_name = 'id', 1)) > 0 AND count(IF(columns.column_name = tables.field, 1)) > 0 AS has_versions
  FROM tables
  LEFT JOIN information_schema.columns AS columns
    ON columns.table_schema = '${databases.src}'
    AND columns.table_name = tables.name
  GROUP BY
    tables.position, tables.object, tables.field, tables.never_changes, tables.is_small, tables.name, tables.place
),

-- What was logged of them, with what the run tells: whether its end says "cleaned", and of a load what came next.
log AS (
  SELECT
    described.*,
    entries.status,
    entries.time,
    entries.records,
    entries.starts,
    entries.is_own,
    entries.milliseconds,
    entries.cleaned_at,
    entries.next_status,
    max(IF(entries.next_status IS NULL AND entries.status = 'ERROR', 1, 0)) OVER (
      PARTITION BY described.object, entries.mark
    ) = 1 AS run_failed
  FROM described
  LEFT JOIN (
    SELECT
      *,
      max(IF(table_name IS NULL AND status <> 'STARTED' AND windows_left = 'cleaned', time)) OVER (
        PARTITION BY mark
      ) AS cleaned_at,
      lead(status) OVER (PARTITION BY mark, table_name ORDER BY milliseconds) AS next_status
    FROM (
      SELECT
        table_name,
        status,
        time,
        records_processed AS records,
        TD_TIME_PARSE(start_time) AS starts,
        split_part(log_id, '/', 1) AS mark,
        log_id LIKE '${session_uuid}.${attempt_id}/%' AS is_own,
        COALESCE(TRY_CAST(split_part(log_id, '/', 2) AS bigint), time * 1000) AS milliseconds,
        split_part(log_id, '/', 3) AS windows_left
      FROM ingestion_log
    ) AS own_columns
  ) AS entries ON entries.table_name = described.name
),
dated AS (
  SELECT
    *,
    max(IF(place = ${place} AND NOT run_failed, cleaned_at)) OVER (PARTITION BY object) AS last_cleaned
  FROM log
),

-- Each table: its loads, those that may have left copies, and since when.
loads AS (
  SELECT
    position,
    object,
    field,
    never_changes,
    is_small,
    name,
    place,
    type,
    has_versions,
    count(IF((status = 'SUCCESS' AND records > 0) OR (status = 'STARTED' AND next_status IS NULL), 1)) AS loads,
    max(IF(status = 'SUCCESS' AND records > 0, time)) AS newest,
    max_by(status, IF(is_own, milliseconds)) AS own_status,
    sum(IF(is_uncleaned, records, 0)) AS records,
    min(IF(is_uncleaned, COALESCE(starts, 0))) - 3600 AS since
  FROM (
    SELECT
      *,
      place = ${place} AND (
        (status = 'SUCCESS' AND records > 0 AND (cleaned_at IS NULL OR run_failed)
          AND time > COALESCE(last_cleaned, 0) - 3600)
        -- without an end, it may commit up to a day later
        OR (status = 'STARTED' AND next_status IS NULL AND time > COALESCE(last_cleaned, 0) - 25 * 3600)
      ) AS is_uncleaned
    FROM dated
  ) AS looked_at
  GROUP BY position, object, field, never_changes, is_small, name, place, type, has_versions
),
objects AS (
  SELECT
    *,
    max(since) OVER (PARTITION BY object) AS first_start,
    sum(loads) OVER (PARTITION BY object) AS all_loads,
    sum(records) OVER (PARTITION BY object) AS all_records,
    max(IF(place = 1 AND has_versions, name)) OVER (PARTITION BY object) AS incremental_table,
    max(IF(place = 1, type)) OVER (PARTITION BY object) AS incremental_type
  FROM loads
),

-- The tables to clean; where more than ten million rows were loaded, in stretches of time.
listed AS (
  SELECT
    to_clean.*,
    IF(is_small, 0, first_start) AS read_from,
    'CAST(id AS varchar)' || IF(never_changes, '', ' || ''@'' || CAST(' || field || ' AS varchar)') AS version,
    CASE
      WHEN type LIKE 'varchar%' THEN 'TD_TIME_PARSE(' || field || ')'
      WHEN type LIKE 'timestamp%' OR type = 'date'
        THEN 'CAST(floor(to_unixtime(CAST(' || field || ' AS timestamp))) AS bigint)'
      WHEN type IS NOT NULL
        THEN 'CAST(floor(IF(' || field || ' > 100000000000, ' || field || ' / 1000, ' || field || ')) AS bigint)'
    END AS seconds,
    CASE
      WHEN incremental_type LIKE 'varchar%' THEN 'TD_TIME_PARSE(' || field || ')'
      WHEN incremental_type LIKE 'timestamp%' OR incremental_type = 'date'
        THEN 'CAST(floor(to_unixtime(CAST(' || field || ' AS timestamp))) AS bigint)'
      WHEN incremental_type IS NOT NULL
        THEN 'CAST(floor(IF(' || field || ' > 100000000000, ' || field || ' / 1000, ' || field || ')) AS bigint)'
    END AS incremental_seconds,
    list.stretch,
    (CAST(to_unixtime(now()) AS bigint) - first_start) / stretches AS length
  FROM (
    SELECT *, least(30, 1 + CAST(all_records AS bigint) / 10000000) AS stretches
    FROM objects
    WHERE has_versions
      AND first_start IS NOT NULL
      AND all_loads > 1
      AND IF(place = 1, loads > 1, place = ${place} OR newest >= first_start)
      AND place >= ${place}
      AND COALESCE(own_status, '') <> 'ERROR'
  ) AS to_clean
  CROSS JOIN UNNEST(sequence(1, stretches)) AS list (stretch)
),
bounded AS (
  SELECT
    *,
    ' WHERE time >= ' || CAST(read_from AS varchar) || ' AND CAST(id AS varchar) <> ''''' AS condition,
    IF(stretch > 1, ' >= ' || CAST(first_start + (stretch - 1) * length AS varchar)) AS from_start,
    IF(stretch < stretches, ' < ' || CAST(first_start + stretch * length AS varchar)) AS to_end
  FROM listed
)
SELECT
  '[' || COALESCE(array_join(array_agg(
    '{"table_name":"' || name
      || '","since":' || CAST(read_from AS varchar)
      || ',"version":"' || version
      || '","versions":"SELECT ' || version || ' AS version, time, time AS precedence FROM ' || name || condition
      || COALESCE(' AND COALESCE(' || seconds || ', 0)' || from_start, '')
      || COALESCE(' AND COALESCE(' || seconds || ', 0)' || to_end, '')
      || IF(
        place = 1 OR incremental_table IS NULL,
        '',
        ' UNION ALL SELECT ' || version || ', time, time + 100000000000 FROM ' || incremental_table || condition
          || COALESCE(' AND COALESCE(' || incremental_seconds || ', 0)' || from_start, '')
          || COALESCE(' AND COALESCE(' || incremental_seconds || ', 0)' || to_end, '')
      ) || '"}'
    ORDER BY position, place, stretch
  ), ','), '') || ']' AS copies
FROM bounded

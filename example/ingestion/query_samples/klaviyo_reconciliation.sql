-- To run by hand, in two steps, as a table without rows has no columns that a query could name: this prints
-- a query, which gives for each object
--
-- rows_there         rows in both tables
-- versions           an id counts once for each time of a last change: as many as rows, as copies are removed
-- distinct_ids       records
-- newest_load        rows that the newest load with records brought, by ingestion_log
-- newest_load_there  how many of these are in its table: all, unless someone deleted some
WITH objects AS (
  SELECT position, object, incremental_table, backfill_table, field, mode
  FROM (
    VALUES
      (1, 'profiles', 'klaviyo_profiles', 'klaviyo_profiles_hist', 'updated', 'append'),
      (2, 'events', 'klaviyo_events', 'klaviyo_events_hist', 'datetime', 'append'),
      (3, 'campaigns', 'klaviyo_campaigns', 'klaviyo_campaigns_hist', 'updated_at', 'append'),
      (4, 'lists', 'klaviyo_lists', 'klaviyo_lists_hist', 'updated', 'append'),
      (5, 'email_templates', 'klaviyo_email_templates', 'klaviyo_email_templates_hist', 'updated', 'append'),
      (6, 'metrics', 'klaviyo_metrics', 'klaviyo_metrics_hist', 'updated', 'append')
  ) AS list (position, object, incremental_table, backfill_table, field, mode)
),
columns AS (
  SELECT table_name, column_name, data_type, ordinal_position
  FROM information_schema.columns
  WHERE table_schema = 'client_src'
),
tables AS (
  SELECT
    objects.position * 2 + list.place AS position,
    objects.object,
    list.name,
    list.place = 1 AS is_incremental,
    objects.mode,
    ids.column_name IS NOT NULL AS has_ids,
    'client_src.' || list.name AS source,
    CASE
      WHEN fields.data_type LIKE 'varchar%' THEN 'TD_TIME_PARSE(' || objects.field || ')'
      WHEN fields.data_type LIKE 'timestamp%' OR fields.data_type = 'date'
        THEN 'CAST(floor(to_unixtime(CAST(' || objects.field || ' AS timestamp))) AS bigint)'
      WHEN fields.data_type IS NOT NULL
        THEN 'CAST(floor(IF(' || objects.field || ' > 100000000000, ' || objects.field || ' / 1000, ' || objects.field || ')) AS bigint)'
    END AS seconds
  FROM objects
  CROSS JOIN UNNEST(ARRAY[incremental_table, backfill_table]) WITH ORDINALITY AS list (name, place)
  LEFT JOIN columns AS ids ON ids.table_name = list.name AND ids.column_name = 'id'
  LEFT JOIN columns AS fields ON fields.table_name = list.name AND fields.column_name = objects.field
),
loads AS (
  SELECT
    table_name,
    max(time) AS ended,
    max_by(started, time) AS started,
    max_by(records_processed, time) AS records
  FROM (
    SELECT
      *,
      lag(time) OVER (
        PARTITION BY table_name, split_part(log_id, '/', 1) ORDER BY time, split_part(log_id, '/', 2)
      ) AS started
    FROM client_src.ingestion_log
  ) AS log
  WHERE status = 'SUCCESS'
    AND records_processed > 0
  GROUP BY table_name
),
newest AS (
  SELECT
    tables.object,
    tables.position,
    tables.source,
    tables.seconds,
    tables.has_ids,
    loads.ended,
    loads.started,
    loads.records,
    max(loads.ended) OVER (PARTITION BY tables.object) AS newest
  FROM tables
  LEFT JOIN loads ON loads.table_name = tables.name
)
-- The first part of what is printed has a line for each object, also where its tables have no rows.
SELECT
  'SELECT object, count(IF(is_row, 1)) AS rows_there, count(DISTINCT version) AS versions, count(DISTINCT id) AS distinct_ids, '
    || 'max(newest_load) AS newest_load, count(IF(is_newest, 1)) AS newest_load_there FROM ('
    || 'SELECT position, object, newest_load, false AS is_row, CAST(NULL AS varchar) AS id, CAST(NULL AS varchar) AS version, '
    || 'false AS is_newest FROM (VALUES ' || array_join(array_agg(
      '(' || CAST(position AS varchar) || ', ''' || object || ''', '
        || CAST(COALESCE(IF(ended = newest, records), 0) AS varchar) || ')'
      ORDER BY position
    ), ', ') || ') AS objects (position, object, newest_load)'
    || COALESCE(' UNION ALL ' || array_join(array_agg(
      'SELECT 0, ''' || object || ''', 0, true, CAST(id AS varchar), CAST(id AS varchar) || ''@'' || COALESCE(CAST('
        || COALESCE(seconds, 'CAST(NULL AS bigint)') || ' AS varchar), ''''), '
        || COALESCE(
          IF(ended = newest, 'time BETWEEN ' || CAST(started AS varchar) || ' AND ' || CAST(ended AS varchar)), 'false'
        )
        || ' FROM ' || source
      ORDER BY position
    ) FILTER (WHERE has_ids), ' UNION ALL '), '')
    || ') AS records GROUP BY object ORDER BY max(position)' AS query
FROM newest

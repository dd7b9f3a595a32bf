-- To run by hand, in two steps, as a table without rows has no columns that a query could name: this prints
-- a query, which lists the hundred versions of records with the most rows in a table, and when they were loaded.
-- A version is an id with the time of its last change. It has one row after a successful run.
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
)
SELECT
  'SELECT table_name, id, count(*) AS times, TD_TIME_STRING(min(time), ''s!'') AS first_loaded_at, '
    || 'TD_TIME_STRING(max(time), ''s!'') AS last_loaded_at FROM (' || COALESCE(
      array_join(array_agg(
        'SELECT ''' || name || ''' AS table_name, CAST(id AS varchar) AS id, '
          || COALESCE(seconds, 'CAST(NULL AS bigint)') || ' AS seconds, time FROM ' || source || ' WHERE id IS NOT NULL'
        ORDER BY position
      ), ' UNION ALL '),
      'SELECT ''no table has rows'' AS table_name, CAST(NULL AS varchar) AS id, 0 AS seconds, 0 AS time WHERE false'
    ) || ') AS records GROUP BY table_name, id, seconds HAVING count(*) > 1 ORDER BY 3 DESC, 1, 2 LIMIT 100' AS query
FROM tables
WHERE has_ids

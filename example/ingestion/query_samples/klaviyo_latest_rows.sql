-- To run by hand, in two steps, as a table without rows has no columns that a query could name: this prints
-- a query for each object, which gives each record once, in its newest version from both tables. With
-- latest_tables, the table klaviyo_<object>_latest has the same already.
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
found AS (
  SELECT tables.object, tables.name, columns.column_name, columns.data_type, columns.ordinal_position
  FROM tables
  JOIN columns ON columns.table_name = tables.name
  WHERE tables.has_ids
),
wanted AS (
  SELECT
    object,
    column_name,
    IF(min(data_type) = max(data_type), min(data_type), 'varchar') AS data_type,
    min(ordinal_position) AS position
  FROM found
  GROUP BY object, column_name
),
sources AS (
  SELECT
    tables.object,
    tables.position,
    'SELECT ' || array_join(array_agg(
      CASE
        WHEN found.column_name IS NULL THEN 'CAST(NULL AS ' || wanted.data_type || ') AS "' || wanted.column_name || '"'
        WHEN found.data_type = wanted.data_type THEN '"' || wanted.column_name || '"'
        ELSE 'CAST("' || wanted.column_name || '" AS varchar) AS "' || wanted.column_name || '"'
      END
      ORDER BY wanted.position, wanted.column_name
    ), ', ') || ', ' || COALESCE(tables.seconds, 'CAST(NULL AS bigint)') || ' AS latest_seconds FROM ' || tables.source AS query
  FROM tables
  JOIN wanted ON wanted.object = tables.object
  LEFT JOIN found ON found.name = tables.name AND found.column_name = wanted.column_name
  WHERE tables.has_ids
  GROUP BY tables.object, tables.position, tables.seconds, tables.source
)
SELECT
  object,
  'SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY id ORDER BY latest_seconds DESC NULLS LAST, time DESC) '
    || 'AS latest_nth FROM (' || array_join(array_agg(query ORDER BY position), ' UNION ALL ')
    || ') AS loaded WHERE id IS NOT NULL) AS versions WHERE latest_nth = 1' AS query
FROM sources
GROUP BY object
ORDER BY min(position)

-- To run by hand, in two steps, as a table without rows has no columns that a query could name: this prints
-- a query for each object, which gives each record once, in its newest version from both tables. With
-- latest_tables, the table klaviyo_<object>_latest has the same already.
-- The columns of both tables of an object, for each of them, with the type that they have there.
WITH columns AS (
  SELECT
    tables.place,
    tables.object,
    tables.name,
    tables.field,
    columns.column_name,
    max(IF(columns.table_name = tables.name, columns.data_type)) AS own_type,
    IF(min(columns.data_type) = max(columns.data_type), min(columns.data_type), 'varchar') AS data_type,
    min(columns.ordinal_position) AS position
  FROM information_schema.columns AS columns
  JOIN (VALUES
      (1, 'profiles', 'klaviyo_profiles', 'updated'),
      (2, 'profiles', 'klaviyo_profiles_hist', 'updated'),
      (1, 'events', 'klaviyo_events', 'datetime'),
      (2, 'events', 'klaviyo_events_hist', 'datetime'),
      (1, 'campaigns', 'klaviyo_campaigns', 'updated_at'),
      (2, 'campaigns', 'klaviyo_campaigns_hist', 'updated_at'),
      (1, 'lists', 'klaviyo_lists', 'updated'),
      (2, 'lists', 'klaviyo_lists_hist', 'updated'),
      (1, 'email_templates', 'klaviyo_email_templates', 'updated'),
      (2, 'email_templates', 'klaviyo_email_templates_hist', 'updated'),
      (1, 'metrics', 'klaviyo_metrics', 'updated'),
      (2, 'metrics', 'klaviyo_metrics_hist', 'updated')
  ) AS any_table (place, object, name, field) ON any_table.name = columns.table_name
  JOIN (VALUES
      (1, 'profiles', 'klaviyo_profiles', 'updated'),
      (2, 'profiles', 'klaviyo_profiles_hist', 'updated'),
      (1, 'events', 'klaviyo_events', 'datetime'),
      (2, 'events', 'klaviyo_events_hist', 'datetime'),
      (1, 'campaigns', 'klaviyo_campaigns', 'updated_at'),
      (2, 'campaigns', 'klaviyo_campaigns_hist', 'updated_at'),
      (1, 'lists', 'klaviyo_lists', 'updated'),
      (2, 'lists', 'klaviyo_lists_hist', 'updated'),
      (1, 'email_templates', 'klaviyo_email_templates', 'updated'),
      (2, 'email_templates', 'klaviyo_email_templates_hist', 'updated'),
      (1, 'metrics', 'klaviyo_metrics', 'updated'),
      (2, 'metrics', 'klaviyo_metrics_hist', 'updated')
  ) AS tables (place, object, name, field) ON tables.object = any_table.object
  WHERE columns.table_schema = 'client_src'
  GROUP BY tables.place, tables.object, tables.name, tables.field, columns.column_name
),
selects AS (
  SELECT
    object,
    place,
    name,
    field,
    max(IF(column_name = field, own_type)) AS type,
    array_join(array_agg(
      CASE
        WHEN own_type IS NULL THEN 'CAST(NULL AS ' || data_type || ') AS "' || column_name || '"'
        WHEN own_type = data_type THEN '"' || column_name || '"'
        ELSE 'CAST("' || column_name || '" AS varchar) AS "' || column_name || '"'
      END
      ORDER BY position, column_name
    ), ', ') AS list
  FROM columns
  GROUP BY object, place, name, field
  HAVING max(IF(column_name = 'id', own_type)) IS NOT NULL
)
SELECT
  object,
  'SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY id ORDER BY latest_seconds DESC NULLS LAST, time DESC) '
    || 'AS latest_nth FROM (' || array_join(array_agg(
      'SELECT ' || list || ', ' || COALESCE(CASE
        WHEN type LIKE 'varchar%' THEN 'TD_TIME_PARSE(' || field || ')'
        WHEN type LIKE 'timestamp%' OR type = 'date'
          THEN 'CAST(floor(to_unixtime(CAST(' || field || ' AS timestamp))) AS bigint)'
        WHEN type IS NOT NULL
          THEN 'CAST(floor(IF(' || field || ' > 100000000000, ' || field || ' / 1000, ' || field || ')) AS bigint)'
      END, 'CAST(NULL AS bigint)')
        || ' AS latest_seconds FROM client_src.' || name
      ORDER BY place
    ), ' UNION ALL ') || ') AS loaded WHERE id IS NOT NULL) AS versions WHERE latest_nth = 1' AS query
FROM selects
GROUP BY object
ORDER BY object

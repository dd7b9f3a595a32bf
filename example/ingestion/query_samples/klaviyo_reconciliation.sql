-- To run by hand, in two steps, as a table without rows has no columns that a query could name: this prints
-- a query, which gives for each object
--
-- logged        rows that were loaded into both tables, by ingestion_log; for a full load those of the last one
-- rows_there    rows in both tables: as many, unless rows were deleted, or a load was logged wrongly
-- distinct_ids  records: fewer, as a record is loaded again when it changes, and where windows overlap
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
    sum(records_processed) AS rows_of_all,
    max_by(records_processed, time) AS rows_of_the_last
  FROM client_src.ingestion_log
  WHERE status = 'SUCCESS'
  GROUP BY table_name
)
SELECT
  array_join(array_agg(query ORDER BY position), ' UNION ALL ') AS query
FROM (
  SELECT
    min(tables.position) AS position,
    'SELECT ''' || tables.object || ''' AS object, '
      || CAST(COALESCE(sum(IF(tables.mode = 'replace', loads.rows_of_the_last, loads.rows_of_all)), 0) AS varchar)
      || ' AS logged, count(*) AS rows_there, count(DISTINCT id) AS distinct_ids FROM ('
      || COALESCE(
        array_join(array_agg(
          IF(tables.has_ids, 'SELECT CAST(id AS varchar) AS id FROM ' || tables.source) ORDER BY tables.position
        ), ' UNION ALL '),
        ''
      )
      || IF(count_if(tables.has_ids) = 0, 'SELECT CAST(NULL AS varchar) AS id WHERE false', '')
      || ') AS records' AS query
  FROM tables
  LEFT JOIN loads ON loads.table_name = tables.name
  GROUP BY tables.object
) AS queries

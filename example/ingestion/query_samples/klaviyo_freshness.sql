-- To run by hand, in two steps, as a table without rows has no columns that a query could name: this prints
-- a query, which gives for each object
--
-- hours_since_success        since the last successful load of the incremental table
-- hours_since_newest_record  since the newest record changed, in either table; dates in the future do not count
-- rows_of_24_hours           rows from the incremental loads of the last 24 hours
-- rows_a_day_before          rows a day from those of the seven days before, on average
-- hours_between_runs         at most, by the schedule that was answered; nothing without one
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
    (CAST(floor(to_unixtime(now())) AS bigint) - time) / 3600.0 AS hours_ago,
    records_processed
  FROM client_src.ingestion_log
  WHERE status = 'SUCCESS'
),
figures AS (
  SELECT
    objects.position,
    objects.object,
    round(min(loads.hours_ago), 1) AS success,
    sum(IF(loads.hours_ago < 24, loads.records_processed, 0)) AS of_24_hours,
    round(sum(IF(loads.hours_ago >= 24 AND loads.hours_ago < 192, loads.records_processed, 0)) / 7.0, 1) AS a_day_before
  FROM objects
  LEFT JOIN loads ON loads.table_name = objects.incremental_table
  GROUP BY objects.position, objects.object
),
newest AS (
  SELECT
    object,
    'SELECT max(seconds) FROM (' || array_join(array_agg(
      'SELECT ' || seconds || ' AS seconds FROM ' || source ORDER BY position
    ), ' UNION ALL ') || ') AS records WHERE seconds <= to_unixtime(now())' AS query
  FROM tables
  WHERE seconds IS NOT NULL
  GROUP BY object
)
SELECT
  'SELECT object, hours_since_success, hours_since_newest_record, rows_of_24_hours, rows_a_day_before, '
    || 'CAST(NULL AS double) AS hours_between_runs FROM ('
    || array_join(array_agg(
      'SELECT ' || CAST(figures.position AS varchar) || ' AS position, ''' || figures.object || ''' AS object, '
        || COALESCE(CAST(CAST(figures.success AS decimal(18, 1)) AS varchar), 'NULL') || ' AS hours_since_success, '
        || COALESCE('round((to_unixtime(now()) - (' || newest.query || ')) / 3600, 1)', 'NULL') || ' AS hours_since_newest_record, '
        || CAST(COALESCE(figures.of_24_hours, 0) AS varchar) || ' AS rows_of_24_hours, '
        || CAST(CAST(COALESCE(figures.a_day_before, 0) AS decimal(18, 1)) AS varchar) || ' AS rows_a_day_before'
      ORDER BY figures.position
    ), ' UNION ALL ') || ') AS objects ORDER BY position' AS query
FROM figures
LEFT JOIN newest ON newest.object = figures.object

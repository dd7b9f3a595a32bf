-- The datasources that have no row in ingestion_log since this run began, as JSON for for_each>.
-- Each is told whether its tables exist, so that they are created once and not asked for ever after.
WITH datasources AS (
  SELECT
    position,
    json_format(datasource) AS fields,
    json_extract_scalar(datasource, '$.table_name') AS table_name,
    json_extract_scalar(datasource, '$.historical_table') AS historical_table
  FROM UNNEST(CAST(json_parse('${datasources.replace(/'/g, "''")}') AS array(json)))
    WITH ORDINALITY AS list (datasource, position)
),
existing AS (
  SELECT table_name
  FROM information_schema.tables
  WHERE table_schema = '${databases.src}'
),
started AS (
  SELECT DISTINCT source_name
  FROM ${databases.src}.ingestion_log
  WHERE time >= ${run_started}
)
SELECT
  '[' || COALESCE(array_join(array_agg(
    '{"tables_exist":' || IF(
      existing.table_name IS NOT NULL
        AND (datasources.historical_table IS NULL OR existing_historical.table_name IS NOT NULL),
      'true', 'false'
    ) || ',' || substr(datasources.fields, 2)
    ORDER BY position
  ), ','), '') || ']' AS not_started
FROM datasources
LEFT JOIN existing ON existing.table_name = datasources.table_name
LEFT JOIN existing AS existing_historical ON existing_historical.table_name = datasources.historical_table
LEFT JOIN started ON started.source_name = datasources.table_name
WHERE started.source_name IS NULL

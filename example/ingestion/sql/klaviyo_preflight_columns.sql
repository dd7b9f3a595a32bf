-- List the columns that a trial load brought. From the template: settings are in config/, fixes come with copier update.
-- And those of the columns that the workflows read that are missing, and the table's field if it is there: a
-- query that names a missing column fails.
WITH existing AS (
  SELECT column_name
  FROM information_schema.columns
  WHERE table_schema = '${databases.src}'
    AND table_name = 'klaviyo_preflight_${datasource.object}'
    AND column_name <> 'time'
),
needed AS (
  SELECT name, min(position) AS position
  FROM UNNEST(ARRAY['id', '${datasource.incremental_field || ''}', '${datasource.historical_field || ''}'])
    WITH ORDINALITY AS list (name, position)
  WHERE name <> ''
  GROUP BY name
)
SELECT
  COALESCE((SELECT array_join(array_agg(column_name ORDER BY column_name), ', ') FROM existing), '') AS columns,
  array_join(array_agg(needed.name ORDER BY needed.position), ', ') AS needed,
  COALESCE(array_join(array_agg(needed.name ORDER BY needed.position)
    FILTER (WHERE existing.column_name IS NULL), ', '), '') AS missing,
  COALESCE(max(IF(existing.column_name = '${datasource.incremental_field || ''}', existing.column_name)), '') AS field
FROM needed
LEFT JOIN existing ON existing.column_name = needed.name

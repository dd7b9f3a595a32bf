-- List the objects that preflight tries. From the template: settings are in config/, fixes come with copier update.
-- As JSON for for_each>: those that have no line of this run, each with its window. For events and profiles a
-- day is enough. The others are small: their window is the later half of the time since the default start, and
-- if older records come too, the account ignores the filter. A full load (mode: replace) has no window. Once
-- twelve have failed and none is ok, no other is tried: what fails them all would take more than 1,000 tasks.
WITH datasources AS (
  SELECT
    position,
    json_format(datasource) AS fields,
    json_extract_scalar(datasource, '$.name') AS name,
    json_extract_scalar(datasource, '$.table_name') AS table_name,
    json_extract_scalar(datasource, '$.mode') AS mode,
    TD_TIME_PARSE(nullif(json_extract_scalar(datasource, '$.default_start_time'), '')) AS default_start,
    CAST(to_unixtime(now()) AS bigint) AS ends
  FROM UNNEST(CAST(json_parse('${datasources.replace(/'/g, "''")}') AS array(json)))
    WITH ORDINALITY AS list (datasource, position)
),
windows AS (
  SELECT
    position,
    fields,
    table_name,
    CASE
      WHEN mode = 'replace' THEN CAST(NULL AS bigint)
      WHEN name IN ('events', 'profiles') THEN ends - 86400
      ELSE (default_start + ends) / 2
    END AS starts,
    ends
  FROM datasources
),
tried AS (
  SELECT DISTINCT table_name, status
  FROM klaviyo_preflight
  WHERE run = '${session_uuid}.${attempt_id}'
)
SELECT
  '[' || COALESCE(array_join(array_agg(
    '{"object":"' || regexp_replace(windows.table_name, '^klaviyo_', '')
      || '","start_time":"'
      || COALESCE(replace(TD_TIME_STRING(windows.starts, 's!'), ' ', 'T') || '.000000', '')
      || '","end_time":"'
      || IF(windows.starts IS NULL, '', replace(TD_TIME_STRING(windows.ends, 's!'), ' ', 'T') || '.000000')
      || '",' || substr(windows.fields, 2)
    ORDER BY windows.position
  ), ','), '') || ']' AS objects_to_try
FROM windows
LEFT JOIN tried ON tried.table_name = windows.table_name
WHERE tried.table_name IS NULL
  AND (SELECT count_if(status = 'ERROR') < 12 OR count_if(status = 'OK') > 0 FROM tried)

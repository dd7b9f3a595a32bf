-- Report what a trial load brought. From the template: settings are in config/, fixes come with copier update.
-- Outside of the window is what is before it or in the future. A record that changed after the end of the
-- window, while it was loaded, is as it should be.
INSERT INTO klaviyo_preflight
WITH scratch AS (
  SELECT CAST(${td.last_results.field || 'NULL'} AS varchar) AS field
  FROM klaviyo_preflight_${datasource.object}
),
loaded AS (
  SELECT
    count(*) AS records,
    count(field) AS filled,
    count(TD_TIME_PARSE(field)) AS times,
    -- a dollar before a brace would be a variable where the line is printed
    replace(substr(min(IF(TD_TIME_PARSE(field) IS NULL, field)), 1, 40), '$', '') AS no_time,
    count_if(
      TD_TIME_PARSE(field) < TD_TIME_PARSE(nullif('${datasource.start_time}', ''))
        OR TD_TIME_PARSE(field) > CAST(to_unixtime(now()) AS bigint)
    ) AS outside
  FROM scratch
),
worded AS (
  SELECT
    *,
    CAST(records AS varchar) || ' records' AS all_records,
    CAST(outside AS varchar) || ' of them outside the window ${datasource.start_time} to ${datasource.end_time}'
      AS records_outside
  FROM loaded
),
judged AS (
  SELECT
    *,
    COALESCE(array_join(ARRAY[
      IF('${td.last_results.missing}' <> '', 'without ${td.last_results.missing} (the columns are ${td.last_results.columns}): '
        || 'correct the names of the fields in config/klaviyo_datasources.yml'),
      IF('${td.last_results.field}' <> '' AND times < greatest(filled, 1),
        '${td.last_results.field} is not a time (' || COALESCE('"' || no_time || '"', 'it is empty') || '): '
        || 'name the field with the time of the last change in config/klaviyo_datasources.yml'),
      IF(outside > 0 AND '${datasource.name}' <> 'metrics', records_outside || ', so the filter is ignored and each run '
        || 'would load them again: correct the connector''s name of the field in config/klaviyo_datasources.yml; '
        || 'if it is right, this object can only be loaded in full')
    ], '; '), '') AS problems
  FROM worded
)
SELECT
  '${session_uuid}.${attempt_id}' AS run,
  '${datasource.table_name}' AS table_name,
  IF(records > 0 AND problems <> '', 'ERROR', 'OK') AS status,
  '${datasource.table_name}: ' || CASE
    WHEN records = 0 AND '${datasource.mode}' = 'replace' THEN 'ok, no records, fields not seen'
    WHEN records = 0 THEN 'ok, no records in this window, fields not seen'
    WHEN problems <> '' THEN 'error, ' || all_records || '; ' || problems
    ELSE 'ok, ' || all_records || ' with ${td.last_results.needed}'
      || IF(outside > 0, '; note: ' || records_outside || ', as Klaviyo does not filter metrics: '
        || 'use metrics_load: full, else each run loads them all again', '')
      || '; columns: ${td.last_results.columns}'
  END AS line,
  CAST(to_unixtime(now()) AS bigint) AS time
FROM judged

-- The tables whose load failed in this run: an ERROR row, or fewer SUCCESS than STARTED rows.
SELECT COALESCE(array_join(array_agg(source_name ORDER BY source_name), ', '), '') AS failed
FROM (
  SELECT source_name
  FROM ${databases.src}.ingestion_log
  WHERE time >= ${run_started}
    AND workflow_name = '${workflow_name}'
    AND source_name <> 'klaviyo'
  GROUP BY source_name
  HAVING count_if(status = 'ERROR') > 0
    OR count_if(status = 'SUCCESS') < count_if(status = 'STARTED')
) AS tables

-- To run by hand: what the last preflight said, one line per object.
SELECT
  table_name,
  status,
  line,
  TD_TIME_STRING(time, 's!') AS tried_at,
  round((to_unixtime(now()) - time) / 3600, 1) AS hours_ago
FROM client_src.klaviyo_preflight
WHERE run = (SELECT max_by(run, time) FROM client_src.klaviyo_preflight)
ORDER BY table_name

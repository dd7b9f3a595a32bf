-- To run by hand: the time that each table's backfill has loaded, from ingestion_log alone.
--
-- wanted_from, wanted_until  the time that the backfill asks for, as far as the log shows it
-- holes, first_hole          what is missing between loaded windows
-- loaded                     the same time as fifty cells: █ is loaded, ▒ in part, · is not
WITH log AS (
  SELECT
    table_name,
    status,
    time,
    TD_TIME_PARSE(start_time) AS starts,
    TD_TIME_PARSE(end_time) AS ends,
    split_part(log_id, '/', 1) AS mark,
    split_part(log_id, '/', 3) AS windows_left,
    row_number() OVER (PARTITION BY table_name ORDER BY time, split_part(log_id, '/', 2)) AS position
  FROM client_src.ingestion_log
  WHERE workflow_name = 'klaviyo_ingest_hist'
),
runs AS (
  SELECT mark, min(time) AS began
  FROM log
  WHERE table_name IS NULL
  GROUP BY mark
),
spans AS (
  SELECT
    log.table_name,
    min(log.starts) AS wanted_from,
    IF(
      max_by(log.windows_left, log.position) FILTER (WHERE log.status = 'SUCCESS') = '0',
      max(log.ends),
      greatest(max(log.ends), min(COALESCE(runs.began, log.time)))
    ) AS wanted_until
  FROM log
  LEFT JOIN runs ON runs.mark = log.mark
  WHERE log.starts IS NOT NULL
  GROUP BY log.table_name
),
windows AS (
  SELECT
    table_name,
    starts,
    ends,
    max(ends) OVER (PARTITION BY table_name ORDER BY starts, ends ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS reached
  FROM log
  WHERE status = 'SUCCESS'
    AND starts IS NOT NULL
),
numbered AS (
  SELECT
    table_name,
    starts,
    ends,
    IF(starts > reached + 1, reached) AS hole_starts,
    sum(IF(starts > reached + 1, 1, 0)) OVER (PARTITION BY table_name ORDER BY starts, ends ROWS UNBOUNDED PRECEDING) AS stretch
  FROM windows
),
holes AS (
  SELECT
    table_name,
    count(*) AS holes,
    min(TD_TIME_STRING(hole_starts, 's!') || ' to ' || TD_TIME_STRING(starts, 's!')) AS first_hole
  FROM numbered
  WHERE hole_starts IS NOT NULL
  GROUP BY table_name
),
stretches AS (
  SELECT table_name, min(starts) AS starts, max(ends) AS ends
  FROM numbered
  GROUP BY table_name, stretch
),
cells AS (
  SELECT
    table_name,
    place,
    wanted_from + (wanted_until - wanted_from) * place / 50 AS starts,
    wanted_from + (wanted_until - wanted_from) * (place + 1) / 50 AS ends
  FROM spans
  CROSS JOIN UNNEST(sequence(0, 49)) AS list (place)
),
drawn AS (
  SELECT
    cells.table_name,
    cells.place,
    CASE
      WHEN count_if(stretches.starts <= cells.starts AND cells.ends <= stretches.ends) > 0 THEN '█'
      WHEN count_if(stretches.starts < cells.ends AND cells.starts < stretches.ends) > 0 THEN '▒'
      ELSE '·'
    END AS cell
  FROM cells
  LEFT JOIN stretches ON stretches.table_name = cells.table_name
  GROUP BY cells.table_name, cells.place
)
SELECT
  spans.table_name,
  TD_TIME_STRING(spans.wanted_from, 's!') AS wanted_from,
  TD_TIME_STRING(spans.wanted_until, 's!') AS wanted_until,
  COALESCE(holes.holes, 0) AS holes,
  holes.first_hole,
  array_join(array_agg(drawn.cell ORDER BY drawn.place), '') AS loaded
FROM spans
JOIN drawn ON drawn.table_name = spans.table_name
LEFT JOIN holes ON holes.table_name = spans.table_name
GROUP BY spans.table_name, spans.wanted_from, spans.wanted_until, holes.holes, holes.first_hole
ORDER BY spans.table_name

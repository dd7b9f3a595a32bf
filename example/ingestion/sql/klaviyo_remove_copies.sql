-- Remove copies from a table. From the template: settings are in config/, fixes come with copier update.
-- A row goes only where another one of its version stands that was loaded later. NULL and empty ids stay.
DELETE FROM ${copies.table_name}
WHERE time >= ${copies.since}
  AND ${copies.version} || '@' || CAST(time AS varchar) IN (
    SELECT version || '@' || CAST(time AS varchar)
    FROM (
      SELECT version, time, precedence, max(precedence) OVER (PARTITION BY version) AS highest
      FROM (${copies.versions}) AS versions
    ) AS ranked
    WHERE precedence < highest
  )

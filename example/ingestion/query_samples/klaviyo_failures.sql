-- To run by hand: what failed in the last 24 hours, with the probable cause and what to do, as in
-- docs/klaviyo.md. A row per table and message; loaded_since says whether a later load, or run, succeeded.
WITH log AS (
  SELECT
    workflow_name,
    IF(workflow_name = 'klaviyo_freshness', 'klaviyo_ingest_inc', workflow_name) AS follower,
    COALESCE(table_name, '') AS name,
    split_part(log_id, '/', 1) AS mark,
    status,
    time,
    error_message
  FROM client_src.ingestion_log
  WHERE workflow_name IN (
    'klaviyo_ingest_hist', 'klaviyo_ingest_inc', 'klaviyo_latest', 'klaviyo_freshness'
  )
),
succeeded AS (
  SELECT workflow_name, name, max(time) AS time
  FROM log
  WHERE status = 'SUCCESS'
  GROUP BY workflow_name, name
),
of_tables AS (
  SELECT DISTINCT workflow_name, mark
  FROM log
  WHERE status = 'ERROR'
    AND name <> ''
),
failures AS (
  SELECT
    log.workflow_name,
    log.name,
    log.error_message,
    count(*) AS times,
    max(log.time) AS time,
    COALESCE(max(succeeded.time) > max(log.time), false) AS is_over,
    CASE
      WHEN regexp_like(log.error_message, '(^|[^.\w])401\b') THEN '401'
      WHEN regexp_like(log.error_message, '(^|[^.\w])403\b') THEN '403'
      WHEN regexp_like(log.error_message, '(^|[^.\w])429\b') THEN '429'
      WHEN regexp_like(log.error_message, '(?i)td_authentication_id|\b(unknown|invalid|no( such)?|not find)\b.{0,40}\bauthentication|\bauthentication\b.{0,60}\b(unknown|not found|not exist|no access)\b') THEN 'authentication'
      WHEN regexp_like(log.error_message, 'Another run of .* is under way') THEN 'run'
      WHEN regexp_like(log.error_message, 'the window has no start_time or no end_time') THEN 'window'
      WHEN regexp_like(log.error_message, '(?i)\bdelet(e|ing)\b.{0,80}\b(denied|permission|permitted|privilege|allowed|authorized)|\b(denied|permission|permitted|privilege|allowed|authorized)\b.{0,80}\bdelet(e|ing)\b') THEN 'delete'
      WHEN regexp_like(log.error_message, '(?i)\bkilled\b') THEN 'killed'
      WHEN regexp_like(log.error_message, 'no successful load for') THEN 'stale'
      WHEN regexp_like(log.error_message, '(?i)\bcursor\b') THEN 'cursor'
      WHEN regexp_like(log.error_message, '(?i)(^|[^.\w])410\b|\brevision\b') THEN 'revision'
      WHEN regexp_like(log.error_message, '(?i)(^|[^.\w])400\b|incremental_field|\bfilter') THEN 'filter'
      ELSE ''
    END AS kind
  FROM log
  LEFT JOIN succeeded ON succeeded.workflow_name = log.follower AND succeeded.name = log.name
  LEFT JOIN of_tables ON of_tables.workflow_name = log.workflow_name AND of_tables.mark = log.mark
  WHERE log.status = 'ERROR'
    AND log.time >= to_unixtime(now()) - 86400
    AND (log.name <> '' OR of_tables.mark IS NULL)
  GROUP BY log.workflow_name, log.name, log.error_message
)
SELECT
  TD_TIME_STRING(failures.time, 's!') AS failed_at,
  failures.workflow_name,
  IF(failures.name = '', 'the run', failures.name) AS what,
  failures.times,
  IF(failures.is_over, 'yes', 'no') AS loaded_since,
  COALESCE(known.cause, 'unknown') AS cause,
  COALESCE(known.what_to_do, 'read the message, and the log of the task in TD Console') AS what_to_do,
  failures.error_message
FROM failures
LEFT JOIN (
  VALUES
    ('401', 'the key in the TD authentication is wrong or revoked', 'put a valid one there (TD Console, Integrations Hub, Authentications), start again'),
    ('403', 'the key lacks a scope of step 1', 'create a key with all of them, put it there, start again'),
    ('429', 'Klaviyo''s rate limit is reached', 'start again later, when nothing else reads this account'),
    ('authentication', 'the TD authentication in the load files does not exist', 'set td_authentication_id to the number at the end of its URL (step 1), push, start again'),
    ('run', 'two at once would load everything twice, so this one stopped', 'wait; if the other was killed, start again with -p take_over=yes'),
    ('window', 'a default_start_time in config/klaviyo_datasources.yml is not a time', 'correct it, run the check, push, start again'),
    ('delete', 'the user whose workflows these are may not delete rows in TD', 'let them, or answer remove_copies with no (Change it), push, start again'),
    ('killed', 'its window holds too much', 'the next try asks for half the window, down to an hour: if the run has failed, start again; a shorter window_days saves these tries'),
    ('stale', 'no run was started, or each fails for these tables', 'see what the log says about them, and whether the schedule is enabled'),
    ('cursor', 'Klaviyo no longer knows the page at which the load was', 'start again'),
    ('revision', 'TD''s connector uses a version of Klaviyo''s API that is retired', 'ask TD''s support, with the message'),
    ('filter', 'Klaviyo does not filter by that field', 'correct the connector''s name of the field in config/klaviyo_datasources.yml, push, start again')
) AS known (kind, cause, what_to_do) ON known.kind = failures.kind
ORDER BY failures.time DESC, failures.name

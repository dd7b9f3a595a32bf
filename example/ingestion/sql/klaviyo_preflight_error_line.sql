-- A load failed: its message as a line, and before it what that probably means. The hint is guessed
-- from the status in the message, since the connector's messages are documented nowhere; three digits
-- after a dot are the milliseconds of a log.
INSERT INTO klaviyo_preflight
SELECT
  '${session_uuid}.${attempt_id}' AS run,
  '${datasource.table_name}' AS table_name,
  'ERROR' AS status,
  '${datasource.table_name}: error, ' || CASE
    WHEN regexp_like(message, '(^|[^.\w])401\b') THEN
      'probably the Klaviyo key is wrong or revoked: put a valid private key into the authentication '
      || '(TD Console, Integrations Hub, Authentications). The message: '
    WHEN regexp_like(message, '(^|[^.\w])403\b') THEN
      'probably the Klaviyo key lacks the scope '
      || COALESCE(nullif(regexp_extract(message, '[a-z-]+:read'), ''), '${datasource.name}:read')
      || ': make a key that has it (Klaviyo, Settings, API keys) and put it into the authentication '
      || '(TD Console, Integrations Hub, Authentications). The message: '
    WHEN regexp_like(message, '(^|[^.\w])429\b') THEN
      'probably Klaviyo has too many requests at the moment: start klaviyo_preflight again in a while, '
      || 'when nothing else reads this account. The message: '
    WHEN regexp_like(message, '(?i)td_authentication_id|\b(unknown|invalid|no( such)?|not find)\b.{0,40}\bauthentication'
      || '|\bauthentication\b.{0,60}\b(unknown|not found|not exist|no access)\b') THEN
      'probably TD does not know the authentication: correct td_authentication_id in '
      || 'config/${datasource.config_file}, it is the number at the end of the URL when you open it '
      || '(TD Console, Integrations Hub, Authentications). The message: '
    WHEN regexp_like(message, '(?i)(^|[^.\w])400\b|incremental_field|\bfilter') THEN
      'probably the field to filter on is refused: correct the API''s name of the field in '
      || 'config/klaviyo_datasources.yml. The message: '
    ELSE ''
  END || message AS line,
  CAST(to_unixtime(now()) AS bigint) AS time
FROM (SELECT '${error_message}' AS message) AS failed

-- Report a trial load that failed. From the template: settings are in config/, fixes come with copier update.
-- The line is its message, with the probable cause before it. That is guessed from the status code in the
-- message, as the connector's messages are documented nowhere; three digits after a dot are milliseconds.
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
      'probably Klaviyo''s rate limit is reached: start klaviyo_preflight again later, '
      || 'when nothing else reads this account. The message: '
    WHEN regexp_like(message, '(?i)td_authentication_id|\b(unknown|invalid|no( such)?|not find)\b.{0,40}\bauthentication|\bauthentication\b.{0,60}\b(unknown|not found|not exist|no access)\b') THEN
      'probably TD does not know the authentication: correct td_authentication_id in '
      || 'config/${datasource.config_file}, it is the number at the end of the URL when you open it '
      || '(TD Console, Integrations Hub, Authentications). The message: '
    WHEN regexp_like(message, '(?i)\bdelet(e|ing)\b.{0,80}\b(denied|permission|permitted|privilege|allowed|authorized)|\b(denied|permission|permitted|privilege|allowed|authorized)\b.{0,80}\bdelet(e|ing)\b') THEN
      'probably this user may not delete rows in TD: let them, or answer remove_copies with no, '
      || 'where docs/klaviyo.md says "Change it". The message: '
    WHEN regexp_like(message, '(?i)\bcursor\b') THEN
      'probably Klaviyo no longer knew the page at which the load was: start klaviyo_preflight again. The message: '
    WHEN regexp_like(message, '(?i)(^|[^.\w])410\b|\brevision\b') THEN
      'probably TD''s connector uses a version of Klaviyo''s API that is retired: ask TD''s support. The message: '
    WHEN regexp_like(message, '(?i)(^|[^.\w])400\b|incremental_field|\bfilter') THEN
      'probably the field to filter on is refused: correct the connector''s name of the field in '
      || 'config/klaviyo_datasources.yml. The message: '
    ELSE ''
  END || message AS line,
  CAST(to_unixtime(now()) AS bigint) AS time
FROM (SELECT '${error_message}' AS message) AS failed

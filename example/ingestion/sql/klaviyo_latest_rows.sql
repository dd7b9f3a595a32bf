-- To run by hand, one statement at a time. The workflows append, so a record that changed stands in
-- the incremental table once for each load that brought it: these give its newest row. A record that
-- has not changed since the backfill is in the historical table alone.

-- profiles
SELECT *
FROM (
  SELECT
    *,
    row_number() OVER (PARTITION BY id ORDER BY TD_TIME_PARSE(updated) DESC, time DESC) AS nth
  FROM client_src.klaviyo_profiles
) AS versions
WHERE nth = 1;

SELECT *
FROM client_src.klaviyo_profiles_hist
WHERE id NOT IN (SELECT id FROM client_src.klaviyo_profiles);

-- events
SELECT *
FROM (
  SELECT
    *,
    row_number() OVER (PARTITION BY id ORDER BY TD_TIME_PARSE(datetime) DESC, time DESC) AS nth
  FROM client_src.klaviyo_events
) AS versions
WHERE nth = 1;

SELECT *
FROM client_src.klaviyo_events_hist
WHERE id NOT IN (SELECT id FROM client_src.klaviyo_events);

-- campaigns
SELECT *
FROM (
  SELECT
    *,
    row_number() OVER (PARTITION BY id ORDER BY TD_TIME_PARSE(updated_at) DESC, time DESC) AS nth
  FROM client_src.klaviyo_campaigns
) AS versions
WHERE nth = 1;

SELECT *
FROM client_src.klaviyo_campaigns_hist
WHERE id NOT IN (SELECT id FROM client_src.klaviyo_campaigns);

-- lists
SELECT *
FROM (
  SELECT
    *,
    row_number() OVER (PARTITION BY id ORDER BY TD_TIME_PARSE(updated) DESC, time DESC) AS nth
  FROM client_src.klaviyo_lists
) AS versions
WHERE nth = 1;

SELECT *
FROM client_src.klaviyo_lists_hist
WHERE id NOT IN (SELECT id FROM client_src.klaviyo_lists);

-- email_templates
SELECT *
FROM (
  SELECT
    *,
    row_number() OVER (PARTITION BY id ORDER BY TD_TIME_PARSE(updated) DESC, time DESC) AS nth
  FROM client_src.klaviyo_email_templates
) AS versions
WHERE nth = 1;

SELECT *
FROM client_src.klaviyo_email_templates_hist
WHERE id NOT IN (SELECT id FROM client_src.klaviyo_email_templates);

-- metrics
SELECT *
FROM (
  SELECT
    *,
    row_number() OVER (PARTITION BY id ORDER BY TD_TIME_PARSE(updated) DESC, time DESC) AS nth
  FROM client_src.klaviyo_metrics
) AS versions
WHERE nth = 1;

SELECT *
FROM client_src.klaviyo_metrics_hist
WHERE id NOT IN (SELECT id FROM client_src.klaviyo_metrics);

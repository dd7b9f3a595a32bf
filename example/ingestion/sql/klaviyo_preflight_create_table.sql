-- Create the table of preflight's lines. From the template: settings are in config/, fixes come with copier update.
-- One line per object and run, for people; no workflow depends on an older one.
CREATE TABLE IF NOT EXISTS klaviyo_preflight (
  run VARCHAR,
  table_name VARCHAR,
  status VARCHAR,
  line VARCHAR,
  time BIGINT
)

-- What preflight found, a line an object and run; nothing but people reads it later.
CREATE TABLE IF NOT EXISTS klaviyo_preflight (
  run VARCHAR,
  table_name VARCHAR,
  status VARCHAR,
  line VARCHAR,
  time BIGINT
)

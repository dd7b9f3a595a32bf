-- The log of all ingestion; from the Klaviyo ingestion template, other sources may write here too.
CREATE TABLE IF NOT EXISTS "${databases.src}".ingestion_log (
  log_id VARCHAR,
  source_name VARCHAR,
  workflow_name VARCHAR,
  table_name VARCHAR,
  status VARCHAR,
  start_time VARCHAR,
  end_time VARCHAR,
  records_processed BIGINT,
  error_message VARCHAR,
  job_id VARCHAR,
  job_url VARCHAR,
  time BIGINT
)

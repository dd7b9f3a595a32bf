-- A table with the one column that the next queries need; a load adds all others.
CREATE TABLE IF NOT EXISTS ${databases.src}.${table_name} (
  ${field ? field + ' VARCHAR,' : ''}
  time BIGINT
)

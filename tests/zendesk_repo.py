"""Make a client's repo that loads another source, in the form that TD documents: Klaviyo is added to it."""

import json

from commands import commit

CREDENTIALS = "ingestion/credentials_ingestion.json"
TOKENS = {"zendesk_token": "zendesk-1", "zendesk_user": "ana"}

LOG_COLUMNS = """\
INSERT INTO ${databases.src}.ingestion_log
SELECT
  concat('${source_name}_', cast(now() as varchar)) as log_id,
  '${source_name}' as source_name,
  '${workflow_name}' as workflow_name,
"""

FILES = {
    "README.md": "# Ingestion of Acme\n",
    ".gitattributes": "*.sql text\n",
    ".gitignore": "*.log\n!*.json\n",
    ".github/workflows/check.yml": "on: push\njobs: {}\n",
    "ingestion/.digdagignore": "notes\n",
    "ingestion/config/database.yml": """\
databases:
  src: acme_raw
td_authentication_ids:
  zendesk:
    default: 4711
""",
    "ingestion/config/zendesk_datasources.yml": """\
inc_datasources:
  - name: tickets
    table_name: zendesk_tickets
    config_file: zendesk_tickets_load.yml
""",
    "ingestion/config/zendesk_tickets_load.yml": """\
in:
  type: zendesk
  td_authentication_id: ${td_authentication_ids.zendesk.default}
  target: ${datasource.name}
  start_time: ${td.last_results.start_time}
  end_time: ${td.last_results.end_time}
out:
  mode: append
""",
    "ingestion/zendesk_ingest_inc.dig": """\
timezone: UTC

_export:
  !include : config/database.yml
  !include : config/zendesk_datasources.yml
  td:
    database: ${databases.src}

+create_log:
  td>: sql/create_ingestion_log_table.sql

+ingest:
  for_each>:
    datasource: ${inc_datasources}
  _parallel:
    limit: 3
  _do:
    +log_ingestion_start:
      td>: sql/log_ingestion_start.sql
      source_name: zendesk
      workflow_name: zendesk_ingest_inc
      table_name: ${datasource.table_name}

    +create_table:
      td_ddl>:
      create_tables: ["${datasource.table_name}"]

    +window:
      td>:
      query: SELECT '2024-01-01T00:00:00.000000' AS start_time, '2024-02-01T00:00:00.000000' AS end_time
      store_last_results: true

    +load:
      td_load>: config/${datasource.config_file}
      table: ${datasource.table_name}

    +log_ingestion_success:
      td>: sql/log_ingestion_success.sql
      source_name: zendesk
      workflow_name: zendesk_ingest_inc
      table_name: ${datasource.table_name}

    _error:
      +log_ingestion_error:
        td>: sql/log_ingestion_error.sql
        source_name: zendesk
        workflow_name: zendesk_ingest_inc
        error_message: ${error.message}
""",
    "ingestion/sql/create_ingestion_log_table.sql": """\
create table if not exists ${databases.src}.ingestion_log (
  log_id varchar, source_name varchar, workflow_name varchar, table_name varchar, status varchar,
  start_time varchar, end_time varchar, records_processed bigint, error_message varchar,
  job_id varchar, job_url varchar, time bigint
)
""",
    "ingestion/sql/log_ingestion_start.sql": LOG_COLUMNS
    + """\
  '${table_name}' as table_name,
  'STARTED' as status,
  cast(now() as varchar) as start_time,
  null as end_time,
  0 as records_processed,
  null as error_message,
  null as job_id,
  null as job_url,
  cast(floor(to_unixtime(now())) as bigint) as time
""",
    "ingestion/sql/log_ingestion_success.sql": LOG_COLUMNS
    + """\
  '${table_name}' as table_name,
  'SUCCESS' as status,
  '${td.last_results.start_time}' as start_time,
  '${td.last_results.end_time}' as end_time,
  ${td.last_job.num_records} as records_processed,
  null as error_message,
  '${td.last_job.id}' as job_id,
  'https://console.treasuredata.com/app/jobs/${td.last_job.id}/output-logs' as job_url,
  cast(floor(to_unixtime(now())) as bigint) as time
""",
    "ingestion/sql/log_ingestion_error.sql": LOG_COLUMNS
    + """\
  null as table_name,
  'ERROR' as status,
  null as start_time,
  cast(now() as varchar) as end_time,
  0 as records_processed,
  '${error_message}' as error_message,
  null as job_id,
  null as job_url,
  cast(floor(to_unixtime(now())) as bigint) as time
""",
}


def make(repo, changed=None):
    """Make the repo, in git but for its credentials.

    Args:
        repo: the folder to make.
        changed: other texts by path; None for a file that is not there.
    """
    for path, text in {**FILES, **(changed or {})}.items():
        if text is not None:
            (repo / path).parent.mkdir(parents=True, exist_ok=True)
            (repo / path).write_bytes(text.encode())
    commit(repo)
    (repo / CREDENTIALS).write_text(json.dumps(TOKENS, indent=4), encoding="utf-8")
    (repo / CREDENTIALS).chmod(0o640)
    return repo

"""A load file by itself cannot send an empty time, for which the connector would load everything.

That the workflows stop before, with a message: see test_log.py and test_backfill.py.
"""

from klaviyo import CATALOGUE

# Runs each load file by itself, without the step of the workflows that stops a load without a window.
LOADS_ALONE = """
timezone: UTC
_export:
  !include : config/klaviyo_datasources.yml
  td: {database: client_src}
+loads:
  for_each>:
    datasource: ${inc_datasources}
    window: [{start_time: "", end_time: "E"}, {start_time: "S", end_time: ""}]
  _parallel: true
  _do:
    _export:
      td:
        last_results: {start_time: "${window.start_time}", end_time: "${window.end_time}"}
    td_load>: config/${datasource.config_file}
    table: ${datasource.table_name}
"""


def test_no_load_file_can_send_an_empty_time(ingest):
    acme = ingest()
    acme.td.databases.create_database("client_src")
    (acme.project / "loads_alone.dig").write_text(LOADS_ALONE, encoding="utf-8")
    run = acme.run("loads_alone")
    assert len([name for name in run.failed_tasks() if "+for-" in name]) == 2 * len(CATALOGUE)
    assert acme.td.loads == []

"""A load without start_time or end_time never reaches TD: the connector would load everything."""

import pytest
from ingestion import HIST, INC
from klaviyo import CATALOGUE


@pytest.mark.parametrize(
    ("workflow", "suffix"), [(INC, ""), (HIST, "_hist")], ids=["incremental", "backfill"]
)
def test_an_object_without_a_window_fails_by_name_and_costs_no_other_its_load(ingest, workflow, suffix):
    acme = ingest(objects=["profiles", "lists"])
    profiles, lists = f"klaviyo_profiles{suffix}", f"klaviyo_lists{suffix}"
    acme.change_datasource(profiles, default_start_time="")
    run = acme.run(workflow)
    assert not run.succeeded
    assert [load.table for load in acme.td.loads] == [lists]
    (row,) = acme.log(table_name=profiles, status="ERROR")
    assert row.error_message == f"{profiles}: the window has no start_time or no end_time, nothing was loaded"


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

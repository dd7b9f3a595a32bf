"""An edit that breaks nothing fails no gate."""

import pytest
from client_edits import (
    CAMPAIGNS,
    CREATE_LOG,
    CREDENTIALS,
    DATABASE,
    DATASOURCES,
    DIGDAGIGNORE,
    EVENTS,
    HIST,
    INC,
    LOG_ERROR,
    LOG_START,
    METRICS,
    PREFLIGHT,
    PROFILES,
    WINDOWS,
    Edit,
    Entry,
)

START = '"2023-09-01T00:00:00.000000"'
FLOWS = """\
  - name: flows
    table_name: klaviyo_flows{hist}
    config_file: klaviyo_lists_load.yml
    incremental_field: changed_at
    incremental_field_connector: changed
    default_start_time: "2024-02-29T00:00:00.000000"
    workflow_name: klaviyo_ingest_{workflow}
    mode: append
"""
OF_FLOWS = (
    "    historical_table: klaviyo_flows_hist\n    historical_field: changed_at\n    lookback_seconds: 0\n"
)
ALERT = """\
_error:
  +alert:
    mail>:
      data: |
        ${session_time} (${moment(session_time).format("YYYY-MM-DD HH:mm")}, ${timezone}): ${error.message}
        since 2024-01-05 10:30
    subject: Klaviyo of ${session_date} failed, attempt ${attempt_id}, ${task_name}
    to: [data@example.com]
"""
MORE_TASKS = """\
+create_ingestion_log:
  _export: {greeting: hello, limits: {rows: 10, who: [a, b]}}
  +first:
    echo>: '${greeting} ${limits.rows} ${limits.who.length} ${JSON.stringify({greeting: {a: 1}})}'
    token: ${secret:klaviyo.token}
  +second:
    loop>: 2
    _do:
      echo>: "${i} ${typeof owner === 'undefined' ? 'nobody' : owner} ${'a.b'.replace(/b.c/g, '')}"
  +third:
    for_each>: {fruit: [apple, pear], of: "${inc_datasources}"}
    _parallel: true
    _do:
      if>: ${of.mode == 'append'}
      _do: {echo>: "${fruit} of ${of.table_name.toUpperCase()}"}
      _else_do: {echo>: none}
  +fourth:
    td_ddl>:
    create_tables: [klaviyo_notes]
    _retry: {limit: 3, interval: 10}
  +fifth:
    http>: https://example.com/
    method: POST

+create_log:
"""
INLINE_QUERY = """\
+count:
  td>:
  query: SELECT count(*) AS number_of_profiles FROM ${databases.src}.klaviyo_profiles
  store_last_results: true
+say:
  echo>: ${td.last_results.number_of_profiles}
+create_database:
"""
FULL_LOAD = """\
  # everything, each time
  incremental: false
"""
BOTH_FIELDS = "    incremental_field: {0}\n    incremental_field_connector: {0}\n"
NO_FIELDS = "    incremental_field: ~\n    incremental_field_connector: ''\n"
METRICS_WINDOW = """\
  incremental: true
  # .match(...)[0] fails on an empty time, with which the connector would load everything.
  start_time: ${td.last_results.start_time.match(/.+/)[0]}
  end_time: ${td.last_results.end_time.match(/.+/)[0]}
  # The connector's name of the field, never the table's.
  incremental_field: ${datasource.incremental_field_connector}
"""


def entry_of_metrics(suffix, workflow, fields):
    """The middle of an entry of metrics."""
    return (
        f"    table_name: klaviyo_metrics{suffix}\n    config_file: klaviyo_metrics_load.yml\n{fields}"
        f"    default_start_time: {START}\n    workflow_name: klaviyo_ingest_{workflow}\n"
    )


HARMLESS = {
    "a comment in a workflow": [
        Edit(INC, "+log_run_start:", "# 2024-01-05 10:30Z, Ann: was td_lod> and ${nothing}\n+log_run_start:")
    ],
    "a comment in SQL": [
        Edit(
            LOG_ERROR,
            "'${error_message}' AS error_message,",
            "'${error_message.replace(/'/g, \"''\")}' AS error_message, -- it's so since 2024-01-05 10:30",
        ),
        Edit(WINDOWS, "\nWITH ", "\n/* since 2024-01-05 10:30 */ -- it's '.000Z', COALESCE(\nWITH "),
    ],
    "the database before a table, both in quotes": [
        Edit(WINDOWS, "FROM ${datasource.table_name}", 'FROM "${databases.src}"."${datasource.table_name}"')
    ],
    "a comment in the datasources": [
        Edit(DATASOURCES, "inc_datasources:", "# not 2023-09-01T00:00:00.000Z\ninc_datasources:")
    ],
    "a comment in a load file": [Edit(EVENTS, "filters:", "# incremental_field: none\nfilters:")],
    "single quotes": [
        Entry("klaviyo_lists", "default_start_time", "'2023-09-01T00:00:00.000000'"),
        Edit(DATABASE, "client_src", "'client_src'"),
    ],
    "no quotes": [Entry("klaviyo_lists", "default_start_time", "2023-09-01T00:00:00.000000")],
    "quoted keys and values": [
        Edit(INC, "td>: sql/klaviyo_run_result.sql", '"td>": "sql/klaviyo_run_result.sql"'),
        Edit(INC, "timezone: UTC", "'timezone': \"UTC\""),
        Edit(PROFILES, "360030", '"360030"'),
    ],
    "flow style": [Edit(INC, "_parallel:\n          limit: 3", "_parallel: {limit: 2}")],
    "a later start": [Entry("klaviyo_lists", "default_start_time", '"2024-02-29T12:30:00.000000"')],
    "reordered keys": [
        Edit(
            DATASOURCES,
            "  - name: campaigns\n    table_name: klaviyo_campaigns\n",
            "  - table_name: klaviyo_campaigns\n    name: campaigns\n",
        ),
        Edit(INC, "timezone: UTC\n", ""),
        Edit(INC, "+create_database:", "timezone: UTC\n\n+create_database:"),
        Edit(EVENTS, "  type: klaviyo\n", ""),
        Edit(EVENTS, "filters:", "  type: klaviyo\n\nfilters:"),
    ],
    "one at a time": [
        Edit(INC, "limit: 3", "limit: 1"),
        Edit(HIST, "        _parallel:\n          limit: 3\n", ""),
        Edit(PREFLIGHT, "    _parallel:\n      limit: 3\n", ""),
    ],
    "windows two at a time in one object": [
        Edit(HIST, "limit: 3", "limit: 1"),
        Edit(
            HIST,
            "window: ${td.last_results.windows}\n",
            "window: ${td.last_results.windows}\n              _parallel: {limit: 2}\n",
        ),
    ],
    "more and longer tries": [
        Edit(INC, "limit: 2\n", "limit: 5\n"),
        Edit(INC, "interval: 30", "interval: 60\n              max_interval: 600"),
        Edit(INC, "_retry: 2\n", "_retry: 5\n"),
        Edit(INC, "limit: 6", "limit: 12"),
    ],
    "fewer passes": [Edit(HIST, "_retry: 29", "_retry: 4")],
    "other windows": [
        Entry("klaviyo_events_hist", "window_days", "30"),
        Entry("klaviyo_events", "window_days", "7"),
        Edit(DATASOURCES, "lookback_seconds: 7200", "lookback_seconds: 0"),
        Entry("klaviyo_events", "late_days", "30"),
    ],
    "one window": [
        Entry("klaviyo_events_hist", "window_days", ""),
        Entry("klaviyo_events", "window_days", ""),
    ],
    "the windows of the backfill": [Entry("klaviyo_events", "window_days", None)],
    "no late events": [Entry("klaviyo_events", "late_days", "0"), Entry("klaviyo_lists", "late_days", None)],
    "a database more": [Edit(DATABASE, "src: client_src", "src: client_src\n  other: x")],
    "the authentication from database.yml": [
        Edit(DATABASE, "databases:", "td_authentication_ids: {klaviyo: {default: 360030}}\ndatabases:"),
        Edit(
            EVENTS,
            "td_authentication_id: 360030",
            "td_authentication_id: ${td_authentication_ids.klaviyo.default}",
        ),
    ],
    "an object added by hand": [
        Edit(
            DATASOURCES,
            "inc_datasources:\n",
            "inc_datasources:\n" + FLOWS.format(hist="", workflow="inc") + OF_FLOWS,
        ),
        Edit(
            DATASOURCES,
            "hist_datasources:\n",
            "hist_datasources:\n" + FLOWS.format(hist="_hist", workflow="hist"),
        ),
    ],
    "a key of one's own": [Entry("klaviyo_lists", "mode", "append\n    owner: ann")],
    "metrics made a full load by hand": [
        Edit(
            DATASOURCES,
            entry_of_metrics("", "inc", BOTH_FIELDS.format("updated")) + "    mode: append\n",
            entry_of_metrics("", "inc", NO_FIELDS) + "    mode: replace\n",
        ),
        Edit(
            DATASOURCES,
            entry_of_metrics("_hist", "hist", BOTH_FIELDS.format("created")) + "    mode: append\n",
            entry_of_metrics("_hist", "hist", "") + "    mode: replace\n",
        ),
        Edit(METRICS, METRICS_WINDOW, FULL_LOAD),
    ],
    "anchors": [
        Edit(
            DATASOURCES,
            "inc_datasources:\n",
            "common: &common {default_start_time: " + START + "}\ninc_datasources:\n",
        ),
        Entry("klaviyo_lists", "default_start_time", None),
        Entry("klaviyo_lists", "mode", "append\n    <<: *common"),
    ],
    "a literal data source": [Edit(PROFILES, "${datasource.name}", "profiles")],
    "another filter": [
        Edit(PROFILES, "filters:\n", "filters:\n  - type: rename\n    rules: [{rule: upper_to_lower}]\n")
    ],
    "a mail on failure": [Edit(INC, "_error:\n  _parallel: true\n", ALERT)],
    "tasks of one's own": [Edit(INC, "+create_ingestion_log:\n", MORE_TASKS)],
    "an inline query": [Edit(HIST, "+create_database:\n", INLINE_QUERY)],
    "a script that makes variables": [
        Edit(
            INC,
            "    +run_result:\n",
            "    +py:\n      py>: a.b\n    +say:\n      echo>: ${made}\n    +run_result:\n",
        )
    ],
    "tasks renamed": [
        Edit(INC, "+tries:", "+try_to_load:"),
        Edit(INC, "+log_run_start:", "+begin:"),
        Edit(INC, "+log_run_end:", "+end:"),
        Edit(INC, "+one_run_at_a_time:", "+alone:"),
        Edit(HIST, "+load_windows:", "+windows_one_by_one:"),
    ],
    "a database and an engine on a task": [
        Edit(
            INC,
            "                  table: ${",
            "                  database: ${databases.src}\n                  table: ${",
        ),
        Edit(
            INC,
            "      td>: sql/klaviyo_run_result.sql\n",
            "      td>: sql/klaviyo_run_result.sql\n      engine: presto\n      priority: 1\n",
        ),
    ],
    "blanks in a variable": [
        Edit(WINDOWS, "${datasource.late_days || 0}", "${ datasource.late_days||0 }"),
        Edit(LOG_START, "${session_uuid}.${attempt_id}", "${ session_uuid }.${ attempt_id }"),
        Edit(
            HIST,
            "${JSON.stringify(hist_datasources)}\n        backfills",
            "${ JSON.stringify(hist_datasources) }\n        backfills",
        ),
        Edit(
            CAMPAIGNS,
            "${datasource.incremental_field_connector}",
            "${ datasource.incremental_field_connector }",
        ),
    ],
    "the window written otherwise": [
        Edit(
            WINDOWS,
            "replace(TD_TIME_STRING(ends, 's!'), ' ', 'T') || '.000000'",
            "REPLACE( td_time_string(ends, 's!'\n) , ' ','T' )\n || '.000000'",
        ),
        Edit(
            WINDOWS,
            "table_name = '${datasource.historical_table || datasource.table_name}'",
            "table_name IN ( '${ datasource.historical_table || datasource.table_name }' )",
        ),
    ],
    "the look for another run written otherwise": [
        Edit(
            INC,
            "+ingest:\n  if>: ${td.last_results.concurrent_run != ''}",
            '+ingest:\n  if>: ${td.last_results.concurrent_run !== ""}',
        ),
        Edit(
            HIST,
            "+ingest:\n  if>: ${td.last_results.concurrent_run != ''}",
            "+ingest:\n  if>: ${ td.last_results.concurrent_run }",
        ),
        Edit(
            HIST,
            "    fail>: ${td.last_results.concurrent_run}\n  _else_do",
            "    +stop:\n      fail>: another run is under way\n  _else_do",
        ),
    ],
    "a longer schedule": [
        Edit(
            INC,
            "timezone: UTC\n",
            "timezone: UTC\nschedule:\n  cron>: 0 4 * * *\n  skip_on_overtime: true\n  skip_delayed_by: 1h\n",
        )
    ],
    "more credentials": [Edit(CREDENTIALS, "{\n", '{\n  "shopify.api_token": "abc",\n')],
    "talk of keys": [
        Edit(
            "README.md",
            "# Acme Outdoor: Klaviyo → Treasure Data\n",
            "## Start\n\n`pk_...`, PUBLIC_KEY, pk_your_private_key_goes_here, pk_customer_id, abc1234/def\n",
        )
    ],
    "ignored with a folder": [
        Edit(
            ".gitignore",
            "*credentials_ingestion*",
            "ingestion/credentials_*.json\n!/ingestion/x.json",
        )
    ],
    "more in .digdagignore": [Edit(DIGDAGIGNORE, "\n*credentials", "\n*.md\ndocs/\n/notes/**\n*credentials")],
    "a log of another source": [
        Edit(
            CREATE_LOG,
            "-- The log of all ingestion; from the Klaviyo ingestion template, other",
            "-- Acme's log; other",
        ),
        Edit(CREATE_LOG, "VARCHAR,\n  status", "VARCHAR, -- '.000Z'\n  status"),
        Edit(CREATE_LOG, "\n)\n", "\n) COMMENT 'since 2023-09-01 00:00'\n"),
    ],
}


@pytest.mark.parametrize("edits", HARMLESS.values(), ids=HARMLESS)
def test_an_edit_that_breaks_nothing_passes(edits, check, plain_repo):
    for edit in edits:
        edit.make(plain_repo)

    assert check.failures(plain_repo) == []

"""What people do to a client's repo: edits that break something, and edits that do not.

A mutation is one edit. The check must name the line of the edit; or the line where `found` begins
in the edited text, or in the file `at`, where the fault shows elsewhere.
"""

from typing import NamedTuple

INC = "ingestion/klaviyo_ingest_inc.dig"
HIST = "ingestion/klaviyo_ingest_hist.dig"
DATASOURCES = "ingestion/config/klaviyo_datasources.yml"
DATABASE = "ingestion/config/database.yml"
PROFILES = "ingestion/config/klaviyo_profiles_load.yml"
EVENTS = "ingestion/config/klaviyo_events_load.yml"
CAMPAIGNS = "ingestion/config/klaviyo_campaigns_load.yml"
METRICS = "ingestion/config/klaviyo_metrics_load.yml"
WINDOW = "ingestion/sql/klaviyo_incremental_window.sql"
BACKFILL = "ingestion/sql/klaviyo_backfill_windows.sql"
NOT_STARTED = "ingestion/sql/klaviyo_not_started.sql"
CREATE_TABLE = "ingestion/sql/klaviyo_create_table.sql"
FAILED = "ingestion/sql/klaviyo_failed.sql"
LOG_START = "ingestion/sql/log_ingestion_start.sql"
LOG_SUCCESS = "ingestion/sql/log_ingestion_success.sql"
LOG_ERROR = "ingestion/sql/log_ingestion_error.sql"
CREDENTIALS = "ingestion/credentials_ingestion.json"
CAMPAIGN_ENTRY = "  - name: campaigns\n    table_name: klaviyo_campaigns\n"
CAMPAIGN_HIST = "  - name: campaigns\n    table_name: klaviyo_campaigns_hist\n"
A_KEY = "pk_" + "0123456789abcdef" * 2 + "01"


class Mutation(NamedTuple):
    file: str
    old: str
    new: str
    found: str = ""
    at: str = ""


LOG_STEP = """\
          +log_ingestion_start:
            td>: sql/log_ingestion_start.sql
            source_name: ${datasource.table_name}
            workflow_name: ${datasource.workflow_name}
            table_name: ${datasource.table_name}
"""
SUCCESS_STEP = """\
          +log_success:
            _retry: 2
            +log_ingestion_success:
              td>: sql/log_ingestion_success.sql
              source_name: ${datasource.table_name}
              workflow_name: ${datasource.workflow_name}
              table_name: ${datasource.table_name}
"""
FAIL_STEP = """\
    +fail_the_run:
      if>: ${td.last_results.failed != ''}
      _do:
        fail>: "klaviyo_ingest_inc failed for: ${td.last_results.failed}"
"""
A_NEW_LIST = """\
inc_datasources:
  - name: segments
    table_name: klaviyo_segments
    config_file: klaviyo_segments_load.yml
    incremental_field: updated
    incremental_field_connector: updated
    default_start_time: "2023-09-01T00:00:00.000000"
    workflow_name: klaviyo_ingest_inc
    mode: append
    historical_table: klaviyo_lists_hist
    historical_field: created
    lookback_seconds: 0
"""

MUTATIONS = {
    "files_exist": [
        Mutation(
            INC, "td>: sql/klaviyo_failed.sql", "td>: sql/klaviyo_failures.sql", "sql/klaviyo_failures.sql"
        ),
        Mutation(
            INC,
            "td>: sql/log_ingestion_start.sql",
            "td>: log_ingestion_start.sql",
            "td>: log_ingestion_start",
        ),
        Mutation(
            HIST, "sql/klaviyo_create_table.sql", "sql/klaviyo_create_tables.sql", "klaviyo_create_tables"
        ),
        Mutation(DATASOURCES, "klaviyo_lists_load.yml", "klaviyo_list_load.yml", "klaviyo_list_load.yml"),
        Mutation(DATASOURCES, "inc_datasources:\n", A_NEW_LIST, "klaviyo_segments_load.yml"),
        Mutation(HIST, "config/database.yml", "config/databases.yml", "!include : config/databases.yml"),
        Mutation(
            INC, "config/klaviyo_datasources.yml", "klaviyo_datasources.yml", "!include : klaviyo_datasources"
        ),
        Mutation(
            "ingestion/.digdagignore",
            "credentials_ingestion.json",
            "*.json\nsql/",
            "sql/klaviyo_not_started",
            INC,
        ),
    ],
    "files_can_be_read": [
        Mutation(INC, "        _parallel:\n", "       _parallel:\n"),
        Mutation(HIST, "timezone: UTC\n", "timezone: UTC\ntimezone: UTC\n", "timezone: UTC\n\n"),
        Mutation(INC, "  td:\n", "\ttd:\n", "\ttd:"),
        Mutation(INC, "+create_database:", "+create_database", "  td_ddl>:"),
        Mutation(INC, "+create_ingestion_log:", "+create_database:", "+create_database:\n  td>"),
        Mutation(
            DATASOURCES, "    mode: append\n", "    mode: append\n    mode: replace\n", "    mode: replace"
        ),
        Mutation(
            DATASOURCES, 'default_start_time: "', 'default_start_time: "" "', 'default_start_time: "" "'
        ),
        Mutation(PROFILES, "out:\n", "in:\n", "in:\n  mode"),
        Mutation(CREDENTIALS, '"\n}', '",\n}', "}"),
        Mutation(CREDENTIALS, "{\n", '{\n  "klaviyo_api_token": "",\n', '"klaviyo_api_token": "put'),
        Mutation(DATABASE, "  src: client_src", "  src: [client_src", "  src: [client_src"),
        Mutation(WINDOW, "-- What an", "\udce9 What an", "\udce9 What an"),
    ],
    "keys_are_known": [
        Mutation(INC, "          _error:\n", "          _eror:\n", "          _eror:"),
        Mutation(HIST, "_parallel:\n", "_paralel:\n", "_paralel:"),
        Mutation(INC, "td_load>:", "td_lod>:", "td_lod>:"),
        Mutation(HIST, "td_ddl>:", "td_dll>:", "td_dll>:"),
        Mutation(
            INC,
            "        for_each>:\n          datasource",
            "        for_each:\n          datasource",
            "for_each:\n",
        ),
        Mutation(INC, "+load:\n        for_each>", "+load:\n        for_eech>", "for_eech>"),
        Mutation(INC, "    +failed:\n      td>:", "    +failed:\n      tdd>:", "tdd>"),
        Mutation(INC, "          limit: 3", "          limits: 3", "limits: 3"),
        Mutation(HIST, "interval_type: exponential", "interval_typ: exponential", "interval_typ:"),
        Mutation(INC, "timezone: UTC", "time_zone: UTC", "time_zone"),
        Mutation(INC, "    +objects:\n      _retry: 9", "    +objects:\n      _retries: 9", "_retries"),
        Mutation(INC, "              table: ${datasource.table_name}\n", "", "td_load>: config"),
        Mutation(HIST, "create_databases:", "create_database:", "td_ddl>:"),
        Mutation(INC, "        _do:\n          +log", "        _doo:\n          +log", "_doo:"),
        Mutation(INC, "            +load:\n", "            +load: 1\n            +load_it:\n", "+load: 1"),
        Mutation(
            HIST,
            "          +windows:\n",
            "          +windows:\n            +first: {td>: sql/x.sql}\n",
            "+first",
        ),
        Mutation(
            INC,
            "    +failed:\n",
            "    +failed:\n      mail>: {data: it failed}\n",
            "td>: sql/klaviyo_failed.sql",
        ),
        Mutation(
            INC,
            "+create_ingestion_log:\n",
            "schedule:\n  dayly>: 02:00:00\n\n+create_ingestion_log:\n",
            "dayly>",
        ),
    ],
    "variables_are_defined": [
        Mutation(INC, "if>: ${!datasource.tables_exist}", "if>: ${!datasource.table_exists}", "table_exists"),
        Mutation(INC, "${datasource.historical_field}", "${datasource.hist_field}", "hist_field}"),
        Mutation(
            HIST,
            "source_name: ${datasource.table_name}",
            "source_name: ${data_source.table_name}",
            "data_source.t",
        ),
        Mutation(INC, "  !include : config/database.yml\n", "", "database: ${databases.src}"),
        Mutation(INC, "  !include : config/klaviyo_datasources.yml\n", "", "JSON.stringify(inc_datasources)"),
        Mutation(INC, "td.last_results.failed != ''", "td.last_result.failed != ''", "td.last_result."),
        Mutation(INC, "${td.last_results.not_started}", "${td.last_results.not_startd}", "not_startd"),
        Mutation(HIST, "start_time: ${window.start_time}", "start_time: ${window.start}", "window.start}"),
        Mutation(DATABASE, "  src:", "  source:", "database: ${databases.src}", INC),
        Mutation(
            INC, "            table_name: ${datasource.table_name}\n\n", "\n", "sql/log_ingestion_start.sql"
        ),
        Mutation(HIST, "datasources: ${JSON", "datasource: ${JSON", "sql/klaviyo_not_started.sql"),
        Mutation(INC, "    source_name: klaviyo\n", "    source_name: ${datasource.table_name}\n"),
        Mutation(INC, "    +failed:\n", "    +tell:\n      echo>: ${error.message}\n    +failed:\n", "echo>"),
        Mutation(
            WINDOW,
            "${datasource.lookback_seconds},\n      --",
            "${datasource.lookback},\n      --",
            "datasource.lookback}",
        ),
        Mutation(
            WINDOW,
            "FROM ${databases.src}.${datasource.table_name}, run",
            "FROM ${database}.x, run",
            "FROM ${database}.x",
        ),
        Mutation(BACKFILL, "CAST(${run_started} AS", "CAST(${run_start} AS", "run_start}"),
        Mutation(FAILED, "'${workflow_name}'", "'${workflow_name'", "'${workflow_name'"),
        Mutation(CREATE_TABLE, "${field ? field", "${feild ? field", "feild"),
        Mutation(LOG_SUCCESS, "${td.last_job.num_records}", "${td.last_job.records}", "td.last_job.records"),
        Mutation(LOG_ERROR, "'${error_message}'", "'${err_message}'", "err_message"),
        Mutation(
            PROFILES, "data_source: ${datasource.name}", "data_source: ${source.name}", "${source.name}"
        ),
        Mutation(FAILED, "-- The tables", "-- ${loads} The tables", "${loads}"),
    ],
    "workflows_run_in_utc": [
        Mutation(INC, "timezone: UTC", "timezone: Europe/Paris", "timezone: Europe/Paris"),
        Mutation(HIST, "timezone: UTC\n", "", "_export:"),
    ],
    "datasources_are_complete": [
        Mutation(DATASOURCES, "inc_datasources:\n", "inc_datasources: {}\nothers:\n", "inc_datasources: {}"),
        Mutation(DATASOURCES, "hist_datasources:\n", "historical_datasources:\n", "inc_datasources:"),
        Mutation(DATASOURCES, "table_name: klaviyo_lists\n", "table_name: klaviyo_profiles\n"),
        Mutation(DATASOURCES, "table_name: klaviyo_lists\n", "table_name: Klaviyo-Lists\n", "Klaviyo-Lists"),
        Mutation(
            DATASOURCES, CAMPAIGN_ENTRY, CAMPAIGN_ENTRY.replace("table_name", "tabel_name"), "tabel_name"
        ),
        Mutation(DATASOURCES, "    lookback_seconds: 7200\n", "", "name: events"),
        Mutation(DATASOURCES, "lookback_seconds: 7200", "lookback_seconds: 2h", "lookback_seconds: 2h"),
        Mutation(DATASOURCES, "window_days: 90", "window_days: quarter", "window_days: quarter"),
        Mutation(DATASOURCES, "window_days: 90", "window_days: 0", "window_days: 0"),
        Mutation(DATASOURCES, "    mode: append\n", "    mode: merge\n", "mode: merge"),
        Mutation(DATASOURCES, "workflow_name: klaviyo_ingest_hist", "workflow_name: klaviyo_ingest_inc"),
        Mutation(
            DATASOURCES, "workflow_name: klaviyo_ingest_inc", "workflow_name: klaviyo_inc", "klaviyo_inc\n"
        ),
        Mutation(
            DATASOURCES,
            "historical_table: klaviyo_lists_hist",
            "historical_table: klaviyo_list_hist",
            "klaviyo_list_hist",
        ),
        Mutation(DATASOURCES, "    mode: append\n", "    mode: replace\n", "mode: replace"),
        Mutation(
            DATASOURCES,
            "    incremental_field: updated\n    incremental_field_connector: updated\n",
            "    incremental_field:\n    incremental_field_connector:\n",
            "    mode: append",
        ),
    ],
    "timestamps_have_one_form": [
        Mutation(DATASOURCES, "    default_start_time: ", "    start_time: ", "name: profiles"),
        Mutation(DATASOURCES, '"2023-09-01T00:00:00.000000"', '"2023-09-01T00:00:00.000Z"', "00.000Z"),
        Mutation(DATASOURCES, '"2023-09-01T00:00:00.000000"', '"2023-09-01"', '"2023-09-01"'),
        Mutation(DATASOURCES, '"2023-09-01T00:00:00.000000"', "2023-09-01 00:00:00", "2023-09-01 00:00:00"),
        Mutation(DATASOURCES, '"2023-09-01T00:00:00.000000"', '"2023-09-31T00:00:00.000000"', "2023-09-31"),
        Mutation(DATASOURCES, '"2023-09-01T00:00:00.000000"', '"2123-09-01T00:00:00.000000"', "2123-09-01"),
        Mutation(DATASOURCES, '00.000000"', '00.000000+00:00"', "+00:00"),
        Mutation(
            WINDOW, "'s!'), ' ', 'T') || '.000000'\n  END", "'s!'), ' ', 'T') || '.000Z'\n  END", "'.000Z'"
        ),
        Mutation(WINDOW, " || '.000000' AS end_time", " AS end_time", "'T') AS end_time"),
        Mutation(WINDOW, "run.ends, 's!'), ' ', 'T')", "run.ends, 's'), ' ', 'T')", "run.ends, 's')"),
        Mutation(BACKFILL, "(starts, 's!'), ' ', 'T')", "(starts, 'm!'), ' ', 'T')", "'m!'"),
        Mutation(
            BACKFILL,
            "replace(TD_TIME_STRING(ends, 's!'), ' ', 'T')",
            "TD_TIME_STRING(ends, 's!')",
            "(ends, 's!')",
        ),
        Mutation(
            LOG_START,
            "replace(TD_TIME_STRING(CAST(to_unixtime(now()) AS bigint), 's!'), ' ', 'T') || '.000000'",
            "TD_TIME_FORMAT(CAST(to_unixtime(now()) AS bigint), 'yyyy-MM-dd HH:mm:ss')",
            "TD_TIME_FORMAT",
        ),
        Mutation(
            LOG_ERROR,
            "replace(TD_TIME_STRING(CAST(to_unixtime(now()) AS bigint), 's!'), ' ', 'T') || '.000000'",
            "to_iso8601(now())",
            "to_iso8601",
        ),
        Mutation(
            PROFILES,
            "${td.last_results.end_time.match(/.+/)[0]}",
            "2024-01-01T00:00:00Z",
            "2024-01-01T00:00:00Z",
        ),
    ],
    "fields_have_both_names": [
        Mutation(DATASOURCES, "incremental_field: updated_at", "incremental_field: updated"),
        Mutation(DATASOURCES, "incremental_field: created_at", "incremental_field: created"),
        Mutation(
            DATASOURCES,
            "updated_at\n    incremental_field_connector: updated",
            "updated_at\n    incremental_field_connector: updated_at",
            "incremental_field_connector: updated_at",
        ),
        Mutation(
            DATASOURCES,
            "created_at\n    incremental_field_connector: created",
            "created_at\n    incremental_field_connector: created_at",
            "incremental_field_connector: created_at",
        ),
        Mutation(
            DATASOURCES,
            "incremental_field_connector: datetime",
            "incremental_field_connector:",
            "connector:\n",
        ),
        Mutation(DATASOURCES, "incremental_field: updated\n", "incremental_field: created\n"),
        Mutation(DATASOURCES, "  - name: templates", "  - name: email_templates", "name: email_templates"),
        Mutation(DATASOURCES, "  - name: profiles", "  - name: profile", "name: profile\n"),
    ],
    "fields_are_in_their_place": [
        Mutation(
            CAMPAIGNS,
            "${datasource.incremental_field_connector}",
            "${datasource.incremental_field}",
            "incremental_field: ${",
        ),
        Mutation(
            CAMPAIGNS,
            "${datasource.incremental_field_connector}",
            "updated_at",
            "incremental_field: updated_at",
        ),
        Mutation(
            PROFILES,
            "  incremental_field: ${datasource.incremental_field_connector}\n",
            "",
            "  type: klaviyo",
        ),
        Mutation(
            WINDOW,
            "max(TD_TIME_PARSE(${datasource.incremental_field ",
            "max(TD_TIME_PARSE(${datasource.incremental_field_connector ",
            "_connector",
        ),
        Mutation(
            HIST,
            "field: ${datasource.incremental_field}",
            "field: ${datasource.incremental_field_connector}",
            "field: ${datasource.incremental_field_connector}",
        ),
    ],
    "events_have_no_field": [
        Mutation(
            EVENTS,
            "  # No incremental_field",
            "  incremental_field: datetime\n  #",
            "incremental_field: datetime",
        ),
        Mutation(EVENTS, "  skip_related_objects: true\n", "", "  type: klaviyo"),
        Mutation(
            EVENTS, "skip_related_objects: true", "skip_related_objects: false", "skip_related_objects: false"
        ),
        Mutation(
            DATASOURCES,
            "klaviyo_events_load.yml",
            "klaviyo_lists_load.yml",
            "incremental_field: ${",
            "ingestion/config/klaviyo_lists_load.yml",
        ),
    ],
    "load_files_are_complete": [
        Mutation(
            PROFILES, "  start_time: ${td.last_results.start_time.match(/.+/)[0]}\n", "", "  type: klaviyo"
        ),
        Mutation(
            CAMPAIGNS,
            "${td.last_results.end_time.match(/.+/)[0]}",
            "${session_time}",
            "end_time: ${session_time}",
        ),
        Mutation(METRICS, "incremental: true", "incremental: false", "incremental: false"),
        Mutation(METRICS, "incremental: true", "incremental: yes", "incremental: yes"),
        Mutation(PROFILES, "mode: ${datasource.mode}", "mode: replace", "mode: replace"),
        Mutation(PROFILES, "mode: upload_time", "mode: fixed_time", "mode: fixed_time"),
        Mutation(PROFILES, "type: add_time", "type: rename", "filters:"),
        Mutation(PROFILES, "type: klaviyo", "type: shopify", "type: shopify"),
        Mutation(PROFILES, "${datasource.name}", "events", "data_source: events"),
        Mutation(PROFILES, "td_authentication_id: 360030", "td_authentication_id:", "td_authentication_id:"),
    ],
    "loads_are_logged": [
        Mutation(INC, LOG_STEP, "", "            +load:\n              td_load>"),
        Mutation(INC, SUCCESS_STEP, "", "            +load:\n              td_load>"),
        Mutation(HIST, "td>: sql/log_ingestion_success.sql", "td>: sql/log_ingestion_start.sql"),
        Mutation(INC, "td>: sql/log_ingestion_error.sql", "td>: sql/log_ingestion_success.sql"),
        Mutation(INC, "td_load>: config/${datasource.config_file}", "echo>: nothing", "# Klaviyo"),
    ],
    "log_rows_find_their_load": [
        Mutation(
            INC,
            "source_name: ${datasource.table_name}",
            "source_name: ${datasource.name}",
            "${datasource.name}",
        ),
        Mutation(
            HIST, "source_name: ${datasource.table_name}", "source_name: klaviyo_profiles", "klaviyo_profiles"
        ),
        Mutation(
            HIST,
            "workflow_name: klaviyo_ingest_hist",
            "workflow_name: klaviyo_ingest_inc",
            "klaviyo_ingest_inc",
        ),
        Mutation(
            HIST, "JSON.stringify(hist_datasources)", "JSON.stringify(inc_datasources)", "inc_datasources)"
        ),
    ],
    "errors_are_logged": [
        Mutation(
            INC,
            "          _error:\n            +log_ingestion_error",
            "          +on_error:\n            +log_error",
            "          +log_ingestion_start:",
        ),
        Mutation(HIST, "\n_error:\n  _parallel", "\n+error:\n  _parallel", "timezone: UTC"),
        Mutation(
            INC, "\n_error:\n", "\n_error:\n  +tell:\n    echo>: failed\n\n+no_error:\n", "_error:\n  +tell"
        ),
    ],
    "at_most_three_at_once": [
        Mutation(INC, "limit: 3", "limit: 4", "limit: 4"),
        Mutation(HIST, "limit: 3", "limit: 10", "limit: 10"),
        Mutation(INC, "_parallel:\n          limit: 3", "_parallel: true", "_parallel: true\n        _do"),
        Mutation(INC, "limit: 3", "limit: 0", "limit: 0"),
        Mutation(
            HIST,
            "window: ${td.last_results.windows}\n",
            "window: ${td.last_results.windows}\n            _parallel: {limit: 2}\n",
            "          limit: 3",
        ),
    ],
    "failures_are_contained": [
        Mutation(INC, "      _retry: 9\n", "", "      +load:\n        for_each"),
        Mutation(INC, FAIL_STEP, "", "      +load:\n        for_each"),
    ],
    "windows_fall_back": [
        Mutation(
            INC,
            "incremental_window.sql\n            store_last_results: true",
            "incremental_window.sql",
            "            +load:\n              td_load>",
        ),
        Mutation(
            WINDOW,
            "${databases.src}.${datasource.historical_table}",
            "${databases.src}.${datasource.table_name}",
            "COALESCE(",
        ),
        Mutation(WINDOW, "TD_TIME_PARSE('${datasource.default_start_time}')", "0", "COALESCE("),
        Mutation(WINDOW, "      incremental.newest - ${datasource.lookback_seconds},\n", "", "COALESCE("),
        Mutation(WINDOW, "TD_TIME_STRING(COALESCE(", "TD_TIME_STRING(greatest(", "COALESCE(backfill"),
    ],
    "credentials_stay_here": [
        Mutation(".gitignore", "/ingestion/credentials_ingestion.json", "/credentials_ingestion.json", "#"),
        Mutation("ingestion/.digdagignore", "\ncredentials_ingestion.json", "\ncredentials.json", "#"),
        Mutation(
            CREDENTIALS,
            '"klaviyo_api_token": "put',
            '"klaviyo": {"api_token": "x"},\n  "a": "put',
            '"klaviyo": {',
        ),
        Mutation(CREDENTIALS, '"klaviyo_api_token"', '"klaviyo api token"', '"klaviyo api token"'),
        Mutation(
            CREDENTIALS,
            '{\n  "klaviyo_api_token": "put the Klaviyo private API key here, it starts with pk_"\n}',
            "[]",
        ),
    ],
    "no_key_is_shared": [
        Mutation(PROFILES, "  type: klaviyo\n", f"  type: klaviyo\n  api_key: {A_KEY}\n", "api_key:"),
        Mutation(INC, "timezone: UTC", f"timezone: UTC  # {A_KEY}", "timezone: UTC"),
        Mutation("README.md", "## Start\n", f"## Start\n\nOur key is `{A_KEY}`.\n", "Our key is"),
        Mutation(DATABASE, "databases:", f"# 1234/{'0123456789' * 4}\ndatabases:", "# 1234/"),
    ],
}


# A file that is gone: the gate, the file, and the file and the line that name it.
REMOVALS = [
    ("files_exist", FAILED, INC, "      td>: sql/klaviyo_failed.sql"),
    ("files_exist", LOG_ERROR, INC, "              td>: sql/log_ingestion_error.sql"),
    (
        "files_exist",
        "ingestion/sql/create_ingestion_log_table.sql",
        HIST,
        "  td>: sql/create_ingestion_log_table.sql",
    ),
    ("files_exist", PROFILES, DATASOURCES, "    config_file: klaviyo_profiles_load.yml"),
    ("files_exist", DATABASE, INC, "  !include : config/database.yml"),
    ("files_exist", HIST, DATASOURCES, "hist_datasources:"),
    ("files_exist", DATASOURCES, INC, "  !include : config/klaviyo_datasources.yml"),
    ("credentials_stay_here", "ingestion/.digdagignore", "ingestion/.digdagignore", ""),
    ("credentials_stay_here", ".gitignore", ".gitignore", ""),
]


# A file that should not be there: the gate, the file, its text, and the line that is wrong.
ADDITIONS = [
    ("files_are_used", "ingestion/sql/klaviyo_failed_old.sql", "SELECT '${workflow_name}'\n", 1),
    ("files_are_used", "ingestion/config/klaviyo_flows_load.yml", "in: {type: klaviyo}\n", 1),
    (
        "files_can_be_read",
        "ingestion/shopify_ingest.dig",
        "timezone: UTC\n+load:\n  td>: a.sql\n  td>: b.sql\n",
        4,
    ),
    ("files_can_be_read", "ingestion/shopify_ingest.dig", "timezone: UTC\n+load: [\n", 2),
    ("files_can_be_read", "ingestion/config/shopify_load.yml", "in:\n  type: shopify\n type: x\n", 3),
    (
        "files_exist",
        "ingestion/shopify_ingest.dig",
        "timezone: UTC\n_export:\n  !include : config/shop.yml\n",
        3,
    ),
    ("no_key_is_shared", "notes.txt", f"the key\nis {A_KEY}\n", 2),
    ("no_key_is_shared", "ingestion/credentials_old.json", f'{{\n  "klaviyo_api_token": "{A_KEY}"\n}}\n', 2),
    ("archive_is_small", "ingestion/export.csv", "0123456789" * 300_000, 1),
]

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
  # The API's name of the field, never the table's.
  incremental_field: ${datasource.incremental_field_connector}
"""


def entry_of_metrics(suffix, workflow, fields):
    """The middle of an entry of metrics."""
    return (
        f"    table_name: klaviyo_metrics{suffix}\n    config_file: klaviyo_metrics_load.yml\n{fields}"
        f"    default_start_time: {START}\n    workflow_name: klaviyo_ingest_{workflow}\n"
    )


# Edits that break nothing, as (file, old, new).
HARMLESS = {
    "a comment in a workflow": [
        (INC, "+ingest:", "# 2024-01-05 10:30Z, Ann: was td_lod> and ${nothing}\n+ingest:")
    ],
    "a comment in SQL": [
        (WINDOW, "WITH run", "/* since 2024-01-05 10:30 */ -- it's '.000Z', COALESCE(\nWITH run")
    ],
    "a comment in the datasources": [
        (DATASOURCES, "inc_datasources:", "# not 2023-09-01T00:00:00.000Z\ninc_datasources:")
    ],
    "a comment in a load file": [(EVENTS, "filters:", "# incremental_field: none\nfilters:")],
    "single quotes": [
        (DATASOURCES, START, "'2023-09-01T00:00:00.000000'"),
        (DATABASE, "client_src", "'client_src'"),
    ],
    "no quotes": [(DATASOURCES, START, "2023-09-01T00:00:00.000000")],
    "quoted keys and values": [
        (INC, "td>: sql/klaviyo_failed.sql", '"td>": "sql/klaviyo_failed.sql"'),
        (INC, "timezone: UTC", "'timezone': \"UTC\""),
        (PROFILES, "360030", '"360030"'),
    ],
    "flow style": [(INC, "_parallel:\n          limit: 3", "_parallel: {limit: 2}")],
    "a later start": [(DATASOURCES, START, '"2024-02-29T12:30:00.000000"')],
    "reordered keys": [
        (DATASOURCES, CAMPAIGN_ENTRY, "  - table_name: klaviyo_campaigns\n    name: campaigns\n"),
        (INC, "timezone: UTC\n", ""),
        (INC, "+create_database:", "timezone: UTC\n\n+create_database:"),
        (EVENTS, "  type: klaviyo\n", ""),
        (EVENTS, "filters:", "  type: klaviyo\n\nfilters:"),
    ],
    "one at a time": [(INC, "limit: 3", "limit: 1"), (HIST, "        _parallel:\n          limit: 3\n", "")],
    "windows two at a time in one object": [
        (HIST, "          limit: 3", "          limit: 1"),
        (
            HIST,
            "window: ${td.last_results.windows}\n",
            "window: ${td.last_results.windows}\n            _parallel: {limit: 2}\n",
        ),
    ],
    "more and longer tries": [
        (INC, "limit: 2", "limit: 5"),
        (INC, "interval: 30", "interval: 60\n              max_interval: 600"),
    ],
    "fewer passes": [(HIST, "_retry: 9", "_retry: 4")],
    "other windows": [
        (DATASOURCES, "window_days: 90", "window_days: 30"),
        (DATASOURCES, "lookback_seconds: 7200", "lookback_seconds: 0"),
    ],
    "one window": [(DATASOURCES, "window_days: 90", "window_days:")],
    "another database": [(DATABASE, "src: client_src", "src: acme\n  other: x")],
    "the authentication from database.yml": [
        (DATABASE, "databases:", "td_authentication_ids: {klaviyo: {default: 360030}}\ndatabases:"),
        (
            EVENTS,
            "td_authentication_id: 360030",
            "td_authentication_id: ${td_authentication_ids.klaviyo.default}",
        ),
    ],
    "an object added by hand": [
        (
            DATASOURCES,
            "inc_datasources:\n",
            "inc_datasources:\n" + FLOWS.format(hist="", workflow="inc") + OF_FLOWS,
        ),
        (
            DATASOURCES,
            "hist_datasources:\n",
            "hist_datasources:\n" + FLOWS.format(hist="_hist", workflow="hist"),
        ),
    ],
    "a key of one's own": [(DATASOURCES, "    mode: append", "    owner: ann\n    mode: append")],
    "metrics made a full load by hand": [
        (
            DATASOURCES,
            entry_of_metrics("", "inc", BOTH_FIELDS.format("updated")) + "    mode: append\n",
            entry_of_metrics("", "inc", NO_FIELDS) + "    mode: replace\n",
        ),
        (
            DATASOURCES,
            entry_of_metrics("_hist", "hist", BOTH_FIELDS.format("created")) + "    mode: append\n",
            entry_of_metrics("_hist", "hist", "") + "    mode: replace\n",
        ),
        (METRICS, METRICS_WINDOW, FULL_LOAD),
    ],
    "anchors": [
        (
            DATASOURCES,
            "inc_datasources:\n",
            "common: &common {default_start_time: " + START + "}\ninc_datasources:\n",
        ),
        (DATASOURCES, f"    default_start_time: {START}\n", "    <<: *common\n"),
    ],
    "a literal data source": [(PROFILES, "${datasource.name}", "profiles")],
    "another filter": [
        (PROFILES, "filters:\n", "filters:\n  - type: rename\n    rules: [{rule: upper_to_lower}]\n")
    ],
    "a mail on failure": [(INC, "_error:\n  _parallel: true\n", ALERT)],
    "tasks of one's own": [(INC, "+create_ingestion_log:\n", MORE_TASKS)],
    "an inline query": [(HIST, "+create_database:\n", INLINE_QUERY)],
    "a script that makes variables": [
        (INC, "    +failed:\n", "    +py:\n      py>: a.b\n    +say:\n      echo>: ${made}\n    +failed:\n")
    ],
    "tasks renamed": [(INC, "+load_object:", "+try:"), (HIST, "+load_windows:", "+windows_one_by_one:")],
    "a database and an engine on a task": [
        (INC, "              table: ${", "              database: ${databases.src}\n              table: ${"),
        (
            INC,
            "      td>: sql/klaviyo_failed.sql\n",
            "      td>: sql/klaviyo_failed.sql\n      engine: presto\n      priority: 1\n",
        ),
    ],
    "blanks in a variable": [
        (
            WINDOW,
            "${databases.src}.${datasource.table_name}",
            "${ databases.src }.${ datasource.table_name }",
        ),
        (
            CAMPAIGNS,
            "${datasource.incremental_field_connector}",
            "${ datasource.incremental_field_connector }",
        ),
    ],
    "the window written otherwise": [
        (WINDOW, "incremental AS (", "newest_record AS ("),
        (WINDOW, "      incremental.newest - ", "      newest_record.newest - "),
        (WINDOW, "FROM run, incremental,", "FROM run, newest_record,"),
        (
            WINDOW,
            "replace(TD_TIME_STRING(run.ends, 's!'), ' ', 'T')",
            "REPLACE( td_time_string(run.ends, 's!') , ' ','T' )",
        ),
        (WINDOW, "max(TD_TIME_PARSE(", "max(\n    TD_TIME_PARSE("),
    ],
    "a longer schedule": [
        (
            INC,
            "timezone: UTC\n",
            "timezone: UTC\nschedule:\n  cron>: 0 4 * * *\n  skip_on_overtime: true\n  skip_delayed_by: 1h\n",
        )
    ],
    "more credentials": [(CREDENTIALS, "{\n", '{\n  "shopify.api_token": "abc",\n')],
    "talk of keys": [
        (
            "README.md",
            "## Start\n",
            "## Start\n\n`pk_...`, PUBLIC_KEY, pk_your_private_key_goes_here, pk_customer_id, abc1234/def\n",
        )
    ],
    "ignored with a folder": [
        (
            ".gitignore",
            "/ingestion/credentials_ingestion.json",
            "ingestion/credentials_*.json\n!/ingestion/x.json",
        )
    ],
    "more in .digdagignore": [
        ("ingestion/.digdagignore", "\ncredentials", "\n*.md\ndocs/\n/notes/**\ncredentials")
    ],
    "a log of another source": [
        (LOG_START, "-- A load begins; from the Klaviyo ingestion template.", "-- Acme's log."),
        (LOG_START, "|| '.000000'", "|| 'Z'"),
    ],
}

# A source that another team keeps in the same project: nothing of it is ours to judge.
SECOND_SOURCE = {
    "ingestion/shopify_ingest.dig": """\
timezone: Asia/Tokyo
schedule:
  daily>: 02:00:00
_export:
  !include : config/database.yml
+load:
  for_each>: {shop: [a, b, c, d]}
  _parallel: true
  _do:
    +load:
      acme_load>: config/shopify_load.yml
      table: shopify_${shop}
    +query:
      td>: sql/shopify.sql
      since: "2023-09-01T00:00:00.000Z"
      _eror: ignored
""",
    "ingestion/config/shopify_load.yml": "in:\n  start: '2023-09-01 00:00'\n  key: ${secret:shopify.key}\n",
    "ingestion/config/shopify_datasources.yml": "inc_datasources:\n  - {name: orders, mode: upsert}\n",
    "ingestion/sql/shopify.sql": "SELECT TD_TIME_FORMAT(time, 'yyyy-MM-dd HH:mm') || 'Z' FROM ${nothing}\n",
    "ingestion/sql/shopify_unused.sql": "SELECT '${nothing}'\n",
    "ingestion/queries/report.sql": "SELECT 1\n",
    "ingestion/README.md": "# Ours and theirs, since 2023-09-01 10:00Z\n",
    "ingestion/sql/klaviyo_by_hand.sql": "SELECT * FROM x WHERE TD_TIME_RANGE(time, '2024-01-01 00:00:00')\n",
    "ingestion/klaviyo_report.dig": """\
timezone: UTC
+report:
  td>: sql/klaviyo_report.sql
  create_table: klaviyo_report
  days: 7
  _export: {td: {database: acme}}
""",
    "ingestion/sql/klaviyo_report.sql": "SELECT TD_TIME_STRING(time, 'd!') AS day FROM x WHERE n < ${days}\n",
    "notebooks/look.ipynb": "{}\n",
}

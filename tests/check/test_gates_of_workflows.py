"""What Digdag takes without a word, and fails at later, is found in its line."""

from client_edits import (
    BACKFILL,
    CREATE_TABLE,
    DATABASE,
    FAILED,
    HIST,
    INC,
    LOG_ERROR,
    LOG_SUCCESS,
    PROFILES,
    WINDOW,
    Edit,
    edits,
)

FAIL_STEP = """\
    +fail_the_run:
      if>: ${td.last_results.failed != ''}
      _do:
        fail>: "klaviyo_ingest_inc failed for: ${td.last_results.failed}"
"""


@edits(
    {
        "a block": Edit(
            INC,
            "          _error:\n            +log_ingestion",
            "          _eror:\n            +log_ingestion",
        ),
        "a key of a loop": Edit(HIST, "_parallel:\n", "_paralel:\n"),
        "an operator": Edit(INC, "td_load>:", "td_lod>:"),
        "an operator of the backfill": Edit(HIST, "td_ddl>:", "td_dll>:"),
        "an operator without its >": Edit(
            INC,
            "        for_each>:\n          datasource",
            "        for_each:\n          datasource",
            "for_each:\n",
        ),
        "a loop's operator": Edit(INC, "+load:\n        for_each>", "+load:\n        for_eech>", "for_eech>"),
        "an operator like another": Edit(
            INC, "    +failed:\n      td>:", "    +failed:\n      tdd>:", "tdd>"
        ),
        "a key of _parallel": Edit(INC, "          limit: 3", "          limits: 3"),
        "a key of _retry": Edit(HIST, "interval_type: exponential", "interval_typ: exponential"),
        "a key of a workflow": Edit(INC, "timezone: UTC", "time_zone: UTC"),
        "a key of a group": Edit(INC, "    +objects:\n      _retry: 9", "    +objects:\n      _retries: 9"),
        "a load without its table": Edit(
            INC, "              table: ${datasource.table_name}\n", "", "td_load>: config"
        ),
        "a td_ddl> without what to do": Edit(HIST, "create_databases:", "create_database:", "td_ddl>:"),
        "a loop's block": Edit(INC, "        _do:\n          +log", "        _doo:\n          +log", "_doo:"),
        "a task that is no map": Edit(
            INC, "            +load:\n", "            +load: 1\n            +load_it:\n", "+load: 1"
        ),
        "a task in a task": Edit(
            HIST,
            "          +windows:\n",
            "          +windows:\n            +first: {td>: sql/x.sql}\n",
            "+first",
        ),
        "two operators": Edit(
            INC,
            "    +failed:\n",
            "    +failed:\n      mail>: {data: it failed}\n",
            "td>: sql/klaviyo_failed.sql",
        ),
        "a key of a schedule": Edit(
            INC,
            "+create_ingestion_log:\n",
            "schedule:\n  dayly>: 02:00:00\n\n+create_ingestion_log:\n",
            "dayly>",
        ),
    }
)
def test_what_digdag_does_not_know_is_found(edit, check, plain_repo):
    assert edit.make(plain_repo) in check.places("keys_are_known", plain_repo)


@edits(
    {
        "a property of a loop's variable": Edit(
            INC, "if>: ${!datasource.tables_exist}", "if>: ${!datasource.table_exists}"
        ),
        "a property of a datasource": Edit(INC, "${datasource.historical_field}", "${datasource.hist_field}"),
        "a loop's variable": Edit(
            HIST,
            "+log_ingestion_start:\n                td>: sql/log_ingestion_start.sql\n"
            "                source_name: ${datasource.table_name}",
            "+log_ingestion_start:\n                td>: sql/log_ingestion_start.sql\n"
            "                source_name: ${data_source.table_name}",
            "source_name: ${data_source",
        ),
        "the database, not included": Edit(
            INC, "  !include : config/database.yml\n", "", "database: ${databases.src}"
        ),
        "the datasources, not included": Edit(
            INC, "  !include : config/klaviyo_datasources.yml\n", "", "JSON.stringify(inc_datasources)"
        ),
        "Digdag's own": Edit(INC, "td.last_results.failed != ''", "td.last_result.failed != ''"),
        "a column of a query": Edit(INC, "${td.last_results.not_started}", "${td.last_results.not_startd}"),
        "a column of a list": Edit(HIST, "start_time: ${window.start_time}", "start_time: ${window.start}"),
        "the database, renamed": Edit(DATABASE, "  src:", "  source:", "database: ${databases.src}", INC),
        "what a query needs": Edit(
            INC,
            "            table_name: ${datasource.table_name}\n\n          +create_table",
            "\n          +create_table",
            "sql/log_ingestion_start.sql",
        ),
        "what another query needs": Edit(
            HIST, "datasources: ${JSON", "datasource: ${JSON", "sql/klaviyo_not_started.sql"
        ),
        "a loop's variable outside the loop": Edit(
            INC,
            "    source_name: klaviyo\n    workflow",
            "    source_name: ${datasource.table_name}\n    workflow",
        ),
        "an error outside _error": Edit(
            INC, "    +failed:\n", "    +tell:\n      echo>: ${error.message}\n    +failed:\n", "echo>"
        ),
        "a property in a query": Edit(
            WINDOW, "${datasource.lookback_seconds},\n      --", "${datasource.lookback},\n      --"
        ),
        "a root in a query": Edit(
            WINDOW, "FROM ${databases.src}.${datasource.table_name}, run", "FROM ${database}.x, run"
        ),
        "a task's key in a query": Edit(BACKFILL, "CAST(${run_started} AS", "CAST(${run_start} AS"),
        "no closing brace": Edit(FAILED, "'${workflow_name}'", "'${workflow_name'"),
        "a condition": Edit(CREATE_TABLE, "${field ? field", "${feild ? field"),
        "the last job's": Edit(LOG_SUCCESS, "${td.last_job.num_records}", "${td.last_job.records}"),
        "the message of an error": Edit(LOG_ERROR, "'${error_message}'", "'${err_message}'"),
        "one in a load file": Edit(
            PROFILES, "data_source: ${datasource.name}", "data_source: ${source.name}"
        ),
        "one in a query's comment": Edit(FAILED, "-- The tables", "-- ${loads} The tables"),
    }
)
def test_a_variable_that_nothing_defines_is_found(edit, check, plain_repo):
    assert edit.make(plain_repo) in check.places("variables_are_defined", plain_repo)


@edits(
    {
        "another zone": Edit(INC, "timezone: UTC", "timezone: Europe/Paris"),
        "no zone": Edit(HIST, "timezone: UTC\n", "", "_export:"),
    }
)
def test_a_workflow_that_is_not_in_utc_is_found(edit, check, plain_repo):
    assert edit.make(plain_repo) in check.places("workflows_run_in_utc", plain_repo)


@edits(
    {
        "four": Edit(INC, "limit: 3", "limit: 4"),
        "ten in the backfill": Edit(HIST, "limit: 3", "limit: 10"),
        "no limit": Edit(INC, "_parallel:\n          limit: 3", "_parallel: true"),
        "a limit of 0, which is none": Edit(INC, "limit: 3", "limit: 0"),
        "three objects, each with two windows": Edit(
            HIST,
            "window: ${td.last_results.windows}\n",
            "window: ${td.last_results.windows}\n            _parallel: {limit: 2}\n",
            "          limit: 3",
        ),
    }
)
def test_more_than_three_loads_at_once_are_found(edit, check, plain_repo):
    assert edit.make(plain_repo) in check.places("at_most_three_at_once", plain_repo)


@edits(
    {
        "no second pass": Edit(INC, "      _retry: 9\n", "", "      +load:\n        for_each"),
        "no failure at the end": Edit(INC, FAIL_STEP, "", "      +load:\n        for_each"),
    }
)
def test_a_failure_that_spreads_or_is_hidden_is_found(edit, check, plain_repo):
    assert edit.make(plain_repo) in check.places("failures_are_contained", plain_repo)


@edits(
    {
        "a window that is not kept": Edit(
            INC,
            "incremental_window.sql\n            store_last_results: true",
            "incremental_window.sql",
            "            +load:\n              td_load>",
        ),
        "no historical table": Edit(
            WINDOW,
            "${databases.src}.${datasource.historical_table}",
            "${databases.src}.${datasource.table_name}",
            "COALESCE(",
        ),
        "no default": Edit(WINDOW, "TD_TIME_PARSE('${datasource.default_start_time}')", "0", "COALESCE("),
        "no incremental table": Edit(
            WINDOW, "      incremental.newest - ${datasource.lookback_seconds},\n", "", "COALESCE("
        ),
        "another function": Edit(
            WINDOW, "TD_TIME_STRING(COALESCE(", "TD_TIME_STRING(greatest(", "COALESCE(backfill"
        ),
    }
)
def test_a_window_that_does_not_fall_back_is_found(edit, check, plain_repo):
    assert edit.make(plain_repo) in check.places("windows_fall_back", plain_repo)

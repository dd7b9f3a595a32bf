"""What Digdag takes without a word, and fails at later, is found in its line."""

import re

import pytest
from client_edits import (
    CONCURRENT_RUN,
    DATABASE,
    HIST,
    INC,
    LOG_ERROR,
    LOG_START,
    LOG_SUCCESS,
    OBJECTS_TO_LOAD,
    PREFLIGHT,
    PROFILES,
    RUN_RESULT,
    WINDOWS,
    Edit,
    edits,
)

# Two ways to write the query of the windows, shortened: steps that are joined, and steps in a line.
JOINED = """\
WITH log AS (
  SELECT table_name, status, time, TD_TIME_PARSE(end_time) AS ends
  FROM ${databases.src}.ingestion_log
  WHERE table_name IN ('${datasource.historical_table}', '${datasource.table_name}')
),
backfill AS (
  SELECT min(COALESCE(log.time, 0)) AS began
  FROM log
  WHERE log.table_name = '${datasource.historical_table || datasource.table_name}'
    AND log.status = 'STARTED'
),
records AS (
  SELECT max(field) AS newest
  FROM (
    SELECT ${datasource.field_seconds} AS field
    FROM ${databases.src}.${datasource.table_name}
    WHERE time >= ${datasource.since}
  ) AS newest_rows
),
watermark AS (
  SELECT COALESCE(records.newest, max(log.ends)) AS lesser, max(log.ends) - 86400 AS earliest
  FROM records
  CROSS JOIN log
  GROUP BY records.newest
)
SELECT
  COALESCE(
    greatest(watermark.lesser, watermark.earliest) - ${datasource.lookback_seconds || 0},
    backfill.began - ${datasource.lookback_seconds || 0},
    TD_TIME_PARSE('${datasource.default_start_time}')
  ) AS starts
FROM backfill, watermark
"""
IN_A_LINE = """\
WITH records AS (
  SELECT max(loaded.field) AS newest
  FROM (
    SELECT ${datasource.field_seconds} AS field
    FROM ${databases.src}.${datasource.table_name}
    WHERE time >= ${datasource.since}
  ) AS loaded
),
log AS (
  SELECT
    time,
    status,
    table_name,
    COALESCE(table_name, '') = '${datasource.table_name}' AND status = 'SUCCESS' AS is_load,
    TD_TIME_PARSE(end_time) AS ends,
    records.newest
  FROM ${databases.src}.ingestion_log
  CROSS JOIN records
  WHERE table_name IN ('${datasource.historical_table}', '${datasource.table_name}')
),
facts AS (
  SELECT
    *,
    min(IF(table_name = '${datasource.historical_table || datasource.table_name}' AND status = 'STARTED', time)) OVER () AS cutoff,
    max_by(ends, IF(is_load, time)) OVER () AS last_end
  FROM log
)
SELECT
  COALESCE(
    greatest(least(COALESCE(newest, last_end), COALESCE(last_end, newest)), 0) - ${datasource.lookback_seconds || 0},
    cutoff - ${datasource.lookback_seconds || 0},
    TD_TIME_PARSE('${datasource.default_start_time}')
  ) AS watermark
FROM facts
"""
WINDOWS_QUERIES = {"as rendered": "", "joined": JOINED, "in a line": IN_A_LINE}
START_OF_A_WINDOW = re.compile(
    r"COALESCE\((?P<table>\s+greatest\([^$]*\$\{[^}]*\},)(?P<backfill>.*?,)(?P<default>\s+TD_TIME_PARSE\([^)]*\))\s+\)",
    re.DOTALL,
)
OWN_TABLE = r"FROM \S*\$\{datasource\.table_name\}"
FAULTS = {
    "no incremental table": lambda start: (start["table"], ""),
    "no backfill": lambda start: (start["backfill"], ""),
    "no default": lambda start: (start["default"], " 0"),
    "another order": lambda start: (start["table"] + start["backfill"], start["backfill"] + start["table"]),
    "another function": lambda start: (start[0], start[0].replace("COALESCE", "greatest", 1)),
    "the backfill of another table": lambda start: (
        "historical_table || datasource.table_name}",
        "table_name}",
    ),
    "the records of another table": lambda start: (re.findall(OWN_TABLE, start.string)[0], "FROM x"),
}

FAIL_STEP = """\
    +fail_the_run:
      if>: ${td.last_results.failed != '' && td.last_results.unfinished == ''}
      _do:
        fail>: "klaviyo_ingest_inc failed for: ${td.last_results.failed}"
"""


@edits(
    {
        "a block": Edit(HIST, "\n_error:\n", "\n_eror:\n"),
        "a key of a loop": Edit(HIST, "_parallel:\n", "_paralel:\n"),
        "an operator": Edit(INC, "td_load>:", "td_lod>:"),
        "an operator of the backfill": Edit(HIST, "td_ddl>:\n  create", "td_dll>:\n  create"),
        "an operator without its >": Edit(
            INC,
            "        for_each>:\n          datasource",
            "        for_each:\n          datasource",
            "for_each:\n",
        ),
        "a loop's operator": Edit(INC, "+load:\n        for_each>", "+load:\n        for_eech>", "for_eech>"),
        "an operator like another": Edit(
            INC, "    +run_result:\n      td>:", "    +run_result:\n      tdd>:", "tdd>"
        ),
        "a key of _parallel": Edit(INC, "limit: 3", "limits: 3"),
        "a key of _retry": Edit(HIST, "interval_type: exponential", "interval_typ: exponential"),
        "a key of a workflow": Edit(INC, "timezone: UTC", "time_zone: UTC"),
        "a key of a group": Edit(INC, "_retry: 29", "_retries: 29"),
        "a load without its table": Edit(
            INC, "                  table: ${datasource.table_name}\n", "", "td_load>: config"
        ),
        "a td_ddl> without what to do": Edit(HIST, "create_databases:", "create_database:", "td_ddl>:"),
        "a loop's block": Edit(INC, "_do:\n          +create", "_doo:\n          +create", "_doo:"),
        "a task that is no map": Edit(
            INC,
            "                +load:\n",
            "                +load: 1\n                +load_it:\n",
            "+load: 1",
        ),
        "a task in a task": Edit(
            HIST,
            "            +windows:\n",
            "            +windows:\n              +first: {td>: sql/x.sql}\n",
            "+first",
        ),
        "two operators": Edit(
            INC,
            "    +run_result:\n",
            "    +run_result:\n      mail>: {data: it failed}\n",
            "td>: sql/klaviyo_run_result.sql",
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
    assert edit.make(plain_repo) in check.places("digdag-keys", plain_repo)


@edits(
    {
        "a property of a loop's variable": Edit(
            INC, "${datasource.table_name}: the window", "${datasource.tables_name}: the window"
        ),
        "a property of a loop's variable in preflight": Edit(
            PREFLIGHT, 's: ["klaviyo_preflight_${datasource.object}', 's: ["${datasource.objct}'
        ),
        "a property of a datasource": Edit(
            INC, "config/${datasource.config_file}", "config/${datasource.file}"
        ),
        "a loop's variable": Edit(HIST, '["${datasource.table_name}"]', '["${data_source.table_name}"]'),
        "a word of a sentence in SQL": Edit(
            HIST,
            "results:\n                        start_time: ${window.start_time}",
            "results:\n                        start_time: ${window.start}",
        ),
        "the run's mark": Edit(LOG_START, "${session_uuid}", "${session_uid}"),
        "the database, not included": Edit(
            INC, "  !include : config/database.yml\n", "", "database: ${databases.src}"
        ),
        "the datasources, not included": Edit(
            INC, "  !include : config/klaviyo_datasources.yml\n", "", "JSON.stringify(inc_datasources)"
        ),
        "Digdag's own": Edit(INC, "if>: ${td.last_results.failed", "if>: ${td.last_result.failed"),
        "a column of a query": Edit(
            INC, "${td.last_results.objects_to_load}", "${td.last_results.objects_to_laod}"
        ),
        "a column of a list": Edit(
            HIST,
            "end_time: ${window.end_time}\n                  td_load",
            "end_time: ${window.end}\n                  td_load",
        ),
        "the database, renamed": Edit(DATABASE, "  src:", "  source:", "database: ${databases.src}", INC),
        "what a query needs": Edit(
            INC,
            "                    records: ${td.last_job.num_records}\n",
            "",
            "td>: sql/klaviyo_log_ingestion_success.sql",
        ),
        "what another query needs": Edit(
            HIST, "datasources: ${JSON", "datasource: ${JSON", "sql/klaviyo_objects_to_load.sql"
        ),
        "a loop's variable outside the loop": Edit(
            INC,
            "_run_result.sql\n      store_last_results: true",
            "_run_result.sql\n      store_last_results: ${window.windows_left}",
            "store_last_results: ${window",
        ),
        "an error outside _error": Edit(
            INC,
            "    +run_result:\n",
            "    +tell:\n      echo>: ${error.message}\n    +run_result:\n",
            "echo>",
        ),
        "a property in a query": Edit(WINDOWS, "${datasource.late_days ||", "${datasource.late_dys ||"),
        "a root in a query": Edit(WINDOWS, "${datasource.late_days ||", "${data.late_days ||"),
        "a task's key in a query": Edit(OBJECTS_TO_LOAD, "${backfills.replace", "${backfill.replace"),
        "no closing brace": Edit(RUN_RESULT, "${attempt_id}'", "${attempt_id'"),
        "a condition": Edit(WINDOWS, "${datasource.days ||", "${datasources.days ||"),
        "the last job's": Edit(INC, "${td.last_job.num_records}", "${td.last_job.records}"),
        "a task's key in a log row": Edit(LOG_SUCCESS, "${records}", "${num_records}"),
        "a task's key in the log row of a start": Edit(
            LOG_START, "'${window.start_time}', '') AS start", "'${windows.start_time}', '') AS start"
        ),
        "what a start may be given": Edit(CONCURRENT_RUN, 'typeof take_over === "undefined" ? "" : ', ""),
        "the message of an error": Edit(LOG_ERROR, "'${error_message}'", "'${err_message}'"),
        "one in a load file": Edit(
            PROFILES, "data_source: ${datasource.name}", "data_source: ${source.name}"
        ),
        "one in a query's comment": Edit(RUN_RESULT, "-- Tell how", "-- ${loads} Tell how"),
    }
)
def test_a_variable_that_nothing_defines_is_found(edit, check, plain_repo):
    assert edit.make(plain_repo) in check.places("variables-defined", plain_repo)


@edits(
    {
        "another zone": Edit(INC, "timezone: UTC", "timezone: Europe/Paris"),
        "no zone": Edit(HIST, "timezone: UTC\n", "", "_export:"),
    }
)
def test_a_workflow_that_is_not_in_utc_is_found(edit, check, plain_repo):
    assert edit.make(plain_repo) in check.places("utc-timezone", plain_repo)


@edits(
    {
        "four": Edit(INC, "limit: 3", "limit: 4"),
        "ten in the backfill": Edit(HIST, "limit: 3", "limit: 10"),
        "no limit": Edit(INC, "_parallel:\n          limit: 3", "_parallel: true"),
        "four in preflight": Edit(PREFLIGHT, "limit: 3", "limit: 4"),
        "a limit of 0, which is none": Edit(INC, "limit: 3", "limit: 0"),
        "three objects, each with two windows": Edit(
            HIST,
            "window: ${td.last_results.windows}\n",
            "window: ${td.last_results.windows}\n              _parallel: {limit: 2}\n",
            "limit: 3",
        ),
    }
)
def test_more_than_three_loads_at_once_are_found(edit, check, plain_repo):
    assert edit.make(plain_repo) in check.places("parallel-loads", plain_repo)


@edits(
    {
        "no second pass": Edit(INC, "      _retry: 29\n", "", "      +load:\n        for_each"),
        "no second pass of preflight": Edit(PREFLIGHT, "  _retry: 9\n", "", "  +try:"),
        "no failure at the end": Edit(INC, FAIL_STEP, "", "      +load:\n        for_each"),
    }
)
def test_a_failure_that_spreads_or_is_hidden_is_found(edit, check, plain_repo):
    assert edit.make(plain_repo) in check.places("contained-failures", plain_repo)


def test_a_window_that_is_not_kept_is_found(check, plain_repo):
    edit = Edit(
        INC,
        "klaviyo_windows.sql\n              store_last_results: true",
        "klaviyo_windows.sql",
        "                +load:\n                  _export:",
    )

    assert edit.make(plain_repo) in check.places("window-start", plain_repo)


def write_windows(repo, query):
    """Write the query of the windows; gives its text, and the COALESCE in it that a window begins with."""
    if query:
        (repo / WINDOWS).write_text(query, encoding="utf-8")
    text = (repo / WINDOWS).read_text(encoding="utf-8")
    (start,) = START_OF_A_WINDOW.finditer(text)
    return text, start


@pytest.mark.parametrize("query", WINDOWS_QUERIES.values(), ids=WINDOWS_QUERIES)
def test_a_window_that_falls_back_passes_however_its_query_is_written(query, check, plain_repo):
    write_windows(plain_repo, query)

    assert check.places("window-start", plain_repo) == []


@pytest.mark.parametrize("query", WINDOWS_QUERIES.values(), ids=WINDOWS_QUERIES)
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_window_that_does_not_fall_back_is_found(fault, query, check, plain_repo):
    text, start = write_windows(plain_repo, query)

    old, new = fault(start)
    assert text.count(old) == 1
    faulty = text.replace(old, new)
    (plain_repo / WINDOWS).write_text(faulty, encoding="utf-8")

    line = faulty[: faulty.index("COALESCE(")].count("\n") + 1
    assert check.places("window-start", plain_repo) == [(WINDOWS, line)]


@pytest.mark.parametrize(
    ("value", "sound"),
    [
        *((value, False) for value in ("yes", "true", "many", "{limit: yes}", "{limit: 3, interval: 5s}")),
        ("{limit: 3, interval_type: linear}", False),
        *((value, True) for value in ("3", '"3"', "{limit: 3, interval: 5, interval_type: exponential}")),
    ],
)
def test_a_retry_that_digdag_passes_over_is_found(value, sound, check, plain_repo):
    place = Edit(INC, "_retry: 29", f"_retry: {value}").make(plain_repo)

    assert check.places("control-values", plain_repo) == ([] if sound else [place])


@pytest.mark.parametrize(
    ("value", "sound"), [("yes", False), ("3", False), ("true", True), ("${many}", True)]
)
def test_a_parallel_that_digdag_does_not_take_is_found(value, sound, check, plain_repo):
    place = Edit(INC, "  _retry: 29", f"  _parallel: {value}\n      _retry: 29").make(plain_repo)

    assert check.places("control-values", plain_repo) == ([] if sound else [place])

"""Loads and failures that leave no row in ingestion_log, or one under another name, are found."""

import re
import shutil

import pytest
from client_edits import CREATE_LOG, HIST, INC, LOG_ERROR, LOG_START, LOG_SUCCESS, PREFLIGHT, Edit, edits
from commands import copy, edit

LATEST = "ingestion/klaviyo_latest.dig"

START_STEP = """\
                +log_ingestion_start:
                  td>: sql/klaviyo_log_ingestion_start.sql
"""
SUCCESS_STEP = """\
                  +log_ingestion_success:
                    td>: sql/klaviyo_log_ingestion_success.sql
"""
RUN_START = """\
+log_run_start:
  td>: sql/klaviyo_log_ingestion_start.sql
  datasource: {table_name: ""}
  window: {start_time: "", end_time: ""}

"""
LOOK = """\
  +look:
    td>: sql/klaviyo_concurrent_run.sql
    store_last_results: true
"""
RUN_END = "    +log_run_end:\n      td>: sql/klaviyo_log_ingestion_${td.last_results.outcome}.sql\n"
GIVE_WAY = """\
+ingest:
  if>: ${td.last_results.concurrent_run != ''}
  _do:
    fail>: ${td.last_results.concurrent_run}
  _else_do:
"""
LOG_RUN_END = """\
+log_run_end:
  td>: sql/klaviyo_log_ingestion_${td.last_results.outcome}.sql
"""
LATEST_START = """\
      +log_ingestion_start:
        td>: sql/klaviyo_log_ingestion_start.sql
        datasource: {table_name: "${latest.table_name}"}
        window: {start_time: "${latest.start_time}", end_time: "${latest.end_time}"}
"""
LATEST_END = "        +log_ingestion_success:\n          td>: sql/klaviyo_log_ingestion_success.sql\n"
CHANGES = """\
      +changes:
        td>: sql/klaviyo_latest_changes.sql
        store_last_results: true
"""
LATEST_GIVES_WAY = """\
      +one_run_at_a_time:
        if>: ${td.last_results.concurrent_run != ''}
        _do:
          fail>: ${td.last_results.concurrent_run}
"""
LOAD = "                +load:\n                  _export:"


@edits(
    {
        "no start": Edit(INC, START_STEP, "", LOAD),
        "no success": Edit(
            INC, SUCCESS_STEP, "                  +nothing:\n                    echo>: nothing\n", LOAD
        ),
        "a success that logs a start": Edit(
            HIST, "td>: sql/klaviyo_log_ingestion_success.sql", "td>: sql/klaviyo_log_ingestion_start.sql"
        ),
        "a success of the run, but not of the load": Edit(
            HIST,
            SUCCESS_STEP,
            SUCCESS_STEP.replace("success.sql", "${td.last_results.what}.sql"),
            "td>: sql/klaviyo_log_ingestion_${td.last_results.what}",
        ),
        "an error that logs a success": Edit(
            INC,
            "+log_ingestion_error:\n              td>: sql/klaviyo_log_ingestion_error.sql\n              error",
            "+log_ingestion_error:\n              td>: sql/klaviyo_log_ingestion_success.sql\n              error",
        ),
        "no load": Edit(INC, "td_load>: config/${datasource.config_file}", "echo>: nothing", "# Klaviyo"),
        "a load of preflight that stays": Edit(
            PREFLIGHT,
            "table: klaviyo_preflight_${datasource.object}",
            "table: ${datasource.table_name}",
            "      +load:\n        _export:",
        ),
    }
)
def test_a_load_that_is_not_logged_is_found(edit, check, plain_repo):
    assert edit.make(plain_repo) in check.places("log-steps", plain_repo)


@edits(
    {
        "no start": Edit(INC, RUN_START, "", "# Klaviyo"),
        "a start that logs an end": Edit(
            INC, RUN_START, RUN_START.replace("start.sql", "success.sql"), "# Klaviyo"
        ),
        "a start of one table": Edit(
            INC,
            RUN_START,
            RUN_START.replace('table_name: ""', "table_name: klaviyo"),
            "datasource: {table_name: klaviyo}",
        ),
        "an end of no table, and not of the run": Edit(
            INC,
            'outcome}.sql\n      datasource: {table_name: ""}\n',
            "outcome}.sql\n",
            "td>: sql/klaviyo_log_ingestion_${td",
        ),
        "no look": Edit(INC, LOOK, "", "# Klaviyo"),
        "a look of which nothing is kept": Edit(
            HIST, LOOK, LOOK.replace("    store_last_results: true\n", ""), "# Klaviyo"
        ),
        "nothing that gives way": Edit(INC, GIVE_WAY, "+ingest:\n", "# Klaviyo"),
        "a word, and then the loads": Edit(INC, GIVE_WAY, GIVE_WAY.replace("fail>", "echo>"), "# Klaviyo"),
        "a way given where nobody is": Edit(HIST, GIVE_WAY, GIVE_WAY.replace("!=", "=="), "# Klaviyo"),
        "no end": Edit(INC, RUN_END, "    +tell:\n      echo>: done\n", "# Klaviyo"),
        "an end that logs another start": Edit(
            HIST, RUN_END, RUN_END.replace("${td.last_results.outcome}", "start"), "# Klaviyo"
        ),
        "no mark": Edit(LOG_START, "${session_uuid}.${attempt_id}/", ""),
        "a mark of the session": Edit(LOG_ERROR, "${session_uuid}.${attempt_id}/", "${session_uuid}/"),
        "a mark of all runs": Edit(LOG_SUCCESS, "${session_uuid}.${attempt_id}", "klaviyo"),
    }
)
def test_a_run_that_is_not_logged_or_looks_for_no_other_is_found(edit, check, plain_repo):
    assert edit.make(plain_repo) in check.places("run-log", plain_repo)


def test_a_run_that_looks_before_it_logs_its_start_is_found(check, plain_repo):
    edit(plain_repo / INC, RUN_START, "")
    edit(plain_repo / INC, GIVE_WAY, RUN_START + GIVE_WAY)

    assert check.places("run-log", plain_repo) == [(INC, 1)]


@pytest.fixture(scope="session")
def repo_with_all(pristine_template, tmp_path_factory):
    given = ("-d", "latest_tables=yes", "-d", "freshness_hours=24")
    return copy(pristine_template, tmp_path_factory.mktemp("all") / "acme", *given)


@pytest.fixture
def all_workflows(repo_with_all, tmp_path):
    """A repo with every workflow that there is, for a test to change."""
    return shutil.copytree(repo_with_all, tmp_path / "all")


@edits(
    {
        "no start": Edit(LATEST, RUN_START, "", "# Klaviyo"),
        "a start of one table": Edit(
            LATEST, RUN_START, RUN_START.replace('table_name: ""', "table_name: klaviyo"), "# Klaviyo"
        ),
        "no end": Edit(LATEST, LOG_RUN_END, "+tell:\n  echo>: done\n", "# Klaviyo"),
        "an end that logs another start": Edit(
            LATEST, LOG_RUN_END, LOG_RUN_END.replace("${td.last_results.outcome}", "start"), "# Klaviyo"
        ),
    }
)
def test_a_run_that_loads_nothing_and_is_not_logged_is_found(edit, check, all_workflows):
    assert edit.make(all_workflows) in check.places("run-log", all_workflows)


@edits(
    {
        "no start of a latest table": Edit(LATEST, LATEST_START, "", "_do:\n\n      +"),
        "no start of one in the incremental workflow": Edit(
            INC,
            LATEST_START.replace("      ", "          ", 1).replace("\n   ", "\n       "),
            "",
            "_do:\n\n          +changes",
        ),
        "no look at a latest table": Edit(LATEST, CHANGES, "", "_do:\n      +"),
        "a look of which nothing is kept": Edit(
            LATEST, CHANGES, CHANGES.replace("        store_last_results: true\n", ""), "_do:\n      +"
        ),
        "nothing that gives way": Edit(LATEST, LATEST_GIVES_WAY, "", "_do:\n      +"),
        "a word, and then the merge": Edit(
            LATEST, LATEST_GIVES_WAY, LATEST_GIVES_WAY.replace("fail>", "echo>"), "_do:\n      +"
        ),
        "no end of a latest table": Edit(
            LATEST,
            LATEST_END,
            LATEST_END.replace("+log_ingestion_success", "+log").replace("success", "start"),
            "_do:\n      +",
        ),
    }
)
def test_a_latest_table_that_two_runs_may_write_is_found(edit, check, all_workflows):
    assert edit.make(all_workflows) in check.places("latest-log", all_workflows)


def test_a_workflow_of_the_client_s_that_logs_what_it_likes_passes(check, all_workflows):
    (all_workflows / "ingestion/klaviyo_cleanup.dig").write_text(
        "timezone: UTC\n_export:\n  !include : config/database.yml\n  workflow_name: klaviyo_cleanup\n"
        "  td: {database: '${databases.src}'}\n"
        "+log:\n  td>: sql/klaviyo_log_ingestion_start.sql\n"
        "  datasource: {table_name: klaviyo_events}\n  window: {start_time: '', end_time: ''}\n+clean:\n  echo>: done\n"
    )

    assert check.failures(all_workflows) == []


@edits(
    {
        "the object's name": Edit(
            INC,
            START_STEP,
            f'{START_STEP}                  datasource: {{table_name: "${{datasource.name}}"}}\n',
            'datasource: {table_name: "${datasource.name}"}',
        ),
        "one table's name": Edit(
            INC,
            SUCCESS_STEP,
            f"{SUCCESS_STEP}                    datasource: {{table_name: klaviyo_profiles}}\n",
            "datasource: {table_name: k",
        ),
        "the backfill's table": Edit(
            INC,
            SUCCESS_STEP,
            f'{SUCCESS_STEP}                    datasource: {{table_name: "${{datasource.historical_table}}"}}\n',
            'datasource: {table_name: "${datasource.h',
        ),
        "no table's name": Edit(
            INC,
            START_STEP,
            f'{START_STEP}                  datasource: {{table_name: ""}}  # as of the run\n',
            'datasource: {table_name: ""}  # as of the run',
        ),
        "no window": Edit(INC, START_STEP, f"{START_STEP}                  window: {{}}\n", "window: {}"),
        "another table that is loaded": Edit(
            HIST,
            "table: ${datasource.table_name}\n",
            "table: ${datasource.table_name}_2\n",
            START_STEP.partition("\n")[2],
        ),
        "the start for the end": Edit(
            HIST,
            SUCCESS_STEP,
            SUCCESS_STEP
            + '                    window: {start_time: "${window.start_time}", end_time: "${window.start_time}"}\n',
            'window: {start_time: "${window',
        ),
        "another start than that of the load": Edit(
            INC,
            START_STEP,
            START_STEP
            + '                  window: {start_time: "${session_time}", end_time: "${window.end_time}"}\n',
            'window: {start_time: "${session',
        ),
        "another workflow": Edit(
            HIST, "workflow_name: klaviyo_ingest_hist\n", "workflow_name: klaviyo_ingest_inc\n"
        ),
        "the other workflow's datasources": Edit(
            INC,
            " datasources: ${JSON.stringify(inc_datasources)}",
            " datasources: ${JSON.stringify(hist_datasources)}",
        ),
        "the incremental datasources for the backfill": Edit(
            HIST,
            " datasources: ${JSON.stringify(hist_datasources)}",
            " datasources: ${JSON.stringify(inc_datasources)}",
        ),
        "the incremental datasources as backfills": Edit(
            HIST,
            " backfills: ${JSON.stringify(hist_datasources)}",
            " backfills: ${JSON.stringify(inc_datasources)}",
        ),
        "the backfill's datasources, beside": Edit(
            INC,
            "datasource: ${td.last_results.objects_to_load}",
            "datasource: ${hist_datasources}",
        ),
    }
)
def test_a_row_under_another_name_is_found(edit, check, plain_repo):
    assert edit.make(plain_repo) in check.places("log-rows", plain_repo)


@edits(
    {
        "of an object": Edit(
            INC,
            "          _error:\n            +log_ingestion_error:\n              td>: sql/klaviyo_log_ingestion_error.sql\n              error",
            "          +on_error:\n            +log_error:\n              td>: sql/klaviyo_log_ingestion_error.sql\n              error",
            "          +create_table:",
        ),
        "of the run": Edit(HIST, "\n_error:\n  _parallel", "\n+error:\n  _parallel", "timezone: UTC"),
        "of the run, which only tells": Edit(
            INC, "\n_error:\n", "\n_error:\n  +tell:\n    echo>: failed\n\n+no_error:\n", "_error:\n  +tell"
        ),
    }
)
def test_a_failure_that_is_not_logged_is_found(edit, check, plain_repo):
    assert edit.make(plain_repo) in check.places("error-log", plain_repo)


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("  job_url VARCHAR,\n", "", 2),
        ("  job_url VARCHAR,\n", "  -- job_url VARCHAR,\n", 2),
        ("IF NOT EXISTS ", "", 2),
        (".ingestion_log", ".x", 1),
        ("  time BIGINT\n", '  "timestamp" BIGINT\n', 2),
    ],
    ids=["a column gone", "a column in a comment", "only once", "another table", "another name"],
)
def test_a_log_table_that_runs_would_fail_at_is_found(old, new, line, check, plain_repo):
    edit(plain_repo / CREATE_LOG, old, new)

    assert check.places("log-table", plain_repo) == [(CREATE_LOG, line)]


def test_a_log_table_may_be_written_in_another_way(check, plain_repo):
    made = (plain_repo / CREATE_LOG).read_text(encoding="utf-8")
    names = re.findall(r"^  (\w+) [A-Z]+", made, re.MULTILINE)
    columns = ", ".join(f'"{name}" varchar' for name in names)
    text = f"create table if not exists ${{databases.src}} . ingestion_log ({columns})"
    (plain_repo / CREATE_LOG).write_text(text, encoding="utf-8")

    assert check.places("log-table", plain_repo) == []
    assert list(check.module("gates.log").LOG_COLUMNS) == names


def test_preflight_asks_for_the_columns_that_the_log_table_has(check, plain_repo):
    report = (plain_repo / "ingestion/sql/klaviyo_preflight_report.sql").read_text(encoding="utf-8")
    asked = re.findall(r"'(\w+)'", report[report.index("ARRAY[") : report.index("]) WITH")])
    assert asked == list(check.module("gates.log").LOG_COLUMNS)

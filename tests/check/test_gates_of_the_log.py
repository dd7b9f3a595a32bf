"""Loads and failures that leave no row in ingestion_log, or one under another name, are found."""

from client_edits import HIST, INC, Edit, edits

START_STEP = """\
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
OBJECT_ERROR = """\
          _error:
            +log_ingestion_error:
              td>: sql/log_ingestion_error.sql
"""


@edits(
    {
        "no start": Edit(INC, START_STEP, "", "            +load:\n              td_load>"),
        "no success": Edit(INC, SUCCESS_STEP, "", "            +load:\n              td_load>"),
        "a success that logs a start": Edit(
            HIST, "td>: sql/log_ingestion_success.sql", "td>: sql/log_ingestion_start.sql"
        ),
        "an error that logs a success": Edit(
            INC, OBJECT_ERROR, OBJECT_ERROR.replace("error.sql", "success.sql")
        ),
        "no load": Edit(INC, "td_load>: config/${datasource.config_file}", "echo>: nothing", "# Klaviyo"),
    }
)
def test_a_load_that_is_not_logged_is_found(edit, check, plain_repo):
    assert edit.make(plain_repo) in check.places("loads_are_logged", plain_repo)


@edits(
    {
        "the object's name": Edit(
            INC,
            START_STEP,
            START_STEP.replace("source_name: ${datasource.table_name}", "source_name: ${datasource.name}"),
        ),
        "one table's name": Edit(
            INC,
            START_STEP,
            START_STEP.replace("source_name: ${datasource.table_name}", "source_name: klaviyo_profiles"),
        ),
        "another workflow": Edit(
            HIST,
            "workflow_name: klaviyo_ingest_hist\n      store",
            "workflow_name: klaviyo_ingest_inc\n      store",
        ),
        "the other workflow's datasources": Edit(
            HIST, "JSON.stringify(hist_datasources)", "JSON.stringify(inc_datasources)"
        ),
    }
)
def test_a_row_under_another_name_is_found(edit, check, plain_repo):
    assert edit.make(plain_repo) in check.places("log_rows_find_their_load", plain_repo)


@edits(
    {
        "of an object": Edit(
            INC,
            "          _error:\n            +log_ingestion_error",
            "          +on_error:\n            +log_error",
            "          +log_ingestion_start:",
        ),
        "of the run": Edit(HIST, "\n_error:\n  _parallel", "\n+error:\n  _parallel", "timezone: UTC"),
        "of the run, which only tells": Edit(
            INC, "\n_error:\n", "\n_error:\n  +tell:\n    echo>: failed\n\n+no_error:\n", "_error:\n  +tell"
        ),
    }
)
def test_a_failure_that_is_not_logged_is_found(edit, check, plain_repo):
    assert edit.make(plain_repo) in check.places("errors_are_logged", plain_repo)

"""Files that cannot be read, are not there, are not used or are too large are found."""

import pytest
from client_edits import (
    CREATE_LOG,
    CREDENTIALS,
    DATABASE,
    DATASOURCES,
    DIGDAGIGNORE,
    HIST,
    INC,
    LOG_ERROR,
    PROFILES,
    RUN_RESULT,
    WINDOWS,
    Edit,
    Entry,
    edits,
)

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


@edits(
    {
        "a wrong indent in a workflow": Edit(INC, "    _parallel:\n", "   _parallel:\n"),
        "a key twice in a workflow": Edit(
            HIST, "timezone: UTC\n", "timezone: UTC\ntimezone: UTC\n", "timezone: UTC\n\n"
        ),
        "a tab": Edit(INC, "  td:\n    database", "\ttd:\n    database"),
        "a colon missing": Edit(INC, "+create_database:", "+create_database", "  td_ddl>:"),
        "two tasks of one name": Edit(
            INC, "+create_ingestion_log:", "+create_database:", "+create_database:\n  td>"
        ),
        "a key twice in a datasource": Edit(
            DATASOURCES,
            "table_name: klaviyo_lists\n",
            "table_name: klaviyo_lists\n    name: lists\n",
            "    name:",
        ),
        "a quote too many": Entry("klaviyo_lists", "default_start_time", '"" "'),
        "a key twice in a load file": Edit(PROFILES, "out:\n", "in:\n", "in:\n  mode"),
        "a comma too many in the credentials": Edit(CREDENTIALS, '"\n}', '",\n}', "}"),
        "a key twice in the credentials": Edit(
            CREDENTIALS, "{\n", '{\n  "klaviyo_api_token": "",\n', '"klaviyo_api_token": "put'
        ),
        "an open bracket": Edit(DATABASE, "  src: client_src", "  src: [client_src"),
    }
)
def test_what_cannot_be_read_is_found(edit, check, plain_repo):
    assert edit.make(plain_repo) in check.places("files-readable", plain_repo)


def test_a_query_in_another_encoding_is_found(check, plain_repo):
    query = plain_repo / WINDOWS
    query.write_bytes(query.read_bytes().replace(b"-- List the", b"\xe9 List the", 1))
    line = query.read_bytes().split(b"\xe9")[0].count(b"\n") + 1

    assert check.places("files-readable", plain_repo) == [(WINDOWS, line)]


@pytest.mark.parametrize(
    ("file", "text", "line"),
    [
        ("shopify_ingest.dig", "timezone: UTC\n+load:\n  td>: a.sql\n  td>: b.sql\n", 4),
        ("shopify_ingest.dig", "timezone: UTC\n+load: [\n", 2),
        ("config/shopify_load.yml", "in:\n  type: shopify\n type: x\n", 3),
    ],
    ids=["a key twice", "an open bracket", "a wrong indent"],
)
def test_a_neighbour_s_file_that_cannot_be_read_is_found(file, text, line, check, plain_repo):
    (plain_repo / "ingestion" / file).write_text(text, encoding="utf-8")

    assert check.places("files-readable", plain_repo) == [(f"ingestion/{file}", line)]


@edits(
    {
        "another query": Edit(INC, "td>: sql/klaviyo_run_result.sql", "td>: sql/klaviyo_run_results.sql"),
        "a query without its folder": Edit(
            INC, "td>: sql/klaviyo_concurrent_run.sql", "td>: klaviyo_concurrent_run.sql"
        ),
        "another query in the backfill": Edit(
            HIST, "sql/klaviyo_windows.sql", "sql/klaviyo_backfill_windows.sql"
        ),
        "another load file": Entry("klaviyo_lists", "config_file", "klaviyo_list_load.yml"),
        "a datasource without its load file": Edit(
            DATASOURCES, "inc_datasources:\n", A_NEW_LIST, "klaviyo_segments_load.yml"
        ),
        "another include": Edit(HIST, "config/database.yml", "config/databases.yml"),
        "an include without its folder": Edit(
            INC, "config/klaviyo_datasources.yml", "klaviyo_datasources.yml"
        ),
        "a query that is not pushed": Edit(
            DIGDAGIGNORE, "*credentials_ingestion*", "*.json\nsql/", "sql/klaviyo_objects_to_load", INC
        ),
    }
)
def test_a_name_of_no_file_is_found(edit, check, plain_repo):
    assert edit.make(plain_repo) in check.places("files-exist", plain_repo)


@pytest.mark.parametrize(
    ("file", "named_in", "line"),
    [
        (RUN_RESULT, INC, "      td>: sql/klaviyo_run_result.sql"),
        (LOG_ERROR, INC, "              td>: sql/klaviyo_log_ingestion_error.sql"),
        (CREATE_LOG, HIST, "  td>: sql/create_ingestion_log_table.sql"),
        (PROFILES, DATASOURCES, "    config_file: klaviyo_profiles_load.yml"),
        (DATABASE, INC, "  !include : config/database.yml"),
        (HIST, DATASOURCES, "hist_datasources:"),
        (DATASOURCES, INC, "  !include : config/klaviyo_datasources.yml"),
    ],
)
def test_a_file_that_is_gone_is_found_where_it_is_named(file, named_in, line, check, plain_repo):
    (plain_repo / file).unlink()
    number = (plain_repo / named_in).read_text(encoding="utf-8").split("\n").index(line) + 1

    assert (named_in, number) in check.places("files-exist", plain_repo)


def test_a_neighbour_s_include_of_no_file_is_found(check, plain_repo):
    text = "timezone: UTC\n_export:\n  !include : config/shop.yml\n"
    (plain_repo / "ingestion/shopify_ingest.dig").write_text(text, encoding="utf-8")

    assert check.places("files-exist", plain_repo) == [("ingestion/shopify_ingest.dig", 3)]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("ingestion/sql/klaviyo_run_result_old.sql", "SELECT '${workflow_name}'\n"),
        ("ingestion/config/klaviyo_flows_load.yml", "in: {type: klaviyo}\n"),
    ],
    ids=["a query", "a load file"],
)
def test_a_file_that_nothing_names_is_found(file, text, check, plain_repo):
    (plain_repo / file).write_text(text, encoding="utf-8")

    assert check.places("files-used", plain_repo) == [(file, 1)]


def test_what_makes_the_archive_too_large_is_found(check, plain_repo):
    (plain_repo / "ingestion/export.csv").write_text("0123456789" * 300_000, encoding="utf-8")

    assert check.places("archive-size", plain_repo) == [("ingestion/export.csv", 1)]

"""A table that is misspelt in a query is found; one that the client made is not."""

from types import SimpleNamespace

import pytest
from commands import edit

MINE = "ingestion/sql/klaviyo_by_hand.sql"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM ${databases.src}.ingestion_logs",
        "SELECT '${x.replace(/'/g, )}'\nFROM ${databases.src}.ingestion_lgo WHERE true",
        "SELECT '${[1,\n2]}'\nFROM ${databases.src}.ingestion_lgo",
        "SELECT * FROM ${databases.src}.${datasource.table_name}, x\nJOIN client_src.ingesion_log ON true",
        "SELECT 1\nfrom ingestion_lo",
        "-- FROM ingestion_log\nSELECT * FROM client_src.klaviyo_event",
        "SELECT * FROM (\nSELECT * FROM client_src.klaviyo_list_hist)",
        "INSERT INTO ${databases.src}.ingestion_logs SELECT 1",
        "DROP TABLE IF EXISTS ${databases.src}.klaviyo_profile",
        'SELECT * FROM "${databases.src}".ingestion_logs',
        'SELECT * FROM "2024_src"."ingestion_logs"',
        'SELECT 1\nFROM "ingestion_lgo"',
    ],
)
def test_a_table_that_is_misspelt_is_found(sql, check, plain_repo):
    (plain_repo / MINE).write_text(sql)

    assert check.places("table-names", plain_repo) == [(MINE, sql.count("\n") + 1)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM ${databases.src}.ingestion_log_old",
        "SELECT * FROM acme.klaviyo_email_templates_latest JOIN acme.klaviyo_events_hist_copy ON true",
        "SELECT * FROM ${databases.src}.${datasource.table_name}s",
        "WITH ingestion_logs AS (SELECT 1) SELECT * FROM ingestion_logs",
        "CREATE TABLE IF NOT EXISTS ${databases.src}.klaviyo_event (id VARCHAR);\nSELECT * FROM klaviyo_event",
        'CREATE TABLE "${databases.src}".klaviyo_event (id VARCHAR);\nSELECT * FROM klaviyo_event',
        'CREATE TABLE "2024_src"."klaviyo_event" (id VARCHAR);\nSELECT * FROM "klaviyo_event"',
        'SELECT * FROM "2024_src"."ingestion_log"',
        'WITH "ingestion_logs" AS (SELECT 1) SELECT * FROM "ingestion_logs"',
        "SELECT 'FROM ingestion_logs' AS text -- FROM ingestion_lgo",
        "SELECT extract(hour FROM ingested) FROM information_schema.tables",
        "SELECT * FROM zendesk_tickets",
    ],
)
def test_a_table_of_the_client_s_own_passes(sql, check, plain_repo):
    (plain_repo / MINE).write_text(sql)

    assert check.places("table-names", plain_repo) == []


def test_a_table_that_is_misspelt_is_found_in_what_people_run_too(check, plain_repo):
    file = "ingestion/query_samples/klaviyo_monitoring.sql"
    edit(plain_repo / file, "ingestion_log", "ingestion_logs")

    ((path, _),) = check.places("table-names", plain_repo)
    assert path == file


def test_a_table_that_a_task_makes_passes(check, plain_repo):
    (plain_repo / "ingestion/acme_profile.dig").write_text(
        "+make:\n  td_ddl>:\n  create_tables: [klaviyo_profile]\n+load:\n"
        "  td_load>: x.yml\n  table: klaviyo_metric\n"
    )
    (plain_repo / MINE).write_text("SELECT * FROM klaviyo_profile, klaviyo_metric")

    assert check.places("table-names", plain_repo) == []


def test_a_table_that_is_right_is_compared_with_no_other(check, plain_repo, monkeypatch):
    compared = []
    counting = SimpleNamespace(get_close_matches=lambda name, *_: compared.append(name))
    monkeypatch.setattr(check.module("gates.queries"), "difflib", counting)
    assert check.places("table-names", plain_repo) == []
    assert {*compared} == {"UNNEST"}  # what no query defines

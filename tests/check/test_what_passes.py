"""A new repo passes whatever is answered, and so does one with another source, or with less in it."""

import pytest
from client_check import SCRIPT, run
from client_edits import CREDENTIALS, DATASOURCES
from commands import FLOWS

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

ANSWERS = {
    "custom objects, cron and an alert": {
        "custom_objects": [FLOWS, {"name": "coupons"}],
        "schedule": "30 4 * * 1-5",
        "alert_email": "data@example.com",
    },
    "full metrics, hourly, no CI, no overlap, the default database": {
        "metrics_load": "full",
        "schedule": "hourly",
        "ci": "none",
        "events_lookback_hours": 0,
        "target_database": "",
    },
    "tables of the newest records, alerts by Slack and mail, and where loads are missing": {
        "latest_tables": True,
        "schedule": "daily",
        "alert_email": "data@example.com, ops@example.com",
        "alert_slack": True,
        "freshness_hours": 48,
    },
    "full metrics with tables of the newest records": {"metrics_load": "full", "latest_tables": True},
    "events alone, daily, an authentication by name": {
        "objects": ["events"],
        "schedule": "daily",
        "td_authentication_id": "klaviyo_acme",
    },
}


def test_a_new_repo_passes_with_git_and_without(check, plain_repo, client_repo):
    assert check.failures(plain_repo) == check.failures(client_repo) == []


@pytest.mark.parametrize("answers", ANSWERS.values(), ids=ANSWERS)
def test_whatever_is_answered_a_new_repo_passes(answers, copie_session, example_answers):
    repo = copie_session.copy(extra_answers={**example_answers, **answers}).project_dir

    done = run(SCRIPT, cwd=repo)

    assert done.returncode == 0, done.stdout


def test_another_source_beside_ours_passes(check, client_repo):
    for file, text in SECOND_SOURCE.items():
        (client_repo / file).parent.mkdir(exist_ok=True)
        (client_repo / file).write_text(text, encoding="utf-8")

    assert check.failures(client_repo) == []


def test_a_clone_without_credentials_passes(check, client_repo):
    (client_repo / CREDENTIALS).unlink()

    assert check.failures(client_repo) == []


def test_an_object_that_is_dropped_passes(check, plain_repo):
    datasources = plain_repo / DATASOURCES
    blocks = datasources.read_text(encoding="utf-8").split("\n\n")
    kept = "\n\n".join(block for block in blocks if "name: lists" not in block)
    datasources.write_text(kept, encoding="utf-8")
    (plain_repo / "ingestion/config/klaviyo_lists_load.yml").unlink()

    assert check.failures(plain_repo) == []


def test_windows_line_ends_and_a_byte_order_mark_pass(check, plain_repo):
    for file in (plain_repo / "ingestion").rglob("*.*"):
        mark = b"\xef\xbb\xbf" if file.suffix == ".sql" else b""
        file.write_bytes(mark + file.read_bytes().replace(b"\n", b"\r\n"))

    assert check.failures(plain_repo) == []

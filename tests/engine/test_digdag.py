"""Digdag takes the mock for TD; its runs are told as they were, its alerts are seen."""

import json
import urllib.error
import urllib.request
from datetime import datetime

import digdag
import pytest
from mock_td.example_loads import ACCEPTED, ADD_TIME
from mock_td.klaviyo_account import KlaviyoAccount
from mock_td.treasure_data import TreasureData
from webhook import Webhook


@pytest.fixture
def account():
    return KlaviyoAccount(datetime(2023, 1, 1), datetime(2024, 1, 1))


class TestWebhook:
    @pytest.mark.parametrize("status", [200, 500])
    def test_it_keeps_what_is_posted_and_answers_as_it_was_told(self, status):
        with Webhook(status) as webhook:
            for body in (b'{"text": "it failed"}', b"plain"):
                post = urllib.request.Request(webhook.url, method="POST", data=body)
                try:
                    assert urllib.request.urlopen(post, timeout=10).status == status
                except urllib.error.HTTPError as error:
                    assert error.code == status
        assert webhook.posts == [{"text": "it failed"}, "plain"]


class TestDigdag:
    WORKFLOW = """
timezone: UTC
_export:
  td: {database: client_src}
+database:
  td_ddl>:
  create_databases: [client_src]
  create_tables: [klaviyo_profiles]
  empty_tables: [built, old]
+build:
  td>:
  query: SELECT 7 AS n
  create_table: built
+rename:
  td_ddl>:
  rename_tables: [{from: built, to: old}]
  drop_tables: [never_made]
+load:
  _retry: {limit: 1, interval: 3600}
  +once:
    td_load>: load.yml
    table: klaviyo_profiles
+count:
  td>:
  query: "SELECT count(*) AS n, max(TD_TIME_PARSE(updated)) AS newest FROM klaviyo_profiles"
  store_last_results: true
+tell:
  echo>: "loaded ${td.last_results.n} of job ${td.last_job.id}, ${td.last_job.num_records} row"
+post:
  http>: "${secret:alert_url}"
  method: POST
  content: {text: "it's ${td.last_results.n}"}
  content_format: json
+stop:
  fail>: "that's all"
_error:
  mail>: {data: "${error.message}"}
  subject: it failed
  to: [someone@example.com]
"""

    @pytest.fixture
    def project(self, tmp_path):
        (tmp_path / "tiny.dig").write_text(self.WORKFLOW)
        (tmp_path / "load.yml").write_text(
            json.dumps({"in": ACCEPTED, "filters": ADD_TIME, "out": {"mode": "append"}})
        )
        digdag.quicken(tmp_path)
        return tmp_path

    def test_digdag_takes_the_mock_for_td(self, project, account):
        with TreasureData(account) as td, digdag.Mailbox() as mailbox, Webhook() as webhook:
            td.fail_load("klaviyo_profiles", times=1)
            secrets = {"alert_url": webhook.url}
            run = digdag.run(project, "tiny", td, mailbox=mailbox, task_limit=13, secrets=secrets)
            assert "loaded 20 of job 4, 1 row" in run.output
            assert td.rows("SELECT n FROM client_src.old") == [(7,)]
            assert webhook.posts == [{"text": "it's 20"}]
            assert webhook.url not in run.output
            assert [job.status for job in td.jobs] == ["success", "error", "success", "success"]
            assert [message.get_content().strip() for message in mailbox.messages] == ["that's all"]
        assert (run.exit_code, run.succeeded) == (1, False)
        # +tiny, its eight tasks, +once twice (the retry's copy too), ^failure-alert, ^error
        assert len(run.tasks) == 13
        assert run.failed_tasks() == ["+tiny", "+tiny+load+once", "+tiny+stop"]

    def test_the_count_of_tasks_is_the_one_that_digdag_limits(self, project, account):
        with TreasureData(account) as td, digdag.Mailbox() as mailbox, Webhook() as webhook:
            td.fail_load("klaviyo_profiles", times=1)
            secrets = {"alert_url": webhook.url}
            run = digdag.run(project, "tiny", td, mailbox=mailbox, task_limit=12, secrets=secrets)
        # No room for ^error; ^failure-alert, added in the same transaction, goes with it.
        assert "Failed to add error tasks because of task limit" in run.output
        assert (len(run.tasks), mailbox.messages) == (11, [])

    def test_quicken_changes_the_intervals_of_retries_alone(self, tmp_path):
        path = tmp_path / "w.dig"
        path.write_text(
            "+a:\n  _retry:\n    limit: 2\n    interval: 30\n    interval_type: exponential\n"
            "  +b:\n    wait>: x\n    interval: 5\n  +c:\n    _retry: {limit: 1, interval: 10}\n"
        )
        digdag.quicken(tmp_path)
        assert path.read_text() == (
            "+a:\n  _retry:\n    limit: 2\n    interval: 0\n    interval_type: exponential\n"
            "  +b:\n    wait>: x\n    interval: 5\n  +c:\n    _retry: {limit: 1, interval: 0}\n"
        )

    def test_without_digdag_it_says_where_digdag_comes_from(self, account, tmp_path, monkeypatch):
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(FileNotFoundError, match="treasure-data/digdag.*v0.10.5.1.*Java 11 to 17"):
            digdag.run(tmp_path, "tiny", TreasureData(account))

"""Digdag takes the mock for TD: the REST calls, by themselves and as the real one makes them."""

import gzip
import io
import json
import urllib.error
import urllib.request
from datetime import datetime
from urllib.parse import urlencode

import digdag
import msgpack
import pytest
from example_loads import ACCEPTED, ADD_TIME
from klaviyo_account import KlaviyoAccount
from treasure_data import TreasureData
from webhook import Webhook


@pytest.fixture
def account():
    return KlaviyoAccount(
        datetime(2023, 1, 1), datetime(2024, 1, 1), custom={"flows": {"updated": "updated"}}
    )


@pytest.fixture
def td(account):
    with TreasureData(account) as td:
        td.databases.create_database("client_src")
        td.databases.create_table("client_src", "klaviyo_profiles")
        yield td


def query(td, text):
    return td.submit("query", "client_src", text=text)


def call(td, method, path, body=None):
    """A REST call, as (HTTP status, raw answer)."""
    request = urllib.request.Request(f"http://{td.endpoint}{path}", method=method, data=body)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


class TestRestApi:
    def test_a_query_and_its_result(self, td):
        form = urlencode(
            {"query": "SELECT 1 AS n, 'a' AS s, CAST(NULL AS varchar) AS nothing", "domain_key": "x"}
        ).encode()
        code, answer = call(td, "POST", "/v3/job/issue/presto/client_src", form)
        assert (code, json.loads(answer)) == (200, {"job_id": "1"})
        shown = json.loads(call(td, "GET", "/v3/job/show/1")[1])
        assert (shown["status"], shown["num_records"]) == ("success", 1)
        assert json.loads(shown["hive_result_schema"]) == [
            ["n", "bigint"],
            ["s", "varchar"],
            ["nothing", "varchar"],
        ]
        packed = gzip.decompress(call(td, "GET", "/v3/job/result/1?format=msgpack.gz")[1])
        assert list(msgpack.Unpacker(io.BytesIO(packed))) == [[1, "a", None]]

    def test_a_failed_job_tells_why(self, td):
        query(td, "SELECT * FROM nowhere")
        assert json.loads(call(td, "GET", "/v3/job/status/1")[1])["status"] == "error"
        assert "nowhere does not exist" in json.loads(call(td, "GET", "/v3/job/show/1")[1])["debug"]["stderr"]

    def test_databases_and_tables(self, td):
        posts = [
            "database/create/other",
            "database/create/other",
            "table/create/other/t/log",
            "table/create/other/t/log",
            "table/create/other/u/log",
            "table/rename/other/t/u",
            "table/rename/other/t/u?overwrite=true",
            "table/delete/other/u",
            "table/delete/other/u",
            "table/create/nowhere/t/log",
        ]
        assert [call(td, "POST", f"/v3/{path}")[0] for path in posts] == [
            200,
            409,
            200,
            409,
            200,
            409,
            200,
            200,
            404,
            404,
        ]
        assert [
            each["name"] for each in json.loads(call(td, "GET", "/v3/database/list")[1])["databases"]
        ] == ["client_src", "other"]
        assert [
            each["name"] for each in json.loads(call(td, "GET", "/v3/table/list/client_src")[1])["tables"]
        ] == ["klaviyo_profiles"]
        assert call(td, "POST", "/v3/database/delete/other")[0] == 200

    @pytest.mark.parametrize(
        "path", ["/v3/job/issue/presto/nowhere", "/v3/job/issue/bulkload/nowhere?table=t"]
    )
    def test_a_job_needs_its_database(self, td, path):
        assert call(td, "POST", path, b"query=x")[0] == 404
        assert td.jobs == []

    @pytest.mark.parametrize(
        ("path", "body"),
        [
            ("presto/client_src", b"query=SELECT+1&domain_key=k"),
            ("bulkload/client_src?table=klaviyo_profiles&domain_key=k", json.dumps({"config": {}}).encode()),
        ],
    )
    def test_who_asks_again_with_the_key_of_a_job_is_told_that_job(self, td, path, body):
        first, again = (call(td, "POST", f"/v3/job/issue/{path}", body) for _ in range(2))
        assert (first[0], json.loads(first[1])) == (200, {"job_id": "1"})
        assert (again[0], json.loads(again[1])["details"]) == (409, {"conflicts_with": "1"})
        assert len(td.jobs) == 1

    def test_an_unknown_path_is_named_and_no_error_is_polled_again(self, td):
        code, answer = call(td, "POST", "/v3/schedule/list")
        assert code == 404 and b"POST /v3/schedule/list" in answer
        assert call(td, "POST", "/v3/job/issue/presto/client_src", b"")[0] == 400
        assert call(td, "GET", "/v3/job/result/99")[0] == 404


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

    def test_without_digdag_it_says_where_digdag_comes_from(self, td, tmp_path, monkeypatch):
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(FileNotFoundError, match="treasure-data/digdag.*v0.10.5.1.*Java 11 to 17"):
            digdag.run(tmp_path, "tiny", td)

"""The mock TD answers the REST calls of Digdag's td operators as TD does."""

import gzip
import io
import json
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import msgpack
import pytest


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
            ["n", "integer"],
            ["s", "varchar"],
            ["nothing", "varchar"],
        ]
        packed = gzip.decompress(call(td, "GET", "/v3/job/result/1?format=msgpack.gz")[1])
        assert list(msgpack.Unpacker(io.BytesIO(packed))) == [[1, "a", None]]

    def test_a_failed_job_tells_why(self, td):
        td.submit("query", "client_src", text="SELECT * FROM nowhere")
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
        ("path", "asked_first"),
        [("database/create/other", "names"), ("table/create/client_src/t/log", "tables")],
    )
    def test_of_two_that_make_the_same_at_once_one_is_told_that_it_is_there(
        self, td, monkeypatch, path, asked_first
    ):
        look = getattr(td.databases, asked_first)

        def look_slowly(*of):
            found = look(*of)
            time.sleep(0.2)
            return found

        monkeypatch.setattr(td.databases, asked_first, look_slowly)
        with ThreadPoolExecutor(2) as both:
            codes = [code for code, _ in both.map(lambda path: call(td, "POST", f"/v3/{path}"), [path, path])]
        assert sorted(codes) == [200, 409]

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

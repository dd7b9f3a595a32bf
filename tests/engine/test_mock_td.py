"""The mock TD and its account by themselves: what they refuse, and that they keep what TD and the connector promise.

A workflow's test is worth what the mock refuses; so each refusal is shown here.
"""

import gzip
import io
import json
import shutil
import time
import urllib.error
import urllib.request
from datetime import datetime, timezone
from urllib.parse import urlencode

import digdag
import duckdb
import msgpack
import pytest
from databases import add_td_functions
from klaviyo_account import KlaviyoAccount
from klaviyo_connector import ConnectorError
from treasure_data import TreasureData

ACCEPTED = {
    "type": "klaviyo",
    "td_authentication_id": 12345,
    "data_source": "profiles",
    "incremental": True,
    "incremental_field": "updated",
    "start_time": "2023-01-01T00:00:00.000000",
    "end_time": "2024-01-01T00:00:00.000000",
}
EVENTS = {
    **{name: value for name, value in ACCEPTED.items() if name != "incremental_field"},
    "data_source": "events",
    "skip_related_objects": True,
}
ADD_TIME = [{"type": "add_time", "to_column": {"name": "time"}, "from_value": {"mode": "upload_time"}}]


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


def load(td, settings=ACCEPTED, table="klaviyo_profiles", mode="append"):
    """A bulk load, waited for."""
    job = td.submit(
        "bulkload",
        "client_src",
        table=table,
        config={"in": settings, "filters": ADD_TIME, "out": {"mode": mode}},
    )
    deadline = time.monotonic() + 10
    while job.status == "running" and time.monotonic() < deadline:
        time.sleep(0.005)
    return job


def call(td, method, path, body=None):
    """A REST call, as (HTTP status, raw answer)."""
    request = urllib.request.Request(f"http://{td.endpoint}{path}", method=method, data=body)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


class TestConnector:
    @pytest.mark.parametrize(
        ("change", "complaint"),
        [
            ({"type": "klavio"}, "Unknown input plugin type"),
            ({"data_source": "flowers"}, "Unknown data_source 'flowers'"),
            ({"td_authentication_id": None}, "td_authentication_id"),
            ({"td_authentication_id": ""}, "td_authentication_id"),
            ({"incremental": "true"}, "'incremental' must be true or false"),
            ({"incremental_field": "updated_at"}, "Invalid incremental_field 'updated_at'"),
            ({"incremental_field": None}, "Invalid incremental_field None"),
            (
                {"data_source": "campaigns", "incremental_field": "updated_at"},
                "Invalid incremental_field 'updated_at'",
            ),
            ({"data_source": "events"}, "incremental_field is not supported for data_source events"),
            ({"start_time": "2023-01-01T00:00:00"}, "Invalid start_time"),
            ({"start_time": "2023-01-01T00:00:00.000000Z"}, "Invalid start_time"),
            ({"start_time": "2023-01-01 00:00:00.000000"}, "Invalid start_time"),
            ({"start_time": "2023-02-30T00:00:00.000000"}, "Invalid start_time"),
            ({"start_time": ""}, "Invalid start_time"),
            ({"start_time": 20230101}, "Invalid start_time"),
            ({"end_time": "2023-01-01T00:00:00.000001"}, "Invalid end_time"),
            ({"start_time": "2024-01-01T00:00:01.000000"}, "is after end_time"),
        ],
    )
    def test_it_refuses(self, account, change, complaint):
        with pytest.raises(ConnectorError, match=complaint):
            account.fetch({**ACCEPTED, **change})

    @pytest.mark.parametrize(
        "change",
        [
            {"incremental_field": None},
            {"incremental_field": "datetime"},
            {"skip_related_objects": None},
            {"skip_related_objects": False},
        ],
    )
    def test_it_refuses_events_with_a_field_or_with_related_objects(self, account, change):
        assert account.fetch(EVENTS)
        with pytest.raises(ConnectorError):
            account.fetch({**EVENTS, **change})

    @pytest.mark.parametrize(
        "data_source", ["profiles", "campaigns", "lists", "templates", "metrics", "flows"]
    )
    def test_it_takes_the_apis_name_of_the_field(self, account, data_source):
        assert account.fetch({**ACCEPTED, "data_source": data_source})

    @pytest.mark.parametrize("missing", [{"start_time": None, "end_time": None}, {"incremental": False}])
    def test_without_a_window_it_loads_everything(self, account, missing):
        assert len(account.fetch({**ACCEPTED, "end_time": "2023-01-02T00:00:00.000000", **missing})) == 20

    @pytest.mark.parametrize(
        ("data_source", "settings", "expected"),
        [
            ("profiles", ACCEPTED, {"between"}),
            ("lists", ACCEPTED, {"between"}),
            ("templates", ACCEPTED, {"at start", "between"}),
            ("events", EVENTS, {"at start", "between"}),
        ],
    )
    def test_what_a_window_takes_of_its_edges(self, data_source, settings, expected):
        account = KlaviyoAccount(datetime(2023, 1, 1), datetime(2024, 1, 1), size=0)
        for id, when in [
            ("before", "2022-12-31T23:59:59Z"),
            ("at start", "2023-01-01 00:00:00+00:00"),
            ("between", "2023-06-01T00:00:00.000000+02:00"),
            ("at end", "2024-01-01T00:00:00+00:00"),
        ]:
            account.add(data_source, id=id, **{"datetime" if data_source == "events" else "updated": when})
        assert {
            record["id"] for record in account.fetch({**settings, "data_source": data_source})
        } == expected
        account.ends = "inclusive"
        assert {
            record["id"] for record in account.fetch({**settings, "data_source": data_source})
        } == expected | {"at end"}


class TestAccount:
    def test_it_is_the_same_for_the_same_arguments(self, account):
        again = KlaviyoAccount(datetime(2023, 1, 1), datetime(2024, 1, 1))
        other = KlaviyoAccount(datetime(2023, 1, 1), datetime(2024, 1, 1), seed=1)
        assert again.records("profiles") == account.records("profiles") != other.records("profiles")

    @pytest.mark.parametrize(
        ("data_source", "column"),
        [("profiles", "updated"), ("events", "datetime"), ("campaigns", "updated_at"), ("flows", "updated")],
    )
    def test_its_newest_time_is_not_its_greatest_text(self, account, data_source, column):
        times = [record[column] for record in account.records(data_source)]
        assert max(times) != max(times, key=datetime.fromisoformat)

    def test_a_touched_record_is_one_record_with_a_new_time(self, account):
        id = account.add("campaigns", created_at=datetime(2023, 1, 1))
        account.touch("campaigns", id, datetime(2025, 6, 1, tzinfo=timezone.utc))
        window = {"data_source": "campaigns", "start_time": "2025-06-01T00:00:00.000000", "end_time": None}
        assert [record["id"] for record in account.fetch({**ACCEPTED, **window})] == [id]
        assert len(account.ids("campaigns")) == 21


class TestSql:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("2022-11-08T00:00:00+00:00", 1667865600),
            ("2022-11-08 00:00:00.123456+00:00", 1667865600),
            ("2022-11-08T02:00:00+02:00", 1667865600),
            ("2022-11-08T00:00:00.000000", 1667865600),
            ("2022-11-08 00:00:00Z", 1667865600),
            ("2022-11-08", 1667865600),
            ("2022-13-08T00:00:00", None),
            ("yesterday", None),
            ("", None),
        ],
    )
    def test_td_time_parse(self, text, expected):
        connection = duckdb.connect()
        add_td_functions(connection)
        connection.execute("SET TimeZone = 'Asia/Tokyo'")  # TD's answer does not depend on where it is asked
        assert connection.execute("SELECT TD_TIME_PARSE(?)", [text]).fetchone() == (expected,)

    def test_td_time_string(self):
        connection = duckdb.connect()
        add_td_functions(connection)
        assert connection.execute("SELECT TD_TIME_STRING(1667865600, 's!')").fetchone() == (
            "2022-11-08 00:00:00",
        )
        with pytest.raises(duckdb.Error, match="s! only"):
            connection.execute("SELECT TD_TIME_STRING(1667865600, 'd!')").fetchone()

    def test_trino_becomes_duckdb(self, td):
        job = query(
            td,
            """SELECT array_join(array_agg(CAST(n AS varchar) ORDER BY n), ',') AS list, 7 / 2, max(n) AS Top
                           FROM UNNEST(sequence(0, 9, 3)) AS t (n) -- the end""",
        )
        assert (job.status, job.result) == ("success", [("0,3,6,9", 3, 9)])
        assert job.schema == [["list", "varchar"], ["_col1", "bigint"], ["Top", "bigint"]]

    @pytest.mark.parametrize(
        ("text", "complaint"),
        [
            ("SELECT 1; SELECT 2", "2 statements"),
            ("SELEC 1", "Unexpected token"),
            ("SELECT * FROM nowhere", "nowhere does not exist"),
            ("SELECT nothing FROM klaviyo_profiles", '"nothing" not found'),
            ("SELECT strftime(time) FROM klaviyo_profiles", "Function 'strftime' not registered"),
            ("UPDATE klaviyo_profiles SET time = 0", "mismatched input 'UPDATE'"),
            ("CREATE SCHEMA elsewhere", "Cannot create or drop a SCHEMA"),
            ("SELECT 'at ' || time FROM klaviyo_profiles", "type mismatch"),
            ("SELECT COALESCE(TD_TIME_PARSE('2023-01-01'), '')", "type mismatch"),
            ("SELECT 1 FROM klaviyo_profiles WHERE time > '2023-01-01'", "type mismatch"),
            ("INSERT INTO klaviyo_profiles SELECT 'now'", "type mismatch"),
        ],
    )
    def test_a_query_fails_that_trino_would_refuse(self, td, text, complaint):
        job = query(td, text)
        assert job.status == "error"
        assert complaint in job.message

    def test_a_table_made_by_sql_has_lower_case_names_and_a_time(self, td):
        query(td, "CREATE TABLE Log (Source_Name varchar)")
        query(td, "INSERT INTO log (source_name) VALUES ('klaviyo')")
        assert td.databases.columns("client_src", "log") == {"source_name": "VARCHAR", "time": "BIGINT"}
        ((stored,),) = td.rows("SELECT time FROM client_src.log")
        assert abs(stored - time.time()) < 60

    def test_information_schema_tells_of_a_database(self, td):
        job = query(
            td,
            "SELECT table_name, column_name FROM information_schema.columns "
            "WHERE table_schema = 'client_src'",
        )
        assert job.result == [("klaviyo_profiles", "time")]


class TestBulkLoad:
    def test_it_adds_columns_and_fills_time(self, td):
        job = load(td)
        assert (job.status, job.num_records, job.window) == (
            "success",
            20,
            ("2023-01-01T00:00:00.000000", "2024-01-01T00:00:00.000000"),
        )
        assert (
            td.databases.columns("client_src", "klaviyo_profiles").items()
            >= {"updated": "VARCHAR", "value": "BIGINT", "properties": "VARCHAR"}.items()
        )
        assert td.rows("SELECT DISTINCT time FROM client_src.klaviyo_profiles") == [(int(job.started_at),)]

    @pytest.mark.parametrize(("mode", "rows"), [("append", 40), ("replace", 20)])
    def test_a_second_load(self, td, mode, rows):
        load(td)
        load(td, mode=mode)
        assert td.rows("SELECT count(*) FROM client_src.klaviyo_profiles") == [(rows,)]

    def test_a_load_that_fails_while_storing_leaves_the_table_as_it_was(self, td, account):
        load(td)
        account.add("profiles", updated="2023-06-01T00:00:00+00:00", score=1, value="not a number")
        assert load(td, mode="replace").status == "error"
        assert td.rows("SELECT count(*) FROM client_src.klaviyo_profiles") == [(20,)]
        assert "score" not in td.databases.columns("client_src", "klaviyo_profiles")

    def test_a_load_of_nothing_adds_no_column(self, td):
        job = load(td, {**ACCEPTED, "end_time": ACCEPTED["start_time"]})
        assert (job.status, job.num_records) == ("success", 0)
        assert list(td.databases.columns("client_src", "klaviyo_profiles")) == ["time"]

    def test_it_needs_its_table_and_an_accepted_load(self, td):
        assert "does not exist" in load(td, table="nowhere").message
        assert "Unknown data_source" in load(td, {**ACCEPTED, "data_source": "flowers"}).message

    def test_failures_strike_as_often_as_asked(self, td):
        td.fail_load("klaviyo_profiles", times=1, after=1, message='it\'s "down"')
        td.fail_query("FROM klaviyo_profiles", times=1)
        assert [load(td).status for _ in range(3)] == ["success", "error", "success"]
        assert td.loads[1].message == 'it\'s "down"'
        assert [query(td, "SELECT 1 FROM klaviyo_profiles LIMIT 1").status for _ in range(2)] == [
            "error",
            "success",
        ]
        td.fail_load("klaviyo_profiles")
        assert [load(td).status for _ in range(2)] == ["error", "error"]
        td.mend()
        assert load(td).status == "success"

    def test_what_changes_during_a_load_is_not_in_it(self, td, account):
        td.on_load("klaviyo_profiles", lambda job: account.add("profiles", updated=datetime(2023, 6, 1)))
        assert [load(td).num_records for _ in range(2)] == [20, 21]

    def test_the_peak_counts_loads_that_run_at_the_same_time(self, td):
        load(td)
        load(td)
        assert td.peak_loads == 1
        td.load_seconds = 0.1
        jobs = [
            td.submit("bulkload", "client_src", table="klaviyo_profiles", config={"in": ACCEPTED})
            for _ in range(3)
        ]
        assert {job.status for job in jobs} == {"running"}
        while any(job.status == "running" for job in jobs):
            time.sleep(0.005)
        assert td.peak_loads == 3


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
            "table/rename/other/t/u",
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

    def test_an_unknown_path_is_named_and_no_error_is_polled_again(self, td):
        code, answer = call(td, "POST", "/v3/schedule/list")
        assert code == 404 and b"POST /v3/schedule/list" in answer
        assert call(td, "POST", "/v3/job/issue/presto/client_src", b"")[0] == 400
        assert call(td, "GET", "/v3/job/result/99")[0] == 404


class TestDigdag:
    WORKFLOW = """
timezone: UTC
_export:
  td: {database: client_src}
+database:
  td_ddl>:
  create_databases: [client_src]
  create_tables: [klaviyo_profiles]
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

    @pytest.mark.skipif(not shutil.which("digdag"), reason="no digdag on PATH")
    def test_digdag_takes_the_mock_for_td(self, project, account):
        with TreasureData(account) as td, digdag.Mailbox() as mailbox:
            td.fail_load("klaviyo_profiles", times=1)
            run = digdag.run(project, "tiny", td, mailbox=mailbox, task_limit=10)
            assert "loaded 20 of job 3, 1 row" in run.output
            assert [job.status for job in td.jobs] == ["error", "success", "success"]
            assert [message.get_content().strip() for message in mailbox.messages] == ["that's all"]
        assert (run.exit_code, run.succeeded) == (1, False)
        # +tiny, its five tasks, +once twice (the retry's copy too), ^failure-alert, ^error
        assert len(run.tasks) == 10
        assert run.failed_tasks() == ["+tiny", "+tiny+load+once", "+tiny+stop"]

    @pytest.mark.skipif(not shutil.which("digdag"), reason="no digdag on PATH")
    def test_the_count_of_tasks_is_the_one_that_digdag_limits(self, project, account):
        with TreasureData(account) as td, digdag.Mailbox() as mailbox:
            td.fail_load("klaviyo_profiles", times=1)
            run = digdag.run(project, "tiny", td, mailbox=mailbox, task_limit=9)
        # No room for ^error; ^failure-alert, added in the same transaction, goes with it.
        assert "Failed to add error tasks because of task limit" in run.output
        assert (len(run.tasks), mailbox.messages) == (8, [])

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

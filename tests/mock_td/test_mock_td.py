"""The mock TD loads, keeps its clock, and fails as a test says."""

import time
from datetime import datetime

import pytest
from mock_td.example_loads import ACCEPTED, ADD_TIME
from mock_td.treasure_data import HOUR

SHORT = {**ACCEPTED, "incremental_field": "created", "end_time": "2023-02-01T00:00:00.000000"}


def query(td, text):
    return td.submit("query", "client_src", text=text)


def load(td, settings=ACCEPTED, table="klaviyo_profiles", mode="append"):
    """A bulk load, waited for."""
    return wait_for(
        td.submit(
            "bulkload",
            "client_src",
            table=table,
            config={"in": settings, "filters": ADD_TIME, "out": {"mode": mode}},
        )
    )


def wait_for(job):
    deadline = time.monotonic() + 10
    while job.status == "running" and time.monotonic() < deadline:
        time.sleep(0.005)
    return job


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


def test_a_query_waits_for_its_turn_and_then_tells_the_time(td):
    td.query_seconds = 0.1
    job = query(td, "SELECT to_unixtime(now()) AS told")
    assert job.status == "success"
    assert job.ended_at - job.started_at >= 0.1
    assert job.result[0][0] >= int(job.started_at * 10) / 10


class TestFaults:
    def test_a_load_fails_by_its_window_and_by_its_try(self, td):
        td.fail_load(when=lambda job: job.window[1] == SHORT["end_time"] and job.try_number < 3)
        assert load(td).status == "success"
        assert [load(td, SHORT).status for _ in range(3)] == ["error", "error", "success"]
        assert [(job.try_number, job.seconds, job.data_source) for job in td.loads[-2:]] == [
            (2, 31 * 86400, "profiles"),
            (3, 31 * 86400, "profiles"),
        ]

    def test_a_load_that_is_too_long_is_killed_after_hours_of_td_s_clock_alone(self, td):
        td.kill_long_loads("profiles", longer_than=60 * 86400)
        began = time.time()
        killed, short = load(td), load(td, SHORT)
        assert (killed.status, killed.message) == ("error", "killed after 7 hours")
        assert short.status == "success"
        assert time.time() - began < HOUR
        assert 7 * HOUR <= killed.ended_at - killed.started_at < 8 * HOUR
        assert short.ended_at - short.started_at < HOUR
        assert td.rows("SELECT DISTINCT time FROM client_src.klaviyo_profiles") == [(int(short.started_at),)]
        (told,) = query(td, "SELECT CAST(to_unixtime(now()) AS bigint) AS t").result[0]
        assert told >= int(killed.started_at) + 7 * HOUR

    def test_two_loads_that_are_slow_at_once_take_the_time_of_one(self, td):
        td.load_seconds = 0.2
        td.slow_load(takes=7 * HOUR)
        jobs = [
            td.submit("bulkload", "client_src", table="klaviyo_profiles", config={"in": ACCEPTED})
            for _ in range(2)
        ]
        assert [wait_for(job).status for job in jobs] == ["success", "success"]
        assert 6.9 * HOUR <= td.clock.ahead < 8 * HOUR

    def test_a_row_that_is_held_back_is_seen_later_with_the_time_of_its_insert(self, td):
        td.hold_back("'marked'", seconds=0.4, times=1)
        insert = "INSERT INTO log SELECT '{}' AS mark, CAST(to_unixtime(now()) AS bigint) AS time"
        query(td, "CREATE TABLE log (mark varchar, time bigint)")
        held, other = (query(td, insert.format(mark)) for mark in ("marked", "other"))
        assert (held.status, held.written, other.status) == ("success", 1, "success")
        assert td.rows("SELECT mark FROM client_src.log") == [("other",)]
        td.clock.advance(HOUR)
        time.sleep(0.8)
        times = dict(td.rows("SELECT mark, time FROM client_src.log"))
        assert times["marked"] <= times["other"]
        query(td, insert.format("marked"))
        assert td.rows("SELECT count(*) FROM client_src.log") == [(3,)]

    def test_a_row_that_is_held_back_fails_at_once_where_its_insert_is_refused(self, td):
        td.hold_back("INTO log", seconds=0.1)
        query(td, "CREATE TABLE log (mark varchar)")
        assert query(td, "INSERT INTO log (mark) SELECT 1").status == "error"

    @pytest.mark.parametrize(("commits", "rows"), [(True, 40), (False, 20)])
    def test_the_job_that_an_interruption_meets_is_stored_or_not(self, td, commits, rows):
        load(td)
        death = td.interrupt(load=2, commits=commits)
        load(td, SHORT, table="nowhere")
        assert not death.is_set()
        load(td)
        assert death.is_set()
        assert td.rows("SELECT count(*) FROM client_src.klaviyo_profiles") == [(rows,)]

    def test_an_interruption_can_be_asked_for_by_the_number_of_the_job(self, td):
        death = td.interrupt(job=2)
        query(td, "SELECT 1")
        assert not death.is_set()
        assert query(td, "SELECT 1").status == "success"
        assert death.is_set()

    def test_a_query_that_reads_a_whole_table_is_told(self, td):
        load(td)
        bounded, whole = (
            query(td, f"SELECT count(*) FROM klaviyo_profiles {where}") for where in ("WHERE time >= 1", "")
        )
        assert td.full_scans("client_src.klaviyo_profiles") == [whole]
        assert [scan.rows for scan in bounded.scans] == [20]

    def test_a_job_tells_where_it_wrote_how_much(self, td):
        loaded = load(td)
        copied = query(td, "CREATE TABLE copy AS SELECT id FROM klaviyo_profiles")
        refused = query(td, "DROP TABLE nowhere")
        assert [(job.statement, job.target, job.written) for job in (loaded, copied, refused)] == [
            ("", "client_src.klaviyo_profiles", 20),
            ("create", "client_src.copy", 20),
            ("", "", 0),
        ]

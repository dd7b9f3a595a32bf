"""The rendered window queries, run on DuckDB, give the windows that the README promises."""

import json
from itertools import pairwise

import duckdb
import pytest
import sqlglot
from databases import add_td_functions
from digdag_text import fill

HOUR, DAY = 3600, 86400
BEGINNING_OF_2024 = 1704067200


class Database:
    """An empty client_src with ingestion_log and the two tables of profiles."""

    def __init__(self, repo):
        self.sql = repo / "ingestion/sql"
        self.connection = duckdb.connect()
        self.connection.execute("SET TimeZone = 'UTC'; CREATE SCHEMA client_src")
        add_td_functions(self.connection)
        self.run("create_ingestion_log_table.sql")
        for table, field in (("klaviyo_profiles", "updated"), ("klaviyo_profiles_hist", "created")):
            self.run("klaviyo_create_table.sql", table_name=table, field=field)

    def run(self, name, **parameters):
        text = fill(
            (self.sql / name).read_text(encoding="utf-8"), {"databases": {"src": "client_src"}, **parameters}
        )
        return self.connection.execute(sqlglot.transpile(text, read="trino", write="duckdb")[0]).fetchall()

    def insert(self, table, *rows):
        for row in rows:
            self.connection.execute(
                f"INSERT INTO client_src.{table} VALUES ({', '.join('?' * len(row))})", row
            )

    def log(self, table, status, time, end_time=None, records=1):
        row = [None] * 12
        row[3:5], row[6], row[7], row[11] = (table, status), end_time, records, time
        self.insert("ingestion_log", row)

    def incremental_window(self, **changed):
        datasource = {
            "table_name": "klaviyo_profiles",
            "historical_table": "klaviyo_profiles_hist",
            "incremental_field": "updated",
            "lookback_seconds": 0,
            "mode": "append",
            "default_start_time": "2023-09-01T00:00:00.000000",
            **changed,
        }
        ((start_time, end_time),) = self.run("klaviyo_incremental_window.sql", datasource=datasource)
        return start_time, end_time

    def backfill_windows(self, run_started, **changed):
        datasource = {
            "table_name": "klaviyo_profiles_hist",
            "mode": "append",
            "window_days": 90,
            "default_start_time": "2023-09-01T00:00:00.000000",
            **changed,
        }
        ((windows,),) = self.run(
            "klaviyo_backfill_windows.sql", datasource=datasource, run_started=run_started
        )
        return windows and [(window["start_time"], window["end_time"]) for window in json.loads(windows)]


@pytest.fixture
def database(example_repo):
    return Database(example_repo)


def test_without_rows_the_window_starts_at_the_default(database):
    start_time, end_time = database.incremental_window()
    assert start_time == "2023-09-01T00:00:00.000000"
    ((now,),) = database.connection.execute("SELECT CAST(epoch(now()) AS BIGINT)").fetchall()
    ((end,),) = database.connection.execute(f"SELECT TD_TIME_PARSE('{end_time}')").fetchall()
    assert end_time.endswith(".000000")
    assert abs(now - end) < 60


def test_the_default_start_is_not_looked_back_from(database):
    assert database.incremental_window(lookback_seconds=7200)[0] == "2023-09-01T00:00:00.000000"


def test_the_newest_record_counts_by_time_and_not_by_text(database):
    database.insert(
        "klaviyo_profiles",
        ("2024-03-01T12:00:00+00:00", 1),
        ("2024-03-01 13:00:00+00:00", 1),  # the newest, though 'T' sorts behind the space
        ("2024-03-01T14:30:00+02:00", 1),  # 12:30 in UTC, though it sorts last
        ("2024-03-01T12:59:59.900000+00:00", 1),
    )
    assert database.incremental_window()[0] == "2024-03-01T13:00:00.000000"


def test_a_record_dated_in_the_future_does_not_count(database):
    database.insert("klaviyo_profiles", ("2024-03-01T12:00:00+00:00", 1), ("2099-01-01T00:00:00+00:00", 1))
    assert database.incremental_window()[0] == "2024-03-01T12:00:00.000000"


def test_a_text_that_is_no_time_does_not_count(database):
    database.insert("klaviyo_profiles", ("2024-03-01T12:00:00+00:00", 1), ("soon", 1), (None, 1))
    assert database.incremental_window()[0] == "2024-03-01T12:00:00.000000"


@pytest.mark.parametrize(("seconds", "start"), [(1, "11:59:59"), (2 * HOUR, "10:00:00"), (0, "12:00:00")])
def test_the_newest_record_is_looked_back_from(database, seconds, start):
    database.insert("klaviyo_profiles", ("2024-03-01T12:00:00+00:00", 1))
    assert database.incremental_window(lookback_seconds=seconds)[0] == f"2024-03-01T{start}.000000"


def test_with_historical_rows_only_the_window_starts_when_their_backfill_began(database):
    database.insert("klaviyo_profiles_hist", ("2020-01-01T00:00:00+00:00", BEGINNING_OF_2024 + 3 * HOUR))
    database.log("klaviyo_profiles_hist", "STARTED", BEGINNING_OF_2024 + HOUR)
    database.log("klaviyo_profiles_hist", "STARTED", BEGINNING_OF_2024 + 2 * HOUR)
    database.log("klaviyo_events_hist", "STARTED", BEGINNING_OF_2024)
    assert database.incremental_window()[0] == "2024-01-01T01:00:00.000000"
    assert database.incremental_window(lookback_seconds=HOUR)[0] == "2024-01-01T00:00:00.000000"


def test_historical_rows_that_no_log_tells_of_count_a_day_before_their_oldest_load(database):
    database.insert(
        "klaviyo_profiles_hist",
        ("2020-01-01T00:00:00+00:00", BEGINNING_OF_2024),
        ("x", BEGINNING_OF_2024 + DAY),
    )
    assert database.incremental_window()[0] == "2023-12-31T00:00:00.000000"


def test_a_backfill_that_brought_nothing_does_not_count(database):
    database.log("klaviyo_profiles_hist", "STARTED", BEGINNING_OF_2024)
    assert database.incremental_window()[0] == "2023-09-01T00:00:00.000000"


def test_the_incremental_table_comes_before_the_historical_one(database):
    database.insert("klaviyo_profiles_hist", ("2020-01-01T00:00:00+00:00", BEGINNING_OF_2024))
    database.insert("klaviyo_profiles", ("2023-10-01T00:00:00+00:00", 1))
    assert database.incremental_window()[0] == "2023-10-01T00:00:00.000000"


def test_a_full_load_has_no_start(database):
    assert database.incremental_window(mode="replace", incremental_field=None)[0] == ""


@pytest.mark.parametrize("blank", ["", None, "2023-09-31T00:00:00.000000"])
def test_a_default_start_that_is_no_time_gives_no_window(database, blank):
    assert database.incremental_window(default_start_time=blank)[0] is None
    assert database.backfill_windows(BEGINNING_OF_2024, default_start_time=blank) is None


def test_backfill_windows_meet_exactly_and_the_last_ends_when_the_run_began(database):
    windows = database.backfill_windows(BEGINNING_OF_2024 + 12 * HOUR)
    assert windows == [
        ("2023-09-01T00:00:00.000000", "2023-11-30T00:00:00.000000"),
        ("2023-11-30T00:00:00.000000", "2024-01-01T12:00:00.000000"),
    ]


def test_an_object_without_window_days_is_backfilled_by_one_load(database):
    windows = database.backfill_windows(BEGINNING_OF_2024, window_days=None)
    assert windows == [("2023-09-01T00:00:00.000000", "2024-01-01T00:00:00.000000")]


def test_a_backfill_goes_on_from_the_success_logged_last(database):
    database.insert("klaviyo_profiles_hist", ("2023-09-02T00:00:00+00:00", 1))
    database.log("klaviyo_profiles_hist", "SUCCESS", 10, "2024-06-01T00:00:00.000000")  # before a new start
    database.log("klaviyo_profiles_hist", "SUCCESS", 20, "2023-11-30T00:00:00.000000")
    database.log("klaviyo_profiles_hist", "SUCCESS", 20, "2023-12-30T00:00:00.000000")
    database.log("klaviyo_profiles_hist", "ERROR", 30, "2023-12-31T00:00:00.000000")
    database.log("klaviyo_events_hist", "SUCCESS", 30, "2023-12-31T00:00:00.000000")
    assert database.backfill_windows(BEGINNING_OF_2024) == [
        ("2023-12-30T00:00:00.000000", "2024-01-01T00:00:00.000000")
    ]


def test_a_backfill_begins_anew_where_its_table_was_emptied(database):
    database.log("klaviyo_profiles_hist", "SUCCESS", 10, "2023-11-30T00:00:00.000000", records=5)
    assert database.backfill_windows(BEGINNING_OF_2024)[0][0] == "2023-09-01T00:00:00.000000"


def test_an_empty_window_is_finished_too(database):
    database.log("klaviyo_profiles_hist", "SUCCESS", 10, "2023-11-30T00:00:00.000000", records=0)
    assert database.backfill_windows(BEGINNING_OF_2024)[0][0] == "2023-11-30T00:00:00.000000"


def test_a_finished_backfill_has_no_window_left(database):
    database.log("klaviyo_profiles_hist", "SUCCESS", 10, "2024-01-01T00:00:00.000000", records=0)
    assert database.backfill_windows(BEGINNING_OF_2024) == []


@pytest.mark.parametrize("window_days", [1, 30, 90])
def test_never_more_than_sixty_windows(database, window_days):
    windows = database.backfill_windows(
        BEGINNING_OF_2024, window_days=window_days, default_start_time="1970-01-01T00:00:00.000000"
    )
    assert len(windows) <= 60
    assert windows[0][0] == "1970-01-01T00:00:00.000000"
    assert windows[-1][1] == "2024-01-01T00:00:00.000000"
    assert all(earlier[1] == later[0] for earlier, later in pairwise(windows))


def test_a_full_load_is_backfilled_without_a_start(database):
    windows = database.backfill_windows(BEGINNING_OF_2024, mode="replace", window_days=None)
    assert windows == [("", "2024-01-01T00:00:00.000000")]


def test_an_object_with_a_row_since_the_run_began_is_not_started_again(database):
    datasources = json.dumps(
        [
            {"table_name": "klaviyo_profiles", "historical_table": "klaviyo_profiles_hist", "name": "it's"},
            {"table_name": "klaviyo_lists", "historical_table": "klaviyo_lists_hist"},
            {"table_name": "klaviyo_profiles_hist"},
        ]
    )
    database.connection.execute(
        "INSERT INTO client_src.ingestion_log (source_name, time) VALUES"
        " ('klaviyo_lists', 99), ('klaviyo_profiles_hist', 100), (NULL, 100)"
    )
    ((text,),) = database.run("klaviyo_not_started.sql", datasources=datasources, run_started=100)
    assert [(entry["table_name"], entry["tables_exist"]) for entry in json.loads(text)] == [
        ("klaviyo_profiles", True),
        ("klaviyo_lists", False),
    ]
    assert json.loads(text)[0]["name"] == "it's"


def test_when_all_have_started_the_list_is_empty(database):
    ((text,),) = database.run("klaviyo_not_started.sql", datasources="[]", run_started=0)
    assert json.loads(text) == []

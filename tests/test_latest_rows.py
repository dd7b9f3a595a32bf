"""The queries make the right latest tables, on the mock TD in klaviyo_latest's order, but without Digdag.

Times are minutes since the beginning of 2024; `time` of a row is when its load ran.
"""

import json
from datetime import datetime, timezone

import pytest
import yaml
from digdag_text import fill
from mock_td.clock import Clock

BEGINNING_OF_2024 = 1704067200
PROFILES, LISTS = "klaviyo_profiles", "klaviyo_lists"


def unix(minute):
    return BEGINNING_OF_2024 + round(minute * 60)


def instant(minute, form="%Y-%m-%dT%H:%M:%S+00:00"):
    return datetime.fromtimestamp(unix(minute), timezone.utc).strftime(form)


class TD:
    """A client_src with ingestion_log; its clock stands still at `minute`."""

    def __init__(self, ingestion, databases):
        self.sql = ingestion / "sql"
        self.minute = 0
        self.databases = databases(Clock())
        self.databases.clock.now = lambda: unix(self.minute)
        self.databases.create_database("client_src")
        self.datasources = yaml.safe_load((ingestion / "config/klaviyo_datasources.yml").read_text())
        self.query("create_ingestion_log_table.sql", {})

    def rows(self, sql):
        return self.databases.rows(sql)

    def query(self, name, parameters, prefix=""):
        text = fill(
            (self.sql / name).read_text(encoding="utf-8"),
            {
                "databases": {"src": "client_src"},
                "datasources": json.dumps(self.datasources["inc_datasources"]),
                "session_uuid": "own",
                "attempt_id": "1",
                **parameters,
            },
        )
        return self.databases.run(prefix + text, "client_src")

    def log(self, table, status, minute, *, mark="load.1", records=0, left=0, end="NULL"):
        milliseconds = unix(minute) * 1000 + (status != "STARTED")  # a load takes a while
        self.rows(
            f"INSERT INTO client_src.ingestion_log VALUES ('{mark}/{milliseconds}/{left}/x', '{table}', "
            f"'klaviyo_ingest_inc', '{table}', '{status}', NULL, {end}, {records}, NULL, NULL, NULL, {unix(minute)})"
        )

    def load(self, table, *records, at, ends=None, mark="load.1", left=0):
        """A load that began at a minute, with its two rows; a record is (id, minute of its change) or a map."""
        if table not in self.databases.tables("client_src"):
            self.databases.create_table("client_src", table)
        maps = [
            record
            if isinstance(record, dict)
            else {"id": record[0], "updated": instant(record[1]), "load": at}
            for record in records
        ]
        self.log(table, "STARTED", at, mark=mark)
        self.databases.load("client_src", table, maps, "append", unix(at))
        self.log(table, "SUCCESS", at if ends is None else ends, mark=mark, records=len(records), left=left)

    def to_do(self, **parameters):
        """What klaviyo_latest_tables.sql lists, by table."""
        ((text,),) = self.query("klaviyo_latest_tables.sql", parameters).rows
        return {entry["table_name"]: entry for entry in json.loads(text)}

    def changes(self, latest, **parameters):
        outcome = self.query("klaviyo_latest_changes.sql", {"latest": latest, **parameters})
        return dict(zip((name for name, _ in outcome.columns), outcome.rows[0], strict=True))

    def merge(self, minute, *, interrupted=False, **parameters):
        """A run at a minute: {table: what it did}. Interrupted: ends after its DELETE."""
        self.minute, done = minute, {}
        for table, latest in self.to_do(**parameters).items():
            results = self.changes(latest)
            known = {"latest": latest, "td": {"last_results": results}}
            assert results["concurrent_run"] == ""
            if results["action"] == "rebuild":
                self.query("klaviyo_latest_rebuild.sql", known, f"CREATE TABLE {table}_new AS\n")
                self.databases.rename_table("client_src", f"{table}_new", table)
            if results["action"] == "merge":
                if results["replaced"]:
                    done[table] = self.query("klaviyo_latest_delete.sql", known).written
                    assert done[table] == results["replaced"]
                if interrupted:
                    return done
                self.query("klaviyo_latest_insert.sql", known)
            end = latest["end_time"]
            self.log(
                table,
                "SUCCESS",
                minute,
                mark=f"latest-{minute}.1",
                records=results["changed"],
                end=f"'{end}'",
            )
            done[table] = (results["action"], results["changed"])
        return done

    def latest(self, object="profiles", columns="id, load"):
        return self.rows(f"SELECT {columns} FROM client_src.klaviyo_{object}_latest ORDER BY ALL")


@pytest.fixture(scope="module")
def with_latest_tables(copie_session, example_answers):
    result = copie_session.copy(extra_answers={**example_answers, "latest_tables": True})
    assert result.exit_code == 0, result.exception
    return result.project_dir / "ingestion"


@pytest.fixture
def td(with_latest_tables, databases):
    td = TD(with_latest_tables, databases)
    yield td
    td.databases.close()


def test_the_newest_version_counts_by_the_field_and_then_by_load_in_any_order_of_arrival(td):
    td.load(PROFILES, ("a", 5), ("b", 1), at=10)
    td.load("klaviyo_profiles_hist", ("a", 4), ("b", 2), ("c", 3), at=11)
    td.load(PROFILES, ("c", 3), at=12)
    assert td.merge(20) == {"klaviyo_profiles_latest": ("rebuild", 3)}
    assert td.latest() == [("a", 10), ("b", 11), ("c", 12)]
    td.load(PROFILES, ("a", 6), at=200)
    td.load("klaviyo_profiles_hist", ("a", 5), ("b", 1), ("d", 1), at=201)
    assert td.merge(210) == {"klaviyo_profiles_latest": ("merge", 2)}
    assert td.latest() == [("a", 200), ("b", 11), ("c", 12), ("d", 201)]


@pytest.mark.parametrize("form", ["%Y-%m-%d %H:%M:%S+00:00", "%Y-%m-%dT%H:%M:%S.123456+00:00"])
def test_texts_that_sort_otherwise_than_their_times_do_not_mislead(td, form):
    td.load(
        PROFILES,
        {"id": "a", "updated": instant(6, form), "load": 10},
        {"id": "b", "updated": None, "load": 10},
        at=10,
    )
    td.load(PROFILES, {"id": "a", "updated": instant(5), "load": 11}, ("b", 1), at=11)
    td.merge(20)
    assert td.latest() == [("a", 10), ("b", 11)]


@pytest.mark.parametrize("kind", [int, float, "ms"])
def test_a_field_that_is_a_number_is_read_for_what_it_is(td, kind):
    def record(id, minute):
        seconds = unix(minute) * 1000 if kind == "ms" else kind(unix(minute))
        return {"id": id, "updated": seconds, "load": minute}

    td.load(PROFILES, record("a", 7), record("a", 6), at=10)
    td.merge(20)
    td.load("klaviyo_profiles_hist", ("a", 8), at=200)  # as text here
    assert td.merge(210)["klaviyo_profiles_latest"] == ("rebuild", 1)
    assert td.latest() == [("a", 200)]


def test_no_load_no_work_and_a_table_without_rows_is_none(td):
    for table in (PROFILES, "klaviyo_profiles_hist", LISTS):
        td.databases.create_table("client_src", table)
    assert td.merge(1) == {}
    td.load("klaviyo_profiles_hist", ("a", 1), at=2)
    assert td.merge(3) == {"klaviyo_profiles_latest": ("rebuild", 1)}
    assert td.merge(100) == {"klaviyo_profiles_latest": ("nothing", 0)}  # within the hour before the last
    assert td.merge(200) == {}


def test_a_load_that_began_before_a_merge_and_ended_after_it_is_not_missed(td):
    td.load(PROFILES, ("a", 1), at=10)
    td.merge(200)
    td.load("klaviyo_profiles_hist", ("b", 1), at=50, ends=500)
    assert td.merge(510) == {"klaviyo_profiles_latest": ("merge", 1)}
    assert td.latest() == [("a", 10), ("b", 50)]


def test_a_success_that_is_seen_only_after_the_merge_is_not_missed(td):
    td.load(PROFILES, ("a", 1), at=10)
    td.merge(200)
    td.load(PROFILES, ("b", 1), at=199)  # its row is older than the merge, which has not seen it
    assert td.merge(300) == {"klaviyo_profiles_latest": ("merge", 1)}


def test_loads_of_before_are_not_read_again(td):
    td.load(PROFILES, *((f"old-{number}", 1) for number in range(50)), at=10)
    td.merge(200)
    td.load(PROFILES, ("new", 1), at=400)
    td.minute = 410
    entry = td.to_do()["klaviyo_profiles_latest"]
    read = td.query("klaviyo_latest_changes.sql", {"latest": entry}).scans
    assert {
        (scan.table, scan.rows) for scan in read if "latest" not in scan.table and "log" not in scan.table
    } == {("client_src.klaviyo_profiles", 1)}


def test_an_interrupted_merge_is_made_good_by_the_next(td):
    td.load(PROFILES, ("a", 1), ("b", 1), at=10)
    td.merge(20)
    td.load(PROFILES, ("a", 2), ("c", 2), at=200)
    assert td.merge(210, interrupted=True) == {"klaviyo_profiles_latest": 1}
    assert td.latest() == [("b", 10)]
    assert td.merge(220) == {"klaviyo_profiles_latest": ("merge", 2)}
    assert td.latest() == [("a", 200), ("b", 10), ("c", 200)]


def test_a_column_more_is_there_for_all_and_one_of_two_types_becomes_text(td):
    td.load(PROFILES, {"id": "a", "updated": instant(1), "order": 1}, at=10)
    td.load("klaviyo_profiles_hist", {"id": "b", "updated": instant(1), "order": 2}, at=10)
    td.merge(20)
    assert td.latest(columns='id, "order"') == [("a", 1), ("b", 2)]
    td.load(PROFILES, {"id": "a", "updated": instant(2), "plan": 7}, at=200)
    assert td.merge(210) == {"klaviyo_profiles_latest": ("rebuild", 2)}
    assert td.latest(columns='id, "order", plan') == [("a", None, 7), ("b", 2, None)]
    td.load("klaviyo_profiles_hist", {"id": "b", "updated": instant(3), "plan": "free"}, at=300)
    assert td.merge(310) == {"klaviyo_profiles_latest": ("rebuild", 2)}
    assert td.latest(columns="id, plan") == [("a", "7"), ("b", "free")]
    td.load(PROFILES, {"id": "b", "updated": instant(4), "plan": 8}, at=400)
    assert td.merge(410) == {"klaviyo_profiles_latest": ("merge", 1)}
    assert td.latest(columns="id, plan") == [("a", "7"), ("b", "8")]


def test_rows_without_an_id_are_left_out_and_counted(td):
    td.load(PROFILES, ("a", 1), (None, 1), (None, 2), at=10)
    td.minute = 20
    entry = td.to_do()["klaviyo_profiles_latest"]
    assert td.changes(entry)["left_out"] == "2 rows without an id were left out"
    td.merge(20)
    assert td.latest() == [("a", 10)]


def test_what_has_no_column_id_gets_no_latest_table_and_the_log_counts_its_rows(td):
    def told():
        entries = td.to_do(rebuild="true")
        return {table: td.changes(entry)["left_out"] for table, entry in entries.items()}

    td.databases.create_table("client_src", "klaviyo_profiles_hist")
    td.load(PROFILES, {"key": "a", "updated": instant(1)}, {"key": "b", "updated": instant(1)}, at=10)
    td.minute = 100
    assert told() == {"klaviyo_profiles_latest": "2 rows without an id were left out"}
    assert td.merge(100, rebuild="true") == {"klaviyo_profiles_latest": ("nothing", 0)}
    assert "klaviyo_profiles_latest" not in td.databases.tables("client_src")
    assert td.merge(200) == {}
    td.load("klaviyo_profiles_hist", ("c", 1), at=300)
    td.minute = 310
    assert told() == {"klaviyo_profiles_latest": "2 rows without an id were left out"}
    assert td.merge(310) == {"klaviyo_profiles_latest": ("rebuild", 1)}
    assert td.latest(columns="id, key") == [("c", None)]


def test_what_has_no_windows_is_made_anew_where_something_is_new(td):
    td.load(LISTS, ("a", 1), at=10)
    td.merge(20)
    td.load(LISTS, ("b", 2), at=200)
    assert td.merge(210) == {"klaviyo_lists_latest": ("rebuild", 1)}
    assert td.latest("lists") == [("a", 10), ("b", 200)]


def test_all_are_made_anew_where_it_is_asked_for(td):
    td.load(PROFILES, ("a", 1), at=10)
    td.merge(20)
    td.rows("DELETE FROM client_src.klaviyo_profiles")
    td.rows("INSERT INTO client_src.klaviyo_profiles (id, time) VALUES ('b', 0)")  # of which no log tells
    assert td.merge(300) == {"klaviyo_profiles_latest": ("nothing", 0)}
    assert td.merge(310, rebuild="true") == {"klaviyo_profiles_latest": ("rebuild", 1)}
    assert td.latest(columns="id") == [("b",)]


def test_a_full_load_has_no_latest_table(td):
    for entry in td.datasources["inc_datasources"]:
        if entry["table_name"] == LISTS:
            entry.update(mode="replace", incremental_field=None)
    td.load(LISTS, ("a", 1), at=10)
    assert td.merge(20) == {}


def test_what_has_windows_left_waits_for_them_but_only_in_its_own_run(td):
    td.load(PROFILES, ("a", 1), at=10, mark="own.1", left=3)
    assert td.merge(20) == {}
    td.log(PROFILES, "ERROR", 21, mark="own.1")
    assert td.merge(22) == {"klaviyo_profiles_latest": ("rebuild", 1)}


@pytest.mark.parametrize(
    ("rows", "again"),
    [(["STARTED", "SUCCESS"], False), (["STARTED", "ERROR"], True), (3 * ["STARTED", "ERROR"], False)],
)
def test_a_run_tries_each_once_and_after_a_failure_twice_more(td, rows, again):
    td.load(PROFILES, ("a", 1), at=10)
    for minute, status in enumerate(rows):
        td.log("klaviyo_profiles_latest", status, 11 + minute, mark="own.1", end=f"'{instant(1)}'")
    assert bool(td.to_do()) == again


@pytest.mark.parametrize(
    ("mark", "rows", "minutes", "found"),
    [
        ("other.1", ["STARTED"], 1, True),
        ("other.1", ["STARTED"], 25 * 60 + 1, False),
        ("other.1", ["STARTED", "ERROR"], 1, False),
        ("own.0", ["STARTED"], 1, False),
    ],
)
def test_a_table_on_which_another_run_is_at_work_is_left_alone(td, mark, rows, minutes, found):
    td.load(PROFILES, ("a", 1), at=10)
    for second, status in enumerate(rows):
        td.log("klaviyo_profiles_latest", status, 11 + second / 60, mark=mark)
    td.minute = 11 + minutes
    entry = td.to_do()["klaviyo_profiles_latest"]
    told = td.changes(entry)["concurrent_run"]
    assert told == "" if not found else mark in told and "take_over=yes" in told
    assert td.changes(entry, take_over="yes")["concurrent_run"] == ""


def test_a_hundred_new_of_a_hundred_thousand_write_a_hundred(td):
    td.load(PROFILES, ("a", 1), at=10)
    td.rows(
        "INSERT INTO client_src.klaviyo_profiles (id, updated, time) "
        f"SELECT 'p-' || n, '{instant(1)}', {unix(10)} FROM range(100000) AS numbers (n)"
    )
    td.merge(20)
    td.load(
        PROFILES, *((f"p-{number}", 2) for number in range(50)), *((f"q-{n}", 2) for n in range(50)), at=300
    )
    assert td.merge(310) == {"klaviyo_profiles_latest": ("merge", 100)}
    assert td.rows("SELECT count(*), count(DISTINCT id) FROM client_src.klaviyo_profiles_latest") == [
        (100051, 100051)
    ]


@pytest.mark.parametrize(("status", "found"), [("SUCCESS", False), ("ERROR", True)])
def test_a_run_that_died_at_work_on_a_table_counts_until_a_later_one_was_there(td, status, found):
    td.load(PROFILES, ("a", 1), at=10)
    td.log("klaviyo_profiles_latest", "STARTED", 11, mark="other.1")
    td.log("klaviyo_profiles_latest", "STARTED", 12, mark="later.1")
    td.log("klaviyo_profiles_latest", status, 13, mark="later.1")
    td.minute = 14
    told = td.changes(td.to_do()["klaviyo_profiles_latest"])["concurrent_run"]
    assert ("other.1" in told) == found

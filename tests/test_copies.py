"""After a successful run the tables hold each version of a record once, and none is lost.

Times are days since the beginning of 2024, unless they are Unix seconds.
"""

import json

import pytest
from mock_td.clock import Clock
from run_queries import EVENTS, EVENTS_HIST, HOUR, PROFILES, TD, text, unix

LISTS = "klaviyo_lists"
FIELDS = {"profiles": "updated", "events": "datetime", "lists": "updated"}


def field_of(table):
    """What tells two versions of a table's records apart."""
    return FIELDS[table.removesuffix("_hist").removeprefix("klaviyo_")]


def in_records(day):
    """A day, as records have it."""
    return f"{text(unix(day))[:19]}Z"


class Client(TD):
    """A client's tables, loads into them, and what a run removes of them."""

    def __init__(self, repo):
        super().__init__(repo)
        for table in (LISTS, f"{LISTS}_hist"):
            self.databases.create_table("client_src", table)
        self.deleted = {}

    def load(self, table, *records, at, start=0, mark="load.1", ends=True):
        """A load that asked from a day on; a record is (id, day of its change), or a map."""
        maps = [
            record if isinstance(record, dict) else {"id": record[0], field_of(table): in_records(record[1])}
            for record in records
        ]
        window = (unix(start) - 1, unix(at))
        self.log(table, "STARTED", unix(at), window=window, mark=mark)
        self.databases.load("client_src", table, maps, "append", unix(at) + 1)
        if ends:
            self.log(table, "SUCCESS", unix(at) + 60, window=window, mark=mark, records=len(maps))

    def listed(self, at, *, backfill=False, mark="clean.1"):
        """What a run lists to remove copies from at a day."""
        self.clock.ahead = unix(at) - Clock().now()
        ((found,),) = self.query(
            "klaviyo_copies_to_remove.sql",
            mark=mark,
            objects=json.dumps(self.lists["inc_datasources"]),
            place=2 if backfill else 1,
        )
        return json.loads(found)

    def run(self, at, *loads, backfill=False, mark=None, failing=()):
        """A run at a day: its loads (table, records, start), what it removes, its end. Returns {table: deleted}."""
        mark = mark or f"run-{round(at * 100)}.1"
        self.log(None, "STARTED", unix(at), mark=mark)
        for table, records, start in loads:
            self.load(table, *records, at=at, start=start, mark=mark)
        deleted = self.clean(at, backfill=backfill, mark=mark, failing=failing)
        self.log(None, "ERROR" if failing else "SUCCESS", unix(at) + 300, mark=mark, left="cleaned")
        return deleted

    def clean(self, at, *, backfill=False, mark="clean.1", failing=()):
        deleted = {}
        for copies in self.listed(at, backfill=backfill, mark=mark):
            table = copies["table_name"]
            if table in failing:
                self.log(table, "ERROR", unix(at) + 200, mark=mark)
                continue
            before = self.count(table)
            self.query("klaviyo_remove_copies.sql", copies=copies)
            deleted[table] = deleted.get(table, 0) + before - self.count(table)
        return deleted

    def count(self, table):
        return self.rows(f"SELECT count(*) FROM client_src.{table}")[0][0]

    def ids(self, table):
        return [id for (id,) in self.rows(f"SELECT id FROM client_src.{table} ORDER BY ALL")]


@pytest.fixture(scope="module")
def with_removal(copie_session, example_answers):
    result = copie_session.copy(extra_answers={**example_answers, "remove_copies": True})
    assert result.exit_code == 0, result.exception
    return result.project_dir


@pytest.fixture
def td(with_removal):
    td = Client(with_removal)
    yield td
    td.databases.close()


def test_an_event_that_is_loaded_again_is_there_once_as_it_was_loaded_last(td):
    td.run(10, (EVENTS, [("a", 9), ("b", 9.5)], 9))
    assert td.run(10.5, (EVENTS, [("b", 9.5), ("c", 10.2)], 9.4)) == {EVENTS: 1}
    assert td.ids(EVENTS) == ["a", "b", "c"]
    assert td.rows(f"SELECT time FROM client_src.{EVENTS} WHERE id = 'b'") == [(unix(10.5) + 1,)]


def test_each_version_of_a_record_that_changes_stays(td):
    td.run(10, (PROFILES, [("a", 9)], 9))
    assert td.run(11, (PROFILES, [("a", 9), ("a", 10.5)], 9)) == {PROFILES: 1}
    assert td.rows(f"SELECT id, updated FROM client_src.{PROFILES} ORDER BY ALL") == [
        ("a", f"{text(unix(9))[:19]}Z"),
        ("a", f"{text(unix(10.5))[:19]}Z"),
    ]


def test_a_row_of_the_incremental_table_wins_over_the_backfills_though_that_is_newer(td):
    td.run(10, (EVENTS, [("a", 9)], 8))
    assert td.run(20, (EVENTS_HIST, [("a", 9), ("old", 3)], 0), backfill=True) == {EVENTS_HIST: 1}
    assert (td.ids(EVENTS), td.ids(EVENTS_HIST)) == (["a"], ["old"])


def test_what_the_first_incremental_run_loads_again_goes_from_the_backfill(td):
    td.run(10, (EVENTS_HIST, [("a", 9), ("old", 3)], 0), backfill=True)
    assert td.run(11, (EVENTS, [("a", 9), ("b", 10.5)], 4)) == {EVENTS_HIST: 1}
    assert (td.ids(EVENTS), td.ids(EVENTS_HIST)) == (["a", "b"], ["old"])


def test_one_load_alone_is_not_looked_at(td):
    assert td.run(10, (EVENTS_HIST, [("a", 9)], 0), backfill=True) == {}
    assert td.listed(10.1) == []


def test_where_nothing_was_loaded_nothing_is_looked_at(td):
    td.run(10, (EVENTS, [("a", 9)], 9))
    td.run(11, (EVENTS, [("a", 9)], 9))
    assert td.run(12, (EVENTS, [], 10.9)) == {}
    assert td.run(13) == {}


@pytest.mark.parametrize("later", [10.02, 10.5, 12])
def test_what_a_run_left_that_was_killed_before_it_removed_anything_goes_in_the_next(td, later):
    td.run(9, (EVENTS, [("a", 8)], 8))
    td.log(None, "STARTED", unix(10), mark="killed.1")
    td.load(EVENTS, ("a", 8), at=10, start=8, mark="killed.1")
    assert td.run(later, (EVENTS, [("b", 10)], 9.9)) == {EVENTS: 1}
    assert td.ids(EVENTS) == ["a", "b"]


def test_what_a_load_brought_that_was_killed_before_its_success_goes_in_the_next(td):
    td.run(9, (EVENTS, [("a", 8)], 8))
    td.load(EVENTS, ("a", 8), at=10, start=8, mark="killed.1", ends=False)
    assert td.run(10.1, (EVENTS, [("b", 10)], 9.9)) == {EVENTS: 1}


def test_a_load_that_commits_after_a_run_that_took_over_leaves_no_copy(td):
    td.run(9, (EVENTS, [("a", 8)], 8))
    td.log(EVENTS, "STARTED", unix(10), window=(unix(9) - 1, unix(10)), mark="killed.1")
    td.run(10.1, (EVENTS, [("b", 9.5)], 8.9))
    td.databases.load("client_src", EVENTS, [{"id": "b", "datetime": text(unix(9.5))}], "append", unix(10))
    assert td.run(10.2, (EVENTS, [("c", 10.1)], 10)) == {EVENTS: 1}
    assert td.rows(f"SELECT time FROM client_src.{EVENTS} WHERE id = 'b'") == [(unix(10.1) + 1,)]


@pytest.mark.parametrize("failing", [EVENTS, EVENTS_HIST])
def test_a_removal_that_failed_is_made_good_by_the_next_run_and_holds_up_no_other(td, failing):
    td.run(10, (EVENTS_HIST, [("a", 9), ("old", 3)], 0), backfill=True)
    td.run(10.5, (EVENTS, [("b", 9.5)], 9), (PROFILES, [("p", 9)], 9))
    done = td.run(11, (EVENTS, [("a", 9), ("b", 9.5)], 8.5), (PROFILES, [("p", 9)], 9), failing=[failing])
    assert done[PROFILES] == 1
    again = td.run(20, (EVENTS, [("c", 19)], 19), (PROFILES, [("q", 19)], 19))
    assert again[failing] == 1
    assert (td.ids(EVENTS), td.ids(EVENTS_HIST)) == (["a", "b", "c"], ["old"])


def test_a_table_whose_removal_failed_is_not_tried_again_in_the_same_run(td):
    td.run(9, (EVENTS, [("a", 8)], 8))
    td.load(EVENTS, ("a", 8), at=10, start=8, mark="own.1")
    td.log(EVENTS, "ERROR", unix(10.01), mark="own.1")
    assert td.listed(10.02, mark="own.1") == []


def test_an_object_that_fails_for_days_lets_no_other_read_more(td):
    for day in range(10, 20):
        td.run(day, (EVENTS, [("a", 9)], day - 1), failing=["klaviyo_campaigns"])
    (copies,) = td.listed(20, mark="later.1") or [None]
    assert copies is None
    td.load(EVENTS, ("a", 9), at=20, start=19, mark="own.1")
    (copies,) = td.listed(20, mark="own.1")
    assert copies["since"] == unix(19) - 1 - HOUR


def test_what_stands_there_from_before_is_removed_by_the_first_run(td):
    for number in range(8):
        td.load(EVENTS, ("a", 9), ("b", 9), at=10 + number, start=9, mark=f"before-{number}.1")
        td.log(None, "SUCCESS", unix(10 + number) + 300, mark=f"before-{number}.1")
    assert td.run(20, (EVENTS, [("c", 19)], 19)) == {EVENTS: 14}
    assert td.ids(EVENTS) == ["a", "b", "c"]


def test_a_large_table_is_done_in_stretches_that_leave_out_nothing(td):
    for number in range(3):
        records = [(f"e{day}", day) for day in range(1, 20)] + [{"id": "odd", "datetime": "soon"}]
        td.load(EVENTS, *records, at=20 + number, start=1, mark=f"before-{number}.1")
    td.rows("UPDATE client_src.ingestion_log SET records_processed = 20000000 WHERE status = 'SUCCESS'")
    listed = td.listed(23)
    assert len(listed) == 7
    assert td.clean(23) == {EVENTS: 40}
    assert len(td.ids(EVENTS)) == 20


def test_null_and_empty_ids_stay(td):
    records = [{"id": id, "datetime": text(unix(9))} for id in (None, "", "a")]
    td.run(10, (EVENTS, records, 9))
    assert td.run(11, (EVENTS, records, 9)) == {EVENTS: 1}
    assert td.count(EVENTS) == 5


def test_a_field_that_is_null_tells_no_version(td):
    records = [{"id": "a", "updated": None}, {"id": "b", "updated": "x"}]
    td.run(10, (PROFILES, records, 9))
    assert td.run(11, (PROFILES, records, 9)) == {PROFILES: 1}


def test_an_id_is_the_same_as_a_number_in_one_of_the_tables(td):
    td.run(10, (EVENTS_HIST, [{"id": 7, "datetime": text(unix(9))}], 0), backfill=True)
    assert td.run(11, (EVENTS, [{"id": "7", "datetime": text(unix(9))}], 8)) == {EVENTS_HIST: 1}


@pytest.mark.parametrize("column", ["id", "datetime"])
def test_a_table_without_what_tells_versions_apart_is_left_alone(td, column):
    record = {"id": "a", "datetime": text(unix(9)), "value": 1}
    del record[column]
    td.rows(f"DROP TABLE client_src.{EVENTS}")
    td.databases.create_table("client_src", EVENTS)
    for day in (10, 11):
        assert td.run(day, (EVENTS, [record], 9)) == {}
    assert td.count(EVENTS) == 2


def test_metrics_whose_filter_is_ignored_are_there_once(td):
    """So is any small object of which a load brings more than its window."""
    for day in (10, 20, 30):
        td.run(day, (LISTS, [("a", 1), ("b", 2)], day - 1))
    assert td.count(LISTS) == 2


def test_a_full_load_is_left_alone(td):
    td.change(LISTS, mode="replace")
    td.load(LISTS, ("a", 1), at=10)
    td.load(LISTS, ("a", 1), at=11)
    assert td.listed(12) == []


def test_a_removal_reads_no_more_as_the_table_grows(td):
    for day in range(100, 130):
        td.run(day, (EVENTS, [(f"e{day}", day - 0.5)], day - 7))
    td.load(EVENTS, ("e129", 128.5), at=130, start=123, mark="own.1")
    (copies,) = td.listed(130, mark="own.1")
    assert copies["since"] == unix(123) - 1 - HOUR
    done = td.outcome("klaviyo_remove_copies.sql", copies=copies)
    assert all(scan.since == unix(123) - 1 - HOUR for scan in done.scans)
    assert {column for scan in done.scans for column in scan.columns} == {"id", "time"}

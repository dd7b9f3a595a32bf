"""The queries that people run by hand, on the mock TD: none fails where a table has had no rows, or is not there.

Some print a query, as Trino refuses one that names a column which no load has brought yet.
"""

import re
from datetime import datetime, timezone

import pytest
from digdag_text import fill
from mock_td.clock import Clock
from mock_td.databases import Databases

SAMPLES = "ingestion/query_samples"
HOUR, DAY = 3600, 86400
FOR_PEOPLE = [
    "backfill_progress",
    "duplicates",
    "freshness",
    "latest_rows",
    "monitoring",
    "unfinished_loads",
    "reconciliation",
]


class TD:
    """A client_src with ingestion_log; times are seconds before now."""

    def __init__(self, ingestion):
        self.samples = ingestion / "query_samples"
        self.databases = Databases(Clock())
        now = self.databases.clock.now()
        self.databases.clock.now = lambda: now  # stands still, so that seconds before it are the same ones
        self.databases.create_database("client_src")
        text = (ingestion / "sql/create_ingestion_log_table.sql").read_text(encoding="utf-8")
        self.databases.run(fill(text, {"databases": {"src": "client_src"}}), "client_src")

    def ask(self, name):
        """The rows of a query, or of those that it prints, as maps."""
        rows = self._rows((self.samples / f"klaviyo_{name}.sql").read_text(encoding="utf-8"))
        if rows and "query" in rows[0]:
            return [row for printed in rows for row in self._rows(printed["query"])]
        return rows

    def _rows(self, text):
        outcome = self.databases.run(text, "client_src")
        return [dict(zip((name for name, _ in outcome.columns), row, strict=True)) for row in outcome.rows]

    def instant(self, ago, form="%Y-%m-%dT%H:%M:%S.000000"):
        return datetime.fromtimestamp(int(self.databases.clock.now()) - ago, timezone.utc).strftime(form)

    def log(
        self,
        table,
        status,
        ago,
        *,
        window=(None, None),
        records=0,
        left="",
        mark="m.1",
        workflow="klaviyo_ingest_inc",
    ):
        at = int(self.databases.clock.now()) - ago
        start, end = (f"'{self.instant(each)}'" if each is not None else "NULL" for each in window)
        name = f"'{table}'" if table else "NULL"
        self.databases.rows(
            f"INSERT INTO client_src.ingestion_log VALUES ('{mark}/{at * 1000}/{left}/x', 'klaviyo', '{workflow}', {name}, "
            f"'{status}', {start}, {end}, {records}, NULL, NULL, NULL, {at})"
        )

    def load(self, table, *records, ago=0):
        if table not in self.databases.tables("client_src"):
            self.databases.create_table("client_src", table)
        maps = [
            {"id": id, "updated": self.instant(changed, "%Y-%m-%d %H:%M:%S+00:00")} for id, changed in records
        ]
        self.databases.load("client_src", table, maps, "append", int(self.databases.clock.now()) - ago)


@pytest.fixture
def td(example_repo):
    return TD(example_repo / "ingestion")


def test_these_are_all_there_are(example_repo):
    found = {path.stem.removeprefix("klaviyo_") for path in (example_repo / SAMPLES).iterdir()}
    assert found == set(FOR_PEOPLE)


def test_each_can_be_pasted_as_it_is(example_repo):
    """What only a workflow can fill in is ${...}."""
    for path in (example_repo / SAMPLES).iterdir():
        assert "${" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", FOR_PEOPLE)
def test_none_fails_without_tables_nor_where_they_have_had_no_rows(td, name):
    td.ask(name)
    for table in ("klaviyo_profiles", "klaviyo_profiles_hist", "klaviyo_events_hist"):
        td.databases.create_table("client_src", table)
    td.ask(name)
    td.load("klaviyo_profiles", ("a", HOUR))
    td.ask(name)


def test_monitoring_shows_the_last_twenty_rows(td):
    for ago in range(25):
        td.log("klaviyo_lists", "SUCCESS", ago, records=ago)
    assert [row["records_processed"] for row in td.ask("monitoring")] == list(range(20))


def test_progress_tells_of_a_backfill_how_far_it_is_and_when_it_will_be_ready(td):
    for ago, window in ((400, (10 * DAY, 8 * DAY)), (200, (8 * DAY, 6 * DAY))):
        td.log("klaviyo_events_hist", "STARTED", ago, window=window, workflow="klaviyo_ingest_hist")
        left = 4 if ago == 400 else 3
        td.log(
            "klaviyo_events_hist",
            "SUCCESS",
            ago - 100,
            window=window,
            records=7,
            left=left,
            workflow="klaviyo_ingest_hist",
        )
    td.log("klaviyo_events_hist", "STARTED", 50, window=(6 * DAY, 4 * DAY), workflow="klaviyo_ingest_hist")
    td.log("klaviyo_lists_hist", "STARTED", 10, window=(10 * DAY, 0), workflow="klaviyo_ingest_hist")
    td.log(
        "klaviyo_lists_hist",
        "SUCCESS",
        5,
        window=(10 * DAY, 0),
        records=2,
        left=0,
        workflow="klaviyo_ingest_hist",
    )
    events, lists = td.ask("backfill_progress")
    assert (events["table_name"], events["status"], events["records"], events["windows_left"]) == (
        "klaviyo_events_hist",
        "STARTED",
        14,
        3,
    )
    assert events["loaded_until"] == td.instant(6 * DAY, "%Y-%m-%d %H:%M:%S")
    assert float(events["percent"]) == pytest.approx(40, abs=0.1)
    assert events["running"].startswith(f"{td.instant(6 * DAY)} to {td.instant(4 * DAY)}, since ")
    ready = datetime.fromisoformat(events["ready_at"]).replace(tzinfo=timezone.utc).timestamp()
    assert ready == pytest.approx(td.databases.clock.now() + 300, abs=2)
    assert (float(lists["percent"]), lists["running"], lists["ready_at"]) == (100, None, None)


def test_what_never_ended_is_named_and_what_ended_is_not(td):
    td.log(None, "STARTED", 7200, mark="died.1")
    td.log("klaviyo_lists", "STARTED", 7190, mark="died.1", window=(DAY, 0))
    td.log("klaviyo_events", "STARTED", 7190, mark="died.1")
    td.log("klaviyo_events", "ERROR", 7180, mark="died.1")
    td.log(None, "STARTED", 60, mark="well.1")
    td.log(None, "SUCCESS", 30, mark="well.1")
    rows = td.ask("unfinished_loads")
    assert [(row["what"], row["mark"], float(row["hours_ago"])) for row in rows] == [
        ("klaviyo_lists", "died.1", 2.0),
        ("the run", "died.1", 2.0),
    ]


def test_freshness_tells_the_age_of_the_last_load_and_of_the_newest_record_and_how_many_came(td):
    td.load("klaviyo_profiles", ("a", 5 * HOUR), ("b", 3 * HOUR), ("ahead", -DAY))
    td.load("klaviyo_profiles_hist", ("c", 4 * HOUR))
    td.log("klaviyo_profiles", "SUCCESS", 2 * HOUR, records=10)
    td.log("klaviyo_profiles", "ERROR", HOUR)
    for day in range(1, 10):
        td.log("klaviyo_profiles", "SUCCESS", day * DAY + HOUR, records=day)
    profiles = td.ask("freshness")[0]
    assert {name: value if name == "object" else float(value) for name, value in profiles.items()} == {
        "object": "profiles",
        "hours_since_success": 2.0,
        "hours_since_newest_record": 3.0,
        "rows_of_24_hours": 10,
        "rows_a_day_before": 4.0,  # 1 to 7
    }
    assert td.ask("freshness")[1]["hours_since_newest_record"] is None


def test_reconciliation_sets_the_log_beside_rows_and_ids_an_object_a_line(td):
    td.load("klaviyo_profiles", ("a", 2), ("a", 1))
    td.load("klaviyo_profiles_hist", ("a", 3), ("b", 3))
    td.log("klaviyo_profiles", "SUCCESS", 1, records=2)
    td.log("klaviyo_profiles_hist", "SUCCESS", 1, records=3)
    rows = td.ask("reconciliation")
    assert len(rows) == 6
    assert rows[0] == {"object": "profiles", "logged": 5, "rows_there": 4, "distinct_ids": 2}
    assert rows[1] == {"object": "events", "logged": 0, "rows_there": 0, "distinct_ids": 0}


def test_duplicates_are_the_ids_that_stand_in_one_table_more_than_once(td):
    td.load("klaviyo_profiles", ("a", 2), ("a", 1), ("b", 1))
    td.load("klaviyo_profiles_hist", ("b", 3))
    assert [(row["table_name"], row["id"], row["times"]) for row in td.ask("duplicates")] == [
        ("klaviyo_profiles", "a", 2)
    ]


def test_latest_rows_are_of_both_tables_whatever_is_null_or_twice(td):
    td.load("klaviyo_profiles", ("a", 2), ("a", 9), ago=50)
    td.load("klaviyo_profiles_hist", ("a", 9), ("b", 3), ("b", 3), (None, 1))
    rows = td.ask("latest_rows")
    assert sorted((row["id"], row["updated"]) for row in rows) == [
        ("a", td.instant(2, "%Y-%m-%d %H:%M:%S+00:00")),
        ("b", td.instant(3, "%Y-%m-%d %H:%M:%S+00:00")),
    ]


def test_an_object_that_is_not_loaded_is_asked_nothing(copie, example_answers):
    repo = copie.copy(extra_answers={**example_answers, "objects": ["lists"]}).project_dir
    for name in FOR_PEOPLE:
        text = (repo / f"ingestion/query_samples/klaviyo_{name}.sql").read_text(encoding="utf-8")
        assert not re.search("profiles|events|campaigns", text), name

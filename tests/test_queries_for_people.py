"""The queries that people run fail nowhere: not where a table has had no rows, nor where it is not there.

Some print a query, as Trino refuses one that names a column which no load has brought yet.
"""

import re
from datetime import datetime, timezone

import pytest
from mock_td.clock import Clock
from written_td import DAY, HOUR, WrittenTD

SAMPLES = "ingestion/query_samples"
FOR_PEOPLE = [
    "backfill_coverage",
    "backfill_progress",
    "duplicates",
    "failures",
    "freshness",
    "latest_rows",
    "monitoring",
    "preflight_lines",
    "reconciliation",
    "runs",
    "unfinished_loads",
]


@pytest.fixture
def td(example_repo, databases):
    td = WrittenTD(example_repo / "ingestion", databases(Clock()))
    yield td
    td.databases.close()


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
    assert profiles.pop("hours_between_runs") is None  # there is no schedule
    assert {name: value if name == "object" else float(value) for name, value in profiles.items()} == {
        "object": "profiles",
        "hours_since_success": 2.0,
        "hours_since_newest_record": 3.0,
        "rows_of_24_hours": 10,
        "rows_a_day_before": 4.0,  # 1 to 7
    }
    assert td.ask("freshness")[1]["hours_since_newest_record"] is None


def test_reconciliation_counts_rows_versions_ids_and_what_the_newest_load_brought(td):
    td.load("klaviyo_profiles_hist", ("a", 3), ("b", 3), ago=50)
    td.log("klaviyo_profiles_hist", "STARTED", 51)
    td.log("klaviyo_profiles_hist", "SUCCESS", 49, records=2)
    td.load("klaviyo_profiles", ("a", 2), ("a", 3), ago=10)
    td.log("klaviyo_profiles", "STARTED", 11)
    td.log("klaviyo_profiles", "SUCCESS", 9, records=3)
    td.databases.rows("CREATE TABLE client_src.klaviyo_lists (time BIGINT, id VARCHAR)")
    rows = {row["object"]: row for row in td.ask("reconciliation")}
    assert len(rows) == 6
    assert rows["profiles"] == {
        "object": "profiles",
        "rows_there": 4,
        "versions": 3,
        "distinct_ids": 2,
        "newest_load": 3,
        "newest_load_there": 2,
    }
    for without_rows in ("events", "lists"):
        assert set(rows[without_rows].values()) == {without_rows, 0}


def test_duplicates_are_the_versions_that_stand_in_one_table_more_than_once(td):
    td.load("klaviyo_profiles", ("a", 2), ("a", 2), ("b", 1), ("b", 2), (None, 1), (None, 1))
    td.load("klaviyo_profiles_hist", ("b", 3))
    assert [(row["table_name"], row["id"], row["times"]) for row in td.ask("duplicates")] == [
        ("klaviyo_profiles", "a", 2)
    ]


@pytest.mark.parametrize("name", ["duplicates", "reconciliation"])
def test_rows_of_all_tables_are_grouped_once_as_each_grouping_is_a_stage_of_trinos(td, name):
    for table in ("klaviyo_profiles", "klaviyo_profiles_hist", "klaviyo_lists", "klaviyo_lists_hist"):
        td.load(table, ("a", 1))
    ((printed,),) = td.databases.run(
        (td.samples / f"klaviyo_{name}.sql").read_text(encoding="utf-8"), "client_src"
    ).rows
    assert printed.count("GROUP BY") == 1
    assert printed.count("FROM client_src.klaviyo_") == 4


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


HIST = "klaviyo_ingest_hist"


def test_coverage_draws_what_is_loaded_and_names_the_first_hole(td):
    """Windows that touch, overlap, or are a second apart leave no hole; one of an hour shows in ten days."""
    td.log(None, "STARTED", 5000, mark="a.1", workflow=HIST)
    windows = ((10 * DAY, 8 * DAY), (8 * DAY - 1, 7 * DAY), (7 * DAY - HOUR, 6 * DAY), (5 * DAY, 4 * DAY))
    for nth, window in enumerate(windows):
        begin = {"mark": "a.1", "window": window, "workflow": HIST}
        td.log("klaviyo_events_hist", "STARTED", 4000 - nth, **begin)
        td.log("klaviyo_events_hist", "SUCCESS", 3900 - nth, **begin, left=9)
    td.log("klaviyo_lists_hist", "STARTED", 3000, mark="a.1", window=(10 * DAY, 0), workflow=HIST)
    form = "%Y-%m-%d %H:%M:%S"
    events, lists = td.ask("backfill_coverage")
    assert list(events.values()) == [
        "klaviyo_events_hist",
        td.instant(10 * DAY, form),
        td.instant(5000, form),
        2,
        f"{td.instant(7 * DAY, form)} to {td.instant(7 * DAY - HOUR, form)}",
        "███████████████▒████▒····▒████▒···················",
    ]
    assert (lists["holes"], lists["first_hole"], lists["loaded"]) == (0, None, "·" * 50)


def test_coverage_is_full_once_no_window_is_left(td):
    for start, end, left in ((3 * DAY, 2 * DAY, 1), (2 * DAY, DAY, 0)):
        td.log("klaviyo_events_hist", "STARTED", 50 + left, window=(start, end), workflow=HIST)
        td.log("klaviyo_events_hist", "SUCCESS", 40 + left, window=(start, end), left=left, workflow=HIST)
    (row,) = td.ask("backfill_coverage")
    assert row["wanted_until"] == td.instant(DAY, "%Y-%m-%d %H:%M:%S")
    assert row["loaded"] == "█" * 50


def a_run(td, mark, began, *tables, ended=None, status="SUCCESS", message=None):
    """Log a run whose tables, each with its status, were loaded in the second after it began."""
    td.log(None, "STARTED", began, mark=mark)
    for table, outcome in tables:
        td.log(table, "STARTED", began - 1, mark=mark)
        if outcome:
            td.log(table, outcome, began - 2, mark=mark, records=5)
    if ended is not None:
        td.log(None, status, ended, mark=mark, message=message)


def test_runs_tell_how_each_went_and_which_was_killed(td):
    a_run(td, "dead.1", 30 * HOUR, ("klaviyo_lists", None))
    a_run(
        td,
        "well.1",
        4 * HOUR,
        ("klaviyo_lists", "SUCCESS"),
        ("klaviyo_events", "SUCCESS"),
        ended=4 * HOUR - 120,
    )
    a_run(td, "killed.1", 3 * HOUR, ("klaviyo_lists", None))
    a_run(
        td, "bad.1", 2 * HOUR, ("klaviyo_lists", "SUCCESS"), ("klaviyo_events", "ERROR"),
        ended=HOUR, status="ERROR", message="failed for: klaviyo_events",
    )  # fmt: skip
    a_run(td, "late.1", 60, ended=50, status="ERROR", message="Another run is under way")
    a_run(td, "now.1", 30, ("klaviyo_lists", "SUCCESS"))
    rows = td.ask("runs")
    assert [(row["status"], int(row["tables"]), int(row["records"]), row["failed"]) for row in rows] == [
        ("RUNNING", 1, 5, None),
        ("ERROR", 0, 0, "Another run is under way"),
        ("ERROR", 1, 5, "klaviyo_events"),
        ("KILLED", 0, 0, None),
        ("SUCCESS", 2, 10, None),
        ("KILLED", 0, 0, None),
    ]
    assert [float(row["minutes"]) for row in rows[2:5:2]] == [60.0, 2.0]


def test_these_are_the_last_ten(td):
    for ago in range(12):
        a_run(td, f"m.{ago}", HOUR * (ago + 1), ("klaviyo_lists", "SUCCESS"), ended=HOUR * ago + 1)
    newest = [td.instant(HOUR * (ago + 1), "%Y-%m-%d %H:%M:%S") for ago in range(10)]
    assert [row["started_at"] for row in td.ask("runs")] == newest


MESSAGES = {
    "HTTP 401: Unauthorized": "revoked",
    "HTTP 403 lists:read": "scope",
    "HTTP 429": "rate limit",
    "Unknown authentication 360030": "does not exist",
    "klaviyo_lists: the window has no start_time or no end_time, nothing was loaded": "is not a time",
    "killed after 24 hours": "too much",
    "Access Denied: Cannot delete from table klaviyo_lists": "may not delete rows",
    "You are not authorized to DELETE rows of klaviyo_lists": "may not delete rows",
    "HTTP 400 invalid filter": "does not filter",
    "HTTP 400 Invalid input, Invalid cursor": "no longer knows the page",
    "HTTP 400 a revision header is required": "is retired",
    "HTTP 410 Gone": "is retired",
    "the connector gave up at 12:00:00.401": "unknown",
}


@pytest.mark.parametrize("message", MESSAGES)
def test_a_failure_is_told_with_its_cause_and_what_to_do(td, message):
    for ago in (100, 90, 80):
        td.log("klaviyo_lists", "ERROR", ago, message=message)
    td.log(None, "ERROR", 70, message="klaviyo_ingest_inc failed for: klaviyo_lists")
    ((at, *rest),) = [list(row.values()) for row in td.ask("failures")]
    assert at == td.instant(80, "%Y-%m-%d %H:%M:%S")
    assert rest[:4] == ["klaviyo_ingest_inc", "klaviyo_lists", 3, "no"]
    assert MESSAGES[message] in rest[4]
    assert rest[5:] == [rest[5], message] and rest[5]


@pytest.mark.parametrize(
    ("workflow", "message", "cause"),
    [
        (
            "klaviyo_ingest_inc",
            "Another run of klaviyo_ingest_inc is under way: m.1",
            "load everything twice",
        ),
        ("klaviyo_freshness", "no successful load for 24 hours: klaviyo_lists", "no run was started"),
    ],
)
def test_so_is_a_run_that_failed_before_it_loaded_anything(td, workflow, message, cause):
    td.log(None, "ERROR", 70, workflow=workflow, message=message)
    (row,) = td.ask("failures")
    assert (row["what"], row["error_message"]) == ("the run", message)
    assert cause in row["cause"] and row["what_to_do"]


def test_a_failure_is_over_once_the_same_table_or_run_succeeded(td):
    td.log("klaviyo_lists", "ERROR", 100, mark="a.1", message="x")
    td.log("klaviyo_events", "ERROR", 100, mark="a.1", message="x")
    td.log("klaviyo_lists", "SUCCESS", 90, mark="a.1")
    td.log(None, "ERROR", 80, mark="b.1", message="Another run of x is under way")
    td.log(
        None, "ERROR", 70, mark="c.1", workflow="klaviyo_freshness", message="no successful load for 3 hours"
    )
    td.log("klaviyo_metrics", "ERROR", 25 * HOUR, mark="d.1", message="x")
    assert {(row["what"], row["loaded_since"]) for row in td.ask("failures")} == {
        ("klaviyo_lists", "yes"),
        ("klaviyo_events", "no"),
        ("the run", "no"),
    }
    td.log(None, "SUCCESS", 60, mark="e.1")
    assert [row["loaded_since"] for row in td.ask("failures") if row["what"] == "the run"] == ["yes", "yes"]


def test_the_lines_are_those_of_the_last_preflight(td):
    for run, ago in (("old.1", 7300), ("new.1", 7200)):
        for table in ("klaviyo_lists", "klaviyo_events"):
            at = int(td.databases.clock.now()) - ago
            line = f"{table}: ok, {run}"
            td.databases.rows(
                f"INSERT INTO client_src.klaviyo_preflight VALUES ('{run}', '{table}', 'OK', '{line}', {at})"
            )
    rows = td.ask("preflight_lines")
    assert [(row["line"], float(row["hours_ago"])) for row in rows] == [
        ("klaviyo_events: ok, new.1", 2.0),
        ("klaviyo_lists: ok, new.1", 2.0),
    ]

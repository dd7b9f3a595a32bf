"""A backfill asks for what is missing, and for nothing else: after a failure, a kill, a lost row, a moved start."""

from datetime import datetime, timedelta, timezone
from itertools import pairwise

import pytest
from ingestion import DATABASE, HIST
from klaviyo import CATALOGUE
from mock_td.klaviyo_account import KlaviyoAccount

PROFILES, EVENTS, CAMPAIGNS, LISTS, TEMPLATES, METRICS = TABLES = [
    known.historical_table for known in CATALOGUE
]
DAY = timedelta(days=1)


def time_text(moment):
    return f"{moment.isoformat()}.000000"


def windows(loads):
    return [load.window for load in loads]


@pytest.fixture(scope="module")
def resumed(ingest, beginning):
    """The ingestion after a backfill that failed and another run.

    Profiles, events and lists have three windows each, the first of them empty. In the first run profiles
    fail at the first window, events at the second, lists at the last, and email templates two times;
    campaigns have no default start, which is fixed before the second run. `.first_run` holds the loads by
    table. Metrics are loaded in full.
    """
    acme = ingest(
        KlaviyoAccount(beginning + timedelta(days=35), datetime.now(timezone.utc)), metrics_load="full"
    )
    acme.change_datasource(CAMPAIGNS, default_start_time="")
    for passing, table in enumerate((PROFILES, EVENTS, LISTS)):
        acme.change_datasource(table, window_days=30)
        acme.td.fail_load(table, after=passing)
    acme.td.fail_load(TEMPLATES, times=2)
    acme.fail_success_row(TEMPLATES, times=2)
    assert not acme.run(HIST).succeeded
    acme.first_run = {table: acme.loads(table) for table in TABLES}
    acme.td.mend()
    acme.change_datasource(CAMPAIGNS, default_start_time=time_text(beginning))
    acme.td.rows(f"DELETE FROM {DATABASE}.{TEMPLATES}")
    acme.second_run = acme.run(HIST)
    return acme


def test_a_failure_stops_no_window_of_another_object(resumed):
    loaded = {table: [load.status for load in loads] for table, loads in resumed.first_run.items()}
    assert loaded[EVENTS] == ["success"] + 3 * ["error"]
    assert loaded[LISTS] == 2 * ["success"] + 3 * ["error"]
    assert loaded[METRICS] == ["success"]


def test_an_object_without_a_window_fails_by_name_before_its_load(resumed):
    assert resumed.first_run[CAMPAIGNS] == []
    (row,) = resumed.log(table_name=CAMPAIGNS, status="ERROR")
    assert (
        row.error_message == f"{CAMPAIGNS}: the window has no start_time or no end_time, nothing was loaded"
    )
    assert resumed.ids(CAMPAIGNS) == sorted(resumed.account.ids("campaigns"))


def test_what_fails_at_first_and_then_works_is_a_success(resumed):
    assert [load.status for load in resumed.first_run[TEMPLATES]] == ["error", "error", "success"]
    assert resumed.log(table_name=TEMPLATES, status="ERROR") == []


def test_a_failure_stops_the_later_windows_of_its_object(resumed):
    assert [load.status for load in resumed.first_run[PROFILES]] == 3 * ["error"]
    assert len({load.window for load in resumed.first_run[PROFILES]}) == 1


@pytest.mark.parametrize("table", [PROFILES, EVENTS, LISTS])
def test_the_next_run_resumes_without_a_gap_and_without_a_window_twice(resumed, beginning, table):
    assert resumed.second_run.succeeded
    loaded = windows(resumed.loads(table, "success"))
    assert loaded[0][0] == time_text(beginning - timedelta(seconds=1))
    starts = [datetime.fromisoformat(start) for start, _ in loaded[1:]]
    assert starts == [datetime.fromisoformat(end) - timedelta(seconds=1) for _, end in loaded[:-1]]
    assert resumed.ids(table) == sorted(resumed.account.ids(table.split("_")[1]))


def test_a_backfill_begins_anew_where_its_table_was_emptied(resumed, beginning):
    assert windows(resumed.loads(TEMPLATES, "success"))[1][0] == time_text(beginning - timedelta(seconds=1))
    assert resumed.ids(TEMPLATES) == sorted(resumed.account.ids("templates"))


def test_metrics_in_full_are_there_once(resumed):
    assert [load.status for load in resumed.loads(METRICS)] == ["success"]
    assert resumed.ids(METRICS) == sorted(resumed.account.ids("metrics"))


@pytest.fixture(scope="module")
def repaired(ingest, beginning):
    """The ingestion after a backfill that was killed in its third window, whose first SUCCESS row was lost, and
    whose start was then moved fifteen days back; and after another, complete one. `.repair` holds that run's
    loads, `.last` those of a run after it.
    """
    start = beginning - 15 * DAY
    acme = ingest(KlaviyoAccount(start, datetime.now(timezone.utc), size=30), objects=["profiles"])
    acme.change_datasource(PROFILES, window_days=20)
    acme.run(HIST, killed_by=acme.td.interrupt(load=3, commits=False))
    acme.td.rows(
        f"DELETE FROM {DATABASE}.ingestion_log WHERE status = 'SUCCESS' AND start_time < '{beginning.isoformat()}'"
    )
    acme.change_datasource(PROFILES, default_start_time=time_text(start))
    first = len(acme.loads(PROFILES))
    acme.last_run = acme.run(HIST, session="2026-01-02 00:00:00", params={"take_over": "yes"})
    acme.repair = acme.loads(PROFILES)[first:]
    acme.complete_run = acme.run(HIST, session="2026-01-03 00:00:00")
    return acme


def test_exactly_what_is_missing_is_asked_for_oldest_first(repaired, beginning):
    asked = [tuple(map(datetime.fromisoformat, window)) for window in windows(repaired.repair)]
    second = timedelta(seconds=1)
    assert asked[:3] == [
        (beginning - 15 * DAY - second, beginning + 5 * DAY),
        (beginning + 5 * DAY - second, beginning + 20 * DAY),
        (beginning + 40 * DAY - second, beginning + 60 * DAY),
    ]
    assert all(later[0] == earlier[1] - second for earlier, later in pairwise(asked[2:]))


def test_all_records_are_there_after_the_repair(repaired):
    assert repaired.last_run.succeeded
    assert {*repaired.ids(PROFILES)} == repaired.account.ids("profiles")


def test_a_backfill_of_a_complete_table_loads_nothing(repaired):
    assert repaired.complete_run.succeeded
    assert [job for job in repaired.complete_run.jobs if job.kind == "bulkload"] == []

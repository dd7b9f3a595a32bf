"""A backfill goes in windows that meet exactly; broken off, it goes on where it was."""

import threading
import time
from datetime import datetime, timedelta, timezone

import pytest
from ingestion import DATABASE, HIST
from klaviyo import CATALOGUE
from klaviyo_account import KlaviyoAccount

PROFILES, EVENTS, CAMPAIGNS, LISTS, TEMPLATES, METRICS = TABLES = [
    known.historical_table for known in CATALOGUE
]


def windows(acme, table):
    """The windows of the loads that worked, in their order."""
    return [load.window for load in acme.loads(table, "success")]


def assert_no_window_twice_and_none_missed(acme, table, beginning):
    loaded = windows(acme, table)
    assert loaded[0][0] == f"{beginning.isoformat()}.000000"
    assert [start for start, _ in loaded[1:]] == [end for _, end in loaded[:-1]]


@pytest.fixture(scope="module")
def continued(ingest, beginning):
    """The ingestion after a backfill that broke off and another run.

    Profiles, events and lists have three windows each, the first of them empty. In the first run profiles
    fail at the first window, events at the second, lists at the last, and email templates two times, which
    then lose their rows; campaigns have no default start, which is mended before the second run. `.first_run`
    holds the loads by table; the second run began not before `.second_run_began`. Metrics are loaded in full.
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
    acme.change_datasource(CAMPAIGNS, default_start_time=f"{beginning.isoformat()}.000000")
    acme.td.rows(f"DELETE FROM {DATABASE}.{TEMPLATES}")
    acme.second_run_began = int(time.time())
    acme.second_run = acme.run(HIST)
    return acme


def test_a_failure_stops_no_window_of_another_object(continued):
    loaded = {table: [load.status for load in loads] for table, loads in continued.first_run.items()}
    assert loaded[EVENTS] == ["success"] + 3 * ["error"]
    assert loaded[LISTS] == 2 * ["success"] + 3 * ["error"]
    assert loaded[METRICS] == ["success"]


def test_an_object_without_a_window_fails_by_name_before_its_load(continued):
    assert continued.first_run[CAMPAIGNS] == []
    (row,) = continued.log(table_name=CAMPAIGNS, status="ERROR")
    assert (
        row.error_message == f"{CAMPAIGNS}: the window has no start_time or no end_time, nothing was loaded"
    )
    assert continued.ids(CAMPAIGNS) == sorted(continued.account.ids("campaigns"))


def test_what_fails_at_first_and_then_works_is_a_success(continued):
    assert [load.status for load in continued.first_run[TEMPLATES]] == ["error", "error", "success"]
    assert continued.statuses(TEMPLATES) == 2 * ["STARTED", "SUCCESS"]


def test_a_failure_stops_the_later_windows_of_its_object(continued):
    assert [load.status for load in continued.first_run[PROFILES]] == 3 * ["error"]
    assert len({load.window for load in continued.first_run[PROFILES]}) == 1


@pytest.mark.parametrize("table", [PROFILES, EVENTS, LISTS])
def test_a_backfill_that_broke_off_goes_on_without_a_gap_and_without_a_window_twice(
    continued, beginning, table
):
    assert continued.second_run.succeeded
    assert_no_window_twice_and_none_missed(continued, table, beginning)
    assert continued.ids(table) == sorted(continued.account.ids(table.split("_")[1]))


def test_the_last_windows_end_when_the_run_began(continued):
    (end,) = {windows(continued, table)[-1][1] for table in (PROFILES, EVENTS, LISTS, TEMPLATES)}
    began = datetime.fromisoformat(end).replace(tzinfo=timezone.utc).timestamp()
    first_row = min(
        row.time for row in continued.log(status="STARTED") if row.time >= continued.second_run_began
    )
    assert continued.second_run_began <= began <= first_row


def test_a_backfill_begins_anew_where_its_table_was_emptied(continued, beginning):
    assert windows(continued, TEMPLATES)[1][0] == f"{beginning.isoformat()}.000000"
    assert continued.ids(TEMPLATES) == sorted(continued.account.ids("templates"))


def test_metrics_in_full_are_there_once_after_each_run(continued):
    assert [load.status for load in continued.loads(METRICS)] == 2 * ["success"]
    assert continued.ids(METRICS) == sorted(continued.account.ids("metrics"))


def test_a_backfill_whose_digdag_was_killed_goes_on_where_it_was(ingest, beginning):
    acme = ingest(objects=["profiles"])
    acme.change_datasource(PROFILES, window_days=45)
    death = threading.Event()

    def kill_during_the_second_load(load):
        if len(acme.loads(PROFILES)) == 2:
            death.set()
            time.sleep(1)
            raise ConnectionError("nobody waits for this load any more")

    acme.td.on_load(PROFILES, kill_during_the_second_load)
    acme.run(HIST, killed_by=death)
    assert acme.statuses(PROFILES) == ["STARTED", "SUCCESS", "STARTED"]
    assert acme.run(HIST).succeeded
    assert_no_window_twice_and_none_missed(acme, PROFILES, beginning)
    assert acme.ids(PROFILES) == sorted(acme.account.ids("profiles"))

"""A window that takes too long is asked for in halves by the same start, and no other window is."""

import pytest
from ingestion import HIST

EVENTS, PROFILES = "klaviyo_events_hist", "klaviyo_profiles_hist"
DAY = 86400


def days(loads):
    # The account is as old as the test run, which may have begun minutes before this backfill.
    return [round(load.seconds / DAY, 1) for load in loads]


@pytest.fixture(scope="module")
def acme(ingest):
    """The ingestion after one backfill, of which no load of events over twenty days ends before it is killed."""
    acme = ingest(objects=["profiles", "events"])
    for table in (EVENTS, PROFILES):
        acme.change_datasource(table, window_days=45)
    acme.td.kill_long_loads("events", longer_than=20 * DAY)
    acme.last_run = acme.run(HIST)
    return acme


def test_one_start_loads_everything_once(acme):
    assert acme.last_run.succeeded
    for table, data_source in ((EVENTS, "events"), (PROFILES, "profiles")):
        assert acme.ids(table) == sorted(acme.account.ids(data_source))


def test_no_stretch_is_tried_twice_at_one_length(acme):
    assert days(acme.loads(EVENTS, "error")) == [45, 22.5, 22.5, 35]
    assert len(acme.loads(EVENTS, "success")) == 4 + 2


def test_other_objects_keep_their_windows(acme):
    assert days(acme.loads(PROFILES)) == [45, 35]


def test_each_try_leaves_a_row_with_its_window(acme):
    tries = [(row.start_time, row.end_time) for row in acme.log(table_name=EVENTS, status="STARTED")]
    assert tries == [load.window for load in acme.loads(EVENTS)]

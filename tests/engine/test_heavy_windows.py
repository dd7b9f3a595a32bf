"""A window that takes too long is asked for in halves by the same start, and no other window is."""

import pytest
from ingestion import HIST

EVENTS, PROFILES = "klaviyo_events_hist", "klaviyo_profiles_hist"
DAY = 86400


def days(loads):
    return [round(load.seconds / DAY, 1) for load in loads]


@pytest.fixture(scope="module")
def acme(ingest):
    """The ingestion after one backfill, of which no load of events over eleven days ends before it is killed."""
    acme = ingest(objects=["profiles", "events"])
    for table in (EVENTS, PROFILES):
        acme.change_datasource(table, window_days=40)
    acme.td.kill_long_loads("events", longer_than=11 * DAY)
    acme.last_run = acme.run(HIST)
    return acme


def test_one_start_loads_everything_once(acme):
    assert acme.last_run.succeeded
    for table, data_source in ((EVENTS, "events"), (PROFILES, "profiles")):
        assert acme.ids(table) == sorted(acme.account.ids(data_source))


def test_each_length_is_tried_once_and_then_halved(acme):
    assert days(acme.loads(EVENTS, "error")) == [40, 20, 40, 20]
    assert days(acme.loads(EVENTS, "success")) == [10] * 8


def test_other_objects_keep_their_windows(acme):
    assert days(acme.loads(PROFILES)) == [40, 40]


def test_each_try_leaves_a_row_with_its_window(acme):
    tries = [(row.start_time, row.end_time) for row in acme.log(table_name=EVENTS, status="STARTED")]
    assert tries == [load.window for load in acme.loads(EVENTS)]

"""No record falls between two windows: not a late one, not one changed or made during a backfill."""

from datetime import datetime, timedelta, timezone

import pytest
from ingestion import DATABASE, HIST, INC

SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


def newest(acme, table, field):
    """The newest record's time in a table, as a query of TD gives it: whole seconds."""
    ((seconds,),) = acme.td.rows(f"SELECT max(TD_TIME_PARSE({field})) FROM {DATABASE}.{table}")
    return datetime.fromtimestamp(seconds, timezone.utc)


def began(acme, table):
    """When the first load into a table was logged to start."""
    return datetime.fromtimestamp(acme.log(table_name=table, status="STARTED")[0].time, timezone.utc)


def starts(acme, table):
    """Where each load into a table started."""
    return [datetime.fromisoformat(load.window[0]).replace(tzinfo=timezone.utc) for load in acme.loads(table)]


@pytest.fixture(scope="module")
def acme(ingest):
    """The ingestion after a backfill and two incremental runs.

    In between happens at Klaviyo what might be missed: `.ids_of` holds the records' ids.
    """
    acme = ingest(objects=["profiles", "events"])
    account, acme.ids_of = acme.account, {}

    def change_a_profile_that_is_loaded(load):
        if len(acme.loads("klaviyo_profiles_hist")) == 2:
            acme.ids_of["changed"] = acme.ids("klaviyo_profiles_hist")[0]
            account.touch("profiles", acme.ids_of["changed"])

    acme.change_datasource("klaviyo_profiles_hist", window_days=45)
    acme.td.on_load("klaviyo_profiles_hist", change_a_profile_that_is_loaded)
    assert acme.run(HIST).succeeded

    acme.ids_of["made"] = account.add("profiles")
    acme.ids_of["late for the backfill"] = account.add(
        "events", datetime=began(acme, "klaviyo_events_hist") - HOUR
    )
    assert acme.run(INC).succeeded

    acme.newest_profile = newest(acme, "klaviyo_profiles", "updated")
    acme.newest_event = newest(acme, "klaviyo_events", "datetime")
    acme.ids_of["of the same second"] = account.add("profiles", updated=acme.newest_profile)
    acme.ids_of["late"] = account.add("events", datetime=acme.newest_event - 1.5 * HOUR)
    acme.td.rows(f"INSERT INTO {DATABASE}.klaviyo_events (datetime) VALUES ('2099-01-01T00:00:00+00:00')")
    assert acme.run(INC).succeeded
    return acme


def test_after_a_backfill_the_first_window_starts_when_that_began(acme):
    assert starts(acme, "klaviyo_profiles")[0] == began(acme, "klaviyo_profiles_hist") - SECOND
    assert starts(acme, "klaviyo_events")[0] == began(acme, "klaviyo_events_hist") - 2 * HOUR


def test_the_next_window_starts_at_the_newest_record_and_ignores_the_future(acme):
    assert starts(acme, "klaviyo_profiles")[1] == acme.newest_profile - SECOND
    assert starts(acme, "klaviyo_events")[1] == acme.newest_event - 2 * HOUR


def test_a_change_during_the_backfill_of_what_was_loaded_already_is_loaded(acme):
    changed = acme.ids_of["changed"]
    ((updated,),) = [(each["updated"],) for each in acme.account.records("profiles") if each["id"] == changed]
    assert (changed, updated) in acme.td.rows(f"SELECT id, updated FROM {DATABASE}.klaviyo_profiles")


def test_a_record_made_after_the_backfill_began_is_loaded(acme):
    assert acme.ids_of["made"] in acme.ids("klaviyo_profiles")


@pytest.mark.parametrize("event", ["late for the backfill", "late"])
def test_an_event_that_the_api_knew_late_is_loaded(acme, event):
    assert acme.ids_of[event] in acme.ids("klaviyo_events")


def test_a_change_in_the_second_of_the_newest_record_is_loaded(acme):
    assert acme.ids_of["of the same second"] in acme.ids("klaviyo_profiles")


@pytest.mark.parametrize("name", ["profiles", "events"])
def test_no_record_is_missing(acme, name):
    assert {*acme.ids(f"klaviyo_{name}"), *acme.ids(f"klaviyo_{name}_hist")} >= acme.account.ids(name)

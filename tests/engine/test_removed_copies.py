"""After a successful run each version of a record is there once, whatever was killed or failed before."""

from datetime import datetime, timezone

import pytest
from ingestion import HIST, INC
from mock_td.klaviyo_account import KlaviyoAccount

EVENTS = "klaviyo_events"
OBJECTS = ["profiles", "events", "lists"]


def once(acme):
    """Whether each event is there once, over both of its tables, and none is missing."""
    ids = sorted(acme.ids(EVENTS) + acme.ids(f"{EVENTS}_hist"))
    return ids == sorted(acme.account.ids("events"))


def removals(acme):
    """The DELETEs that ran."""
    return [job for job in acme.td.queries if job.statement == "delete"]


@pytest.fixture(scope="module")
def acme(ingest, beginning):
    acme = ingest(
        KlaviyoAccount(beginning, datetime.now(timezone.utc), size=40), objects=OBJECTS, remove_copies=True
    )
    acme.run(HIST)
    acme.first = acme.run(INC)
    return acme


def test_what_the_first_incremental_run_asks_for_again_goes_from_the_backfill(acme):
    assert len(acme.ids(EVENTS)) > 0
    assert once(acme)


def test_a_later_run_costs_a_job_for_each_table_that_got_records_and_leaves_each_event_once(acme):
    before, seen = len(acme.td.jobs), len(removals(acme))
    acme.account.add("events")
    run = acme.run(INC)
    assert run.succeeded
    assert once(acme)
    got = {job.table for job in acme.td.jobs[before:] if job.kind == "bulkload" and job.num_records}
    # Of the events of the days before the backfill, too, which may stand in its table.
    assert len(got) <= len(removals(acme)) - seen <= 2 * len(got)


def test_a_removal_that_fails_once_is_tried_again(acme):
    acme.account.add("events")
    acme.td.fail_query(f"DELETE FROM {EVENTS}\n", times=1)
    acme.run(INC)
    assert acme.statuses(EVENTS)[-1] == "SUCCESS"
    assert once(acme)


def test_one_that_fails_for_good_costs_no_load_its_success_and_is_named(acme):
    acme.account.add("events")
    before = len(acme.log(status="SUCCESS"))
    acme.td.fail_query(f"DELETE FROM {EVENTS}\n", message="you may not DELETE")
    run = acme.run(INC)
    acme.td.mend()
    assert not run.succeeded
    assert f"failed for: {EVENTS}" in run.output
    assert len(acme.log(status="SUCCESS")) == before + len(OBJECTS)
    assert not once(acme)
    acme.account.add("events")
    assert acme.run(INC).succeeded
    assert once(acme)


def test_what_a_run_left_that_was_killed_in_a_removal_goes_in_the_next(acme):
    acme.account.add("events")
    deleted = len(removals(acme))
    jobs_before_the_removal = 5 + 4 * len(OBJECTS) + 1
    acme.run(INC, killed_by=acme.td.interrupt(job=jobs_before_the_removal + 1, commits=False))
    assert len(removals(acme)) == deleted + 1
    assert acme.run(INC, params={"take_over": "yes"}).succeeded
    assert once(acme)


def test_what_a_killed_load_stored_is_there_once_after_the_next_run(acme):
    acme.account.add("events")
    acme.run(INC, killed_by=acme.td.interrupt(load=OBJECTS.index("events") + 1))
    assert acme.run(INC, params={"take_over": "yes"}).succeeded
    assert once(acme)


def test_a_run_in_which_all_removals_fail_stays_below_what_an_attempt_may_have(acme):
    for object in OBJECTS:
        acme.account.add(object)
    acme.td.fail_query("DELETE FROM klaviyo_")
    run = acme.run(INC)
    acme.td.mend()
    assert all(f"klaviyo_{object}" in run.output.rpartition("failed for: ")[2] for object in OBJECTS)
    # What objects_to_load sets aside for an object that fails.
    assert len(run.tasks) <= 100 + 75 * len(OBJECTS)
    assert acme.run(INC).succeeded
    assert once(acme)

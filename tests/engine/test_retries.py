"""What fails at first and then works is tried again, and leaves no ERROR behind."""

import pytest
from ingestion import HIST, INC


@pytest.fixture(scope="module", params=[(INC, ""), (HIST, "_hist")], ids=["incremental", "backfill"])
def rescued(request, ingest):
    """The ingestion after a run in which two loads of profiles failed, and two SUCCESS rows of lists."""
    workflow, suffix = request.param
    acme = ingest(objects=["profiles", "lists"])
    acme.profiles, acme.lists = f"klaviyo_profiles{suffix}", f"klaviyo_lists{suffix}"
    acme.td.fail_load(acme.profiles, times=2)
    acme.td.fail_query(f"'{acme.lists}' AS table_name,\n  'SUCCESS' AS status", times=2)
    acme.edit(f"{workflow}.dig", "interval: 0", "interval: 1")  # `quicken` has made it 0
    acme.last_run = acme.run(workflow)
    return acme


def test_the_run_succeeds(rescued):
    assert rescued.last_run.succeeded


def test_each_try_is_a_new_job_and_waits_longer_than_the_one_before(rescued):
    loads = rescued.loads(rescued.profiles)
    assert [load.status for load in loads] == ["error", "error", "success"]
    first, second, third = (load.started_at for load in loads)
    assert second - first >= 1
    assert third - second >= 2


def test_what_succeeded_is_neither_loaded_nor_logged_again(rescued):
    for table in (rescued.profiles, rescued.lists):
        assert len(rescued.loads(table, "success")) == 1
        assert rescued.statuses(table) == ["STARTED", "SUCCESS"]


def test_no_error_is_logged(rescued):
    assert rescued.log(status="ERROR") == []


def test_a_success_row_that_failed_at_first_tells_of_the_load(rescued):
    (load,) = rescued.loads(rescued.lists)
    (row,) = rescued.log(table_name=rescued.lists, status="SUCCESS")
    assert (row.job_id, row.records_processed) == (load.id, load.num_records)

"""What fails at first and then works is tried again, and leaves no ERROR behind."""

import re

import pytest
from ingestion import HIST, INC

PROFILES, LISTS = "klaviyo_profiles", "klaviyo_lists"
SECONDS = 5  # more than a try takes by itself


@pytest.fixture(scope="module")
def rescued(ingest):
    """The ingestion after a run in which two loads of profiles failed, and two SUCCESS rows of lists."""
    acme = ingest(objects=["profiles", "lists"])
    acme.td.fail_load(PROFILES, times=2)
    acme.fail_success_row(LISTS, times=2)
    # `quicken` has made it 0
    acme.edit(
        f"{INC}.dig",
        "interval: 0\n              interval_type",
        f"interval: {SECONDS}\n              interval_type",
    )
    acme.last_run = acme.run(INC)
    return acme


def test_the_run_succeeds(rescued):
    assert rescued.last_run.succeeded


def test_each_try_is_a_new_job_and_waits_longer_than_the_one_before(rescued):
    loads = rescued.loads(PROFILES)
    assert [load.status for load in loads] == ["error", "error", "success"]
    first, second, third = (load.started_at for load in loads)
    assert second - first >= SECONDS
    assert third - second >= 2 * SECONDS


def test_what_succeeded_is_neither_loaded_nor_logged_again(rescued):
    for table in (PROFILES, LISTS):
        assert len(rescued.loads(table, "success")) == 1
        assert len(rescued.log(table_name=table, status="SUCCESS")) == 1


def test_each_try_leaves_a_row(rescued):
    assert rescued.statuses(PROFILES) == ["STARTED", "STARTED", "STARTED", "SUCCESS"]
    assert rescued.statuses(LISTS) == ["STARTED", "SUCCESS"]


def test_no_error_is_logged(rescued):
    assert rescued.log(status="ERROR") == []


def test_a_success_row_that_failed_at_first_tells_of_the_load(rescued):
    (load,) = rescued.loads(LISTS)
    (row,) = rescued.log(table_name=LISTS, status="SUCCESS")
    assert (row.job_id, row.records_processed) == (load.id, load.num_records)


def test_the_backfill_tries_again_as_often_and_waits_as_long(rendered):
    """That it does: see test_backfill.py."""
    inc, hist = (
        re.findall(
            r"_retry:.*|(?:limit|interval|interval_type): \w+$",
            (rendered({}) / f"{name}.dig").read_text(encoding="utf-8"),
            re.MULTILINE,
        )
        for name in (INC, HIST)
    )
    assert hist == inc
    assert "interval_type: exponential" in inc

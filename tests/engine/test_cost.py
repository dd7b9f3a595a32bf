"""How many TD jobs an incremental run takes: each waits for its place in TD's queue."""

from collections import Counter

import pytest
from ingestion import INC


@pytest.fixture(scope="module")
def runs(ingest):
    """Three incremental runs of two objects: the first of all, a later one, and one in which lists failed."""
    acme = ingest(objects=["profiles", "lists"])
    first, later = acme.run(INC), acme.run(INC)
    acme.td.fail_load("klaviyo_lists")
    return first, later, acme.run(INC)


def test_the_first_run_takes_at_most_six_jobs_an_object_and_three(runs):
    first, _, _ = runs
    assert len(first.jobs) <= 6 * 2 + 3


def test_a_later_run_takes_four_jobs_an_object_and_three(runs):
    _, later, _ = runs
    assert len(later.jobs) == 4 * 2 + 3


def test_a_failing_object_adds_its_retries_its_error_rows_and_one_query(runs):
    _, later, failing = runs
    retries, error_rows, query, success_row = 2, 2, 1, 1
    assert len(failing.jobs) == len(later.jobs) + retries + error_rows + query - success_row
    added = Counter(job.kind for job in failing.jobs) - Counter(job.kind for job in later.jobs)
    assert added["bulkload"] == retries

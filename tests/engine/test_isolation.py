"""An object that fails costs no other object its load; and what a run costs, failing or not."""

from collections import Counter
from types import SimpleNamespace

import pytest
from ingestion import INC
from klaviyo import CATALOGUE

TABLES = [known.table for known in CATALOGUE]
METRICS = "klaviyo_metrics"


@pytest.fixture(scope="module")
def acme(ingest):
    """The ingestion after its first run, of six objects, metrics in full."""
    acme = ingest(load_seconds=0.5, metrics_load="full")
    acme.first_run = acme.run(INC)
    return acme


@pytest.fixture(scope="module", params=TABLES)
def failed(request, acme):
    """A later run, in which the loads of one table failed, and the metrics before and after it."""
    acme.td.mend()
    acme.td.fail_load(request.param)
    before = acme.ids(METRICS)
    run = acme.run(INC)
    return SimpleNamespace(table=request.param, run=run, before=before, after=acme.ids(METRICS))


def test_the_other_five_are_loaded_once_each_in_the_same_run(acme, failed):
    assert not failed.run.succeeded
    loads = Counter(job.table for job in failed.run.jobs if job.kind == "bulkload")
    assert loads == {table: 3 if table == failed.table else 1 for table in TABLES}
    for table in TABLES:
        last = "ERROR" if table == failed.table else "SUCCESS"
        assert acme.statuses(table)[-2:] == ["STARTED", last], table


def test_never_more_than_three_load_at_once(acme, failed):
    assert acme.td.peak_loads <= 3


def test_a_first_run_takes_at_most_six_jobs_an_object_and_three(acme):
    assert acme.first_run.succeeded
    assert len(acme.first_run.jobs) <= 6 * len(TABLES) + 3


def test_a_later_run_takes_four_jobs_an_object_and_three_and_few_more_where_one_fails(failed):
    retries, error_rows, query, success_row = 2, 2, 1, 1
    assert len(failed.run.jobs) == 4 * len(TABLES) + 3 + retries + error_rows + query - success_row


def test_metrics_in_full_are_there_once_after_each_run_and_stay_when_one_fails(acme, failed):
    assert failed.before == failed.after == sorted(acme.account.ids("metrics"))

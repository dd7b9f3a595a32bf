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


# One of the first three to start, and the last, which is loaded in full.
@pytest.fixture(scope="module", params=[TABLES[0], METRICS])
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
        last = 3 * ["STARTED"] + ["ERROR"] if table == failed.table else ["STARTED", "SUCCESS"]
        assert acme.statuses(table)[-len(last) :] == last, table


def test_never_more_than_three_load_at_once(acme, failed):
    assert acme.td.peak_loads <= 3


def test_a_run_takes_at_most_thirty_jobs_and_ninety_tasks(acme):
    assert acme.first_run.succeeded
    assert len(acme.first_run.jobs) <= 30
    assert len(acme.first_run.tasks) <= 90


def test_the_manual_tells_what_a_run_takes(acme, rendered):
    manual = (rendered({"metrics_load": "full"}).parent / "docs/klaviyo.md").read_text(encoding="utf-8")
    run = acme.first_run
    assert f"takes {len(run.jobs)} TD jobs and {len(run.tasks)} tasks" in manual


def test_a_failing_object_costs_three_tries_of_three_jobs_and_few_more(failed):
    others, run, tries, error_rows, query = 4 * (len(TABLES) - 1), 5, 3 * 3, 2, 1
    assert len(failed.run.jobs) == others + run + tries + error_rows + query


def test_metrics_in_full_are_there_once_after_each_run_and_stay_when_one_fails(acme, failed):
    assert failed.before == failed.after == sorted(acme.account.ids("metrics"))

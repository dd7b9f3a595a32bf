"""An object that fails costs no other object its load; and what a run costs, failing or not."""

from collections import Counter
from types import SimpleNamespace

import pytest
from ingestion import INC
from klaviyo import CATALOGUE

TABLES = [known.table for known in CATALOGUE]
METRICS = "klaviyo_metrics"
# One of the first three to start, and the last, which is loaded in full.
FAILING = [TABLES[0], METRICS]


@pytest.fixture(scope="module")
def acme(ingest):
    """The ingestion after its first run, of six objects, metrics in full."""
    acme = ingest(load_seconds=0.5, metrics_load="full")
    acme.first_run = acme.run(INC)
    return acme


@pytest.fixture(scope="module")
def failed(acme):
    """A later run, in which the loads of two tables failed, and the metrics before and after it."""
    for table in FAILING:
        acme.td.fail_load(table)
    before = acme.ids(METRICS)
    run = acme.run(INC)
    return SimpleNamespace(run=run, before=before, after=acme.ids(METRICS))


def test_the_other_four_are_loaded_once_each_in_the_same_run(acme, failed):
    assert not failed.run.succeeded
    assert f"{INC} failed for: {', '.join(sorted(FAILING))}" in failed.run.output
    loads = Counter(job.table for job in failed.run.jobs if job.kind == "bulkload")
    assert loads == {table: 3 if table in FAILING else 1 for table in TABLES}
    for table in TABLES:
        last = 3 * ["STARTED"] + ["ERROR"] if table in FAILING else ["STARTED", "SUCCESS"]
        assert acme.statuses(table)[-len(last) :] == last, table


def test_never_more_than_three_load_at_once(acme, failed):
    assert acme.td.peak_loads <= 3


def test_a_run_takes_at_most_31_jobs_and_95_tasks(acme):
    assert acme.first_run.succeeded
    assert len(acme.first_run.jobs) <= 31
    assert len(acme.first_run.tasks) <= 95


def test_the_manual_tells_what_a_run_takes(acme, rendered):
    manual = (rendered({"metrics_load": "full"}).parent / "docs/klaviyo.md").read_text(encoding="utf-8")
    run = acme.first_run
    assert f"takes {len(run.jobs)} TD jobs and {len(run.tasks)} tasks" in manual


def test_a_failing_object_costs_three_tries_of_three_jobs_and_few_more(failed):
    others, run = 4 * (len(TABLES) - len(FAILING)), 6 + 1  # the run's own ERROR row, too
    tries, error_row, query = 3 * 3, 1, 1
    removals = len([job for job in failed.run.jobs if job.statement == "delete"])
    assert len(failed.run.jobs) == others + removals + run + len(FAILING) * (tries + error_row + query)


def test_metrics_in_full_are_there_once_after_each_run_and_stay_when_one_fails(acme, failed):
    assert failed.before == failed.after == sorted(acme.account.ids("metrics"))

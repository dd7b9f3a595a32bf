"""Metrics in full: the table holds each metric once, after any number of runs and after a failed one too."""

import pytest
from ingestion import HIST, INC


@pytest.fixture(scope="module")
def acme(ingest):
    """The ingestion after two runs of each workflow and a third incremental one, which failed.

    `.ids_after` has the ids in the table that a run loads into, run by run.
    """
    acme = ingest(objects=["metrics"], metrics_load="full")
    acme.ids_after = []
    for workflow, table in 2 * [(HIST, "klaviyo_metrics_hist"), (INC, "klaviyo_metrics")]:
        assert acme.run(workflow).succeeded
        acme.ids_after.append(acme.ids(table))
    acme.td.fail_load("klaviyo_metrics")
    assert not acme.run(INC).succeeded
    return acme


def test_after_any_number_of_runs_each_metric_is_there_once(acme):
    assert acme.ids_after == 4 * [sorted(acme.account.ids("metrics"))]


def test_a_run_that_fails_does_not_empty_the_table(acme):
    assert acme.ids("klaviyo_metrics") == acme.ids_after[-1] != []

"""With remove_copies=no every row of every load stays, nothing looks for copies, and a run costs what the manual says."""

from collections import Counter

import pytest
from ingestion import INC, jobs_of, tasks_of

EVENTS = "klaviyo_events"
DAY = 86400


@pytest.fixture(scope="module")
def acme(ingest):
    """The ingestion after a `.preflight` and an incremental run on each of two days, `.runs`; `.event` is of the first."""
    acme = ingest(objects=["events"], remove_copies=False)
    acme.preflight = acme.run("klaviyo_preflight")
    acme.event = acme.account.add("events")
    acme.td.clock.advance(60)
    acme.runs = [acme.run(INC)]
    acme.td.clock.advance(DAY)
    acme.runs.append(acme.run(INC))
    return acme


def test_what_was_loaded_twice_is_there_twice(acme):
    assert [run.succeeded for run in acme.runs] == [True, True]
    assert Counter(acme.ids(EVENTS))[acme.event] == 2
    assert len(acme.ids(EVENTS)) == sum(load.num_records for load in acme.loads(EVENTS))


def test_nothing_is_deleted_and_nobody_looks_for_copies(acme):
    assert [job for job in acme.td.queries if job.statement == "delete" or "copies" in job.text] == []


def test_runs_take_the_jobs_and_tasks_that_the_manual_tells(acme, rendered):
    answers = {"objects": ["events"], "remove_copies": False}
    manual = (rendered(answers).parent / "docs/klaviyo.md").read_text(encoding="utf-8")
    assert acme.preflight.succeeded
    assert f"and takes {len(acme.preflight.jobs)} jobs." in manual
    for run in acme.runs:
        assert len(run.jobs) == jobs_of(objects=1, windows=1, removals=None)
        assert len(run.tasks) == tasks_of(objects=1, windows=1, removals=None)
        assert f"takes {len(run.jobs)} TD jobs and {len(run.tasks)} tasks" in manual

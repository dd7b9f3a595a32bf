"""A backfill has as many tasks as was reckoned, so that an attempt stays below the 1,000 at which Digdag stops it.

That no more windows are listed than that allows: see tests/test_windows.py.
"""

import re
from collections import Counter

from ingestion import HIST, jobs_of, tasks_of

# Where the tasks of an object, and of a window, begin in their names.
OBJECT = re.compile(r".*\+load\^sub\+for-[^+]*")
WINDOW = re.compile(r".*\+load_windows\^sub\+for-[^+]*")


def tasks_of_each(part, run):
    return sorted(Counter(found[0] for task in run.tasks if (found := part.match(task.name))).values())


def test_the_count_of_tasks_and_of_jobs_is_the_engine_s(ingest):
    acme = ingest(objects=["campaigns", "lists"])
    acme.change_datasource("klaviyo_lists_hist", window_days=30)
    run = acme.run(HIST)
    assert run.succeeded
    removals = len([job for job in run.jobs if job.statement == "delete"])
    assert removals == 1  # of lists, the one with several windows
    assert len(run.tasks) == tasks_of(objects=2, windows=1 + 3, removals=removals)
    assert len(run.jobs) == jobs_of(objects=2, windows=1 + 3, removals=removals)
    assert tasks_of_each(WINDOW, run) == 4 * [tasks_of(0, 1) - tasks_of(0, 0)]
    assert tasks_of_each(OBJECT, run) == [tasks_of(1, windows) - tasks_of(0, 0) for windows in (1, 3)]

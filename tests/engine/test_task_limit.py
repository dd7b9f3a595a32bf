"""A backfill of any length stays below the 1,000 tasks at which Digdag, and TD, stop a run."""

import re
from collections import Counter

from ingestion import HIST

WINDOW = re.compile(r".*\+load_windows\^sub\+for-[^+]*")


def tasks_of(objects, windows):
    """How many tasks Digdag counts in a backfill that finds no table."""
    return 12 + 7 * objects + 6 * windows


def test_the_count_of_tasks_is_the_engine_s(ingest):
    acme = ingest(objects=["campaigns", "lists"])
    acme.change_datasource("klaviyo_lists_hist", window_days=30)
    run = acme.run(HIST)
    assert run.succeeded
    assert len(run.tasks) == tasks_of(objects=2, windows=1 + 3)
    # Each window takes six of them: with its group's, the tasks whose names go on from it.
    windows = Counter(found[0] for task in run.tasks if (found := WINDOW.match(task.name)))
    assert [*windows.values()] == 4 * [tasks_of(0, 1) - tasks_of(0, 0)]


def test_ten_years_of_six_objects_stay_under_a_thousand_tasks():
    # Of ten years or a hundred there are never more than sixty windows: see test_windows.py.
    assert tasks_of(objects=6, windows=2 * 60 + 4) < 1000

"""A backfill of any length stays below the 1,000 tasks at which Digdag, and TD, stop a run."""

import pytest
from ingestion import HIST


def tasks_of(objects, windows):
    """How many tasks Digdag counts in a backfill that finds no table."""
    return 12 + 7 * objects + 6 * windows


@pytest.mark.parametrize(
    ("objects", "window_days", "windows"),
    [(["lists"], None, 1), (["campaigns", "lists", "email_templates", "metrics"], 30, 3 + 3)],
)
def test_the_count_of_tasks_is_the_engine_s(ingest, objects, window_days, windows):
    acme = ingest(objects=objects)
    acme.change_datasource("klaviyo_lists_hist", window_days=window_days)
    run = acme.run(HIST)
    assert run.succeeded
    assert len(acme.td.loads) == windows
    assert len(run.tasks) == tasks_of(len(objects), windows)


def test_ten_years_of_six_objects_stay_under_a_thousand_tasks():
    # Of ten years or a hundred there are never more than sixty windows: see test_windows.py.
    assert tasks_of(objects=6, windows=2 * 60 + 4) < 1000

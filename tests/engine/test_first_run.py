"""Whichever workflow comes first finds no database, no log and no table; it runs, and so does the other."""

import pytest
from ingestion import HIST, INC
from klaviyo import CATALOGUE

# These are unlike in their fields. The other four are like profiles, of which test_gaps.py tells.
OBJECTS = [known for known in CATALOGUE if known.name in ("events", "campaigns")]


@pytest.fixture(
    scope="module", params=[(HIST, INC), (INC, HIST)], ids=["backfill-first", "incremental-first"]
)
def both_run(request, ingest):
    """The ingestion after both workflows, and one more incremental run: `.runs`.

    Where the backfill is first, the incremental table of campaigns has no column but `time` before the last run.
    """
    acme = ingest(objects=[known.name for known in OBJECTS])
    acme.runs = [acme.run(workflow) for workflow in (*request.param, INC)]
    return acme


def test_nothing_fails(both_run):
    assert [(run.exit_code, run.succeeded) for run in both_run.runs] == 3 * [(0, True)]


def test_no_record_is_missing(both_run):
    for known in OBJECTS:
        loaded = {*both_run.ids(known.table), *both_run.ids(known.historical_table)}
        assert loaded == both_run.account.ids(known.data_source), known.name

"""Whichever workflow comes first finds no database, no log and no table; it runs, and so does the other."""

import pytest
from ingestion import DATABASE, HIST, INC
from klaviyo import CATALOGUE

# These are unlike in their fields. The other four are like profiles, of which test_gaps.py tells.
OBJECTS = [known for known in CATALOGUE if known.name in ("events", "campaigns")]


@pytest.fixture(
    scope="module", params=[(HIST, INC), (INC, HIST)], ids=["backfill-first", "incremental-first"]
)
def both_run(request, ingest):
    """The ingestion after both workflows: `.runs`, and the `.columns` of all tables after each."""
    acme = ingest(objects=[known.name for known in OBJECTS])
    acme.runs, acme.columns = [], []
    for workflow in request.param:
        acme.runs.append(acme.run(workflow))
        acme.columns.append(acme.td.databases.schema()[DATABASE])
    return acme


def test_nothing_fails(both_run):
    assert [(run.exit_code, run.succeeded) for run in both_run.runs] == [(0, True), (0, True)]


def test_no_record_is_missing(both_run):
    for known in OBJECTS:
        loaded = {*both_run.ids(known.table), *both_run.ids(known.historical_table)}
        assert loaded == both_run.account.ids(known.data_source), known.name


def test_no_workflow_leaves_a_table_without_the_column_that_the_other_asks_for(both_run):
    fields = {known.table: known.inc_field for known in OBJECTS}
    fields.update({known.historical_table: known.hist_field for known in OBJECTS})
    for columns in both_run.columns:
        tables = columns.keys() - {"ingestion_log"}
        assert tables
        assert not [table for table in tables if fields[table] not in columns[table]]

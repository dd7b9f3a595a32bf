"""Whichever workflow comes first finds no database, no log and no table; it runs, and so does the other."""

import pytest
from ingestion import DATABASE, HIST, INC
from klaviyo import CATALOGUE

# These are unlike in their fields. The other four are like profiles, of which test_gaps.py tells.
OBJECTS = [known for known in CATALOGUE if known.name in ("events", "campaigns")]


@pytest.fixture(scope="module", params=["backfill-first", "incremental-first"])
def both_run(request, ingest):
    """The ingestion after both workflows: `.runs`.

    Where the backfill is first, the incremental run comes twice: before the second, the table of campaigns has
    no column but `time`. Where it is not, something else has made the incremental tables, without the columns
    that the windows ask for, and with a row.
    """
    acme = ingest(objects=[known.name for known in OBJECTS])
    order = (HIST, INC, INC)
    if request.param == "incremental-first":
        order = (INC, HIST)
        acme.td.databases.create_database(DATABASE)
        for known in OBJECTS:
            acme.td.rows(f"CREATE TABLE {DATABASE}.{known.table} (time bigint, id varchar)")
            acme.td.rows(f"INSERT INTO {DATABASE}.{known.table} VALUES (1700000000, 'by hand')")
    acme.runs = [acme.run(workflow) for workflow in order]
    return acme


def test_nothing_fails(both_run):
    assert [(run.exit_code, run.succeeded) for run in both_run.runs] == [(0, True)] * len(both_run.runs)


def test_no_record_is_missing(both_run):
    for known in OBJECTS:
        loaded = {*both_run.ids(known.table), *both_run.ids(known.historical_table)}
        assert loaded - {"by hand"} == both_run.account.ids(known.data_source), known.name

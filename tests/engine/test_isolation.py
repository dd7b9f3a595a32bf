"""An object that fails costs no other object its load, and there are never more than three loads at once."""

from collections import Counter

import pytest
from ingestion import INC
from klaviyo import CATALOGUE
from klaviyo_account import KlaviyoAccount

TABLES = [known.table for known in CATALOGUE]
FLOWS_AND_FORMS = [
    {"name": "flows", "inc_field": "updated", "inc_field_connector": "updated"},
    {"name": "forms"},
]


@pytest.fixture(scope="module")
def acme(ingest):
    """Six objects in one TD for all tests: its tables need to be made only once."""
    return ingest(load_seconds=0.5)


@pytest.mark.parametrize("failing", TABLES)
def test_the_other_five_are_loaded_once_each_in_the_same_run(acme, failing):
    acme.td.mend()
    acme.td.fail_load(failing)
    run = acme.run(INC)
    assert not run.succeeded
    loads = Counter(job.table for job in run.jobs if job.kind == "bulkload")
    assert loads == {table: 3 if table == failing else 1 for table in TABLES}
    assert acme.td.peak_loads <= 3
    for table in TABLES:
        assert acme.statuses(table)[-2:] == ["STARTED", "ERROR" if table == failing else "SUCCESS"]


def test_two_of_eight_that_fail_cost_none_of_the_six_its_load(ingest, beginning):
    field = {"updated": "updated"}
    account = KlaviyoAccount(beginning, beginning, size=0, custom={"flows": field, "forms": field})
    acme = ingest(account, load_seconds=0.5, custom_objects=FLOWS_AND_FORMS)
    failing = {"klaviyo_events", "klaviyo_metrics"}
    for table in failing:
        acme.td.fail_load(table)
    assert not acme.run(INC).succeeded
    loads = Counter(load.table for load in acme.td.loads)
    assert len(loads) == 8
    assert {table for table, count in loads.items() if count > 1} == failing
    assert acme.td.peak_loads <= 3
    assert len(acme.log(status="SUCCESS")) == 6

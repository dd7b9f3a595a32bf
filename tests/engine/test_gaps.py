"""No record falls between two windows, or between the two workflows: not one on an edge, and not one that
comes into being, or changes, while others are loaded.

Seen with both readings of a window's ends, as it is not documented which one the connector has.
"""

from datetime import datetime, timedelta, timezone

import pytest
from ingestion import HIST, INC
from klaviyo import CATALOGUE
from mock_td.klaviyo_account import KlaviyoAccount

WINDOW = timedelta(days=50)
# The three that start at once, and one that waits for them.
OBJECTS = [known for known in CATALOGUE if known.name in ("profiles", "events", "campaigns", "lists")]
FIELDS = {known.data_source: (known.created.table, known.changed.table) for known in OBJECTS}


def add_at(account, data_source, instant):
    return account.add(data_source, **dict.fromkeys(FIELDS[data_source], instant))


def instant(text):
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


@pytest.fixture(scope="module", params=["exclusive", "inclusive"])
def acme(request, ingest, beginning):
    """The ingestion after a backfill and an incremental run of `.objects`, records coming all the while.

    They are two with the reading that loses less. `.edges` are ids by what they lie on.
    """
    objects = OBJECTS if request.param == "exclusive" else OBJECTS[:2]
    names = [known.name for known in objects]
    account = KlaviyoAccount(
        beginning,
        datetime.now(timezone.utc),
        starts=request.param,
        ends=request.param,
        births=True,
        changes=True,
    )
    acme = ingest(account, objects=names)
    acme.objects = objects
    start = beginning.replace(tzinfo=timezone.utc)
    acme.edges = {"the default start": [add_at(account, name, start) for name in names]}
    acme.edges["a window's edge"] = [add_at(account, name, start + WINDOW) for name in names]
    for known in objects:
        acme.change_datasource(known.historical_table, window_days=WINDOW.days)
    acme.backfill = acme.run(HIST)
    cutoff = instant(acme.loads("klaviyo_profiles_hist")[-1].window[1])
    acme.edges["the cutoff"] = [add_at(account, name, cutoff) for name in names]
    account.births = account.changes = False  # what this run's own loads see born, the next one would load
    acme.incremental = acme.run(INC)
    return acme


def test_both_workflows_succeed(acme):
    assert (acme.backfill.succeeded, acme.incremental.succeeded) == (True, True)


def test_no_record_is_missing_whatever_was_born_or_changed_during_the_loads(acme):
    for known in acme.objects:
        loaded = {*acme.ids(known.table), *acme.ids(known.historical_table)}
        assert loaded == acme.account.ids(known.data_source), known.name


def test_a_record_of_any_edge_is_loaded(acme):
    tables = [table for known in acme.objects for table in (known.table, known.historical_table)]
    loaded = {id for table in tables for id in acme.ids(table)}
    assert {edge: [id for id in ids if id not in loaded] for edge, ids in acme.edges.items()} == {
        edge: [] for edge in acme.edges
    }


def test_a_change_during_the_backfill_of_what_was_loaded_already_is_loaded(acme):
    changed = acme.account.records("profiles")[0]
    rows = acme.td.rows("SELECT id, updated FROM client_src.klaviyo_profiles")
    assert (changed["id"], changed["updated"]) in rows


def test_all_objects_meet_where_the_run_of_the_backfill_began(acme):
    cutoffs = {acme.loads(known.historical_table)[-1].window[1] for known in acme.objects}
    (mark_row, *_rest) = acme.log(source_name="klaviyo", workflow_name=HIST)
    assert {instant(cutoff).timestamp() for cutoff in cutoffs} == {mark_row.time}


def test_no_load_asks_for_more_than_its_window(acme):
    assert (
        max(load.seconds for load in acme.td.loads if load.table.endswith("_hist"))
        <= WINDOW.total_seconds() + 1
    )

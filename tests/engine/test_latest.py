"""Latest tables on the engine: made and merged in the incremental run and by themselves, isolated, at little cost.

What makes a row the newest, and what a merge reads, is seen in ../test_latest_rows.py, without Digdag.
"""

from collections import Counter
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace

import pytest
from ingestion import DATABASE, HIST, INC
from klaviyo import CATALOGUE
from klaviyo_account import KlaviyoAccount

LATEST = "klaviyo_latest"
# Two that are merged, one whose table gets a column, one that fails. The other two are like lists.
OBJECTS = ["profiles", "events", "campaigns", "lists"]
TABLES = [f"{known.table}_latest" for known in CATALOGUE if known.name in OBJECTS]
PROFILES, EVENTS, CAMPAIGNS, LISTS = TABLES
DAY = 86400


def ids(acme, table):
    return [id for (id,) in acme.td.rows(f"SELECT id FROM {DATABASE}.{table} ORDER BY id")]


def content(acme):
    return {table: acme.td.rows(f"SELECT * FROM {DATABASE}.{table} ORDER BY ALL") for table in TABLES}


def written(run, table):
    """What was written into a latest table, or into the one beside it: (statement, rows)."""
    names = (f"{DATABASE}.{table}", f"{DATABASE}.{table}_new")
    return [
        (job.statement, job.written) for job in run.jobs if job.target in names and job.status == "success"
    ]


def part(run):
    """Jobs and tasks of the latest tables in a run."""
    jobs = [job for job in run.jobs if "_latest" in job.text]
    return len(jobs), len([task for task in run.tasks if "+latest_tables" in task.name])


@pytest.fixture(scope="module")
def acme(ingest, beginning):
    """The ingestion after a backfill and an incremental run, in which the first load of events failed for good."""
    account = KlaviyoAccount(beginning, datetime.now(timezone.utc) - timedelta(minutes=5))
    acme = ingest(account, objects=OBJECTS, latest_tables=True)
    assert acme.run(HIST).succeeded
    account.touch("profiles", "profiles-0001")
    acme.td.fail_load("klaviyo_events")
    acme.first = acme.run(INC)
    acme.td.mend()
    return acme


@pytest.fixture(scope="module")
def later(acme):
    """What a second incremental run did, a day later.

    100,000 profiles were there by then, and 50 of them and 50 others are new; of these the first INSERT
    failed, after the DELETE. Campaigns have got a column. Lists fail for good.
    """
    before = {table: len(acme.log(table_name=table)) for table in TABLES}
    acme.td.rows(
        f"""INSERT INTO {DATABASE}.{PROFILES} (id, updated, time)
            SELECT 'many-' || n, '2024-01-01T00:00:00+00:00', 1704067200 FROM range(100000) AS numbers (n)"""
    )
    acme.td.clock.advance(DAY)
    for number in range(100):
        id = f"many-{number}" if number < 50 else f"new-{number}"
        acme.account.add("profiles", id=id, updated=acme.account.now())
    acme.account.add("campaigns", colour="green")
    for number in (1, 2):
        acme.account.touch("lists", f"lists-000{number}")
    acme.td.fail_query(f"INSERT INTO {DATABASE}.{PROFILES}", times=1)
    acme.td.fail_query(f'CREATE TABLE "{LISTS}_new"', message="no room")
    run = acme.run(INC, session="2026-01-02 00:00:00")
    acme.td.mend()
    rows = {table: acme.log(table_name=table)[count:] for table, count in before.items()}
    return SimpleNamespace(run=run, rows=rows)


def test_the_incremental_run_makes_them_of_both_tables_also_where_a_load_failed(acme):
    assert f"{INC} failed for: klaviyo_events\n" in acme.first.output + "\n"
    for table in TABLES:
        assert acme.log(table_name=table)[1].status == "SUCCESS"
        assert written(acme.first, table) == [("create", 20)], table
    row = acme.log(table_name=PROFILES, status="SUCCESS")[0]
    assert (row.workflow_name, row.records_processed, row.error_message) == (INC, 20, None)
    assert row.job_id in [job.id for job in acme.first.jobs if job.statement == "create"]


def test_they_cost_four_jobs_each_and_one_the_first_time(acme):
    jobs, tasks = part(acme.first)
    assert jobs == 1 + 4 * len(TABLES)
    assert tasks <= 4 + 14 * len(TABLES)


def test_one_that_fails_costs_no_load_its_success_and_no_other_its_merge_and_the_run_names_it(acme, later):
    assert not later.run.succeeded
    assert f"{INC} failed for: {LISTS}" in later.run.output
    assert acme.statuses("klaviyo_lists")[-2:] == ["STARTED", "SUCCESS"]
    assert [row.status for row in later.rows[LISTS]] == 3 * ["STARTED", "ERROR"]
    assert "no room" in later.rows[LISTS][1].error_message
    for table in (PROFILES, EVENTS, CAMPAIGNS):
        assert later.rows[table][-1].status == "SUCCESS", table


def test_a_hundred_new_of_a_hundred_thousand_write_a_hundred_also_where_the_merge_was_interrupted(
    acme, later
):
    brought = acme.loads("klaviyo_profiles")[-1].num_records
    assert brought <= 100 + 2
    (deleted, inserted) = written(later.run, PROFILES)
    assert deleted[0] == "delete" and 50 <= deleted[1] <= brought - 50
    assert inserted == ("insert", brought)
    assert [row.status for row in later.rows[PROFILES]] == ["STARTED", "ERROR", "STARTED", "SUCCESS"]
    assert Counter(ids(acme, PROFILES)).most_common(1)[0][1] == 1
    assert len(ids(acme, PROFILES)) == 20 + 100_000 + 50


def test_a_merge_reads_what_was_loaded_since_and_not_the_loads_tables_whole(later):
    for job in later.run.jobs:
        if job.target == f"{DATABASE}.{PROFILES}" or f"{PROFILES}'" in job.text and "versions AS" in job.text:
            loaded = [
                scan
                for scan in job.scans
                if scan.table in (f"{DATABASE}.klaviyo_profiles", f"{DATABASE}.klaviyo_profiles_hist")
            ]
            assert all(scan.since and scan.rows <= 102 for scan in loaded), job.text


def test_a_new_column_is_there(acme, later):
    assert "colour" in acme.td.databases.columns(DATABASE, CAMPAIGNS)
    assert written(later.run, CAMPAIGNS) == [("create", 21)]


def test_by_itself_it_makes_good_what_failed(acme, later):
    run = acme.run(LATEST)
    assert run.succeeded, run.output[-3000:]
    assert [table for table in TABLES if written(run, table)] == [LISTS]
    row = acme.log(table_name=None)[-1]
    assert (row.source_name, row.workflow_name, row.status) == ("klaviyo", LATEST, "SUCCESS")


def test_running_again_and_making_all_anew_change_nothing(acme, later):
    acme.td.rows(f"DELETE FROM {DATABASE}.{PROFILES} WHERE id LIKE 'many-%' AND time = 1704067200")
    before = content(acme)
    again = acme.run(LATEST)
    assert again.succeeded
    assert not any(written(again, table) for table in TABLES)
    assert content(acme) == before
    anew = acme.run(LATEST, params={"rebuild": "true"})
    assert {table: len(written(anew, table)) for table in TABLES} == dict.fromkeys(TABLES, 1)
    assert content(acme) == before

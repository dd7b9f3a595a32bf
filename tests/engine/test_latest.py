"""Latest tables are made and merged in the incremental run and by themselves, isolated, at little cost.

More of what makes a row the newest, and of what a merge reads, is seen in ../test_latest_rows.py, without Digdag.
"""

from collections import Counter
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace

import pytest
from ingestion import DATABASE, HIST, INC
from klaviyo import CATALOGUE
from mock_td.klaviyo_account import PAYLOAD_TIMES, KlaviyoAccount

LATEST = "klaviyo_latest"
# Two that are merged, one whose table gets a column, one that has no records at first, and then fails. The
# other two are like lists.
OBJECTS = ["profiles", "events", "campaigns", "lists"]
TABLES = [f"{known.table}_latest" for known in CATALOGUE if known.name in OBJECTS]
PROFILES, EVENTS, CAMPAIGNS, LISTS = TABLES
MINUTE, HOUR, DAY = timedelta(minutes=1), 3600, 86400
# As text, what has a space is less than any time of its day that has a T.
T, SPACE, T_FRACTION, SPACE_FRACTION = PAYLOAD_TIMES


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


def touch(acme, id, when, form):
    """Changes a profile in the account; gives the text that the load brings."""
    acme.account.touch("profiles", id, when.strftime(form))
    return when.strftime(form)


def store(acme, table, id, when, form, after=0):
    """Puts a version of a profile where a load would have that ran so many seconds from now; gives its text."""
    acme.td.rows(
        f"INSERT INTO {DATABASE}.{table} (id, updated, time) "
        f"VALUES ('{id}', '{when.strftime(form)}', {int(acme.td.clock.now()) + after})"
    )
    return when.strftime(form)


def versions(acme, versions):
    """What the latest table of profiles has for the ids of a map, as a map like that: {id: updated}."""
    rows = acme.td.rows(f"SELECT id, updated FROM {DATABASE}.{PROFILES}")
    return {id: updated for id, updated in rows if id in versions}


def part(run):
    """Jobs and tasks of the latest tables in a run."""
    jobs = [job for job in run.jobs if "_latest" in job.text]
    return len(jobs), len([task for task in run.tasks if "+latest_tables" in task.name])


@pytest.fixture(scope="module")
def acme(ingest, beginning):
    """The ingestion after a backfill and an incremental run, in which the first load of events failed for good.

    Of four profiles there are two versions: one changed after the backfill, one the backfill loaded twice, and
    of two the newer version was loaded first: by the incremental run, by the backfill. `.touched` is when, for
    the account, they changed, `.newest` what should count of each, `.versions` what did.
    """
    account = KlaviyoAccount(beginning, datetime.now(timezone.utc) - timedelta(minutes=5), empty=["lists"])
    acme = ingest(account, objects=OBJECTS, latest_tables=True)
    acme.try_once()
    changed, again, inc_first, hist_first = (f"profiles-000{number}" for number in range(1, 5))
    before = account.now()
    for id in (changed, again):
        touch(acme, id, before, T)
    assert acme.run(HIST).succeeded
    acme.td.clock.advance(2 * HOUR)
    now = acme.touched = account.now()
    store(acme, "klaviyo_profiles_hist", inc_first, now - MINUTE, T_FRACTION, after=HOUR)
    touch(acme, hist_first, now, T)
    acme.newest = {
        changed: touch(acme, changed, now, SPACE),
        again: store(acme, "klaviyo_profiles_hist", again, before, SPACE),
        inc_first: touch(acme, inc_first, now, SPACE),
        hist_first: store(acme, "klaviyo_profiles_hist", hist_first, now + MINUTE, SPACE_FRACTION),
    }
    acme.td.fail_load("klaviyo_events")
    acme.first = acme.run(INC)
    acme.td.mend()
    acme.versions = versions(acme, acme.newest)
    return acme


@pytest.fixture(scope="module")
def later(acme):
    """What a second incremental run did, a day later.

    100,000 profiles were there by then, and 50 of them and 50 others are new; of these the first INSERT
    failed, after the DELETE. Other loads had versions of four: of an old one and a new one an older version,
    of one a newer, of one the same. `.newest` is what should count of each, `.versions` what did. Another run
    seems to be at work on events. Campaigns have got a column. Lists fail for good.
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
    now = acme.account.now()
    touch(acme, "many-0", now, T)
    store(acme, "klaviyo_profiles", "new-98", now - MINUTE, T_FRACTION, after=HOUR)
    store(acme, "klaviyo_profiles", "new-99", now, T)
    store(acme, "klaviyo_profiles", "profiles-0004", acme.touched, T)
    newest = {
        "profiles-0004": acme.newest["profiles-0004"],
        "many-0": store(acme, "klaviyo_profiles", "many-0", now + MINUTE, SPACE_FRACTION),
        "new-98": touch(acme, "new-98", now, SPACE),
        "new-99": touch(acme, "new-99", now, SPACE),
    }
    acme.account.add("campaigns", colour="green")
    for _ in range(2):
        acme.account.add("lists")
    other = f"other.1/{int(acme.td.clock.now() * 1000)}//x"
    acme.td.rows(
        f"""INSERT INTO {DATABASE}.ingestion_log (log_id, workflow_name, table_name, status, time)
            VALUES ('{other}', '{LATEST}', '{EVENTS}', 'STARTED', {int(acme.td.clock.now())})"""
    )
    acme.td.fail_query(f"INSERT INTO {PROFILES}", times=1)
    acme.td.fail_query(f'CREATE TABLE "{LISTS}_new"', message="no room")
    run = acme.run(INC, session="2026-01-02 00:00:00")
    acme.td.mend()
    rows = {table: acme.log(table_name=table)[count:] for table, count in before.items()}
    rows[EVENTS].pop(0)  # the other run's
    return SimpleNamespace(run=run, rows=rows, newest=newest, versions=versions(acme, newest))


def test_the_incremental_run_makes_them_of_both_tables_also_where_a_load_failed(acme):
    assert f"{INC} failed for: klaviyo_events\n" in acme.first.output + "\n"
    for table in (PROFILES, EVENTS, CAMPAIGNS):
        assert acme.log(table_name=table)[1].status == "SUCCESS"
        assert written(acme.first, table) == [("create", 20)], table
    row = acme.log(table_name=PROFILES, status="SUCCESS")[0]
    assert (row.workflow_name, row.records_processed, row.error_message) == (INC, 20, None)
    assert row.job_id in [job.id for job in acme.first.jobs if job.statement == "create"]


def test_the_newest_of_a_record_s_versions_counts_whenever_it_came_and_however_its_time_is_written(acme):
    assert len(acme.ids("klaviyo_profiles_hist")) == 20 + 3
    assert acme.versions == acme.newest


def test_of_what_has_no_records_there_is_none_and_that_is_no_failure(acme):
    assert [load.num_records for load in acme.loads("klaviyo_lists_hist", "success")] == [0]
    assert [load.num_records for load in acme.loads("klaviyo_lists", "success")[:1]] == [0]
    assert not [job for job in acme.first.jobs if LISTS in job.text]


def test_they_cost_four_jobs_each_and_one_the_first_time(acme):
    jobs, tasks = part(acme.first)
    assert jobs == 1 + 4 * 3
    assert tasks <= 4 + 14 * 3


def test_one_that_fails_costs_no_load_its_success_and_no_other_its_merge_and_the_run_names_it(acme, later):
    assert not later.run.succeeded
    assert f"{INC} failed for: {EVENTS}, {LISTS}\n" in later.run.output + "\n"
    assert acme.statuses("klaviyo_lists")[-2:] == ["STARTED", "SUCCESS"]
    assert [row.status for row in later.rows[LISTS]] == 3 * ["STARTED", "ERROR"]
    assert "no room" in later.rows[LISTS][1].error_message
    for table in (PROFILES, CAMPAIGNS):
        assert later.rows[table][-1].status == "SUCCESS", table


def test_one_on_which_another_run_is_at_work_is_left_alone(later):
    assert not written(later.run, EVENTS)
    assert [row.status for row in later.rows[EVENTS]] == 3 * ["STARTED", "ERROR"]
    assert f"Another run is at work on {EVENTS}: of {LATEST}" in later.rows[EVENTS][1].error_message


def test_a_hundred_new_of_a_hundred_thousand_write_a_hundred_also_where_the_merge_was_interrupted(
    acme, later
):
    assert acme.loads("klaviyo_profiles")[-1].num_records == 100
    assert written(later.run, PROFILES) == [("delete", 50), ("insert", 100)]
    assert [row.status for row in later.rows[PROFILES]] == ["STARTED", "ERROR", "STARTED", "SUCCESS"]
    assert later.rows[PROFILES][-1].records_processed == 100
    assert Counter(ids(acme, PROFILES)).most_common(1)[0][1] == 1
    assert len(ids(acme, PROFILES)) == 20 + 100_000 + 50


def test_in_a_merge_the_newest_version_counts_too_be_it_new_or_there_already(later):
    assert later.versions == later.newest


def test_a_merge_reads_what_was_loaded_since_and_not_the_loads_tables_whole(later):
    for job in later.run.jobs:
        if job.target == f"{DATABASE}.{PROFILES}" or f"{PROFILES}'" in job.text and "versions AS" in job.text:
            loaded = [
                scan
                for scan in job.scans
                if scan.table in (f"{DATABASE}.klaviyo_profiles", f"{DATABASE}.klaviyo_profiles_hist")
            ]
            assert all(scan.since and scan.rows <= 3 + 100 + 4 for scan in loaded), job.text


def test_a_new_column_is_there(acme, later):
    assert "colour" in acme.td.databases.columns(DATABASE, CAMPAIGNS)
    assert written(later.run, CAMPAIGNS) == [("create", 21)]


def test_by_itself_it_makes_good_what_failed_and_takes_over_what_a_dead_run_left(acme, later):
    run = acme.run(LATEST, params={"take_over": "yes"})
    assert run.succeeded, run.output[-3000:]
    again = acme.loads("klaviyo_events")[-1].num_records
    assert {table: written(run, table) for table in TABLES if written(run, table)} == {
        EVENTS: [("delete", again), ("insert", again)],
        LISTS: [("create", 2)],
    }
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

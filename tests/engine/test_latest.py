"""A latest table has each id once, its newest version, at a cost that follows what is new."""

from datetime import datetime, timedelta, timezone
from types import SimpleNamespace

import pytest
from ingestion import DATABASE, HIST, INC
from klaviyo_account import KlaviyoAccount

LATEST = "klaviyo_latest"
PROFILES, EVENTS, LISTS = (f"klaviyo_{name}_latest" for name in ("profiles", "events", "lists"))


def rows(acme, table, *columns):
    """The rows of a table, sorted."""
    return acme.td.rows(f"SELECT {', '.join(columns)} FROM {DATABASE}.{table} ORDER BY ALL")


def run(acme, workflow=LATEST, **params):
    """A run that succeeds; its jobs, but for those of the run as a whole."""
    ended = acme.run(workflow, params=params)
    assert ended.succeeded, ended.output[-5000:]
    return [job for job in ended.jobs if "AS table_name,\n  'S" not in job.text or "nullif('klaviyo_" in job.text]


def writes(jobs, table):
    """What was written into a latest table, or the one beside it: (statement, rows)."""
    names = (f"{DATABASE}.{table}", f"{DATABASE}.{table}_new")
    return [(job.statement, job.written) for job in jobs if job.target in names]


def store(acme, table, *records, began=None, mode="append"):
    """Loads records into a table as a workflow does: STARTED row, load, SUCCESS row; `began` seconds ago."""
    databases, now = acme.td.databases, int(acme.td.clock.now())
    if "ingestion_log" not in databases.tables(DATABASE):
        databases.run((acme.project / "sql/create_ingestion_log_table.sql").read_text().replace("${databases.src}", DATABASE), DATABASE)
    if table not in databases.tables(DATABASE):
        databases.create_table(DATABASE, table)
    started = now - (began or 0)
    mark = f"by-hand-{len(acme.log())}.1"
    for status, time, number in (("STARTED", started, 0), ("SUCCESS", now, len(records))):
        acme.td.rows(
            f"INSERT INTO {DATABASE}.ingestion_log VALUES ('{mark}/{time * 1000}/0/x', '{table}', 'by hand', "
            f"'{table}', '{status}', NULL, NULL, {number}, NULL, NULL, NULL, {time})"
        )
        if status == "STARTED" and records:
            databases.load(DATABASE, table, list(records), mode, started)


@pytest.fixture(scope="module")
def acme(ingest, beginning):
    """Profiles and lists, backfilled and loaded once; the account lives on from there."""
    account = KlaviyoAccount(beginning, datetime.now(timezone.utc) - timedelta(minutes=5))
    acme = ingest(account, objects=["profiles", "lists"], latest_tables=True)
    assert acme.run(HIST).succeeded
    return acme


@pytest.fixture(scope="module")
def first(acme):
    """The first run of the incremental workflow, with what it merged."""
    acme.account.touch("profiles", "profiles-0001")
    acme.account.touch("lists", "lists-0002")
    return SimpleNamespace(run=acme.run(INC), jobs=len(acme.td.jobs))


def test_the_incremental_run_makes_them_of_both_tables(acme, first):
    assert first.run.succeeded, first.run.output[-5000:]
    for name in ("profiles", "lists"):
        assert [id for (id,) in rows(acme, f"klaviyo_{name}_latest", "id")] == sorted(acme.account.ids(name))
        (newest,) = [r for r in acme.account.records(name) if r["id"] == f"{name}-000{1 if name == 'profiles' else 2}"]
        assert (newest["id"], newest["updated"]) in rows(acme, f"klaviyo_{name}_latest", "id", "updated")
    assert acme.statuses(PROFILES) == ["STARTED", "SUCCESS"]
    (row,) = acme.log(table_name=PROFILES, status="SUCCESS")
    assert (row.workflow_name, row.records_processed, row.error_message) == (INC, 20, None)
    assert row.job_id in {job.id for job in first.run.jobs if job.statement == "create"}


def test_what_it_costs(acme, first):
    latest = [task for task in first.run.tasks if "+latest_tables" in task.name]
    print(len(first.run.tasks), len(latest), len(first.run.jobs))
    assert len(latest) <= 4 + 2 * 18
    acme.account.touch("profiles", "profiles-0003")
    jobs = acme.run(INC).jobs
    assert writes(jobs, PROFILES) == [("delete", 1), ("insert", 1)]
    print(len(jobs), [(j.statement, j.target, j.written) for j in jobs])


def test_running_again_changes_nothing(acme, first):
    before = rows(acme, PROFILES, "*"), rows(acme, LISTS, "*")
    jobs = run(acme)
    assert writes(jobs, PROFILES) == writes(jobs, LISTS) == []
    assert (rows(acme, PROFILES, "*"), rows(acme, LISTS, "*")) == before
    jobs = run(acme, rebuild="true")
    assert writes(jobs, PROFILES) == [("create", 20)]
    assert (rows(acme, PROFILES, "*"), rows(acme, LISTS, "*")) == before

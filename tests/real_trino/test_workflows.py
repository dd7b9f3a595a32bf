"""Each workflow runs whole on Digdag with a real Trino for TD's SQL, with every option on and loads that fail.

The mock TD's DuckDB runs each statement too, and both must agree (both.py says in what).
"""

import os
import shutil
from datetime import datetime, timedelta, timezone

import digdag
import pytest
from copier import run_copy
from ingestion import Ingestion
from mock_td.klaviyo_account import KlaviyoAccount
from mock_td.treasure_data import TreasureData
from real_trino.both import BothDatabases
from real_trino.client import heading
from real_trino.server import VERSIONS

pytestmark = pytest.mark.skipif(
    shutil.which("digdag") is None, reason="No digdag on PATH: no workflow was run on a real Trino"
)
HOUR, DAY = 3600, 86400
# Digdag takes it for the number 83, and Trino for no name, where it has no quotes.
DATABASE = "0123"
SOURCE = "klaviyo_uk"
INC, HIST = f"{SOURCE}_ingest_inc", f"{SOURCE}_ingest_hist"
PROFILES, EVENTS, METRICS, FLOWS = (f"{SOURCE}_{name}" for name in ("profiles", "events", "metrics", "flows"))
OPTIONS = {
    "account": "uk",
    "target_database": DATABASE,
    "td_authentication_id": "400000",
    "objects": ["profiles", "events", "metrics"],
    "metrics_load": "full",
    "custom_objects": [
        {
            "name": "flows",
            "inc_field": "updated_at",
            "inc_field_connector": "updated",
            "hist_field": "created_at",
            "hist_field_connector": "created",
        },
        {"name": "campaigns_snapshot", "data_source": "campaigns"},
    ],
    "remove_copies": True,
    "latest_tables": True,
    "freshness_hours": 24,
    "alert_email": "data-team@example.com",
}


@pytest.fixture(scope="module")
def acme(example_answers, pristine_template, tmp_path_factory):
    """The account uk, which has every option, in a repo of another account; in its TD there is nothing yet."""
    if not VERSIONS[os.environ["TRINO"]].has_delete:
        pytest.skip(f"Trino {os.environ['TRINO']} has no DELETE here: no workflow was run on it")
    repo = tmp_path_factory.mktemp("client") / "acme"
    end = datetime.now(timezone.utc)
    beginning = (end - timedelta(days=80)).replace(tzinfo=None, microsecond=0)
    first = {**example_answers, "target_database": DATABASE}
    second = {**OPTIONS, "default_start_date": f"{beginning.isoformat()}.000000"}
    for answers, file in ((first, None), (second, ".copier-answers.klaviyo_uk.yml")):
        run_copy(
            str(pristine_template),
            repo,
            data=answers,
            answers_file=file,
            defaults=True,
            unsafe=True,
            quiet=True,
        )
    account = KlaviyoAccount(
        beginning, end, custom={"flows": {"created": "created_at", "updated": "updated_at"}}
    )
    with TreasureData(account, databases=BothDatabases) as td:
        acme = Ingestion(repo / "ingestion", td)
        acme.write_out_the_database()
        acme.try_once()
        yield acme


def log(acme, *tables):
    """{table: its statuses in the log, in their order}, as Trino has them; of the runs, under None."""
    rows = acme.td.databases.trino.rows(
        f'SELECT table_name, status FROM "{DATABASE}".ingestion_log '
        "ORDER BY time, CAST(split_part(log_id, '/', 2) AS bigint), status DESC"
    )
    return {table: [status for name, status in rows if name == table] for table in tables}


def ids(acme, table):
    rows = acme.td.databases.trino.rows(f'SELECT id FROM "{DATABASE}".{table} ORDER BY id')
    return [id for (id,) in rows]


@pytest.fixture(scope="module")
def preflight(acme):
    """Preflight, in which the load of events fails."""
    acme.td.fail_load(f"{SOURCE}_preflight_events", message="HTTP 403: missing required scopes: events:read")
    run = acme.run(f"{SOURCE}_preflight")
    acme.td.mend()
    return run


@pytest.fixture(scope="module")
def backfill(acme, preflight):
    return acme.run(HIST)


@pytest.fixture(scope="module")
def incremental(acme, backfill):
    """The first incremental run, in which the load of flows fails."""
    acme.td.clock.advance(HOUR)
    acme.td.fail_load(FLOWS, message="it's over\n\twith ${this}")
    with digdag.Mailbox() as mailbox:
        run = acme.run(INC, mailbox=mailbox)
    acme.td.mend()
    return run


@pytest.fixture(scope="module")
def later(acme, incremental):
    """The incremental run of a day later, by when profiles have changed and one is new."""
    acme.td.clock.advance(DAY)
    for number in (1, 2, 3):
        acme.account.touch("profiles", f"profiles-000{number}")
    acme.account.add("profiles")
    acme.td.clock.advance(60)
    return acme.run(INC, session="2026-01-02 00:00:00")


@pytest.fixture(scope="module")
def latest(acme, later):
    """The latest tables by themselves, made anew."""
    acme.td.clock.advance(60)
    return acme.run(f"{SOURCE}_latest", params={"rebuild": "true"})


@pytest.fixture(scope="module")
def freshness(acme, latest):
    """Freshness, a day and an hour after the last load."""
    acme.td.clock.advance(DAY + HOUR)
    with digdag.Mailbox() as mailbox:
        return acme.run(f"{SOURCE}_freshness", mailbox=mailbox)


@pytest.fixture(scope="module")
def by_hand(acme, freshness):
    """The texts of all that a person runs, and of what some of it prints to be run."""
    texts = []
    for path in sorted(acme.project.glob(f"query_samples/{SOURCE}_*.sql")):
        texts.append(path.read_text(encoding="utf-8"))
        result = acme.td.databases.run(texts[-1], DATABASE)
        if [name for name, _ in result.columns][-1] == "query":
            texts += [row[-1] for row in result.rows]
    for text in texts:
        acme.td.databases.run(text, DATABASE)
    return texts


def test_preflight_says_what_is_wrong_and_that_all_else_is_well(acme, preflight):
    assert not preflight.succeeded
    assert f"{SOURCE}_preflight failed for: {EVENTS}." in preflight.output
    lines = dict(
        acme.td.databases.trino.rows(f'SELECT table_name, line FROM "{DATABASE}".{SOURCE}_preflight')
    )
    assert "lacks the scope events:read" in lines.pop(EVENTS)
    assert len(lines) == 4
    assert all(": ok, " in line for line in lines.values()), lines


def test_a_backfill_loads_all(acme, backfill):
    assert backfill.succeeded, backfill.output[-3000:]
    assert log(acme, f"{PROFILES}_hist") == {f"{PROFILES}_hist": ["STARTED", "SUCCESS"]}
    assert ids(acme, f"{PROFILES}_hist") == sorted(acme.account.ids("profiles"))


def test_an_incremental_run_loads_all_but_what_fails(acme, incremental):
    assert f"{INC} failed for: {FLOWS}\n" in incremental.output + "\n"
    assert log(acme, PROFILES, FLOWS) == {PROFILES: ["STARTED", "SUCCESS"], FLOWS: ["STARTED", "ERROR"]}


def test_a_later_one_loads_what_changed_and_merges_it(acme, later):
    assert later.succeeded, later.output[-3000:]
    written = {
        job.target.removeprefix(f"{DATABASE}."): job.written
        for job in later.jobs
        if job.statement == "delete"
    }
    assert written[f"{PROFILES}_latest"] == 3
    assert ids(acme, f"{PROFILES}_latest") == sorted(acme.account.ids("profiles"))


def test_latest_tables_are_made_anew_by_themselves(acme, latest):
    assert latest.succeeded, latest.output[-3000:]
    assert ids(acme, f"{PROFILES}_latest") == sorted(acme.account.ids("profiles"))


def test_freshness_names_what_had_no_load_for_a_day(freshness):
    assert not freshness.succeeded
    assert f"no successful load for 24 hours: {PROFILES} (the last was at " in freshness.output


def test_every_query_of_the_repo_was_run(acme, by_hand):
    """Where two files began alike, one could be taken for the other."""
    own = [*acme.project.rglob(f"{SOURCE}_*.sql"), acme.project / "sql/create_ingestion_log_table.sql"]
    assert len({heading(path) for path in own} - {""}) == len(own) > 25
    plans = acme.td.databases.trino.plans
    assert [path.name for path in own if not any(plan.is_of(path) for plan in plans)] == []

"""The client's README on a `digdag server`, which is what production has: push, secrets, start, kill, retry.

Where the `digdag` on PATH starts no server, this part is not run, and says why.
"""

from collections import Counter

import digdag_server
import pytest
from ingestion import HIST, INC
from treasure_data import TreasureData

KEY = "pk_0123456789abcdef0123456789abcdef01"
PROJECT = "ingestion"
CAMPAIGNS, LISTS = "klaviyo_campaigns", "klaviyo_lists"


@pytest.fixture(scope="module")
def acme(ingest):
    """The ingestion, pushed to a `.server` of its own as the README says; nothing has been started yet."""
    acme = ingest(objects=["campaigns", "lists"], klaviyo_api_key=KEY, schedule="15 3 29 2 *")
    try:
        with digdag_server.Server(acme.td) as acme.server:
            acme.server.push(acme.project, PROJECT)
            acme.server.secrets(PROJECT, acme.project / "credentials_ingestion.json")
            yield acme
    except digdag_server.CannotStart as why:
        pytest.skip(f"Not run on a server: {why}")


@pytest.fixture(scope="module")
def loaded(acme):
    """The ingestion after backfill and incremental run, both of them to their ends: `.succeeded`."""
    acme.succeeded = {}
    for workflow in (HIST, INC):
        acme.succeeded[workflow] = acme.server.wait(acme.server.start(PROJECT, workflow))
    return acme


def test_what_is_pushed_is_everything_but_the_credentials_and_dot_files(acme):
    pushed = acme.server.files(PROJECT)
    there = {str(path.relative_to(acme.project)) for path in acme.project.rglob("*") if path.is_file()}
    left_out = there - pushed.keys()
    assert [name for name in left_out if not name.startswith(".")] == ["credentials_ingestion.json"]
    assert pushed.keys() <= there
    assert not [name for name, content in pushed.items() if KEY.encode() in content]


def test_the_credentials_file_as_it_is_sets_the_secret(acme):
    assert "klaviyo_api_token" in acme.server.names_of_secrets(PROJECT)


def test_the_incremental_workflow_alone_is_scheduled(acme):
    assert {name: when[5:16] for name, when in acme.server.schedules(PROJECT).items()} == {INC: "02-29T03:15"}


def test_backfill_and_incremental_run_load_every_record(loaded):
    assert loaded.succeeded == {HIST: True, INC: True}
    for name, table in (("campaigns", CAMPAIGNS), ("lists", LISTS)):
        assert loaded.ids(f"{table}_hist") == sorted(loaded.account.ids(name))
        assert loaded.statuses(f"{table}_hist") == loaded.statuses(table) == ["STARTED", "SUCCESS"]


def test_a_failed_run_names_the_object_and_all_of_it_can_be_retried(loaded):
    loaded.td.fail_load(CAMPAIGNS, message="401 Unauthorized: the key was revoked")
    failed = loaded.server.start(PROJECT, INC)
    assert not loaded.server.wait(failed)
    assert f"{INC} failed for: {CAMPAIGNS}" in loaded.server.log(failed)
    assert "the key was revoked" in loaded.log(table_name=CAMPAIGNS, status="ERROR")[-1].error_message
    loaded.td.mend()
    changed = loaded.account.add("campaigns")
    retried = loaded.server.retry(failed, "all")
    assert (retried.session_id, retried.id != failed.id) == (failed.session_id, True)
    assert loaded.server.wait(retried)
    assert Counter(loaded.ids(CAMPAIGNS))[changed] == 1


def test_a_run_that_was_killed_ends_and_a_new_start_loads_what_it_would_have(loaded):
    changed = loaded.account.add("lists")
    loaded.td.load_seconds = 3
    killed = loaded.server.start(PROJECT, INC)
    loaded.server.wait_until(lambda: loaded.loads(LISTS, "running"))
    loaded.server.kill(killed)
    assert not loaded.server.wait(killed)
    loaded.td.load_seconds = 0
    loaded.server.wait_until(lambda: not loaded.loads(LISTS, "running"))
    assert loaded.statuses(LISTS)[-1] == "STARTED"
    assert loaded.server.wait(loaded.server.start(PROJECT, INC))
    assert loaded.statuses(LISTS)[-1] == "SUCCESS"
    assert changed in loaded.ids(LISTS)


def test_neither_the_server_nor_a_log_tells_the_key(loaded):
    logs = [
        loaded.server.log(attempt)
        for name in (HIST, INC)
        for attempt in loaded.server.attempts(PROJECT, name)
    ]
    assert len(logs) >= 2
    assert not [text for text in (loaded.server.output, *logs) if KEY in text]
    assert KEY not in "".join(job.text for job in loaded.td.jobs)


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (None, "No `digdag` on PATH"),
        ("#!/bin/sh\necho it needs Java 11\nexit 3\n", "ended with 3:\nit needs Java 11"),
    ],
)
def test_where_no_server_can_be_started_it_is_said_why(tmp_path, monkeypatch, script, why):
    if script:
        (tmp_path / "digdag").write_text(script)
        (tmp_path / "digdag").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(digdag_server.CannotStart, match=why), digdag_server.Server(TreasureData()):
        pytest.fail("there is no server")

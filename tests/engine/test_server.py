"""The client's README holds on a `digdag server`, which is what production has: push, secrets, start, kill, retry.

Where the `digdag` on PATH starts no server, this part is not run, and says why.
"""

from collections import Counter
from datetime import datetime, timedelta, timezone

import digdag_server
import pytest
from ingestion import HIST, INC
from mock_td.treasure_data import TreasureData

KEY = "pk_0123456789abcdef0123456789abcdef01"
PROJECT = "ingestion"
PREFLIGHT = "klaviyo_preflight"
LISTS, LISTS_HIST = "klaviyo_lists", "klaviyo_lists_hist"
SCHEDULE = "15 3 29 2 *"
ANSWERS = {"objects": ["lists"], "klaviyo_api_key": KEY, "schedule": SCHEDULE}


@pytest.fixture(scope="module")
def acme(ingest):
    """The ingestion, pushed to a `.server` of its own as the README says; nothing has been started yet.

    `.shown` is what each command printed, or was refused with.
    """
    acme = ingest(**ANSWERS)
    # As a client has it, or of two backfills at once both may end before they see that the other did.
    acme.edit(f"{HIST}.dig", "limit: 6\n    interval: 0", "limit: 6\n    interval: 10")
    try:
        with digdag_server.Server(acme.td) as acme.server:
            credentials = acme.project / "credentials_ingestion.json"
            with pytest.raises(digdag_server.Refused) as too_early:
                acme.server.secrets(PROJECT, credentials)
            acme.shown = {
                "secrets, too early": str(too_early.value),
                "push": acme.server.push(acme.project, PROJECT),
                "secrets": acme.server.secrets(PROJECT, credentials),
                "disable": acme.server.command("disable", PROJECT, INC),
                "enable": acme.server.command("enable", PROJECT, INC),
            }
            yield acme
    except digdag_server.CannotStart as why:
        pytest.skip(f"Not run on a server: {why}")


@pytest.fixture(scope="module")
def backfilled(acme):
    """The ingestion after preflight and two `.backfills` at once; {attempt: whether it `.succeeded`}."""
    acme.backfills = [acme.server.start(PROJECT, HIST) for _ in range(2)]
    acme.preflight = acme.server.start(PROJECT, PREFLIGHT)
    attempts = [*acme.backfills, acme.preflight]
    acme.succeeded = {attempt: acme.server.wait(attempt) for attempt in attempts}
    return acme


@pytest.fixture(scope="module")
def scheduled(backfilled):
    """The ingestion after an incremental `.session` of its schedule was killed, once it had run too long.

    It was due two minutes ago, and others were a minute ago and now: `.sessions` are those that there were.
    """
    acme = backfilled
    acme.edit(f"{INC}.dig", SCHEDULE, "* * * * *")
    acme.td.load_seconds = 3600
    start = datetime.now(timezone.utc) - timedelta(seconds=150)
    acme.server.push(acme.project, PROJECT, "--schedule-from", f"{start:%Y-%m-%d %H:%M:%S} +0000")
    acme.server.wait_until(lambda: acme.loads(LISTS, "running"))
    now = datetime.now(timezone.utc).isoformat()
    acme.server.wait_until(lambda: acme.server.schedules(PROJECT)[INC] > now)
    acme.server.disable(PROJECT, INC)
    acme.sessions = acme.server.attempts(PROJECT, INC)
    acme.session = acme.sessions[0]
    acme.server.kill(acme.session)
    acme.td.load_seconds = 0
    return acme


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("push", "Uploaded:"),
        ("disable", "Disabled schedule id:"),
        ("secrets", "Secret 'klaviyo_api_token' set"),
        ("enable", "Enabled schedule id:"),
        ("secrets, too early", "project not found"),
    ],
)
def test_commands_show_what_the_manual_says(acme, rendered, command, shown):
    """What the start shows: `start_by_command`."""
    manual = (rendered(ANSWERS).parent / "docs/klaviyo.md").read_text(encoding="utf-8")
    for text in (shown, "Started a session attempt:"):
        assert f"`{text}`" in " ".join(manual.split())
    assert shown in acme.shown[command]


def test_what_is_pushed_is_everything_but_the_credentials_query_samples_and_dot_files(acme):
    pushed = acme.server.files(PROJECT)
    there = {str(path.relative_to(acme.project)) for path in acme.project.rglob("*") if path.is_file()}
    left_out = {name.split("/")[0] for name in there - pushed.keys() if not name.startswith(".")}
    assert left_out == {"credentials_ingestion.json", "query_samples"}
    assert pushed.keys() <= there
    assert not [name for name, content in pushed.items() if KEY.encode() in content]


def test_the_credentials_file_as_it_is_sets_the_secret(acme):
    assert "klaviyo_api_token" in acme.server.names_of_secrets(PROJECT)


def test_the_incremental_workflow_alone_is_scheduled(acme):
    assert {name: when[5:16] for name, when in acme.server.schedules(PROJECT).items()} == {INC: "02-29T03:15"}


def test_preflight_succeeds_and_shows_its_lines(backfilled):
    assert backfilled.succeeded[backfilled.preflight]
    assert f"{LISTS}: ok, " in backfilled.server.log(backfilled.preflight)


def test_of_two_backfills_at_once_one_loads_everything_once_and_the_other_names_it(backfilled):
    (first,) = [attempt for attempt in backfilled.backfills if backfilled.succeeded[attempt]]
    (second,) = set(backfilled.backfills) - {first}
    told = backfilled.server.log(second)
    assert f"Another run of {HIST} is under way" in told
    assert first.mark in told
    assert backfilled.ids(LISTS_HIST) == sorted(backfilled.account.ids("lists"))
    assert backfilled.statuses(LISTS_HIST) == ["STARTED", "SUCCESS"]


def a_new_list(acme):
    """The id of a list that a run which begins now asks for: not of this second, at which its window ends."""
    return acme.account.add("lists", updated=acme.account.now() - timedelta(seconds=2))


def test_sessions_that_are_due_while_one_runs_are_skipped(scheduled):
    assert len(scheduled.sessions) == 1


def test_a_killed_attempt_leaves_no_load_behind_and_retried_goes_on(scheduled):
    assert [load.status for load in scheduled.loads(LISTS)] == ["killed"]
    new = a_new_list(scheduled)
    retried = scheduled.server.retry(scheduled.session)
    assert (retried.session_id, retried.id != scheduled.session.id) == (scheduled.session.session_id, True)
    assert scheduled.server.wait(retried)
    assert Counter(scheduled.ids(LISTS))[new] == 1


def test_after_a_kill_a_new_start_is_refused_until_it_takes_over(scheduled):
    new = a_new_list(scheduled)
    scheduled.td.load_seconds = 3600
    killed = scheduled.server.start(PROJECT, INC)
    scheduled.server.wait_until(
        lambda: scheduled.server.attempt(killed)["done"] or scheduled.loads(LISTS, "running")
    )
    scheduled.server.kill(killed)
    scheduled.td.load_seconds = 0
    loads = len(scheduled.loads(LISTS))
    refused = scheduled.server.start(PROJECT, INC)
    assert not scheduled.server.wait(refused)
    assert killed.mark in scheduled.server.log(refused)
    assert "start again with -p take_over=yes" in scheduled.log(status="ERROR")[-1].error_message
    assert len(scheduled.loads(LISTS)) == loads
    assert scheduled.server.wait(scheduled.server.start_by_command(PROJECT, INC, "-p", "take_over=yes"))
    assert Counter(scheduled.ids(LISTS))[new] == 1


@pytest.fixture(scope="module")
def failed(scheduled):
    """The ingestion after an incremental `.attempt` that failed, long after others were killed."""
    scheduled.td.fail_load(LISTS, message="401 Unauthorized: the key was revoked")
    scheduled.attempt = scheduled.server.start(PROJECT, INC)
    assert not scheduled.server.wait(scheduled.attempt)
    scheduled.td.mend()
    return scheduled


def test_a_failed_run_names_the_object_and_why(failed):
    assert f"{INC} failed for: {LISTS}" in failed.server.log(failed.attempt)
    assert "the key was revoked" in failed.log(table_name=LISTS, status="ERROR")[-1].error_message


def test_a_failed_run_cannot_be_resumed(failed):
    loads = len(failed.loads(LISTS))
    with pytest.raises(digdag_server.Refused, match="HTTP 500"):
        failed.server.retry(failed.attempt, resume=True)
    assert len(failed.loads(LISTS)) == loads


def test_neither_the_server_nor_a_log_tells_the_key(failed):
    logs = [
        failed.server.log(attempt)
        for name in (PREFLIGHT, HIST, INC)
        for attempt in failed.server.attempts(PROJECT, name)
    ]
    assert len(logs) >= 8
    assert not [text for text in (failed.server.output, *logs) if KEY in text]
    assert KEY not in "".join(job.text for job in failed.td.jobs)


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

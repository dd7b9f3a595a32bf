"""One start loads any history: what an attempt leaves goes on in a session of its own, and alerts once."""

import re
from collections import Counter

import digdag
import pytest
from ingestion import HIST

PROFILES, EVENTS = "klaviyo_profiles_hist", "klaviyo_events_hist"


@pytest.fixture(scope="module")
def acme(ingest):
    """The ingestion after a backfill whose attempts may load one window an object, of four.

    From the third attempt on, profiles fail; `.first` is that start, `.mails` what it sent. `.second` is the
    start after they were mended.
    """
    acme = ingest(objects=["profiles", "events"], alert_email="data-team@example.com")
    for table in (PROFILES, EVENTS):
        acme.change_datasource(table, window_days=25)
    acme.edit("sql/klaviyo_objects_to_load.sql", "(900 - 75 * objects) / 6.7", "2")
    acme.try_once()
    acme.td.fail_load(PROFILES, after=2, message="401 Unauthorized")
    with digdag.Mailbox() as mailbox:
        acme.first = acme.run(HIST, mailbox=mailbox, timeout=600)
    acme.mails = mailbox.messages
    acme.first_loads = {table: acme.loads(table) for table in (PROFILES, EVENTS)}
    acme.td.mend()
    acme.second = acme.run(HIST, session="2026-01-01 00:00:00", timeout=600)
    return acme


def marks(acme):
    return [row.log_id.split("/")[0] for row in acme.log(source_name="klaviyo", status="STARTED")]


def test_the_failure_stops_no_other_object_s_history(acme):
    assert not acme.first.succeeded
    assert Counter(load.status for load in acme.first_loads[EVENTS]) == {"success": 4}
    assert Counter(load.status for load in acme.first_loads[PROFILES])["success"] == 2


def test_it_takes_an_attempt_for_each_window(acme):
    per_mark = Counter(row.log_id.split("/")[0] for row in acme.log(table_name=EVENTS, status="SUCCESS"))
    assert list(per_mark.values()) == [1, 1, 1, 1]
    assert len(set(marks(acme))) == 4 + 1  # the second start, in which profiles alone have windows left


def test_there_is_one_alert_and_it_names_what_failed_alone(acme):
    (mail,) = acme.mails
    assert f"{HIST} failed for: {PROFILES}" in mail.get_content().splitlines()


def test_after_the_next_start_every_record_is_there_once(acme):
    assert acme.second.succeeded
    for table, data_source in ((EVENTS, "events"), (PROFILES, "profiles")):
        assert acme.ids(table) == sorted(acme.account.ids(data_source))


def test_the_log_tells_the_end_of_each_attempt(acme):
    ends = [row.log_id.split("/")[0] for row in acme.log(source_name="klaviyo") if row.status != "STARTED"]
    assert sorted(ends) == sorted(marks(acme))


def test_only_the_last_row_of_an_attempt_tells_that_windows_are_left(acme):
    left = [row.log_id.split("/")[2] for row in acme.log(table_name=EVENTS, status="SUCCESS")]
    assert left == [str(number) for number in range(3, -1, -1)]
    assert all(re.fullmatch(r"[0-9a-f-]{36}\.[0-9]+", mark) for mark in marks(acme))

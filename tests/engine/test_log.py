"""ingestion_log tells how each load went, whatever a message holds, and of a run what failed in it."""

import re

import pytest
from ingestion import HIST, INC

# An object each, the load of which ends with this message.
MESSAGES = {
    "profiles": "It's \"over\":\n\tsee C:\\new, ''twice'' and -- no more; {} /* */ é",
    "events": "Failed to evaluate a variable ${nothing}",
    "lists": " ".join(str(number) for number in range(1000, 2000)),
}
TABLES = {name: f"klaviyo_{name}" for name in (*MESSAGES, "campaigns")}


@pytest.fixture(scope="module")
def failed(ingest):
    """The ingestion after a run in which three of four objects failed; there is no mail server."""
    acme = ingest(objects=[*TABLES], alert_email="data-team@example.com")
    for name, message in MESSAGES.items():
        acme.td.fail_load(TABLES[name], message=message)
    acme.last_run = acme.run(INC)
    return acme


def test_every_load_leaves_two_rows(failed):
    for name, table in TABLES.items():
        assert failed.statuses(table) == ["STARTED", "ERROR" if name in MESSAGES else "SUCCESS"]


@pytest.mark.parametrize("name", MESSAGES)
def test_an_error_names_source_table_and_workflow(failed, name):
    (row,) = failed.log(table_name=TABLES[name], status="ERROR")
    assert (row.source_name, row.workflow_name) == (TABLES[name], INC)


def test_an_error_carries_the_connector_s_message_whatever_signs_are_in_it(failed):
    (row,) = failed.log(table_name=TABLES["profiles"], status="ERROR")
    assert row.error_message.endswith(" ".join(MESSAGES["profiles"].split()))


def test_of_a_long_message_the_last_two_thousand_characters_are_logged(failed):
    (row,) = failed.log(table_name=TABLES["lists"], status="ERROR")
    assert len(MESSAGES["lists"]) > 2000
    assert row.error_message == MESSAGES["lists"][-2000:]


def test_an_error_that_cannot_be_shown_is_logged_nevertheless(failed):
    (row,) = failed.log(table_name=TABLES["events"], status="ERROR")
    assert "cannot be shown" in row.error_message


def test_a_row_of_the_run_names_every_object_that_failed(failed):
    row = failed.log()[-1]
    assert (row.source_name, row.table_name, row.status) == ("klaviyo", None, "ERROR")
    assert row.workflow_name == INC
    assert [name for name, table in TABLES.items() if table in row.error_message] == list(MESSAGES)


def test_a_mail_that_cannot_be_sent_hides_no_row(failed):
    assert [name for name in failed.last_run.failed_tasks() if name.endswith("+failure_alert")]
    assert len(failed.log(source_name="klaviyo", status="ERROR")) == 1


def test_a_success_tells_window_records_and_job(failed):
    (load,) = failed.loads(TABLES["campaigns"])
    (row,) = failed.log(status="SUCCESS")
    assert (row.start_time, row.end_time) == load.window
    assert row.records_processed == load.num_records == 20
    assert row.job_id == load.id
    assert row.job_url == f"https://console.treasuredata.com/app/jobs/{load.id}/output-logs"


def test_the_backfill_treats_an_error_as_the_incremental_workflow_does(rendered):
    """So that what is seen of the one on the engine, here and in test_alert.py, holds for the other."""
    folder = rendered({"alert_email": "data-team@example.com"})
    inc, hist = (
        re.findall(
            r"^( *)_error:\n((?:\1 .*\n|\n)+)",
            (folder / f"{name}.dig").read_text(encoding="utf-8"),
            re.MULTILINE,
        )
        for name in (INC, HIST)
    )
    assert len(inc) == 2
    assert [(indent, text.replace(HIST, INC)) for indent, text in hist] == inc

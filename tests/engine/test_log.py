"""ingestion_log tells how each load went, whatever a message holds, and of a run what failed in it."""

import re
from collections import Counter
from datetime import datetime, timezone

import pytest
from ingestion import HIST, INC
from klaviyo import CATALOGUE
from mock_td.klaviyo_account import KlaviyoAccount

# An object each, the loads of which end with this message. The first is longer than the log keeps.
MESSAGES = {
    "profiles": "lost " * 500 + "It's \"over\":\n\tsee C:\\new, ''twice'' and -- no more; {} /* */ é",
    "events": "Failed to evaluate a variable ${nothing}",
}
NO_WINDOW = "klaviyo_lists"
TABLES = {*(known.table for known in CATALOGUE), "klaviyo_flows", "klaviyo_forms"}
FAILING = {NO_WINDOW, *(f"klaviyo_{name}" for name in MESSAGES)}
FLOWS_AND_FORMS = [
    {"name": "flows", "inc_field": "updated", "inc_field_connector": "updated"},
    {"name": "forms"},
]


@pytest.fixture(scope="module")
def failed(ingest, beginning):
    """The ingestion after a run in which three of eight objects failed; there is no mail server."""
    custom = {"flows": {"updated": "updated"}, "forms": {"updated": "updated"}}
    account = KlaviyoAccount(beginning, datetime.now(timezone.utc), custom=custom)
    acme = ingest(
        account, load_seconds=0.5, custom_objects=FLOWS_AND_FORMS, alert_email="data-team@example.com"
    )
    acme.change_datasource(NO_WINDOW, default_start_time="")
    for name, message in MESSAGES.items():
        acme.td.fail_load(f"klaviyo_{name}", message=message)
    acme.last_run = acme.run(INC)
    return acme


def test_those_of_eight_that_fail_cost_none_of_the_others_its_load(failed):
    assert Counter(load.table for load in failed.td.loads) == {
        table: 3 if table in FAILING else 1 for table in TABLES - {NO_WINDOW}
    }
    assert failed.td.peak_loads <= 3


def test_every_try_leaves_a_row_and_so_does_its_end(failed):
    for table in TABLES - {NO_WINDOW}:
        tries = 3 if table in FAILING else 1
        end = "ERROR" if table in FAILING else "SUCCESS"
        assert failed.statuses(table) == tries * ["STARTED"] + [end], table


def test_an_object_without_a_window_fails_by_name_before_its_load(failed):
    (row,) = failed.log(table_name=NO_WINDOW, status="ERROR")
    assert (
        row.error_message == f"{NO_WINDOW}: the window has no start_time or no end_time, nothing was loaded"
    )


@pytest.mark.parametrize("name", MESSAGES)
def test_an_error_names_source_table_and_workflow(failed, name):
    (row,) = failed.log(table_name=f"klaviyo_{name}", status="ERROR")
    assert (row.source_name, row.workflow_name) == (f"klaviyo_{name}", INC)


def test_an_error_carries_the_end_of_the_connector_s_message_whatever_signs_are_in_it(failed):
    (row,) = failed.log(table_name="klaviyo_profiles", status="ERROR")
    assert row.error_message == re.sub(r"\s+", " ", MESSAGES["profiles"][-2000:])


def test_an_error_that_cannot_be_shown_is_logged_nevertheless(failed):
    (row,) = failed.log(table_name="klaviyo_events", status="ERROR")
    assert "cannot be shown" in row.error_message


def test_a_row_of_the_run_names_every_object_that_failed(failed):
    row = failed.log()[-1]
    assert (row.source_name, row.table_name, row.status) == ("klaviyo", None, "ERROR")
    assert row.workflow_name == INC
    assert {table for table in TABLES if table in row.error_message} == FAILING


def test_a_mail_that_cannot_be_sent_hides_no_row(failed):
    assert [name for name in failed.last_run.failed_tasks() if name.endswith("+failure_alert")]
    assert len(failed.log(source_name="klaviyo", status="ERROR")) == 1


def test_a_success_tells_window_records_and_job(failed):
    (load,) = failed.loads("klaviyo_campaigns")
    (row,) = failed.log(table_name="klaviyo_campaigns", status="SUCCESS")
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
    assert len(inc) == 3
    assert [(indent, text.replace(HIST, INC)) for indent, text in hist] == inc

"""A failed run sends one mail, which names what failed, when, and where to look."""

import digdag
import pytest
from ingestion import INC


@pytest.fixture
def acme(ingest):
    return ingest(objects=["lists"], alert_email="data-team@example.com")


def run_and_read_the_mail(acme):
    """The one mail that a failing run sends, and its text's lines."""
    with digdag.Mailbox() as mailbox:
        assert not acme.run(INC, session="2026-03-01 04:30:00", mailbox=mailbox).succeeded
    (message,) = mailbox.messages
    return message, message.get_content().splitlines()


def assert_where_to_look(lines):
    console, log = lines[-2:]
    assert "TD console, Workflows, the attempt 1 of session 1" in console
    assert "FROM client_src.ingestion_log" in log


def test_the_mail_names_the_object_the_session_and_where_to_look_even_where_no_row_can_be_written(acme):
    acme.td.fail_load("klaviyo_lists")
    acme.td.fail_query("'ERROR' AS status")
    message, lines = run_and_read_the_mail(acme)
    assert message["To"] == "data-team@example.com"
    assert message["Subject"] == "Klaviyo ingestion failed: Acme Outdoor"
    assert f"{INC} failed for: klaviyo_lists" in lines
    assert lines[0] == f"{INC} of Acme Outdoor failed in the session 2026-03-01T04:30:00+00:00."
    assert_where_to_look(lines)
    assert acme.log(status="ERROR") == []


def test_a_message_that_cannot_be_shown_hides_neither_mail_nor_row(acme):
    acme.edit("sql/klaviyo_not_started.sql", "SELECT", "SELECT ${nothing}")
    _, lines = run_and_read_the_mail(acme)
    assert "cannot be shown" in lines[0]
    assert_where_to_look(lines)
    (row,) = acme.log()
    assert (row.source_name, row.status) == ("klaviyo", "ERROR")
    assert "cannot be shown" in row.error_message

"""klaviyo_freshness fails, and so alerts, naming the tables without a successful load for too long; no others."""

import digdag
import pytest
from ingestion import INC

FRESHNESS = "klaviyo_freshness"
HOUR = 3600


@pytest.fixture(scope="module")
def acme(ingest):
    acme = ingest(
        objects=["lists", "campaigns"],
        freshness_hours=6,
        latest_tables=True,
        alert_email="data-team@example.com",
    )
    acme.try_once()
    return acme


def mail_of(acme):
    """What the one mail of a run that fails says."""
    with digdag.Mailbox() as mailbox:
        assert not acme.run(FRESHNESS, mailbox=mailbox).succeeded
    (message,) = mailbox.messages
    return message.get_content()


def test_a_repo_that_was_just_pushed_is_quiet(acme):
    run = acme.run(FRESHNESS)
    assert run.succeeded, run.output
    assert len(run.jobs) == 2


def test_a_table_counts_from_its_first_start_and_until_its_last_success(acme):
    acme.td.fail_load("klaviyo_lists")
    assert not acme.run(INC).succeeded
    acme.td.mend()
    acme.td.clock.advance(5 * HOUR)
    assert acme.run(FRESHNESS).succeeded
    acme.td.clock.advance(2 * HOUR)
    acme.td.rows("DELETE FROM client_src.ingestion_log WHERE table_name LIKE '%_latest'")
    told = mail_of(acme)
    assert "no successful load for 6 hours: klaviyo_campaigns (the last was at " in told
    assert "klaviyo_lists (there was none)" in told
    assert "_latest" not in told
    (row,) = acme.log(workflow_name=FRESHNESS)
    assert (row.status, row.table_name) == ("ERROR", None)
    assert "klaviyo_lists" in row.error_message


@pytest.mark.parametrize(("hours", "schedule"), [(6, 'hourly>: "30:00"'), (24, 'daily>: "06:00:00"')])
def test_it_runs_every_hour_or_once_a_day(rendered, hours, schedule):
    told = digdag.check(rendered({"freshness_hours": hours}))
    assert "klaviyo_freshness:" in told
    assert schedule in told

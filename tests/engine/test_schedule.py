"""Digdag reads the schedule that was answered, and will skip sessions that overlap or are late."""

import digdag
import pytest


@pytest.mark.parametrize(
    ("schedule", "read"),
    [
        ("hourly", 'hourly>: "00:00"'),
        ("daily", 'daily>: "02:00:00"'),
        ("30 4 * * mon-fri", 'cron>: "30 4 * * mon-fri"'),
    ],
)
def test_the_incremental_workflow_alone_has_a_schedule_that_skips(rendered, schedule, read):
    told = digdag.check(rendered({"schedule": schedule}))
    assert "Schedules (1 entries):\n    klaviyo_ingest_inc:\n" in told
    assert read in told
    assert 'skip_on_overtime: true\n      skip_delayed_by: "30m"' in told


def test_without_a_schedule_there_is_none(rendered):
    assert "Schedules (0 entries):" in digdag.check(rendered({}))

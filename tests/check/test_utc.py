"""Times are UTC, wherever the check runs."""

from datetime import datetime, timedelta, timezone

import pytest
from client_check import SCRIPT, run
from client_edits import Entry


@pytest.mark.parametrize(
    ("zone", "hours", "exit_code"),
    [("America/Los_Angeles", -3, 0), ("Pacific/Kiritimati", 3, 1)],
    ids=["a start that is past, though not by the clock", "a start to come, though past by the clock"],
)
def test_a_start_is_past_by_utc_and_not_by_the_clock_of_the_machine(zone, hours, exit_code, plain_repo):
    start = datetime.now(timezone.utc) + timedelta(hours=hours)
    Entry("klaviyo_lists", "default_start_time", start.strftime("%Y-%m-%dT%H:%M:%S.000000")).make(plain_repo)

    assert run(SCRIPT, cwd=plain_repo, TZ=zone).returncode == exit_code

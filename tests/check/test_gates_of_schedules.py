"""A schedule of which Digdag takes only a part, or whose sessions may meet, is found."""

import pytest
from client_edits import INC
from commands import edit

DAILY = "schedule:\n  daily>: 02:00:00\n  skip_on_overtime: true\n  skip_delayed_by: 30m\n"


def schedule(repo, text):
    edit(repo / INC, "timezone: UTC\n", f"timezone: UTC\n{text}")


@pytest.mark.parametrize(
    ("old", "new", "shows"),
    [
        ("  skip_on", "  cron>: 30 4 * * *\n  skip_on", "cron>"),
        ("  daily>: 02:00:00\n", "", "schedule:"),
        ("  skip_on_overtime: true\n", "", "daily>"),
        ("true", "false", "skip_on_overtime"),
        (DAILY, "schedule: daily\n", "schedule:"),
    ],
    ids=["two times", "no time", "no skip_on_overtime", "not true", "no map"],
)
def test_a_schedule_that_is_not_kept_as_it_reads_is_found(old, new, shows, check, plain_repo):
    schedule(plain_repo, DAILY.replace(old, new))
    lines = (plain_repo / INC).read_text(encoding="utf-8").split("\n")
    line = next(number for number, line in enumerate(lines, 1) if line.strip().startswith(shows))

    assert check.places("schedules", plain_repo) == [(INC, line)]


@pytest.mark.parametrize("text", [DAILY, DAILY.replace("  skip_delayed_by: 30m\n", "")])
def test_a_sound_schedule_passes(text, check, plain_repo):
    schedule(plain_repo, text)

    assert check.failures(plain_repo) == []

"""A schedule of which Digdag takes only a part, or whose sessions may meet, is found."""

import pytest
from client_edits import INC, PREFLIGHT
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


BAD = {
    "cron>": ["0 4 30 2 *", "0 4 31 4,6,9-11/2 *", "0 4 30,31 feb *", "0 4 * *", "0 4 * * * *", "60 4 * * *", "0 4 ? * *"],
    "daily>": ["25:00:00", "2am", "2:00", "02:60:00", "24:00:00"],
    "hourly>": ["61:00", "30", "0:30:00"],
    "minutes_interval>": ["0", "90", "x"],
    "weekly>": ["Sunday,09:00:00", "Sun 09:00:00", "Sun,25:00:00", "8,02:00:00"],
    "monthly>": ["32,09:00:00", "1,09:00", "1, 09:00:00"],
}  # fmt: skip
GOOD = {
    "cron>": ["0 4 29 2 *", "0 4 L 2 *", "0 4 * * FRI-MON", "0 22-3 28-3 NOV-feb *", "0  4 * * 7", "0 4 * * *|0 9 30 1-2 *"],
    "daily>": ["2:00:00", '"02:00:00"', "${start}"],
    "hourly>": ["5:00", '"30:00"'],
    "minutes_interval>": ["30"],
    "weekly>": ["Sun,09:00:00", "1-5,9:00:00", "Sat-Mon,09:00:00"],
    "monthly>": ["1,09:00:00", "31,09:00:00", "L,09:00:00"],
}  # fmt: skip


def each(times):
    return [(kind, time) for kind, all_times in times.items() for time in all_times]


@pytest.mark.parametrize("file", [INC, PREFLIGHT])
@pytest.mark.parametrize(("kind", "time"), each(BAD))
def test_a_time_that_never_comes_or_that_digdag_reads_otherwise_is_found(file, kind, time, check, plain_repo):
    text = DAILY.replace("daily>: 02:00:00", f"{kind}: {time}")
    edit(plain_repo / file, "timezone: UTC\n", f"timezone: UTC\n{text}")
    line = (plain_repo / file).read_text(encoding="utf-8").split("\n").index(f"  {kind}: {time}") + 1

    assert check.places("schedules", plain_repo) == [(file, line)]


@pytest.mark.parametrize(("kind", "time"), each(GOOD))
def test_a_time_that_digdag_takes_passes(kind, time, check, plain_repo):
    schedule(plain_repo, DAILY.replace("daily>: 02:00:00", f"{kind}: {time}"))

    assert check.places("schedules", plain_repo) == []

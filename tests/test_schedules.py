"""The report says where a schedule lets more time pass between two runs than freshness_hours allows."""

import math

import pytest
from commands import ANSWERS, copier
from klaviyo.answers import answer_problem, bad_answers
from klaviyo.schedules import freshness_warning, longest_gap, runs_a_day

DAY = 24


@pytest.mark.parametrize(
    ("schedule", "hours", "runs"),
    [
        ("none", math.inf, 0),
        ("hourly", 1, 24),
        ("daily", DAY, 1),
        ("*/15 * * * *", 0.25, 96),
        ("0 6,22 * jan-DEC *", 16, 2),
        ("30 4 * * mon-fri", 3 * DAY, 5 / 7),
        ("0 0 * * 7", 7 * DAY, 1 / 7),
        ("0 0 * * sun,0,7", 7 * DAY, 1 / 7),
        ("0 0 1 * *", 31 * DAY, 12 / 365),
        # As Digdag's cron4j has it: all five must match, and a step counts after a range or * alone.
        ("0 0 13 * 5", 245 * DAY, 1 / 200),
        ("5/20 0 * * *", DAY, 1),
        ("0 0 29 2 *", math.inf, 1 / 800),
        # A range goes on at its beginning; a Sunday that is the 7th of it is passed over by a step.
        ("0 4 * * FRI-MON", 4 * DAY, 4 / 7),
        ("0 4 * * fri-mon/2", 4 * DAY, 2 / 7),
        ("0 4 * * 5-7", 5 * DAY, 3 / 7),
        ("0 4 * * 0-7", 7 * DAY, 1 / 7),
        ("0 22-3/2 * * *", 20, 3),
        ("0 4 28-3 * *", 25 * DAY, 6 / 30),
        ("0 4 L * *", 31 * DAY, 1 / 30),
    ],
)
def test_the_longest_gap_of_a_schedule(schedule, hours, runs):
    assert longest_gap(schedule) == hours
    assert runs_a_day(schedule) == pytest.approx(runs, rel=0.3)


@pytest.mark.parametrize(
    ("hours", "schedule", "said"),
    [
        (0, "none", ""),
        (24, "daily", ""),
        (23, "daily", "lets up to 24 hours pass"),
        (48, "30 4 * * mon-fri", "lets up to 72 hours pass"),
        (6, "none", "there is no schedule"),
        (6, "0 0 29 2 *", "a year or more"),
    ],
)
def test_a_gap_that_is_longer_than_freshness_hours_is_told(hours, schedule, said):
    warning = freshness_warning(hours, schedule)
    assert said in warning
    assert bool(warning) == bool(said)


def test_the_report_of_a_copy_tells_it(released, tmp_path):
    ended = copier("copy", *ANSWERS, "-d", "freshness_hours=6", released, tmp_path / "acme", cwd=tmp_path)
    assert ended.exit_code == 0, ended.output
    assert "freshness_hours is 6, but there is no schedule" in ended.output


@pytest.mark.parametrize("schedule", ["0 4 30 2 *", "0 4 31 feb,apr *", "0 4 31 4-6/2 1"])
def test_a_date_that_never_comes_is_refused_at_the_prompt_and_in_data(schedule):
    assert answer_problem(schedule, "schedule") == "a date that comes some day"
    (line,) = bad_answers({"schedule": schedule})
    assert line.startswith(f"schedule: {schedule!r} is invalid, it must be a date that comes")


@pytest.mark.parametrize("schedule", ["0 4 30 1-2 *", "0 4 29 2 1", "0 4 31 * *", "0 4 30 11-3 *"])
def test_a_date_that_comes_some_day_is_accepted(schedule):
    assert answer_problem(schedule, "schedule") == ""

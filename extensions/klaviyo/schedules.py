"""Read the answer `schedule`: when the incremental workflow runs, and how often."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from .errors import BadAnswer
from .ingestion_check.schedule_times import CRON, LAST_DAY, NEVER, cron_problem, numbers


def check_schedule(value: Any) -> None:
    """Accept none, hourly, daily or the five fields of cron (Digdag's `cron>`)."""
    if value in ("none", "hourly", "daily"):
        return
    # Of any other blank, or of two, this would be another text in the workflow.
    is_cron = isinstance(value, str) and value.split(" ") == value.split()
    why = cron_problem(value) if is_cron else "another form"
    if why == NEVER:
        raise BadAnswer(NEVER, brief="a date that comes some day")
    if why:
        raise BadAnswer(
            "none, hourly, daily, or cron like 30 4 * * * (UTC)", brief="none, hourly, daily or 30 4 * * *"
        )


# Of a schedule of cron this many days are looked at.
_DAYS = 800


def longest_gap(schedule: str) -> float:
    """The hours that lie at most between two runs; infinite, where there are none, or too few to tell.

    Args:
        schedule: none, hourly, daily or five fields of cron.
    """
    if schedule in ("none", "hourly", "daily"):
        return {"none": math.inf, "hourly": 1, "daily": 24}[schedule]
    gaps = [(later - earlier) / timedelta(hours=1) for earlier, later in pairwise(_runs(schedule))]
    return max(gaps, default=math.inf)


def runs_a_day(schedule: str) -> float:
    """How many runs a day there are on average.

    Args:
        schedule: none, hourly, daily or five fields of cron.
    """
    if schedule in ("none", "hourly", "daily"):
        return {"none": 0, "hourly": 24, "daily": 1}[schedule]
    return len(_runs(schedule)) / _DAYS


def _runs(cron: str) -> list[datetime]:
    """When there are runs, from the beginning of 2024 on. In Digdag all five fields must match."""
    minutes, hours, days, months, weekdays = map(numbers, cron.split(" "), CRON)
    dates = [datetime(2024, 1, 1) + timedelta(days=day) for day in range(_DAYS)]
    return [
        date.replace(hour=hour, minute=minute)
        for date in dates
        if (date.day in days or LAST_DAY in days and (date + timedelta(days=1)).day == 1)
        and date.month in months
        and date.isoweekday() % 7 in weekdays
        for hour in sorted(hours)
        for minute in sorted(minutes)
    ]


def freshness_warning(hours: int, schedule: str, source: str = "klaviyo") -> str:
    """What the report says where the schedule lets the freshness alert go off by itself; else nothing.

    Args:
        hours: the answer `freshness_hours`.
        schedule: the answer `schedule`.
        source: what the workflows are called after.
    """
    if not hours or longest_gap(schedule) <= hours:
        return ""
    if schedule == "none":
        return (
            f"freshness_hours is {hours}, but there is no schedule: {source}_freshness alerts when "
            "nobody has started the incremental workflow for that long."
        )
    gap = longest_gap(schedule)
    return (
        f"freshness_hours is {hours}, but the schedule {schedule!r} lets up to "
        f"{'a year or more' if math.isinf(gap) else f'{gap:g} hours'} pass between two runs: "
        f"{source}_freshness alerts in between."
    )

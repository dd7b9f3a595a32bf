"""Read the answer `schedule`: when the incremental workflow runs, and how often."""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from .errors import BadAnswer

# The fields of cron: the least and the greatest number, and the names that may stand for them.
CRON_FIELDS = (
    (0, 59, ""),
    (0, 23, ""),
    (1, 31, ""),
    (1, 12, "jan feb mar apr may jun jul aug sep oct nov dec"),
    (0, 7, "sun mon tue wed thu fri sat"),
)
_PART = re.compile(r"(\*|([0-9]{1,2}|[a-z]{3})(?:-([0-9]{1,2}|[a-z]{3}))?)(?:/([1-9][0-9]?))?")


def check_schedule(value: Any) -> None:
    """Accept none, hourly, daily or the five fields of cron (Digdag's `cron>`)."""
    if value in ("none", "hourly", "daily"):
        return
    fields = value.split(" ") if isinstance(value, str) else []
    if len(fields) != 5 or not all(map(_is_cron_field, fields, CRON_FIELDS)):
        raise BadAnswer(
            "none, hourly, daily, or cron like 30 4 * * * (UTC)", brief="none, hourly, daily or 30 4 * * *"
        )


def _is_cron_field(field: str, limits: tuple[int, int, str]) -> bool:
    low, high, names = limits
    for part in field.lower().split(","):
        found = _PART.fullmatch(part)
        if not found:
            return False
        ends = [end for end in found.group(2, 3) if end]
        numbers = [int(end) for end in ends if end.isdigit()]
        if not all(end.isdigit() or end in names.split() for end in ends):
            return False
        if not all(low <= number <= high for number in numbers) or numbers != sorted(numbers):
            return False
    return True


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
    minutes, hours, days, months, weekdays = map(_numbers, cron.lower().split(" "), CRON_FIELDS)
    dates = [datetime(2024, 1, 1) + timedelta(days=day) for day in range(_DAYS)]
    return [
        date.replace(hour=hour, minute=minute)
        for date in dates
        if date.day in days and date.month in months and date.isoweekday() % 7 in weekdays
        for hour in sorted(hours)
        for minute in sorted(minutes)
    ]


def _numbers(field: str, limits: tuple[int, int, str]) -> set[int]:
    """The numbers that a field of cron stands for. A step counts after a range alone, as in Digdag."""
    low, high, names = limits
    found = set()
    for part in field.split(","):
        match = _PART.fullmatch(part)
        assert match
        start, end = (
            names.split().index(name) + (low if low else 0) if name and not name.isdigit() else name
            for name in match.group(2, 3)
        )
        if match[1] == "*":
            found |= set(range(low, high + 1, int(match[4] or 1)))
        elif end is None:
            found.add(int(start))
        else:
            found |= set(range(int(start), int(end) + 1, int(match[4] or 1)))
    return {number % 7 for number in found} if high == 7 else found


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

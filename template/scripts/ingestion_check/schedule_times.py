"""Read the times of a schedule as Digdag does, and tell those that it refuses, or that never come."""

from __future__ import annotations

import re
from typing import NamedTuple


class Field(NamedTuple):
    """A field of cron: the least and the greatest number, and the names that may stand for them."""

    low: int
    high: int
    names: tuple[str, ...] = ()


LAST_DAY = 32  # what L stands for among the days of a month
WEEKDAY = Field(0, 7, ("sun", "mon", "tue", "wed", "thu", "fri", "sat"))
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAY = Field(1, 31)
CRON = (Field(0, 59), Field(0, 23), DAY, Field(1, 12, MONTHS), WEEKDAY)
_MONTH_LENGTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_PART = re.compile(r"(\*|([0-9]{1,2}|[a-z]{1,3})(?:-([0-9]{1,2}|[a-z]{1,3}))?)(?:/([1-9][0-9]?))?")
NEVER = "a date that comes: Digdag looks for its next one without end"


def numbers(field: str, limits: Field) -> set[int]:
    """The numbers that a field of cron stands for; none, if it cannot be read.

    As in Digdag, a range whose end is less than its start goes on at the least number, a step counts after
    a range or * alone, and 7 is 0 where it is no step of a range.
    """
    found: set[int] = set()
    for part in field.lower().split(","):
        match = _PART.fullmatch(part)
        if not match:
            return set()
        step = int(match[4] or 1)
        if match[1] == "*":
            found |= set(range(limits.low, limits.high + 1, step))
            continue
        start, end = _number(match[2], limits), _number(match[3] or match[2], limits)
        if start is None or end is None:
            return set()
        if start <= end:
            found |= set(range(start, end + 1, step))
        else:
            found |= {*[*range(start, limits.high + 1), *range(limits.low, end + 1)][::step]}
    return found


def _number(text: str, limits: Field) -> int | None:
    if text == "l" and limits is DAY:
        return LAST_DAY
    if text in limits.names:
        return limits.names.index(text) + limits.low
    if not text.isdecimal() or not limits.low <= int(text) <= limits.high:
        return None
    return int(text) % 7 if limits is WEEKDAY else int(text)


def cron_problem(cron: str) -> str:
    """What is wanted instead of the fields of a cron; nothing, if they can be read and come."""
    found = [numbers(field, limits) for field, limits in zip(cron.split(), CRON, strict=False)]
    if len(cron.split()) != 5 or not all(found):
        return "five fields like 30 4 * * *"
    _, _, days, months, _ = found
    longest = max(_MONTH_LENGTHS[month - 1] for month in months)
    return "" if LAST_DAY in days or min(days) <= longest else NEVER


def time_problem(kind: str, text: str) -> str:
    """What is wanted instead of a time under a key of a schedule; nothing, if it will do.

    Digdag takes 25:00:00, for 1:00 of the next day, and an interval of 90 minutes for one of 60.
    """
    day, _, time = text.partition(",")
    if "${" in text:
        return ""
    if kind == "cron>":
        return next((why for why in map(cron_problem, text.split("|")) if why), "")
    if kind == "hourly>":
        return "" if _is_time(text, 60, 60) else "MM:SS, like 30:00"
    if kind == "daily>":
        return "" if _is_time(text, 24, 60, 60) else "HH:MM:SS, like 02:00:00"
    if kind == "weekly>":
        right = numbers(day, WEEKDAY) and _is_time(time, 24, 60, 60)
        return "" if right else "a day and HH:MM:SS, like Sun,02:00:00"
    if kind == "monthly>":
        right = numbers(day, DAY) and _is_time(time, 24, 60, 60)
        return "" if right else "a day of the month and HH:MM:SS, like 1,02:00:00"
    if kind == "minutes_interval>":
        return "" if re.fullmatch("[1-5]?[0-9]", text) and int(text) else "a number of minutes, 1 to 59"
    return ""


def _is_time(text: str, *limits: int) -> bool:
    """Whether numbers of two digits stand between colons, each below its limit."""
    parts = text.split(":")
    return len(parts) == len(limits) and all(
        re.fullmatch("[0-9]{1,2}", part) and int(part) < limit
        for part, limit in zip(parts, limits, strict=True)
    )

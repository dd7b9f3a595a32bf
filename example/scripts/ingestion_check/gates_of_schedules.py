"""A gate of the schedules: what Digdag makes of them without a word."""

from __future__ import annotations

from collections.abc import Iterator

from .expected import expect_value
from .gate import gate
from .places import Problem
from .repo import Repo


@gate("A schedule has one time, and skips what would run beside itself")
def schedules_are_single(repo: Repo) -> Iterator[Problem]:
    """Of two times under one schedule Digdag ignores one; without `skip_on_overtime` a run that takes longer
    than usual meets the next, and both load the same window.
    """
    for root in (root for root in repo.loaders if "schedule" in root.body):
        schedule = root.body.section("schedule")
        times = [key for key in schedule if key.endswith(">")]
        for key in times[1:] or ([] if times else [root.body.at("schedule")]):
            place = getattr(key, "place", key)
            given = f", not {' and '.join(times)}" if times else ""
            yield place.problem(f"schedule must have one time{given}: Digdag takes no more than one")
        yield from expect_value(schedule, "skip_on_overtime", "true")

"""Measure what runs of our workflows and of the documented ones cost, on a real Digdag and a mock TD."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path

from commands import release, template_as_it_stands
from ingestion import Ingestion
from mock_td.treasure_data import Job
from tabulate import tabulate

from bench.copies import copies
from bench.latest_tables import latest_tables
from bench.queries import queries
from bench.shapes import (
    DAY,
    LATENCIES,
    RECORDS,
    Measured,
    Shape,
    documented,
    ingestion_of,
    ours,
    records_missing,
    start,
)

HOUR = 3600
COSTS = ["wall, s", "TD jobs", "tasks", "loads", "most at once", "rows loaded twice", "sessions"]
YEAR = 366
NOTE = f"""On the mock TD {LATENCIES}, at least; the waits between two tries are left out. Most of
the wall time is Digdag's own here: it starts for each run, and each task costs it processor time.

tasks              those of the first session, as they count towards the limit of an attempt
rows loaded twice  a table's rows less its different pairs of id and version. The documented shape appends
                   all {RECORDS} metrics and more in each run; ours removes what it asked for again
days lost          how many days the failed load asked for, all of which are to be asked for again

The documented shape finds database and ingestion_log made beforehand; without them its first run fails.
It has no latest tables."""


def workflows(folder: Path) -> None:
    """Incremental runs, backfills and latest tables: time, jobs, tasks, what a failure costs. Queries."""
    template = template_as_it_stands(folder / "template")
    release(template, "1.0.0")
    shapes = [documented(template, folder), ours(template, folder)]
    print(NOTE, end="\n\n", flush=True)
    print_incremental_runs(shapes, folder)
    for years in (1, 10):
        print_backfill(shapes, folder, years)
    print_failing_backfill(shapes, folder)
    print(copies(template, folder), end="\n\n", flush=True)
    print(latest_tables(template, folder), end="\n\n", flush=True)
    print(queries(template, folder), end="\n\n")


def print_incremental_runs(shapes: list[Shape], folder: Path) -> None:
    """Good runs an hour and a day after one, then one in which profiles fail for good, and the next one."""
    good: dict[str, list[list[object]]] = {"an hour later": [], "a day later": []}
    failing = []
    for shape in shapes:
        with ingestion_of(shape, folder, days=80) as acme:
            start(acme, shape.incremental)
            for when, seconds in zip(good, (HOUR, DAY), strict=True):
                live_on(acme, seconds)
                good[when].append([f"{shape.name}, {when}", *start(acme, shape.incremental).figures])
            failing.append([shape.name, *an_object_fails(acme, shape)])
    print(table("incremental run, good", COSTS, [row for rows in good.values() for row in rows]), flush=True)
    before = ["wall, s", "TD jobs", "tasks", "loads done", "objects not begun"]
    after = ["next run: wall, s", "TD jobs", "rows loaded twice", "records missing"]
    print(table("incremental run, profiles fail", [*before, *after], failing), flush=True)


def an_object_fails(acme: Ingestion, shape: Shape) -> list[object]:
    """A run in which every load of profiles fails, and an hour later one in which nothing fails."""
    live_on(acme, HOUR)
    acme.td.fail_load("klaviyo_profiles")
    failed = start(acme, shape.incremental, fails=True)
    acme.td.mend()
    live_on(acme, HOUR)
    then = start(acme, shape.incremental)
    return [
        *failed.figures[:3],
        len([load for load in failed.loads if load.status == "success"]),
        not_begun(failed, then),
        then.figures.seconds,
        then.figures.jobs,
        failed.figures.loaded_twice + then.figures.loaded_twice,
        records_missing(acme, shape.incremental),
    ]


def print_backfill(shapes: list[Shape], folder: Path, years: int) -> None:
    """A backfill of so many years in which nothing fails."""
    rows = []
    for shape in shapes:
        with ingestion_of(shape, folder, days=years * YEAR) as acme:
            figures = start(acme, shape.historical).figures
            rows.append((shape.name, *figures, records_missing(acme, shape.historical)))
    print(table(f"backfill, years: {years}", [*COSTS, "records missing"], rows), flush=True)


def print_failing_backfill(shapes: list[Shape], folder: Path) -> None:
    """A backfill that cannot get past the middle of the profiles' year; and the next start, which can."""
    rows = []
    for shape in shapes:
        with ingestion_of(shape, folder, days=YEAR) as acme:
            middle = acme.account.now() - timedelta(days=YEAR / 2)
            acme.td.fail_load("klaviyo_profiles_hist", when=covers(middle))
            failed = start(acme, shape.historical, fails=True)
            acme.td.mend()
            then = start(acme, shape.historical)
            rows.append(
                (
                    shape.name,
                    *failed.figures[:3],
                    days_lost(failed.loads),
                    not_begun(failed, then),
                    then.figures.seconds,
                    then.figures.loads,
                    failed.figures.loaded_twice + then.figures.loaded_twice,
                    records_missing(acme, shape.historical),
                )
            )
    before = ["wall, s", "TD jobs", "tasks", "days lost", "objects not begun"]
    after = ["next start: wall, s", "loads", "rows loaded twice", "records missing"]
    print(table("backfill, 1 year, profiles fail half-way", [*before, *after], rows), flush=True)


def not_begun(failed: Measured, then: Measured) -> int:
    """How many objects a run that failed did not begin, of those that the next one loads."""
    return len({load.table for load in then.loads} - {load.table for load in failed.loads})


def live_on(acme: Ingestion, seconds: float) -> None:
    """Let time pass on TD's clock, in which ten records of each data source are made and ten change."""
    acme.td.clock.advance(seconds)
    now, account = acme.account.now(), acme.account
    for data_source, fields in account.time_fields.items():
        for number in range(10):
            when = now - timedelta(seconds=seconds * (number + 1) / 12)
            account.add(data_source, **dict.fromkeys(fields.values(), when))
            if "updated" in fields:
                account.touch(data_source, f"{data_source}-{number + 1:04}", when)


def covers(instant: datetime) -> Callable[[Job], bool]:
    """Whether a bulk load asks for a time."""
    text = f"{instant:%Y-%m-%dT%H:%M:%S}.000000"  # in this form, earlier is less
    return lambda job: None not in job.window and job.window[0] < text <= job.window[1]


def days_lost(loads: Iterable[Job]) -> float:
    """How many days of history failed loads asked for, each window once: all are to be asked for again."""
    failed = {(load.table, load.window): load.seconds for load in loads if load.status != "success"}
    return sum(failed.values()) / DAY


def table(title: str, headers: list[str], rows: Iterable[Iterable[object]]) -> str:
    """A table whose first column has the title for its header; the headers may take several lines."""
    broken = [header.replace(", ", ",\n").replace(": ", ":\n").replace(" ", "\n", 1) for header in headers]
    return tabulate(rows, headers=[title, *broken], floatfmt=".1f") + "\n"

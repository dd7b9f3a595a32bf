"""Measure what it costs to remove the copies of events, where a table is small and where it is large."""

from pathlib import Path

from commands import copy
from digdag import Run
from ingestion import DATABASE, INC, Ingestion
from run_queries import text
from tabulate import tabulate

from bench.shapes import DAY, LATENCIES, Shape, ingestion_of, run_to_its_end

SIZES = (10_000, 1_000_000)  # rows
WEEK, YEAR = 7, 365 * DAY
EVENTS = f"{DATABASE}.klaviyo_events"
HEADERS = [
    "wall, s",
    "TD jobs",
    "tasks",
    "rows loaded",
    "rows deleted",
    "rows read\nat once, at most",
    "columns read",
    "rows that\nstand twice",
]


def copies(template: Path, folder: Path) -> str:
    """A table of incremental runs of events: the first that removes, one a day later, one an hour later."""
    project = copy(template, folder / "copies", "-d", "objects=[events]") / "ingestion"
    rows = [row for size in SIZES for row in runs_of(Shape("copies", project, INC, ""), folder, size)]
    title = f"events that stand there already ({LATENCIES})"
    return tabulate(rows, headers=[title, *HEADERS], floatfmt=".1f", intfmt=",")


def runs_of(shape: Shape, folder: Path, size: int) -> list[list[object]]:
    """The rows of that table for a number of rows, each event in two of them; then what each run cost."""
    with ingestion_of(shape, folder, days=WEEK) as acme:
        for days in (32, 31):
            load(acme, size // 2, days_ago=days)
        rows = []
        for name, seconds in {"first run": 0, "a day later": DAY, "an hour later": 3600}.items():
            acme.td.clock.advance(seconds)
            acme.account.add("events")
            rows.append([f"{size:,} rows, {name}", *figures(run_to_its_end(acme, INC), acme)])
    return rows


def load(acme: Ingestion, number: int, *, days_ago: int) -> None:
    """Fill the events' table with the events of a year, as one load so many days ago; logged."""
    td, now = acme.td, int(acme.td.clock.now())
    began, end = now - days_ago * DAY, now - 40 * DAY
    td.rows(
        f"""CREATE TABLE IF NOT EXISTS {EVENTS}
            (id VARCHAR, datetime VARCHAR, event_properties VARCHAR, time BIGINT)"""
    )
    td.rows(
        f"""INSERT INTO {EVENTS} SELECT 'old-' || n,
            strftime(make_timestamp(({end} - {YEAR} * n // {number}) * 1000000), '%Y-%m-%dT%H:%M:%S+00:00'),
            '{{}}', {began} FROM range({number}) AS numbers (n)"""
    )
    for status, records, after in (("STARTED", "NULL", 0), ("SUCCESS", number, 60)):
        td.rows(
            f"""INSERT INTO {DATABASE}.ingestion_log
                (log_id, workflow_name, table_name, status, start_time, end_time, records_processed, time)
                VALUES ('load-{days_ago}.1/{began + after}000/0/x', '{INC}', 'klaviyo_events', '{status}',
                '{text(end - YEAR)}', '{text(began)}', {records}, {began + after})"""
        )


def figures(run: Run, acme: Ingestion) -> list[object]:
    """What a run cost, and the rows of the events' table that are one too many after it."""
    deletes = [job for job in run.jobs if job.statement == "delete"]
    scans = [scan for job in deletes for scan in job.scans]
    ids = acme.ids("klaviyo_events")
    return [
        run.seconds,
        len(run.jobs),
        len(run.tasks),
        sum(job.num_records for job in run.jobs if job.kind == "bulkload"),
        sum(job.written for job in deletes),
        max((scan.rows for scan in scans), default=0),
        ", ".join(sorted({column for scan in scans for column in scan.columns})),
        len(ids) - len(set(ids)),
    ]

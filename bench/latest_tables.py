"""Measure what it costs to bring a latest table up to date, and to make it anew, with few rows and many."""

from pathlib import Path

from commands import copy
from digdag import Run
from ingestion import DATABASE, Ingestion
from mock_td.treasure_data import TreasureData
from tabulate import tabulate

from bench.shapes import DAY, LATENCIES, QUERY_SECONDS, create_log, run_to_its_end

SIZES = (10_000, 1_000_000)
NEW = 1_000  # rows that are loaded then; half of them are newer versions of records that are there
LATEST, LOADED = f"{DATABASE}.klaviyo_profiles_latest", f"{DATABASE}.klaviyo_profiles"
HEADERS = [
    "wall, s",
    "TD jobs",
    "tasks",
    "rows\nwritten",
    "rows read of\nloaded table",
    "rows read of\nlatest table",
    "columns read of\nlatest table",
]


def latest_tables(template: Path, folder: Path) -> str:
    """A table of runs of klaviyo_latest: the first, one after new rows, and one that makes it anew then."""
    project = copy(template, folder / "latest", "-d", "objects=[profiles]", "-d", "latest_tables=true")
    rows = [row for size in SIZES for row in runs_of(project / "ingestion", size)]
    title = f"klaviyo_latest, {NEW:,} new rows ({LATENCIES})"
    return tabulate(rows, headers=[title, *HEADERS], floatfmt=".1f", intfmt=",")


def runs_of(project: Path, size: int) -> list[list[object]]:
    """The rows of that table for a number of rows: what they are called, and what each run cost."""
    with TreasureData(query_seconds=QUERY_SECONDS) as td:
        acme = Ingestion(project, td)
        create_log(td, project)
        td.rows(
            f"CREATE TABLE {LOADED} (id VARCHAR, email VARCHAR, created VARCHAR, updated VARCHAR, "
            "properties VARCHAR, time BIGINT)"
        )
        load(td, 0, size, days_ago=365)
        first = run_to_its_end(acme, "klaviyo_latest")
        td.clock.advance(DAY)
        load(td, size - NEW // 2, NEW)
        merge = run_to_its_end(acme, "klaviyo_latest")
        anew = run_to_its_end(acme, "klaviyo_latest", params={"rebuild": "true"})
    named = {"made": first, "brought up to date": merge, "made anew": anew}
    return [[f"{size:,} rows, {name}", *figures(run)] for name, run in named.items()]


def load(td: TreasureData, first: int, number: int, days_ago: int = 0) -> None:
    """Fill the loads' table as loads would, one a day since so many days ago; logged as one load."""
    now = int(td.clock.now())
    td.rows(
        f"""INSERT INTO {LOADED} SELECT 'profile-' || n, n || '@example.com', '2020-01-01T00:00:00+00:00',
            strftime(make_timestamp(({now} - {DAY} * age) * 1000000), '%Y-%m-%dT%H:%M:%S+00:00'),
            '{{"plan": "free"}}', {now} - {DAY} * age
        FROM (SELECT n, n % {days_ago + 1} AS age FROM range({first}, {first + number}) AS numbers (n))"""
    )
    for status, records in (("STARTED", "NULL"), ("SUCCESS", number)):
        td.rows(
            f"""INSERT INTO {DATABASE}.ingestion_log
                (log_id, workflow_name, table_name, status, records_processed, time)
                VALUES ('load.{now}/{now}000/0/x', 'klaviyo_ingest_inc', 'klaviyo_profiles', '{status}',
                {records}, {now} - {DAY} * {days_ago})"""
        )


def figures(run: Run) -> list[object]:
    """What a run cost: rows inserted and deleted, and the most that one job read of a table."""
    scans = [scan for job in run.jobs for scan in job.scans]
    latest = [scan for scan in scans if scan.table == LATEST]
    return [
        run.seconds,
        len(run.jobs),
        len(run.tasks),
        sum(job.written for job in run.jobs if job.target.startswith(LATEST)),
        max((scan.rows for scan in scans if scan.table == LOADED), default=0),
        max((scan.rows for scan in latest), default=0),
        ", ".join(sorted({column for scan in latest for column in scan.columns})),
    ]

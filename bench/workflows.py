"""What runs of the workflows cost on a real Digdag, ours beside those of the shape that TD documents.

Each is run once: jobs, tasks and rows are exact; wall times are those of the mock TD, on which queries and
loads take a fixed time each.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import digdag
import yaml
from by_hand import template_as_it_stands
from ingestion import DATABASE, HIST, INC, Ingestion
from tabulate import tabulate
from treasure_data import Job

from bench.latest_tables import latest_table
from bench.shapes import DAY, LOAD_SECONDS, QUERY_SECONDS, SHAPES, client

DATA_SOURCES = ["profiles", "events", "campaigns", "lists", "templates", "metrics"]
SIZES = (10_000, 1_000_000)


def workflows(folder: Path) -> None:
    """Incremental runs, backfills and latest tables: prints a table of each."""
    template = template_as_it_stands(folder / "template")
    print(f"A query takes {QUERY_SECONDS:g} s, a load {LOAD_SECONDS:g} s; one run of each.\n")
    for title, measure in MEASURES.items():
        print_side_by_side(
            title, {shape: measure(template, folder / title / shape, shape) for shape in SHAPES}
        )
    sizes = {f"{size:,} rows": latest_table(template, folder / f"latest {size}", size) for size in SIZES}
    print_side_by_side("a latest table, 1,000 rows more", sizes)


def print_side_by_side(title: str, columns: dict[str, dict[str, Any]]) -> None:
    """A table with a line for each thing measured, and a column for each case."""
    measured = next(iter(columns.values()))
    rows = [(what, *(_shown(column[what]) for column in columns.values())) for what in measured]
    print(tabulate(rows, headers=[title, *columns], disable_numparse=True), end="\n\n", flush=True)


def _shown(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:,.1f}" if isinstance(value, float) else f"{value:,}"


def costs(run: digdag.Run) -> dict[str, Any]:
    """Of a run: whether it succeeded, its wall time in seconds, and what TD counts."""
    loads = [job for job in run.jobs if job.kind == "bulkload"]
    return {
        "succeeded": "yes" if run.succeeded else "no",
        "wall, s": run.seconds,
        "TD jobs": len(run.jobs),
        "tasks": len(run.tasks),
        "loads": len(loads),
    }


def rows_there(acme: Ingestion) -> dict[str, int]:
    """Rows that stand in a table once more with nothing changed, and records that are in no table."""
    twice = missing = 0
    for table, data_source in tables(acme):
        for name in {table, f"{table}_hist"} & {*acme.td.databases.tables(DATABASE)}:
            distinct = f"SELECT DISTINCT * EXCLUDE (time) FROM {DATABASE}.{name}"
            ((more,),) = acme.td.rows(
                f"SELECT (SELECT count(*) FROM {DATABASE}.{name}) - count(*) FROM ({distinct})"
            )
            twice += more
        there = {id for name in (table, f"{table}_hist") for id in acme.ids(name)}
        missing += len(acme.account.ids(data_source) - there)
    return {"rows twice": twice, "records missing": missing}


def tables(acme: Ingestion) -> list[tuple[str, str]]:
    """Each incremental table, and the data source that fills it."""
    text = (acme.project / "config/klaviyo_datasources.yml").read_text(encoding="utf-8")
    return [(entry["table_name"], entry["name"]) for entry in yaml.safe_load(text)["inc_datasources"]]


def live_on(acme: Ingestion) -> None:
    """Ten new records of each data source, and ten changed ones."""
    for data_source in DATA_SOURCES:
        for number in range(10):
            acme.account.add(data_source)
            if data_source != "events":
                acme.account.touch(data_source, f"{data_source}-{number + 1:04}")


def incremental(template: Path, folder: Path, shape: str) -> dict[str, Any]:
    """An incremental run, some time after another."""
    with client(template, folder, shape, 60) as acme:
        acme.run(INC)
        live_on(acme)
        run = acme.run(INC, session="2026-01-02 00:00:00")
        return {**costs(run), "loads at once": acme.td.peak_loads, **rows_there(acme)}


def one_object_fails(template: Path, folder: Path, shape: str) -> dict[str, Any]:
    """An incremental run in which profiles fail, and what is there after the next, good one."""
    with client(template, folder, shape, 60) as acme:
        acme.run(INC)
        live_on(acme)
        acme.td.fail_load("klaviyo_profiles")
        run = acme.run(INC, session="2026-01-02 00:00:00")
        loaded = {job.table for job in run.jobs if job.kind == "bulkload" and job.status == "success"}
        acme.td.mend()
        acme.run(INC, session="2026-01-03 00:00:00")
        after = {f"after the next run: {what}": number for what, number in rows_there(acme).items()}
        return {**costs(run), "other objects loaded, of 5": len(loaded), **after}


def backfill(years: int) -> Callable[[Path, Path, str], dict[str, Any]]:
    """A backfill of so many years."""

    def measure(template: Path, folder: Path, shape: str) -> dict[str, Any]:
        with client(template, folder, shape, 365 * years) as acme:
            run = acme.run(HIST, timeout=3600)
            return {**costs(run), "loads at once": acme.td.peak_loads, **rows_there(acme)}

    return measure


def load_fails_half_way(template: Path, folder: Path, shape: str) -> dict[str, Any]:
    """A backfill of a year in which the load of events fails that holds the middle of it; and the next start.

    The days in vain are those from the start of that load's window to the middle: they were read, and are
    read again.
    """
    with client(template, folder, shape, 365, "-d", "objects=[profiles, events]") as acme:
        middle = (datetime.now(timezone.utc) - 365 / 2 * DAY).replace(tzinfo=None)

        def holds_middle(job: Job) -> bool:
            start, end = map(datetime.fromisoformat, job.window)
            return start <= middle < end

        acme.td.fail_load("klaviyo_events_hist", when=holds_middle)
        acme.run(HIST)
        failed = next(job for job in acme.loads("klaviyo_events_hist") if job.status == "error")
        acme.td.mend()
        again = acme.run(HIST, session="2026-01-02 00:00:00")
        asked = sum(job.seconds for job in again.jobs if job.kind == "bulkload")
        return {
            "days read in vain": (middle - datetime.fromisoformat(failed.window[0])) / DAY,
            "days that the next start asks for": asked / DAY.total_seconds(),
            "its loads": costs(again)["loads"],
            **rows_there(acme),
        }


MEASURES: dict[str, Callable[[Path, Path, str], dict[str, Any]]] = {
    "incremental run": incremental,
    "one object fails": one_object_fails,
    "backfill of a year": backfill(1),
    "a load fails half-way": load_fails_half_way,
    "backfill of ten years": backfill(10),
}

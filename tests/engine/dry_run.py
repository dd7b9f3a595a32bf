"""Run a client's two workflows on a real Digdag, without TD and without Klaviyo: the dry run.

    python tests/engine/dry_run.py ../acme-klaviyo

A mock TD takes the jobs, and a synthetic account, made from the repo's own datasources, gives the
records. Works on a copy without the credentials file; nothing in the repo is changed. Shows each load as it
ends, and last what scripts/klaviyo_status.py would show.
"""

import os
import re
import shutil
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from unittest.mock import patch

import digdag
import yaml
from rich.console import Console
from tabulate import tabulate

TEMPLATE = Path(__file__).resolve().parents[2]
sys.path += [str(TEMPLATE / folder) for folder in ("tests", "extensions", "template/scripts")]

import klaviyo_status
from klaviyo.schedules import runs_a_day
from mock_td.klaviyo_account import KlaviyoAccount
from mock_td.klaviyo_connector import TIME_FIELDS
from mock_td.treasure_data import TreasureData

INCREMENTAL = "klaviyo_ingest_inc"
WORKFLOWS = ("klaviyo_ingest_hist", INCREMENTAL)
TIME = "%Y-%m-%dT%H:%M:%S.000000"


class Unfit(Exception):
    """There can be no dry run of the repo; the text says why."""


def main(repo):
    """Runs both and prints; returns the exit code, 1 if a workflow failed."""
    if shutil.which("digdag") is None:
        raise Unfit(digdag.MISSING)
    with tempfile.TemporaryDirectory() as scratch:
        project = Path(scratch, "ingestion")
        shutil.copytree(repo / "ingestion", project, ignore=shutil.ignore_patterns("credentials*", ".*"))
        digdag.quicken(project)
        database = read(project, "config/database.yml", "databases", "src")
        with TreasureData(account_of(project), load_seconds=1.0) as td:
            succeeded = [dry_run(project, workflow, td, database) for workflow in WORKFLOWS]
            show_status(project, td)
    return 0 if all(succeeded) else 1


def read(project, name, *keys):
    """What a YAML file of the project says under these keys."""
    try:
        found = yaml.safe_load((project / name).read_text(encoding="utf-8"))
        for key in keys:
            found = found[key]
    except (OSError, ValueError, yaml.YAMLError, TypeError, KeyError) as error:
        raise Unfit(f"ingestion/{name} cannot be read: {type(error).__name__}: {error}") from None
    return found


def account_of(project):
    """An account with records of every data source that the repo loads, since the earliest default start."""
    fields, starts = {}, []
    for name in ("inc_datasources", "hist_datasources"):
        for entry in read(project, "config/klaviyo_datasources.yml", name):
            times = fields.setdefault(entry["name"], {})
            if entry["name"] not in TIME_FIELDS and entry["incremental_field"]:
                times[entry["incremental_field_connector"]] = entry["incremental_field"]
            starts.append(str(entry["default_start_time"]))
    try:
        start = min(datetime.strptime(start, TIME) for start in starts)
    except ValueError as error:
        raise Unfit(f"ingestion/config/klaviyo_datasources.yml: default_start_time: {error}") from None
    custom = {data_source: times for data_source, times in fields.items() if data_source not in TIME_FIELDS}
    return KlaviyoAccount(start, datetime.now(timezone.utc), custom=custom)


def dry_run(project, workflow, td, database):
    """Runs one workflow and prints what it does; whether it succeeded."""
    jobs, log = len(td.jobs), log_rows(td, database)
    with loads_shown(workflow, td):
        run = digdag.run(project, workflow, td, timeout=1800)
    new = td.jobs[jobs:]
    loads = [job for job in new if job.kind == "bulkload"]
    print()
    print(
        tabulate(
            log_rows(td, database)[len(log) :], headers=["ingestion_log", "status", "rows", "error_message"]
        )
    )
    print(
        f"\n{workflow} {'succeeded' if run.succeeded else 'FAILED'}: {len(loads)} loads, at most "
        f"{td.peak_loads} at once; {len(new)} jobs, {len(run.tasks)} tasks (of 1,000), {run.seconds:.0f} s"
    )
    if run.succeeded and workflow == INCREMENTAL:
        print(cost_a_day(project, len(new), len(run.tasks)))
    if not run.succeeded:
        print("\n".join(line for line in run.lines if "[ERROR]" in line or line.startswith("error:")))
    return run.succeeded


@contextmanager
def loads_shown(workflow, td):
    """Prints each load of a workflow as it ends, while the block runs it; on a terminal also what it does now."""
    console, before, began = Console(highlight=False), len(td.jobs), time.monotonic()
    console.print(f"\n{workflow}: each load as it ends; Digdag takes 10 s to begin")
    shown, stopped = set(), threading.Event()

    def show_ended():
        for job in td.jobs[before:]:
            if job.kind == "bulkload" and job.status != "running" and job.id not in shown:
                shown.add(job.id)
                window = " to ".join((time or "-")[:16] for time in job.window)
                line = f"{job.table:<28} {window:<36} {job.num_records:>6} rows {job.status}"
                console.print(line, markup=False, soft_wrap=True)

    def watch(status):
        while not stopped.wait(0.3):
            show_ended()
            running = [job.table for job in td.jobs[before:] if job.status == "running"]
            doing = f"loads {', '.join(running)}" if running else f"job {len(td.jobs) - before}"
            status.update(f"{workflow}: {doing}, {time.monotonic() - began:.0f} s")

    with console.status(workflow) as status:
        watcher = threading.Thread(target=watch, args=(status,), daemon=True)
        watcher.start()
        try:
            yield
        finally:
            stopped.set()
            watcher.join()
            show_ended()


def show_status(project, td):
    """Prints what scripts/klaviyo_status.py shows, by the template's own queries if the repo has them."""
    if not (project / "query_samples").is_dir():
        return
    found_by = {"TD_API_KEY": "1/x", "TD_API_SERVER": f"http://{td.endpoint}"}
    try:
        with patch.dict(os.environ, found_by):
            client = klaviyo_status.TreasureData(project.parent)
        found = klaviyo_status.look(client, project / "query_samples", ["klaviyo"])["klaviyo"]
    except klaviyo_status.CouldNotLook as why:
        print(why)
        return
    to_do = list(klaviyo_status.to_do("klaviyo", found))
    print()
    Console().print(*klaviyo_status.page("klaviyo", client.database, found, to_do), sep="\n")


def cost_a_day(project, jobs, tasks):
    """What incremental runs of so many jobs and tasks come to in a day, on the schedule that the repo has."""
    schedule = schedule_of((project / f"{INCREMENTAL}.dig").read_text(encoding="utf-8"))
    runs = runs_a_day(schedule)
    if not runs:
        return f"No schedule: each time that it is started costs about {jobs} jobs and {tasks} tasks."
    return (
        f"On the schedule {schedule!r}, {runs:.3g} runs a day, that comes to about "
        f"{runs * jobs:,.0f} jobs and {runs * tasks:,.0f} tasks a day."
    )


def schedule_of(dig):
    """The schedule of a workflow as the question asks for it; none, where it has none, or one of another kind."""
    found = re.search(r"^schedule:\n(?: .*\n)*?  (hourly|daily|cron)>: *(.+)$", dig, re.MULTILINE)
    if not found:
        return "none"
    return found[2].strip("\"' ") if found[1] == "cron" else found[1]


def log_rows(td, database):
    """The rows of ingestion_log as they came; none as long as there is no such table."""
    if "ingestion_log" not in td.databases.tables(database):
        return []
    return td.rows(
        "SELECT coalesce(table_name, source_name), status, records_processed, error_message "
        f"FROM {database}.ingestion_log ORDER BY rowid"
    )


if __name__ == "__main__":
    try:
        sys.exit(main(Path(sys.argv[1])))
    except Unfit as unfit:
        sys.exit(str(unfit))

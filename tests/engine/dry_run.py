"""Run a client's two workflows on a real Digdag, without TD and without Klaviyo: the dry run.

    python tests/engine/dry_run.py ../acme-klaviyo

A mock TD takes the jobs, and a synthetic account, made from the repo's own datasources, gives the
records. Works on a copy without the credentials file; nothing in the repo is changed.
"""

import re
import shutil
import sys
import tempfile
from datetime import datetime, timezone
from pathlib import Path

import digdag
import yaml
from tabulate import tabulate

TEMPLATE = Path(__file__).resolve().parents[2]
sys.path += [str(TEMPLATE / "tests"), str(TEMPLATE / "extensions")]

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
    """Runs one workflow and prints what it did; whether it succeeded."""
    jobs, log = len(td.jobs), log_rows(td, database)
    print(f"\n{workflow} ...", flush=True)
    run = digdag.run(project, workflow, td, timeout=1800)
    new = td.jobs[jobs:]
    loads = [
        (job.table, *job.window, job.num_records, job.status, job.id) for job in new if job.kind == "bulkload"
    ]
    print(tabulate(loads, headers=["load into", "start_time", "end_time", "rows", "status", "job"]))
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

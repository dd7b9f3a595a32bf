"""Tell what each query of the workflows costs a real Trino before it reads: stages and planning time."""

import os
import statistics
from datetime import datetime, timedelta, timezone
from pathlib import Path

from commands import copy
from digdag import Mailbox
from ingestion import DATABASE, HIST, INC, Ingestion
from mock_td.klaviyo_account import KlaviyoAccount
from mock_td.treasure_data import TreasureData
from real_trino.both import BothDatabases
from real_trino.client import Client, Plan
from real_trino.server import Missing, running
from tabulate import tabulate

from bench.shapes import DAY, DEFAULT_START

# The one on which whole runs are possible.
VERSION = "406"
HEADERS = ["stages", "times", "planned, s", "at most, s"]


class TimedClient(Client):
    """A client that asks at once how long Trino planned a statement, as Trino forgets that soon.

    Attributes:
        times: the seconds of each of `plans`.
    """

    def __init__(self, *server: str) -> None:
        super().__init__(*server)
        self.times: list[float] = []

    def run(self, sql: str, database: str) -> tuple[list[list[str]], list[list[object]]]:
        """Columns and rows of a statement."""
        answer = super().run(sql, database)
        self.times.append(self.seconds(self.plans[-1]))
        return answer


class TimedDatabases(BothDatabases):
    """Both databases, of which Trino's are asked by such a client."""

    client = TimedClient


def queries(template: Path, folder: Path) -> str:
    """A table of the SQL files, as runs of all workflows have Trino plan them; or why there is none."""
    options = ("-d", "latest_tables=true", "-d", "remove_copies=true", "-d", "freshness_hours=24")
    try:
        with running(VERSION) as url:
            os.environ.update(TRINO=VERSION, TRINO_URL=url)
            project = copy(template, folder / "queries", *options) / "ingestion"
            plans = plans_of_runs(project)
    except Missing as missing:
        return f"Stages and planning time of the queries were not measured. {missing}"
    rows = [
        [path.name, *figures([of_it for of_it in plans if of_it[0].is_of(path)])]
        for path in sorted(project.rglob("*.sql"))
    ]
    return tabulate(rows, headers=[f"queries on Trino {VERSION}", *HEADERS], floatfmt=".2f")


def plans_of_runs(project: Path) -> list[tuple[Plan, float]]:
    """How Trino planned what runs of each workflow ask, two of the incremental one, and in what time."""
    end = datetime.now(timezone.utc)
    start = datetime.fromisoformat(DEFAULT_START).replace(tzinfo=timezone.utc)
    account = KlaviyoAccount(start, end)
    with TreasureData(account, databases=TimedDatabases) as td:
        acme = Ingestion(project, td)
        td.fail_load("klaviyo_preflight_metrics", message="HTTP 403")  # what is said of it is a query, too
        acme.run("klaviyo_preflight")
        td.mend()
        for workflow in (HIST, INC):
            acme.run(workflow)
        td.clock.advance(DAY)
        account.touch("profiles", "profiles-0001", account.now() - timedelta(minutes=1))
        acme.run(INC, session="2026-01-02 00:00:00")
        td.clock.advance(2 * DAY)
        for sample in sorted(project.glob("query_samples/*.sql")):
            td.databases.run(sample.read_text(encoding="utf-8"), DATABASE)
        with Mailbox() as mailbox:
            acme.run("klaviyo_freshness", mailbox=mailbox)
        return list(zip(td.databases.trino.plans, td.databases.trino.times, strict=True))


def figures(plans: list[tuple[Plan, float]]) -> list[object]:
    """What the plans of one file were: the most stages, how many, and how long they took, in seconds."""
    if not plans:
        return [None, 0, None, None]
    stages, seconds = [plan.stages for plan, _ in plans], [taken for _, taken in plans]
    return [max(stages), len(plans), statistics.median(seconds), max(seconds)]

"""Run the two shapes of the ingestion that are compared, each on its own mock TD, and tell its costs."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple

import yaml
from commands import copy
from digdag import Run
from ingestion import DATABASE, HIST, INC, Ingestion
from mock_td.clock import Clock
from mock_td.klaviyo_account import KlaviyoAccount
from mock_td.treasure_data import TreasureData

from bench.processes import Failed

# At least. At TD both take longer; what counts is that neither is free, and that a load takes longest.
LOAD_SECONDS, QUERY_SECONDS = 1.0, 0.2
LATENCIES = f"a load takes {LOAD_SECONDS:g} s, a query {QUERY_SECONDS:g} s"
RECORDS = 400
DOCUMENTED = Path(__file__).with_name("documented_shape.dig")
DEFAULT_START = "2023-09-01T00:00:00.000000"
DAY = 86400


class Shape(NamedTuple):
    """A rendered ingestion, and the names of its two workflows.

    Attributes:
        project: the folder with the .dig files. It is copied for each account, and stays as it is.
        incremental: the workflow that loads what changed.
        historical: the backfill.
    """

    name: str
    project: Path
    incremental: str
    historical: str


class Figures(NamedTuple):
    """What one start of a workflow cost, with the sessions in which it went on by itself.

    Attributes:
        tasks: of the first session alone, as Digdag counts them towards its limit of an attempt.
    """

    seconds: float
    jobs: int
    tasks: int
    loads: int
    peak_loads: int
    loaded_twice: int
    sessions: int


class Measured(NamedTuple):
    """One start: what it cost, and the bulk loads that it asked for."""

    figures: Figures
    loads: list


def ours(template: Path, folder: Path) -> Shape:
    """The workflows as the example answers render them."""
    return Shape("ours", copy(template, folder / "ours") / "ingestion", INC, HIST)


def documented(template: Path, folder: Path) -> Shape:
    """The documented shape, over rendered config files, where metrics are loaded in full, and appended."""
    project = copy(template, folder / "documented", "-d", "metrics_load=full") / "ingestion"
    for workflow in project.glob("*.dig"):
        workflow.unlink()
    text = DOCUMENTED.read_text(encoding="utf-8")
    (project / "documented_inc.dig").write_text(text, encoding="utf-8")
    historical = text.replace("inc_datasources", "hist_datasources")
    (project / "documented_hist.dig").write_text(historical, encoding="utf-8")
    datasources = project / "config/klaviyo_datasources.yml"
    appended = datasources.read_text(encoding="utf-8").replace("mode: replace", "mode: append")
    datasources.write_text(appended, encoding="utf-8")
    return Shape("documented", project, "documented_inc", "documented_hist")


@contextmanager
def ingestion_of(shape: Shape, folder: Path, days: int) -> Iterator[Ingestion]:
    """A shape's ingestion of an account that is so many days old, with nothing loaded yet.

    It is noon on TD's clock, so that no midnight comes between two runs by chance. Both shapes get the same
    records, `RECORDS` of each data source.
    """
    clock = Clock()
    noon = datetime.now(timezone.utc).replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=1)
    clock.advance_to(noon.timestamp())
    start = noon - timedelta(days=days)
    account = KlaviyoAccount(start, noon - timedelta(minutes=5), size=RECORDS, clock=clock)
    project = Path(tempfile.mkdtemp(dir=folder), "ingestion")
    shutil.copytree(shape.project, project)
    datasources = project / "config/klaviyo_datasources.yml"
    text = datasources.read_text(encoding="utf-8")
    datasources.write_text(text.replace(DEFAULT_START, f"{start:%Y-%m-%dT%H:%M:%S}.000000"), encoding="utf-8")
    with TreasureData(account, load_seconds=LOAD_SECONDS, query_seconds=QUERY_SECONDS) as td:
        create_log(td, project)
        yield Ingestion(project, td)


def create_log(td: TreasureData, project: Path) -> None:
    """Make the database and ingestion_log, which the documented shape lacks; ours finds them there."""
    td.databases.create_database(DATABASE)
    text = (project / "sql/create_ingestion_log_table.sql").read_text(encoding="utf-8")
    td.databases.run(text.replace("${databases.src}", DATABASE), DATABASE)


def start(acme: Ingestion, workflow: str, *, fails: bool = False, **options: object) -> Measured:
    """Run a workflow and measure it. It must succeed, or with `fails` it must not."""
    loaded_twice = rows_loaded_twice(acme)
    acme.td.peak_loads = 0
    run = run_to_its_end(acme, workflow, fails=fails, **options)
    loads = [job for job in run.jobs if job.kind == "bulkload"]
    figures = Figures(
        run.seconds,
        len(run.jobs),
        len(run.tasks),
        len(loads),
        acme.td.peak_loads,
        rows_loaded_twice(acme) - loaded_twice,
        run.output.count("Starting a new session"),
    )
    return Measured(figures, loads)


def run_to_its_end(acme: Ingestion, workflow: str, *, fails: bool = False, **options: object) -> Run:
    """Run a workflow, which must succeed; or with `fails`, must not."""
    run = acme.run(workflow, timeout=1800, **options)
    if run.succeeded == fails:
        raise Failed(f"{workflow} {'succeeded' if fails else 'failed'}, unexpectedly:\n{run.output[-3000:]}")
    return run


def datasources_of(acme: Ingestion) -> dict[str, str]:
    """The data source of each table that the project's two workflows fill."""
    text = (acme.project / "config/klaviyo_datasources.yml").read_text(encoding="utf-8")
    lists = yaml.safe_load(text)
    return {entry["table_name"]: entry["name"] for entries in lists.values() for entry in entries}


def versions_in(acme: Ingestion, table: str, data_source: str) -> list[tuple[str, str]]:
    """The id and version of each row of a table: the version is what each change of a record moves."""
    version = version_field(acme, data_source)
    if "id" not in acme.td.databases.columns(DATABASE, table):
        return []
    return acme.td.rows(f"SELECT id, {version} FROM {DATABASE}.{table}")


def version_field(acme: Ingestion, data_source: str) -> str:
    """`updated`, as the data source calls it; an event never changes, and has its datetime."""
    fields = acme.account.time_fields[data_source]
    return fields.get("updated") or fields["datetime"]


def rows_loaded_twice(acme: Ingestion) -> int:
    """How many rows are one too many: each table's rows less its different pairs of id and version.

    A record that changed between two loads is there twice by right. So is one in an incremental table
    and in the one with _hist: tables are looked at one by one.
    """
    return sum(
        repeated(versions_in(acme, table, data_source)) for table, data_source in datasources_of(acme).items()
    )


def repeated(rows: list[tuple[str, str]]) -> int:
    """How many rows there are more than different ones."""
    return len(rows) - len(set(rows))


def records_missing(acme: Ingestion, workflow: str) -> int:
    """How many of the account's records are in no table of a workflow as they are now."""
    missing = 0
    for table, data_source in datasources_of(acme).items():
        if table.endswith("_hist") == workflow.endswith("_hist"):
            version = version_field(acme, data_source)
            now = {(record["id"], record[version]) for record in acme.account.records(data_source)}
            missing += len(now - set(versions_in(acme, table, data_source)))
    return missing

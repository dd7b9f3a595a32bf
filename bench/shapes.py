"""A client on the tests' mock TD whose workflows are ours, or have the shape that TD documents."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path

import yaml
from by_hand import TEMPLATE, copy
from ingestion import DATABASE, HIST, INC, Ingestion
from klaviyo_account import KlaviyoAccount
from treasure_data import TreasureData

DAY = timedelta(days=1)
SHAPES = ("documented", "ours")
# How long a query takes on the mock TD, and a load, in seconds.
QUERY_SECONDS, LOAD_SECONDS = 0.2, 1.0


@contextmanager
def client(template: Path, folder: Path, shape: str, days: int, *answers: str) -> Iterator[Ingestion]:
    """A client whose account began so many days ago, on a TD of its own.

    Metrics are loaded in full: the documented shape knows no other way, and appends them.
    """
    start = (datetime.now(timezone.utc) - days * DAY).replace(tzinfo=None, microsecond=0)
    given = {"default_start_date": f"{start.isoformat()}.000000", "metrics_load": "full"}
    folder.mkdir(parents=True)
    options = [option for name, value in given.items() for option in ("-d", f"{name}={value}")]
    project = copy(template, folder / "repo", *options, *answers) / "ingestion"
    account = KlaviyoAccount(start, datetime.now(timezone.utc), size=200)
    with TreasureData(account, query_seconds=QUERY_SECONDS, load_seconds=LOAD_SECONDS) as td:
        if shape == "documented":
            make_documented(project, td)
        yield Ingestion(project, td)


def make_documented(project: Path, td: TreasureData) -> None:
    """Give a project the documented shape; and TD the database and the log, without which that one fails."""
    text = (TEMPLATE / "bench/documented_shape.dig").read_text(encoding="utf-8")
    for old in project.glob("*.dig"):
        old.unlink()
    (project / f"{INC}.dig").write_text(text, encoding="utf-8")
    (project / f"{HIST}.dig").write_text(
        text.replace("inc_datasources", "hist_datasources"), encoding="utf-8"
    )
    file = project / "config/klaviyo_datasources.yml"
    datasources = yaml.safe_load(file.read_text(encoding="utf-8"))
    for entry in [*datasources["inc_datasources"], *datasources["hist_datasources"]]:
        entry["mode"] = "append"
    file.write_text(yaml.safe_dump(datasources), encoding="utf-8")
    td.databases.create_database(DATABASE)
    log = (project / "sql/create_ingestion_log_table.sql").read_text(encoding="utf-8")
    td.databases.run(log.replace("${databases.src}", DATABASE), DATABASE)
    shutil.rmtree(project / "sql")

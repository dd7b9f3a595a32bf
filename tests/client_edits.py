"""Edit a client's repo, and tell the line in which each edit shows."""

from itertools import takewhile
from typing import NamedTuple

import pytest
from commands import edit

INC = "ingestion/klaviyo_ingest_inc.dig"
HIST = "ingestion/klaviyo_ingest_hist.dig"
PREFLIGHT = "ingestion/klaviyo_preflight.dig"
DATASOURCES = "ingestion/config/klaviyo_datasources.yml"
DATABASE = "ingestion/config/database.yml"
PROFILES = "ingestion/config/klaviyo_profiles_load.yml"
EVENTS = "ingestion/config/klaviyo_events_load.yml"
CAMPAIGNS = "ingestion/config/klaviyo_campaigns_load.yml"
METRICS = "ingestion/config/klaviyo_metrics_load.yml"
OBJECTS_TO_LOAD = "ingestion/sql/klaviyo_objects_to_load.sql"
OBJECTS_TO_TRY = "ingestion/sql/klaviyo_preflight_objects_to_try.sql"
WINDOWS = "ingestion/sql/klaviyo_windows.sql"
CONCURRENT_RUN = "ingestion/sql/klaviyo_concurrent_run.sql"
RUN_RESULT = "ingestion/sql/klaviyo_run_result.sql"
CREATE_LOG = "ingestion/sql/create_ingestion_log_table.sql"
LOG_START, LOG_SUCCESS, LOG_ERROR = (
    f"ingestion/sql/klaviyo_log_ingestion_{what}.sql" for what in ("start", "success", "error")
)
CREDENTIALS = "ingestion/credentials_ingestion.json"
DIGDAGIGNORE = "ingestion/.digdagignore"


class Edit(NamedTuple):
    """One edit of a file.

    Attributes:
        file: the file's path in the repo.
        old: what stands in it, once.
        new: what stands there then.
        shows: how the line begins, from any column on, in which the fault shows; else it is the edited one.
        at: the file of that line, if it is another.
    """

    file: str
    old: str
    new: str
    shows: str = ""
    at: str = ""

    def make(self, repo):
        """Make the edit; gives path and number of the line in which it shows."""
        before = (repo / self.file).read_text(encoding="utf-8")
        edit(repo / self.file, self.old, self.new)
        after = (repo / (self.at or self.file)).read_text(encoding="utf-8")
        same = takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False))
        offset = after.index(self.shows) if self.shows else len(list(same))
        return self.at or self.file, after.count("\n", 0, offset) + 1


class Entry(NamedTuple):
    """One edit of a datasource: another value, or None to drop the key, which shows at its first line."""

    table: str
    key: str
    value: str | None

    def make(self, repo):
        lines = (repo / DATASOURCES).read_text(encoding="utf-8").split("\n")
        table = lines.index(f"    table_name: {self.table}")
        first = table - 1
        number = next(n for n in range(first, len(lines)) if lines[n].strip(" -").startswith(f"{self.key}:"))
        if self.value is None:
            del lines[number]
        else:
            lines[number] = f"{lines[number].partition(':')[0]}: {self.value}"
        (repo / DATASOURCES).write_text("\n".join(lines), encoding="utf-8")
        return DATASOURCES, (first if self.value is None else number) + 1


def edits(cases):
    """Run a test with each of these edits, which have their names in words."""
    return pytest.mark.parametrize("edit", cases.values(), ids=cases)

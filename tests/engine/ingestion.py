"""Run a client's ingestion on a real Digdag: its workflows, the TD that they run on, and what they left there."""

import json
from types import SimpleNamespace

import digdag
import yaml

INC, HIST = "klaviyo_ingest_inc", "klaviyo_ingest_hist"
DATABASE = "client_src"


def tasks_of(objects, windows, removals=0):
    """How many tasks Digdag counts in a run of an ingest workflow in which nothing fails.

    removals: of how many tables it removes copies; None: it looks for none, as remove_copies is no.
    """
    return 17 + (0 if removals is None else 4 + 3 * removals) + 7 * objects + 5 * windows


def jobs_of(objects, windows, removals=0):
    """How many TD jobs such a run has."""
    return 6 + (0 if removals is None else 1 + removals) + objects + 3 * windows


class Ingestion:
    """A Digdag project, and the TD that it loads into.

    project  the folder, which is changed in place
    td       a TreasureData
    """

    def __init__(self, project, td):
        self.project = project
        self.td = td
        digdag.quicken(project)

    @property
    def account(self):
        return self.td.connector

    def run(self, workflow, **options):
        """Runs a workflow to its end; `digdag.run` knows the options."""
        return digdag.run(self.project, workflow, self.td, **options)

    def write_out_the_database(self):
        """Gives the workflows their database by its name, and not by what config/database.yml calls it.

        Digdag would evaluate that in every task, in most of them three times: a quarter of all that it
        evaluates. test_adopted_repo.py and the dry run run it as it is rendered.
        """
        shared = yaml.safe_load((self.project / "config/database.yml").read_text(encoding="utf-8"))
        database = json.dumps(shared["databases"]["src"])
        for path in self.project.glob("*.dig"):
            text = path.read_text(encoding="utf-8")
            named = text.replace("    database: ${databases.src}\n", f"    database: {database}\n")
            assert named != text, path
            path.write_text(named, encoding="utf-8")

    def try_once(self):
        """Lets a load fail for good at its first try; test_isolation.py tells what three of them do."""
        for path in self.project.glob("*_ingest_*.dig"):
            self.edit(path.name, "limit: 2\n", "limit: 0\n")
        for path in self.project.glob("sql/*_objects_to_load.sql"):
            self.edit(f"sql/{path.name}", "OR times < 3", "OR times < 1")

    def change_datasource(self, table, **fields):
        """Edits the entry of a table in the datasources file, as a client may."""
        path = self.project / "config/klaviyo_datasources.yml"
        datasources = yaml.safe_load(path.read_text(encoding="utf-8"))
        (entry,) = [
            entry for entries in datasources.values() for entry in entries if entry["table_name"] == table
        ]
        entry.update(fields)
        path.write_text(yaml.safe_dump(datasources, sort_keys=False), encoding="utf-8")

    def edit(self, file, old, new):
        """Replaces a text in a file, which must be there."""
        path = self.project / file
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{file} has no {old!r}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    def fail_success_row(self, table, times):
        """Lets the query fail, so often, that logs the SUCCESS of a table's load."""
        self.td.fail_query(f"'{table}' AS table_name,\n  'SUCCESS' AS status", times=times)

    def log(self, **wanted):
        """The rows of ingestion_log that have these values, in the order in which they were written."""
        columns = self.td.databases.columns(DATABASE, "ingestion_log")
        rows = self.td.rows(f"SELECT * FROM {DATABASE}.ingestion_log ORDER BY rowid")
        named = [SimpleNamespace(**dict(zip(columns, row, strict=True))) for row in rows]
        return [row for row in named if wanted.items() <= vars(row).items()]

    def statuses(self, table):
        """What was logged of a table, as ["STARTED", "SUCCESS"]."""
        return [row.status for row in self.log(table_name=table)]

    def loads(self, table, status=None):
        """The bulk loads into a table, in their order."""
        return [job for job in self.td.loads if job.table == table and status in (None, job.status)]

    def ids(self, table):
        """The ids of a table's rows, sorted; one that was loaded twice stands there twice."""
        if "id" not in self.td.databases.columns(DATABASE, table):
            return []
        return [id for (id,) in self.td.rows(f"SELECT id FROM {DATABASE}.{table} ORDER BY id")]

"""Ask a Trino one statement after another, and tell how it planned each."""

import json
import re
import urllib.request
from dataclasses import dataclass
from itertools import takewhile
from urllib.parse import urlsplit

import trino
from mock_td.query_error import QueryError

USER = "mock-td"
SESSION = {
    # Of the two ways to join, the one with more stages; by itself Trino takes the other for small tables.
    "join_distribution_type": "PARTITIONED",
    # How many threads a stage has: more take longer where rows are few.
    "task_concurrency": "1",
}
UNITS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1, "m": 60}


@dataclass(frozen=True)
class Plan:
    """How Trino planned a statement that it ran.

    stages    how many there are, as query.max-stage-count limits them
    query_id  what Trino calls it
    """

    text: str
    stages: int
    query_id: str

    def is_of(self, path):
        """Whether the statement is that SQL file's, which begins with comments that no other has."""
        return heading(path) in self.text


class Client:
    """A Trino of any version, of which one catalog is asked.

    plans  of the statements that `run` was asked for, their Plans
    """

    def __init__(self, url, catalog):
        self.plans = []
        self._server = urlsplit(url)
        self._catalog = catalog

    def run(self, sql, database):
        """Columns, as [[name, type], ...], and rows of a statement. QueryError where Trino refuses it."""
        columns, rows, cursor = self._ask(sql, database)
        self.plans.append(Plan(sql, _stages(cursor.stats.get("rootStage")), cursor.query_id))
        return columns, rows

    def rows(self, sql, database=None):
        """The rows of a statement whose plan nobody looks at."""
        return self._ask(sql, database)[1]

    def seconds(self, plan):
        """How long Trino took to plan a statement; it knows that for its next hundred statements."""
        url = f"{self._server.geturl()}/v1/query/{plan.query_id}?pruned=true"
        headers = {"X-Trino-User": USER, "X-Presto-User": USER}
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=60) as answer:
            told = json.load(answer)["queryStats"]
        return sum(_in_seconds(told[name]) for name in ("analysisTime", "planningTime"))

    def _ask(self, sql, database):
        session = ",".join("=".join(each) for each in SESSION.items())
        same = {
            "User": USER,
            "Catalog": self._catalog,
            "Schema": database,
            "Time-Zone": "UTC",
            "Session": session,
        }
        connection = trino.dbapi.connect(
            host=self._server.hostname,
            port=self._server.port,
            user=USER,
            catalog=self._catalog,
            schema=database,
            timezone="UTC",
            session_properties=SESSION,
            # As version 350 calls them.
            http_headers={f"X-Presto-{name}": value for name, value in same.items() if value},
        )
        cursor = connection.cursor()
        try:
            cursor.execute(sql)
            rows = [tuple(row) for row in cursor.fetchall()]
        except trino.exceptions.TrinoQueryError as error:
            raise QueryError(f"{error.error_name}: {error.message}") from error
        return [[column.name, column.type_code] for column in cursor.description or ()], rows, cursor


def heading(path):
    """The comments that an SQL file begins with."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return "\n".join(takewhile(lambda line: line.startswith("--"), lines))


def _stages(stage):
    """How many stages a stage and those below it are."""
    return 1 + sum(map(_stages, stage["subStages"])) if stage else 0


def _in_seconds(duration):
    """Trino's 61.12ms or 1.20s as seconds."""
    number, unit = re.fullmatch(r"([\d.]+)([a-z]+)", duration).groups()
    return float(number) * UNITS[unit]

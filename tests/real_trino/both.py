"""Ask a real Trino, which has the same tables, whatever the mock TD's SQL is asked: both must agree."""

import json
import os
import re
from dataclasses import replace
from datetime import datetime, timezone
from decimal import Decimal
from unittest import SkipTest

from mock_td.databases import Databases
from mock_td.query_error import QueryError
from mock_td.trino import job_of
from real_trino.client import Client
from real_trino.server import VERSIONS

# What no query of ours may exceed: Trino ends one that has a hundred stages, or 150.
MOST_STAGES = 15
# More are not copied: what many rows cost, DuckDB tells.
MOST_ROWS = 20_000
ROWS_AN_INSERT = 2000
# Trino's names of DuckDB's types, of any other the lower case.
TYPES = {"TIMESTAMP": "timestamp(6)"}
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# Text, names in quotes and comments, which stay as they are; or what tells the time.
TIMES = re.compile(
    r"""('(?:[^']|'')*' | "[^"]*" | --[^\n]*) | \bnow\(\) | \b(?:current_timestamp|localtimestamp|current_date)\b""",
    re.IGNORECASE | re.VERBOSE,
)


class BothDatabases(Databases):
    """Databases on DuckDB, and the same on a real Trino, whose answers count. AssertionError where they differ.

    Before a statement, Trino gets what else happened to DuckDB's tables: bulk loads, and what tests put there. A
    statement changes the tables of both, and they are compared after it. A TD database is a schema of a catalog that
    is this test process's alone; what is left in it is dropped first.

    trino       the Client, which has the plans of the statements that were run
    has_delete  whether a DELETE deletes: else Trino only counts what it would delete
    """

    client = Client

    def __init__(self, clock=None):
        super().__init__(clock)
        self.has_delete = VERSIONS[os.environ["TRINO"]].has_delete
        worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
        self.trino = self.client(os.environ["TRINO_URL"], f"td{worker.removeprefix('gw')}")
        # {database: {table: (columns, rows)}} of what Trino has.
        self._there = {
            database: dict.fromkeys(table for (table,) in self.trino.rows(f'SHOW TABLES FROM "{database}"'))
            for (database,) in self.trino.rows("SHOW SCHEMAS")
            if database not in ("information_schema", "default")
        }
        self._drop_databases(self._there)

    def close(self):
        self._drop_databases(self._there)
        super().close()

    def prepare(self, text, database, now=None):
        """One statement, as Databases prepares it."""
        now = self.clock.now() if now is None else now
        ours = _tried(lambda: super(BothDatabases, self).prepare(text, database, now))

        def run():
            with self._lock:
                return self._run_on_both(ours, text, database, now)

        return run

    def _run_on_both(self, ours, text, database, now):
        self._copy_all(text)
        # Trino first: both find the tables as they were before.
        theirs = _tried(lambda: self._run_on_trino(text, database, now))
        ours = ours if isinstance(ours, QueryError) else _tried(ours)
        if isinstance(ours, QueryError):
            _assert(isinstance(theirs, QueryError), text, f"Trino takes what the mock refuses: {ours}")
            raise theirs
        _assert(not isinstance(theirs, QueryError), text, f"Trino refuses what the mock takes: {theirs}")
        stages = self.trino.plans[-1].stages
        _assert(stages <= MOST_STAGES, text, f"{stages} stages are more than {MOST_STAGES}")
        columns, rows = theirs
        if ours.kind == "select":
            _assert_same_result(columns, rows, ours, text)
            return replace(ours, columns=columns, rows=rows)
        # Version 350 answers `true` where nothing is to be counted.
        written = sum(value for (value,) in rows if value and columns[0][1] == "bigint")
        _assert_same(written, ours.written, text, "rows written")
        owner, table = ours.table.split(".")
        if ours.kind == "drop":
            self._there[owner].pop(table.lower(), None)
        elif ours.kind == "delete" and not self.has_delete:
            self._drop(owner, table)  # and Trino gets it anew
        else:
            self._assert_same_table(owner, table.lower(), text)
        return ours

    def _run_on_trino(self, text, database, now):
        """Columns and rows of a statement. QueryError for what Trino refuses, and for what TD never runs."""
        dropped, statement = job_of(text)
        text = with_fixed_time(text, now)
        if dropped:  # a statement of its own to Trino
            self.trino.rows(dropped.sql("trino"), database)
            text = text.partition(";")[2]
        if statement.key == "delete" and not self.has_delete:
            text = re.sub(r"\bDELETE\b", "SELECT count(*)", text, count=1)
        return self.trino.run(text, database)

    def _copy_all(self, text):
        """Lets Trino have all databases and tables, and of those that a statement names the rows, too."""
        schema = self.schema()
        names = self.names()
        self._drop_databases(self._there.keys() - names)
        for database in names:
            if database not in self._there:
                self.trino.rows(f'CREATE SCHEMA "{database}"')
                self._there[database] = {}
            there, tables = self._there[database], schema.get(database, {})
            for table in there.keys() - tables:
                self._drop(database, table)
            for table, columns in tables.items():
                is_read = re.search(rf"\b{re.escape(table)}\b", text)
                if is_read or table not in there or there[table][0] != columns:
                    self._copy(database, table)

    def _copy(self, database, table):
        """Lets Trino have a table as it is now."""
        columns, rows = self._content(database, table)
        known_columns, known = self._there[database].get(table, ({}, []))
        if len(rows) - len(known) > MOST_ROWS:
            raise SkipTest(f"{len(rows)} rows are too many to be copied")
        name = f'"{database}"."{table}"'
        kinds = [TYPES.get(kind, kind.lower()) for kind in columns.values()]
        if known_columns != columns or rows[: len(known)] != known:
            if known_columns:
                self._drop(database, table)
            listed = ", ".join(f'"{column}" {kind}' for column, kind in zip(columns, kinds, strict=True))
            self.trino.rows(f"CREATE TABLE {name} ({listed})")
            known = []
        stored = ", ".join(f"CAST(r[{index}] AS {kind})" for index, kind in enumerate(kinds, 1))
        for start in range(len(known), len(rows), ROWS_AN_INSERT):
            texts = [
                [None if value is None else str(value) for value in row]
                for row in rows[start : start + ROWS_AN_INSERT]
            ]
            text = json.dumps(texts, ensure_ascii=False).replace("'", "''")
            values = f"UNNEST(CAST(json_parse('{text}') AS array(array(varchar)))) AS rows (r)"
            self.trino.rows(f"INSERT INTO {name} SELECT {stored} FROM {values}")
        self._there[database][table] = columns, rows

    def _drop(self, database, table):
        self.trino.rows(f'DROP TABLE IF EXISTS "{database}"."{table}"')
        del self._there[database][table]

    def _drop_databases(self, databases):
        for database in list(databases):
            for table in list(self._there[database]):
                self._drop(database, table)
            self.trino.rows(f'DROP SCHEMA "{database}"')
            del self._there[database]

    def _content(self, database, table):
        """Columns and rows of one of DuckDB's tables."""
        rows = self.rows(f'SELECT * FROM "{database}"."{table}" ORDER BY rowid')
        return self.columns(database, table), rows

    def _assert_same_table(self, database, table, text):
        columns, rows = self._content(database, table)
        told = self.trino.rows(f'SHOW COLUMNS FROM "{database}"."{table}"')
        # A table that SQL made without `time` has it last: where it stands, no query of ours relies on.
        _assert_same(sorted(name for name, *_ in told), sorted(columns), text, "columns")
        names = ", ".join(f'"{name}"' for name in columns)
        theirs = self.trino.rows(f'SELECT {names} FROM "{database}"."{table}"')
        their, our = (sorted(_comparable(each), key=repr) for each in (theirs, rows))
        _assert_same(their, our, text, "rows of the table")
        self._there[database][table] = columns, rows


def with_fixed_time(text, now):
    """A statement that tells a time as if it was run at Unix seconds, and is otherwise the same text."""
    instant = datetime.fromtimestamp(now, timezone.utc).isoformat(" ", "milliseconds")[:-6]
    told = {"localtimestamp": f"TIMESTAMP '{instant}'", "current_date": f"DATE '{instant[:10]}'"}
    return TIMES.sub(lambda found: found[1] or told.get(found[0].lower(), f"TIMESTAMP '{instant} UTC'"), text)


def _tried(function):
    """What a function gives, or the QueryError that it raises."""
    try:
        return function()
    except QueryError as error:
        return error


def _assert(holds, text, told):
    """AssertionError where something does not hold; the statement first, of whose end Digdag shows enough."""
    if not holds:
        raise AssertionError(f"{text}\n{told}")


def _assert_same(theirs, ours, text, what):
    _assert(theirs == ours, text, f"{what}: on Trino {theirs!r}, on the mock TD {ours!r}")


def _assert_same_result(columns, rows, ours, text):
    their, our = ([[name, plain(kind)] for name, kind in each] for each in (columns, ours.columns))
    _assert_same(their, our, text, "columns")
    their, our = _comparable(rows), _comparable(ours.rows)
    if not job_of(text)[1].args.get("order"):
        their, our = sorted(their, key=repr), sorted(our, key=repr)
    _assert_same(their, our, text, "rows")


def plain(kind):
    """A type without lengths and precisions, which the mock does not tell."""
    return re.sub(r"\(\d+(, *\d+)?\)", "", kind)


def _comparable(rows):
    return [tuple(map(_value, row)) for row in rows]


def _value(value):
    """A value without what no reader relies on: a number's type, what is new in each uuid()."""
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return round(float(value), 6)
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat()
    if isinstance(value, str) and value.startswith("[{"):
        value = json.dumps(json.loads(value), sort_keys=True)
    return UUID.sub("<uuid>", value) if isinstance(value, str) else value

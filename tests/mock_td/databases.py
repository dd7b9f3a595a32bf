"""Keep TD's databases, as far as SQL and bulk loads see them, in a DuckDB that takes Trino's dialect.

A TD database is a DuckDB schema. What TD refuses is refused: a second statement in a job, a missing table or
column, text where a number is wanted, functions that Trino does not have.
"""

import json
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone

import duckdb
import sqlglot
from mock_td.clock import Clock
from mock_td.query_error import QueryError
from mock_td.scans import scans
from mock_td.stages import refuse_many_stages
from mock_td.trino import job_of
from mock_td.trino_functions import add_trino_functions, in_duckdb
from mock_td.trino_types import TRINO_TYPES, refuse_mistakes, trino_type, typed
from sqlglot import exp

INFORMATION_SCHEMA = {"columns": "td_columns", "tables": "td_tables"}


def add_td_functions(connection):
    """Makes TD's functions known to a DuckDB connection, in the schema `main`.

    TD_TIME_PARSE(text)           Unix seconds (BIGINT) of 2022-11-08, alone or with a time, after T or space,
                                  with or without a fraction, with Z, an offset or neither (UTC); else NULL
    TD_TIME_STRING(seconds, 's!') the text yyyy-MM-dd HH:mm:ss in UTC, with 'm!' to the minute; other formats are an error here
    """
    connection.execute(r"""
        CREATE OR REPLACE MACRO main.TD_TIME_PARSE(t) AS CASE
            WHEN regexp_full_match(t, '\d{4}-\d\d-\d\d([T ]\d\d:\d\d:\d\d(\.\d+)?)?')
                THEN CAST(floor(epoch(TRY_CAST(t || CASE WHEN length(t) > 10 THEN 'Z' ELSE ' 00:00:00Z' END
                                               AS TIMESTAMPTZ))) AS BIGINT)
            WHEN regexp_full_match(t, '\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)')
                THEN CAST(floor(epoch(TRY_CAST(t AS TIMESTAMPTZ))) AS BIGINT)
        END""")
    connection.execute("""
        CREATE OR REPLACE MACRO main.TD_TIME_STRING(seconds, form) AS CASE
            WHEN typeof(seconds) IN ('DOUBLE', 'FLOAT') OR typeof(seconds) LIKE 'DECIMAL%'
                THEN error('Unexpected parameters for function td_time_string. Expected: td_time_string(bigint, varchar)')
            WHEN form = 's!'
                THEN strftime(make_timestamp(CAST(seconds AS BIGINT) * 1000000), '%Y-%m-%d %H:%M:%S')
            WHEN form = 'm!'
                THEN strftime(make_timestamp(CAST(seconds AS BIGINT) * 1000000), '%Y-%m-%d %H:%M')
            ELSE error('the mock TD knows TD_TIME_STRING''s formats s! and m! only')
        END""")


def add_information_schema(connection):
    """Views of all databases' tables and columns, types named as Trino names them, in the schema `main`."""
    cases = " ".join(f"WHEN '{duckdb}' THEN '{trino}'" for duckdb, trino in TRINO_TYPES.items())
    connection.execute(f"""
        CREATE VIEW main.td_columns AS SELECT 'td-presto' AS table_catalog, schema_name AS table_schema,
            table_name, column_name, CAST(column_index AS BIGINT) AS ordinal_position,
            CAST(NULL AS VARCHAR) AS column_default, 'YES' AS is_nullable,
            CASE data_type {cases} ELSE lower(data_type) END AS data_type
        FROM duckdb_columns() WHERE NOT internal AND schema_name <> 'main'""")
    connection.execute("""
        CREATE VIEW main.td_tables AS SELECT 'td-presto' AS table_catalog, schema_name AS table_schema,
            table_name, 'BASE TABLE' AS table_type FROM duckdb_tables() WHERE NOT internal""")


@dataclass
class Outcome:
    """What one statement did.

    columns  [[name, Trino type], ...] of the result
    rows     the result
    kind     'select', 'insert', 'create', 'delete' or 'drop'
    table    what it wrote to, as database.table; '' for a query
    written  how many rows it inserted or deleted
    scans    what it read, a Scan a table
    """

    columns: list
    rows: list
    kind: str
    table: str = ""
    written: int = 0
    scans: list = field(default_factory=list)


class Databases:
    """TD's databases and tables on an in-memory DuckDB; one statement at a time.

    clock  what now() tells, and `time` where an INSERT leaves it out
    """

    def __init__(self, clock=None):
        self.clock = clock or Clock()
        self._lock = threading.RLock()
        self._connection = duckdb.connect()
        add_td_functions(self._connection)
        add_trino_functions(self._connection)
        add_information_schema(self._connection)

    def close(self):
        self._connection.close()

    @contextmanager
    def _cursor(self, database="main"):
        with self._lock, self._connection.cursor() as cursor:
            cursor.execute("SET TimeZone = 'UTC'")
            cursor.execute("SET integer_division = true")  # as Trino: 7 / 2 is 3
            cursor.execute(f"SET VARIABLE td_now = {int(self.clock.now())}")
            cursor.execute(f"SET search_path = '{database},main'")  # main holds TD's functions, and no table
            yield cursor

    def rows(self, sql):
        """The rows of a query in DuckDB's SQL, as tuples."""
        with self._cursor() as cursor:
            return cursor.execute(sql).fetchall()

    def names(self):
        rows = self.rows("SELECT schema_name FROM duckdb_schemas() WHERE NOT internal ORDER BY 1")
        return [name for (name,) in rows]

    def tables(self, database):
        rows = self.rows(
            f"SELECT table_name FROM duckdb_tables() WHERE schema_name = '{database}' ORDER BY 1"
        )
        return [name for (name,) in rows]

    def columns(self, database, table):
        """{column: DuckDB type} of a table, in order."""
        return self.schema().get(database, {}).get(table, {})

    def schema(self):
        """{database: {table: {column: DuckDB type}}} of everything."""
        schema = {}
        rows = self.rows("""SELECT schema_name, table_name, column_name, data_type FROM duckdb_columns()
            WHERE NOT internal AND schema_name <> 'main' ORDER BY schema_name, table_name, column_index""")
        for database, table, column, kind in rows:
            schema.setdefault(database, {}).setdefault(table, {})[column] = kind
        return schema

    def create_database(self, database):
        self.rows(f'CREATE SCHEMA "{database}"')

    def delete_database(self, database):
        self.rows(f'DROP SCHEMA "{database}" CASCADE')

    def create_table(self, database, table):
        """A table as TD's REST API makes it: without any column but `time`."""
        self.rows(f'CREATE TABLE "{database}"."{table}" (time BIGINT)')
        self._complete(database, table)

    def delete_table(self, database, table):
        self.rows(f'DROP TABLE "{database}"."{table}"')

    def rename_table(self, database, table, new_name):
        if new_name in self.tables(database):
            self.delete_table(database, new_name)
        self.rows(f'ALTER TABLE "{database}"."{table}" RENAME TO "{new_name}"')

    def prepare(self, text, database, now=None):
        """One statement in Trino's dialect, checked; returns what runs it, once, and gives its Outcome.

        now  what its now() is, in Unix seconds: the moment of this call, however much later it runs

        Raises:
            QueryError: here, what TD would refuse to plan; when it runs, what fails then.
        """
        dropped, statement = job_of(text)
        refuse_many_stages(statement)
        schema = self.schema()
        copy, types = typed(statement, schema, database)
        if copy:
            refuse_mistakes(copy, schema, database)
        read = scans(statement, database)
        now = self.clock.now() if now is None else now
        statement = _with_fixed_time(in_duckdb(statement, types), now)

        def run():
            if dropped:
                self._run(dropped, database, [])
            return self._run(statement, database, read)

        return run

    def run(self, text, database):
        """Runs one statement in Trino's dialect; see `prepare`."""
        return self.prepare(text, database)()

    def _run(self, statement, database, read):
        kind = "select" if isinstance(statement, exp.Query) else statement.key
        target = None if kind == "select" else statement.find(exp.Table)
        try:
            sql = statement.sql("duckdb", comments=False, unsupported_level=sqlglot.ErrorLevel.RAISE)
            with self._cursor(database) as cursor:
                read = [replace(scan, rows=_count(cursor, scan)) for scan in read]
                if kind == "create" and isinstance(statement.expression, exp.Query):
                    _refuse_unknown_types(cursor, statement.expression.sql("duckdb", comments=False))
                cursor.execute(sql)
                columns = [[name, trino_type(str(kind))] for name, kind, *_ in cursor.description or ()]
                rows = cursor.fetchall()
                if kind == "create":
                    self._complete(target.db or database, target.name)
        except (duckdb.Error, sqlglot.errors.SqlglotError) as error:
            refusal = re.search(r"'Trino: (.*)' to INT32", str(error))
            raise QueryError(f"line 1:1: {refusal[1] if refusal else error}") from error
        table = f"{target.db or database}.{target.name}" if target else ""
        written = rows[0][0] if target and rows and kind != "drop" else 0
        return Outcome(columns, rows, kind, table, written, read)

    def load(self, database, table, records, mode, upload_time):
        """Appends records, or replaces the table's rows by them, whole or not at all; adds missing columns.

        records      dictionaries; nested values become JSON text
        upload_time  Unix seconds; every row's `time`
        """
        with self._lock:  # two loads into one table must not both add its columns
            existing = self.columns(database, table)
            if not existing:
                raise QueryError(f"Table '{table}' does not exist in database '{database}'")
            records = [{name.lower(): value for name, value in record.items()} for record in records]
            types = {**_column_types(records), **existing}
            rows = [
                [_stored(upload_time if name == "time" else record.get(name), types[name]) for name in types]
                for record in records
            ]
            with self._cursor(database) as cursor:
                cursor.execute("BEGIN")
                try:
                    if mode == "replace":
                        cursor.execute(f'DELETE FROM "{table}"')
                    for name, kind in types.items():
                        if name not in existing:
                            cursor.execute(f'ALTER TABLE "{table}" ADD COLUMN "{name}" {kind}')
                    if rows:
                        names = ", ".join(f'"{name}"' for name in types)
                        cursor.executemany(
                            f'INSERT INTO "{table}" ({names}) VALUES ({", ".join("?" * len(types))})', rows
                        )
                    cursor.execute("COMMIT")
                except BaseException:
                    cursor.execute("ROLLBACK")
                    raise

    def _complete(self, database, table):
        """Gives a table what every TD table has: `time`, which is now where an INSERT leaves it out."""
        now = "CAST(getvariable('td_now') AS BIGINT)"
        name = f'"{database}"."{table}"'
        if "time" not in self.columns(database, table):
            self.rows(f"ALTER TABLE {name} ADD COLUMN time BIGINT DEFAULT {now}")
        self.rows(f"ALTER TABLE {name} ALTER COLUMN time SET DEFAULT {now}")


def _with_fixed_time(statement, now):
    """A statement whose now() is a literal, and whose information_schema is the one of `main`.

    now  Unix seconds
    """
    instant = datetime.fromtimestamp(now, timezone.utc)

    def fixed(node):
        if isinstance(node, exp.CurrentTimestamp):
            return exp.cast(exp.Literal.string(instant.isoformat(timespec="milliseconds")), "timestamptz")
        if isinstance(node, exp.CurrentDate):
            return exp.cast(exp.Literal.string(instant.date().isoformat()), "date")
        if isinstance(node, exp.Localtimestamp):
            return exp.cast(exp.Literal.string(instant.isoformat(" ", "milliseconds")[:-6]), "timestamp")
        if isinstance(node, exp.Table) and node.db == "information_schema":
            view = exp.to_table(f"main.{INFORMATION_SCHEMA.get(node.name, node.name)}")
            return exp.alias_(view, node.alias_or_name, table=True)
        return node

    return statement.transform(fixed)


def _refuse_unknown_types(cursor, query):
    """QueryError for a column of which nothing but NULL is known."""
    for name, kind, *_ in cursor.execute(f"DESCRIBE {query}").fetchall():
        if trino_type(kind) == "unknown":
            raise QueryError(f"line 1:1: Column type is unknown: {name}")


def _count(cursor, scan):
    """How many rows a scan reads; 0 of a table that is not there."""
    try:
        since = "" if scan.since is None else f" WHERE time >= {scan.since}"
        return cursor.execute(f"SELECT count(*) FROM {scan.table}{since}").fetchone()[0]
    except duckdb.Error:
        return 0


def _column_types(records):
    """{column: DuckDB type} of records: numbers where all of a column's values are numbers, else VARCHAR."""
    values = {}
    for record in records:
        for name, value in record.items():
            values.setdefault(name, set()).add(type(value))
    return {name: _column_type(types - {type(None)}) for name, types in values.items()}


def _column_type(types):
    if types == {int}:
        return "BIGINT"
    return "DOUBLE" if types and types <= {int, float} else "VARCHAR"


def _stored(value, column_type):
    """A record's value as its column holds it."""
    if value is None or column_type != "VARCHAR" or isinstance(value, str):
        return value
    return json.dumps(value)

"""TD's databases, as far as SQL and bulk loads see them: a DuckDB, which is spoken to in Trino's dialect.

A TD database is a DuckDB schema. What TD refuses is refused: a second statement in a job, a missing table or
column, text where a number is wanted, functions that Trino does not have.
"""

import json
import threading
from contextlib import contextmanager

import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify

# TD's own functions with what they return, and those of Trino's that sqlglot has no class for and DuckDB has.
TD_FUNCTION_TYPES = {"td_time_parse": "bigint", "td_time_string": "varchar"}
KNOWN_FUNCTIONS = {*TD_FUNCTION_TYPES, "lpad", "rpad", "reverse", "json_format"}

TRINO_TYPES = {"VARCHAR": "varchar", "DOUBLE": "double", "BOOLEAN": "boolean", "FLOAT": "real"}


def add_td_functions(connection):
    """Makes TD's functions known to a DuckDB connection, in the schema `main`.

    TD_TIME_PARSE(text)           Unix seconds (BIGINT) of 2022-11-08, alone or with a time, after T or space,
                                  with or without a fraction, with Z, an offset or neither (UTC); else NULL
    TD_TIME_STRING(seconds, 's!') the text yyyy-MM-dd HH:mm:ss in UTC; other formats are an error here
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
            WHEN form = 's!'
                THEN strftime(make_timestamp(CAST(seconds AS BIGINT) * 1000000), '%Y-%m-%d %H:%M:%S')
            ELSE error('the stand-in knows TD_TIME_STRING''s format s! only')
        END""")


class QueryError(Exception):
    """A statement that TD would refuse; the text is what the job's log shows."""


class Databases:
    """TD's databases and tables on an in-memory DuckDB; one statement at a time."""

    def __init__(self):
        self._lock = threading.RLock()
        self._connection = duckdb.connect()
        add_td_functions(self._connection)

    def close(self):
        self._connection.close()

    @contextmanager
    def _cursor(self, database="main"):
        with self._lock, self._connection.cursor() as cursor:
            cursor.execute("SET TimeZone = 'UTC'")
            cursor.execute("SET integer_division = true")  # as Trino: 7 / 2 is 3
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
            WHERE NOT internal ORDER BY schema_name, table_name, column_index""")
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

    def run(self, text, database):
        """Runs one statement in Trino's dialect.

        Returns the result's columns, [[name, Trino type], ...], and its rows.
        """
        statement = _only_statement(text)
        _refuse_mixed_types(statement, self.schema(), database)
        try:
            sql = statement.sql("duckdb", comments=False, unsupported_level=sqlglot.ErrorLevel.RAISE)
            with self._cursor(database) as cursor:
                cursor.execute(sql)
                columns = [
                    [name, TRINO_TYPES.get(str(kind), "bigint" if "INT" in str(kind) else "varchar")]
                    for name, kind, *_ in cursor.description or ()
                ]
                rows = cursor.fetchall()
                if isinstance(statement, exp.Create):
                    target = statement.find(exp.Table)
                    self._complete(target.db or database, target.name)
        except (duckdb.Error, sqlglot.errors.SqlglotError) as error:
            raise QueryError(f"line 1:1: {error}") from error
        return columns, rows

    def load(self, database, table, records, mode, upload_time):
        """Appends records, or replaces the table's rows by them, whole or not at all; adds missing columns.

        records      dictionaries; nested values become JSON text
        upload_time  Unix seconds; every row's `time`
        """
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
                for name in types.keys() - existing.keys():
                    cursor.execute(f'ALTER TABLE "{table}" ADD COLUMN "{name}" {types[name]}')
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
        now = "CAST(floor(epoch(now())) AS BIGINT)"
        name = f'"{database}"."{table}"'
        if "time" not in self.columns(database, table):
            self.rows(f"ALTER TABLE {name} ADD COLUMN time BIGINT DEFAULT {now}")
        self.rows(f"ALTER TABLE {name} ALTER COLUMN time SET DEFAULT {now}")


def _only_statement(text):
    """The one statement of a job, parsed; QueryError for several, for none, and for what TD does not run."""
    try:
        statements = [
            each for each in sqlglot.parse(text, read="trino") if each and not isinstance(each, exp.Semicolon)
        ]
    except sqlglot.errors.ParseError as error:
        place = error.errors[0]
        raise QueryError(f"line {place['line']}:{place['col']}: {place['description']}") from error
    except sqlglot.errors.TokenError as error:
        raise QueryError(f"line 1:1: {error}") from error
    if len(statements) != 1:
        raise QueryError(f"line 1:1: {len(statements)} statements in a job. Expecting: one")
    (statement,) = statements
    if not isinstance(statement, (exp.Query, exp.Insert, exp.Delete, exp.Create, exp.Drop)):
        raise QueryError(f"line 1:1: mismatched input '{text.split()[0]}'")
    if isinstance(statement, (exp.Create, exp.Drop)) and statement.kind != "TABLE":
        raise QueryError(f"line 1:1: Access Denied: Cannot create or drop a {statement.kind}")
    for function in statement.find_all(exp.Anonymous):
        if function.name.lower() not in KNOWN_FUNCTIONS:
            raise QueryError(
                f"line 1:1: Function '{function.name}' not registered (or unknown to the stand-in)"
            )
    return _named_like_trino(statement)


def _named_like_trino(statement):
    """Names that Trino gives: lower-case ones to tables and columns, _col0, _col1 to nameless results."""
    if isinstance(statement, exp.Create):
        for identifier in statement.find_all(exp.Identifier):
            identifier.set("this", identifier.name.lower())
    if isinstance(statement, exp.Select):
        statement.set(
            "expressions",
            [
                column
                if isinstance(column, (exp.Alias, exp.Column)) or column.is_star
                else exp.alias_(column, f"_col{position}")
                for position, column in enumerate(statement.expressions)
            ],
        )
    return statement


def _refuse_mixed_types(statement, schema, database):
    """QueryError where text meets a number: Trino converts neither, DuckDB would.

    schema  {database: {table: {column: type}}}
    """
    typed = statement.copy()
    for function in list(typed.find_all(exp.Anonymous)):
        if function.name.lower() in TD_FUNCTION_TYPES:
            function.replace(exp.cast(function.copy(), TD_FUNCTION_TYPES[function.name.lower()]))
    try:
        typed = annotate_types(
            qualify(typed, schema=schema, db=database, dialect="trino", validate_qualify_columns=False),
            schema=schema,
            dialect="trino",
        )
    except sqlglot.errors.OptimizeError:
        return  # a name that does not resolve: DuckDB's message says it better
    for node in typed.walk():
        for operands in _operands_of_one_type(node, schema, database):
            kinds = [_kind(operand) for operand in operands]
            if {"varchar", "number"} <= set(kinds):
                raise QueryError(
                    f"line 1:1: type mismatch, {' and '.join(map(str, kinds))}: {node.sql('trino')}"
                )


def _operands_of_one_type(node, schema, database):
    """Groups of expressions below a node, or of columns' types, that Trino wants to be of one type each."""
    if isinstance(node, exp.DPipe):
        return [[node.left, exp.DataType.build("varchar")], [node.right, exp.DataType.build("varchar")]]
    if isinstance(node, (exp.Binary, exp.Between)):
        return [[each for each in node.args.values() if isinstance(each, exp.Expression)]]
    if isinstance(node, (exp.Coalesce, exp.Greatest, exp.Least, exp.In)):
        return [[node.this, *node.expressions]]
    if isinstance(node, exp.If):
        return [[each for each in (node.args["true"], node.args.get("false")) if each]]
    if isinstance(node, exp.Case):
        return [
            [*(branch.args["true"] for branch in node.args["ifs"]), *filter(None, [node.args.get("default")])]
        ]
    if isinstance(node, exp.SetOperation):
        return list(zip(node.left.selects, node.right.selects, strict=False))
    if isinstance(node, exp.Insert):
        table = node.find(exp.Table)
        columns = schema.get(table.db or database, {}).get(table.name, {})
        names = [name.name for name in node.this.expressions] or list(columns)
        rows = (
            [row.expressions for row in node.expression.expressions]
            if isinstance(node.expression, exp.Values)
            else [node.expression.selects]
        )
        types = [exp.DataType.build(columns.get(name, "unknown")) for name in names]
        return [pair for row in rows for pair in zip(types, row, strict=False)]
    return []


def _kind(expression):
    """'varchar' or 'number' for an expression, or a type, that is known to be one."""
    data_type = expression if isinstance(expression, exp.DataType) else expression.type
    if data_type is None:
        return None
    if data_type.this in exp.DataType.TEXT_TYPES:
        return "varchar"
    return "number" if data_type.this in exp.DataType.NUMERIC_TYPES else None


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

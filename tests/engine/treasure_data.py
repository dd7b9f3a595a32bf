"""A stand-in for Treasure Data: the REST calls that Digdag's td>, td_load> and td_ddl> make, on 127.0.0.1.

SQL is translated from Trino to DuckDB; a TD database is a DuckDB schema. What TD refuses is refused: a second
statement in a job, a missing table or column, functions that Trino does not have.
"""

import gzip
import json
import logging
import threading
import time
import traceback
from contextlib import contextmanager
from dataclasses import dataclass, field

import duckdb
import msgpack
import sqlglot
from flask import Flask, Response, jsonify, request
from sqlglot import exp
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify
from werkzeug.exceptions import HTTPException
from werkzeug.serving import make_server

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


@dataclass
class Job:
    """A job as TD keeps it. Times are Unix seconds; status is running, success or error."""

    id: str
    kind: str  # 'query' or 'bulkload'
    database: str
    table: str = ""  # a bulk load's
    text: str = ""  # a query's SQL as it arrived, in Trino's dialect
    config: dict = field(default_factory=dict)  # a bulk load's in, filters and out, secrets filled in
    status: str = "running"
    message: str = ""  # why it failed
    num_records: int = 0  # rows loaded, or rows of the result
    started_at: float = field(default_factory=time.time)
    ended_at: float | None = None
    schema: list = field(default_factory=list)  # [[column, Trino type], ...] of a query's result
    result: list = field(default_factory=list)

    @property
    def window(self):
        """start_time and end_time that a bulk load sent, None where it sent none."""
        source = self.config.get("in", {})
        return source.get("start_time"), source.get("end_time")

    def end(self, error=None):
        self.message = "" if error is None else str(error)
        self.ended_at = time.time()
        # The status last: whoever sees it may rely on all the rest.
        self.status = "success" if error is None else "error"


@dataclass
class Failure:
    """A failure to come: the first `after` jobs that it fits pass, then `times` of them fail (None: all)."""

    message: str
    times: int | None = None
    after: int = 0

    def strikes(self):
        if self.after > 0:
            self.after -= 1
            return False
        if self.times is None:
            return True
        self.times -= 1
        return self.times >= 0


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


class TreasureData:
    """TD for one account's loads, served while the `with` block lasts.

    connector     what loads read: an object whose fetch(in) returns records (dictionaries), or raises what
                  the failed job shows; `in` is the load file's section
    load_seconds  how long a bulk load lasts at least; a query is done at once

    jobs   every job, in the order of submission
    """

    def __init__(self, connector=None, *, load_seconds=0.0):
        self.connector = connector
        self.load_seconds = load_seconds
        self.jobs = []
        self.databases = Databases()
        self._lock = threading.Lock()
        self._load_failures, self._query_failures, self._callbacks = {}, {}, {}

    def __enter__(self):
        # Digdag's log tells of each request that matters; the server's own would drown it.
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server = make_server("127.0.0.1", 0, rest_api(self), threaded=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self.databases.close()

    @property
    def endpoint(self):
        """host:port, as Digdag's td.endpoint wants it; http, not https."""
        return f"127.0.0.1:{self._server.server_port}"

    @property
    def loads(self):
        return [job for job in self.jobs if job.kind == "bulkload"]

    @property
    def queries(self):
        return [job for job in self.jobs if job.kind == "query"]

    @property
    def peak_loads(self):
        """The most bulk loads that ran at the same time."""
        moments = [(job.started_at, 1) for job in self.loads] + [
            (job.ended_at, -1) for job in self.loads if job.ended_at
        ]
        peak = running = 0
        for _, change in sorted(moments):
            running += change
            peak = max(peak, running)
        return peak

    def rows(self, sql):
        """Rows as tuples, for tests to look at tables. The SQL is DuckDB's, a table's name database.table."""
        return self.databases.rows(sql)

    def fail_load(self, table, times=None, message="the connector gave up", after=0):
        """Lets bulk loads into a table fail: `times` of them (None: all), once `after` others have passed."""
        self._load_failures[table] = Failure(message, times, after)

    def fail_query(self, text_fragment, times=None, message="the query gave up", after=0):
        """Lets queries fail whose SQL, as it arrives, contains a text."""
        self._query_failures[text_fragment] = Failure(message, times, after)

    def mend(self):
        """Ends every failure asked for so far."""
        self._load_failures.clear()
        self._query_failures.clear()

    def on_load(self, table, callback):
        """Calls callback(job) in each bulk load into a table, between its reading and its storing."""
        self._callbacks[table] = callback

    def job(self, id):
        return next((job for job in self.jobs if job.id == id), None)

    def submit(self, kind, database, **details):
        """A new job; a query has ended by the time this returns, a bulk load goes on in the background."""
        with self._lock:
            job = Job(str(len(self.jobs) + 1), kind, database, **details)
            self.jobs.append(job)
        if kind == "query":
            self._carry_out(job, self._query)
        else:
            threading.Thread(target=self._carry_out, args=(job, self._load), daemon=True).start()
        return job

    def _carry_out(self, job, work):
        try:
            work(job)
        except Exception as error:  # noqa: BLE001  whatever it is, to Digdag it is a failed job
            job.end(error)
        else:
            job.end()

    def _query(self, job):
        self._fail_if_asked(
            failure for fragment, failure in self._query_failures.items() if fragment in job.text
        )
        job.schema, job.result = self.databases.run(job.text, job.database)
        job.num_records = len(job.result)

    def _load(self, job):
        records = self.connector.fetch(job.config.get("in") or {})
        if job.table in self._callbacks:
            self._callbacks[job.table](job)
        time.sleep(self.load_seconds)
        self._fail_if_asked(failure for table, failure in self._load_failures.items() if table == job.table)
        mode = (job.config.get("out") or {}).get("mode", "append")
        self.databases.load(job.database, job.table, records, mode, int(job.started_at))
        job.num_records = len(records)

    def _fail_if_asked(self, failures):
        with self._lock:
            struck = [failure for failure in failures if failure.strikes()]
        if struck:
            raise QueryError(struck[0].message)


def rest_api(td):
    """TD's REST API, version 3, as far as Digdag's td operators use it.

    An error is JSON whose `text` Digdag shows. Every error is a 4xx, the stand-in's own too: after a 5xx
    Digdag asks again without end.
    """
    api = Flask(__name__)
    databases = td.databases

    def refusal(code, text):
        return jsonify(error=text, text=text, severity="error"), code

    def missing(what, name):
        return refusal(404, f"Couldn't find {what} with name = '{name}'")

    @api.errorhandler(HTTPException)
    def unknown(error):
        text = f"The stand-in for TD does not know {request.method} {request.path}"
        return refusal(
            error.code, text if error.code in (404, 405) else f"{request.path}: {error.description}"
        )

    @api.errorhandler(duckdb.CatalogException)
    def conflict(error):
        return refusal(409, str(error))

    @api.errorhandler(Exception)
    def broken(error):
        return refusal(400, f"The stand-in for TD failed at {request.path}: {traceback.format_exc()}")

    @api.post("/v3/job/issue/presto/<database>")
    def issue_query(database):
        if database not in databases.names():
            return missing("Database", database)
        return jsonify(job_id=td.submit("query", database, text=request.form["query"]).id)

    @api.post("/v3/job/issue/bulkload/<database>")
    def issue_bulk_load(database):
        if database not in databases.names():
            return missing("Database", database)
        config = request.get_json(force=True)["config"]
        return jsonify(job_id=td.submit("bulkload", database, table=request.args["table"], config=config).id)

    @api.get("/v3/job/status/<id>")
    @api.get("/v3/job/show/<id>")
    def show(id):
        job = td.job(id)
        return jsonify(described(job)) if job else missing("Job", id)

    @api.get("/v3/job/result/<id>")
    def result(id):
        job = td.job(id)
        if not job:
            return missing("Job", id)
        rows = b"".join(msgpack.packb(list(row), default=str) for row in job.result)
        return Response(gzip.compress(rows), mimetype="application/octet-stream")

    @api.get("/v3/database/list")
    def list_databases():
        return jsonify(
            databases=[
                {"name": name, "count": 0, "permission": "administrator"} for name in databases.names()
            ]
        )

    @api.post("/v3/database/create/<database>")
    def create_database(database):
        databases.create_database(database)
        return jsonify(database=database)

    @api.post("/v3/database/delete/<database>")
    def delete_database(database):
        if database not in databases.names():
            return missing("Database", database)
        databases.delete_database(database)
        return jsonify(database=database)

    @api.get("/v3/table/list/<database>")
    def list_tables(database):
        if database not in databases.names():
            return missing("Database", database)
        return jsonify(
            database=database,
            tables=[
                {"id": table, "name": table, "type": "log", "schema": "[]", "count": 0}
                for table in databases.tables(database)
            ],
        )

    @api.post("/v3/table/create/<database>/<table>/log")
    def create_table(database, table):
        if database not in databases.names():
            return missing("Database", database)
        databases.create_table(database, table)
        return jsonify(database=database, table=table, type="log")

    @api.post("/v3/table/delete/<database>/<table>")
    def delete_table(database, table):
        if table not in databases.tables(database):
            return missing("Table", f"{database}.{table}")
        databases.delete_table(database, table)
        return jsonify(database=database, table=table, type="log")

    @api.post("/v3/table/rename/<database>/<table>/<new_name>")
    def rename_table(database, table, new_name):
        if table not in databases.tables(database):
            return missing("Table", f"{database}.{table}")
        databases.rename_table(database, table, new_name)
        return jsonify(database=database, table=new_name, type="log")

    return api


def described(job):
    """A job as TD's job/show tells it; job/status is a part of that."""
    log = f"started at {moment(job.started_at)}"
    failure = f"{'Query' if job.kind == 'query' else 'Bulk load job'} {job.id} failed: {job.message}"
    return {
        "job_id": job.id,
        "type": "presto" if job.kind == "query" else "bulkload",
        "database": job.database,
        "status": job.status,
        "query": job.text,
        "num_records": job.num_records,
        "result_size": 0,
        "duration": 0,
        "created_at": moment(job.started_at),
        "start_at": moment(job.started_at),
        "updated_at": moment(job.started_at),
        "end_at": moment(job.ended_at),
        "hive_result_schema": json.dumps(job.schema) if job.schema else None,
        "debug": {"cmdout": log, "stderr": failure if job.message else ""},
    }


def moment(seconds):
    """Unix seconds as TD writes them, in UTC."""
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds)) if seconds else ""

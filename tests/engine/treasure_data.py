"""A stand-in for Treasure Data: the REST calls that Digdag's td>, td_load> and td_ddl> make, on 127.0.0.1."""

import gzip
import json
import logging
import threading
import time
import traceback
from dataclasses import dataclass, field

import duckdb
import msgpack
from databases import Databases, QueryError
from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException
from werkzeug.serving import make_server


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

"""Answer TD's REST API, version 3, for a mock TD."""

import gzip
import json
import threading
import time
import traceback

import msgpack
from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException


def rest_api(td):
    """TD's REST API, version 3, as far as Digdag's td operators use it.

    An error is JSON whose `text` Digdag shows. Every error is a 4xx, the mock's own too: after a 5xx
    Digdag asks again without end.
    """
    api = Flask(__name__)
    databases = td.databases
    one_at_a_time = threading.Lock()  # of two that would make the same, the second must see that it is there

    def refusal(code, text):
        return jsonify(error=text, text=text, severity="error"), code

    def missing(what, name):
        return refusal(404, f"Couldn't find {what} with name = '{name}'")

    def issued(kind, database, key, **details):
        earlier = td.job_with(key)
        if earlier:  # a client that did not hear the first answer asks again, and waits for that job
            text = f"Domain key is in use by job {earlier.id}"
            return jsonify(
                error=text, text=text, severity="error", details={"conflicts_with": earlier.id}
            ), 409
        return jsonify(job_id=td.submit(kind, database, domain_key=key, **details).id)

    @api.before_request
    def authorize():
        if td.key and request.headers.get("Authorization") != f"TD1 {td.key}":
            return refusal(401, "Unauthorized")
        return None

    @api.errorhandler(HTTPException)
    def unknown(error):
        text = f"The mock TD does not know {request.method} {request.path}"
        return refusal(
            error.code, text if error.code in (404, 405) else f"{request.path}: {error.description}"
        )

    @api.errorhandler(Exception)
    def broken(error):
        return refusal(400, f"The mock TD failed at {request.path}: {traceback.format_exc()}")

    @api.post("/v3/job/issue/presto/<database>")
    def issue_query(database):
        if database not in databases.names():
            return missing("Database", database)
        text, key = request.form["query"], request.form.get("domain_key")
        return issued("query", database, key, text=text)

    @api.post("/v3/job/issue/bulkload/<database>")
    def issue_bulk_load(database):
        if database not in databases.names():
            return missing("Database", database)
        config, key = request.get_json(force=True)["config"], request.args.get("domain_key")
        table = request.args["table"]
        return issued("bulkload", database, key, table=table, config=config)

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
        is_plain = (
            request.args.get("format") == "msgpack"
        )  # as td-client asks for it, and Digdag for msgpack.gz
        return Response(rows if is_plain else gzip.compress(rows), mimetype="application/octet-stream")

    @api.post("/v3/job/kill/<id>")
    def kill(id):
        job = td.job(id)
        if not job:
            return missing("Job", id)
        former = job.status
        td.kill(job)
        return jsonify(job_id=id, former_status=former)

    @api.get("/v3/database/list")
    def list_databases():
        return jsonify(
            databases=[
                {"name": name, "count": 0, "permission": "administrator"} for name in databases.names()
            ]
        )

    @api.post("/v3/database/create/<database>")
    def create_database(database):
        with one_at_a_time:
            if database in databases.names():
                return refusal(409, f"Database {database} already exists")
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
                {
                    "id": table,
                    "name": table,
                    "type": "log",
                    "schema": "[]",
                    "count": 0,
                    "estimated_storage_size": 0,
                }
                for table in databases.tables(database)
            ],
        )

    @api.post("/v3/table/create/<database>/<table>/log")
    def create_table(database, table):
        if database not in databases.names():
            return missing("Database", database)
        with one_at_a_time:
            if table in databases.tables(database):
                return refusal(409, f"Table {database}.{table} already exists")
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
        if new_name in databases.tables(database) and request.values.get("overwrite") != "true":
            return refusal(409, f"Table {database}.{new_name} already exists")
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

"""Mock Treasure Data: jobs, tables and a clock, behind the REST calls of Digdag's td operators.

What it takes for granted where TD documents nothing stands with the account, in klaviyo_account.py.
"""

import logging
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime

from mock_td.clock import Clock
from mock_td.databases import Databases
from mock_td.faults import Fault
from mock_td.query_error import QueryError
from mock_td.rest_api import rest_api
from werkzeug.serving import make_server

HOUR = 3600


@dataclass
class Job:
    """A job as TD keeps it. Times are Unix seconds on TD's clock."""

    id: str
    kind: str  # 'query' or 'bulkload'
    database: str
    started_at: float
    ended_at: float | None = None
    domain_key: str | None = None  # what a client gives, so that asking again makes no second job
    table: str = ""  # a bulk load's
    text: str = ""  # a query's SQL as it arrived, in Trino's dialect
    config: dict = field(default_factory=dict)  # a bulk load's in, filters and out, secrets filled in
    try_number: int = 1  # a bulk load's: 2 if its table was asked for the same window once before
    status: str = "running"  # then success, error or killed
    killed: threading.Event = field(default_factory=threading.Event)
    message: str = ""  # why it failed
    num_records: int = 0  # rows loaded, or rows of the result
    statement: str = ""  # a query's: select, insert, create, delete, drop; '' where it was refused
    target: str = ""  # what it wrote to, as database.table
    written: int = 0  # how many rows it inserted, loaded or deleted
    scans: list = field(default_factory=list)  # what a query read, a Scan a table
    schema: list = field(default_factory=list)  # [[column, Trino type], ...] of a query's result
    result: list = field(default_factory=list)

    @property
    def data_source(self):
        return self.config.get("in", {}).get("data_source")

    @property
    def window(self):
        """start_time and end_time that a bulk load sent, None where it sent none."""
        source = self.config.get("in", {})
        return source.get("start_time"), source.get("end_time")

    @property
    def seconds(self):
        """How long the window of a bulk load is; infinite where an end is open."""
        if None in self.window:
            return float("inf")
        start, end = map(datetime.fromisoformat, self.window)
        return (end - start).total_seconds()


class TreasureData:
    """TD for one account's loads, served while the `with` block lasts.

    connector      what loads read: an object whose fetch(in) returns records (dictionaries), or raises what
                   the failed job shows; `in` is the load file's section. If it has a clock, TD has the same
    load_seconds   how long a bulk load lasts at least
    query_seconds  how long a query waits for its turn; then it is done at once
    key            the only API key that it takes; empty, if it takes any
    databases      the class of what runs its SQL

    clock       TD's own: what now() gives in SQL, `time`, and the jobs' times. Digdag has the machine's
    jobs        every job, in the order of submission
    peak_loads  the most bulk loads that ran at the same time
    """

    def __init__(self, connector=None, *, load_seconds=0.0, query_seconds=0.0, key="", databases=Databases):
        self.connector = connector
        self.key = key
        self.load_seconds = load_seconds
        self.query_seconds = query_seconds
        self.clock = getattr(connector, "clock", None) or Clock()
        self.jobs = []
        self.databases = databases(self.clock)
        self.peak_loads = self._running_loads = 0
        self._lock = threading.Lock()
        self._faults, self._callbacks, self._held_back, self._interruptions = [], {}, [], []
        self._timers = []

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
        for timer in self._timers:
            timer.cancel()
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

    def rows(self, sql):
        """Rows as tuples, for tests to look at tables. The SQL is that of `databases`, a table's name database.table."""
        return self.databases.rows(sql)

    def full_scans(self, table):
        """The queries that read all of a table, database.table: without a literal bound of `time`."""
        return [
            job
            for job in self.queries
            if any(scan.table == table and scan.since is None for scan in job.scans)
        ]

    def fail_load(
        self, table=None, times=None, message="the connector gave up", after=0, *, when=None, takes=0
    ):
        """Lets bulk loads fail, those into a table (None: all tables).

        times  how many (None: all), once `after` others have passed
        when   only jobs for which when(job) is true: job.try_number, job.window, job.seconds, job.data_source
        takes  seconds on TD's clock after which each of them fails
        """
        self._faults.append(Fault(_loads(table, when), message, times, after, takes))

    def slow_load(self, table=None, *, takes, times=None, after=0, when=None):
        """Lets bulk loads take seconds on TD's clock, and succeed; what else, see `fail_load`."""
        self._faults.append(Fault(_loads(table, when), None, times, after, takes))

    def kill_long_loads(self, data_source, longer_than, takes=7 * HOUR):
        """Lets each load of a data source fail after `takes` seconds whose window has more than so many."""

        def too_long(job):
            return job.data_source == data_source and job.seconds > longer_than

        self.fail_load(message=f"killed after {takes / HOUR:g} hours", when=too_long, takes=takes)

    def fail_query(self, text_fragment, times=None, message="the query gave up", after=0):
        """Lets queries fail whose SQL, as it arrives, contains a text."""
        self._faults.append(Fault(_queries(text_fragment), message, times, after))

    def hold_back(self, matching, seconds, times=None):
        """Lets INSERTs whose SQL contains a text succeed at once, and be seen by others only seconds later.

        Their now() is that of the success. The seconds are real ones.
        """
        self._held_back.append((Fault(_queries(matching), times=times), seconds))

    def interrupt(self, *, job=None, load=None, commits=True):
        """An Event for `digdag.run(killed_by=...)`, set as the nth job, or bulk load, from now on begins.

        commits  whether that job ends as if nothing had happened, as at TD; else it does nothing
        """
        event = threading.Event()
        fits = _loads(None, None) if load else lambda job: True
        self._interruptions.append((Fault(fits, times=1, after=(load or job) - 1), event, commits))
        return event

    def mend(self):
        """Ends all that was asked for so far to fail, to be slow, to be held back, or to interrupt."""
        for asked in (self._faults, self._held_back, self._interruptions):
            asked.clear()

    def on_load(self, table, callback):
        """Calls callback(job) in each bulk load into a table, between its reading and its storing."""
        self._callbacks[table] = callback

    def job(self, id):
        return next((job for job in self.jobs if job.id == id), None)

    def job_with(self, domain_key):
        """The job that was asked for with this key before, or None."""
        return next((job for job in self.jobs if domain_key and job.domain_key == domain_key), None)

    def kill(self, job):
        """Ends a bulk load that is running; it stores nothing. Digdag asks for it when an attempt is killed."""
        job.killed.set()

    def submit(self, kind, database, **details):
        """A new job; a query has ended by the time this returns, a bulk load goes on in the background."""
        with self._lock:
            job = Job(str(len(self.jobs) + 1), kind, database, self.clock.now(), **details)
            if kind == "bulkload":
                same = [each for each in self.loads if (each.table, each.window) == (job.table, job.window)]
                job.try_number += len(same)
                self._running_loads += 1
                self.peak_loads = max(self.peak_loads, self._running_loads)
            self.jobs.append(job)
        if kind == "query":
            self._carry_out(job, self._query)
        else:
            threading.Thread(target=self._carry_out, args=(job, self._load), daemon=True).start()
        return job

    def _carry_out(self, job, work):
        error = None
        try:
            self._interrupt_if_asked(job)
            work(job)
        except Exception as raised:  # noqa: BLE001  whatever it is, to Digdag it is a failed job
            error = raised
        with self._lock:
            job.message = "" if error is None else str(error)
            job.ended_at = self.clock.now()
            if job.kind == "bulkload":
                self._running_loads -= 1
            # The status last: whoever sees it may rely on all the rest.
            job.status = "success" if error is None else "killed" if job.killed.is_set() else "error"

    def _query(self, job):
        time.sleep(self.query_seconds)
        self._be_slow_or_fail(job)
        run = self.databases.prepare(job.text, job.database)
        struck = self._struck(self._held_back, job)
        if struck:
            job.statement, job.schema, job.result, job.written = "insert", [["rows", "bigint"]], [(1,)], 1
            self._timers.append(threading.Timer(struck[0][1], run))
            self._timers[-1].start()
        else:
            done = run()
            job.statement, job.target, job.written, job.scans = (
                done.kind,
                done.table,
                done.written,
                done.scans,
            )
            job.schema, job.result = done.columns, done.rows
        job.num_records = len(job.result)

    def _load(self, job):
        records = self.connector.fetch(job.config.get("in") or {})
        if job.table in self._callbacks:
            self._callbacks[job.table](job)
        if job.killed.wait(self.load_seconds):
            raise QueryError("killed")
        self._be_slow_or_fail(job)
        mode = (job.config.get("out") or {}).get("mode", "append")
        self.databases.load(job.database, job.table, records, mode, int(job.started_at))
        job.target = f"{job.database}.{job.table}"
        job.num_records = job.written = len(records)

    def _struck(self, faults, job):
        """Those of a list of tuples whose fault, the first in each, strikes the job."""
        with self._lock:
            return [each for each in faults if each[0].strikes(job)]

    def _be_slow_or_fail(self, job):
        faults = [fault for (fault,) in self._struck([(fault,) for fault in self._faults], job)]
        self.clock.advance_to(job.started_at + max([fault.takes for fault in faults], default=0))
        for fault in faults:
            if fault.message is not None:
                raise QueryError(fault.message)

    def _interrupt_if_asked(self, job):
        for _, event, commits in self._struck(self._interruptions, job):
            event.set()
            time.sleep(1)  # until Digdag is dead
            if not commits:
                raise ConnectionError("nobody waits for this job any more")


def _loads(table, when):
    return lambda job: (
        job.kind == "bulkload" and table in (None, job.table) and (when is None or bool(when(job)))
    )


def _queries(fragment):
    return lambda job: job.kind == "query" and fragment in job.text

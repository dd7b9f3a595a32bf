"""Run the queries of a workflow on a mock TD, without Digdag.

Times are days since the beginning of 2024, unless they are Unix seconds.
"""

import json
from datetime import datetime, timezone

import yaml
from digdag_text import fill
from mock_td.clock import Clock
from mock_td.databases import Databases

HOUR, DAY = 3600, 86400
BEGINNING_OF_2024 = 1704067200
OWN = "11111111-aaaa.7"
MARKS = {
    "own": OWN,
    "greater": "22222222-bbbb.1",
    "lesser": "00000000-bbbb.1",
    "same session": "11111111-aaaa.6",
}
PROFILES, EVENTS = "klaviyo_profiles", "klaviyo_events"
HIST, EVENTS_HIST = f"{PROFILES}_hist", f"{EVENTS}_hist"


def unix(day):
    return BEGINNING_OF_2024 + round(day * DAY)


def text(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000000")


class TD:
    """A client_src with ingestion_log and the tables of profiles and events, and a run's queries on it."""

    def __init__(self, repo, databases=Databases):
        self.ingestion = repo / "ingestion"
        self.clock = Clock()
        self.databases = databases(self.clock)
        self.databases.create_database("client_src")
        self.query("create_ingestion_log_table.sql")
        self.lists = yaml.safe_load((self.ingestion / "config/klaviyo_datasources.yml").read_text())
        for entry in self.lists["inc_datasources"] + self.lists["hist_datasources"]:
            entry["default_start_time"] = text(unix(0))
            if entry["table_name"].startswith((PROFILES, EVENTS)):
                self.databases.create_table("client_src", entry["table_name"])
        for table, field in ((PROFILES, "updated"), (EVENTS, "datetime")):
            self.rows(f"ALTER TABLE client_src.{table} ADD COLUMN {field} VARCHAR")

    def rows(self, sql):
        return self.databases.rows(sql)

    def query(self, name, *, mark=OWN, **parameters):
        return self.outcome(name, mark=mark, **parameters).rows

    def outcome(self, name, *, mark=OWN, **parameters):
        session_uuid, attempt_id = mark.split(".")
        query = fill(
            (self.ingestion / "sql" / name).read_text(encoding="utf-8"),
            {
                "databases": {"src": "client_src"},
                "session_uuid": session_uuid,
                "attempt_id": attempt_id,
                **parameters,
            },
        )
        return self.databases.run(query, "client_src")

    def change(self, table, **fields):
        for entry in self.lists["inc_datasources"] + self.lists["hist_datasources"]:
            if entry["table_name"] == table:
                entry.update(fields)

    def log(self, table, status, at, *, window=(None, None), mark="22222222-bbbb.1", records=1, left=0):
        """A row as the workflows write it; `mark` empty: as version 0.1.0 wrote it."""
        id = (
            f"{mark}/{round(at * 1000)}/{left if status == 'SUCCESS' or not table else ''}/x"
            if mark
            else "a-bare-uuid"
        )
        workflow = "klaviyo_ingest_hist" if (table or "").endswith("_hist") else "klaviyo_ingest_inc"
        start, end = (f"'{text(t)}'" if t is not None else "NULL" for t in window)
        name = f"'{table}'" if table else "NULL"
        self.rows(
            f"INSERT INTO client_src.ingestion_log VALUES ('{id}', '{table or 'klaviyo'}', '{workflow}', {name},"
            f" '{status}', {start}, {end}, {records if status == 'SUCCESS' else 0}, NULL, NULL, NULL, {int(at)})"
        )

    def loaded(self, table, start, end, *, at=None, mark="22222222-bbbb.1", records=1, times=(), left=0):
        """A load that was logged, and is still there; `times` are its records' times, else one at its start."""
        at = end + 10 if at is None else at
        # Version 0.1.0 logged no window in STARTED.
        self.log(table, "STARTED", at, window=(start, end) if mark else (at, None), mark=mark)
        self.log(table, "SUCCESS", at + 5, window=(start, end), mark=mark, records=records, left=left)
        field = {PROFILES: "updated", EVENTS: "datetime"}.get(table)
        for time in times or (start,) if records else ():
            column, value = (f", {field}", f", '{text(time)[:19]}Z'") if field else ("", "")
            self.rows(f"INSERT INTO client_src.{table} (time{column}) VALUES ({int(at) + 1}{value})")

    def windows(self, table, now, *, began=None):
        """What a run that began then (default: now) would ask for, as pairs of Unix seconds; None for NULL."""
        names = self.list(table, now, began)
        return self.ask(table, self.listed[table], **names)

    def list(self, table, now, began=None):
        """Lets a pass list what it would load; returns what a workflow exports."""
        workflow = "klaviyo_ingest_hist" if table.endswith("_hist") else "klaviyo_ingest_inc"
        self.clock.ahead = 0
        self.clock.ahead = now - self.clock.now()
        if not self.rows(f"SELECT 1 FROM client_src.ingestion_log WHERE log_id LIKE '{OWN}/%'"):
            self.log(None, "STARTED", began or now, mark=OWN)
        names = {"workflow_name": workflow}
        ((listed,),) = self.query(
            "klaviyo_objects_to_load.sql",
            datasources=json.dumps(self.lists[f"{workflow[-3:].replace('ist', 'hist')}_datasources"]),
            backfills=json.dumps(self.lists["hist_datasources"]),
            **names,
        )
        self.listed = {entry["table_name"]: entry for entry in json.loads(listed)}
        return names

    def concurrent_run(self, other, now, *, began=None, **parameters):
        """Whether a run finds another one that began then (default: a little ago), and whether it gives way."""
        self.clock.ahead = now - Clock().now()
        self.log(None, "STARTED", began or now - 60, mark=MARKS[other])
        self.log(None, "STARTED", now, mark=OWN)
        ((told, gives_way),) = self.query(
            "klaviyo_concurrent_run.sql", workflow_name="klaviyo_ingest_inc", **parameters
        )
        assert not told or MARKS[other] in told
        return bool(told), gives_way

    def ask(self, table, datasource, **names):
        ((found,),) = self.query("klaviyo_windows.sql", datasource=datasource, **names) or [(None,)]
        if not found:
            return None
        self.left = [window["windows_left"] for window in json.loads(found)]
        return [
            tuple(
                self.rows(f"SELECT TD_TIME_PARSE('{window[key]}')")[0][0]
                for key in ("start_time", "end_time")
            )
            for window in json.loads(found)
        ]

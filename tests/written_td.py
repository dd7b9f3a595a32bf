"""Write a database as runs would leave it, row by row: no Digdag runs, and nothing is loaded."""

from datetime import datetime, timezone

from digdag_text import fill

HOUR, DAY = 3600, 86400


class WrittenTD:
    """A client_src with ingestion_log and the preflight's table; times are seconds before now.

    Args:
        ingestion: the client's folder.
        databases: of a mock TD; its clock stands still from now on.
    """

    def __init__(self, ingestion, databases):
        self.samples = ingestion / "query_samples"
        self.databases = databases
        now = self.databases.clock.now()
        self.databases.clock.now = lambda: now  # stands still, so that seconds before it are the same ones
        self.databases.create_database("client_src")
        for table in ("create_ingestion_log_table", "klaviyo_preflight_create_table"):
            text = (ingestion / f"sql/{table}.sql").read_text(encoding="utf-8")
            self.databases.run(fill(text, {"databases": {"src": "client_src"}}), "client_src")

    def ask(self, name):
        """The rows of a query, or of those that it prints, as maps."""
        rows = self._rows((self.samples / f"klaviyo_{name}.sql").read_text(encoding="utf-8"))
        if rows and "query" in rows[0]:
            return [row for printed in rows for row in self._rows(printed["query"])]
        return rows

    def _rows(self, text):
        outcome = self.databases.run(text, "client_src")
        return [dict(zip((name for name, _ in outcome.columns), row, strict=True)) for row in outcome.rows]

    def instant(self, ago, form="%Y-%m-%dT%H:%M:%S.000000"):
        return datetime.fromtimestamp(int(self.databases.clock.now()) - ago, timezone.utc).strftime(form)

    def log(
        self,
        table,
        status,
        ago,
        *,
        window=(None, None),
        records=0,
        left="",
        mark="m.1",
        workflow="klaviyo_ingest_inc",
        message=None,
    ):
        at = int(self.databases.clock.now()) - ago
        start, end = (f"'{self.instant(each)}'" if each is not None else "NULL" for each in window)
        name, message = (f"'{each}'" if each else "NULL" for each in (table, message))
        self.databases.rows(
            f"INSERT INTO client_src.ingestion_log VALUES ('{mark}/{at * 1000}/{left}/x', 'klaviyo', '{workflow}', {name}, "
            f"'{status}', {start}, {end}, {records}, {message}, NULL, NULL, {at})"
        )

    def load(self, table, *records, ago=0):
        if table not in self.databases.tables("client_src"):
            self.databases.create_table("client_src", table)
        maps = [
            {"id": id, "updated": self.instant(changed, "%Y-%m-%d %H:%M:%S+00:00")} for id, changed in records
        ]
        self.databases.load("client_src", table, maps, "append", int(self.databases.clock.now()) - ago)

    def preflight(self, table, status, line, ago):
        """Log a line of a preflight; all of one `ago` are of one run."""
        at = int(self.databases.clock.now()) - ago
        self.databases.rows(
            f"INSERT INTO client_src.klaviyo_preflight VALUES ('p{ago}', '{table}', '{status}', '{line}', {at})"
        )


def all_is_well(td):
    """Write what a preflight, a backfill of 400 days and an incremental run leave of six objects; gives it."""
    objects = ("profiles", "events", "campaigns", "lists", "email_templates", "metrics")
    hist, inc = {"workflow": "klaviyo_ingest_hist", "mark": "h.1"}, {"mark": "i.1"}
    for each in objects:
        td.preflight(
            f"klaviyo_{each}", "OK", f"klaviyo_{each}: ok, 12 records with id, updated, created", 2 * DAY
        )
    td.log(None, "STARTED", DAY, **hist)
    td.log(None, "STARTED", HOUR, **inc)
    for place, each in enumerate(objects):
        windows = (
            [(400 * DAY, 200 * DAY, 1, 3), (200 * DAY, DAY, 0, 2)] if place < 2 else [(400 * DAY, DAY, 0, 4)]
        )
        for nth, (start, end, left, records) in enumerate(windows):
            at = DAY - 10 - 300 * nth - 600 * place
            td.log(f"klaviyo_{each}_hist", "STARTED", at, window=(start, end), **hist)
            td.log(
                f"klaviyo_{each}_hist",
                "SUCCESS",
                at - 200,
                window=(start, end),
                records=records,
                left=left,
                **hist,
            )
            rows = [(f"{each} {10 * nth + n}", 300 * DAY - n) for n in range(records)]
            td.load(f"klaviyo_{each}_hist", *rows, ago=at - 100)
        td.log(f"klaviyo_{each}", "STARTED", HOUR - 10, window=(DAY, HOUR), **inc)
        td.log(f"klaviyo_{each}", "SUCCESS", HOUR - 40, window=(DAY, HOUR), records=2, left=0, **inc)
        td.load(f"klaviyo_{each}", (f"{each} 0", 3 * HOUR), (f"{each} 0", 2 * HOUR), ago=HOUR - 10)
    td.log(None, "SUCCESS", DAY - 6000, **hist)
    td.log(None, "SUCCESS", HOUR - 300, **inc)
    return td


def a_backfill_under_way(td):
    """Write what there is after a preflight and two days of a backfill of three years; gives it."""
    objects = ("profiles", "events", "campaigns", "lists", "email_templates", "metrics")
    hist = {"workflow": "klaviyo_ingest_hist", "mark": "h.2"}
    for each in objects:
        fields = "id, datetime" if each == "events" else "id, updated, created"
        td.preflight(f"klaviyo_{each}", "OK", f"klaviyo_{each}: ok, 12 records with {fields}", 3 * DAY)
    start, length = 1095 * DAY, 90 * DAY
    windows = [(start - nth * length, start - (nth + 1) * length) for nth in range(12)]
    td.log(None, "STARTED", 5 * HOUR, **hist)
    for place, each in enumerate(objects):
        done = {"profiles": windows[:9], "events": windows[:5]}.get(each, [(start, 5 * HOUR)])
        for nth, window in enumerate(done):
            left = 12 - nth if each in ("profiles", "events") else 0
            records = {"profiles": 4_625, "events": 31_280}.get(each, 12 * (place + 1))
            at = 5 * HOUR - 60 - 60 * place - 1500 * nth
            td.log(f"klaviyo_{each}_hist", "STARTED", at, window=window, **hist)
            if (each, nth) == ("events", 2):
                td.log(f"klaviyo_{each}_hist", "ERROR", at - 200, message="Klaviyo answered HTTP 429", **hist)
                td.log(f"klaviyo_{each}_hist", "STARTED", at - 300, window=window, **hist)
            took = 1400 if each == "events" else 900 if each == "profiles" else 30
            td.log(
                f"klaviyo_{each}_hist",
                "SUCCESS",
                at - took,
                window=window,
                records=records,
                left=left,
                **hist,
            )
            first = f"{each}-{nth}-0"
            td.load(f"klaviyo_{each}_hist", (first, 6 * HOUR), ago=at - took + 10)
            td.databases.rows(
                f"INSERT INTO client_src.klaviyo_{each}_hist BY NAME SELECT '{each}-{nth}-' || n AS id, updated, time "
                f"FROM client_src.klaviyo_{each}_hist, range(1, {records}) AS numbers (n) WHERE id = '{first}'"
            )
    td.log("klaviyo_events_hist", "STARTED", 600, window=windows[5], **hist)
    return td

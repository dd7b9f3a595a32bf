# /// script
# requires-python = ">=3.10"
# dependencies = ["rich>=13", "td-client>=1.4"]
# ///
"""Show how the Klaviyo ingestion of this repo stands in Treasure Data (TD).

    uv run scripts/klaviyo_status.py [--account uk] [--watch [SECONDS]] [--json] [--html FILE]

Runs the queries in ingestion/query_samples/. Exits with 0 if all is well, 1 if somebody must act, 2 if it
could not look. The key is in TD_API_KEY or td.conf; the endpoint in TD_API_SERVER, td.conf or the answers.
This file is from the Klaviyo ingestion template: settings are in config/, fixes come with copier update.
"""

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import datetime, timezone
from io import StringIO
from pathlib import Path
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.progress import track
from rich.rule import Rule
from rich.table import Table
from rich.text import Text
from tdclient import Client, errors

Rows = list[dict[str, Any]]
Found = dict[str, Rows]
SAMPLES = ["preflight_lines", "backfill_progress", "backfill_coverage", "runs", "failures", "freshness"]
SAMPLES += ["reconciliation", "duplicates"]
LATE_BY_HOURS = 2
STYLES = {
    **dict.fromkeys(("OK", "SUCCESS", "loaded since"), "green"),
    **dict.fromkeys(("ERROR", "KILLED", "not loaded since"), "red"),
}
FAILURES = (errors.APIError, OSError, ValueError)


class CouldNotLook(Exception):
    """Why there is nothing to show, in one line."""


def first(pattern: str, path: Path) -> str:
    """The first group of a pattern's first match in a file; empty where there is none."""
    found = re.search(pattern, path.read_text(encoding="utf-8") if path.is_file() else "", re.MULTILINE)
    return found[1] if found else ""


class TreasureData:
    """The database of the repo, through TD's own client."""

    def __init__(self, root: Path) -> None:
        conf = Path(os.environ.get("TD_CONFIG_PATH") or Path.home() / ".td/td.conf")
        self.database = first(r"^[^#\n]*\bsrc: *[\"']?(\w+)", root / "ingestion/config/database.yml")
        key = os.environ.get("TD_API_KEY") or first(r"^\s*apikey\s*=\s*(\S+)", conf)
        regions = [first(r"^td_region: *(\w+)", file) for file in sorted(root.glob(".copier-answers*.y*ml"))]
        region = next(filter(None, regions), "us01")
        home = {"us01": "treasuredata.com", "ap01": "treasuredata.co.jp"}
        usual = f"api.{home.get(region, f'{region}.treasuredata.com')}"
        where = os.environ.get("TD_API_SERVER") or first(r"^\s*endpoint\s*=\s*(\S+)", conf) or usual
        where = f"{where.rstrip('/')}/"
        if not self.database:
            raise CouldNotLook("ingestion/config/database.yml names no database under databases.src.")
        if not key:
            raise CouldNotLook("There is no TD key: set TD_API_KEY, or log in with `td account`.")
        try:
            self.client = Client(key, endpoint=where, timeout=20, max_cumul_retry_delay=30)
            # Asked without another try, so that an address where nobody is does not take minutes.
            once = Client(key, endpoint=where, timeout=20, retries=0, max_cumul_retry_delay=-1)
            self.tables = {str(each.name) for each in once.tables(self.database)}
        except (errors.AuthError, errors.ForbiddenError):
            raise CouldNotLook(f"TD at {where} refuses the key: is it of this region?") from None
        except errors.NotFoundError:
            raise CouldNotLook(f"There is no database {self.database} at {where} yet.") from None
        except FAILURES:
            raise CouldNotLook(f"TD does not answer at {where}.") from None

    def rows(self, name: str, sql: str) -> Rows:
        """The rows of a query, or of those that it prints."""
        try:
            job = self.client.query(self.database, sql, type="presto")
            job.wait(wait_interval=1)
            if not job.success():
                raise ValueError(f"job {job.id} failed: {(job.debug or {}).get('stderr')}")
            columns, found = [column for column, *_ in job.result_schema or []], list[Any](job.result())
        except FAILURES as error:
            raise CouldNotLook(f"{name}: {' '.join(str(error).split())[:250]}") from None
        if columns[-1:] == ["query"]:
            return [each for row in found if row[-1] for each in self.rows(name, row[-1])]
        return [dict(zip(columns, row, strict=True)) for row in found]


def look(td: TreasureData, samples: Path, sources: list[str]) -> dict[str, Found]:
    """What each query finds for each account; nothing while its table, or its file, is not there."""

    def ask(source: str, name: str) -> Rows:
        file = samples / f"{source}_{name}.sql"
        table = f"{source}_preflight" if name == "preflight_lines" else "ingestion_log"
        is_there = table in td.tables and file.is_file()
        return td.rows(file.name, file.read_text(encoding="utf-8")) if is_there else []

    with ThreadPoolExecutor(max_workers=3) as pool:
        asked = {(source, name): pool.submit(ask, source, name) for source in sources for name in SAMPLES}
        ended = as_completed(asked.values())
        quiet, console = not sys.stderr.isatty(), Console(stderr=True)
        for each in track(ended, "Asking TD", len(asked), console=console, transient=True, disable=quiet):
            each.result()
    return {source: {name: asked[source, name].result() for name in SAMPLES} for source in sources}


def to_do(source: str, found: Found) -> Iterator[str]:
    """Say what somebody must do, a line each."""
    progress = found["backfill_progress"]
    if not progress and not found["runs"]:
        yield f"Nothing has been loaded yet: go through docs/{source}.md, Set up."
    ages = {row["object"]: row["hours_since_success"] for row in found["freshness"]}
    for row in found["preflight_lines"]:
        age = ages.get(row["table_name"].removeprefix(f"{source}_"))
        if row["status"] != "OK" and (age is None or float(age) > float(row["hours_ago"])):
            yield f"Preflight: {row['line']}"
    for row in found["failures"]:
        if row["loaded_since"] == "no":
            yield f"{row['what']} failed: {row['cause']}. What to do: {row['what_to_do']}."
    newest = {row["workflow_name"]: row["status"] for row in reversed(found["runs"])}
    for workflow in (name for name, status in newest.items() if status == "KILLED"):
        yield f"{workflow} was killed: start it again with -p take_over=yes."
    if newest.get(f"{source}_ingest_hist") not in ("RUNNING", "KILLED"):
        left = [row["table_name"] for row in progress if row["windows_left"] != 0]
        holes = [row["table_name"] for row in found["backfill_coverage"] if row["holes"]]
        if left or holes:
            why = "not complete, and is not running" if left else "full of holes"
            yield f"The backfill of {', '.join(left or holes)} is {why}: start {source}_ingest_hist again."
    for row in found["reconciliation"]:
        if row["newest_load_there"] < row["newest_load"]:
            gone = row["newest_load"] - row["newest_load_there"]
            yield f"{row['object']}: {gone:,} rows of the newest load are not in its table any more."
    late_after = [float(row["hours_between_runs"] or "inf") + LATE_BY_HOURS for row in found["freshness"]][:1]
    if late := [name for name, age in ages.items() if age and float(age) > late_after[0]]:
        yield f"{', '.join(late)}: no load for over {late_after[0]:g} hours. Is the schedule enabled?"


def page(source: str, database: str, found: Found, tasks: list[str]) -> Iterator[RenderableType]:
    """What is shown of an account, part by part."""
    yield Rule(f"[bold]{source} in {database}, {datetime.now(timezone.utc):%Y-%m-%d %H:%M} UTC")
    yield from (Text(f"✗ {each}", "red") for each in tasks) if tasks else [Text("✓ All is well.", "green")]
    yield from table("Last preflight", "tried=tried_at|status|line", found["preflight_lines"])
    bars = [f"{'█' * int(float(row['percent'] or 0) / 12.5):░<8}" for row in found["backfill_progress"]]
    progress = [{**row, "bar": bar} for row, bar in zip(found["backfill_progress"], bars, strict=True)]
    columns = "object=table_name| =bar|%=percent|until=loaded_until|left=windows_left|rows=records|"
    yield from table("Backfill", columns + "ready at=ready_at", progress)
    columns = "object=table_name|from the start to now (█ is loaded, ▒ in part, · is not)=loaded|holes"
    yield from table("Time that the backfill has loaded", columns, found["backfill_coverage"])
    columns = "started=started_at|workflow=workflow_name|status|minutes|tables|rows=records|failed"
    yield from table("Last runs", columns, found["runs"])
    if found["failures"]:
        yield Text("\nFailures of the last day; steps are those of the manual", "bold")
    for row in found["failures"]:
        over = "loaded since" if row["loaded_since"] == "yes" else "not loaded since"
        yield Text(f"{row['failed_at'][:16]} {row['what']}, {row['times']}x, {over}", STYLES[over])
        why = f"Cause: {row['cause']}. What to do: {row['what_to_do']}."
        yield Text(f"  {(row['error_message'] or '')[:150]}\n  {why}")
    there = {row["object"]: row for row in found["reconciliation"]}
    loads = [{**row, **there.get(row["object"], {})} for row in found["freshness"]]
    columns = "object|hours since load=hours_since_success|since newest record=hours_since_newest_record|"
    columns += "rows in 24 h=rows_of_24_hours|a day before=rows_a_day_before|rows=rows_there|versions|"
    yield from table("Loads and rows", columns + "ids=distinct_ids", loads)
    columns = "table=table_name|id|rows=times"
    yield from table("Versions with several rows", columns, found["duplicates"][:3])


def table(title: str, columns: str, rows: Rows) -> Iterator[RenderableType]:
    """Some columns of the rows, as name or head=name, numbers to the right; nothing without rows."""
    shown = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="dim")
    for head, _, name in (each.rpartition("=") for each in columns.split("|")):
        cells = [cell(row.get(name)) for row in rows]
        head = head or name
        side: Any = "right" if all(each.justify == "right" for each in cells) else "left"
        is_word = len(head) <= max((len(each) for each in cells), default=0) <= 50
        shown.add_column(head, justify=side, no_wrap=is_word and head != "failed")
    for row in rows:
        shown.add_row(*(cell(row.get(each.rpartition("=")[2])) for each in columns.split("|")))
    if rows:
        yield Group(Text(f"\n{title}", "bold"), shown)


def cell(value: Any) -> Text:
    """A number, the minute of a time, or a text, in which names are as short as they may be."""
    told = "" if value is None else str(value)
    if not told or re.fullmatch(r"-?\d+(\.\d+)?", told):
        return Text(f"{float(told):,.12g}" if told else "", justify="right")
    is_time = re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", told)
    short = told[:16] if is_time else re.sub(r"\bklaviyo_|(?<!ingest)_hist\b|; columns: .*", "", told)
    return Text(short[:100], STYLES.get(told, ""))


def show(root: Path, options: argparse.Namespace) -> tuple[int, bool]:
    """Look once and show it; gives the exit code, and whether the backfill is there."""
    files = (root / "ingestion/config").glob("klaviyo*_datasources.yml")
    there = sorted(file.name.removesuffix("_datasources.yml") for file in files)
    sources = [each for each in there if options.account in (None, each.removeprefix("klaviyo").strip("_"))]
    if not sources:
        raise CouldNotLook(f"There is no such account in {root}, only: {', '.join(there) or 'none'}.")
    td = TreasureData(root)
    found, tasks = look(td, root / "ingestion/query_samples", sources), {}
    console = Console(record=True, file=StringIO() if options.json else None)
    if options.watch:
        console.clear()
    for source in sources:
        tasks[source] = [*to_do(source, found[source])]
        console.print(*page(source, td.database, found[source], tasks[source]), sep="\n")
    if options.json:
        print(json.dumps({each: {"to_do": tasks[each], **found[each]} for each in sources}, indent=2))
    if options.html:
        options.html.write_text(console.export_html(), encoding="utf-8")
    left = {row["windows_left"] for each in found.values() for row in each["backfill_progress"]}
    return int(any(tasks.values())), left == {0}


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Show how the Klaviyo ingestion stands in Treasure Data.")
    parser.add_argument("--account", help="only this one; '' is the one without a name")
    parser.add_argument("--watch", nargs="?", const=60.0, type=float, help="look until the backfill is there")
    parser.add_argument("--json", action="store_true", help="print what was found as JSON")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the page into this file, too")
    options = parser.parse_args(argv)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]
    try:
        while True:
            exit_code, is_there = show(Path(__file__).absolute().parent.parent, options)
            if is_there or not options.watch:
                return exit_code
            time.sleep(options.watch)
    except (CouldNotLook, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

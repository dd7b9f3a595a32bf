"""Look at ingestion_log, from which windows, retries and the report of a failed run are read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from ..accounts import BACKFILL
from ..digdag_yaml import parts
from ..expectations import expect_form, expect_value
from ..gate import gate
from ..problems import Problem, place_in
from ..repo import Repo
from ..sql import without_comments
from ..steps import Step

# A task that is wanted: what it does, in words, and how it is told.
Kind = tuple[str, Callable[[Step], bool]]

CREATE_LOG = "ingestion/sql/create_ingestion_log_table.sql"
CREATE = re.compile(
    r"\bCREATE\s+TABLE\s+(IF\s+NOT\s+EXISTS\s+)?(?:\"?(?:\$\{[^{}]*\}|\w+)\"?\s*\.\s*)?\"?(\w+)",
    re.IGNORECASE,
)
LOG_COLUMNS = (
    "log_id", "source_name", "workflow_name", "table_name", "status", "start_time", "end_time",
    "records_processed", "error_message", "job_id", "job_url", "time",
)  # fmt: skip
# Tells a run's rows from all others: neither id is unique by itself.
MARK = re.compile(r"\$\{\s*session_uuid\s*\}\.\$\{\s*attempt_id\s*\}/")


@gate("Each load is between its log steps, each with its SQL file")
def log_steps(repo: Repo) -> Iterator[Problem]:
    """What was loaded, what failed and what never started is read from these rows, by later passes too."""
    for step in repo.steps:
        named = re.fullmatch(r"\+log_ingestion_(start|success|error)", step.name)
        if named and step.command != (file := step.account.log_sql(named[1])):
            yield step.body.at(step.operator).problem(f"{step.name} must run {file}")
    for root in repo.loaders:
        if root.workflow not in {load.workflow for load in repo.lasting}:
            yield Problem(root.path, 1, "there is no td_load>, so nothing is loaded")
    for load in repo.lasting:
        if not any(step.logs("start") for step in repo.before(load)):
            yield load.place.problem(f"a task before this one must run {load.account.log_sql('start')}")
        if not any(step.logs("success") and step.object is load.object for step in repo.after(load)):
            yield load.place.problem(f"a task after this one must run {load.account.log_sql('success')}")


def _missing(block: Step, steps: list[Step], wanted: list[Kind], where: str) -> Iterator[Problem]:
    """The first of the wanted tasks that is not there, or not in its order."""
    left = iter(steps)
    missing = [what for what, is_it in wanted if not any(is_it(step) for step in left)]
    if missing:
        yield block.place.problem(f"{where} must {missing[0].replace('{source}', block.account.source)}")


def _looks(query: str) -> Kind:
    return (
        f"then run sql/{{source}}_{query}.sql, with store_last_results: true",
        lambda step: step.command == step.account.sql(query) and step.stores_results,
    )


def _gives_way(step: Step) -> bool:
    condition = re.fullmatch(
        r"\$\{\s*td\.last_results\.(concurrent|other)_run\s*(!==?\s*(''|\"\")\s*)?\}", step.command
    )
    return bool(condition) and any("fail>" in part for part in parts(step.body.section("_do")))


def _writes_latest(step: Step) -> bool:
    return step.command in [step.account.sql(f"latest_{how}") for how in ("rebuild", "delete", "insert")]


START: Kind = ("run sql/{source}_log_ingestion_start.sql", lambda step: step.logs("start"))
GIVE_WAY: Kind = ("then fail if there is one: if>: ${td.last_results.concurrent_run != ''}", _gives_way)
END: Kind = ("in the end run sql/{source}_log_ingestion_success.sql", lambda step: step.logs("success"))


@gate("The log table is made with all its columns")
def log_table(repo: Repo) -> Iterator[Problem]:
    """Each run writes all of them: without one it fails at its first row, and without the table too."""
    sql = without_comments(repo.documents.text(CREATE_LOG))
    made = CREATE.search(sql)
    if not sql.strip():
        return  # files_exist says so, if a workflow names it
    if not made or made[2].lower() != "ingestion_log":
        yield Problem(CREATE_LOG, 1, "must create the table ingestion_log, where all workflows log")
        return
    place = place_in(CREATE_LOG, sql, made.start())
    if not made[1]:
        yield place.problem("must say CREATE TABLE IF NOT EXISTS: each run asks for it")
    missing = [
        name for name in LOG_COLUMNS if not re.search(rf"\b{name}\b", sql[made.end() :], re.IGNORECASE)
    ]
    if missing:
        yield place.problem(f"must have the columns {', '.join(missing)}, which each run writes")


@gate("Each run logs its start, looks for another run, and logs its end")
def run_log(repo: Repo) -> Iterator[Problem]:
    """Two runs at once load everything twice. Each sees the other by these rows, and its own by its mark; one
    without an end is taken to be under way for a day, and holds up the next.
    """
    load: Kind = ("then load", lambda step: step in repo.lasting)
    logs = {step.account.log_sql(what) for step in repo.steps for what in ("start", "success", "error")}
    for file in repo.queries:
        sql = repo.documents.text(file)
        if file.removeprefix("ingestion/") in logs and not MARK.search(sql):
            why = "log_id must begin with ${session_uuid}.${attempt_id}, the mark of the run"
            yield place_in(file, sql, max(sql.find("AS log_id"), 0)).problem(why)
    for root in repo.ours:
        own = [step for step in root.walk() if not step.in_loop and not step.after_error]
        rows = [step for step in own if step.logs("start") or step.logs("success")]
        if root in repo.loaders:
            for step in rows:
                if step.body.section("datasource").get("table_name") != "":
                    why = 'datasource must be {table_name: ""} in a row of the run'
                    yield step.body.at("datasource").problem(why)
            steps = [step for step in root.walk() if step in own or step in repo.lasting]
            kinds = [START, _looks("concurrent_run"), GIVE_WAY, load, END]
            yield from _missing(root, steps, kinds, "a task outside of loops")
        elif of_run := [step for step in rows if not step.body.section("datasource").text("table_name")]:
            yield from _missing(root, of_run, [START, END], "a task without a table_name")


@gate("A latest table is written by one run at a time, which logs it")
def latest_log(repo: Repo) -> Iterator[Problem]:
    """Two that merge at once insert each record twice. Each sees the other by the row of its start, and what
    was merged is not merged again by the row of its end.
    """
    writes = [step for step in repo.steps if _writes_latest(step)]
    blocks = [next((above for above in step.above if above.items), step.above[-1]) for step in writes]
    for block in dict.fromkeys(blocks):
        steps = [step for step in block.walk() if not step.after_error]
        kinds = [START, _looks("latest_changes"), GIVE_WAY, ("then write", _writes_latest), END]
        yield from _missing(block, steps, kinds, "a task here")


@gate("Log rows name the table that is loaded, and the workflow")
def log_rows(repo: Repo) -> Iterator[Problem]:
    """A row under another name counts for another table: that one's load is then skipped."""
    for load in repo.lasting:
        for step in repo.before(load) + repo.after(load):
            if step.object is load.object and (step.logs("start") or step.logs("success")):
                table = load.body.text("table").replace(" ", "")
                if "datasource" in step.body:
                    yield from expect_value(step.body.section("datasource"), "table_name", table)
                elif table != "${datasource.table_name}":
                    yield step.body.place.problem(
                        f"its row names the loop's table, but the load fills {table}"
                    )
                for key in ("start_time", "end_time") if "window" in step.body else ():
                    window = step.body.section("window")
                    yield from expect_form(window, key, f"${{window.{key}}}", rf"(?s).*\b{key}\b.*")
    for step in repo.steps:
        for given in (step.body, step.body.section("_export")):
            if "workflow_name" in given:
                yield from expect_form(given, "workflow_name", step.workflow, r"\$\{.*")
        lists = step.account.lists
        others = [name for name, owner in lists.items() if step.workflow in {*lists.values()} - {owner}]
        for text, name in ((text, name) for text in step.texts for name in others if name in text):
            if text is step.body.get("backfills" if name == BACKFILL else "objects"):
                continue  # asked about, and not loaded
            yield text.at(name).problem(f"{name} is for {lists[name]}, not for {step.workflow}")


@gate("_error blocks log failures, of each object and of the run")
def error_log(repo: Repo) -> Iterator[Problem]:
    """The block of an object knows which table failed; the run's own sees what fails outside of it."""
    logs = [step for step in repo.steps if step.logs("error")]
    for block in dict.fromkeys([*repo.loaders, *(load.object for load in repo.lasting if load.object)]):
        if not any(above.name == "_error" and above.parent is block for step in logs for above in step.above):
            yield block.body.at("_error").problem(f"an _error here must run {block.account.log_sql('error')}")

"""Gates of ingestion_log: windows, retries and the report of a failed run are read from it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .expected import expect_form, expect_value
from .gate import gate
from .places import Problem
from .repo import LISTS, Repo


@gate("Each load stands between its log steps, each with its SQL file")
def loads_are_logged(repo: Repo) -> Iterator[Problem]:
    """What was loaded, what failed and what never started is read from these rows, by later passes too."""
    for step in repo.steps:
        file = f"sql/{step.name[1:]}.sql"
        if re.fullmatch(r"\+log_ingestion_(start|success|error)", step.name) and step.command != file:
            yield step.body.at(step.operator).problem(f"{step.name} must run {file}")
    for root in repo.loaders:
        if root.workflow not in {load.workflow for load in repo.loads}:
            yield Problem(root.path, 1, "there is no td_load>, so nothing is loaded")
    for load in repo.loads:
        if not any(step.logs("start") for step in repo.before(load)):
            yield load.place.problem("a task before this one must run sql/log_ingestion_start.sql")
        if not any(step.logs("success") and step.object is load.object for step in repo.after(load)):
            yield load.place.problem("a task after this one must run sql/log_ingestion_success.sql")


@gate("Log rows name the table that is loaded, and the workflow")
def log_rows_find_their_load(repo: Repo) -> Iterator[Problem]:
    """A row under another name counts for another table: that one's load is then skipped."""
    for load in repo.loads:
        for step in repo.before(load) + repo.after(load):
            if step.object is load.object and (step.logs("start") or step.logs("success")):
                yield from expect_value(step.body, "source_name", load.body.text("table"))
    for step in repo.steps:
        if "workflow_name" in step.body:
            yield from expect_form(step.body, "workflow_name", step.workflow, r"\$\{.*")
        others = [name for name, owner in LISTS.items() if step.workflow in {*LISTS.values()} - {owner}]
        for text, name in ((text, name) for text in step.texts for name in others if name in text):
            yield text.at(name).problem(f"{name} is for {LISTS[name]}, not for {step.workflow}")


@gate("_error blocks log what fails, in each object and in the run")
def errors_are_logged(repo: Repo) -> Iterator[Problem]:
    """The block of an object knows which table failed; the run's own sees what fails outside of it."""
    logs = [step for step in repo.steps if step.logs("error")]
    for block in dict.fromkeys([*repo.loaders, *(load.object for load in repo.loads if load.object)]):
        if not any(above.name == "_error" and above.parent is block for step in logs for above in step.above):
            yield block.body.at("_error").problem("an _error here must run sql/log_ingestion_error.sql")

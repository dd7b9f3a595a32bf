"""Look at how it is loaded: for what Digdag accepts, and then does not do, or fails at."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..accounts import INCREMENTAL
from ..digdag import (
    GROUP_KEYS,
    MAKE_ANY_VARIABLE,
    NEEDS,
    NESTED_KEYS,
    OPERATORS,
    TASK_KEYS,
    WORKFLOW_KEYS,
)
from ..digdag_yaml import Map
from ..expectations import expect_form, expect_value, nearest, unexpected
from ..expressions import variables
from ..gate import gate
from ..origins_in_sql import coalesces
from ..problems import Problem, place_in
from ..repo import Repo
from ..schedule_times import time_problem
from ..sql import without_comments
from ..steps import Step

NUMBERS = ("limit", "interval", "max_interval")


@gate("Operators and keys are those that Digdag knows")
def digdag_keys(repo: Repo) -> Iterator[Problem]:
    """In a task Digdag passes over a key that it does not know, so that an `_eror` never runs; for one in a
    group it refuses the whole project.
    """
    for step in repo.steps:
        known = WORKFLOW_KEYS if not step.parent else TASK_KEYS if step.operator else GROUP_KEYS
        for key, value in step.body.items():
            if key.startswith("+"):
                if step.operator or not isinstance(value, Map):
                    yield key.place.problem(f"{key} must be a map of its own, in a group or in a _do")
            elif key.endswith(">"):
                if key not in OPERATORS:
                    yield key.place.problem(f"there is no operator {key}{nearest(key, OPERATORS)}")
                elif key != step.operator or not step.parent:
                    yield key.place.problem(f"{key} needs a task of its own")
            elif key not in known and (key.startswith("_") or not step.operator):
                yield key.place.problem(f"Digdag knows no {key} here{nearest(key, known | OPERATORS)}")
            for name in value if key in NESTED_KEYS and isinstance(value, Map) else ():
                if name not in NESTED_KEYS[key]:
                    yield name.place.problem(f"{key} knows no {name}{nearest(name, NESTED_KEYS[key])}")
        needs = NEEDS.get(step.operator, [])
        if needs and not any(key in step.body for key in needs):
            why = f"{step.operator} needs {' or '.join(needs)}"
            yield step.body.at(step.operator).problem(why)


@gate("Retries are numbers, and _parallel is true, false or a limit")
def control_values(repo: Repo) -> Iterator[Problem]:
    """Digdag passes over a retry that it cannot read, `yes` or an interval of `5s`, and so does no retry; at
    `_parallel: yes` it ends the run.
    """
    for step in repo.steps:
        for key, right, form in (
            ("_retry", "a number", "[0-9]+"),
            ("_parallel", "true", "(?i)true|false|.*[$].*"),
        ):
            value = step.body.get(key)
            if isinstance(value, Map):
                for name in (name for name in NUMBERS if name in value):
                    yield from expect_form(value, name, "a number", "[0-9]+")
                if "interval_type" in value:
                    yield from expect_form(value, "interval_type", "constant", "exponential")
            elif key in step.body:
                yield from expect_form(step.body, key, right, form)


@gate("Every ${variable} is defined")
def variables_defined(repo: Repo) -> Iterator[Problem]:
    """Digdag stops at a variable that is missing, but takes a missing property for an empty text."""
    scripted = {step.workflow for step in repo.steps if step.operator in MAKE_ANY_VARIABLE}
    runs: dict[str, list[Step]] = {}
    for step in (step for step in repo.steps if step.workflow not in scripted):
        for text in step.texts:
            for _, name in variables(text):
                if why := step.undefined(name):
                    yield text.at(name).problem(why)
        for file in step.files:
            runs.setdefault(file, []).append(step)
    for file, steps in runs.items():
        for offset, name in variables(repo.documents.text(file)):
            reasons = [step.undefined(name) for step in steps]
            if all(reasons):
                yield place_in(file, repo.documents.text(file), offset).problem(reasons[0])
            for step, why in zip(steps, reasons, strict=True):
                if why and not all(reasons):
                    yield step.body.at(step.operator).problem(f"{file} needs {name}: {why}")


@gate("Workflows run in UTC")
def utc_timezone(repo: Repo) -> Iterator[Problem]:
    """Windows and the log are in UTC; a schedule or a session time in another zone is off by hours."""
    for root in repo.loaders:
        yield from expect_value(root.body, "timezone", "UTC")


@gate("A schedule has one time, which comes, and skips runs that would overlap")
def schedules(repo: Repo) -> Iterator[Problem]:
    """Of two times under one schedule Digdag ignores one; without `skip_on_overtime` a run that takes longer
    than usual meets the next, and both load the same window. It takes 25:00:00, and a date that never comes
    keeps `td wf check` and a push busy without end.
    """
    for root in (root for root in repo.ours if "schedule" in root.body):
        schedule = root.body.section("schedule")
        for key in schedule:
            if why := time_problem(key, schedule.text(key)):
                yield unexpected(schedule, key, why)
    for root in (root for root in repo.loaders if "schedule" in root.body):
        schedule = root.body.section("schedule")
        times = [key for key in schedule if key.endswith(">")]
        for key in times[1:] or ([] if times else [root.body.at("schedule")]):
            place = getattr(key, "place", key)
            given = f", not {' and '.join(times)}" if times else ""
            yield place.problem(f"schedule must have one time{given}: Digdag ignores any other")
        yield from expect_value(schedule, "skip_on_overtime", "true")


@gate("At most three loads run at once (_parallel: limit: 3)")
def parallel_loads(repo: Repo) -> Iterator[Problem]:
    """Klaviyo limits the rate of an account, and TD the tasks that run at once."""
    for load in repo.loads:
        at_once = 1
        for step in load.above:
            parallel = step.body.section("_parallel")
            limit = parallel.text("limit")
            if parallel or step.body.text("_parallel").lower() == "true":
                tasks = 99 if step.operator else len(step.steps)
                at_once *= min(tasks, int(limit) if re.fullmatch(r"[1-9][0-9]?", limit) else 99)
                if at_once > 3:
                    place = parallel.at("limit") if parallel else step.body.at("_parallel")
                    why = "limit must be 3 or less, and lower where one _parallel is in another"
                    yield place.problem(why)
                    break


@gate("A failed load keeps no other from running, and fails the run")
def contained_failures(repo: Repo) -> Iterator[Problem]:
    """A batch of `_parallel` starts only if all tasks of the one before went well; a pass that is
    repeated for that hides the failure, so that a later task must tell it.
    """
    for load in repo.loads:
        if not load.object or not load.object.parent:
            continue
        loop = load.object.parent
        if "_parallel" in loop.body and not any("_retry" in step.body for step in loop.above):
            why = "a group around this needs _retry: after a failed load, no other batch starts"
            yield loop.place.problem(why)
        if not any(step.operator == "fail>" and step.object is not load.object for step in repo.after(load)):
            why = "a task after this one needs fail>: the run would succeed without the load"
            yield loop.place.problem(why)


@gate("Windows are a COALESCE over incremental table, backfill, default start")
def window_start(repo: Repo) -> Iterator[Problem]:
    """Without the second, the first incremental run begins all over, however far the backfill is; without
    the third, it has no start where neither table has rows.
    """
    for load in (load for load in repo.loads if load.workflow in load.account.lists.values()):
        queries = [step for step in repo.before(load) if step.stores_results]
        if not queries:
            why = "a td> before this one must get the window, with store_last_results: true"
            yield load.place.problem(why)
        elif load.workflow == load.account.lists[INCREMENTAL]:
            for file in queries[-1].files:
                yield from _missing_fallback(file, without_comments(repo.documents.text(file)))


def _missing_fallback(file: str, sql: str) -> Iterator[Problem]:
    """That no COALESCE in a query goes from the table to the log of its backfill, and on to the default."""
    table = r"\b(?:FROM|JOIN)\s+(?:\"?(?:\$\{[^{}]*\}|\w+)\"?\.)?\"?\$\{\s*datasource\."
    backfill = r"(?:=\s*'|\bIN\s*\(\s*'(?=[^']*'\s*\))|\.)\$\{\s*datasource\.historical_table"
    wanted = [table + "table_name", backfill, r"datasource\.default_start_time"]
    found = list(coalesces(sql))
    for _, given in found:
        order = [next((n for n, text in enumerate(given) if re.search(one, text)), -1) for one in wanted]
        if -1 < order[0] < order[1] < order[2]:
            return
    place = place_in(file, sql, found[0][0] if found else 0)
    yield place.problem(
        "must be COALESCE(watermark of table_name, start of historical_table's backfill, default)"
    )

# /// script
# requires-python = ">=3.10"
# dependencies = ["pyyaml"]
# ///
"""Check this repo's Klaviyo ingestion for what `td wf check` does not see.

    uv run scripts/check_ingestion.py [--json] [ROOT]

Prints a line a gate and, under a failed one, where it fails and what should be there; exits with 0
or 1. The gates look at the files called klaviyo_* and at what these use, not at other sources' files.

From top to bottom: what is known of Klaviyo and of Digdag, how files and workflows are read, the
gates, the report. A gate is a function that finds places and what is wrong there; its docstring is
its name.
"""

from __future__ import annotations

import argparse
import difflib
import fnmatch
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from posixpath import basename, dirname, join, normpath
from typing import Any, NamedTuple

try:
    import yaml
except ImportError:
    sys.exit("PyYAML is missing: use `uv run scripts/check_ingestion.py`, or `pip install pyyaml` first.")

# ---------------------------------------------------------------------------------------------
# What is known of Klaviyo
# ---------------------------------------------------------------------------------------------

DATASOURCES = "ingestion/config/klaviyo_datasources.yml"
CREDENTIALS = "ingestion/credentials_ingestion.json"
# The lists of datasources, and the workflow that each belongs to.
LISTS = {"inc_datasources": "klaviyo_ingest_inc", "hist_datasources": "klaviyo_ingest_hist"}

# The field of each data source: its name in the table, and its name in Klaviyo's API.
FIELDS = {
    "inc_datasources": {
        "profiles": ("updated", "updated"),
        "events": ("datetime", "datetime"),
        "campaigns": ("updated_at", "updated"),
        "lists": ("updated", "updated"),
        "templates": ("updated", "updated"),
        "metrics": ("updated", "updated"),
    },
    "hist_datasources": {
        "profiles": ("created", "created"),
        "events": ("datetime", "datetime"),
        "campaigns": ("created_at", "created"),
        "lists": ("created", "created"),
        "templates": ("created", "created"),
        "metrics": ("created", "created"),
    },
}
API_FIELD = "${datasource.incremental_field_connector}"
# The connector knows the field of these itself, and refuses to be told.
WITHOUT_FIELD = ["events"]
# What people call a data source that the connector calls otherwise.
OTHER_NAMES = {
    "email_templates": "templates",
}

FORM = "YYYY-MM-DDTHH:MM:SS.000000, UTC, without a zone"
TIMESTAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.000000")
# What means to be a time, whatever its form: a literal, the end of one in SQL, a format.
TIME_LITERAL = re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z\b|[+-]\d\d:?\d\d\b)?")
TIME_ENDING = re.compile(r"""(?<=['"])(?:\.[0-9]+Z?|Z)(?=['"])|\.0+Z\b""")
TIME_FORMAT = re.compile(r"(?:%H|HH|hh):[^'\"\n]*|\bto_iso8601\b")
SUBQUERY = re.compile(r"(\w+)\s+AS\s*\(", re.IGNORECASE)
# TD_TIME_STRING's unit, where a timestamp is meant, and the one right way to end that.
TIME_UNIT = re.compile(r"'\w!?'(?=\s*\)\s*,\s*' '\s*,\s*'T')|'s!?'(?=\s*\))")
ENDING = re.compile(r"'s!'\s*\)\s*,\s*' '\s*,\s*'T'\s*\)\s*\|\|\s*'\.000000['\"]")

# Klaviyo's private keys and TD's API keys.
KEY = re.compile(rb"\bpk_(?=[A-Za-z_]*[0-9])[A-Za-z0-9_]{20,}|\b[0-9]{1,8}/[0-9a-f]{40}\b")
# A file that another source of the same client may have brought says this where it is ours.
SIGNATURE = "from the Klaviyo ingestion template"

# ---------------------------------------------------------------------------------------------
# What is known of Digdag
# ---------------------------------------------------------------------------------------------

OPERATORS = set(
    "td> td_load> td_ddl> td_run> td_for_each> td_wait> td_wait_table> td_table_export> td_result_export> "
    "td_partial_delete> call> require> for_each> for_range> loop> if> fail> echo> wait> mail> http> "
    "http_call> py> rb> sh> s3_wait> gcs_wait> bq> bq_ddl> bq_load> bq_extract> pg> redshift> "
    "redshift_load> redshift_unload> emr> embulk> param_get> param_set> nop> notify>".split()
)
TAKE_A_FILE = {"td>", "td_load>", "td_for_each>", "mail>"}
TALK_TO_PEOPLE = {"mail>", "echo>", "fail>"}
MAKE_ANY_VARIABLE = {"py>", "rb>", "sh>", "call>", "param_get>"}
# Without such a key these operators do nothing, or fail.
NEEDS = {
    "td_load>": ["table"],
    "td_ddl>": [f"{do}_{what}" for do in ("create", "empty", "drop") for what in ("databases", "tables")],
    **{loop: ["_do"] for loop in ("for_each>", "for_range>", "loop>", "td_for_each>")},
}
BLOCKS = {"_do", "_else_do", "_error", "_check"}
WORKFLOW_KEYS = {"timezone", "schedule", "sla", "_export", "_error", "_check", "_retry", "_parallel"}
GROUP_KEYS = {*WORKFLOW_KEYS, "_background", "_after", "_secrets", "_disable"}
TASK_KEYS = {*GROUP_KEYS, *BLOCKS, "_env", "_type", "_command", "_workdir"}
NESTED_KEYS = {
    "_parallel": {"limit"},
    "_retry": {"limit", "interval", "interval_type", "max_interval"},
    "schedule": set(
        "hourly> daily> weekly> monthly> minutes_interval> seconds_interval> cron> "
        "skip_on_overtime skip_delayed_by start end delay at".split()
    ),
}

# Digdag's variables. Where properties of one are listed, it has no others.
VARIABLES = {
    "td.last_job.id",
    "td.last_job.num_records",
    *"session_uuid session_id attempt_id retry_attempt_name project_id timezone task_name".split(),
    *"td td.last_job td.last_job_id td.last_results td.each td.database http s3 gcs bq emr pg".split(),
    *(
        f"{which}session_{time}"
        for which in ("", "last_", "next_", "last_executed_")
        for time in ("time", "date", "date_compact", "local_time", "tz_offset", "unixtime")
    ),
}
JAVASCRIPT = set(
    "moment JSON Math Date String Number Boolean Array Object RegExp parseInt parseFloat isNaN isFinite "
    "encodeURIComponent decodeURIComponent encodeURI decodeURI escape unescape undefined NaN Infinity "
    "this null true false typeof new in instanceof void delete".split()
)
# The inside of a `${...}`, with braces in it, and its end if there is one. `${secret:...}` is another thing.
EXPRESSION = re.compile(r"\$\{(?![a-z]+:)([^{}]*(?:\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}[^{}]*)*)(\}?)")
LITERAL = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|(?<=[(,=:!&|?])\s*/(?:[^/\\\n]|\\.)+/\w*")
NAME = re.compile(r"(?<![\w$.])[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*")

# ---------------------------------------------------------------------------------------------
# How files are read
# ---------------------------------------------------------------------------------------------

MAX_FILE = 1_000_000
MAX_ARCHIVE = 2_000_000
MAX_VALUES = 100_000
MAX_DEPTH = 100


class Place(NamedTuple):
    path: str
    line: int


class Problem(NamedTuple):
    path: str
    line: int
    text: str


class Gate(NamedTuple):
    name: str
    problems: list[Problem]


Faults = Iterator[tuple[Place, str]]  # where, and what is wrong there


class Text(str):
    """A scalar as it is written, which knows its lines."""

    place: Place
    lines: list[str]

    def at(self, part: str) -> Place:
        """Where a part of this text stands."""
        offset = next((number for number, line in enumerate(self.lines) if part in line), 0)
        return Place(self.place.path, self.place.line + offset)


class Map(dict):
    """A map whose keys know where they stand. What is missing, or of another kind, reads as empty."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place
        self.includes: list[Text] = []

    def add(self, other: Any) -> None:
        """Take over what another map says."""
        for key, value in other.items() if isinstance(other, dict) else ():
            self.pop(key, None)  # the key too is replaced, and with it its place
            self[key] = value

    def at(self, key: str) -> Place:
        """Where a key stands, or what may be meant by it; else where the map begins."""
        close = [key] if key in self else difflib.get_close_matches(key, self, 1, 0.85)
        return next((known.place for known in self if known in close), self.place)

    def text(self, key: str) -> str:
        return self[key] if isinstance(self.get(key), str) else ""

    def map(self, key: str) -> Map:
        return self[key] if isinstance(self.get(key), Map) else Map(self.at(key))

    def maps(self, key: str) -> list[Map]:
        found = self.get(key)
        return [item for item in found if isinstance(item, Map)] if isinstance(found, list) else []


def parts(value: Any) -> Iterator[Any]:
    """A value, and all that is in it."""
    yield value
    for part in value.values() if isinstance(value, Map) else value if isinstance(value, list) else ():
        yield from parts(part)


def texts(value: Any) -> list[Text]:
    return [part for part in parts(value) if isinstance(part, Text)]


class YamlReader:
    """Reads a file as Digdag does: a scalar stays text, an include is merged into its map."""

    def __init__(self, repo: Repo, path: str) -> None:
        self.repo, self.path, self.source = repo, path, repo.text(path)
        self.lines = self.source.split("\n")
        self.left = MAX_VALUES  # anchors can make a small file a huge one

    def read(self) -> Any:
        node = yaml.compose(self.source, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        return self.value(node, MAX_DEPTH) if node else None

    def value(self, node: yaml.Node, depth: int) -> Any:
        self.left -= 1
        if self.left < 0 or depth < 0:
            why = "it is nested too deeply, or its anchors make it too large"
            raise yaml.MarkedYAMLError(problem=why, problem_mark=node.start_mark)
        if isinstance(node, yaml.MappingNode):
            return self.map(node, depth - 1)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, depth - 1) for item in node.value]
        first, last = node.start_mark.line, node.end_mark.line
        text = Text("" if node.tag.endswith(":null") else node.value)
        text.place, text.lines = Place(self.path, first + 1), self.lines[first : last + 1]
        return text

    def map(self, node: yaml.MappingNode, depth: int) -> Map:
        found, own = Map(Place(self.path, node.start_mark.line + 1)), set()
        for key_node, value_node in node.value:
            key, value = self.value(key_node, depth), self.value(value_node, depth)
            if key_node.tag == "!include" and isinstance(value, Text):
                found.includes.append(value)
                found.add(self.repo.yaml(included_path(value)))
            elif key_node.tag.endswith(":merge"):
                for merged in value if isinstance(value, list) else [value]:
                    found.add(merged)
            elif not isinstance(key, Text) or key in own:
                place = Place(self.path, key_node.start_mark.line + 1)
                self.repo.flaws.append((place, f"{key} stands in this map twice, or is no key"))
            else:
                own.add(key)
                found.add({key: value})
        return found


def included_path(name: Text) -> str:
    return normpath(join(dirname(name.place.path), name))


class Repo:
    """The files of a repo, each read once, and what they say. A path is the one in the repo, with slashes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.flaws: list[tuple[Place, str]] = []  # what is wrong with files as such
        self.texts: dict[str, str] = {}
        self.values: dict[str, Any] = {}

        # What git tracks, or would if it were to add all; None without git, and outside a work tree.
        listed = self.git("ls-files", "-z", "--cached", "--others", "--exclude-standard")
        self.in_git = None if listed is None else [path for path in listed.split("\0") if path]
        # What `td wf push` takes: no dot-files, and nothing that .digdagignore names.
        patterns = self.text("ingestion/.digdagignore")
        visible = [path for path in self.files("ingestion") if "/." not in path]
        self.pushed = [path for path in visible if not is_ignored(path.removeprefix("ingestion/"), patterns)]
        self.credentials = self.read_credentials()

        # The datasources, each with the name of its list; and each with what its load file says.
        self.entries = [(name, entry) for name in LISTS for entry in self.map(DATASOURCES).maps(name)]
        files = [(entry, f"ingestion/config/{entry.text('config_file')}") for _, entry in self.entries]
        self.load_files = [(entry, self.map(file)) for entry, file in files if self.exists(file)]

        # All workflows, those of other sources too; then ours, their tasks, and those of ours that load.
        self.words = self.words_of_queries()
        paths = [path for path in self.pushed if path.endswith(".dig")]
        self.workflows = [Step(self, path, Text(""), self.map(path)) for path in paths]
        self.ours = [root for root in self.workflows if root.workflow.startswith("klaviyo_")]
        self.steps = [step for root in self.ours for step in root.walk()]
        self.loads = [step for step in self.steps if step.operator == "td_load>"]
        loaders = {*LISTS.values(), *(load.workflow for load in self.loads)}
        self.loaders = [root for root in self.ours if root.workflow in loaders]
        # The SQL files that ours run, but for those that another source brought.
        run = {file for step in self.steps if step.operator == "td>" for file in step.files}
        self.queries = sorted(file for file in run if "/klaviyo_" in file or SIGNATURE in self.text(file))

    def exists(self, path: str) -> bool:
        return os.path.isfile(self.root / path)

    def bytes(self, path: str) -> bytes:
        """The start of a file; empty, if it is none or cannot be read."""
        try:
            with open(self.root / path if self.exists(path) else os.devnull, "rb") as file:
                return file.read(MAX_FILE + 1)
        except OSError:
            return b""

    def text(self, path: str) -> str:
        """A file's text; empty, if it is none."""
        if path not in self.texts:
            found, self.texts[path] = self.bytes(path), ""
            try:
                if len(found) > MAX_FILE:
                    self.flaws.append((Place(path, 1), "is larger than 1 MB, too much for Digdag to read"))
                else:
                    self.texts[path] = found.decode("utf-8-sig").replace("\r\n", "\n")
            except UnicodeDecodeError as error:
                line = found.count(b"\n", 0, error.start) + 1
                self.flaws.append((Place(path, line), "is not UTF-8, save it as UTF-8"))
        return self.texts[path]

    def yaml(self, path: str) -> Any:
        """What a YAML file says; an empty map, if it cannot be read; None, if it says nothing."""
        if path not in self.values:
            self.values[path] = Map(Place(path, 1))  # so that a file that includes itself finds an end
            try:
                self.values[path] = YamlReader(self, path).read()
            except (yaml.YAMLError, ValueError, RecursionError) as error:
                mark = getattr(error, "problem_mark", None)
                line = min(mark.line, self.text(path).rstrip().count("\n")) + 1 if mark else 1
                why = getattr(error, "problem", None) or " ".join(str(error).split())
                self.flaws.append((Place(path, line), f"cannot be read: {why}"))
        return self.values[path]

    def map(self, path: str) -> Map:
        """What a YAML file says; an empty map, if it says no map."""
        return self.yaml(path) if isinstance(self.yaml(path), Map) else Map(Place(path, 1))

    def words_of_queries(self) -> set[str]:
        """All words of our SQL: among them the columns and keys of JSON that queries give to later tasks."""
        queries = [self.text(path) for path in self.pushed if re.search(r"/klaviyo_[^/]*\.sql$", path)]
        workflows = [self.yaml(path) for path in self.pushed if path.endswith(".dig")]
        queries += [part.text("query") for part in parts(workflows) if isinstance(part, Map)]
        code = (EXPRESSION.sub("", without_comments(query)) for query in queries)
        return {word for sql in code for word in re.findall(r"\w+", sql)}

    def read_credentials(self) -> list[tuple[str, Any]] | None:
        """The entries of the credentials, none if they cannot be read; None, if they are no map."""
        text = self.text(CREDENTIALS)
        try:
            found = json.loads(text, object_pairs_hook=tuple) if text else ()
        except (ValueError, RecursionError) as error:
            self.flaws.append((Place(CREDENTIALS, getattr(error, "lineno", 1)), f"is not JSON: {error}"))
            found = ()
        return list(found) if isinstance(found, tuple) else None

    def in_credentials(self, key: str) -> Place:
        text = self.text(CREDENTIALS)
        return place_in(CREDENTIALS, text, max(text.rfind(json.dumps(key)), 0))

    def files(self, folder: str) -> list[str]:
        found = []
        for here, folders, names in os.walk(self.root / folder):
            folders[:] = [name for name in folders if name not in (".git", ".venv", "node_modules")]
            found += [Path(here, name).relative_to(self.root).as_posix() for name in names]
        return sorted(found)

    def git(self, *command: str) -> str | None:
        """What git answers; None, if it says no, or is not there."""
        try:
            answer = subprocess.run(["git", "-C", self.root, *command], capture_output=True, timeout=20)
        except (OSError, subprocess.SubprocessError):
            return None
        return os.fsdecode(answer.stdout) if answer.returncode == 0 else None

    def is_git_ignored(self, path: str) -> bool:
        """Whether git leaves a file alone; without git, whether .gitignore says so."""
        if self.in_git is None:
            return is_ignored(path, self.text(".gitignore"))
        return path not in self.in_git and self.git("check-ignore", "-q", path) is not None


def is_ignored(path: str, patterns: str) -> bool:
    """Whether an ignore file keeps out a path below its folder: the last pattern that fits decides."""
    ignored = False
    for line in patterns.split("\n"):
        pattern = line.strip().removeprefix("!").removeprefix("**/").rstrip("/")
        names = [path] if "/" in pattern else path.split("/")
        pattern = pattern.lstrip("/")
        if any(fnmatch.fnmatchcase(name, one) for name in names for one in (pattern, f"{pattern}/*")):
            ignored = not line.startswith("!")
    return ignored


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint at what was probably meant."""
    close = difflib.get_close_matches(word, list(known), 1)
    return f", did you mean {close[0]}?" if close else ""


def place_in(path: str, text: str, offset: int) -> Place:
    return Place(path, text.count("\n", 0, offset) + 1)


# ---------------------------------------------------------------------------------------------
# How workflows are read
# ---------------------------------------------------------------------------------------------


class Step:
    """A workflow, a task of it, or a block like _do and _error: its map, and what it stands in.

    Attributes:
        workflow: the name of the workflow.
        above: the steps that this one stands in, the nearest first.
        object: the block that is done for each datasource, if this is it or stands in it.
        scope: the variables that the tasks in it see, with their properties.
    """

    def __init__(self, repo: Repo, path: str, name: Text, body: Map, parent: Step | None = None) -> None:
        self.repo, self.path, self.name, self.body, self.parent = repo, path, name, body, parent
        self.place = name.place if parent else Place(path, 1)
        self.workflow = basename(path).removesuffix(".dig")
        self.above: list[Step] = [parent, *parent.above] if parent else []
        self.operator = next((key for key in body if key.endswith(">")), "")
        self.command = body.text(self.operator)
        self.stores_results = body.text("store_last_results").lower() == "true"
        self.after_error = name in ("_error", "_check") or bool(parent and parent.after_error)
        # The variables that a for_each> gives to its block, each with its values.
        self.items = parent.body.map("for_each>") if parent and name == "_do" else {}
        self.object: Step | None = self if "datasource" in self.items else parent and parent.object
        self.scope = (parent.scope if parent else VARIABLES) | self.defined()
        self.texts = [text for key, value in body.items() if not is_step(key) for text in texts(value)]
        steps = [(key, value) for key, value in body.items() if is_step(key) and isinstance(value, Map)]
        self.steps = [Step(repo, path, key, value, self) for key, value in steps]

    def walk(self) -> Iterator[Step]:
        """This step and those in it, in the order in which they run."""
        yield self
        for step in self.steps:
            yield from step.walk()

    @property
    def entries(self) -> list[Map]:
        """The datasources that its workflow loads: those of its own list, or else all."""
        own = [entry for name, entry in self.repo.entries if LISTS[name] == self.workflow]
        return own or [entry for _, entry in self.repo.entries]

    @property
    def files(self) -> list[str]:
        """The files that it names: if the datasources name them, all of theirs."""
        if self.operator not in TAKE_A_FILE or not self.command:
            return []
        names = [self.command]
        if "${datasource.config_file}" in self.command:
            chosen = [entry.text("config_file") for entry in self.entries]
            names = [self.command.replace("${datasource.config_file}", name) for name in chosen if name]
        return [normpath(join(dirname(self.path), name)) for name in names]

    def logs(self, what: str) -> bool:
        """Whether it is, or is called, the log step of a start, a success or an error."""
        return self.name == f"+log_ingestion_{what}" or self.command == f"sql/log_ingestion_{what}.sql"

    def defined(self) -> set[str]:
        """The variables that it makes for the tasks in it."""
        found = {*names_in(self.body.map("_export")), *self.items}
        if not self.parent:
            found |= {f"td.last_results.{word}" for word in self.repo.words}
        if self.name == "_error":
            found |= {"error", "error.message", "error.stacktrace"}
        if self.name == "_do" and self.parent.operator in ("loop>", "for_range>"):
            found |= {"i", "range"}
        for name, values in self.items.items():
            if isinstance(values, Text) and re.search(r"td\.last_results\.|_datasources\b", values):
                found |= {f"{name}.{key}" for key in self.repo.words.union(*self.entries)}
        return found

    def undefined(self, name: str) -> str:
        """What is wrong with a variable that it uses; empty, if nothing is or if that cannot be told."""
        if not name:
            return "${ needs a variable, and a closing }"
        known = ""
        for part in name.split("."):
            above, known = known, f"{known}.{part}".lstrip(".")
            if known not in self.scope and (above or part not in self.body):
                siblings = {one for one in self.scope if one.rpartition(".")[0] == above}
                return f"nothing defines {known} here{nearest(known, siblings)}" if siblings else ""
        return ""


def is_step(key: str) -> bool:
    return key.startswith("+") or key in BLOCKS


def names_in(value: Map, above: str = "") -> Iterator[str]:
    """The variables that a map defines, and their properties."""
    for key, part in value.items():
        yield above + key
        if isinstance(part, Map):
            yield from names_in(part, f"{above}{key}.")


def variables(text: str) -> Iterator[tuple[int, str]]:
    """The variables that a text uses, with properties, like datasource.table_name, and their offsets."""
    for expression in EXPRESSION.finditer(text):
        start, code = expression.start(1), expression[1]
        if not expression[2]:
            yield start, ""
            return  # from here on, text and code cannot be told apart
        if not code.strip():
            yield start, ""
        if len(code) > 2000 or re.search(r"\bfunction\b|\bvar\b|=>", code):
            continue  # a program, with variables of its own
        code = LITERAL.sub(lambda found: "0" * len(found[0]), code)
        for found in NAME.finditer(code):
            name, before, after = found[0], code[: found.start()].rstrip(), code[found.end() :].lstrip()
            root = name.split(".")[0]
            is_key = before.endswith(("{", ",")) and after.startswith(":")
            is_tested = re.search(rf"\btypeof\s*\(?\s*{re.escape(root)}\b", code)
            if after.startswith("(") and "." in name:
                name = name.rpartition(".")[0]  # what stood last is a method
            if not (root in JAVASCRIPT or is_key or is_tested):
                yield start + found.start(), name


def without_comments(sql: str) -> str:
    """A query with blanks for its comments, so that all else keeps its place."""
    pattern = re.compile(r"('(?:[^']|'')*')|--[^\n]*|/\*(?:.*?\*/|.*)", re.DOTALL)
    return pattern.sub(lambda found: found[1] or re.sub(r"[^\n]", " ", found[0]), sql)


def arguments(sql: str, start: int) -> list[str]:
    """What stands between the commas up to the parenthesis that closes the one before `start`."""
    found, depth, begun = [], 0, start
    for mark in re.compile(r"[(),]").finditer(sql, start, start + 10_000):
        if depth == 0 and mark[0] != "(":
            found.append(sql[begun : mark.start()])
            begun = mark.end()
        depth += {"(": 1, ",": 0, ")": -1}[mark[0]]
        if depth < 0:
            break
    return found


# ---------------------------------------------------------------------------------------------
# Gates of the files
# ---------------------------------------------------------------------------------------------


def files_can_be_read(repo: Repo) -> Faults:
    """YAML, JSON and .dig files can be read, and have no key twice"""
    for file in repo.pushed:
        if file.endswith((".yml", ".yaml", ".dig")):
            repo.yaml(file)
        if file.endswith(".dig") and not isinstance(repo.yaml(file), Map):
            yield Place(file, 1), "must be a map of tasks"
    keys = [key for key, _ in repo.credentials or ()]
    for key in (key for key in keys if keys.count(key) > 1):
        yield repo.in_credentials(key), f"{key} stands here twice, keep one"
    for file in repo.queries:
        repo.text(file)
    yield from repo.flaws


def files_exist(repo: Repo) -> Faults:
    """Files that a workflow or a datasource names are there"""
    named = [(Place(DATASOURCES, 1), DATASOURCES)]
    for name, workflow in LISTS.items():
        named.append((repo.map(DATASOURCES).at(name), f"ingestion/{workflow}.dig"))
    for _, entry in repo.entries:
        if entry.text("config_file"):
            named.append((entry.at("config_file"), f"ingestion/config/{entry.text('config_file')}"))
    for step in repo.steps:
        if "${" not in step.command:
            named += [(step.body.at(step.operator), file) for file in step.files]
    named += [(name.place, included_path(name)) for name in includes(repo)]
    for place, file in named:
        if not repo.exists(file):
            yield place, f"{file} is not there{nearest(file, repo.pushed)}"
        elif file not in repo.pushed:
            yield place, f"{file} is not pushed to TD: it is outside of ingestion/, or in .digdagignore"


def includes(repo: Repo) -> list[Text]:
    """What workflows include: a neighbour's too, which could keep the whole project from running."""
    maps = [part for root in repo.workflows for part in parts(root.body) if isinstance(part, Map)]
    return [name for found in maps for name in found.includes]


def files_are_used(repo: Repo) -> Faults:
    """No Klaviyo file lies unused"""
    used = {DATASOURCES, *map(included_path, includes(repo))}
    used |= {file for root in repo.workflows for step in root.walk() for file in step.files}
    patterns = [EXPRESSION.sub("*", file) for file in used]
    for file in repo.pushed:
        is_for_people = file.endswith(".sql") and "${" not in repo.text(file)
        if re.search(r"/klaviyo_[^/]*\.(sql|ya?ml)$", file) and not is_for_people:
            if not any(fnmatch.fnmatchcase(file, pattern) for pattern in patterns):
                yield Place(file, 1), "no workflow and no datasource names this file: name it, or delete it"


def credentials_stay_here(repo: Repo) -> Faults:
    """Credentials are a flat map, ignored by git and by td wf push"""
    name = CREDENTIALS.removeprefix("ingestion/")
    if not repo.is_git_ignored(CREDENTIALS):
        yield Place(".gitignore", 1), f"git must ignore {CREDENTIALS}; if it is committed, git rm --cached it"
    if not is_ignored(name, repo.text("ingestion/.digdagignore")):
        yield Place("ingestion/.digdagignore", 1), f"must name {name}: td wf push does not read .gitignore"
    if repo.credentials is None:
        yield Place(CREDENTIALS, 1), 'must be a map, {"klaviyo_api_token": "pk_..."}'
    for key, value in repo.credentials or ():
        if not isinstance(value, str) or not re.fullmatch(r"[a-zA-Z]\w*(\.[a-zA-Z]\w*)*", key):
            yield repo.in_credentials(key), f"{key}: td wf secrets takes texts, under names of letters"


def no_key_is_shared(repo: Repo) -> Faults:
    """No file that git or td wf push takes holds a key"""
    in_git = repo.in_git
    if in_git is None:
        in_git = [path for path in repo.files(".") if not repo.is_git_ignored(path)]
    for file in {*in_git, *repo.pushed}:
        content = repo.bytes(file)
        for found in KEY.finditer(content):
            line = content.count(b"\n", 0, found.start()) + 1
            yield Place(file, line), f"here is a key: keep it in {CREDENTIALS} alone, and get a new one"


def archive_is_small(repo: Repo) -> Faults:
    """The archive is small enough to push"""
    sizes = {file: os.lstat(repo.root / file).st_size for file in repo.pushed}
    if sum(sizes.values()) > MAX_ARCHIVE:
        why = f"all files have {sum(sizes.values()) / 1e6:.1f} MB, TD takes 2: name some in .digdagignore"
        yield Place(max(sizes, key=sizes.get), 1), why


# ---------------------------------------------------------------------------------------------
# Gates of what is loaded
# ---------------------------------------------------------------------------------------------


def expect(found: Map, key: str, wanted: str, pattern: str = "") -> Faults:
    """That a value is the one wanted, or fits a pattern that means the same."""
    given = found.text(key).replace(" ", "")
    if given != wanted and not (pattern and re.fullmatch(pattern, given)):
        yield found.at(key), f"{key} must be {wanted}, not {given or 'empty'}"


def datasources_are_complete(repo: Repo) -> Faults:
    """Datasources are complete"""
    for name in LISTS:
        if not repo.map(DATASOURCES).maps(name):
            yield repo.map(DATASOURCES).at(name), f"{name} must be a list of maps, one for each object"
    tables: dict[str, Place] = {}
    backfills = [entry.text("table_name") for name, entry in repo.entries if name == "hist_datasources"]
    historical = "|".join(map(re.escape, backfills))
    for name, entry in repo.entries:
        table, place = entry.text("table_name"), entry.at("table_name")
        yield from expect(entry, "table_name", "3 to 128 of a-z, 0-9 and _", r"[a-z0-9_]{3,128}")
        if tables.setdefault(table, place) != place:
            yield place, f"{table} is the table of line {tables[table].line} too, each entry needs its own"
        yield from expect(entry, "config_file", "a load file in config/", r".+")
        yield from expect(entry, "workflow_name", LISTS[name])
        # What changed must not replace all the rest; a full load must not append it all again.
        yield from expect(entry, "mode", "append" if entry.text("incremental_field") else "replace")
        if name == "inc_datasources":
            yield from expect(entry, "historical_table", "a table of hist_datasources", historical)
            yield from expect(entry, "lookback_seconds", "a number of seconds, 0 for none", r"[0-9]+")
        else:
            yield from expect(entry, "window_days", "a number of days, or empty", r"([1-9][0-9]*)?")


def fields_have_both_names(repo: Repo) -> Faults:
    """Campaigns' fields, and all others, have the right two names"""
    for name, entry in repo.entries:
        source, known = entry.text("name"), FIELDS[name]
        meant = OTHER_NAMES.get(source) or "".join(difflib.get_close_matches(source, known, 1, 0.85))
        yield from expect(entry, "name", meant or "a data source of the connector", "" if meant else r".+")
        keys = ("incremental_field", "incremental_field_connector")
        if any(entry.text(key) for key in keys):
            names = known.get(source, ("the table's name", "the API's name"))
            for key, wanted in zip(keys, names, strict=True):
                yield from expect(entry, key, wanted, "" if source in known else r".+")


def fields_are_in_their_place(repo: Repo) -> Faults:
    """SQL gets the table's field, load files the API's"""
    for file in repo.queries:
        sql = without_comments(repo.text(file))
        for found in re.finditer(r"\bincremental_field_connector\b", sql):
            yield place_in(file, sql, found.start()), "must be incremental_field: this is SQL"
    for text in (text for step in repo.steps if step.operator == "td>" for text in step.texts):
        if "incremental_field_connector" in text:
            yield text.at("incremental_field_connector"), "must be incremental_field: this goes to SQL"
    for entry, load in repo.load_files:
        if entry.text("incremental_field") and entry.text("name") not in WITHOUT_FIELD:
            same = re.escape(entry.text("incremental_field_connector"))
            yield from expect(load.map("in"), "incremental_field", API_FIELD, same)


def events_have_no_field(repo: Repo) -> Faults:
    """Events have no incremental_field, and skip related objects"""
    for source in (load.map("in") for entry, load in repo.load_files if entry.text("name") in WITHOUT_FIELD):
        if "incremental_field" in source:
            yield source.at("incremental_field"), "the connector refuses incremental_field here: delete it"
        yield from expect(source, "skip_related_objects", "true")


def load_files_are_complete(repo: Repo) -> Faults:
    """Load files ask for their window, and fill the column time"""
    for entry, load in repo.load_files:
        source = load.map("in")
        yield from expect(source, "type", "klaviyo")
        yield from expect(source, "data_source", "${datasource.name}", re.escape(entry.text("name")))
        yield from expect(source, "td_authentication_id", "given", r".+")
        yield from expect(load.map("out"), "mode", "${datasource.mode}", re.escape(entry.text("mode")))
        if entry.text("incremental_field"):
            yield from expect(source, "incremental", "true")
            for key in ("start_time", "end_time"):
                window = f"td.last_results.{key}"  # without it the connector loads everything
                yield from expect(source, key, "${" + window + "}", rf"(?s).*\b{window}\b.*")
        else:
            yield from expect(source, "incremental", "false", r"")
        times = [one.map("from_value") for one in load.maps("filters") if one.text("type") == "add_time"]
        for time in times or [Map(load.at("filters"))]:
            yield from expect(time, "mode", "upload_time")


def timestamps_have_one_form(repo: Repo) -> Faults:
    """Timestamps are YYYY-MM-DDTHH:MM:SS.000000, without a zone"""
    for entry in (entry for _, entry in repo.entries if not is_past(entry.text("default_start_time"))):
        given = entry.text("default_start_time") or "empty"
        yield entry.at("default_start_time"), f"default_start_time must be a past {FORM}, not {given}"
    for text in (text for step in repo.steps if step.operator not in TALK_TO_PEOPLE for text in step.texts):
        for time in wrong_times(text):
            yield text.at(time), f"{time} must be {FORM}"
    for text in (text for _, load in repo.load_files for text in texts(load)):
        for time in wrong_times(text) + wrong_formats(text):
            yield text.at(time), f"{time} must be {FORM}"
    for file in repo.queries:
        for number, line in enumerate(without_comments(repo.text(file)).split("\n"), 1):
            for time in wrong_times(line) + wrong_formats(line):
                yield Place(file, number), f"{time} must give {FORM}"


def wrong_times(text: str) -> list[str]:
    """What means to be a time, or the end of one, in another form."""
    literals = [found[0] for found in TIME_LITERAL.finditer(text) if not TIMESTAMP.fullmatch(found[0])]
    return literals + [found[0] for found in TIME_ENDING.finditer(text) if found[0] != ".000000"]


def wrong_formats(text: str) -> list[str]:
    """What would give a time in another form."""
    formats = [found[0] for found in TIME_FORMAT.finditer(text) if not found[0].endswith(".000000")]
    return formats + [found[0] for found in TIME_UNIT.finditer(text) if not ENDING.match(text, found.start())]


def is_past(time: str) -> bool:
    try:
        return bool(TIMESTAMP.fullmatch(time)) and datetime.fromisoformat(time) < datetime.now()
    except ValueError:
        return False


# ---------------------------------------------------------------------------------------------
# Gates of how it is loaded
# ---------------------------------------------------------------------------------------------


def keys_are_known(repo: Repo) -> Faults:
    """Operators and keys are those that Digdag knows"""
    for step in repo.steps:
        known = WORKFLOW_KEYS if not step.parent else TASK_KEYS if step.operator else GROUP_KEYS
        for key, value in step.body.items():
            if key.startswith("+"):
                if step.operator or not isinstance(value, Map):
                    yield key.place, f"{key} must be a map of its own, in a group or in a _do"
            elif key.endswith(">"):
                if key not in OPERATORS:
                    yield key.place, f"there is no operator {key}{nearest(key, OPERATORS)}"
                elif key != step.operator or not step.parent:
                    yield key.place, f"{key} needs a task of its own"
            elif key not in known and (key.startswith("_") or not step.operator):
                yield key.place, f"Digdag knows no {key} here{nearest(key, known | OPERATORS)}"
            for name in value if key in NESTED_KEYS and isinstance(value, Map) else ():
                if name not in NESTED_KEYS[key]:
                    yield name.place, f"{key} knows no {name}{nearest(name, NESTED_KEYS[key])}"
        if step.operator in NEEDS and not any(key in step.body for key in NEEDS[step.operator]):
            yield step.body.at(step.operator), f"{step.operator} needs {' or '.join(NEEDS[step.operator])}"


def variables_are_defined(repo: Repo) -> Faults:
    """Every ${variable} is defined"""
    scripted = {step.workflow for step in repo.steps if step.operator in MAKE_ANY_VARIABLE}
    runs: dict[str, list[Step]] = {}
    for step in (step for step in repo.steps if step.workflow not in scripted):
        for text in step.texts:
            for _, name in variables(text):
                if fault := step.undefined(name):
                    yield text.at(name), fault
        for file in step.files:
            runs.setdefault(file, []).append(step)
    for file, steps in runs.items():
        for offset, name in variables(repo.text(file)):
            faults = [step.undefined(name) for step in steps]
            if all(faults):
                yield place_in(file, repo.text(file), offset), faults[0]
            for step, fault in zip(steps, faults, strict=True):
                if fault and not all(faults):
                    yield step.body.at(step.operator), f"{file} needs {name}: {fault}"


def workflows_run_in_utc(repo: Repo) -> Faults:
    """Workflows run in UTC"""
    for root in repo.loaders:
        yield from expect(root.body, "timezone", "UTC")


def before(load: Step) -> list[Step]:
    """The tasks of the same object that run before a load."""
    earlier = load.repo.steps[: load.repo.steps.index(load)]
    earlier = [step for step in earlier if step.workflow == load.workflow and not step.after_error]
    return [step for step in earlier if step.object is load.object]


def after(load: Step) -> list[Step]:
    """The tasks of the same workflow that run after a load that went well."""
    later = load.repo.steps[load.repo.steps.index(load) :]
    return [step for step in later if step.workflow == load.workflow and not step.after_error]


def loads_are_logged(repo: Repo) -> Faults:
    """Each load stands between its log steps, each with its SQL file"""
    for step in repo.steps:
        file = f"sql/{step.name[1:]}.sql"
        if re.fullmatch(r"\+log_ingestion_(start|success|error)", step.name) and step.command != file:
            yield step.body.at(step.operator), f"{step.name} must run {file}"
    for root in repo.loaders:
        if root.workflow not in {load.workflow for load in repo.loads}:
            yield Place(root.path, 1), "there is no td_load>, so nothing is loaded"
    for load in repo.loads:
        if not any(step.logs("start") for step in before(load)):
            yield load.place, "a task before this one must run sql/log_ingestion_start.sql"
        if not any(step.logs("success") and step.object is load.object for step in after(load)):
            yield load.place, "a task after this one must run sql/log_ingestion_success.sql"


def log_rows_find_their_load(repo: Repo) -> Faults:
    """Log rows name the table that is loaded, and the workflow"""
    for load in repo.loads:
        for step in (step for step in before(load) + after(load) if step.object is load.object):
            if step.logs("start") or step.logs("success"):
                yield from expect(step.body, "source_name", load.body.text("table"))
    for step in repo.steps:
        if "workflow_name" in step.body:
            yield from expect(step.body, "workflow_name", step.workflow, r"\$\{.*")
        others = [name for name, owner in LISTS.items() if step.workflow in {*LISTS.values()} - {owner}]
        for text, name in ((text, name) for text in step.texts for name in others if name in text):
            yield text.at(name), f"{name} is for {LISTS[name]}, not for {step.workflow}"


def errors_are_logged(repo: Repo) -> Faults:
    """_error blocks log what fails, in each object and in the run"""
    logs = [step for step in repo.steps if step.logs("error")]
    for block in dict.fromkeys([*repo.loaders, *(load.object for load in repo.loads if load.object)]):
        if not any(above.name == "_error" and above.parent is block for step in logs for above in step.above):
            yield block.body.at("_error"), "an _error here must run sql/log_ingestion_error.sql"


def at_most_three_at_once(repo: Repo) -> Faults:
    """At most three loads run at once (_parallel: limit: 3)"""
    for load in repo.loads:
        at_once = 1
        for step in load.above:
            parallel, limit = step.body.map("_parallel"), step.body.map("_parallel").text("limit")
            if parallel or step.body.text("_parallel").lower() == "true":
                tasks = 99 if step.operator else len(step.steps)
                at_once *= min(tasks, int(limit) if re.fullmatch(r"[1-9][0-9]?", limit) else 99)
                if at_once > 3:
                    place = parallel.at("limit") if parallel else step.body.at("_parallel")
                    yield place, "limit must be 3 or less, or less still for one _parallel in another"
                    break


def failures_are_contained(repo: Repo) -> Faults:
    """A load that fails holds up no other, and fails the run"""
    for load in (load for load in repo.loads if load.object):
        loop = load.object.parent
        if "_parallel" in loop.body and not any("_retry" in step.body for step in loop.above):
            yield loop.place, "a group around this needs _retry: no batch starts after a failed load"
        if not any(step.operator == "fail>" and step.object is not load.object for step in after(load)):
            yield loop.place, "a task after this one needs fail>: the run would end well all the same"


def windows_fall_back(repo: Repo) -> Faults:
    """Windows are a COALESCE over incremental table, historical table, default start"""
    for load in (load for load in repo.loads if load.workflow in LISTS.values()):
        queries = [step for step in before(load) if step.stores_results]
        if not queries:
            yield load.place, "a td> before this one must get the window, with store_last_results: true"
        elif load.workflow == LISTS["inc_datasources"]:
            for file in queries[-1].files:
                yield from missing_fallback(file, without_comments(repo.text(file)))


def missing_fallback(file: str, sql: str) -> Faults:
    """That no COALESCE in a query goes from the one table to the other, and on to the default."""
    table = r"\b(?:FROM|JOIN)\s+(?:\$\{[^{}]*\}\.|\w+\.)?\$\{\s*datasource\."
    wanted = [table + "table_name", table + "historical_table", r"datasource\.default_start_time"]
    subqueries = {found[1]: ",".join(arguments(sql, found.end())) for found in SUBQUERY.finditer(sql)}
    first = 0
    for found in re.finditer(r"\bCOALESCE\s*\(", sql, re.IGNORECASE):
        first = first or found.start()
        read = arguments(sql, found.end())
        for number, argument in enumerate(read):
            read[number] += " ".join(text for name, text in subqueries.items() if f"{name}." in argument)
        order = [next((n for n, text in enumerate(read) if re.search(one, text)), -1) for one in wanted]
        if -1 < order[0] < order[1] < order[2]:
            return
    yield place_in(file, sql, first), "must be COALESCE(newest of table_name, of historical_table, default)"


# ---------------------------------------------------------------------------------------------
# The report
# ---------------------------------------------------------------------------------------------

GATES = [
    files_can_be_read,
    files_exist,
    files_are_used,
    keys_are_known,
    variables_are_defined,
    workflows_run_in_utc,
    datasources_are_complete,
    timestamps_have_one_form,
    fields_have_both_names,
    fields_are_in_their_place,
    events_have_no_field,
    load_files_are_complete,
    loads_are_logged,
    log_rows_find_their_load,
    errors_are_logged,
    at_most_three_at_once,
    failures_are_contained,
    windows_fall_back,
    credentials_stay_here,
    no_key_is_shared,
    archive_is_small,
]


def check(root: Path) -> list[Gate]:
    """Every gate, with what it finds in the repo at `root`."""
    if not os.path.isdir(root / "ingestion"):
        return [Gate("There are workflows", [Problem("ingestion", 1, f"there is no such folder in {root}")])]
    repo, gates = Repo(root), []
    for gate in GATES:
        faults: dict[Place, str] = {}  # one for each line: others in it may be consequences
        for place, text in gate(repo):
            faults.setdefault(place, text)
        gates.append(Gate(gate.__doc__, [Problem(*place, faults[place]) for place in sorted(faults)]))
        if gate is files_can_be_read and faults:
            break  # what cannot be read would be missed by every other gate
    return gates


def report(gates: list[Gate]) -> str:
    """A line a gate, and under a failed one a line a problem."""
    lines = []
    for gate in gates:
        lines.append(f"{'✗' if gate.problems else '✓'} {gate.name}")
        lines += [f"    {problem.path}:{problem.line}: {problem.text}" for problem in gate.problems]
    return "\n".join(lines)


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Check the Klaviyo ingestion of a repo.")
    parser.add_argument("root", nargs="?", type=Path, help="the repo; else the one that this script is in")
    parser.add_argument("--json", action="store_true", help="print the gates as JSON")
    options = parser.parse_args(argv)
    own = Path(__file__).absolute().parent.parent
    gates = check(options.root or (own if (own / "ingestion").is_dir() else Path.cwd()))
    as_json = [
        {"name": name, "passed": not problems, "problems": [problem._asdict() for problem in problems]}
        for name, problems in gates
    ]
    sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    print(json.dumps(as_json, indent=2) if options.json else report(gates))
    return 1 if any(gate.problems for gate in gates) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

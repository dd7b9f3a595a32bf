"""Tell the Klaviyo accounts of a repo apart, and name what belongs to each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from posixpath import basename
from typing import Any, NamedTuple

import yaml

from .digdag_yaml import LOADER
from .tree import Tree

# The lists of datasources in the file of an account.
INCREMENTAL, BACKFILL = "inc_datasources", "hist_datasources"
# What the account is called after that came first, and has no name. Every other one is klaviyo_<account>.
FIRST = "klaviyo"
ANSWERS_FILE = re.compile(r"\.copier-answers[^/]*\.ya?ml")
_DATASOURCES = re.compile(r"ingestion/config/(klaviyo(_\w+)?)_datasources\.yml")

# What files, workflows, tables and secrets are called after each account, beside those of its objects.
OWN_NAMES = (
    "api_token", "backfill_coverage", "backfill_progress", "concurrent_run", "copies_to_remove",
    "datasources", "duplicates", "failures", "freshness", "hist", "ingest_hist", "ingest_inc", "latest",
    "latest_changes", "latest_delete", "latest_insert", "latest_rebuild", "latest_rows", "latest_tables",
    "log_ingestion_error", "log_ingestion_start", "log_ingestion_success", "monitoring",
    "objects_to_load", "preflight", "reconciliation", "remove_copies", "run_result", "runs",
    "slack_webhook", "stale", "status", "unfinished_loads", "windows",
)  # fmt: skip
# What tables and files of an object are called after it.
OF_AN_OBJECT = ("", "_hist", "_latest", "_load")


class Account(NamedTuple):
    """An account, by what its files, workflows and tables are called after: klaviyo, or klaviyo_uk."""

    source: str

    @property
    def datasources(self) -> str:
        """The file of its datasources."""
        return f"ingestion/config/{self.source}_datasources.yml"

    @property
    def lists(self) -> dict[str, str]:
        """Its lists of datasources, each with the workflow that it belongs to."""
        return {INCREMENTAL: f"{self.source}_ingest_inc", BACKFILL: f"{self.source}_ingest_hist"}

    @property
    def scratch(self) -> str:
        """What the tables are called after that hold what preflight tries: they are dropped again."""
        return f"{self.source}_preflight_"

    def sql(self, name: str) -> str:
        """One of its queries, as a workflow names it."""
        return f"sql/{self.source}_{name}.sql"

    def log_sql(self, what: str) -> str:
        """The query that logs a start, a success or an error."""
        return self.sql(f"log_ingestion_{what}")


def answers_file_option(file: str) -> str:
    """How a command of Copier's is told an account, by its answers file; nothing for the usual one."""
    return "" if file == ".copier-answers.yml" else f" --answers-file {file}"


def owner(name: str, sources: Iterable[str]) -> str:
    """Whose a file, a workflow or a table is, by its name; empty, if it is none of theirs.

    One account's name may begin like another's: klaviyo_uk_profiles is of klaviyo_uk, and not of klaviyo.
    """
    return max(
        (each for each in sources if f"{name}.".startswith((f"{each}_", f"{each}."))), key=len, default=""
    )


def is_preflights(name: str) -> bool:
    """Whether an object or an account of this name would have tables that preflight makes and drops.

    Its lines are in klaviyo_preflight, and what it tries of an object x in klaviyo_preflight_x.
    """
    return bool(re.fullmatch(r"preflight(_.*)?", name))


def name_met_by(longer: str, objects: Iterable[str]) -> str:
    """Which name of an account is another account's too; empty, if none is.

    Args:
        longer: what the other one is called beyond the name of the account.
        objects: the objects of the account.
    """
    if is_preflights(longer):
        return "preflight"
    all_names = [*OWN_NAMES, *(f"{each}{end}" for each in objects for end in OF_AN_OBJECT)]
    return next((name for name in all_names if f"{name}_".startswith(f"{longer}_")), "")


def accounts_that_meet(objects: Mapping[str, Iterable[str]]) -> Iterator[tuple[str, str, str]]:
    """Which accounts have names that another one has too: each as account, name and the other.

    Args:
        objects: of each account, by what it is called.
    """
    for source, own in objects.items():
        for other in objects:
            if other.startswith(f"{source}_") and (name := name_met_by(other[len(source) + 1 :], own)):
                yield source, name, other


def stored_answers(text: str) -> dict[str, Any]:
    """What an answers file says; nothing, if it is another template's."""
    try:
        answers = yaml.load(text, LOADER)
    except (yaml.YAMLError, ValueError):
        return {}
    return answers if isinstance(answers, dict) and "events_lookback_hours" in answers else {}


def source_of(answers: dict[str, Any]) -> str:
    """What the account of an answers file is called after; versions that knew of none stored none."""
    return f"{FIRST}_{answers['account']}" if answers.get("account") else FIRST


class Accounts:
    """The accounts of a repo: those that have an answers file or a file of datasources.

    Attributes:
        source: the account whose version the gates are of.
        answers: what each answers file says; nothing, if it is another template's.
        versions: what each account was made by, as far as its answers file says so.
    """

    def __init__(self, tree: Tree, source: str) -> None:
        self.source = source
        texts = {path: tree.start(path, 1_000_000) for path in tree.paths() if ANSWERS_FILE.fullmatch(path)}
        self.answers = {path: stored_answers(text.decode(errors="replace")) for path, text in texts.items()}
        self.versions = {source_of(each): each.get("_commit") for each in self.answers.values() if each}
        named = (_DATASOURCES.fullmatch(path) for path in tree.paths("ingestion/config"))
        sources = {*self.versions, *(found[1] for found in named if found)} or {FIRST}
        self._all = [Account(each) for each in sorted(sources)]

    def __iter__(self) -> Iterator[Account]:
        return iter(self._all)

    def of(self, path: str) -> Account:
        """Whose a file is, by its name; what is called after no account is the first one's."""
        return Account(self._owner(path) or FIRST)

    def is_of_another_version(self, path: str) -> bool:
        """Whether a file is of an account that another version made than the one whose gates these are."""
        source = self._owner(path)
        own = self.versions.get(self.source, self.versions.get(source))
        return source in self.versions and self.versions[source] != own

    def _owner(self, path: str) -> str:
        return owner(basename(path), [account.source for account in self])

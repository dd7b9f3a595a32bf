"""The Klaviyo accounts of a repo: what each one's files, workflows and tables are called after."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

import yaml

from .digdag_yaml import LOADER

# The lists of datasources in the file of an account.
INCREMENTAL, BACKFILL = "inc_datasources", "hist_datasources"
# What the account is called after that came first, and has no name. Every other one is klaviyo_<account>.
FIRST = "klaviyo"
ANSWERS_FILE = re.compile(r"\.copier-answers[^/]*\.ya?ml")


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


def owner(name: str, sources: Iterable[str]) -> str:
    """Whose a file, a workflow or a table is, by its name; empty, if it is none of theirs.

    One account's name may begin like another's: klaviyo_uk_profiles is of klaviyo_uk, and not of klaviyo.
    """
    return max(
        (each for each in sources if f"{name}.".startswith((f"{each}_", f"{each}."))), key=len, default=""
    )


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

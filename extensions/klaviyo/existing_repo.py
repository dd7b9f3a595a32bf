"""Find what is in the destination already, and whose it is."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import yaml
from jinja2 import pass_context
from jinja2.runtime import Context

from .errors import BadAnswer
from .ingestion_check.digdag_yaml import LOADER, Map, Reader, Text
from .ingestion_check.repo import SIGNATURE
from .rules import check_database

DATABASE_FILE = "ingestion/config/database.yml"
CHECK = "scripts/check_ingestion.py"
WORKFLOW = ".github/workflows/check.yml"
DEFAULT_DATABASE = "client_src"

# Copier forgets where it was started: in an update it asks for `_skip_if_exists` from within a temporary
# folder, through an environment in which nothing was asked yet, and for a destination that may be relative.
# So the process must remember, under a name that every released version knows.
STARTED_IN = "KLAVIYO_TEMPLATE_STARTED_IN"


def remember_where_copier_was_started() -> None:
    os.environ[STARTED_IN] = os.getcwd()


def destination(context: Context, path: str) -> Path:
    """Where a path of the client's repo is on this machine."""
    return Path(os.environ.get(STARTED_IN, "")) / context["_copier_conf"]["dst_path"] / path


def is_aside(context: Context) -> bool:
    """Whether an update renders into a folder of its own, to compare versions, and not into the client's.

    Only the folder's name tells: nothing else sets it apart from a copy into an empty folder.
    """
    parts = context["_copier_conf"]["dst_path"].parts
    return any(re.match(r"copier\..*\.(old|new)_copy\.", part) for part in parts)


def read_yaml(context: Context, path: str) -> Any:
    """What a YAML file of the destination says; None where there is none, or it is not YAML."""
    try:
        return yaml.load(destination(context, path).read_text(encoding="utf-8"), LOADER)
    except (OSError, ValueError, yaml.YAMLError):
        return None


def written_database(context: Context) -> Text:
    """What the `config/database.yml` in the destination says; empty, if it names no database."""
    try:
        text = destination(context, DATABASE_FILE).read_text(encoding="utf-8")
        said = Reader(DATABASE_FILE, text, lambda _: None).read()
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        return Text("")
    database = said.section("databases").get("src") if isinstance(said, Map) else None
    return database if isinstance(database, Text) else Text("")


@pass_context
def existing_database(context: Context) -> str:
    """The database that the `config/database.yml` in the destination names; empty, if it names none."""
    written = written_database(context)
    try:
        check_database(str(written))
    except BadAnswer:
        return ""
    return str(written) if written.read_as == written else ""


def is_of_others(context: Context, path: str) -> bool:
    """Whether there is a file that was not rendered from this template."""
    file = destination(context, path)
    if not (
        file.is_file() and os.access(file, os.R_OK)
    ):  # what cannot be read is refused before it is written
        return False
    return SIGNATURE not in file.read_text(encoding="utf-8", errors="replace")


@pass_context
def unless_ours(context: Context, path: str) -> str:
    """The path, if another source's file stands there; else nothing. For `_skip_if_exists`."""
    return path if is_of_others(context, path) else ""


@pass_context
def lines_of_others(context: Context, path: str) -> str:
    """What an ignore file of another source says; ours come below it, and so they win."""
    file = destination(context, path)
    text = file.read_bytes().decode("utf-8") if file.is_file() else ""
    theirs = re.split(rf"^.*{SIGNATURE}", text, maxsplit=1, flags=re.MULTILINE)[0]
    newline = "\r\n" if theirs.endswith("\r\n") else "\n"
    theirs = theirs.rstrip("\r\n")
    return theirs and theirs + 2 * newline


def workflows_of_others(context: Context) -> list[str]:
    """The workflows in the destination that are another source's, and pushed together with Klaviyo's."""
    found = destination(context, "ingestion").glob("*.dig")
    return sorted(file.name for file in found if not file.name.startswith("klaviyo_"))


@pass_context
def joins_others(context: Context) -> bool:
    """Whether this is a first copy into a repo whose project another source is pushed to already."""
    return is_new_repo(context) and bool(workflows_of_others(context))


@pass_context
def is_new_repo(context: Context) -> bool:
    """Whether this is the first copy: there is no answers file yet."""
    return not destination(context, context["_copier_conf"]["answers_file"]).exists()

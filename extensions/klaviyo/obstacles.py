"""What in the destination makes a copy or an update impossible."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version

from jinja2.runtime import Context

from .credentials import read_credentials
from .destination import (
    CHECK,
    DATABASE_FILE,
    DEFAULT_DATABASE,
    WORKFLOW,
    destination,
    existing_database,
    is_new_repo,
    is_of_others,
    read_yaml,
)
from .ingestion_check.credentials import PATH


def place_problems(context: Context) -> Iterator[str]:
    """Say what in the destination makes a copy or an update impossible, a line each."""
    answers_file = context["_copier_conf"]["answers_file"]
    answers = read_yaml(context, answers_file)
    if isinstance(answers, dict) and "_src_path" in answers and "events_lookback_hours" not in answers:
        own = "--answers-file .copier-answers.klaviyo.yml"
        yield f"{answers_file}: is another template's, so add {own} for this one."
    try:
        read_credentials(destination(context, PATH))
    except ValueError as error:
        yield f"{PATH}: {error}"
    if is_new_repo(context) and is_of_others(context, CHECK):
        yield f"{CHECK}: is not this template's, rename it."
    if is_of_others(context, DATABASE_FILE):
        if not existing_database(context):
            yield f"{DATABASE_FILE}: must name the database under databases.src."
        # Older ones take `_skip_if_exists` unrendered where an update merges.
        if tuple(int(part) for part in version("copier").split(".")[:3]) < (9, 10, 3):
            yield f"{DATABASE_FILE}: is another source's, which needs Copier 9.10.3 or newer."


def clashes_with_others(context: Context) -> Iterator[str]:
    """Say which answers the files of another source rule out, a line each."""
    ours, theirs = context["target_database"] or DEFAULT_DATABASE, existing_database(context)
    if is_of_others(context, DATABASE_FILE) and ours != theirs:
        yield (
            f"target_database: {ours!r} is invalid, {DATABASE_FILE} of another source says {theirs!r}: "
            f"-d target_database={theirs} fixes it."
        )
    stored = read_yaml(context, context["_copier_conf"]["answers_file"]) or {}
    if is_of_others(context, WORKFLOW) and stored.get("ci") == "github" and context["ci"] == "none":
        # An update deletes what the old answers rendered and the new do not, whosever it is.
        yield f"ci: 'none' is invalid, {WORKFLOW} of another source would be deleted: -d ci=github keeps it."

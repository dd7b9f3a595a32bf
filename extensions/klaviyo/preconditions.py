"""Find what in the destination makes a copy or an update impossible."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from jinja2.runtime import Context

from .credentials_file import read_credentials, wanted_text
from .existing_repo import (
    CHECK,
    DATABASE_FILE,
    DEFAULT_DATABASE,
    WORKFLOW,
    destination,
    existing_database,
    is_new_repo,
    is_of_others,
    read_yaml,
    written_database,
)
from .ingestion_check.credentials import PATH
from .ingestion_check.git import git

IGNORE_FILES = (".gitignore", "ingestion/.gitignore", "ingestion/.digdagignore")


def place_problems(context: Context) -> Iterator[str]:
    """Say what in the destination makes a copy or an update impossible, a line each."""
    answers_file = context["_copier_conf"]["answers_file"]
    answers = read_yaml(context, answers_file)
    if isinstance(answers, dict) and "_src_path" in answers and "events_lookback_hours" not in answers:
        own = "--answers-file .copier-answers.klaviyo.yml"
        yield f"{answers_file}: belongs to another template: add {own} for this one."
    try:
        read_credentials(destination(context, PATH))
    except ValueError as error:
        yield f"{PATH}: {error}"
    for path in IGNORE_FILES:
        file = destination(context, path)
        if os.access(file, os.R_OK) and file.is_file() and not _is_utf8(file):
            yield f"{path}: is not UTF-8, save it as UTF-8."
    if is_new_repo(context) and is_of_others(context, CHECK):
        yield f"{CHECK}: is not from this template: rename it."
    if is_of_others(context, DATABASE_FILE):
        written = written_database(context)
        if written.read_as not in ("", written):
            yield (
                f"{DATABASE_FILE}: Digdag reads src: {written} as {written.read_as}. "
                f'Quote the database that is meant, src: "{written.read_as}" or src: "{written}".'
            )
        elif not existing_database(context):
            yield f"{DATABASE_FILE}: must name the database under databases.src."


def clashes_with_others(context: Context) -> Iterator[str]:
    """Say which answers the files of another source rule out, a line each."""
    ours, theirs = context["target_database"] or DEFAULT_DATABASE, existing_database(context)
    if is_of_others(context, DATABASE_FILE) and ours != theirs:
        yield (
            f"target_database: {ours!r} is invalid, {DATABASE_FILE} of another source says {theirs!r}: "
            f"-d target_database={theirs} fixes it."
        )
    stored = read_yaml(context, context["_copier_conf"]["answers_file"]) or {}
    turns_ci_off = stored.get("ci") == "github" and context["ci"] == "none" and not context["account"]
    if is_of_others(context, WORKFLOW) and turns_ci_off:
        # An update deletes what the old answers rendered and the new do not, whosever it is.
        yield f"ci: 'none' is invalid, {WORKFLOW} of another source would be deleted: -d ci=github keeps it."


def files_out_of_reach(context: Context, texts: Mapping[str, str]) -> Iterator[str]:
    """Say which files cannot be written, or would lose what git does not see, a line each.

    Args:
        texts: what is to be written, by its path; without the credentials.
    """
    folder = destination(context, "")
    new = dict(texts)
    if context["writes_credentials"] and (text := wanted_text(context)) is not None:
        new[PATH] = text
    for path, text in new.items():
        file = folder / path
        nearest = next(each for each in (file, *file.parents) if each.exists())
        if not os.access(nearest, os.W_OK) and not _says(file, text):
            yield f"{path}: cannot be written, make {nearest} writable: chmod u+w."
    there = {path for path in new if (folder / path).is_file()}
    for path, flag in _hidden_from_git(folder).items() if there else ():
        if path in there and _differs_from_git(folder, path):
            yield (
                f"{path}: git does not see your edits in it ({flag}), and they would be lost: "
                f"git update-index --no-{flag} {path}, and commit them."
            )


def _hidden_from_git(folder: Path) -> dict[str, str]:
    """The files whose edits git was told to pass over, each with the flag that does it."""
    listed = (git(folder, "ls-files", "-v", "-z") or "").split("\0")
    flags = {line[2:]: line[:1] for line in listed if line}
    return {
        path: "skip-worktree" if flag in "Ss" else "assume-unchanged"
        for path, flag in flags.items()
        if flag in "Ss" or flag.islower()
    }


def _differs_from_git(folder: Path, path: str) -> bool:
    return git(folder, "hash-object", "--", path) != git(folder, "rev-parse", f":./{path}")


def _says(file: Path, text: str) -> bool:
    """Whether a file can be read, and says just this."""
    return file.is_file() and os.access(file, os.R_OK) and file.read_bytes() == text.encode()


def _is_utf8(file: Path) -> bool:
    try:
        file.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True

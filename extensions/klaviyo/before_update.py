"""Refuse updates that would lose the client's edits, before Copier touches a file."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context

from .answers import bad_answers, settings_defaults, wrong_account
from .errors import refusal
from .existing_repo import destination, read_yaml, remember_where_copier_was_started
from .ingestion_check.git import Failed, git
from .lost_edits import folders_elsewhere, ignored_everywhere
from .preconditions import place_problems
from .several_accounts import into
from .unknown_answers import unknown_answers

# Copier brings the client's edits back with `git apply`, and does not look whether git did it. With
# any other value of these settings git refuses the whole patch, or changes its trailing blanks.
HARMLESS = {
    "apply.whitespace": ("nowarn", "warn"),
    "apply.ignoreWhitespace": ("no", "none", "never", "false", "change"),
}

# The folder that this process updates. The renders that follow have an environment of their own each.
UPDATES = "KLAVIYO_TEMPLATE_UPDATES"


@pass_context
def check_update(context: Context) -> str:
    """Refuse an update that Copier would end half-way, or without the client's edits.

    `_message_before_update` calls this before Copier does anything. Under `-q` Copier renders no message;
    then `_migrations` does it, before the first migration and the first file.

    Returns:
        Nothing, as text, which is no reason to run a migration.

    Raises:
        UserMessageError: a line for each thing that is in the way.
    """
    remember_where_copier_was_started()
    conf = context["_copier_conf"]
    found = read_yaml(context, conf["answers_file"])
    stored = found if isinstance(found, dict) else {}
    lines = [
        *_ways_around(context),
        *_settings_of_git(context, stored),
        *folders_elsewhere(context),
        *bad_answers({**settings_defaults(context), **stored, **conf["data"]}),
        *wrong_account(context, {**stored, **conf["data"]}),
        *unknown_answers(context),
        *place_problems(context),
    ]
    if lines:
        raise refusal(lines)
    os.environ[UPDATES] = str(destination(context, "").resolve())
    return ""


def undo_migrations(context: Context) -> None:
    """Put back what migrations renamed or changed in an update that is refused after them.

    They come before the questions, whose answers may be refused. Copier updates a clean tree only: whatever
    is staged, a migration staged. A copy may find what a person staged, and leaves it.
    """
    folder = destination(context, "")
    if os.environ.pop(UPDATES, None) == str(folder.resolve()):
        staged = git(folder, "diff", "--cached", "--name-only", "--no-renames", "--relative", "-z", "HEAD")
        if paths := [path for path in (staged or "").split("\0") if path]:
            git(folder, "--literal-pathspecs", "restore", "--staged", "--worktree", "--", *paths)


def _ways_around(context: Context) -> Iterator[str]:
    """Say that Copier does not find back to the folder if its path leads over `..` or a link."""
    path = destination(context, "").absolute()
    if path != path.resolve():
        given, folder = context["_copier_conf"]["dst_path"], shlex.quote(str(path.resolve()))
        command = f"cd {folder} && copier update --trust{into(context)}"
        yield f"{given}: Copier can update the folder itself only: {command}"


def _settings_of_git(context: Context, stored: dict[str, Any]) -> Iterator[str]:
    """Say which settings of git's, the system's too, keep edits from coming back as they were."""
    found = {name: git(destination(context, ""), "config", "--get", name) for name in HARMLESS}
    bad = {
        name: value.strip()
        for name, value in found.items()
        if value is not None and value.strip() not in HARMLESS[name]
    }
    wanted = {name: HARMLESS[name][0] for name in bad}
    reasons = []
    if bad:
        given = ", ".join(f"{name}={value}" for name, value in bad.items())
        reasons.append(
            f"git's {'settings' if len(bad) > 1 else 'setting'} {given} would lose or change your edits"
        )
    if hidden := _hidden_by_ignore_files(context, stored):
        wanted |= {"core.excludesFile": "/dev/null", "init.templateDir": ""}
        reasons.append(hidden)
    if reasons:
        given = os.environ.get("GIT_CONFIG_COUNT", "")  # what is set in this way stays set
        first = int(given) if given.isdecimal() else 0
        values = " ".join(
            f"GIT_CONFIG_KEY_{number}={name} GIT_CONFIG_VALUE_{number}={value}"
            for number, (name, value) in enumerate(wanted.items(), first)
        )
        # Git asks this before the setting.
        folder = "GIT_TEMPLATE_DIR= " if hidden and "GIT_TEMPLATE_DIR" in os.environ else ""
        count = f"{folder}GIT_CONFIG_COUNT={first + len(wanted)}"
        them = "it" if len(wanted) == 1 else "them"
        command = f"{count} {values} copier update --trust{into(context)}"
        yield f"{'; '.join(reasons)}. To update without {them}: {command}"


def _hidden_by_ignore_files(context: Context, stored: dict[str, Any]) -> str:
    """Which files the ignore files of this machine keep from Copier; nothing, if none."""
    try:
        ignored = ignored_everywhere(context, stored)
    except Failed as error:
        return f"git does not say what it ignores in a new repo on this machine ({error})"
    if not ignored:
        return ""
    more = f" and {len(ignored) - 1} more" if len(ignored) > 1 else ""
    return f"{ignored[0]}{more}: ignored by git's settings on this machine, which would lose your edits"

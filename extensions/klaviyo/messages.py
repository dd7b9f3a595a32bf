"""Say what a person should know and do after a copy or an update, beside what the gates say."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from jinja2 import pass_context
from jinja2.runtime import Context

from .answers import objects_to_load
from .credentials_file import missing_webhook
from .existing_repo import destination, workflows_of_others
from .ingestion_check.credentials import without_token
from .ingestion_check.git import git
from .objects import CATALOGUE
from .schedules import freshness_warning
from .start_date import timestamp
from .unknown_answers import given_to_no_question


@pass_context
def into_git(context: Context) -> list[str]:
    """The commands that commit the repo, from where Copier was started."""
    folder = destination(context, "").resolve()
    is_in_git = any((each / ".git").exists() for each in (folder, *folder.parents))
    there = str(context["_copier_conf"]["dst_path"])
    return [
        *([f"cd {shlex.quote(there)}"] if folder != Path.cwd() else []),
        ("" if is_in_git else "git init && ") + 'git add --all . && git commit -m "Klaviyo ingestion"',
    ]


@pass_context
def neighbours(context: Context) -> list[str]:
    """What a first copy should say of the other workflows that a push takes along."""
    return [
        f"ingestion/ also has {name}: td_project must be the project that it is pushed to, or its schedule "
        f"would run in two projects. td_project is {context['td_project']!r} now."
        for name in workflows_of_others(context)[:1]
    ]


@pass_context
def notes(context: Context) -> list[str]:
    """What is as it was asked for, but should be looked at."""
    documented = [known.data_source for known in CATALOGUE]
    undocumented = [
        f"custom_objects: TD documents the connector for {', '.join(documented)}, not for "
        f"{each.data_source}: {context['source']}_preflight shows whether it can load that."
        for each in objects_to_load(context)
        if each.data_source not in documented
    ]
    asked = (
        _remark_on_a_name(context["td_authentication_id"], context["source"]),
        freshness_warning(int(context["freshness_hours"]), context["schedule"], context["source"]),
        missing_webhook(context),
    )
    return [*undocumented, *(note for note in asked if note)]


def _remark_on_a_name(authentication: str, source: str) -> str:
    """What to say of an authentication that is given by its name; nothing of a number."""
    if authentication.isdigit():
        return ""
    return (
        f"td_authentication_id: {authentication!r} is a name, and TD documents the number, with which the "
        f"authentication's URL ends. {source}_preflight shows whether the name works."
    )


def remarks(context: Context, credentials: str, updated: bool) -> Iterator[str]:
    """What there is to say, each with an empty line before it.

    Args:
        credentials: what was done to the credentials file.
        updated: whether this was an update, and not a copy.
    """
    conf = context["_copier_conf"]
    folder = Path(conf["dst_path"])
    if not updated or "default_start_date" in conf["data"]:
        yield f"\nThe backfill starts at {timestamp(context['default_start_date'])}, UTC."
    if credentials:
        yield f"\n{credentials}"
    if unknown := given_to_no_question(context):
        yield f"\nNot used, as the template has no such question: {', '.join(sorted(unknown))}"
    if _had_token(folder, conf["answers_file"]):
        yield (
            f"\nThe token in the template's URL was removed from {conf['answers_file']}, but is still in\n"
            "git's history: revoke it, and give a new one to git's credential helper (docs/updates.md)."
        )
    if updated and (removed := _removed_files(folder)):
        yield (
            "\nREMOVED, as the template no longer has these files for your answers. Your edits are\n"
            "in git: git show HEAD:./FILE\n" + "\n".join(f"  {file}" for file in removed)
        )


def _had_token(folder: Path, answers_file: Path) -> bool:
    """Whether the URL of the template has a token in the last commit."""
    committed = git(folder, "show", f"HEAD:./{answers_file}") or ""
    found = re.search(r"^_src_path:.*(?:\n .*)*", committed, re.MULTILINE)
    return bool(found and without_token(found[0]) != found[0])


def _removed_files(folder: Path) -> list[str]:
    """The files of the last commit that are gone; an update begins in a clean tree, so all are its doing."""
    gone = git(folder, "diff", "--name-only", "--diff-filter=D", "--find-renames", "--relative", "-z", "HEAD")
    return [path for path in (gone or "").split("\0") if path]

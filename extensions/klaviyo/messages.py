"""Say what a person should know and do after a copy or an update, beside what the gates say."""

from __future__ import annotations

import re
import shlex
import textwrap
from collections.abc import Iterator
from pathlib import Path

from jinja2 import pass_context
from jinja2.runtime import Context

from .answers import COLUMNS, objects_to_load
from .credentials_file import has_placeholder, missing_webhook
from .existing_repo import destination, workflows_of_others
from .ingestion_check.credentials import PATH, without_token
from .ingestion_check.git import git
from .objects import CATALOGUE
from .regions import td
from .schedules import freshness_warning
from .several_accounts import accounts_to_follow, update_command
from .start_date import timestamp
from .unknown_answers import given_to_no_question

BEGIN_OF_KLAVIYO = "2012"


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


def in_80_columns(text: str) -> str:
    """A message whose lines fit into a terminal: a command goes on after a backslash."""
    return "\n".join(
        fitting
        for line in text.splitlines()
        for fitting in (_continued(line) if line.startswith(5 * " ") else _wrapped(line))
    )


def _wrapped(line: str) -> list[str]:
    """A sentence, in lines that begin below its first word."""
    margin = re.match(r"(\d\. +| *)", line)
    indent = " " * len(margin[0]) if margin else ""
    return textwrap.wrap(
        line, COLUMNS, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    ) or [line]


def _continued(line: str) -> list[str]:
    """A command, in lines that a shell reads as one; only a path may be longer."""
    command = line.strip()
    indent, lines = line[: -len(command)], [""]
    for part in _parts(command, COLUMNS - len(indent)):
        longer = f"{lines[-1]} {part}" if lines[-1] else f"{indent}{part}"
        if lines[-1] and len(longer) > COLUMNS - len(" \\"):
            lines[-1] += " \\"
            longer = f"{indent}  {part}"
            lines.append("")
        lines[-1] = longer
    return lines


def _parts(command: str, room: int) -> list[str]:
    """A command, cut where a new line may begin: in front of its options, else anywhere."""
    if len(command) <= room or command.startswith("cd "):
        return [command]
    parts = re.split(r" (?=--\w|-d |&& |\|\| )", command)
    return [
        piece
        for part in parts
        for piece in (part.split(" ") if len(part) > room - 4 and not re.search("[\"']", part) else [part])
    ]


@pass_context
def notes_on_a_copy(context: Context) -> list[str]:
    """What a first copy should say beside: of the workflows that a push takes along, and of a key to come."""
    others = [
        f"ingestion/ also has {name}: td_project must be the project that it is pushed to, or its schedule "
        f"would run in two projects. td_project is {context['td_project']!r} now. "
        f"To change it after step 2:\n     {_update(context)} -d td_project=NAME"
        for name in workflows_of_others(context)[:1]
    ]
    if has_placeholder(context):
        others.append(f"the key is not in {PATH} yet. Step 5 sets it once you have put it there.")
    return others


@pass_context
def notes(context: Context) -> list[str]:
    """What is as it was asked for, but should be looked at; a command in a line of its own."""
    documented = [known.data_source for known in CATALOGUE]
    preflight = (
        f"     {td(context)} wf start {context['td_project']} {context['source']}_preflight --session now"
    )
    undocumented = [
        f"custom_objects: TD documents the connector for {', '.join(documented)}, not for "
        f"{each.data_source}. Preflight shows whether it can load that:\n{preflight}"
        for each in objects_to_load(context)
        if each.data_source not in documented
    ]
    asked = (
        _remark_on_a_name(context),
        _remark_on_metrics(context),
        freshness_warning(int(context["freshness_hours"]), context["schedule"], context["source"]),
        missing_webhook(context),
    )
    return [*undocumented, *accounts_to_follow(context), *(note for note in asked if note)]


def _remark_on_a_name(context: Context) -> str:
    """What to say of an authentication that is given by its name; nothing of a number."""
    authentication = context["td_authentication_id"]
    if authentication.isdigit():
        return ""
    return (
        f"td_authentication_id: {authentication!r} is a name, and TD documents the number with which the "
        f"authentication's URL ends:\n     {_update(context)} -d td_authentication_id=NUMBER"
    )


def _remark_on_metrics(context: Context) -> str:
    """What to say of a way to load metrics where no metrics are loaded."""
    given = {**context.get_all(), **context["_copier_conf"]["data"]}.get("metrics_load")
    if given != "full" or "metrics" in context["objects"]:
        return ""
    return "metrics_load is full, but objects has no metrics: it changes nothing."


def _update(context: Context) -> str:
    """The command that changes an answer of this repo, or of this account of it."""
    return update_command(str(context["_copier_conf"]["answers_file"]))


def remarks(context: Context, credentials: str, updated: bool) -> Iterator[str]:
    """What there is to say, each with an empty line before it.

    Args:
        credentials: what was done to the credentials file.
        updated: whether this was an update, and not a copy.
    """
    conf = context["_copier_conf"]
    folder = Path(conf["dst_path"])
    if not updated or "default_start_date" in conf["data"]:
        start = timestamp(context["default_start_date"])
        yield f"\nThe backfill starts at {start}, UTC."
        if start < BEGIN_OF_KLAVIYO:
            yield (
                f"Klaviyo began in {BEGIN_OF_KLAVIYO}, so no record is as old: is the year right?\n"
                "Each window before it is a load of its own, which finds nothing."
            )
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
            "\nREMOVED, as the template no longer has these files for your answers. Your\n"
            "edits are in git: git show HEAD:./FILE\n" + "\n".join(f"  {file}" for file in removed)
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

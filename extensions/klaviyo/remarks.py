"""What a person should know of a copy or an update, beside what the gates say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from jinja2.runtime import Context

from .ingestion_check.credentials import without_token
from .ingestion_check.git import git
from .unknown_answers import given_to_no_question


def remarks(context: Context, credentials: str, updated: bool) -> Iterator[str]:
    """What there is to say, each with an empty line before it.

    Args:
        credentials: what was done to the credentials file.
        updated: whether this was an update, and not a copy.
    """
    conf = context["_copier_conf"]
    folder = Path(conf["dst_path"])
    if credentials:
        yield f"\n{credentials}"
    if unknown := given_to_no_question(context):
        yield f"\nGiven, but no question of this template, so not used: {', '.join(sorted(unknown))}"
    if _had_token(folder, conf["answers_file"]):
        yield (
            f"\nThe token in the template's URL was taken out of {conf['answers_file']}. Git's history has\n"
            "it: revoke it, and give a new one to git's credential helper (docs/updates.md of the template)."
        )
    if updated and (removed := _removed_files(folder)):
        yield (
            "\nREMOVED, as the template, with your answers, has no such file any more. Edits of yours are\n"
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

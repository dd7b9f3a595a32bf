"""What keeps edits from Copier, which looks for them with git in throw-away repos of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from shlex import quote
from tempfile import TemporaryDirectory

from jinja2.runtime import Context

from .existing_repo import destination
from .ingestion_check.git import git

_TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}")

# What an earlier version had under another name.
_EARLIER = re.compile(r"ingestion/(.+/)?(klaviyo_|log_ingestion_)[^/]*")


def ignored_everywhere(context: Context) -> list[str]:
    """The template's files, kept or deleted by the client, that a new repo on this machine would ignore."""
    folder = destination(context, "")
    kept = _paths(git(folder, "ls-files", "-z"))
    deleted = _paths(
        git(folder, "log", "--format=", "--diff-filter=D", "--no-renames", "--relative", "--name-only", "-z")
    )
    names = [_pattern(name) for name in _template_names(context)]
    asked = {path for path in kept | deleted if any(name.fullmatch(path) for name in names)}
    asked |= {path for path in kept if _EARLIER.fullmatch(path)}
    if not asked:
        return []
    with TemporaryDirectory() as new:
        git(Path(new), "init", "--quiet")
        return sorted(_paths(git(Path(new), "check-ignore", "-z", "--stdin", asked="\0".join(asked))))


def folders_elsewhere(context: Context) -> Iterator[str]:
    """Say which folders of the template are links or repos of their own here: git sees no edit in them."""
    folder = destination(context, "")
    names = {parent for name in _template_names(context) for parent in Path(_TAG.sub("", name)).parents}
    for name in sorted(names - {Path()}):
        path, shown = folder / name, name.as_posix()
        if path.is_symlink():
            yield (
                f"{shown}: is a link, and your edits behind it would be lost: make it a folder again: "
                f"rm {quote(shown)} && mv {quote(str(path.resolve()))} {quote(shown)}, and commit it."
            )
        elif (path / ".git").exists():
            yield (
                f"{shown}: is a git repo of its own (a submodule), and its files would be deleted: keep them "
                f"in this repo: git rm --cached {quote(shown)} && rm -rf {quote(shown + '/.git')} && "
                f"git add {quote(shown)}, and commit it."
            )


def _template_names(context: Context) -> list[str]:
    """The names of the template's files, as they stand in the template."""
    root = Path(context["_copier_conf"]["src_path"]) / "template"
    files = [file.relative_to(root).as_posix() for file in root.rglob("*") if file.is_file()]
    return [name.removesuffix(".jinja") for name in files if "answers_file" not in name]


def _pattern(name: str) -> re.Pattern[str]:
    """A pattern of what a name in the template may be rendered as."""
    return re.compile("[^/]*".join(map(re.escape, _TAG.split(name))))


def _paths(printed: str | None) -> set[str]:
    return {path for path in (printed or "").split("\0") if path}
